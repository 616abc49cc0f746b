#include "events.h"

#include "base/clock.h"
#include "session.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* An application that does not read its events must not make us grow without bound: first it loses
 * what it can do without, then no more calls and files come in, and at last it loses everything but
 * the ends of these, of which there are not many. */
#define EVENTS_MAX      4096
#define EVENTS_MAX_HARD 65536

struct node {
    struct node *next;
    jingle_event event;
    GStringChunk *text; /* what the event points to */
};

struct events {
    pthread_mutex_t lock; /* several threads push, one takes */
    struct node *first;
    struct node **last;
    unsigned count;
    struct node *current; /* what events_next() gave out */
    int fd;
    pthread_mutex_t wake_lock; /* held while `wake` runs, so that it can be taken away safely */
    void (*wake)(void *user);
    void *wake_user;
};

struct events *events_new(void)
{
    struct events *events = g_new0(struct events, 1);
    events->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (events->fd < 0) {
        g_free(events);
        return NULL;
    }
    pthread_mutex_init(&events->lock, NULL);
    pthread_mutex_init(&events->wake_lock, NULL);
    events->last = &events->first;
    return events;
}

static void node_free(struct node *node)
{
    if (!node) {
        return;
    }
    jingle_session_unref(node->event.session);
    jingle_transfer_unref(node->event.transfer);
    g_string_chunk_free(node->text);
    g_free(node);
}

void events_free(struct events *events)
{
    if (!events) {
        return;
    }
    while (events->first) {
        struct node *node = events->first;
        events->first = node->next;
        node_free(node);
    }
    node_free(events->current);
    close(events->fd);
    pthread_mutex_destroy(&events->lock);
    pthread_mutex_destroy(&events->wake_lock);
    g_free(events);
}

static const char *keep(struct node *node, const char *text)
{
    return g_string_chunk_insert(node->text, text ? text : "");
}

static void keep_statistics_text(struct node *node, jingle_statistics *s)
{
    s->codec = keep(node, s->codec);
    s->srtp_profile = keep(node, s->srtp_profile);
    s->dtls_cipher = keep(node, s->dtls_cipher);
    s->candidate_local = keep(node, s->candidate_local);
    s->candidate_remote = keep(node, s->candidate_remote);
    s->video.codec = keep(node, s->video.codec);
    s->video.codec_received = keep(node, s->video.codec_received);
}

static void keep_text(struct node *node)
{
    jingle_event *event = &node->event;
    event->text = keep(node, event->text);
    switch (event->type) {
    case JINGLE_EVENT_CONTACT:
    case JINGLE_EVENT_SUBSCRIPTION:
        event->u.contact.jid = keep(node, event->u.contact.jid);
        event->u.contact.name = keep(node, event->u.contact.name);
        break;
    case JINGLE_EVENT_STANZA:
        event->u.stanza.xml = g_string_chunk_insert_len(node->text, event->u.stanza.xml,
                                                        (gssize)event->u.stanza.bytes);
        break;
    case JINGLE_EVENT_INCOMING:
    case JINGLE_EVENT_MISSED:
        event->u.incoming.from = keep(node, event->u.incoming.from);
        event->u.incoming.name = keep(node, event->u.incoming.name);
        break;
    case JINGLE_EVENT_STATISTICS:
        keep_statistics_text(node, &event->u.statistics);
        break;
    case JINGLE_EVENT_FILE_OFFERED:
    case JINGLE_EVENT_FILE_REQUESTED:
        event->u.file.from = keep(node, event->u.file.from);
        event->u.file.name = keep(node, event->u.file.name);
        event->u.file.media_type = keep(node, event->u.file.media_type);
        event->u.file.description = keep(node, event->u.file.description);
        break;
    case JINGLE_EVENT_LINK:
        event->u.link.from = keep(node, event->u.link.from);
        event->u.link.name = keep(node, event->u.link.name);
        event->u.link.url = keep(node, event->u.link.url);
        event->u.link.description = keep(node, event->u.link.description);
        break;
    case JINGLE_EVENT_TRANSFER_ENDED:
        event->u.transfer_ended.path = keep(node, event->u.transfer_ended.path);
        event->u.transfer_ended.url = keep(node, event->u.transfer_ended.url);
        break;
    case JINGLE_EVENT_CHECK:
        event->u.check.subject = keep(node, event->u.check.subject);
        event->u.check.remedy = keep(node, event->u.check.remedy);
        break;
    default:
        break;
    }
}

static struct node *node_new(const jingle_event *event)
{
    struct node *node = g_new0(struct node, 1);
    node->text = g_string_chunk_new(64);
    node->event = *event;
    jingle_session_ref(event->session);
    jingle_transfer_ref(event->transfer);
    if (!node->event.time) {
        node->event.time = clock_wall();
    }
    keep_text(node);
    return node;
}

