/* One end of a session under test: what it sends, answers and tells, kept to look at. */
#ifndef JINGLE_TESTS_SESSION_SIDE_H
#define JINGLE_TESTS_SESSION_SIDE_H

#include <glib.h>
#include <string.h>

#include "signaling/ns.h"
#include "signaling/session.h"

#define FINGERPRINT                                                                              \
    "C6:D8:70:9B:0A:EA:1C:2A:08:FD:E8:26:9A:9F:F4:7F:43:50:23:D7:EC:5C:89:CD:C9:C3:8B:00:A1:67:" \
    "5E:"                                                                                        \
    "F8"

struct side {
    struct session *session;
    GString *log; /* a word a thing: "!action" sent, "=result" or "=condition" answered, "event" */
    GPtrArray *sent; /* as XML text */
    GArray *tags;
    jingle_reason ended;
    jingle_party ended_by;
    struct rtp_agreement agreement; /* of the last negotiated content */
    bool dtls_client;
    struct ice_udp_transport remote; /* of the last event that had one, without candidates */
    size_t remote_candidates;
    bool restart, answer_wanted;
    bool plain; /* see session.h */
    bool we_send, we_receive;
    const struct rtp_description *abilities;
    const struct rtp_description *video_abilities;
    /* of the last event that had them */
    char content[64];
    char transport[64];
    char credentials[64];
    bool transport_wanted, we_offered;
    char media[16];
    jingle_reason refused;
    struct stanza_error answer; /* the last one */
    bool answered_well;
    GHashTable *agreed; /* the names of the contents that an engine would have running */
    bool automatic;     /* gives transports that are wanted */
    unsigned given;
};

static inline void side_send(void *user, struct session *session, const struct jingle_iq *iq,
                             unsigned tag)
{
    struct side *side = user;
    struct xml *xml = stanza_iq("set", "peer", "id");

    (void)session;
    jingle_iq_write(iq, xml_root(xml));
    g_string_append_printf(side->log, "!%s ", jingle_action_name(iq->action));
    g_ptr_array_add(side->sent, xml_to_string(xml_first(xml_root(xml))));
    g_array_append_val(side->tags, tag);
    xml_free(xml);
}

static inline void side_answer(void *user, struct session *session,
                               const struct stanza_error *error)
{
    struct side *side = user;

    (void)session;
    side->answered_well = error == NULL;
    if (error != NULL)
        side->answer = *error;
    if (error == NULL)
        g_string_append(side->log, "=result ");
    else if (error->jingle != JINGLE_CONDITION_NONE)
        g_string_append_printf(side->log, "=%s ", jingle_condition_name(error->jingle));
    else
        g_string_append_printf(side->log, "=%s ", stanza_condition_name(error->condition));
}

static inline void side_keep_remote(struct side *side, const struct ice_udp_transport *remote)
{
    side->remote = *remote;
    side->remote.candidates = NULL;
    side->remote_candidates = remote->candidate_count;
}

/* What an engine with VP8 and VP9 offers. */
static inline void video_capabilities(struct rtp_description *description)
{
    static const struct {
        uint8_t id, rtx;
        const char *name;
    } codecs[] = {{96, 97, "VP8"}, {98, 99, "VP9"}};
    static const uint32_t ssrcs[] = {5001, 5002};

    rtp_description_init(description, "video");
    for (size_t i = 0; i < G_N_ELEMENTS(codecs); i++) {
        char id[8];
        struct rtp_payload_type *codec =
            rtp_description_add(description, codecs[i].id, codecs[i].name, 90000, 1);
        if (i == 1)
            rtp_parameters_add(&codec->parameters, "profile-id", "0");
        rtcp_feedbacks_add(&codec->feedback, "nack", NULL);
        rtcp_feedbacks_add(&codec->feedback, "nack", "pli");
        rtcp_feedbacks_add(&codec->feedback, "ccm", "fir");
        rtcp_feedbacks_add(&codec->feedback, "goog-remb", NULL);
        rtcp_feedbacks_add(&codec->feedback, "transport-cc", NULL);
        g_snprintf(id, sizeof(id), "%u", codecs[i].id);
        struct rtp_payload_type *rtx =
            rtp_description_add(description, codecs[i].rtx, "rtx", 90000, 1);
        rtp_parameters_add(&rtx->parameters, "apt", id);
    }
    rtp_description_add_hdrext(description, 2, HDREXT_ABS_SEND_TIME, SENDERS_BOTH);
    rtp_description_add_hdrext(description, 3, HDREXT_MID, SENDERS_BOTH);
    rtp_description_add_hdrext(description, 5, HDREXT_TRANSPORT_CC, SENDERS_BOTH);
    rtp_description_add_source(description, ssrcs[0], "cname");
    rtp_description_add_source(description, ssrcs[1], "cname");
    rtp_description_add_group(description, "FID", ssrcs, 2);
    description->rtcp_mux = true;
    description->rtcp_reduced_size = true;
}

