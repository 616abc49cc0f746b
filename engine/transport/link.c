#include "transport/link.h"

#include "transport/demux.h"
#include "transport/dtls.h"
#include "transport/ice.h"
#include "transport/srtp.h"

#include <string.h>

_Static_assert(LINK_TAIL >= SRTP_TAIL, "the tail must hold what SRTP adds");
_Static_assert(sizeof(((struct link_stats *)0)->candidate_local) >= ICE_PAIR_TEXT, "");

#define CONNECT_LIMIT   (25 * USEC_PER_SEC)
#define INTERRUPT_AFTER (1800 * USEC_PER_MS)
#define LOST_AFTER      (12 * USEC_PER_SEC)

/* Consent is gone (after 10 s of RFC 7675) and silence was expected: how long a restart may take */
#define MEND_LIMIT (6 * USEC_PER_SEC)

/* How often a path may be restarted: each time costs sockets and, with a relay, allocations, and
 * the peer can ask for it. */
#define RESTARTS_AT_ONCE 5
#define RESTART_REST     (5 * USEC_PER_SEC) /* afterwards one in this time */

/* Checks get lost as media does: who was heard so lately is there, and consents by talking. */
#define WITNESS (3 * USEC_PER_SEC)

/* DTLS that comes before we have a pair to answer on: two flights of fragments. */
#define EARLY_DATAGRAMS 8

/* Header and, of RTCP, the sender (RFC 3550, 5.1 and 6.4) */
#define RTP_LEAST  12
#define RTCP_LEAST 8

/* One generation of ICE: the link has one, and a second one during a restart. */
struct path {
    struct link *link;
    struct ice *ice;
    struct ice *rtcp;                          /* the second component of a plain link; else NULL */
    bool gathered[2];                          /* of both */
    char remote_ufrag[ICE_CREDENTIAL_MAX + 1]; /* "" while unknown */
    char remote_pwd[ICE_CREDENTIAL_MAX + 1];
    struct ice_udp_transport remote; /* its candidates alone, if the peer has begun this one */
};

struct link {
    struct link_config config;
    struct ice_server servers[ICE_MAX_SERVERS]; /* text is in `texts` */
    GPtrArray *texts;
    enum link_state state;
    struct path *path;                          /* in use */
    struct path *next;                          /* of a restart, until it is usable; else NULL */
    char old_ufrag[ICE_CREDENTIAL_MAX + 1];     /* of the peer, before the last restart */
    char dropped_ufrag[ICE_CREDENTIAL_MAX + 1]; /* the same, of one that came to nothing */
    uint8_t generation;
    usec restart_credit; /* paid for up to here */
    bool restarts_told;
    bool unheard; /* the peer restarted, and by no packet it has shown that it knows our answer */
    struct dtls *dtls;
    struct srtp_pair *srtp;
    bool role_known;
    bool dtls_client;
    bool expect_media;
    bool consent_lost; /* of the path in use */
    GPtrArray *early;  /* GBytes */
    struct poller_timer timer;
    usec connect_deadline;
    usec give_up; /* while interrupted */
    usec last_heard;
    struct link_stats stats;
};

const char *link_state_name(enum link_state state)
{
    static const char *const names[] = {"new",         "connecting", "connected",
                                        "interrupted", "failed",     "closed"};
    return names[state];
}

void link_config_init(struct link_config *config)
{
    *config = (struct link_config){
        .connect_limit = CONNECT_LIMIT,
        .interrupt_after = INTERRUPT_AFTER,
        .lost_after = LOST_AFTER,
    };
}

static struct path *newest(const struct link *link)
{
    return link->next ? link->next : link->path;
}

/* ---------------------------------------------------------------------------------- state -- */

static bool is_over(const struct link *link)
{
    return link->state == LINK_FAILED || link->state == LINK_CLOSED;
}

static bool is_up(const struct link *link)
{
    return link->state == LINK_CONNECTED || link->state == LINK_INTERRUPTED;
}

static void set_timer(struct link *link);

static void enter_state(struct link *link, enum link_state state, jingle_reason reason,
                        jingle_status status)
{
    if (link->state == state || is_over(link))
        return;
    log_debug(link->config.log, "The link is %s", link_state_name(state));
    link->state = state;
    set_timer(link);
    link->config.hooks.state(link->config.hooks.user, state, reason, status);
}

