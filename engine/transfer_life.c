#include "transfer_life.h"

#include "client.h"
#include "events.h"
#include "transfer/watch.h"
#include "transfer_bytes.h"
#include "transfer_hashes.h"
#include "transfer_sink.h"
#include "transfer_source.h"
#include "transfer_status.h"
#include "transfer_stream.h"
#include "transfer_upload.h"

#include <unistd.h>

/* The end of a connection may overtake the stanza that says why. */
#define LOST_PATIENCE (2 * USEC_PER_SEC)

/* ---------------------------------------------------------------------------- what is told -- */

static void push_figures(jingle_transfer *transfer, jingle_event_type type, const char *text)
{
    jingle_event event = {
        .type = type,
        .transfer = transfer,
        .text = text,
        .u.transfer = jingle_transfer_known(transfer),
    };
    events_push(transfer->client->events, &event);
}

void transfer_started(jingle_transfer *transfer)
{
    if (transfer->began) {
        return;
    }
    transfer->began = clock_now();
    char *text = g_strdup_printf(transfer->sending ? "Sending %s." : "Receiving %s.",
                                 jingle_transfer_name(transfer));
    push_figures(transfer, JINGLE_EVENT_TRANSFER_STARTED, text);
    g_free(text);
}

void transfer_progress(jingle_transfer *transfer, const struct progress *progress, bool checking)
{
    jingle_transfer_publish(transfer, progress, checking, clock_now());
    const char *verb = transfer->sending ? "Sending" : "Receiving";
    double share = progress->total > 0 ? (double)progress->done / (double)progress->total : 1;
    char *text = g_strdup_printf("%s %s: %.0f %%.", checking ? "Checking" : verb,
                                 jingle_transfer_name(transfer), 100 * share);
    push_figures(transfer, JINGLE_EVENT_TRANSFER_PROGRESS, text);
    g_free(text);
}

static char *sentence_of_the_end(jingle_transfer *transfer, jingle_status status)
{
    const char *name = jingle_transfer_name(transfer);
    const char *said = transfer->said;
    if (status == JINGLE_OK) {
        return g_strdup_printf(transfer->sending ? "%s has been sent." : "%s is here.", name);
    }
    const char *who = transfer->way == JINGLE_WAY_HTTP ? " " : " They say: ";
    return g_strdup_printf("%s%s%s", jingle_strerror(status), said ? who : "", said ? said : "");
}

static void push_ended(jingle_transfer *transfer, jingle_status status)
{
    char *text = sentence_of_the_end(transfer, status);
    bool good = status == JINGLE_OK;
    jingle_event event = {
        .type = JINGLE_EVENT_TRANSFER_ENDED,
        .transfer = transfer,
        .status = status,
        .text = text,
        .u.transfer_ended = {.by = transfer->by,
                             .path = transfer->path ? transfer->path : "",
                             .url = good && transfer->url ? transfer->url : "",
                             .statistics = jingle_transfer_known(transfer)},
    };
    events_push(transfer->client->events, &event);
    g_free(text);
}

/* -------------------------------------------------------------------------------- closing -- */

/* On the I/O thread again: nothing is open any more. */
static void closed(void *arg)
{
    jingle_transfer *transfer = arg;
    jingle_client *client = transfer->client;
    transfer_stream_free(transfer->stream);
    transfer->stream = NULL;
    /* what is whole here is whole, whatever happened to the farewell */
    bool whole = !transfer->sending && transfer->moved;
    push_ended(transfer, whole ? JINGLE_OK : transfer->status);
    g_ptr_array_remove_fast(client->transfers, transfer);
    jingle_transfer_unref(transfer); /* the client's */
}

/* On the closer's thread. */
static void close_ends(void *arg)
{
    jingle_transfer *transfer = arg;
    struct transfer_sink *sink = transfer->sink;
    if (sink) {
        transfer->path = g_strdup(transfer_sink_path(sink));
        transfer->moved |= transfer->path != NULL;
        size_t bytes;
        uint8_t *memory = transfer->moved ? transfer_sink_take_memory(sink, &bytes) : NULL;
        if (memory) {
            jingle_transfer_set_memory(transfer, memory, bytes);
        }
    }
    transfer_sink_free(sink, transfer->moved);
    transfer_source_free(transfer->source);
    transfer_sink_given_clear(&transfer->wanted);
    transfer->sink = NULL;
    transfer->source = NULL;
    loop_post(transfer->client->io, closed, closed, transfer);
}

void transfer_close(jingle_transfer *transfer)
{
    if (transfer->closing) {
        return;
    }
    transfer->closing = true;
    if (transfer->bytes) {
        transfer_bytes_close(transfer->bytes, close_ends, transfer);
        transfer->bytes = NULL;
    } else if (transfer->upload) {
        transfer_upload_close(transfer->upload, close_ends, transfer);
        transfer->upload = NULL;
    } else {
        loop_post(transfer->client->closer, close_ends, close_ends, transfer);
    }
}

