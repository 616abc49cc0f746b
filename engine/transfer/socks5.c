#include "transfer/socks5.h"

#include <string.h>

enum {
    VERSION = 5,
    NO_AUTHENTICATION = 0,
    NO_ACCEPTABLE_METHOD = 0xff,
    CONNECT = 1,
    IPV4 = 1,
    DOMAIN_NAME = 3,
    IPV6 = 4,
    PORT_BYTES = 2
};

static void put(struct socks5_message *message, const void *bytes, size_t size)
{
    memcpy(message->bytes + message->size, bytes, size);
    message->size += size;
}

/* A request, or the answer to one: they differ in the second byte only. */
static void write_request(struct socks5_message *out, uint8_t command_or_reply, const char *address)
{
    uint8_t length = (uint8_t)strlen(address);
    out->size = 0;
    put(out, (uint8_t[]){VERSION, command_or_reply, 0, DOMAIN_NAME, length}, 5);
    put(out, address, length);
    put(out, (uint8_t[]){0, 0}, PORT_BYTES);
}

/* How long a request or its answer is, as far as its first bytes tell; 0: of an unknown kind. */
static size_t request_size(const struct socks5_message *in)
{
    if (in->size < 5) {
        return 5;
    }
    switch (in->bytes[3]) {
    case IPV4:
        return 4 + 4 + PORT_BYTES;
    case IPV6:
        return 4 + 16 + PORT_BYTES;
    case DOMAIN_NAME:
        return 5U + in->bytes[4] + PORT_BYTES;
    default:
        return 0;
    }
}

/* Takes bytes of one message of `whole` bytes; how many were taken. */
static size_t gather(struct socks5_message *in, size_t whole, const uint8_t *bytes, size_t size)
{
    size_t missing = whole > in->size ? whole - in->size : 0;
    size_t taken = size < missing ? size : missing;
    put(in, bytes, taken);
    return taken;
}

/* ------------------------------------------------------------------------------- client -- */

bool socks5_client_init(struct socks5_client *client, const char *address,
                        struct socks5_message *out)
{
    size_t length = strlen(address);
    *client = (struct socks5_client){.state = SOCKS5_METHODS};
    out->size = 0;
    if (length == 0 || length > SOCKS5_ADDRESS_MAX) {
        client->state = SOCKS5_BROKEN;
        return false;
    }
    memcpy(client->address, address, length);
    put(out, (uint8_t[]){VERSION, 1, NO_AUTHENTICATION}, 3);
    return true;
}

static size_t client_message_size(const struct socks5_client *client)
{
    if (client->state == SOCKS5_METHODS) {
        return 2;
    }
    return client->state == SOCKS5_REQUEST ? request_size(&client->in) : 0;
}

size_t socks5_client_wants(const struct socks5_client *client)
{
    size_t whole = client_message_size(client);
    return whole > client->in.size ? whole - client->in.size : 0;
}

static enum socks5_state method_chosen(struct socks5_client *client, struct socks5_message *out)
{
    const uint8_t *answer = client->in.bytes;
    if (answer[0] != VERSION || answer[1] != NO_AUTHENTICATION) {
        return SOCKS5_BROKEN;
    }
    write_request(out, CONNECT, client->address);
    return SOCKS5_REQUEST;
}

/* The address that is echoed is not compared: some proxies answer with one of their own. */
static enum socks5_state answered(struct socks5_client *client)
{
    client->refusal = client->in.bytes[1];
    return client->refusal == SOCKS5_SUCCEEDED ? SOCKS5_OPEN : SOCKS5_REFUSED;
}

/* What need not be read to its end. A refusal counts, whatever address it comes with. */
static bool is_hopeless(struct socks5_client *client)
{
    const struct socks5_message *in = &client->in;
    if (client->state != SOCKS5_REQUEST || in->size == 0) {
        return false;
    }
    if (in->bytes[0] != VERSION) {
        client->state = SOCKS5_BROKEN;
        return true;
    }
    if (request_size(in) > 0) {
        return false;
    }
    client->refusal = in->bytes[1];
    client->state = client->refusal == SOCKS5_SUCCEEDED ? SOCKS5_BROKEN : SOCKS5_REFUSED;
    return true;
}

