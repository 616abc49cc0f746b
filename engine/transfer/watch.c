#include "transfer/watch.h"

static GSource *attach(GSource *source, GMainContext *context, GSourceFunc callback, void *user)
{
    g_source_set_callback(source, callback, user, NULL);
    g_source_attach(source, context);
    return source;
}

GSource *watch_fd(GMainContext *context, int fd, GIOCondition condition, GUnixFDSourceFunc ready,
                  void *user)
{
    return attach(g_unix_fd_source_new(fd, condition), context, G_SOURCE_FUNC(ready), user);
}

GSource *watch_after(GMainContext *context, usec delay, GSourceFunc fire, void *user)
{
    guint milliseconds = (guint)((delay + USEC_PER_MS - 1) / USEC_PER_MS);
    return attach(g_timeout_source_new(milliseconds), context, fire, user);
}

void watch_drop(GSource **source)
{
    if (*source) {
        g_source_destroy(*source);
        g_source_unref(*source);
        *source = NULL;
    }
}
