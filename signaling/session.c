#include "signaling/session.h"

#include <glib.h>
#include <string.h>

#include "signaling/jid.h"
#include "signaling/session_state.h"

/* So many contents are remembered, those that are gone included, before these are forgotten. */
#define CONTENTS_KEPT ((size_t)(2 * JINGLE_CONTENTS_MAX))

/* The action is kept in the low bits of a tag, so that an answer needs no table. */
#define TAG_ACTION_BITS 4
#define TAG_ACTION_MASK ((1u << TAG_ACTION_BITS) - 1)
/* How long a peer that is away for a moment is given, and how often. */
#define RETELL_AFTER   (2 * USEC_PER_SEC)
#define RETELLINGS_MAX 6

_Static_assert(ACTION_COUNT <= TAG_ACTION_MASK + 1, "an action fits into a tag");

/* ------------------------------------------------------------------------------ contents -- */

static void forget_removed(struct session *session)
{
    size_t kept = 0;

    for (size_t i = 0; i < session->content_count; i++) {
        struct content *content = session->contents[i];
        if (content->state == CONTENT_REMOVED)
            content_free(content);
        else
            session->contents[kept++] = content;
    }
    session->content_count = kept;
}

struct content *session_add_content(struct session *session, const char *name, enum creator creator)
{
    struct content *content = g_new0(struct content, 1);

    /* Hooks may still read the name of one that is gone. */
    if (session->content_count >= CONTENTS_KEPT && session->telling == 0)
        forget_removed(session);
    if (session_transport(session, name) != NULL)
        content->label = g_strdup_printf("%s %u", name, ++session->labels);
    session->contents = g_renew(struct content *, session->contents, session->content_count + 1);
    session->contents[session->content_count++] = content;
    content->name = g_strdup(name);
    content->creator = creator;
    content->plain = session->plain;
    content->deadline = USEC_NEVER;
    return content;
}

struct content *session_content(const struct session *session, const char *name)
{
    for (size_t i = 0; i < session->content_count; i++) {
        struct content *content = session->contents[i];
        if (content->state != CONTENT_REMOVED && strcmp(content->name, name) == 0)
            return content;
    }
    return NULL;
}

struct content *session_meant(const struct session *session, const struct jingle_content *in)
{
    struct content *content = session_content(session, in->name);

    return content != NULL && content->crossed && content->creator != in->creator ? NULL : content;
}

bool session_had_content(const struct session *session, const char *name)
{
    for (size_t i = 0; i < session->content_count; i++) {
        if (strcmp(session->contents[i]->name, name) == 0)
            return true;
    }
    return false;
}

size_t session_live_contents(const struct session *session)
{
    size_t count = 0;

    for (size_t i = 0; i < session->content_count; i++)
        count += session->contents[i]->state != CONTENT_REMOVED;
    return count;
}

/* ------------------------------------------------------------------------ life and death -- */

static struct session *session_create(const struct session_config *config,
                                      const struct session_hooks *hooks)
{
    struct session *session = g_new0(struct session, 1);

    session->hooks = *hooks;
    session->log = config->log;
    session->own_jid = g_strdup(config->own_jid);
    session->peer = g_strdup(config->peer);
    session->sid = g_strdup(config->sid);
    session->ring_timeout = config->ring_timeout;
    session->abilities = config->abilities;
    session->video_abilities = config->video_abilities;
    session->plain = config->plain;
    session->deadline = session->retell_at = USEC_NEVER;
    return session;
}

static bool is_voice(const char *media)
{
    return g_ascii_strcasecmp(media, "audio") == 0;
}

struct session *session_new(const struct session_config *config, const struct session_hooks *hooks,
                            const struct session_media *media, size_t count)
{
    struct session *session = session_create(config, hooks);

    session->initiator = true;
    for (size_t i = 0; i < MIN(count, JINGLE_CONTENTS_MAX); i++) {
        if (session->plain && !is_voice(media[i].description->media))
            continue;
        struct content *content = session_add_content(session, media[i].content, CREATOR_INITIATOR);
        content->ours = true;
        content->offerer = true;
        content->senders =
            senders_of(true, media[i].wish != MEDIA_RECEIVE_ONLY, media[i].wish != MEDIA_SEND_ONLY);
        rtp_description_copy(&content->local, media[i].description);
        if (session->plain) {
            rtp_description_strip(&content->local);
            break;
        }
        jingle_group_add(&session->bundle, content->name);
        content_ride(content, session->contents[0]);
    }
    return session;
}

