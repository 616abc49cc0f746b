#include "signaling/roster.h"

#include <string.h>

#include <glib.h>

#include "signaling/jid.h"
#include "signaling/ns.h"

struct roster {
    GHashTable *items; /* folded bare JID to struct roster_item */
    roster_changed_fn changed;
    void *user;
};

static void item_free(void *data)
{
    struct roster_item *item = data;
    g_free(item->jid);
    g_free(item->name);
    g_free(item);
}

struct roster *roster_new(roster_changed_fn changed, void *user)
{
    struct roster *roster = g_new0(struct roster, 1);
    roster->items = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, item_free);
    roster->changed = changed;
    roster->user = user;
    return roster;
}

void roster_free(struct roster *roster)
{
    g_hash_table_destroy(roster->items);
    g_free(roster);
}

static jingle_subscription read_subscription(const char *text)
{
    if (!text)
        return JINGLE_SUBSCRIPTION_NONE;
    if (strcmp(text, "both") == 0)
        return JINGLE_SUBSCRIPTION_BOTH;
    if (strcmp(text, "to") == 0)
        return JINGLE_SUBSCRIPTION_TO;
    return strcmp(text, "from") == 0 ? JINGLE_SUBSCRIPTION_FROM : JINGLE_SUBSCRIPTION_NONE;
}

static bool is_same(const struct roster_item *a, const struct roster_item *b)
{
    return strcmp(a->name, b->name) == 0 && a->subscription == b->subscription &&
           a->asked == b->asked;
}

static void forget(struct roster *roster, const char *key)
{
    const struct roster_item *item = g_hash_table_lookup(roster->items, key);
    if (!item)
        return;
    char *stolen_key = NULL;
    struct roster_item *stolen = NULL;
    g_hash_table_steal_extended(roster->items, key, (gpointer *)&stolen_key, (gpointer *)&stolen);
    roster->changed(roster->user, stolen, true);
    g_free(stolen_key);
    item_free(stolen);
}

/* Takes over `item`. */
static void put(struct roster *roster, const char *key, struct roster_item *item)
{
    const struct roster_item *before = g_hash_table_lookup(roster->items, key);
    if ((before && is_same(before, item)) ||
        (!before && g_hash_table_size(roster->items) >= ROSTER_MAX)) {
        item_free(item);
        return;
    }
    g_hash_table_replace(roster->items, g_strdup(key), item);
    roster->changed(roster->user, item, false);
}

/* Returns the item's key, g_free() it; NULL if the element makes no sense. */
static char *read_item(struct roster *roster, const xml_node *node)
{
    const char *jid = xml_attribute(node, "jid");
    const char *name = xml_attribute(node, "name");
    const char *subscription = xml_attribute(node, "subscription");
    const char *ask = xml_attribute(node, "ask");
    if (!xml_is(node, NS_ROSTER, "item") || !jid || !jid_is_valid(jid))
        return NULL;
    char *bare = jid_bare(jid);
    char *key = jid_fold(bare);
    if (subscription && strcmp(subscription, "remove") == 0) {
        forget(roster, key);
        g_free(bare);
        return key;
    }
    struct roster_item *item = g_new0(struct roster_item, 1);
    item->jid = bare;
    item->name = name && strlen(name) <= ROSTER_NAME_MAX ? g_strdup(name) : g_strdup("");
    item->subscription = read_subscription(subscription);
    item->asked = ask && strcmp(ask, "subscribe") == 0;
    put(roster, key, item);
    return key;
}

void roster_read(struct roster *roster, const xml_node *query)
{
    GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    XML_EACH (node, query) {
        char *key = read_item(roster, node);
        if (key)
            g_hash_table_add(seen, key);
    }
    GList *keys = g_hash_table_get_keys(roster->items);
    for (GList *item = keys; item; item = item->next) {
        if (g_hash_table_contains(seen, item->data))
            continue;
        char *key = g_strdup(item->data);
        forget(roster, key);
        g_free(key);
    }
    g_list_free(keys);
    g_hash_table_destroy(seen);
}

void roster_push(struct roster *roster, const xml_node *query)
{
    const xml_node *node = xml_first(query); /* exactly one (RFC 6121, 2.1.6) */
    if (node)
        g_free(read_item(roster, node));
}

const struct roster_item *roster_find(const struct roster *roster, const char *jid)
{
    char *bare = jid ? jid_bare(jid) : NULL;
    char *key = bare ? jid_fold(bare) : NULL;
    const struct roster_item *item = key ? g_hash_table_lookup(roster->items, key) : NULL;
    g_free(key);
    g_free(bare);
    return item;
}

size_t roster_count(const struct roster *roster)
{
    return g_hash_table_size(roster->items);
}

const struct roster_item **roster_list(const struct roster *roster, size_t *count)
{
    GList *values = g_hash_table_get_values(roster->items);
    *count = g_list_length(values);
    const struct roster_item **list = g_new0(const struct roster_item *, *count + 1);
    size_t i = 0;
    for (GList *item = values; item; item = item->next)
        list[i++] = item->data;
    g_list_free(values);
    return list;
}
