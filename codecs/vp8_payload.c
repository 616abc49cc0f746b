/* The RTP payload of VP8 (RFC 7741, section 4.2).
 *
 *      0 1 2 3 4 5 6 7
 *     |X|R|N|S|R| PID |  R: reserved; N: not a reference; S: a partition starts; PID: which
 *  X: |I|L|T|K| RSV   |
 *  I: |M| picture id  |  7 bits, with M 15
 *  L: |   TL0PICIDX   |
 *  T/K: |TID|Y| KEYIDX |
 *
 * Our packets are not aligned with partitions: S is set with the first of a frame only. */
#include "codecs/video_payload.h"
#include "codecs/vpx_header.h"

enum {
    BIT_X = 0x80,
    BIT_N = 0x20,
    BIT_S = 0x10,
    MASK_PID = 0x07,
    BIT_I = 0x80,
    BIT_L = 0x40,
    BIT_T = 0x20,
    BIT_K = 0x10,
    BIT_M = 0x80,
    BIT_Y = 0x20
};

size_t vp8_write_descriptor(const struct coded_frame *frame, bool first, bool last, uint8_t *at)
{
    (void)last;
    bool layered = frame->tl0_index >= 0;
    size_t size = 0;
    at[size++] = (uint8_t)((frame->picture_id >= 0 || layered ? BIT_X : 0) |
                           (frame->discardable ? BIT_N : 0) | (first ? BIT_S : 0));
    if (frame->picture_id >= 0 || layered) {
        at[size++] =
            (uint8_t)((frame->picture_id >= 0 ? BIT_I : 0) | (layered ? BIT_L | BIT_T : 0));
    }
    if (frame->picture_id >= 0) {
        at[size++] = (uint8_t)(BIT_M | frame->picture_id >> 8);
        at[size++] = (uint8_t)frame->picture_id;
    }
    if (layered) {
        at[size++] = (uint8_t)frame->tl0_index;
        at[size++] = (uint8_t)(frame->temporal_layer << 6 | (frame->layer_sync ? BIT_Y : 0));
    }
    return size;
}

/* Reads the extension behind the first octet; returns where the codec's bytes begin, or 0 if the
 * payload ends before. */
static size_t read_extension(const uint8_t *payload, size_t size, struct video_payload *out)
{
    size_t at = 2;
    if (size < at) {
        return 0;
    }
    uint8_t present = payload[1];
    if (present & BIT_I) {
        if (at >= size || ((payload[at] & BIT_M) && at + 1 >= size)) {
            return 0;
        }
        bool is_long = (payload[at] & BIT_M) != 0;
        out->picture_bits = is_long ? 15 : 7;
        out->picture_id =
            is_long ? (payload[at] & 0x7f) << 8 | payload[at + 1] : payload[at] & 0x7f;
        at += is_long ? 2 : 1;
    }
    if (present & BIT_L) {
        if (at >= size) {
            return 0;
        }
        out->tl0_index = payload[at++];
    }
    if (present & (BIT_T | BIT_K)) {
        if (at >= size) {
            return 0;
        }
        if (present & BIT_T) {
            out->has_layer = true;
            out->temporal_layer = payload[at] >> 6;
            out->layer_sync = (payload[at] & BIT_Y) != 0;
        }
        at++;
    }
    return at;
}

jingle_status vp8_depacketise(const uint8_t *payload, size_t size, struct video_payload *out)
{
    *out = (struct video_payload){.picture_id = -1, .tl0_index = -1};
    if (size < 1) {
        return JINGLE_ERROR_INVALID;
    }
    size_t at = payload[0] & BIT_X ? read_extension(payload, size, out) : 1;
    if (at == 0 || at >= size) {
        return JINGLE_ERROR_INVALID;
    }
    out->bytes = payload + at;
    out->size = size - at;
    out->discardable = (payload[0] & BIT_N) != 0;
    out->begins_partition = (payload[0] & BIT_S) != 0;
    out->begins_frame = out->begins_partition && (payload[0] & MASK_PID) == 0;
    if (out->begins_frame) {
        struct vpx_header header;
        out->key = (out->bytes[0] & 0x01) == 0;
        out->inter_predicted = !out->key;
        if (out->key && vp8_read_header(out->bytes, out->size, &header)) {
            out->width = header.width;
            out->height = header.height;
        }
    }
    return JINGLE_OK;
}
