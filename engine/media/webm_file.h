/* A WebM file with one track of Opus and one of VP8 or VP9, written by libavformat. Used by one
 * thread; blocks as the disk does. */
#ifndef JINGLE_MEDIA_WEBM_FILE_H
#define JINGLE_MEDIA_WEBM_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum webm_track {
    WEBM_AUDIO,
    WEBM_VIDEO,
};

struct webm_packet {
    enum webm_track track;
    bool key;
    int64_t time;     /* usec since the beginning of the file; never less than that before */
    int64_t duration; /* usec; 0: unknown */
    const uint8_t *bytes;
    size_t size;
};

struct webm_file;

/* Writes the head. Takes the descriptor over, also on failure (NULL). */
struct webm_file *webm_file_new(int fd);

/* Puts codec ("VP8" or "VP9") and size of the pictures into the head; 0: a size that is not known.
 */
bool webm_file_set_video(struct webm_file *file, const char *codec, uint32_t width,
                         uint32_t height);

/* False: what is written goes nowhere any more. */
bool webm_file_write(struct webm_file *file, const struct webm_packet *packet);

/* Writes duration and index, unless there was trouble, and takes out the video track if no picture
 * came. */
void webm_file_free(struct webm_file *file);

#endif
