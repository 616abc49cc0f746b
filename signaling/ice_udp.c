#include "signaling/ice_udp.h"

#include <arpa/inet.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/ns.h"

static const char *const candidate_types[] = {
    [ICE_HOST] = "host",
    [ICE_SRFLX] = "srflx",
    [ICE_PRFLX] = "prflx",
    [ICE_RELAY] = "relay",
};

static const struct {
    const char *name;
    size_t size;
} hashes[] = {
    [FINGERPRINT_NONE] = {"", 0},
    [FINGERPRINT_SHA_256] = {"sha-256", 32},
    [FINGERPRINT_SHA_384] = {"sha-384", 48},
    [FINGERPRINT_SHA_512] = {"sha-512", 64},
};

static const char *const setups[] = {
    [DTLS_SETUP_MISSING] = "",  [DTLS_ACTPASS] = "actpass",   [DTLS_ACTIVE] = "active",
    [DTLS_PASSIVE] = "passive", [DTLS_HOLDCONN] = "holdconn",
};

void ice_udp_clear(struct ice_udp_transport *transport)
{
    g_free(transport->candidates);
    memset(transport, 0, sizeof(*transport));
}

void ice_udp_copy(struct ice_udp_transport *to, const struct ice_udp_transport *from)
{
    *to = *from;
    to->candidates =
        g_memdup2(from->candidates, from->candidate_count * sizeof(struct ice_candidate));
}

void ice_udp_add_candidate(struct ice_udp_transport *transport,
                           const struct ice_candidate *candidate)
{
    if (transport->candidate_count >= ICE_CANDIDATES_MAX)
        return;
    transport->candidates =
        g_renew(struct ice_candidate, transport->candidates, transport->candidate_count + 1);
    transport->candidates[transport->candidate_count++] = *candidate;
}

bool ice_udp_is(const xml_node *node)
{
    return xml_is(node, NS_ICE_UDP, "transport") || xml_is(node, NS_ICE, "transport");
}

/* ------------------------------------------------------------------------------- reading -- */

/* A literal address, without the zone that some clients leave on link-local ones. */
static bool read_address(char out[ICE_ADDRESS_SIZE], const char *text)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    size_t length = text == NULL ? 0 : strcspn(text, "%");

    if (length == 0 || length >= ICE_ADDRESS_SIZE)
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    if (inet_pton(AF_INET, out, bytes) == 1 || inet_pton(AF_INET6, out, bytes) == 1)
        return true;
    out[0] = '\0';
    return false;
}

static bool read_type(enum ice_candidate_type *type, const char *text)
{
    for (size_t i = 0; text != NULL && i < G_N_ELEMENTS(candidate_types); i++) {
        if (strcmp(text, candidate_types[i]) == 0) {
            *type = (enum ice_candidate_type)i;
            return true;
        }
    }
    return false;
}

/* RFC 8839, 5.1: 1 to 32 ice-chars. */
static bool read_foundation(char out[ICE_FOUNDATION_SIZE], const char *text)
{
    if (text == NULL || *text == '\0' || strnlen(text, ICE_FOUNDATION_SIZE) >= ICE_FOUNDATION_SIZE)
        return false;
    g_strlcpy(out, text, ICE_FOUNDATION_SIZE);
    return true;
}

