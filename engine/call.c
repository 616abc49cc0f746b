/* See call.h. Threads in this file: what is named call_*() runs on the I/O thread, what is static
 * runs on the media thread, except report_*(), which run on the I/O thread again. */
#include "call.h"

#include "call_voice.h"
#include "events.h"
#include "ice_server.h"
#include "media/audio.h"
#include "media_threads.h"
#include "rtp/voice.h"
#include "session.h"

#include <string.h>

#define STATISTICS_PERIOD (1 * USEC_PER_SEC)

/* Calls of one thread share their wake-ups: packets leave on a grid that is this coarse. */
#define START_GRID (10 * USEC_PER_MS)

struct call {
    struct call_config config;
    struct link *link;
    struct voice *voice;
    struct audio *audio;
    struct timer *timer;
    struct ice_udp_transport local; /* grows while candidates are gathered */
    bool reporting;                 /* the local transport was reported: later candidates trickle */
    bool bundled;
    bool may_send;   /* by the content's `senders` */
    bool rtcp_mux;   /* RTCP has no other way than the one of RTP */
    bool we_receive; /* by the content's `senders` */
    bool peer_holds;
    bool peer_mutes;
    bool muted;
    bool started;
    bool held;
    bool ended;
    usec started_at;
    usec next_statistics;
};

/* --------------------------------------------------------------- reports to the I/O thread -- */

enum report_kind {
    REPORT_TRANSPORT,
    REPORT_CANDIDATE,
    REPORT_STATE,
    REPORT_HUNG_UP,
    REPORT_CLOSED,
};

struct report {
    enum report_kind kind;
    const struct call_hooks *hooks;
    jingle_session *session;
    struct ice_udp_transport transport;
    struct ice_candidate candidate;
    enum link_state state;
    jingle_reason reason;
};

static void report_free(void *arg)
{
    struct report *report = arg;
    ice_udp_clear(&report->transport);
    jingle_session_unref(report->session);
    g_free(report);
}

static void report_deliver(void *arg)
{
    struct report *report = arg;
    switch (report->kind) {
    case REPORT_TRANSPORT:
        report->hooks->transport(report->session, &report->transport);
        break;
    case REPORT_CANDIDATE:
        report->hooks->candidate(report->session, &report->candidate);
        break;
    case REPORT_STATE:
        report->hooks->state(report->session, report->state, report->reason);
        break;
    case REPORT_HUNG_UP:
        report->hooks->hung_up(report->session);
        break;
    case REPORT_CLOSED:
        report->hooks->closed(report->session);
        break;
    }
    report_free(report);
}

static struct report *report_new(struct call *call, enum report_kind kind)
{
    struct report *report = g_new0(struct report, 1);
    report->kind = kind;
    report->hooks = call->config.hooks;
    report->session = jingle_session_ref(call->config.session);
    return report;
}

static void report_post(struct call *call, struct report *report)
{
    loop_post(call->config.io, report_deliver, report_free, report);
}

static void tell_application(struct call *call, jingle_event *event)
{
    event->session = call->config.session;
    events_push(call->config.events, event);
}

/* ------------------------------------------------------------------------------ statistics -- */

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

static void publish_statistics(struct call *call, usec now)
{
    jingle_statistics s = {.size = sizeof s, .duration = now - call->started_at};
    struct link_stats l;
    link_stats(call->link, &l);
    fill_from_voice(&s, call->voice);
    fill_from_link(&s, &l);
    jingle_session_publish(call->config.session, &s);
    jingle_event event = {.type = JINGLE_EVENT_STATISTICS, .u.statistics = s};
    tell_application(call, &event);
}

/* ----------------------------------------------------------------------------------- sound -- */

