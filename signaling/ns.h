/* Namespaces of XMPP and its extensions, once. */
#ifndef JINGLE_SIGNALING_NS_H
#define JINGLE_SIGNALING_NS_H

#define NS_CLIENT          "jabber:client"
#define NS_STANZAS         "urn:ietf:params:xml:ns:xmpp-stanzas" /* RFC 6120, 8.3 */
#define NS_ROSTER          "jabber:iq:roster"                    /* RFC 6121 */
#define NS_DISCO_INFO      "http://jabber.org/protocol/disco#info"
#define NS_DISCO_ITEMS     "http://jabber.org/protocol/disco#items"
#define NS_CAPS            "http://jabber.org/protocol/caps" /* XEP-0115 */
#define NS_PING            "urn:xmpp:ping"                   /* XEP-0199 */
#define NS_CARBONS         "urn:xmpp:carbons:2"              /* XEP-0280 */
#define NS_FORWARD         "urn:xmpp:forward:0"              /* XEP-0297 */
#define NS_DELAY           "urn:xmpp:delay"                  /* XEP-0203 */
#define NS_RECEIPTS        "urn:xmpp:receipts"               /* XEP-0184 */
#define NS_HINTS           "urn:xmpp:hints"                  /* XEP-0334 */
#define NS_EXTDISCO        "urn:xmpp:extdisco:2"             /* XEP-0215 */
#define NS_JINGLE          "urn:xmpp:jingle:1"               /* XEP-0166 */
#define NS_JINGLE_ERRORS   "urn:xmpp:jingle:errors:1"
#define NS_JINGLE_MESSAGE  "urn:xmpp:jingle-message:0"  /* XEP-0353 */
#define NS_RTP             "urn:xmpp:jingle:apps:rtp:1" /* XEP-0167 */
#define NS_RTP_AUDIO       "urn:xmpp:jingle:apps:rtp:audio"
#define NS_RTP_VIDEO       "urn:xmpp:jingle:apps:rtp:video"
#define NS_RTP_INFO        "urn:xmpp:jingle:apps:rtp:info:1"
#define NS_RTP_ERRORS      "urn:xmpp:jingle:apps:rtp:errors:1"
#define NS_RTCP_FB         "urn:xmpp:jingle:apps:rtp:rtcp-fb:0"      /* XEP-0293 */
#define NS_RTP_HDREXT      "urn:xmpp:jingle:apps:rtp:rtp-hdrext:0"   /* XEP-0294 */
#define NS_SSMA            "urn:xmpp:jingle:apps:rtp:ssma:0"         /* XEP-0339 */
#define NS_GROUPING        "urn:xmpp:jingle:apps:grouping:0"         /* XEP-0338 */
#define NS_DTLS            "urn:xmpp:jingle:apps:dtls:0"             /* XEP-0320 */
#define NS_ICE_UDP         "urn:xmpp:jingle:transports:ice-udp:1"    /* XEP-0176 */
#define NS_ICE             "urn:xmpp:jingle:transports:ice:0"        /* XEP-0371 */
#define NS_FILE_TRANSFER_5 "urn:xmpp:jingle:apps:file-transfer:5"    /* XEP-0234 */
#define NS_S5B             "urn:xmpp:jingle:transports:s5b:1"        /* XEP-0260 */
#define NS_IBB_TRANSPORT   "urn:xmpp:jingle:transports:ibb:1"        /* XEP-0261 */
#define NS_IBB             "http://jabber.org/protocol/ibb"          /* XEP-0047 */
#define NS_BYTESTREAMS     "http://jabber.org/protocol/bytestreams"  /* XEP-0065 */
#define NS_HASHES          "urn:xmpp:hashes:2"                       /* XEP-0300 */
#define NS_HASH_NAMES      "urn:xmpp:hash-function-text-names:"      /* and a name: XEP-0300 */
#define NS_OOB             "jabber:x:oob"                            /* XEP-0066 */
#define NS_ARCHIVE         "urn:xmpp:mam:2"                          /* XEP-0313 */
#define NS_RSM             "http://jabber.org/protocol/rsm"          /* XEP-0059 */
#define NS_DATA            "jabber:x:data"                           /* XEP-0004 */
#define NS_NICK            "http://jabber.org/protocol/nick"         /* XEP-0172 */
#define NS_PUBSUB_EVENT    "http://jabber.org/protocol/pubsub#event" /* XEP-0060, XEP-0163 */
#define NS_UPLOAD          "urn:xmpp:http:upload:0"                  /* XEP-0363 */
#define NS_ENGINE_FILES    "urn:x-jingle-engine:files:0" /* our own: docs/architecture.md */
#define NS_FEATURE_BUNDLE  "urn:ietf:rfc:5888"           /* XEP-0338 */
#define NS_FEATURE_SSMA    "urn:ietf:rfc:5576"           /* XEP-0339 */

#endif
