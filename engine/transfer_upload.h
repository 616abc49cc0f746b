/* A file that is uploaded to our server in place of going to somebody (XEP-0363), and the message
 * with its link (XEP-0066):
 *
 *     ask for a slot ─▶ http_put ─▶ tell the link ─▶ over
 *
 * On the I/O thread. */
#ifndef JINGLE_ENGINE_TRANSFER_UPLOAD_H
#define JINGLE_ENGINE_TRANSFER_UPLOAD_H

#include "transfer.h"

struct transfer_upload;

/* Sets `transfer->upload`; what becomes of it is told by transfer_over(). */
jingle_status transfer_upload_begin(jingle_transfer *transfer);

void transfer_upload_set_rate_limit(struct transfer_upload *upload, uint64_t bytes_per_second);

/* Frees it; `closed` is called on the closer's thread when the file is not used any more. */
void transfer_upload_close(struct transfer_upload *upload, void (*closed)(void *arg), void *arg);

#endif
