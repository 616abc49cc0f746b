/* HTTP File Upload (XEP-0363): asking a service for a slot, its answer, and the message that gives
 * the link on (XEP-0066). */
#ifndef JINGLE_SIGNALING_HTTP_UPLOAD_H
#define JINGLE_SIGNALING_HTTP_UPLOAD_H

#include <jingle/jingle.h>

#include "signaling/account_files.h"

#define UPLOAD_URL_MAX    8192 /* bytes; a longer URL is none */
#define UPLOAD_HEADER_MAX 8192

/* An IQ without an id. `media_type` may be NULL. */
struct xml *upload_request(const char *service, const char *name, uint64_t size,
                           const char *media_type);

/* The <slot/> of an answer. Only https, even in a lab, where a server can have a certificate of its
 * own. Of the headers only those that the specification allows; what is odd about one is passed
 * over. False: `why` (a literal) tells, and nothing is left to clear. */
bool upload_slot_read(struct upload_slot *slot, const xml_node *answer, const char **why);
void upload_slot_clear(struct upload_slot *slot);

/* Why there is no slot. `text` gets a sentence for people, "" if there is none; `answer` may be
 * NULL. */
jingle_status upload_refusal(const struct stanza *answer, const struct stanza_error *error,
                             char *text, size_t size);
/* The sentence that tells how large a file may be. */
void upload_too_large(uint64_t max, char *text, size_t size);

/* `description` may be NULL. Clients show a file only if the body is the URL and nothing else. */
struct xml *upload_message(const char *to, const char *id, const char *url,
                           const char *description);

#endif
