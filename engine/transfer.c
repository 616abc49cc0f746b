#include "transfer.h"

#include "transfer/file_name.h"

#include <stdlib.h>
#include <string.h>

static void set_clean_name(jingle_transfer *transfer, const char *name)
{
    char clean[FILE_NAME_SIZE];
    file_name_clean(name, clean);
    transfer->name = g_string_chunk_insert_const(transfer->text, clean);
}

jingle_transfer *jingle_transfer_new(jingle_client *client, const char *peer,
                                     const struct file_description *file, bool sending,
                                     enum transfer_stage stage)
{
    jingle_transfer *transfer = g_new0(jingle_transfer, 1);
    pthread_mutex_init(&transfer->lock, NULL);
    transfer->references = 1;
    transfer->client = client;
    transfer->sending = sending;
    transfer->stage = stage;
    transfer->text = g_string_chunk_new(128);
    transfer->peer = g_string_chunk_insert_const(transfer->text, peer);
    transfer->id = "";
    transfer->waiting = -1;
    file_description_copy(&transfer->file, file);
    set_clean_name(transfer, file->name);
    transfer->statistics = (jingle_transfer_statistics){
        .size = sizeof(jingle_transfer_statistics),
        .bytes_total = file->has_size ? file->size : 0,
        .time_left = -1,
    };
    return transfer;
}

jingle_transfer *jingle_transfer_ref(jingle_transfer *transfer)
{
    if (transfer) {
        atomic_fetch_add(&transfer->references, 1);
    }
    return transfer;
}

void jingle_transfer_unref(jingle_transfer *transfer)
{
    if (!transfer || atomic_fetch_sub(&transfer->references, 1) != 1) {
        return;
    }
    file_description_clear(&transfer->file);
    g_string_chunk_free(transfer->text);
    free(transfer->memory);
    g_free(transfer->said);
    g_free(transfer->url);
    g_free(transfer->path);
    pthread_mutex_destroy(&transfer->lock);
    g_free(transfer);
}

void jingle_transfer_set_user(jingle_transfer *transfer, void *user)
{
    if (transfer) {
        atomic_store(&transfer->user, user);
    }
}

void *jingle_transfer_user(jingle_transfer *transfer)
{
    return transfer ? atomic_load(&transfer->user) : NULL;
}

bool jingle_transfer_is_sending(jingle_transfer *transfer)
{
    return transfer && transfer->sending;
}

/* ----------------------------------------------------------------------------- its texts -- */

static const char *text_of(jingle_transfer *transfer, const char *const *text)
{
    if (!transfer) {
        return "";
    }
    pthread_mutex_lock(&transfer->lock);
    const char *now = *text;
    pthread_mutex_unlock(&transfer->lock);
    return now;
}

const char *jingle_transfer_name(jingle_transfer *transfer)
{
    return text_of(transfer, transfer ? &transfer->name : NULL);
}

const char *jingle_transfer_peer(jingle_transfer *transfer)
{
    return text_of(transfer, transfer ? &transfer->peer : NULL);
}

const char *jingle_transfer_id(jingle_transfer *transfer)
{
    return text_of(transfer, transfer ? &transfer->id : NULL);
}

static void set_text(jingle_transfer *transfer, const char **text, const char *value)
{
    pthread_mutex_lock(&transfer->lock);
    if (strcmp(*text, value) != 0) {
        *text = g_string_chunk_insert_const(transfer->text, value);
    }
    pthread_mutex_unlock(&transfer->lock);
}

void jingle_transfer_set_id(jingle_transfer *transfer, const char *id)
{
    set_text(transfer, &transfer->id, id);
}

void jingle_transfer_set_peer(jingle_transfer *transfer, const char *peer)
{
    set_text(transfer, &transfer->peer, peer);
}

void jingle_transfer_set_name(jingle_transfer *transfer, const char *name)
{
    pthread_mutex_lock(&transfer->lock);
    set_clean_name(transfer, name);
    pthread_mutex_unlock(&transfer->lock);
}

/* ------------------------------------------------------------------------------ its stage -- */

enum transfer_stage jingle_transfer_stage(jingle_transfer *transfer)
{
    pthread_mutex_lock(&transfer->lock);
    enum transfer_stage stage = transfer->stage;
    pthread_mutex_unlock(&transfer->lock);
    return stage;
}

void jingle_transfer_set_stage(jingle_transfer *transfer, enum transfer_stage stage)
{
    pthread_mutex_lock(&transfer->lock);
    transfer->stage = stage;
    pthread_mutex_unlock(&transfer->lock);
}

/* ----------------------------------------------------------------------------- its figures -- */

void jingle_transfer_publish(jingle_transfer *transfer, const struct progress *progress,
                             bool checking, usec now)
{
    usec left = checking ? USEC_NEVER : progress_left(progress);
    pthread_mutex_lock(&transfer->lock);
    jingle_transfer_statistics *s = &transfer->statistics;
    s->checking = checking;
    s->time_left = left == USEC_NEVER ? -1 : left;
    s->rate = checking ? 0 : (uint64_t)progress_rate(progress);
    s->bytes_done = progress->done;
    if (!checking) {
        s->bytes_total = progress->total;
        s->bytes_resumed = progress->resumed;
        s->mean_rate = (uint64_t)progress_mean_rate(progress, now);
        s->duration = now - progress->began;
    }
    pthread_mutex_unlock(&transfer->lock);
}

void jingle_transfer_set_way(jingle_transfer *transfer, jingle_way way)
{
    pthread_mutex_lock(&transfer->lock);
    transfer->statistics.way = way;
    pthread_mutex_unlock(&transfer->lock);
}

void jingle_transfer_set_hash(jingle_transfer *transfer, jingle_hash_state hash)
{
    pthread_mutex_lock(&transfer->lock);
    transfer->statistics.hash = hash;
    pthread_mutex_unlock(&transfer->lock);
}

jingle_transfer_statistics jingle_transfer_known(jingle_transfer *transfer)
{
    pthread_mutex_lock(&transfer->lock);
    jingle_transfer_statistics known = transfer->statistics;
    pthread_mutex_unlock(&transfer->lock);
    return known;
}

jingle_status jingle_transfer_get_statistics(jingle_transfer *transfer,
                                             jingle_transfer_statistics *statistics)
{
    if (!transfer || !statistics || statistics->size == 0) {
        return JINGLE_ERROR_INVALID;
    }
    size_t size = statistics->size;
    jingle_transfer_statistics known = jingle_transfer_known(transfer);
    memcpy(statistics, &known, MIN(size, sizeof known));
    statistics->size = size;
    return JINGLE_OK;
}

/* -------------------------------------------------------------------------------- memory -- */

void jingle_transfer_set_memory(jingle_transfer *transfer, uint8_t *memory, size_t bytes)
{
    pthread_mutex_lock(&transfer->lock);
    transfer->memory = memory;
    transfer->memory_bytes = bytes;
    pthread_mutex_unlock(&transfer->lock);
}

const void *jingle_transfer_memory(jingle_transfer *transfer, size_t *bytes)
{
    const void *memory = NULL;
    size_t size = 0;
    if (transfer) {
        pthread_mutex_lock(&transfer->lock);
        memory = transfer->memory;
        size = transfer->memory_bytes;
        pthread_mutex_unlock(&transfer->lock);
    }
    if (bytes) {
        *bytes = size;
    }
    return memory;
}
