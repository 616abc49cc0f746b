/* Stories of whole calls: signalling and sound of several phones in virtual time. Each is a row:
 * who is online, what happens when, what each must have been told, who must have heard whom.
 *
 *     sim_calls [NAME]   all stories, or those whose name matches ('*' allowed)
 *     SIM_SEED=7, SIM_LOG=1 as for sim_voices */
#include "tests/sim/phones.h"
#include "tests/sim/speech.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#define CUES_MAX    12
#define EXPECTS_MAX 10
#define SEED        1
#define HUGE_BYTES  250000 /* stock servers let a little more through */
#define LOGIN_TIME  (3 * USEC_PER_SEC)
#define AUDIBLE     2.0 /* seconds of sound that count as having heard somebody */

enum { ALICE, BOB, POCKET, TABLET, CAROL, MALLORY, EVERYBODY };

#define ALICE_JID "alice@example.org/phone"
#define BOB_JID   "bob@example.org/desk"
#define BOB_BARE  "bob@example.org"

static const char *const jids[] = {
    ALICE_JID,
    BOB_JID,
    "bob@example.org/pocket",
    "alice@example.org/tablet",
    "carol@example.org/phone",
    "mallory@example.org/phone",
};

static const char roster[] = "<item jid='alice@example.org' subscription='both'/>"
                             "<item jid='bob@example.org' subscription='both'/>"
                             "<item jid='carol@example.org' subscription='both'/>";

struct cue {
    unsigned at_ms; /* after all have logged in */
    int who;
    void (*act)(struct phone *phone, const char *text);
    const char *text;
};

struct expectation {
    int who;
    const char *event; /* told exactly once; with '!' in front: never */
};

struct story {
    const char *name;
    unsigned seconds;                 /* 0: 20 */
    unsigned online;                  /* bits; 0: ALICE and BOB */
    struct network_config signalling; /* zero: 25 ms each way */
    struct network_config media;      /* zero: 25 ms */
    struct cue cues[CUES_MAX];
    struct expectation expects[EXPECTS_MAX];
    bool silent; /* nobody hears anybody; otherwise ALICE and BOB hear each other */
};

/* --- what can happen -- */

static void call(struct phone *phone, const char *to)
{
    phone_call(phone, to, false);
}

static void call_directly(struct phone *phone, const char *to)
{
    phone_call(phone, to, true);
}

static void answer(struct phone *phone, const char *unused)
{
    (void)unused;
    phone_answer(phone);
}

static void answer_always(struct phone *phone, const char *unused)
{
    (void)unused;
    phone->answers = true;
}

static void decline(struct phone *phone, const char *unused)
{
    (void)unused;
    account_call_reject(phone->call, JINGLE_REASON_DECLINED, phone->town->now);
}

static void say_busy(struct phone *phone, const char *unused)
{
    (void)unused;
    account_call_reject(phone->call, JINGLE_REASON_BUSY, phone->town->now);
}

static void hang_up(struct phone *phone, const char *unused)
{
    (void)unused;
    if (phone->call) {
        account_call_end(phone->call, JINGLE_REASON_HANGUP, phone->town->now);
    }
}

static void drop(struct phone *phone, const char *unused)
{
    (void)unused;
    phone_drop(phone);
}

static void come_back(struct phone *phone, const char *unused)
{
    (void)unused;
    phone_online(phone);
}

/* kill -9: its server notices after a while, by the cue that drops it. */
static void die(struct phone *phone, const char *unused)
{
    (void)unused;
    phone->dead = true;
}

static void server_stops(struct phone *phone, const char *unused)
{
    (void)unused;
    struct town *town = phone->town;
    for (size_t i = 0; i < town->count; i++) {
        if (town->phones[i].session->online) {
            account_offline(town->phones[i].account, town->now);
            town->phones[i].session->online = false;
        }
    }
}

static void hold(struct phone *phone, const char *unused)
{
    (void)unused;
    voice_set_hold(phone->party.voice, true);
    account_call_info(phone->call, INFO_HOLD, "audio", phone->town->now);
}

static void unhold(struct phone *phone, const char *unused)
{
    (void)unused;
    voice_set_hold(phone->party.voice, false);
    account_call_info(phone->call, INFO_UNHOLD, "audio", phone->town->now);
}

