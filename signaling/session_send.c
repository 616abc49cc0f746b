/* What a session sends of its own accord: session-initiate and session-accept as soon as the
 * transports for them are there, then transport-info and session-info. */
#include <glib.h>
#include <string.h>

#include "signaling/session_state.h"

/* ----------------------------------------------------------------------- offer and answer -- */

static bool all_have_transport(const struct session *session, enum content_state state)
{
    for (size_t i = 0; i < session->content_count; i++) {
        const struct content *content = session->contents[i];
        if (content->state == state && content->carrier == NULL && !content->has_own)
            return false;
    }
    return true;
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
 * nobody, on the transport of the first accepted one. Monal gives a call up over senders='none':
 * there it is sent by us, who send nothing. Dino, which answers 'none' with an error, offers no
 * group: then the content is left out, which it accepts, and removed. */
static bool write_refused(struct jingle_iq *iq, const struct session *session,
                          const struct content *content)
{
    struct rtp_description description;

    if (!jingle_group_has(&session->bundle, content->name) ||
        !negotiate_refusal(&content->remote, &description))
        return false;
    struct jingle_content *out = jingle_iq_add(iq, content->name, content->creator);
    out->senders =
        senders_of(session->initiator, rtp_description_is_monals(&content->remote), false);
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
        if (session->plain)
            rtp_description_strip(&content->local);
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

/* One content, and at most one candidate, for Monal and Movim read no second one; with the
 * credentials every time. */
static void send_transport_info(struct session *session, struct content *content,
                                const struct ice_candidate *candidate)
{
    struct jingle_iq iq;

    jingle_iq_init(&iq, ACTION_TRANSPORT_INFO, session->sid);
    struct jingle_content *out = jingle_iq_add(&iq, content->name, content->creator);
    out->transport = TRANSPORT_ICE_UDP;
    out->ice.ice0 = content->theirs.ice0;
    memcpy(out->ice.ufrag, content->own.ufrag, sizeof(out->ice.ufrag));
    memcpy(out->ice.pwd, content->own.pwd, sizeof(out->ice.pwd));
    if (candidate != NULL)
        ice_udp_add_candidate(&out->ice, candidate);
    session_send(session, &iq);
}

void session_flush(struct session *session, struct content *content)
{
    while (may_trickle(session, content) && content->sent < content->own.candidate_count)
        send_transport_info(session, content, &content->own.candidates[content->sent++]);
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
    content->restart_lost = false;
    if (content->restart_wanted) {
        content->restart_wanted = false;
    } else {
        content->restart_sent = true;
        send_transport_info(session, content, NULL);
    }
    session_flush(session, content);
}

void session_retell_transports(struct session *session)
{
    for (size_t i = 0; i < session->content_count; i++) {
        struct content *content = session->contents[i];
        if (session->state != SESSION_ACTIVE || content->state != CONTENT_AGREED ||
            !content->has_own || content->carrier != NULL)
            continue;
        content->sent = 0;
        content->restart_lost = false;
        if (content->restart_sent)
            send_transport_info(session, content, NULL);
        session_flush(session, content);
    }
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
    if (session->plain && transport->fingerprint.hash != FINGERPRINT_NONE)
        return; /* from before it was decided */
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