static void fail(struct link *link, jingle_reason reason, jingle_status status)
{
    enter_state(link, LINK_FAILED, reason, status);
}

static void interrupt(struct link *link, usec give_up)
{
    if (link->state != LINK_CONNECTED)
        return;
    link->give_up = give_up;
    enter_state(link, LINK_INTERRUPTED, JINGLE_REASON_NONE, JINGLE_OK);
}

/* Something authentic came, or a new path is up. */
static void heard(struct link *link, usec now)
{
    link->last_heard = now;
    if (link->state != LINK_INTERRUPTED)
        return;
    if (ice_is_usable(link->path->ice) || ice_renew_consent(link->path->ice))
        enter_state(link, LINK_CONNECTED, JINGLE_REASON_NONE, JINGLE_OK);
}

/* ---------------------------------------------------------------------------------- timer -- */

static bool expects_media(const struct link *link)
{
    return link->expect_media && !link->config.plain;
}

static usec silence_deadline(const struct link *link)
{
    if (link->state == LINK_CONNECTED && expects_media(link))
        return link->last_heard + link->config.interrupt_after;
    if (link->state == LINK_INTERRUPTED)
        return link->give_up;
    return USEC_NEVER;
}

/* One timer, set to the nearest deadline. Packets do not touch it: when it fires for a silence
 * that has been broken, it is set again. */
static void set_timer(struct link *link)
{
    usec nearest = silence_deadline(link);
    if (link->state == LINK_CONNECTING && link->connect_deadline < nearest)
        nearest = link->connect_deadline;
    if (!is_over(link)) {
        usec dtls = dtls_deadline(link->dtls, clock_now());
        if (dtls < nearest)
            nearest = dtls;
    }
    poller_set_timer(link->config.poller, &link->timer, nearest);
}

static void after_dtls(struct link *link, usec now);

static void on_timer(void *user)
{
    struct link *link = user;
    usec now = clock_now();
    if (!is_over(link)) {
        dtls_timeout(link->dtls);
        after_dtls(link, now);
    }
    if (link->state == LINK_CONNECTING && now >= link->connect_deadline)
        fail(link, JINGLE_REASON_NO_PATH,
             ice_is_usable(link->path->ice) ? JINGLE_ERROR_DTLS : JINGLE_ERROR_ICE);
    else if (now >= silence_deadline(link) && link->state == LINK_CONNECTED)
        interrupt(link, link->last_heard + link->config.lost_after);
    else if (now >= silence_deadline(link) && link->state == LINK_INTERRUPTED)
        fail(link, JINGLE_REASON_CONNECTION_LOST, JINGLE_ERROR_ICE);
    set_timer(link);
}

/* ----------------------------------------------------------------------------------- DTLS -- */

static void send_dtls(void *user, const uint8_t *datagram, size_t bytes)
{
    struct link *link = user;
    if (!ice_send(link->path->ice, datagram, bytes))
        link->stats.unsent++; /* DTLS sends its flight again */
}

static bool make_srtp(struct link *link)
{
    struct srtp_keys keys;
    jingle_status status = JINGLE_ERROR_INTERNAL;
    if (!dtls_keys(link->dtls, &keys))
        return false;
    link->stats.srtp_profile = keys.profile->name;
    link->srtp = srtp_pair_new(&keys, &status);
    explicit_bzero(&keys, sizeof keys);
    return link->srtp != NULL;
}

/* Acts on what DTLS came to. */
static void after_dtls(struct link *link, usec now)
{
    switch (dtls_state(link->dtls)) {
    case DTLS_READY:
        if (link->srtp)
            break;
        if (!make_srtp(link)) {
            fail(link, JINGLE_REASON_NO_PATH, JINGLE_ERROR_DTLS);
            break;
        }
        link->last_heard = now;
        enter_state(link, LINK_CONNECTED, JINGLE_REASON_NONE, JINGLE_OK);
        break;
    case DTLS_FAILED: {
        jingle_status status = dtls_status(link->dtls);
        fail(link,
             status == JINGLE_ERROR_FINGERPRINT ? JINGLE_REASON_SECURITY : JINGLE_REASON_NO_PATH,
             status);
        break;
    }
    case DTLS_CLOSED:
        if (is_over(link))
            break;
        link->config.hooks.closed_by_peer(link->config.hooks.user);
        enter_state(link, LINK_CLOSED, JINGLE_REASON_NONE, JINGLE_OK);
        break;
    default:
        break;
    }
}

