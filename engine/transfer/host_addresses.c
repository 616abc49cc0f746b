#include "transfer/host_addresses.h"

#include <arpa/inet.h>

/* At most half of the places for each family, so that neither keeps the other out. */
enum { FAMILY_MAX = HOST_ADDRESSES_MAX / 2 };

void host_addresses_list(struct host_addresses *list, const struct address_choice *choice)
{
    union address found[ADDRESSES_MAX];
    size_t of_family[2] = {0, 0};
    size_t count = addresses_list(choice, found, ADDRESSES_MAX);
    list->count = 0;
    for (size_t i = 0; i < count; i++) {
        bool v6 = found[i].any.sa_family == AF_INET6;
        const void *bytes = v6 ? (const void *)&found[i].v6.sin6_addr : &found[i].v4.sin_addr;
        if (of_family[v6] < FAMILY_MAX &&
            inet_ntop(found[i].any.sa_family, bytes, list->text[list->count],
                      BYTESTREAM_HOST_SIZE)) {
            list->count++;
            of_family[v6]++;
        }
    }
}
