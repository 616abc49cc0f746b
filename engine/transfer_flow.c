#include "transfer_flow.h"

#include "client.h"
#include "transfer/watch.h"
#include "transfer_bytes.h"
#include "transfer_hashes.h"
#include "transfer_life.h"
#include "transfer_sink.h"
#include "transfer_source.h"
#include "transfer_status.h"
#include "transfer_stream.h"

#include <string.h>
#include <unistd.h>

/* The end of a connection may overtake the stanza that says why. */
#define LOST_PATIENCE (2 * USEC_PER_SEC)

static void begin(jingle_transfer *transfer, int fd);

/* ---------------------------------------------------------------------- what broke off -- */

static void leave_way(jingle_transfer *transfer)
{
    watch_drop(&transfer->patience);
    transfer_bytes_close(transfer->bytes, NULL, NULL);
    transfer->bytes = NULL;
}

/* Not one byte went this way: another one may do. */
static void try_other_way(jingle_transfer *transfer)
{
    transfer->broke = true;
    leave_way(transfer);
    account_file_stream_failed(transfer->signaling, clock_now());
    client_schedule(transfer->client);
}

static gboolean patience_is_over(void *user)
{
    jingle_transfer *transfer = user;
    watch_drop(&transfer->patience);
    bool untouched = transfer->bytes && transfer->stopped && transfer->untouched;
    if (untouched && transfer->way != JINGLE_WAY_INBAND && transfer->signaling) {
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

/* Another way was agreed on meanwhile. What came by the one before would come again by this; what
 * went can go again. */
static void change_way(jingle_transfer *transfer, int fd)
{
    leave_way(transfer);
    if (transfer->sending || transfer->untouched) {
        begin(transfer, fd);
    } else {
        close(fd);
        transfer_end(transfer, JINGLE_ERROR_CONNECTION_LOST);
    }
}

static void on_ended(void *user, enum transfer_status status, bool touched)
{
    jingle_transfer *transfer = user;
    int fd = transfer->waiting;
    bool whole = status == TRANSFER_OK && !transfer->sending;
    transfer->stopped = true;
    transfer->untouched = !touched;
    if (fd >= 0 && !transfer->over && !whole) {
        transfer->waiting = -1;
        change_way(transfer, fd);
        return;
    }
    transfer->moved = status == TRANSFER_OK;
    if (transfer->moved && !transfer->sending) {
        all_is_received(transfer);
    }
    if (transfer->over) {
        transfer_close(transfer);
    } else if (transfer->moved && transfer->sending) {
        all_is_sent(transfer);
    } else if (status == TRANSFER_CONNECTION_LOST || status == TRANSFER_STALLED) {
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

/* What was announced, and what a checksum added to it before the first byte. */
static size_t told_hashes(const jingle_transfer *transfer, struct file_hash out[FILE_HASHES_MAX])
{
    memcpy(out, transfer->file.hashes, sizeof transfer->file.hashes);
    return transfer_hashes_add(out, transfer->file.hash_count, transfer->hashes,
                               transfer->hash_count);
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
    struct file_hash told[FILE_HASHES_MAX];
    config.told = told;
    config.told_count = transfer->sending ? 0 : told_hashes(transfer, told);
    struct progress progress;
    usec now = clock_now();
    progress_init(&progress, config.end, config.offset, now);
    jingle_transfer_publish(transfer, &progress, false, now);
    transfer->stopped = false;
    transfer->moved = false;
    transfer->drained = false;
    transfer->bytes = transfer_bytes_begin(&config);
    if (!transfer->bytes) {
        transfer_end(transfer, JINGLE_ERROR_LIMIT);
        return;
    }
    jingle_transfer_set_hash(transfer, JINGLE_HASH_PENDING);
    transfer_started(transfer);
}

static void wait_with(jingle_transfer *transfer, int fd)
{
    if (transfer->waiting >= 0) {
        close(transfer->waiting);
    }
    transfer->waiting = fd;
}

void transfer_flow(jingle_transfer *transfer, int fd, jingle_way way)
{
    transfer->way = way;
    jingle_transfer_set_way(transfer, way);
    if (transfer->bytes && !transfer->stopped) {
        wait_with(transfer, fd);
        transfer_bytes_cancel(transfer->bytes);
    } else if (transfer->bytes) {
        change_way(transfer, fd);
    } else if (transfer->sending || (!transfer->opening && transfer->sink)) {
        begin(transfer, fd);
    } else {
        wait_with(transfer, fd);
    }
}

/* ---------------------------------------------------------------- what we asked for, opened -- */

static void sink_opened(void *arg)
{
    jingle_transfer *transfer = arg;
    if (!transfer->over) {
        transfer->opening = false;
        if (transfer->opened != JINGLE_OK) {
            transfer_end(transfer, transfer->opened);
        } else if (transfer->waiting >= 0) {
            int fd = transfer->waiting;
            transfer->waiting = -1;
            begin(transfer, fd);
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
