/* The receiving half of a call's pictures: a thread that decodes frames and shows each when it is
 * due.
 *
 *     video_render_push ─▶ queue (bounded) ─▶ decoder ─▶ waits until due ─▶ sink
 *           └ no room: hooks.dropped                          └▶ video_render_snapshot()
 *
 * It decodes a frame as soon as it comes, so that decoding costs no delay unless the frame is late.
 * What is late when another one is due already is decoded and not shown. */
#ifndef JINGLE_MEDIA_VIDEO_RENDER_H
#define JINGLE_MEDIA_VIDEO_RENDER_H

#include "base/clock.h"
#include "base/log.h"
#include "codecs/video_codec.h"

#include <jingle/jingle.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What may wait to be decoded: one with more than that has a decoder that is too slow. */
#define VIDEO_RENDER_FRAMES_MAX 64
#define VIDEO_RENDER_BYTES_MAX  (8 << 20)

struct picture_buffer;
struct video_render;

/* Called on the render's thread (`dropped` also within video_render_push()), and not after
 * video_render_stop() returned. They must only post. */
struct video_render_hooks {
    void *user;
    void (*done)(void *user, uint64_t number, uint32_t width, uint32_t height, usec decode_time);
    void (*failed)(void *user, uint64_t number);
    /* Frames up to this one found no room: nothing but a key frame is of use now. */
    void (*dropped)(void *user, uint64_t number);
    /* The sink does not show (any more), told once, or does again with JINGLE_OK. */
    void (*device)(void *user, bool lost, jingle_status status);
};

struct video_render_config {
    jingle_video_sink *sink;  /* the render's, also on failure; NULL: nothing is shown */
    const struct logger *log; /* must outlive video_render_stop() */
    struct video_render_hooks hooks;
};

/* A frame and when it is to be shown. */
struct video_render_frame {
    struct coded_frame *frame; /* the render's from here on */
    const struct video_codec *codec;
    uint64_t number;
    usec due;
};

/* Starts the thread, with one reference. NULL on failure. */
struct video_render *video_render_new(const struct video_render_config *config,
                                      jingle_status *status);

/* Ends the thread and frees the sink. MAY WAIT for it. Once. */
void video_render_stop(struct video_render *render);

/* The last one frees what is left; it must have been stopped before. */
struct video_render *video_render_ref(struct video_render *render);
void video_render_unref(struct video_render *render);

/* --- any thread -- */

void video_render_push(struct video_render *render, const struct video_render_frame *frame);
/* Forgets what waits. */
void video_render_flush(struct video_render *render);
/* In place of the one before. NULL: none. */
void video_render_set_sink(struct video_render *render, jingle_video_sink *sink);

/* Copies the picture that was decoded last into `out`; waits for a moment if one is being decoded.
 * Also after video_render_stop(). False if there is none. */
bool video_render_snapshot(struct video_render *render, struct picture_buffer *out);

#endif
