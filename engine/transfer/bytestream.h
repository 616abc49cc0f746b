/* A byte stream in both directions is a descriptor: of a TCP connection, or of one half of a pair
 * whose other half somebody pumps through in-band bytestreams. Whoever moves files sees no
 * difference, and a full socket is all the back-pressure there is. */
#ifndef JINGLE_TRANSFER_BYTESTREAM_H
#define JINGLE_TRANSFER_BYTESTREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addresses.h"

/* Non-blocking, closed on exec; for TCP without Nagle's delay and with keep-alives. */
bool bytestream_prepare(int fd);

/* Two connected halves, prepared. */
bool bytestream_pair(int fds[2]);

/* The local address of a connection as text, without a zone and never as an IPv4-mapped one: which
 * of our candidates it came in by. "" if there is none. */
void bytestream_local_host(int fd, char out[ADDRESS_TEXT_SIZE]);

#endif
