/* Video sources: the table jingle_video_source of <jingle/jingle.h> and what their files share.
 *
 *     camera_v4l2.c                     cameras            (camera_none.c where built without)
 *     screen.c                          picks one of
 *       screen_x11.c screen_pipewire.c  the screen         (screen_x11_none.c, ..._none.c)
 *     video_file.c                      a file, with sound (video_file_none.c)
 *     test_picture.c pushed.c
 *
 * A table of the library's own is the first member of what it describes and is freed with it. All
 * of them wait in read() for a descriptor or an absolute deadline, never longer than they are told
 * to, so that the thread that reads can stop soon. */
#ifndef JINGLE_MEDIA_VIDEO_SOURCE_H
#define JINGLE_MEDIA_VIDEO_SOURCE_H

#include "base/clock.h"

#include <jingle/jingle.h>

#include <stdbool.h>

enum { VIDEO_RATE_MAX = 120 }; /* frames a second that a source gives */

/* True if the table, which may be an application's, is whole. */
bool video_source_valid(const jingle_video_source *source);

/* Fills in what `format` leaves open, and keeps it to what jingle.h allows. */
void video_format_complete(jingle_video_format *format, jingle_video_format usual);

/* For the ends of constructors: they set `*status`, which may be NULL. */
jingle_video_source *video_source_made(jingle_video_source *source, jingle_status *status);
jingle_video_source *video_source_failed(jingle_status *status, jingle_status why);

/* Waits until `fd` is readable or `deadline` is over; only for the deadline if `fd` is negative.
 * True: readable, or in a state that reading it will tell. */
bool video_wait(int fd, usec deadline);

/* --- frame clock --------------------------------------------------------------------------- */

/* Frames at a steady rate on absolute deadlines; those that were missed are left out. */
struct frame_clock {
    uint32_t rate;
    usec start;
    uint64_t next; /* number of the next frame */
};

/* The first frame is due at `now`. */
void frame_clock_start(struct frame_clock *clock, uint32_t rate, usec now);

usec frame_clock_due(const struct frame_clock *clock);

/* Waits for the next frame, for at most `timeout`. True: it is its time, `*due` (may be NULL). */
bool frame_clock_wait(struct frame_clock *clock, usec timeout, usec *due);

/* --- screen -------------------------------------------------------------------------------- */

/* For screen.c. `what` as jingle_video_source_screen() has it, for X11 never "". */
jingle_video_source *screen_x11_new(const char *what, jingle_status *status);
jingle_video_source *screen_pipewire_new(jingle_status *status);

/* True if there is a desktop portal to ask. */
bool screen_pipewire_available(void);

#endif
