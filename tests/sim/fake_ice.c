#include "tests/sim/fake_ice.h"

#include "tests/sim/network.h"

#include <glib.h>
#include <string.h>

#define PATH_DELAY    (25 * USEC_PER_MS)
#define CHECKS_TAKE   (60 * USEC_PER_MS)  /* from what must be known to a path, */
#define CHECKS_JITTER 60                  /* and up to so many ms more */
#define CONSENT       (10 * USEC_PER_SEC) /* libnice: two checks that are not answered */
#define STEP          (10 * USEC_PER_MS)  /* agents are looked at so often */

struct ice {
    unsigned number;
    struct host *host;
    struct ice_hooks hooks;
    uint8_t generation;
    bool controlling;
    char ufrag[ICE_CREDENTIAL_MAX + 1], pwd[ICE_CREDENTIAL_MAX + 1];
    char remote_ufrag[ICE_CREDENTIAL_MAX + 1], remote_pwd[ICE_CREDENTIAL_MAX + 1];
    unsigned address, rebound; /* of the host, when it gathered */
    uint16_t known_ports[ICE_MAX_REMOTE_CANDIDATES];
    size_t known;
    bool gathering, usable;
    unsigned peer; /* number of the agent at the other end of the path; 0: none */
    usec found;    /* when there will be a path; USEC_NEVER: not in sight */
    usec dead;     /* since when the path is; USEC_NEVER: it lives */
};

struct poller {
    struct host *host;
    GPtrArray *timers; /* that are set */
};

struct datagram {
    usec arrival;
    unsigned from, to; /* agents */
    GBytes *bytes;
};

static struct {
    usec now;
    uint64_t random;
    double loss;
    unsigned numbers;
    GPtrArray *agents;
    GPtrArray *pollers;
    GQueue under_way;
} world;

/* ----------------------------------------------------------------------- clock and deadlines -- */

usec clock_now(void)
{
    return world.now;
}

usec clock_wall(void)
{
    return INT64_C(1700000000) * USEC_PER_SEC + world.now;
}

void poller_set_timer(struct poller *poller, struct poller_timer *timer, usec when)
{
    if (timer->place) {
        g_ptr_array_remove_fast(poller->timers, timer);
    }
    timer->when = when;
    timer->place = when != USEC_NEVER;
    if (timer->place) {
        g_ptr_array_add(poller->timers, timer);
    }
}

static struct poller_timer *next_timer(struct poller **of)
{
    struct poller_timer *next = NULL;
    for (guint i = 0; i < world.pollers->len; i++) {
        struct poller *poller = world.pollers->pdata[i];
        for (guint j = 0; j < poller->timers->len; j++) {
            struct poller_timer *timer = poller->timers->pdata[j];
            if (!next || timer->when < next->when) {
                next = timer;
                *of = poller;
            }
        }
    }
    return next;
}

void host_open(struct host *host, unsigned number)
{
    *host = (struct host){.number = number, .address = 1, .poller = g_new0(struct poller, 1)};
    host->poller->host = host;
    host->poller->timers = g_ptr_array_new();
    g_ptr_array_add(world.pollers, host->poller);
}

void host_close(struct host *host)
{
    g_ptr_array_remove(world.pollers, host->poller);
    g_ptr_array_free(host->poller->timers, TRUE);
    g_free(host->poller);
}

/* -------------------------------------------------------------------------------- an agent -- */

struct ice *ice_new(const struct ice_config *config, jingle_status *status)
{
    struct ice *ice = g_new0(struct ice, 1);
    ice->number = ++world.numbers;
    ice->host = config->poller->host;
    ice->host->agents++;
    ice->hooks = config->hooks;
    ice->generation = config->generation;
    ice->controlling = config->controlling;
    ice->found = ice->dead = USEC_NEVER;
    g_snprintf(ice->ufrag, sizeof ice->ufrag, "u%u", ice->number);
    g_snprintf(ice->pwd, sizeof ice->pwd, "0123456789012345%06u", ice->number);
    if (config->ufrag && config->pwd) {
        g_strlcpy(ice->ufrag, config->ufrag, sizeof ice->ufrag);
        g_strlcpy(ice->pwd, config->pwd, sizeof ice->pwd);
    }
    g_ptr_array_add(world.agents, ice);
    *status = JINGLE_OK;
    return ice;
}

void ice_free(struct ice *ice)
{
    if (ice) {
        g_ptr_array_remove(world.agents, ice);
        g_free(ice);
    }
}

void ice_local(struct ice *ice, char *ufrag, char *pwd)
{
    g_strlcpy(ufrag, ice->ufrag, ICE_CREDENTIAL_MAX + 1);
    g_strlcpy(pwd, ice->pwd, ICE_CREDENTIAL_MAX + 1);
}

