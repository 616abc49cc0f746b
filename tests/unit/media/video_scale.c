/* Conversion and scaling: sizes, colours, borders; what is malformed is refused. */
#include "media/video_scale.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct colour {
    uint8_t y, u, v;
};

static const struct colour RED = {81, 90, 240};
static const struct colour BLUE = {41, 240, 110};
static const struct colour BLACK = {16, 128, 128};

static struct colour pixel(const jingle_picture *p, uint32_t x, uint32_t y)
{
    const uint8_t *chroma = p->planes[1] + y / 2 * p->strides[1];
    if (p->pixels == JINGLE_PIXELS_NV12) {
        return (struct colour){p->planes[0][y * p->strides[0] + x], chroma[x / 2 * 2],
                               chroma[x / 2 * 2 + 1]};
    }
    return (struct colour){p->planes[0][y * p->strides[0] + x], chroma[x / 2],
                           p->planes[2][y / 2 * p->strides[2] + x / 2]};
}

static void assert_colour(const jingle_picture *p, uint32_t x, uint32_t y, struct colour wanted)
{
    struct colour seen = pixel(p, x, y);
    assert_in_range(seen.y + 2, wanted.y, wanted.y + 4);
    assert_in_range(seen.u + 2, wanted.u, wanted.u + 4);
    assert_in_range(seen.v + 2, wanted.v, wanted.v + 4);
}

static void assert_buffer_colour(const struct picture_buffer *b, uint32_t x, uint32_t y,
                                 struct colour wanted)
{
    jingle_picture view = picture_buffer_view(b, 0);
    assert_colour(&view, x, y, wanted);
}

/* Left half red, right half blue, with odd strides in memory of exactly its length. */
struct sample {
    jingle_picture picture;
    uint8_t *memory[3];
};

static void sample_make(struct sample *s, jingle_pixels pixels, uint32_t width, uint32_t height)
{
    uint32_t half_width = (width + 1) / 2, half_height = (height + 1) / 2;
    bool nv12 = pixels == JINGLE_PIXELS_NV12;
    s->picture = (jingle_picture){
        .size = sizeof s->picture,
        .pixels = pixels,
        .width = width,
        .height = height,
        .strides = {width + 3, (nv12 ? 2 : 1) * half_width + 1, nv12 ? 0 : half_width + 5}};
    for (int i = 0; i < (nv12 ? 2 : 3); i++) {
        s->memory[i] = calloc(i == 0 ? height : half_height, s->picture.strides[i]);
        s->picture.planes[i] = s->memory[i];
    }
    s->memory[2] = nv12 ? NULL : s->memory[2];
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            const struct colour *c = x < width / 2 ? &RED : &BLUE;
            s->memory[0][y * s->picture.strides[0] + x] = c->y;
            uint8_t *u = s->memory[1] + y / 2 * s->picture.strides[1] + x / 2 * (nv12 ? 2 : 1);
            *u = c->u;
            *(nv12 ? u + 1 : s->memory[2] + y / 2 * s->picture.strides[2] + x / 2) = c->v;
        }
    }
}

static void sample_free(struct sample *s)
{
    for (int i = 0; i < 3; i++) {
        free(s->memory[i]);
    }
}

static const jingle_pixels BOTH[] = {JINGLE_PIXELS_I420, JINGLE_PIXELS_NV12};

static void test_a_smaller_picture_has_the_same_colours(void **state)
{
    (void)state;
    struct picture_buffer out = {0};
    for (int i = 0; i < 2; i++) {
        struct sample in = {0};
        sample_make(&in, BOTH[i], 322, 182);
        assert_int_equal(picture_scale(&in.picture, &out, 160, 90), JINGLE_OK);
        assert_int_equal(out.width, 160);
        assert_int_equal(out.height, 90);
        assert_buffer_colour(&out, 10, 10, RED);
        assert_buffer_colour(&out, 70, 89, RED);
        assert_buffer_colour(&out, 90, 0, BLUE);
        assert_buffer_colour(&out, 159, 89, BLUE);
        sample_free(&in);
    }
    picture_buffer_clear(&out);
}

static void test_the_same_size_is_a_copy_and_an_odd_size_is_cut(void **state)
{
    (void)state;
    struct picture_buffer out = {0};
    for (int i = 0; i < 2; i++) {
        struct sample in = {0};
        sample_make(&in, BOTH[i], 65, 37);
        assert_int_equal(picture_scale(&in.picture, &out, 65, 37), JINGLE_OK);
        assert_buffer_colour(&out, 31, 36, RED);
        assert_buffer_colour(&out, 64, 36, BLUE);
        struct picture_size size = picture_fit(&in.picture, 1280, 720);
        assert_int_equal(size.width, 64);
        assert_int_equal(size.height, 36);
        assert_int_equal(picture_scale(&in.picture, &out, size.width, size.height), JINGLE_OK);
        assert_buffer_colour(&out, 31, 0, RED);
        assert_buffer_colour(&out, 32, 35, BLUE);
        sample_free(&in);
    }
    picture_buffer_clear(&out);
}

