#include "call_gate.h"

#include <pthread.h>
#include <stdatomic.h>

struct call_gate {
    _Atomic int references;
    struct loop *loop;
    pthread_mutex_t lock; /* of `open`, and held while posting */
    bool open;
    void *user;
};

struct message {
    struct call_gate *gate;
    void (*fn)(void *user, void *arg);
    void (*drop)(void *arg);
    void *arg;
};

struct call_gate *call_gate_new(struct loop *loop, void *user)
{
    struct call_gate *gate = g_new0(struct call_gate, 1);
    gate->references = 1;
    gate->loop = loop;
    gate->open = true;
    gate->user = user;
    pthread_mutex_init(&gate->lock, NULL);
    return gate;
}

struct call_gate *call_gate_ref(struct call_gate *gate)
{
    atomic_fetch_add(&gate->references, 1);
    return gate;
}

void call_gate_unref(struct call_gate *gate)
{
    if (atomic_fetch_sub(&gate->references, 1) == 1) {
        pthread_mutex_destroy(&gate->lock);
        g_free(gate);
    }
}

void call_gate_close(struct call_gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = false;
    pthread_mutex_unlock(&gate->lock);
    call_gate_unref(gate);
}

static void message_drop(void *arg)
{
    struct message *message = arg;
    if (message->drop) {
        message->drop(message->arg);
    }
    call_gate_unref(message->gate);
    g_free(message);
}

/* On the thread that closes, so `open` does not change meanwhile. */
static void message_deliver(void *arg)
{
    struct message *message = arg;
    if (!message->gate->open) {
        message_drop(message);
        return;
    }
    message->fn(message->gate->user, message->arg);
    call_gate_unref(message->gate);
    g_free(message);
}

void call_gate_post(struct call_gate *gate, void (*fn)(void *user, void *arg),
                    void (*drop)(void *arg), void *arg)
{
    struct message *message = g_new(struct message, 1);
    *message = (struct message){call_gate_ref(gate), fn, drop, arg};
    pthread_mutex_lock(&gate->lock);
    bool open = gate->open;
    if (open) {
        loop_post(gate->loop, message_deliver, message_drop, message);
    }
    pthread_mutex_unlock(&gate->lock);
    if (!open) {
        message_drop(message);
    }
}
