#include "signaling/presence.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "signaling/jid.h"
#include "signaling/ns.h"

struct presence {
    GHashTable *people; /* folded bare JID to GPtrArray of struct device */
    size_t total;
};

static void device_free(void *data)
{
    struct device *device = data;
    g_free(device->jid);
    g_free(device->caps_node);
    g_free(device->caps_hash);
    g_free(device);
}

static void devices_free(void *data)
{
    g_ptr_array_free(data, TRUE);
}

struct presence *presence_new(void)
{
    struct presence *presence = g_new0(struct presence, 1);
    presence->people = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, devices_free);
    return presence;
}

void presence_free(struct presence *presence)
{
    g_hash_table_destroy(presence->people);
    g_free(presence);
}

void presence_clear(struct presence *presence)
{
    g_hash_table_remove_all(presence->people);
    presence->total = 0;
}

static GPtrArray *find_person(const struct presence *presence, const char *jid)
{
    char *key = jid_fold_bare(jid);
    GPtrArray *devices = g_hash_table_lookup(presence->people, key);
    g_free(key);
    return devices;
}

static GPtrArray *add_person(struct presence *presence, const char *jid)
{
    GPtrArray *devices = find_person(presence, jid);
    if (devices)
        return devices;
    devices = g_ptr_array_new_with_free_func(device_free);
    g_hash_table_insert(presence->people, jid_fold_bare(jid), devices);
    return devices;
}

static struct device *find_device(const GPtrArray *devices, const char *full)
{
    for (guint i = 0; devices && i < devices->len; i++) {
        struct device *device = devices->pdata[i];
        if (jid_equal(device->jid, full))
            return device;
    }
    return NULL;
}

static void remove_device(struct presence *presence, const char *jid)
{
    GPtrArray *devices = find_person(presence, jid);
    if (!devices)
        return;
    struct device *device = find_device(devices, jid);
    if (device) {
        g_ptr_array_remove(devices, device);
        presence->total--;
    } else if (!jid_is_full(jid)) {
        /* RFC 6121, 4.6.3: of the account as a whole */
        presence->total -= devices->len;
        g_ptr_array_set_size(devices, 0);
    }
    if (devices->len > 0)
        return;
    char *key = jid_fold_bare(jid);
    g_hash_table_remove(presence->people, key);
    g_free(key);
}

static struct device *add_device(struct presence *presence, const char *jid)
{
    if (presence->total >= PRESENCE_TOTAL_MAX)
        return NULL;
    GPtrArray *devices = add_person(presence, jid);
    if (devices->len >= PRESENCE_DEVICES_MAX)
        return NULL;
    struct device *device = g_new0(struct device, 1);
    device->jid = g_strdup(jid);
    device->caps_node = g_strdup("");
    device->caps_hash = g_strdup("");
    g_ptr_array_add(devices, device);
    presence->total++;
    return device;
}

static const char *short_or_empty(const char *text)
{
    return text && strnlen(text, PRESENCE_TEXT_MAX + 1) <= PRESENCE_TEXT_MAX ? text : "";
}

static void read_caps(struct device *device, const xml_node *presence)
{
    const xml_node *c = xml_child(presence, NS_CAPS, "c");
    const char *hash = c ? xml_attribute(c, "hash") : NULL;
    const char *ver = c ? xml_attribute(c, "ver") : NULL;
    const char *node = c ? xml_attribute(c, "node") : NULL;
    /* Without `hash` it is the first version of XEP-0115, whose `ver` stands for nothing. */
    const char *known = hash && strcmp(hash, "sha-1") == 0 ? short_or_empty(ver) : "";
    if (strcmp(device->caps_hash, known) != 0) {
        device->knowledge = DEVICE_UNKNOWN;
        device->capabilities = 0;
    }
    g_free(device->caps_hash);
    device->caps_hash = g_strdup(known);
    g_free(device->caps_node);
    device->caps_node = g_strdup(short_or_empty(node));
}

static int read_priority(const xml_node *presence)
{
    const xml_node *node = xml_child(presence, NS_CLIENT, "priority");
    char *text = node ? xml_text(node) : NULL;
    gint64 priority = 0;
    if (text && !g_ascii_string_to_signed(text, 10, -128, 127, &priority, NULL))
        priority = 0;
    free(text);
    return (int)priority;
}

struct device *presence_receive(struct presence *presence, const struct stanza *stanza)
{
    if (!stanza->from || !jid_is_valid(stanza->from))
        return NULL;
    if (strcmp(stanza->type, "unavailable") == 0 || strcmp(stanza->type, "error") == 0) {
        remove_device(presence, stanza->from);
        return NULL;
    }
    if (stanza->type[0] || !jid_is_device(stanza->from))
        return NULL;
    struct device *device = presence_find(presence, stanza->from);
    if (!device)
        device = add_device(presence, stanza->from);
    if (!device)
        return NULL;
    device->priority = read_priority(stanza->node);
    read_caps(device, stanza->node);
    return device;
}

static int compare_priority(const void *a, const void *b)
{
    const struct device *left = *(struct device *const *)a;
    const struct device *right = *(struct device *const *)b;
    return (left->priority < right->priority) - (left->priority > right->priority);
}

struct device **presence_devices(const struct presence *presence, const char *bare, size_t *count)
{
    GPtrArray *devices = find_person(presence, bare);
    *count = devices ? devices->len : 0;
    if (*count == 0)
        return NULL;
    struct device **list = g_new(struct device *, *count);
    for (size_t i = 0; i < *count; i++)
        list[i] = devices->pdata[i];
    qsort((void *)list, *count, sizeof(void *), compare_priority);
    return list;
}

struct device *presence_find(const struct presence *presence, const char *full)
{
    return find_device(find_person(presence, full), full);
}

typedef void (*visit_fn)(void *user, struct device *device);

static void for_each_device(struct presence *presence, visit_fn visit, void *user)
{
    GHashTableIter iterator;
    void *value = NULL;
    g_hash_table_iter_init(&iterator, presence->people);
    while (g_hash_table_iter_next(&iterator, NULL, &value)) {
        GPtrArray *devices = value;
        for (guint i = 0; i < devices->len; i++)
            visit(user, devices->pdata[i]);
    }
}

struct lesson {
    const char *hash;
    unsigned capabilities;
};

static void learn(void *user, struct device *device)
{
    const struct lesson *lesson = user;
    if (strcmp(device->caps_hash, lesson->hash) != 0)
        return;
    device->knowledge = DEVICE_KNOWN;
    device->capabilities = lesson->capabilities;
}

void presence_learn(struct presence *presence, const char *hash, unsigned capabilities)
{
    struct lesson lesson = {hash, capabilities};
    if (hash[0])
        for_each_device(presence, learn, &lesson);
}

struct visit {
    visit_fn visit;
    void *user;
};

static void visit_asked(void *user, struct device *device)
{
    const struct visit *visit = user;
    if (device->knowledge == DEVICE_ASKED)
        visit->visit(visit->user, device);
}

void presence_for_each_asked(struct presence *presence, visit_fn visit, void *user)
{
    struct visit asked = {visit, user};
    for_each_device(presence, visit_asked, &asked);
}
