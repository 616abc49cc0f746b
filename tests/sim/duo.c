#include "tests/sim/duo.h"

#include "signaling/jid.h"
#include "transport/certificate.h"

#include <glib.h>
#include <stdarg.h>
#include <string.h>

#define STANZA_MAX   (64 * 1024)
#define STEP         (5 * USEC_PER_MS)
#define FRAME        (20 * USEC_PER_MS)
#define RING_TIMEOUT (60 * USEC_PER_SEC)
#define PAYLOAD      111

static const char roster[] = "<item jid='alice@example.org' subscription='both'/>"
                             "<item jid='bob@example.org' subscription='both'/>";

static void __attribute__((format(printf, 2, 3))) tell(struct end *end, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_string_append_printf(end->events, "%s\n", text);
    if (end->duo->config.log) {
        fprintf(end->duo->config.log, "%10.3f %s: %s\n", (double)end->duo->now / USEC_PER_SEC,
                end->name, text);
    }
    g_free(text);
}

unsigned end_saw(const struct end *end, const char *event)
{
    char **lines = g_strsplit(end->events->str, "\n", -1);
    unsigned count = 0;
    for (char **line = lines; *line; line++) {
        count += strcmp(*line, event) == 0;
    }
    g_strfreev(lines);
    return count;
}

struct end *end_other(struct end *end)
{
    return &end->duo->ends[end == &end->duo->ends[ALICE] ? BOB : ALICE];
}

/* --------------------------------------------------- what the media half says (call_report.c) --
 */

struct report {
    void (*deliver)(struct end *end, struct report *report);
    char *content;
    struct ice_udp_transport transport;
    struct ice_candidate candidate;
    enum link_state state;
    jingle_reason reason;
};

static void report_free(struct report *report)
{
    ice_udp_clear(&report->transport);
    g_free(report->content);
    g_free(report);
}

static struct report *report_new(struct call *call, const char *content,
                                 void (*deliver)(struct end *end, struct report *report))
{
    struct end *end = (struct end *)call->config.session;
    struct report *report = g_new0(struct report, 1);
    report->deliver = deliver;
    report->content = g_strdup(content);
    g_queue_push_tail(&end->reports, report);
    return report;
}

static void deliver_transport(struct end *end, struct report *report)
{
    const char *name = report->content ? report->content : end->transport;
    if (name) {
        account_call_set_transport(end->signaling, name, &report->transport, end->duo->now);
    } else {
        ice_udp_clear(&end->early);
        ice_udp_copy(&end->early, &report->transport);
    }
}

void call_report_transport(struct call *call, const char *content,
                           const struct ice_udp_transport *transport)
{
    ice_udp_copy(&report_new(call, content, deliver_transport)->transport, transport);
}

static void deliver_candidate(struct end *end, struct report *report)
{
    const char *name = report->content ? report->content : end->transport;
    if (name) {
        account_call_add_candidates(end->signaling, name, &report->candidate, 1, end->duo->now);
    } else {
        ice_udp_add_candidate(&end->early, &report->candidate);
    }
}

void call_report_candidate(struct call *call, const char *content,
                           const struct ice_candidate *candidate)
{
    report_new(call, content, deliver_candidate)->candidate = *candidate;
}

static void deliver_state(struct end *end, struct report *report)
{
    if (report->state == LINK_CONNECTED && !end->connected) {
        end->connected = true;
        end->heard = end->duo->now;
        account_call_connected(end->signaling, end->duo->now);
    } else if (report->state == LINK_FAILED) {
        account_call_end(end->signaling, report->reason, end->duo->now);
    }
}

void call_on_link_state(struct call *call, struct call_transport *transport, enum link_state state,
                        jingle_reason reason)
{
    struct report *report = report_new(call, NULL, deliver_state);
    (void)transport;
    report->state = state;
    report->reason = reason;
    tell((struct end *)call->config.session, "link %s", link_state_name(state));
}

/* What else a transport calls. */

void call_on_closed_by_peer(struct call *call, struct call_transport *transport)
{
    (void)call;
    (void)transport;
}

void call_on_rtp(struct call *call, struct call_transport *transport, enum call_content content,
                 uint8_t *packet, size_t bytes, usec now)
{
    struct end *end = (struct end *)call->config.session;
    (void)transport;
    (void)content;
    (void)packet;
    (void)bytes;
    end->rtp++;
    end->gap = MAX(end->gap, now - end->heard);
    end->heard = now;
}