static void receive_dtls(struct link *link, const uint8_t *datagram, size_t bytes, usec now)
{
    if (is_over(link))
        return;
    dtls_receive(link->dtls, datagram, bytes);
    after_dtls(link, now);
    set_timer(link);
}

static void keep_early(struct link *link, const uint8_t *datagram, size_t bytes)
{
    if (link->early->len < EARLY_DATAGRAMS)
        g_ptr_array_add(link->early, g_bytes_new(datagram, bytes));
    else
        link->stats.early++;
}

/* DTLS begins on the first usable pair (RFC 8842 section 5). */
static void begin_dtls(struct link *link)
{
    if (is_over(link) || !ice_is_usable(link->path->ice))
        return;
    if (link->config.plain) {
        link->last_heard = clock_now();
        enter_state(link, LINK_CONNECTED, JINGLE_REASON_NONE, JINGLE_OK);
        return;
    }
    GPtrArray *early = link->early;
    link->early = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    for (guint i = 0; i < early->len; i++) {
        gsize bytes;
        const uint8_t *datagram = g_bytes_get_data(early->pdata[i], &bytes);
        receive_dtls(link, datagram, bytes, clock_now());
    }
    g_ptr_array_free(early, TRUE);
    if (link->role_known && !is_over(link))
        dtls_start(link->dtls, link->dtls_client);
    set_timer(link);
}

/* ------------------------------------------------------------------------------------ ICE -- */

static void on_candidate(void *user, const struct ice_candidate *candidate)
{
    const struct path *path = user;
    const struct link_hooks *hooks = &path->link->config.hooks;
    hooks->candidate(hooks->user, candidate);
}

static void gathered(struct path *path, bool rtcp)
{
    const struct link_hooks *hooks = &path->link->config.hooks;
    path->gathered[rtcp] = true;
    if (hooks->gathered && path->gathered[0] && (path->gathered[1] || !path->rtcp))
        hooks->gathered(hooks->user);
}

static void on_gathered(void *user)
{
    gathered(user, false);
}

static void path_free(struct path *path)
{
    if (!path)
        return;
    ice_free(path->ice);
    ice_free(path->rtcp);
    ice_udp_clear(&path->remote);
    g_free(path);
}

static void on_usable(void *user)
{
    struct path *path = user;
    struct link *link = path->link;
    bool mended = path == link->next || link->consent_lost;
    link->consent_lost = false;
    if (path == link->next) {
        g_strlcpy(link->old_ufrag, link->path->remote_ufrag, sizeof link->old_ufrag);
        path_free(link->path);
        link->path = path;
        link->next = NULL;
    }
    if (!is_up(link))
        begin_dtls(link);
    else if (mended)
        heard(link, clock_now());
}

static void on_lost(void *user)
{
    const struct path *path = user;
    struct link *link = path->link;
    if (path != link->path)
        return;
    usec now = clock_now();
    if (now - link->last_heard < WITNESS && ice_renew_consent(path->ice))
        return;
    link->consent_lost = true;
    usec limit = expects_media(link) ? link->config.lost_after : MEND_LIMIT;
    interrupt(link, now + limit);
}

/* False if it is to be dropped, which is counted. */
static bool unprotect(struct link *link, bool rtcp, uint8_t *packet, size_t *bytes)
{
    if (!link->srtp) {
        link->stats.early++;
        return false;
    }
    switch (srtp_pair_unprotect(link->srtp, rtcp, packet, bytes)) {
    case SRTP_OK:
        return true;
    case SRTP_NOT_AUTHENTIC:
        link->stats.not_authentic++;
        return false;
    case SRTP_REPLAYED:
        link->stats.replayed++;
        return false;
    case SRTP_TOO_MANY_SSRCS:
        link->stats.too_many_ssrcs++;
        return false;
    default:
        link->stats.malformed++;
        return false;
    }
}