static void mute(struct phone *phone, const char *unused)
{
    (void)unused;
    voice_set_mute(phone->party.voice, true);
    account_call_info(phone->call, INFO_MUTE, "audio", phone->town->now);
}

static void have_video(struct phone *phone, const char *unused)
{
    (void)unused;
    phone->video = true;
}

static void add_video(struct phone *phone, const char *unused)
{
    (void)unused;
    phone_add_video(phone);
}

static void refuse_video(struct phone *phone, const char *unused)
{
    (void)unused;
    phone_refuse_video(phone);
}

static void take_video(struct phone *phone, const char *unused)
{
    (void)unused;
    phone_take_video(phone);
}

static void remove_video(struct phone *phone, const char *unused)
{
    (void)unused;
    phone_remove_video(phone);
}

static void mute_video(struct phone *phone, const char *unused)
{
    (void)unused;
    account_call_info(phone->call, INFO_MUTE, phone->pictures, phone->town->now);
}

static void press(struct phone *phone, const char *digits)
{
    for (; *digits; digits++) {
        voice_send_digit(phone->party.voice, *digits);
    }
}

static void send(struct phone *phone, const char *xml)
{
    phone_send(phone, xml);
}

static void media_outage(struct phone *phone, const char *ms)
{
    network_outage(phone->media, phone->town->now + (usec)strtoul(ms, NULL, 10) * USEC_PER_MS);
}

static void trickle(struct phone *phone, const char *ip)
{
    struct ice_candidate candidate = {
        .foundation = "2", .component = 1, .priority = 5, .port = 6000};
    g_strlcpy(candidate.ip, ip, sizeof candidate.ip);
    account_call_add_candidates(phone->call, "audio", &candidate, 1, phone->town->now);
}

static void send_huge(struct phone *phone, const char *to)
{
    char *padding = g_strnfill(HUGE_BYTES, 'x');
    char *xml =
        g_strdup_printf("<iq to='%s' type='set' id='huge'>"
                        "<jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='none'>"
                        "<x xmlns='y'>%s</x></jingle></iq>",
                        to, padding);
    phone_send(phone, xml);
    g_free(xml);
    g_free(padding);
}

/* --- the stories -- */

#define MS(n)  ((n)*USEC_PER_MS)
#define BIT(n) (1U << (n))
#define JINGLE(attributes, children)                                                          \
    "<iq to='" BOB_JID "' type='set' id='evil'><jingle xmlns='urn:xmpp:jingle:1' " attributes \
    ">" children "</jingle></iq>"
#define PROPOSE_LATE                                                                              \
    "<message to='" BOB_BARE "' type='chat' id='late'><propose xmlns='urn:xmpp:jingle-message:0'" \
    " id='late'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>"        \
    "<delay xmlns='urn:xmpp:delay' stamp='2023-11-14T20:00:00Z'/></message>"

