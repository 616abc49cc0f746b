#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codecs/video_codec.h"

#define READ(codec, out, ...)                                \
    video_depacketise(codec, (const uint8_t[]){__VA_ARGS__}, \
                      sizeof((const uint8_t[]){__VA_ARGS__}), out)

#define VP8_KEY   0x10, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01 /* 640x480 */
#define VP8_INTER 0x11, 0x00, 0x00

/* Frame marker, profile 0, key frame, shown; sync code; BT.601; 320x180. */
#define VP9_KEY 0x82, 0x49, 0x83, 0x42, 0x20, 0x13, 0xf0, 0x0b, 0x30

/* ------------------------------------------------------------------------------------------ VP8 */

static void test_vp8_without_extension_is_read(void **state)
{
    (void)state;
    struct video_payload out;
    assert_int_equal(READ(&codec_vp8, &out, 0x10, VP8_KEY), JINGLE_OK);
    assert_true(out.begins_frame);
    assert_true(out.begins_partition);
    assert_true(out.key);
    assert_int_equal(out.width, 640);
    assert_int_equal(out.height, 480);
    assert_int_equal(out.size, 10);
    assert_int_equal(out.picture_id, -1);
    assert_int_equal(out.picture_bits, 0);
    assert_int_equal(out.tl0_index, -1);
    assert_false(out.has_layer);
    assert_false(out.discardable);

    assert_int_equal(READ(&codec_vp8, &out, 0x30, VP8_INTER), JINGLE_OK);
    assert_true(out.begins_frame);
    assert_false(out.key);
    assert_true(out.discardable);
}

static void test_vp8_a_later_partition_does_not_begin_a_frame(void **state)
{
    (void)state;
    struct video_payload out;
    assert_int_equal(READ(&codec_vp8, &out, 0x12, 0x00, 0x00), JINGLE_OK); /* S, PID 2 */
    assert_true(out.begins_partition);
    assert_false(out.begins_frame);
    assert_false(out.key);
    assert_int_equal(READ(&codec_vp8, &out, 0x00, 0x00), JINGLE_OK); /* within partition 0 */
    assert_false(out.begins_frame);
}

/* The figure of RFC 7741, section 4.2, with everything in it. */
static void test_vp8_every_field_of_the_extension_is_read(void **state)
{
    (void)state;
    struct video_payload out;
    assert_int_equal(READ(&codec_vp8, &out, 0xb0, 0xf0, 0x92, 0x34, 0x56, 0x65, VP8_INTER),
                     JINGLE_OK);
    assert_true(out.discardable);
    assert_int_equal(out.picture_id, 0x1234);
    assert_int_equal(out.picture_bits, 15);
    assert_int_equal(out.tl0_index, 0x56);
    assert_true(out.has_layer);
    assert_int_equal(out.temporal_layer, 1);
    assert_true(out.layer_sync);
    assert_int_equal(out.size, 3);
    assert_int_equal(out.bytes[0], 0x11);
}

static void test_vp8_a_short_picture_id_and_a_lone_key_index_are_read(void **state)
{
    (void)state;
    struct video_payload out;
    assert_int_equal(READ(&codec_vp8, &out, 0x90, 0x80, 0x11, VP8_INTER), JINGLE_OK);
    assert_int_equal(out.picture_id, 0x11);
    assert_int_equal(out.picture_bits, 7);
    assert_int_equal(READ(&codec_vp8, &out, 0x90, 0x10, 0xff, VP8_INTER), JINGLE_OK);
    assert_false(out.has_layer); /* the octet is there for KEYIDX only */
    assert_int_equal(out.temporal_layer, 0);
    assert_int_equal(out.size, 3);
}

/* Whatever is cut off, it is refused or the codec's bytes lie inside. The payload ends where memory
 * that may be read ends, for the address sanitizer. */
static void cut_everywhere(const struct video_codec *codec, const uint8_t *payload, size_t size,
                           size_t descriptor)
{
    for (size_t length = 0; length <= size; length++) {
        uint8_t *copy = malloc(length + (length == 0));
        memcpy(copy, payload, length);
        struct video_payload out;
        jingle_status status = video_depacketise(codec, copy, length, &out);
        assert_int_equal(status, length > descriptor ? JINGLE_OK : JINGLE_ERROR_INVALID);
        if (status == JINGLE_OK) {
            assert_ptr_equal(out.bytes, copy + descriptor);
            assert_int_equal(out.size, length - descriptor);
        }
        free(copy);
    }
}

