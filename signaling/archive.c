#include "signaling/archive.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "signaling/jid.h"
#include "signaling/ns.h"

#define ID_MAX 1024 /* bytes of a message's id in the archive */

static bool read_when(const xml_node *forwarded, int64_t *when)
{
    struct stanza kept = {.node = forwarded};
    return stanza_delay(&kept, when);
}

bool archive_open(const struct stanza *message, const char *own_bare, struct archive_result *result)
{
    const xml_node *element =
        message->kind == STANZA_MESSAGE ? xml_child(message->node, NS_ARCHIVE, "result") : NULL;
    const xml_node *forwarded = element ? xml_child(element, NS_FORWARD, "forwarded") : NULL;
    const xml_node *inner = forwarded ? xml_child(forwarded, NS_CLIENT, "message") : NULL;
    if (!inner || (message->from && !jid_equal(message->from, own_bare)))
        return false;
    const char *query = xml_attribute(element, "queryid");
    result->query = query ? query : "";
    return stanza_read(&result->inner, inner) && read_when(forwarded, &result->when);
}

/* XEP-0004; `type` NULL: a field like any other. */
static void add_field(xml_node *form, const char *name, const char *type, const char *value)
{
    xml_node *field = xml_add(form, NULL, "field");
    xml_set(field, "var", name);
    xml_set(field, "type", type);
    xml_add_text(field, NULL, "value", value);
}

struct xml *archive_query(const char *query, int64_t start, const char *before)
{
    struct xml *iq = stanza_iq("set", NULL, NULL);
    xml_node *element = xml_add(xml_root(iq), NS_ARCHIVE, "query");
    xml_set(element, "queryid", query);
    xml_node *form = xml_add(element, NS_DATA, "x");
    xml_set(form, "type", "submit");
    GDateTime *time = g_date_time_new_from_unix_utc(start / G_USEC_PER_SEC);
    char *stamp = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("");
    add_field(form, "FORM_TYPE", "hidden", NS_ARCHIVE);
    add_field(form, "start", NULL, stamp);
    g_free(stamp);
    if (time)
        g_date_time_unref(time);
    xml_node *set = xml_add(element, NS_RSM, "set"); /* XEP-0059, 2.5: the last page first */
    xml_add_text(set, NULL, "max", G_STRINGIFY(ARCHIVE_PAGE));
    xml_add_text(set, NULL, "before", before ? before : "");
    return iq;
}

char *archive_rest(const struct stanza *answer)
{
    const xml_node *fin = xml_child(answer->node, NS_ARCHIVE, "fin");
    const xml_node *set = fin ? xml_child(fin, NS_RSM, "set") : NULL;
    const xml_node *first = set ? xml_child(set, NS_RSM, "first") : NULL;
    char *id = first && !xml_attribute_flag(fin, "complete") ? xml_text(first) : NULL;
    char *rest = id && *id && strnlen(id, ID_MAX + 1) <= ID_MAX ? g_strdup(id) : NULL;
    free(id);
    return rest;
}
