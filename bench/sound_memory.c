#include "sound_memory.h"

#include <glib.h>
#include <math.h>
#include <sndfile.h>
#include <speex/speex_resampler.h>
#include <stdio.h>
#include <stdlib.h>

#define RATE 48000

#ifndef SPEECH_FILE
#define SPEECH_FILE "tests/data/speech.opus"
#endif

static void resample(struct sound_memory *speech, const int16_t *samples, size_t count, int rate)
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

void sound_memory_speech(struct sound_memory *speech)
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
        *speech = (struct sound_memory){samples, (size_t)count};
        return;
    }
    resample(speech, samples, (size_t)count, info.samplerate);
    g_free(samples);
}

void sound_memory_music(struct sound_memory *sound)
{
    static const double notes[][3] = {
        {261.6, 329.6, 392.0}, {220.0, 261.6, 329.6}, {174.6, 220.0, 261.6}, {196.0, 246.9, 293.7}};
    const size_t beat = RATE / 2;
    sound->count = 8 * G_N_ELEMENTS(notes) * beat;
    sound->samples = g_new(int16_t, sound->count);
    for (size_t i = 0; i < sound->count; i++) {
        const double *chord = notes[i / beat % G_N_ELEMENTS(notes)];
        double t = (double)(i % beat) / RATE;
        double sum = 0;
        for (int n = 0; n < 3; n++) {
            for (int overtone = 1; overtone <= 5; overtone++) {
                sum += sin(2 * M_PI * chord[n] * overtone * t) / overtone;
            }
        }
        sound->samples[i] = (int16_t)(3500 * sum * exp(-4 * t));
    }
}

void sound_memory_free(struct sound_memory *sound)
{
    g_free(sound->samples);
}
