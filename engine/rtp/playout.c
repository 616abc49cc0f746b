/* The life of a playout and what it plays: sound, sound out of FEC, or made-up sound. What arrives:
 * playout_arrival.c; how fast it plays: playout_pace.c; gaps: playout_gap.c. */
#include "rtp/playout.h"

#include <stdlib.h>
#include <string.h>

#include "rtp/playout_private.h"
#include "rtp/stretch.h"

enum {
    STEP_LEAST = 1000, /* usec of made-up sound at a time */
    SKIP = 400 * 1000, /* usec above high: leave out whole packets */
    MAX_DELAY = 1000 * 1000,
    LONG_GAP = 100, /* ms after which it matters little when the sound begins again */
};

static const double bursts_share = 1.0 / 16;

struct playout *playout_new(const struct playout_config *config)
{
    if (config->channels < 1 || config->channels > AUDIO_CHANNELS_MAX) {
        return NULL;
    }
    struct playout *playout = calloc(1, sizeof *playout);
    if (!playout) {
        return NULL;
    }
    playout->config = *config;
    if (playout->config.max_delay <= 0) {
        playout->config.max_delay = MAX_DELAY;
    }
    bool queue = sound_queue_init(&playout->queue, config->channels);
    bool buffer = packet_buffer_init(&playout->buffer);
    if (!queue || !buffer) {
        playout_free(playout);
        return NULL;
    }
    delay_estimate_init(&playout->transits);
    return playout;
}

void playout_free(struct playout *playout)
{
    if (!playout) {
        return;
    }
    for (size_t i = 0; i < CODECS_MAX; i++) {
        audio_decoder_free(playout->decoders[i]);
    }
    sound_queue_release(&playout->queue);
    packet_buffer_release(&playout->buffer);
    free(playout);
}

/* --- what is played -- */

static struct audio_decoder *decoder_for(struct playout *p, const struct audio_codec *codec)
{
    for (size_t i = 0; i < CODECS_MAX && codec_all[i]; i++) {
        if (codec_all[i] != codec) {
            continue;
        }
        if (!p->decoders[i]) {
            p->decoders[i] = audio_decoder_new(codec, p->config.channels);
        } else if (p->decoder != p->decoders[i]) {
            audio_decoder_reset(p->decoders[i]);
        }
        return p->decoders[i];
    }
    return NULL;
}

static void learn_level(struct playout *p, const int16_t *samples, size_t count)
{
    double level = stretch_level(samples, count * p->queue.channels);
    p->level += (level - p->level) * (level > p->level ? 0.2 : 0.005);
    p->gap.quiet = level < pace_quiet_level(p);
}

static void play_first(struct playout *p, usec now)
{
    const struct waiting_packet *packet = packet_buffer_at(&p->buffer, 0);
    int16_t *room = sound_queue_room(&p->queue);
    usec queued = (usec)(sound_queue_count(&p->queue) * USEC_PER_SEC / p->queue.rate);
    usec position = pace_position(p, packet->tick, now);
    p->decoder = decoder_for(p, packet->codec);
    int made = p->decoder ? audio_decode(p->decoder, packet->payload, packet->size, room,
                                         AUDIO_SAMPLES_MAX)
                          : -1;
    size_t played = samples_of(p, p->next - packet->tick); /* as FEC of another packet, say */
    p->next = packet->tick + packet->ticks;
    p->played_sequence = packet->sequence;
    if (made <= 0 || (size_t)made <= played) {
        packet_buffer_drop_first(&p->buffer);
        p->stats.packets_refused += made <= 0 ? 1 : 0;
        return;
    }
    size_t count = (size_t)made - played;
    if (played > 0) {
        memmove(room, room + played * p->queue.channels, count * p->queue.channels * sizeof *room);
    }
    p->stats.frames_played++;
    p->stats.buffer_delay = now + queued - packet->arrival;
    p->stats.buffer_delay_sum += p->stats.buffer_delay;
    packet_buffer_drop_first(&p->buffer);
    gap_end(p, GAP_LOST);
    gap_join(p, room, count);
    learn_level(p, room, count);
    pace_note_loss(p, false);
    pace_aim(p, now);
    sound_queue_append(&p->queue, pace_adapt(p, room, count, position, now));
}

/* The sound before this packet, out of it. */
static void play_recovered(struct playout *p, const struct waiting_packet *packet)
{
    int16_t *room = sound_queue_room(&p->queue);
    size_t count = samples_of(p, packet->tick - p->next);
    int made = p->decoder && p->decoder->codec == packet->codec
                   ? audio_recover(p->decoder, packet->payload, packet->size, room, count)
                   : -1;
    p->next = packet->tick;
    pace_note_loss(p, true);
    if (made <= 0) {
        p->stats.frames_lost++;
        return;
    }
    gap_end(p, GAP_LOST);
    gap_join(p, room, (size_t)made);
    p->stats.frames_recovered++;
    p->stats.samples_recovered += (uint64_t)made;
    sound_queue_append(&p->queue, (size_t)made);
}

static void pass_pause(struct playout *p, const struct waiting_packet *packet, usec now)
{
    if (pace_position(p, packet->tick, now) < p->low) {
        gap_play(p, STEP);
        return;
    }
    gap_end(p, GAP_PAUSE);
    p->gap.samples = 0; /* told; the fade is still to be joined */
    p->next = packet->tick;
}

