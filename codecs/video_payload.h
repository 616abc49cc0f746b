/* The payload descriptors of VP8 (RFC 7741, section 4.2) and VP9 (RFC 9628, section 4.2); for the
 * tables in vp8.c and vp9.c. */
#ifndef JINGLE_CODECS_VIDEO_PAYLOAD_H
#define JINGLE_CODECS_VIDEO_PAYLOAD_H

#include "codecs/video_codec.h"

/* Of the first, a middle or the last payload of a frame. Returns its bytes, at most
 * VIDEO_PAYLOAD_OVERHEAD_MAX. */
size_t vp8_write_descriptor(const struct coded_frame *frame, bool first, bool last, uint8_t *at);
size_t vp9_write_descriptor(const struct coded_frame *frame, bool first, bool last, uint8_t *at);

jingle_status vp8_depacketise(const uint8_t *payload, size_t size, struct video_payload *out);
jingle_status vp9_depacketise(const uint8_t *payload, size_t size, struct video_payload *out);

#endif
