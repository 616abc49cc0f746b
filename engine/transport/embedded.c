#include "transport/embedded.h"

#define MAX_DESCRIPTORS 64

struct descriptor {
    struct poller_watch watch;
    struct embedded *embedded;
};

struct embedded {
    struct poller *poller;
    GMainContext *context;
    bool (*first)(void *user, int fd);
    void *user;
    struct poller_timer timer;
    struct descriptor *descriptors[MAX_DESCRIPTORS];
    size_t count;
    bool busy; /* a source is running: freeing waits */
    bool freed;
};

static void turn(void *user);

static void forget_descriptors(struct embedded *embedded)
{
    for (size_t i = 0; i < embedded->count; i++) {
        poller_remove(embedded->poller, &embedded->descriptors[i]->watch);
        g_free(embedded->descriptors[i]);
    }
    embedded->count = 0;
}

static void destroy(struct embedded *embedded)
{
    forget_descriptors(embedded);
    poller_set_timer(embedded->poller, &embedded->timer, USEC_NEVER);
    g_main_context_unref(embedded->context);
    g_free(embedded);
}

static void on_readable(void *user)
{
    const struct descriptor *descriptor = user;
    struct embedded *embedded = descriptor->embedded;
    if (!embedded->first || !embedded->first(embedded->user, descriptor->watch.fd))
        turn(embedded);
}

static bool unchanged(const struct embedded *embedded, const GPollFD *fds, size_t count)
{
    if (count != embedded->count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (fds[i].fd != embedded->descriptors[i]->watch.fd)
            return false;
    return true;
}

static void watch_descriptors(struct embedded *embedded, const GPollFD *fds, size_t count)
{
    if (unchanged(embedded, fds, count))
        return;
    forget_descriptors(embedded);
    for (size_t i = 0; i < count; i++) {
        struct descriptor *descriptor = g_new0(struct descriptor, 1);
        *descriptor = (struct descriptor){{fds[i].fd, on_readable, descriptor}, embedded};
        poller_add(embedded->poller, &descriptor->watch);
        embedded->descriptors[embedded->count++] = descriptor;
    }
}

/* Asks the context what it waits for. */
static void follow(struct embedded *embedded)
{
    GPollFD fds[MAX_DESCRIPTORS];
    gint priority = G_MAXINT;
    gint timeout = -1;
    g_main_context_prepare(embedded->context, &priority);
    gint count = g_main_context_query(embedded->context, G_MAXINT, &timeout, fds, MAX_DESCRIPTORS);
    watch_descriptors(embedded, fds, (size_t)MIN(count, MAX_DESCRIPTORS));
    poller_set_timer(embedded->poller, &embedded->timer,
                     timeout < 0 ? USEC_NEVER : clock_now() + timeout * USEC_PER_MS);
}

static void turn(void *user)
{
    struct embedded *embedded = user;
    if (embedded->busy || !g_main_context_acquire(embedded->context))
        return;
    embedded->busy = true;
    g_main_context_iteration(embedded->context, FALSE);
    embedded->busy = false;
    if (!embedded->freed)
        follow(embedded);
    g_main_context_release(embedded->context);
    if (embedded->freed)
        destroy(embedded);
}

struct embedded *embedded_new(struct poller *poller, GMainContext *context,
                              bool (*first)(void *user, int fd), void *user)
{
    struct embedded *embedded = g_new0(struct embedded, 1);
    embedded->poller = poller;
    embedded->context = g_main_context_ref(context);
    embedded->first = first;
    embedded->user = user;
    embedded->timer = (struct poller_timer){.fire = turn, .user = embedded};
    if (g_main_context_acquire(context)) {
        follow(embedded);
        g_main_context_release(context);
    }
    return embedded;
}

void embedded_free(struct embedded *embedded)
{
    if (!embedded)
        return;
    embedded->freed = true;
    if (!embedded->busy)
        destroy(embedded);
}
