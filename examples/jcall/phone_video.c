/* The pictures of a call. */
#include "phone_video.h"

#include "picture.h"
#include "screen.h"
#include "sound.h"

#include <string.h>

static void complain(struct phone *phone, jingle_status status)
{
    tell_error(phone->teller, status,
               status == JINGLE_ERROR_STATE ? "There is no video for that now."
                                            : jingle_strerror(status));
}

/* -------------------------------------------------------------------- sources and sinks -- */

jingle_status phone_video_prepare(struct phone *phone, jingle_audio_source **spoken, char **message)
{
    const struct options *options = phone->options;
    phone->film_speaks = false;
    if (!picture_wanted(options) || picture_only_watched(options)) {
        return JINGLE_OK;
    }
    char *why = NULL;
    jingle_video_source_free(phone->pictures); /* of a call without: a film's sound went with it */
    phone->pictures = picture_source(options, PICTURE_USUAL, options->source ? NULL : spoken, &why);
    if (phone->pictures) {
        phone->film_speaks = *spoken;
        return JINGLE_OK;
    }
    if (options->play) {
        *message = why;
        return JINGLE_ERROR_FILE;
    }
    char *text = g_strdup_printf("%s The call goes on without.", why);
    tell_error(phone->teller, JINGLE_ERROR_CAMERA, text);
    g_free(text);
    g_free(why);
    return JINGLE_OK;
}

static void open_window(struct phone *phone)
{
    if (phone->screen || phone->no_window || phone->window_closed || phone->options->no_display) {
        return;
    }
    jingle_status status = JINGLE_OK;
    phone->screen = screen_new("jcall", &status);
    if (!phone->screen) {
        phone->no_window = true;
        char *text = g_strdup_printf("%s Their picture is not shown; sound goes on.",
                                     jingle_strerror(status));
        tell_error(phone->teller, status, text);
        g_free(text);
    }
}

static void close_window(struct phone *phone)
{
    screen_free(phone->screen);
    phone->screen = NULL;
}

static void fill_sinks(struct phone *phone, jingle_video_config *config)
{
    open_window(phone);
    if (phone->screen) {
        config->sink = screen_sink(phone->screen);
        config->self_view = config->source ? screen_self_view(phone->screen) : NULL;
    }
    if (!config->sink) {
        config->sink = jingle_video_sink_null(NULL);
    }
}

const jingle_video_config *phone_video_config(struct phone *phone)
{
    picture_config(phone->options, &phone->video_config);
    phone->video_config.source = phone->pictures;
    phone->pictures = NULL;
    phone->picture = phone->video_config.source ? PICTURE_USUAL : PICTURE_NONE;
    fill_sinks(phone, &phone->video_config);
    return &phone->video_config;
}

static jingle_video_source *new_source(struct phone *phone, enum picture_kind kind)
{
    char *message = NULL;
    jingle_video_source *source = picture_source(phone->options, kind, NULL, &message);
    if (!source && message) {
        tell_error(phone->teller, JINGLE_ERROR_CAMERA, message);
    }
    g_free(message);
    return source;
}

/* --------------------------------------------------------------------- what is asked for -- */

/* Adds video to the call, or takes what the other side offers; PICTURE_NONE: only to watch. */
static void start_video(struct phone *phone, enum picture_kind kind)
{
    jingle_video_config config;
    picture_config(phone->options, &config);
    config.source =
        phone->pictures && kind == PICTURE_USUAL ? phone->pictures : new_source(phone, kind);
    if (config.source == phone->pictures) {
        phone->pictures = NULL;
    }
    if (!config.source && kind != PICTURE_NONE && !phone->video_offered) {
        return; /* nothing to add: it was said why */
    }
    enum picture_kind sent = config.source ? kind : PICTURE_NONE;
    fill_sinks(phone, &config);
    jingle_status status = jingle_session_start_video(phone->session, &config);
    if (status != JINGLE_OK) {
        tell_error(phone->teller, status,
                   status == JINGLE_ERROR_UNSUPPORTED ? "Their client takes no video."
                   : status == JINGLE_ERROR_STATE     ? "There can be no video before sound flows."
                                                      : jingle_strerror(status));
        phone->video_offered = false;
        close_window(phone); /* which was opened for this */
        return;
    }
    tell_picture(phone->teller, phone->session, phone->video_offered ? "accepting" : "adding");
    phone->video_offered = false;
    phone->pictures_over = false;
    phone->picture = sent;
}

