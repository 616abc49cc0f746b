/* From options to a client: who logs in, with which password, where. */
#ifndef JCALL_ACCOUNT_H
#define JCALL_ACCOUNT_H

#include "options.h"
#include "tell.h"

/* Makes a client that has not connected yet, asking for what is missing. NULL on failure, which
 * has been told: `*code` gets the exit code. */
jingle_client *account_client(const struct options *options, struct teller *teller, int *code);

/* Logs in and waits until that is done. On failure `*text`, which must be NULL before, gets a
 * sentence; g_free() it. */
jingle_status account_connect(jingle_client *client, struct teller *teller, char **text);

/* Both at once; waits until that is done. For commands that need no more than that. */
jingle_client *account_login(const struct options *options, struct teller *teller, int *code);

#endif
