/* What an application asks of transfers, on whatever thread:
 *
 *     jingle_transfer_offer, _accept, _request, _provide   open files on the caller's thread, then
 *                                                          wait for the I/O thread
 *     all others                                           post an order to it
 *
 * A transfer may outlive its client. So its client is used only with the transfer's lock held and
 * while it has not ended, for the client's loop is not ended before all of its transfers are. */
#include "client_files.h"
#include "signaling/jid.h"
#include "transfer/file_name.h"
#include "transfer_bytes.h"
#include "transfer_life.h"
#include "transfer_sink.h"
#include "transfer_source.h"
#include "transfer_upload.h"

#include <string.h>

void jingle_transfer_config_init(jingle_transfer_config *config)
{
    if (config) {
        *config = (jingle_transfer_config){.size = sizeof *config};
    }
}

static jingle_status read_config(const jingle_transfer_config *given, jingle_transfer_config *out)
{
    jingle_transfer_config_init(out);
    if (given && given->size == 0) {
        return JINGLE_ERROR_INVALID;
    }
    if (given) {
        memcpy(out, given, MIN(given->size, sizeof *out));
    }
    return out->way >= JINGLE_WAY_AUTO && out->way <= JINGLE_WAY_HTTP ? JINGLE_OK
                                                                      : JINGLE_ERROR_INVALID;
}

/* ------------------------------------------------------------------------------- offering -- */

struct offer_job {
    jingle_client *client;
    const char *to;
    jingle_transfer_config config;
    struct transfer_source **sources; /* those that are NULL became a transfer's */
    jingle_transfer **transfers;
    size_t count;
    jingle_status status;
};

/* Offers say which hash will come; the one that a receiver lists takes its place. */
static struct file_description announced(struct transfer_source *source)
{
    struct file_description file = {0};
    file_description_copy(&file, transfer_source_description(source));
    file_description_add_hash(&file, hash_name(HASH_SHA_256), "");
    return file;
}

static jingle_transfer *make_transfer(struct offer_job *job, size_t i)
{
    struct file_description file = announced(job->sources[i]);
    jingle_transfer *transfer =
        jingle_transfer_new(job->client, job->to, &file, true, TRANSFER_STAGE_AGREED);
    file_description_clear(&file);
    transfer->source = job->sources[i];
    transfer->rate_limit = job->config.rate_limit;
    return transfer;
}

/* Nothing came of it: the sources are the job's again. */
static void unmake_transfers(struct offer_job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        if (job->transfers[i]) {
            job->transfers[i]->source = NULL;
            jingle_transfer_set_stage(job->transfers[i], TRANSFER_STAGE_ENDED);
            jingle_transfer_unref(job->transfers[i]);
            job->transfers[i] = NULL;
        }
    }
}

static void keep_transfers(struct offer_job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        job->sources[i] = NULL;
        client_files_add(job->client, job->transfers[i]);
    }
}

static void upload_files(struct offer_job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        jingle_status status = transfer_upload_begin(job->transfers[i]);
        if (status != JINGLE_OK) {
            transfer_over(job->transfers[i], status, JINGLE_PARTY_LOCAL, NULL);
        }
    }
}

static jingle_status offer_files(struct offer_job *job, unsigned ways)
{
    struct account_file_config *files = g_new0(struct account_file_config, job->count);
    struct account_file **made = g_new0(struct account_file *, job->count);
    for (size_t i = 0; i < job->count; i++) {
        files[i] = (struct account_file_config){&job->transfers[i]->file, job->transfers[i]};
    }
    jingle_status status = account_files_offer(job->client->account, job->to, false, files,
                                               job->count, ways, clock_now(), made);
    for (size_t i = 0; i < job->count && status == JINGLE_OK; i++) {
        job->transfers[i]->signaling = made[i];
    }
    g_free(files);
    g_free(made);
    return status;
}

static bool has_room(const struct jingle_client *client, size_t count)
{
    return client->transfers->len + count <= CLIENT_TRANSFERS_MAX;
}

static void start_offer(void *arg)
{
    struct offer_job *job = arg;
    jingle_client *client = job->client;
    unsigned ways = client_files_ways(client, job->config.way);
    if (client->closing || !has_room(client, job->count) || ways == 0) {
        job->status = client->closing ? JINGLE_ERROR_STATE
                      : ways == 0     ? JINGLE_ERROR_INVALID
                                      : JINGLE_ERROR_LIMIT;
        return;
    }
    for (size_t i = 0; i < job->count; i++) {
        job->transfers[i] = make_transfer(job, i);
    }
    bool upload = job->config.way == JINGLE_WAY_HTTP;
    job->status = upload ? JINGLE_OK : offer_files(job, ways);
    if (job->status != JINGLE_OK) {
        unmake_transfers(job);
        return;
    }
    keep_transfers(job);
    if (upload) {
        upload_files(job);
    }
    client_schedule(client);
}

