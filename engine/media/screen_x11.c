/* The screen, a part of it or a window through X11.
 *
 *     frame clock ─▶ events ─▶ anything new? ─▶ x11_grabber ─▶ pointer ─▶ I420 ─▶ picture
 *
 * XDamage tells whether anything was drawn, so a still screen costs nearly nothing; it is still
 * given once a second. A window is read from the server's own memory of it (XComposite), so what
 * lies over it is not shown. A window that is resized goes on with its new size; one that is closed
 * is LOST, as is a display that is gone; start() looks for them again. */
#include "media/screen_what.h"
#include "media/video_scale.h"
#include "media/video_source.h"
#include "media/x11_grabber.h"
#include "media/x11_window.h"

#include <stdlib.h>
#include <string.h>
#include <xcb/composite.h>
#include <xcb/damage.h>
#include <xcb/xcb.h>
#include <xcb/xfixes.h>

enum { USUAL_RATE = 15 };

/* A still screen is given this often, so that it gets sharp and newcomers see it. */
static const usec REFRESH = 1 * USEC_PER_SEC;

struct screen {
    jingle_video_source table;
    char *text;
    struct screen_what what; /* within `text` */
    xcb_connection_t *connection;
    xcb_window_t root, window; /* `window` is the root unless one was asked for */
    struct x11_grabber grabber;
    bool composite, has_fixes;
    xcb_pixmap_t pixmap; /* of the window's own memory; XCB_NONE: the window itself is read */
    struct x11_area area;
    uint8_t damage_event; /* 0: the server does not tell what is drawn */
    xcb_damage_damage_t damage;
    bool renewed; /* the window's size is new, or it came back */
    bool changed; /* something was drawn */
    bool gone;
    int pointer_x, pointer_y;
    usec given; /* when the last picture was */
    struct frame_clock clock;
    struct picture_buffer picture;
};

/* --- connecting ---------------------------------------------------------------------------- */

static bool has_extension(struct screen *s, xcb_extension_t *extension, uint8_t *first_event)
{
    const xcb_query_extension_reply_t *reply = xcb_get_extension_data(s->connection, extension);
    if (first_event) {
        *first_event = reply ? reply->first_event : 0;
    }
    return reply && reply->present;
}

/* Extensions want to be told our version before anything else. */
static void open_extensions(struct screen *s)
{
    uint8_t damage_event;
    if (has_extension(s, &xcb_xfixes_id, NULL)) {
        xcb_xfixes_query_version_reply_t *reply = xcb_xfixes_query_version_reply(
            s->connection, xcb_xfixes_query_version(s->connection, 2, 0), NULL);
        s->has_fixes = reply;
        free(reply);
    }
    if (has_extension(s, &xcb_damage_id, &damage_event)) {
        xcb_damage_query_version_reply_t *reply = xcb_damage_query_version_reply(
            s->connection, xcb_damage_query_version(s->connection, 1, 1), NULL);
        s->damage_event = reply ? damage_event : 0;
        free(reply);
    }
    if (s->what.kind == SCREEN_WINDOW && has_extension(s, &xcb_composite_id, NULL)) {
        xcb_composite_query_version_reply_t *reply = xcb_composite_query_version_reply(
            s->connection, xcb_composite_query_version(s->connection, 0, 2), NULL);
        s->composite = reply && (reply->major_version > 0 || reply->minor_version >= 2);
        free(reply);
    }
}

static const xcb_screen_t *screen_numbered(xcb_connection_t *connection, int number)
{
    xcb_screen_iterator_t i = xcb_setup_roots_iterator(xcb_get_setup(connection));
    for (; number > 0 && i.rem > 1; number--) {
        xcb_screen_next(&i);
    }
    return i.rem > 0 ? i.data : NULL;
}

static void watch(struct screen *s)
{
    const uint32_t events = XCB_EVENT_MASK_STRUCTURE_NOTIFY;
    xcb_change_window_attributes(s->connection, s->window, XCB_CW_EVENT_MASK, &events);
    if (s->composite) {
        xcb_composite_redirect_window(s->connection, s->window, XCB_COMPOSITE_REDIRECT_AUTOMATIC);
    }
    if (s->damage_event != 0) {
        s->damage = xcb_generate_id(s->connection);
        xcb_damage_create(s->connection, s->damage, s->window, XCB_DAMAGE_REPORT_LEVEL_NON_EMPTY);
    }
}

