/* JIDs, user@domain/resource (RFC 7622), as strings.
 *
 * Two are compared after Unicode case folding of user and domain; the resource is exact. That is
 * less than the PRECIS profiles say and enough for JIDs that servers have already prepared. */
#ifndef JINGLE_SIGNALING_JID_H
#define JINGLE_SIGNALING_JID_H

#include <stdbool.h>

#define JID_PART_MAX 1023 /* bytes of user, domain and resource, each */
#define JID_MAX      (3 * JID_PART_MAX + 2)

/* Bare or full. False for NULL, too. */
bool jid_is_valid(const char *jid);
bool jid_is_full(const char *jid);
/* Can this take part in a call? A full JID, or that of a person behind a gateway to telephones,
 * whom the gateway gives no resource. */
bool jid_is_device(const char *jid);

/* Without the resource. g_free() it. */
char *jid_bare(const char *jid);
/* Borrowed; NULL if there is none. */
const char *jid_resource(const char *jid);
/* g_free() these; jid_user() is NULL for a JID of a server. */
char *jid_user(const char *jid);
char *jid_domain(const char *jid);
/* "bare/resource"; `bare` alone if the resource is NULL or empty. g_free() it. */
char *jid_join(const char *bare, const char *resource);
/* The form to compare and to use as a key: user and domain folded. g_free() it. */
char *jid_fold(const char *jid);
/* The same without the resource: of a person. */
char *jid_fold_bare(const char *jid);

/* What somebody typed, as XMPP writes it: what is a JID is left as it is; otherwise what stands
 * before the last '@' is escaped (XEP-0106), such as "+1 555@gateway" to "+1\20555@gateway". NULL
 * if that is no JID either. g_free() it. */
char *jid_from_text(const char *text);
/* The user (of a JID of a server: the domain) as people know it, without escapes. g_free() it. */
char *jid_user_unescaped(const char *jid);

/* The whole JID, resource included. A NULL equals nothing. */
bool jid_equal(const char *a, const char *b);
/* Without looking at the resources. */
bool jid_equal_bare(const char *a, const char *b);

#endif
