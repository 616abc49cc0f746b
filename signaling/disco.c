#include "signaling/disco.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "signaling/ns.h"

static const struct {
    const char *feature;
    enum capability capability;
} known_features[] = {
    {NS_JINGLE, CAN_JINGLE},
    {NS_RTP, CAN_RTP},
    {NS_RTP_AUDIO, CAN_AUDIO},
    {NS_RTP_VIDEO, CAN_VIDEO},
    {NS_ICE_UDP, CAN_ICE_UDP},
    {NS_DTLS, CAN_DTLS},
    {NS_JINGLE_MESSAGE, CAN_MESSAGE_INITIATION},
    {NS_CARBONS, CAN_CARBONS},
    {NS_EXTDISCO, CAN_EXTERNAL_SERVICES},
    {NS_ARCHIVE, CAN_ARCHIVE},
    {NS_FILE_TRANSFER_5, CAN_FILES},
    {NS_S5B, CAN_S5B},
    {NS_IBB_TRANSPORT, CAN_INBAND},
    {NS_BYTESTREAMS, CAN_BYTESTREAM_PROXY},
    {NS_UPLOAD, CAN_UPLOAD},
    {NS_ENGINE_FILES, CAN_ENGINE_FILES},
    {NS_HASHES, CAN_HASHES},
    {NS_HASH_NAMES "sha-1", CAN_HASH_SHA_1},
    {NS_HASH_NAMES "sha-256", CAN_HASH_SHA_256},
    {NS_HASH_NAMES "sha-512", CAN_HASH_SHA_512},
    {NS_HASH_NAMES "sha3-256", CAN_HASH_SHA3_256},
    {NS_HASH_NAMES "sha3-512", CAN_HASH_SHA3_512},
    {NS_HASH_NAMES "blake2b-512", CAN_HASH_BLAKE2B_512},
};

static unsigned capability_of(const char *feature)
{
    for (size_t i = 0; i < G_N_ELEMENTS(known_features); i++)
        if (strcmp(feature, known_features[i].feature) == 0)
            return known_features[i].capability;
    return 0;
}

/* Every Gajim that announces files (1.7.3 is in Debian 12) stumbles over an offer: it acknowledges
 * and never answers. What it sends comes well. */
static bool takes_no_files(const xml_node *identity)
{
    const char *category = xml_attribute(identity, "category");
    const char *name = xml_attribute(identity, "name");
    return category && name && strcmp(category, "client") == 0 && strcmp(name, "Gajim") == 0;
}

