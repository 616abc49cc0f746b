/* Keeps count of files. */
#include "transfers.h"

#include "exit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct offer {
    jingle_transfer *transfer; /* a reference */
    uint64_t bytes;
};

static void transfer_release(void *transfer)
{
    jingle_transfer_unref(transfer);
}

static void offer_free(void *data)
{
    struct offer *offer = data;
    jingle_transfer_unref(offer->transfer);
    g_free(offer);
}

void transfers_init(struct transfers *transfers, const struct options *options,
                    struct teller *teller)
{
    *transfers = (struct transfers){
        .options = options,
        .teller = teller,
        .moving = g_ptr_array_new_with_free_func(transfer_release),
        .waiting = g_ptr_array_new_with_free_func(offer_free),
    };
}

void transfers_clear(struct transfers *transfers)
{
    g_clear_pointer(&transfers->moving, g_ptr_array_unref);
    g_clear_pointer(&transfers->waiting, g_ptr_array_unref);
    g_clear_pointer(&transfers->folder, g_free);
    g_clear_pointer(&transfers->text, g_free);
}

bool transfers_find_folder(struct transfers *transfers, char **message)
{
    const char *folder = transfers->options->dir;
    if (!folder) {
        folder = g_get_user_special_dir(G_USER_DIRECTORY_DOWNLOAD);
        folder = folder && g_file_test(folder, G_FILE_TEST_IS_DIR) ? folder : ".";
    }
    char *real = realpath(folder, NULL);
    if (!real || !g_file_test(real, G_FILE_TEST_IS_DIR) || access(real, W_OK | X_OK) != 0) {
        *message = g_strdup_printf("Files cannot be saved in %s: %s; name a folder with --dir.",
                                   folder, g_strerror(real && errno == 0 ? ENOTDIR : errno));
        free(real);
        return false;
    }
    g_free(transfers->folder);
    transfers->folder = g_strdup(real);
    free(real);
    return true;
}

static void transfers_fail(struct transfers *transfers, int code, const char *text)
{
    transfers->failed++;
    if (transfers->code == EXIT_OK) {
        transfers->code = code;
        g_free(transfers->text);
        transfers->text = g_strdup(text);
    }
}

/* ------------------------------------------------------------------------------ sending -- */

static jingle_status offer_all(struct transfers *transfers, jingle_client *client, const char *to,
                               struct parcels *parcels, jingle_transfer **made)
{
    jingle_transfer_config config;
    jingle_transfer_config_init(&config);
    config.way = transfers->options->via;
    config.rate_limit = transfers->options->limit;
    jingle_status status =
        jingle_transfer_offer(client, to, (const jingle_file_source *)parcels->sources->data,
                              parcels->sources->len, &config, made);
    parcels_given(parcels);
    return status;
}

jingle_status transfers_send(struct transfers *transfers, jingle_client *client, const char *to,
                             struct parcels *parcels)
{
    guint count = parcels->sources->len;
    jingle_transfer **made = g_new0(jingle_transfer *, count);
    jingle_status status = offer_all(transfers, client, to, parcels, made);
    for (guint i = 0; i < count && status == JINGLE_OK; i++) {
        g_ptr_array_add(transfers->moving, made[i]);
        tell_offering(transfers->teller, made[i], to, g_array_index(parcels->sizes, uint64_t, i),
                      transfers->options->via == JINGLE_WAY_AUTO);
    }
    g_free(made);
    return status;
}

/* ------------------------------------------------------------------------------- taking -- */

static void take(struct transfers *transfers, jingle_transfer *transfer, uint64_t bytes)
{
    jingle_file_sink sink;
    jingle_file_sink_init(&sink);
    sink.folder = transfers->folder;
    sink.rate_limit = transfers->options->limit;
    jingle_status status = jingle_transfer_accept(transfer, &sink);
    if (status == JINGLE_OK) {
        tell_taking(transfers->teller, transfer, bytes);
        g_ptr_array_add(transfers->moving, jingle_transfer_ref(transfer));
        return;
    }
    tell_refusing(transfers->teller, transfer, status_name(status), jingle_strerror(status));
    transfers_fail(transfers, exit_for_status(status), jingle_strerror(status));
    jingle_transfer_reject(transfer);
}

void transfers_wait(struct transfers *transfers, const jingle_event *event)
{
    struct offer *offer = g_new0(struct offer, 1);
    offer->transfer = jingle_transfer_ref(event->transfer);
    offer->bytes = event->u.file.bytes;
    g_ptr_array_add(transfers->waiting, offer);
}

void transfers_take_now(struct transfers *transfers, const jingle_event *event)
{
    take(transfers, event->transfer, event->u.file.bytes);
}

void transfers_refuse_now(struct transfers *transfers, const jingle_event *event,
                          const char *reason, const char *why)
{
    tell_refusing(transfers->teller, event->transfer, reason, why);
    jingle_transfer_reject(event->transfer);
}

bool transfers_take(struct transfers *transfers)
{
    if (transfers->waiting->len == 0) {
        return false;
    }
    struct offer *offer = g_ptr_array_steal_index(transfers->waiting, 0);
    take(transfers, offer->transfer, offer->bytes);
    offer_free(offer);
    return true;
}

bool transfers_refuse(struct transfers *transfers)
{
    if (transfers->waiting->len == 0) {
        return false;
    }
    struct offer *offer = g_ptr_array_steal_index(transfers->waiting, 0);
    tell_refusing(transfers->teller, offer->transfer, "asked", "they are told that you declined.");
    transfers_fail(transfers, EXIT_DECLINED, "You refused it.");
    jingle_transfer_reject(offer->transfer);
    offer_free(offer);
    return true;
}

const char *transfers_waiting_name(const struct transfers *transfers)
{
    if (transfers->waiting->len == 0) {
        return NULL;
    }
    struct offer *oldest = g_ptr_array_index(transfers->waiting, 0);
    return jingle_transfer_name(oldest->transfer);
}

/* -------------------------------------------------------------------------------- ends -- */

static void forget_waiting(struct transfers *transfers, const jingle_event *event)
{
    for (guint i = 0; i < transfers->waiting->len; i++) {
        struct offer *offer = g_ptr_array_index(transfers->waiting, i);
        if (offer->transfer == event->transfer) {
            g_ptr_array_remove_index(transfers->waiting, i);
            transfers_fail(transfers, exit_for_status(event->status),
                           *event->text ? event->text : jingle_strerror(event->status));
            return;
        }
    }
}

void transfers_ended(struct transfers *transfers, const jingle_event *event)
{
    if (!g_ptr_array_remove(transfers->moving, event->transfer)) {
        forget_waiting(transfers, event);
        return;
    }
    if (event->status == JINGLE_OK) {
        transfers->arrived++;
        return;
    }
    char *text = tell_transfer_sentence(transfers->teller, event);
    transfers_fail(transfers, exit_for_status(event->status), text);
    g_free(text);
}

void transfers_stop(struct transfers *transfers)
{
    while (transfers_refuse(transfers)) {
    }
    for (guint i = 0; i < transfers->moving->len; i++) {
        jingle_transfer_cancel(g_ptr_array_index(transfers->moving, i));
    }
}

bool transfers_busy(const struct transfers *transfers)
{
    return transfers->moving->len > 0;
}
