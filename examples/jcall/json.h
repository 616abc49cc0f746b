/* Events as JSON, one a line, on standard output: the contract is docs/jcall-json.md. */
#ifndef JCALL_JSON_H
#define JCALL_JSON_H

#include <jansson.h>
#include <jingle/jingle.h>
#include <stdbool.h>

/* Those that return a bool return false when standard output takes no more. */

/* An event of the library; one that programs are not told of is skipped. */
bool json_event(const jingle_event *event);

/* An event of jcall itself. `fields` (a new object, taken over; may be NULL) come after `event`
 * and `time`; `session` may be NULL. */
bool json_own(const char *name, jingle_session *session, json_t *fields);

/* A line: `fields` (taken over) after `event` and `time`. */
bool json_print(const char *name, int64_t time, json_t *fields);

/* "local", "remote", "none" */
const char *json_party(jingle_party party);

/* Text as JSON: broken UTF-8 is repaired. */
json_t *json_text(const char *text);

json_t *json_contact(const jingle_contact *contact);

#endif
