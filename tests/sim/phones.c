#include "tests/sim/phones.h"

#include <stdarg.h>
#include <string.h>

#include <glib.h>

#define STANZA_MAX   (512 * 1024)
#define DATAGRAM_MAX 2048
#define TAG_RTCP     1
#define WALL         (INT64_C(1700000000) * USEC_PER_SEC)
#define RING_TIMEOUT (60 * USEC_PER_SEC)

/* Media that stopped for so long does not come back. */
#define MEDIA_LOST (10 * USEC_PER_SEC)

static void __attribute__((format(printf, 2, 3))) tell(struct phone *phone, const char *format, ...)
{
    char text[PHONE_EVENT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (phone->event_count < PHONE_EVENTS_MAX) {
        g_strlcpy(phone->events[phone->event_count++], text, PHONE_EVENT_SIZE);
    }
    if (phone->town->log) {
        fprintf(phone->town->log, "%10.6f %s %s\n", (double)phone->town->now / USEC_PER_SEC,
                phone->session->jid, text);
    }
}

size_t phone_saw(const struct phone *phone, const char *event)
{
    size_t count = 0;
    for (size_t i = 0; i < phone->event_count; i++) {
        count += strcmp(phone->events[i], event) == 0;
    }
    return count;
}

double phone_heard(const struct phone *phone)
{
    return (double)(phone->heard + (phone->party.voice ? phone->party.heard : 0)) / 48000;
}

/* --- media -- */

static void on_send_rtp(void *user, uint8_t *packet, size_t bytes)
{
    struct phone *phone = ((struct party *)user)->world;
    network_send(phone->media, phone->town->now, packet, bytes, 0);
}

static void on_send_rtcp(void *user, uint8_t *packet, size_t bytes)
{
    struct phone *phone = ((struct party *)user)->world;
    network_send(phone->media, phone->town->now, packet, bytes, TAG_RTCP);
}

static void on_digit(void *user, char digit, usec duration)
{
    tell(((struct party *)user)->world, "digit %c %d ms", digit, (int)(duration / USEC_PER_MS));
}

static void on_bye(void *user)
{
    struct party *party = user;
    party->byes++;
    tell(party->world, "bye");
}

static void open_voice(struct phone *phone)
{
    static const struct voice_hooks hooks = {
        .send_rtp = on_send_rtp, .send_rtcp = on_send_rtcp, .digit = on_digit, .bye = on_bye};
    struct party_config config = {.fec = true, .start = phone->town->now};
    memset(&phone->party, 0, sizeof phone->party);
    phone->party.world = phone;
    phone->party.speech = phone->town->speech;
    phone->party.speech_samples = phone->town->speech_samples;
    party_open(&phone->party, "phone", &config, &hooks, random_next(&phone->random));
}

static void close_voice(struct phone *phone)
{
    if (phone->party.voice) {
        voice_bye(phone->party.voice, phone->town->now);
        phone->heard += phone->party.heard;
    }
    party_close(&phone->party);
    phone->connects = USEC_NEVER;
}

static struct phone *find_phone(struct town *town, const char *jid)
{
    for (size_t i = 0; i < town->count; i++) {
        if (strcmp(town->phones[i].session->jid, jid) == 0) {
            return &town->phones[i];
        }
    }
    return NULL;
}

/* --- signalling -- */

static void make_media(struct rtp_description *description)
{
    rtp_description_init(description, "audio");
    rtp_description_add(description, PARTY_OPUS, "opus", 48000, 2);
    rtp_description_add(description, 0, "PCMU", 8000, 1);
    rtp_description_add(description, PARTY_EVENTS, "telephone-event", 48000, 1);
    description->rtcp_mux = true;
}

static void make_video(struct rtp_description *description)
{
    rtp_description_init(description, "video");
    rtp_description_add(description, 96, "VP8", 90000, 1);
    description->rtcp_mux = true;
}

static void set_transport(struct phone *phone, const char *content)
{
    struct ice_candidate candidate = {
        .foundation = "1", .component = 1, .priority = 1000, .ip = "192.0.2.1", .port = 5000};
    struct ice_udp_transport transport = {.candidates = &candidate, .candidate_count = 1};
    g_snprintf(transport.ufrag, sizeof transport.ufrag, "link%u", ++phone->links);
    g_strlcpy(transport.pwd, "0123456789012345678901", sizeof transport.pwd);
    transport.fingerprint.hash = FINGERPRINT_SHA_256;
    transport.fingerprint.size = 32;
    account_call_set_transport(phone->call, content, &transport, phone->town->now);
}

struct wares {
    struct rtp_description descriptions[2];
    struct session_media media[2];
    size_t count;
};

static void make_wares(struct wares *wares, const struct phone *phone)
{
    *wares = (struct wares){.count = phone->video ? 2 : 1};
    make_media(&wares->descriptions[0]);
    make_video(&wares->descriptions[1]);
    wares->media[0] =
        (struct session_media){.content = "audio", .description = &wares->descriptions[0]};
    wares->media[1] =
        (struct session_media){.content = "video", .description = &wares->descriptions[1]};
}

static void clear_wares(struct wares *wares)
{
    rtp_description_clear(&wares->descriptions[0]);
    rtp_description_clear(&wares->descriptions[1]);
}

void phone_call(struct phone *phone, const char *to, bool direct)
{
    struct wares wares;
    make_wares(&wares, phone);
    jingle_status status = account_call_start(phone->account, to, wares.media, wares.count, direct,
                                              phone->town->now, &phone->call);
    clear_wares(&wares);
    if (status == JINGLE_OK) {
        set_transport(phone, "audio");
    } else {
        phone->call = NULL;
        tell(phone, "cannot call: %s", jingle_strerror(status));
    }
}

void phone_answer(struct phone *phone)
{
    struct wares wares;
    if (!phone->call) {
        return;
    }
    make_wares(&wares, phone);
    account_call_accept(phone->call, wares.media, wares.count, phone->town->now);
    clear_wares(&wares);
}

/* --- video -- */

void phone_add_video(struct phone *phone)
{
    struct wares wares;
    const char *name = NULL;
    if (!phone->call) {
        return;
    }
    make_wares(&wares, phone);
    jingle_status status =
        account_call_content_add(phone->call, &wares.media[1], phone->town->now, &name);
    clear_wares(&wares);
    if (status != JINGLE_OK) {
        tell(phone, "cannot add video");
        return;
    }
    g_strlcpy(phone->pictures, name, sizeof phone->pictures);
    if (account_call_content_wants_transport(phone->call, name)) {
        set_transport(phone, name);
    }
}

void phone_take_video(struct phone *phone)
{
    struct wares wares;
    if (!phone->call) {
        return;
    }
    make_wares(&wares, phone);
    account_call_content_accept(phone->call, phone->pictures, &wares.media[1], phone->town->now);
    clear_wares(&wares);
}

void phone_refuse_video(struct phone *phone)
{
    if (phone->call) {
        account_call_content_reject(phone->call, phone->pictures, JINGLE_REASON_DECLINED,
                                    phone->town->now);
    }
}

void phone_remove_video(struct phone *phone)
{
    if (phone->call && account_call_content_remove(phone->call, phone->pictures,
                                                   phone->town->now) == CONTENT_IS_KEPT) {
        tell(phone, "kept");
    }
}

static void on_content_offered(struct phone *phone, const struct account_event *event)
{
    tell(phone, "offered %s", event->u.content_offered.media);
    g_strlcpy(phone->pictures, event->u.content_offered.content, sizeof phone->pictures);
    if (phone->video) {
        phone_take_video(phone);
    }
}

static void on_negotiated(struct phone *phone, const struct account_event *event)
{
    bool is_sound = strcmp(event->u.negotiated.agreement->send.name, "opus") == 0;
    tell(phone, "negotiated %s", event->u.negotiated.agreement->send.name);
    g_strlcpy(phone->peer, account_call_peer(event->call), sizeof phone->peer);
    if (event->u.negotiated.transport_wanted) {
        set_transport(phone, event->u.negotiated.transport);
    }
    if (is_sound) {
        phone->connects = phone->town->now + 4 * phone->town->config.media.delay;
    } else {
        g_strlcpy(phone->pictures, event->u.negotiated.content, sizeof phone->pictures);
    }
}

static void on_info(struct phone *phone, const struct account_event *event)
{
    enum jingle_info info = event->u.info.info;
    bool of_video = strcmp(event->u.info.media, "video") == 0;
    tell(phone, "info %s%s", jingle_info_name(info), of_video ? " video" : "");
    if (phone->party.voice && (info == INFO_HOLD || info == INFO_UNHOLD)) {
        voice_set_peer_hold(phone->party.voice, info == INFO_HOLD);
    }
}

static void on_ended(struct phone *phone, const struct account_event *event)
{
    static const char *const parties[] = {"none", "local", "remote"};
    tell(phone, "ended %s %s", jingle_reason_name(event->u.ended.reason),
         parties[event->u.ended.by]);
    if (phone->call == event->call) {
        phone->call = NULL;
        close_voice(phone);
    }
}

static void on_incoming(struct phone *phone, const struct account_event *event)
{
    tell(phone, "incoming %s", event->u.incoming.from);
    if (phone->call && phone->call != event->call) {
        account_call_reject(event->call, JINGLE_REASON_BUSY, phone->town->now);
        return;
    }
    phone->call = event->call;
    if (phone->answers) {
        phone_answer(phone);
    }
}

static void on_event(void *user, const struct account_event *event)
{
    struct phone *phone = user;
    switch (event->type) {
    case ACCOUNT_EVENT_INCOMING:
        on_incoming(phone, event);
        break;
    case ACCOUNT_EVENT_MISSED:
        tell(phone, "missed %s", event->u.incoming.from);
        break;
    case ACCOUNT_EVENT_RINGING:
        tell(phone, "ringing");
        break;
    case ACCOUNT_EVENT_ACCEPTED:
        tell(phone, "accepted");
        break;
    case ACCOUNT_EVENT_NEGOTIATED:
        on_negotiated(phone, event);
        break;
    case ACCOUNT_EVENT_INFO:
        on_info(phone, event);
        break;
    case ACCOUNT_EVENT_CONTENT_OFFERED:
        on_content_offered(phone, event);
        break;
    case ACCOUNT_EVENT_CONTENT_REFUSED:
        tell(phone, "refused %s", jingle_reason_name(event->u.content_gone.reason));
        break;
    case ACCOUNT_EVENT_CONTENT_REMOVED:
        tell(phone, "removed %s", event->u.content_gone.media);
        break;
    case ACCOUNT_EVENT_ENDED:
        on_ended(phone, event);
        break;
    default:
        break;
    }
}

static void on_send(void *user, const char *xml, size_t bytes)
{
    struct phone *phone = user;
    if (!phone->dead) {
        network_send(phone->up, phone->town->now, xml, bytes, 0);
    }
}

void phone_send(struct phone *phone, const char *xml)
{
    on_send(phone, xml, strlen(xml));
}

static usec on_wall(void *user)
{
    return WALL + ((struct phone *)user)->town->now;
}

static void deliver_down(void *user, const char *xml, size_t bytes)
{
    struct phone *phone = user;
    network_send(phone->down, phone->town->now, xml, bytes, 0);
}

void phone_online(struct phone *phone)
{
    phone->session->online = true;
    account_online(phone->account, phone->session->jid, false, phone->town->now);
}

void phone_drop(struct phone *phone)
{
    account_offline(phone->account, phone->town->now);
    server_drop(&phone->town->server, phone->session);
}

/* --- the town -- */

static void fill_random(void *user, void *out, size_t bytes)
{
    uint8_t *at = out;
    for (size_t i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(random_next(user) >> 32);
    }
}

static void open_phone(struct town *town, struct phone *phone, const char *jid, uint64_t *seed)
{
    struct account_hooks hooks = {phone, on_send, on_event, on_wall};
    phone->town = town;
    phone->connects = USEC_NEVER;
    phone->session = server_add(&town->server, jid, phone);
    phone->random = random_next(seed);
    phone->random_source = (struct random_source){.fill = fill_random, .user = &phone->random};
    phone->up = network_new(&town->config.signalling, random_next(seed));
    phone->down = network_new(&town->config.signalling, random_next(seed));
    phone->media = network_new(&town->config.media, random_next(seed));
    struct account_config config = {.jid = jid,
                                    .ring_timeout = RING_TIMEOUT,
                                    .software_name = "Simulation",
                                    .random = &phone->random_source};
    phone->account = account_new(&config, &hooks);
}

void town_open(struct town *town, uint64_t seed, const struct town_config *config,
               const char *const *jids, size_t count, const char *roster, const int16_t *speech,
               size_t speech_samples, FILE *log)
{
    memset(town, 0, sizeof *town);
    town->config = *config;
    town->config.signalling.in_order = true;
    town->server.roster = roster;
    town->server.deliver = deliver_down;
    town->speech = speech;
    town->speech_samples = speech_samples;
    town->log = log;
    town->count = count;
    town->now = USEC_PER_SEC;
    for (size_t i = 0; i < count; i++) {
        open_phone(town, &town->phones[i], jids[i], &seed);
    }
}

void town_close(struct town *town)
{
    for (size_t i = 0; i < town->count; i++) {
        struct phone *phone = &town->phones[i];
        party_close(&phone->party);
        account_free(phone->account);
        network_free(phone->up);
        network_free(phone->down);
        network_free(phone->media);
    }
    server_clear(&town->server);
}

static void carry_stanzas(struct town *town, struct phone *phone)
{
    static char stanza[STANZA_MAX];
    size_t size;
    while ((size = network_receive(phone->up, town->now, stanza, sizeof stanza, NULL, NULL)) > 0) {
        server_receive(&town->server, phone->session, stanza, size);
    }
    while ((size = network_receive(phone->down, town->now, stanza, sizeof stanza, NULL, NULL)) >
           0) {
        if (!phone->dead && account_is_online(phone->account)) {
            account_receive(phone->account, stanza, size, town->now);
        }
    }
}

static void carry_media(struct town *town, struct phone *phone)
{
    uint8_t datagram[DATAGRAM_MAX];
    unsigned tag;
    size_t size;
    while ((size = network_receive(phone->media, town->now, datagram, sizeof datagram, NULL,
                                   &tag)) > 0) {
        struct phone *peer = find_phone(town, phone->peer);
        if (!peer || !peer->party.voice || peer->dead ||
            strcmp(peer->peer, phone->session->jid) != 0) {
            continue;
        }
        if (tag == TAG_RTCP) {
            voice_receive_rtcp(peer->party.voice, datagram, size, town->now);
        } else {
            voice_receive_rtp(peer->party.voice, datagram, size, town->now);
        }
    }
}

static void connect_media(struct phone *phone)
{
    phone->connects = USEC_NEVER;
    if (phone->call && !phone->dead) {
        open_voice(phone);
        account_call_connected(phone->call, phone->town->now);
        tell(phone, "connected");
    }
}

/* What the engine does with a goodbye in the media and with its long silence. */
static void watch_media(struct phone *phone)
{
    if (!phone->call || !phone->party.voice) {
        return;
    }
    usec heard = voice_last_heard(phone->party.voice);
    usec since = heard == USEC_NEVER ? phone->party.config.start : heard;
    if (phone->party.byes > 0) {
        account_call_end(phone->call, JINGLE_REASON_HANGUP, phone->town->now);
    } else if (phone->town->now - since > MEDIA_LOST) {
        account_call_end(phone->call, JINGLE_REASON_CONNECTION_LOST, phone->town->now);
    }
}

static void run_phone(struct town *town, struct phone *phone)
{
    carry_stanzas(town, phone);
    carry_media(town, phone);
    if (phone->connects <= town->now) {
        connect_media(phone);
    }
    if (phone->dead) {
        return;
    }
    if (phone->party.voice && phone->party.next <= town->now) {
        party_run(&phone->party, town->now);
        watch_media(phone);
    }
    if (account_next_deadline(phone->account) <= town->now) {
        account_tick(phone->account, town->now);
    }
}

static usec deadline(const struct phone *phone)
{
    usec next = MIN(network_next(phone->up), network_next(phone->down));
    next = MIN(next, network_next(phone->media));
    next = MIN(next, phone->connects);
    if (!phone->dead) {
        next = MIN(next, account_next_deadline(phone->account));
        if (phone->party.voice) {
            next = MIN(next, phone->party.next);
        }
    }
    return next;
}

void town_run(struct town *town, usec end)
{
    for (;;) {
        usec next = USEC_NEVER;
        for (size_t i = 0; i < town->count; i++) {
            next = MIN(next, deadline(&town->phones[i]));
        }
        if (next > end) {
            break;
        }
        town->now = MAX(next, town->now);
        for (size_t i = 0; i < town->count; i++) {
            run_phone(town, &town->phones[i]);
        }
    }
    town->now = end;
}