/* All that is left to look at without encryption. */
static bool is_well_formed(struct link *link, bool rtcp, size_t bytes)
{
    bool early = !is_up(link);
    bool malformed = bytes < (rtcp ? RTCP_LEAST : RTP_LEAST);
    link->stats.early += early;
    link->stats.malformed += !early && malformed;
    return !early && !malformed;
}

static void receive_media(const struct path *path, bool rtcp, uint8_t *packet, size_t bytes,
                          usec now)
{
    struct link *link = path->link;
    if (link->config.plain ? !is_well_formed(link, rtcp, bytes)
                           : !unprotect(link, rtcp, packet, &bytes))
        return;
    link->stats.packets_received++;
    link->stats.bytes_received += bytes;
    link->unheard = link->unheard && path != newest(link);
    heard(link, now);
    const struct link_hooks *hooks = &link->config.hooks;
    if (is_over(link))
        return;
    if (rtcp)
        hooks->rtcp(hooks->user, packet, bytes, now);
    else
        hooks->rtp(hooks->user, packet, bytes, now);
}

static void on_receive(void *user, uint8_t *datagram, size_t bytes)
{
    const struct path *path = user;
    struct link *link = path->link;
    usec now = clock_now();
    switch (datagram_kind(datagram, bytes)) {
    case DATAGRAM_RTP:
        receive_media(path, false, datagram, bytes, now);
        break;
    case DATAGRAM_RTCP:
        receive_media(path, true, datagram, bytes, now);
        break;
    case DATAGRAM_DTLS:
        if (link->config.plain)
            link->stats.unknown++;
        else if (ice_is_usable(link->path->ice) || is_up(link))
            receive_dtls(link, datagram, bytes, now);
        else
            keep_early(link, datagram, bytes);
        break;
    default:
        link->stats.unknown++;
        break;
    }
}

/* RFC 8445, 5.1.2.1: the priority has the component, too. */
static void on_rtcp_candidate(void *user, const struct ice_candidate *candidate)
{
    const struct path *path = user;
    const struct link_hooks *hooks = &path->link->config.hooks;
    struct ice_candidate second = *candidate;
    second.component = 2;
    second.priority -= second.priority > 1;
    hooks->candidate(hooks->user, &second);
}

static void on_rtcp_gathered(void *user)
{
    gathered(user, true);
}

/* A voice does without reports. */
static void on_rtcp_usable(void *user)
{
    (void)user;
}

static void on_rtcp_lost(void *user)
{
    const struct path *path = user;
    if (clock_now() - path->link->last_heard < WITNESS)
        ice_renew_consent(path->rtcp);
}

/* An agent of its own, which takes itself for the first component, with the same credentials. */
static bool add_rtcp(struct path *path, const struct ice_config *of_rtp, jingle_status *status)
{
    char ufrag[ICE_CREDENTIAL_MAX + 1];
    char pwd[ICE_CREDENTIAL_MAX + 1];
    struct ice_config config = *of_rtp;
    ice_local(path->ice, ufrag, pwd);
    config.ufrag = ufrag;
    config.pwd = pwd;
    config.hooks = (struct ice_hooks){path,           on_rtcp_candidate, on_rtcp_gathered,
                                      on_rtcp_usable, on_rtcp_lost,      on_receive};
    path->rtcp = ice_new(&config, status);
    return path->rtcp;
}

/* `ufrag` and `pwd` NULL: random. */
static struct path *path_new(struct link *link, const char *ufrag, const char *pwd,
                             jingle_status *status)
{
    struct path *path = g_new0(struct path, 1);
    path->link = link;
    struct ice_config config = {
        .poller = link->config.poller,
        .log = link->config.log,
        .controlling = link->config.controlling,
        .relay_only = link->config.relay_only,
        .loopback = link->config.loopback,
        .interfaces = link->config.interfaces,
        .family = link->config.family,
        .video = link->config.video,
        .generation = link->generation,
        .ufrag = ufrag,
        .pwd = pwd,
        .ca_file = link->config.ca_file,
        .servers = link->servers,
        .server_count = link->config.server_count,
        .hooks = {path, on_candidate, on_gathered, on_usable, on_lost, on_receive},
    };
    path->ice = ice_new(&config, status);
    if (path->ice && (!link->config.plain || add_rtcp(path, &config, status)))
        return path;
    path_free(path);
    return NULL;
}

