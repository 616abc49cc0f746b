/* Phones of some people in virtual time: each is an account (signaling/account.h) and, while it is
 * in a call, a voice (party.h). Stanzas take their time to a server and from it, media from phone
 * to phone. ICE and DTLS are modelled by two round trips once both sides have negotiated.
 *
 *     phone ─ account ─▶ up ─▶ server ─▶ down ─▶ account ─ phone
 *           └ voice ───▶ media path ────────────▶ voice ┘
 */
#ifndef JINGLE_SIM_PHONES_H
#define JINGLE_SIM_PHONES_H

#include <stdio.h>

#include "base/random.h"
#include "signaling/account.h"
#include "tests/sim/network.h"
#include "tests/sim/party.h"
#include "tests/sim/server.h"

#define PHONES_MAX       6
#define PHONE_EVENTS_MAX 64
#define PHONE_EVENT_SIZE 96

struct town;

struct phone {
    struct town *town;
    struct server_session *session;
    struct account *account;
    struct account_call *call; /* the one that goes on, or NULL */
    struct network *up;
    struct network *down;
    struct network *media; /* from here to whoever is called */
    struct random_source random_source;
    uint64_t random;
    struct party party; /* with a voice once media flows */
    bool dead;          /* kill -9 */
    bool answers;       /* by itself, as soon as it rings */
    bool video;         /* calls and answers with video, and takes it when it is offered */
    char pictures[32];  /* the video content that runs or is offered; "" if there is none */
    unsigned links;     /* transports given */
    char peer[128];     /* full JID */
    usec connects;      /* when the path will stand; USEC_NEVER: not negotiated */
    char events[PHONE_EVENTS_MAX][PHONE_EVENT_SIZE];
    size_t event_count;
    uint64_t heard; /* samples in all calls */
};

struct town_config {
    struct network_config signalling; /* each way between a phone and the server */
    struct network_config media;
};

struct town {
    usec now;
    FILE *log;
    struct town_config config;
    struct server server;
    struct phone phones[PHONES_MAX];
    size_t count;
    const int16_t *speech;
    size_t speech_samples;
};

void town_open(struct town *town, uint64_t seed, const struct town_config *config,
               const char *const *jids, size_t count, const char *roster, const int16_t *speech,
               size_t speech_samples, FILE *log);
void town_close(struct town *town);
void town_run(struct town *town, usec end);

void phone_online(struct phone *phone);
/* The connection breaks; the server tells the others. */
void phone_drop(struct phone *phone);
void phone_call(struct phone *phone, const char *to, bool direct);
void phone_answer(struct phone *phone);
/* Video in the call that goes on: added, what was offered taken or refused, taken away. (Its
 * signalling alone: no picture is sent.) */
void phone_add_video(struct phone *phone);
void phone_take_video(struct phone *phone);
void phone_refuse_video(struct phone *phone);
void phone_remove_video(struct phone *phone);
/* Sends text as it is. */
void phone_send(struct phone *phone, const char *xml);

/* How often an event was told. */
size_t phone_saw(const struct phone *phone, const char *event);
/* Seconds of sound that were heard. */
double phone_heard(const struct phone *phone);

#endif
