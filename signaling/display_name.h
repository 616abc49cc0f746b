/* What to call a person: the name that the user gave them (roster), else the nickname that they
 * give themselves (XEP-0172), else the first part of their JID. Names are claims: the JID belongs
 * beside them. */
#ifndef JINGLE_SIGNALING_DISPLAY_NAME_H
#define JINGLE_SIGNALING_DISPLAY_NAME_H

#include "signaling/roster.h"
#include "signaling/xml.h"

#define DISPLAY_NAME_MAX 64   /* characters of a name; more are cut off */
#define NICKNAMES_MAX    1000 /* people whose nickname is remembered */

/* One line that is safe to show: without control characters, what shows nothing and marks that
 * change the direction, white space as single spaces. NULL if nothing is left. g_free() it. */
char *display_name_clean(const char *text);

/* The <nick/> in a message, presence or item, cleaned; NULL if there is none. g_free() it. */
char *display_name_nick(const xml_node *stanza);

/* Never "". `nick` may be NULL; it counts only if it is nobody else's name and no address, and so
 * does the JID's first part, in whose place the bare JID is given then, however long. g_free() it.
 */
char *display_name(const struct roster *roster, const char *jid, const char *nick);

/* The nicknames that people told. */
struct nicknames;
struct nicknames *nicknames_new(void);
void nicknames_free(struct nicknames *nicknames);
/* NULL or nothing in it: forgets. Beyond NICKNAMES_MAX no more are taken. */
void nicknames_set(struct nicknames *nicknames, const char *jid, const char *nick);
const char *nicknames_find(const struct nicknames *nicknames, const char *jid);

#endif