/* In a bundle only the first must have a transport: the others may go without (XEP-0338). */
static bool may_ride(const struct session *session, const struct jingle_iq *iq,
                     const struct jingle_content *offered)
{
    return !session->plain && jingle_group_has(&iq->bundle, offered->name) &&
           strcmp(iq->bundle.names[0], offered->name) != 0 && *offered->ice.ufrag == '\0' &&
           jingle_iq_content(iq, iq->bundle.names[0]) != NULL;
}

static void keep_offer(struct session *session, const struct jingle_iq *iq)
{
    for (size_t i = 0; i < iq->content_count; i++) {
        const struct jingle_content *offered = &iq->contents[i];
        struct ice_udp_transport fresh = {0};
        struct content *content = session_add_content(session, offered->name, offered->creator);
        bool rides = may_ride(session, iq, offered);
        const struct jingle_content *carrier =
            rides ? jingle_iq_content(iq, iq->bundle.names[0]) : offered;
        content->senders = offered->senders;
        if (content_fault(session, offered, rides) != REASON_NONE)
            content->state = CONTENT_REFUSED;
        if (offered->application == APPLICATION_RTP)
            rtp_description_copy(&content->remote, &offered->rtp);
        content_merge(content, &carrier->ice, &fresh);
        ice_udp_clear(&fresh);
    }
    for (size_t i = 0; !session->plain && i < iq->bundle.count; i++)
        jingle_group_add(&session->bundle, iq->bundle.names[i]);
}

/* An offer is encrypted or not. One that has both might be another one whose fingerprints somebody
 * on the way took out. */
static enum reason_condition judge_encryption(struct session *session, const struct jingle_iq *iq)
{
    bool encrypted = false;
    bool plain = false;

    if (!session->plain)
        return REASON_NONE;
    for (size_t i = 0; i < iq->content_count; i++)
        encrypted = encrypted || content_names_encryption(&iq->contents[i]);
    session->plain = !encrypted;
    for (size_t i = 0; encrypted && i < iq->content_count; i++) {
        const struct jingle_content *offered = &iq->contents[i];
        plain = plain || (offered->application == APPLICATION_RTP &&
                          !content_names_encryption(offered) && !may_ride(session, iq, offered));
    }
    return plain ? REASON_SECURITY_ERROR : REASON_NONE;
}

/* REASON_NONE if at least one content could be accepted, else the fault of the first. */
static enum reason_condition offer_fault(const struct session *session, const struct jingle_iq *iq)
{
    enum reason_condition first = REASON_NONE;

    for (size_t i = 0; i < iq->content_count; i++) {
        const struct jingle_content *offered = &iq->contents[i];
        enum reason_condition fault =
            content_offer_fault(session, offered, may_ride(session, iq, offered));
        if (fault == REASON_NONE)
            return REASON_NONE;
        first = i == 0 ? fault : first;
    }
    return first;
}

struct session *session_new_incoming(const struct session_config *config,
                                     const struct session_hooks *hooks, const struct jingle_iq *iq,
                                     usec now)
{
    struct session *session = session_create(config, hooks);
    enum reason_condition fault = judge_encryption(session, iq);

    if (fault == REASON_NONE)
        fault = offer_fault(session, iq);
    session->state = SESSION_PENDING;
    session->named = iq->initiator != NULL;
    session->initiate_acked = true;
    session->deadline = now + session->ring_timeout;
    keep_offer(session, iq);
    session->hooks.answer(session->hooks.user, session, NULL);
    if (fault == REASON_NONE)
        return session;
    log_warning(session->log, "An offer of %s is refused: %s", session->peer,
                reason_condition_name(fault));
    struct jingle_iq terminate;
    jingle_iq_init(&terminate, ACTION_SESSION_TERMINATE, session->sid);
    terminate.reason.condition = fault;
    session_send(session, &terminate);
    session->state = SESSION_ENDED;
    session->deadline = USEC_NEVER;
    return session;
}

void session_free(struct session *session)
{
    if (session == NULL)
        return;
    for (size_t i = 0; i < session->content_count; i++)
        content_free(session->contents[i]);
    jingle_group_clear(&session->bundle);
    g_free(session->contents);
    g_free(session->own_jid);
    g_free(session->peer);
    g_free(session->sid);
    g_free(session);
}

