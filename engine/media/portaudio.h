/* Streams of PortAudio. Its functions may wait for the system for long and may not be used by two
 * threads at once, so one thread makes all those calls; a device's callback touches only a ring.
 *
 *     media thread ── want, ring ──┐
 *     application ─── list, free ──┼─▶ desk thread: open, watch, close, open again
 *     callback ────── ring, count ─┘
 *
 * PortAudio is initialised when the first stream is to be opened and terminated with the last
 * device. A stream that ends or stops asking is lost; it is opened again every three seconds, and
 * while no other stream would be hurt PortAudio is initialised again to see new devices. */
#ifndef JINGLE_MEDIA_PORTAUDIO_H
#define JINGLE_MEDIA_PORTAUDIO_H

#include "base/clock.h"
#include "base/ring.h"

#include <jingle/jingle.h>

#include <stdatomic.h>
#include <stdbool.h>

enum stream_state {
    STREAM_CLOSED = 0, /* or being opened */
    STREAM_OPEN,
    STREAM_LOST,
};

struct stream {
    bool capture;
    char *name; /* "": the default */
    struct ring *ring;
    /* written by the desk thread before `state` becomes STREAM_OPEN */
    _Atomic unsigned opened; /* how often so far */
    _Atomic uint32_t rate;
    _Atomic uint32_t channels;
    _Atomic int64_t latency; /* usec: of the device, outside the ring */
    _Atomic int state;       /* enum stream_state */
    /* written by the callback */
    _Atomic unsigned periods;   /* so far */
    _Atomic unsigned underruns; /* periods of playback for which the ring held too little */
    _Atomic unsigned period_frames;
    _Atomic bool finished; /* the system ended the stream */
    struct desk_side *desk;
};

/* NULL: out of memory or threads. Nothing is opened yet. */
struct stream *stream_new(bool capture, const char *name);

/* Closes and frees; waits until that is done. */
void stream_free(struct stream *stream);

/* Any thread, never waits: whether the stream should be open. */
void stream_want(struct stream *stream, bool open);

#endif