unsigned disco_capabilities(const xml_node *query)
{
    unsigned found = 0;
    bool stumbles = false;
    XML_EACH (child, query) {
        const char *var = xml_attribute(child, "var");
        if (var && xml_is(child, NS_DISCO_INFO, "feature"))
            found |= capability_of(var);
        stumbles = stumbles || (xml_is(child, NS_DISCO_INFO, "identity") && takes_no_files(child));
    }
    return stumbles ? found & ~(unsigned)CAN_FILES : found;
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts by bytes (i;octet); false if the same is there twice. */
static bool sort_unique(GPtrArray *texts)
{
    g_ptr_array_sort(texts, compare_text);
    for (guint i = 1; i < texts->len; i++)
        if (strcmp(texts->pdata[i - 1], texts->pdata[i]) == 0)
            return false;
    return true;
}

/* The texts are hashed with a '<' after each, and nothing else tells them apart. So other features
 * would have the same hash if one had a '<' inside, or stood in a form: somebody could tell us lies
 * about everybody who wears that hash. */
static bool may_mislead(const char *text)
{
    return strchr(text, '<') || capability_of(text);
}

static bool form_may_mislead(const xml_node *node)
{
    const char *var = xml_attribute(node, "var");
    char *text = xml_text(node);
    bool found = (var && may_mislead(var)) || may_mislead(text);
    free(text);
    XML_EACH (child, node)
        found = found || form_may_mislead(child);
    return found;
}

static void append_each(GString *string, const GPtrArray *texts)
{
    for (guint i = 0; i < texts->len; i++)
        g_string_append_printf(string, "%s<", (const char *)texts->pdata[i]);
}

static const char *attribute_or_empty(const xml_node *node, const char *name)
{
    const char *value = xml_attribute(node, name);
    return value ? value : "";
}

/* The attribute xml:lang has a prefix; identities in several languages are rare and then the hash
 * does not match, so that they are asked again and not cached. */
static char *identity_text(const xml_node *identity)
{
    return g_strdup_printf("%s/%s/%s/%s", attribute_or_empty(identity, "category"),
                           attribute_or_empty(identity, "type"),
                           attribute_or_empty(identity, "lang"),
                           attribute_or_empty(identity, "name"));
}

/* One field of a form: "var<value<value<". */
static char *field_text(const xml_node *field)
{
    GPtrArray *values = g_ptr_array_new_with_free_func(free);
    XML_EACH (child, field)
        if (xml_is(child, NS_DATA, "value") && values->len < DISCO_FEATURES_MAX)
            g_ptr_array_add(values, xml_text(child));
    g_ptr_array_sort(values, compare_text);
    GString *text = g_string_new(attribute_or_empty(field, "var"));
    g_string_append_c(text, '<');
    append_each(text, values);
    g_ptr_array_free(values, TRUE);
    return g_string_free(text, FALSE);
}

static bool is_form_type(const xml_node *field)
{
    return strcmp(attribute_or_empty(field, "var"), "FORM_TYPE") == 0;
}

static bool is_hidden(const xml_node *field)
{
    return strcmp(attribute_or_empty(field, "type"), "hidden") == 0;
}

/* A form of XEP-0128: "FORM_TYPE's value<fields". NULL: it has no FORM_TYPE and does not count. */
static char *form_text(const xml_node *form)
{
    char *type = NULL;
    GPtrArray *fields = g_ptr_array_new_with_free_func(g_free);
    XML_EACH (field, form) {
        if (!xml_is(field, NS_DATA, "field") || fields->len == DISCO_FEATURES_MAX)
            continue;
        const xml_node *value = xml_child(field, NS_DATA, "value");
        if (!is_form_type(field))
            g_ptr_array_add(fields, field_text(field));
        else if (!type && value && is_hidden(field))
            type = xml_text(value);
    }
    char *text = NULL;
    if (type) {
        GString *string = g_string_new(type);
        g_string_append_c(string, '<');
        g_ptr_array_sort(fields, compare_text);
        for (guint i = 0; i < fields->len; i++)
            g_string_append(string, fields->pdata[i]);
        text = g_string_free(string, FALSE);
    }
    free(type);
    g_ptr_array_free(fields, TRUE);
    return text;
}

struct disco_parts {
    GPtrArray *identities;
    GPtrArray *features;
    GPtrArray *forms;
    bool misleading;
};

static void collect(const xml_node *query, struct disco_parts *parts)
{
    XML_EACH (child, query) {
        const char *var = xml_attribute(child, "var");
        if (xml_is(child, NS_DISCO_INFO, "identity") &&
            parts->identities->len < DISCO_FEATURES_MAX) {
            char *text = identity_text(child);
            parts->misleading = parts->misleading || strchr(text, '<');
            g_ptr_array_add(parts->identities, text);
        } else if (xml_is(child, NS_DISCO_INFO, "feature") && var &&
                   parts->features->len < DISCO_FEATURES_MAX) {
            parts->misleading = parts->misleading || strchr(var, '<');
            g_ptr_array_add(parts->features, g_strdup(var));
        } else if (xml_is(child, NS_DATA, "x") && parts->forms->len < DISCO_FEATURES_MAX) {
            char *form = form_text(child);
            parts->misleading = parts->misleading || form_may_mislead(child);
            if (form)
                g_ptr_array_add(parts->forms, form);
        }
    }
}

static char *hash_text(const char *text)
{
    guint8 digest[20];
    gsize size = sizeof digest;
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA1);
    g_checksum_update(sum, (const guchar *)text, -1);
    g_checksum_get_digest(sum, digest, &size);
    g_checksum_free(sum);
    return g_base64_encode(digest, size);
}

char *disco_hash(const xml_node *query)
{
    struct disco_parts parts = {
        g_ptr_array_new_with_free_func(g_free),
        g_ptr_array_new_with_free_func(g_free),
        g_ptr_array_new_with_free_func(g_free),
        false,
    };
    collect(query, &parts);
    char *hash = NULL;
    bool unique = sort_unique(parts.identities) && sort_unique(parts.features);
    unique = sort_unique(parts.forms) && unique;
    if (unique && !parts.misleading) {
        GString *text = g_string_new(NULL);
        append_each(text, parts.identities);
        append_each(text, parts.features);
        for (guint i = 0; i < parts.forms->len; i++)
            g_string_append(text, parts.forms->pdata[i]);
        hash = hash_text(text->str);
        g_string_free(text, TRUE);
    }
    g_ptr_array_free(parts.identities, TRUE);
    g_ptr_array_free(parts.features, TRUE);
    g_ptr_array_free(parts.forms, TRUE);
    return hash;
}

void disco_write(const struct disco_self *self, xml_node *query)
{
    xml_node *identity = xml_add(query, NULL, "identity");
    xml_set(identity, "category", "client");
    xml_set(identity, "type", "phone");
    xml_set(identity, "name", self->name);
    for (size_t i = 0; self->features[i]; i++)
        xml_set(xml_add(query, NULL, "feature"), "var", self->features[i]);
}
