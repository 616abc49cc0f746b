#include "signaling/file_services.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "signaling/disco.h"
#include "signaling/jid.h"
#include "signaling/ns.h"

#define NS_DATA_FORMS "jabber:x:data"

/* What a question is about; the rest of its tag is the number of the item. */
enum { ASKED_ITEMS, ASKED_INFO, ASKED_ADDRESS, ASKED_KINDS };

enum progress { NOT_BEGUN, RUNNING, KNOWN };

struct item {
    char *jid;
    bool is_upload;
    uint64_t max_size;
    struct s5b_candidate proxy; /* port 0: none */
};

struct file_services {
    struct file_services_hooks hooks;
    enum progress progress;
    unsigned open; /* questions */
    struct item items[FILE_SERVICES_ITEMS_MAX + 1];
    size_t item_count; /* the server itself is the first */
    struct s5b_candidate proxies[FILE_SERVICES_PROXIES_MAX];
    size_t proxy_count;
    char *upload;
    uint64_t upload_max;
};

struct file_services *file_services_new(const struct file_services_hooks *hooks)
{
    struct file_services *services = g_new0(struct file_services, 1);
    services->hooks = *hooks;
    return services;
}

static void clear_items(struct file_services *services)
{
    for (size_t i = 0; i < services->item_count; i++) {
        g_free(services->items[i].jid);
        g_free(services->items[i].proxy.jid);
    }
    memset(services->items, 0, sizeof services->items);
    services->item_count = 0;
}

static void clear_found(struct file_services *services)
{
    for (size_t i = 0; i < services->proxy_count; i++)
        g_free(services->proxies[i].jid);
    services->proxy_count = 0;
    g_free(services->upload);
    services->upload = NULL;
}

void file_services_free(struct file_services *services)
{
    clear_items(services);
    clear_found(services);
    g_free(services);
}

void file_services_forget(struct file_services *services)
{
    clear_items(services);
    services->open = 0;
    services->progress = NOT_BEGUN;
}

bool file_services_are_known(const struct file_services *services)
{
    return services->progress == KNOWN;
}

const struct s5b_candidate *file_services_proxies(const struct file_services *services,
                                                  size_t *count)
{
    *count = services->proxy_count;
    return services->proxies;
}

struct upload_service file_services_upload(const struct file_services *services)
{
    return (struct upload_service){services->upload, services->upload_max};
}

/* ------------------------------------------------------------------------------- questions -- */

static void ask(struct file_services *services, struct xml *iq, const char *to, unsigned kind,
                size_t item)
{
    services->open++;
    services->hooks.ask(services->hooks.user, iq, to, (unsigned)item * ASKED_KINDS + kind);
}

static void ask_disco(struct file_services *services, size_t item, const char *ns, unsigned kind)
{
    const char *jid = services->items[item].jid;
    struct xml *iq = stanza_iq("get", jid, NULL);
    xml_add(xml_root(iq), ns, "query");
    ask(services, iq, jid, kind, item);
}

static void add_item(struct file_services *services, const char *jid)
{
    for (size_t i = 0; i < services->item_count; i++)
        if (jid_equal(services->items[i].jid, jid))
            return;
    services->items[services->item_count].jid = g_strdup(jid);
    services->item_count++;
    ask_disco(services, services->item_count - 1, NS_DISCO_INFO, ASKED_INFO);
}

void file_services_begin(struct file_services *services, const char *domain)
{
    if (services->progress != NOT_BEGUN)
        return;
    services->progress = RUNNING;
    add_item(services, domain);
    ask_disco(services, 0, NS_DISCO_ITEMS, ASKED_ITEMS);
}

/* --------------------------------------------------------------------------------- answers -- */

/* An item with a node is a part of something, not a service. */
static void read_items(struct file_services *services, const xml_node *query)
{
    XML_EACH (child, query) {
        const char *jid = xml_attribute(child, "jid");
        if (services->item_count == G_N_ELEMENTS(services->items))
            return;
        if (xml_is(child, NS_DISCO_ITEMS, "item") && jid_is_valid(jid) &&
            !xml_attribute(child, "node"))
            add_item(services, jid);
    }
}

/* A field's value is `text`. */
static bool field_is(const xml_node *field, const char *var, const char *text)
{
    const char *name = xml_attribute(field, "var");
    const xml_node *value = xml_child(field, NS_DATA_FORMS, "value");
    if (!name || strcmp(name, var) != 0 || !value)
        return false;
    char *found = xml_text(value);
    bool same = strcmp(found, text) == 0;
    free(found);
    return same;
}

static bool read_number(const xml_node *field, const char *var, uint64_t *out)
{
    const char *name = xml_attribute(field, "var");
    const xml_node *value = xml_child(field, NS_DATA_FORMS, "value");
    if (!name || strcmp(name, var) != 0 || !value)
        return false;
    char *text = xml_text(value);
    guint64 number = 0;
    bool good = g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &number, NULL);
    free(text);
    if (good)
        *out = number;
    return good;
}

/* XEP-0363, 4: the form beside the features (XEP-0128). */
static uint64_t read_max_size(const xml_node *query)
{
    XML_EACH (form, query) {
        uint64_t size = UINT64_MAX;
        bool about_uploads = false;
        if (!xml_is(form, NS_DATA_FORMS, "x"))
            continue;
        XML_EACH (field, form) {
            about_uploads = about_uploads || field_is(field, "FORM_TYPE", NS_UPLOAD);
            read_number(field, "max-file-size", &size);
        }
        if (about_uploads)
            return size;
    }
    return UINT64_MAX;
}

static void read_info(struct file_services *services, size_t number, const xml_node *query)
{
    struct item *item = &services->items[number];
    unsigned capabilities = disco_capabilities(query);
    item->is_upload = capabilities & CAN_UPLOAD;
    item->max_size = item->is_upload ? read_max_size(query) : 0;
    if (number > 0 && (capabilities & CAN_BYTESTREAM_PROXY))
        ask(services, s5b_proxy_query(item->jid), item->jid, ASKED_ADDRESS, number);
}

static void keep(struct file_services *services, struct item *item)
{
    if (item->proxy.port && services->proxy_count < FILE_SERVICES_PROXIES_MAX) {
        services->proxies[services->proxy_count++] = item->proxy;
        item->proxy.jid = NULL;
    }
    if (item->is_upload && !services->upload) {
        services->upload = g_strdup(item->jid);
        services->upload_max = item->max_size;
    }
}

static void conclude(struct file_services *services)
{
    clear_found(services);
    for (size_t i = 0; i < services->item_count; i++)
        keep(services, &services->items[i]);
    clear_items(services);
    services->progress = KNOWN;
    services->hooks.known(services->hooks.user);
}

void file_services_answered(struct file_services *services, unsigned tag,
                            const struct stanza *answer)
{
    size_t number = tag / ASKED_KINDS;
    const xml_node *items = answer ? xml_child(answer->node, NS_DISCO_ITEMS, "query") : NULL;
    const xml_node *info = answer ? xml_child(answer->node, NS_DISCO_INFO, "query") : NULL;
    if (services->progress != RUNNING || number >= services->item_count)
        return;
    if (tag % ASKED_KINDS == ASKED_ITEMS && items)
        read_items(services, items);
    else if (tag % ASKED_KINDS == ASKED_INFO && info)
        read_info(services, number, info);
    else if (tag % ASKED_KINDS == ASKED_ADDRESS && answer)
        s5b_proxy_read(&services->items[number].proxy, answer->node);
    services->open--;
    if (services->open == 0)
        conclude(services);
}
