#include "call_route.h"

#include <string.h>

static void add_payload_type(struct call_route_content *content, uint8_t id)
{
    content->payload_types[id / 64 % 2] |= UINT64_C(1) << id % 64;
}

static bool has_payload_type(const struct call_route_content *content, uint8_t id)
{
    return content->payload_types[id / 64 % 2] >> id % 64 & 1;
}

static void remember(struct call_route *route, uint32_t ssrc, enum call_content content)
{
    for (size_t i = 0; i < route->ssrc_count; i++) {
        if (route->ssrcs[i].ssrc == ssrc) {
            route->ssrcs[i].content = content;
            return;
        }
    }
    if (route->ssrc_count < CALL_ROUTE_SSRCS_MAX) {
        route->ssrcs[route->ssrc_count].ssrc = ssrc;
        route->ssrcs[route->ssrc_count++].content = content;
    }
}

static void forget_sources(struct call_route *route, enum call_content content)
{
    size_t kept = 0;
    for (size_t i = 0; i < route->ssrc_count; i++) {
        if (route->ssrcs[i].content != content) {
            route->ssrcs[kept++] = route->ssrcs[i];
        }
    }
    route->ssrc_count = kept;
}

void call_route_add(struct call_route *route, enum call_content content, const char *mid,
                    const struct rtp_agreement *agreement)
{
    struct call_route_content *c = &route->contents[content];
    size_t length = strlen(mid);
    call_route_remove(route, content);
    c->used = true;
    if (length <= CALL_ROUTE_MID_MAX) {
        memcpy(c->mid, mid, length + 1);
        c->mid_extension = (uint8_t)agreement->receive_mid;
    }
    for (size_t i = 0; i < agreement->receive_count; i++) {
        add_payload_type(c, agreement->receive[i].payload_type);
        if (agreement->receive[i].has_rtx) {
            add_payload_type(c, agreement->receive[i].rtx_payload_type);
        }
    }
    for (size_t i = 0; i < agreement->receive_event_count; i++) {
        add_payload_type(c, agreement->receive_events[i].payload_type);
    }
    if (agreement->has_remote_ssrc) {
        remember(route, agreement->remote_ssrc, content);
    }
    if (agreement->has_remote_rtx_ssrc) {
        remember(route, agreement->remote_rtx_ssrc, content);
    }
}

void call_route_remove(struct call_route *route, enum call_content content)
{
    route->contents[content] = (struct call_route_content){0};
    forget_sources(route, content);
}

static bool has_mid(const struct call_route_content *content, const struct packet *packet)
{
    size_t size;
    const uint8_t *mid =
        content->mid_extension ? packet_extension(packet, content->mid_extension, &size) : NULL;
    return mid && size == strlen(content->mid) && memcmp(mid, content->mid, size) == 0;
}

static enum call_content find_by_mid(const struct call_route *route, const struct packet *packet)
{
    for (int i = 0; i < CALL_CONTENTS; i++) {
        if (route->contents[i].used && has_mid(&route->contents[i], packet)) {
            return (enum call_content)i;
        }
    }
    return CALL_NO_CONTENT;
}

static enum call_content find_by_ssrc(const struct call_route *route, const struct packet *packet)
{
    for (size_t i = 0; i < route->ssrc_count; i++) {
        if (route->ssrcs[i].ssrc == packet->ssrc) {
            return route->ssrcs[i].content;
        }
    }
    return CALL_NO_CONTENT;
}

static enum call_content find_by_payload_type(const struct call_route *route,
                                              const struct packet *packet)
{
    enum call_content found = CALL_NO_CONTENT;
    for (int i = 0; i < CALL_CONTENTS; i++) {
        if (has_payload_type(&route->contents[i], packet->payload_type)) {
            if (found != CALL_NO_CONTENT) {
                return CALL_NO_CONTENT;
            }
            found = (enum call_content)i;
        }
    }
    return found;
}

enum call_content call_route_find(struct call_route *route, const struct packet *packet)
{
    enum call_content found = find_by_mid(route, packet);
    if (found == CALL_NO_CONTENT) {
        found = find_by_ssrc(route, packet);
    }
    if (found == CALL_NO_CONTENT) {
        found = find_by_payload_type(route, packet);
    }
    if (found != CALL_NO_CONTENT) {
        remember(route, packet->ssrc, found);
    }
    return found;
}
