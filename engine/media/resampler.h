/* Changes the rate and the channel count of a stream of samples (speexdsp's resampler). */
#ifndef JINGLE_MEDIA_RESAMPLER_H
#define JINGLE_MEDIA_RESAMPLER_H

#include <jingle/jingle.h>

struct resampler;

/* NULL: out of memory. */
struct resampler *resampler_new(jingle_audio_format from, jingle_audio_format to);
void resampler_free(struct resampler *resampler);

/* Takes up to `*frames` frames, as many as `room` frames of `out` allow, and tells in `*frames` how
 * many those were; returns how many frames it gave. */
size_t resampler_run(struct resampler *resampler, const int16_t *in, size_t *frames, int16_t *out,
                     size_t room);

/* Room that surely suffices for all of `frames` frames. */
size_t resampler_room(const struct resampler *resampler, size_t frames);

#endif