static bool is_figures(jingle_event_type type)
{
    return type == JINGLE_EVENT_STATISTICS || type == JINGLE_EVENT_TRANSFER_PROGRESS;
}

/* Takes an unread event with older figures of the same session or transfer out of the queue. */
static struct node *take_stale_figures(struct events *events, const jingle_event *newer)
{
    for (struct node **at = &events->first; *at; at = &(*at)->next) {
        struct node *node = *at;
        if (node->event.type == newer->type && node->event.session == newer->session &&
            node->event.transfer == newer->transfer) {
            *at = node->next;
            if (!*at) {
                events->last = at;
            }
            events->count--;
            return node;
        }
    }
    return NULL;
}

static bool can_be_missed(jingle_event_type type)
{
    switch (type) {
    case JINGLE_EVENT_CONTACT:
    case JINGLE_EVENT_SUBSCRIPTION:
    case JINGLE_EVENT_MISSED:
    case JINGLE_EVENT_LINK:
    case JINGLE_EVENT_HOLD:
    case JINGLE_EVENT_MUTE:
    case JINGLE_EVENT_DIGIT:
    case JINGLE_EVENT_DEVICE:
    case JINGLE_EVENT_VIDEO_MUTE:
    case JINGLE_EVENT_VIDEO_DEVICE:
    case JINGLE_EVENT_STATISTICS:
    case JINGLE_EVENT_TRANSFER_PROGRESS:
        return true;
    default:
        return false;
    }
}

static bool is_end(jingle_event_type type)
{
    return type == JINGLE_EVENT_ENDED || type == JINGLE_EVENT_TRANSFER_ENDED;
}

static bool has_room(const struct events *events, jingle_event_type type)
{
    return is_end(type) || events->count < (can_be_missed(type) ? EVENTS_MAX : EVENTS_MAX_HARD);
}

static void append(struct events *events, struct node *node)
{
    bool was_empty = !events->first;
    *events->last = node;
    events->last = &node->next;
    events->count++;
    if (was_empty) {
        uint64_t one = 1;
        while (write(events->fd, &one, sizeof one) < 0 && errno == EINTR) {
        }
    }
}

static void wake_up(struct events *events)
{
    pthread_mutex_lock(&events->wake_lock);
    if (events->wake) {
        events->wake(events->wake_user);
    }
    pthread_mutex_unlock(&events->wake_lock);
}

void events_push(struct events *events, const jingle_event *event)
{
    struct node *node = node_new(event);
    struct node *refused = NULL;
    struct node *stale = NULL;
    pthread_mutex_lock(&events->lock);
    bool was_empty = !events->first;
    if (is_figures(event->type)) {
        stale = take_stale_figures(events, event);
    }
    if (has_room(events, event->type)) {
        append(events, node);
    } else {
        refused = node;
    }
    pthread_mutex_unlock(&events->lock);
    node_free(stale);
    node_free(refused);
    if (was_empty) {
        wake_up(events);
    }
}

bool events_are_full(struct events *events)
{
    pthread_mutex_lock(&events->lock);
    bool full = events->count >= EVENTS_MAX;
    pthread_mutex_unlock(&events->lock);
    return full;
}

const jingle_event *events_next(struct events *events)
{
    node_free(events->current);
    pthread_mutex_lock(&events->lock);
    struct node *node = events->first;
    if (node) {
        events->first = node->next;
        events->count--;
    }
    if (!events->first) {
        uint64_t count;
        events->last = &events->first;
        while (read(events->fd, &count, sizeof count) < 0 && errno == EINTR) {
        }
    }
    pthread_mutex_unlock(&events->lock);
    events->current = node;
    return node ? &node->event : NULL;
}

const jingle_event *events_wait(struct events *events, int64_t timeout)
{
    usec end = timeout < 0 ? USEC_NEVER : clock_now() + timeout;
    for (;;) {
        const jingle_event *event = events_next(events);
        usec left = end == USEC_NEVER ? 1000 * USEC_PER_SEC : end - clock_now();
        if (event || left <= 0) {
            return event;
        }
        struct pollfd readable = {.fd = events->fd, .events = POLLIN};
        poll(&readable, 1, (int)((left + USEC_PER_MS - 1) / USEC_PER_MS));
    }
}

int events_fd(const struct events *events)
{
    return events->fd;
}

void events_set_wakeup(struct events *events, void (*wake)(void *user), void *user)
{
    pthread_mutex_lock(&events->wake_lock);
    events->wake = wake;
    events->wake_user = user;
    pthread_mutex_unlock(&events->wake_lock);
    pthread_mutex_lock(&events->lock);
    bool waiting = events->first;
    pthread_mutex_unlock(&events->lock);
    if (waiting) {
        wake_up(events);
    }
}
