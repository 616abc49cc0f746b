/* The loop of a telephone. */
#include "phone.h"

#include "account.h"
#include "exit.h"
#include "phone_files.h"
#include "phone_video.h"
#include "phone_waiting.h"
#include "screen.h"
#include "sound.h"

#include <signal.h>

#define TICK            500000  /* of the live line, in microseconds */
#define SIGNAL_ECHO     500000  /* timeout(1) sends each signal twice */
#define HANGUP_PATIENCE 3000000 /* for the end of a call when the program shall end */

/* Ends the loop, whatever still moves. */
static void phone_stop(struct phone *phone, int code, const char *text)
{
    if (phone->finished) {
        return;
    }
    phone->finished = true;
    phone->code = phone->signalled ? EXIT_SIGNAL + phone->signalled : code;
    g_free(phone->text);
    phone->text = g_strdup(text);
}

void phone_finish(struct phone *phone, int code, const char *text)
{
    if (!transfers_busy(&phone->transfers)) {
        phone_stop(phone, code, text);
        return;
    }
    phone->code = code;
    g_free(phone->text);
    phone->text = g_strdup(text);
    phone->lasting = true;
    if (!phone->quitting) {
        phone->stop_due = G_MAXINT64;
        tell_last_files(phone->teller);
    }
}

void phone_files_over(struct phone *phone)
{
    if (phone->lasting) {
        char *text = g_steal_pointer(&phone->text);
        phone_stop(phone, phone->code, text);
        g_free(text);
    }
}

void phone_take(struct phone *phone, jingle_session *session, enum phone_state state)
{
    if (phone->session) {
        jingle_session_unref(phone->session);
    }
    phone->session = session;
    phone->state = session ? state : PHONE_FREE;
    phone->calling = state == PHONE_CALLING;
    phone->begun = g_get_real_time();
    phone->muted = phone->held = phone->rings = false;
    phone->sound_over = phone->pictures_over = false;
    phone->end_due = G_MAXINT64;
}

void phone_take_incoming(struct phone *phone, const jingle_event *event)
{
    phone_take(phone, jingle_session_ref(event->session), PHONE_INCOMING);
    phone->video_incoming = event->u.incoming.video;
}

static jingle_status make_sound(struct phone *phone, jingle_session_config *config, char **message)
{
    jingle_audio_source *spoken = NULL;
    jingle_status status = phone_video_prepare(phone, &spoken, message);
    if (status == JINGLE_OK) {
        status = sound_config(phone->options, phone->calls + 1, spoken, config, message);
    }
    return status;
}

jingle_status phone_sound(struct phone *phone, jingle_session_config *config, char **message)
{
    if (phone->sound_ready) {
        *config = phone->sound;
        phone->sound_ready = false;
        return JINGLE_OK;
    }
    return make_sound(phone, config, message);
}

void phone_add_video(struct phone *phone, jingle_session_config *config)
{
    if (picture_wanted(phone->options)) {
        config->video = phone_video_config(phone);
    }
}

void phone_accept(struct phone *phone, jingle_session *session, bool video)
{
    jingle_session_config config;
    char *message = NULL;
    ringing_set(&phone->ringing, phone->options, RINGING_NOTHING); /* the call wants the device */
    jingle_status status = phone_sound(phone, &config, &message);
    if (status == JINGLE_OK) {
        if (phone->video_incoming && (video || picture_wanted(phone->options))) {
            config.video = phone_video_config(phone);
        }
        status = jingle_session_accept(session, &config);
    }
    if (status != JINGLE_OK) {
        tell_error(phone->teller, status, message ? message : jingle_strerror(status));
        jingle_session_end(session);
    } else {
        phone->state = PHONE_SETUP;
        tell_answering(phone->teller, session);
    }
    g_free(message);
}

/* The call, what moves and the program. */
static void phone_quit(struct phone *phone, const char *text)
{
    phone->quitting = true;
    phone->stop_due = g_get_monotonic_time() + HANGUP_PATIENCE;
    transfers_stop(&phone->transfers);
    phone_waiting_end(phone);
    if (phone->session) {
        jingle_session_end(phone->session);
    } else if (!phone->lasting) {
        phone_finish(phone, phone->idle_code, text);
    }
}

/* ----------------------------------------------------------------------- what is asked -- */

static void phone_set_switch(struct phone *phone, bool mute, bool on)
{
    bool *now = mute ? &phone->muted : &phone->held;
    jingle_status status = mute ? jingle_session_set_mute(phone->session, on)
                                : jingle_session_set_hold(phone->session, on);
    if (status != JINGLE_OK) {
        tell_error(phone->teller, status, jingle_strerror(status));
        return;
    }
    *now = on;
    tell_switch(phone->teller, phone->session, mute, on);
}

