/* The RTP payload of VP9 (RFC 9628, section 4.2).
 *
 *      0 1 2 3 4 5 6 7
 *     |I|P|L|F|B|E|V|Z|
 *  I: |M| picture id  |  7 bits, with M 15
 *  L: | TID |U| SID |D|
 *     |   TL0PICIDX   |  only if F is not set
 *  P and F: |  P_DIFF |N|  one to three, N: another one follows
 *  V: the scalability structure:
 *     | N_S |Y|G|  -  |  then with Y the sizes of N_S + 1 spatial layers, and with G the count N_G
 *                        of pictures in a group and for each | TID |U| R | - | and R times P_DIFF
 *
 * We send non-flexible mode: the group of pictures is the pattern of vpx_encoder.c, and is told
 * with every key frame. Both modes are read. */
#include "codecs/video_payload.h"
#include "codecs/vpx_header.h"

enum {
    BIT_I = 0x80,
    BIT_P = 0x40,
    BIT_L = 0x20,
    BIT_F = 0x10,
    BIT_B = 0x08,
    BIT_E = 0x04,
    BIT_V = 0x02,
    BIT_M = 0x80,
    BIT_U = 0x10,
    BIT_D = 0x01,
    BIT_N = 0x01,
    BIT_Y = 0x10,
    BIT_G = 0x08,
    PICTURES_MAX = 4
};

/* One picture of a group: its layer, and how far back are the pictures it needs. */
struct picture_of_group {
    uint8_t layer;
    bool sync;
    uint8_t reference_count;
    uint8_t references[2];
};

struct group {
    uint8_t count;
    struct picture_of_group pictures[PICTURES_MAX];
};

/* By the number of temporal layers; vpx_encoder.c encodes accordingly. */
static const struct group groups[] = {
    {1, {{0, true, 1, {1}}}},
    {2, {{0, true, 1, {2}}, {1, true, 1, {1}}}},
    {4, {{0, true, 1, {4}}, {2, true, 1, {1}}, {1, true, 1, {2}}, {2, false, 2, {1, 3}}}},
};

static size_t write_structure(const struct coded_frame *frame, uint8_t *at)
{
    const struct group *group = &groups[frame->temporal_layers - 1];
    size_t size = 0;
    at[size++] = BIT_Y | BIT_G;
    at[size++] = (uint8_t)(frame->width >> 8);
    at[size++] = (uint8_t)frame->width;
    at[size++] = (uint8_t)(frame->height >> 8);
    at[size++] = (uint8_t)frame->height;
    at[size++] = group->count;
    for (size_t i = 0; i < group->count; i++) {
        const struct picture_of_group *picture = &group->pictures[i];
        at[size++] = (uint8_t)(picture->layer << 5 | (picture->sync ? BIT_U : 0) |
                               picture->reference_count << 2);
        for (size_t j = 0; j < picture->reference_count; j++) {
            at[size++] = picture->references[j];
        }
    }
    return size;
}

size_t vp9_write_descriptor(const struct coded_frame *frame, bool first, bool last, uint8_t *at)
{
    bool layered = frame->tl0_index >= 0;
    bool structure =
        first && frame->temporal_layers >= 1 && frame->temporal_layers <= VIDEO_TEMPORAL_LAYERS_MAX;
    size_t size = 0;
    at[size++] = (uint8_t)((frame->picture_id >= 0 ? BIT_I : 0) |
                           (frame->inter_predicted ? BIT_P : 0) | (layered ? BIT_L : 0) |
                           (first ? BIT_B : 0) | (last ? BIT_E : 0) | (structure ? BIT_V : 0));
    if (frame->picture_id >= 0) {
        at[size++] = (uint8_t)(BIT_M | frame->picture_id >> 8);
        at[size++] = (uint8_t)frame->picture_id;
    }
    if (layered) {
        bool sync = frame->layer_sync || frame->temporal_layer == 0;
        at[size++] = (uint8_t)(frame->temporal_layer << 5 | (sync ? BIT_U : 0));
        at[size++] = (uint8_t)frame->tl0_index;
    }
    return structure ? size + write_structure(frame, at + size) : size;
}

