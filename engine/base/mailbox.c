#include "base/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct message {
    struct message *next;
    mailbox_fn fn;
    mailbox_fn drop;
    void *arg;
};

struct mailbox {
    pthread_mutex_t lock; /* posters and the owner meet here, for a few instructions at a time */
    struct message *first;
    struct message **last;
    int fd;
};

struct mailbox *mailbox_new(void)
{
    struct mailbox *box = calloc(1, sizeof *box);
    if (!box) {
        return NULL;
    }
    box->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (box->fd < 0) {
        free(box);
        return NULL;
    }
    pthread_mutex_init(&box->lock, NULL);
    box->last = &box->first;
    return box;
}

static struct message *take_all(struct mailbox *box)
{
    uint64_t count;
    pthread_mutex_lock(&box->lock);
    if (read(box->fd, &count, sizeof count) < 0) {
        count = 0; /* nothing was signalled: the list is empty, too */
    }
    struct message *first = box->first;
    box->first = NULL;
    box->last = &box->first;
    pthread_mutex_unlock(&box->lock);
    return first;
}

void mailbox_free(struct mailbox *box)
{
    if (!box) {
        return;
    }
    struct message *message;
    while ((message = take_all(box))) { /* a drop may post once more */
        while (message) {
            struct message *next = message->next;
            if (message->drop) {
                message->drop(message->arg);
            }
            free(message);
            message = next;
        }
    }
    close(box->fd);
    pthread_mutex_destroy(&box->lock);
    free(box);
}

void mailbox_post(struct mailbox *box, mailbox_fn fn, mailbox_fn drop, void *arg)
{
    struct message *message = malloc(sizeof *message);
    if (!message) {
        abort(); /* as GLib does: a lost message would leave the threads at odds */
    }
    *message = (struct message){.fn = fn, .drop = drop, .arg = arg};
    pthread_mutex_lock(&box->lock);
    int was_empty = !box->first;
    *box->last = message;
    box->last = &message->next;
    if (was_empty) {
        uint64_t one = 1;
        while (write(box->fd, &one, sizeof one) < 0 && errno == EINTR) {
        }
    }
    pthread_mutex_unlock(&box->lock);
}

int mailbox_fd(const struct mailbox *box)
{
    return box->fd;
}

void mailbox_run(struct mailbox *box)
{
    struct message *message = take_all(box);
    while (message) {
        struct message *next = message->next;
        message->fn(message->arg);
        free(message);
        message = next;
    }
}
