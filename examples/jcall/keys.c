/* Which key means what. */
#include "keys.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define KEY_END 0x04 /* Ctrl-D */

struct meaning {
    char key; /* in lower case; upper case is the same */
    enum request_kind kind;
};

static const struct meaning call_keys[] = {
    {'m', REQUEST_TOGGLE_MUTE},   {'h', REQUEST_TOGGLE_HOLD}, {'v', REQUEST_TOGGLE_CAMERA},
    {'s', REQUEST_TOGGLE_SCREEN}, {'x', REQUEST_STOP_VIDEO},  {'f', REQUEST_FULL_SCREEN},
    {'p', REQUEST_SNAPSHOT},      {'o', REQUEST_ASK_FILE},    {'a', REQUEST_TAKE},
    {'r', REQUEST_REFUSE},        {'c', REQUEST_STOP_FILES},  {'w', REQUEST_SWITCH_CALL},
    {'q', REQUEST_HANGUP},        {KEY_END, REQUEST_HANGUP},  {'\0', REQUEST_NONE},
};

static const struct meaning ringing_keys[] = {
    {'y', REQUEST_ANSWER},
    {'n', REQUEST_DECLINE},
    {'\0', REQUEST_NONE},
};

static const struct meaning files_keys[] = {
    {'y', REQUEST_TAKE}, {'n', REQUEST_REFUSE},   {'a', REQUEST_TAKE_ALL},
    {'q', REQUEST_QUIT}, {KEY_END, REQUEST_QUIT}, {'\0', REQUEST_NONE},
};

static enum request_kind key_find(const struct meaning *meanings, char key)
{
    while (meanings->key && meanings->key != tolower((unsigned char)key)) {
        meanings++;
    }
    return meanings->kind;
}

struct request key_meaning(char key, enum keys_mode mode)
{
    struct request request = {REQUEST_NONE, ""};
    if (mode == KEYS_FILES) {
        request.kind = key_find(files_keys, key);
        return request;
    }
    if (key && strchr("0123456789*#", key)) {
        request.kind = REQUEST_DIGITS;
        request.value[0] = key;
        return request;
    }
    if (mode == KEYS_RINGING) {
        if (tolower((unsigned char)key) == 'v') {
            return (struct request){REQUEST_ANSWER, "video"};
        }
        request.kind = key_find(ringing_keys, key);
    }
    if (request.kind == REQUEST_NONE) {
        request.kind = key_find(call_keys, key);
    }
    return request;
}

int keys_read(int descriptor, char keys[KEYS_MAX])
{
    ssize_t got = read(descriptor, keys, KEYS_MAX);
    if (got < 0) {
        return errno == EINTR || errno == EAGAIN ? 0 : -1;
    }
    return got == 0 ? -1 : (int)got;
}
