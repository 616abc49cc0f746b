#include "signaling/s5b.h"

#include <glib.h>
#include <string.h>

#include "signaling/ns.h"
#include "signaling/stanza.h"

#define PORT_DEFAULT 1080

/* XEP-0260, 2.2 */
static const struct {
    const char *name;
    uint32_t preference;
} types[] = {
    [S5B_DIRECT] = {"direct", 126},
    [S5B_ASSISTED] = {"assisted", 120},
    [S5B_TUNNEL] = {"tunnel", 110},
    [S5B_PROXY] = {"proxy", 10},
};

static const char *const words[] = {
    [S5B_NO_WORD] = "",
    [S5B_CANDIDATE_USED] = "candidate-used",
    [S5B_CANDIDATE_ERROR] = "candidate-error",
    [S5B_ACTIVATED] = "activated",
    [S5B_PROXY_ERROR] = "proxy-error",
};

/* ------------------------------------------------------------------------- owning memory -- */

void s5b_clear(struct s5b_transport *transport)
{
    for (size_t i = 0; i < transport->candidate_count; i++)
        g_free(transport->candidates[i].jid);
    memset(transport, 0, sizeof(*transport));
}

void s5b_copy(struct s5b_transport *to, const struct s5b_transport *from)
{
    *to = *from;
    for (size_t i = 0; i < from->candidate_count; i++)
        to->candidates[i].jid = g_strdup(from->candidates[i].jid);
}

const struct s5b_candidate *s5b_find(const struct s5b_transport *transport, const char *cid)
{
    for (size_t i = 0; i < transport->candidate_count; i++) {
        if (strcmp(transport->candidates[i].cid, cid) == 0)
            return &transport->candidates[i];
    }
    return NULL;
}

/* ------------------------------------------------------------------------------- reading -- */

/* False, and "" in `out`, if it is missing, empty or longer than there is room. */
static bool read_text(char *out, size_t size, const xml_node *node, const char *name)
{
    const char *text = xml_attribute(node, name);

    out[0] = '\0';
    if (text == NULL || *text == '\0' || strnlen(text, size) >= size)
        return false;
    g_strlcpy(out, text, size);
    return true;
}

/* NULL if it is missing, empty or too long. */
static char *read_jid(const xml_node *node)
{
    const char *jid = xml_attribute(node, "jid");

    if (jid == NULL || *jid == '\0' || strnlen(jid, S5B_JID_SIZE) >= S5B_JID_SIZE)
        return NULL;
    return g_strdup(jid);
}

/* Dino leaves the zone on link-local addresses, where it means nothing to others. */
static bool read_host(char out[S5B_HOST_SIZE], const xml_node *node)
{
    if (!read_text(out, S5B_HOST_SIZE, node, "host"))
        return false;
    out[strcspn(out, "%")] = '\0';
    for (const char *at = out; *at != '\0'; at++) {
        if ((unsigned char)*at <= ' ' || *at == 0x7f) {
            out[0] = '\0';
            return false;
        }
    }
    return *out != '\0';
}

static bool read_port(uint16_t *port, const xml_node *node)
{
    uint64_t number = PORT_DEFAULT;

    if (xml_attribute(node, "port") != NULL &&
        (!xml_attribute_number(node, "port", UINT16_MAX, &number) || number == 0))
        return false;
    *port = (uint16_t)number;
    return true;
}

/* Psi leaves the type of direct ones out. */
static bool read_type(enum s5b_type *type, const char *text)
{
    *type = S5B_DIRECT;
    if (text == NULL)
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (strcmp(text, types[i].name) == 0) {
            *type = (enum s5b_type)i;
            return true;
        }
    }
    return false;
}

/* False if we cannot use it; its JID is to be freed all the same. */
static bool read_candidate(struct s5b_candidate *candidate, const xml_node *node)
{
    uint64_t priority = 0;

    memset(candidate, 0, sizeof(*candidate));
    if (!read_text(candidate->cid, S5B_CID_SIZE, node, "cid") ||
        !read_type(&candidate->type, xml_attribute(node, "type")) ||
        !xml_attribute_number(node, "priority", UINT32_MAX, &priority) || priority == 0 ||
        !read_port(&candidate->port, node))
        return false;
    candidate->priority = (uint32_t)priority;
    candidate->jid = read_jid(node);
    /* A proxy can be asked where it is. */
    bool has_host = read_host(candidate->host, node);
    return has_host || (candidate->type == S5B_PROXY && candidate->jid != NULL);
}

/* Of two candidates with one cid nobody can tell which is used: the first counts. */
static void take_candidate(struct s5b_transport *transport, const xml_node *node)
{
    struct s5b_candidate candidate;

    if (read_candidate(&candidate, node) && transport->candidate_count < S5B_CANDIDATES_MAX &&
        s5b_find(transport, candidate.cid) == NULL)
        transport->candidates[transport->candidate_count++] = candidate;
    else
        g_free(candidate.jid);
}

