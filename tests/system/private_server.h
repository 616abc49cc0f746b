/* A Prosody of the test's own: its configuration, certificate and data in a temporary directory,
 * on free ports of loopback, serving jingle.test with the account romeo, password "secret". */
#ifndef JINGLE_TESTS_PRIVATE_SERVER_H
#define JINGLE_TESTS_PRIVATE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

struct private_server {
    char directory[64];
    char certificate[96]; /* PEM, signed by itself */
    uint16_t port;        /* STARTTLS */
    uint16_t direct_port; /* TLS from the first byte */
    int pid;              /* 0: not running */
};

/* These end the test program if they cannot. */
void private_server_make(struct private_server *server);
/* `tls` false: without any. */
void private_server_start(struct private_server *server, bool tls);
void private_server_stop(struct private_server *server);
void private_server_remove(struct private_server *server);

/* A port of loopback that nobody listens on now. */
uint16_t free_port(void);

#endif
