/* A router of UPnP's Internet Gateway Device on a free port of loopback, as far as port mappings
 * need one. */
#ifndef JINGLE_TESTS_ROUTER_H
#define JINGLE_TESTS_ROUTER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

struct router {
    const char *outside; /* its address */
    bool permanent_only; /* it refuses leases */
    /* what it did; to be read after the semaphores or when it is stopped */
    unsigned added, refused, deleted;
    char client[64];
    char port[16];
    sem_t has_deleted;
    sem_t was_asked; /* for its address */
    /* its own */
    char url[64]; /* of its description */
    int fd;
    int quit[2];
    pthread_t thread;
};

void router_start(struct router *router);
void router_stop(struct router *router);

#endif
