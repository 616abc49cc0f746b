#include "speech_memory.h"

#include <glib.h>
#include <sndfile.h>
#include <speex/speex_resampler.h>
#include <stdio.h>
#include <stdlib.h>

#define RATE 48000

#ifndef SPEECH_FILE
#define SPEECH_FILE "tests/data/speech.opus"
#endif

static void resample(struct speech_memory *speech, const int16_t *samples, size_t count, int rate)
{
    int error;
    SpeexResamplerState *state = speex_resampler_init(1, (spx_uint32_t)rate, RATE, 5, &error);
    spx_uint32_t in = (spx_uint32_t)count;
    spx_uint32_t out = (spx_uint32_t)(count * RATE / (size_t)rate + 64);
    speech->samples = g_new(int16_t, out);
    speex_resampler_process_int(state, 0, samples, &in, speech->samples, &out);
    speech->count = out;
    speex_resampler_destroy(state);
}

void speech_memory_load(struct speech_memory *speech)
{
    SF_INFO info = {0};
    SNDFILE *file = sf_open(SPEECH_FILE, SFM_READ, &info);
    if (!file || info.channels != 1) {
        fprintf(stderr, "%s: %s\n", SPEECH_FILE, file ? "not mono" : sf_strerror(NULL));
        exit(1);
    }
    int16_t *samples = g_new(int16_t, (gsize)info.frames);
    sf_count_t count = sf_readf_short(file, samples, info.frames);
    sf_close(file);
    if (info.samplerate == RATE) {
        *speech = (struct speech_memory){samples, (size_t)count};
        return;
    }
    resample(speech, samples, (size_t)count, info.samplerate);
    g_free(samples);
}

void speech_memory_free(struct speech_memory *speech)
{
    g_free(speech->samples);
}
