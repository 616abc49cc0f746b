#include "codecs/telephone_event.h"

#include <string.h>

static const char digits[] = "0123456789*#ABCD";

void telephone_event_pack(const struct telephone_event *event, uint8_t *out)
{
    out[0] = event->event;
    out[1] = (uint8_t)((event->end ? 0x80 : 0) | (event->volume & 0x3f)); /* R is 0 */
    out[2] = (uint8_t)(event->duration >> 8);
    out[3] = (uint8_t)event->duration;
}

bool telephone_event_unpack(const uint8_t *payload, size_t size, struct telephone_event *out)
{
    if (size < TELEPHONE_EVENT_SIZE) {
        return false;
    }
    out->event = payload[0];
    out->end = (payload[1] & 0x80) != 0;
    out->volume = payload[1] & 0x3f;
    out->duration = (uint16_t)(payload[2] << 8 | payload[3]);
    return true;
}

int telephone_event_of(char digit)
{
    if (digit >= 'a' && digit <= 'd') {
        digit = (char)(digit - 'a' + 'A');
    }
    const char *at = digit ? strchr(digits, digit) : NULL;
    return at ? (int)(at - digits) : -1;
}

char telephone_event_digit(uint8_t event)
{
    return event < sizeof digits - 1 ? digits[event] : '\0';
}