void call_on_rtcp(struct call *call, struct call_transport *transport, uint8_t *packet,
                  size_t bytes, usec now)
{
    struct end *end = (struct end *)call->config.session;
    (void)transport;
    (void)packet;
    (void)bytes;
    (void)now;
    end->rtcp++;
}

const char *jingle_session_id(jingle_session *session)
{
    (void)session;
    return "the call";
}

static void carry_reports(struct end *end)
{
    struct report *report;
    while ((report = g_queue_pop_head(&end->reports))) {
        if (end->signaling && !end->ended) {
            report->deliver(end, report);
        }
        report_free(report);
    }
}

/* -------------------------------------------------------------------------- the media half -- */

static void start_media(struct end *end, bool outgoing, bool plain)
{
    struct call_transport_config own = {.controlling = outgoing};
    end->thread.poller = end->host.poller;
    end->call = g_new0(struct call, 1);
    end->call->config = (struct call_config){
        .session = (jingle_session *)end,
        .thread = &end->thread,
        .certificate = end->certificate,
        .controlling = outgoing,
        .plain = plain,
        .loopback = true,
    };
    call_transport_open(&end->call->transports[0], end->call, &own);
}

static void end_media(struct end *end)
{
    if (end->call) {
        end->call->ended = true;
        call_transport_close(&end->call->transports[0]);
    }
    g_free(end->call);
    end->call = NULL;
}

static void send_sound(struct end *end)
{
    struct call_transport *transport = &end->call->transports[0];
    uint8_t rtp[12 + 40 + LINK_TAIL] = {0x80, PAYLOAD};
    uint8_t rtcp[8 + LINK_TAIL] = {0x80, 201, 0, 1, 0, 0, 0, 1};
    end->sequence++;
    rtp[2] = (uint8_t)(end->sequence >> 8);
    rtp[3] = (uint8_t)end->sequence;
    rtp[11] = (uint8_t)end->host.number;
    if (!end->silent) {
        link_send_rtp(transport->link, rtp, 12 + 40, sizeof rtp);
    }
    if (end->sequence % 50 == 0 && !end->silent) {
        link_send_rtcp(transport->link, rtcp, 8, sizeof rtcp);
    }
}

static void run_media(struct end *end)
{
    if (!end->call) {
        return;
    }
    call_transport_tick(&end->call->transports[0], end->duo->now);
    if (end->connected && end->duo->now % FRAME == 0) {
        send_sound(end);
    }
}

/* ---------------------------------------------------------------------- the signalling half -- */

static void make_media(struct rtp_description *description)
{
    rtp_description_init(description, "audio");
    rtp_description_add(description, PAYLOAD, "opus", 48000, 2);
    rtp_description_add(description, 0, "PCMU", 8000, 1);
    description->rtcp_mux = true;
}

void end_call(struct end *end)
{
    struct rtp_description audio;
    make_media(&audio);
    struct session_media media = {.content = "audio", .description = &audio};
    const char *to = end_other(end)->session->jid;
    jingle_status status =
        account_call_start(end->account, to, &media, 1, true, end->duo->now, &end->signaling);
    rtp_description_clear(&audio);
    if (status == JINGLE_OK) {
        end->transport = g_strdup("audio");
        start_media(end, true, false);
    }
}

static void answer(struct end *end)
{
    struct rtp_description audio;
    make_media(&audio);
    struct session_media media = {.content = "audio", .description = &audio};
    account_call_accept(end->signaling, &media, 1, end->duo->now);
    rtp_description_clear(&audio);
}

void end_hang_up(struct end *end)
{
    account_call_end(end->signaling, JINGLE_REASON_HANGUP, end->duo->now);
}

static void on_negotiated(struct end *end, const struct account_event *event)
{
    struct rtp_agreement agreement = *event->u.negotiated.agreement;
    if (!end->call) {
        start_media(end, false, !account_call_is_encrypted(end->signaling));
    }
    struct call_transport *transport = &end->call->transports[0];
    if (!end->transport) {
        end->transport = g_strdup(event->u.negotiated.transport);
        if (*end->early.ufrag) {
            account_call_set_transport(end->signaling, end->transport, &end->early, end->duo->now);
        }
    }
    link_set_role(transport->link, event->u.negotiated.dtls_client);
    call_transport_add(transport, CALL_SOUND, event->u.negotiated.content, &agreement);
    if (!call_transport_set_remote(transport, event->u.negotiated.remote)) {
        tell(end, "transport refused");
        report_new(end->call, NULL, deliver_state)->state = LINK_FAILED;
    }
}

