#include "transport/poller.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 64

struct poller {
    GMainContext *context;
    GSource *source;
    int fd;
    /* of the round that is being worked off: a removed watch is blotted out */
    struct epoll_event events[EVENTS_AT_ONCE];
    int event_count;
};

struct poller_source {
    GSource base;
    struct poller *poller;
};

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer user)
{
    struct poller *poller = ((struct poller_source *)source)->poller;
    (void)callback;
    (void)user;
    poller->event_count = epoll_wait(poller->fd, poller->events, EVENTS_AT_ONCE, 0);
    for (int i = 0; i < poller->event_count; i++) {
        struct poller_watch *watch = poller->events[i].data.ptr;
        if (watch)
            watch->readable(watch->user);
    }
    poller->event_count = 0;
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs functions = {.dispatch = dispatch};

struct poller *poller_new(GMainContext *context)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct poller *poller = g_new0(struct poller, 1);
    poller->context = g_main_context_ref(context);
    poller->fd = fd;
    poller->source = g_source_new(&functions, sizeof(struct poller_source));
    ((struct poller_source *)poller->source)->poller = poller;
    g_source_add_unix_fd(poller->source, fd, G_IO_IN);
    g_source_attach(poller->source, context);
    return poller;
}

void poller_free(struct poller *poller)
{
    if (!poller)
        return;
    g_source_destroy(poller->source);
    g_source_unref(poller->source);
    close(poller->fd);
    g_main_context_unref(poller->context);
    g_free(poller);
}

GMainContext *poller_context(const struct poller *poller)
{
    return poller->context;
}

bool poller_add(struct poller *poller, struct poller_watch *watch)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = watch};
    return epoll_ctl(poller->fd, EPOLL_CTL_ADD, watch->fd, &event) == 0;
}

void poller_remove(struct poller *poller, struct poller_watch *watch)
{
    epoll_ctl(poller->fd, EPOLL_CTL_DEL, watch->fd, NULL);
    for (int i = 0; i < poller->event_count; i++)
        if (poller->events[i].data.ptr == watch)
            poller->events[i].data.ptr = NULL;
}
