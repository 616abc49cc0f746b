#include "signaling/carbons.h"

#include <string.h>

#include "signaling/jid.h"
#include "signaling/ns.h"

static bool read_inner(const xml_node *carbon, struct stanza *inner)
{
    const xml_node *forwarded = xml_child(carbon, NS_FORWARD, "forwarded");
    const xml_node *message = forwarded ? xml_child(forwarded, NS_CLIENT, "message") : NULL;
    return message && stanza_read(inner, message);
}

enum carbon_kind carbon_open(const struct stanza *message, const char *own_bare,
                             struct stanza *inner)
{
    if (message->kind != STANZA_MESSAGE)
        return CARBON_NONE;
    const xml_node *sent = xml_child(message->node, NS_CARBONS, "sent");
    const xml_node *carbon = sent ? sent : xml_child(message->node, NS_CARBONS, "received");
    if (!carbon)
        return CARBON_NONE;
    /* XEP-0280, 11: only our own bare JID may tell what we did. */
    bool ours = message->from && jid_equal(message->from, own_bare);
    if (!ours || !read_inner(carbon, inner))
        return CARBON_FORGED;
    return sent ? CARBON_SENT : CARBON_RECEIVED;
}
