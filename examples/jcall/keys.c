/* Which key means what. */
#include "keys.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define KEY_ESCAPE 0x1b
#define KEY_END    0x04 /* Ctrl-D */

struct request key_meaning(char key, bool ringing)
{
    struct request request = {REQUEST_NONE, ""};
    if (strchr("0123456789*#", key)) {
        request.kind = REQUEST_DIGITS;
        request.value[0] = key;
        return request;
    }
    switch (key) {
    case 'y':
    case 'Y':
        request.kind = ringing ? REQUEST_ANSWER : REQUEST_NONE;
        break;
    case 'n':
    case 'N':
        request.kind = ringing ? REQUEST_DECLINE : REQUEST_NONE;
        break;
    case 'm':
    case 'M':
        request.kind = REQUEST_TOGGLE_MUTE;
        break;
    case 'h':
    case 'H':
        request.kind = REQUEST_TOGGLE_HOLD;
        break;
    case 'v':
    case 'V':
        request.kind = REQUEST_TOGGLE_CAMERA;
        if (ringing) {
            request = (struct request){REQUEST_ANSWER, "video"};
        }
        break;
    case 's':
    case 'S':
        request.kind = REQUEST_TOGGLE_SCREEN;
        break;
    case 'x':
    case 'X':
        request.kind = REQUEST_STOP_VIDEO;
        break;
    case 'f':
    case 'F':
        request.kind = REQUEST_FULL_SCREEN;
        break;
    case 'p':
    case 'P':
        request.kind = REQUEST_SNAPSHOT;
        break;
    case 'q':
    case 'Q':
    case KEY_END:
        request.kind = REQUEST_HANGUP;
        break;
    default:
        break;
    }
    return request;
}

int keys_read(int descriptor, bool ringing, struct request requests[KEYS_MAX])
{
    char keys[KEYS_MAX];
    ssize_t got = read(descriptor, keys, sizeof keys);
    if (got < 0) {
        return errno == EINTR || errno == EAGAIN ? 0 : -1;
    }
    if (got == 0) {
        return -1;
    }
    if (keys[0] == KEY_ESCAPE) { /* an arrow or function key: none of ours */
        return 0;
    }
    int count = 0;
    for (ssize_t i = 0; i < got; i++) {
        if (keys[i]) {
            requests[count++] = key_meaning(keys[i], ringing);
        }
    }
    return count;
}
