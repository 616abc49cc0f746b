/* The addresses of this machine that a peer may be told as direct candidates (XEP-0260). */
#ifndef JINGLE_TRANSFER_HOST_ADDRESSES_H
#define JINGLE_TRANSFER_HOST_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addresses.h"
#include "transfer/bytestream.h"

enum { HOST_ADDRESSES_MAX = 8 };

struct host_addresses {
    char text[HOST_ADDRESSES_MAX][BYTESTREAM_HOST_SIZE]; /* in the order of base/addresses.h */
    size_t count;
};

void host_addresses_list(struct host_addresses *list, const struct address_choice *choice);

#endif