static void test_vp8_what_is_cut_off_is_refused(void **state)
{
    (void)state;
    const uint8_t full[] = {0xb0, 0xf0, 0x92, 0x34, 0x56, 0x65, VP8_KEY};
    cut_everywhere(&codec_vp8, full, sizeof full, 6);
}

/* ------------------------------------------------------------------------------------------ VP9 */

static void test_vp9_the_smallest_descriptor_is_read(void **state)
{
    (void)state;
    struct video_payload out;
    assert_int_equal(READ(&codec_vp9, &out, 0x0c, VP9_KEY), JINGLE_OK); /* B, E */
    assert_true(out.begins_frame);
    assert_true(out.begins_layer);
    assert_true(out.ends_layer);
    assert_true(out.key);
    assert_false(out.inter_predicted);
    assert_int_equal(out.picture_id, -1);
    assert_int_equal(out.size, 9);
}

/* RFC 9628, section 4.2, the figure of non-flexible mode. */
static void test_vp9_non_flexible_mode_is_read(void **state)
{
    (void)state;
    struct video_payload out;
    assert_int_equal(READ(&codec_vp9, &out, 0xe8, 0x92, 0x34, 0x30, 0x77, 0x86), JINGLE_OK);
    assert_true(out.begins_frame);
    assert_false(out.key);
    assert_true(out.inter_predicted);
    assert_false(out.flexible);
    assert_int_equal(out.picture_id, 0x1234);
    assert_int_equal(out.picture_bits, 15);
    assert_int_equal(out.temporal_layer, 1);
    assert_true(out.layer_sync);
    assert_int_equal(out.spatial_layer, 0);
    assert_int_equal(out.tl0_index, 0x77);
    assert_int_equal(out.size, 1);
}

/* The figure of flexible mode: references instead of TL0PICIDX. */
static void test_vp9_flexible_mode_is_read(void **state)
{
    (void)state;
    struct video_payload out;
    assert_int_equal(READ(&codec_vp9, &out, 0xf8, 0x11, 0x40, 0x03, 0x05, 0x08, 0x86), JINGLE_OK);
    assert_true(out.flexible);
    assert_int_equal(out.picture_id, 0x11);
    assert_int_equal(out.picture_bits, 7);
    assert_int_equal(out.temporal_layer, 2);
    assert_int_equal(out.tl0_index, -1);
    assert_int_equal(out.reference_count, 3);
    assert_int_equal(out.references[0], 1);
    assert_int_equal(out.references[1], 2);
    assert_int_equal(out.references[2], 4);
    assert_int_equal(out.size, 1);
}

static void test_vp9_flexible_mode_with_too_many_references_or_no_picture_id_is_refused(
    void **state)
{
    (void)state;
    struct video_payload out;
    assert_int_equal(READ(&codec_vp9, &out, 0xd8, 0x11, 0x03, 0x05, 0x09, 0x02, 0x86),
                     JINGLE_ERROR_INVALID);
    assert_int_equal(READ(&codec_vp9, &out, 0x58, 0x02, 0x86), JINGLE_ERROR_INVALID);
}

static void test_vp9_the_scalability_structure_is_read(void **state)
{
    (void)state;
    struct video_payload out;
    /* Two spatial layers with sizes, a group of two pictures. */
    assert_int_equal(READ(&codec_vp9, &out, 0x0a, 0x38, 0x01, 0x40, 0x00, 0xb4, 0x02, 0x80, 0x01,
                          0x68, 0x02, 0x04, 0x02, 0x34, 0x01, VP9_KEY),
                     JINGLE_OK);
    assert_true(out.key);
    assert_int_equal(out.width, 640);
    assert_int_equal(out.height, 360);
    assert_int_equal(out.size, 9);
}

static void test_vp9_a_higher_spatial_layer_does_not_begin_a_frame(void **state)
{
    (void)state;
    struct video_payload out;
    assert_int_equal(READ(&codec_vp9, &out, 0x28, 0x03, 0x01, 0x86), JINGLE_OK); /* SID 1, D */
    assert_true(out.begins_layer);
    assert_false(out.begins_frame);
    assert_false(out.key);
    assert_int_equal(out.spatial_layer, 1);
}

