/* Two processes with a client each, logged in at a server, of which one sends files to the other:
 * jingle_transfer_offer ─▶ JINGLE_EVENT_TRANSFER_ENDED. */
#ifndef JINGLE_BENCH_FILE_SIDES_H
#define JINGLE_BENCH_FILE_SIDES_H

#include <jingle/jingle.h>

#include <sys/types.h>

struct file_sides {
    const char *host;
    uint16_t port;
    const char *domain; /* with the accounts alice and bob, password "secret" */
    const char *ca_file;
    const char *folder; /* where the files go that bob receives; each is removed at its end */
    pid_t children[2];
    int control[2];
};

/* Forks, so before any thread; returns when both are online. These end the program if they cannot
 * do what they should. */
void file_sides_start(struct file_sides *sides);

/* Sends a file this way; how long it took in seconds, from the offer until the sender was told that
 * it is whole. */
double file_sides_send(struct file_sides *sides, const char *path, jingle_way way);

/* Ends both. The most memory that either had above what it had before the first file, in KiB. */
long file_sides_end(struct file_sides *sides);

#endif
