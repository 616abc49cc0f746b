#include "signaling/negotiate.h"

#include <glib.h>
#include <string.h>

/* RFC 5761, 4: with rtcp-mux these look like RTCP on the wire. */
#define PAYLOAD_TYPE_MUX_FIRST 64
#define PAYLOAD_TYPE_MUX_LAST  95

/* The range for payload types without a fixed meaning (RFC 3551, 6). */
#define PAYLOAD_TYPE_DYNAMIC 96
#define PAYLOAD_TYPE_LAST    127

#define TELEPHONE_EVENT    "telephone-event"
#define RETRANSMISSION     "rtx" /* RFC 4588 */
#define RETRANSMISSION_OF  "apt"
#define RETRANSMISSION_FID "FID" /* RFC 5576, 4.2 */

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

static bool is_named(const struct rtp_payload_type *payload_type, const char *name)
{
    return g_ascii_strcasecmp(payload_type->name, name) == 0;
}

static bool is_event(const struct rtp_payload_type *payload_type)
{
    return is_named(payload_type, TELEPHONE_EVENT);
}

static bool is_retransmission(const struct rtp_payload_type *payload_type)
{
    return is_named(payload_type, RETRANSMISSION);
}

/* Chromium puts all of VP8 inside RED once that is accepted; NACK and rtx do its work better. */
static bool is_protection(const struct rtp_payload_type *payload_type)
{
    return is_named(payload_type, "red") || is_named(payload_type, "ulpfec") ||
           g_ascii_strncasecmp(payload_type->name, "flexfec", strlen("flexfec")) == 0;
}

/* May it be a codec? Retransmissions belong to one, and are found by it. */
static bool is_usable(const struct rtp_payload_type *payload_type, bool mux)
{
    bool looks_like_rtcp =
        payload_type->id >= PAYLOAD_TYPE_MUX_FIRST && payload_type->id <= PAYLOAD_TYPE_MUX_LAST;

    return *meaning_of(payload_type).name != '\0' && !(mux && looks_like_rtcp) &&
           !is_protection(payload_type) && !is_retransmission(payload_type);
}

/* RFC 9628, 7: profile 0 if nothing is said; others have other bits. */
static const char *vp9_profile(const struct rtp_payload_type *payload_type)
{
    const char *profile = rtp_parameters_get(&payload_type->parameters, "profile-id");

    return profile == NULL ? "0" : profile;
}

static bool same_codec(const struct rtp_payload_type *a, const struct rtp_payload_type *b)
{
    struct meaning x = meaning_of(a), y = meaning_of(b);

    if (g_ascii_strcasecmp(x.name, y.name) != 0 || x.clockrate != y.clockrate ||
        x.channels != y.channels)
        return false;
    return !is_named(a, "VP9") || strcmp(vp9_profile(a), vp9_profile(b)) == 0;
}

/* A decimal number, or `missing`. */
static int64_t parameter_or(const struct rtp_parameters *parameters, const char *name,
                            int64_t missing)
{
    const char *text = rtp_parameters_get(parameters, name);
    guint64 value = 0;

    if (text == NULL || !g_ascii_string_to_unsigned(text, 10, 0, INT32_MAX, &value, NULL))
        return missing;
    return (int64_t)value;
}

/* Does it repeat packets of the payload type `id`? */
static bool repeats(const struct rtp_payload_type *payload_type, uint8_t id)
{
    return is_retransmission(payload_type) &&
           parameter_or(&payload_type->parameters, RETRANSMISSION_OF, -1) == id;
}

