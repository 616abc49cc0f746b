/* Two whole clients in virtual time but for sound and sockets: account (signaling/account.h) over a
 * small server, and the way of a call (engine/call_transport.h) over agents of fake_ice.h, with
 * real DTLS and SRTP. For stories about paths: restarts of ICE, and calls without encryption.
 *
 *     end ─ account ─▶ up ─▶ edited, doubled ─▶ server ─▶ down ─▶ account ─ end
 *       └── call_transport ─▶ link ─▶ fake ICE ────────────────────▶ link ──┘
 */
#ifndef JINGLE_SIM_DUO_H
#define JINGLE_SIM_DUO_H

#include "call_private.h"
#include "media_threads.h"
#include "signaling/account.h"
#include "tests/sim/fake_ice.h"
#include "tests/sim/network.h"
#include "tests/sim/server.h"

#include <stdio.h>

enum { ALICE, BOB, ENDS };

#define ALICE_JID "alice@example.org/phone"
#define BOB_JID   "bob@example.org/desk"

struct duo;

struct end {
    struct duo *duo;
    const char *name;
    struct server_session *session;
    struct account *account;
    struct random_source random_source;
    uint64_t random;
    struct network *up, *down;
    bool cut; /* its stream stands still: nothing goes up or down */
    bool answers;
    struct host host;
    struct certificate *certificate;
    /* the call; one in a story */
    struct account_call *signaling;
    bool rang_encrypted;   /* incoming: what the application was told */
    bool told_unencrypted; /* outgoing */
    bool connected, ended;
    jingle_reason reason;
    GString *events;
    struct media_thread thread;
    struct call *call;              /* NULL: no media */
    char *transport;                /* its name */
    struct ice_udp_transport early; /* before it has one */
    GQueue reports;                 /* of the media half, not yet with the account */
    uint16_t sequence;
    bool silent; /* sends no sound */
    unsigned rtp, rtcp;
    usec heard; /* the last packet of sound */
    usec gap;   /* the longest time without, while connected */
    unsigned seen_restarts;
};

struct duo_config {
    struct network_config signalling; /* zero: 25 ms each way */
    bool allow_unencrypted;           /* both */
    double doubled;                   /* share of requests that come twice */
    /* What somebody on the way makes of a stanza, or NULL; g_free() it. */
    char *(*edit)(const char *xml, const struct end *from);
    FILE *log;
};

struct duo {
    struct duo_config config;
    usec now;
    uint64_t random;
    struct server server;
    struct end ends[ENDS];
};

void duo_open(struct duo *duo, uint64_t seed, const struct duo_config *config);
void duo_close(struct duo *duo);
void duo_run(struct duo *duo, usec span);

struct end *end_other(struct end *end);
void end_online(struct end *end);
/* The stream breaks: what is under way on it is lost, and its server says so to who asks. */
void end_drop(struct end *end);
/* It stands still until it is resumed; the server keeps what comes. */
void end_cut(struct end *end);
void end_resume(struct end *end);
void end_call(struct end *end);
void end_hang_up(struct end *end);
/* Another address, as the kernel tells it. */
void end_move(struct end *end);
/* Its router forgets, which nobody tells. */
void end_rebind(struct end *end);
/* Sends a stanza as it is. */
void end_say(struct end *end, const char *xml);

/* Runs until both are connected, or for 15 s. */
bool duo_connect(struct duo *duo);
/* How often an event was told. */
unsigned end_saw(const struct end *end, const char *event);

#endif