/* Bytes from the front; past the end they are 0 and `cut` is set. */
struct reader {
    const uint8_t *bytes;
    size_t size;
    size_t at;
    bool cut;
};

static uint8_t take(struct reader *reader)
{
    if (reader->at >= reader->size) {
        reader->cut = true;
        return 0;
    }
    return reader->bytes[reader->at++];
}

static void read_picture_id(struct reader *reader, struct video_payload *out)
{
    uint8_t octet = take(reader);
    out->picture_id = octet & 0x7f;
    out->picture_bits = 7;
    if (octet & BIT_M) {
        out->picture_id = out->picture_id << 8 | take(reader);
        out->picture_bits = 15;
    }
}

static void read_layer(struct reader *reader, struct video_payload *out)
{
    uint8_t octet = take(reader);
    out->has_layer = true;
    out->temporal_layer = octet >> 5;
    out->layer_sync = (octet & BIT_U) != 0;
    out->spatial_layer = octet >> 1 & 0x07;
    if (!out->flexible) {
        out->tl0_index = take(reader);
    }
}

/* False if more are named than RFC 9628 allows. */
static bool read_references(struct reader *reader, struct video_payload *out)
{
    bool more = true;
    while (more) {
        if (out->reference_count == VIDEO_REFERENCES_MAX) {
            return false;
        }
        uint8_t octet = take(reader);
        out->references[out->reference_count++] = octet >> 1;
        more = (octet & BIT_N) != 0;
    }
    return true;
}

/* The size told is that of the largest layer, which is the last. */
static void read_structure(struct reader *reader, struct video_payload *out)
{
    uint8_t octet = take(reader);
    unsigned layers = (octet >> 5) + 1U;
    if (octet & BIT_Y) {
        for (unsigned i = 0; i < layers; i++) {
            unsigned high = take(reader);
            out->width = high << 8 | take(reader);
            high = take(reader);
            out->height = high << 8 | take(reader);
        }
    }
    unsigned pictures = octet & BIT_G ? take(reader) : 0;
    for (unsigned i = 0; i < pictures && !reader->cut; i++) {
        unsigned references = take(reader) >> 2 & 0x03;
        for (unsigned j = 0; j < references; j++) {
            take(reader);
        }
    }
}

/* P not set says that nothing before is needed, which holds of a frame with only inner prediction,
 * too. If the codec's header was cut off, P must do. */
static bool is_key(const struct video_payload *payload)
{
    struct vpx_header header;
    return payload->begins_frame && !payload->inter_predicted &&
           (!vp9_read_header(payload->bytes, payload->size, &header) || header.key);
}

jingle_status vp9_depacketise(const uint8_t *payload, size_t size, struct video_payload *out)
{
    struct reader reader = {.bytes = payload, .size = size};
    uint8_t octet = take(&reader);
    *out = (struct video_payload){
        .picture_id = -1,
        .tl0_index = -1,
        .begins_layer = (octet & BIT_B) != 0,
        .begins_partition = (octet & BIT_B) != 0,
        .ends_layer = (octet & BIT_E) != 0,
        .inter_predicted = (octet & BIT_P) != 0,
        .flexible = (octet & BIT_F) != 0,
    };
    if (octet & BIT_I) {
        read_picture_id(&reader, out);
    }
    if (octet & BIT_L) {
        read_layer(&reader, out);
    }
    if (out->flexible &&
        (out->picture_id < 0 || (out->inter_predicted && !read_references(&reader, out)))) {
        return JINGLE_ERROR_INVALID;
    }
    if (octet & BIT_V) {
        read_structure(&reader, out);
    }
    if (reader.cut || reader.at >= size) {
        return JINGLE_ERROR_INVALID;
    }
    out->bytes = payload + reader.at;
    out->size = size - reader.at;
    out->begins_frame = out->begins_layer && out->spatial_layer == 0;
    out->key = is_key(out);
    return JINGLE_OK;
}