static void phone_dial(struct phone *phone, const char *digits)
{
    jingle_status status = jingle_session_send_digits(phone->session, digits);
    if (status != JINGLE_OK) {
        tell_error(phone->teller, status,
                   status == JINGLE_ERROR_UNSUPPORTED ? "Their client takes no digits."
                                                      : jingle_strerror(status));
        return;
    }
    tell_digits(phone->teller, phone->session, digits);
}

static void phone_reject(struct phone *phone, jingle_reason reason)
{
    jingle_status status = jingle_session_reject(phone->session, reason);
    if (status != JINGLE_OK) {
        tell_error(phone->teller, status, jingle_strerror(status));
    }
}

static void phone_hang_up(struct phone *phone)
{
    if (!phone->session) {
        phone_quit(phone, "");
    } else if (phone->state == PHONE_INCOMING) {
        phone_reject(phone, JINGLE_REASON_DECLINED);
    } else {
        jingle_session_end(phone->session);
    }
}

static bool request_fits(const struct phone *phone, enum request_kind kind)
{
    switch (kind) {
    case REQUEST_ANSWER:
    case REQUEST_DECLINE:
    case REQUEST_BUSY:
        return phone->state == PHONE_INCOMING;
    case REQUEST_HANGUP:
    case REQUEST_QUIT:
    case REQUEST_TAKE:
    case REQUEST_REFUSE:
    case REQUEST_STOP_FILES:
    case REQUEST_NONE:
    case REQUEST_UNKNOWN:
        return true;
    default:
        return phone->state == PHONE_SETUP || phone->state == PHONE_TALKING;
    }
}

static const char UNKNOWN[] =
    "Unknown command; there are answer, decline, busy, mute, unmute, hold, unhold, digits, video, "
    "refuse-video, stop-video, camera, screen, no-picture, direction, snapshot, record, "
    "stop-record, send, take, refuse, stop-files, switch, hangup and quit.";

static void phone_do(struct phone *phone, const struct request *request)
{
    if (!request_fits(phone, request->kind)) {
        tell_error(phone->teller, JINGLE_ERROR_STATE,
                   phone->state == PHONE_INCOMING ? "Answer the call first: y."
                                                  : "There is no call for that now.");
        return;
    }
    if (phone_video_do(phone, request) || phone_files_do(phone, request)) {
        return;
    }
    switch (request->kind) {
    case REQUEST_NONE:
        break;
    case REQUEST_ANSWER:
        phone_accept(phone, phone->session, *request->value != '\0');
        break;
    case REQUEST_DECLINE:
        phone_reject(phone, JINGLE_REASON_DECLINED);
        break;
    case REQUEST_BUSY:
        phone_reject(phone, JINGLE_REASON_BUSY);
        break;
    case REQUEST_MUTE:
    case REQUEST_UNMUTE:
        phone_set_switch(phone, true, request->kind == REQUEST_MUTE);
        break;
    case REQUEST_TOGGLE_MUTE:
        phone_set_switch(phone, true, !phone->muted);
        break;
    case REQUEST_HOLD:
    case REQUEST_UNHOLD:
        phone_set_switch(phone, false, request->kind == REQUEST_HOLD);
        break;
    case REQUEST_TOGGLE_HOLD:
        phone_set_switch(phone, false, !phone->held);
        break;
    case REQUEST_DIGITS:
        phone_dial(phone, request->value);
        break;
    case REQUEST_SWITCH_CALL:
        phone_switch(phone);
        break;
    case REQUEST_HANGUP:
        phone_hang_up(phone);
        break;
    case REQUEST_QUIT:
        phone_quit(phone, "");
        break;
    default:
        tell_error(phone->teller, JINGLE_ERROR_INVALID, UNKNOWN);
        break;
    }
}

static void phone_take_signal(struct phone *phone, int signal_number)
{
    gint64 now = g_get_monotonic_time();
    if (phone->signalled) { /* again: do not wait for the other side any more */
        if (now - phone->signalled_at > SIGNAL_ECHO) {
            phone_stop(phone, EXIT_FAILED, "Interrupted.");
        }
        return;
    }
    phone->signalled = signal_number;
    phone->signalled_at = now;
    phone_quit(phone, "Interrupted.");
}

/* ------------------------------------------------------------------------ what happens -- */

static void phone_connected(struct phone *phone)
{
    const struct options *options = phone->options;
    phone->state = PHONE_TALKING;
    phone->calls++;
    if (options->seconds > 0) {
        phone->end_due = g_get_monotonic_time() + (gint64)(options->seconds * G_USEC_PER_SEC);
    }
    if (options->digits) {
        phone_dial(phone, options->digits);
    }
}

