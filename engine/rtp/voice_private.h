/* What voice.c (life, reception, reports) and voice_capture.c (from samples to packets) share. */
#ifndef JINGLE_RTP_VOICE_PRIVATE_H
#define JINGLE_RTP_VOICE_PRIVATE_H

#include "rtp/dtmf.h"
#include "rtp/level.h"
#include "rtp/receive_stream.h"
#include "rtp/report.h"
#include "rtp/send_stream.h"
#include "rtp/voice.h"

#define VOICE_FRAME_MAX (48 * VOICE_PTIME_MAX) /* samples a channel */

/* A rate over the last whole second. */
struct meter {
    usec since;
    uint64_t bytes;
    uint64_t rate; /* bit/s */
};

/* Counts of samples at the codec's rate, summed up at 48 kHz. */
struct sample_counts {
    uint64_t played, concealed, recovered, stretched, shrunk;
};

struct voice {
    struct voice_config config;
    char cname[RTCP_TEXT_MAX + 1];
    bool held;
    bool peer_holds;
    bool shares; /* the transport, with other streams */
    bool said_bye;

    /* capture */
    struct audio_encoder *encoder;
    struct audio_encoder_config encoder_config;
    struct send_stream sent;
    struct dtmf_sender digits;
    struct level_peak sent_peak;
    struct meter sent_meter;
    bool muted;
    bool talking; /* the last packet's time was sent: this one needs no marker */
    bool encoder_failed;
    usec captured; /* last; USEC_NEVER: not yet */
    double loss;   /* of what we send, smoothed, in percent */
    size_t frame_size;
    size_t frame_used;
    int16_t frame[VOICE_FRAME_MAX * AUDIO_CHANNELS_MAX];

    /* reception */
    struct playout *playout;
    struct receive_stream received;
    struct dtmf_receiver keys;
    struct level_peak played_peak;
    struct meter received_meter;
    const struct audio_codec *received_codec;
    uint64_t discarded;
    uint64_t keys_told;
    unsigned collisions;
    int announced_level;
    bool malformed_logged;
    bool unknown_logged;
    bool quiet; /* playout is at rest: one of us holds */
    usec last_sound;
    usec last_heard;
    usec first_played;
    usec bye_heard;          /* USEC_NEVER: no goodbye waits for another source */
    struct sync_clock clock; /* the peer's */
    usec pulled;             /* the last time, with sound; USEC_NEVER: silence */

    /* figures of playout at the rate that is heard now */
    uint32_t playout_rate;
    struct playout_stats counted; /* up to here they are in `counts` */
    struct sample_counts counts;  /* at 48 kHz */

    struct report report;
};

/* The loss that the peer reports changed: the encoder's FEC follows. */
void voice_follow_loss(struct voice *voice, double percent);

/* Checks and opens the first sending; frees nothing on failure. */
jingle_status voice_open_sending(struct voice *voice, const struct voice_sending *sending);

#endif