/* ------------------------------------------------------------------------------- lifetime -- */

static const char *keep(struct link *link, const char *text)
{
    char *copy = g_strdup(text);
    g_ptr_array_add(link->texts, copy);
    return copy;
}

static void copy_config(struct link *link, const struct link_config *config)
{
    link->config = *config;
    link->texts = g_ptr_array_new_with_free_func(g_free);
    link->config.ca_file = keep(link, config->ca_file);
    link->config.interfaces = keep(link, config->interfaces);
    link->config.ufrag = keep(link, config->ufrag);
    link->config.pwd = keep(link, config->pwd);
    if (link->config.server_count > ICE_MAX_SERVERS)
        link->config.server_count = ICE_MAX_SERVERS;
    for (size_t i = 0; i < link->config.server_count; i++) {
        link->servers[i] = config->servers[i];
        link->servers[i].host = keep(link, config->servers[i].host);
        link->servers[i].username = keep(link, config->servers[i].username);
        link->servers[i].password = keep(link, config->servers[i].password);
    }
    link->config.servers = link->servers;
}

struct link *link_new(const struct link_config *config, jingle_status *status)
{
    struct link *link = g_new0(struct link, 1);
    copy_config(link, config);
    link->expect_media = true;
    link->stats.srtp_profile = "";
    link->early = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    link->timer = (struct poller_timer){.fire = on_timer, .user = link};
    struct dtls_config dtls = {
        .certificate = config->certificate,
        .log = config->log,
        .user = link,
        .send = send_dtls,
    };
    link->dtls = dtls_new(&dtls, status);
    if (link->dtls)
        link->path = path_new(link, link->config.ufrag, link->config.pwd, status);
    if (link->path)
        return link;
    link_free(link);
    return NULL;
}

void link_free(struct link *link)
{
    if (!link)
        return;
    path_free(link->next);
    path_free(link->path);
    srtp_pair_free(link->srtp);
    dtls_free(link->dtls);
    poller_set_timer(link->config.poller, &link->timer, USEC_NEVER);
    g_ptr_array_free(link->early, TRUE);
    for (guint i = 0; i < link->texts->len; i++)
        if (link->texts->pdata[i])
            explicit_bzero(link->texts->pdata[i], strlen(link->texts->pdata[i]));
    g_ptr_array_free(link->texts, TRUE);
    g_free(link);
}

/* ------------------------------------------------------------------------------ signalling -- */

void link_local(const struct link *link, struct ice_udp_transport *local)
{
    *local = (struct ice_udp_transport){0};
    ice_local(newest(link)->ice, local->ufrag, local->pwd);
    if (link->config.plain)
        return;
    local->fingerprint = certificate_fingerprint(link->config.certificate);
    local->fingerprint.setup = DTLS_ACTPASS;
    if (link->role_known)
        local->fingerprint.setup = link->dtls_client ? DTLS_ACTIVE : DTLS_PASSIVE;
}

void link_gather(struct link *link)
{
    struct path *path = newest(link);
    if (is_over(link))
        return;
    if (!ice_gather(path->ice))
        gathered(path, false);
    if (path->rtcp && !ice_gather(path->rtcp))
        gathered(path, true);
}

static void begin_connecting(struct link *link)
{
    if (link->state != LINK_NEW)
        return;
    link->connect_deadline = clock_now() + link->config.connect_limit;
    enter_state(link, LINK_CONNECTING, JINGLE_REASON_NONE, JINGLE_OK);
}

static void take_credentials(struct path *path, const char *ufrag, const char *pwd)
{
    g_strlcpy(path->remote_ufrag, ufrag, sizeof path->remote_ufrag);
    g_strlcpy(path->remote_pwd, pwd, sizeof path->remote_pwd);
    ice_set_remote(path->ice, ufrag, pwd);
    if (path->rtcp)
        ice_set_remote(path->rtcp, ufrag, pwd);
}

/* What credentials mean, without doing anything yet. */
enum credentials {
    CREDENTIALS_NONE,   /* candidates only */
    CREDENTIALS_KNOWN,  /* those of the newest path */
    CREDENTIALS_FIRST,  /* the newest path waits for them */
    CREDENTIALS_NEW,    /* the peer restarts */
    CREDENTIALS_OLD,    /* what was before the restart */
    CREDENTIALS_BROKEN, /* no password */
};

