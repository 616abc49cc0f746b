/* Contents that come in an accepted session (XEP-0166, 7.2.1, 7.2.2 and 7.2.4): what we want to add
 * and what the peer wants. One content an IQ, for Dino takes no more.
 *
 *     ours:    ADDING ── content-accept ─▶ AGREED      anything else ─▶ REMOVED, CONTENT_REFUSED
 *     theirs:  ADDED ── we accept ─▶ AGREED            we reject, they remove ─▶ REMOVED
 */
#include <glib.h>
#include <string.h>

#include "signaling/session_state.h"

/* One of this kind, by media type, that somebody has offered and nobody has answered. */
static struct content *find_pending(const struct session *session, const char *media)
{
    for (size_t i = 0; i < session->content_count; i++) {
        struct content *content = session->contents[i];
        bool pending = content->state == CONTENT_ADDING || content->state == CONTENT_ADDED;
        if (pending && g_ascii_strcasecmp(content_media(content), media) == 0)
            return content;
    }
    return NULL;
}

/* ---------------------------------------------------------------------------- adding ours -- */

/* One that was not used in this session before, so that what is still under way for another cannot
 * be meant for it. */
static char *fresh_name(const struct session *session, const char *wanted)
{
    char *name = g_strdup(wanted);

    for (unsigned i = 2; session_had_content(session, name); i++) {
        g_free(name);
        name = g_strdup_printf("%s%u", wanted, i);
    }
    return name;
}

/* In a bundle, the same numbers mean the same. */
static bool fit_into_bundle(const struct session *session, struct rtp_description *offer)
{
    const struct rtp_description *others[2 * JINGLE_CONTENTS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < session->content_count; i++) {
        const struct content *content = session->contents[i];
        if (content->state != CONTENT_AGREED || count + 2 > G_N_ELEMENTS(others))
            continue;
        others[count++] = &content->local;
        others[count++] = &content->remote;
    }
    return negotiate_fit(offer, others, count);
}

/* A content that joins a bundle has an empty transport: so Conversations does it, and takes it. */
static void try_add(struct session *session, struct content *content, usec now)
{
    struct jingle_iq iq;

    if (content->state != CONTENT_ADDING || content->add_tag != 0 ||
        (content->carrier == NULL && !content->has_own))
        return;
    jingle_iq_init(&iq, ACTION_CONTENT_ADD, session->sid);
    struct jingle_content *out = session_write_content(session, &iq, content, true);
    if (content->carrier != NULL) {
        out->ice =
            (struct ice_udp_transport){.ice0 = content_carrier(session, content)->theirs.ice0};
        session_write_group(&iq, &session->bundle);
        jingle_group_add(&iq.bundle, content->name);
    }
    content->deadline = now + session->ring_timeout;
    content->add_tag = session_send(session, &iq);
}

const char *session_content_add(struct session *session, const struct session_media *media,
                                usec now)
{
    if (session->state != SESSION_ACTIVE || session->plain ||
        session_live_contents(session) >= JINGLE_CONTENTS_MAX ||
        find_pending(session, media->description->media) != NULL)
        return NULL;
    bool as_initiator = session->initiator || session_is_dino(session);
    char *name = fresh_name(session, media->content);
    struct content *head = session_head(session);
    struct content *content =
        session_add_content(session, name, as_initiator ? CREATOR_INITIATOR : CREATOR_RESPONDER);

    g_free(name);
    content->state = CONTENT_ADDING;
    content->ours = true;
    content->offerer = true;
    content->senders = senders_of(session->initiator, media->wish != MEDIA_RECEIVE_ONLY,
                                  media->wish != MEDIA_SEND_ONLY);
    rtp_description_copy(&content->local, media->description);
    content_ride(content, head);
    if (head != NULL && !fit_into_bundle(session, &content->local)) {
        content->state = CONTENT_REMOVED;
        return NULL;
    }
    try_add(session, content, now);
    return content->name;
}

bool session_content_wants_transport(const struct session *session, const char *name)
{
    const struct content *content = session_content(session, name);

    return content != NULL && content->state != CONTENT_REFUSED && content->carrier == NULL &&
           !content->has_own;
}

/* Did the peer take it into the bundle as it was offered? It may have repeated the bundle's
 * transport, or forgotten the group. */
