#include "signaling/late_calls.h"

#include <string.h>

#include <glib.h>

#include "signaling/jid.h"

struct late_calls {
    GQueue held; /* struct late_call, oldest first */
    bool waits;
};

void late_call_clear(struct late_call *call)
{
    g_free(call->sid);
    g_free(call->from);
    g_free(call->receipt);
}

static void call_free(void *data)
{
    late_call_clear(data);
    g_free(data);
}

struct late_calls *late_calls_new(void)
{
    struct late_calls *calls = g_new0(struct late_calls, 1);
    g_queue_init(&calls->held);
    return calls;
}

void late_calls_free(struct late_calls *calls)
{
    g_queue_clear_full(&calls->held, call_free);
    g_free(calls);
}

bool late_calls_hold(struct late_calls *calls, const struct late_call *call)
{
    if (g_queue_get_length(&calls->held) >= LATE_CALLS_MAX)
        return false;
    struct late_call *copy = g_new(struct late_call, 1);
    *copy = *call;
    copy->sid = g_strdup(call->sid);
    copy->from = g_strdup(call->from);
    copy->receipt = g_strdup(call->receipt);
    g_queue_push_tail(&calls->held, copy);
    return true;
}

struct late_call *late_calls_find_sid(struct late_calls *calls, const char *sid)
{
    for (GList *item = calls->held.head; item; item = item->next) {
        struct late_call *call = item->data;
        if (strcmp(call->sid, sid) == 0)
            return call;
    }
    return NULL;
}

struct late_call *late_calls_find(struct late_calls *calls, const char *from, const char *sid)
{
    for (GList *item = calls->held.head; item; item = item->next) {
        struct late_call *call = item->data;
        if (strcmp(call->sid, sid) == 0 && jid_equal_bare(call->from, from))
            return call;
    }
    return NULL;
}

void late_calls_drop(struct late_calls *calls, struct late_call *call)
{
    g_queue_remove(&calls->held, call);
    call_free(call);
}

void late_calls_wait(struct late_calls *calls, bool archive_is_read)
{
    calls->waits = archive_is_read;
}

void late_calls_drop_archived(struct late_calls *calls)
{
    for (GList *item = calls->held.head, *next = NULL; item; item = next) {
        struct late_call *call = item->data;
        next = item->next;
        if (!call->archived)
            continue;
        g_queue_delete_link(&calls->held, item);
        call_free(call);
    }
}

static usec due_of(const struct late_calls *calls, const struct late_call *call)
{
    return calls->waits && call->archived ? USEC_NEVER : call->due;
}

usec late_calls_next(const struct late_calls *calls)
{
    usec next = USEC_NEVER;
    for (GList *item = calls->held.head; item; item = item->next)
        next = MIN(next, due_of(calls, item->data));
    return next;
}

bool late_calls_take(struct late_calls *calls, usec now, struct late_call *call)
{
    for (GList *item = calls->held.head; item; item = item->next) {
        struct late_call *held = item->data;
        if (due_of(calls, held) > now)
            continue;
        g_queue_delete_link(&calls->held, item);
        *call = *held;
        g_free(held);
        return true;
    }
    return false;
}
