/* One way to the peer: ICE, DTLS and SRTP joined. Above it there are RTP and RTCP packets.
 *
 *     link_send_rtp ──▶ SRTP protect ──────────────┐
 *     link_send_rtcp ─▶ SRTCP protect ─────────────┼──▶ ICE (libnice) ──▶ network
 *                          DTLS records ◀──────────┤
 *     hooks.rtp  ◀── SRTP unprotect ◀─── 128..191 ─┤    RFC 7983
 *     hooks.rtcp ◀── SRTCP unprotect ◀── (64..95) ─┘    RFC 5761
 *
 * Nothing here blocks and there is no thread: all functions are called, and all hooks are called
 * back, on the thread that runs the poller's GMainContext. A hook may call any function of the
 * link except link_free().
 *
 * A plain link, for clients that know nothing else, has neither DTLS nor SRTP, and RTCP has an ICE
 * component of its own (RFC 8445 section 13): its packets are as authentic as their source address.
 *
 *     NEW ─▶ CONNECTING ─▶ CONNECTED ⇄ INTERRUPTED
 *                │             │           │
 *                ▼             ▼           ▼
 *              FAILED        CLOSED      FAILED
 *
 * RFC 8445 (ICE), RFC 8838 (trickle), RFC 7675 (consent), RFC 5764 (DTLS-SRTP), RFC 8842. */
#ifndef JINGLE_TRANSPORT_LINK_H
#define JINGLE_TRANSPORT_LINK_H

#include "base/clock.h"
#include "base/log.h"
#include "signaling/ice_udp.h"
#include "transport/certificate.h"
#include "transport/poller.h"
#include "transport/server.h"
#include <jingle/jingle.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The room that a packet's buffer must have behind the packet: authentication tag (16) and SRTCP
 * index (4), rounded up. */
#define LINK_TAIL 32

/* The longest RTP or RTCP packet that is sent, so that with SRTP, TURN and IPv6 it fits 1280. */
#define LINK_MAX_PACKET 1200

enum link_state {
    LINK_NEW,
    LINK_CONNECTING,  /* both sides' credentials are known; ICE and DTLS are at work */
    LINK_CONNECTED,   /* media may be sent */
    LINK_INTERRUPTED, /* was connected; nothing authentic came for `interrupt_after` */
    LINK_FAILED,      /* for good: see the reason */
    LINK_CLOSED,      /* the peer sent close_notify, or link_close() was called */
};

const char *link_state_name(enum link_state state);

struct link_hooks {
    void *user;
    /* A local candidate was found (link_gather()). Belongs to the link. */
    void (*candidate)(void *user, const struct ice_candidate *candidate);
    /* No more local candidates. May come from within link_gather(). May be NULL. */
    void (*gathered)(void *user);
    /* `reason` and `status` say why for LINK_FAILED (JINGLE_REASON_NO_PATH, _CONNECTION_LOST,
     * _SECURITY) and are NONE and OK otherwise. */
    void (*state)(void *user, enum link_state state, jingle_reason reason, jingle_status status);
    /* An authentic packet, in clear. The buffer is lent and may be written to. */
    void (*rtp)(void *user, uint8_t *packet, size_t bytes, usec now);
    void (*rtcp)(void *user, uint8_t *packet, size_t bytes, usec now);
    /* The peer hung up in the media path (DTLS close_notify); LINK_CLOSED follows. */
    void (*closed_by_peer)(void *user);
};

struct link_config {
    struct poller *poller;
    const struct logger *log;
    const struct certificate *certificate; /* kept by reference: it must outlive the link */
    bool controlling;                      /* ICE: the initiator of the session */
    bool plain; /* no encryption; cannot be restarted, and silence is no trouble: muted clients of
                   that age may send nothing and do not say so */
    bool relay_only;
    bool loopback;          /* gather loopback addresses too */
    const char *interfaces; /* to gather from; see base/addresses.h */
    jingle_family family;
    bool video;          /* mark packets AF41 in place of EF (RFC 8837) */
    const char *ca_file; /* for TURN over TLS; NULL: the system's */
    const char *ufrag; /* our credentials; NULL: random. Those of another link for a content that */
    const char *pwd;   /* was offered in a bundle and is answered alone */
    const struct ice_server *servers; /* copied */
    size_t server_count;
    struct link_hooks hooks;
    /* Set by link_config_init(), shortened by tests. */
    usec connect_limit;   /* 25 s from both sides known to connected */
    usec interrupt_after; /* 1.8 s */
    usec lost_after;      /* 12 s */
};

struct link;

void link_config_init(struct link_config *config);

