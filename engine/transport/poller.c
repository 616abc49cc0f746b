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
    unsigned holders;
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
    poller->holders = 1;
    poller->source = g_source_new(&functions, sizeof(struct poller_source));
    ((struct poller_source *)poller->source)->poller = poller;
    g_source_add_unix_fd(poller->source, fd, G_IO_IN);
    g_source_attach(poller->source, context);
    return poller;
}

void poller_hold(struct poller *poller)
{
    poller->holders++;
}

void poller_release(struct poller *poller)
{
    if (--poller->holders > 0)
        return;
    g_source_destroy(poller->source);
    g_source_unref(poller->source);
    close(poller->fd);
    g_main_context_unref(poller->context);
    g_free(poller);
}

static gboolean wake(gpointer user)
{
    (void)user;
    return G_SOURCE_CONTINUE;
}

static void wait_for_holders(struct poller *poller)
{
    usec limit = clock_now() + POLLER_PATIENCE;
    GSource *tick = g_timeout_source_new(10);
    g_source_set_callback(tick, wake, NULL, NULL);
    g_source_attach(tick, poller->context);
    while (poller->holders > 1 && clock_now() < limit)
        g_main_context_iteration(poller->context, TRUE);
    g_source_destroy(tick);
    g_source_unref(tick);
}

void poller_free(struct poller *poller)
{
    if (!poller)
        return;
    wait_for_holders(poller);
    poller_release(poller);
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
