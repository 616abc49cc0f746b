#include "media/worker.h"

#include "base/thread.h"

static void *run(void *user)
{
    struct worker *w = user;
    pthread_mutex_lock(&w->mutex);
    while (!w->quit) {
        if (!w->woken) {
            pthread_cond_wait(&w->changed, &w->mutex);
            continue;
        }
        w->woken = false;
        pthread_mutex_unlock(&w->mutex);
        w->work(w->user);
        pthread_mutex_lock(&w->mutex);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

bool worker_start(struct worker *w, void (*work)(void *user), void *user)
{
    *w = (struct worker){.work = work, .user = user};
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->changed, NULL);
    if (thread_start(&w->thread, NULL, run, w)) {
        return true;
    }
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->mutex);
    return false;
}

static void tell(struct worker *w, bool *what)
{
    pthread_mutex_lock(&w->mutex);
    *what = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->mutex);
}

void worker_wake(struct worker *w)
{
    tell(w, &w->woken);
}

void worker_stop(struct worker *w)
{
    tell(w, &w->quit);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->mutex);
}
