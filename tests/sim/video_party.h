/* One side of a simulated video call: uplink, downlink and video stream, a camera with an encoder,
 * a decoder with a window, maybe a voice beside it, and a record of what its user would see.
 *
 *     camera, at the frame rate ─▶ encoder, as hooks.target says ─▶ video ─▶ uplink ─▶ network
 *     network ─▶ downlink, video ─▶ decoder ─▶ window: when was which frame shown
 *
 * The codec is a fake one, whose frames say which frame they need, so that one that cannot be
 * decoded is caught; or VP8 itself, with pictures as small as the story likes. */
#ifndef JINGLE_SIM_VIDEO_PARTY_H
#define JINGLE_SIM_VIDEO_PARTY_H

#include "codecs/video_codec.h"
#include "rtp/downlink.h"
#include "rtp/uplink.h"
#include "rtp/video.h"
#include "tests/sim/party.h"

#define VIDEO_PARTY_SHOWN  16384 /* pictures that are remembered */
#define VIDEO_PARTY_FRAMES 1024  /* frames whose decoding is remembered */

/* How packets come to the world. */
enum video_tag { VIDEO_TAG_RTP, VIDEO_TAG_RTCP, VIDEO_TAG_VOICE };

struct video_party_config {
    struct video_input input;        /* 0: 1280x720, 30 a second */
    uint32_t bitrate;                /* at most; 0: the default */
    bool silent;                     /* sends no video */
    const struct video_codec *codec; /* of the payloads, and with `real` of the frames; NULL: VP8 */
    bool real;                       /* the codec itself */
    unsigned layers;                 /* temporal, of the fake codec; 0: 1 */
    bool no_rtx;                     /* both ways, as the next; set it for both parties */
    bool no_nack;
    bool no_transport_feedback;
    bool no_remb;
    bool full_compounds; /* no reduced-size RTCP */
    bool fir;            /* instead of PLI */
    bool never_key;      /* its encoder makes no key frame after the first packet of a stream */
    bool no_key_at_all;  /* and not even a first one */
    bool voice;          /* speech beside it */
    uint32_t start;      /* bit/s of the uplink at the beginning; 0: its own */
    unsigned frames_a_second; /* of a mad sender; 0: as targeted */
    usec sound_delay;         /* that its loudspeaker adds, for lip sync */
};

struct video_party;

/* What carries its packets. */
struct video_party_hooks {
    void (*send)(struct video_party *party, enum video_tag tag, uint8_t *packet, size_t bytes);
    void (*say)(struct video_party *party, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
};

struct video_party {
    const char *name;
    void *world;
    usec now;
    struct video_party_config config;
    struct video_party_hooks hooks;
    struct uplink *uplink;
    struct downlink *downlink;
    struct video *video;
    struct party voice; /* if it has one */
    unsigned voice_stream;
    uint64_t random;
    uint32_t ssrc;

    /* camera and encoder */
    struct video_target target;
    usec next_picture;
    double due_frames; /* pictures owed to the frame rate */
    uint32_t number;   /* of the next frame */
    uint32_t base;     /* the last frame of layer 0 */
    unsigned in_pattern;
    double debt; /* bytes that large frames took from those to come */
    int tl0;
    struct video_encoder *encoder;
    uint32_t encoder_width, encoder_height;
    uint64_t pictures;
    uint64_t bytes_encoded;
    unsigned keys_asked;
    unsigned target_changes;
    bool unplugged; /* no pictures */
    bool key_wanted;
    bool decoder_broken; /* says that it cannot decode, until a key frame comes */

    /* decoder and window */
    struct video_decoder *decoder;
    uint32_t decoded[VIDEO_PARTY_FRAMES]; /* frame number + 1, by number */
    uint64_t undecodable;                 /* frames that were handed out without what they need */
    uint64_t shown_count;
    usec shown[VIDEO_PARTY_SHOWN];
    usec delays[VIDEO_PARTY_SHOWN]; /* from camera to window */
    uint32_t last_number;
    uint64_t out_of_order;
    unsigned byes;
    uint32_t first_width, last_width;
};

/* `speech` may be NULL without a voice. */
void video_party_open(struct video_party *party, const char *name,
                      const struct video_party_config *config,
                      const struct video_party_hooks *hooks, uint64_t seed, const int16_t *speech,
                      size_t speech_samples);
void video_party_close(struct video_party *party);

/* A packet came. */
void video_party_receive(struct video_party *party, enum video_tag tag, const uint8_t *packet,
                         size_t bytes, usec now);

/* Runs what is due, and says when something will be. */
void video_party_run(struct video_party *party, usec now);
usec video_party_next(const struct video_party *party);

/* Share of the time from `from` to `to` in which its window was frozen: gaps over
 * max(3 x mean, mean + 150 ms). Counted here by itself, not by the stream's own figures. */
double video_party_frozen(const struct video_party *party, usec from, usec to);

/* The longest gap between two pictures, and pictures shown, in that time. */
usec video_party_longest_gap(const struct video_party *party, usec from, usec to);
unsigned video_party_pictures(const struct video_party *party, usec from, usec to);

/* From camera to window: this share of pictures took no longer. */
usec video_party_delay(const struct video_party *party, double quantile, usec from, usec to);

#endif
