#include "signaling/ibb_transport.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/ns.h"
#include "signaling/stanza.h"

static const struct {
    const char *name;
    enum ibb_stanza_kind kind;
} kinds[] = {{"open", IBB_OPEN}, {"data", IBB_DATA}, {"close", IBB_CLOSE}};

/* ----------------------------------------------------------------------- common attributes -- */

/* A sid that is cut would be another: one that is too long is none. */
static void read_sid(char out[IBB_SID_SIZE], const xml_node *node)
{
    const char *sid = xml_attribute(node, "sid");

    out[0] = '\0';
    if (sid != NULL && strnlen(sid, IBB_SID_SIZE) < IBB_SID_SIZE)
        g_strlcpy(out, sid, IBB_SID_SIZE);
}

static uint32_t read_block_size(const xml_node *node)
{
    uint64_t size = 0;

    return xml_attribute_number(node, "block-size", IBB_BYTES_MAX, &size) ? (uint32_t)size : 0;
}

static bool read_messages(const xml_node *node)
{
    const char *stanza = xml_attribute(node, "stanza");

    return stanza != NULL && strcmp(stanza, "message") == 0;
}

static void write_parameters(const struct ibb_transport *transport, xml_node *node)
{
    if (transport->block_size != 0)
        xml_set_number(node, "block-size", transport->block_size);
    if (*transport->sid != '\0')
        xml_set(node, "sid", transport->sid);
    if (transport->messages)
        xml_set(node, "stanza", "message");
}

/* "iq" is the default, which <open/> says all the same: XEP-0261, 2.1. */
static void write_open(const struct ibb_transport *transport, xml_node *open)
{
    write_parameters(transport, open);
    if (!transport->messages)
        xml_set(open, "stanza", "iq");
}

/* ----------------------------------------------------------------------------- transport -- */

void ibb_transport_read(struct ibb_transport *transport, const xml_node *node)
{
    memset(transport, 0, sizeof(*transport));
    read_sid(transport->sid, node);
    transport->block_size = read_block_size(node);
    transport->messages = read_messages(node);
}

void ibb_transport_write(const struct ibb_transport *transport, xml_node *content)
{
    write_parameters(transport, xml_add(content, NS_IBB_TRANSPORT, "transport"));
}

/* ------------------------------------------------------------------------- reading stanzas -- */

const xml_node *ibb_stanza_find(const xml_node *iq)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const xml_node *found = xml_child(iq, NS_IBB, kinds[i].name);
        if (found != NULL)
            return found;
    }
    return NULL;
}

/* RFC 4648, 4: whole groups, padding only at the end. */
static bool is_base64(const char *text, size_t length)
{
    size_t body = length;

    if (length % 4 != 0)
        return false;
    while (body > 0 && length - body < 2 && text[body - 1] == '=')
        body--;
    for (size_t i = 0; i < body; i++) {
        if (!g_ascii_isalnum(text[i]) && text[i] != '+' && text[i] != '/')
            return false;
    }
    return true;
}

/* g_base64_decode() passes over white space, and also over what is no base64. */
static size_t remove_spaces(char *text)
{
    size_t length = 0;

    for (const char *at = text; *at != '\0'; at++) {
        if (!g_ascii_isspace(*at))
            text[length++] = *at;
    }
    text[length] = '\0';
    return length;
}

static bool read_data(struct ibb_stanza *stanza, const xml_node *element, const char **why)
{
    uint64_t seq = 0;

    *why = "a block without a number";
    if (!xml_attribute_number(element, "seq", UINT32_MAX, &seq))
        return false;
    stanza->seq = (uint32_t)seq;
    char *text = xml_text(element);
    size_t length = remove_spaces(text);
    *why = "a block that is no base64";
    bool good = is_base64(text, length);
    if (good && length > 0)
        stanza->bytes = g_base64_decode_inplace(text, &stanza->size);
    else
        g_free(text);
    if (good && stanza->size > IBB_BYTES_MAX) {
        *why = "a block of more than 65535 bytes";
        good = false;
    }
    return good;
}

static bool read_open(struct ibb_stanza *stanza, const xml_node *element, const char **why)
{
    stanza->block_size = read_block_size(element);
    stanza->messages = read_messages(element);
    *why = "a stream without a block size";
    return stanza->block_size != 0;
}

bool ibb_stanza_read(struct ibb_stanza *stanza, const xml_node *element, const char **why)
{
    bool good = true;

    memset(stanza, 0, sizeof(*stanza));
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(xml_name(element), kinds[i].name) == 0)
            stanza->kind = kinds[i].kind;
    }
    read_sid(stanza->sid, element);
    *why = "a stream without a sid";
    if (*stanza->sid == '\0')
        return false;
    if (stanza->kind == IBB_OPEN)
        good = read_open(stanza, element, why);
    if (stanza->kind == IBB_DATA)
        good = read_data(stanza, element, why);
    if (!good)
        ibb_stanza_clear(stanza);
    return good;
}

void ibb_stanza_clear(struct ibb_stanza *stanza)
{
    g_free(stanza->bytes);
    memset(stanza, 0, sizeof(*stanza));
}

/* ------------------------------------------------------------------------- making stanzas -- */

struct xml *ibb_open_iq(const char *to, const struct ibb_transport *transport)
{
    struct xml *iq = stanza_iq("set", to, NULL);

    write_open(transport, xml_add(xml_root(iq), NS_IBB, "open"));
    return iq;
}

struct xml *ibb_data_iq(const char *to, const char *sid, uint16_t seq, const uint8_t *bytes,
                        size_t size)
{
    struct xml *iq = stanza_iq("set", to, NULL);
    char *text = g_base64_encode(bytes, size);
    xml_node *data = xml_add_text(xml_root(iq), NS_IBB, "data", text);

    xml_set_number(data, "seq", seq);
    xml_set(data, "sid", sid);
    g_free(text);
    return iq;
}

struct xml *ibb_close_iq(const char *to, const char *sid)
{
    struct xml *iq = stanza_iq("set", to, NULL);

    xml_set(xml_add(xml_root(iq), NS_IBB, "close"), "sid", sid);
    return iq;
}