/* Whoever only wants to watch sends nothing before being asked for it. */
static enum picture_kind first_picture(const struct phone *phone)
{
    return picture_only_watched(phone->options) ? PICTURE_NONE : PICTURE_USUAL;
}

static void add_video(struct phone *phone)
{
    if (phone->video) {
        tell_error(phone->teller, JINGLE_ERROR_STATE, "There is video already.");
    } else {
        start_video(phone, first_picture(phone));
    }
}

/* Another source in the video that there is. */
static void send_picture(struct phone *phone, enum picture_kind kind)
{
    static const char *const words[] = {"none", "camera", "screen"};
    jingle_video_source *source = new_source(phone, kind);
    if (!source && kind != PICTURE_NONE) {
        return;
    }
    jingle_status status = jingle_session_set_video_source(phone->session, source);
    if (status != JINGLE_OK) {
        complain(phone, status);
        return;
    }
    phone->picture = kind;
    phone->pictures_over = false;
    tell_picture(phone->teller, phone->session, words[kind]);
}

static void set_picture(struct phone *phone, enum picture_kind kind)
{
    if (phone->video) {
        send_picture(phone, kind);
    } else if (kind != PICTURE_NONE) {
        start_video(phone, kind);
    } else {
        complain(phone, JINGLE_ERROR_STATE);
    }
}

static void toggle_picture(struct phone *phone, enum picture_kind kind)
{
    if (phone->video_offered && kind == PICTURE_USUAL) {
        add_video(phone);
        return;
    }
    bool back = phone->video && phone->picture == kind;
    set_picture(phone, !back ? kind : kind == PICTURE_SCREEN ? PICTURE_USUAL : PICTURE_NONE);
}

static void stop_video(struct phone *phone)
{
    jingle_status status = phone->video_offered ? jingle_session_refuse_video(phone->session)
                                                : jingle_session_stop_video(phone->session);
    if (status != JINGLE_OK) {
        complain(phone, status);
        return;
    }
    tell_picture(phone->teller, phone->session, phone->video_offered ? "refusing" : "stopping");
    phone->video_offered = false;
}

static void refuse_video(struct phone *phone)
{
    if (phone->video_offered) {
        stop_video(phone);
    } else {
        tell_error(phone->teller, JINGLE_ERROR_STATE, "They offer no video now.");
    }
}

static void set_direction(struct phone *phone, const char *who)
{
    bool both = strcmp(who, "both") == 0;
    jingle_status status = jingle_session_set_video_direction(
        phone->session, both || strcmp(who, "send") == 0, both || strcmp(who, "receive") == 0);
    if (status != JINGLE_OK) {
        complain(phone, status);
    }
}

/* ------------------------------------------------------------------- files of pictures -- */

static void tell_file_error(struct phone *phone, jingle_status status, const char *what,
                            const char *path)
{
    char *text = g_strdup_printf("%s: %s", what, path);
    tell_error(phone->teller, status, text);
    g_free(text);
}

static void save_snapshot(struct phone *phone, const char *path)
{
    char *named = NULL;
    if (!*path) {
        GDateTime *now = g_date_time_new_now_local();
        named = g_date_time_format(now, "jcall-%Y%m%d-%H%M%S.png");
        g_date_time_unref(now);
        path = named;
    }
    jingle_status status = jingle_session_snapshot(phone->session, path);
    if (status == JINGLE_OK) {
        tell_file(phone->teller, phone->session, "snapshot", path);
    } else {
        tell_file_error(phone, status,
                        status == JINGLE_ERROR_STATE ? "There is no picture of them to save"
                                                     : "Their picture cannot be saved",
                        path);
    }
    g_free(named);
}

