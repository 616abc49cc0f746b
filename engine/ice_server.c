#include "ice_server.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *scheme;
    bool turn;
    bool tls;
} schemes[] = {{"stun:", false, false}, {"turn:", true, false}, {"turns:", true, true}};

/* "host", "host:port", "[v6]:port" up to `end`. */
static bool read_authority(const char *at, const char *end, GStringChunk *text,
                           struct ice_server *out)
{
    const char *host = at;
    const char *host_end;
    const char *colon;
    if (at < end && *at == '[') {
        host = at + 1;
        host_end = strchr(host, ']');
        if (!host_end || host_end >= end) {
            return false;
        }
        colon = host_end + 1 < end ? host_end + 1 : NULL;
    } else {
        colon = strchr(at, ':');
        colon = colon && colon < end ? colon : NULL;
        host_end = colon ? colon : end;
    }
    if (host_end == host || (colon && *colon != ':')) {
        return false;
    }
    if (colon) {
        char *stop;
        unsigned long port = strtoul(colon + 1, &stop, 10);
        if (stop != end || port == 0 || port > 65535) {
            return false;
        }
        out->port = (uint16_t)port;
    }
    out->host = g_string_chunk_insert_len(text, host, host_end - host);
    return true;
}

static bool read_transport(const char *query, struct ice_server *out)
{
    if (!query) {
        return true;
    }
    if (strcmp(query, "?transport=udp") == 0) {
        return out->transport == ICE_SERVER_UDP;
    }
    if (strcmp(query, "?transport=tcp") == 0) {
        if (out->transport == ICE_SERVER_UDP) {
            out->transport = ICE_SERVER_TCP;
        }
        return true;
    }
    return false;
}

jingle_status ice_server_read(const jingle_ice_server *server, GStringChunk *text,
                              struct ice_server *out)
{
    for (size_t i = 0; server->uri && i < G_N_ELEMENTS(schemes); i++) {
        if (!g_str_has_prefix(server->uri, schemes[i].scheme)) {
            continue;
        }
        *out = (struct ice_server){
            .turn = schemes[i].turn,
            .transport = schemes[i].tls ? ICE_SERVER_TLS : ICE_SERVER_UDP,
        };
        const char *at = server->uri + strlen(schemes[i].scheme);
        const char *query = strchr(at, '?');
        const char *end = query ? query : at + strlen(at);
        if (!read_authority(at, end, text, out)) {
            return JINGLE_ERROR_INVALID;
        }
        if (out->turn && schemes[i].tls && !query) {
            query = "?transport=tcp"; /* RFC 7065: TLS over TCP is what turns: means */
        }
        out->username = g_string_chunk_insert(text, server->username ? server->username : "");
        out->password = g_string_chunk_insert(text, server->password ? server->password : "");
        return read_transport(query, out) ? JINGLE_OK : JINGLE_ERROR_INVALID;
    }
    return JINGLE_ERROR_INVALID;
}

bool ice_server_from_service(const struct external_service *service, GStringChunk *text,
                             struct ice_server *out)
{
    if (service->type == SERVICE_STUNS || (service->type == SERVICE_TURNS && !service->tcp)) {
        return false;
    }
    *out = (struct ice_server){
        .turn = service->type != SERVICE_STUN,
        .transport = service->type == SERVICE_TURNS ? ICE_SERVER_TLS
                     : service->tcp                 ? ICE_SERVER_TCP
                                                    : ICE_SERVER_UDP,
        .host = g_string_chunk_insert(text, service->host),
        .port = service->port,
        .username = g_string_chunk_insert(text, service->username),
        .password = g_string_chunk_insert(text, service->password),
    };
    /* STUN over TCP needs ICE-TCP, and TURN without credentials is refused by every server. */
    return out->turn ? *service->username != '\0' : !service->tcp;
}
