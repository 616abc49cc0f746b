#include "transfer/host_addresses.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* The address as bytes if it may be told; NULL otherwise. */
static const void *usable(const struct ifaddrs *interface, int family, bool loopback)
{
    if (!interface->ifa_addr || interface->ifa_addr->sa_family != family ||
        !(interface->ifa_flags & IFF_UP) || (!loopback && interface->ifa_flags & IFF_LOOPBACK)) {
        return NULL;
    }
    if (family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)interface->ifa_addr;
        return ntohl(v4->sin_addr.s_addr) >> 16 == 0xa9fe ? NULL : &v4->sin_addr;
    }
    const struct sockaddr_in6 *v6 = (const void *)interface->ifa_addr;
    return IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) ? NULL : &v6->sin6_addr;
}

/* Half of the places for each family, so that neither keeps the other out. */
static void add_family(struct host_addresses *list, const struct ifaddrs *interfaces, int family,
                       bool loopback)
{
    size_t limit = list->count + HOST_ADDRESSES_MAX / 2;
    for (const struct ifaddrs *at = interfaces; at && list->count < limit; at = at->ifa_next) {
        const void *bytes = usable(at, family, loopback);
        if (bytes && inet_ntop(family, bytes, list->text[list->count], BYTESTREAM_HOST_SIZE)) {
            list->count++;
        }
    }
}

void host_addresses_list(struct host_addresses *list, bool loopback)
{
    struct ifaddrs *interfaces = NULL;
    list->count = 0;
    if (getifaddrs(&interfaces) < 0) {
        return;
    }
    add_family(list, interfaces, AF_INET, loopback);
    add_family(list, interfaces, AF_INET6, loopback);
    freeifaddrs(interfaces);
}