static void pass_lost(struct playout *p, const struct waiting_packet *packet, usec now)
{
    int64_t fec = gap_fec_ticks(p, packet);
    int64_t resume = packet->tick - fec > p->next ? packet->tick - fec : p->next;
    int64_t remaining = resume - p->next - p->gap.ticks;
    usec early = p->accept - pace_position(p, resume, now);
    bool over = remaining <= 0 && (early <= 0 || p->gap.ticks < LONG_GAP * TICKS_PER_SEC / 1000);
    bool cut = remaining > 0 && !pace_may_still_come(p, p->next, now);
    if (!over && !(cut && early <= 0)) {
        early = early < STEP_LEAST ? STEP_LEAST : early;
        gap_play(p, cut && early < STEP ? early : STEP);
        return;
    }
    int64_t each = p->sound_ticks > 0 ? p->sound_ticks : packet->ticks;
    p->bursts += ((packet->tick - p->next > each ? 1 : 0) - p->bursts) * bursts_share;
    for (int64_t lost = p->next; lost + each <= resume; lost += each) {
        p->stats.frames_lost++;
        pace_note_loss(p, true);
    }
    if (remaining > 0) {
        p->stats.samples_shrunk += samples_of(p, remaining);
    }
    p->next = resume;
    if (resume < packet->tick) {
        play_recovered(p, packet);
    }
}

static void drop_past(struct playout *p)
{
    const struct waiting_packet *first;
    while ((first = packet_buffer_at(&p->buffer, 0)) && first->tick + first->ticks <= p->next) {
        p->stats.packets_late++;
        packet_buffer_drop_first(&p->buffer);
    }
}

/* So much sound waits that playing faster would take too long. */
static void skip_excess(struct playout *p, usec now)
{
    const struct waiting_packet *first = packet_buffer_at(&p->buffer, 0);
    if (!first || pace_position(p, first->tick, now) < p->high + SKIP) {
        return;
    }
    int64_t to = ticks_of(now - p->low);
    while (p->buffer.count > 1 && first->tick + first->ticks <= to) {
        p->stats.samples_shrunk += samples_of(p, first->ticks);
        p->played_sequence = first->sequence;
        packet_buffer_drop_first(&p->buffer);
        first = packet_buffer_at(&p->buffer, 0);
    }
    p->next = first->tick > p->next ? first->tick : p->next;
}

/* Another codec's rate begins only with an empty queue. */
static bool change_rate(struct playout *p, const struct waiting_packet *packet)
{
    if (packet->codec->clockrate == p->queue.rate) {
        return true;
    }
    if (sound_queue_count(&p->queue) == 0) {
        sound_queue_restart(&p->queue, packet->codec->clockrate);
        return true;
    }
    size_t wanted = p->queue.rate * PLAYOUT_PULL_MS / 1000 - sound_queue_count(&p->queue);
    memset(sound_queue_room(&p->queue), 0, wanted * p->queue.channels * sizeof(int16_t));
    sound_queue_append(&p->queue, wanted);
    return false;
}

static void produce(struct playout *p, usec now)
{
    drop_past(p);
    skip_excess(p, now);
    const struct waiting_packet *first = packet_buffer_at(&p->buffer, 0);
    if (!first) {
        gap_play(p, STEP);
        return;
    }
    if (first->tick <= p->next) {
        if (change_rate(p, first)) {
            play_first(p, now);
        }
        return;
    }
    if (arrival_lost_between(p, p->played_sequence, first->sequence) == 0) {
        pass_pause(p, first, now);
    } else {
        pass_lost(p, first, now);
    }
}

static bool begin_playing(struct playout *p, usec now)
{
    const struct waiting_packet *first = packet_buffer_at(&p->buffer, 0);
    if (!first) {
        return false;
    }
    pace_aim(p, now);
    if (pace_position(p, first->tick, now) < p->low) {
        return false;
    }
    p->next = first->tick;
    p->played_sequence = first->sequence - 1;
    p->gap = (struct gap){0};
    p->playing = true;
    return true;
}

static void give(struct playout *p, struct playout_sound *out)
{
    out->rate = p->queue.rate;
    out->channels = p->queue.channels;
    out->count = p->queue.rate * PLAYOUT_PULL_MS / 1000;
    out->silent = !p->playing || gap_stopped(p);
    if (!p->playing) {
        memset(out->samples, 0, out->count * out->channels * sizeof *out->samples);
        return;
    }
    int64_t tick =
        p->next - (int64_t)(sound_queue_count(&p->queue) * TICKS_PER_SEC / p->queue.rate);
    int64_t since = (tick - p->sound_tick) / (TICKS_PER_SEC / (int64_t)p->clockrate);
    p->stats.last_timestamp = p->sound_timestamp + (uint32_t)since;
    p->stats.last_timestamp_valid = true;
    p->stats.samples_played += out->count;
    sound_queue_take(&p->queue, out->samples, out->count);
}

void playout_pull(struct playout *playout, struct playout_sound *out, usec now)
{
    struct playout *p = playout;
    pace_note_pull(p, now);
    if (p->playing || begin_playing(p, now)) {
        while (sound_queue_count(&p->queue) < p->queue.rate * PLAYOUT_PULL_MS / 1000) {
            produce(p, now);
        }
    }
    give(p, out);
}

void playout_reset(struct playout *playout)
{
    struct playout *p = playout;
    packet_buffer_clear(&p->buffer);
    delay_estimate_init(&p->transits);
    sound_queue_restart(&p->queue, p->queue.rate);
    if (p->decoder) {
        audio_decoder_reset(p->decoder);
    }
    p->begun = p->timed = p->playing = p->suspected = false;
    p->gap = (struct gap){0};
    p->loss = 0;
    p->fec_until = 0;
}

void playout_set_min_delay(struct playout *playout, usec delay)
{
    usec most = playout->config.max_delay;
    playout->config.min_delay = delay < 0 ? 0 : delay > most ? most : delay;
}

void playout_stats(const struct playout *playout, struct playout_stats *out)
{
    *out = playout->stats;
}
