/* Text from other people, made safe for a terminal. */
#ifndef JCALL_TEXT_H
#define JCALL_TEXT_H

#include <stddef.h>

/* A copy without control characters, direction overrides and broken UTF-8 (each becomes '?'), cut
 * to `limit` characters. In a locale without UTF-8 only ASCII is left. Freed with g_free(). */
char *text_clean(const char *text, size_t limit);

#endif
