/* What is played where sound is missing: the codec's concealment, faded after a while, and how the
 * sound that follows is joined to it. */
#include "rtp/playout_private.h"

#include <string.h>

#include "rtp/stretch.h"

enum {
    FADE_FROM = 80, /* ms of concealment after which it fades... */
    FADE_TO = 240,  /* ...until it is silent */
    FADE_IN_MS = 5,
    STOPPED = 2000 /* ms after which there is only silence */
};

int64_t gap_fec_ticks(const struct playout *p, const struct waiting_packet *packet)
{
    if (!p->decoder || p->decoder->codec != packet->codec ||
        !audio_has_fec(packet->codec, packet->payload, packet->size) ||
        arrival_seen(p, packet->sequence - 1)) {
        return 0;
    }
    return p->sound_ticks < packet->ticks ? p->sound_ticks : packet->ticks;
}

static void fade(int16_t *samples, size_t count, unsigned channels, double from, double to)
{
    for (size_t i = 0; i < count * channels; i++) {
        size_t at = i / channels;
        double gain = from + (to - from) * (double)at / (double)count;
        samples[i] = (int16_t)(samples[i] * gain);
    }
}

static double gain_after(const struct gap *gap)
{
    int64_t ms = gap->ticks / (TICKS_PER_SEC / 1000);
    if (gap->quiet || ms <= FADE_FROM) {
        return 1;
    }
    return ms >= FADE_TO ? 0 : (double)(FADE_TO - ms) / (FADE_TO - FADE_FROM);
}

bool gap_stopped(const struct playout *p)
{
    return p->gap.ticks / (TICKS_PER_SEC / 1000) >= STOPPED;
}

void gap_play(struct playout *p, usec time)
{
    size_t made = p->queue.rate * PLAYOUT_PULL_MS / 1000;
    size_t count = (size_t)(time * p->queue.rate / USEC_PER_SEC);
    unsigned channels = p->queue.channels;
    int16_t *room = sound_queue_room(&p->queue);
    if (gap_stopped(p) || !p->decoder || audio_conceal(p->decoder, room, made) != (int)made) {
        memset(room, 0, made * channels * sizeof *room);
    }
    double before = gain_after(&p->gap);
    p->gap.ticks += ticks_of(time);
    p->gap.samples += count;
    double after = gain_after(&p->gap);
    if (before < 1 || after < 1) {
        fade(room, made, channels, before, after);
    }
    sound_queue_append(&p->queue, count);
    p->tail_count = made - count;
    memcpy(p->tail, room + count * channels, p->tail_count * channels * sizeof *room);
}

void gap_end(struct playout *p, enum gap_cause cause)
{
    if (p->gap.samples == 0) {
        return;
    }
    if (cause == GAP_PAUSE) {
        p->stats.samples_silent += p->gap.samples;
        return;
    }
    p->stats.samples_concealed += p->gap.samples;
    p->stats.concealments++;
}

void gap_join(struct playout *p, int16_t *samples, size_t count)
{
    double gain = gain_after(&p->gap);
    size_t length = p->queue.rate * FADE_IN_MS / 1000;
    if (p->gap.samples > 0 && gain < 1) {
        fade(samples, count < length ? count : length, p->queue.channels, gain, 1);
    }
    if (p->tail_count > 0) {
        length = p->tail_count < count ? p->tail_count : count;
        stretch_cross_fade(samples, p->tail, samples, length, p->queue.channels);
        p->tail_count = 0;
    }
    p->gap = (struct gap){0};
}