/* P is not set there, for nothing before is needed, but it is not a key frame. */
static void test_vp9_an_intra_only_frame_is_no_key_frame(void **state)
{
    (void)state;
    struct video_payload out;
    /* Not a key frame, not shown, intra-only; sync code; references; 320x180. */
    assert_int_equal(
        READ(&codec_vp9, &out, 0x08, 0x84, 0x89, 0x30, 0x68, 0x40, 0x20, 0x27, 0xe0, 0x16, 0x60),
        JINGLE_OK);
    assert_true(out.begins_frame);
    assert_false(out.key);
}

static void test_vp9_what_is_cut_off_is_refused(void **state)
{
    (void)state;
    const uint8_t full[] = {0xea, 0x92, 0x34, 0x30, 0x77, 0x18, 0x02, 0x80,
                            0x01, 0x68, 0x02, 0x04, 0x02, 0x34, 0x01, VP9_KEY};
    cut_everywhere(&codec_vp9, full, sizeof full, 15);
    const uint8_t flexible[] = {0xf8, 0x91, 0x22, 0x40, 0x03, 0x05, 0x08, 0x86, 0x00};
    cut_everywhere(&codec_vp9, flexible, sizeof flexible, 7);
}

static void test_vp9_a_structure_that_promises_more_than_there_is_is_refused(void **state)
{
    (void)state;
    struct video_payload out;
    assert_int_equal(READ(&codec_vp9, &out, 0x0a, 0x08, 0xff, 0x0c, 1, 2, 3, 0x0c, 1, 2, 3),
                     JINGLE_ERROR_INVALID);
    assert_int_equal(READ(&codec_vp9, &out, 0x0a, 0xf0, 0, 1, 0, 1, 0, 1, 0, 1),
                     JINGLE_ERROR_INVALID);
}

/* ------------------------------------------------------------------------------ there and back */

static struct coded_frame *made_frame(const struct video_codec *codec, size_t size)
{
    static const uint8_t vp8[] = {VP8_INTER};
    static const uint8_t vp9[] = {0x86};
    struct coded_frame *frame = coded_frame_new(size);
    assert_non_null(frame);
    for (size_t i = 0; i < size; i++) {
        frame->bytes[i] = (uint8_t)(i * 7);
    }
    if (codec == &codec_vp8) {
        memcpy(frame->bytes, vp8, size < sizeof vp8 ? size : sizeof vp8);
    } else {
        memcpy(frame->bytes, vp9, size < sizeof vp9 ? size : sizeof vp9);
    }
    frame->size = size;
    frame->picture_id = 0x7ffe;
    frame->picture_bits = 15;
    frame->tl0_index = 0xff;
    frame->temporal_layer = 1;
    frame->layer_sync = true;
    frame->inter_predicted = true;
    frame->discardable = codec == &codec_vp8; /* VP9 has no word for it */
    return frame;
}

static void there_and_back(const struct video_codec *codec, const struct coded_frame *frame,
                           size_t room)
{
    struct coded_frame *back = coded_frame_new(0);
    uint8_t *payload = malloc(room);
    struct video_packetiser packetiser;
    unsigned count = video_packetise(&packetiser, codec, frame, room);
    size_t smallest = room;
    size_t largest = 0;
    for (unsigned i = 0; i < count; i++) {
        struct video_payload out;
        size_t size = video_next(&packetiser, payload);
        assert_in_range(size, 1, room);
        assert_int_equal(packetiser.left, count - i - 1);
        assert_int_equal(video_depacketise(codec, payload, size, &out), JINGLE_OK);
        assert_int_equal(out.begins_frame, i == 0);
        assert_int_equal(out.ends_layer, codec == &codec_vp9 && i == count - 1);
        assert_int_equal(out.picture_id, frame->picture_id);
        assert_int_equal(out.tl0_index, frame->tl0_index);
        assert_int_equal(out.temporal_layer, frame->temporal_layer);
        assert_int_equal(out.layer_sync, frame->layer_sync);
        assert_int_equal(coded_frame_add(back, &out), JINGLE_OK);
        smallest = out.size < smallest ? out.size : smallest;
        largest = out.size > largest ? out.size : largest;
    }
    assert_int_equal(video_next(&packetiser, payload), 0);
    assert_in_range(largest - smallest, 0, 1);
    assert_int_equal(back->size, frame->size);
    assert_memory_equal(back->bytes, frame->bytes, frame->size);
    assert_int_equal(back->key, frame->key);
    assert_int_equal(back->picture_id, frame->picture_id);
    assert_int_equal(back->discardable, frame->discardable);
    assert_int_equal(back->inter_predicted, frame->inter_predicted);
    free(payload);
    coded_frame_free(back);
}

