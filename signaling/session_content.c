#include <glib.h>
#include <string.h>

#include "signaling/session_state.h"

void content_free(struct content *content)
{
    g_free(content->name);
    g_free(content->carrier);
    g_free(content->label);
    rtp_description_clear(&content->local);
    rtp_description_clear(&content->remote);
    ice_udp_clear(&content->own);
    ice_udp_clear(&content->theirs);
    g_free(content);
}

const char *content_media(const struct content *content)
{
    const char *media = content->ours ? content->local.media : content->remote.media;

    return media == NULL ? "" : media;
}

/* ------------------------------------------------------------------------------- senders -- */

bool content_we_send(const struct session *session, const struct content *content)
{
    return senders_include(content->senders, session->initiator);
}

bool content_we_receive(const struct session *session, const struct content *content)
{
    return senders_include(content->senders, !session->initiator);
}

enum senders senders_of(bool initiator, bool we_send, bool we_receive)
{
    if (we_send == we_receive)
        return we_send ? SENDERS_BOTH : SENDERS_NONE;
    return we_send == initiator ? SENDERS_INITIATOR : SENDERS_RESPONDER;
}

/* ----------------------------------------------------------------------------- transport -- */

bool content_is_restart(const struct content *content, const struct ice_udp_transport *from)
{
    return *from->ufrag != '\0' && *content->theirs.ufrag != '\0' &&
           strcmp(from->ufrag, content->theirs.ufrag) != 0;
}

static bool is_known(const struct ice_udp_transport *transport,
                     const struct ice_candidate *candidate)
{
    for (size_t i = 0; i < transport->candidate_count; i++) {
        const struct ice_candidate *known = &transport->candidates[i];
        if (known->port == candidate->port && known->type == candidate->type &&
            known->component == candidate->component && strcmp(known->ip, candidate->ip) == 0)
            return true;
    }
    return false;
}

/* With encryption component 2 is of no use: RTP and RTCP share one component with us. */
static void merge_candidates(struct content *content, const struct ice_udp_transport *from,
                             struct ice_udp_transport *fresh)
{
    for (size_t i = 0; i < from->candidate_count; i++) {
        const struct ice_candidate *candidate = &from->candidates[i];
        if ((candidate->component != 1 && !content->plain) || is_known(&content->theirs, candidate))
            continue;
        if (content->theirs.candidate_count >= ICE_CANDIDATES_MAX)
            return;
        ice_udp_add_candidate(&content->theirs, candidate);
        ice_udp_add_candidate(fresh, candidate);
    }
}

void content_merge(struct content *content, const struct ice_udp_transport *from,
                   struct ice_udp_transport *fresh)
{
    struct ice_udp_transport *theirs = &content->theirs;

    if (content_is_restart(content, from)) {
        struct dtls_fingerprint fingerprint = theirs->fingerprint;
        ice_udp_clear(theirs);
        theirs->fingerprint = fingerprint; /* the certificate stays */
    }
    if (*from->ufrag != '\0')
        memcpy(theirs->ufrag, from->ufrag, sizeof(theirs->ufrag));
    if (*from->pwd != '\0')
        memcpy(theirs->pwd, from->pwd, sizeof(theirs->pwd));
    if (theirs->fingerprint.hash == FINGERPRINT_NONE)
        theirs->fingerprint = from->fingerprint;
    theirs->ice0 = from->ice0;
    theirs->gathering_complete = theirs->gathering_complete || from->gathering_complete;
    *fresh = *theirs;
    fresh->candidates = NULL;
    fresh->candidate_count = 0;
    merge_candidates(content, from, fresh);
}

/* RFC 8842, 5: the offerer says actpass, the answerer chooses; we choose active, so that the
 * handshake starts with our first packet. */
bool content_dtls_client(const struct content *content)
{
    enum dtls_setup theirs = content->theirs.fingerprint.setup;

    if (content->offerer)
        return theirs == DTLS_PASSIVE;
    return theirs != DTLS_ACTIVE;
}

/* --------------------------------------------------------------------------------- faults -- */