static jingle_status may_begin(jingle_client *client, const char *to)
{
    if (!client || !to) {
        return JINGLE_ERROR_INVALID;
    }
    if (!jid_is_valid(to)) {
        return JINGLE_ERROR_JID;
    }
    return atomic_load(&client->online) ? JINGLE_OK : JINGLE_ERROR_OFFLINE;
}

/* What is not opened is let go all the same. */
static jingle_status open_sources(const jingle_file_source *files, size_t count,
                                  struct transfer_source **sources, jingle_status status)
{
    for (size_t i = 0; i < count; i++) {
        if (status == JINGLE_OK && sources) {
            status = transfer_source_open(&files[i], &sources[i]);
        } else {
            transfer_source_drop(&files[i]);
        }
    }
    return status;
}

static bool are_set_up(const jingle_file_source *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (files[i].size == 0) {
            return false;
        }
    }
    return true;
}

static void run_offer(struct offer_job *job, const jingle_file_source *files,
                      const jingle_transfer_config *config, jingle_transfer **transfers)
{
    job->sources = g_new0(struct transfer_source *, job->count);
    job->transfers = transfers;
    job->status = read_config(config, &job->config);
    if (job->status == JINGLE_OK) {
        job->status = may_begin(job->client, job->to);
    }
    if (job->status == JINGLE_OK && job->count > CLIENT_TRANSFERS_MAX) {
        job->status = JINGLE_ERROR_LIMIT;
    }
    job->status = open_sources(files, job->count, job->sources, job->status);
    if (job->status == JINGLE_OK) {
        loop_call(job->client->io, start_offer, job);
    }
    for (size_t i = 0; i < job->count; i++) {
        transfer_source_free(job->sources[i]); /* what nobody took over */
    }
    g_free(job->sources);
}

jingle_status jingle_transfer_offer(jingle_client *client, const char *to,
                                    const jingle_file_source *files, size_t count,
                                    const jingle_transfer_config *config,
                                    jingle_transfer **transfers)
{
    for (size_t i = 0; transfers && i < count; i++) {
        transfers[i] = NULL;
    }
    if (!files || count == 0 || !are_set_up(files, count)) {
        return JINGLE_ERROR_INVALID; /* nothing in it can be believed */
    }
    if (!transfers) {
        open_sources(files, count, NULL, JINGLE_ERROR_INVALID);
        return JINGLE_ERROR_INVALID;
    }
    struct offer_job job = {.client = client, .to = to, .count = count};
    run_offer(&job, files, config, transfers);
    return job.status;
}

/* ----------------------------------------------------------------------- answering an offer -- */

/* Runs `fn` on the I/O thread and waits for it. False if the transfer has ended. */
static bool run(jingle_transfer *transfer, mailbox_fn fn, void *arg)
{
    struct loop_wait wait;
    pthread_mutex_lock(&transfer->lock);
    bool alive = transfer->stage != TRANSFER_STAGE_ENDED;
    bool here = alive && loop_is_current(transfer->client->io);
    if (alive && !here) {
        loop_post_waiting(transfer->client->io, fn, arg, &wait);
    }
    pthread_mutex_unlock(&transfer->lock);
    if (here) {
        fn(arg);
    } else if (alive) {
        loop_wait(&wait);
    }
    return alive;
}

struct answer_job {
    jingle_transfer *transfer;
    struct transfer_sink *sink;
    struct transfer_source *source;
    jingle_transfer_config config;
    uint64_t offset;
    jingle_status status;
};

static bool is_open(jingle_transfer *transfer)
{
    return transfer->signaling && jingle_transfer_stage(transfer) == TRANSFER_STAGE_OFFERED;
}

static void accept_offer(void *arg)
{
    struct answer_job *job = arg;
    jingle_transfer *transfer = job->transfer;
    if (!is_open(transfer)) {
        job->status = JINGLE_ERROR_STATE;
        return;
    }
    transfer->sink = job->sink;
    job->sink = NULL;
    transfer->offset = job->offset;
    transfer->rate_limit = job->config.rate_limit;
    jingle_transfer_set_stage(transfer, TRANSFER_STAGE_AGREED);
    account_file_accept(transfer->signaling, transfer->offset, NULL,
                        client_files_ways(transfer->client, JINGLE_WAY_AUTO), clock_now());
    client_schedule(transfer->client);
}

