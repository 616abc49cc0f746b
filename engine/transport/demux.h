/* Tells datagrams of one ICE component apart by their first bytes (RFC 7983, RFC 5761). */
#ifndef JINGLE_TRANSPORT_DEMUX_H
#define JINGLE_TRANSPORT_DEMUX_H

#include <stddef.h>
#include <stdint.h>

enum datagram_kind {
    DATAGRAM_STUN,
    DATAGRAM_DTLS,
    DATAGRAM_RTP,
    DATAGRAM_RTCP,
    DATAGRAM_OTHER, /* ZRTP, TURN channels that went astray, or nothing known */
};

static inline enum datagram_kind datagram_kind(const uint8_t *datagram, size_t bytes)
{
    if (bytes < 2)
        return DATAGRAM_OTHER;
    uint8_t first = datagram[0];
    if (first <= 3)
        return DATAGRAM_STUN;
    if (first >= 20 && first <= 63)
        return DATAGRAM_DTLS;
    if (first < 128 || first > 191)
        return DATAGRAM_OTHER;
    return datagram[1] >= 192 && datagram[1] <= 223 ? DATAGRAM_RTCP : DATAGRAM_RTP;
}

#endif