static void assert_fits(uint32_t width, uint32_t height, uint32_t most_width, uint32_t most_height,
                        uint32_t wanted_width, uint32_t wanted_height)
{
    jingle_picture picture = {.width = width, .height = height};
    struct picture_size size = picture_fit(&picture, most_width, most_height);
    assert_int_equal(size.width, wanted_width);
    assert_int_equal(size.height, wanted_height);
}

static void test_a_size_that_fits_keeps_the_shape_and_is_even(void **state)
{
    (void)state;
    assert_fits(1920, 1080, 1280, 720, 1280, 720);
    assert_fits(1920, 1200, 1280, 720, 1152, 720);
    assert_fits(1080, 1920, 1280, 720, 404, 720);
    assert_fits(640, 480, 1280, 720, 640, 480);
    assert_fits(640, 480, 1280, 240, 320, 240);
    assert_fits(641, 361, 1280, 720, 640, 360);
    assert_fits(4096, 1, 1280, 720, 1280, 2);
    assert_fits(1, 1, 1280, 720, 2, 2);
    assert_fits(4096, 4096, 1, 1, 2, 2);
}

static void test_a_letterbox_is_black_around_the_picture(void **state)
{
    (void)state;
    struct picture_buffer out = {0};
    for (int i = 0; i < 2; i++) {
        struct sample in = {0};
        sample_make(&in, BOTH[i], 40, 40);
        assert_int_equal(picture_letterbox(&in.picture, &out, 320, 160), JINGLE_OK);
        assert_int_equal(out.width, 320);
        assert_buffer_colour(&out, 0, 0, BLACK);
        assert_buffer_colour(&out, 79, 159, BLACK);
        assert_buffer_colour(&out, 82, 80, RED);
        assert_buffer_colour(&out, 238, 80, BLUE);
        assert_buffer_colour(&out, 240, 159, BLACK);
        assert_int_equal(picture_letterbox(&in.picture, &out, 1, 1), JINGLE_OK);
        sample_free(&in);
    }
    picture_buffer_clear(&out);
}

static void test_a_mirrored_picture_has_left_and_right_changed(void **state)
{
    (void)state;
    struct picture_buffer out = {0};
    for (int i = 0; i < 2; i++) {
        struct sample in = {0};
        sample_make(&in, BOTH[i], 64, 33);
        assert_int_equal(picture_mirror(&in.picture, &out), JINGLE_OK);
        assert_buffer_colour(&out, 0, 0, BLUE);
        assert_buffer_colour(&out, 31, 32, BLUE);
        assert_buffer_colour(&out, 63, 32, RED);
        sample_free(&in);
    }
    picture_buffer_clear(&out);
}

static void test_nothing_and_too_much_are_refused(void **state)
{
    (void)state;
    struct picture_buffer out = {0};
    struct sample in = {0};
    sample_make(&in, JINGLE_PIXELS_I420, 16, 16);
    assert_int_equal(picture_scale(&in.picture, &out, 0, 16), JINGLE_ERROR_INVALID);
    assert_int_equal(picture_scale(&in.picture, &out, 16, 4097), JINGLE_ERROR_INVALID);
    assert_int_equal(picture_letterbox(&in.picture, &out, 5000, 16), JINGLE_ERROR_INVALID);
    assert_null(out.memory);
    assert_int_equal(picture_scale(&in.picture, &out, 4096, 2), JINGLE_OK);
    picture_buffer_clear(&out);
    sample_free(&in);
}

static void test_a_malformed_picture_is_told_from_a_good_one(void **state)
{
    (void)state;
    struct sample in = {0};
    sample_make(&in, JINGLE_PIXELS_I420, 15, 15);
    assert_true(picture_valid(&in.picture));
    assert_false(picture_valid(NULL));
    jingle_picture bad = in.picture;
    bad.size = 0;
    assert_false(picture_valid(&bad));
    bad = in.picture;
    bad.width = 0;
    assert_false(picture_valid(&bad));
    bad = in.picture;
    bad.height = 4097;
    assert_false(picture_valid(&bad));
    bad = in.picture;
    bad.strides[1] = 7;
    assert_false(picture_valid(&bad));
    bad = in.picture;
    bad.planes[2] = NULL;
    assert_false(picture_valid(&bad));
    bad.pixels = JINGLE_PIXELS_NV12;
    assert_false(picture_valid(&bad));
    bad.strides[1] = 16;
    assert_true(picture_valid(&bad));
    bad.pixels = (jingle_pixels)7;
    assert_false(picture_valid(&bad));
    sample_free(&in);
}

