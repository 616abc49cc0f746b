/* Pictures saved as PNG. */
#include <jingle/jingle.h>

#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { WIDTH = 63, HEIGHT = 41, STRIDE = 80, CHROMA_WIDTH = 32, CHROMA_HEIGHT = 21 };

static char folder[64];
static char path[128];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/jingle-sinks-XXXXXX");
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/picture.png", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder); /* fails if something was left */
}

/* BT.601, limited range, of 8-bit RGB. */
struct colour {
    uint8_t rgb[3];
    uint8_t yuv[3];
};

static const struct colour colours[] = {
    {{0, 0, 0}, {16, 128, 128}},        {{255, 255, 255}, {235, 128, 128}},
    {{255, 0, 0}, {81, 90, 240}},       {{0, 255, 0}, {145, 54, 34}},
    {{0, 0, 255}, {41, 240, 110}},      {{255, 255, 0}, {210, 16, 146}},
    {{0, 255, 255}, {170, 166, 16}},    {{255, 0, 255}, {106, 202, 222}},
    {{128, 128, 128}, {126, 128, 128}},
};

struct planes {
    uint8_t y[STRIDE * HEIGHT];
    uint8_t u[STRIDE * CHROMA_HEIGHT]; /* of NV12: both */
    uint8_t v[STRIDE * CHROMA_HEIGHT];
};

/* A white line on top, so that up can be told from down; below it black and, right, the colour. */
static jingle_picture paint(struct planes *p, const struct colour *colour, jingle_pixels pixels)
{
    memset(p, 0xee, sizeof *p); /* what is beyond the picture must not matter */
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            p->y[y * STRIDE + x] = y < 2 ? 235 : x < 32 ? 16 : colour->yuv[0];
        }
    }
    for (int y = 0; y < CHROMA_HEIGHT; y++) {
        for (int x = 0; x < CHROMA_WIDTH; x++) {
            bool grey = y < 1 || x < 16;
            uint8_t u = grey ? 128 : colour->yuv[1];
            uint8_t v = grey ? 128 : colour->yuv[2];
            if (pixels == JINGLE_PIXELS_NV12) {
                p->u[y * STRIDE + 2 * x] = u;
                p->u[y * STRIDE + 2 * x + 1] = v;
            } else {
                p->u[y * STRIDE + x] = u;
                p->v[y * STRIDE + x] = v;
            }
        }
    }
    return (jingle_picture){.size = sizeof(jingle_picture),
                            .pixels = pixels,
                            .width = WIDTH,
                            .height = HEIGHT,
                            .planes = {p->y, p->u, pixels == JINGLE_PIXELS_NV12 ? NULL : p->v},
                            .strides = {STRIDE, STRIDE, STRIDE}};
}

static void read_png(const char *name, uint8_t rgb[HEIGHT][WIDTH][3])
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_file(&image, name));
    image.format = PNG_FORMAT_RGB;
    assert_int_equal(image.width, WIDTH);
    assert_int_equal(image.height, HEIGHT);
    assert_true(png_image_finish_read(&image, NULL, rgb, 0, NULL));
}

static void assert_colour(const uint8_t *seen, int r, int g, int b)
{
    const int wanted[3] = {r, g, b};
    for (int i = 0; i < 3; i++) {
        assert_in_range(seen[i] + 2, wanted[i], wanted[i] + 4);
    }
}

static void test_known_colours_come_back_and_up_stays_up(void **state)
{
    (void)state;
    static struct planes planes;
    static uint8_t rgb[HEIGHT][WIDTH][3];
    for (size_t i = 0; i < sizeof colours / sizeof colours[0]; i++) {
        for (int pixels = JINGLE_PIXELS_I420; pixels <= JINGLE_PIXELS_NV12; pixels++) {
            jingle_picture picture = paint(&planes, &colours[i], (jingle_pixels)pixels);
            assert_int_equal(jingle_picture_save(&picture, path), JINGLE_OK);
            read_png(path, rgb);
            const uint8_t *c = colours[i].rgb;
            assert_colour(rgb[0][0], 255, 255, 255);
            assert_colour(rgb[1][WIDTH - 1], 255, 255, 255);
            assert_colour(rgb[5][5], 0, 0, 0);
            assert_colour(rgb[5][40], c[0], c[1], c[2]);
            assert_colour(rgb[HEIGHT - 1][WIDTH - 1], c[0], c[1], c[2]);
        }
    }
    assert_int_equal(unlink(path), 0);
}

static void test_a_file_that_cannot_be_written_leaves_nothing_behind(void **state)
{
    (void)state;
    static struct planes planes;
    jingle_picture picture = paint(&planes, &colours[0], JINGLE_PIXELS_I420);
    assert_int_equal(jingle_picture_save(&picture, "/nonexistent/a.png"), JINGLE_ERROR_FILE);
    assert_int_equal(jingle_picture_save(&picture, folder), JINGLE_ERROR_FILE);
    assert_int_equal(jingle_picture_save(&picture, "/dev/null"), JINGLE_ERROR_FILE);
    struct stat null;
    assert_int_equal(stat("/dev/null", &null), 0);
    assert_true(S_ISCHR(null.st_mode));
    assert_int_equal(jingle_picture_save(&picture, "/dev/full"), JINGLE_ERROR_FILE);
}

static void test_what_is_no_picture_is_refused(void **state)
{
    (void)state;
    static struct planes planes;
    jingle_picture picture = paint(&planes, &colours[0], JINGLE_PIXELS_I420);
    assert_int_equal(jingle_picture_save(&picture, NULL), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_picture_save(&picture, ""), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_picture_save(NULL, path), JINGLE_ERROR_INVALID);
    picture.width = 0;
    assert_int_equal(jingle_picture_save(&picture, path), JINGLE_ERROR_INVALID);
    picture.width = 4097;
    assert_int_equal(jingle_picture_save(&picture, path), JINGLE_ERROR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_colours_come_back_and_up_stays_up),
        cmocka_unit_test(test_a_file_that_cannot_be_written_leaves_nothing_behind),
        cmocka_unit_test(test_what_is_no_picture_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
