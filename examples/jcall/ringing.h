/* What rings before there is a call to hear. */
#ifndef JCALL_RINGING_H
#define JCALL_RINGING_H

#include "options.h"

enum ringing_what {
    RINGING_NOTHING,
    RINGING_HERE,   /* somebody calls */
    RINGING_THERE,  /* we call, and it rings over there */
    RINGING_BESIDE, /* somebody calls while we talk */
};

struct ringing {
    enum ringing_what what;
    jingle_player *player; /* NULL: silence */
};

/* Rings from now on, or stops; what rings already goes on. Without a device it is quiet. */
void ringing_set(struct ringing *ringing, const struct options *options, enum ringing_what what);

#endif