/* False if we cannot use it, malformed or not: TCP, a name in place of an address, port 0. */
static bool read_candidate(struct ice_candidate *candidate, const xml_node *node)
{
    const char *protocol = xml_attribute(node, "protocol");
    const char *id = xml_attribute(node, "id");
    uint64_t component = 0, priority = 0, port = 0, number = 0;

    memset(candidate, 0, sizeof(*candidate));
    if (protocol == NULL || g_ascii_strcasecmp(protocol, "udp") != 0)
        return false;
    if (!read_foundation(candidate->foundation, xml_attribute(node, "foundation")) ||
        !read_type(&candidate->type, xml_attribute(node, "type")) ||
        !read_address(candidate->ip, xml_attribute(node, "ip")))
        return false;
    if (!xml_attribute_number(node, "component", 2, &component) || component == 0 ||
        !xml_attribute_number(node, "priority", UINT32_MAX, &priority) ||
        !xml_attribute_number(node, "port", UINT16_MAX, &port) || port == 0)
        return false;
    candidate->component = (uint8_t)component;
    candidate->priority = (uint32_t)priority;
    candidate->port = (uint16_t)port;
    if (read_address(candidate->rel_addr, xml_attribute(node, "rel-addr")) &&
        xml_attribute_number(node, "rel-port", UINT16_MAX, &number))
        candidate->rel_port = (uint16_t)number;
    if (id != NULL && strnlen(id, ICE_ID_SIZE) < ICE_ID_SIZE)
        g_strlcpy(candidate->id, id, sizeof(candidate->id));
    if (xml_attribute_number(node, "generation", UINT8_MAX, &number))
        candidate->generation = (uint8_t)number;
    if (xml_attribute_number(node, "network", UINT8_MAX, &number))
        candidate->network = (uint8_t)number;
    return true;
}

/* "AB:CD:..." in either case, exactly `size` bytes. */
static bool read_hex(uint8_t *out, size_t size, const char *text)
{
    for (size_t i = 0; i < size; i++) {
        int high = g_ascii_xdigit_value(text[0]);
        int low = high < 0 ? -1 : g_ascii_xdigit_value(text[1]);
        char after = i + 1 < size ? ':' : '\0';
        if (low < 0 || text[2] != after)
            return false;
        out[i] = (uint8_t)(high * 16 + low);
        text += 3;
    }
    return true;
}

static enum dtls_setup read_setup(const char *text)
{
    for (size_t i = 1; text != NULL && i < G_N_ELEMENTS(setups); i++) {
        if (strcmp(text, setups[i]) == 0)
            return (enum dtls_setup)i;
    }
    return DTLS_SETUP_MISSING;
}

/* RFC 8122, 5: of several hashes we take the best that we know. Unknown ones are passed over. */
static bool read_fingerprint(struct dtls_fingerprint *fingerprint, const xml_node *node)
{
    const char *name = xml_attribute(node, "hash");
    struct dtls_fingerprint found = {.setup = read_setup(xml_attribute(node, "setup"))};

    for (size_t i = 1; name != NULL && i < G_N_ELEMENTS(hashes); i++) {
        if (g_ascii_strcasecmp(name, hashes[i].name) == 0)
            found.hash = (enum fingerprint_hash)i;
    }
    if (found.hash == FINGERPRINT_NONE || found.hash < fingerprint->hash)
        return true;
    found.size = hashes[found.hash].size;
    char *text = xml_text(node);
    bool good = read_hex(found.bytes, found.size, text);
    free(text);
    if (good)
        *fingerprint = found;
    return good;
}

/* RFC 8445, 5.3 wants 4 characters of ufrag and 22 of pwd; some clients have fewer. */
static bool read_credential(char out[ICE_CREDENTIAL_MAX + 1], const char *text)
{
    if (text == NULL)
        return true;
    if (strnlen(text, ICE_CREDENTIAL_MAX + 1) > ICE_CREDENTIAL_MAX)
        return false;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~')
            return false;
    }
    g_strlcpy(out, text, ICE_CREDENTIAL_MAX + 1);
    return true;
}

static bool read_child(struct ice_udp_transport *transport, const xml_node *child, const char *ns)
{
    struct ice_candidate candidate;

    if (xml_is(child, NS_DTLS, "fingerprint")) {
        transport->has_fingerprint = true;
        return read_fingerprint(&transport->fingerprint, child);
    }
    if (strcmp(xml_name(child), "gathering-complete") == 0)
        transport->gathering_complete = true;
    if (!xml_is(child, ns, "candidate"))
        return true;
    if (transport->candidate_count < ICE_CANDIDATES_MAX && read_candidate(&candidate, child))
        ice_udp_add_candidate(transport, &candidate);
    else
        transport->skipped++;
    return true;
}