static void on_incoming(struct end *end, const struct account_event *event)
{
    tell(end, "incoming%s", event->u.incoming.encrypted ? "" : " unencrypted");
    end->signaling = event->call;
    end->rang_encrypted = event->u.incoming.encrypted;
}

static void on_unencrypted(struct end *end)
{
    struct call_transport_config own = {.controlling = true};
    tell(end, "unencrypted");
    end->told_unencrypted = true;
    call_transport_close(&end->call->transports[0]);
    end->call->config.plain = true;
    call_transport_open(&end->call->transports[0], end->call, &own);
}

static void on_ended(struct end *end, const struct account_event *event)
{
    static const char *const parties[] = {"none", "local", "remote"};
    if (event->call != end->signaling) {
        return;
    }
    tell(end, "ended %s %s", jingle_reason_name(event->u.ended.reason), parties[event->u.ended.by]);
    end->ended = true;
    end->reason = event->u.ended.reason;
    end->signaling = NULL;
    end_media(end);
}

static void on_event(void *user, const struct account_event *event)
{
    struct end *end = user;
    switch (event->type) {
    case ACCOUNT_EVENT_INCOMING:
        on_incoming(end, event);
        break;
    case ACCOUNT_EVENT_UNENCRYPTED:
        on_unencrypted(end);
        break;
    case ACCOUNT_EVENT_NEGOTIATED:
        on_negotiated(end, event);
        break;
    case ACCOUNT_EVENT_REMOTE_TRANSPORT:
        end->seen_restarts += event->u.remote_transport.restart;
        if (end->call) {
            call_transport_set_remote(&end->call->transports[0],
                                      event->u.remote_transport.transport);
        }
        break;
    case ACCOUNT_EVENT_ENDED:
        on_ended(end, event);
        break;
    default:
        break;
    }
}

static void on_send(void *user, const char *xml, size_t bytes)
{
    struct end *end = user;
    network_send(end->up, end->duo->now, xml, bytes, 0);
}

static usec on_wall(void *user)
{
    return INT64_C(1700000000) * USEC_PER_SEC + ((struct end *)user)->duo->now;
}

void end_say(struct end *end, const char *xml)
{
    on_send(end, xml, strlen(xml));
}

/* ------------------------------------------------------------------------------- the stream -- */

static void renew_stream(struct end *end)
{
    network_free(end->up);
    network_free(end->down);
    end->up = network_new(&end->duo->config.signalling, random_next(&end->random));
    end->down = network_new(&end->duo->config.signalling, random_next(&end->random));
}

void end_online(struct end *end)
{
    end->session->online = true;
    end->cut = false;
    account_online(end->account, end->session->jid, false, end->duo->now);
}

void end_drop(struct end *end)
{
    account_offline(end->account, end->duo->now);
    server_drop(&end->duo->server, end->session);
    renew_stream(end);
}

void end_cut(struct end *end)
{
    end->cut = true;
    account_offline(end->account, end->duo->now);
}

void end_resume(struct end *end)
{
    end->cut = false;
    account_online(end->account, end->session->jid, true, end->duo->now);
}

void end_move(struct end *end)
{
    end->host.address++;
    if (end->call) {
        call_transport_follow_network(&end->call->transports[0]);
    }
}

void end_rebind(struct end *end)
{
    end->host.rebound++;
}

static void deliver_down(void *user, const char *xml, size_t bytes)
{
    struct end *end = user;
    network_send(end->down, end->duo->now, xml, bytes, 0);
}

static void carry_up(struct end *end, const char *xml)
{
    struct duo *duo = end->duo;
    char *edited = duo->config.edit ? duo->config.edit(xml, end) : NULL;
    const char *text = edited ? edited : xml;
    if (duo->config.log) {
        fprintf(duo->config.log, "%10.3f %s> %s\n", (double)duo->now / USEC_PER_SEC, end->name,
                text);
    }
    server_receive(&duo->server, end->session, text, strlen(text));
    bool request = strstr(text, "type=\"set\"") != NULL;
    if (request && random_uniform(&duo->random) < duo->config.doubled) {
        server_receive(&duo->server, end->session, text, strlen(text));
    }
    g_free(edited);
}

