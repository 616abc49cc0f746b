/* Single keys from the terminal. */
#ifndef JCALL_KEYS_H
#define JCALL_KEYS_H

#include "request.h"

#define KEYS_MAX 16

/* What keys are pressed for. */
enum keys_mode {
    KEYS_CALL,
    KEYS_RINGING, /* a call waits for an answer */
    KEYS_FILES,   /* there are no calls */
};

struct request key_meaning(char key, enum keys_mode mode);

/* Reads the keys that were pressed as they are; -1 if the terminal is gone, else how many. */
int keys_read(int descriptor, char keys[KEYS_MAX]);

#endif
