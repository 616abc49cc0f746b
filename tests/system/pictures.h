/* Pictures of a test's own: a source of one colour, and a sink that remembers what colour came.
 *
 *     struct pictures ─▶ jingle_video_config ─▶ a session */
#ifndef JINGLE_TESTS_PICTURES_H
#define JINGLE_TESTS_PICTURES_H

#include "system/side.h"

#include <jingle/jingle.h>

#include <pthread.h>
#include <stdatomic.h>

/* Far enough from one another to survive any bit rate. */
enum colour {
    COLOUR_NONE,
    COLOUR_RED,
    COLOUR_GREEN,
    COLOUR_BLUE,
    COLOUR_WHITE,
    COLOURS,
};

struct pictures {
    jingle_video_source source;
    jingle_video_sink sink;
    jingle_video_sink self_view;
    enum colour colour; /* of the source */
    uint32_t width, height, frame_rate;
    uint8_t *planes; /* of its picture */
    int64_t next;    /* when it is due */
    _Atomic bool source_lost;
    _Atomic bool sink_lost;
    _Atomic bool source_started;
    _Atomic long frames_left; /* then JINGLE_VIDEO_END; negative: endless */
    _Atomic long given;       /* by the source */
    _Atomic long shown;       /* by the sink */
    _Atomic long shown_self;
    _Atomic int seen;      /* enum colour of the last one */
    _Atomic int seen_self; /* the same */
    _Atomic uint32_t seen_width, seen_height;
    int poke;                           /* written to whenever a sink is */
    _Atomic int sources_out, sinks_out; /* handed over and not freed yet */
};

/* A config with all of it: the source is of this colour, 320 by 180, 30 a second. */
jingle_video_config pictures_config(struct pictures *pictures, int poke, enum colour colour);

/* To be called when it was handed over, piece by piece. */
void pictures_hand_over(struct pictures *pictures, const jingle_video_config *config);

/* Checks that all that was handed over is freed. */
void pictures_end(struct pictures *pictures);

/* Runs until the sink shows this colour. */
void await_colour(struct world *world, struct pictures *pictures, enum colour colour);
/* Runs until so many more pictures were shown. */
void await_pictures(struct world *world, struct pictures *pictures, long count);
/* Runs for a while and then checks that nothing more is shown. */
void expect_no_pictures(struct world *world, struct pictures *pictures);

#endif
