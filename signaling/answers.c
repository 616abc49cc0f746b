#include "signaling/answers.h"

#include <string.h>

#include <glib.h>

struct answers {
    GHashTable *given; /* key to answer */
    GQueue order;      /* keys, oldest first; the table owns them */
};

struct answers *answers_new(void)
{
    struct answers *answers = g_new0(struct answers, 1);
    answers->given = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_queue_init(&answers->order);
    return answers;
}

void answers_free(struct answers *answers)
{
    g_queue_clear(&answers->order);
    g_hash_table_destroy(answers->given);
    g_free(answers);
}

const char *answers_find(const struct answers *answers, const struct stanza *request)
{
    char *key = xml_digest(request->node);
    const char *found = g_hash_table_lookup(answers->given, key);
    g_free(key);
    return found;
}

void answers_remember(struct answers *answers, const struct stanza *request, const char *xml)
{
    if (strlen(xml) > ANSWERS_BYTES_MAX)
        return;
    char *key = xml_digest(request->node);
    if (g_hash_table_contains(answers->given, key)) {
        g_free(key);
        return;
    }
    if (g_queue_get_length(&answers->order) == ANSWERS_MAX)
        g_hash_table_remove(answers->given, g_queue_pop_head(&answers->order));
    g_hash_table_insert(answers->given, key, g_strdup(xml));
    g_queue_push_tail(&answers->order, key);
}