/* While sound runs, everything that is periodic is done in its rhythm: one wake-up a packet. */
static void tick(void *user)
{
    struct call *call = user;
    if (!call->started) {
        return;
    }
    usec now = clock_now();
    usec next = audio_tick(call->audio, now);
    voice_tick(call->voice, now);
    if (now >= call->next_statistics) {
        publish_statistics(call, now);
        call->next_statistics += STATISTICS_PERIOD;
        if (call->next_statistics < now) {
            call->next_statistics = now + STATISTICS_PERIOD;
        }
    }
    if (next == USEC_NEVER) {
        next = MIN(voice_next_deadline(call->voice), call->next_statistics);
    }
    timer_set(call->timer, next);
}

static void start_sound(struct call *call)
{
    if (call->started || !call->audio || link_state(call->link) != LINK_CONNECTED) {
        return;
    }
    usec now = clock_now();
    call->started = true;
    call->started_at = now;
    call->next_statistics = now + STATISTICS_PERIOD;
    audio_start(call->audio, now - now % START_GRID);
    if (call->held) {
        audio_set_hold(call->audio, true, now);
        voice_set_hold(call->voice, true);
    }
    tick(call);
}

static void on_device(void *user, bool capture, bool lost, jingle_status status)
{
    struct call *call = user;
    jingle_event event = {
        .type = JINGLE_EVENT_DEVICE,
        .status = status,
        .u.device = {.capture = capture, .lost = lost},
    };
    if (status == JINGLE_ERROR_FILE) {
        event.text = "The recording can no longer be written: is the disk full? The call goes on.";
    } else if (lost) {
        event.text = capture ? "The microphone is missing or in use; silence is sent until it is "
                               "back."
                             : "The loudspeaker is missing or in use; the call goes on without it.";
    } else {
        event.text = capture ? "The microphone is back." : "The loudspeaker is back.";
    }
    tell_application(call, &event);
}

static void on_source_ended(void *user)
{
    jingle_event event = {.type = JINGLE_EVENT_SOURCE_ENDED,
                          .text = "The sound to be sent is at its end; silence follows."};
    tell_application(user, &event);
}

static void on_digit(void *user, char digit, usec duration)
{
    jingle_event event = {
        .type = JINGLE_EVENT_DIGIT,
        .u.digit = {.digit = digit, .duration = duration},
    };
    tell_application(user, &event);
}

/* Who stops to send for a while may say goodbye, too: that is no hang-up. */
static void on_bye(void *user)
{
    struct call *call = user;
    if (call->we_receive && !call->peer_holds) {
        report_post(call, report_new(call, REPORT_HUNG_UP));
    }
}

static void send_rtp(void *user, uint8_t *packet, size_t bytes)
{
    struct call *call = user;
    if (call->may_send) {
        link_send_rtp(call->link, packet, bytes, bytes + VOICE_TAIL);
    }
}

static void send_rtcp(void *user, uint8_t *packet, size_t bytes)
{
    struct call *call = user;
    if (call->rtcp_mux) {
        link_send_rtcp(call->link, packet, bytes, bytes + VOICE_TAIL);
    }
}

/* ------------------------------------------------------------------------------------ link -- */

static void on_candidate(void *user, const struct ice_candidate *candidate)
{
    struct call *call = user;
    if (!call->reporting) {
        ice_udp_add_candidate(&call->local, candidate);
        return;
    }
    struct report *report = report_new(call, REPORT_CANDIDATE);
    report->candidate = *candidate;
    report_post(call, report);
}

/* What is found without waiting for a server goes into the first message; the rest trickles. */
static void gather(struct call *call)
{
    struct ice_udp_transport local;
    link_local(call->link, &local);
    if (strcmp(local.ufrag, call->local.ufrag) == 0) {
        ice_udp_clear(&local);
        return; /* the peer answers a restart of ours */
    }
    call->reporting = false;
    ice_udp_clear(&call->local);
    call->local = local;
    link_gather(call->link);
    call->reporting = true;
    struct report *report = report_new(call, REPORT_TRANSPORT);
    ice_udp_copy(&report->transport, &call->local);
    report_post(call, report);
}