static void phone_ended(struct phone *phone, const jingle_event *event)
{
    jingle_reason reason = event->u.ended.reason;
    int code = exit_for_call(reason, event->status, phone->state == PHONE_TALKING);
    char *text = g_strdup(*event->text ? event->text : jingle_reason_sentence(reason));
    phone_take(phone, NULL, PHONE_FREE);
    if (phone->quitting) {
        phone_finish(phone, code, text);
    } else if (!phone_next(phone)) {
        phone->on_ended(phone, reason, code, text);
    }
    g_free(text);
}

static void phone_write_report(struct phone *phone, jingle_session *session)
{
    char *path = sound_record_path(phone->options->report, ++phone->reports);
    if (report_write(phone->report, path)) {
        tell_file(phone->teller, session, "report", path);
    } else {
        char *text = g_strdup_printf("The page about the call cannot be written to %s.", path);
        tell_error(phone->teller, JINGLE_ERROR_FILE, text);
        g_free(text);
    }
    g_free(path);
}

/* The call's page; a second call's gets its number into the name. */
static void phone_report(struct phone *phone, const jingle_event *event)
{
    if (!phone->options->report) {
        return;
    }
    if (!phone->report) {
        phone->report = report_new();
        report_call(phone->report, jingle_client_jid(phone->client), NULL, phone->calling,
                    phone->begun);
    }
    report_call(phone->report, NULL, jingle_session_peer(event->session), phone->calling,
                phone->begun);
    report_event(phone->report, event);
    if (event->type != JINGLE_EVENT_ENDED) {
        return;
    }
    if (event->u.ended.reason != JINGLE_REASON_REPLACED) { /* the call goes on in another session */
        phone_write_report(phone, event->session);
    }
    report_free(phone->report);
    phone->report = NULL;
}

/* Of a film, sound and pictures both: whatever has an end must be there. */
static void phone_end_with_source(struct phone *phone)
{
    const char *source = phone->options->source;
    bool speaks = phone->film_speaks || (source && g_str_has_prefix(source, "file:"));
    bool shows = phone->options->play && phone->video && phone->picture == PICTURE_USUAL;
    if (phone->options->until_source_ends && (phone->sound_over || phone->pictures_over) &&
        (phone->sound_over || !speaks) && (phone->pictures_over || !shows)) {
        phone->end_due = MIN(phone->end_due, g_get_monotonic_time() + PHONE_SOURCE_TAIL);
    }
}

static void phone_take_session_event(struct phone *phone, const jingle_event *event)
{
    phone_report(phone, event);
    if (event->type != JINGLE_EVENT_CONNECTED) {
        phone_video_event(phone, event);
    }
    switch (event->type) {
    case JINGLE_EVENT_RINGING:
        phone->rings = true;
        break;
    case JINGLE_EVENT_ACCEPTED:
        phone->state = PHONE_SETUP;
        break;
    case JINGLE_EVENT_CONNECTED:
        phone_connected(phone);
        phone_video_event(phone, event);
        break;
    case JINGLE_EVENT_SOURCE_ENDED:
        phone->sound_over = true;
        break;
    case JINGLE_EVENT_ENDED:
        phone_ended(phone, event);
        return;
    default:
        break;
    }
    phone_end_with_source(phone);
}

static void phone_offline(struct phone *phone, const jingle_event *event)
{
    if (phone->was_online && event->u.offline.will_retry) {
        return;
    }
    jingle_status status = event->status != JINGLE_OK ? event->status : JINGLE_ERROR_STREAM;
    if (!phone->was_online || !phone->session) {
        phone_stop(phone, exit_for_status(status),
                   *event->text ? event->text : jingle_strerror(status));
    } else {
        phone->quitting = true; /* the call may live on without the server */
    }
}

static void phone_take_event(struct phone *phone, const jingle_event *event)
{
    tell_event(phone->teller, event);
    switch (event->type) {
    case JINGLE_EVENT_ONLINE:
        if (!phone->was_online) {
            phone->was_online = true;
            phone->on_online(phone);
        }
        break;
    case JINGLE_EVENT_OFFLINE:
        phone_offline(phone, event);
        break;
    case JINGLE_EVENT_INCOMING:
        phone->on_incoming(phone, event);
        break;
    default:
        if (event->transfer) {
            phone_files_event(phone, event);
        } else if (phone_waiting_event(phone, event)) {
            break;
        } else if (event->session && event->session == phone->session) {
            phone_take_session_event(phone, event);
        }
        break;
    }
}

