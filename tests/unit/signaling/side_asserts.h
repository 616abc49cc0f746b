/* What a side (session_side.h) did, to be asserted. Include cmocka before. */
#ifndef JINGLE_TESTS_SIDE_ASSERTS_H
#define JINGLE_TESTS_SIDE_ASSERTS_H

#include "session_side.h"

/* Exactly this since the log was last looked at. */
static inline void assert_log(struct side *side, const char *expected)
{
    g_strchomp(side->log->str);
    assert_string_equal(side->log->str, expected);
    g_string_truncate(side->log, 0);
}

/* Of the last IQ. */
static inline void assert_sent(const struct side *side, const char *part)
{
    if (strstr(side_last_sent(side), part) == NULL)
        fail_msg("no %s in %s", part, side_last_sent(side));
}

static inline void assert_not_sent(const struct side *side, const char *part)
{
    if (strstr(side_last_sent(side), part) != NULL)
        fail_msg("%s is in %s", part, side_last_sent(side));
}

#endif