/* From where on the peer is asked to send. The last byte comes again even if it is there: nobody is
 * asked for nothing. */
static jingle_status choose_offset(struct answer_job *job)
{
    const struct file_description *file = &job->transfer->file;
    uint64_t kept = file->has_range ? transfer_sink_kept(job->sink) : 0;
    job->offset = kept > 0 && kept == file->size ? kept - 1 : kept;
    return transfer_sink_start_at(job->sink, job->offset);
}

jingle_status jingle_transfer_accept(jingle_transfer *transfer, const jingle_file_sink *sink)
{
    jingle_file_sink given;
    if (!transfer || transfer->sending) {
        return transfer ? JINGLE_ERROR_STATE : JINGLE_ERROR_INVALID;
    }
    struct answer_job job = {.transfer = transfer, .status = transfer_sink_read(sink, &given)};
    if (job.status == JINGLE_OK && jingle_transfer_stage(transfer) != TRANSFER_STAGE_OFFERED) {
        job.status = JINGLE_ERROR_STATE;
    }
    if (job.status == JINGLE_OK) {
        job.status =
            transfer_sink_open(&given, jingle_transfer_peer(transfer), &transfer->file, &job.sink);
    }
    if (job.status == JINGLE_OK) {
        job.config.rate_limit = given.rate_limit;
        job.status = choose_offset(&job);
    }
    if (job.status == JINGLE_OK && !run(transfer, accept_offer, &job)) {
        job.status = JINGLE_ERROR_STATE;
    }
    transfer_sink_drop(job.sink); /* what nobody took over */
    return job.status;
}

static bool range_fits(const jingle_transfer *transfer, uint64_t size)
{
    return transfer->offset <= size && transfer->length <= size - transfer->offset;
}

static void provide_file(void *arg)
{
    struct answer_job *job = arg;
    jingle_transfer *transfer = job->transfer;
    if (!is_open(transfer)) {
        job->status = JINGLE_ERROR_STATE;
        return;
    }
    unsigned ways = client_files_ways(transfer->client, job->config.way);
    struct file_description file = announced(job->source);
    if (ways == 0 || !range_fits(transfer, file.size)) {
        job->status = JINGLE_ERROR_INVALID;
        file_description_clear(&file);
        return;
    }
    file_description_clear(&transfer->file);
    transfer->file = file;
    jingle_transfer_set_name(transfer, file.name);
    transfer->source = job->source;
    job->source = NULL;
    transfer->rate_limit = job->config.rate_limit;
    jingle_transfer_set_stage(transfer, TRANSFER_STAGE_AGREED);
    account_file_accept(transfer->signaling, transfer->offset, &transfer->file, ways, clock_now());
    client_schedule(transfer->client);
}

jingle_status jingle_transfer_provide(jingle_transfer *transfer, const jingle_file_source *source,
                                      const jingle_transfer_config *config)
{
    if (!source || source->size == 0) {
        return JINGLE_ERROR_INVALID;
    }
    struct answer_job job = {.transfer = transfer};
    job.status = read_config(config, &job.config);
    if (!transfer || job.config.way == JINGLE_WAY_HTTP) {
        job.status = JINGLE_ERROR_INVALID;
    } else if (!transfer->sending || jingle_transfer_stage(transfer) != TRANSFER_STAGE_OFFERED) {
        job.status = JINGLE_ERROR_STATE;
    }
    job.status = open_sources(source, 1, &job.source, job.status);
    if (job.status == JINGLE_OK && !run(transfer, provide_file, &job)) {
        job.status = JINGLE_ERROR_STATE;
    }
    transfer_source_free(job.source); /* what nobody took over */
    return job.status;
}

/* -------------------------------------------------------------------------------- asking -- */

struct request_job {
    jingle_client *client;
    const char *to;
    struct file_description file;
    jingle_file_sink given;
    jingle_transfer *transfer;
    jingle_status status;
};

static void start_request(void *arg)
{
    struct request_job *job = arg;
    jingle_client *client = job->client;
    if (client->closing || !has_room(client, 1)) {
        job->status = client->closing ? JINGLE_ERROR_STATE : JINGLE_ERROR_LIMIT;
        return;
    }
    jingle_transfer *transfer =
        jingle_transfer_new(client, job->to, &job->file, false, TRANSFER_STAGE_AGREED);
    struct account_file_config config = {&transfer->file, transfer};
    job->status = account_files_offer(client->account, job->to, true, &config, 1,
                                      client_files_ways(client, JINGLE_WAY_AUTO), clock_now(),
                                      &transfer->signaling);
    if (job->status != JINGLE_OK) {
        jingle_transfer_unref(transfer);
        return;
    }
    transfer_sink_given_copy(&transfer->wanted, &job->given);
    transfer->rate_limit = job->given.rate_limit;
    client_files_add(client, transfer);
    job->transfer = transfer;
    client_schedule(client);
}