static bool stays_bundled(const struct session *session, struct content *content,
                          const struct jingle_content *in, const struct jingle_iq *iq)
{
    const char *ufrag = content_carrier(session, content)->theirs.ufrag;

    return jingle_group_has(&iq->bundle, content->name) || *in->ice.ufrag == '\0' ||
           strcmp(in->ice.ufrag, ufrag) == 0;
}

static enum reason_condition added_fault(const struct session *session, struct content *content,
                                         const struct jingle_content *in,
                                         const struct jingle_iq *iq)
{
    bool rides = content->carrier != NULL;
    enum reason_condition fault = content_fault(session, in, rides);
    struct rtp_agreement agreement;

    if (fault != REASON_NONE)
        return fault;
    if (rides && !stays_bundled(session, content, in, iq))
        return REASON_FAILED_TRANSPORT;
    if (!negotiate_agree(&content->local, &in->rtp, session->initiator, false, &agreement))
        return REASON_INCOMPATIBLE_PARAMETERS;
    return REASON_NONE;
}

/* Our content-add is accepted. */
static void take_accepted(struct session *session, struct content *content,
                          const struct jingle_content *in, const struct jingle_iq *iq)
{
    struct ice_udp_transport fresh;
    bool unwanted = in->has_senders && in->senders == SENDERS_NONE;
    enum reason_condition fault = unwanted ? REASON_DECLINE : added_fault(session, content, in, iq);

    if (fault != REASON_NONE) {
        session_send_named(session, ACTION_CONTENT_REMOVE, content, fault);
        content_refused(session, content, content_refusal(fault));
        return;
    }
    content->state = CONTENT_AGREED;
    content->deadline = USEC_NEVER;
    content->creator = in->creator;
    if (in->has_senders)
        content->senders = in->senders;
    rtp_description_copy(&content->remote, &in->rtp);
    if (content->carrier != NULL) {
        jingle_group_add(&session->bundle, content->name);
    } else {
        content_merge(content, &in->ice, &fresh);
        ice_udp_clear(&fresh);
        content->theirs.fingerprint = in->ice.fingerprint;
    }
    content_tell_negotiated(session, content);
    if (session->state == SESSION_ACTIVE)
        session_flush(session, content);
}

static bool is_any_asked(const struct session *session)
{
    for (size_t i = 0; i < session->content_count; i++) {
        if (session->contents[i]->state == CONTENT_ADDING && session->contents[i]->add_tag != 0)
            return true;
    }
    return false;
}

/* Each content of the IQ is ours and waits for an answer. */
static bool all_are_asked(const struct session *session, const struct jingle_iq *iq)
{
    if (iq->content_count == 0)
        return is_any_asked(session);
    for (size_t i = 0; i < iq->content_count; i++) {
        const struct content *content = session_meant(session, &iq->contents[i]);
        if (content == NULL || content->state != CONTENT_ADDING || content->add_tag == 0)
            return false;
    }
    return true;
}

/* The answer to one that accepts or rejects what it should not. */
static void answer_not_asked(struct session *session, const struct jingle_iq *iq)
{
    if (session_is_stale(session, iq))
        answer_result(session);
    else if (iq->content_count == 0 || session_knows_all(session, iq))
        answer_out_of_order(session, iq);
    else
        answer_error(session, STANZA_ITEM_NOT_FOUND, JINGLE_CONDITION_NONE, "an unknown content");
}

static void take_all_accepted(struct session *session, const struct jingle_iq *iq)
{
    answer_result(session);
    for (size_t i = 0; i < iq->content_count && session->state == SESSION_ACTIVE; i++) {
        struct content *content = session_meant(session, &iq->contents[i]);
        if (content != NULL && content->state == CONTENT_ADDING && content->add_tag != 0)
            take_accepted(session, content, &iq->contents[i], iq);
    }
}

void receive_content_accept(struct session *session, const struct jingle_iq *iq)
{
    if (all_are_asked(session, iq))
        take_all_accepted(session, iq);
    else
        answer_not_asked(session, iq);
}

bool receive_accept_again(struct session *session, const struct jingle_iq *iq)
{
    bool any = false;

    for (size_t i = 0; i < iq->content_count && session->state == SESSION_ACTIVE; i++) {
        const struct content *content = session_meant(session, &iq->contents[i]);
        any = any || (content != NULL && content->state == CONTENT_ADDING && content->add_tag != 0);
    }
    if (any)
        take_all_accepted(session, iq);
    return any;
}

