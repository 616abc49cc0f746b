/* A sine as a source: a phasor is turned by the same angle for every sample. */
#include "media/devices.h"

#include <math.h>
#include <stdlib.h>

static const double LEVEL = 32768 / 4.0;

struct tone {
    jingle_audio_source table;
    double hz;
    double re, im;           /* the phasor */
    double turn_re, turn_im; /* the angle of one sample */
    uint32_t channels;
};

static jingle_status start(void *user, jingle_audio_format *format)
{
    struct tone *tone = user;
    double angle = 2 * M_PI * tone->hz / format->rate;
    tone->turn_re = cos(angle);
    tone->turn_im = sin(angle);
    tone->channels = format->channels;
    return JINGLE_OK;
}

static long read_tone(void *user, int16_t *samples, size_t frames)
{
    struct tone *tone = user;
    for (size_t i = 0; i < frames; i++) {
        for (uint32_t channel = 0; channel < tone->channels; channel++) {
            *samples++ = (int16_t)lrint(LEVEL * tone->im);
        }
        double re = tone->re * tone->turn_re - tone->im * tone->turn_im;
        tone->im = tone->re * tone->turn_im + tone->im * tone->turn_re;
        tone->re = re;
    }
    double length = hypot(tone->re, tone->im); /* rounding must not make it fade or grow */
    tone->re /= length;
    tone->im /= length;
    return (long)frames;
}

jingle_audio_source *jingle_audio_source_tone(double hz, jingle_status *status)
{
    if (!(hz > 0 && hz < 4000)) { /* heard at every rate that a codec has */
        return source_failed(status, JINGLE_ERROR_INVALID);
    }
    struct tone *tone = calloc(1, sizeof *tone);
    if (!tone) {
        return source_failed(status, JINGLE_ERROR_MEMORY);
    }
    tone->hz = hz;
    tone->re = 1;
    tone->table = (jingle_audio_source){
        .size = sizeof tone->table,
        .user = tone,
        .start = start,
        .read = read_tone,
        .free = free,
        .on_demand = true,
    };
    return source_made(&tone->table, status);
}
