/* Sound in memory, 48 kHz mono, for benches whose sound must cost nothing. */
#ifndef JINGLE_BENCH_SOUND_MEMORY_H
#define JINGLE_BENCH_SOUND_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct sound_memory {
    int16_t *samples;
    size_t count;
};

/* Reads the recording of tests/data; ends the program with a sentence if that fails. */
void sound_memory_speech(struct sound_memory *sound);

/* Chords that are struck and die away, as of a piano. */
void sound_memory_music(struct sound_memory *sound);

void sound_memory_free(struct sound_memory *sound);

#endif
