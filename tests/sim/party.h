/* One side of a simulated voice call: a voice stream, a microphone and a loudspeaker on a crystal
 * of their own, and a record of what its user would notice.
 *
 *     speech ─▶ microphone, every 10 ms ─▶ voice ─▶ hooks ─▶ the world's network
 *     the world's network ─▶ voice ─▶ loudspeaker, every 10 ms ─▶ what was heard
 */
#ifndef JINGLE_SIM_PARTY_H
#define JINGLE_SIM_PARTY_H

#include <stdio.h>

#include "rtp/voice.h"

#define PARTY_DIGITS_MAX 128
#define PARTY_EVENTS     101 /* payload type of telephone-event */
#define PARTY_OPUS       111

enum party_sound {
    SOUND_SPEECH = 0,
    SOUND_SILENCE, /* digital */
    SOUND_TURNS,   /* four seconds of speech, four of silence */
};

struct party_config {
    const struct audio_codec *codec; /* NULL: Opus */
    unsigned ptime;                  /* 0: 20 */
    unsigned channels;               /* 0: 1 */
    uint32_t bitrate;                /* 0: 32000 */
    bool fec;
    bool dtx;
    int ppm;    /* how much faster its crystal is */
    usec start; /* when its microphone and loudspeaker begin */
    enum party_sound sound;
    uint32_t ssrc; /* 0: its own */
};

struct party {
    const char *name;
    struct party_config config;
    struct voice_hooks hooks;
    struct voice *voice;
    void *world;
    uint64_t random;
    const int16_t *speech;
    size_t speech_samples;
    size_t at; /* sample of the speech */
    uint64_t periods;
    usec next;      /* period of microphone and loudspeaker */
    bool unplugged; /* the microphone gives nothing */
    bool asleep;    /* neither gives nor takes: the program is gone */
    char digits[PARTY_DIGITS_MAX + 1];
    size_t digit_count;
    unsigned byes;
    uint64_t heard;      /* samples at 48 kHz that were not silent */
    usec last_heard;     /* when the last of these was */
    double said_energy;  /* of speech given to the voice, and */
    double heard_energy; /* of what came out */
    uint64_t sound_hash; /* of all that came out */
};

/* `hooks.user` gets the party. */
void party_open(struct party *party, const char *name, const struct party_config *config,
                const struct voice_hooks *hooks, uint64_t seed);
void party_close(struct party *party);

/* Another voice stream in place of the first: the user's sound moved to another program. */
void party_restart(struct party *party);

/* Runs one period of microphone, loudspeaker and tick. */
void party_run(struct party *party, usec now);

void party_digit(struct party *party, char digit);

/* A hash to which more can be added; begins with HASH_BEGIN. */
#define HASH_BEGIN UINT64_C(0xcbf29ce484222325)
uint64_t hash_add(uint64_t hash, const void *data, size_t bytes);

#endif
