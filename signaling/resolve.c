#include "signaling/resolve.h"

#include <string.h>

enum {
    PORT_START_TLS = 5222,
    PORT_DIRECT_TLS = 5223,
};

static int compare_priority(const void *a, const void *b)
{
    const struct resolve_service *left = a;
    const struct resolve_service *right = b;
    if (left->priority != right->priority)
        return left->priority < right->priority ? -1 : 1;
    /* Weight 0 first, so that the draw below can reach it (RFC 2782). */
    return (left->weight > right->weight) - (left->weight < right->weight);
}

/* Draws one of services[0..count) by weight and moves it to the front. */
static void draw_by_weight(struct resolve_service *services, size_t count,
                           const struct random_source *random)
{
    uint32_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += services[i].weight;

    uint32_t number = 0;
    random->fill(random->user, &number, sizeof number);
    number %= total + 1;

    size_t drawn = 0;
    uint32_t sum = services[0].weight;
    while (sum < number && drawn + 1 < count)
        sum += services[++drawn].weight;

    struct resolve_service chosen = services[drawn];
    memmove(services + 1, services, drawn * sizeof *services);
    services[0] = chosen;
}

void resolve_sort(struct resolve_service *services, size_t count,
                  const struct random_source *random)
{
    if (count == 0)
        return;
    qsort(services, count, sizeof *services, compare_priority);
    for (size_t i = 0; i < count; i++) {
        size_t same = 1;
        while (i + same < count && services[i + same].priority == services[i].priority)
            same++;
        draw_by_weight(services + i, same, random);
    }
}

static void add_address(struct resolve_result *result, GInetAddress *address, uint16_t port,
                        bool direct_tls)
{
    if (result->count == RESOLVE_ADDRESSES_MAX)
        return;
    struct resolve_address *added = &result->addresses[result->count++];
    char *literal = g_inet_address_to_string(address);
    g_strlcpy(added->literal, literal, sizeof added->literal);
    g_free(literal);
    added->port = port;
    added->direct_tls = direct_tls;
}

static void add_host(struct resolve_result *result, const char *host, uint16_t port,
                     bool direct_tls, GCancellable *cancellable)
{
    GInetAddress *literal = g_inet_address_new_from_string(host);
    if (literal) {
        add_address(result, literal, port, direct_tls);
        g_object_unref(literal);
        return;
    }
    GResolver *resolver = g_resolver_get_default();
    GList *found = g_resolver_lookup_by_name(resolver, host, cancellable, NULL);
    for (GList *item = found; item; item = item->next)
        add_address(result, item->data, port, direct_tls);
    g_resolver_free_addresses(found);
    g_object_unref(resolver);
}

/* The SRV records of both services. */
struct records {
    struct resolve_service services[RESOLVE_SERVICES_MAX];
    size_t count;
    bool refused; /* a target of "." (RFC 2782): decidedly no such service here */
};

static void add_services(struct records *records, const char *domain, bool direct_tls,
                         GCancellable *cancellable)
{
    GResolver *resolver = g_resolver_get_default();
    GError *error = NULL;
    GList *found = g_resolver_lookup_service(resolver, direct_tls ? "xmpps-client" : "xmpp-client",
                                             "tcp", domain, cancellable, &error);
    /* GIO takes the "." away, which leaves neither a target nor an error. */
    records->refused = records->refused || (!found && !error);
    for (GList *item = found; item && records->count < RESOLVE_SERVICES_MAX; item = item->next) {
        GSrvTarget *target = item->data;
        struct resolve_service *added = &records->services[records->count++];
        g_strlcpy(added->name, g_srv_target_get_hostname(target), sizeof added->name);
        added->port = g_srv_target_get_port(target);
        added->priority = g_srv_target_get_priority(target);
        added->weight = g_srv_target_get_weight(target);
        added->direct_tls = direct_tls;
    }
    g_clear_error(&error);
    g_resolver_free_targets(found);
    g_object_unref(resolver);
}

/* False if there is nothing about the domain in DNS, so that its own addresses are to be tried. */
static bool add_by_dns(struct resolve_result *result, const struct resolve_query *query,
                       const struct random_source *random, GCancellable *cancellable)
{
    struct records records = {.count = 0};
    if (query->tls != JINGLE_TLS_DIRECT)
        add_services(&records, query->domain, false, cancellable);
    if (query->tls != JINGLE_TLS_START)
        add_services(&records, query->domain, true, cancellable);
    resolve_sort(records.services, records.count, random);
    for (size_t i = 0; i < records.count && !g_cancellable_is_cancelled(cancellable); i++)
        add_host(result, records.services[i].name, records.services[i].port,
                 records.services[i].direct_tls, cancellable);
    return records.count > 0 || records.refused;
}

/* The domain itself, or the host that was given, without SRV records. */
static void add_by_name(struct resolve_result *result, const struct resolve_query *query,
                        const char *host, GCancellable *cancellable)
{
    bool direct = query->tls == JINGLE_TLS_DIRECT ||
                  (query->tls == JINGLE_TLS_AUTO && query->port == PORT_DIRECT_TLS);
    uint16_t port = direct ? PORT_DIRECT_TLS : PORT_START_TLS;
    add_host(result, host, query->port ? query->port : port, direct, cancellable);
}

jingle_status resolve(const struct resolve_query *query, const struct random_source *random,
                      GCancellable *cancellable, struct resolve_result *result)
{
    /* A literal has no SRV records, nor has a name that was given a port. */
    bool by_dns = !query->host && !g_hostname_is_ip_address(query->domain) && query->port == 0;
    result->count = 0;
    bool done = by_dns && add_by_dns(result, query, random, cancellable);
    if (!done && !g_cancellable_is_cancelled(cancellable))
        add_by_name(result, query, query->host ? query->host : query->domain, cancellable);
    return result->count > 0 ? JINGLE_OK : JINGLE_ERROR_HOST_NOT_FOUND;
}
