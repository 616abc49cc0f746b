#include "transfer_life.h"

#include "client.h"
#include "events.h"
#include "transfer/watch.h"
#include "transfer_bytes.h"
#include "transfer_sink.h"
#include "transfer_source.h"
#include "transfer_stream.h"
#include "transfer_upload.h"

#include <unistd.h>

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
    if (status == JINGLE_ERROR_REFUSED && transfer->by == JINGLE_PARTY_LOCAL) {
        return g_strdup_printf("%s was refused.", name);
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
    if (!sink) {
        transfer_sink_given_end(&transfer->wanted);
    }
    transfer_sink_free(sink, transfer->moved);
    transfer_source_free(transfer->source);
    transfer_sink_given_clear(&transfer->wanted);
    transfer->sink = NULL;
    transfer->source = NULL;
    loop_post(transfer->client->io, closed, closed, transfer);
}

/* What nobody told by the end nobody will. */
static void settle_hash(jingle_transfer *transfer)
{
    if (transfer->status == JINGLE_ERROR_FILE_HASH) {
        jingle_transfer_set_hash(transfer, JINGLE_HASH_DIFFERENT);
    } else if (jingle_transfer_known(transfer).hash == JINGLE_HASH_PENDING) {
        jingle_transfer_set_hash(transfer, JINGLE_HASH_NONE);
    }
}

void transfer_close(jingle_transfer *transfer)
{
    if (transfer->closing) {
        return;
    }
    transfer->closing = true;
    settle_hash(transfer);
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
