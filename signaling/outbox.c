#include "signaling/outbox.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "signaling/jid.h"

struct waiting {
    char *id;
    struct xml *iq;
    struct outbox_request request; /* `to` is owned */
    usec deadline;                 /* USEC_NEVER while offline */
    unsigned times;                /* it was sent */
};

struct outbox {
    char *prefix;
    unsigned counter;
    outbox_send_fn send;
    void *user;
    char *own_jid;  /* NULL while offline */
    GQueue waiting; /* struct waiting, oldest first */
};

static void waiting_free(struct waiting *waiting)
{
    g_free(waiting->id);
    g_free((char *)waiting->request.to);
    xml_free(waiting->iq);
    g_free(waiting);
}

static void waiting_free_data(void *waiting)
{
    waiting_free(waiting);
}

struct outbox *outbox_new(const char *id_prefix, outbox_send_fn send, void *user)
{
    struct outbox *outbox = g_new0(struct outbox, 1);
    outbox->prefix = g_strdup(id_prefix);
    outbox->send = send;
    outbox->user = user;
    g_queue_init(&outbox->waiting);
    return outbox;
}

void outbox_free(struct outbox *outbox)
{
    g_queue_clear_full(&outbox->waiting, waiting_free_data);
    g_free(outbox->prefix);
    g_free(outbox->own_jid);
    g_free(outbox);
}

char *outbox_id(struct outbox *outbox)
{
    return g_strdup_printf("%s%u", outbox->prefix, ++outbox->counter);
}

static void transmit(struct outbox *outbox, struct waiting *waiting, usec now)
{
    usec limit = waiting->request.limit ? waiting->request.limit : OUTBOX_ANSWER_LIMIT;
    bool enough = waiting->times >= OUTBOX_TIMES_MAX;
    waiting->deadline = enough ? now : now + limit;
    if (enough)
        return;
    waiting->times++;
    outbox->send(outbox->user, xml_root(waiting->iq));
}

void outbox_send(struct outbox *outbox, struct xml *iq, const struct outbox_request *request,
                 usec now)
{
    if (!outbox->own_jid && !request->keep) {
        xml_free(iq);
        return;
    }
    struct waiting *waiting = g_new0(struct waiting, 1);
    waiting->id = outbox_id(outbox);
    waiting->iq = iq;
    waiting->request = *request;
    waiting->request.to = g_strdup(request->to);
    waiting->deadline = USEC_NEVER;
    xml_set(xml_root(iq), "id", waiting->id);
    g_queue_push_tail(&outbox->waiting, waiting);
    if (outbox->own_jid)
        transmit(outbox, waiting, now);
}

void outbox_online(struct outbox *outbox, const char *own_jid, usec now)
{
    g_free(outbox->own_jid);
    outbox->own_jid = g_strdup(own_jid);
    for (GList *item = outbox->waiting.head; item; item = item->next)
        transmit(outbox, item->data, now);
}

void outbox_offline(struct outbox *outbox)
{
    g_free(outbox->own_jid);
    outbox->own_jid = NULL;
    for (GList *item = outbox->waiting.head, *next = NULL; item; item = next) {
        struct waiting *waiting = item->data;
        next = item->next;
        waiting->deadline = USEC_NEVER;
        if (waiting->request.keep)
            continue;
        g_queue_delete_link(&outbox->waiting, item);
        waiting_free(waiting);
    }
}

/* RFC 6120, 8.1.2.1: what concerns our account may come from the account, from us, or unsigned;
 * some servers answer as the domain. */
static bool is_from_whom_we_asked(const struct outbox *outbox, const char *to, const char *from)
{
    if (jid_equal(to, from))
        return true;
    if (to && !jid_equal_bare(to, outbox->own_jid))
        return false;
    if (to && jid_is_full(to))
        return false;
    char *domain = jid_domain(outbox->own_jid);
    bool trusted = !from || jid_equal(from, outbox->own_jid) ||
                   (!jid_is_full(from) && jid_equal_bare(from, outbox->own_jid)) ||
                   jid_equal(from, domain);
    g_free(domain);
    return trusted;
}

static GList *find(const struct outbox *outbox, const struct stanza *stanza)
{
    for (GList *item = outbox->waiting.head; item; item = item->next) {
        const struct waiting *waiting = item->data;
        if (strcmp(waiting->id, stanza->id) == 0 &&
            is_from_whom_we_asked(outbox, waiting->request.to, stanza->from))
            return item;
    }
    return NULL;
}

static void finish(struct outbox *outbox, GList *item, const struct stanza *answer,
                   const struct stanza_error *error, usec now)
{
    struct waiting *waiting = item->data;
    g_queue_delete_link(&outbox->waiting, item);
    struct outbox_request request = waiting->request;
    if (request.answered)
        request.answered(request.user, request.tag, answer, error, now);
    waiting_free(waiting);
}

bool outbox_receive(struct outbox *outbox, const struct stanza *stanza, usec now)
{
    bool is_result = stanza_is(stanza, STANZA_IQ, "result");
    if (!outbox->own_jid || (!is_result && !stanza_is(stanza, STANZA_IQ, "error")))
        return false;
    GList *item = find(outbox, stanza);
    if (!item)
        return false;
    struct stanza_error error;
    if (!is_result)
        stanza_error_read(&error, stanza);
    finish(outbox, item, stanza, is_result ? NULL : &error, now);
    return true;
}

void outbox_forget(struct outbox *outbox, const void *user)
{
    for (GList *item = outbox->waiting.head, *next = NULL; item; item = next) {
        struct waiting *waiting = item->data;
        next = item->next;
        if (waiting->request.user != user)
            continue;
        waiting->request.answered = NULL;
        waiting->request.user = NULL;
        if (waiting->request.last_word)
            continue;
        g_queue_delete_link(&outbox->waiting, item);
        waiting_free(waiting);
    }
}

usec outbox_next_deadline(const struct outbox *outbox)
{
    usec next = USEC_NEVER;
    for (GList *item = outbox->waiting.head; item; item = item->next) {
        const struct waiting *waiting = item->data;
        next = MIN(next, waiting->deadline);
    }
    return next;
}

static GList *find_expired(const struct outbox *outbox, usec now)
{
    for (GList *item = outbox->waiting.head; item; item = item->next) {
        const struct waiting *waiting = item->data;
        if (waiting->deadline <= now)
            return item;
    }
    return NULL;
}

void outbox_tick(struct outbox *outbox, usec now)
{
    struct stanza_error error =
        stanza_error_make(STANZA_REMOTE_SERVER_TIMEOUT, JINGLE_CONDITION_NONE, "no answer");
    for (GList *item = find_expired(outbox, now); item; item = find_expired(outbox, now))
        finish(outbox, item, NULL, &error, now);
}