static inline struct ice_candidate host_candidate(uint16_t port)
{
    struct ice_candidate candidate = {
        .foundation = "1", .component = 1, .priority = 100, .ip = "192.0.2.1", .port = port};

    return candidate;
}

static inline void own_transport(struct ice_udp_transport *transport, const char *ufrag,
                                 uint16_t port)
{
    memset(transport, 0, sizeof(*transport));
    g_strlcpy(transport->ufrag, ufrag, sizeof(transport->ufrag));
    g_strlcpy(transport->pwd, "0123456789012345678901", sizeof(transport->pwd));
    transport->fingerprint.hash = FINGERPRINT_SHA_256;
    transport->fingerprint.size = 32;
    if (port != 0) {
        struct ice_candidate candidate = host_candidate(port);
        ice_udp_add_candidate(transport, &candidate);
    }
}

/* Gives every listed content a transport. */
static inline void side_set_transport(struct side *side, const char *content, const char *ufrag,
                                      uint16_t port)
{
    struct ice_udp_transport transport;

    own_transport(&transport, ufrag, port);
    session_set_transport(side->session, content, &transport, 0);
    ice_udp_clear(&transport);
}

static inline void side_negotiated(struct side *side, const struct session_event *event)
{
    char ufrag[64];

    side->agreement = *event->u.negotiated.agreement;
    side->dtls_client = event->u.negotiated.dtls_client;
    side->we_offered = event->u.negotiated.we_offered;
    side->transport_wanted = event->u.negotiated.transport_wanted;
    g_strlcpy(side->content, event->u.negotiated.content, sizeof(side->content));
    g_strlcpy(side->transport, event->u.negotiated.transport, sizeof(side->transport));
    g_strlcpy(side->credentials,
              event->u.negotiated.credentials == NULL ? "" : event->u.negotiated.credentials->ufrag,
              sizeof(side->credentials));
    side_keep_remote(side, event->u.negotiated.remote);
    g_hash_table_add(side->agreed, g_strdup(event->u.negotiated.content));
    if (!side->automatic || !side->transport_wanted)
        return;
    g_snprintf(ufrag, sizeof(ufrag), "own%u", ++side->given);
    side_set_transport(side, side->transport,
                       *side->credentials == '\0' ? ufrag : side->credentials, 1000);
}

static inline void side_content_event(struct side *side, const struct session_event *event)
{
    if (event->type == SESSION_EVENT_CONTENT_OFFERED) {
        g_strlcpy(side->content, event->u.content_offered.content, sizeof(side->content));
        g_strlcpy(side->media, event->u.content_offered.media, sizeof(side->media));
        side->we_send = event->u.content_offered.we_send;
        side->we_receive = event->u.content_offered.we_receive;
        return;
    }
    g_strlcpy(side->content, event->u.content_gone.content, sizeof(side->content));
    g_strlcpy(side->media, event->u.content_gone.media, sizeof(side->media));
    side->refused = event->u.content_gone.reason;
    g_hash_table_remove(side->agreed, event->u.content_gone.content);
}

static inline void side_event(void *user, struct session *session,
                              const struct session_event *event)
{
    static const char *const names[] = {"ringing", "accepted", "negotiated", "transport",
                                        "info",    "senders",  "ended",      "offered",
                                        "refused", "removed"};
    struct side *side = user;

    (void)session;
    g_string_append_printf(side->log, "%s ", names[event->type]);
    if (event->type == SESSION_EVENT_ENDED) {
        side->ended = event->u.ended.reason;
        side->ended_by = event->u.ended.by;
    } else if (event->type == SESSION_EVENT_NEGOTIATED) {
        side_negotiated(side, event);
    } else if (event->type == SESSION_EVENT_REMOTE_TRANSPORT) {
        side->restart = event->u.remote_transport.restart;
        side->answer_wanted = event->u.remote_transport.answer_wanted;
        g_strlcpy(side->transport, event->u.remote_transport.content, sizeof(side->transport));
        side_keep_remote(side, event->u.remote_transport.transport);
    } else if (event->type == SESSION_EVENT_SENDERS) {
        side->we_send = event->u.senders.we_send;
        side->we_receive = event->u.senders.we_receive;
    } else if (event->type == SESSION_EVENT_INFO) {
        g_strlcpy(side->content, event->u.info.content, sizeof(side->content));
        g_strlcpy(side->media, event->u.info.media, sizeof(side->media));
    } else if (event->type > SESSION_EVENT_ENDED) {
        side_content_event(side, event);
    }
}

