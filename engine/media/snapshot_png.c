/* A picture as a PNG file: the conversion is libyuv's, the format libpng's. It is written beside
 * its place and moved there when it is whole, so that nobody ever sees half of it. */
#include "media/video_scale.h"

#include <errno.h>
#include <fcntl.h>
#include <libyuv.h>
#include <png.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    RGB_BYTES = 3, /* a pixel */
    NAME_TRIES = 100,
};

static bool convert(const jingle_picture *picture, uint8_t *rgb)
{
    int width = (int)picture->width;
    int height = (int)picture->height;
    const uint8_t *const *planes = picture->planes;
    int strides[3];
    for (int i = 0; i < 3; i++) {
        strides[i] = (int)picture->strides[i];
    }
    /* libyuv names by the order in a register: what it calls RAW is red, green, blue in memory. */
    if (picture->pixels == JINGLE_PIXELS_NV12) {
        return NV12ToRAW(planes[0], strides[0], planes[1], strides[1], rgb, width * RGB_BYTES,
                         width, height) == 0;
    }
    return I420ToRAW(planes[0], strides[0], planes[1], strides[1], planes[2], strides[2], rgb,
                     width * RGB_BYTES, width, height) == 0;
}

static bool write_png(FILE *file, const jingle_picture *picture, const uint8_t *rgb)
{
    png_image image = {
        .version = PNG_IMAGE_VERSION,
        .width = picture->width,
        .height = picture->height,
        .format = PNG_FORMAT_RGB,
        .flags = PNG_IMAGE_FLAG_FAST,
    };
    return png_image_write_to_stdio(&image, file, 0, rgb, 0, NULL) != 0;
}

/* A new file beside `path`; `name` gets its own path. Unlike mkstemp()'s it gets the permissions
 * that any new file of this process has. */
static FILE *open_beside(const char *path, char *name, size_t bytes)
{
    static atomic_uint count;
    int fd = -1;
    for (int i = 0; fd < 0 && i < NAME_TRIES; i++) {
        snprintf(name, bytes, "%s.%ld-%u", path, (long)getpid(), atomic_fetch_add(&count, 1));
        fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST) {
            return NULL;
        }
    }
    FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");
    if (fd >= 0 && !file) {
        close(fd);
        unlink(name);
    }
    return file;
}

static jingle_status save(const jingle_picture *picture, const uint8_t *rgb, const char *path)
{
    size_t bytes = strlen(path) + 48;
    char *name = malloc(bytes);
    FILE *file = name ? open_beside(path, name, bytes) : NULL;
    if (!file) {
        free(name);
        return name ? JINGLE_ERROR_FILE : JINGLE_ERROR_MEMORY;
    }
    bool good = write_png(file, picture, rgb);
    good = fclose(file) == 0 && good;
    good = good && rename(name, path) == 0;
    if (!good) {
        unlink(name);
    }
    free(name);
    return good ? JINGLE_OK : JINGLE_ERROR_FILE;
}

jingle_status jingle_picture_save(const jingle_picture *picture, const char *path)
{
    if (!path || !*path || !picture_valid(picture)) {
        return JINGLE_ERROR_INVALID;
    }
    struct stat old;
    if (stat(path, &old) == 0 && !S_ISREG(old.st_mode)) {
        return JINGLE_ERROR_FILE; /* a device or a folder is not replaced */
    }
    uint8_t *rgb = malloc((size_t)picture->width * picture->height * RGB_BYTES);
    if (!rgb) {
        return JINGLE_ERROR_MEMORY;
    }
    jingle_status status = convert(picture, rgb) ? save(picture, rgb, path) : JINGLE_ERROR_INTERNAL;
    free(rgb);
    return status;
}
