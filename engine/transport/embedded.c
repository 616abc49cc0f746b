#include "transport/embedded.h"

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
    GPtrArray *descriptors; /* struct descriptor: what is watched now */
    GArray *wanted;         /* GPollFD: what the context wants to be watched */
    bool busy;              /* a source is running: freeing waits */
    bool freed;
};

static void turn(void *user);

static void forget_descriptor(gpointer element)
{
    struct descriptor *descriptor = element;
    poller_remove(descriptor->embedded->poller, &descriptor->watch);
    g_free(descriptor);
}

static void destroy(struct embedded *embedded)
{
    g_ptr_array_free(embedded->descriptors, TRUE);
    g_array_free(embedded->wanted, TRUE);
    poller_set_timer(embedded->poller, &embedded->timer, USEC_NEVER);
    g_main_context_unref(embedded->context);
    g_free(embedded);
}

static void on_ready(void *user)
{
    const struct descriptor *descriptor = user;
    struct embedded *embedded = descriptor->embedded;
    if (!embedded->first || !embedded->first(embedded->user, descriptor->watch.fd))
        turn(embedded);
}

static bool unchanged(const struct embedded *embedded)
{
    if (embedded->wanted->len != embedded->descriptors->len)
        return false;
    for (guint i = 0; i < embedded->wanted->len; i++) {
        const struct descriptor *descriptor = embedded->descriptors->pdata[i];
        if (g_array_index(embedded->wanted, GPollFD, i).fd != descriptor->watch.fd)
            return false;
    }
    return true;
}

static void make_descriptors(struct embedded *embedded)
{
    g_ptr_array_set_size(embedded->descriptors, 0);
    for (guint i = 0; i < embedded->wanted->len; i++) {
        struct descriptor *descriptor = g_new0(struct descriptor, 1);
        descriptor->embedded = embedded;
        descriptor->watch = (struct poller_watch){
            .fd = g_array_index(embedded->wanted, GPollFD, i).fd,
            .ready = on_ready,
            .user = descriptor,
        };
        g_ptr_array_add(embedded->descriptors, descriptor);
    }
}

/* All are added again even if the numbers are the same: one may have been closed, and its number
 * be that of another socket now. */
static void watch_descriptors(struct embedded *embedded)
{
    if (!unchanged(embedded))
        make_descriptors(embedded);
    for (guint i = 0; i < embedded->wanted->len; i++) {
        struct descriptor *descriptor = embedded->descriptors->pdata[i];
        descriptor->watch.events = g_array_index(embedded->wanted, GPollFD, i).events;
        poller_add(embedded->poller, &descriptor->watch);
    }
}

/* Returns in how many ms the context wants to be turned; -1: not at all. */
static gint ask(struct embedded *embedded)
{
    gint priority = G_MAXINT;
    gint timeout = -1;
    gint count = 0;
    g_main_context_prepare(embedded->context, &priority);
    do {
        g_array_set_size(embedded->wanted, MAX((guint)count, embedded->wanted->len));
        count = g_main_context_query(embedded->context, G_MAXINT, &timeout,
                                     (GPollFD *)(void *)embedded->wanted->data,
                                     (gint)embedded->wanted->len);
    } while ((guint)count > embedded->wanted->len);
    g_array_set_size(embedded->wanted, (guint)count);
    return timeout;
}

/* What the context waits for now, the poller waits for. */
static void follow(struct embedded *embedded)
{
    gint timeout = ask(embedded);
    watch_descriptors(embedded);
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
    embedded->descriptors = g_ptr_array_new_with_free_func(forget_descriptor);
    embedded->wanted = g_array_new(FALSE, FALSE, sizeof(GPollFD));
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