static bool connect_display(struct screen *s)
{
    int number = 0;
    s->connection = xcb_connect(NULL, &number);
    if (xcb_connection_has_error(s->connection)) {
        return false;
    }
    const xcb_screen_t *screen = screen_numbered(s->connection, number);
    if (!screen || !x11_grabber_open(&s->grabber, s->connection, screen)) {
        return false;
    }
    s->root = s->window = screen->root;
    if (s->what.kind == SCREEN_WINDOW) {
        s->window = x11_window_find(s->connection, s->root, s->what.title);
    }
    if (s->window == XCB_NONE) {
        return false;
    }
    open_extensions(s);
    watch(s);
    return true;
}

/* --- geometry ------------------------------------------------------------------------------ */

/* The part of `area` that lies on the screen, if a part was asked for. */
static bool cut_part(struct screen *s)
{
    const struct screen_what *w = &s->what;
    if (w->kind != SCREEN_PART) {
        return true;
    }
    if (w->x >= s->area.width || w->y >= s->area.height) {
        return false;
    }
    uint32_t right = s->area.width - w->x, lower = s->area.height - w->y;
    s->area = (struct x11_area){.x = (int)w->x,
                                .y = (int)w->y,
                                .width = w->width < right ? w->width : right,
                                .height = w->height < lower ? w->height : lower};
    return true;
}

/* The server's memory of a window is a new one after each change of its size; it includes the
 * border. */
static void name_pixmap(struct screen *s, int border)
{
    if (s->pixmap != XCB_NONE) {
        xcb_free_pixmap(s->connection, s->pixmap);
        s->pixmap = XCB_NONE;
    }
    if (!s->composite) {
        return;
    }
    xcb_pixmap_t pixmap = xcb_generate_id(s->connection);
    xcb_generic_error_t *error = xcb_request_check(
        s->connection, xcb_composite_name_window_pixmap_checked(s->connection, s->window, pixmap));
    if (error) { /* it is not mapped now */
        free(error);
        return;
    }
    s->pixmap = pixmap;
    s->area.x = s->area.y = border;
}

static bool measure(struct screen *s)
{
    xcb_get_geometry_reply_t *geometry =
        xcb_get_geometry_reply(s->connection, xcb_get_geometry(s->connection, s->window), NULL);
    if (!geometry) {
        return false;
    }
    s->area = (struct x11_area){.width = geometry->width, .height = geometry->height};
    name_pixmap(s, geometry->border_width);
    free(geometry);
    s->renewed = false;
    s->changed = true;
    return cut_part(s);
}

/* --- starting and stopping ----------------------------------------------------------------- */

static void stop(void *user)
{
    struct screen *s = user;
    if (!s->connection) {
        return;
    }
    x11_grabber_close(&s->grabber);
    xcb_disconnect(s->connection); /* which gives back all that we made there */
    s->connection = NULL;
    s->pixmap = XCB_NONE;
    s->damage_event = 0;
    s->composite = s->has_fixes = s->gone = false;
}

static jingle_status start(void *user, jingle_video_format *format)
{
    struct screen *s = user;
    stop(s);
    if (!connect_display(s) || !measure(s)) {
        stop(s);
        return JINGLE_ERROR_DISPLAY;
    }
    format->width = s->area.width < PICTURE_SIDE_MAX ? s->area.width : PICTURE_SIDE_MAX;
    format->height = s->area.height < PICTURE_SIDE_MAX ? s->area.height : PICTURE_SIDE_MAX;
    if (format->frame_rate == 0 || format->frame_rate > VIDEO_RATE_MAX) {
        format->frame_rate = USUAL_RATE;
    }
    s->given = 0;
    frame_clock_start(&s->clock, format->frame_rate, clock_now());
    return JINGLE_OK;
}

/* --- reading ------------------------------------------------------------------------------- */

