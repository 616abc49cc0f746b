/* As call_voice.h, for pictures: from an application's wishes to Jingle's words and from what was
 * agreed to a video stream.
 *
 *     settings ─▶ rtp_description (what we can) ─▶ negotiation ─▶ rtp_agreement ─▶ video_config */
#ifndef JINGLE_ENGINE_CALL_VIDEO_H
#define JINGLE_ENGINE_CALL_VIDEO_H

#include "base/random.h"
#include "rtp/video.h"
#include "signaling/negotiate.h"

#include <jingle/jingle.h>

/* Who our streams are, in the description as in the packets. */
struct call_video_identity {
    uint32_t ssrc;
    uint32_t rtx_ssrc; /* of retransmissions */
    char cname[17];    /* the voice's, so that the peer plays both in step */
};

void call_video_identity_new(struct call_video_identity *identity, const char *cname,
                             const struct random_source *random);

/* NULL is VP8. */
bool call_video_knows_codec(const char *name);

/* What we can do, best first. rtp_description_clear() it. */
void call_video_describe(struct rtp_description *description, const char *first_codec,
                         const struct call_video_identity *identity);

/* What a voice that goes with video says more: its packets count in the path's estimate. */
void call_video_describe_voice(struct rtp_description *voice);

/* All but uplink, wall_offset, log, random and hooks. `content` is the mid. */
void call_video_config(struct video_config *config, const struct rtp_agreement *agreement,
                       const char *content, uint32_t bitrate,
                       const struct call_video_identity *identity);

#endif