static void test_frames_of_every_size_come_back_from_payloads_of_every_size(void **state)
{
    (void)state;
    const size_t rooms[] = {VIDEO_PAYLOAD_OVERHEAD_MAX + 1, 100, 101, 500, 1177};
    for (size_t c = 0; video_codec_all()[c]; c++) {
        for (size_t size = 1; size < 3000; size += size < 300 ? 1 : 53) {
            struct coded_frame *frame = made_frame(video_codec_all()[c], size);
            for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
                there_and_back(video_codec_all()[c], frame, rooms[i]);
            }
            coded_frame_free(frame);
        }
    }
}

static void test_vp9_a_key_frame_tells_its_structure(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {VP9_KEY};
    for (unsigned layers = 1; layers <= VIDEO_TEMPORAL_LAYERS_MAX; layers++) {
        struct coded_frame *frame = coded_frame_new(sizeof bytes);
        memcpy(frame->bytes, bytes, sizeof bytes);
        frame->size = sizeof bytes;
        frame->key = true;
        frame->width = 320;
        frame->height = 180;
        frame->picture_id = 7;
        frame->tl0_index = 1;
        frame->temporal_layers = layers;
        uint8_t payload[200];
        struct video_packetiser packetiser;
        struct video_payload out;
        assert_int_equal(video_packetise(&packetiser, &codec_vp9, frame, sizeof payload), 1);
        size_t size = video_next(&packetiser, payload);
        assert_int_equal(video_depacketise(&codec_vp9, payload, size, &out), JINGLE_OK);
        assert_true(out.key);
        assert_int_equal(out.width, 320);
        assert_int_equal(out.height, 180);
        assert_int_equal(out.size, sizeof bytes);
        coded_frame_free(frame);
    }
}

/* Octet by octet: I, L, B, E, V; picture id; TID 0 with U; TL0PICIDX; sizes and a group of two. */
static void test_vp9_the_structure_is_written_as_the_rfc_draws_it(void **state)
{
    (void)state;
    static const uint8_t wanted[] = {0xae, 0x80, 0x07, 0x10, 0x01, 0x18, 0x01, 0x40,
                                     0x00, 0xb4, 0x02, 0x14, 0x02, 0x34, 0x01, VP9_KEY};
    static const uint8_t bytes[] = {VP9_KEY};
    struct coded_frame *frame = coded_frame_new(sizeof bytes);
    memcpy(frame->bytes, bytes, sizeof bytes);
    frame->size = sizeof bytes;
    frame->key = true;
    frame->width = 320;
    frame->height = 180;
    frame->picture_id = 7;
    frame->tl0_index = 1;
    frame->temporal_layers = 2;
    uint8_t payload[200];
    struct video_packetiser packetiser;
    assert_int_equal(video_packetise(&packetiser, &codec_vp9, frame, sizeof payload), 1);
    assert_int_equal(video_next(&packetiser, payload), sizeof wanted);
    assert_memory_equal(payload, wanted, sizeof wanted);
    coded_frame_free(frame);
}

static void test_a_frame_is_assembled_from_its_beginning_only(void **state)
{
    (void)state;
    struct coded_frame *frame = coded_frame_new(0);
    uint8_t byte = 1;
    struct video_payload begin = {.bytes = &byte, .size = 1, .begins_frame = true};
    struct video_payload middle = {.bytes = &byte, .size = 1};
    assert_int_equal(coded_frame_add(frame, &middle), JINGLE_ERROR_INVALID);
    assert_int_equal(coded_frame_add(frame, &begin), JINGLE_OK);
    assert_int_equal(coded_frame_add(frame, &begin), JINGLE_ERROR_INVALID);
    assert_int_equal(coded_frame_add(frame, &middle), JINGLE_OK);
    assert_int_equal(frame->size, 2);
    coded_frame_clear(frame);
    assert_int_equal(frame->size, 0);
    assert_int_equal(coded_frame_add(frame, &begin), JINGLE_OK);
    coded_frame_free(frame);
}

