#include "transfer/port_mapping.h"

#include "base/thread.h"

#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESS_SIZE = 64, NUMBER_SIZE = 16, TTL = 2, CONNECTED_ROUTER = 1, CALL_MS = 1000 };

struct port_mapping {
    struct port_mapping_config config;
    char *router;
    pthread_t thread;
    sem_t end;
    _Atomic bool ending;
    /* the thread's own */
    struct UPNPUrls urls;
    struct IGDdatas data;
    char own[ADDRESS_SIZE]; /* our address towards the router */
    char port[NUMBER_SIZE];
};

static bool ask_for_router(struct port_mapping *mapping, struct UPNPDev *found)
{
#if MINIUPNPC_API_VERSION >= 18
    char outside[ADDRESS_SIZE];
    int kind = UPNP_GetValidIGD(found, &mapping->urls, &mapping->data, mapping->own,
                                sizeof mapping->own, outside, sizeof outside);
#else
    int kind =
        UPNP_GetValidIGD(found, &mapping->urls, &mapping->data, mapping->own, sizeof mapping->own);
#endif
    if (kind != 0 && kind != CONNECTED_ROUTER) {
        FreeUPNPUrls(&mapping->urls);
    }
    return kind == CONNECTED_ROUTER;
}

/* Later versions answer to the first one's name, too. */
static struct UPNPDev *call_router(void)
{
    static const char *const kinds[] = {"urn:schemas-upnp-org:device:InternetGatewayDevice:1",
                                        NULL};
    int error = 0;
    return upnpDiscoverDevices(kinds, CALL_MS, NULL, NULL, UPNP_LOCAL_PORT_ANY, 0, TTL, &error, 1);
}

static bool find_router(struct port_mapping *mapping)
{
    if (mapping->router) {
        return UPNP_GetIGDFromUrl(mapping->router, &mapping->urls, &mapping->data, mapping->own,
                                  sizeof mapping->own) == 1;
    }
    bool valid = false;
    for (int i = 0; i < PORT_MAPPING_CALLS && !valid && !atomic_load(&mapping->ending); i++) {
        struct UPNPDev *found = call_router();
        valid = found && ask_for_router(mapping, found);
        freeUPNPDevlist(found);
    }
    return valid;
}

static bool add(struct port_mapping *mapping, const char *lease)
{
    return UPNP_AddPortMapping(mapping->urls.controlURL, mapping->data.first.servicetype,
                               mapping->port, mapping->port, mapping->own, "Jingle file transfer",
                               "TCP", NULL, lease) == UPNPCOMMAND_SUCCESS;
}

/* Some routers know mappings without an end only. */
static bool map(struct port_mapping *mapping, char outside[ADDRESS_SIZE])
{
    char lease[NUMBER_SIZE];
    snprintf(lease, sizeof lease, "%d", PORT_MAPPING_LEASE);
    snprintf(mapping->port, sizeof mapping->port, "%u", mapping->config.port);
    return UPNP_GetExternalIPAddress(mapping->urls.controlURL, mapping->data.first.servicetype,
                                     outside) == UPNPCOMMAND_SUCCESS &&
           port_mapping_is_public(outside) && (add(mapping, lease) || add(mapping, "0"));
}

static void wait_for_the_end(struct port_mapping *mapping)
{
    while (sem_wait(&mapping->end) != 0) {
    }
}

static void *run(void *user)
{
    struct port_mapping *mapping = user;
    const struct port_mapping_config *config = &mapping->config;
    char outside[ADDRESS_SIZE] = "";
    bool has_router = find_router(mapping);
    bool mapped = has_router && !atomic_load(&mapping->ending) && map(mapping, outside);
    if (mapped) {
        config->mapped(config->user, outside, config->port);
    }
    wait_for_the_end(mapping);
    if (mapped) {
        UPNP_DeletePortMapping(mapping->urls.controlURL, mapping->data.first.servicetype,
                               mapping->port, "TCP", NULL);
    }
    if (has_router) {
        FreeUPNPUrls(&mapping->urls);
    }
    config->ended(config->user);
    return NULL;
}

static void release(struct port_mapping *mapping)
{
    sem_destroy(&mapping->end);
    free(mapping->router);
    free(mapping);
}

struct port_mapping *port_mapping_new(const struct port_mapping_config *config)
{
    struct port_mapping *mapping = calloc(1, sizeof *mapping);
    if (!mapping) {
        return NULL;
    }
    mapping->config = *config;
    mapping->router = config->router ? strdup(config->router) : NULL;
    sem_init(&mapping->end, 0, 0);
    if (thread_start(&mapping->thread, NULL, run, mapping)) {
        return mapping;
    }
    release(mapping);
    return NULL;
}

void port_mapping_end(struct port_mapping *mapping)
{
    atomic_store(&mapping->ending, true);
    sem_post(&mapping->end);
}

void port_mapping_free(struct port_mapping *mapping)
{
    if (!mapping) {
        return;
    }
    port_mapping_end(mapping);
    pthread_join(mapping->thread, NULL);
    release(mapping);
}
