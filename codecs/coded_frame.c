#include "codecs/coded_frame.h"

#include <stdlib.h>
#include <string.h>

#include "codecs/video_codec.h"

enum { ROOM_MIN = 4096 };

struct coded_frame *coded_frame_new(size_t capacity)
{
    struct coded_frame *frame = calloc(1, sizeof *frame);
    if (!frame) {
        return NULL;
    }
    coded_frame_clear(frame);
    if (coded_frame_reserve(frame, capacity) != JINGLE_OK) {
        free(frame);
        return NULL;
    }
    return frame;
}

void coded_frame_free(struct coded_frame *frame)
{
    if (frame) {
        free(frame->bytes);
        free(frame);
    }
}

void coded_frame_clear(struct coded_frame *frame)
{
    *frame = (struct coded_frame){
        .bytes = frame->bytes, .capacity = frame->capacity, .picture_id = -1, .tl0_index = -1};
}

jingle_status coded_frame_reserve(struct coded_frame *frame, size_t capacity)
{
    if (capacity <= frame->capacity) {
        return JINGLE_OK;
    }
    if (capacity > CODED_FRAME_SIZE_MAX) {
        return JINGLE_ERROR_LIMIT;
    }
    size_t room = frame->capacity ? frame->capacity : ROOM_MIN;
    while (room < capacity) {
        room *= 2;
    }
    uint8_t *bytes = realloc(frame->bytes, room);
    if (!bytes) {
        return JINGLE_ERROR_MEMORY;
    }
    frame->bytes = bytes;
    frame->capacity = room;
    return JINGLE_OK;
}

static void begin(struct coded_frame *frame, const struct video_payload *payload)
{
    frame->key = payload->key;
    frame->width = payload->width;
    frame->height = payload->height;
    frame->picture_id = payload->picture_id;
    frame->picture_bits = payload->picture_bits;
    frame->tl0_index = payload->tl0_index;
    frame->temporal_layer = payload->temporal_layer;
    frame->layer_sync = payload->layer_sync;
    frame->discardable = payload->discardable;
    frame->inter_predicted = payload->inter_predicted;
}

jingle_status coded_frame_add(struct coded_frame *frame, const struct video_payload *payload)
{
    if ((frame->size == 0) != payload->begins_frame ||
        (payload->begins_layer && frame->layer_count == CODED_LAYERS_MAX)) {
        return JINGLE_ERROR_INVALID;
    }
    if (payload->size > CODED_FRAME_SIZE_MAX) {
        return JINGLE_ERROR_LIMIT;
    }
    jingle_status status = coded_frame_reserve(frame, frame->size + payload->size);
    if (status != JINGLE_OK) {
        return status;
    }
    if (payload->begins_frame) {
        begin(frame, payload);
    }
    memcpy(frame->bytes + frame->size, payload->bytes, payload->size);
    frame->size += payload->size;
    if (payload->begins_layer) {
        frame->layer_count++;
    }
    if (frame->layer_count > 0) {
        frame->layer_ends[frame->layer_count - 1] = frame->size;
    }
    return JINGLE_OK;
}
