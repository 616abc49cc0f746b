/* Message carbons (XEP-0280): what our other devices send and receive. */
#ifndef JINGLE_SIGNALING_CARBONS_H
#define JINGLE_SIGNALING_CARBONS_H

#include "signaling/stanza.h"

enum carbon_kind {
    CARBON_NONE,     /* not a carbon */
    CARBON_FORGED,   /* one that did not come from our own bare JID: not to be believed */
    CARBON_SENT,     /* another device of ours sent `inner` */
    CARBON_RECEIVED, /* another device of ours was sent `inner` */
};

/* `inner` is filled, borrowed from the carbon, for the last two. */
enum carbon_kind carbon_open(const struct stanza *message, const char *own_bare,
                             struct stanza *inner);

#endif
