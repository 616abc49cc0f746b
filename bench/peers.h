/* The two processes of a bench: a client in each, whose stanzas go over a socket pair in place of
 * an XMPP server.
 *
 *     caller's process ── SOCK_SEQPACKET: stanzas, results ── callee's process (a child) */
#ifndef JINGLE_BENCH_PEERS_H
#define JINGLE_BENCH_PEERS_H

#include "base/clock.h"
#include "support/switchboard.h"

#include <jingle/jingle.h>

#include <sys/types.h>

#define PEER_CALLER "caller@bench.test/a"
#define PEER_CALLEE "callee@bench.test/b"

/* The first byte of a message between the processes. */
enum { PEER_STANZA = 's', PEER_NOTE = 'n' };

struct peer {
    bool is_caller;
    jingle_client *client;
    struct switchboard *board;
    int fd;
    usec delay;  /* one way; 0: the processes talk directly (path.h) */
    pid_t child; /* in the caller's process: the callee */
    pid_t path;  /* and what is between them, if there is delay */
    void *user;
    void (*event)(struct peer *peer, const jingle_event *event);
    /* Something else than a stanza came from the other process. */
    void (*note)(struct peer *peer, const void *note, size_t bytes);
};

/* Forks, so before any thread. Returns twice: `peer->is_caller` tells where. `event` and `note`
 * must be set; the client is made and online afterwards. */
void peers_start(struct peer *peer);

/* Tells the other process something, up to 4 KiB. */
void peer_note(struct peer *peer, const void *note, size_t bytes);

/* Runs until `done`; ends the program with a sentence if that takes longer than `timeout`. */
void peer_run(struct peer *peer, bool (*done)(void *peer), int64_t timeout, const char *what);

/* Runs for this long. */
void peer_run_for(struct peer *peer, int64_t time);

/* Frees the client; the child exits here, and the parent waits for it. */
void peer_end(struct peer *peer);

#endif