/* The payload type under which packets of `codec` are repeated, or NULL. */
static const struct rtp_payload_type *find_rtx(const struct rtp_description *description,
                                               const struct rtp_payload_type *codec)
{
    for (size_t i = 0; i < description->payload_type_count; i++) {
        const struct rtp_payload_type *candidate = &description->payload_types[i];
        bool looks_like_rtcp =
            candidate->id >= PAYLOAD_TYPE_MUX_FIRST && candidate->id <= PAYLOAD_TYPE_MUX_LAST;
        if (repeats(candidate, codec->id) && candidate->clockrate == codec->clockrate &&
            !(description->rtcp_mux && looks_like_rtcp))
            return candidate;
    }
    return NULL;
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

/* One may name feedback for a payload type and the other for all (XEP-0293, 3). `local_type` NULL:
 * whichever of ours. */
static bool has_feedback(const struct rtp_description *local,
                         const struct rtp_payload_type *local_type, const char *type,
                         const char *subtype)
{
    if (rtcp_feedbacks_has(&local->feedback, type, subtype))
        return true;
    if (local_type != NULL)
        return rtcp_feedbacks_has(&local_type->feedback, type, subtype);
    for (size_t i = 0; i < local->payload_type_count; i++) {
        if (rtcp_feedbacks_has(&local->payload_types[i].feedback, type, subtype))
            return true;
    }
    return false;
}

static void answer_feedback(const struct rtcp_feedbacks *offered,
                            const struct rtp_description *local,
                            const struct rtp_payload_type *local_type,
                            struct rtcp_feedbacks *answer)
{
    for (size_t i = 0; i < offered->count; i++) {
        const struct rtp_feedback *item = &offered->items[i];
        if (has_feedback(local, local_type, item->type, item->subtype) &&
            !rtcp_feedbacks_has(answer, item->type, item->subtype))
            rtcp_feedbacks_add(answer, item->type, item->subtype);
    }
}

static void answer_payload_type(const struct rtp_payload_type *offered,
                                const struct rtp_description *ours,
                                const struct rtp_payload_type *local,
                                struct rtp_description *answer)
{
    struct meaning meaning = meaning_of(offered);

    /* The name as they spell it, for QXmpp compares it so. Parameters are the receiver's wishes:
     * ours stand here, not an echo. */
    struct rtp_payload_type *added =
        rtp_description_add(answer, offered->id, meaning.name, meaning.clockrate, meaning.channels);
    added->ptime = local->ptime;
    added->maxptime = local->maxptime;
    for (size_t i = 0; i < local->parameters.count; i++)
        rtp_parameters_add(&added->parameters, local->parameters.items[i].name,
                           local->parameters.items[i].value);
    answer_feedback(&offered->feedback, ours, local, &added->feedback);
}

/* `offered` is in the answer: its retransmissions follow, if both can. */
static void answer_rtx(const struct rtp_description *offer, const struct rtp_payload_type *offered,
                       const struct rtp_description *ours, const struct rtp_payload_type *local,
                       struct rtp_description *answer)
{
    const struct rtp_payload_type *theirs = find_rtx(offer, offered);

    if (theirs == NULL || find_rtx(ours, local) == NULL ||
        rtp_description_find(answer, theirs->id) != NULL)
        return;
    struct rtp_payload_type *added =
        rtp_description_add(answer, theirs->id, RETRANSMISSION, theirs->clockrate, 1);
    char text[8];
    g_snprintf(text, sizeof(text), "%u", offered->id);
    rtp_parameters_add(&added->parameters, RETRANSMISSION_OF, text);
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
        if (theirs == NULL || ours == NULL || rtp_description_find(answer, theirs->id) != NULL)
            continue;
        answer_payload_type(theirs, local, ours, answer);
        answer_rtx(offer, theirs, local, ours, answer);
        found = found || !is_event(ours);
    }
    return found;
}

static bool has_rtx(const struct rtp_description *description)
{
    for (size_t i = 0; i < description->payload_type_count; i++) {
        if (is_retransmission(&description->payload_types[i]))
            return true;
    }
    return false;
}

/* Of a stream and its retransmissions: the ssrc of the latter (RFC 5576, 4.2). */
static bool is_rtx_source(const struct rtp_description *description, uint32_t ssrc)
{
    for (size_t i = 0; i < description->group_count; i++) {
        const struct rtp_source_group *group = &description->groups[i];
        if (group->count >= 2 && group->ssrcs[1] == ssrc &&
            strcmp(group->semantics, RETRANSMISSION_FID) == 0)
            return true;
    }
    return false;
}

/* Psi refuses sources in an answer to an offer without. */
static void answer_sources(const struct rtp_description *offer, const struct rtp_description *local,
                           struct rtp_description *answer)
{
    bool rtx = has_rtx(answer);

    if (offer->source_count == 0 && !offer->has_ssrc)
        return;
    answer->has_ssrc = offer->has_ssrc && local->has_ssrc;
    answer->ssrc = local->ssrc;
    for (size_t i = 0; i < local->source_count; i++) {
        const char *cname = rtp_parameters_get(&local->sources[i].parameters, "cname");
        if (rtx || !is_rtx_source(local, local->sources[i].ssrc))
            rtp_description_add_source(answer, local->sources[i].ssrc, cname);
    }
    for (size_t i = 0; rtx && offer->group_count > 0 && i < local->group_count; i++) {
        const struct rtp_source_group *group = &local->groups[i];
        rtp_description_add_group(answer, group->semantics, group->ssrcs, group->count);
    }
}