/* NULL and `*status` on failure. */
struct link *link_new(const struct link_config *config, jingle_status *status);

/* Without a word to the peer; link_close() first for that. NULL is allowed. Sockets and relay
 * allocations are released in the background while the context runs on, and at once if not. */
void link_free(struct link *link);

/* Our ufrag, password, fingerprint and setup (actpass until link_set_role()), without candidates,
 * for signalling. After link_restart() these are the new credentials. */
void link_local(const struct link *link, struct ice_udp_transport *local);

/* Starts to gather: hooks.candidate for each, then hooks.gathered. */
void link_gather(struct link *link);

/* What link_set_remote() found. */
enum link_remote {
    LINK_REMOTE_TAKEN,   /* the first credentials, those of our own link_restart(), or more for
                            those that are known */
    LINK_REMOTE_RESTART, /* new credentials: the peer restarts ICE (RFC 8445 section 9) and so did
                            we: signal link_local(), then call link_gather() */
    LINK_REMOTE_REFUSED, /* no password, a fingerprint that is not usable or another one than
                            before, too many restarts, a plain link that is restarted or gets a
                            fingerprint: the log has it, nothing changed */
};

/*
 * What the peer's transport element said; any part may be missing (transport-info). Credentials,
 * fingerprint and candidates are taken in any order, also before link_gather().
 *
 * The DTLS role follows RFC 5763 section 5 once it is known: pass it by link_set_role().
 */
enum link_remote link_set_remote(struct link *link, const struct ice_udp_transport *remote);

/* Further candidates of the peer. Malformed or unusable ones (TCP, host names, component 2) are
 * skipped. */
void link_add_candidates(struct link *link, const struct ice_candidate *candidates, size_t count);

/* True: DTLS client, we say setup='active'. The one who answers chooses active; the one who offered
 * actpass takes the opposite of the answer. Until it is called DTLS acts on nothing of its own, but
 * a ClientHello that comes early makes us the server. */
void link_set_role(struct link *link, bool dtls_client);

/* Whether the peer should be heard now. While it is not (held, or it said that it sends nothing)
 * silence alone is no trouble, and only ICE consent tells that the peer is gone. True at first. */
void link_expect_media(struct link *link, bool expected);

/* A fresh ICE agent under the live DTLS and SRTP, which goes on over the old path until the new one
 * is up. Signal link_local() if it is not as before, then call link_gather(): credentials stay that
 * the peer may not have heard of. JINGLE_ERROR_LIMIT when that happens too often, no matter on
 * whose account. */
jingle_status link_restart(struct link *link);

/* A restart of ours was not answered yet. A further one keeps its credentials. */
bool link_awaits_answer(const struct link *link);

/* The addresses of this computer are others than those that were gathered from: the way goes by one
 * that is gone, or the system would take another one now. */
bool link_is_outdated(const struct link *link);

/*
 * Protects the packet in place and sends it. `capacity` of the buffer must be at least `bytes` +
 * LINK_TAIL. JINGLE_ERROR_STATE if not connected. What the network does not take now is lost, as
 * if it were lost on the way.
 */
jingle_status link_send_rtp(struct link *link, uint8_t *packet, size_t bytes, size_t capacity);
jingle_status link_send_rtcp(struct link *link, uint8_t *packet, size_t bytes, size_t capacity);

/* Sends close_notify, so that the peer ends even while signalling is away. */
void link_close(struct link *link);

enum link_state link_state(const struct link *link);

struct link_stats {
    uint64_t packets_sent; /* RTP and RTCP */
    uint64_t bytes_sent;
    uint64_t packets_received;
    uint64_t bytes_received;
    /* dropped */
    uint64_t unsent;          /* the network or ICE did not take it */
    uint64_t unknown;         /* no known protocol by its first byte */
    uint64_t early;           /* media before the keys or the fingerprint were there */
    uint64_t malformed;       /* not RTP or RTCP */
    uint64_t not_authentic;   /* SRTP authentication failed */
    uint64_t replayed;        /* RFC 3711 section 3.3.2 */
    uint64_t too_many_ssrcs;  /* from an SSRC beyond the limit */
    uint64_t dtls_bad;        /* records that DTLS did not take */
    usec last_heard;          /* authentic packet; 0: none yet */
    const char *srtp_profile; /* "AEAD_AES_128_GCM"; "" while unknown; static */
    const char *dtls_cipher;  /* OpenSSL's name; "" while unknown; static */
    char candidate_local[80]; /* "host udp 192.0.2.1:5000"; "" while unknown */
    char candidate_remote[80];
    bool dtls_client;
};

void link_stats(const struct link *link, struct link_stats *stats);

#endif
