/* jcall send JID FILE... */
#include "command.h"
#include "courier.h"
#include "exit.h"

#include <string.h>

struct sending {
    struct courier courier; /* the first member: a struct courier of ours is a struct sending */
    struct parcels parcels;
};

static void send_offer(struct courier *courier)
{
    struct sending *sending = (struct sending *)courier;
    jingle_status status = transfers_send(&courier->transfers, courier->client,
                                          courier->options->words[1], &sending->parcels);
    if (status != JINGLE_OK) {
        courier_finish(courier, exit_for_status(status), jingle_strerror(status));
    }
}

static void send_ended(struct courier *courier, const jingle_event *event)
{
    (void)event;
    const struct transfers *transfers = &courier->transfers;
    if (transfers_busy(transfers)) {
        return;
    }
    unsigned count = transfers->arrived + transfers->failed;
    if (count == 1) {
        courier_finish(courier, transfers->code,
                       transfers->text ? transfers->text : "The file has arrived.");
        return;
    }
    char *text = transfers->failed == 0
                     ? g_strdup_printf("All %u files have arrived.", count)
                     : g_strdup_printf("%u of %u files have arrived.", transfers->arrived, count);
    courier_finish(courier, transfers->code, text);
    g_free(text);
}

/* It does not take any itself, and says so when it logs in. */
static void send_offered(struct courier *courier, const jingle_event *event)
{
    transfers_refuse_now(&courier->transfers, event, "sending",
                         "jcall receive would take it; this is jcall send.");
}

static void send_request(struct courier *courier, const struct request *request)
{
    switch (request->kind) {
    case REQUEST_HANGUP:
    case REQUEST_QUIT:
    case REQUEST_STOP_FILES:
        courier_quit(courier, EXIT_CANCELED, "Nothing was sent.");
        break;
    case REQUEST_NONE:
    case REQUEST_TAKE:
    case REQUEST_TAKE_ALL:
    case REQUEST_REFUSE:
        break;
    default:
        tell_error(courier->teller, JINGLE_ERROR_INVALID,
                   "Unknown command; there are stop-files and quit.");
        break;
    }
}

static const char *send_complaint(const struct options *options)
{
    guint words = g_strv_length(options->words);
    if (words < 3) {
        return "Say to whom and what: jcall send name@server FILE...";
    }
    if (!strchr(options->words[1], '@')) {
        return "That is not the address of a person; one looks like name@server.";
    }
    if (options->name && words > 3) {
        return "--name is for one file only.";
    }
    if (options->relay_only && options->via == JINGLE_WAY_DIRECT) {
        return "--relay-only hides your address and --via=p2p shows it: leave one of them out.";
    }
    return NULL;
}

int command_send(const struct options *options, struct teller *teller)
{
    const char *complaint = send_complaint(options);
    if (complaint) {
        return tell_exit(teller, EXIT_USAGE, complaint);
    }
    struct sending sending = {.courier = {.options = options,
                                          .teller = teller,
                                          .on_online = send_offer,
                                          .on_offered = send_offered,
                                          .on_ended = send_ended,
                                          .on_request = send_request}};
    char *message = NULL;
    int code = EXIT_FAILED;
    if (!parcels_collect(&sending.parcels, options, teller, options->words + 2, &message, &code)) {
        tell_exit(teller, code, message);
        g_free(message);
        return code;
    }
    transfers_init(&sending.courier.transfers, options, teller);
    code = courier_run(&sending.courier);
    parcels_clear(&sending.parcels);
    return code;
}
