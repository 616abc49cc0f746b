/* What the first bytes of a frame say, without decoding it: VP8's frame tag (RFC 6386, section 9.1)
 * and VP9's uncompressed header (VP9 bitstream specification, section 6.2). */
#ifndef JINGLE_CODECS_VPX_HEADER_H
#define JINGLE_CODECS_VPX_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vpx_header {
    bool key;
    bool shown;
    uint32_t width; /* 0: that of an earlier frame */
    uint32_t height;
};

/* False if it is malformed, cut off, or (VP9) of another profile than 0. */
bool vp8_read_header(const uint8_t *bytes, size_t size, struct vpx_header *out);
bool vp9_read_header(const uint8_t *bytes, size_t size, struct vpx_header *out);

#endif
