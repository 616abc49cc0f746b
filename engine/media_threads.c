#include "media_threads.h"

#include "transport/poller.h"

#include <unistd.h>

#define THREADS_DEFAULT_MAX 4
#define THREADS_MAX         64

struct media_threads {
    unsigned count;
    struct media_thread threads[];
};

static void make_poller(void *arg)
{
    struct media_thread *thread = arg;
    thread->poller = poller_new(loop_context(thread->loop));
}

static void drop_poller(void *arg)
{
    struct media_thread *thread = arg;
    poller_free(thread->poller);
    thread->poller = NULL;
}

static unsigned thread_count(unsigned wanted)
{
    if (wanted == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        return cores < 1 ? 1 : (unsigned)MIN(cores, THREADS_DEFAULT_MAX);
    }
    return MIN(wanted, THREADS_MAX);
}

struct media_threads *media_threads_new(unsigned wanted)
{
    unsigned count = thread_count(wanted);
    struct media_threads *threads =
        g_malloc0(sizeof *threads + count * sizeof(struct media_thread));
    for (unsigned i = 0; i < count; i++) {
        struct media_thread *thread = &threads->threads[i];
        thread->loop = loop_new("jingle-media");
        if (!thread->loop) {
            media_threads_free(threads);
            return NULL;
        }
        threads->count++;
        loop_call(thread->loop, make_poller, thread);
        if (!thread->poller) {
            media_threads_free(threads);
            return NULL;
        }
    }
    return threads;
}

void media_threads_free(struct media_threads *threads)
{
    if (!threads) {
        return;
    }
    for (unsigned i = 0; i < threads->count; i++) {
        loop_post(threads->threads[i].loop, drop_poller, NULL, &threads->threads[i]);
        loop_free(threads->threads[i].loop);
    }
    g_free(threads);
}

struct media_thread *media_threads_take(struct media_threads *threads)
{
    struct media_thread *best = &threads->threads[0];
    for (unsigned i = 1; i < threads->count; i++) {
        if (threads->threads[i].calls < best->calls) {
            best = &threads->threads[i];
        }
    }
    best->calls++;
    return best;
}

void media_threads_give_back(struct media_thread *thread)
{
    thread->calls--;
}