/* stanza names no content: it means whatever was asked. */
void receive_content_reject(struct session *session, const struct jingle_iq *iq)
{
    jingle_reason reason = content_refusal(iq->reason.condition);
    bool is_about_refused = iq->content_count > 0;

    for (size_t i = 0; i < iq->content_count; i++) {
        const struct content *content = session_meant(session, &iq->contents[i]);
        is_about_refused = is_about_refused && content != NULL && content->state == CONTENT_REFUSED;
    }
    if (!is_about_refused && !all_are_asked(session, iq)) {
        answer_not_asked(session, iq);
        return;
    }
    answer_result(session);
    size_t count = session->content_count;
    for (size_t i = 0; i < count && session->state == SESSION_ACTIVE; i++) {
        struct content *content = session->contents[i];
        bool meant = iq->content_count == 0 || jingle_iq_content(iq, content->name) != NULL;
        if (meant && content->state == CONTENT_ADDING && content->add_tag != 0)
            content_refused(session, content, reason);
    }
}

/* -------------------------------------------------------------------------- adding theirs -- */

static void reject_offered(struct session *session, const struct jingle_content *in,
                           enum reason_condition condition)
{
    struct jingle_iq iq;

    jingle_iq_init(&iq, ACTION_CONTENT_REJECT, session->sid);
    jingle_iq_add(&iq, in->name, in->creator);
    iq.reason.condition = condition;
    session_send(session, &iq);
}

/* XEP-0166, 7.2.16: both add the same kind at once, and the initiator's goes on. True if that is
 * ours. One of ours that was not sent yet has not crossed theirs. */
static bool wins_over(struct session *session, const struct jingle_iq *iq)
{
    for (size_t i = 0; session->initiator && i < iq->content_count; i++) {
        const struct jingle_content *in = &iq->contents[i];
        struct content *ours =
            in->application == APPLICATION_RTP ? find_pending(session, in->rtp.media) : NULL;
        if (ours == NULL || ours->state != CONTENT_ADDING || ours->add_tag == 0)
            continue;
        ours->crossed = strcmp(ours->name, in->name) == 0;
        return true;
    }
    return false;
}

static void give_way(struct session *session, const struct jingle_content *in)
{
    struct content *ours =
        in->application == APPLICATION_RTP ? find_pending(session, in->rtp.media) : NULL;

    if (ours == NULL || ours->state != CONTENT_ADDING)
        return;
    /* They may have taken back theirs before ours came: then ours got no error, and is pending. */
    ours->yields = ours->add_tag != 0 && !ours->add_acked;
    if (ours->add_acked)
        session_send_named(session, ACTION_CONTENT_REMOVE, ours, REASON_CANCEL);
    content_refused(session, ours, JINGLE_REASON_REPLACED);
}

/* Does the peer want it in the bundle? */
static bool joins_bundle(const struct session *session, const struct jingle_content *in,
                         const struct jingle_iq *iq)
{
    return session_head(session) != NULL && jingle_group_has(&iq->bundle, in->name);
}

static void tell_offered(struct session *session, const struct content *content)
{
    struct session_event event = {.type = SESSION_EVENT_CONTENT_OFFERED};

    event.u.content_offered.content = content->name;
    event.u.content_offered.media = content_media(content);
    event.u.content_offered.we_send = content_we_send(session, content);
    event.u.content_offered.we_receive = content_we_receive(session, content);
    session_tell(session, &event);
}

static void take_offered(struct session *session, const struct jingle_content *in,
                         const struct jingle_iq *iq)
{
    struct ice_udp_transport fresh;
    bool rides = joins_bundle(session, in, iq);
    enum reason_condition fault = content_offer_fault(session, in, rides);

    if (fault == REASON_NONE && session_live_contents(session) >= JINGLE_CONTENTS_MAX)
        fault = REASON_FAILED_APPLICATION;
    if (fault != REASON_NONE) {
        log_info(session->log, "A content that %s adds is rejected: %s", session->peer,
                 reason_condition_name(fault));
        reject_offered(session, in, fault);
        return;
    }
    struct content *content = session_add_content(session, in->name, in->creator);
    content->state = CONTENT_ADDED;
    content->senders = in->senders;
    content->bare = *in->ice.ufrag == '\0';
    rtp_description_copy(&content->remote, &in->rtp);
    content_merge(content, &in->ice, &fresh);
    ice_udp_clear(&fresh);
    content_ride(content, rides ? session_head(session) : NULL);
    tell_offered(session, content);
}

