#include "call_video.h"

#include "codecs/video_codec.h"

#include <glib.h>
#include <string.h>

/* Payload types and header extension ids as browsers write them, so that both sides mean the same
 * by a number. A codec's retransmissions have the next payload type. */
#define PT_VP8            96
#define PT_VP9            98
#define EXT_ABS_SEND_TIME 2
#define EXT_TRANSPORT_CC  3
#define EXT_MID           4

void call_video_identity_new(struct call_video_identity *identity, const char *cname,
                             const struct random_source *random)
{
    random->fill(random->user, &identity->ssrc, sizeof identity->ssrc);
    do {
        random->fill(random->user, &identity->rtx_ssrc, sizeof identity->rtx_ssrc);
    } while (identity->rtx_ssrc == identity->ssrc);
    g_strlcpy(identity->cname, cname, sizeof identity->cname);
}

bool call_video_knows_codec(const char *name)
{
    return !name || video_codec_find(name, VIDEO_CLOCKRATE);
}

/* ---------------------------------------------------------------------------- describing -- */

/* "a=1;b=2" */
static void add_parameters(struct rtp_parameters *parameters, const char *fmtp)
{
    char **items = g_strsplit(fmtp, ";", -1);
    for (char **item = items; *item; item++) {
        char *value = strchr(*item, '=');
        if (value) {
            *value++ = '\0';
            rtp_parameters_add(parameters, g_strstrip(*item), g_strstrip(value));
        }
    }
    g_strfreev(items);
}

static void add_codec(struct rtp_description *description, const struct video_codec *codec)
{
    char apt[4];
    uint8_t id = codec == &codec_vp9 ? PT_VP9 : PT_VP8;
    struct rtp_payload_type *type =
        rtp_description_add(description, id, codec->name, codec->clockrate, 1);
    add_parameters(&type->parameters, codec->fmtp);
    rtcp_feedbacks_add(&type->feedback, "nack", NULL);
    rtcp_feedbacks_add(&type->feedback, "nack", "pli");
    rtcp_feedbacks_add(&type->feedback, "ccm", "fir");
    rtcp_feedbacks_add(&type->feedback, "goog-remb", NULL);
    rtcp_feedbacks_add(&type->feedback, "transport-cc", NULL);
    type = rtp_description_add(description, id + 1, "rtx", codec->clockrate, 1);
    g_snprintf(apt, sizeof apt, "%u", id);
    rtp_parameters_add(&type->parameters, "apt", apt);
}

static void add_codecs(struct rtp_description *description, const struct video_codec *first)
{
    add_codec(description, first);
    for (const struct video_codec *const *codec = video_codec_all(); *codec; codec++) {
        if (*codec != first) {
            add_codec(description, *codec);
        }
    }
}

void call_video_describe(struct rtp_description *description, const char *first_codec,
                         const struct call_video_identity *identity)
{
    const struct video_codec *first =
        first_codec ? video_codec_find(first_codec, VIDEO_CLOCKRATE) : NULL;
    uint32_t group[] = {identity->ssrc, identity->rtx_ssrc};
    rtp_description_init(description, "video");
    description->rtcp_mux = true;
    description->rtcp_reduced_size = true;
    add_codecs(description, first ? first : video_codec_all()[0]);
    rtp_description_add_hdrext(description, EXT_ABS_SEND_TIME, HDREXT_ABS_SEND_TIME, SENDERS_BOTH);
    rtp_description_add_hdrext(description, EXT_TRANSPORT_CC, HDREXT_TRANSPORT_CC, SENDERS_BOTH);
    rtp_description_add_hdrext(description, EXT_MID, HDREXT_MID, SENDERS_BOTH);
    description->has_ssrc = true; /* without it stanza forgets the group */
    description->ssrc = identity->ssrc;
    rtp_description_add_source(description, identity->ssrc, identity->cname);
    rtp_description_add_source(description, identity->rtx_ssrc, identity->cname);
    rtp_description_add_group(description, "FID", group, G_N_ELEMENTS(group));
}

void call_video_describe_voice(struct rtp_description *voice)
{
    for (size_t i = 0; i < voice->payload_type_count; i++) {
        struct rtp_payload_type *type = &voice->payload_types[i];
        if (g_ascii_strcasecmp(type->name, "opus") == 0) {
            rtcp_feedbacks_add(&type->feedback, "transport-cc", NULL);
        }
    }
    rtp_description_add_hdrext(voice, EXT_TRANSPORT_CC, HDREXT_TRANSPORT_CC, SENDERS_BOTH);
}

/* ---------------------------------------------------------------------------- configuring -- */

static const struct video_codec *find(const struct rtp_codec *codec)
{
    return video_codec_find(codec->name, codec->clockrate);
}

static void choose_receiving(struct video_config *config, const struct rtp_agreement *agreement)
{
    for (size_t i = 0; i < agreement->receive_count && config->receive_count < VIDEO_PAYLOADS_MAX;
         i++) {
        const struct rtp_codec *codec = &agreement->receive[i];
        config->receive[config->receive_count++] = (struct video_receiving){
            .payload_type = codec->payload_type,
            .codec = find(codec),
            .rtx = codec->has_rtx ? codec->rtx_payload_type : 0,
        };
    }
}

static void choose_extensions(struct video_extensions *extensions,
                              const struct rtp_agreement *agreement, const char *content)
{
    extensions->mid = (uint8_t)agreement->send_mid;
    extensions->send_time = (uint8_t)agreement->send_abs_send_time;
    extensions->transport_sequence = (uint8_t)agreement->send_transport_cc;
    if (g_strlcpy(extensions->mid_value, content, sizeof extensions->mid_value) > VIDEO_MID_MAX) {
        extensions->mid = 0; /* half a name would name another content, or none */
    }
}

void call_video_config(struct video_config *config, const struct rtp_agreement *agreement,
                       const char *content, uint32_t bitrate,
                       const struct call_video_identity *identity)
{
    const struct rtp_codec *send = &agreement->send;
    *config = (struct video_config){
        .ssrc = identity->ssrc,
        .rtx_ssrc = identity->rtx_ssrc,
        .cname = identity->cname,
        .sending = {.codec = find(send),
                    .payload_type = send->payload_type,
                    .rtx = send->has_rtx ? send->rtx_payload_type : 0,
                    .bitrate = bitrate},
        .feedback = {.nack = send->feedback.nack,
                     .pli = send->feedback.nack_pli,
                     .fir = send->feedback.ccm_fir,
                     .reduced_size = agreement->rtcp_reduced_size},
        .random = random_system,
    };
    choose_receiving(config, agreement);
    choose_extensions(&config->extensions, agreement, content);
}