/* Ports are unlike for all agents there ever are, so that they say whose candidate it is. */
static uint16_t port_of(const struct ice *ice)
{
    return (uint16_t)(1024 + ice->number % 60000);
}

bool ice_gather(struct ice *ice)
{
    struct ice_candidate candidate = {
        .foundation = "1",
        .component = 1,
        .priority = 1000,
        .port = port_of(ice),
        .generation = ice->generation,
    };
    if (ice->gathering) {
        return true;
    }
    ice->gathering = true;
    ice->address = ice->host->address;
    ice->rebound = ice->host->rebound;
    g_snprintf(candidate.ip, sizeof candidate.ip, "198.51.%u.%u", ice->host->number,
               ice->address % 256);
    if (ice->address) {
        ice->hooks.candidate(ice->hooks.user, &candidate);
    }
    ice->hooks.gathered(ice->hooks.user);
    return true;
}

void ice_set_remote(struct ice *ice, const char *ufrag, const char *pwd)
{
    g_strlcpy(ice->remote_ufrag, ufrag, sizeof ice->remote_ufrag);
    g_strlcpy(ice->remote_pwd, pwd, sizeof ice->remote_pwd);
}

bool ice_add_candidate(struct ice *ice, const struct ice_candidate *candidate)
{
    if (candidate->component != 1 || ice->known == ICE_MAX_REMOTE_CANDIDATES) {
        return false;
    }
    ice->known_ports[ice->known++] = candidate->port;
    return true;
}

bool ice_is_usable(const struct ice *ice)
{
    return ice->usable;
}

bool ice_is_outdated(const struct ice *ice)
{
    return ice->gathering && ice->host->address && ice->host->address != ice->address;
}

bool ice_renew_consent(struct ice *ice)
{
    if (!ice->peer) {
        return false;
    }
    ice->usable = true;
    ice->dead = USEC_NEVER;
    ice->hooks.usable(ice->hooks.user);
    return true;
}

void ice_pair(struct ice *ice, char *local, char *remote)
{
    g_snprintf(local, ICE_PAIR_TEXT, "%s", ice->usable ? "host" : "");
    g_snprintf(remote, ICE_PAIR_TEXT, "%s", ice->usable ? "host" : "");
}

/* ----------------------------------------------------------------------- what lies between -- */

static struct ice *find_agent(unsigned number)
{
    for (guint i = 0; i < world.agents->len; i++) {
        struct ice *ice = world.agents->pdata[i];
        if (ice->number == number) {
            return ice;
        }
    }
    return NULL;
}

static bool is_where_it_was(const struct ice *ice)
{
    return ice->gathering && ice->address && ice->address == ice->host->address &&
           ice->rebound == ice->host->rebound;
}

static bool knows(const struct ice *ice, const struct ice *peer)
{
    for (size_t i = 0; i < ice->known; i++) {
        if (ice->known_ports[i] == port_of(peer)) {
            return true;
        }
    }
    return false;
}

static bool has_credentials_of(const struct ice *ice, const struct ice *peer)
{
    return strcmp(ice->remote_ufrag, peer->ufrag) == 0 && strcmp(ice->remote_pwd, peer->pwd) == 0;
}

/* The controlling one nominates what answers its checks; the other one waits for that. */
static bool can_meet(const struct ice *ice, const struct ice *peer)
{
    bool mutual = has_credentials_of(peer, ice);
    return peer->host != ice->host && has_credentials_of(ice, peer) &&
           (mutual || ice->controlling) && is_where_it_was(ice) && is_where_it_was(peer) &&
           (knows(ice, peer) || (mutual && knows(peer, ice)));
}

static struct ice *find_peer(const struct ice *ice)
{
    for (guint i = 0; i < world.agents->len; i++) {
        if (can_meet(ice, world.agents->pdata[i])) {
            return world.agents->pdata[i];
        }
    }
    return NULL;
}

/* True if it called a hook, after which the list may be another one. */
static bool look_for_path(struct ice *ice)
{
    const struct ice *peer = ice->peer ? NULL : find_peer(ice);
    if (!peer) {
        ice->found = USEC_NEVER;
        return false;
    }
    if (ice->found == USEC_NEVER) {
        usec more = (usec)(random_uniform(&world.random) * CHECKS_JITTER) * USEC_PER_MS;
        ice->found = world.now + CHECKS_TAKE + more;
    }
    if (world.now < ice->found) {
        return false;
    }
    ice->peer = peer->number;
    ice->usable = true;
    ice->hooks.usable(ice->hooks.user);
    return true;
}