static void carry_stanzas(struct end *end)
{
    static char xml[STANZA_MAX];
    size_t size;
    usec now = end->duo->now;
    while (!end->cut &&
           (size = network_receive(end->up, now, xml, sizeof xml - 1, NULL, NULL)) > 0) {
        xml[size] = '\0';
        carry_up(end, xml);
    }
    while (!end->cut &&
           (size = network_receive(end->down, now, xml, sizeof xml - 1, NULL, NULL)) > 0) {
        account_receive(end->account, xml, size, now);
    }
}

/* ------------------------------------------------------------------------------------ both -- */

static void fill_random(void *user, void *out, size_t bytes)
{
    uint8_t *at = out;
    for (size_t i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(random_next(user) >> 32);
    }
}

static void open_end(struct duo *duo, int which, const char *name, const char *jid)
{
    struct end *end = &duo->ends[which];
    struct account_hooks hooks = {end, on_send, on_event, on_wall};
    jingle_status status;
    end->duo = duo;
    end->name = name;
    end->session = server_add(&duo->server, jid, end);
    end->random = random_next(&duo->random);
    end->random_source = (struct random_source){.fill = fill_random, .user = &end->random};
    end->events = g_string_new(NULL);
    end->certificate = certificate_new(&status);
    g_queue_init(&end->reports);
    host_open(&end->host, (unsigned)which + 1);
    renew_stream(end);
    struct account_config config = {
        .jid = jid,
        .allow_unencrypted = duo->config.allow_unencrypted,
        .ring_timeout = RING_TIMEOUT,
        .software_name = "Simulation",
        .random = &end->random_source,
    };
    end->account = account_new(&config, &hooks);
}

void duo_open(struct duo *duo, uint64_t seed, const struct duo_config *config)
{
    static const struct network_config usual = {.delay = 25 * USEC_PER_MS};
    memset(duo, 0, sizeof *duo);
    duo->config = *config;
    if (duo->config.signalling.delay == 0) {
        duo->config.signalling = usual;
    }
    duo->config.signalling.in_order = true;
    duo->now = USEC_PER_SEC;
    duo->random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    duo->server.roster = roster;
    duo->server.deliver = deliver_down;
    fake_ice_open(seed, duo->now);
    open_end(duo, ALICE, "alice", ALICE_JID);
    open_end(duo, BOB, "bob", BOB_JID);
}

static void close_end(struct end *end)
{
    end_media(end);
    struct report *report;
    while ((report = g_queue_pop_head(&end->reports))) {
        report_free(report);
    }
    account_free(end->account);
    network_free(end->up);
    network_free(end->down);
    host_close(&end->host);
    certificate_free(end->certificate);
    ice_udp_clear(&end->early);
    g_free(end->transport);
    g_string_free(end->events, TRUE);
}

void duo_close(struct duo *duo)
{
    close_end(&duo->ends[ALICE]);
    close_end(&duo->ends[BOB]);
    server_clear(&duo->server);
    fake_ice_close();
}

static void run_end(struct end *end)
{
    carry_stanzas(end);
    if (end->answers && end->signaling && end_saw(end, "answers") == 0) {
        tell(end, "answers");
        answer(end);
    }
    if (account_next_deadline(end->account) <= end->duo->now) {
        account_tick(end->account, end->duo->now);
    }
    run_media(end);
    carry_reports(end);
}

void duo_run(struct duo *duo, usec span)
{
    usec until = duo->now + span;
    while (duo->now < until) {
        duo->now += STEP;
        fake_ice_run(duo->now);
        run_end(&duo->ends[ALICE]);
        run_end(&duo->ends[BOB]);
    }
}

bool duo_connect(struct duo *duo)
{
    end_online(&duo->ends[ALICE]);
    end_online(&duo->ends[BOB]);
    duo_run(duo, 4 * USEC_PER_SEC);
    duo->ends[BOB].answers = true;
    end_call(&duo->ends[ALICE]);
    for (int i = 0; i < 150; i++) {
        if (duo->ends[ALICE].connected && duo->ends[BOB].connected) {
            return true;
        }
        duo_run(duo, 100 * USEC_PER_MS);
    }
    return false;
}
