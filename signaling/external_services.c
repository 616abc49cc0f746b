#include "signaling/external_services.h"

#include <string.h>

#include <glib.h>

#include "signaling/ns.h"

#define TEXT_MAX        1024                /* bytes of a user name or password */
#define RENEWAL_SOONEST (10 * USEC_PER_SEC) /* whatever the server says */

static const char *const type_names[] = {"stun", "stuns", "turn", "turns"};

const char *external_service_type_name(enum external_service_type type)
{
    return type_names[type];
}

static void item_clear(struct external_service *service)
{
    g_free(service->host);
    g_free(service->username);
    g_free(service->password);
    memset(service, 0, sizeof *service);
}

void external_services_clear(struct external_services *services)
{
    for (size_t i = 0; i < services->count; i++)
        item_clear(&services->items[i]);
    services->count = 0;
}

static bool read_type(const xml_node *node, enum external_service_type *type)
{
    const char *text = xml_attribute(node, "type");
    for (size_t i = 0; text && i < G_N_ELEMENTS(type_names); i++) {
        if (strcmp(text, type_names[i]) != 0)
            continue;
        *type = (enum external_service_type)i;
        return true;
    }
    return false;
}

/* XEP-0082 time to our clock; past or senseless times are USEC_NEVER: then it is of no use. */
static usec read_expiry(const xml_node *node, usec now, int64_t wall)
{
    const char *text = xml_attribute(node, "expires");
    GDateTime *time = text ? g_date_time_new_from_iso8601(text, NULL) : NULL;
    if (!time)
        return USEC_NEVER;
    int64_t at = g_date_time_to_unix(time) * USEC_PER_SEC;
    g_date_time_unref(time);
    return at > wall ? now + (at - wall) : USEC_NEVER;
}

static char *read_text(const xml_node *node, const char *name)
{
    const char *text = xml_attribute(node, name);
    return g_strdup(text && strlen(text) <= TEXT_MAX ? text : "");
}

static char *read_host(const xml_node *node)
{
    const char *host = xml_attribute(node, "host");
    size_t length = host ? strlen(host) : 0;
    if (length == 0 || length > 255)
        return NULL;
    if (host[0] == '[' && host[length - 1] == ']')
        return g_strndup(host + 1, length - 2);
    return g_strdup(host);
}

static bool read_service(struct external_service *service, const xml_node *node, usec now,
                         int64_t wall)
{
    memset(service, 0, sizeof *service);
    const char *transport = xml_attribute(node, "transport");
    const char *action = xml_attribute(node, "action");
    bool secure = false;
    uint64_t port = 0;
    if (!xml_is(node, NS_EXTDISCO, "service") || !read_type(node, &service->type) ||
        (action && strcmp(action, "delete") == 0))
        return false;
    secure = service->type == SERVICE_STUNS || service->type == SERVICE_TURNS;
    if (!xml_attribute(node, "port"))
        port = secure ? 5349 : 3478; /* RFC 8489 and 8656 */
    else if (!xml_attribute_number(node, "port", UINT16_MAX, &port) || port == 0)
        return false;
    service->host = read_host(node);
    if (!service->host)
        return false;
    service->port = (uint16_t)port;
    service->tcp = transport ? strcmp(transport, "tcp") == 0 : secure;
    service->username = read_text(node, "username");
    service->password = read_text(node, "password");
    service->expires = read_expiry(node, now, wall);
    service->restricted = xml_attribute_flag(node, "restricted") && !service->username[0];
    return true;
}

void external_services_read(struct external_services *services, const xml_node *element, usec now,
                            int64_t wall)
{
    external_services_clear(services);
    XML_EACH (node, element) {
        if (services->count == EXTERNAL_SERVICES_MAX)
            return;
        if (read_service(&services->items[services->count], node, now, wall))
            services->count++;
    }
}

static void fill_in(struct external_services *services, const struct external_service *told)
{
    for (size_t i = 0; i < services->count; i++) {
        struct external_service *service = &services->items[i];
        if (service->type != told->type || strcmp(service->host, told->host) != 0 ||
            (service->port != told->port && told->port != 0))
            continue;
        g_free(service->username);
        g_free(service->password);
        service->username = g_strdup(told->username);
        service->password = g_strdup(told->password);
        service->expires = told->expires;
        service->restricted = false;
    }
}

void external_services_read_credentials(struct external_services *services, const xml_node *element,
                                        usec now, int64_t wall)
{
    XML_EACH (node, element) {
        struct external_service told;
        if (!read_service(&told, node, now, wall))
            continue;
        if (!xml_attribute(node, "port"))
            told.port = 0;
        if (told.username[0])
            fill_in(services, &told);
        item_clear(&told);
    }
}

usec external_services_renewal(const struct external_services *services, usec now)
{
    usec first = USEC_NEVER;
    for (size_t i = 0; i < services->count; i++)
        first = MIN(first, services->items[i].expires);
    if (first == USEC_NEVER)
        return USEC_NEVER;
    /* A call that starts now must still be able to renew its allocation for a while. */
    usec left = first - now;
    return now + MAX(left - left / 5, RENEWAL_SOONEST);
}
