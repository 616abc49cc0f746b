/* How the moving of bytes ended (transfer/status.h), as applications and peers are told. */
#ifndef JINGLE_ENGINE_TRANSFER_STATUS_H
#define JINGLE_ENGINE_TRANSFER_STATUS_H

#include "transfer/status.h"

#include <jingle/jingle.h>

jingle_status transfer_status_to_jingle(enum transfer_status status);

#endif
