#include "signaling/negotiate.h"

#include <glib.h>
#include <string.h>

/* RFC 5761, 4: with rtcp-mux these look like RTCP on the wire. */
#define PAYLOAD_TYPE_MUX_FIRST 64
#define PAYLOAD_TYPE_MUX_LAST  95

#define TELEPHONE_EVENT "telephone-event"

/* A payload type as it is meant: RFC 3551, 6, gives some ids a meaning without any words. */
struct meaning {
    const char *name;
    uint32_t clockrate;
    unsigned channels;
};

static struct meaning meaning_of(const struct rtp_payload_type *payload_type)
{
    static const struct {
        uint8_t id;
        const char *name;
    } fixed[] = {{0, "PCMU"}, {8, "PCMA"}, {9, "G722"}};
    struct meaning meaning = {payload_type->name, payload_type->clockrate, payload_type->channels};

    for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++) {
        if (payload_type->id != fixed[i].id)
            continue;
        if (*meaning.name == '\0')
            meaning.name = fixed[i].name;
        if (meaning.clockrate == 0)
            meaning.clockrate = 8000;
    }
    /* RFC 7587, 7: always 2 in SDP; some clients leave it out or write 1. */
    if (g_ascii_strcasecmp(meaning.name, "opus") == 0)
        meaning.channels = 2;
    return meaning;
}

static bool is_usable(const struct rtp_payload_type *payload_type, bool mux)
{
    bool looks_like_rtcp =
        payload_type->id >= PAYLOAD_TYPE_MUX_FIRST && payload_type->id <= PAYLOAD_TYPE_MUX_LAST;

    return *meaning_of(payload_type).name != '\0' && !(mux && looks_like_rtcp);
}

static bool same_codec(const struct rtp_payload_type *a, const struct rtp_payload_type *b)
{
    struct meaning x = meaning_of(a), y = meaning_of(b);

    return g_ascii_strcasecmp(x.name, y.name) == 0 && x.clockrate == y.clockrate &&
           x.channels == y.channels;
}

static bool is_event(const struct rtp_payload_type *payload_type)
{
    return g_ascii_strcasecmp(payload_type->name, TELEPHONE_EVENT) == 0;
}

/* The first payload type of `description` that is the same codec. */
static const struct rtp_payload_type *find_codec(const struct rtp_description *description,
                                                 const struct rtp_payload_type *wanted)
{
    for (size_t i = 0; i < description->payload_type_count; i++) {
        const struct rtp_payload_type *candidate = &description->payload_types[i];
        if (is_usable(candidate, description->rtcp_mux) && same_codec(candidate, wanted))
            return candidate;
    }
    return NULL;
}

/* -------------------------------------------------------------------------------- answer -- */

static void answer_feedback(const struct rtcp_feedbacks *offer, const struct rtcp_feedbacks *local,
                            struct rtcp_feedbacks *answer)
{
    for (size_t i = 0; i < offer->count; i++) {
        const struct rtp_feedback *item = &offer->items[i];
        if (rtcp_feedbacks_has(local, item->type, item->subtype))
            rtcp_feedbacks_add(answer, item->type, item->subtype);
    }
}

static void answer_payload_type(const struct rtp_payload_type *offered,
                                const struct rtp_payload_type *local,
                                struct rtp_description *answer)
{
    struct meaning meaning = meaning_of(offered);

    if (rtp_description_find(answer, offered->id) != NULL)
        return;
    /* Parameters are the receiver's wishes, so ours stand here, not an echo. */
    struct rtp_payload_type *added =
        rtp_description_add(answer, offered->id, local->name, meaning.clockrate, meaning.channels);
    added->ptime = local->ptime;
    added->maxptime = local->maxptime;
    for (size_t i = 0; i < local->parameters.count; i++)
        rtp_parameters_add(&added->parameters, local->parameters.items[i].name,
                           local->parameters.items[i].value);
    answer_feedback(&offered->feedback, &local->feedback, &added->feedback);
}

static void answer_hdrexts(const struct rtp_description *offer, const struct rtp_description *local,
                           struct rtp_description *answer)
{
    for (size_t i = 0; i < offer->hdrext_count; i++) {
        const struct rtp_hdrext *hdrext = &offer->hdrexts[i];
        bool known = rtp_description_find_hdrext(local, hdrext->uri) != NULL;
        bool again = rtp_description_find_hdrext(answer, hdrext->uri) != NULL;
        if (known && !again && hdrext->id <= RTP_ONE_BYTE_EXT_MAX)
            rtp_description_add_hdrext(answer, hdrext->id, hdrext->uri, hdrext->senders);
    }
}