static enum credentials classify(const struct link *link, const struct ice_udp_transport *remote)
{
    const char *known = newest(link)->remote_ufrag;
    if (remote->ufrag[0] == '\0')
        return CREDENTIALS_NONE;
    if (strcmp(remote->ufrag, known) == 0)
        return CREDENTIALS_KNOWN;
    if (strcmp(remote->ufrag, link->old_ufrag) == 0 ||
        strcmp(remote->ufrag, link->dropped_ufrag) == 0 ||
        strcmp(remote->ufrag, link->path->remote_ufrag) == 0)
        return CREDENTIALS_OLD;
    if (remote->pwd[0] == '\0')
        return CREDENTIALS_BROKEN;
    return known[0] == '\0' ? CREDENTIALS_FIRST : CREDENTIALS_NEW;
}

static jingle_status restart(struct link *link, bool same);

static bool take_fingerprint(struct link *link, const struct dtls_fingerprint *fingerprint)
{
    if (fingerprint->hash == FINGERPRINT_NONE)
        return true;
    if (link->config.plain) {
        log_warning(link->config.log, "A fingerprint is refused: this call has no encryption");
        return false;
    }
    if (dtls_set_fingerprint(link->dtls, fingerprint))
        return true;
    log_warning(link->config.log, "A fingerprint is refused: %s",
                fingerprint_usable(fingerprint) ? "it is not the one announced before"
                                                : "only sha-256 and sha-512 are known");
    return false;
}

enum link_remote link_set_remote(struct link *link, const struct ice_udp_transport *remote)
{
    enum credentials credentials = classify(link, remote);
    if (is_over(link))
        return LINK_REMOTE_REFUSED;
    if (credentials == CREDENTIALS_BROKEN) {
        log_warning(link->config.log, "ICE credentials without a password are refused");
        return LINK_REMOTE_REFUSED;
    }
    if (!take_fingerprint(link, &remote->fingerprint))
        return LINK_REMOTE_REFUSED;
    after_dtls(link, clock_now());
    if (credentials == CREDENTIALS_OLD || is_over(link))
        return LINK_REMOTE_TAKEN;
    bool theirs = credentials == CREDENTIALS_NEW;
    if (theirs && restart(link, link_awaits_answer(link)) != JINGLE_OK)
        return LINK_REMOTE_REFUSED;
    if (theirs || credentials == CREDENTIALS_FIRST)
        take_credentials(newest(link), remote->ufrag, remote->pwd);
    link->unheard = theirs || (link->unheard && credentials != CREDENTIALS_FIRST);
    link_add_candidates(link, remote->candidates, remote->candidate_count);
    if (credentials == CREDENTIALS_FIRST)
        begin_connecting(link);
    return theirs ? LINK_REMOTE_RESTART : LINK_REMOTE_TAKEN;
}

static bool add_candidate(struct path *path, const struct ice_candidate *candidate)
{
    if (candidate->component != 2 || !path->rtcp)
        return ice_add_candidate(path->ice, candidate);
    struct ice_candidate first = *candidate;
    first.component = 1;
    return ice_add_candidate(path->rtcp, &first);
}

void link_add_candidates(struct link *link, const struct ice_candidate *candidates, size_t count)
{
    struct path *path = newest(link);
    size_t skipped = 0;
    for (size_t i = 0; i < count; i++) {
        if (!add_candidate(path, &candidates[i]))
            skipped++;
        else if (link->unheard)
            ice_udp_add_candidate(&path->remote, &candidates[i]);
    }
    if (skipped > 0)
        log_debug(link->config.log, "%zu candidates of the peer are not usable", skipped);
}

void link_set_role(struct link *link, bool dtls_client)
{
    if (link->role_known)
        return;
    link->role_known = true;
    link->dtls_client = dtls_client;
    begin_dtls(link);
}

void link_expect_media(struct link *link, bool expected)
{
    if (link->expect_media == expected)
        return;
    link->expect_media = expected;
    link->last_heard = clock_now();
    set_timer(link);
}

