/* The loop of files. */
#include "courier.h"

#include "account.h"
#include "exit.h"

#include <signal.h>

#define TICK          250000  /* of the live line, in microseconds */
#define SIGNAL_ECHO   500000  /* timeout(1) sends each signal twice */
#define STOP_PATIENCE 3000000 /* for the end of transfers when the program shall end */

void courier_finish(struct courier *courier, int code, const char *text)
{
    if (courier->finished) {
        return;
    }
    courier->finished = true;
    courier->code = courier->signalled ? EXIT_SIGNAL + courier->signalled : code;
    g_free(courier->text);
    courier->text = g_strdup(text);
}

void courier_quit(struct courier *courier, int idle_code, const char *text)
{
    transfers_stop(&courier->transfers);
    if (!transfers_busy(&courier->transfers) || courier->quitting) {
        courier_finish(courier, courier->quitting ? EXIT_CANCELED : idle_code, text);
        return;
    }
    courier->quitting = true;
    courier->stop_due = g_get_monotonic_time() + STOP_PATIENCE;
}

static void courier_take_signal(struct courier *courier, int signal_number)
{
    gint64 now = g_get_monotonic_time();
    if (courier->signalled) { /* again: do not wait for the other side any more */
        if (now - courier->signalled_at > SIGNAL_ECHO) {
            courier_finish(courier, EXIT_FAILED, "Interrupted.");
        }
        return;
    }
    courier->signalled = signal_number;
    courier->signalled_at = now;
    courier_quit(courier, EXIT_FAILED, "Interrupted.");
}

static void courier_offline(struct courier *courier, const jingle_event *event)
{
    if (courier->was_online && event->u.offline.will_retry) {
        return;
    }
    jingle_status status = event->status != JINGLE_OK ? event->status : JINGLE_ERROR_STREAM;
    courier_finish(courier, exit_for_status(status),
                   *event->text ? event->text : jingle_strerror(status));
}

static void courier_ended(struct courier *courier, const jingle_event *event)
{
    transfers_ended(&courier->transfers, event);
    if (!courier->quitting) {
        courier->on_ended(courier, event);
    } else if (!transfers_busy(&courier->transfers)) {
        courier_finish(courier, EXIT_CANCELED,
                       courier->signalled ? "Interrupted."
                                          : jingle_strerror(JINGLE_ERROR_CANCELED));
    }
}

static void courier_take_event(struct courier *courier, const jingle_event *event)
{
    if (event->type == JINGLE_EVENT_INCOMING || event->session) {
        return; /* a call: it rings elsewhere, or at nobody's */
    }
    tell_event(courier->teller, event);
    switch (event->type) {
    case JINGLE_EVENT_ONLINE:
        if (!courier->was_online) {
            courier->was_online = true;
            courier->on_online(courier);
        }
        break;
    case JINGLE_EVENT_OFFLINE:
        courier_offline(courier, event);
        break;
    case JINGLE_EVENT_FILE_OFFERED:
        courier->on_offered(courier, event);
        break;
    case JINGLE_EVENT_FILE_REQUESTED:
        jingle_transfer_reject(event->transfer);
        break;
    case JINGLE_EVENT_TRANSFER_ENDED:
        courier_ended(courier, event);
        break;
    default:
        break;
    }
}

static void take_request(void *user, const struct request *request)
{
    struct courier *courier = user;
    courier->on_request(courier, request);
}

static void courier_keep_time(struct courier *courier)
{
    if (courier->stop_due <= g_get_monotonic_time()) {
        courier_finish(courier, EXIT_CANCELED, "They did not answer in time.");
    }
    if (tell_broken(courier->teller) && !courier->quitting) {
        courier->signalled = SIGPIPE;
        courier_quit(courier, EXIT_FAILED, "Standard output is closed.");
    }
}

static void courier_turn(struct courier *courier)
{
    gint64 due = courier->stop_due;
    if (tell_tick(courier->teller)) {
        due = MIN(due, g_get_monotonic_time() + TICK);
    }
    wires_wait(&courier->wires, -1, due);
    int signal_number;
    while ((signal_number = wires_signal(&courier->wires))) {
        courier_take_signal(courier, signal_number);
    }
    if (!wires_read(&courier->wires, KEYS_FILES, take_request, courier)) {
        courier_take_signal(courier, SIGHUP);
    }
    const jingle_event *event;
    while (!courier->finished && (event = jingle_client_next_event(courier->client))) {
        courier_take_event(courier, event);
    }
    courier_keep_time(courier);
}

static void courier_loop(struct courier *courier)
{
    wires_open(&courier->wires, courier->client, courier->options, courier->teller);
    jingle_status status = jingle_client_connect(courier->client);
    if (status != JINGLE_OK) {
        courier_finish(courier, exit_for_status(status), jingle_strerror(status));
    }
    while (!courier->finished) {
        courier_turn(courier);
    }
    wires_close(&courier->wires);
}

int courier_run(struct courier *courier)
{
    int code = EXIT_FAILED;
    courier->stop_due = G_MAXINT64;
    courier->client = account_client(courier->options, courier->teller, &code);
    if (courier->client) {
        courier_loop(courier);
        code = tell_exit(courier->teller, courier->code, courier->text);
        jingle_client_free(courier->client);
    }
    transfers_clear(&courier->transfers);
    g_free(courier->text);
    return code;
}
