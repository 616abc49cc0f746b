/* When the peer is asked for a key frame (PLI or FIR): at once, and then ever more seldom while
 * none comes or what comes is not decodable. */
#ifndef JINGLE_RTP_KEY_FRAME_REQUEST_H
#define JINGLE_RTP_KEY_FRAME_REQUEST_H

#include "base/clock.h"

#include <stdbool.h>

#define KEY_FRAME_REQUEST_LEAST (200 * USEC_PER_MS)
#define KEY_FRAME_REQUEST_MOST  (2 * USEC_PER_SEC)

/* Begins with zeros. */
struct key_frame_request {
    bool wanted;
    usec next; /* not before this */
    usec interval;
};

void key_frame_request_want(struct key_frame_request *request);

/* Whether one is to be sent now; then the next one is later by an interval that doubles, and by no
 * less than one and a half round trips. */
bool key_frame_request_due(struct key_frame_request *request, usec round_trip, usec now);

/* A key frame came. Whether it is any good is not known yet. */
void key_frame_request_came(struct key_frame_request *request);

/* And it was. */
void key_frame_request_good(struct key_frame_request *request);

/* USEC_NEVER: none is wanted. */
usec key_frame_request_deadline(const struct key_frame_request *request);

#endif
