#include "transport/poller.h"

#include "transport/embedded.h"

#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 64
#define STRETCH        (2 * USEC_PER_MS) /* of timers; then sockets have their turn */

struct poller {
    GMainContext *context;
    GSource *source;           /* in `context`, while somebody else runs that; or */
    struct embedded *embedded; /* `context`, while poller_turn() is used */
    int fd;
    unsigned holders;
    /* of the round that is being worked off: a removed watch is blotted out */
    struct epoll_event events[EVENTS_AT_ONCE];
    int event_count;
    GPtrArray *watches; /* struct poller_watch, by descriptor: whose a number is now */
    GPtrArray *timers;  /* heaps of struct poller_timer: those that cannot wait */
    GPtrArray *patient; /* and those that can */
    bool firing;
};

struct poller_source {
    GSource base;
    struct poller *poller;
};

/* ---------------------------------------------------------------------------------- timers -- */

/* A heap has the nearest timer at place 1 and nothing at place 0. */
static struct poller_timer *at(const GPtrArray *heap, size_t place)
{
    return heap->pdata[place];
}

static void put(GPtrArray *heap, size_t place, struct poller_timer *timer)
{
    heap->pdata[place] = timer;
    timer->place = place;
}

static void rise(GPtrArray *heap, size_t place)
{
    struct poller_timer *timer = at(heap, place);
    for (; place > 1 && at(heap, place / 2)->when > timer->when; place /= 2)
        put(heap, place, at(heap, place / 2));
    put(heap, place, timer);
}

static void sink(GPtrArray *heap, size_t place)
{
    struct poller_timer *timer = at(heap, place);
    size_t last = heap->len - 1;
    while (place * 2 <= last) {
        size_t child = place * 2;
        if (child < last && at(heap, child + 1)->when < at(heap, child)->when)
            child++;
        if (at(heap, child)->when >= timer->when)
            break;
        put(heap, place, at(heap, child));
        place = child;
    }
    put(heap, place, timer);
}

static void take_out(GPtrArray *heap, struct poller_timer *timer)
{
    size_t place = timer->place;
    size_t last = heap->len - 1;
    struct poller_timer *moved = at(heap, last);
    timer->place = 0;
    g_ptr_array_set_size(heap, (gint)last);
    if (moved == timer)
        return;
    put(heap, place, moved);
    rise(heap, place);
    sink(heap, moved->place);
}

static usec nearest_of(const GPtrArray *heap)
{
    return heap->len > 1 ? at(heap, 1)->when : USEC_NEVER;
}

static usec nearest(const struct poller *poller)
{
    return MIN(nearest_of(poller->timers), nearest_of(poller->patient));
}

static void tell_source(struct poller *poller)
{
    if (!poller->source)
        return;
    usec when = nearest(poller);
    g_source_set_ready_time(poller->source, when == USEC_NEVER ? -1 : when);
}

void poller_set_timer(struct poller *poller, struct poller_timer *timer, usec when)
{
    GPtrArray *heap = timer->patient ? poller->patient : poller->timers;
    usec before = nearest(poller);
    if (timer->place != 0 && when == USEC_NEVER) {
        take_out(heap, timer);
    } else if (timer->place != 0) {
        timer->when = when;
        rise(heap, timer->place);
        sink(heap, timer->place);
    } else if (when != USEC_NEVER) {
        timer->when = when;
        g_ptr_array_add(heap, timer);
        rise(heap, heap->len - 1);
    }
    if (!poller->firing && nearest(poller) != before)
        tell_source(poller);
}

static void fire_first(GPtrArray *heap)
{
    struct poller_timer *timer = at(heap, 1);
    take_out(heap, timer);
    timer->fire(timer->user);
}

/* One of the patient at a time; then those may be due again that cannot wait. */
static void fire_timers(struct poller *poller)
{
    usec begun = clock_now();
    usec now = begun;
    poller->firing = true;
    while (nearest(poller) <= now && now - begun < STRETCH) {
        while (nearest_of(poller->timers) <= now)
            fire_first(poller->timers);
        if (nearest_of(poller->patient) <= now)
            fire_first(poller->patient);
        now = clock_now();
    }
    poller->firing = false;
    tell_source(poller);
}

/* --------------------------------------------------------------------------------- sockets -- */

static void work_off(struct poller *poller, int count)
{
    poller->event_count = count;
    for (int i = 0; i < poller->event_count; i++) {
        struct poller_watch *watch = poller->events[i].data.ptr;
        if (watch)
            watch->ready(watch->user);
    }
    poller->event_count = 0;
    fire_timers(poller);
}

