/* In place of snapshot_png.c in a library that was built without libpng. */
#include "media/video_scale.h"

jingle_status jingle_picture_save(const jingle_picture *picture, const char *path)
{
    return path && *path && picture_valid(picture) ? JINGLE_ERROR_UNSUPPORTED
                                                   : JINGLE_ERROR_INVALID;
}