static bool may_restart(struct link *link, usec now)
{
    usec rest = MAX(link->restart_credit, now);
    if (rest - now > (RESTARTS_AT_ONCE - 1) * RESTART_REST) {
        if (!link->restarts_told)
            log_warning(link->config.log, "ICE is restarted too often; some are refused");
        link->restarts_told = true;
        return false;
    }
    link->restart_credit = rest + RESTART_REST;
    return true;
}

bool link_awaits_answer(const struct link *link)
{
    return link->next && link->next->remote_ufrag[0] == '\0';
}

/* What the peer said for the path before, of which it may not have heard. */
static void inherit(struct path *path, const struct path *before)
{
    take_credentials(path, before->remote_ufrag, before->remote_pwd);
    for (size_t i = 0; i < before->remote.candidate_count; i++) {
        add_candidate(path, &before->remote.candidates[i]);
        ice_udp_add_candidate(&path->remote, &before->remote.candidates[i]);
    }
}

/* The peer's new agent must be new, too: what is left of an unfinished restart is dropped. Of one
 * that is not answered, or whose answer may have been lost, the credentials stay: they are on their
 * way, and were there others behind them, the two sides might take an answer for one to the other,
 * for ever. */
static jingle_status restart(struct link *link, bool same)
{
    jingle_status status;
    char ufrag[ICE_CREDENTIAL_MAX + 1];
    char pwd[ICE_CREDENTIAL_MAX + 1];
    if (is_over(link) || link->config.plain)
        return JINGLE_ERROR_STATE;
    if (!may_restart(link, clock_now()))
        return JINGLE_ERROR_LIMIT;
    if (same)
        ice_local(newest(link)->ice, ufrag, pwd);
    else
        link->generation++;
    struct path *next = path_new(link, same ? ufrag : NULL, same ? pwd : NULL, &status);
    if (!next)
        return status;
    if (same && link->unheard)
        inherit(next, newest(link));
    if (link->next && link->next->remote_ufrag[0] != '\0')
        g_strlcpy(link->dropped_ufrag, link->next->remote_ufrag, sizeof link->dropped_ufrag);
    path_free(link->next);
    link->next = next;
    return JINGLE_OK;
}

jingle_status link_restart(struct link *link)
{
    return restart(link, link->unheard || link_awaits_answer(link));
}

bool link_is_outdated(const struct link *link)
{
    return !is_over(link) && ice_is_outdated(newest(link)->ice);
}

/* --------------------------------------------------------------------------------- sending -- */

static jingle_status send_media(struct link *link, bool rtcp, uint8_t *packet, size_t bytes,
                                size_t capacity)
{
    if (!is_up(link))
        return JINGLE_ERROR_STATE;
    if (bytes > LINK_MAX_PACKET || capacity < bytes + LINK_TAIL)
        return JINGLE_ERROR_INVALID;
    size_t length = bytes;
    struct ice *component = rtcp && link->path->rtcp ? link->path->rtcp : link->path->ice;
    if (!link->config.plain && srtp_pair_protect(link->srtp, rtcp, packet, &length) != SRTP_OK)
        return JINGLE_ERROR_INVALID;
    if (!ice_send(component, packet, length)) {
        link->stats.unsent++;
        return JINGLE_OK;
    }
    link->stats.packets_sent++;
    link->stats.bytes_sent += bytes;
    return JINGLE_OK;
}

jingle_status link_send_rtp(struct link *link, uint8_t *packet, size_t bytes, size_t capacity)
{
    return send_media(link, false, packet, bytes, capacity);
}

jingle_status link_send_rtcp(struct link *link, uint8_t *packet, size_t bytes, size_t capacity)
{
    return send_media(link, true, packet, bytes, capacity);
}

void link_close(struct link *link)
{
    if (is_over(link))
        return;
    if (!link->config.plain)
        dtls_close(link->dtls);
    enter_state(link, LINK_CLOSED, JINGLE_REASON_NONE, JINGLE_OK);
}

enum link_state link_state(const struct link *link)
{
    return link->state;
}

void link_stats(const struct link *link, struct link_stats *stats)
{
    *stats = link->stats;
    stats->last_heard = link->last_heard;
    stats->dtls_bad = dtls_dropped(link->dtls);
    stats->dtls_cipher = dtls_cipher(link->dtls);
    stats->dtls_client = dtls_is_client(link->dtls);
    ice_pair(link->path->ice, stats->candidate_local, stats->candidate_remote);
}