static void convert_one(enum raw_pixels pixels, const uint8_t *four, struct colour wanted)
{
    static uint8_t memory[8 * 4 * 8];
    bool two = pixels == RAW_YUYV || pixels == RAW_UYVY; /* pixels in four bytes */
    size_t bytes = pixels == RAW_RGB || pixels == RAW_BGR ? 3 : pixels == RAW_RGB565 ? 2 : 4;
    size_t pieces = two ? 4 : 8;
    for (size_t i = 0; i < pieces * 8; i++) {
        memcpy(memory + i * bytes, four, bytes);
    }
    struct raw_picture raw = {
        .pixels = pixels, .width = 8, .height = 8, .planes = {memory}, .strides = {pieces * bytes}};
    struct picture_buffer out = {0};
    assert_int_equal(raw_convert(&raw, &out), JINGLE_OK);
    assert_buffer_colour(&out, 0, 0, wanted);
    assert_buffer_colour(&out, 7, 7, wanted);
    picture_buffer_clear(&out);
}

static void test_every_packed_form_gives_its_colour(void **state)
{
    (void)state;
    convert_one(RAW_RGB, (const uint8_t[]){255, 0, 0}, RED);
    convert_one(RAW_BGR, (const uint8_t[]){0, 0, 255}, RED);
    convert_one(RAW_BGRA, (const uint8_t[]){0, 0, 255, 0}, RED);
    convert_one(RAW_RGBA, (const uint8_t[]){255, 0, 0, 0}, RED);
    convert_one(RAW_ARGB, (const uint8_t[]){0, 255, 0, 0}, RED);
    convert_one(RAW_ABGR, (const uint8_t[]){0, 0, 0, 255}, RED);
    convert_one(RAW_RGB565, (const uint8_t[]){0x00, 0xf8}, RED);
    convert_one(RAW_YUYV, (const uint8_t[]){81, 90, 81, 240}, RED);
    convert_one(RAW_UYVY, (const uint8_t[]){90, 81, 240, 81}, RED);
}

static void test_planar_forms_keep_u_and_v_apart(void **state)
{
    (void)state;
    uint8_t y[16], u[4], v[4], uv[8], vu[8];
    memset(y, RED.y, sizeof y);
    memset(u, RED.u, sizeof u);
    memset(v, RED.v, sizeof v);
    for (int i = 0; i < 4; i++) {
        uv[2 * i] = vu[2 * i + 1] = RED.u;
        uv[2 * i + 1] = vu[2 * i] = RED.v;
    }
    const struct raw_picture forms[] = {
        {RAW_I420, 4, 4, {y, u, v}, {4, 2, 2}, 0},
        {RAW_YV12, 4, 4, {y, v, u}, {4, 2, 2}, 0},
        {RAW_NV12, 4, 4, {y, uv}, {4, 4}, 0},
        {RAW_NV21, 4, 4, {y, vu}, {4, 4}, 0},
    };
    struct picture_buffer out = {0};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        assert_int_equal(raw_convert(&forms[i], &out), JINGLE_OK);
        assert_buffer_colour(&out, 3, 3, RED);
    }
    picture_buffer_clear(&out);
}

static void test_what_is_no_jpeg_is_refused(void **state)
{
    (void)state;
    static const uint8_t broken[] = {0xff, 0xd8, 0xff, 0xc0, 0, 17, 8, 0, 16, 0, 16};
    struct picture_buffer out = {0};
    struct raw_picture raw = {
        .pixels = RAW_MJPEG, .width = 16, .height = 16, .planes = {broken}, .bytes = sizeof broken};
    for (size_t bytes = 0; bytes <= sizeof broken; bytes++) {
        raw.bytes = bytes;
        assert_int_equal(raw_convert(&raw, &out), JINGLE_ERROR_INVALID);
    }
    picture_buffer_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_smaller_picture_has_the_same_colours),
        cmocka_unit_test(test_the_same_size_is_a_copy_and_an_odd_size_is_cut),
        cmocka_unit_test(test_a_size_that_fits_keeps_the_shape_and_is_even),
        cmocka_unit_test(test_a_letterbox_is_black_around_the_picture),
        cmocka_unit_test(test_a_mirrored_picture_has_left_and_right_changed),
        cmocka_unit_test(test_nothing_and_too_much_are_refused),
        cmocka_unit_test(test_a_malformed_picture_is_told_from_a_good_one),
        cmocka_unit_test(test_every_packed_form_gives_its_colour),
        cmocka_unit_test(test_planar_forms_keep_u_and_v_apart),
        cmocka_unit_test(test_what_is_no_jpeg_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
