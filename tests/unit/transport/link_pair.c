#include "link_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_log(void *user, jingle_log_level level, const char *line)
{
    (void)user;
    (void)level;
    fprintf(stderr, "%s\n", line);
}

static void on_candidate(void *user, const struct ice_candidate *candidate)
{
    struct party *party = user;
    if (candidate->type == ICE_HOST)
        party->host_candidates++;
    if (candidate->type == ICE_RELAY)
        party->relay_candidates++;
    g_array_append_vals(party->candidates, candidate, 1);
    if (party->trickle && !party->muted && party->other->link)
        link_add_candidates(party->other->link, candidate, 1);
}

static void on_gathered(void *user)
{
    struct party *party = user;
    party->gathered = true;
    if (party->trickle || party->muted || !party->other->link)
        return;
    link_add_candidates(party->other->link, (const struct ice_candidate *)party->candidates->data,
                        party->candidates->len);
}

static void on_state(void *user, enum link_state state, jingle_reason reason, jingle_status status)
{
    struct party *party = user;
    party->state = state;
    party->reason = reason;
    party->status = status;
    if (state == LINK_INTERRUPTED)
        party->interruptions++;
}

static void on_rtp(void *user, uint8_t *packet, size_t bytes, usec now)
{
    struct party *party = user;
    (void)now;
    party->rtp++;
    memcpy(party->last, packet, bytes);
    party->last_bytes = bytes;
}

static void on_rtcp(void *user, uint8_t *packet, size_t bytes, usec now)
{
    struct party *party = user;
    (void)packet;
    (void)bytes;
    (void)now;
    party->rtcp++;
}

static void on_closed(void *user)
{
    struct party *party = user;
    party->closed_by_peer = true;
}

static void party_init(struct party *party, struct link_pair *pair, struct party *other)
{
    jingle_status status;
    *party = (struct party){.pair = pair, .other = other, .trickle = true};
    party->candidates = g_array_new(FALSE, FALSE, sizeof(struct ice_candidate));
    party->certificate = certificate_new(&status);
    assert_non_null(party->certificate);
}

void link_pair_init(struct link_pair *pair)
{
    *pair = (struct link_pair){
        .context = g_main_context_new_with_flags(G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING)};
    pair->poller = poller_new(pair->context);
    if (getenv("JINGLE_TEST_LOG"))
        pair->log = (struct logger){JINGLE_LOG_DEBUG, write_log, NULL};
    party_init(&pair->a, pair, &pair->b);
    party_init(&pair->b, pair, &pair->a);
}

struct link_config link_pair_config(struct link_pair *pair, struct party *party)
{
    struct link_config config;
    link_config_init(&config);
    config.poller = pair->poller;
    config.log = &pair->log;
    config.certificate = party->certificate;
    config.controlling = party == &pair->a;
    config.loopback = true;
    return config;
}

void party_start(struct party *party, struct link_config *config)
{
    jingle_status status;
    config->hooks = (struct link_hooks){
        party, on_candidate, on_gathered, on_state, on_rtp, on_rtcp, on_closed,
    };
    party->link = link_new(config, &status);
    assert_non_null(party->link);
    assert_int_equal(status, JINGLE_OK);
}

enum link_remote party_signal(struct party *from)
{
    struct ice_udp_transport transport;
    link_local(from->link, &transport);
    return link_set_remote(from->other->link, &transport);
}

void link_pair_signal(struct link_pair *pair, bool a_is_dtls_client)
{
    party_signal(&pair->a);
    party_signal(&pair->b);
    link_set_role(pair->a.link, a_is_dtls_client);
    link_set_role(pair->b.link, !a_is_dtls_client);
    link_gather(pair->a.link);
    link_gather(pair->b.link);
}

static void tick(void *user)
{
    (void)user;
}

bool link_pair_wait(struct link_pair *pair, bool (*condition)(struct link_pair *pair), usec limit)
{
    usec end = clock_now() + limit;
    struct poller_timer timer = {.fire = tick};
    bool met = condition(pair);
    while (!met && clock_now() < end) {
        poller_set_timer(pair->poller, &timer, end);
        poller_turn(pair->poller);
        met = condition(pair);
    }
    poller_set_timer(pair->poller, &timer, USEC_NEVER);
    return met;
}

static bool never(struct link_pair *pair)
{
    (void)pair;
    return false;
}

void link_pair_run(struct link_pair *pair, usec span)
{
    link_pair_wait(pair, never, span);
}

bool both_connected(struct link_pair *pair)
{
    return pair->a.state == LINK_CONNECTED && pair->b.state == LINK_CONNECTED;
}

jingle_status party_send(struct party *party, uint32_t ssrc, uint16_t sequence)
{
    uint8_t packet[160 + LINK_TAIL] = {0x80, 111};
    packet[2] = (uint8_t)(sequence >> 8);
    packet[3] = (uint8_t)sequence;
    for (int i = 0; i < 4; i++)
        packet[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
    memset(packet + 12, 0x55, 148);
    return link_send_rtp(party->link, packet, 160, sizeof packet);
}

static void party_clear(struct party *party)
{
    link_free(party->link);
    certificate_free(party->certificate);
    g_array_free(party->candidates, TRUE);
}

void link_pair_clear(struct link_pair *pair)
{
    party_clear(&pair->a);
    party_clear(&pair->b);
    poller_free(pair->poller);
    g_main_context_unref(pair->context);
}
