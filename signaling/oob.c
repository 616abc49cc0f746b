#include "signaling/oob.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/characters.h"
#include "signaling/ns.h"

static const struct {
    const char *prefix;
    bool encrypted;
} schemes[] = {{"https://", false}, {"http://", false}, {"aesgcm://", true}};

bool oob_is_in(const xml_node *message)
{
    return xml_child(message, NS_OOB, "x") != NULL;
}

/* Of one line. */
static bool is_plain(gunichar character)
{
    GUnicodeType type = g_unichar_type(character);
    return character_is_plain(character) && type != G_UNICODE_LINE_SEPARATOR &&
           type != G_UNICODE_PARAGRAPH_SEPARATOR;
}

static bool is_one_word(const char *text)
{
    for (const char *at = text; *at; at = g_utf8_next_char(at)) {
        gunichar character = g_utf8_get_char(at);
        if (!is_plain(character) || g_unichar_isspace(character))
            return false;
    }
    return true;
}

/* Is it one, and has it a host? */
static bool read_scheme(const char *url, bool *encrypted)
{
    for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++) {
        size_t length = strlen(schemes[i].prefix);
        if (g_ascii_strncasecmp(url, schemes[i].prefix, length) == 0) {
            *encrypted = schemes[i].encrypted;
            return url[length] != '\0' && !strchr("/?#", url[length]);
        }
    }
    return false;
}

static char *read_url(const xml_node *x, bool *encrypted, const char **why)
{
    const xml_node *node = xml_child(x, NS_OOB, "url");
    char *text = node ? xml_text(node) : NULL;
    char *url = NULL;
    if (!text || !*text)
        *why = "no URL in it";
    else if (strlen(text) > OOB_URL_MAX)
        *why = "the URL is too long";
    else if (!is_one_word(text))
        *why = "the URL has characters that belong in none";
    else if (!read_scheme(text, encrypted))
        *why = "the URL is not http, https or aesgcm";
    else
        url = g_strdup(text);
    free(text);
    return url;
}

/* What is no plain character becomes a space. */
static char *read_description(const xml_node *x)
{
    const xml_node *node = xml_child(x, NS_OOB, "desc");
    char *text = node ? xml_text(node) : NULL;
    GString *line = g_string_new(NULL);
    for (const char *at = text; at && *at; at = g_utf8_next_char(at)) {
        gunichar character = g_utf8_get_char(at);
        if (line->len + (gsize)(g_utf8_next_char(at) - at) > OOB_TEXT_MAX)
            break;
        g_string_append_unichar(line, is_plain(character) ? character : ' ');
    }
    free(text);
    return g_strstrip(g_string_free(line, FALSE));
}

bool oob_link_read(struct oob_link *link, const xml_node *message, const char **why)
{
    *link = (struct oob_link){0};
    *why = "no link";
    XML_EACH (child, message) {
        if (!xml_is(child, NS_OOB, "x"))
            continue;
        link->url = read_url(child, &link->encrypted, why);
        if (link->url) {
            link->description = read_description(child);
            return true;
        }
    }
    return false;
}

void oob_link_clear(struct oob_link *link)
{
    g_free(link->url);
    g_free(link->description);
    *link = (struct oob_link){0};
}
