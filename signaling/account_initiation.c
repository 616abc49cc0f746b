/* Message initiation (XEP-0353) of an account's calls. */
#include "signaling/account_call_state.h"

#include <string.h>

#include "signaling/jid.h"

/* What we have not sent yet nobody knows of. If it went out now, both calls would be answered. */
static void replace_undecided(struct account *account, const char *peer)
{
    GList *calls = g_list_copy(account->calls.head);
    for (GList *item = calls; item; item = item->next) {
        struct account_call *call = item->data;
        if (!call->ended && call->deciding && jid_equal_bare(call->peer, peer))
            account_call_replace(call, account->now);
    }
    g_list_free(calls);
}

static void on_proposal_came(struct account *account, const struct initiation_event *event)
{
    replace_undecided(account, event->peer);
    struct account_call *call = account_call_new(account, event->peer, false);
    call->by_message = true;
    call->proposal = event->proposal;
    call->proposes_audio = event->u.incoming.audio;
    call->proposes_video = event->u.incoming.video;
    account_call_set_text(&call->sid, event->sid);
    proposal_set_user(event->proposal, call);
    account_call_tell_incoming(call, event->u.incoming.audio, event->u.incoming.video,
                               event->u.incoming.when);
}

static void on_missed(struct account *account, const struct initiation_event *event)
{
    char *name = account_display_name(account, event->peer);
    struct account_event told = {
        .type = ACCOUNT_EVENT_MISSED,
        .u.incoming = {.from = event->peer,
                       .name = name,
                       .sid = event->sid,
                       .audio = event->u.incoming.audio,
                       .video = event->u.incoming.video,
                       .on_roster = roster_find(account->roster, event->peer) != NULL,
                       .encrypted = true,
                       .when = event->u.incoming.when},
    };
    account_tell(account, &told);
    g_free(name);
}

static void on_proceed(struct account_call *call, const struct initiation_event *event)
{
    call->proposal = NULL; /* freed after this */
    account_call_initiate(call, event->peer, event->sid, call->account->now);
    /* Gateways proceed before the telephone rings: the answer is their session-accept. */
    if (!call->ended && call->rings)
        account_call_tell_accepted(call);
}

/* Servers bounce alike for those who are not online and those who do not exist; whose presence we
 * are shown does exist. */
static jingle_reason meaning(const struct account_call *call, const struct initiation_event *event)
{
    jingle_reason reason = event->u.ended.reason;
    bool bounced = reason == JINGLE_REASON_OFFLINE && event->u.ended.by == JINGLE_PARTY_REMOTE;
    if (bounced && !account_shares_presence(call->account, call->peer))
        return JINGLE_REASON_UNREACHABLE;
    return reason;
}

static void on_initiation_event(void *user, const struct initiation_event *event)
{
    struct account *account = user;
    struct account_call *call = event->proposal ? proposal_user(event->proposal) : NULL;
    switch (event->type) {
    case INITIATION_EVENT_INCOMING:
        on_proposal_came(account, event);
        break;
    case INITIATION_EVENT_MISSED:
        on_missed(account, event);
        break;
    case INITIATION_EVENT_RINGING:
        if (call)
            account_call_rings_at(call, event->peer);
        break;
    case INITIATION_EVENT_PROCEED:
        if (call)
            on_proceed(call, event);
        break;
    case INITIATION_EVENT_ENDED:
        if (!call)
            break;
        call->proposal = NULL;
        account_call_finish(call, meaning(call, event), event->u.ended.by, event->u.ended.text);
        break;
    }
}

static void on_initiation_send(void *user, const xml_node *message)
{
    struct account *account = user;
    posted_add(account->posted, message, account->now);
    account_send(account, xml_copy(message));
}

void account_calls_init(struct account *account)
{
    struct initiation_config config = {
        .id_prefix = account->id_prefix,
        .ring_timeout = account->ring_timeout,
        .random = account->random,
        .log = account->log,
    };
    struct initiation_hooks hooks = {
        .user = account, .send = on_initiation_send, .event = on_initiation_event};
    account->initiation = initiation_new(&config, &hooks);
    g_queue_init(&account->calls);
    g_queue_init(&account->ended);
    account->posted = posted_new();
}

/* XEP-0353 knows a tie of two proposals only. A session-initiate of ours to the device that now
 * proposes is further on, so it wins at both ends. */
static bool crosses_session(const struct account *account, const char *from)
{
    for (GList *item = account->calls.head; item; item = item->next) {
        const struct account_call *call = item->data;
        if (call->session && account_call_is_crossed(call, from))
            return true;
    }
    return false;
}

/* XEP-0353, 3.6: a session that they ended, terminated or not: Monal says nothing else when the
 * call goes on with another device of ours. */
static void end_finished(struct account *account, const struct stanza *message,
                         const xml_node *element)
{
    const char *sid = xml_attribute(element, "id");
    struct account_call *call = NULL;
    if (sid && strcmp(xml_name(element), "finish") == 0)
        call = account_call_find(account, message->from, sid);
    if (!call)
        return;
    struct reason reason;
    initiation_reason(&reason, element);
    session_finished(call->session, &reason);
}

void account_receive_kept_message(struct account *account, const struct stanza *message,
                                  int64_t when, usec now)
{
    struct initiation_arrival arrival = {
        .origin = ORIGIN_ARCHIVE,
        .trusted = message->from && account_is_trusted(account, message->from),
        .wall = account->hooks.wall(account->hooks.user),
        .archived = when,
    };
    if (!account->no_calls)
        initiation_receive(account->initiation, message, &arrival, now);
}

void account_receive_message(struct account *account, const struct stanza *message,
                             enum initiation_origin origin, usec now)
{
    bool trusted = message->from && account_is_trusted(account, message->from);
    struct initiation_arrival arrival = {
        .origin = origin,
        .trusted = trusted,
        .wall = account->hooks.wall(account->hooks.user),
        .crosses_session = message->from && crosses_session(account, message->from),
    };
    const xml_node *element = initiation_element(message->node);
    bool spoken = element && message->from && origin != ORIGIN_CARBON_SENT &&
                  strcmp(message->type, "error") != 0;
    if (spoken && xml_attribute(element, "id"))
        posted_arrived(account->posted, message->from, xml_attribute(element, "id"));
    if (spoken && origin == ORIGIN_DIRECT)
        end_finished(account, message, element);
    if (spoken && trusted) {
        char *bare = jid_bare(message->from);
        account_remember_initiation(account, bare);
        g_free(bare);
    }
    if (origin == ORIGIN_DIRECT &&
        (strcmp(message->type, "chat") == 0 || strcmp(message->type, "headline") == 0))
        account_learn_nick(account, message);
    char *nick = spoken && trusted ? display_name_nick(message->node) : NULL;
    account->nick = nick;
    if (!account->no_calls) /* a device that takes calls may still ring */
        initiation_receive(account->initiation, message, &arrival, now);
    account->nick = NULL;
    g_free(nick);
}
