#include "client_files.h"

#include "events.h"
#include "outside_port.h"
#include "signaling/jid.h"
#include "signaling/stanza.h"
#include "transfer_bytes.h"
#include "transfer_flow.h"
#include "transfer_hashes.h"
#include "transfer_life.h"
#include "transfer_stream.h"

#include <string.h>

/* ---------------------------------------------------------------------- what streams tell -- */

static void on_candidate(void *user, enum s5b_type type, const char *host, uint16_t port)
{
    jingle_transfer *transfer = user;
    if (transfer->signaling) {
        account_file_add_candidate(transfer->signaling, type, host, port, clock_now());
    }
}

static void on_connected(void *user, const char *cid)
{
    jingle_transfer *transfer = user;
    if (transfer->signaling) {
        account_file_connected(transfer->signaling, cid, clock_now());
        client_schedule(transfer->client);
    }
}

static void on_unconnected(void *user)
{
    jingle_transfer *transfer = user;
    if (transfer->signaling) {
        account_file_unconnected(transfer->signaling, clock_now());
        client_schedule(transfer->client);
    }
}

static void on_proxy_connected(void *user, bool connected)
{
    jingle_transfer *transfer = user;
    if (transfer->signaling) {
        account_file_proxy_connected(transfer->signaling, connected, clock_now());
        client_schedule(transfer->client);
    }
}

static void on_send_block(void *user, uint16_t seq, const uint8_t *bytes, size_t size)
{
    jingle_transfer *transfer = user;
    if (transfer->signaling) {
        account_file_send_block(transfer->signaling, seq, bytes, size, clock_now());
        client_schedule(transfer->client);
    }
}

static void on_block_written(void *user, void *token)
{
    jingle_transfer *transfer = user;
    if (transfer->signaling) {
        account_file_block_written(transfer->signaling, token, NULL);
        client_schedule(transfer->client);
    }
}

static void on_drained(void *user)
{
    transfer_drained(user);
}

static void on_stalled(void *user)
{
    transfer_end(user, JINGLE_ERROR_CONNECTION_LOST);
}

static struct transfer_stream *stream_of(jingle_transfer *transfer)
{
    struct jingle_client *client = transfer->client;
    if (!transfer->stream) {
        struct transfer_stream_config config = {
            .context = loop_context(client->io),
            .log = &client->log,
            .listener = client->listener,
            .choice = {.interfaces = client->interfaces,
                       .family = client->family,
                       .loopback = client->features.loopback},
            .hooks = {.user = transfer,
                      .candidate = on_candidate,
                      .connected = on_connected,
                      .unconnected = on_unconnected,
                      .proxy_connected = on_proxy_connected,
                      .send_block = on_send_block,
                      .block_written = on_block_written,
                      .drained = on_drained,
                      .stalled = on_stalled},
        };
        transfer->stream = transfer_stream_new(&config);
    }
    return transfer->stream;
}

/* ------------------------------------------------------------------------- what is offered -- */

static void push_offer(jingle_transfer *transfer, const struct file_event *event)
{
    const struct file_description *file = &transfer->file;
    bool requested = event->u.offered.requested;
    char *text = g_strdup_printf(requested ? "They ask for %s." : "They offer %s.",
                                 jingle_transfer_name(transfer));
    jingle_event out = {
        .type = requested ? JINGLE_EVENT_FILE_REQUESTED : JINGLE_EVENT_FILE_OFFERED,
        .transfer = transfer,
        .text = text,
        .u.file = {.from = account_file_peer(transfer->signaling),
                   .name = jingle_transfer_name(transfer),
                   .media_type = file->media_type ? file->media_type : "",
                   .description = file->desc ? file->desc : "",
                   .bytes = file->has_size ? file->size : 0,
                   .date = file->date * USEC_PER_SEC,
                   .on_roster = account_file_peer_is_contact(transfer->signaling),
                   .index = event->u.offered.index,
                   .count = event->u.offered.count},
    };
    events_push(transfer->client->events, &out);
    g_free(text);
}

void client_files_link(struct jingle_client *client, const struct account_event *event)
{
    bool encrypted = event->u.link.encrypted;
    jingle_event out = {
        .type = JINGLE_EVENT_LINK,
        .text =
            encrypted ? "They sent a link to an encrypted file." : "They sent a link to a file.",
        .u.link = {.from = event->u.link.from,
                   .name = event->u.link.name,
                   .url = event->u.link.url,
                   .description = event->u.link.description,
                   .encrypted = encrypted,
                   .on_roster = event->u.link.on_roster,
                   .when = event->u.link.when},
    };
    events_push(client->events, &out);
}