static void describe_request(struct file_description *file, const char *name, const uint8_t *sha256)
{
    file->name = g_strdup(name);
    if (sha256) {
        struct hash_value value = {.algorithm = HASH_SHA_256};
        char text[HASH_BASE64_MAX];
        memcpy(value.bytes, sha256, hash_bytes(HASH_SHA_256));
        hash_to_base64(&value, text);
        file_description_add_hash(file, hash_name(HASH_SHA_256), text);
    }
}

jingle_status jingle_transfer_request(jingle_client *client, const char *to, const char *name,
                                      const uint8_t *sha256, const jingle_file_sink *sink,
                                      jingle_transfer **transfer)
{
    if (transfer) {
        *transfer = NULL;
    }
    if (!transfer || (!name && !sha256) || (name && !g_utf8_validate(name, -1, NULL))) {
        return JINGLE_ERROR_INVALID;
    }
    struct request_job job = {.client = client, .to = to};
    job.status = may_begin(client, to);
    if (job.status == JINGLE_OK && !jid_is_full(to)) {
        job.status = JINGLE_ERROR_JID;
    }
    if (job.status == JINGLE_OK) {
        job.status = transfer_sink_read(sink, &job.given);
    }
    if (job.status == JINGLE_OK) {
        describe_request(&job.file, name, sha256);
        loop_call(client->io, start_request, &job);
        file_description_clear(&job.file);
    }
    *transfer = job.transfer;
    return job.status;
}

/* ---------------------------------------------------------------------- orders to a transfer -- */

struct order {
    jingle_transfer *transfer;
    uint64_t rate;
};

static void order_free(void *arg)
{
    struct order *order = arg;
    jingle_transfer_unref(order->transfer);
    g_free(order);
}

enum {
    OFFERED = 1 << TRANSFER_STAGE_OFFERED,
    AGREED = 1 << TRANSFER_STAGE_AGREED,
};

/* `stages` are those in which it makes sense. */
static jingle_status post_order(jingle_transfer *transfer, unsigned stages, mailbox_fn fn,
                                uint64_t rate)
{
    if (!transfer) {
        return JINGLE_ERROR_INVALID;
    }
    struct order *order = g_new(struct order, 1);
    *order = (struct order){jingle_transfer_ref(transfer), rate};
    pthread_mutex_lock(&transfer->lock);
    bool possible = stages & (1U << transfer->stage);
    if (possible) {
        loop_post(transfer->client->io, fn, order_free, order);
    }
    pthread_mutex_unlock(&transfer->lock);
    if (!possible) {
        order_free(order);
    }
    return possible ? JINGLE_OK : JINGLE_ERROR_STATE;
}

static void reject(jingle_transfer *transfer)
{
    account_file_reject(transfer->signaling, clock_now());
    client_schedule(transfer->client);
}

static void reject_file(void *arg)
{
    struct order *order = arg;
    if (is_open(order->transfer)) {
        reject(order->transfer);
    }
    order_free(order);
}

jingle_status jingle_transfer_reject(jingle_transfer *transfer)
{
    return post_order(transfer, OFFERED, reject_file, 0);
}

static void cancel_file(void *arg)
{
    struct order *order = arg;
    if (is_open(order->transfer)) {
        reject(order->transfer);
    } else {
        transfer_end(order->transfer, JINGLE_ERROR_CANCELED);
    }
    order_free(order);
}

jingle_status jingle_transfer_cancel(jingle_transfer *transfer)
{
    return post_order(transfer, OFFERED | AGREED, cancel_file, 0);
}

static void set_rate_limit(void *arg)
{
    struct order *order = arg;
    jingle_transfer *transfer = order->transfer;
    transfer->rate_limit = order->rate;
    if (transfer->bytes) {
        transfer_bytes_set_rate_limit(transfer->bytes, order->rate);
    } else if (transfer->upload) {
        transfer_upload_set_rate_limit(transfer->upload, order->rate);
    }
    order_free(order);
}

jingle_status jingle_transfer_set_rate_limit(jingle_transfer *transfer, uint64_t bytes_per_second)
{
    return post_order(transfer, OFFERED | AGREED, set_rate_limit, bytes_per_second);
}