bool negotiate_answer(const struct rtp_description *offer, const struct rtp_description *local,
                      enum answer_order order, struct rtp_description *answer)
{
    /* Monal writes payload types in the order of a hash table. */
    bool keep_theirs = order == ORDER_OF_THE_OFFER && !rtp_description_is_monals(offer);

    rtp_description_init(answer, offer->media);
    if (!answer_payload_types(offer, local, keep_theirs ? offer : local, answer)) {
        rtp_description_clear(answer);
        return false;
    }
    answer_feedback(&offer->feedback, local, NULL, &answer->feedback);
    answer_hdrexts(offer, local, answer);
    answer->rtcp_mux = offer->rtcp_mux && local->rtcp_mux;
    answer->rtcp_reduced_size = offer->rtcp_reduced_size && local->rtcp_reduced_size;
    answer_sources(offer, local, answer);
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

/* --------------------------------------------------------------------------- one bundle -- */

/* The same number for the same thing, as far as that goes. */
static bool is_taken(const struct rtp_description *other, const struct rtp_payload_type *wanted)
{
    const struct rtp_payload_type *there = rtp_description_find(other, wanted->id);

    return there != NULL && (is_retransmission(there) || !same_codec(there, wanted));
}

static bool any_has(const struct rtp_description *const *others, size_t count, uint8_t id)
{
    for (size_t i = 0; i < count; i++) {
        if (rtp_description_find(others[i], id) != NULL)
            return true;
    }
    return false;
}

static bool must_move(const struct rtp_description *const *others, size_t count,
                      const struct rtp_payload_type *payload_type)
{
    for (size_t i = 0; i < count; i++) {
        if (is_taken(others[i], payload_type))
            return true;
    }
    return false;
}

static void move_payload_type(struct rtp_description *offer, struct rtp_payload_type *moved,
                              uint8_t to)
{
    for (size_t i = 0; i < offer->payload_type_count; i++) {
        struct rtp_payload_type *rtx = &offer->payload_types[i];
        for (size_t j = 0; repeats(rtx, moved->id) && j < rtx->parameters.count; j++) {
            struct rtp_parameter *parameter = &rtx->parameters.items[j];
            if (g_ascii_strcasecmp(parameter->name, RETRANSMISSION_OF) != 0)
                continue;
            g_free(parameter->value);
            parameter->value = g_strdup_printf("%u", to);
            break;
        }
    }
    moved->id = to;
}

static bool fit_payload_types(struct rtp_description *offer,
                              const struct rtp_description *const *others, size_t count)
{
    for (size_t i = 0; i < offer->payload_type_count; i++) {
        struct rtp_payload_type *payload_type = &offer->payload_types[i];
        unsigned id = PAYLOAD_TYPE_DYNAMIC;
        if (!must_move(others, count, payload_type))
            continue;
        while (id <= PAYLOAD_TYPE_LAST && (any_has(others, count, (uint8_t)id) ||
                                           rtp_description_find(offer, (uint8_t)id) != NULL))
            id++;
        if (id > PAYLOAD_TYPE_LAST)
            return false;
        move_payload_type(offer, payload_type, (uint8_t)id);
    }
    return true;
}

/* What the others call `id`; NULL: nothing. */
static const char *hdrext_uri(const struct rtp_description *const *others, size_t count,
                              unsigned id)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < others[i]->hdrext_count; j++) {
            if (others[i]->hdrexts[j].id == id)
                return others[i]->hdrexts[j].uri;
        }
    }
    return NULL;
}

static unsigned hdrext_number(const struct rtp_description *const *others, size_t count,
                              const char *uri)
{
    for (size_t i = 0; i < count; i++) {
        const struct rtp_hdrext *there = rtp_description_find_hdrext(others[i], uri);
        if (there != NULL && there->id <= RTP_ONE_BYTE_EXT_MAX)
            return there->id;
    }
    return 0;
}

