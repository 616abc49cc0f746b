/* Jingle stanzas that came: for which call, or whose files, they are, and what those are told that
 * are for none. */
#include "signaling/account_call_state.h"

#include <string.h>

#include "signaling/jid.h"

struct account_call *account_call_find(const struct account *account, const char *from,
                                       const char *sid)
{
    for (GList *item = account->calls.head; item; item = item->next) {
        struct account_call *call = item->data;
        if (call->session && session_matches(call->session, from, sid))
            return call;
    }
    return NULL;
}

static void refuse(struct account *account, const struct stanza *iq,
                   enum stanza_condition condition, enum jingle_condition jingle, const char *why)
{
    struct stanza_error error = stanza_error_make(condition, jingle, why);
    log_warning(account->log, "%s: %s", iq->from ? iq->from : "the server", why);
    account_answer_jingle(account, iq, &error);
}

/* What was proposed and accepted begins. */
static void begin_accepted(struct account_call *call, const char *from, const struct jingle_iq *iq,
                           usec now)
{
    call->proposal = NULL;
    account_call_set_text(&call->peer, from);
    if (!account_call_begin_session(call, iq, now)) {
        account_call_finish(call, JINGLE_REASON_INCOMPATIBLE, JINGLE_PARTY_LOCAL, "");
        return;
    }
    /* Nobody has agreed to more than was proposed. */
    if ((session_offers(call->session, "audio") && !call->proposes_audio) ||
        (session_offers(call->session, "video") && !call->proposes_video)) {
        session_end(call->session, JINGLE_REASON_SECURITY);
        return;
    }
    session_accept(call->session, call->media, call->media_count, now);
}

/* Whoever can encrypt and does not has been talked out of it by somebody on the way. */
static bool may_be_plain(struct account *account, const char *from)
{
    struct device *device = presence_find(account->presence, from);
    if (!account->allow_unencrypted)
        return false;
    if (!device)
        return true;
    account_recall_device(account, device);
    bool known = device->knowledge == DEVICE_KNOWN;
    bool told_soon = device->caps_hash[0] && device->knowledge != DEVICE_SILENT;
    return known ? !(device->capabilities & CAN_DTLS) : !told_soon;
}

static void begin_unannounced(struct account *account, const struct stanza *iq,
                              const struct jingle_iq *jingle, usec now)
{
    struct account_call *call = account_call_new(account, iq->from, false);
    account_call_set_text(&call->sid, jingle->sid);
    call->plain = may_be_plain(account, iq->from);
    bool wanted = !initiation_remembers(account->initiation, iq->from, jingle->sid);
    bool alive = account_call_begin_session(call, jingle, now);
    if (!alive || !wanted) {
        /* As Conversations does: acknowledged, then refused. */
        if (alive)
            session_end(call->session, JINGLE_REASON_DECLINED);
        account_call_finish(call, JINGLE_REASON_DECLINED, JINGLE_PARTY_LOCAL, "");
        return;
    }
    session_send_info(call->session, INFO_RINGING, NULL);
    account_call_tell_incoming(call, session_offers(call->session, "audio"),
                               session_offers(call->session, "video"),
                               account->hooks.wall(account->hooks.user));
}

/* A call of ours that was not answered yet, or not even sent: it is still being decided how, or our
 * transport is missing. */
bool account_call_is_crossed(const struct account_call *call, const char *from)
{
    if (!call->outgoing)
        return false;
    if (!call->session)
        return (call->deciding || call->proposal) && jid_equal_bare(call->peer, from);
    enum session_state state = session_state(call->session);
    return jid_equal(session_peer(call->session), from) &&
           (state == SESSION_NEW || state == SESSION_PENDING);
}

void account_call_replace(struct account_call *call, usec now)
{
    if (call->proposal)
        proposal_end(call->proposal, JINGLE_REASON_REPLACED, JINGLE_PARTY_LOCAL, now);
    account_call_finish(call, JINGLE_REASON_REPLACED, JINGLE_PARTY_LOCAL, "");
}

/* XEP-0166, 7.2.16: the session of ours that this session-initiate crosses. */
static struct account_call *find_crossing(struct account *account, const char *from)
{
    for (GList *item = account->calls.head; item; item = item->next)
        if (account_call_is_crossed(item->data, from))
            return item->data;
    return NULL;
}