bool ice_udp_read(struct ice_udp_transport *transport, const xml_node *node, const char **why)
{
    memset(transport, 0, sizeof(*transport));
    transport->ice0 = strcmp(xml_ns(node), NS_ICE) == 0;
    if (!read_credential(transport->ufrag, xml_attribute(node, "ufrag")) ||
        !read_credential(transport->pwd, xml_attribute(node, "pwd"))) {
        *why = "ICE credentials that are none";
        ice_udp_clear(transport);
        return false;
    }
    XML_EACH (child, node) {
        if (!read_child(transport, child, xml_ns(node))) {
            *why = "a fingerprint that is none";
            ice_udp_clear(transport);
            return false;
        }
    }
    return true;
}

/* ------------------------------------------------------------------------------- writing -- */

/* The id must be there and differ from the others; nobody looks at more. */
static void write_id(const struct ice_candidate *candidate, xml_node *node)
{
    char id[ICE_ID_SIZE];

    g_snprintf(id, sizeof(id), "%u-%s-%u-%u", candidate->generation, candidate->foundation,
               candidate->component, candidate->port);
    xml_set(node, "id", *candidate->id != '\0' ? candidate->id : id);
}

static void write_candidate(const struct ice_candidate *candidate, xml_node *transport)
{
    static const char *const protocols[] = {[ICE_UDP] = "udp", [ICE_TCP] = "tcp"};
    xml_node *node = xml_add(transport, NULL, "candidate");

    xml_set_number(node, "component", candidate->component);
    xml_set(node, "foundation", candidate->foundation);
    xml_set_number(node, "generation", candidate->generation);
    write_id(candidate, node);
    xml_set(node, "ip", candidate->ip);
    xml_set_number(node, "network", candidate->network);
    xml_set_number(node, "port", candidate->port);
    xml_set_number(node, "priority", candidate->priority);
    if (candidate->protocol != ICE_OTHER_PROTOCOL)
        xml_set(node, "protocol", protocols[candidate->protocol]);
    xml_set(node, "type", candidate_types[candidate->type]);
    /* A rel-port of 0 is refused by some clients. */
    if (*candidate->rel_addr != '\0' && candidate->rel_port != 0) {
        xml_set(node, "rel-addr", candidate->rel_addr);
        xml_set_number(node, "rel-port", candidate->rel_port);
    }
}

static void write_fingerprint(const struct dtls_fingerprint *fingerprint, xml_node *transport)
{
    char text[FINGERPRINT_BYTES_MAX * 3 + 1] = "";

    for (size_t i = 0; i < fingerprint->size; i++)
        g_snprintf(text + 3 * i, 4, "%02X%s", fingerprint->bytes[i],
                   i + 1 < fingerprint->size ? ":" : "");
    xml_node *node = xml_add_text(transport, NS_DTLS, "fingerprint", text);
    xml_set(node, "hash", hashes[fingerprint->hash].name);
    if (fingerprint->setup != DTLS_SETUP_MISSING)
        xml_set(node, "setup", setups[fingerprint->setup]);
}

xml_node *ice_udp_write(const struct ice_udp_transport *transport, xml_node *content)
{
    xml_node *node = xml_add(content, transport->ice0 ? NS_ICE : NS_ICE_UDP, "transport");

    if (*transport->ufrag != '\0')
        xml_set(node, "ufrag", transport->ufrag);
    if (*transport->pwd != '\0')
        xml_set(node, "pwd", transport->pwd);
    if (transport->fingerprint.hash != FINGERPRINT_NONE)
        write_fingerprint(&transport->fingerprint, node);
    for (size_t i = 0; i < transport->candidate_count; i++)
        write_candidate(&transport->candidates[i], node);
    /* XEP-0176 does not have it, and Psi refuses what it does not know there. */
    if (transport->gathering_complete && transport->ice0)
        xml_add(node, NULL, "gathering-complete");
    return node;
}

const char *ice_candidate_type_name(enum ice_candidate_type type)
{
    return candidate_types[type];
}

const char *fingerprint_hash_name(enum fingerprint_hash hash)
{
    return hashes[hash].name;
}

const char *dtls_setup_name(enum dtls_setup setup)
{
    return setups[setup];
}