void session_tell(struct session *session, const struct session_event *event)
{
    if (session->state == SESSION_ENDED && event->type != SESSION_EVENT_ENDED)
        return;
    session->telling++;
    session->hooks.event(session->hooks.user, session, event);
    session->telling--;
}

void session_tell_ended(struct session *session, jingle_reason reason, jingle_party by,
                        const char *text)
{
    struct session_event event = {.type = SESSION_EVENT_ENDED};

    if (session->state == SESSION_ENDED)
        return;
    session->state = SESSION_ENDED;
    session->deadline = USEC_NEVER;
    event.u.ended.reason = reason;
    event.u.ended.by = by;
    event.u.ended.text = text;
    session_tell(session, &event);
}

enum session_progress session_progress(const struct session *session)
{
    if (session->connected)
        return PROGRESS_CONNECTED;
    return session->state == SESSION_ACTIVE ? PROGRESS_ACCEPTED : PROGRESS_PENDING;
}

void session_end_with(struct session *session, jingle_reason reason,
                      enum reason_condition condition)
{
    struct jingle_iq iq;

    if (session->state == SESSION_PENDING || session->state == SESSION_ACTIVE) {
        jingle_iq_init(&iq, ACTION_SESSION_TERMINATE, session->sid);
        iq.reason.condition = condition;
        session_send(session, &iq);
    }
    session_tell_ended(session, reason, JINGLE_PARTY_LOCAL, "");
}

void session_end(struct session *session, jingle_reason reason)
{
    enum session_progress progress = session_progress(session);

    session_end_with(session, reason, reason_to_tell(reason, progress, session->initiator));
}

void session_drop(struct session *session, jingle_reason reason, jingle_party by)
{
    session_tell_ended(session, reason, by, "");
}

/* ----------------------------------------------------------------------- IQs and answers -- */

unsigned session_send(struct session *session, struct jingle_iq *iq)
{
    unsigned tag = (++session->tags << TAG_ACTION_BITS) | (unsigned)iq->action;

    session->hooks.send(session->hooks.user, session, iq, tag);
    jingle_iq_clear(iq);
    return tag;
}

void session_connected(struct session *session)
{
    session->connected = true;
}

jingle_reason session_error_meaning(const struct stanza_error *error)
{
    if (error->jingle == JINGLE_TIE_BREAK)
        return JINGLE_REASON_REPLACED;
    if (error->jingle == JINGLE_UNKNOWN_SESSION)
        return JINGLE_REASON_GONE;
    if (error->jingle == JINGLE_SECURITY_REQUIRED)
        return JINGLE_REASON_SECURITY;
    switch (error->condition) {
    case STANZA_SERVICE_UNAVAILABLE:
    case STANZA_RECIPIENT_UNAVAILABLE:
        return JINGLE_REASON_OFFLINE;
    case STANZA_GONE:
    case STANZA_ITEM_NOT_FOUND:
    case STANZA_JID_MALFORMED:
    case STANZA_REMOTE_SERVER_NOT_FOUND:
    case STANZA_REMOTE_SERVER_TIMEOUT:
        return JINGLE_REASON_UNREACHABLE;
    case STANZA_FEATURE_NOT_IMPLEMENTED:
        return JINGLE_REASON_NO_CALL_SUPPORT;
    case STANZA_FORBIDDEN:
    case STANZA_NOT_ALLOWED:
    case STANZA_NOT_AUTHORIZED:
    case STANZA_SUBSCRIPTION_REQUIRED:
    case STANZA_REGISTRATION_REQUIRED:
    case STANZA_POLICY_VIOLATION:
        return JINGLE_REASON_DECLINED;
    case STANZA_RESOURCE_CONSTRAINT:
        return JINGLE_REASON_BUSY;
    case STANZA_NOT_ACCEPTABLE:
        return JINGLE_REASON_INCOMPATIBLE;
    default:
        return JINGLE_REASON_PROTOCOL;
    }
}

/* The peer may still have the session unless it says that it has none. */
static void setup_failed(struct session *session, const struct stanza_error *error)
{
    jingle_reason reason = session_error_meaning(error);
    bool tell = error->condition == STANZA_REMOTE_SERVER_TIMEOUT ||
                (session->state == SESSION_ACTIVE && reason != JINGLE_REASON_GONE);
    struct jingle_iq iq;

    if (tell) {
        jingle_iq_init(&iq, ACTION_SESSION_TERMINATE, session->sid);
        iq.reason.condition = REASON_FAILED_APPLICATION;
        session_send(session, &iq);
    }
    session_tell_ended(session, reason, JINGLE_PARTY_REMOTE, error->text);
}