/* What nobody told by the end nobody will. */
static void settle_hash(jingle_transfer *transfer, jingle_status status)
{
    if (status == JINGLE_ERROR_FILE_HASH) {
        jingle_transfer_set_hash(transfer, JINGLE_HASH_DIFFERENT);
    } else if (jingle_transfer_known(transfer).hash == JINGLE_HASH_PENDING) {
        jingle_transfer_set_hash(transfer, JINGLE_HASH_NONE);
    }
}

void transfer_over(jingle_transfer *transfer, jingle_status status, jingle_party by,
                   const char *said)
{
    if (transfer->over) {
        return;
    }
    bool lost = transfer->broke && status == JINGLE_ERROR_NO_PATH;
    transfer->over = true;
    transfer->signaling = NULL;
    transfer->status = lost ? JINGLE_ERROR_CONNECTION_LOST : status; /* there was a path */
    transfer->by = by;
    transfer->said = said && *said ? g_strdup(said) : NULL;
    watch_drop(&transfer->patience);
    jingle_transfer_set_stage(transfer, TRANSFER_STAGE_ENDED);
    if (transfer->stream) {
        transfer_stream_stop_socks5(transfer->stream);
    }
    if (transfer->waiting >= 0) {
        close(transfer->waiting);
        transfer->waiting = -1;
    }
    if (transfer->bytes && !transfer->stopped && !transfer->client->closing) {
        transfer_bytes_cancel(transfer->bytes); /* closed when it has ended, which may take time */
    } else {
        settle_hash(transfer, status);
        transfer_close(transfer);
    }
}

void transfer_end(jingle_transfer *transfer, jingle_status status)
{
    struct account_file *file = transfer->signaling;
    if (transfer->over) {
        return;
    }
    if (file) {
        account_file_end(file, status, clock_now());
        client_schedule(transfer->client);
    }
    transfer_over(transfer, status, JINGLE_PARTY_LOCAL, NULL); /* unless signalling said so */
}

/* ---------------------------------------------------------------------- what broke off -- */

/* Not one byte went this way: another one may do. */
static void try_other_way(jingle_transfer *transfer)
{
    transfer->broke = true;
    transfer_bytes_close(transfer->bytes, NULL, NULL);
    transfer->bytes = NULL;
    account_file_stream_failed(transfer->signaling, clock_now());
    client_schedule(transfer->client);
}

static gboolean patience_is_over(void *user)
{
    jingle_transfer *transfer = user;
    watch_drop(&transfer->patience);
    if (transfer->untouched && transfer->signaling) {
        try_other_way(transfer);
    } else {
        transfer_end(transfer, JINGLE_ERROR_CONNECTION_LOST);
    }
    return G_SOURCE_REMOVE;
}

void transfer_lost(jingle_transfer *transfer)
{
    if (!transfer->over && !transfer->patience) {
        transfer->patience = watch_after(loop_context(transfer->client->io), LOST_PATIENCE,
                                         patience_is_over, transfer);
    }
}

/* ----------------------------------------------------------------------- what the bytes say -- */

static void on_progress(void *user, const struct progress *progress, bool checking)
{
    jingle_transfer *transfer = user;
    if (!transfer->over) {
        transfer_progress(transfer, progress, checking);
    }
}

static void tell_sent(jingle_transfer *transfer)
{
    account_file_sent(transfer->signaling, transfer->hashes, transfer->hash_count, clock_now());
    client_schedule(transfer->client);
}

static void on_sent(void *user, const struct hash_value *hashes, size_t count)
{
    jingle_transfer *transfer = user;
    transfer->hash_count = transfer_hashes_write(hashes, count, transfer->hashes);
}

void transfer_drained(jingle_transfer *transfer)
{
    transfer->drained = true;
    if (transfer->signaling) {
        tell_sent(transfer);
    }
    if (transfer->signaling) {
        account_file_close(transfer->signaling, clock_now());
        client_schedule(transfer->client);
    }
}

static void all_is_sent(jingle_transfer *transfer)
{
    if (transfer->way == JINGLE_WAY_INBAND) {
        ibb_stream_finish(transfer_stream_ibb(transfer->stream));
    } else {
        transfer_bytes_say_end(transfer->bytes);
        tell_sent(transfer);
    }
}

static void all_is_received(jingle_transfer *transfer)
{
    jingle_transfer_set_hash(transfer, transfer_bytes_can_compare(transfer->bytes)
                                           ? JINGLE_HASH_EQUAL
                                           : JINGLE_HASH_NONE);
    if (transfer->signaling) {
        account_file_received(transfer->signaling, clock_now());
        client_schedule(transfer->client);
    }
}