bool content_names_encryption(const struct jingle_content *offered)
{
    return offered->ice.has_fingerprint || offered->ice.fingerprint.hash != FINGERPRINT_NONE ||
           offered->rtp.encryption;
}

static bool is_encrypted(const struct jingle_content *offered)
{
    return offered->ice.fingerprint.hash != FINGERPRINT_NONE &&
           offered->ice.fingerprint.setup != DTLS_HOLDCONN;
}

enum reason_condition content_fault(const struct session *session,
                                    const struct jingle_content *offered, bool rides)
{
    if (offered->application != APPLICATION_RTP)
        return REASON_UNSUPPORTED_APPLICATIONS;
    bool has_none = offered->transport == TRANSPORT_NONE;
    if (rides && (has_none || offered->transport == TRANSPORT_ICE_UDP))
        return REASON_NONE;
    if (offered->transport != TRANSPORT_ICE_UDP)
        return REASON_UNSUPPORTED_TRANSPORTS;
    if (session->plain ? content_names_encryption(offered) : !is_encrypted(offered))
        return REASON_SECURITY_ERROR;
    if (session->plain && g_ascii_strcasecmp(offered->rtp.media, "audio") != 0)
        return REASON_UNSUPPORTED_APPLICATIONS;
    if (*offered->ice.ufrag == '\0' || *offered->ice.pwd == '\0')
        return REASON_FAILED_TRANSPORT;
    return REASON_NONE;
}

static const struct rtp_description *ability(const struct session *session, const char *media)
{
    const struct rtp_description *const all[] = {session->abilities, session->video_abilities};

    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        if (all[i] != NULL && g_ascii_strcasecmp(all[i]->media, media) == 0)
            return all[i];
    }
    return NULL;
}

enum reason_condition content_offer_fault(const struct session *session,
                                          const struct jingle_content *offered, bool rides)
{
    enum reason_condition fault = content_fault(session, offered, rides);
    struct rtp_description answer;

    if (fault != REASON_NONE || (session->abilities == NULL && session->video_abilities == NULL))
        return fault;
    const struct rtp_description *ours = ability(session, offered->rtp.media);
    if (ours == NULL)
        return REASON_UNSUPPORTED_APPLICATIONS;
    if (!negotiate_answer(&offered->rtp, ours, ORDER_OF_THE_OFFER, &answer))
        return REASON_INCOMPATIBLE_PARAMETERS;
    rtp_description_clear(&answer);
    return REASON_NONE;
}

/* --------------------------------------------------------------------------------- events -- */

bool content_fits(const struct session *session, const struct content *content)
{
    struct rtp_agreement agreement;

    return negotiate_agree(&content->local, &content->remote, session->initiator, !content->ours,
                           &agreement);
}

void content_tell_negotiated(struct session *session, struct content *content)
{
    struct content *carrier = content_carrier(session, content);
    bool wanted = !carrier->has_own;
    struct rtp_agreement agreement;

    if (!negotiate_agree(&content->local, &content->remote, session->initiator, !content->ours,
                         &agreement))
        return;
    agreement.bundle = session_is_bundled(session, content);
    agreement.we_send = content_we_send(session, content) && !content->silent;
    agreement.we_receive = content_we_receive(session, content);
    struct session_event event = {.type = SESSION_EVENT_NEGOTIATED};
    event.u.negotiated.content = content->name;
    event.u.negotiated.dtls_client = content_dtls_client(carrier);
    event.u.negotiated.we_offered = content->ours;
    event.u.negotiated.agreement = &agreement;
    event.u.negotiated.remote = &carrier->theirs;
    event.u.negotiated.transport = content_label(carrier);
    event.u.negotiated.transport_wanted = wanted && carrier == content;
    event.u.negotiated.credentials = wanted && *carrier->own.ufrag != '\0' ? &carrier->own : NULL;
    session_tell(session, &event);
}

void content_tell_gone(struct session *session, struct content *content,
                       enum session_event_type type, jingle_reason reason, jingle_party by)
{
    struct session_event event = {.type = type};

    event.u.content_gone.content = content->name;
    event.u.content_gone.media = content_media(content);
    event.u.content_gone.reason = reason;
    event.u.content_gone.by = by;
    session_tell(session, &event);
}