/* In the order of `first`, which is one of the two. */
static bool answer_payload_types(const struct rtp_description *offer,
                                 const struct rtp_description *local,
                                 const struct rtp_description *first,
                                 struct rtp_description *answer)
{
    bool found = false;
    for (size_t i = 0; i < first->payload_type_count; i++) {
        const struct rtp_payload_type *type = &first->payload_types[i];
        const struct rtp_payload_type *theirs = find_codec(offer, type);
        const struct rtp_payload_type *ours = find_codec(local, type);
        if (theirs == NULL || ours == NULL || rtp_description_find(answer, theirs->id))
            continue;
        answer_payload_type(theirs, ours, answer);
        found = found || !is_event(ours);
    }
    return found;
}

bool negotiate_answer(const struct rtp_description *offer, const struct rtp_description *local,
                      enum answer_order order, struct rtp_description *answer)
{
    rtp_description_init(answer, offer->media);
    if (!answer_payload_types(offer, local, order == ORDER_OF_THE_OFFER ? offer : local, answer)) {
        rtp_description_clear(answer);
        return false;
    }
    answer_feedback(&offer->feedback, &local->feedback, &answer->feedback);
    answer_hdrexts(offer, local, answer);
    answer->rtcp_mux = offer->rtcp_mux && local->rtcp_mux;
    answer->rtcp_reduced_size = offer->rtcp_reduced_size && local->rtcp_reduced_size;
    /* Psi refuses sources in an answer to an offer without. */
    if (offer->source_count > 0 || offer->has_ssrc) {
        for (size_t i = 0; i < local->source_count; i++) {
            const char *cname = rtp_parameters_get(&local->sources[i].parameters, "cname");
            rtp_description_add_source(answer, local->sources[i].ssrc, cname);
        }
    }
    return true;
}

bool negotiate_refusal(const struct rtp_description *offer, struct rtp_description *answer)
{
    rtp_description_init(answer, offer->media);
    for (size_t i = 0; i < offer->payload_type_count; i++) {
        const struct rtp_payload_type *offered = &offer->payload_types[i];
        struct meaning meaning = meaning_of(offered);
        if (!is_usable(offered, offer->rtcp_mux))
            continue;
        struct rtp_payload_type *added = rtp_description_add(answer, offered->id, meaning.name,
                                                             meaning.clockrate, meaning.channels);
        for (size_t j = 0; j < offered->parameters.count; j++)
            rtp_parameters_add(&added->parameters, offered->parameters.items[j].name,
                               offered->parameters.items[j].value);
        answer->rtcp_mux = offer->rtcp_mux;
        return true;
    }
    rtp_description_clear(answer);
    return false;
}

/* ----------------------------------------------------------------------------- agreement -- */

/* A decimal number, or 0. */
static unsigned parameter_number(const struct rtp_parameters *parameters, const char *name)
{
    const char *text = rtp_parameters_get(parameters, name);
    guint64 value = 0;

    if (text == NULL || !g_ascii_string_to_unsigned(text, 10, 0, INT32_MAX, &value, NULL))
        return 0;
    return (unsigned)value;
}

static struct opus_parameters opus_parameters(const struct rtp_parameters *parameters)
{
    return (struct opus_parameters){
        .useinbandfec = parameter_number(parameters, "useinbandfec") == 1,
        .usedtx = parameter_number(parameters, "usedtx") == 1,
        .cbr = parameter_number(parameters, "cbr") == 1,
        .stereo = parameter_number(parameters, "stereo") == 1,
        .sprop_stereo = parameter_number(parameters, "sprop-stereo") == 1,
        .maxaveragebitrate = parameter_number(parameters, "maxaveragebitrate"),
        .maxplaybackrate = parameter_number(parameters, "maxplaybackrate"),
        .minptime = parameter_number(parameters, "minptime"),
    };
}

/* ptime is an attribute in XEP-0167, but it is also seen as a parameter. */
static unsigned time_or_parameter(unsigned attribute, const struct rtp_parameters *parameters,
                                  const char *name)
{
    return attribute != 0 ? attribute : parameter_number(parameters, name);
}

/* The codec as `wire` has it, with the name that we use. */
static struct rtp_codec codec_of(const struct rtp_payload_type *wire,
                                 const struct rtp_payload_type *ours)
{
    struct meaning meaning = meaning_of(wire);
    struct rtp_codec codec = {
        .payload_type = wire->id,
        .clockrate = meaning.clockrate,
        .channels = meaning.channels,
        .ptime = time_or_parameter(wire->ptime, &wire->parameters, "ptime"),
        .maxptime = time_or_parameter(wire->maxptime, &wire->parameters, "maxptime"),
        .opus = opus_parameters(&wire->parameters),
    };

    g_strlcpy(codec.name, meaning_of(ours).name, sizeof(codec.name));
    return codec;
}