static void phone_ring(struct phone *phone)
{
    enum ringing_what what = RINGING_NOTHING;
    if (phone->state == PHONE_INCOMING) {
        what = RINGING_HERE;
    } else if (phone->state == PHONE_CALLING && phone->rings) {
        what = RINGING_THERE;
    } else if (phone->waiting) {
        what = RINGING_BESIDE;
    }
    ringing_set(&phone->ringing, phone->options, what);
}

/* ---------------------------------------------------------------------------- the loop -- */

static enum keys_mode phone_keys(const struct phone *phone)
{
    return phone->state == PHONE_INCOMING ? KEYS_RINGING : KEYS_CALL;
}

static void take_request(void *user, const struct request *request)
{
    phone_do(user, request);
}

static void phone_read_input(struct phone *phone)
{
    if (!wires_read(&phone->wires, phone_keys(phone), take_request, phone)) {
        phone_take_signal(phone, SIGHUP);
    }
    phone->asks = wires_ask(&phone->wires);
}

static void phone_read_window(struct phone *phone)
{
    struct request requests[KEYS_MAX];
    int count = screen_read(phone->screen, phone_keys(phone), requests);
    for (int i = 0; i < count; i++) {
        phone_do(phone, &requests[i]);
    }
    if (count < 0) {
        phone_video_closed(phone);
    }
}

static void phone_keep_time(struct phone *phone)
{
    gint64 now = g_get_monotonic_time();
    if (phone->end_due <= now) {
        phone->end_due = G_MAXINT64;
        if (phone->session) {
            jingle_session_end(phone->session);
        }
    }
    if (phone->stop_due <= now) {
        phone_stop(phone, phone->lasting ? phone->code : EXIT_FAILED,
                   "The other side did not end it in time.");
    }
    if (phone->wait_due <= now) {
        phone->wait_due = G_MAXINT64;
        phone->on_wait_over(phone);
    }
    if (tell_broken(phone->teller) && !phone->quitting) {
        phone->signalled = SIGPIPE;
        phone_quit(phone, "Standard output is closed.");
    }
}

static void phone_turn(struct phone *phone)
{
    gint64 due = MIN(MIN(phone->end_due, phone->stop_due), phone->wait_due);
    bool window = phone->screen && !phone->window_closed;
    if (tell_tick(phone->teller) || window) {
        due = MIN(due, g_get_monotonic_time() + TICK);
    }
    if (window) {
        char *text = tell_window_text(phone->teller);
        phone_video_show(phone, text);
        g_free(text);
    }
    bool pressed = wires_wait(&phone->wires, window ? screen_fd(phone->screen) : -1, due);
    int signal_number;
    while ((signal_number = wires_signal(&phone->wires))) {
        phone_take_signal(phone, signal_number);
    }
    phone_read_input(phone);
    if (pressed && phone->screen) {
        phone_read_window(phone);
    }
    const jingle_event *event;
    while (!phone->finished && (event = jingle_client_next_event(phone->client))) {
        phone_take_event(phone, event);
    }
    phone_ring(phone);
    phone_keep_time(phone);
}

static void phone_loop(struct phone *phone)
{
    wires_open(&phone->wires, phone->client, phone->options, phone->teller);
    phone->asks = wires_ask(&phone->wires);
    jingle_status status = jingle_client_connect(phone->client);
    if (status != JINGLE_OK) {
        phone_stop(phone, exit_for_status(status), jingle_strerror(status));
    }
    while (!phone->finished) {
        phone_turn(phone);
    }
    wires_close(&phone->wires);
    ringing_set(&phone->ringing, phone->options, RINGING_NOTHING);
}

/* Sound comes first, so that a wrong file name is known at once. */
static int phone_prepare(struct phone *phone)
{
    char *message = NULL;
    int code = EXIT_FAILED;
    jingle_status status = make_sound(phone, &phone->sound, &message);
    if (status != JINGLE_OK) {
        code = tell_exit(phone->teller, exit_for_status(status), message);
        g_free(message);
        return code;
    }
    phone->sound_ready = true;
    phone->client = account_client(phone->options, phone->teller, &code);
    return code;
}

int phone_run(struct phone *phone)
{
    phone->end_due = phone->stop_due = phone->wait_due = G_MAXINT64;
    transfers_init(&phone->transfers, phone->options, phone->teller);
    int code = phone_prepare(phone);
    if (phone->client) {
        phone_loop(phone);
        code = tell_exit(phone->teller, phone->code, phone->text);
        phone_take(phone, NULL, PHONE_FREE);
        jingle_client_free(phone->client);
    }
    if (phone->sound_ready) {
        sound_config_clear(&phone->sound);
    }
    phone_video_clear(phone);
    phone_waiting_clear(phone);
    transfers_clear(&phone->transfers);
    report_free(phone->report);
    g_free(phone->text);
    return code;
}
