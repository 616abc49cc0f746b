/* An encoder and what stands around it: the size and form that it wants, its configuration, and the
 * speed that the time left allows. One thread. */
#ifndef JINGLE_MEDIA_VIDEO_ENCODING_H
#define JINGLE_MEDIA_VIDEO_ENCODING_H

#include "base/log.h"
#include "codecs/video_codec.h"
#include "media/video_capture.h"

struct video_encoding;

struct video_encoding *video_encoding_new(const struct logger *log);
void video_encoding_free(struct video_encoding *encoding);

/* Encodes `picture`, scaled to the target. Returns as video_encode(). */
int video_encoding_encode(struct video_encoding *encoding, const struct video_codec *codec,
                          const struct video_capture_target *target, bool screen, bool key,
                          const jingle_picture *picture, struct coded_frame *frame);

#endif
