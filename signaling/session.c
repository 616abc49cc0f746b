#include "signaling/session.h"

#include <glib.h>
#include <string.h>

#include "signaling/jid.h"
#include "signaling/session_state.h"

/* Candidates in one transport-info: few, for some clients take only small stanzas quickly. */
#define CANDIDATES_PER_INFO 8

/* So many contents are remembered, those that are gone included, before these are forgotten. */
#define CONTENTS_KEPT ((size_t)(2 * JINGLE_CONTENTS_MAX))

/* The action is kept in the low bits of a tag, so that an answer needs no table. */
#define TAG_ACTION_BITS 4
#define TAG_ACTION_MASK ((1u << TAG_ACTION_BITS) - 1)
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

static bool all_have_transport(const struct session *session, enum content_state state)
{
    for (size_t i = 0; i < session->content_count; i++) {
        const struct content *content = session->contents[i];
        if (content->state == state && content->carrier == NULL && !content->has_own)
            return false;
    }
    return true;
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
    session->deadline = USEC_NEVER;
    return session;
}

struct session *session_new(const struct session_config *config, const struct session_hooks *hooks,
                            const struct session_media *media, size_t count)
{
    struct session *session = session_create(config, hooks);

    session->initiator = true;
    for (size_t i = 0; i < MIN(count, JINGLE_CONTENTS_MAX); i++) {
        struct content *content = session_add_content(session, media[i].content, CREATOR_INITIATOR);
        content->ours = true;
        content->offerer = true;
        content->senders =
            senders_of(true, media[i].wish != MEDIA_RECEIVE_ONLY, media[i].wish != MEDIA_SEND_ONLY);
        rtp_description_copy(&content->local, media[i].description);
        jingle_group_add(&session->bundle, content->name);
        content_ride(content, session->contents[0]);
    }
    return session;
}

/* In a bundle only the first must have a transport: the others may go without (XEP-0338). */
static bool may_ride(const struct jingle_iq *iq, const struct jingle_content *offered)
{
    return jingle_group_has(&iq->bundle, offered->name) &&
           strcmp(iq->bundle.names[0], offered->name) != 0 && *offered->ice.ufrag == '\0' &&
           jingle_iq_content(iq, iq->bundle.names[0]) != NULL;
}

static void keep_offer(struct session *session, const struct jingle_iq *iq)
{
    for (size_t i = 0; i < iq->content_count; i++) {
        const struct jingle_content *offered = &iq->contents[i];
        struct ice_udp_transport fresh = {0};
        struct content *content = session_add_content(session, offered->name, offered->creator);
        bool rides = may_ride(iq, offered);
        const struct jingle_content *carrier =
            rides ? jingle_iq_content(iq, iq->bundle.names[0]) : offered;
        content->senders = offered->senders;
        if (content_fault(offered, rides) != REASON_NONE)
            content->state = CONTENT_REFUSED;
        if (offered->application == APPLICATION_RTP)
            rtp_description_copy(&content->remote, &offered->rtp);
        content_merge(content, &carrier->ice, &fresh);
        ice_udp_clear(&fresh);
    }
    for (size_t i = 0; i < iq->bundle.count; i++)
        jingle_group_add(&session->bundle, iq->bundle.names[i]);
}

/* REASON_NONE if at least one content could be accepted, else the fault of the first. */
static enum reason_condition offer_fault(const struct session *session, const struct jingle_iq *iq)
{
    enum reason_condition first = REASON_NONE;

