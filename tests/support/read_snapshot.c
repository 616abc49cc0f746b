/* Reads the time back out of a PNG file that shows the test picture: read_snapshot FILE
 * Says which frame it is and how long ago it was drawn; fails if there is none to be read. */
#include "base/clock.h"
#include "support/picture_clock.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>

/* The luma of the file, to be freed; NULL if it is no picture. */
static uint8_t *read_luma(const char *path, png_image *image)
{
    *image = (png_image){.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_file(image, path)) {
        return NULL;
    }
    image->format = PNG_FORMAT_GRAY;
    uint8_t *luma = malloc(PNG_IMAGE_SIZE(*image));
    if (!luma || !png_image_finish_read(image, NULL, luma, 0, NULL)) {
        png_image_free(image);
        free(luma);
        return NULL;
    }
    return luma;
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: read_snapshot FILE.png\n");
        return 2;
    }
    png_image image;
    uint8_t *luma = read_luma(arguments[1], &image);
    if (!luma) {
        fprintf(stderr, "%s: %s\n", arguments[1], image.message);
        return 1;
    }
    jingle_picture picture = {.size = sizeof picture,
                              .width = image.width,
                              .height = image.height,
                              .planes = {luma},
                              .strides = {image.width}};
    struct picture_clock clock;
    bool found = picture_clock_read(&picture, &clock);
    free(luma);
    if (!found) {
        fprintf(stderr, "%s: no test picture can be read\n", arguments[1]);
        return 1;
    }
    printf("frame %u, drawn %d ms ago\n", clock.number, picture_clock_age(&clock, clock_now()));
    return 0;
}
