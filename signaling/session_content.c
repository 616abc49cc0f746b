#include <glib.h>
#include <string.h>

#include "signaling/session_state.h"

void content_clear(struct content *content)
{
    g_free(content->name);
    rtp_description_clear(&content->local);
    rtp_description_clear(&content->remote);
    ice_udp_clear(&content->own);
    ice_udp_clear(&content->theirs);
}

bool content_we_send(const struct session *session, const struct content *content)
{
    return senders_include(content->senders, session->initiator);
}

bool content_we_receive(const struct session *session, const struct content *content)
{
    return senders_include(content->senders, !session->initiator);
}

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
            strcmp(known->ip, candidate->ip) == 0)
            return true;
    }
    return false;
}

/* Component 2 is of no use: RTP and RTCP share one component with us. */
static void merge_candidates(struct content *content, const struct ice_udp_transport *from,
                             struct ice_udp_transport *fresh)
{
    for (size_t i = 0; i < from->candidate_count; i++) {
        const struct ice_candidate *candidate = &from->candidates[i];
        if (candidate->component != 1 || is_known(&content->theirs, candidate))
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
bool content_dtls_client(const struct session *session, const struct content *content)
{
    enum dtls_setup theirs = content->theirs.fingerprint.setup;

    if (session->initiator)
        return theirs == DTLS_PASSIVE;
    return theirs != DTLS_ACTIVE;
}

enum reason_condition content_fault(const struct jingle_content *offered)
{
    if (offered->application != APPLICATION_RTP)
        return REASON_UNSUPPORTED_APPLICATIONS;
    if (offered->transport != TRANSPORT_ICE_UDP)
        return REASON_UNSUPPORTED_TRANSPORTS;
    if (offered->ice.fingerprint.hash == FINGERPRINT_NONE ||
        offered->ice.fingerprint.setup == DTLS_HOLDCONN)
        return REASON_SECURITY_ERROR;
    if (*offered->ice.ufrag == '\0' || *offered->ice.pwd == '\0')
        return REASON_FAILED_TRANSPORT;
    return REASON_NONE;
}

bool content_negotiate(struct session *session, struct content *content)
{
    struct rtp_agreement agreement;

    if (!negotiate_agree(&content->local, &content->remote, session->initiator, !session->initiator,
                         &agreement))
        return false;
    content->state = CONTENT_AGREED;
    agreement.bundle = jingle_group_has(&session->bundle, content->name);
    agreement.we_send = content_we_send(session, content);
    agreement.we_receive = content_we_receive(session, content);
    struct session_event event = {.type = SESSION_EVENT_NEGOTIATED};
    event.u.negotiated.content = content->name;
    event.u.negotiated.dtls_client = content_dtls_client(session, content);
    event.u.negotiated.agreement = &agreement;
    event.u.negotiated.remote = &content->theirs;
    session_tell(session, &event);
    return true;
}
