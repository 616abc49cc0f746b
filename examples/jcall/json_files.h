/* Events of files as JSON: docs/jcall-json.md. */
#ifndef JCALL_JSON_FILES_H
#define JCALL_JSON_FILES_H

#include "json.h"

/* An event of a transfer, which has `number` in this run; `fields` as of json_own(). False when
 * standard output takes no more. */
bool json_transfer(const char *name, int64_t time, jingle_transfer *transfer, unsigned number,
                   json_t *fields);

/* The fields of FILE_OFFERED and FILE_REQUESTED, of STARTED and PROGRESS, of ENDED, of LINK. */
json_t *json_file(const jingle_event *event);
json_t *json_transfer_state(const jingle_transfer_statistics *statistics);
json_t *json_transfer_end(const jingle_event *event);
json_t *json_link(const jingle_event *event);

#endif
