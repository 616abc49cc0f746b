/* The video track in the head of a WebM file, changed in place: its codec and size when they are
 * known, or all of it to nothing. Matroska is RFC 9559, EBML RFC 8794. */
#ifndef JINGLE_MEDIA_WEBM_TRACK_H
#define JINGLE_MEDIA_WEBM_TRACK_H

#include <stdbool.h>
#include <stdint.h>

/* Sets CodecID and the pixels of the track; the file must have been written with a CodecID as long
 * as `codec_id` ("V_VP8", "V_VP9") and sides from 256 to 65535, which take two bytes as all up to
 * 65535 can. False: the file cannot be written, or is another one. */
bool webm_track_set(int fd, const char *codec_id, uint32_t width, uint32_t height);

/* Makes the track and its tags Void elements, as if there had never been any. */
bool webm_track_remove(int fd);

#endif
