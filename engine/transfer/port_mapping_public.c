#include "transfer/port_mapping.h"

#include <arpa/inet.h>
#include <stddef.h>

/* What of IANA's special-purpose addresses (RFC 6890) machines and routers are given. */
static const struct {
    uint32_t network;
    unsigned bits;
} reserved[] = {
    {0x00000000, 8},  /* this network */
    {0x0a000000, 8},  /* 10/8 */
    {0x64400000, 10}, /* 100.64/10: shared by a carrier's customers */
    {0x7f000000, 8},  /* loopback */
    {0xa9fe0000, 16}, /* link-local */
    {0xac100000, 12}, /* 172.16/12 */
    {0xc0000000, 24}, /* 192.0.0/24 */
    {0xc0a80000, 16}, /* 192.168/16 */
    {0xc6120000, 15}, /* 198.18/15: benchmarks */
    {0xe0000000, 3},  /* multicast and what is above */
};

bool port_mapping_is_public(const char *ipv4)
{
    struct in_addr address;
    if (inet_pton(AF_INET, ipv4, &address) != 1) {
        return false;
    }
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        uint32_t differ = ntohl(address.s_addr) ^ reserved[i].network;
        if (differ >> (32 - reserved[i].bits) == 0) {
            return false;
        }
    }
    return true;
}
