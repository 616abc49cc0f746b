/* A recording decoded into memory, 48 kHz mono, for benches whose sound must cost nothing. */
#ifndef JINGLE_BENCH_SPEECH_MEMORY_H
#define JINGLE_BENCH_SPEECH_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct speech_memory {
    int16_t *samples;
    size_t count;
};

/* Reads the recording of tests/data; ends the program with a sentence if that fails. */
void speech_memory_load(struct speech_memory *speech);
void speech_memory_free(struct speech_memory *speech);

#endif
