/* <description xmlns='urn:xmpp:jingle:apps:rtp:1'/>: what media a content carries (XEP-0167), with
 * feedback (XEP-0293), header extensions (XEP-0294) and sources (XEP-0339).
 *
 * The structs own what they point to. A zeroed struct is an empty description. */
#ifndef JINGLE_SIGNALING_RTP_DESCRIPTION_H
#define JINGLE_SIGNALING_RTP_DESCRIPTION_H

#include "signaling/senders.h"
#include "signaling/xml.h"

/* More than this is dropped while reading, never an error. */
#define RTP_PAYLOAD_TYPES_MAX 128
#define RTP_PARAMETERS_MAX    64
#define RTP_FEEDBACK_MAX      32
#define RTP_HDREXT_MAX        32
#define RTP_SOURCES_MAX       32
#define RTP_GROUPS_MAX        16
#define RTP_STRING_MAX        1024 /* bytes; longer strings are left out with what they belong to */

struct rtp_parameter {
    char *name;
    char *value; /* NULL: it had none */
};

struct rtp_parameters {
    struct rtp_parameter *items;
    size_t count;
};

/* <rtcp-fb type='nack' subtype='pli'/> */
struct rtp_feedback {
    char *type;
    char *subtype; /* NULL: none */
};

struct rtcp_feedbacks {
    struct rtp_feedback *items;
    size_t count;
    int trr_int; /* <rtcp-fb-trr-int/>, milliseconds; -1: none. Set by rtp_description_init() and
                    rtp_description_add(). */
};

struct rtp_payload_type {
    uint8_t id;         /* 0 to 127 */
    char *name;         /* never NULL; "" if missing; as spelled by who wrote it */
    uint32_t clockrate; /* 0: missing */
    unsigned channels;  /* at least 1: a missing attribute is 1 */
    unsigned ptime;     /* milliseconds; 0: missing */
    unsigned maxptime;
    struct rtp_parameters parameters;
    struct rtcp_feedbacks feedback;
};

struct rtp_hdrext {
    unsigned id; /* 1 to 255 */
    char *uri;
    enum senders senders;
};

struct rtp_source {
    uint32_t ssrc;
    struct rtp_parameters parameters;
};

struct rtp_source_group {
    char *semantics; /* such as "FID" */
    uint32_t *ssrcs;
    size_t count;
};

struct rtp_description {
    char *media; /* "audio", "video"; never NULL after reading */
    bool has_ssrc;
    uint32_t ssrc;
    struct rtp_payload_type *payload_types;
    size_t payload_type_count;
    struct rtcp_feedbacks feedback; /* for all payload types */
    struct rtp_hdrext *hdrexts;
    size_t hdrext_count;
    struct rtp_source *sources;
    size_t source_count;
    struct rtp_source_group *groups;
    size_t group_count;
    bool rtcp_mux;
    bool rtcp_reduced_size;
    bool encryption; /* read only: an <encryption/> (SDES) was there; we never write one */
};

/* `media` is copied. */
void rtp_description_init(struct rtp_description *description, const char *media);
void rtp_description_clear(struct rtp_description *description);
void rtp_description_copy(struct rtp_description *to, const struct rtp_description *from);

/* False with a reason if `media` is missing; payload types that make no sense (id above 127 or a
 * second time, no number) are left out. `description` is cleared on failure. */
bool rtp_description_read(struct rtp_description *description, const xml_node *node,
                          const char **why);
xml_node *rtp_description_write(const struct rtp_description *description, xml_node *content);

/* Building. The payload type returned is valid until the next one is added. */
struct rtp_payload_type *rtp_description_add(struct rtp_description *description, uint8_t id,
                                             const char *name, uint32_t clockrate,
                                             unsigned channels);
void rtp_description_add_hdrext(struct rtp_description *description, unsigned id, const char *uri,
                                enum senders senders);
void rtp_description_add_source(struct rtp_description *description, uint32_t ssrc,
                                const char *cname);
/* Such as "FID": a stream and its retransmissions (RFC 5576, 4.2). */
void rtp_description_add_group(struct rtp_description *description, const char *semantics,
                               const uint32_t *ssrcs, size_t count);
/* A copy of a payload type with all it has. */
void rtp_description_add_copy(struct rtp_description *description,
                              const struct rtp_payload_type *payload_type);
/* Leaves what the oldest clients read, some of which refuse a call over anything else: payload
 * types with id, name, clock rate and channels. */
void rtp_description_strip(struct rtp_description *description);
void rtp_parameters_add(struct rtp_parameters *parameters, const char *name, const char *value);
void rtcp_feedbacks_add(struct rtcp_feedbacks *feedback, const char *type, const char *subtype);

/* Looking. Names are case-insensitive; NULL if there is none. */
const struct rtp_payload_type *rtp_description_find(const struct rtp_description *description,
                                                    uint8_t id);
const struct rtp_hdrext *rtp_description_find_hdrext(const struct rtp_description *description,
                                                     const char *uri);
/* Is it Monal's? Its sign is what it makes of parameters: those that are 1 elsewhere are the word
 * true. */
bool rtp_description_is_monals(const struct rtp_description *description);
/* "" for a parameter without value. */
const char *rtp_parameters_get(const struct rtp_parameters *parameters, const char *name);
bool rtcp_feedbacks_has(const struct rtcp_feedbacks *feedback, const char *type,
                        const char *subtype);

#endif