static const struct story stories[] = {
    {"a call",
     .cues = {{0, ALICE, call, BOB_BARE}, {2000, BOB, answer, ""}, {12000, ALICE, hang_up, ""}},
     .expects = {{BOB, "incoming " ALICE_JID},
                 {ALICE, "ringing"},
                 {ALICE, "accepted"},
                 {ALICE, "connected"},
                 {BOB, "connected"},
                 {ALICE, "negotiated opus"},
                 {ALICE, "ended hangup local"},
                 {BOB, "ended hangup remote"}}},
    {"a call to a full JID",
     .cues = {{0, ALICE, call, BOB_JID}, {2000, BOB, answer, ""}, {12000, BOB, hang_up, ""}},
     .expects = {{ALICE, "ringing"}, {BOB, "ended hangup local"}, {ALICE, "ended hangup remote"}}},
    {"a call without message initiation",
     .cues = {{0, ALICE, call_directly, BOB_JID},
              {2000, BOB, answer, ""},
              {12000, BOB, hang_up, ""}},
     .expects = {{ALICE, "ringing"}, {BOB, "ended hangup local"}, {ALICE, "ended hangup remote"}}},
    {"two calls, one after the other", .seconds = 30,
     .cues = {{0, BOB, answer_always, ""},
              {0, ALICE, call, BOB_BARE},
              {9000, ALICE, hang_up, ""},
              {12000, BOB, hang_up, ""},
              {13000, ALICE, call, BOB_JID},
              {22000, BOB, hang_up, ""}},
     .expects = {{ALICE, "ended hangup local"},
                 {BOB, "ended hangup remote"},
                 {BOB, "ended hangup local"},
                 {ALICE, "ended hangup remote"}}},
    {"answered at once",
     .cues = {{0, BOB, answer_always, ""},
              {100, ALICE, call, BOB_BARE},
              {12000, ALICE, hang_up, ""}},
     .expects = {{BOB, "ended hangup remote"}}},
    {"over half a second of signalling", .signalling = {.delay = MS(250)},
     .cues = {{0, ALICE, call, BOB_BARE}, {3000, BOB, answer, ""}, {15000, ALICE, hang_up, ""}},
     .expects = {{BOB, "ended hangup remote"}}},
    {"over a bad line",
     .media = {.delay = MS(80), .shape = NETWORK_JITTER_NORMAL, .jitter = MS(20), .loss = 0.1},
     .cues = {{0, ALICE, call, BOB_BARE}, {2000, BOB, answer, ""}, {15000, ALICE, hang_up, ""}},
     .expects = {{BOB, "ended hangup remote"}}},

    /* that come to nothing */
    {"declined", .silent = true, .cues = {{0, ALICE, call, BOB_BARE}, {2000, BOB, decline, ""}},
     .expects = {{ALICE, "ended declined remote"}, {BOB, "ended declined local"}}},
    {"declined without message initiation", .silent = true,
     .cues = {{0, ALICE, call_directly, BOB_JID}, {2000, BOB, decline, ""}},
     .expects = {{ALICE, "ended declined remote"}, {BOB, "ended declined local"}}},
    {"busy", .silent = true, .cues = {{0, ALICE, call, BOB_BARE}, {2000, BOB, say_busy, ""}},
     .expects = {{ALICE, "ended busy remote"}}},
    {"canceled while it rings", .silent = true,
     .cues = {{0, ALICE, call, BOB_BARE}, {3000, ALICE, hang_up, ""}},
     .expects = {{ALICE, "ended canceled local"}, {BOB, "ended canceled remote"}}},
    {"canceled before it rings", .silent = true,
     .cues = {{0, ALICE, call, BOB_BARE}, {10, ALICE, hang_up, ""}},
     .expects = {{ALICE, "ended canceled local"}, {BOB, "!connected"}}},
    {"canceled while it is answered", .silent = true,
     .cues = {{0, ALICE, call, BOB_BARE}, {3000, BOB, answer, ""}, {3010, ALICE, hang_up, ""}},
     .expects = {{ALICE, "ended canceled local"}, {BOB, "!ended declined local"}}},
    {"nobody answers", .seconds = 70, .silent = true, .cues = {{0, ALICE, call, BOB_BARE}},
     .expects = {{ALICE, "ended no-answer local"}, {BOB, "!connected"}}},
    {"nobody answers without message initiation", .seconds = 70, .silent = true,
     .cues = {{0, ALICE, call_directly, BOB_JID}},
     .expects = {{ALICE, "ended no-answer local"}, {BOB, "!connected"}}},
    {"the callee goes offline while it rings", .silent = true,
     .cues = {{0, ALICE, call, BOB_JID}, {3000, BOB, drop, ""}},
     .expects = {{ALICE, "ended gone remote"}}},
    {"nobody of that name", .silent = true, .cues = {{0, ALICE, call, "nobody@example.org"}},
     .expects = {{ALICE, "ended unreachable remote"}}},
    {"the caller is not connected", .silent = true,
     .cues = {{0, ALICE, drop, ""}, {1000, ALICE, call, BOB_BARE}},
     .expects = {{ALICE, "cannot call: There is no connection to the server now."},
                 {BOB, "!ringing"}}},
    {"a stranger does not ring", .silent = true, .online = BIT(MALLORY) | BIT(BOB),
     .cues = {{0, MALLORY, call, BOB_BARE}},
     .expects = {{BOB, "!incoming mallory@example.org/phone"}}},
    {"a propose that comes hours late", .silent = true, .cues = {{0, ALICE, send, PROPOSE_LATE}},
     .expects = {{BOB, "missed " ALICE_JID}, {BOB, "!incoming " ALICE_JID}}},

    /* several devices */
    {"two devices ring and one answers", .online = BIT(ALICE) | BIT(BOB) | BIT(POCKET),
     .cues = {{0, ALICE, call, BOB_BARE}, {2000, BOB, answer, ""}, {12000, ALICE, hang_up, ""}},
     .expects = {{POCKET, "incoming " ALICE_JID},
                 {POCKET, "ended elsewhere local"},
                 {POCKET, "!connected"},
                 {BOB, "ended hangup remote"}}},
    {"two devices ring and one declines", .silent = true,
     .online = BIT(ALICE) | BIT(BOB) | BIT(POCKET),
     .cues = {{0, ALICE, call, BOB_BARE}, {2000, BOB, decline, ""}},
     .expects = {{ALICE, "ended declined remote"}, {POCKET, "ended elsewhere local"}}},
    {"two devices ring and the caller cancels", .silent = true,
     .online = BIT(ALICE) | BIT(BOB) | BIT(POCKET),
     .cues = {{0, ALICE, call, BOB_BARE}, {2000, ALICE, hang_up, ""}},
     .expects = {{BOB, "ended canceled remote"}, {POCKET, "ended canceled remote"}}},
    {"two devices answer at the same time", .seconds = 45,
     .online = BIT(ALICE) | BIT(BOB) | BIT(POCKET),
     .cues = {{0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {2005, POCKET, answer, ""},
              {12000, ALICE, hang_up, ""}},
     .expects = {{ALICE, "accepted"}, {BOB, "connected"}, {POCKET, "!connected"}}},
    {"the caller's other device stays quiet", .online = BIT(ALICE) | BIT(BOB) | BIT(TABLET),
     .cues = {{0, ALICE, call, BOB_BARE}, {2000, BOB, answer, ""}, {12000, ALICE, hang_up, ""}},
     .expects = {{TABLET, "!connected"},
                 {TABLET, "!incoming " ALICE_JID},
                 {BOB, "ended hangup remote"}}},
    {"a third person calls during a call", .online = BIT(ALICE) | BIT(BOB) | BIT(CAROL),
     .cues = {{0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {6000, CAROL, call, BOB_BARE},
              {12000, ALICE, hang_up, ""}},
     .expects = {{CAROL, "ended busy remote"},
                 {BOB, "ended hangup remote"},
                 {ALICE, "ended hangup local"}}},

    /* at the same time */
    {"both call each other",
     .cues = {{0, ALICE, answer_always, ""},
              {0, BOB, answer_always, ""},
              {100, ALICE, call, BOB_BARE},
              {110, BOB, call, "alice@example.org"}},
     .expects = {{ALICE, "connected"}, {BOB, "connected"}}},
    {"both hang up at the same time",
     .cues = {{0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {12000, ALICE, hang_up, ""},
              {12005, BOB, hang_up, ""}},
     .expects = {{ALICE, "ended hangup local"}, {BOB, "ended hangup local"}}},

    /* in the call */
    {"hold and resume", .seconds = 25,
     .cues = {{0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {6000, ALICE, hold, ""},
              {9000, ALICE, unhold, ""},
              {16000, ALICE, hang_up, ""}},
     .expects = {{BOB, "info hold"}, {BOB, "info unhold"}, {BOB, "ended hangup remote"}}},
    {"mute is told",
     .cues = {{0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {9000, ALICE, mute, ""},
              {14000, ALICE, hang_up, ""}},
     .expects = {{BOB, "info mute"}}},
    {"digits in a call",
     .cues = {{0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {6000, ALICE, press, "1#"},
              {14000, ALICE, hang_up, ""}},
     .expects = {{BOB, "digit 1 100 ms"}, {BOB, "digit # 100 ms"}}},
    {"candidates trickle",
     .cues = {{0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {3000, ALICE, trickle, "192.0.2.7"},
              {3500, BOB, trickle, "2001:db8::1"},
              {14000, ALICE, hang_up, ""}},
     .expects = {{BOB, "ended hangup remote"}}},

    /* with video */
    {"a call with video",
     .cues = {{0, ALICE, have_video, ""},
              {0, BOB, have_video, ""},
              {0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {12000, ALICE, hang_up, ""}},
     .expects = {{ALICE, "negotiated opus"},
                 {ALICE, "negotiated VP8"},
                 {BOB, "negotiated VP8"},
                 {BOB, "ended hangup remote"}}},
    {"video without message initiation",
     .cues = {{0, ALICE, have_video, ""},
              {0, BOB, have_video, ""},
              {0, ALICE, call_directly, BOB_JID},
              {2000, BOB, answer, ""},
              {12000, BOB, hang_up, ""}},
     .expects = {{ALICE, "negotiated VP8"}, {BOB, "negotiated VP8"}}},
    {"of sound and video the sound is taken",
     .cues = {{0, ALICE, have_video, ""},
              {0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {12000, ALICE, hang_up, ""}},
     .expects = {{ALICE, "negotiated opus"},
                 {ALICE, "refused declined"},
                 {ALICE, "!negotiated VP8"},
                 {BOB, "ended hangup remote"}}},
    {"video is added and taken away",
     .cues = {{0, BOB, have_video, ""},
              {0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {4000, ALICE, add_video, ""},
              {6000, ALICE, remove_video, ""},
              {12000, ALICE, hang_up, ""}},
     .expects = {{BOB, "offered video"},
                 {ALICE, "negotiated VP8"},
                 {BOB, "negotiated VP8"},
                 {BOB, "removed video"},
                 {BOB, "ended hangup remote"}}},
    {"video is added by the callee and taken away by the caller",
     .cues = {{0, ALICE, have_video, ""},
              {0, BOB, have_video, ""},
              {0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {3000, ALICE, remove_video, ""},
              {4000, BOB, add_video, ""},
              {6000, ALICE, remove_video, ""},
              {7000, ALICE, add_video, ""},
              {8000, BOB, mute_video, ""},
              {12000, ALICE, hang_up, ""}},
     .expects = {{ALICE, "offered video"},
                 {BOB, "offered video"},
                 {ALICE, "info mute video"},
                 {BOB, "ended hangup remote"}}},
    {"video that is added is refused",
     .cues = {{0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {4000, ALICE, add_video, ""},
              {6000, BOB, refuse_video, ""},
              {12000, ALICE, hang_up, ""}},
     .expects = {{BOB, "offered video"},
                 {ALICE, "refused declined"},
                 {ALICE, "!negotiated VP8"},
                 {BOB, "ended hangup remote"}}},
    {"video that nobody takes is taken back", .seconds = 80,
     .cues = {{0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {4000, ALICE, add_video, ""},
              {75000, ALICE, hang_up, ""}},
     .expects = {{ALICE, "refused no-answer"},
                 {BOB, "removed video"},
                 {BOB, "ended hangup remote"}}},
    {"video is taken back while it is taken",
     .cues = {{0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {4000, ALICE, add_video, ""},
              {6000, BOB, take_video, ""},
              {6010, ALICE, remove_video, ""},
              {12000, ALICE, hang_up, ""}},
     .expects = {{BOB, "negotiated VP8"},
                 {BOB, "removed video"},
                 {ALICE, "!negotiated VP8"},
                 {BOB, "ended hangup remote"}}},
    {"both add video at the same time",
     .cues = {{0, ALICE, have_video, ""},
              {0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {2900, BOB, have_video, ""},
              {4000, ALICE, add_video, ""},
              {4010, BOB, add_video, ""},
              {12000, ALICE, hang_up, ""}},
     .expects = {{BOB, "refused replaced"},
                 {BOB, "offered video"},
                 {ALICE, "!offered video"},
                 {ALICE, "negotiated VP8"},
                 {BOB, "negotiated VP8"},
                 {BOB, "ended hangup remote"}}},
    {"both take video away at the same time",
     .cues = {{0, ALICE, have_video, ""},
              {0, BOB, have_video, ""},
              {0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {6000, ALICE, remove_video, ""},
              {6010, BOB, remove_video, ""},
              {12000, ALICE, hang_up, ""}},
     .expects = {{ALICE, "!removed video"}, {BOB, "!removed video"}, {BOB, "ended hangup remote"}}},
    {"video and hold", .seconds = 25,
     .cues = {{0, BOB, have_video, ""},
              {0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {5000, ALICE, hold, ""},
              {6000, ALICE, add_video, ""},
              {8000, ALICE, unhold, ""},
              {8010, BOB, remove_video, ""},
              {16000, ALICE, hang_up, ""}},
     .expects = {{BOB, "info hold"},
                 {BOB, "info unhold"},
                 {ALICE, "negotiated VP8"},
                 {ALICE, "removed video"}}},
    {"hang-up while video is added",
     .cues = {{0, BOB, have_video, ""},
              {0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {12000, ALICE, add_video, ""},
              {12010, BOB, hang_up, ""}},
     .expects = {{ALICE, "ended hangup remote"}, {ALICE, "!negotiated VP8"}}},
    {"video is added while the other is offline", .seconds = 30,
     .cues = {{0, BOB, have_video, ""},
              {0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {6000, BOB, drop, ""},
              {7000, ALICE, add_video, ""},
              {9000, BOB, come_back, ""},
              {12000, ALICE, add_video, ""},
              {20000, ALICE, hang_up, ""}},
     .expects = {{ALICE, "refused no-answer"},
                 {ALICE, "negotiated VP8"},
                 {BOB, "ended hangup remote"}}},
    {"the connection breaks while video is added", .seconds = 30,
     .cues = {{0, BOB, have_video, ""},
              {0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {6000, ALICE, add_video, ""},
              {6001, ALICE, drop, ""},
              {9000, ALICE, come_back, ""},
              {20000, ALICE, hang_up, ""}},
     .expects = {{BOB, "offered video"}, {BOB, "ended hangup remote"}}},

    /* what breaks */
    {"the server stops and the sound goes on", .seconds = 30,
     .cues = {{0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {6000, ALICE, server_stops, ""},
              {20000, ALICE, come_back, ""},
              {20500, BOB, come_back, ""},
              {25000, ALICE, hang_up, ""}},
     .expects = {{ALICE, "ended hangup local"},
                 {ALICE, "!ended connection-lost local"},
                 {BOB, "!ended connection-lost local"}}},
    {"hang-up while the server is away",
     .cues = {{0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {6000, ALICE, server_stops, ""},
              {12000, ALICE, hang_up, ""}},
     .expects = {{ALICE, "ended hangup local"}, {BOB, "bye"}, {BOB, "ended hangup local"}}},
    {"a short loss of one's connection", .seconds = 25,
     .cues = {{0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {6000, BOB, drop, ""},
              {8000, BOB, come_back, ""},
              {16000, ALICE, hang_up, ""}},
     .expects = {{ALICE, "ended hangup local"}, {BOB, "ended hangup remote"}}},
    {"the callee is killed", .seconds = 30,
     .cues = {{0, ALICE, call, BOB_BARE}, {2000, BOB, answer, ""}, {9000, BOB, die, ""}},
     .expects = {{ALICE, "ended connection-lost local"}}},
    {"the media stops for three seconds", .seconds = 25,
     .cues = {{0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {7000, ALICE, media_outage, "3000"},
              {7000, BOB, media_outage, "3000"},
              {18000, ALICE, hang_up, ""}},
     .expects = {{ALICE, "ended hangup local"}, {BOB, "ended hangup remote"}}},
    {"the media stops for good", .seconds = 30,
     .cues = {{0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {9000, ALICE, media_outage, "60000"},
              {9000, BOB, media_outage, "60000"}},
     .expects = {{ALICE, "!ended hangup local"}, {BOB, "!ended hangup local"}}},

    /* hostile stanzas while the sound goes on */
    {"nonsense from the peer",
     .cues = {{0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {4000, ALICE, send, JINGLE("action='session-accept' sid='none'", "")},
              {4100, ALICE, send, JINGLE("action='warp' sid='x'", "")},
              {4200, ALICE, send, JINGLE("", "")},
              {4300, ALICE, send, JINGLE("action='session-initiate' sid=''", "<content/>")},
              {4400, ALICE, send,
               "<iq to='" BOB_JID "' type='set' id='1'><jingle xmlns='urn:x'/></iq>"},
              {12000, ALICE, hang_up, ""}},
     .expects = {{BOB, "ended hangup remote"}, {BOB, "incoming " ALICE_JID}}},
    {"a stranger ends the call of others", .online = BIT(ALICE) | BIT(BOB) | BIT(MALLORY),
     .cues = {{0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {5000, MALLORY, send, JINGLE("action='session-terminate' sid='a'", "")},
              {6000, MALLORY, send_huge, BOB_JID},
              {12000, ALICE, hang_up, ""}},
     .expects = {{BOB, "ended hangup remote"}, {ALICE, "ended hangup local"}}},
    {"a quarter of a megabyte in the call",
     .cues = {{0, ALICE, call, BOB_BARE},
              {2000, BOB, answer, ""},
              {5000, ALICE, send_huge, BOB_JID},
              {12000, ALICE, hang_up, ""}},
     .expects = {{BOB, "ended hangup remote"}}},
};

#define STORY_COUNT (sizeof stories / sizeof *stories)

/* --- how they are told -- */

static int16_t *speech;
static size_t speech_samples;

static int load_speech(void **state)
{
    (void)state;
    speech = speech_load(&speech_samples);
    return speech ? 0 : -1;
}

static int free_speech(void **state)
{
    (void)state;
    free(speech);
    return 0;
}

static struct network_config or_near(const struct network_config *config)
{
    struct network_config near = {.delay = MS(25)};
    return config->delay ? *config : near;
}

static void tell(struct town *town, const struct story *story, uint64_t seed, FILE *log)
{
    struct town_config config = {.signalling = or_near(&story->signalling),
                                 .media = or_near(&story->media)};
    unsigned online = story->online ? story->online : BIT(ALICE) | BIT(BOB);
    town_open(town, seed, &config, jids, EVERYBODY, roster, speech, speech_samples, log);
    for (int i = 0; i < EVERYBODY; i++) {
        if (online & BIT(i)) {
            phone_online(&town->phones[i]);
        }
    }
    town_run(town, town->now + LOGIN_TIME);
    usec begin = town->now;
    for (size_t i = 0; i < CUES_MAX && story->cues[i].act; i++) {
        const struct cue *cue = &story->cues[i];
        town_run(town, begin + MS((usec)cue->at_ms));
        cue->act(&town->phones[cue->who], cue->text);
    }
    town_run(town, begin + (usec)(story->seconds ? story->seconds : 20) * USEC_PER_SEC);
}

static void judge(const struct town *town, const struct story *story)
{
    for (size_t i = 0; i < EXPECTS_MAX && story->expects[i].event; i++) {
        const struct expectation *expected = &story->expects[i];
        const struct phone *phone = &town->phones[expected->who];
        bool never = expected->event[0] == '!';
        size_t seen = phone_saw(phone, expected->event + never);
        if (seen == !never) {
            continue;
        }
        for (size_t n = 0; n < phone->event_count; n++) {
            print_message("  %s was told: %s\n", jids[expected->who], phone->events[n]);
        }
        fail_msg("%s was told '%s' %zu times", jids[expected->who], expected->event + never, seen);
    }
    for (int i = ALICE; i <= BOB; i++) {
        double heard = phone_heard(&town->phones[i]);
        if (story->silent ? heard > 0 : heard < AUDIBLE) {
            fail_msg("%s heard %.2f s", jids[i], heard);
        }
    }
}

static uint64_t seed_of_run(void)
{
    const char *text = getenv("SIM_SEED");
    return text ? strtoull(text, NULL, 10) : SEED;
}

static void test_story(void **state)
{
    const struct story *story = *state;
    struct town *town = malloc(sizeof *town);
    tell(town, story, seed_of_run(), getenv("SIM_LOG") ? stdout : NULL);
    judge(town, story);
    town_close(town);
    free(town);
}

static char *log_of(const struct story *story, uint64_t seed)
{
    char *text = NULL;
    size_t size = 0;
    FILE *log = open_memstream(&text, &size);
    struct town *town = malloc(sizeof *town);
    tell(town, story, seed, log);
    for (int i = ALICE; i <= BOB; i++) {
        fprintf(log, "%s %.6f %016" PRIx64 "\n", jids[i], phone_heard(&town->phones[i]),
                town->phones[i].party.sound_hash);
    }
    town_close(town);
    free(town);
    fclose(log);
    return text;
}

static void test_one_seed_gives_one_log(void **state)
{
    (void)state;
    const struct story *story = &stories[6]; /* over a bad line */
    char *first = log_of(story, 5);
    char *again = log_of(story, 5);
    char *other = log_of(story, 6);
    assert_true(strlen(first) > 100);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    free(first);
    free(again);
    free(other);
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[STORY_COUNT + 1];
    for (size_t i = 0; i < STORY_COUNT; i++) {
        tests[i] = (struct CMUnitTest){
            .name = stories[i].name, .test_func = test_story, .initial_state = (void *)&stories[i]};
    }
    tests[STORY_COUNT] = (struct CMUnitTest)cmocka_unit_test(test_one_seed_gives_one_log);
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, load_speech, free_speech);
}
