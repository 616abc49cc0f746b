/* The <jingle/> element (XEP-0166) as a plain struct: what an IQ of a session says.
 *
 *     xml_node ── jingle_iq_read() ──▶ struct jingle_iq ── jingle_iq_write() ──▶ xml_node
 */
#ifndef JINGLE_SIGNALING_JINGLE_H
#define JINGLE_SIGNALING_JINGLE_H

#include "signaling/file_description.h"
#include "signaling/ibb_transport.h"
#include "signaling/ice_udp.h"
#include "signaling/reason.h"
#include "signaling/rtp_description.h"
#include "signaling/s5b.h"
#include "signaling/senders.h"
#include "signaling/stanza.h"

#define JINGLE_CONTENTS_MAX 16   /* more is a bad request */
#define JINGLE_STRING_MAX   1024 /* bytes of a sid or name; a longer one is a bad request */

enum jingle_action {
    ACTION_CONTENT_ACCEPT,
    ACTION_CONTENT_ADD,
    ACTION_CONTENT_MODIFY,
    ACTION_CONTENT_REJECT,
    ACTION_CONTENT_REMOVE,
    ACTION_DESCRIPTION_INFO,
    ACTION_SECURITY_INFO,
    ACTION_SESSION_ACCEPT,
    ACTION_SESSION_INFO,
    ACTION_SESSION_INITIATE,
    ACTION_SESSION_TERMINATE,
    ACTION_TRANSPORT_ACCEPT,
    ACTION_TRANSPORT_INFO,
    ACTION_TRANSPORT_REJECT,
    ACTION_TRANSPORT_REPLACE,
    ACTION_COUNT
};

enum creator {
    CREATOR_INITIATOR, /* also when the attribute is missing */
    CREATOR_RESPONDER,
};

enum application {
    APPLICATION_NONE, /* no <description/> */
    APPLICATION_RTP,
    APPLICATION_FILE, /* file-transfer:5 (XEP-0234) */
    APPLICATION_UNKNOWN,
};

enum transport {
    TRANSPORT_NONE, /* no <transport/> */
    TRANSPORT_ICE_UDP,
    TRANSPORT_S5B, /* XEP-0260 */
    TRANSPORT_IBB, /* XEP-0261 */
    TRANSPORT_UNKNOWN,
};

struct jingle_content {
    char *name;
    enum creator creator;
    enum senders senders;
    bool has_senders;
    char *disposition; /* NULL: "session" */
    enum application application;
    struct rtp_description rtp;   /* if APPLICATION_RTP */
    struct file_description file; /* if APPLICATION_FILE */
    enum transport transport;
    struct ice_udp_transport ice; /* if TRANSPORT_ICE_UDP */
    struct s5b_transport s5b;     /* if TRANSPORT_S5B */
    struct ibb_transport ibb;     /* if TRANSPORT_IBB */
    char *transport_ns;           /* if TRANSPORT_UNKNOWN; NULL: none that can be kept */
    bool security;                /* read only: a <security/> was there */
};

/* The names in <group semantics='BUNDLE'/> (XEP-0338); none: no group. */
struct jingle_group {
    char **names;
    size_t count;
};

/* The payload of session-info (XEP-0167, 8; XEP-0234, 8). */
enum jingle_info {
    INFO_NONE, /* empty: a ping */
    INFO_ACTIVE,
    INFO_HOLD,
    INFO_UNHOLD,
    INFO_MUTE,
    INFO_UNMUTE,
    INFO_RINGING,
    INFO_CHECKSUM, /* `checksum`: hashes of the content `info_name` */
    INFO_RECEIVED, /* the file of the content `info_name` is whole over there */
    INFO_UNKNOWN,  /* read only */
};

struct jingle_iq {
    enum jingle_action action;
    char *sid;
    char *initiator; /* NULL: missing */
    char *responder; /* NULL: missing */
    struct jingle_content *contents;
    size_t content_count;
    struct jingle_group bundle;
    struct reason reason; /* REASON_NONE if missing */
    enum jingle_info info;
    char *info_name; /* the content that it is about; NULL: all, or not said */
    enum creator info_creator;
    struct file_description checksum; /* if INFO_CHECKSUM: its hashes and range */
};

/* `sid` is copied. */
void jingle_iq_init(struct jingle_iq *iq, enum jingle_action action, const char *sid);
void jingle_iq_clear(struct jingle_iq *iq);
void jingle_iq_copy(struct jingle_iq *to, const struct jingle_iq *from);

/* The <jingle/> child of an IQ, or NULL. */
const xml_node *jingle_iq_find(const struct stanza *stanza);
/* False if it is malformed: `error` is the answer, with the cause as its text; nothing is left to
 * clear. Unknown elements and attributes are passed over. */
bool jingle_iq_read(struct jingle_iq *iq, const xml_node *jingle, struct stanza_error *error);
xml_node *jingle_iq_write(const struct jingle_iq *iq, xml_node *stanza);

/* A new empty content at the end; valid until the next is added. `name` is copied. */
struct jingle_content *jingle_iq_add(struct jingle_iq *iq, const char *name, enum creator creator);
const struct jingle_content *jingle_iq_content(const struct jingle_iq *iq, const char *name);
void jingle_group_add(struct jingle_group *group, const char *name);
void jingle_group_clear(struct jingle_group *group);
bool jingle_group_has(const struct jingle_group *group, const char *name);
const char *jingle_action_name(enum jingle_action action);
const char *jingle_info_name(enum jingle_info info);

#endif
