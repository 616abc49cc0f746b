/* Which files are taken without asking, which are asked about and which are refused. */
#ifndef JCALL_CHOICE_H
#define JCALL_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#define CHOICE_AUTO_MOST (UINT64_C(1) << 30) /* without asking, if no size was named */

struct choice_rules {
    bool automatic;   /* nobody is asked */
    const char *from; /* only from this JID, bare or full; NULL: from all */
    uint64_t most;    /* bytes; 0: as the rest says */
};

enum choice {
    CHOICE_ASK,
    CHOICE_TAKE,
    CHOICE_STRANGER,  /* refused: not a contact */
    CHOICE_NOT_NAMED, /* refused: not the one of --from */
    CHOICE_TOO_LARGE, /* refused */
};

enum choice choice_make(const struct choice_rules *rules, const char *from, bool on_roster,
                        uint64_t bytes);

/* The largest file that is taken; UINT64_MAX: any. */
uint64_t choice_most(const struct choice_rules *rules);

/* The words of --auto's refusals, for programs: "stranger", "not-named", "too-large". */
const char *choice_name(enum choice choice);

/* Is this the person, or the device if `named` is a full JID? */
bool choice_same(const char *jid, const char *named);

#endif
