#include "media/resampler.h"

#include <speex/speex_resampler.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUALITY = 4,       /* 0 to 10: alias below -70 dB at a tenth of the cost of 10 */
    CHUNK_FRAMES = 480 /* mixed to the other channel count at once */
};

struct resampler {
    jingle_audio_format from, to;
    SpeexResamplerState *speex; /* NULL: only the channel count changes */
    int16_t mono[CHUNK_FRAMES];
};

struct resampler *resampler_new(jingle_audio_format from, jingle_audio_format to)
{
    struct resampler *r = calloc(1, sizeof *r);
    if (!r) {
        return NULL;
    }
    r->from = from;
    r->to = to;
    if (from.rate == to.rate) {
        return r;
    }
    /* Less is computed where the stream has fewer channels: after mixing down, before mixing up. */
    uint32_t channels = from.channels < to.channels ? from.channels : to.channels;
    r->speex = speex_resampler_init(channels, from.rate, to.rate, QUALITY, NULL);
    if (!r->speex) {
        free(r);
        return NULL;
    }
    speex_resampler_skip_zeros(r->speex);
    return r;
}

void resampler_free(struct resampler *r)
{
    if (!r) {
        return;
    }
    if (r->speex) {
        speex_resampler_destroy(r->speex);
    }
    free(r);
}

static void mix_down(const int16_t *in, size_t frames, int16_t *out)
{
    for (size_t i = 0; i < frames; i++) {
        out[i] = (int16_t)((in[2 * i] + in[2 * i + 1]) / 2);
    }
}

static void mix_up(const int16_t *in, size_t frames, int16_t *out)
{
    for (size_t i = 0; i < frames; i++) {
        out[2 * i] = out[2 * i + 1] = in[i];
    }
}

/* The rate alone, or a copy. */
static size_t change_rate(struct resampler *r, const int16_t *in, size_t *frames, int16_t *out,
                          size_t room)
{
    uint32_t channels = r->from.channels < r->to.channels ? r->from.channels : r->to.channels;
    if (!r->speex) {
        *frames = *frames < room ? *frames : room;
        memcpy(out, in, *frames * channels * sizeof *out);
        return *frames;
    }
    spx_uint32_t in_frames = (spx_uint32_t)*frames;
    spx_uint32_t out_frames = (spx_uint32_t)room;
    speex_resampler_process_interleaved_int(r->speex, in, &in_frames, out, &out_frames);
    *frames = in_frames;
    return out_frames;
}

static size_t run_chunk(struct resampler *r, const int16_t *in, size_t *frames, int16_t *out,
                        size_t room)
{
    if (r->from.channels > r->to.channels) {
        mix_down(in, *frames, r->mono);
        return change_rate(r, r->mono, frames, out, room);
    }
    if (r->from.channels < r->to.channels) {
        room = room < CHUNK_FRAMES ? room : CHUNK_FRAMES;
        size_t given = change_rate(r, in, frames, r->mono, room);
        mix_up(r->mono, given, out);
        return given;
    }
    return change_rate(r, in, frames, out, room);
}

size_t resampler_run(struct resampler *r, const int16_t *in, size_t *frames, int16_t *out,
                     size_t room)
{
    size_t taken = 0;
    size_t given = 0;
    while (taken < *frames && given < room) {
        size_t in_frames = *frames - taken;
        in_frames = in_frames < CHUNK_FRAMES ? in_frames : CHUNK_FRAMES;
        size_t out_frames = run_chunk(r, in + taken * r->from.channels, &in_frames,
                                      out + given * r->to.channels, room - given);
        if (in_frames == 0 && out_frames == 0) {
            break;
        }
        taken += in_frames;
        given += out_frames;
    }
    *frames = taken;
    return given;
}

size_t resampler_room(const struct resampler *r, size_t frames)
{
    return frames * r->to.rate / r->from.rate + 2;
}
