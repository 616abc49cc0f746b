/* The contacts (RFC 6121, 2), as the server tells them. */
#ifndef JINGLE_SIGNALING_ROSTER_H
#define JINGLE_SIGNALING_ROSTER_H

#include <jingle/jingle.h>

#include "signaling/xml.h"

#define ROSTER_MAX      20000
#define ROSTER_NAME_MAX 1024

struct roster_item {
    char *jid; /* bare */
    char *name;
    jingle_subscription subscription;
    bool asked;
};

struct roster;

/* `changed` is told each item that is new, other than before or removed (then it is freed after
 * it). */
typedef void (*roster_changed_fn)(void *user, const struct roster_item *item, bool removed);

struct roster *roster_new(roster_changed_fn changed, void *user);
void roster_free(struct roster *roster);

/* The <query/> of the whole roster: what is not in it is gone. */
void roster_read(struct roster *roster, const xml_node *query);
/* The <query/> of a push, from our own account (the caller has checked that). */
void roster_push(struct roster *roster, const xml_node *query);

/* By its bare part; NULL if not there. */
const struct roster_item *roster_find(const struct roster *roster, const char *jid);
size_t roster_count(const struct roster *roster);
/* Array of pointers, g_free() it. */
const struct roster_item **roster_list(const struct roster *roster, size_t *count);

#endif
