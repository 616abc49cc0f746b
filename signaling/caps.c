#include "signaling/caps.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "signaling/jid.h"

/* The number grows when capabilities are added: what an older file says of clients is not believed
 * then, for they may have had more. What it says of people is. */
#define HEADER "jingle-engine capabilities 3"
/* Of these no bits are taken. */
static const char *const older_headers[] = {"jingle-engine capabilities 1",
                                            "jingle-engine capabilities 2", NULL};

/* Strings with a number each; when full the oldest goes. */
struct memory {
    GHashTable *numbers;
    GQueue order; /* the keys, oldest first; the table owns them */
    guint max;
};

struct caps {
    struct memory hashes;
    struct memory people;
};

static void memory_init(struct memory *memory, guint max)
{
    memory->numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_queue_init(&memory->order);
    memory->max = max;
}

static void memory_clear(struct memory *memory)
{
    g_queue_clear(&memory->order);
    g_hash_table_destroy(memory->numbers);
}

static bool memory_add(struct memory *memory, const char *key, unsigned number)
{
    if (strlen(key) == 0 || strlen(key) > JID_MAX || g_hash_table_contains(memory->numbers, key))
        return false;
    if (g_queue_get_length(&memory->order) == memory->max)
        g_hash_table_remove(memory->numbers, g_queue_pop_head(&memory->order));
    char *copy = g_strdup(key);
    g_hash_table_insert(memory->numbers, copy, GUINT_TO_POINTER(number));
    g_queue_push_tail(&memory->order, copy);
    return true;
}

struct caps *caps_new(void)
{
    struct caps *caps = g_new0(struct caps, 1);
    memory_init(&caps->hashes, CAPS_HASHES_MAX);
    memory_init(&caps->people, CAPS_PEOPLE_MAX);
    return caps;
}

void caps_free(struct caps *caps)
{
    memory_clear(&caps->hashes);
    memory_clear(&caps->people);
    g_free(caps);
}

bool caps_find(const struct caps *caps, const char *hash, unsigned *capabilities)
{
    void *number = NULL;
    if (!g_hash_table_lookup_extended(caps->hashes.numbers, hash, NULL, &number))
        return false;
    *capabilities = GPOINTER_TO_UINT(number);
    return true;
}

bool caps_remember(struct caps *caps, const char *hash, unsigned capabilities)
{
    if (strlen(hash) > CAPS_KEY_MAX || strpbrk(hash, " \n\r"))
        return false;
    return memory_add(&caps->hashes, hash, capabilities);
}

bool caps_remember_initiation(struct caps *caps, const char *bare_jid)
{
    char *key = jid_fold(bare_jid);
    bool added = key && !strpbrk(key, " \n\r") && memory_add(&caps->people, key, 1);
    g_free(key);
    return added;
}

bool caps_knows_initiation(const struct caps *caps, const char *bare_jid)
{
    char *key = jid_fold(bare_jid);
    bool known = key && g_hash_table_contains(caps->people.numbers, key);
    g_free(key);
    return known;
}

/* "caps HASH BITS" and "initiation JID" */
static void load_line(struct caps *caps, const char *line, bool older)
{
    char **words = g_strsplit(line, " ", 4);
    guint count = g_strv_length(words);
    if (count == 3 && strcmp(words[0], "caps") == 0 && !older) {
        guint64 bits = 0;
        if (g_ascii_string_to_unsigned(words[2], 16, 0, UINT_MAX, &bits, NULL))
            caps_remember(caps, words[1], (unsigned)bits);
    } else if (count == 2 && strcmp(words[0], "initiation") == 0 && jid_is_valid(words[1])) {
        caps_remember_initiation(caps, words[1]);
    }
    g_strfreev(words);
}

void caps_load(struct caps *caps, const char *text, size_t bytes)
{
    char *copy = g_strndup(text, bytes);
    char **lines = g_strsplit(copy, "\n", -1);
    bool current = lines[0] && strcmp(lines[0], HEADER) == 0;
    bool older = lines[0] && g_strv_contains(older_headers, lines[0]);
    if (older || current)
        for (size_t i = 1; lines[i]; i++)
            load_line(caps, lines[i], older);
    g_strfreev(lines);
    g_free(copy);
}

char *caps_save(const struct caps *caps, size_t *bytes)
{
    GString *text = g_string_new(HEADER "\n");
    for (GList *item = caps->hashes.order.head; item; item = item->next)
        g_string_append_printf(
            text, "caps %s %x\n", (const char *)item->data,
            GPOINTER_TO_UINT(g_hash_table_lookup(caps->hashes.numbers, item->data)));
    for (GList *item = caps->people.order.head; item; item = item->next)
        g_string_append_printf(text, "initiation %s\n", (const char *)item->data);
    *bytes = text->len;
    return g_string_free(text, FALSE);
}
