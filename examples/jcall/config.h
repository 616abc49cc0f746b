/* The configuration file: a key file whose group [jcall] holds a password and any long option. */
#ifndef JCALL_CONFIG_H
#define JCALL_CONFIG_H

#include <glib.h>
#include <stdbool.h>

struct config {
    GPtrArray *arguments; /* "--key=value", as on a command line */
    char *jid;            /* whose password it is; NULL if it does not say */
    char *password;       /* NULL if there is none */
};

/* Reads `path`; NULL: $XDG_CONFIG_HOME/jcall/config or ~/.config/jcall/config, which need not
 * exist. On failure `*message` (freed with g_free()) says what to do. */
bool config_read(struct config *config, const char *path, char **message);

void config_clear(struct config *config);

/* Reads a small file that holds a secret; refuses one that others may read. NULL on failure. */
char *config_read_secret(const char *path, char **message);

#endif