static void agree_receive(struct rtp_agreement *agreement, const struct rtp_payload_type *ours)
{
    if (is_event(ours)) {
        if (agreement->receive_event_count < RTP_EVENT_TYPES_MAX)
            agreement->receive_events[agreement->receive_event_count++] =
                (struct rtp_event_type){ours->id, ours->clockrate};
    } else if (agreement->receive_count < RTP_CODECS_MAX) {
        agreement->receive[agreement->receive_count++] = codec_of(ours, ours);
    }
}

static void agree_send_event(struct rtp_agreement *agreement, const struct rtp_description *local,
                             const struct rtp_description *remote)
{
    for (size_t i = 0; i < remote->payload_type_count; i++) {
        const struct rtp_payload_type *theirs = &remote->payload_types[i];
        /* RFC 4733, 2.1: events share the clock of the sound they stand in for. */
        if (!is_event(theirs) || theirs->clockrate != agreement->send.clockrate)
            continue;
        if (agreement->has_send_event || find_codec(local, theirs) == NULL)
            continue;
        agreement->has_send_event = true;
        agreement->send_event = (struct rtp_event_type){theirs->id, theirs->clockrate};
    }
}

/* The first of the answerer's list that both know; `first` is that list. */
static bool agree_send(struct rtp_agreement *agreement, const struct rtp_description *local,
                       const struct rtp_description *remote, bool local_is_answer)
{
    const struct rtp_description *first = local_is_answer ? local : remote;
    const struct rtp_description *second = local_is_answer ? remote : local;

    for (size_t i = 0; i < first->payload_type_count; i++) {
        const struct rtp_payload_type *one = &first->payload_types[i];
        if (is_event(one) || !is_usable(one, first->rtcp_mux))
            continue;
        const struct rtp_payload_type *other = rtp_description_find(second, one->id);
        if (other == NULL || !same_codec(one, other))
            other = find_codec(second, one);
        if (other == NULL)
            continue;
        agreement->send = local_is_answer ? codec_of(other, one) : codec_of(one, other);
        return true;
    }
    return false;
}

/* The id of an extension that both have, as `description` numbers it; 0 if `sender` has none. */
static unsigned hdrext_id(const struct rtp_description *description,
                          const struct rtp_description *other, const char *uri,
                          bool sender_is_initiator)
{
    const struct rtp_hdrext *mine = rtp_description_find_hdrext(description, uri);
    const struct rtp_hdrext *theirs = rtp_description_find_hdrext(other, uri);

    if (mine == NULL || theirs == NULL || mine->id > RTP_ONE_BYTE_EXT_MAX)
        return 0;
    if (!senders_include(mine->senders, sender_is_initiator) ||
        !senders_include(theirs->senders, sender_is_initiator))
        return 0;
    return mine->id;
}

static void agree_hdrexts(struct rtp_agreement *agreement, const struct rtp_description *local,
                          const struct rtp_description *remote, bool initiator)
{
    agreement->send_audio_level = hdrext_id(remote, local, HDREXT_AUDIO_LEVEL, initiator);
    agreement->receive_audio_level = hdrext_id(local, remote, HDREXT_AUDIO_LEVEL, !initiator);
    agreement->send_mid = hdrext_id(remote, local, HDREXT_MID, initiator);
    agreement->receive_mid = hdrext_id(local, remote, HDREXT_MID, !initiator);
}

static void agree_remote_ssrc(struct rtp_agreement *agreement, const struct rtp_description *remote)
{
    agreement->has_remote_ssrc = remote->has_ssrc || remote->source_count > 0;
    if (remote->source_count > 0)
        agreement->remote_ssrc = remote->sources[0].ssrc;
    if (remote->has_ssrc)
        agreement->remote_ssrc = remote->ssrc;
}

bool negotiate_agree(const struct rtp_description *local, const struct rtp_description *remote,
                     bool initiator, bool local_is_answer, struct rtp_agreement *agreement)
{
    memset(agreement, 0, sizeof(*agreement));
    if (!agree_send(agreement, local, remote, local_is_answer))
        return false;
    agree_send_event(agreement, local, remote);
    for (size_t i = 0; i < local->payload_type_count; i++) {
        const struct rtp_payload_type *ours = &local->payload_types[i];
        if (find_codec(remote, ours) != NULL)
            agree_receive(agreement, ours);
    }
    agree_hdrexts(agreement, local, remote, initiator);
    agreement->rtcp_mux = local->rtcp_mux && remote->rtcp_mux;
    agreement->rtcp_reduced_size = local->rtcp_reduced_size && remote->rtcp_reduced_size;
    agree_remote_ssrc(agreement, remote);
    agreement->we_send = true;
    agreement->we_receive = true;
    return true;
}