/* XEP-0260, 2.3: one word at a time. */
static void take_word(struct s5b_transport *transport, const xml_node *node)
{
    for (size_t i = S5B_NO_WORD + 1; i < G_N_ELEMENTS(words); i++) {
        if (transport->word != S5B_NO_WORD || strcmp(xml_name(node), words[i]) != 0)
            continue;
        transport->word = (enum s5b_word)i;
        read_text(transport->cid, S5B_CID_SIZE, node, "cid");
    }
}

static void read_address(char out[S5B_ADDRESS_SIZE], const xml_node *node)
{
    if (read_text(out, S5B_ADDRESS_SIZE, node, "dstaddr") &&
        strspn(out, "0123456789abcdefABCDEF") != S5B_ADDRESS_SIZE - 1)
        out[0] = '\0';
}

static void read_mode(struct s5b_transport *transport, const char *mode)
{
    transport->udp = mode != NULL && strcmp(mode, "udp") == 0;
    transport->writes_mode = mode != NULL && strcmp(mode, "tcp") == 0;
}

void s5b_read(struct s5b_transport *transport, const xml_node *node)
{
    memset(transport, 0, sizeof(*transport));
    read_text(transport->sid, S5B_SID_SIZE, node, "sid");
    read_address(transport->dstaddr, node);
    read_mode(transport, xml_attribute(node, "mode"));
    XML_EACH (child, node) {
        if (strcmp(xml_ns(child), NS_S5B) != 0)
            continue;
        if (strcmp(xml_name(child), "candidate") == 0)
            take_candidate(transport, child);
        else
            take_word(transport, child);
    }
}

/* ------------------------------------------------------------------------------- writing -- */

static void write_candidate(const struct s5b_candidate *candidate, xml_node *transport)
{
    xml_node *node = xml_add(transport, NULL, "candidate");

    xml_set(node, "cid", candidate->cid);
    if (*candidate->host != '\0')
        xml_set(node, "host", candidate->host);
    xml_set(node, "jid", candidate->jid);
    xml_set_number(node, "port", candidate->port);
    xml_set_number(node, "priority", candidate->priority);
    xml_set(node, "type", types[candidate->type].name);
}

static void write_word(const struct s5b_transport *transport, xml_node *node)
{
    if (transport->word == S5B_NO_WORD)
        return;
    xml_node *word = xml_add(node, NULL, words[transport->word]);
    if (*transport->cid != '\0')
        xml_set(word, "cid", transport->cid);
}

void s5b_write(const struct s5b_transport *transport, xml_node *content)
{
    xml_node *node = xml_add(content, NS_S5B, "transport");

    if (*transport->sid != '\0')
        xml_set(node, "sid", transport->sid);
    if (*transport->dstaddr != '\0')
        xml_set(node, "dstaddr", transport->dstaddr);
    if (transport->udp || transport->writes_mode)
        xml_set(node, "mode", transport->udp ? "udp" : "tcp");
    for (size_t i = 0; i < transport->candidate_count; i++)
        write_candidate(&transport->candidates[i], node);
    write_word(transport, node);
}

/* ------------------------------------------------------------------------------- numbers -- */

uint32_t s5b_priority(enum s5b_type type, uint16_t local)
{
    return (types[type].preference << 16) + local;
}

void s5b_address(const char *sid, const char *first_jid, const char *second_jid,
                 char out[S5B_ADDRESS_SIZE])
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA1);

    g_checksum_update(sum, (const guchar *)sid, -1);
    g_checksum_update(sum, (const guchar *)first_jid, -1);
    g_checksum_update(sum, (const guchar *)second_jid, -1);
    g_strlcpy(out, g_checksum_get_string(sum), S5B_ADDRESS_SIZE);
    g_checksum_free(sum);
}

/* ------------------------------------------------------------------------------- proxies -- */

struct xml *s5b_proxy_query(const char *proxy)
{
    struct xml *iq = stanza_iq("get", proxy, NULL);

    xml_add(xml_root(iq), NS_BYTESTREAMS, "query");
    return iq;
}

static bool read_streamhost(struct s5b_candidate *proxy, const xml_node *node)
{
    memset(proxy, 0, sizeof(*proxy));
    proxy->type = S5B_PROXY;
    if (!xml_is(node, NS_BYTESTREAMS, "streamhost") || !read_host(proxy->host, node) ||
        xml_attribute(node, "port") == NULL || !read_port(&proxy->port, node))
        return false;
    proxy->jid = read_jid(node);
    return proxy->jid != NULL;
}

bool s5b_proxy_read(struct s5b_candidate *proxy, const xml_node *answer)
{
    XML_EACH (child, xml_child(answer, NS_BYTESTREAMS, "query")) {
        if (read_streamhost(proxy, child))
            return true;
    }
    memset(proxy, 0, sizeof(*proxy));
    return false;
}

struct xml *s5b_proxy_activation(const char *proxy, const char *sid, const char *target)
{
    struct xml *iq = stanza_iq("set", proxy, NULL);
    xml_node *query = xml_add(xml_root(iq), NS_BYTESTREAMS, "query");

    xml_set(query, "sid", sid);
    xml_add_text(query, NULL, "activate", target);
    return iq;
}