/* A restart finds new addresses after a change of network. Those who answered without BUNDLE
 * (Dino) take credentials only once, so it would cut them off for good; both sides starting at
 * once is avoided by leaving it to the session's initiator. */
static void mend_path(struct call *call)
{
    if (call->bundled && call->config.controlling && link_restart(call->link) == JINGLE_OK) {
        log_info(call->config.log, "The media path is silent: looking for another one.");
        gather(call);
    }
}

static void on_state(void *user, enum link_state state, jingle_reason reason, jingle_status status)
{
    struct call *call = user;
    if (call->ended) {
        return;
    }
    log_info(call->config.log, "Media path of %s: %s%s%s", jingle_session_id(call->config.session),
             link_state_name(state), status == JINGLE_OK ? "" : ". ",
             status == JINGLE_OK ? "" : jingle_strerror(status));
    struct report *report = report_new(call, REPORT_STATE);
    report->state = state;
    report->reason = reason;
    report_post(call, report);
    if (state == LINK_CONNECTED) {
        start_sound(call);
    } else if (state == LINK_INTERRUPTED) {
        mend_path(call);
    }
}

static void on_closed_by_peer(void *user)
{
    struct call *call = user;
    report_post(call, report_new(call, REPORT_HUNG_UP));
}

static void on_rtp(void *user, uint8_t *packet, size_t bytes, usec now)
{
    struct call *call = user;
    if (call->voice) {
        voice_receive_rtp(call->voice, packet, bytes, now);
    }
}

static void on_rtcp(void *user, uint8_t *packet, size_t bytes, usec now)
{
    struct call *call = user;
    if (call->voice) {
        voice_receive_rtcp(call->voice, packet, bytes, now);
    }
}

/* ------------------------------------------------------------------ what is posted to here -- */

static bool make_link(struct call *call)
{
    struct link_config config;
    link_config_init(&config);
    config.poller = call->config.thread->poller;
    config.log = call->config.log;
    config.certificate = call->config.certificate;
    config.controlling = call->config.controlling;
    config.relay_only = call->config.relay_only;
    config.loopback = call->config.loopback;
    config.ca_file = call->config.ca_file;
    config.servers = call->config.servers;
    config.server_count = call->config.server_count;
    config.hooks = (struct link_hooks){
        .user = call,
        .candidate = on_candidate,
        .state = on_state,
        .rtp = on_rtp,
        .rtcp = on_rtcp,
        .closed_by_peer = on_closed_by_peer,
    };
    jingle_status status;
    call->link = link_new(&config, &status);
    return call->link != NULL;
}

static void fail(struct call *call, jingle_reason reason)
{
    struct report *report = report_new(call, REPORT_STATE);
    report->state = LINK_FAILED;
    report->reason = reason;
    report_post(call, report);
}

static void begin(void *arg)
{
    struct call *call = arg;
    call->timer = timer_new(call->config.thread->loop, tick, call);
    if (!make_link(call)) {
        fail(call, JINGLE_REASON_NO_PATH);
        return;
    }
    gather(call);
}

static bool make_sound(struct call *call, const struct rtp_agreement *agreement,
                       const char *content)
{
    struct voice_config voice;
    call_voice_config(&voice, agreement, content, &call->config.settings, &call->config.identity);
    voice.wall_offset = clock_wall() - clock_now();
    voice.log = call->config.log;
    voice.hooks = (struct voice_hooks){
        .user = call,
        .send_rtp = send_rtp,
        .send_rtcp = send_rtcp,
        .digit = on_digit,
        .bye = on_bye,
    };
    if (voice_new(&voice, &call->voice) != JINGLE_OK) {
        return false;
    }
    voice_set_mute(call->voice, call->muted);
    voice_set_peer_hold(call->voice, call->peer_holds);
    struct audio_config audio = {
        .source = call->config.settings.source,
        .sink = call->config.settings.sink,
        .voice = call->voice,
        .playback_channels = voice.playout_channels,
        .echo_cancellation = call->config.settings.echo_cancellation,
        .noise_suppression = call->config.settings.noise_suppression,
        .gain_control = call->config.settings.gain_control,
        .log = call->config.log,
        .hooks = {.user = call, .device = on_device, .source_ended = on_source_ended},
    };
    call->config.settings.source = NULL;
    call->config.settings.sink = NULL;
    jingle_status status;
    call->audio = audio_new(&audio, &status);
    return call->audio != NULL;
}

