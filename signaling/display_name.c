#include "signaling/display_name.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "signaling/characters.h"
#include "signaling/jid.h"
#include "signaling/ns.h"

#define NICK_BYTES_MAX 4096 /* more than that is not looked at */

/* ------------------------------------------------------------------------------- cleaning -- */

/* Letters, marks and symbols that show nothing: with one of them inside, two names look the same.
 * Unicode calls most of them default ignorable. */
static bool is_blank(gunichar character)
{
    static const gunichar ranges[][2] = {
        {0x034f, 0x034f},   /* combining grapheme joiner */
        {0x115f, 0x1160},   /* Hangul fillers */
        {0x17b4, 0x17b5},   /* Khmer vowels inherent */
        {0x180b, 0x180f},   /* Mongolian selectors */
        {0x2800, 0x2800},   /* a Braille pattern without dots */
        {0x3164, 0x3164},   /* Hangul filler */
        {0xfe00, 0xfe0f},   /* variation selectors */
        {0xffa0, 0xffa0},   /* Hangul filler of half width */
        {0xe0100, 0xe01ef}, /* variation selectors */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++)
        if (character >= ranges[i][0] && character <= ranges[i][1])
            return true;
    return false;
}

static bool is_harmless(gunichar character)
{
    return character_is_plain(character) && !is_blank(character);
}

static char *cut(const char *text, glong characters)
{
    if (g_utf8_strlen(text, -1) <= characters)
        return g_strdup(text);
    char *part = g_utf8_substring(text, 0, characters - 1);
    char *marked = g_strconcat(g_strchomp(part), "…", NULL);
    g_free(part);
    return marked;
}

/* In one line, without what cannot be seen; "" if nothing is left. */
static char *safe_line(const char *text)
{
    char *valid = g_utf8_make_valid(text, -1);
    GString *clean = g_string_new(NULL);
    bool gap = false;
    for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar character = g_utf8_get_char(at);
        bool space = g_unichar_isspace(character);
        gap = gap || space;
        if (space || !is_harmless(character))
            continue;
        if (gap && clean->len > 0)
            g_string_append_c(clean, ' ');
        gap = false;
        g_string_append_unichar(clean, character);
    }
    char *normal = g_utf8_normalize(clean->str, -1, G_NORMALIZE_NFC);
    g_string_free(clean, TRUE);
    g_free(valid);
    return normal;
}

char *display_name_clean(const char *text)
{
    if (text == NULL || strnlen(text, NICK_BYTES_MAX + 1) > NICK_BYTES_MAX)
        return NULL;
    char *line = safe_line(text);
    char *name = *line != '\0' ? cut(line, DISPLAY_NAME_MAX) : NULL;
    g_free(line);
    return name;
}

char *display_name_nick(const xml_node *stanza)
{
    const xml_node *nick = xml_child(stanza, NS_NICK, "nick");
    char *text = nick == NULL ? NULL : xml_text(nick);
    char *clean = display_name_clean(text);

    free(text);
    return clean;
}

/* -------------------------------------------------------------------------------- choosing -- */

static char *own_part(const char *jid)
{
    char *user = jid_user_unescaped(jid);
    char *clean = display_name_clean(user);

    g_free(user);
    return clean;
}

/* How names are compared: as a reader would, who sees no difference between "Bob" and "ｂｏｂ". */
static char *compared(const char *name)
{
    char *normal = g_utf8_normalize(name, -1, G_NORMALIZE_ALL_COMPOSE);
    char *folded = g_utf8_casefold(normal, -1);

    g_free(normal);
    return folded;
}

static bool is_name_of(const struct roster_item *item, const char *key)
{
    char *name = display_name_clean(item->name);
    if (name == NULL)
        name = own_part(item->jid);
    if (name == NULL)
        return false;
    char *other = compared(name);
    bool same = strcmp(other, key) == 0;
    g_free(other);
    g_free(name);
    return same;
}

static bool is_address(const char *name)
{
    char *key = compared(name);
    bool address = strchr(key, '@') != NULL;
    g_free(key);
    return address;
}

/* Does a contact other than `jid` go by this name? */
static bool is_taken(const struct roster *roster, const char *jid, const char *name)
{
    size_t count = 0;
    const struct roster_item **items = roster_list(roster, &count);
    char *key = compared(name);
    bool taken = false;
    for (size_t i = 0; i < count && !taken; i++)
        taken = !jid_equal_bare(items[i]->jid, jid) && is_name_of(items[i], key);
    g_free(key);
    g_free(items);
    return taken;
}

/* Frees what might be taken for somebody else. */
static char *unless_misleading(char *name, const struct roster *roster, const char *jid)
{
    if (name != NULL && (is_address(name) || is_taken(roster, jid, name)))
        g_clear_pointer(&name, g_free);
    return name;
}

/* Whole, for at its end is the server. */
static char *address_of(const char *jid)
{
    char *bare = jid_bare(jid);
    char *address = safe_line(bare);

    g_free(bare);
    if (*address != '\0')
        return address;
    g_free(address);
    return g_strdup("?");
}

char *display_name(const struct roster *roster, const char *jid, const char *nick)
{
    const struct roster_item *item = roster_find(roster, jid);
    char *name = item == NULL ? NULL : display_name_clean(item->name);
    if (name == NULL)
        name = unless_misleading(display_name_clean(nick), roster, jid);
    if (name == NULL)
        name = unless_misleading(own_part(jid), roster, jid);
    return name != NULL ? name : address_of(jid);
}

/* ------------------------------------------------------------------------------- nicknames -- */

struct nicknames {
    GHashTable *names; /* folded bare JID to name */
};

struct nicknames *nicknames_new(void)
{
    struct nicknames *nicknames = g_new0(struct nicknames, 1);

    nicknames->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return nicknames;
}

void nicknames_free(struct nicknames *nicknames)
{
    g_hash_table_destroy(nicknames->names);
    g_free(nicknames);
}

void nicknames_set(struct nicknames *nicknames, const char *jid, const char *nick)
{
    char *key = jid_fold_bare(jid);
    char *name = display_name_clean(nick);
    bool room = g_hash_table_contains(nicknames->names, key) ||
                g_hash_table_size(nicknames->names) < NICKNAMES_MAX;

    if (name != NULL && room)
        g_hash_table_replace(nicknames->names, g_strdup(key), g_steal_pointer(&name));
    else if (name == NULL)
        g_hash_table_remove(nicknames->names, key);
    g_free(name);
    g_free(key);
}

const char *nicknames_find(const struct nicknames *nicknames, const char *jid)
{
    char *key = jid_fold_bare(jid);
    const char *name = g_hash_table_lookup(nicknames->names, key);

    g_free(key);
    return name;
}