/* Other than one of ours that gives way. */
static bool is_name_taken(const struct session *session, const struct jingle_iq *iq)
{
    for (size_t i = 0; i < iq->content_count; i++) {
        const struct content *content = session_content(session, iq->contents[i].name);
        if (content != NULL && content->state != CONTENT_ADDING)
            return true;
    }
    return false;
}

void receive_content_add(struct session *session, const struct jingle_iq *iq, usec now)
{
    (void)now;
    if (wins_over(session, iq)) {
        answer_error(session, STANZA_CONFLICT, JINGLE_TIE_BREAK, "both add a content");
        return;
    }
    if (is_name_taken(session, iq)) {
        answer_error(session, STANZA_BAD_REQUEST, JINGLE_CONDITION_NONE,
                     "content-add of a content that is there already");
        return;
    }
    answer_result(session);
    for (size_t i = 0; i < iq->content_count && session->state != SESSION_ENDED; i++) {
        const struct jingle_content *in = &iq->contents[i];
        /* An offer that is not even answered does not grow. */
        if (session->state != SESSION_ACTIVE) {
            reject_offered(session, in, REASON_UNSUPPORTED_APPLICATIONS);
            continue;
        }
        give_way(session, in);
        /* Still there: another kind of media under the name that ours has. */
        if (session_content(session, in->name) != NULL)
            reject_offered(session, in, REASON_FAILED_APPLICATION);
        else if (session->state == SESSION_ACTIVE)
            take_offered(session, in, iq);
    }
}

static void try_content_accept(struct session *session, struct content *content)
{
    struct jingle_iq iq;

    if (!content->accepting || content->state != CONTENT_AGREED ||
        (content->carrier == NULL && !content->has_own))
        return;
    content->accepting = false;
    jingle_iq_init(&iq, ACTION_CONTENT_ACCEPT, session->sid);
    struct jingle_content *out = session_write_content(session, &iq, content, false);
    if (content->carrier != NULL)
        session_write_group(&iq, &session->bundle);
    if (content->carrier != NULL && content->bare)
        out->ice = (struct ice_udp_transport){.ice0 = out->ice.ice0};
    content->accept_tag = session_send(session, &iq);
}

void session_try_changes(struct session *session, struct content *content, usec now)
{
    try_add(session, content, now);
    try_content_accept(session, content);
}

static struct content *find_offered(const struct session *session, const char *name)
{
    struct content *content = session_content(session, name);

    return content != NULL && content->state == CONTENT_ADDED ? content : NULL;
}

bool session_content_accept(struct session *session, const char *name,
                            const struct session_media *media, usec now)
{
    struct content *content = find_offered(session, name);

    if (content == NULL || session->state != SESSION_ACTIVE)
        return false;
    rtp_description_clear(&content->local);
    if (g_ascii_strcasecmp(media->description->media, content->remote.media) != 0 ||
        !negotiate_answer(&content->remote, media->description, media->order, &content->local) ||
        !content_fits(session, content)) {
        session_content_reject(session, name, JINGLE_REASON_INCOMPATIBLE);
        return false;
    }
    content->state = CONTENT_AGREED;
    content->accepting = true;
    content->silent = media->wish == MEDIA_RECEIVE_ONLY;
    if (content->carrier != NULL && !session_is_bundled(session, content))
        jingle_group_add(&session->bundle, content->name);
    content_tell_negotiated(session, content);
    if (session->state == SESSION_ACTIVE)
        session_try_changes(session, content, now);
    return true;
}

void session_content_reject(struct session *session, const char *name, jingle_reason reason)
{
    struct content *content = find_offered(session, name);

    if (content == NULL || session->state != SESSION_ACTIVE)
        return;
    session_send_named(session, ACTION_CONTENT_REJECT, content,
                       reason == JINGLE_REASON_BUSY           ? REASON_BUSY
                       : reason == JINGLE_REASON_INCOMPATIBLE ? REASON_INCOMPATIBLE_PARAMETERS
                                                              : REASON_DECLINE);
    content_take_out(session, content);
}