static void take_event(struct screen *s, const xcb_generic_event_t *event)
{
    uint8_t type = event->response_type & 0x7f;
    if (s->damage_event != 0 && type == s->damage_event + XCB_DAMAGE_NOTIFY) {
        s->changed = true;
        return;
    }
    switch (type) {
    case XCB_CONFIGURE_NOTIFY:
    case XCB_MAP_NOTIFY:
        s->renewed = true;
        break;
    case XCB_DESTROY_NOTIFY:
        s->gone = true;
        break;
    default:
        break;
    }
}

/* What happened since the last time. False: there is nothing to be taken any more. */
static bool take_events(struct screen *s)
{
    xcb_generic_event_t *event;
    while ((event = xcb_poll_for_event(s->connection))) {
        take_event(s, event);
        free(event);
    }
    return !s->gone && !xcb_connection_has_error(s->connection);
}

/* The pointer is drawn by us, and no damage tells of it. */
static bool pointer_moved(struct screen *s)
{
    xcb_query_pointer_reply_t *reply =
        xcb_query_pointer_reply(s->connection, xcb_query_pointer(s->connection, s->root), NULL);
    if (!reply) {
        return false;
    }
    bool moved = reply->root_x != s->pointer_x || reply->root_y != s->pointer_y;
    s->pointer_x = reply->root_x;
    s->pointer_y = reply->root_y;
    free(reply);
    return moved;
}

static void draw_pointer(struct screen *s, const struct raw_picture *raw)
{
    if (!s->has_fixes) {
        return;
    }
    int x = s->area.x, y = s->area.y;
    if (s->window != s->root) {
        xcb_translate_coordinates_reply_t *at = xcb_translate_coordinates_reply(
            s->connection, xcb_translate_coordinates(s->connection, s->window, s->root, 0, 0),
            NULL);
        x = at ? at->dst_x : 0;
        y = at ? at->dst_y : 0;
        free(at);
    }
    x11_grabber_draw_pointer(&s->grabber, raw, x, y);
}

static bool grab(struct screen *s)
{
    struct raw_picture raw;
    if (s->damage_event != 0) { /* what is drawn from here on is told anew */
        xcb_damage_subtract(s->connection, s->damage, XCB_NONE, XCB_NONE);
    }
    xcb_drawable_t from = s->pixmap != XCB_NONE ? s->pixmap : s->window;
    if (!x11_grabber_grab(&s->grabber, from, &s->area, &raw)) {
        return false; /* iconified, or resized just now */
    }
    draw_pointer(s, &raw);
    jingle_status status = s->grabber.pixel_bytes == 4 ? raw_convert_large(&raw, &s->picture)
                                                       : raw_convert(&raw, &s->picture);
    return status == JINGLE_OK;
}

/* True if there may be something that was not seen yet. */
static bool is_due(struct screen *s, usec now)
{
    bool moved = pointer_moved(s);
    return s->damage_event == 0 || s->changed || moved || now - s->given >= REFRESH;
}

static long read_screen(void *user, jingle_picture *picture, int64_t timeout)
{
    struct screen *s = user;
    usec deadline = clock_now() + timeout;
    if (!s->connection) {
        return JINGLE_VIDEO_LOST;
    }
    while (frame_clock_wait(&s->clock, deadline - clock_now(), NULL)) {
        usec now = clock_now();
        if (!take_events(s) || (s->renewed && !measure(s))) {
            return JINGLE_VIDEO_LOST;
        }
        if (is_due(s, now) && grab(s)) {
            s->changed = false;
            s->given = now;
            *picture = picture_buffer_view(&s->picture, now);
            return 1;
        }
    }
    return 0;
}

/* --- table --------------------------------------------------------------------------------- */

static void free_screen(void *user)
{
    struct screen *s = user;
    stop(s);
    picture_buffer_clear(&s->picture);
    free(s->text);
    free(s);
}

jingle_video_source *screen_x11_new(const char *what, jingle_status *status)
{
    struct screen *s = calloc(1, sizeof *s);
    char *text = strdup(what);
    if (!s || !text) {
        free(s);
        free(text);
        return video_source_failed(status, JINGLE_ERROR_MEMORY);
    }
    s->text = text;
    screen_what_parse(text, &s->what);
    s->table = (jingle_video_source){
        .size = sizeof s->table,
        .user = s,
        .start = start,
        .read = read_screen,
        .stop = stop,
        .free = free_screen,
        .is_screen = true,
    };
    return video_source_made(&s->table, status);
}