/* The sender was started again while we still wait for the old one's last words: what is kept of
 * the file is wanted now. */
static void end_forerunners(struct jingle_client *client, const char *from,
                            const struct file_description *offered)
{
    for (guint i = client->transfers->len; i > 0; i--) {
        jingle_transfer *old = client->transfers->pdata[i - 1];
        if (!old->sending && !old->over && old->patience &&
            jid_equal_bare(jingle_transfer_peer(old), from) && old->file.size == offered->size &&
            g_strcmp0(old->file.name, offered->name) == 0) {
            transfer_end(old, JINGLE_ERROR_CONNECTION_LOST);
        }
    }
}

static void on_offered(struct jingle_client *client, struct account_file *file,
                       const struct file_event *event)
{
    const struct file_description *offered = event->u.offered.file;
    bool requested = event->u.offered.requested;
    if (client->closing || client->transfers->len >= CLIENT_TRANSFERS_MAX ||
        events_are_full(client->events) || (!requested && !offered->has_size)) {
        account_file_reject(file, clock_now());
        return;
    }
    if (!requested) {
        end_forerunners(client, account_file_peer(file), offered);
    }
    jingle_transfer *transfer = jingle_transfer_new(client, account_file_peer(file), offered,
                                                    requested, TRANSFER_STAGE_OFFERED);
    transfer->signaling = file;
    account_file_set_user(file, transfer);
    jingle_transfer_set_id(transfer, account_file_sid(file));
    if (requested && offered->has_range) {
        transfer->offset = offered->range_offset;
        transfer->length = offered->range_length;
    }
    client_files_add(client, transfer);
    push_offer(transfer, event);
    jingle_transfer_unref(transfer);
}

void client_files_add(struct jingle_client *client, jingle_transfer *transfer)
{
    g_ptr_array_add(client->transfers, jingle_transfer_ref(transfer));
}

/* ------------------------------------------------------------------------- what is agreed -- */

static bool learn_what_it_is(jingle_transfer *transfer, const struct file_description *told)
{
    struct file_description *file = &transfer->file;
    if (!told || !told->has_size) {
        return false;
    }
    if (told->name) {
        g_free(file->name);
        file->name = g_strdup(told->name);
        jingle_transfer_set_name(transfer, told->name);
    }
    file->has_size = true;
    file->size = told->size;
    file->date = told->date;
    for (size_t i = 0; i < told->hash_count; i++) { /* what we asked for goes before */
        bool asked = false;
        for (size_t j = 0; j < file->hash_count; j++) {
            asked |= strcmp(file->hashes[j].algorithm, told->hashes[i].algorithm) == 0;
        }
        if (!asked) {
            file_description_add_hash(file, told->hashes[i].algorithm, told->hashes[i].value);
        }
    }
    return true;
}

static void on_accepted(jingle_transfer *transfer, const struct file_event *event)
{
    transfer->offset = event->u.accepted.offset;
    transfer->length = event->u.accepted.length;
    if (!transfer->sending) {
        bool usable = transfer->offset == 0 && learn_what_it_is(transfer, event->u.accepted.file);
        /* a part would look like the whole */
        if (usable && (transfer->length == 0 || transfer->length == transfer->file.size)) {
            transfer->length = 0;
            transfer_open_sink(transfer);
        } else {
            transfer_end(transfer, JINGLE_ERROR_PEER_FILE);
        }
        return;
    }
    uint64_t size = transfer->file.size;
    if (transfer->offset > size) {
        transfer_end(transfer, JINGLE_ERROR_PEER_FILE);
    } else if (transfer->length >= size - transfer->offset) {
        transfer->length = 0;
    }
}

/* ------------------------------------------------------------------------ which way it goes -- */

static void on_stream(jingle_transfer *transfer, const struct file_event *event)
{
    enum file_stream from = event->u.stream.from;
    bool proxy = from == FILE_STREAM_PROXY || event->u.stream.type == S5B_PROXY;
    int fd = transfer_stream_take(stream_of(transfer), from, event->u.stream.host);
    if (fd < 0) {
        account_file_stream_failed(transfer->signaling, clock_now());
        return;
    }
    transfer_flow(transfer, fd, proxy ? JINGLE_WAY_PROXY : JINGLE_WAY_DIRECT);
}

static void on_inband(jingle_transfer *transfer, const struct file_event *event)
{
    int fd = transfer_stream_inband(stream_of(transfer), event->u.inband.transport->block_size,
                                    account_file_window(transfer->signaling));
    if (fd < 0) {
        transfer_end(transfer, JINGLE_ERROR_LIMIT);
        return;
    }
    transfer_flow(transfer, fd, JINGLE_WAY_INBAND);
}

