#include "codecs/vpx_header.h"

enum {
    VP8_TAG_SIZE = 3,
    VP8_KEY_HEADER_SIZE = 10,
    VP9_MARKER_AND_PROFILE = 8, /* marker 2, profile 0 */
    VP9_SYNC_CODE = 0x498342,
    VP9_COLOR_RGB = 7,
    VP9_REFERENCES = 3
};

bool vp8_read_header(const uint8_t *bytes, size_t size, struct vpx_header *out)
{
    if (size < VP8_TAG_SIZE) {
        return false;
    }
    *out = (struct vpx_header){.key = !(bytes[0] & 0x01), .shown = (bytes[0] & 0x10) != 0};
    if (!out->key) {
        return true;
    }
    if (size < VP8_KEY_HEADER_SIZE || bytes[3] != 0x9d || bytes[4] != 0x01 || bytes[5] != 0x2a) {
        return false;
    }
    out->width = (uint32_t)(bytes[6] | bytes[7] << 8) & 0x3fff; /* above are two bits of scale */
    out->height = (uint32_t)(bytes[8] | bytes[9] << 8) & 0x3fff;
    return out->width > 0 && out->height > 0;
}

/* Bits, the highest of a byte first. Past the end they are 0 and `cut` is set. */
struct bits {
    const uint8_t *bytes;
    size_t size;
    size_t at;
    bool cut;
};

static uint32_t take(struct bits *bits, unsigned count)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < count; i++, bits->at++) {
        size_t byte = bits->at / 8;
        bits->cut |= byte >= bits->size;
        unsigned bit = bits->cut ? 0 : (bits->bytes[byte] >> (7 - bits->at % 8)) & 1U;
        value = value << 1 | bit;
    }
    return value;
}

static void take_size(struct bits *bits, struct vpx_header *out)
{
    out->width = take(bits, 16) + 1;
    out->height = take(bits, 16) + 1;
}

static bool read_key(struct bits *bits, struct vpx_header *out)
{
    if (take(bits, 24) != VP9_SYNC_CODE || take(bits, 3) == VP9_COLOR_RGB) {
        return false; /* RGB needs another profile */
    }
    take(bits, 1); /* range of colours */
    take_size(bits, out);
    return true;
}

static bool read_inter(struct bits *bits, bool error_resilient, struct vpx_header *out)
{
    bool intra_only = out->shown ? false : take(bits, 1) != 0;
    if (!error_resilient) {
        take(bits, 2); /* contexts to reset */
    }
    if (intra_only) {
        bool synchronised = take(bits, 24) == VP9_SYNC_CODE;
        take(bits, 8); /* references to replace */
        take_size(bits, out);
        return synchronised;
    }
    take(bits, 8);
    take(bits, VP9_REFERENCES * 4); /* which, and the sign of their motion vectors */
    for (int i = 0; i < VP9_REFERENCES; i++) {
        if (take(bits, 1)) {
            return true; /* the size of that reference */
        }
    }
    take_size(bits, out);
    return true;
}

bool vp9_read_header(const uint8_t *bytes, size_t size, struct vpx_header *out)
{
    struct bits bits = {.bytes = bytes, .size = size};
    *out = (struct vpx_header){0};
    if (take(&bits, 4) != VP9_MARKER_AND_PROFILE) {
        return false;
    }
    if (take(&bits, 1)) { /* shows a frame that is there */
        out->shown = true;
        take(&bits, 3);
        return !bits.cut;
    }
    out->key = take(&bits, 1) == 0;
    out->shown = take(&bits, 1) != 0;
    bool error_resilient = take(&bits, 1) != 0;
    bool good = out->key ? read_key(&bits, out) : read_inter(&bits, error_resilient, out);
    return good && !bits.cut;
}