static bool lives(const struct ice *ice)
{
    const struct ice *peer = find_agent(ice->peer);
    return peer && is_where_it_was(ice) && is_where_it_was(peer);
}

static bool watch_path(struct ice *ice)
{
    if (!ice->usable || lives(ice)) {
        ice->dead = USEC_NEVER;
        return false;
    }
    if (ice->dead == USEC_NEVER) {
        ice->dead = world.now;
    }
    if (world.now - ice->dead < CONSENT) {
        return false;
    }
    ice->usable = false;
    ice->hooks.lost(ice->hooks.user);
    return true;
}

/* OpenSSL sends a flight again by the system's clock, which stands still here: none may be lost. */
static bool is_dtls(const uint8_t *datagram)
{
    return datagram[0] >= 20 && datagram[0] <= 63;
}

bool ice_send(struct ice *ice, const uint8_t *datagram, size_t bytes)
{
    if (!ice->usable) {
        return false;
    }
    if (lives(ice) && (is_dtls(datagram) || random_uniform(&world.random) >= world.loss)) {
        struct datagram *sent = g_new0(struct datagram, 1);
        sent->arrival = world.now + PATH_DELAY;
        sent->from = ice->number;
        sent->to = ice->peer;
        sent->bytes = g_bytes_new(datagram, bytes);
        g_queue_push_tail(&world.under_way, sent);
    }
    return true;
}

static void hand_over(const struct ice *to, const void *data, size_t bytes)
{
    uint8_t copy[2048];
    size_t size = MIN(bytes, sizeof copy);
    memcpy(copy, data, size);
    to->hooks.receive(to->hooks.user, copy, size);
}

/* libnice drops what comes from where no check has been. False: to be tried again later. */
static bool deliver(const struct datagram *sent)
{
    const struct ice *to = find_agent(sent->to);
    const struct ice *from = find_agent(sent->from);
    gsize bytes;
    const uint8_t *data = g_bytes_get_data(sent->bytes, &bytes);
    if (!to || !is_where_it_was(to)) {
        return true;
    }
    if (from && !has_credentials_of(to, from)) {
        return !is_dtls(data);
    }
    hand_over(to, data, bytes);
    return true;
}

bool fake_ice_inject(const struct host *to, const uint8_t *datagram, size_t bytes)
{
    for (guint i = world.agents->len; i > 0; i--) {
        struct ice *ice = world.agents->pdata[i - 1];
        if (ice->host == to && ice->usable) {
            hand_over(ice, datagram, bytes);
            return true;
        }
    }
    return false;
}

/* --------------------------------------------------------------------------------- running -- */

static void look_at_agents(void)
{
    for (guint i = 0; i < world.agents->len; i++) {
        struct ice *ice = world.agents->pdata[i];
        if (look_for_path(ice) || watch_path(ice)) {
            i = (guint)-1; /* from the start again: some may be gone, others new */
        }
    }
}

static bool fire_next(usec until)
{
    struct poller *poller = NULL;
    struct poller_timer *timer = next_timer(&poller);
    if (!timer || timer->when > until) {
        return false;
    }
    world.now = MAX(world.now, timer->when);
    poller_set_timer(poller, timer, USEC_NEVER);
    timer->fire(timer->user);
    return true;
}

static bool deliver_next(usec until)
{
    struct datagram *sent = g_queue_peek_head(&world.under_way);
    if (!sent || sent->arrival > until) {
        return false;
    }
    g_queue_pop_head(&world.under_way);
    world.now = MAX(world.now, sent->arrival);
    if (!deliver(sent)) {
        sent->arrival = world.now + STEP;
        g_queue_push_tail(&world.under_way, sent);
        return true;
    }
    g_bytes_unref(sent->bytes);
    g_free(sent);
    return true;
}

void fake_ice_run(usec until)
{
    while (world.now < until) {
        usec step = MIN(until, world.now + STEP);
        while (deliver_next(step) || fire_next(step)) {
        }
        world.now = step;
        look_at_agents();
    }
}

void fake_ice_lose(double share)
{
    world.loss = share;
}

void fake_ice_open(uint64_t seed, usec now)
{
    world.now = now;
    world.random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    world.loss = 0;
    world.numbers = 0;
    world.agents = g_ptr_array_new();
    world.pollers = g_ptr_array_new();
    g_queue_init(&world.under_way);
}

void fake_ice_close(void)
{
    struct datagram *sent;
    while ((sent = g_queue_pop_head(&world.under_way))) {
        g_bytes_unref(sent->bytes);
        g_free(sent);
    }
    g_ptr_array_free(world.agents, TRUE);
    g_ptr_array_free(world.pollers, TRUE);
}