/* It may come before the bytes; the description may be read on the closer's thread then. */
static void on_checksum(jingle_transfer *transfer, const struct file_event *event)
{
    const struct file_hash *hashes = event->u.checksum.hashes;
    if (transfer->sending) {
        return;
    }
    if (transfer->bytes) {
        transfer_bytes_checksum(transfer->bytes, hashes, event->u.checksum.count);
        return;
    }
    transfer->hash_count = transfer_hashes_add(transfer->hashes, transfer->hash_count, hashes,
                                               event->u.checksum.count);
}

static void on_ended(jingle_transfer *transfer, const struct file_event *event)
{
    transfer_over(transfer, event->u.ended.status, event->u.ended.by, event->u.ended.text);
}

static void on_listen(jingle_transfer *transfer, const struct file_event *event)
{
    struct jingle_client *client = transfer->client;
    struct transfer_stream *stream = stream_of(transfer);
    transfer_stream_listen(stream, event->u.listen.addresses,
                           event->u.listen.direct && !client->features.relay_only);
    uint16_t port = 0;
    const char *host = client->outside ? outside_port_host(client->outside, &port) : NULL;
    if (host && transfer_stream_is_listening(stream)) {
        on_candidate(transfer, S5B_ASSISTED, host, port);
    }
}

/* The router lets guests in: all that wait for some say so. */
static void on_outside_port(void *user, const char *host, uint16_t port)
{
    struct jingle_client *client = user;
    for (guint i = client->transfers->len; i > 0; i--) {
        jingle_transfer *transfer = client->transfers->pdata[i - 1];
        if (transfer->stream && transfer_stream_is_listening(transfer->stream)) {
            on_candidate(transfer, S5B_ASSISTED, host, port);
        }
    }
    client_schedule(client);
}

static void on_port_changed(void *user, uint16_t port)
{
    struct jingle_client *client = user;
    if (client->outside) {
        outside_port_set(client->outside, port);
    }
}

static void take_event(jingle_transfer *transfer, const struct file_event *event)
{
    switch (event->type) {
    case FILE_EVENT_ACCEPTED:
        on_accepted(transfer, event);
        break;
    case FILE_EVENT_LISTEN:
        on_listen(transfer, event);
        break;
    case FILE_EVENT_DIAL:
        transfer_stream_dial(stream_of(transfer), event->u.dial.candidates, event->u.dial.count,
                             event->u.dial.addresses);
        break;
    case FILE_EVENT_DIAL_ABOVE:
        transfer_stream_dial_above(stream_of(transfer), event->u.priority);
        break;
    case FILE_EVENT_PROXY:
        transfer_stream_proxy(stream_of(transfer), event->u.proxy.candidate,
                              event->u.proxy.address);
        break;
    case FILE_EVENT_STREAM:
        on_stream(transfer, event);
        break;
    case FILE_EVENT_NO_SOCKS5:
        transfer_stream_stop_socks5(stream_of(transfer));
        break;
    case FILE_EVENT_INBAND:
        on_inband(transfer, event);
        break;
    case FILE_EVENT_CHECKSUM:
        on_checksum(transfer, event);
        break;
    case FILE_EVENT_RECEIVED:
        jingle_transfer_set_hash(transfer, JINGLE_HASH_EQUAL);
        break;
    case FILE_EVENT_ENDED:
        on_ended(transfer, event);
        break;
    default:
        break;
    }
}

static void on_event(void *user, struct account_file *file, const struct file_event *event)
{
    struct jingle_client *client = user;
    jingle_transfer *transfer = account_file_user(file);
    if (event->type == FILE_EVENT_OFFERED) {
        on_offered(client, file, event);
        return;
    }
    if (!transfer || transfer->over) {
        return; /* refused before there was a transfer for it, or nobody cares any more */
    }
    jingle_transfer_ref(transfer);
    jingle_transfer_set_id(transfer, account_file_sid(file));
    jingle_transfer_set_peer(transfer, account_file_peer(file));
    take_event(transfer, event);
    jingle_transfer_unref(transfer);
}

/* -------------------------------------------------------------------------------- in-band -- */

static struct ibb_stream *blocks_of(const jingle_transfer *transfer)
{
    return transfer && !transfer->over && transfer->stream ? transfer_stream_ibb(transfer->stream)
                                                           : NULL;
}

