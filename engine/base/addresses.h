/* The addresses of this computer, as far as they may be used for media and files. */
#ifndef JINGLE_BASE_ADDRESSES_H
#define JINGLE_BASE_ADDRESSES_H

#include <jingle/jingle.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* More than these are not looked at; most computers have fewer. */
#define ADDRESSES_MAX 64

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct address_choice {
    const char *interfaces; /* patterns, as in jingle_client_config; NULL: all */
    jingle_family family;
    bool loopback; /* those, too, behind all others */
};

/*
 * Those that the system sends from to the internet come first, one of each family; the rest is in
 * the system's order. Ports are 0. Left out are interfaces that are down or have no carrier, and
 * link-local IPv6 addresses, which would need a zone. Returns how many there are, at most `room`.
 */
size_t addresses_list(const struct address_choice *choice, union address *out, size_t room);

/* Without port and zone, and IPv4 as such where IPv6 has it mapped. False, and "", if it is
 * neither. */
#define ADDRESS_TEXT_SIZE INET6_ADDRSTRLEN
bool address_to_text(const union address *address, char out[ADDRESS_TEXT_SIZE]);

/* Without their ports. */
bool address_is_same_host(const union address *a, const union address *b);
bool address_is_same(const union address *a, const union address *b);

/* The address that this socket is bound to is not this computer's any more: nothing will come to
 * it. False if that cannot be told. */
bool socket_is_uprooted(int fd);

/* Whether the patterns let this interface be used. */
bool interface_is_chosen(const char *patterns, const char *name);

#endif
