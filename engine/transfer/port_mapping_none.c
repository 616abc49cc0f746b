/* In place of port_mapping_upnp.c in a library that was built without it. */
#include "transfer/port_mapping.h"

#include <stddef.h>

struct port_mapping *port_mapping_new(const struct port_mapping_config *config)
{
    (void)config;
    return NULL;
}

void port_mapping_end(struct port_mapping *mapping)
{
    (void)mapping;
}

void port_mapping_free(struct port_mapping *mapping)
{
    (void)mapping;
}
