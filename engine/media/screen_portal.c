#include "media/screen_portal.h"

#include <gio/gio.h>
#include <gio/gunixfdlist.h>
#include <signal.h>
#include <unistd.h>

#define PORTAL_NAME "org.freedesktop.portal.Desktop"
#define PORTAL_PATH "/org/freedesktop/portal/desktop"
#define SCREEN_CAST "org.freedesktop.portal.ScreenCast"
#define REQUEST     "org.freedesktop.portal.Request"
#define SESSION     "org.freedesktop.portal.Session"

enum {
    TYPE_MONITOR = 1,
    TYPE_WINDOW = 2,
    CURSOR_EMBEDDED = 2,
    PERSIST_WHILE_RUNNING = 1,
    VERSION_PERSIST = 4, /* of the portal: knows tokens */
    ASK_MS = 1000,
};

struct portal {
    GMainContext *context;
    GDBusConnection *bus;
    GCancellable *cancel;
    enum portal_state state;
    uint32_t version;
    unsigned requests; /* made so far */
    unsigned pending;  /* calls whose end was not told yet */
    unsigned response; /* the subscription to the answer that is awaited */
    unsigned closed;   /* the subscription to the session's end */
    void (*next)(struct portal *portal, GVariant *results);
    char *session;
    char *token;
    uint32_t node;
    int fd;
};

static void refuse(struct portal *p)
{
    if (p->state == PORTAL_ASKING) {
        p->state = PORTAL_REFUSED;
    }
}

/* --- requests ------------------------------------------------------------------------------ */

static void forget_response(struct portal *p)
{
    if (p->response != 0) {
        g_dbus_connection_signal_unsubscribe(p->bus, p->response);
        p->response = 0;
    }
}

/* org.freedesktop.portal.Request.Response: 0 granted, 1 the user said no, 2 ended otherwise. */
static void take_response(GDBusConnection *bus, const char *sender, const char *path,
                          const char *interface, const char *signal_name, GVariant *parameters,
                          gpointer user)
{
    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    (void)signal_name;
    struct portal *p = user;
    forget_response(p);
    if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(ua{sv})"))) {
        refuse(p);
        return;
    }
    uint32_t code;
    GVariant *results;
    g_variant_get(parameters, "(u@a{sv})", &code, &results);
    if (code == 0) {
        p->next(p, results);
    } else {
        refuse(p);
    }
    g_variant_unref(results);
}

static void take_call_end(GObject *bus, GAsyncResult *result, gpointer user)
{
    struct portal *p = user;
    p->pending--;
    GError *error = NULL;
    GVariant *answer = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);
    if (answer) {
        g_variant_unref(answer);
        return;
    }
    if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        refuse(p); /* cancelled: the portal is freed */
    }
    g_error_free(error);
}

/* Options with the token that the answer's path is made of; that must be listened to before the
 * request is made. */
static void begin_request(struct portal *p, GVariantBuilder *options,
                          void (*next)(struct portal *portal, GVariant *results))
{
    char token[32];
    g_snprintf(token, sizeof token, "jingle%u", ++p->requests);
    char *sender = g_strdup(g_dbus_connection_get_unique_name(p->bus) + 1);
    g_strdelimit(sender, ".", '_');
    char *path = g_strdup_printf(PORTAL_PATH "/request/%s/%s", sender, token);
    p->next = next;
    p->response =
        g_dbus_connection_signal_subscribe(p->bus, PORTAL_NAME, REQUEST, "Response", path, NULL,
                                           G_DBUS_SIGNAL_FLAGS_NONE, take_response, p, NULL);
    g_free(path);
    g_free(sender);
    g_variant_builder_init(options, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(options, "{sv}", "handle_token", g_variant_new_string(token));
}

static void call(struct portal *p, const char *method, GVariant *arguments)
{
    p->pending++;
    g_dbus_connection_call(p->bus, PORTAL_NAME, PORTAL_PATH, SCREEN_CAST, method, arguments, NULL,
                           G_DBUS_CALL_FLAGS_NONE, -1, p->cancel, take_call_end, p);
}

/* --- the steps, last one first ------------------------------------------------------------- */

static void take_remote(GObject *bus, GAsyncResult *result, gpointer user)
{
    struct portal *p = user;
    p->pending--;
    GError *error = NULL;
    GUnixFDList *fds = NULL;
    GVariant *answer = g_dbus_connection_call_with_unix_fd_list_finish(G_DBUS_CONNECTION(bus), &fds,
                                                                       result, &error);
    if (!answer) {
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
            refuse(p);
        }
        g_error_free(error);
        return;
    }
    int index;
    g_variant_get(answer, "(h)", &index);
    p->fd = fds ? g_unix_fd_list_get(fds, index, NULL) : -1;
    if (p->fd >= 0) {
        p->state = PORTAL_GRANTED;
    } else {
        refuse(p);
    }
    g_clear_object(&fds);
    g_variant_unref(answer);
}

static void open_remote(struct portal *p, GVariant *results)
{
    GVariantIter *streams = NULL;
    g_variant_lookup(results, "streams", "a(ua{sv})", &streams);
    bool has_node = streams && g_variant_iter_next(streams, "(ua{sv})", &p->node, NULL);
    g_clear_pointer(&streams, g_variant_iter_free);
    g_free(p->token);
    p->token = NULL;
    g_variant_lookup(results, "restore_token", "s", &p->token);
    if (!has_node) {
        refuse(p);
        return;
    }
    GVariantBuilder options;
    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    p->pending++;
    g_dbus_connection_call_with_unix_fd_list(
        p->bus, PORTAL_NAME, PORTAL_PATH, SCREEN_CAST, "OpenPipeWireRemote",
        g_variant_new("(oa{sv})", p->session, &options), G_VARIANT_TYPE("(h)"),
        G_DBUS_CALL_FLAGS_NONE, -1, NULL, p->cancel, take_remote, p);
}

