/* The rules of `jcall receive`. A server vouches for the sender's JID, so a name is enough. */
#include "choice.h"

#include <glib.h>
#include <string.h>

bool choice_same(const char *jid, const char *named)
{
    size_t length = strcspn(named, "/");
    if (strcspn(jid, "/") != length || g_ascii_strncasecmp(jid, named, length) != 0) {
        return false;
    }
    return !named[length] || strcmp(jid + length, named + length) == 0;
}

uint64_t choice_most(const struct choice_rules *rules)
{
    if (rules->most > 0) {
        return rules->most;
    }
    return rules->automatic ? CHOICE_AUTO_MOST : UINT64_MAX;
}

enum choice choice_make(const struct choice_rules *rules, const char *from, bool on_roster,
                        uint64_t bytes)
{
    bool named = rules->from && choice_same(from, rules->from);
    if (rules->from && !named) {
        return CHOICE_NOT_NAMED;
    }
    if (rules->automatic && !on_roster && !named) {
        return CHOICE_STRANGER;
    }
    if (bytes > choice_most(rules)) {
        return CHOICE_TOO_LARGE;
    }
    return rules->automatic ? CHOICE_TAKE : CHOICE_ASK;
}

const char *choice_name(enum choice choice)
{
    switch (choice) {
    case CHOICE_STRANGER:
        return "stranger";
    case CHOICE_NOT_NAMED:
        return "not-named";
    case CHOICE_TOO_LARGE:
        return "too-large";
    default:
        return "";
    }
}
