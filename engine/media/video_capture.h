/* The sending half of a call's pictures: a thread that takes them from a source, scales them and
 * encodes them.
 *
 *     source ─ read() ─▶ newest picture ─▶ left out or scaled ─▶ encoder ─▶ hooks.frame
 *                              └──────────────▶ self view
 *     video_capture_set_target(), _request_key(), _set_source(), _set_running()  from other threads
 *
 * The thread runs at a lower priority than those of sound. It never makes more than
 * VIDEO_CAPTURE_FRAMES coded frames at once: while all of them wait with the owner, pictures are
 * left out before they are encoded, so nothing that comes later misses them. */
#ifndef JINGLE_MEDIA_VIDEO_CAPTURE_H
#define JINGLE_MEDIA_VIDEO_CAPTURE_H

#include "base/clock.h"
#include "base/log.h"
#include "codecs/video_codec.h"

#include <jingle/jingle.h>

#include <stdbool.h>

/* Coded frames that may be with the owner. */
#define VIDEO_CAPTURE_FRAMES 4

struct video_capture;

/* What the pictures are like, before they are scaled. */
struct video_capture_input {
    uint32_t width;
    uint32_t height;
    uint32_t frame_rate;
    bool screen;
};

/* All are called on the capture's thread, and not after video_capture_free() returned. They must
 * only post. */
struct video_capture_hooks {
    void *user;
    /* To be given back by video_capture_give_back(), in any order. */
    void (*frame)(void *user, struct coded_frame *frame);
    /* The pictures are (now) such; nothing is encoded before video_capture_set_target() says what.
     */
    void (*input)(void *user, const struct video_capture_input *input);
    /* The source (or, if not, the self view) is lost, told once, or back with JINGLE_OK. */
    void (*device)(void *user, bool source, bool lost, jingle_status status);
    void (*source_ended)(void *user);
};

struct video_capture_config {
    const struct video_codec *codec;
    jingle_video_source *source;  /* NULL: none yet. Both are the capture's, also on failure. */
    jingle_video_sink *self_view; /* may be NULL */
    uint32_t width, height;       /* that the source is asked for at most; 0: 1280 by 720, or of */
    uint32_t frame_rate;          /* a screen 1920 by 1080; 0: 30, or of a screen 15 */
    const struct logger *log;     /* must outlive the capture */
    struct video_capture_hooks hooks;
};

/* What the encoder is told. */
struct video_capture_target {
    uint32_t bitrate; /* 0: nothing is encoded */
    uint32_t frame_rate;
    uint32_t width; /* at most, in the shape of the pictures */
    uint32_t height;
    bool skip;  /* for the moment */
    bool lossy; /* frames get lost: make them such that not all depend on all before */
};

/* Since the start; encode_time is the mean of the last second or so. */
struct video_capture_stats {
    uint64_t captured;
    uint64_t dropped; /* captured and not encoded, though they should have been */
    usec encode_time;
};

/* Starts the thread; the source is started when it is to run. NULL on failure. */
struct video_capture *video_capture_new(const struct video_capture_config *config,
                                        jingle_status *status);

/* Ends the thread and frees all, sources and self view, too. MAY WAIT for the source. All frames
 * are taken back, whoever has them. NULL is allowed. */
void video_capture_free(struct video_capture *capture);

/* --- any thread -- */

/* Off at first. While it does not run, the source is stopped. */
void video_capture_set_running(struct video_capture *capture, bool on);
void video_capture_set_target(struct video_capture *capture,
                              const struct video_capture_target *target);
/* The next frame is a key frame. */
void video_capture_request_key(struct video_capture *capture);
/* Takes it over in place of the one before, which is stopped and freed on the capture's thread.
 * NULL: none. */
void video_capture_set_source(struct video_capture *capture, jingle_video_source *source);
/* The same. */
void video_capture_set_self_view(struct video_capture *capture, jingle_video_sink *self_view);
/* Another codec from the next picture on, with a key frame. */
void video_capture_set_codec(struct video_capture *capture, const struct video_codec *codec);
void video_capture_give_back(struct video_capture *capture, struct coded_frame *frame);
void video_capture_stats(struct video_capture *capture, struct video_capture_stats *stats);

#endif