/* Up to `end` they have got their numbers. */
static bool numbers_another(const struct rtp_description *offer, size_t end, unsigned id)
{
    for (size_t i = 0; i < end; i++) {
        if (offer->hdrexts[i].id == id)
            return true;
    }
    return false;
}

static bool fit_hdrexts(struct rtp_description *offer, const struct rtp_description *const *others,
                        size_t count)
{
    for (size_t i = 0; i < offer->hdrext_count; i++) {
        struct rtp_hdrext *hdrext = &offer->hdrexts[i];
        unsigned known = hdrext_number(others, count, hdrext->uri);
        bool clash =
            hdrext_uri(others, count, hdrext->id) != NULL || numbers_another(offer, i, hdrext->id);
        if (known != 0)
            hdrext->id = known;
        if (known != 0 || !clash)
            continue;
        unsigned id = 1;
        while (id <= RTP_ONE_BYTE_EXT_MAX && (hdrext_uri(others, count, id) != NULL ||
                                              numbers_another(offer, offer->hdrext_count, id)))
            id++;
        if (id > RTP_ONE_BYTE_EXT_MAX)
            return false;
        hdrext->id = id;
    }
    return true;
}

bool negotiate_fit(struct rtp_description *offer, const struct rtp_description *const *others,
                   size_t count)
{
    return fit_payload_types(offer, others, count) && fit_hdrexts(offer, others, count);
}

/* ----------------------------------------------------------------------------- agreement -- */

/* A decimal number, or 0. */
static unsigned parameter_number(const struct rtp_parameters *parameters, const char *name)
{
    return (unsigned)parameter_or(parameters, name, 0);
}

/* Monal writes "true". */
static bool parameter_is_set(const struct rtp_parameters *parameters, const char *name)
{
    const char *value = rtp_parameters_get(parameters, name);

    return value != NULL && (strcmp(value, "1") == 0 || strcmp(value, "true") == 0);
}

