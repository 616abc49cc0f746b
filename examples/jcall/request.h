/* What the user wants now, whether by a key or by a command line. */
#ifndef JCALL_REQUEST_H
#define JCALL_REQUEST_H

#define REQUEST_DIGITS_MAX 64

enum request_kind {
    REQUEST_NONE,
    REQUEST_ANSWER,
    REQUEST_DECLINE,
    REQUEST_BUSY,
    REQUEST_MUTE,
    REQUEST_UNMUTE,
    REQUEST_TOGGLE_MUTE,
    REQUEST_HOLD,
    REQUEST_UNHOLD,
    REQUEST_TOGGLE_HOLD,
    REQUEST_DIGITS,
    REQUEST_HANGUP,
    REQUEST_QUIT,
    REQUEST_UNKNOWN,
};

struct request {
    enum request_kind kind;
    char digits[REQUEST_DIGITS_MAX + 1]; /* of REQUEST_DIGITS */
};

#endif
