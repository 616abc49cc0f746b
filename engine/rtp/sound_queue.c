#include "rtp/sound_queue.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM = SOUND_QUEUE_PAST + SOUND_QUEUE_WAITING + SOUND_QUEUE_APPEND };

bool sound_queue_init(struct sound_queue *queue, unsigned channels)
{
    queue->channels = channels;
    queue->samples = malloc((size_t)ROOM * channels * sizeof *queue->samples);
    if (!queue->samples) {
        return false;
    }
    sound_queue_restart(queue, 48000);
    return true;
}

void sound_queue_release(struct sound_queue *queue)
{
    free(queue->samples);
}

void sound_queue_restart(struct sound_queue *queue, uint32_t rate)
{
    queue->rate = rate;
    queue->start = queue->end = SOUND_QUEUE_PAST;
    memset(queue->samples, 0, (size_t)SOUND_QUEUE_PAST * queue->channels * sizeof *queue->samples);
}

int16_t *sound_queue_room(struct sound_queue *queue)
{
    if (queue->end + SOUND_QUEUE_APPEND > ROOM) {
        size_t from = queue->start - SOUND_QUEUE_PAST;
        memmove(queue->samples, queue->samples + from * queue->channels,
                (queue->end - from) * queue->channels * sizeof *queue->samples);
        queue->start -= from;
        queue->end -= from;
    }
    return queue->samples + queue->end * queue->channels;
}

void sound_queue_append(struct sound_queue *queue, size_t count)
{
    queue->end += count;
}

size_t sound_queue_count(const struct sound_queue *queue)
{
    return queue->end - queue->start;
}

void sound_queue_take(struct sound_queue *queue, int16_t *out, size_t count)
{
    memcpy(out, queue->samples + queue->start * queue->channels,
           count * queue->channels * sizeof *out);
    queue->start += count;
}
