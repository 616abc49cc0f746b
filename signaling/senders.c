#include "signaling/senders.h"

#include <stddef.h>
#include <string.h>

static const char *const names[] = {
    [SENDERS_BOTH] = "both",
    [SENDERS_INITIATOR] = "initiator",
    [SENDERS_RESPONDER] = "responder",
    [SENDERS_NONE] = "none",
};

bool senders_parse(const char *text, enum senders *out)
{
    *out = SENDERS_BOTH;
    if (text == NULL)
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (enum senders)i;
            return true;
        }
    }
    return false;
}

const char *senders_name(enum senders senders)
{
    return names[senders];
}

bool senders_include(enum senders senders, bool initiator)
{
    return senders == SENDERS_BOTH ||
           senders == (initiator ? SENDERS_INITIATOR : SENDERS_RESPONDER);
}