    for (size_t i = 0; i < iq->content_count; i++) {
        const struct jingle_content *offered = &iq->contents[i];
        enum reason_condition fault = content_offer_fault(session, offered, may_ride(iq, offered));
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
    enum reason_condition fault = offer_fault(session, iq);

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

/* ------------------------------------------------------------------------------- sending -- */

unsigned session_send(struct session *session, struct jingle_iq *iq)
{
    unsigned tag = (++session->tags << TAG_ACTION_BITS) | (unsigned)iq->action;

    session->hooks.send(session->hooks.user, session, iq, tag);
    jingle_iq_clear(iq);
    return tag;
}

/* The credentials and the fingerprint without the candidates: they belong to the one that carries.
 */
static struct ice_udp_transport credentials_of(const struct ice_udp_transport *transport)
{
    struct ice_udp_transport credentials = *transport;

    credentials.candidates = NULL;
    credentials.candidate_count = 0;
    return credentials;
}

static enum dtls_setup role_of(const struct content *carrier, bool is_offer)
{
    if (is_offer)
        return DTLS_ACTPASS;
    return content_dtls_client(carrier) ? DTLS_ACTIVE : DTLS_PASSIVE;
}

struct jingle_content *session_write_content(struct session *session, struct jingle_iq *iq,
                                             struct content *content, bool is_offer)
{
    struct jingle_content *out = jingle_iq_add(iq, content->name, content->creator);
    struct content *carrier = content_carrier(session, content);

    out->senders = content->senders;
    out->has_senders = true; /* Dino wants it written out */
    out->application = APPLICATION_RTP;
    rtp_description_copy(&out->rtp, &content->local);
    out->transport = TRANSPORT_ICE_UDP;
    if (carrier == content) {
        ice_udp_copy(&out->ice, &content->own);
        content->sent = content->own.candidate_count;
    } else {
        out->ice = credentials_of(&carrier->own);
    }
    out->ice.ice0 = content->theirs.ice0;
    out->ice.fingerprint.setup = role_of(carrier, is_offer);
    return out;
}

void session_write_group(struct jingle_iq *iq, const struct jingle_group *group)
{
    for (size_t i = 0; i < group->count; i++)
        jingle_group_add(&iq->bundle, group->names[i]);
}

static void try_initiate(struct session *session, usec now)
{
    struct jingle_iq iq;

    if (session->state != SESSION_NEW || !session->initiating ||
        !all_have_transport(session, CONTENT_OFFERED))
        return;
    jingle_iq_init(&iq, ACTION_SESSION_INITIATE, session->sid);
    iq.initiator = g_strdup(session->own_jid);
    for (size_t i = 0; i < session->content_count; i++) {
        struct content *content = session->contents[i];
        session_write_content(session, &iq, content, true);
        /* Should the answer not be bundled, these are its credentials. */
        if (content->carrier != NULL)
            content->own = credentials_of(&content_carrier(session, content)->own);
    }
    session_write_group(&iq, &session->bundle);
    session->state = SESSION_PENDING;
    session->deadline = now + session->ring_timeout;
    session_send(session, &iq);
}

void session_initiate(struct session *session, usec now)
{
    session->initiating = true;
    try_initiate(session, now);
}

/* A content that we refuse, in the answer to a BUNDLE offer: Conversations wants the media set of
 * the answer to be that of the offer, and libwebrtc wants as many m-lines. So it stays, sent by
 * nobody, on the transport of the first accepted one. Dino, which answers senders='none' with an
 * error, offers no group: then the content is left out, which it accepts, and removed. */
static bool write_refused(struct jingle_iq *iq, const struct session *session,
                          const struct content *content)
{
    struct rtp_description description;

    if (!jingle_group_has(&session->bundle, content->name) ||
        !negotiate_refusal(&content->remote, &description))
        return false;
    struct jingle_content *out = jingle_iq_add(iq, content->name, content->creator);
    out->senders = SENDERS_NONE;
    out->has_senders = true;
    out->application = APPLICATION_RTP;
    out->rtp = description;
    out->transport = TRANSPORT_ICE_UDP;
    for (size_t i = 0; i < session->content_count; i++) {
        const struct content *accepted = session->contents[i];
        if (accepted->state != CONTENT_AGREED || accepted->carrier != NULL)
            continue;
        out->ice = credentials_of(&accepted->own);
        out->ice.fingerprint.setup = role_of(accepted, false);
        break;
    }
    return true;
}

/* The contents that could not be kept as refused in the answer. */
static void remove_left_out(struct session *session)
{
    for (size_t i = 0; i < session->content_count; i++) {
        struct content *content = session->contents[i];
        struct jingle_iq iq;
        if (content->state != CONTENT_REMOVED)
            continue;
        jingle_iq_init(&iq, ACTION_CONTENT_REMOVE, session->sid);
        jingle_iq_add(&iq, content->name, content->creator);
        iq.reason.condition = REASON_UNSUPPORTED_APPLICATIONS;
        session_send(session, &iq);
    }
}

/* Writes the contents in the order of the offer, for libwebrtc counts them. */
static void write_answer(struct session *session, struct jingle_iq *iq)
{
    for (size_t i = 0; i < session->content_count; i++) {
        struct content *content = session->contents[i];
        if (content->state == CONTENT_AGREED) {
            session_write_content(session, iq, content, false);
        } else if (content->state == CONTENT_REFUSED && !write_refused(iq, session, content)) {
            content->state = CONTENT_REMOVED;
        }
    }
    for (size_t i = 0; i < session->bundle.count; i++) {
        if (jingle_iq_content(iq, session->bundle.names[i]) != NULL)
            jingle_group_add(&iq->bundle, session->bundle.names[i]);
    }
}

static void try_accept(struct session *session)
{
    struct jingle_iq iq;

    if (session->state != SESSION_PENDING || !session->accepting || session->negotiating ||
        !all_have_transport(session, CONTENT_AGREED))
        return;
    session->accepting = false;
    session->state = SESSION_ACTIVE;
    session->deadline = USEC_NEVER;
    jingle_iq_init(&iq, ACTION_SESSION_ACCEPT, session->sid);
    iq.responder = g_strdup(session->own_jid);
    write_answer(session, &iq);
    session_send(session, &iq);
    remove_left_out(session);
}

/* Of the senders that were offered, those that we want; false if nobody is left. */
static bool narrow_senders(const struct session *session, struct content *content,
                           enum media_wish wish)
{
    bool we_send = content_we_send(session, content) && wish != MEDIA_RECEIVE_ONLY;
    bool we_receive = content_we_receive(session, content) && wish != MEDIA_SEND_ONLY;

    content->senders = senders_of(session->initiator, we_send, we_receive);
    return we_send || we_receive;
}

/* A media type, and whether there was one that fits, though without a common codec. An entry is of
 * use once, for it has the ssrc of one stream. */
static bool answer_content(const struct session *session, struct content *content,
                           const struct session_media *media, size_t count, uint64_t *used,
                           bool *media_fits)
{
    for (size_t i = 0; i < MIN(count, 64); i++) {
        const struct rtp_description *local = media[i].description;
        if ((*used >> i & 1) != 0 || content->remote.media == NULL ||
            g_ascii_strcasecmp(local->media, content->remote.media) != 0)
            continue;
        *media_fits = true;
        rtp_description_clear(&content->local);
        if (!negotiate_answer(&content->remote, local, media[i].order, &content->local))
            return false;
        *used |= UINT64_C(1) << i;
        return narrow_senders(session, content, media[i].wish) && content_fits(session, content);
    }
    return false;
}

static bool accept_contents(struct session *session, const struct session_media *media,
                            size_t count, bool *media_fits)
{
    uint64_t used = 0;
    bool any = false;

    for (size_t i = 0; i < session->content_count; i++) {
        struct content *content = session->contents[i];
        if (content->state != CONTENT_OFFERED)
            continue;
        bool fits = answer_content(session, content, media, count, &used, media_fits);
        content->state = fits ? CONTENT_AGREED : CONTENT_REFUSED;
        any = any || fits;
    }
    session_bundle(session);
    return any;
}

static void tell_negotiated(struct session *session, bool carried)
{
    for (size_t i = 0; i < session->content_count && session->state != SESSION_ENDED; i++) {
        struct content *content = session->contents[i];
        if (content->state == CONTENT_AGREED && (content->carrier != NULL) == carried)
            content_tell_negotiated(session, content);
    }
}

/* Whoever carries comes before those who are carried. */
void session_tell_negotiated(struct session *session)
{
    tell_negotiated(session, false);
    tell_negotiated(session, true);
}

void session_accept(struct session *session, const struct session_media *media, size_t count,
                    usec now)
{
    bool media_fits = false;

    if (session->initiator || session->accepting || session->state != SESSION_PENDING)
        return;
    bool any = accept_contents(session, media, count, &media_fits);
    session->accepting = true;
    session->deadline = now + session->ring_timeout;
    session->negotiating = true;
    session_tell_negotiated(session);
    session->negotiating = false;
    if (!any)
        session_end_with(session, JINGLE_REASON_INCOMPATIBLE,
                         media_fits ? REASON_INCOMPATIBLE_PARAMETERS
                                    : REASON_UNSUPPORTED_APPLICATIONS);
    try_accept(session);
}

/* ----------------------------------------------------------------------------- transport -- */

/* Nothing before session-initiate is acknowledged (Conversations ends the call on it); as callee
 * the first candidates go inside session-accept (Conversations forgets those that came before). */
static bool may_trickle(const struct session *session, const struct content *content)
{
    bool open = session->initiator
                    ? session->initiate_acked &&
                          (session->state == SESSION_PENDING || session->state == SESSION_ACTIVE)
                    : session->state == SESSION_ACTIVE;
    bool wanted = content->state == CONTENT_OFFERED || content->state == CONTENT_AGREED;

    return open && wanted && content->has_own;
}

/* One content and a few candidates, with the credentials every time. */
static void send_transport_info(struct session *session, struct content *content, size_t count)
{
    struct jingle_iq iq;

    jingle_iq_init(&iq, ACTION_TRANSPORT_INFO, session->sid);
    struct jingle_content *out = jingle_iq_add(&iq, content->name, content->creator);
    out->transport = TRANSPORT_ICE_UDP;
    out->ice.ice0 = content->theirs.ice0;
    memcpy(out->ice.ufrag, content->own.ufrag, sizeof(out->ice.ufrag));
    memcpy(out->ice.pwd, content->own.pwd, sizeof(out->ice.pwd));
    for (size_t i = 0; i < count; i++)
        ice_udp_add_candidate(&out->ice, &content->own.candidates[content->sent++]);
    session_send(session, &iq);
}

void session_flush(struct session *session, struct content *content)
{
    while (may_trickle(session, content) && content->sent < content->own.candidate_count) {
        size_t waiting = content->own.candidate_count - content->sent;
        send_transport_info(session, content, MIN(waiting, CANDIDATES_PER_INFO));
    }
}

/* New credentials in a running session. On the wire an offer has no candidates and its answer has
 * some: that is how Conversations tells them apart. */
static void restart(struct session *session, struct content *content,
                    const struct ice_udp_transport *transport)
{
    struct dtls_fingerprint fingerprint = content->own.fingerprint;

    ice_udp_clear(&content->own);
    ice_udp_copy(&content->own, transport);
    content->own.fingerprint = fingerprint; /* the certificate stays */
    content->sent = 0;
    if (content->restart_wanted) {
        content->restart_wanted = false;
    } else {
        content->restart_sent = true;
        send_transport_info(session, content, 0);
    }
    session_flush(session, content);
}

/* Before it was told: it may still become another. */
static bool is_open(const struct session *session, const struct content *content)
{
    return session->state == SESSION_NEW || session->accepting ||
           (session->state == SESSION_PENDING && !session->initiator) || !content->has_own ||
           (content->state == CONTENT_ADDING && content->add_tag == 0) || content->accepting;
}

void session_set_transport(struct session *session, const char *name,
                           const struct ice_udp_transport *transport, usec now)
{
    struct content *content = session_transport(session, name);

    if (content == NULL || session->state == SESSION_ENDED)
        return;
    if (!is_open(session, content)) {
        if (session->state == SESSION_ACTIVE && content->state == CONTENT_AGREED &&
            strcmp(content->own.ufrag, transport->ufrag) != 0)
            restart(session, content, transport);
        return;
    }
    ice_udp_clear(&content->own);
    ice_udp_copy(&content->own, transport);
    content->has_own = true;
    try_initiate(session, now);
    try_accept(session);
    session_try_changes(session, content, now);
    session_flush(session, content);
}

void session_add_candidates(struct session *session, const char *name,
                            const struct ice_candidate *candidates, size_t count, usec now)
{
    struct content *content = session_transport(session, name);

    (void)now;
    if (content == NULL || session->state == SESSION_ENDED)
        return;
    for (size_t i = 0; i < count; i++)
        ice_udp_add_candidate(&content->own, &candidates[i]);
    session_flush(session, content);
}

void session_connected(struct session *session)
{
    session->connected = true;
}

void session_send_info(struct session *session, enum jingle_info info, const char *name)
{
    struct jingle_iq iq;
    bool started = session->state == SESSION_PENDING || session->state == SESSION_ACTIVE;

    if (!started || !session->initiate_acked)
        return;
    struct content *content = name == NULL ? NULL : session_content(session, name);
    jingle_iq_init(&iq, ACTION_SESSION_INFO, session->sid);
    iq.info = info;
    /* XEP-0167, 8: a whole session is on hold, a content is muted. */
    if (content != NULL && (info == INFO_MUTE || info == INFO_UNMUTE)) {
        iq.info_name = g_strdup(content->name);
        iq.info_creator = content->creator;
    }
    session_send(session, &iq);
}

/* ------------------------------------------------------------------------------- answers -- */

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

static void failed(struct session *session, enum jingle_action action,
                   const struct stanza_error *error)
{
    log_info(session->log, "%s answers our %s with %s %s %s", session->peer,
             jingle_action_name(action), stanza_condition_name(error->condition),
             jingle_condition_name(error->jingle), error->text);
    /* Media flows: whatever the error means, they have had our session-accept. (Their server, back
     * before them, answers for somebody offline.) */
    if (session->connected)
        return;
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

    (void)now;
    if (session->state == SESSION_ENDED)
        return;
    session_change_answered(session, tag, error);
    if (error != NULL) {
        failed(session, action, error);
        return;
    }
    if (action != ACTION_SESSION_INITIATE)
        return;
    session->initiate_acked = true;
    for (size_t i = 0; i < session->content_count; i++)
        session_flush(session, session->contents[i]);
}

/* -------------------------------------------------------------------------- time and view -- */

usec session_next_deadline(const struct session *session)
{
    return MIN(session->deadline, session_changes_deadline(session));
}

void session_tick(struct session *session, usec now)
{
    if (now >= session->deadline)
        session_end(session, JINGLE_REASON_NO_ANSWER);
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
        if (g_ascii_strcasecmp(content_media(session->contents[i]), media) == 0)
            return true;
    }
    return false;
}

bool session_matches(const struct session *session, const char *from, const char *sid)
{
    return session->state != SESSION_NEW && strcmp(session->sid, sid) == 0 &&
           jid_equal(session->peer, from);
}
