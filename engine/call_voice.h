/* From an application's wishes to Jingle's words and from what was agreed to a voice:
 *
 *     settings ─▶ rtp_description (what we can) ─▶ negotiation ─▶ rtp_agreement ─▶ voice_config */
#ifndef JINGLE_ENGINE_CALL_VOICE_H
#define JINGLE_ENGINE_CALL_VOICE_H

#include "base/random.h"
#include "rtp/voice.h"
#include "signaling/negotiate.h"

#include <jingle/jingle.h>

/* Who our stream is, in the description as in the packets. */
struct call_voice_identity {
    uint32_t ssrc;
    char cname[17]; /* RFC 7022: short-term persistent, tells nothing */
};

void call_voice_identity_new(struct call_voice_identity *identity,
                             const struct random_source *random);

/* NULL is Opus. */
bool call_voice_knows_codec(const char *name);

/* What we can do, best first. rtp_description_clear() it. */
void call_voice_describe(struct rtp_description *description, const jingle_session_config *settings,
                         const struct call_voice_identity *identity);

bool call_voice_takes_digits(const struct rtp_agreement *agreement);

/* All but wall_offset, log, random and hooks. `content` is the mid. */
void call_voice_config(struct voice_config *config, const struct rtp_agreement *agreement,
                       const char *content, const jingle_session_config *settings,
                       const struct call_voice_identity *identity);

/* "opus/48000/2"; "" for NULL. Static. */
const char *call_voice_codec_name(const struct audio_codec *codec);

#endif
