#include "transfer_upload.h"

#include "client.h"
#include "transfer/http_put.h"
#include "transfer_life.h"
#include "transfer_source.h"
#include "transfer_status.h"

#include <string.h>

struct transfer_upload {
    jingle_transfer *transfer;
    struct http_put *put; /* NULL until there is a slot */
    char *url;            /* where it will be */
    bool closing;         /* nothing is told any more */
    void (*closed)(void *arg);
    void *arg;
};

/* From the thread of the PUT to the I/O thread. */
struct put_news {
    struct transfer_upload *upload;
    struct http_put_event event;
};

static void stored(struct transfer_upload *upload)
{
    jingle_transfer *transfer = upload->transfer;
    struct jingle_client *client = transfer->client;
    transfer->moved = true;
    transfer->url = g_strdup(upload->url);
    account_upload_tell(client->account, jingle_transfer_peer(transfer), upload->url,
                        transfer->file.desc, clock_now());
    client_schedule(client);
    transfer_over(transfer, JINGLE_OK, JINGLE_PARTY_LOCAL, NULL);
}

static void on_ended(struct transfer_upload *upload, const struct http_put_event *event)
{
    jingle_transfer *transfer = upload->transfer;
    if (event->stored) {
        stored(upload);
    } else if (event->status != TRANSFER_OK) {
        transfer_over(transfer, transfer_status_to_jingle(event->status), JINGLE_PARTY_LOCAL, NULL);
    } else {
        transfer_over(transfer, JINGLE_ERROR_UPLOAD, JINGLE_PARTY_NONE, event->text);
    }
}

static void take_news(void *arg)
{
    struct put_news *news = arg;
    struct transfer_upload *upload = news->upload;
    if (!upload->closing && news->event.kind == HTTP_PUT_ENDED) {
        on_ended(upload, &news->event);
    } else if (!upload->closing) {
        transfer_progress(upload->transfer, &news->event.progress, false);
    }
    g_free(news);
}

static void on_put_event(void *user, const struct http_put_event *event)
{
    struct transfer_upload *upload = user;
    struct put_news *news = g_new(struct put_news, 1);
    *news = (struct put_news){.upload = upload, .event = *event};
    loop_post(upload->transfer->client->io, take_news, g_free, news);
}

static void start_put(struct transfer_upload *upload, const struct upload_slot *slot)
{
    jingle_transfer *transfer = upload->transfer;
    struct http_put_config config = {
        .url = slot->put_url,
        .header_count = MIN(slot->header_count, HTTP_HEADERS_MAX),
        .media_type = transfer->file.media_type,
        .source = transfer_source_bytes(transfer->source),
        .size = transfer->file.size,
        .ca_file = transfer->client->ca_file,
        .rate_limit = transfer->rate_limit,
        .event = on_put_event,
        .user = upload,
    };
    for (size_t i = 0; i < config.header_count; i++) {
        config.headers[i] = (struct http_header){slot->headers[i].name, slot->headers[i].value};
    }
    upload->put = http_put_new(&config);
    if (!upload->put) {
        transfer_over(transfer, JINGLE_ERROR_LIMIT, JINGLE_PARTY_LOCAL, NULL);
        return;
    }
    transfer_started(transfer);
}

static void on_slot(void *user, const struct upload_slot *slot, jingle_status status,
                    const char *text)
{
    struct transfer_upload *upload = user;
    if (!slot) {
        transfer_over(upload->transfer, status, JINGLE_PARTY_NONE, text);
        return;
    }
    upload->url = g_strdup(slot->get_url);
    start_put(upload, slot);
}

jingle_status transfer_upload_begin(jingle_transfer *transfer)
{
    struct transfer_upload *upload = g_new0(struct transfer_upload, 1);
    struct jingle_client *client = transfer->client;
    const struct file_description *file = &transfer->file;
    upload->transfer = transfer;
    jingle_status status = account_upload_ask(client->account, file->name, file->size,
                                              file->media_type, on_slot, upload, clock_now());
    client_schedule(client);
    if (status != JINGLE_OK) {
        g_free(upload);
        return status;
    }
    transfer->upload = upload;
    transfer->way = JINGLE_WAY_HTTP;
    jingle_transfer_set_way(transfer, JINGLE_WAY_HTTP);
    return JINGLE_OK;
}

void transfer_upload_set_rate_limit(struct transfer_upload *upload, uint64_t bytes_per_second)
{
    if (upload->put) {
        http_put_set_rate_limit(upload->put, bytes_per_second);
    }
}

/* On the I/O thread, behind all that the PUT has posted. */
static void forget(void *arg)
{
    struct transfer_upload *upload = arg;
    g_free(upload->url);
    g_free(upload);
}

static void join(void *arg)
{
    struct transfer_upload *upload = arg;
    struct loop *io = upload->transfer->client->io;
    http_put_free(upload->put);
    void (*closed)(void *) = upload->closed;
    void *closed_arg = upload->arg;
    loop_post(io, forget, forget, upload);
    closed(closed_arg);
}

void transfer_upload_close(struct transfer_upload *upload, void (*closed)(void *arg), void *arg)
{
    struct jingle_client *client = upload->transfer->client;
    upload->closing = true;
    upload->closed = closed;
    upload->arg = arg;
    account_upload_forget(client->account, upload);
    if (upload->put) {
        http_put_cancel(upload->put);
    }
    loop_post(client->closer, join, join, upload);
}
