/* jingle_client_check(): does this account have what calls need? Each server is tried as a call
 * would: a link that gathers through it alone.
 *
 *     login ─▶ server features ─▶ for each STUN and TURN server: probe ─▶ found | time-out */
#include "client.h"
#include "events.h"
#include "ice_server.h"
#include "media_threads.h"

#include <stdio.h>

#define PROBE_TIMEOUT (5 * USEC_PER_SEC)

struct probe {
    struct check *check;
    struct ice_server server; /* a copy */
    struct link *link;
    struct timer *timer;
    bool done; /* the media thread: one result each */
};

struct check {
    struct jingle_client *client;
    struct media_thread *thread;
    unsigned number; /* of the client's checks: a result of an earlier one may still come */
    struct probe probes[ICE_MAX_SERVERS];
    size_t count;
    size_t left; /* the I/O thread: probes without a result */
};

static void say(struct jingle_client *client, const char *subject, bool good, bool last,
                const char *text, const char *remedy)
{
    jingle_event event = {
        .type = JINGLE_EVENT_CHECK,
        .text = text,
        .u.check = {.subject = subject, .good = good, .remedy = remedy, .last = last},
    };
    events_push(client->events, &event);
}

/* -------------------------------------------------------------------------- on a media thread */

struct result {
    struct jingle_client *client;
    unsigned number;
    const struct ice_server *server; /* there as long as this check is */
    bool good;
};

static void take_result(void *arg);

static void finish_probe(struct probe *probe, bool good)
{
    if (probe->done) {
        return;
    }
    probe->done = true;
    timer_set(probe->timer, USEC_NEVER);
    struct result *result = g_new0(struct result, 1);
    *result = (struct result){
        .client = probe->check->client,
        .number = probe->check->number,
        .server = &probe->server,
        .good = good,
    };
    loop_post(result->client->io, take_result, g_free, result);
}

static void on_probe_candidate(void *user, const struct ice_candidate *candidate)
{
    struct probe *probe = user;
    enum ice_candidate_type wanted = probe->server.turn ? ICE_RELAY : ICE_SRFLX;
    if (candidate->type == wanted) {
        finish_probe(probe, true);
    }
}

static void on_probe_gathered(void *user)
{
    finish_probe(user, false);
}

static void on_probe_timeout(void *user)
{
    finish_probe(user, false);
}

static void ignore_state(void *user, enum link_state state, jingle_reason reason,
                         jingle_status status)
{
    (void)user;
    (void)state;
    (void)reason;
    (void)status;
}

static void begin_probes(void *arg)
{
    struct check *check = arg;
    for (size_t i = 0; i < check->count; i++) {
        struct probe *probe = &check->probes[i];
        struct link_config config;
        link_config_init(&config);
        config.poller = check->thread->poller;
        config.log = &check->client->log;
        config.certificate = check->client->certificate;
        config.loopback = check->client->features.loopback;
        config.interfaces = check->client->interfaces;
        config.family = check->client->family;
        config.ca_file = check->client->ca_file;
        config.servers = &probe->server;
        config.server_count = 1;
        config.hooks = (struct link_hooks){
            .user = probe,
            .candidate = on_probe_candidate,
            .gathered = on_probe_gathered,
            .state = ignore_state,
        };
        jingle_status status;
        probe->timer = timer_new(check->thread->loop, on_probe_timeout, probe);
        probe->link = link_new(&config, &status);
        timer_set(probe->timer, clock_now() + (probe->link ? PROBE_TIMEOUT : 0));
        if (probe->link) {
            link_gather(probe->link);
        }
    }
}

static void end_probes(void *arg)
{
    struct check *check = arg;
    for (size_t i = 0; i < check->count; i++) {
        check->probes[i].done = true;
        link_free(check->probes[i].link);
        timer_free(check->probes[i].timer);
        ice_server_clear(&check->probes[i].server);
    }
    g_free(check);
}

/* -------------------------------------------------------------------------- on the I/O thread */

static void say_probe(struct jingle_client *client, const struct ice_server *server, bool good,
                      bool last)
{
    static const char *const transports[] = {"UDP", "TCP", "TLS"};
    char text[256];
    const char *kind = server->turn ? "TURN" : "STUN";
    const char *transport = transports[server->transport];
    snprintf(text, sizeof text, "The %s server %.100s %s over %s.", kind, server->host,
             good           ? "answers"
             : server->turn ? "gave no relay"
                            : "told no address of ours",
             transport);
    const char *remedy = good ? ""
                         : server->turn
                             ? "If calls to other networks fail, ask the server's operator: "
                               "firewall, TURN credentials and certificate are worth a look."
                             : "Without NAT this is normal. Otherwise check that UDP may leave "
                               "your network.";
    say(client, kind, good, last, text, remedy);
}

static void take_result(void *arg)
{
    struct result *result = arg;
    struct jingle_client *client = result->client;
    struct check *check = client->check;
    if (check && check->number == result->number) {
        check->left--;
        say_probe(client, result->server, result->good, check->left == 0);
        if (check->left == 0) {
            client->check = NULL;
            check_free(check);
        }
    }
    g_free(result);
}

static void say_server(struct jingle_client *client, const struct account_server *server)
{
    say(client, "Login", true, false,
        client->features.external   ? "Logged in by the application's own connection."
        : client->features.verified ? "Logged in; the connection is encrypted and verified."
                                    : "Logged in, with a laboratory's setting that allows a "
                                      "connection without encryption or verification.",
        "");
    say(client, "Carbons", server->carbons, false,
        server->carbons ? "Your other devices stop ringing when you answer on one (XEP-0280)."
                        : "Your other devices may go on ringing when you answer on one.",
        server->carbons ? "" : "Ask the server's operator for message carbons (XEP-0280).");
    say(client, "External services", server->external_services, false,
        server->external_services ? "The server lists STUN and TURN servers (XEP-0215)."
                                  : "The server lists no STUN and TURN servers.",
        server->external_services
            ? ""
            : "Ask the server's operator for external services (XEP-0215), or name a server by "
              "yourself; without TURN some networks cannot be crossed.");
}

void check_start(struct jingle_client *client)
{
    struct account_server server = account_server(client->account);
    check_free(client->check);
    client->check = NULL;
    say_server(client, &server);
    if (client->server_count == 0) {
        say(client, "TURN", false, true, "No STUN or TURN server is known.",
            "Announce one at the server (XEP-0215) or name one here; strict firewalls need it.");
        return;
    }
    struct check *check = g_new0(struct check, 1);
    check->client = client;
    check->number = ++client->checks;
    check->count = client->server_count;
    check->left = client->server_count;
    check->thread = media_threads_take(client->media);
    for (size_t i = 0; i < check->count; i++) {
        ice_server_copy(&check->probes[i].server, &client->servers[i]);
        check->probes[i].check = check;
    }
    client->check = check;
    loop_post(check->thread->loop, begin_probes, NULL, check);
}

void check_free(struct check *check)
{
    if (check) {
        media_threads_give_back(check->thread);
        loop_post(check->thread->loop, end_probes, end_probes, check);
    }
}
