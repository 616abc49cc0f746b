/* The payload of a telephone-event packet: a key pressed during a call (RFC 4733, section 2.3).
 *
 *     0                   1                   2                   3
 *     |     event     |E R| volume    |          duration             |
 */
#ifndef JINGLE_CODECS_TELEPHONE_EVENT_H
#define JINGLE_CODECS_TELEPHONE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TELEPHONE_EVENT_SIZE = 4 };

struct telephone_event {
    uint8_t event;     /* 0 to 15: the digits, *, #, A to D (section 3.2) */
    bool end;          /* the key was released */
    uint8_t volume;    /* dBm0 without its sign, 0 to 63 */
    uint16_t duration; /* so far, in time stamp units */
};

/* Writes TELEPHONE_EVENT_SIZE bytes. */
void telephone_event_pack(const struct telephone_event *event, uint8_t *out);

/* Reads the first event of a payload; false if it is too short. */
bool telephone_event_unpack(const uint8_t *payload, size_t size, struct telephone_event *out);

/* '0' to '9', '*', '#', 'A' to 'D' and back; -1 and '\0' if there is none. */
int telephone_event_of(char digit);
char telephone_event_digit(uint8_t event);

#endif