static void on_ended(void *user, enum transfer_status status, bool touched)
{
    jingle_transfer *transfer = user;
    transfer->stopped = true;
    transfer->moved = status == TRANSFER_OK;
    if (transfer->moved && !transfer->sending) {
        all_is_received(transfer);
    }
    if (transfer->over) {
        settle_hash(transfer, transfer->status);
        transfer_close(transfer);
    } else if (transfer->moved && transfer->sending) {
        all_is_sent(transfer);
    } else if (status == TRANSFER_CONNECTION_LOST || status == TRANSFER_STALLED) {
        transfer->untouched = !touched && transfer->way != JINGLE_WAY_INBAND;
        transfer_lost(transfer);
    } else if (status != TRANSFER_OK) {
        transfer_end(transfer, transfer_status_to_jingle(status));
    }
}

static void on_hung_up(void *user)
{
    jingle_transfer *transfer = user;
    /* A proxy closes by itself once we said that this is the end. */
    if (transfer->signaling && transfer->way == JINGLE_WAY_DIRECT) {
        account_file_stream_closed(transfer->signaling, clock_now());
        client_schedule(transfer->client);
    }
}

/* ------------------------------------------------------------------------------- beginning -- */

static unsigned count_moving(const struct jingle_client *client)
{
    unsigned count = 0;
    for (guint i = 0; i < client->transfers->len; i++) {
        const jingle_transfer *transfer = client->transfers->pdata[i];
        count += transfer->bytes != NULL;
    }
    return count;
}

static struct transfer_bytes_config bytes_config(jingle_transfer *transfer, int fd)
{
    const struct file_description *file = &transfer->file;
    struct transfer_bytes_config config = {
        .io = transfer->client->io,
        .closer = transfer->client->closer,
        .stream = fd,
        .receiving = !transfer->sending,
        .offset = transfer->offset,
        .end = transfer->length > 0 ? transfer->offset + transfer->length : file->size,
        .told = file->hashes,
        .told_count = file->hash_count,
        .rate_limit = transfer->rate_limit,
        .hooks = {.user = transfer,
                  .progress = on_progress,
                  .sent = on_sent,
                  .ended = on_ended,
                  .hung_up = on_hung_up},
    };
    if (!transfer->sending) {
        config.sink = transfer_sink_bytes(transfer->sink);
    } else {
        config.source = transfer_source_bytes(transfer->source);
        if (config.end == file->size) { /* a part has no hash that was announced */
            config.algorithms =
                hash_bit(transfer_hashes_for(account_file_peer_hashes(transfer->signaling)));
        }
    }
    return config;
}

static void begin(jingle_transfer *transfer, int fd)
{
    if (count_moving(transfer->client) >= CLIENT_MOVERS_MAX) {
        close(fd);
        transfer_end(transfer, JINGLE_ERROR_LIMIT);
        return;
    }
    struct transfer_bytes_config config = bytes_config(transfer, fd);
    struct progress progress;
    usec now = clock_now();
    progress_init(&progress, config.end, config.offset, now);
    jingle_transfer_publish(transfer, &progress, false, now);
    transfer->stopped = false;
    transfer->bytes = transfer_bytes_begin(&config);
    if (!transfer->bytes) {
        transfer_end(transfer, JINGLE_ERROR_LIMIT);
        return;
    }
    jingle_transfer_set_hash(transfer, JINGLE_HASH_PENDING);
    transfer_started(transfer);
}

void transfer_flow(jingle_transfer *transfer, int fd, jingle_way way)
{
    transfer->way = way;
    jingle_transfer_set_way(transfer, way);
    if (transfer->sending || (transfer->sink && !transfer->opening)) {
        begin(transfer, fd);
    } else {
        transfer->waiting = fd;
    }
}

/* ---------------------------------------------------------------- what we asked for, opened -- */

static void sink_opened(void *arg)
{
    jingle_transfer *transfer = arg;
    if (!transfer->over) {
        transfer->opening = false;
        int fd = transfer->waiting;
        transfer->waiting = -1;
        if (transfer->opened != JINGLE_OK) {
            transfer_end(transfer, transfer->opened);
        } else if (fd >= 0) {
            begin(transfer, fd);
            fd = -1;
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    jingle_transfer_unref(transfer);
}

static void drop_opened(void *arg)
{
    jingle_transfer_unref(arg);
}

/* On the closer's thread. */
static void open_sink(void *arg)
{
    jingle_transfer *transfer = arg;
    transfer->opened = transfer_sink_open(&transfer->wanted, jingle_transfer_peer(transfer),
                                          &transfer->file, &transfer->sink);
    if (transfer->opened == JINGLE_OK) {
        transfer->opened = transfer_sink_start_at(transfer->sink, 0);
    }
    loop_post(transfer->client->io, sink_opened, drop_opened, transfer);
}

void transfer_open_sink(jingle_transfer *transfer)
{
    transfer->opening = true;
    loop_post(transfer->client->closer, open_sink, drop_opened, jingle_transfer_ref(transfer));
}
