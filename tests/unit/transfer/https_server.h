/* A server of HTTPS on a free port of loopback, for one request, on a thread of its own. */
#ifndef JINGLE_TESTS_HTTPS_SERVER_H
#define JINGLE_TESTS_HTTPS_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct https_server {
    const char *answer;      /* after the body: a whole response; NULL: none, until the test ends */
    bool reads_nothing;      /* of the body */
    const char *certificate; /* path of its own, signed by itself, for "localhost" */
    /* what came */
    char head[4096];
    uint8_t *body;
    size_t body_size;
    /* its own */
    uint16_t port;
    int fd;
    int quit[2];
    pthread_t thread;
    void *tls;
};

/* Writes the certificate to this path. */
void https_server_start(struct https_server *server, const char *certificate);
/* Waits for the thread; what came can be read then. */
void https_server_stop(struct https_server *server);
void https_server_clear(struct https_server *server);

#endif
