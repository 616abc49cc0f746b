/* Digits as telephone-events (RFC 4733): when to send which packet, and once per key out of all
 * the packets that tell of it.
 *
 *     '5' ─▶ queue ─▶ dtmf_send() in place of sound:  ∙∙∙∙∙ E E E   then a pause of sound
 *                     one time stamp, growing duration, the end three times (section 2.5.1.4)
 *     packets ─▶ dtmf_receive() ─▶ digit, at its end; or dtmf_expire(), if that was lost */
#ifndef JINGLE_RTP_DTMF_H
#define JINGLE_RTP_DTMF_H

#include "base/clock.h"
#include "codecs/telephone_event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DTMF_QUEUE_MAX 64

struct dtmf_sender {
    char queue[DTMF_QUEUE_MAX];
    size_t first;
    size_t count;
    bool active;
    uint8_t event;
    uint32_t timestamp; /* where the event began */
    usec held;          /* for so long */
    unsigned ends_sent;
    usec pause; /* of sound that is still due before the next one */
};

/* What goes out in place of one packet of sound. */
struct dtmf_packet {
    bool marker;
    uint32_t timestamp;
    uint8_t payload[TELEPHONE_EVENT_SIZE];
};

/* False if it is no digit or too many wait. */
bool dtmf_queue(struct dtmf_sender *sender, char digit);

/* For each packet's time, `length` long, whose sound begins at `timestamp`: true if `packet`
 * is to be sent in its place. `rate` is that of the event's payload type. */
bool dtmf_send(struct dtmf_sender *sender, uint32_t timestamp, usec length, uint32_t rate,
               struct dtmf_packet *packet);

struct dtmf_receiver {
    bool active;
    uint8_t event;
    uint32_t timestamp; /* of the event, or of its part that runs */
    uint32_t rate;
    usec duration_before; /* of its parts before (section 2.5.1.3) */
    uint16_t duration;
    usec last; /* packet */
    bool any_done;
    uint32_t done; /* time stamp of the event that was told last */
    usec credit;   /* digits that came too fast are not told */
};

struct dtmf_digit {
    char digit;
    usec duration;
};

/* Up to two digits end with one packet: one whose end was lost, and one that only now comes.
 * Returns how many. */
size_t dtmf_receive(struct dtmf_receiver *receiver, const struct telephone_event *event,
                    uint32_t timestamp, uint32_t rate, usec now, struct dtmf_digit out[2]);

/* The digit whose end never came; false if there is none. */
bool dtmf_expire(struct dtmf_receiver *receiver, usec now, struct dtmf_digit *out);

/* When dtmf_expire() has something to do; USEC_NEVER if nothing runs. */
usec dtmf_deadline(const struct dtmf_receiver *receiver);

#endif
