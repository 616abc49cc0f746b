/* Which content of a bundle a packet belongs to (RFC 8843, section 9.2). Pure.
 *
 *     MID in the packet ─▶ SSRC heard before or announced ─▶ payload type of one content only */
#ifndef JINGLE_ENGINE_CALL_ROUTE_H
#define JINGLE_ENGINE_CALL_ROUTE_H

#include "rtp/packet.h"
#include "signaling/negotiate.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALL_ROUTE_MID_MAX   16
#define CALL_ROUTE_SSRCS_MAX 32 /* that are remembered; later ones are found by MID or payload */

enum call_content {
    CALL_SOUND,
    CALL_PICTURES,
    CALL_CONTENTS,
    CALL_NO_CONTENT = CALL_CONTENTS,
};

/* All zero: nothing is known. */
struct call_route {
    struct call_route_content {
        bool used;
        uint8_t mid_extension; /* RFC 8285 id; 0: none */
        char mid[CALL_ROUTE_MID_MAX + 1];
        uint64_t payload_types[2]; /* bits */
    } contents[CALL_CONTENTS];
    struct {
        uint32_t ssrc;
        enum call_content content;
    } ssrcs[CALL_ROUTE_SSRCS_MAX];
    size_t ssrc_count;
};

/* What was agreed on for a content, anew or once more. `mid` is its name. */
void call_route_add(struct call_route *route, enum call_content content, const char *mid,
                    const struct rtp_agreement *agreement);

/* The content is gone, and so is what was known of its sources. */
void call_route_remove(struct call_route *route, enum call_content content);

/* CALL_NO_CONTENT: nobody's. Remembers whose the packet's source is. */
enum call_content call_route_find(struct call_route *route, const struct packet *packet);

#endif
