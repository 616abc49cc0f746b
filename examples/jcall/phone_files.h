/* Files before, during and after a call: to its other party, and from others who may ring. */
#ifndef JCALL_PHONE_FILES_H
#define JCALL_PHONE_FILES_H

#include "phone.h"
#include "request.h"

/* Does what is asked if it is about files; false if it is not. */
bool phone_files_do(struct phone *phone, const struct request *request);

/* An event of a transfer. */
void phone_files_event(struct phone *phone, const jingle_event *event);

#endif
