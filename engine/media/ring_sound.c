/* The sounds of a telephone, made of sines: what rings here, what tells that it rings over there,
 * that somebody else calls, that nobody will answer. Loops of tones and pauses. */
#include "media/devices.h"

#include <math.h>
#include <stdlib.h>

enum { EDGE = 5 }; /* ms that a tone fades in and out, or it would click */

struct note {
    double hz[2];    /* 0: nothing */
    unsigned length; /* ms */
};

struct melody {
    const struct note *notes;
    size_t count;
    double level; /* of full scale */
};

/* ITU-T Q.35, as most of Europe has it. */
static const struct note ring_back[] = {{{425, 0}, 1000}, {{0, 0}, 4000}};
static const struct note busy[] = {{{425, 0}, 480}, {{0, 0}, 480}};
static const struct note waiting[] = {
    {{425, 0}, 200}, {{0, 0}, 200}, {{425, 0}, 200}, {{0, 0}, 4400}};
/* Our own: two chords, twice. */
static const struct note incoming[] = {
    {{523.25, 659.26}, 160}, {{587.33, 783.99}, 240}, {{0, 0}, 120},
    {{523.25, 659.26}, 160}, {{587.33, 783.99}, 240}, {{0, 0}, 2080},
};

#define MELODY(notes, level)                           \
    {                                                  \
        notes, sizeof(notes) / sizeof(notes)[0], level \
    }

static const struct melody melodies[] = {
    [JINGLE_RING_INCOMING] = MELODY(incoming, 0.25),
    [JINGLE_RING_BACK] = MELODY(ring_back, 0.1),
    [JINGLE_RING_BUSY] = MELODY(busy, 0.1),
    [JINGLE_RING_WAITING] = MELODY(waiting, 0.05),
};

struct ring_sound {
    jingle_audio_source table;
    const struct melody *melody;
    jingle_audio_format format;
    size_t note;
    uint32_t frame; /* of the note */
};

static jingle_status start(void *user, jingle_audio_format *format)
{
    struct ring_sound *sound = user;
    sound->format = *format;
    sound->note = 0;
    sound->frame = 0;
    return JINGLE_OK;
}

static uint32_t frames_of(const struct ring_sound *sound, unsigned ms)
{
    return (uint32_t)((uint64_t)sound->format.rate * ms / 1000);
}

static double loudness(const struct ring_sound *sound, uint32_t length)
{
    double edge = frames_of(sound, EDGE);
    double to_border = fmin(sound->frame, length - sound->frame);
    return sound->melody->level * fmin(1, to_border / edge);
}

static int16_t next_sample(struct ring_sound *sound)
{
    const struct note *note = &sound->melody->notes[sound->note];
    uint32_t length = frames_of(sound, note->length);
    double value = 0;
    for (size_t i = 0; i < 2; i++) {
        value += sin(2 * M_PI * note->hz[i] * sound->frame / sound->format.rate);
    }
    value *= loudness(sound, length) / (note->hz[1] > 0 ? 2 : 1);
    if (++sound->frame >= length) {
        sound->frame = 0;
        sound->note = (sound->note + 1) % sound->melody->count;
    }
    return (int16_t)lrint(value * INT16_MAX);
}

static long read_ring(void *user, int16_t *samples, size_t frames)
{
    struct ring_sound *sound = user;
    for (size_t i = 0; i < frames; i++) {
        int16_t sample = next_sample(sound);
        for (uint32_t channel = 0; channel < sound->format.channels; channel++) {
            *samples++ = sample;
        }
    }
    return (long)frames;
}

jingle_audio_source *jingle_audio_source_ring(jingle_ring ring, jingle_status *status)
{
    if ((size_t)ring >= sizeof melodies / sizeof melodies[0]) {
        return source_failed(status, JINGLE_ERROR_INVALID);
    }
    struct ring_sound *sound = calloc(1, sizeof *sound);
    if (!sound) {
        return source_failed(status, JINGLE_ERROR_MEMORY);
    }
    sound->melody = &melodies[ring];
    sound->table = (jingle_audio_source){
        .size = sizeof sound->table,
        .user = sound,
        .start = start,
        .read = read_ring,
        .free = free,
        .on_demand = true,
    };
    return source_made(&sound->table, status);
}
