#include "loop.h"

#include "base/thread.h"

#include <glib-unix.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

struct loop {
    pthread_t thread;
    char name[16];
    GMainContext *context;
    struct mailbox *mailbox;
    sem_t ready;
    bool quit; /* the loop's thread only */
};

static gboolean mailbox_readable(gint fd, GIOCondition condition, gpointer user)
{
    (void)fd;
    (void)condition;
    struct loop *loop = user;
    mailbox_run(loop->mailbox);
    return G_SOURCE_CONTINUE;
}

static void *loop_thread(void *user)
{
    struct loop *loop = user;
    pthread_setname_np(pthread_self(), loop->name);
    g_main_context_push_thread_default(loop->context);
    GSource *source = g_unix_fd_source_new(mailbox_fd(loop->mailbox), G_IO_IN);
    g_source_set_callback(source, G_SOURCE_FUNC(mailbox_readable), loop, NULL);
    g_source_attach(source, loop->context);
    sem_post(&loop->ready);
    while (!loop->quit) {
        g_main_context_iteration(loop->context, TRUE);
    }
    g_source_destroy(source);
    g_source_unref(source);
    /* libraries finish what they close asynchronously */
    while (g_main_context_iteration(loop->context, FALSE)) {
    }
    g_main_context_pop_thread_default(loop->context);
    return NULL;
}

struct loop *loop_new(const char *name)
{
    struct loop *loop = g_new0(struct loop, 1);
    g_strlcpy(loop->name, name, sizeof loop->name);
    loop->mailbox = mailbox_new();
    if (!loop->mailbox) {
        g_free(loop);
        return NULL;
    }
    loop->context = g_main_context_new();
    sem_init(&loop->ready, 0, 0);
    if (!thread_start(&loop->thread, NULL, loop_thread, loop)) {
        g_main_context_unref(loop->context);
        mailbox_free(loop->mailbox);
        sem_destroy(&loop->ready);
        g_free(loop);
        return NULL;
    }
    while (sem_wait(&loop->ready) != 0) {
    }
    return loop;
}

static void quit(void *arg)
{
    struct loop *loop = arg;
    loop->quit = true;
}

void loop_free(struct loop *loop)
{
    if (!loop) {
        return;
    }
    mailbox_post(loop->mailbox, quit, NULL, loop);
    pthread_join(loop->thread, NULL);
    mailbox_free(loop->mailbox);
    g_main_context_unref(loop->context);
    sem_destroy(&loop->ready);
    g_free(loop);
}

void loop_post(struct loop *loop, mailbox_fn fn, mailbox_fn drop, void *arg)
{
    mailbox_post(loop->mailbox, fn, drop, arg);
}

static void run_and_wake(void *arg)
{
    struct loop_wait *wait = arg;
    wait->fn(wait->arg);
    sem_post(&wait->done);
}

static void wake(void *arg)
{
    struct loop_wait *wait = arg;
    sem_post(&wait->done);
}

void loop_post_waiting(struct loop *loop, mailbox_fn fn, void *arg, struct loop_wait *wait)
{
    wait->fn = fn;
    wait->arg = arg;
    sem_init(&wait->done, 0, 0);
    loop_post(loop, run_and_wake, wake, wait);
}

void loop_wait(struct loop_wait *wait)
{
    while (sem_wait(&wait->done) != 0) {
    }
    sem_destroy(&wait->done);
}

void loop_call(struct loop *loop, mailbox_fn fn, void *arg)
{
    if (loop_is_current(loop)) {
        fn(arg);
        return;
    }
    struct loop_wait wait;
    loop_post_waiting(loop, fn, arg, &wait);
    loop_wait(&wait);
}

GMainContext *loop_context(struct loop *loop)
{
    return loop->context;
}

bool loop_is_current(const struct loop *loop)
{
    return pthread_equal(pthread_self(), loop->thread);
}

/* ---------------------------------------------------------------------------------------- */

struct timer {
    GSource *source;
    void (*fn)(void *user);
    void *user;
};

static gboolean dispatch_timer(GSource *source, GSourceFunc callback, gpointer user)
{
    (void)callback;
    struct timer *timer = user;
    g_source_set_ready_time(source, -1);
    timer->fn(timer->user);
    return G_SOURCE_CONTINUE;
}

static gboolean never_called(gpointer user)
{
    (void)user;
    return G_SOURCE_CONTINUE;
}

struct timer *timer_new(struct loop *loop, void (*fn)(void *user), void *user)
{
    static GSourceFuncs functions = {.dispatch = dispatch_timer};
    struct timer *timer = g_new0(struct timer, 1);
    timer->fn = fn;
    timer->user = user;
    timer->source = g_source_new(&functions, sizeof(GSource));
    g_source_set_callback(timer->source, never_called, timer, NULL);
    g_source_attach(timer->source, loop->context);
    return timer;
}

void timer_free(struct timer *timer)
{
    if (!timer) {
        return;
    }
    g_source_destroy(timer->source);
    g_source_unref(timer->source);
    g_free(timer);
}

void timer_set(struct timer *timer, usec deadline)
{
    g_source_set_ready_time(timer->source, deadline == USEC_NEVER ? -1 : deadline);
}