static struct poller_watch **owner_of(struct poller *poller, int fd)
{
    if ((guint)fd >= poller->watches->len)
        g_ptr_array_set_size(poller->watches, fd + 1);
    return (struct poller_watch **)&poller->watches->pdata[fd];
}

bool poller_add(struct poller *poller, struct poller_watch *watch)
{
    struct epoll_event event = {.events = watch->events, .data.ptr = watch};
    if (watch->fd < 0)
        return false;
    struct poller_watch **owner = owner_of(poller, watch->fd);
    bool known = *owner == watch && epoll_ctl(poller->fd, EPOLL_CTL_MOD, watch->fd, &event) == 0;
    if (!known && epoll_ctl(poller->fd, EPOLL_CTL_ADD, watch->fd, &event) != 0)
        return false;
    *owner = watch;
    return true;
}

void poller_remove(struct poller *poller, struct poller_watch *watch)
{
    struct poller_watch **owner = watch->fd < 0 ? NULL : owner_of(poller, watch->fd);
    if (owner && *owner == watch) {
        epoll_ctl(poller->fd, EPOLL_CTL_DEL, watch->fd, NULL);
        *owner = NULL;
    }
    for (int i = 0; i < poller->event_count; i++)
        if (poller->events[i].data.ptr == watch)
            poller->events[i].data.ptr = NULL;
}

/* ------------------------------------------------------------------------------ both manners -- */

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer user)
{
    struct poller *poller = ((struct poller_source *)source)->poller;
    (void)callback;
    (void)user;
    work_off(poller, epoll_wait(poller->fd, poller->events, EVENTS_AT_ONCE, 0));
    return G_SOURCE_CONTINUE;
}

static void attach_source(struct poller *poller)
{
    static GSourceFuncs functions = {.dispatch = dispatch};
    poller->source = g_source_new(&functions, sizeof(struct poller_source));
    ((struct poller_source *)poller->source)->poller = poller;
    g_source_add_unix_fd(poller->source, poller->fd, G_IO_IN);
    g_source_attach(poller->source, poller->context);
    tell_source(poller);
}

static void detach_source(struct poller *poller)
{
    if (!poller->source)
        return;
    g_source_destroy(poller->source);
    g_clear_pointer(&poller->source, g_source_unref);
}

/* To the next millisecond: what is due within one is done at one wake-up. Waking to the microsecond
 * was measured to cost twice as much with fifty calls. */
static int wait_for_events(struct poller *poller, usec span)
{
    int ms = span == USEC_NEVER ? -1 : (int)MIN((span + USEC_PER_MS - 1) / USEC_PER_MS, G_MAXINT);
    return epoll_wait(poller->fd, poller->events, EVENTS_AT_ONCE, ms);
}

void poller_turn(struct poller *poller)
{
    if (!poller->embedded) {
        detach_source(poller);
        poller->embedded = embedded_new(poller, poller->context, NULL, NULL);
    }
    usec when = nearest(poller);
    usec now = when == USEC_NEVER ? 0 : clock_now();
    usec span = when == USEC_NEVER ? USEC_NEVER : MAX(when - now, 0);
    work_off(poller, wait_for_events(poller, span));
}

/* -------------------------------------------------------------------------------- lifetime -- */

struct poller *poller_new(GMainContext *context)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct poller *poller = g_new0(struct poller, 1);
    poller->context = g_main_context_ref(context);
    poller->fd = fd;
    poller->holders = 1;
    poller->watches = g_ptr_array_new();
    poller->timers = g_ptr_array_new();
    poller->patient = g_ptr_array_new();
    g_ptr_array_add(poller->timers, NULL);
    g_ptr_array_add(poller->patient, NULL);
    attach_source(poller);
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
    detach_source(poller);
    embedded_free(poller->embedded);
    g_ptr_array_free(poller->watches, TRUE);
    g_ptr_array_free(poller->timers, TRUE);
    g_ptr_array_free(poller->patient, TRUE);
    close(poller->fd);
    g_main_context_unref(poller->context);
    g_free(poller);
}

static void do_nothing(void *user)
{
    (void)user;
}

static void wait_for_holders(struct poller *poller)
{
    usec limit = clock_now() + POLLER_PATIENCE;
    struct poller_timer end = {.fire = do_nothing};
    poller_set_timer(poller, &end, limit);
    while (poller->holders > 1 && clock_now() < limit) {
        if (poller->embedded)
            poller_turn(poller);
        else
            g_main_context_iteration(poller->context, TRUE);
    }
    poller_set_timer(poller, &end, USEC_NEVER);
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