static bool says_gone(const struct stanza_error *error)
{
    return error->jingle == JINGLE_UNKNOWN_SESSION || error->condition == STANZA_ITEM_NOT_FOUND ||
           error->condition == STANZA_SERVICE_UNAVAILABLE ||
           error->condition == STANZA_RECIPIENT_UNAVAILABLE;
}

/* Who changes networks has no stream for a moment, and may need just what was said then. */
static void plan_retelling(struct session *session, enum jingle_action action,
                           const struct stanza_error *error, usec now)
{
    bool away = error->condition == STANZA_SERVICE_UNAVAILABLE ||
                error->condition == STANZA_RECIPIENT_UNAVAILABLE ||
                error->condition == STANZA_REMOTE_SERVER_NOT_FOUND ||
                error->condition == STANZA_REMOTE_SERVER_TIMEOUT;

    if (action != ACTION_TRANSPORT_INFO || !away || error->jingle != JINGLE_CONDITION_NONE)
        return;
    for (size_t i = 0; i < session->content_count; i++)
        session->contents[i]->restart_lost = session->contents[i]->restart_sent;
    if (session->retell_at == USEC_NEVER && session->retellings < RETELLINGS_MAX)
        session->retell_at = now + RETELL_AFTER;
}

static void failed(struct session *session, enum jingle_action action,
                   const struct stanza_error *error, usec now)
{
    log_info(session->log, "%s answers our %s with %s %s %s", session->peer,
             jingle_action_name(action), stanza_condition_name(error->condition),
             jingle_condition_name(error->jingle), error->text);
    /* Media flows: whatever the error means, they have had our session-accept. (Their server, back
     * before them, answers for somebody offline.) */
    if (session->connected) {
        plan_retelling(session, action, error, now);
        return;
    }
    if (action == ACTION_SESSION_INITIATE || action == ACTION_SESSION_ACCEPT) {
        setup_failed(session, error);
    } else if (action == ACTION_TRANSPORT_INFO && says_gone(error)) {
        session_tell_ended(session, JINGLE_REASON_GONE, JINGLE_PARTY_REMOTE, error->text);
    }
}

void session_answered(struct session *session, unsigned tag, const struct stanza_error *error,
                      usec now)
{
    enum jingle_action action = (enum jingle_action)(tag & TAG_ACTION_MASK);

    if (session->state == SESSION_ENDED)
        return;
    session_change_answered(session, tag, error);
    if (error != NULL) {
        failed(session, action, error, now);
        return;
    }
    if (action == ACTION_TRANSPORT_INFO)
        session->retellings = 0;
    if (action != ACTION_SESSION_INITIATE)
        return;
    session->initiate_acked = true;
    for (size_t i = 0; i < session->content_count; i++)
        session_flush(session, session->contents[i]);
}

/* -------------------------------------------------------------------------- time and view -- */

usec session_next_deadline(const struct session *session)
{
    usec deadline = MIN(session->deadline, session->retell_at);

    return MIN(deadline, session_changes_deadline(session));
}

void session_tick(struct session *session, usec now)
{
    if (now >= session->deadline)
        session_end(session, JINGLE_REASON_NO_ANSWER);
    if (now >= session->retell_at) {
        session->retell_at = USEC_NEVER;
        session->retellings++;
        session_retell_transports(session);
    }
    session_tick_changes(session, now);
}

enum session_state session_state(const struct session *session)
{
    return session->state;
}

bool session_is_initiator(const struct session *session)
{
    return session->initiator;
}

bool session_is_encrypted(const struct session *session)
{
    return !session->plain;
}

const char *session_sid(const struct session *session)
{
    return session->sid;
}

const char *session_peer(const struct session *session)
{
    return session->peer;
}

bool session_offers(const struct session *session, const char *media)
{
    for (size_t i = 0; i < session->content_count; i++) {
        const struct content *content = session->contents[i];
        bool wanted = !session->plain || content->state != CONTENT_REFUSED;
        if (wanted && g_ascii_strcasecmp(content_media(content), media) == 0)
            return true;
    }
    return false;
}

bool session_matches(const struct session *session, const char *from, const char *sid)
{
    return session->state != SESSION_NEW && strcmp(session->sid, sid) == 0 &&
           jid_equal(session->peer, from);
}