static inline void side_init(struct side *side)
{
    memset(side, 0, sizeof(*side));
    side->log = g_string_new(NULL);
    side->sent = g_ptr_array_new_with_free_func(g_free);
    side->tags = g_array_new(FALSE, FALSE, sizeof(unsigned));
    side->agreed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static inline void side_clear(struct side *side)
{
    session_free(side->session);
    g_string_free(side->log, TRUE);
    g_ptr_array_unref(side->sent);
    g_array_unref(side->tags);
    g_hash_table_unref(side->agreed);
}

static inline struct session_hooks side_hooks(struct side *side)
{
    return (struct session_hooks){side, side_send, side_answer, side_event};
}

static inline const char *side_last_sent(const struct side *side)
{
    return side->sent->len == 0 ? "" : g_ptr_array_index(side->sent, side->sent->len - 1);
}

static inline unsigned side_last_tag(const struct side *side)
{
    return g_array_index(side->tags, unsigned, side->tags->len - 1);
}

/* What an engine with Opus and PCMU offers. */
static inline void audio_capabilities(struct rtp_description *description)
{
    rtp_description_init(description, "audio");
    struct rtp_payload_type *opus = rtp_description_add(description, 111, "opus", 48000, 2);
    rtp_parameters_add(&opus->parameters, "useinbandfec", "1");
    rtp_parameters_add(&opus->parameters, "minptime", "10");
    rtp_description_add(description, 0, "PCMU", 8000, 1);
    rtp_description_add(description, 8, "PCMA", 8000, 1);
    rtp_description_add(description, 101, "telephone-event", 48000, 1);
    rtp_description_add(description, 102, "telephone-event", 8000, 1);
    rtp_description_add_hdrext(description, 1, HDREXT_AUDIO_LEVEL, SENDERS_BOTH);
    rtp_description_add_hdrext(description, 3, HDREXT_MID, SENDERS_BOTH);
    description->rtcp_mux = true;
}

static inline void side_new_outgoing(struct side *side)
{
    struct session_config config = {.own_jid = "a@x/1",
                                    .peer = "b@y/2",
                                    .sid = "sid",
                                    .ring_timeout = 60 * USEC_PER_SEC,
                                    .plain = side->plain};
    struct session_hooks hooks = side_hooks(side);
    struct rtp_description audio;

    audio_capabilities(&audio);
    struct session_media media = {.content = "audio", .description = &audio};
    side->session = session_new(&config, &hooks, &media, 1);
    rtp_description_clear(&audio);
}

static inline void side_accept(struct side *side)
{
    struct rtp_description audio;

    audio_capabilities(&audio);
    struct session_media media = {.description = &audio};
    session_accept(side->session, &media, 1, 0);
    rtp_description_clear(&audio);
}

/* The first IQ makes the session of an incoming side. False if the XML is malformed Jingle. */
static inline bool side_receive(struct side *side, const char *text)
{
    struct xml *xml = xml_parse(text, strlen(text));
    struct jingle_iq iq;
    struct stanza_error error;
    struct session_hooks hooks = side_hooks(side);

    bool good = xml != NULL && jingle_iq_read(&iq, xml_root(xml), &error);
    xml_free(xml);
    if (!good)
        return false;
    struct session_config config = {.own_jid = "a@x/1",
                                    .peer = "b@y/2",
                                    .sid = iq.sid,
                                    .ring_timeout = 60 * USEC_PER_SEC,
                                    .plain = side->plain,
                                    .abilities = side->abilities,
                                    .video_abilities = side->video_abilities};
    if (side->session == NULL)
        side->session = session_new_incoming(&config, &hooks, &iq, 0);
    else
        session_receive(side->session, &iq, 0);
    jingle_iq_clear(&iq);
    return true;
}

#define JINGLE(action, inner) \
    "<jingle xmlns='" NS_JINGLE "' sid='sid' action='" action "'>" inner "</jingle>"
#define OPUS "<payload-type id='111' name='opus' clockrate='48000' channels='2'/>"
#define DESCRIPTION(media, payload_types) \
    "<description xmlns='" NS_RTP "' media='" media "'>" payload_types "<rtcp-mux/></description>"
#define TRANSPORT(ufrag, setup, inner)                                                  \
    "<transport xmlns='" NS_ICE_UDP "' ufrag='" ufrag "' pwd='pppppppppppppppppppppp'>" \
    "<fingerprint xmlns='" NS_DTLS "' hash='sha-256' setup='" setup "'>" FINGERPRINT    \
    "</fingerprint>" inner "</transport>"
#define CONTENT(name, media, payload_types, setup)                                    \
    "<content creator='initiator' name='" name "'>" DESCRIPTION(media, payload_types) \
        TRANSPORT("theirs", setup, "") "</content>"
#define CANDIDATE(port)                                                     \
    "<candidate component='1' foundation='1' ip='198.51.100.1' port='" port \
    "' priority='1' protocol='udp' type='host'/>"
#define TRICKLE(ufrag, pwd, inner)                                                   \
    JINGLE("transport-info",                                                         \
           "<content creator='initiator' name='audio'><transport xmlns='" NS_ICE_UDP \
           "' ufrag='" ufrag "' " pwd ">" inner "</transport></content>")
#define INITIATE JINGLE("session-initiate", CONTENT("audio", "audio", OPUS, "actpass"))
#define ACCEPT   JINGLE("session-accept", CONTENT("audio", "audio", OPUS, "active"))

#endif
