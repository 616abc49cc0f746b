/* Text from other people, made safe for a terminal, and how much room it takes there. */
#ifndef JCALL_TEXT_H
#define JCALL_TEXT_H

#include <stddef.h>

/* A copy without control characters, direction overrides and broken UTF-8 (each becomes '?'), cut
 * to `limit` characters. In a locale without UTF-8 only ASCII is left. Freed with g_free(). */
char *text_clean(const char *text, size_t limit);

/* A person: the JID, and before it the name, unless that is but the JID's beginning. Clean, each
 * cut to `limit` characters. Freed with g_free(). */
char *text_person(const char *name, const char *jid, size_t limit);

/* Columns of a terminal that clean text takes: some characters take two, some none. */
size_t text_width(const char *text);

/* As much of clean text as fits into `width` columns: its beginning, or its end. Freed with
 * g_free(). */
char *text_begin(const char *text, size_t width);
char *text_end(const char *text, size_t width);

#endif