enum socks5_state socks5_client_take(struct socks5_client *client, const uint8_t *bytes,
                                     size_t size, struct socks5_message *out)
{
    out->size = 0;
    while (size > 0 && socks5_client_wants(client) > 0) {
        size_t taken = gather(&client->in, client_message_size(client), bytes, size);
        bytes += taken;
        size -= taken;
        if (is_hopeless(client)) {
            break;
        }
        if (socks5_client_wants(client) == 0) {
            client->state =
                client->state == SOCKS5_METHODS ? method_chosen(client, out) : answered(client);
            client->in.size = 0;
        }
    }
    return client->state;
}

/* ------------------------------------------------------------------------------- server -- */

void socks5_server_init(struct socks5_server *server, socks5_expected_fn expected, void *user)
{
    *server = (struct socks5_server){.state = SOCKS5_METHODS, .expected = expected, .user = user};
}

static size_t server_message_size(const struct socks5_server *server)
{
    const struct socks5_message *in = &server->in;
    if (server->state == SOCKS5_METHODS) {
        return in->size < 2 ? 2 : 2U + in->bytes[1];
    }
    return server->state == SOCKS5_REQUEST ? request_size(in) : 0;
}

size_t socks5_server_wants(const struct socks5_server *server)
{
    size_t whole = server_message_size(server);
    return whole > server->in.size ? whole - server->in.size : 0;
}

static enum socks5_state choose_method(struct socks5_server *server, struct socks5_message *out)
{
    const struct socks5_message *in = &server->in;
    bool common = memchr(in->bytes + 2, NO_AUTHENTICATION, in->bytes[1]) != NULL;
    put(out, (uint8_t[]){VERSION, common ? NO_AUTHENTICATION : NO_ACCEPTABLE_METHOD}, 2);
    return common ? SOCKS5_REQUEST : SOCKS5_BROKEN;
}

static enum socks5_reply judge(struct socks5_server *server)
{
    const uint8_t *request = server->in.bytes;
    if (request[1] != CONNECT) {
        return SOCKS5_COMMAND_NOT_SUPPORTED;
    }
    if (request[3] != DOMAIN_NAME) {
        return SOCKS5_ADDRESS_TYPE_NOT_SUPPORTED;
    }
    size_t length = request[4];
    if (length == 0 || memchr(request + 5, 0, length)) {
        return SOCKS5_GENERAL_FAILURE;
    }
    memcpy(server->address, request + 5, length);
    server->address[length] = 0;
    if (request[5 + length] != 0 || request[6 + length] != 0) {
        return SOCKS5_NOT_ALLOWED; /* XEP-0065, 5.3.2: the port must be 0 */
    }
    return server->expected(server->user, server->address) ? SOCKS5_SUCCEEDED
                                                           : SOCKS5_HOST_UNREACHABLE;
}

static enum socks5_state answer_request(struct socks5_server *server, struct socks5_message *out)
{
    enum socks5_reply reply = judge(server);
    write_request(out, (uint8_t)reply, server->address);
    return reply == SOCKS5_SUCCEEDED ? SOCKS5_OPEN : SOCKS5_REFUSED;
}

/* What need not be read to its end to be told apart from SOCKS5. */
static bool guest_is_hopeless(struct socks5_server *server, struct socks5_message *out)
{
    const struct socks5_message *in = &server->in;
    if (in->size > 0 && in->bytes[0] != VERSION) {
        return true;
    }
    if (server->state == SOCKS5_REQUEST && request_size(in) == 0) {
        write_request(out, SOCKS5_ADDRESS_TYPE_NOT_SUPPORTED, "");
        return true;
    }
    return false;
}

enum socks5_state socks5_server_take(struct socks5_server *server, const uint8_t *bytes,
                                     size_t size, struct socks5_message *out)
{
    out->size = 0;
    while (size > 0 && socks5_server_wants(server) > 0) {
        size_t taken = gather(&server->in, server_message_size(server), bytes, size);
        bytes += taken;
        size -= taken;
        if (guest_is_hopeless(server, out)) {
            server->state = SOCKS5_BROKEN;
        } else if (socks5_server_wants(server) == 0) {
            server->state = server->state == SOCKS5_METHODS ? choose_method(server, out)
                                                            : answer_request(server, out);
            server->in.size = 0;
        }
    }
    return server->state;
}
