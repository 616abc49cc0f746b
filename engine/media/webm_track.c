#include "media/webm_track.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

enum {
    HEAD_BYTES = 8192, /* tracks lie within these */

    ID_SEGMENT = 0x18538067,
    ID_TRACKS = 0x1654AE6B,
    ID_TRACK_ENTRY = 0xAE,
    ID_TRACK_UID = 0x73C5,
    ID_TRACK_TYPE = 0x83,
    ID_CODEC_ID = 0x86,
    ID_VIDEO = 0xE0,
    ID_PIXEL_WIDTH = 0xB0,
    ID_PIXEL_HEIGHT = 0xBA,
    ID_DISPLAY_WIDTH = 0x54B0,
    ID_DISPLAY_HEIGHT = 0x54BA,
    ID_TAGS = 0x1254C367,
    ID_TAG = 0x7373,
    ID_TARGETS = 0x63C0,
    ID_TAG_TRACK_UID = 0x63C5,
    ID_VOID = 0xEC,
    VOID_HEAD = 1 + 8, /* the id, and a size in as many bytes as there can be */

    TRACK_TYPE_VIDEO = 1,
};

struct head {
    uint8_t bytes[HEAD_BYTES];
    size_t size;
};

/* An element, by its place in the head. */
struct element {
    uint32_t id;
    size_t at;    /* of its id */
    size_t body;  /* of its content */
    size_t after; /* cut at the end of the head */
};

/* The bytes of a variable-size integer (RFC 8794, section 4); 0: there is none. */
static size_t vint_length(const struct head *head, size_t at, size_t end)
{
    if (at >= end || head->bytes[at] == 0) {
        return 0;
    }
    size_t length = 1;
    for (uint8_t bit = 0x80; !(head->bytes[at] & bit); bit >>= 1) {
        length++;
    }
    return length <= end - at ? length : 0;
}

static uint64_t number(const struct head *head, size_t at, size_t length)
{
    uint64_t value = 0;
    for (size_t i = 0; i < length; i++) {
        value = value << 8 | head->bytes[at + i];
    }
    return value;
}

/* Reads the element at `at`. A size that is unknown (all ones) goes to `end`. */
static bool element_read(const struct head *head, size_t at, size_t end, struct element *e)
{
    size_t id_length = vint_length(head, at, end);
    size_t size_at = at + id_length;
    size_t size_length = id_length > 4 ? 0 : vint_length(head, size_at, end);
    if (!id_length || !size_length) {
        return false;
    }
    uint64_t size = number(head, size_at, size_length) & ~(UINT64_C(1) << (7 * size_length));
    e->id = (uint32_t)number(head, at, id_length);
    e->at = at;
    e->body = size_at + size_length;
    e->after = size < end - e->body ? e->body + (size_t)size : end;
    return true;
}

/* The first child with this id. */
static bool element_find(const struct head *head, const struct element *parent, uint32_t id,
                         struct element *found)
{
    for (size_t at = parent->body; element_read(head, at, parent->after, found);
         at = found->after) {
        if (found->id == id) {
            return true;
        }
    }
    return false;
}

static bool is_video(const struct head *head, const struct element *track)
{
    struct element type;
    return element_find(head, track, ID_TRACK_TYPE, &type) &&
           number(head, type.body, type.after - type.body) == TRACK_TYPE_VIDEO;
}

static bool head_read(int fd, struct head *head, struct element *segment)
{
    ssize_t size = pread(fd, head->bytes, HEAD_BYTES, 0);
    head->size = size > 0 ? (size_t)size : 0;
    struct element file = {.after = head->size};
    return element_find(head, &file, ID_SEGMENT, segment);
}

static bool video_track_find(const struct head *head, const struct element *segment,
                             struct element *track)
{
    struct element tracks;
    if (!element_find(head, segment, ID_TRACKS, &tracks)) {
        return false;
    }
    for (size_t at = tracks.body; element_read(head, at, tracks.after, track); at = track->after) {
        if (track->id == ID_TRACK_ENTRY && is_video(head, track)) {
            return true;
        }
    }
    return false;
}

static bool put(int fd, const struct element *e, const void *bytes, size_t size)
{
    return e->after - e->body == size && pwrite(fd, bytes, size, (off_t)e->body) == (ssize_t)size;
}

static bool put_side(int fd, const struct element *e, uint32_t side)
{
    const uint8_t bytes[2] = {(uint8_t)(side >> 8), (uint8_t)side};
    return side > 0 && side <= UINT16_MAX && put(fd, e, bytes, sizeof bytes);
}

bool webm_track_set(int fd, const char *codec_id, uint32_t width, uint32_t height)
{
    struct head head;
    struct element segment;
    struct element track;
    struct element codec;
    struct element video;
    struct element side[2];
    if (!head_read(fd, &head, &segment) || !video_track_find(&head, &segment, &track) ||
        !element_find(&head, &track, ID_CODEC_ID, &codec) ||
        !element_find(&head, &track, ID_VIDEO, &video) ||
        !element_find(&head, &video, ID_PIXEL_WIDTH, &side[0]) ||
        !element_find(&head, &video, ID_PIXEL_HEIGHT, &side[1])) {
        return false;
    }
    bool good = put(fd, &codec, codec_id, strlen(codec_id)) && put_side(fd, &side[0], width) &&
                put_side(fd, &side[1], height);
    /* How large it is shown; without, as large as it is. */
    struct element shown;
    if (element_find(&head, &video, ID_DISPLAY_WIDTH, &shown)) {
        good = put_side(fd, &shown, width) && good;
    }
    if (element_find(&head, &video, ID_DISPLAY_HEIGHT, &shown)) {
        good = put_side(fd, &shown, height) && good;
    }
    return good;
}

static bool make_void(int fd, const struct element *e)
{
    uint8_t bytes[VOID_HEAD] = {ID_VOID, 0x01};
    size_t size = e->after - e->at;
    if (size < VOID_HEAD) {
        return false;
    }
    size -= VOID_HEAD;
    for (int i = VOID_HEAD - 1; size > 0; i--, size >>= 8) {
        bytes[i] = (uint8_t)size;
    }
    return pwrite(fd, bytes, VOID_HEAD, (off_t)e->at) == VOID_HEAD;
}

static bool same_bytes(const struct head *head, const struct element *a, const struct element *b)
{
    size_t size = a->after - a->body;
    return size == b->after - b->body &&
           memcmp(head->bytes + a->body, head->bytes + b->body, size) == 0;
}

static bool is_tag_of(const struct head *head, const struct element *tag, const struct element *uid)
{
    struct element targets;
    struct element target;
    return tag->id == ID_TAG && element_find(head, tag, ID_TARGETS, &targets) &&
           element_find(head, &targets, ID_TAG_TRACK_UID, &target) &&
           same_bytes(head, &target, uid);
}

bool webm_track_remove(int fd)
{
    struct head head;
    struct element segment;
    struct element track;
    struct element uid;
    struct element tags;
    struct element tag;
    if (!head_read(fd, &head, &segment) || !video_track_find(&head, &segment, &track) ||
        !element_find(&head, &track, ID_TRACK_UID, &uid) || !make_void(fd, &track)) {
        return false;
    }
    if (!element_find(&head, &segment, ID_TAGS, &tags)) {
        return true;
    }
    bool good = true;
    for (size_t at = tags.body; element_read(&head, at, tags.after, &tag); at = tag.after) {
        good = (!is_tag_of(&head, &tag, &uid) || make_void(fd, &tag)) && good;
    }
    return good;
}
