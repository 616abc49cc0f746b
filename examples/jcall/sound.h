/* From --source, --sink, --record and the coding options to a session's configuration. */
#ifndef JCALL_SOUND_H
#define JCALL_SOUND_H

#include "options.h"

#include <stdbool.h>

/* Fills `config` with a source and a sink of its own. `call` counts this program's calls from 1:
 * from the second on, recordings get the number into their names. On failure `*message` (freed
 * with g_free()) says what to do. */
jingle_status sound_config(const struct options *options, unsigned call,
                           jingle_session_config *config, char **message);

/* Frees source and sink, for a configuration that no session has taken over. */
void sound_config_clear(jingle_session_config *config);

#endif
