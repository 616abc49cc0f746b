/* Both sides of the SOCKS5 handshake. The first byte chooses the side, the second how the rest is
 * cut into pieces. Nothing may be taken beyond what is wanted, and only the expected address opens.
 */
#include "transfer/socks5.h"

#include <stdlib.h>
#include <string.h>

#define ADDRESS "972b7bf47291ca609517f67f86b5081086052dad"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_expected(void *user, const char *address)
{
    (void)user;
    return strcmp(address, ADDRESS) == 0;
}

static void check(size_t wants, enum socks5_state state, const struct socks5_message *out)
{
    bool over = state != SOCKS5_METHODS && state != SOCKS5_REQUEST;
    if ((wants == 0) != over || wants > SOCKS5_MESSAGE_MAX || out->size > SOCKS5_MESSAGE_MAX)
        abort();
}

static size_t piece(size_t wants, size_t left, uint8_t cut)
{
    size_t count = cut == 0 || cut > wants ? wants : cut;
    return count < left ? count : left;
}

static void serve(const uint8_t *data, size_t size, uint8_t cut)
{
    struct socks5_server server;
    struct socks5_message out;
    socks5_server_init(&server, is_expected, NULL);
    while (size > 0 && socks5_server_wants(&server) > 0) {
        size_t count = piece(socks5_server_wants(&server), size, cut);
        enum socks5_state state = socks5_server_take(&server, data, count, &out);
        check(socks5_server_wants(&server), state, &out);
        data += count;
        size -= count;
    }
    if (server.state == SOCKS5_OPEN && strcmp(server.address, ADDRESS) != 0)
        abort();
}

static void dial(const uint8_t *data, size_t size, uint8_t cut)
{
    struct socks5_client client;
    struct socks5_message out;
    if (!socks5_client_init(&client, ADDRESS, &out))
        abort();
    while (size > 0 && socks5_client_wants(&client) > 0) {
        size_t count = piece(socks5_client_wants(&client), size, cut);
        enum socks5_state state = socks5_client_take(&client, data, count, &out);
        check(socks5_client_wants(&client), state, &out);
        data += count;
        size -= count;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    if (data[0] & 1)
        serve(data + 2, size - 2, data[1]);
    else
        dial(data + 2, size - 2, data[1]);
    return 0;
}
