/* The envelope of a stanza (RFC 6120, 8): who, to whom, what kind; and stanza errors. */
#ifndef JINGLE_SIGNALING_STANZA_H
#define JINGLE_SIGNALING_STANZA_H

#include "signaling/xml.h"

enum stanza_kind {
    STANZA_IQ,
    STANZA_MESSAGE,
    STANZA_PRESENCE,
};

/* A view of a stanza: everything in it is borrowed from the XML. */
struct stanza {
    enum stanza_kind kind;
    const char *type; /* "" if missing */
    const char *id;   /* "" if missing */
    const char *from; /* NULL if missing: our own account or server */
    const char *to;   /* NULL if missing */
    const xml_node *node;
};

enum stanza_error_type {
    STANZA_ERROR_CANCEL,
    STANZA_ERROR_AUTH,
    STANZA_ERROR_CONTINUE,
    STANZA_ERROR_MODIFY,
    STANZA_ERROR_WAIT,
};

/* RFC 6120, 8.3.3 */
enum stanza_condition {
    STANZA_UNKNOWN_CONDITION, /* read only */
    STANZA_BAD_REQUEST,
    STANZA_CONFLICT,
    STANZA_FEATURE_NOT_IMPLEMENTED,
    STANZA_FORBIDDEN,
    STANZA_GONE,
    STANZA_INTERNAL_SERVER_ERROR,
    STANZA_ITEM_NOT_FOUND,
    STANZA_JID_MALFORMED,
    STANZA_NOT_ACCEPTABLE,
    STANZA_NOT_ALLOWED,
    STANZA_NOT_AUTHORIZED,
    STANZA_POLICY_VIOLATION,
    STANZA_RECIPIENT_UNAVAILABLE,
    STANZA_REDIRECT,
    STANZA_REGISTRATION_REQUIRED,
    STANZA_REMOTE_SERVER_NOT_FOUND,
    STANZA_REMOTE_SERVER_TIMEOUT,
    STANZA_RESOURCE_CONSTRAINT,
    STANZA_SERVICE_UNAVAILABLE,
    STANZA_SUBSCRIPTION_REQUIRED,
    STANZA_UNDEFINED_CONDITION,
    STANZA_UNEXPECTED_REQUEST,
    STANZA_CONDITION_COUNT
};

/* Conditions of urn:xmpp:jingle:errors:1 beside the general one (XEP-0166, 10). */
enum jingle_condition {
    JINGLE_CONDITION_NONE,
    JINGLE_OUT_OF_ORDER,
    JINGLE_TIE_BREAK,
    JINGLE_UNKNOWN_SESSION,
    JINGLE_UNSUPPORTED_INFO,
    JINGLE_SECURITY_REQUIRED,
    JINGLE_CONDITION_COUNT
};

#define STANZA_ERROR_TEXT 256

struct stanza_error {
    enum stanza_error_type type;
    enum stanza_condition condition;
    enum jingle_condition jingle;
    char text[STANZA_ERROR_TEXT]; /* for the log; "" if there is none; cut when longer */
};

/* False if the root is no stanza. No namespace at all counts as jabber:client. */
bool stanza_read(struct stanza *stanza, const xml_node *node);
bool stanza_is(const struct stanza *stanza, enum stanza_kind kind, const char *type);
/* When it was sent, if a server or client kept it (XEP-0203): microseconds since 1970. */
bool stanza_delay(const struct stanza *stanza, int64_t *when);

/* New stanzas; `to`, `id` and `type` may be NULL. xml_free() them. */
struct xml *stanza_iq(const char *type, const char *to, const char *id);
struct xml *stanza_message(const char *type, const char *to, const char *id);
struct xml *stanza_presence(const char *type, const char *to);
/* The answers to an IQ (or, for the error, to a message). */
struct xml *stanza_result(const struct stanza *request);
struct xml *stanza_error_reply(const struct stanza *request, const struct stanza_error *error);

/* The error with the type that its condition usually has and, for some, a Jingle condition. */
struct stanza_error stanza_error_make(enum stanza_condition condition, enum jingle_condition jingle,
                                      const char *text);
/* What a stanza of type 'error' says; without an <error/>: unknown condition. */
void stanza_error_read(struct stanza_error *error, const struct stanza *stanza);
void stanza_error_write(const struct stanza_error *error, xml_node *stanza);
const char *stanza_condition_name(enum stanza_condition condition);
const char *jingle_condition_name(enum jingle_condition condition);

#endif