static void record(struct phone *phone, const char *path)
{
    jingle_status status = jingle_session_record(phone->session, path);
    if (status == JINGLE_ERROR_UNSUPPORTED) {
        tell_error(phone->teller, status,
                   "This cannot be recorded: their sound is not Opus, or this build does without.");
    } else if (status != JINGLE_OK) {
        tell_file_error(phone, status, "The recording cannot be written", path ? path : "");
    } else if (path) {
        tell_file(phone->teller, phone->session, "record", path);
    }
}

bool phone_video_do(struct phone *phone, const struct request *request)
{
    switch (request->kind) {
    case REQUEST_VIDEO:
        add_video(phone);
        return true;
    case REQUEST_REFUSE_VIDEO:
        refuse_video(phone);
        return true;
    case REQUEST_STOP_VIDEO:
        stop_video(phone);
        return true;
    case REQUEST_CAMERA:
        set_picture(phone, PICTURE_USUAL);
        return true;
    case REQUEST_SCREEN:
        set_picture(phone, PICTURE_SCREEN);
        return true;
    case REQUEST_NO_PICTURE:
        set_picture(phone, PICTURE_NONE);
        return true;
    case REQUEST_TOGGLE_CAMERA:
        toggle_picture(phone, PICTURE_USUAL);
        return true;
    case REQUEST_TOGGLE_SCREEN:
        toggle_picture(phone, PICTURE_SCREEN);
        return true;
    case REQUEST_DIRECTION:
        set_direction(phone, request->value);
        return true;
    case REQUEST_FULL_SCREEN:
        if (phone->screen) {
            screen_toggle_full(phone->screen);
        }
        return true;
    case REQUEST_SNAPSHOT:
        save_snapshot(phone, request->value);
        return true;
    case REQUEST_RECORD:
        record(phone, request->value);
        return true;
    case REQUEST_STOP_RECORD:
        record(phone, NULL);
        return true;
    default:
        return false;
    }
}

/* ------------------------------------------------------------------------ what happens -- */

/* Without anybody to ask, the options have said it. */
static void video_offered(struct phone *phone)
{
    phone->video_offered = true;
    if (picture_wanted(phone->options)) {
        start_video(phone, first_picture(phone));
    } else if (!phone->asks) {
        stop_video(phone);
    } else {
        tell_note(phone->teller, phone->options->commands ? "Write video or refuse-video."
                                                          : "Press v to take it, x to refuse it.");
    }
}

void phone_video_event(struct phone *phone, const jingle_event *event)
{
    switch (event->type) {
    case JINGLE_EVENT_CONNECTED:
        if (sound_is_webm(phone->options)) {
            char *path = sound_record_path(phone->options->record, phone->calls);
            record(phone, path);
            g_free(path);
        }
        break;
    case JINGLE_EVENT_VIDEO_OFFERED:
        video_offered(phone);
        break;
    case JINGLE_EVENT_VIDEO:
        phone->video = event->u.video.sending || event->u.video.receiving;
        phone->video_offered = false;
        break;
    case JINGLE_EVENT_VIDEO_SOURCE_ENDED:
        phone->pictures_over = true;
        break;
    case JINGLE_EVENT_ENDED:
        if (phone->options->snapshot && phone->state == PHONE_TALKING) {
            char *path = sound_record_path(phone->options->snapshot, phone->calls);
            save_snapshot(phone, path);
            g_free(path);
        }
        phone->video = phone->video_offered = false;
        phone->picture = PICTURE_NONE;
        phone->window_closed = false;
        close_window(phone);
        break;
    default:
        break;
    }
}

void phone_video_closed(struct phone *phone)
{
    phone->window_closed = true; /* it stays until the call ends: its sinks say what is amiss */
    tell_note(phone->teller, "The window is closed; the call goes on. q hangs up.");
}

void phone_video_show(struct phone *phone, const char *text)
{
    if (phone->screen) {
        screen_set_text(phone->screen, text);
    }
}

void phone_video_clear(struct phone *phone)
{
    jingle_video_source_free(phone->pictures);
    phone->pictures = NULL;
    close_window(phone);
}
