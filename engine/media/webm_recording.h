/* What the other party says and shows in one WebM file, as it came and never encoded again:
 *
 *     webm_audio(), webm_video() ─▶ batch of packets ─▶ put in order ─▶ libavformat ─▶ file
 *     any thread, never waits       (bounded)           writer thread
 *
 * https://www.webmproject.org/docs/container/, RFC 9559 (Matroska), RFC 7845 (OpusHead).
 *
 * Both tracks run on one clock: each packet comes with the time at which it is played, on
 * clock_now(), so that lips and sound fit. Packets may come out of order and up to
 * WEBM_REORDER late. Sound may have gaps (DTX, hold, loss), pictures may begin, end and change
 * their size at any time.
 *
 * The file has its video track from the start, whether video came already or not, because WebM
 * cannot add one later: what is unknown then (codec, size) is put in when the first key frame
 * comes, and a track in which nothing ever came is taken out at the end.
 *
 * A process that dies leaves a file that can be played up to WEBM_CLUSTER + WEBM_REORDER before its
 * death; only its length and the index for jumping are put in at the end. */
#ifndef JINGLE_MEDIA_WEBM_RECORDING_H
#define JINGLE_MEDIA_WEBM_RECORDING_H

#include <jingle/jingle.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WEBM_REORDER = 500 * 1000,  /* usec that packets are kept to be put in order */
    WEBM_CLUSTER = 1000 * 1000, /* usec that go to the disk together */
    WEBM_WAITING_MAX = 8 << 20, /* bytes that wait for the disk; what comes then is left out */
};

struct coded_frame;
struct webm_recording;

struct webm_hooks {
    void *user;
    /* The file cannot be written any more, as on a full disk: once, by the writer thread, never
     * after webm_free(). What was written until then is kept. Must only post. May be NULL. */
    void (*trouble)(void *user, jingle_status status);
};

/* Makes or replaces the file at once. JINGLE_ERROR_FILE, JINGLE_ERROR_MEMORY, JINGLE_ERROR_LIMIT
 * (no more threads), JINGLE_ERROR_UNSUPPORTED (built without). */
jingle_status webm_new(const char *path, const struct webm_hooks *hooks,
                       struct webm_recording **recording);

/* One packet of Opus as it was in RTP. `timestamp`: of RTP, 48 kHz, of whichever stream; it keeps
 * the pace, so that `time` may jitter: arrival plus the playout's present delay is good enough. A
 * jump of either (a new stream, a hold) is followed. Copied. */
void webm_audio(struct webm_recording *recording, const uint8_t *packet, size_t bytes,
                uint32_t timestamp, int64_t time);

/* One whole frame, decodable after those before it. `codec`: "VP8" or "VP9"; what is not of the
 * first key frame's codec is left out. `time`: when it is shown. Copied; the frame stays the
 * caller's. */
void webm_video(struct webm_recording *recording, const struct coded_frame *frame,
                const char *codec, int64_t time);

/* True while pictures are of no use before a key frame came: ask the peer for one, now and then, if
 * it sends video. */
bool webm_wants_key_frame(const struct webm_recording *recording);

/* Completes the file: waits for the disk, so not for a media thread. NULL is allowed. */
void webm_free(struct webm_recording *recording);

#endif
