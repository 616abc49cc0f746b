/* A second of a call, from the figures of its parts. */
#include "call_private.h"
#include "call_voice.h"
#include "rtp/voice.h"
#include "session.h"

#define STATISTICS_PERIOD (1 * USEC_PER_SEC)

static void fill_from_voice(jingle_statistics *s, const struct voice *voice)
{
    struct voice_stats v;
    voice_stats(voice, &v);
    s->packets_sent = v.packets_sent;
    s->bytes_sent = v.bytes_sent;
    s->packets_lost_remote = v.packets_lost_remote;
    s->jitter_remote = v.jitter_remote;
    s->round_trip = v.round_trip;
    s->packets_received = v.packets_received;
    s->bytes_received = v.bytes_received;
    s->packets_lost = v.packets_lost;
    s->packets_late = v.packets_late;
    s->packets_discarded = v.packets_discarded;
    s->jitter = v.jitter;
    s->samples_played = v.samples_played;
    s->samples_concealed = v.samples_concealed;
    s->samples_recovered = v.samples_recovered;
    s->samples_stretched = v.samples_stretched;
    s->samples_shrunk = v.samples_shrunk;
    s->buffer_delay = v.buffer_delay;
    s->level_sent = v.level_sent;
    s->level_received = v.level_received;
    s->bitrate_sent = v.bitrate_sent;
    s->bitrate_received = v.bitrate_received;
    s->codec = call_voice_codec_name(v.codec_sent);
}

/* `l` lends its text to `s`. */
static void fill_from_link(jingle_statistics *s, const struct link_stats *l)
{
    s->packets_discarded += l->unknown + l->early + l->malformed + l->not_authentic + l->replayed +
                            l->too_many_ssrcs + l->dtls_bad;
    s->srtp_profile = l->srtp_profile;
    s->dtls_cipher = l->dtls_cipher;
    s->candidate_local = l->candidate_local;
    s->candidate_remote = l->candidate_remote;
}

void call_statistics_publish(struct call *call, usec now)
{
    jingle_statistics s = {.size = sizeof s, .duration = now - call->started_at};
    struct link_stats l;
    link_stats(call->sound.transport->link, &l);
    fill_from_voice(&s, call->sound.voice);
    fill_from_link(&s, &l);
    s.video.codec = "";
    s.video.codec_received = "";
    if (call->pictures) {
        call_pictures_statistics(call->pictures, &s.video, now);
    }
    jingle_session_publish(call->config.session, &s);
    jingle_event event = {.type = JINGLE_EVENT_STATISTICS, .u.statistics = s};
    call_tell_application(call, &event);
}

void call_statistics_start(struct call *call, usec now)
{
    call->started_at = now;
    call->next_statistics = now + STATISTICS_PERIOD;
}

void call_statistics_tick(struct call *call, usec now)
{
    if (now < call->next_statistics) {
        return;
    }
    call_statistics_publish(call, now);
    call->next_statistics += STATISTICS_PERIOD;
    if (call->next_statistics < now) {
        call->next_statistics = now + STATISTICS_PERIOD;
    }
}
