#include "media/processing.h"

#include <speex/speex_echo.h>
#include <speex/speex_preprocess.h>
#include <stdlib.h>
#include <string.h>

enum {
    TAIL = PROCESSING_RATE / 5, /* samples of echo that can be learned: 200 ms */
    MARGIN = 10 * 1000,         /* usec: the devices' times may be wrong by this much; with more the
         canceller, which prefers early echoes, learns slower */
    OUT_OF_STEP = 15 * 48,      /* samples: pair anew when it is off by more */
    SMOOTHING = 64,             /* blocks: over which that is judged */
    FAR_SAMPLES = 1 << 16,      /* 1.4 s; a power of two */
    NOISE_DB = -15,             /* suppression of noise */
    ECHO_DB = -60,              /* of what is left of the echo ... */
    ECHO_BOTH_DB = -25,         /* ... and while the near side speaks, too */
    GAIN_DB = 12,               /* at most; speexdsp's usual 30 blows up the noise of a room */
};

struct processing {
    SpeexEchoState *echo;          /* NULL: off */
    SpeexPreprocessState *cleaner; /* NULL: off */
    int64_t written;               /* far samples so far */
    int64_t heard_sample;          /* this far sample ... */
    usec heard_time;               /* ... is heard then */
    bool heard;                    /* these two are known */
    bool paired;
    int64_t next;      /* the far sample that goes with the next near one */
    int64_t deviation; /* of `next` from what the times say, smoothed, times SMOOTHING */
    int16_t far[FAR_SAMPLES];
};

static void set_up_cleaner(struct processing *p, bool noise, bool gain)
{
    /* Suppressing what is left of the echo is part of the denoiser: it is always on, and noise
     * suppression off is one of 0 dB. */
    int on = 1;
    int off = 0;
    int noise_db = noise ? NOISE_DB : 0;
    int echo_db = ECHO_DB;
    int echo_both_db = ECHO_BOTH_DB;
    int gain_db = GAIN_DB;
    speex_preprocess_ctl(p->cleaner, SPEEX_PREPROCESS_SET_DENOISE, &on);
    speex_preprocess_ctl(p->cleaner, SPEEX_PREPROCESS_SET_NOISE_SUPPRESS, &noise_db);
    speex_preprocess_ctl(p->cleaner, SPEEX_PREPROCESS_SET_AGC, gain ? &on : &off);
    speex_preprocess_ctl(p->cleaner, SPEEX_PREPROCESS_SET_AGC_MAX_GAIN, &gain_db);
    if (p->echo) {
        speex_preprocess_ctl(p->cleaner, SPEEX_PREPROCESS_SET_ECHO_STATE, p->echo);
        speex_preprocess_ctl(p->cleaner, SPEEX_PREPROCESS_SET_ECHO_SUPPRESS, &echo_db);
        speex_preprocess_ctl(p->cleaner, SPEEX_PREPROCESS_SET_ECHO_SUPPRESS_ACTIVE, &echo_both_db);
    }
}

struct processing *processing_new(bool echo, bool noise, bool gain)
{
    struct processing *p = calloc(1, sizeof *p);
    if (!p) {
        return NULL;
    }
    if (echo) {
        int rate = PROCESSING_RATE;
        p->echo = speex_echo_state_init(PROCESSING_BLOCK, TAIL);
        if (p->echo) {
            speex_echo_ctl(p->echo, SPEEX_ECHO_SET_SAMPLING_RATE, &rate);
        }
    }
    p->cleaner = speex_preprocess_state_init(PROCESSING_BLOCK, PROCESSING_RATE);
    if (!p->cleaner || (echo && !p->echo)) {
        processing_free(p);
        return NULL;
    }
    set_up_cleaner(p, noise, gain);
    return p;
}

void processing_free(struct processing *p)
{
    if (!p) {
        return;
    }
    if (p->cleaner) {
        speex_preprocess_state_destroy(p->cleaner);
    }
    if (p->echo) {
        speex_echo_state_destroy(p->echo);
    }
    free(p);
}

void processing_restart(struct processing *p)
{
    if (p) {
        p->heard = false;
        p->paired = false;
    }
}

void processing_far(struct processing *p, const int16_t *block, usec heard)
{
    if (!p->echo) {
        return;
    }
    p->heard_sample = p->written;
    p->heard_time = heard;
    p->heard = true;
    for (int i = 0; i < PROCESSING_BLOCK; i++) {
        p->far[(p->written + i) & (FAR_SAMPLES - 1)] = block[i];
    }
    p->written += PROCESSING_BLOCK;
}

/* What was learned in another step is forgotten: it was measured to take longer to unlearn than a
 * room to learn. */
static void pair(struct processing *p, int64_t wanted)
{
    p->next = wanted;
    p->deviation = 0;
    p->paired = true;
    speex_echo_state_reset(p->echo);
}

/* Keeps `next` at the far sample that is heard when the near one is picked up, and MARGIN newer, so
 * that an echo never seems to come before its sound. */
static void keep_step(struct processing *p, usec picked_up)
{
    int64_t ahead = (picked_up + MARGIN - p->heard_time) * PROCESSING_RATE / USEC_PER_SEC;
    int64_t wanted = p->heard_sample + ahead;
    if (!p->paired) {
        pair(p, wanted);
        return;
    }
    p->deviation += wanted - p->next - p->deviation / SMOOTHING;
    int64_t off = p->deviation / SMOOTHING;
    if (off > OUT_OF_STEP || off < -OUT_OF_STEP) {
        pair(p, wanted);
    }
}

static void take_far(struct processing *p, int16_t *block)
{
    for (int i = 0; i < PROCESSING_BLOCK; i++, p->next++) {
        bool there = p->next >= 0 && p->next < p->written && p->next >= p->written - FAR_SAMPLES;
        block[i] = there ? p->far[p->next & (FAR_SAMPLES - 1)] : 0;
    }
}

void processing_near(struct processing *p, int16_t *block, usec picked_up)
{
    if (p->echo && p->heard) {
        int16_t far[PROCESSING_BLOCK];
        int16_t near[PROCESSING_BLOCK];
        keep_step(p, picked_up);
        take_far(p, far);
        memcpy(near, block, sizeof near);
        speex_echo_cancellation(p->echo, near, far, block);
    }
    speex_preprocess_run(p->cleaner, block);
}
