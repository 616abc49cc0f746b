/* Payloads of a hostile peer into the depacketisers, what they carry into frames, and frames into
 * the decoders.
 *
 *     input: codec (1 byte: bit 0) | records of   how (1 byte: END bit) | length (2, big-endian) |
 * payload
 */
#include "codecs/video_codec.h"

#include <stdlib.h>

#define END_BIT 0x80

enum { FRAMES_MAX = 16 }; /* that are decoded: the largest allowed take their time */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_payload(const struct video_payload *out, const uint8_t *payload, size_t size)
{
    if (out->size == 0 || out->bytes < payload || out->bytes + out->size != payload + size ||
        out->reference_count > VIDEO_REFERENCES_MAX || out->picture_id >= 1 << 15 ||
        out->tl0_index > 255 || (out->key && !out->begins_frame)) {
        abort();
    }
}

static void look_at(const jingle_picture *picture)
{
    if (picture->width > VIDEO_SIDE_MAX || picture->height > VIDEO_SIDE_MAX ||
        picture->width * picture->height > VIDEO_PIXELS_MAX) {
        abort();
    }
    volatile uint8_t sink;
    for (int i = 0; i < 3; i++) {
        size_t rows = i ? (picture->height + 1) / 2 : picture->height;
        size_t columns = i ? (picture->width + 1) / 2 : picture->width;
        sink = picture->planes[i][0];
        sink = picture->planes[i][(rows - 1) * picture->strides[i] + columns - 1];
    }
    (void)sink;
}

static void decode(struct video_decoder *decoder, struct coded_frame *frame)
{
    jingle_picture picture;
    int status = video_decode(decoder, frame, &picture);
    if (status > 1) {
        abort();
    }
    if (status == 1) {
        look_at(&picture);
    }
    coded_frame_clear(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    const struct video_codec *codec = data[0] & 1 ? &codec_vp9 : &codec_vp8;
    struct video_decoder *decoder = video_decoder_new(codec, 1);
    struct coded_frame *frame = coded_frame_new(0);
    if (!decoder || !frame) {
        abort();
    }
    size_t at = 1;
    unsigned frames = 0;
    while (size - at >= 3 && frames < FRAMES_MAX) {
        uint8_t how = data[at];
        size_t length = (size_t)data[at + 1] << 8 | data[at + 2];
        at += 3;
        length = length > size - at ? size - at : length;
        struct video_payload out;
        if (video_depacketise(codec, data + at, length, &out) == JINGLE_OK) {
            check_payload(&out, data + at, length);
            coded_frame_add(frame, &out);
        }
        at += length;
        if (how & END_BIT) {
            decode(decoder, frame);
            frames++;
        }
    }
    coded_frame_free(frame);
    video_decoder_free(decoder);
    return 0;
}
