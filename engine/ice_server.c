#include "ice_server.h"

#include <glib.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* RFC 1035, 2.3.4 */
#define HOST_MAX 253

static const struct {
    const char *scheme;
    bool turn;
    bool tls;
} schemes[] = {
    {"stun:", false, false},
    {"stuns:", false, true},
    {"turn:", true, false},
    {"turns:", true, true},
};

/* RFC 3986, 3.2.2, without percent-encoding, which no name that resolves needs. */
static bool is_host_name(const char *host)
{
    return *host && strlen(host) <= HOST_MAX &&
           strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") ==
               strlen(host);
}

static bool is_ipv6(const char *host)
{
    return strchr(host, ':') && g_hostname_is_ip_address(host);
}

/* Digits only, and none at all mean the default (RFC 3986, 3.2.3). */
static bool read_port(const char *text, uint16_t *port)
{
    unsigned long value = strlen(text) <= 5 ? strtoul(text, NULL, 10) : ULONG_MAX;
    if (strspn(text, "0123456789") != strlen(text) || value > UINT16_MAX || (*text && value == 0)) {
        return false;
    }
    *port = (uint16_t)value;
    return true;
}

/* "host", "host:port", "[v6]", "[v6]:port"; `authority` is written to. */
static bool read_authority(char *authority, struct ice_server *out)
{
    char *host = authority;
    char *host_end = strchr(authority, ':');
    bool literal = *authority == '[';
    if (literal) {
        host++;
        host_end = strchr(authority, ']');
        if (!host_end || (host_end[1] != '\0' && host_end[1] != ':')) {
            return false;
        }
        *host_end++ = '\0';
    }
    const char *port = "";
    if (host_end && *host_end == ':') {
        *host_end = '\0';
        port = host_end + 1;
    }
    if (!(literal ? is_ipv6(host) : is_host_name(host)) || !read_port(port, &out->port)) {
        return false;
    }
    out->host = g_strdup(host);
    return true;
}

/* RFC 7065: TCP is what TURN over TLS means; over DTLS we have none. */
static jingle_status read_transport(const char *query, struct ice_server *out)
{
    if (!query) {
        return JINGLE_OK;
    }
    if (!out->turn) {
        return JINGLE_ERROR_INVALID; /* RFC 7064 has no query */
    }
    if (g_ascii_strcasecmp(query, "transport=udp") == 0) {
        return out->transport == ICE_SERVER_UDP ? JINGLE_OK : JINGLE_ERROR_UNSUPPORTED;
    }
    if (g_ascii_strcasecmp(query, "transport=tcp") == 0) {
        if (out->transport == ICE_SERVER_UDP) {
            out->transport = ICE_SERVER_TCP;
        }
        return JINGLE_OK;
    }
    return JINGLE_ERROR_INVALID;
}

static jingle_status read_rest(const char *rest, struct ice_server *out)
{
    char *authority = g_strdup(rest);
    char *query = strchr(authority, '?');
    if (query) {
        *query++ = '\0';
    }
    jingle_status status =
        read_authority(authority, out) ? read_transport(query, out) : JINGLE_ERROR_INVALID;
    g_free(authority);
    return status;
}

static jingle_status read_uri(const char *uri, struct ice_server *out)
{
    for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++) {
        size_t length = strlen(schemes[i].scheme);
        if (g_ascii_strncasecmp(uri, schemes[i].scheme, length) != 0) {
            continue;
        }
        out->turn = schemes[i].turn;
        out->transport = schemes[i].tls ? ICE_SERVER_TLS : ICE_SERVER_UDP;
        jingle_status status = read_rest(uri + length, out);
        bool usable = out->turn || !schemes[i].tls;
        return status == JINGLE_OK && !usable ? JINGLE_ERROR_UNSUPPORTED : status;
    }
    return JINGLE_ERROR_INVALID;
}

jingle_status ice_server_read(const jingle_ice_server *server, struct ice_server *out)
{
    *out = (struct ice_server){0};
    jingle_status status = server->uri ? read_uri(server->uri, out) : JINGLE_ERROR_INVALID;
    bool credentials = server->username && *server->username && server->password;
    if (status == JINGLE_OK && out->turn && !credentials) {
        status = JINGLE_ERROR_INVALID; /* refused by every server: say it before the first call */
    }
    if (status != JINGLE_OK) {
        ice_server_clear(out);
        return status;
    }
    out->username = g_strdup(server->username ? server->username : "");
    out->password = g_strdup(server->password ? server->password : "");
    return JINGLE_OK;
}

void ice_server_copy(struct ice_server *to, const struct ice_server *from)
{
    *to = *from;
    to->host = g_strdup(from->host);
    to->username = g_strdup(from->username);
    to->password = g_strdup(from->password);
}

void ice_server_clear(struct ice_server *server)
{
    if (server->password) {
        explicit_bzero((char *)server->password, strlen(server->password));
    }
    g_free((char *)server->host);
    g_free((char *)server->username);
    g_free((char *)server->password);
    *server = (struct ice_server){0};
}

/* STUN over TCP needs ICE-TCP, and TURN without credentials is refused by every server. */
static bool is_usable(const struct external_service *service)
{
    switch (service->type) {
    case SERVICE_STUN:
        return !service->tcp;
    case SERVICE_TURN:
        return *service->username != '\0';
    case SERVICE_TURNS:
        return service->tcp && *service->username != '\0';
    default:
        return false;
    }
}

bool ice_server_from_service(const struct external_service *service, struct ice_server *out)
{
    if (!is_usable(service)) {
        return false;
    }
    *out = (struct ice_server){
        .turn = service->type != SERVICE_STUN,
        .transport = service->type == SERVICE_TURNS ? ICE_SERVER_TLS
                     : service->tcp                 ? ICE_SERVER_TCP
                                                    : ICE_SERVER_UDP,
        .host = g_strdup(service->host),
        .port = service->port,
        .username = g_strdup(service->username),
        .password = g_strdup(service->password),
    };
    return true;
}