static enum stanza_condition condition_of(enum ibb_verdict verdict)
{
    switch (verdict) {
    case IBB_DUPLICATE:
    case IBB_LOST:
        return STANZA_UNEXPECTED_REQUEST;
    case IBB_TOO_LARGE:
        return STANZA_BAD_REQUEST;
    case IBB_TOO_MANY:
        return STANZA_RESOURCE_CONSTRAINT;
    default:
        return STANZA_ITEM_NOT_FOUND;
    }
}

static void on_block(void *user, struct account_file *file, const struct account_file_block *block,
                     uint32_t seq)
{
    struct jingle_client *client = user;
    jingle_transfer *transfer = account_file_user(file);
    struct ibb_stream *blocks = blocks_of(transfer);
    enum ibb_verdict verdict = IBB_CLOSED;
    if (blocks && !transfer->sending) {
        verdict = ibb_stream_take(blocks, seq, block->bytes, block->size, block->token);
    }
    if (verdict == IBB_NEXT) {
        return; /* answered when it is written */
    }
    struct stanza_error error = stanza_error_make(condition_of(verdict), JINGLE_CONDITION_NONE, "");
    account_file_block_written(file, block->token, &error);
    if (verdict != IBB_DUPLICATE && verdict != IBB_CLOSED) {
        log_warning(&client->log, "An in-band stream broke: %s.",
                    stanza_condition_name(error.condition));
        account_file_close(file, clock_now());
    }
    client_schedule(client);
}

static void on_block_answered(void *user, struct account_file *file, uint16_t seq,
                              bool acknowledged)
{
    (void)user;
    jingle_transfer *transfer = account_file_user(file);
    struct ibb_stream *blocks = blocks_of(transfer);
    if (blocks && acknowledged) {
        ibb_stream_acked(blocks, seq);
    } else if (blocks) {
        ibb_stream_refused(blocks);
        transfer_lost(transfer);
    }
}

/* Behind the last byte it is how some receivers say that they have it. */
static void on_closed(void *user, struct account_file *file)
{
    struct jingle_client *client = user;
    jingle_transfer *transfer = account_file_user(file);
    struct ibb_stream *blocks = blocks_of(transfer);
    if (!blocks) {
        return;
    }
    ibb_stream_closed(blocks);
    if (transfer->sending && transfer->drained) {
        account_file_stream_closed(file, clock_now());
        client_schedule(client);
    } else if (transfer->sending) {
        transfer_lost(transfer);
    }
}

/* ------------------------------------------------------------------------------- the client -- */

void client_files_enable(struct jingle_client *client, bool take, uint16_t port)
{
    struct account_file_hooks hooks = {
        .user = client,
        .event = on_event,
        .block = on_block,
        .block_answered = on_block_answered,
        .closed = on_closed,
    };
    struct socks5_listener_config listener = {
        .context = loop_context(client->io),
        .log = &client->log,
        .port = port,
        .port_changed = on_port_changed,
        .user = client,
    };
    struct outside_port_config outside = {
        .io = client->io,
        .closer = client->closer,
        .choice = {.interfaces = client->interfaces, .family = client->family},
        .known = on_outside_port,
        .user = client,
    };
    client->listener = socks5_listener_new(&listener);
    if (!client->features.relay_only && !client->features.loopback) {
        client->outside = outside_port_new(&outside);
    }
    account_files_enable(client->account, &hooks, take);
    if (client->features.relay_only) {
        account_files_hide(client->account);
    }
}

unsigned client_files_ways(const struct jingle_client *client, jingle_way way)
{
    unsigned ways = FILE_WAYS_ALL;
    switch (way) {
    case JINGLE_WAY_DIRECT:
        ways = FILE_WAY_DIRECT;
        break;
    case JINGLE_WAY_PROXY:
        ways = FILE_WAY_PROXY;
        break;
    case JINGLE_WAY_INBAND:
        ways = FILE_WAY_INBAND;
        break;
    default:
        break;
    }
    return client->features.relay_only ? ways & ~(unsigned)FILE_WAY_DIRECT : ways;
}

void client_files_end_all(struct jingle_client *client)
{
    GPtrArray *all = g_ptr_array_copy(client->transfers, NULL, NULL);
    for (guint i = 0; i < all->len; i++) {
        jingle_transfer *transfer = all->pdata[i];
        transfer_end(transfer, JINGLE_ERROR_CANCELED);
        if (client->closing) {
            transfer_close(transfer);
        }
    }
    g_ptr_array_free(all, TRUE);
    if (client->closing) {
        outside_port_free(client->outside);
        client->outside = NULL;
    }
}

void client_files_free(struct jingle_client *client)
{
    socks5_listener_free(client->listener);
    client->listener = NULL;
}
