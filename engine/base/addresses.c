#include "base/addresses.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fnmatch.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#define FAMILIES 2

/* Addresses of documentation (RFC 5737, RFC 3849), which are nowhere: nothing is sent there. */
#define SOMEWHERE_V4 "192.0.2.1"
#define SOMEWHERE_V6 "2001:db8:ffff::1"
#define SOME_PORT    9

/* ------------------------------------------------------------------------------ interfaces -- */

static bool matches(const char *pattern, size_t length, const char *name)
{
    char text[IF_NAMESIZE * 4];
    if (length == 0 || length >= sizeof text)
        return false;
    memcpy(text, pattern, length);
    text[length] = '\0';
    return fnmatch(text, name, 0) == 0;
}

bool interface_is_chosen(const char *patterns, const char *name)
{
    bool chosen = true; /* unless it is said what is */
    for (const char *at = patterns; at && *at;) {
        at += strspn(at, " ");
        const char *end = strchrnul(at, ',');
        bool out = *at == '!';
        at += out;
        if (matches(at, (size_t)(end - at), name))
            return !out;
        chosen = chosen && (out || at == end);
        at = *end ? end + 1 : end;
    }
    return chosen;
}

/* "eth0:1" is an address of eth0. */
static bool is_chosen(const struct address_choice *choice, const struct ifaddrs *interface)
{
    char name[IF_NAMESIZE];
    size_t length = strcspn(interface->ifa_name, ":");
    if (length >= sizeof name)
        return false;
    memcpy(name, interface->ifa_name, length);
    name[length] = '\0';
    return interface_is_chosen(choice->interfaces, name);
}

/* ------------------------------------------------------------------------------- addresses -- */

bool address_to_text(const union address *address, char out[ADDRESS_TEXT_SIZE])
{
    const struct in6_addr *v6 = &address->v6.sin6_addr;
    sa_family_t family = address->any.sa_family;
    const void *bytes = v6;
    out[0] = '\0';
    if (family == AF_INET) {
        bytes = &address->v4.sin_addr;
    } else if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(v6)) {
        family = AF_INET;
        bytes = &v6->s6_addr[12];
    } else if (family != AF_INET6) {
        return false;
    }
    return inet_ntop(family, bytes, out, ADDRESS_TEXT_SIZE) != NULL;
}

bool address_is_same_host(const union address *a, const union address *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return false;
    if (a->any.sa_family == AF_INET)
        return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
    return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0;
}

/* The port is at the same place in both families. */
bool address_is_same(const union address *a, const union address *b)
{
    return a->v4.sin_port == b->v4.sin_port && address_is_same_host(a, b);
}

static bool is_usable(const struct address_choice *choice, const struct ifaddrs *interface,
                      bool loopback)
{
    const struct sockaddr *address = interface->ifa_addr;
    if (!address || !(interface->ifa_flags & IFF_UP) || !(interface->ifa_flags & IFF_RUNNING) ||
        !(interface->ifa_flags & IFF_LOOPBACK) != !loopback)
        return false;
    if (address->sa_family == AF_INET)
        return choice->family != JINGLE_FAMILY_IPV6 && is_chosen(choice, interface);
    if (address->sa_family != AF_INET6 || choice->family == JINGLE_FAMILY_IPV4)
        return false;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    return !IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) && is_chosen(choice, interface);
}

static union address read_address(const struct sockaddr *from)
{
    union address address = {.v6.sin6_family = AF_UNSPEC};
    if (from->sa_family == AF_INET)
        memcpy(&address.v4, from, sizeof address.v4);
    else
        memcpy(&address.v6, from, sizeof address.v6);
    return address;
}

static size_t collect(const struct ifaddrs *all, const struct address_choice *choice, bool loopback,
                      union address *out, size_t count)
{
    for (const struct ifaddrs *i = all; i && count < ADDRESSES_MAX; i = i->ifa_next)
        if (is_usable(choice, i, loopback))
            out[count++] = read_address(i->ifa_addr);
    return count;
}

static union address somewhere(sa_family_t family)
{
    union address address = {.any.sa_family = family};
    if (family == AF_INET) {
        inet_pton(AF_INET, SOMEWHERE_V4, &address.v4.sin_addr);
        address.v4.sin_port = htons(SOME_PORT);
    } else {
        inet_pton(AF_INET6, SOMEWHERE_V6, &address.v6.sin6_addr);
        address.v6.sin6_port = htons(SOME_PORT);
    }
    return address;
}

/* Where the system would send from: by its routes, which a UDP socket that is connected asks. */
static bool find_preferred(sa_family_t family, union address *preferred)
{
    union address to = somewhere(family);
    socklen_t bytes = family == AF_INET ? sizeof to.v4 : sizeof to.v6;
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool found = connect(fd, &to.any, bytes) == 0 && getsockname(fd, &preferred->any, &bytes) == 0;
    close(fd);
    return found;
}

/* What is at `from` comes to `place`; those between move up. */
static void move_to(union address *list, size_t from, size_t place)
{
    union address moved = list[from];
    memmove(&list[place + 1], &list[place], (from - place) * sizeof *list);
    list[place] = moved;
}

static void put_preferred_first(union address *list, size_t count)
{
    static const sa_family_t families[FAMILIES] = {AF_INET, AF_INET6};
    size_t place = 0;
    for (size_t i = 0; i < FAMILIES; i++) {
        union address preferred = {.v6.sin6_family = AF_UNSPEC};
        if (!find_preferred(families[i], &preferred))
            continue;
        for (size_t from = place; from < count; from++) {
            if (address_is_same_host(&list[from], &preferred)) {
                move_to(list, from, place++);
                break;
            }
        }
    }
}

size_t addresses_list(const struct address_choice *choice, union address *out, size_t room)
{
    union address found[ADDRESSES_MAX];
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) != 0)
        return 0;
    size_t count = collect(all, choice, false, found, 0);
    put_preferred_first(found, count);
    if (choice->loopback)
        count = collect(all, choice, true, found, count);
    freeifaddrs(all);
    count = count < room ? count : room;
    memcpy(out, found, count * sizeof *out);
    return count;
}

/* An interface that is down for a moment keeps its addresses, and its connections live on. */
bool socket_is_uprooted(int fd)
{
    union address local = {.v6.sin6_family = AF_UNSPEC};
    socklen_t bytes = sizeof local;
    if (getsockname(fd, &local.any, &bytes) != 0 ||
        (local.any.sa_family != AF_INET && local.any.sa_family != AF_INET6))
        return false;
    local.v4.sin_port = 0; /* at the same place in both families */
    int probe = socket(local.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return false;
    bool gone = bind(probe, &local.any, bytes) != 0 && errno == EADDRNOTAVAIL;
    close(probe);
    return gone;
}