static void test_a_frame_has_a_limit_of_bytes_and_of_layers(void **state)
{
    (void)state;
    struct coded_frame *frame = coded_frame_new(0);
    uint8_t *bytes = calloc(1, CODED_FRAME_SIZE_MAX);
    struct video_payload begin = {.bytes = bytes,
                                  .size = CODED_FRAME_SIZE_MAX - CODED_LAYERS_MAX,
                                  .begins_frame = true,
                                  .begins_layer = true};
    struct video_payload layer = {.bytes = bytes, .size = 1, .begins_layer = true};
    struct video_payload rest = {.bytes = bytes, .size = 2};
    assert_int_equal(coded_frame_add(frame, &begin), JINGLE_OK);
    for (int i = 1; i < CODED_LAYERS_MAX; i++) {
        assert_int_equal(coded_frame_add(frame, &layer), JINGLE_OK);
    }
    assert_int_equal(coded_frame_add(frame, &layer), JINGLE_ERROR_INVALID);
    assert_int_equal(coded_frame_add(frame, &rest), JINGLE_ERROR_LIMIT);
    assert_int_equal(frame->layer_count, CODED_LAYERS_MAX);
    assert_int_equal(frame->layer_ends[CODED_LAYERS_MAX - 1], frame->size);
    assert_int_equal(coded_frame_reserve(frame, CODED_FRAME_SIZE_MAX + 1), JINGLE_ERROR_LIMIT);
    free(bytes);
    coded_frame_free(frame);
}

static void test_no_payload_is_made_of_nothing_or_in_no_room(void **state)
{
    (void)state;
    struct coded_frame *frame = coded_frame_new(10);
    struct video_packetiser packetiser;
    uint8_t payload[100];
    assert_int_equal(video_packetise(&packetiser, &codec_vp8, frame, 100), 0);
    assert_int_equal(video_next(&packetiser, payload), 0);
    frame->size = 10;
    assert_int_equal(video_packetise(&packetiser, &codec_vp8, frame, VIDEO_PAYLOAD_OVERHEAD_MAX),
                     0);
    coded_frame_free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vp8_without_extension_is_read),
        cmocka_unit_test(test_vp8_a_later_partition_does_not_begin_a_frame),
        cmocka_unit_test(test_vp8_every_field_of_the_extension_is_read),
        cmocka_unit_test(test_vp8_a_short_picture_id_and_a_lone_key_index_are_read),
        cmocka_unit_test(test_vp8_what_is_cut_off_is_refused),
        cmocka_unit_test(test_vp9_the_smallest_descriptor_is_read),
        cmocka_unit_test(test_vp9_non_flexible_mode_is_read),
        cmocka_unit_test(test_vp9_flexible_mode_is_read),
        cmocka_unit_test(
            test_vp9_flexible_mode_with_too_many_references_or_no_picture_id_is_refused),
        cmocka_unit_test(test_vp9_the_scalability_structure_is_read),
        cmocka_unit_test(test_vp9_a_higher_spatial_layer_does_not_begin_a_frame),
        cmocka_unit_test(test_vp9_an_intra_only_frame_is_no_key_frame),
        cmocka_unit_test(test_vp9_what_is_cut_off_is_refused),
        cmocka_unit_test(test_vp9_a_structure_that_promises_more_than_there_is_is_refused),
        cmocka_unit_test(test_frames_of_every_size_come_back_from_payloads_of_every_size),
        cmocka_unit_test(test_vp9_a_key_frame_tells_its_structure),
        cmocka_unit_test(test_vp9_the_structure_is_written_as_the_rfc_draws_it),
        cmocka_unit_test(test_a_frame_is_assembled_from_its_beginning_only),
        cmocka_unit_test(test_a_frame_has_a_limit_of_bytes_and_of_layers),
        cmocka_unit_test(test_no_payload_is_made_of_nothing_or_in_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