/* A session-initiate is further on than what has no session yet: who sent it refuses our propose.
 */
static bool loses_tie(struct account *account, const struct stanza *iq,
                      const struct jingle_iq *jingle, usec now)
{
    struct account_call *ours = find_crossing(account, iq->from);
    struct stanza_error error;
    if (!ours)
        return false;
    if (!ours->session) {
        account_call_replace(ours, now);
        return false;
    }
    if (session_tie_break(ours->session, iq->from, jingle, &error)) {
        account_answer_jingle(account, iq, &error);
        return true;
    }
    session_end(ours->session, JINGLE_REASON_REPLACED);
    return false;
}

static void receive_initiate(struct account *account, const struct stanza *iq,
                             const struct jingle_iq *jingle, usec now)
{
    struct proposal *proposal = initiation_find(account->initiation, iq->from, jingle->sid);
    struct account_call *call = proposal ? proposal_user(proposal) : NULL;
    if (call && initiation_take(account->initiation, iq->from, jingle->sid, now)) {
        begin_accepted(call, iq->from, jingle, now);
    } else if (call) {
        refuse(account, iq, STANZA_UNEXPECTED_REQUEST, JINGLE_OUT_OF_ORDER,
               "session-initiate before the proposal was accepted");
    } else if (account->no_calls) {
        account_refuse_application(account, iq, jingle->sid);
    } else if (g_queue_get_length(&account->calls) >= ACCOUNT_CALLS_MAX) {
        refuse(account, iq, STANZA_RESOURCE_CONSTRAINT, JINGLE_CONDITION_NONE,
               "too many sessions at once");
    } else if (!loses_tie(account, iq, jingle, now)) {
        begin_unannounced(account, iq, jingle, now);
    }
}

static void receive_unknown(struct account *account, const struct stanza *iq,
                            const struct jingle_iq *jingle)
{
    struct stanza_error error;
    bool refused = session_unknown(jingle, &error);
    account_answer_jingle(account, iq, refused ? &error : NULL);
}

static void dispatch(struct account *account, const struct stanza *iq,
                     const struct jingle_iq *jingle, usec now)
{
    struct account_call *call = account_call_find(account, iq->from, jingle->sid);
    posted_arrived(account->posted, iq->from, jingle->sid);
    account->answering = iq;
    bool handled = !call && account_files_receive_jingle(account, iq, jingle, now);
    if (call)
        session_receive(call->session, jingle, now);
    else if (!handled && jingle->action == ACTION_SESSION_INITIATE)
        receive_initiate(account, iq, jingle, now);
    else if (!handled)
        receive_unknown(account, iq, jingle);
    account->answering = NULL;
}

static bool is_in_a_call_with(const struct account *account, const char *jid)
{
    for (GList *item = account->calls.head; item; item = item->next) {
        const struct account_call *call = item->data;
        if (jid_equal_bare(call->peer, jid))
            return true;
    }
    return false;
}

bool account_hides_from(const struct account *account, const char *jid)
{
    return jid && !account_is_trusted(account, jid) && !is_in_a_call_with(account, jid) &&
           !account_has_files_with(account, jid);
}

void account_receive_jingle(struct account *account, const struct stanza *iq,
                            const xml_node *element, usec now)
{
    struct jingle_iq jingle;
    struct stanza_error error;
    if (account_hides_from(account, iq->from)) {
        log_info(account->log, "%s, who is not a contact, hears that nobody is here", iq->from);
        account_say_absent(account, iq);
        return;
    }
    const char *before = answers_find(account->answers, iq);
    if (before) {
        log_debug(account->log, "%s sent %s again", iq->from ? iq->from : "the server", iq->id);
        if (account->online)
            account->hooks.send(account->hooks.user, before, strlen(before));
        return;
    }
    if (!iq->from || !jid_is_device(iq->from) || strcmp(iq->type, "set") != 0) {
        refuse(account, iq, STANZA_BAD_REQUEST, JINGLE_CONDITION_NONE,
               "a Jingle stanza that is no set of a device");
        return;
    }
    if (!jingle_iq_read(&jingle, element, &error)) {
        log_warning(account->log, "%s: malformed Jingle: %s", iq->from, error.text);
        account_answer_jingle(account, iq, &error);
        return;
    }
    dispatch(account, iq, &jingle, now);
    jingle_iq_clear(&jingle);
}
