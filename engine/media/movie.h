/* One stream of a film: a file opened with FFmpeg's libraries, of which the pictures or the sound
 * are decoded. Pictures and sound each have a reader of their own, so neither waits for the other;
 * movie_clock keeps them in step.
 *
 *     video_file.c        ─▶ movie_reader (pictures) ─┐
 *     video_file_sound.c  ─▶ movie_reader (sound)     ├─ movie_clock: where the film is now
 *
 * What a file says is not believed: sizes are limited, it cannot make the libraries open anything
 * else (playlists), and reading goes on piece by piece. */
#ifndef JINGLE_MEDIA_MOVIE_H
#define JINGLE_MEDIA_MOVIE_H

#include "base/clock.h"

#include <jingle/jingle.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <stdbool.h>

/* --- reader -------------------------------------------------------------------------------- */

struct movie_reader {
    int fd;
    AVIOContext *io;
    AVFormatContext *format;
    AVCodecContext *codec;
    AVPacket *packet;
    int stream;
    bool drained;  /* the decoder was told that there is no more */
    usec position; /* of the frame after the last one, for frames that do not tell theirs */
};

enum movie_read {
    MOVIE_FRAME,
    MOVIE_AGAIN, /* much was read and nothing came of it; there may be more */
    MOVIE_END,
};

/* JINGLE_ERROR_FILE: it is no film, or has no such stream that can be decoded. On failure there is
 * nothing to be closed. */
jingle_status movie_open(struct movie_reader *reader, const char *path, enum AVMediaType type);
void movie_close(struct movie_reader *reader);

/* The next frame, and where in the film it belongs. Parts that are broken are passed over. */
enum movie_read movie_decode(struct movie_reader *reader, AVFrame *frame, usec *position);

/* To the last key frame before `position`. */
bool movie_seek(struct movie_reader *reader, usec position);

/* Of the whole film; found by reading through it if it does not tell. 0: nothing in it has a
 * time. */
usec movie_length(struct movie_reader *reader);

/* --- clock --------------------------------------------------------------------------------- */

/* Where in the film we are. It runs while the pictures, the sound or both do. A counted reference
 * each; any thread. */
struct movie_clock;

struct movie_clock *movie_clock_new(void);
struct movie_clock *movie_clock_ref(struct movie_clock *clock);
void movie_clock_unref(struct movie_clock *clock);

void movie_clock_start(struct movie_clock *clock);
void movie_clock_stop(struct movie_clock *clock);

/* Where the film is at `now`. */
usec movie_clock_position(struct movie_clock *clock, usec now);

/* --- sound --------------------------------------------------------------------------------- */

/* The sound of a film as a source; NULL and JINGLE_ERROR_FILE if it has none. `length` is that of
 * the film in a loop, 0 without. */
jingle_audio_source *movie_sound_new(const char *path, usec length, struct movie_clock *clock,
                                     jingle_status *status);

#endif