static struct opus_parameters opus_parameters(const struct rtp_parameters *parameters)
{
    return (struct opus_parameters){
        .useinbandfec = parameter_is_set(parameters, "useinbandfec"),
        .usedtx = parameter_is_set(parameters, "usedtx"),
        .cbr = parameter_is_set(parameters, "cbr"),
        .stereo = parameter_is_set(parameters, "stereo"),
        .sprop_stereo = parameter_is_set(parameters, "sprop-stereo"),
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

static bool both_have(const struct rtp_description *one, const struct rtp_payload_type *first,
                      const struct rtp_description *other, const struct rtp_payload_type *second,
                      const char *type, const char *subtype)
{
    return has_feedback(one, first, type, subtype) && has_feedback(other, second, type, subtype);
}

static struct rtp_feedback_kinds feedback_kinds(const struct rtp_description *one,
                                                const struct rtp_payload_type *first,
                                                const struct rtp_description *other,
                                                const struct rtp_payload_type *second)
{
    return (struct rtp_feedback_kinds){
        .nack = both_have(one, first, other, second, "nack", NULL),
        .nack_pli = both_have(one, first, other, second, "nack", "pli"),
        .ccm_fir = both_have(one, first, other, second, "ccm", "fir"),
        .goog_remb = both_have(one, first, other, second, "goog-remb", NULL),
        .transport_cc = both_have(one, first, other, second, "transport-cc", NULL),
    };
}

/* `codec` is what `wire` in `description` means; the other side has `match` in `other`. */
static void agree_extras(struct rtp_codec *codec, const struct rtp_description *description,
                         const struct rtp_payload_type *wire, const struct rtp_description *other,
                         const struct rtp_payload_type *match)
{
    const struct rtp_payload_type *rtx = find_rtx(description, wire);

    codec->feedback = feedback_kinds(description, wire, other, match);
    codec->has_rtx = rtx != NULL && find_rtx(other, match) != NULL;
    codec->rtx_payload_type = codec->has_rtx ? rtx->id : 0;
}

/* As everybody but a few write it: what an answer echoes may be spelled otherwise. */
static const char *usual_name(const char *name)
{
    static const char *const names[] = {"opus", "PCMU", "PCMA", "VP8", "VP9"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_ascii_strcasecmp(name, names[i]) == 0)
            return names[i];
    return name;
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
        .video = {.max_fr = parameter_number(&wire->parameters, "max-fr"),
                  .max_fs = parameter_number(&wire->parameters, "max-fs")},
    };

    g_strlcpy(codec.name, usual_name(meaning_of(ours).name), sizeof(codec.name));
    return codec;
}

static void agree_receive(struct rtp_agreement *agreement, const struct rtp_description *local,
                          const struct rtp_payload_type *ours, const struct rtp_description *remote,
                          const struct rtp_payload_type *theirs)
{
    if (is_event(ours)) {
        if (agreement->receive_event_count < RTP_EVENT_TYPES_MAX)
            agreement->receive_events[agreement->receive_event_count++] =
                (struct rtp_event_type){ours->id, ours->clockrate};
    } else if (agreement->receive_count < RTP_CODECS_MAX) {
        struct rtp_codec *codec = &agreement->receive[agreement->receive_count++];
        *codec = codec_of(ours, ours);
        agree_extras(codec, local, ours, remote, theirs);
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
        const struct rtp_payload_type *theirs = local_is_answer ? other : one;
        const struct rtp_payload_type *ours = local_is_answer ? one : other;
        agreement->send = codec_of(theirs, ours);
        agree_extras(&agreement->send, remote, theirs, local, ours);
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
    agreement->send_abs_send_time = hdrext_id(remote, local, HDREXT_ABS_SEND_TIME, initiator);
    agreement->receive_abs_send_time = hdrext_id(local, remote, HDREXT_ABS_SEND_TIME, !initiator);
    agreement->send_transport_cc = hdrext_id(remote, local, HDREXT_TRANSPORT_CC, initiator);
    agreement->receive_transport_cc = hdrext_id(local, remote, HDREXT_TRANSPORT_CC, !initiator);
}

static void agree_remote_ssrc(struct rtp_agreement *agreement, const struct rtp_description *remote)
{
    agreement->has_remote_ssrc = remote->has_ssrc || remote->source_count > 0;
    if (remote->source_count > 0)
        agreement->remote_ssrc = remote->sources[0].ssrc;
    if (remote->has_ssrc)
        agreement->remote_ssrc = remote->ssrc;
    for (size_t i = 0; i < remote->group_count; i++) {
        const struct rtp_source_group *group = &remote->groups[i];
        bool is_pair = group->count >= 2 && strcmp(group->semantics, RETRANSMISSION_FID) == 0;
        if (!is_pair || agreement->has_remote_rtx_ssrc ||
            (remote->has_ssrc && group->ssrcs[0] != remote->ssrc))
            continue;
        agreement->has_remote_ssrc = true;
        agreement->remote_ssrc = group->ssrcs[0];
        agreement->has_remote_rtx_ssrc = true;
        agreement->remote_rtx_ssrc = group->ssrcs[1];
    }
}

/* Who offers must be ready for all that it offered (RFC 3264, 5.1), and libwebrtc sends what it
 * likes best of that, whatever it answers. What the answer leaves out comes, if at all, with the
 * feedback and retransmission of what it has. */
static void agree_receive_all(struct rtp_agreement *agreement, const struct rtp_description *local,
                              const struct rtp_description *remote, bool local_is_answer)
{
    const struct rtp_payload_type *answered =
        rtp_description_find(remote, agreement->send.payload_type);

    for (size_t i = 0; i < local->payload_type_count; i++) {
        const struct rtp_payload_type *ours = &local->payload_types[i];
        const struct rtp_payload_type *theirs = find_codec(remote, ours);
        if (theirs == NULL && !local_is_answer && is_usable(ours, local->rtcp_mux))
            theirs = answered;
        if (theirs != NULL)
            agree_receive(agreement, local, ours, remote, theirs);
    }
}

bool negotiate_agree(const struct rtp_description *local, const struct rtp_description *remote,
                     bool initiator, bool local_is_answer, struct rtp_agreement *agreement)
{
    memset(agreement, 0, sizeof(*agreement));
    if (!agree_send(agreement, local, remote, local_is_answer))
        return false;
    agree_send_event(agreement, local, remote);
    agree_receive_all(agreement, local, remote, local_is_answer);
    agree_hdrexts(agreement, local, remote, initiator);
    agreement->rtcp_mux = local->rtcp_mux && remote->rtcp_mux;
    agreement->rtcp_reduced_size = local->rtcp_reduced_size && remote->rtcp_reduced_size;
    agree_remote_ssrc(agreement, remote);
    agreement->we_send = true;
    agreement->we_receive = true;
    return true;
}
