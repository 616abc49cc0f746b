#include "signaling/http_upload.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "signaling/ns.h"

/* XEP-0363, 5: no other may be set. */
static const char *const allowed_headers[] = {"Authorization", "Cookie", "Expires"};

struct xml *upload_request(const char *service, const char *name, uint64_t size,
                           const char *media_type)
{
    struct xml *iq = stanza_iq("get", service, NULL);
    xml_node *request = xml_add(xml_root(iq), NS_UPLOAD, "request");
    xml_set(request, "filename", name);
    xml_set_number(request, "size", size);
    xml_set(request, "content-type", media_type);
    return iq;
}

/* ----------------------------------------------------------------------------------- slots -- */

/* Neither control characters nor spaces, which would let a URL say more to an HTTP library than it
 * shows. */
static bool is_printable(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7f)
            return false;
    return true;
}

static bool is_url(const char *url)
{
    const char *scheme = "https://";
    size_t length = strlen(scheme);
    if (!url || strnlen(url, UPLOAD_URL_MAX + 1) > UPLOAD_URL_MAX || !is_printable(url) ||
        g_ascii_strncasecmp(url, scheme, length) != 0)
        return false;
    return url[length] == '[' || g_ascii_isalnum(url[length]);
}

static const char *allowed_name(const xml_node *header)
{
    const char *name = xml_attribute(header, "name");
    for (size_t i = 0; name && i < G_N_ELEMENTS(allowed_headers); i++)
        if (g_ascii_strcasecmp(name, allowed_headers[i]) == 0)
            return allowed_headers[i];
    return NULL;
}

/* XEP-0363, 5: line breaks are taken out, for what follows one would be another header. NULL: not
 * the value of a header. g_free() it. */
static char *header_value(const xml_node *node)
{
    char *text = xml_text(node);
    GString *value = g_string_new(NULL);
    bool good = strnlen(text, UPLOAD_HEADER_MAX + 1) <= UPLOAD_HEADER_MAX;
    for (const char *at = text; good && *at; at++) {
        good = !g_ascii_iscntrl(*at) || strchr("\r\n\t", *at);
        if (*at != '\r' && *at != '\n')
            g_string_append_c(value, *at);
    }
    free(text);
    return g_string_free(value, !good || value->len == 0);
}

static void add_header(struct upload_slot *slot, const xml_node *node)
{
    const char *name = allowed_name(node);
    if (!name || slot->header_count == G_N_ELEMENTS(slot->headers))
        return;
    char *value = header_value(node);
    if (value)
        slot->headers[slot->header_count++] = (struct upload_header){name, value};
}

bool upload_slot_read(struct upload_slot *slot, const xml_node *answer, const char **why)
{
    const xml_node *node = xml_child(answer, NS_UPLOAD, "slot");
    const xml_node *put = node ? xml_child(node, NS_UPLOAD, "put") : NULL;
    const xml_node *get = node ? xml_child(node, NS_UPLOAD, "get") : NULL;
    memset(slot, 0, sizeof *slot);
    if (!put || !get) {
        *why = "no slot in the answer";
        return false;
    }
    if (!is_url(xml_attribute(put, "url")) || !is_url(xml_attribute(get, "url"))) {
        *why = "a URL that is not https";
        return false;
    }
    slot->put_url = g_strdup(xml_attribute(put, "url"));
    slot->get_url = g_strdup(xml_attribute(get, "url"));
    XML_EACH (child, put)
        if (xml_is(child, NS_UPLOAD, "header"))
            add_header(slot, child);
    return true;
}

void upload_slot_clear(struct upload_slot *slot)
{
    for (size_t i = 0; i < slot->header_count; i++)
        g_free((char *)slot->headers[i].value);
    g_free((char *)slot->put_url);
    g_free((char *)slot->get_url);
    memset(slot, 0, sizeof *slot);
}

/* -------------------------------------------------------------------------------- refusals -- */

void upload_too_large(uint64_t max, char *text, size_t size)
{
    char *amount = g_format_size_full(max, G_FORMAT_SIZE_IEC_UNITS);
    g_snprintf(text, size, "The server takes files of at most %s.", amount);
    g_free(amount);
}

jingle_status upload_refusal(const struct stanza *answer, const struct stanza_error *error,
                             char *text, size_t size)
{
    const xml_node *node = answer ? xml_child(answer->node, xml_ns(answer->node), "error") : NULL;
    const xml_node *large = node ? xml_child(node, NS_UPLOAD, "file-too-large") : NULL;
    const xml_node *max = large ? xml_child(large, NS_UPLOAD, "max-file-size") : NULL;
    guint64 number = 0;
    char *digits = max ? xml_text(max) : NULL;
    g_strlcpy(text, error->text, size);
    if (digits && g_ascii_string_to_unsigned(digits, 10, 0, G_MAXUINT64, &number, NULL))
        upload_too_large(number, text, size);
    free(digits);
    return large ? JINGLE_ERROR_NO_UPLOAD : JINGLE_ERROR_UPLOAD;
}

/* --------------------------------------------------------------------------------- message -- */

struct xml *upload_message(const char *to, const char *id, const char *url, const char *description)
{
    struct xml *message = stanza_message("chat", to, id);
    xml_node *root = xml_root(message);
    xml_add_text(root, NULL, "body", url);
    xml_node *link = xml_add(root, NS_OOB, "x");
    xml_add_text(link, NULL, "url", url);
    if (description && description[0])
        xml_add_text(link, NULL, "desc", description);
    xml_add(root, NS_HINTS, "store");
    return message;
}