static void start_session(struct portal *p, GVariant *results)
{
    (void)results;
    GVariantBuilder options;
    begin_request(p, &options, open_remote);
    call(p, "Start", g_variant_new("(osa{sv})", p->session, "", &options));
}

static void take_closed(GDBusConnection *bus, const char *sender, const char *path,
                        const char *interface, const char *signal_name, GVariant *parameters,
                        gpointer user)
{
    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    (void)signal_name;
    (void)parameters;
    struct portal *p = user;
    p->state = p->state == PORTAL_GRANTED ? PORTAL_CLOSED : PORTAL_REFUSED;
}

static void select_sources(struct portal *p, GVariant *results)
{
    if (!g_variant_lookup(results, "session_handle", "s", &p->session) ||
        !g_variant_is_object_path(p->session)) {
        refuse(p);
        return;
    }
    p->closed =
        g_dbus_connection_signal_subscribe(p->bus, PORTAL_NAME, SESSION, "Closed", p->session, NULL,
                                           G_DBUS_SIGNAL_FLAGS_NONE, take_closed, p, NULL);
    GVariantBuilder options;
    begin_request(p, &options, start_session);
    g_variant_builder_add(&options, "{sv}", "types",
                          g_variant_new_uint32(TYPE_MONITOR | TYPE_WINDOW));
    g_variant_builder_add(&options, "{sv}", "cursor_mode", g_variant_new_uint32(CURSOR_EMBEDDED));
    if (p->version >= VERSION_PERSIST) {
        g_variant_builder_add(&options, "{sv}", "persist_mode",
                              g_variant_new_uint32(PERSIST_WHILE_RUNNING));
        if (p->token) {
            g_variant_builder_add(&options, "{sv}", "restore_token",
                                  g_variant_new_string(p->token));
        }
    }
    call(p, "SelectSources", g_variant_new("(oa{sv})", p->session, &options));
}

static void create_session(struct portal *p)
{
    GVariantBuilder options;
    begin_request(p, &options, select_sources);
    g_variant_builder_add(&options, "{sv}", "session_handle_token", g_variant_new_string("jingle"));
    call(p, "CreateSession", g_variant_new("(a{sv})", &options));
}

/* --- connection ---------------------------------------------------------------------------- */

/* A connection of our own, whose end does not end the process. */
static GDBusConnection *connect_bus(void)
{
    char *address = g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SESSION, NULL, NULL);
    if (!address) {
        return NULL;
    }
    GDBusConnection *bus =
        g_dbus_connection_new_for_address_sync(address,
                                               G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                   G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                               NULL, NULL, NULL);
    g_free(address);
    return bus;
}

/* 0: there is no portal that can share a screen. */
static uint32_t portal_version(GDBusConnection *bus)
{
    GVariant *answer = g_dbus_connection_call_sync(
        bus, PORTAL_NAME, PORTAL_PATH, "org.freedesktop.DBus.Properties", "Get",
        g_variant_new("(ss)", SCREEN_CAST, "version"), G_VARIANT_TYPE("(v)"),
        G_DBUS_CALL_FLAGS_NONE, ASK_MS, NULL, NULL);
    if (!answer) {
        return 0;
    }
    GVariant *value;
    g_variant_get(answer, "(v)", &value);
    uint32_t version =
        g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32) ? g_variant_get_uint32(value) : 0;
    g_variant_unref(value);
    g_variant_unref(answer);
    return version;
}

bool portal_available(void)
{
    /* GIO's thread is started by the first who needs it, maybe the application's own thread: it
     * must not take the application's signals. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    GDBusConnection *bus = connect_bus();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    bool available = bus && portal_version(bus) > 0;
    if (bus) {
        g_dbus_connection_close_sync(bus, NULL, NULL);
        g_object_unref(bus);
    }
    return available;
}

struct portal *portal_new(GMainContext *context, const char *token)
{
    GDBusConnection *bus = connect_bus();
    uint32_t version = bus ? portal_version(bus) : 0;
    if (version == 0) {
        g_clear_object(&bus);
        return NULL;
    }
    struct portal *p = g_new0(struct portal, 1);
    p->context = g_main_context_ref(context);
    p->bus = bus;
    p->version = version;
    p->cancel = g_cancellable_new();
    p->token = g_strdup(token);
    p->fd = -1;
    g_main_context_push_thread_default(context); /* where the answers come */
    create_session(p);
    g_main_context_pop_thread_default(context);
    return p;
}

void portal_free(struct portal *p)
{
    forget_response(p);
    if (p->closed != 0) {
        g_dbus_connection_signal_unsubscribe(p->bus, p->closed);
    }
    if (p->fd >= 0) {
        close(p->fd);
    }
    g_cancellable_cancel(p->cancel);
    g_dbus_connection_close_sync(p->bus, NULL, NULL); /* ends the session, too */
    g_main_context_push_thread_default(p->context);
    while (p->pending > 0) { /* what was cancelled is told */
        g_main_context_iteration(p->context, TRUE);
    }
    g_main_context_pop_thread_default(p->context);
    g_object_unref(p->cancel);
    g_object_unref(p->bus);
    g_main_context_unref(p->context);
    g_free(p->session);
    g_free(p->token);
    g_free(p);
}

enum portal_state portal_state(const struct portal *p)
{
    return p->state;
}

uint32_t portal_node(const struct portal *p)
{
    return p->node;
}

int portal_take_fd(struct portal *p)
{
    int fd = p->fd;
    p->fd = -1;
    return fd;
}

const char *portal_token(const struct portal *p)
{
    return p->token;
}
