/* A JID's resource, a contact's name or an error text is chosen by somebody else: an escape
 * sequence in it could rewrite the screen, a direction override could turn "ecila" into "alice". */
#include "text.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

static bool character_harmless(gunichar character)
{
    if (!g_unichar_isprint(character)) {
        return false;
    }
    switch (g_unichar_type(character)) {
    case G_UNICODE_FORMAT: /* zero width and direction marks */
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
        return false;
    default:
        return true;
    }
}

char *text_clean(const char *text, size_t limit)
{
    GString *clean = g_string_new(NULL);
    bool ascii_only = !g_get_charset(NULL);
    const char *at = text ? text : "";
    for (size_t count = 0; *at; count++) {
        if (count == limit) {
            g_string_append(clean, "...");
            break;
        }
        gunichar character = g_utf8_get_char_validated(at, -1);
        if (character == (gunichar)-1 || character == (gunichar)-2) {
            g_string_append_c(clean, '?');
            at++;
            continue;
        }
        if (!character_harmless(character) || (ascii_only && character > 0x7e)) {
            character = '?';
        }
        g_string_append_unichar(clean, character);
        at = g_utf8_next_char(at);
    }
    return g_string_free(clean, FALSE);
}

/* "bob" of "bob@example.org/phone", or all of its bare part. */
static bool says_nothing_new(const char *name, const char *jid)
{
    size_t length = strlen(name);
    return length == 0 || (strncmp(name, jid, length) == 0 && strchr("@/", jid[length]) != NULL);
}

char *text_person(const char *name, const char *jid, size_t limit)
{
    char *clean_jid = text_clean(jid, limit);
    if (!name || says_nothing_new(name, jid)) {
        return clean_jid;
    }
    char *clean_name = text_clean(name, limit);
    char *text = g_strdup_printf("%s (%s)", clean_name, clean_jid);
    g_free(clean_name);
    g_free(clean_jid);
    return text;
}

static size_t character_width(gunichar character)
{
    return g_unichar_iszerowidth(character) ? 0 : g_unichar_iswide(character) ? 2 : 1;
}

size_t text_width(const char *text)
{
    size_t width = 0;
    for (const char *at = text; *at; at = g_utf8_next_char(at)) {
        width += character_width(g_utf8_get_char(at));
    }
    return width;
}

char *text_begin(const char *text, size_t width)
{
    const char *at = text;
    for (size_t used = 0; *at; at = g_utf8_next_char(at)) {
        used += character_width(g_utf8_get_char(at));
        if (used > width) {
            break;
        }
    }
    return g_strndup(text, (gsize)(at - text));
}

char *text_end(const char *text, size_t width)
{
    const char *at = text;
    for (size_t left = text_width(text); left > width; at = g_utf8_next_char(at)) {
        left -= character_width(g_utf8_get_char(at));
    }
    return g_strdup(at);
}
