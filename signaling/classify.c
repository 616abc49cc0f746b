#include "signaling/classify.h"

#include <string.h>

#include "signaling/ibb_transport.h"
#include "signaling/initiation.h"
#include "signaling/ns.h"
#include "signaling/oob.h"
#include "signaling/stanza.h"

static bool has_prefix(const char *id, const char *prefix)
{
    return id && strncmp(id, prefix, strlen(prefix)) == 0;
}

static enum stanza_class classify_iq(const struct stanza *iq, const char *prefix)
{
    bool is_request = strcmp(iq->type, "set") == 0 || strcmp(iq->type, "get") == 0;
    if (!is_request && has_prefix(iq->id, prefix))
        return STANZA_OURS;
    if (is_request && (xml_child(iq->node, NS_JINGLE, "jingle") || ibb_stanza_find(iq->node)))
        return STANZA_OURS;
    if (xml_child(iq->node, NS_ROSTER, "query"))
        return STANZA_SHARED;
    return STANZA_OTHER;
}

/* Initiation (XEP-0353), receipts and bounces of our own messages, and links to files. */
static enum stanza_class classify_message(const xml_node *message, const char *prefix)
{
    const char *type = xml_attribute(message, "type");
    if (type && strcmp(type, "error") == 0)
        return has_prefix(xml_attribute(message, "id"), prefix) ? STANZA_OURS : STANZA_OTHER;
    const xml_node *received = xml_child(message, NS_RECEIPTS, "received");
    if (!initiation_element(message) &&
        !(received && has_prefix(xml_attribute(received, "id"), prefix)))
        return oob_is_in(message) ? STANZA_SHARED : STANZA_OTHER;
    /* What people are to read is the host's to show. */
    return xml_child(message, NS_CLIENT, "body") ? STANZA_SHARED : STANZA_OURS;
}

/* A host that reads its archive wants to see all of it; what is ours comes with our id. */
static enum stanza_class classify_archived(const xml_node *result, const char *prefix)
{
    const xml_node *forwarded = xml_child(result, NS_FORWARD, "forwarded");
    const xml_node *inner = forwarded ? xml_child(forwarded, NS_CLIENT, "message") : NULL;
    if (has_prefix(xml_attribute(result, "queryid"), prefix))
        return STANZA_OURS;
    return inner && initiation_element(inner) ? STANZA_SHARED : STANZA_OTHER;
}

/* The message inside of a carbon, or the message itself. */
static const xml_node *innermost(const xml_node *message)
{
    const xml_node *carbon = xml_child(message, NS_CARBONS, "sent");
    if (!carbon)
        carbon = xml_child(message, NS_CARBONS, "received");
    const xml_node *forwarded = carbon ? xml_child(carbon, NS_FORWARD, "forwarded") : NULL;
    const xml_node *inner = forwarded ? xml_child(forwarded, NS_CLIENT, "message") : NULL;
    return inner ? inner : message;
}

enum stanza_class stanza_classify(const char *xml, size_t bytes, const char *id_prefix)
{
    struct xml *parsed = xml_parse(xml, bytes);
    struct stanza stanza;
    enum stanza_class class = STANZA_MALFORMED;
    if (!parsed)
        return class;
    if (!stanza_read(&stanza, xml_root(parsed)))
        class = STANZA_OTHER;
    else if (stanza.kind == STANZA_PRESENCE)
        class = STANZA_SHARED;
    else if (stanza.kind == STANZA_IQ)
        class = classify_iq(&stanza, id_prefix);
    else if (xml_child(stanza.node, NS_ARCHIVE, "result"))
        class = classify_archived(xml_child(stanza.node, NS_ARCHIVE, "result"), id_prefix);
    else
        class = classify_message(innermost(stanza.node), id_prefix);
    xml_free(parsed);
    return class;
}
