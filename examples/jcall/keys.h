/* Single keys from the terminal. */
#ifndef JCALL_KEYS_H
#define JCALL_KEYS_H

#include "request.h"

#include <stdbool.h>

#define KEYS_MAX 16

/* What a key asks for; `ringing`: a call waits for an answer. */
struct request key_meaning(char key, bool ringing);

/* Reads the keys that were pressed; -1 if the terminal is gone, else how many requests. */
int keys_read(int descriptor, bool ringing, struct request requests[KEYS_MAX]);

#endif