/* Silence is no trouble while nothing should come: a muted Dino sends nothing at all. */
static void expect_media(struct call *call)
{
    link_expect_media(call->link, call->we_receive && !call->peer_holds && !call->peer_mutes);
}

struct negotiated {
    struct call *call;
    struct rtp_agreement agreement;
    char *content;
    struct ice_udp_transport remote;
    bool dtls_client;
};

static void negotiated_free(void *arg)
{
    struct negotiated *n = arg;
    ice_udp_clear(&n->remote);
    g_free(n->content);
    g_free(n);
}

static void apply_negotiated(void *arg)
{
    struct negotiated *n = arg;
    struct call *call = n->call;
    if (call->link && !call->voice) {
        call->bundled = n->agreement.bundle;
        link_set_role(call->link, n->dtls_client);
        call->may_send = n->agreement.we_send;
        call->rtcp_mux = n->agreement.rtcp_mux;
        call->we_receive = n->agreement.we_receive;
        expect_media(call);
        if (!make_sound(call, &n->agreement, n->content)) {
            fail(call, JINGLE_REASON_MEDIA_ERROR);
        } else if (link_set_remote(call->link, &n->remote) == LINK_REMOTE_REFUSED) {
            fail(call, JINGLE_REASON_SECURITY);
        } else {
            start_sound(call);
        }
    }
    negotiated_free(n);
}

void call_negotiated(struct call *call, const char *content, const struct rtp_agreement *agreement,
                     const struct ice_udp_transport *remote, bool dtls_client)
{
    struct negotiated *n = g_new0(struct negotiated, 1);
    n->call = call;
    n->dtls_client = dtls_client;
    n->agreement = *agreement;
    n->content = g_strdup(content);
    ice_udp_copy(&n->remote, remote);
    loop_post(call->config.thread->loop, apply_negotiated, negotiated_free, n);
}

static void apply_remote(void *arg)
{
    struct negotiated *n = arg;
    struct call *call = n->call;
    if (call->link && link_set_remote(call->link, &n->remote) == LINK_REMOTE_RESTART) {
        gather(call);
    }
    negotiated_free(n);
}

void call_remote_transport(struct call *call, const struct ice_udp_transport *remote)
{
    struct negotiated *n = g_new0(struct negotiated, 1);
    n->call = call;
    ice_udp_copy(&n->remote, remote);
    loop_post(call->config.thread->loop, apply_remote, negotiated_free, n);
}

struct order {
    struct call *call;
    bool on;
    bool we_receive;
    char *digits;
};

static void order_free(void *arg)
{
    struct order *order = arg;
    g_free(order->digits);
    g_free(order);
}

static void post_order(struct call *call, mailbox_fn fn, bool on, const char *digits)
{
    struct order *order = g_new0(struct order, 1);
    *order = (struct order){.call = call, .on = on, .digits = g_strdup(digits)};
    loop_post(call->config.thread->loop, fn, order_free, order);
}

static void apply_mute(void *arg)
{
    struct order *order = arg;
    struct call *call = order->call;
    call->muted = order->on;
    if (call->voice) {
        voice_set_mute(call->voice, call->muted);
    }
    order_free(order);
}

void call_set_mute(struct call *call, bool on)
{
    post_order(call, apply_mute, on, NULL);
}

static void apply_hold(void *arg)
{
    struct order *order = arg;
    struct call *call = order->call;
    call->held = order->on;
    if (call->started) {
        audio_set_hold(call->audio, order->on, clock_now());
        voice_set_hold(call->voice, order->on);
        tick(call);
    }
    order_free(order);
}

