/* The addresses of this machine that a peer may be told as direct candidates (XEP-0260). */
#ifndef JINGLE_TRANSFER_HOST_ADDRESSES_H
#define JINGLE_TRANSFER_HOST_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>

#include "transfer/bytestream.h"

enum { HOST_ADDRESSES_MAX = 8 };

struct host_addresses {
    char text[HOST_ADDRESSES_MAX][BYTESTREAM_HOST_SIZE]; /* IPv4 first */
    size_t count;
};

/* Of interfaces that are up; no link-local ones (they need a zone), loopback only if asked for. */
void host_addresses_list(struct host_addresses *list, bool loopback);

#endif
