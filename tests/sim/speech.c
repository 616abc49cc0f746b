#include "tests/sim/speech.h"

#include <stdlib.h>

#include <sndfile.h>

int16_t *speech_load(size_t *samples)
{
    SF_INFO info = {0};
    SNDFILE *file = sf_open("data/speech.opus", SFM_READ, &info);
    if (!file) {
        return NULL;
    }
    int16_t *speech = NULL;
    if (info.samplerate == 48000 && info.channels == 1) {
        speech = calloc((size_t)info.frames, sizeof *speech);
    }
    *samples = speech ? (size_t)sf_readf_short(file, speech, info.frames) : 0;
    sf_close(file);
    return speech;
}