void call_set_hold(struct call *call, bool on)
{
    post_order(call, apply_hold, on, NULL);
}

static void apply_senders(void *arg)
{
    struct order *order = arg;
    struct call *call = order->call;
    if (call->voice) {
        call->may_send = order->on;
        call->we_receive = order->we_receive;
        expect_media(call);
    }
    order_free(order);
}

void call_set_senders(struct call *call, bool we_send, bool we_receive)
{
    struct order *order = g_new0(struct order, 1);
    *order = (struct order){.call = call, .on = we_send, .we_receive = we_receive};
    loop_post(call->config.thread->loop, apply_senders, order_free, order);
}

static void apply_peer_hold(void *arg)
{
    struct order *order = arg;
    struct call *call = order->call;
    call->peer_holds = order->on;
    if (call->voice) {
        voice_set_peer_hold(call->voice, call->peer_holds);
        expect_media(call);
    }
    order_free(order);
}

void call_set_peer_hold(struct call *call, bool on)
{
    post_order(call, apply_peer_hold, on, NULL);
}

static void apply_peer_mute(void *arg)
{
    struct order *order = arg;
    struct call *call = order->call;
    call->peer_mutes = order->on;
    if (call->voice) {
        expect_media(call);
    }
    order_free(order);
}

void call_set_peer_mute(struct call *call, bool on)
{
    post_order(call, apply_peer_mute, on, NULL);
}

static void apply_digits(void *arg)
{
    struct order *order = arg;
    for (const char *digit = order->digits; *digit && order->call->voice; digit++) {
        voice_send_digit(order->call->voice, *digit);
    }
    order_free(order);
}

void call_send_digits(struct call *call, const char *digits)
{
    post_order(call, apply_digits, false, digits);
}

/* ------------------------------------------------------------------------------- beginning -- */

static struct ice_server *copy_servers(const struct ice_server *servers, size_t count)
{
    struct ice_server *copy = g_new0(struct ice_server, count);
    for (size_t i = 0; i < count; i++) {
        ice_server_copy(&copy[i], &servers[i]);
    }
    return copy;
}

static void free_servers(struct call *call)
{
    struct ice_server *servers = (struct ice_server *)call->config.servers;
    for (size_t i = 0; i < call->config.server_count; i++) {
        ice_server_clear(&servers[i]);
    }
    g_free(servers);
}

struct call *call_new(const struct call_config *config)
{
    struct call *call = g_new0(struct call, 1);
    call->config = *config;
    call->config.servers = copy_servers(config->servers, config->server_count);
    call->config.ca_file = g_strdup(config->ca_file);
    jingle_session_ref(config->session);
    loop_post(config->thread->loop, begin, NULL, call);
    return call;
}

/* -------------------------------------------------------------------------------- the end -- */

/* On the closer's thread, which may wait. */
static void close_sound(void *arg)
{
    struct call *call = arg;
    audio_free(call->audio);
    jingle_audio_source_free(call->config.settings.source); /* if there never was any audio */
    jingle_audio_sink_free(call->config.settings.sink);
    report_post(call, report_new(call, REPORT_CLOSED));
    free_servers(call);
    g_free((char *)call->config.ca_file);
    jingle_session_unref(call->config.session);
    g_free(call);
}

static void end(void *arg)
{
    struct call *call = arg;
    usec now = clock_now();
    call->ended = true;
    if (call->started) {
        publish_statistics(call, now);
    }
    if (call->audio) {
        audio_stop(call->audio);
    }
    if (call->voice) {
        voice_bye(call->voice, now);
    }
    if (call->link) {
        link_close(call->link);
        link_free(call->link);
    }
    voice_free(call->voice);
    timer_free(call->timer);
    ice_udp_clear(&call->local);
    loop_post(call->config.closer, close_sound, close_sound, call);
}

void call_end(struct call *call)
{
    loop_post(call->config.thread->loop, end, end, call);
}
