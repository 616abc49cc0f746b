/* Transport elements of a hostile peer, separated by zero bytes: read, written back, and handed to
 * an ICE agent, credentials and candidates in the order in which they come. */
#include "signaling/xml.h"
#include "transport/ice.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_candidate(void *user, const struct ice_candidate *candidate)
{
    (void)user;
    (void)candidate;
}

static void on_event(void *user)
{
    (void)user;
}

static void on_receive(void *user, uint8_t *datagram, size_t bytes)
{
    (void)user;
    (void)datagram;
    (void)bytes;
}

static struct ice *new_agent(void)
{
    static GMainContext *context;
    static struct poller *poller;
    if (!poller) {
        context = g_main_context_new_with_flags(G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING);
        poller = poller_new(context);
    }
    struct ice_config config = {
        .poller = poller,
        .controlling = true,
        .hooks = {NULL, on_candidate, on_event, on_event, on_event, on_receive},
    };
    jingle_status status;
    struct ice *ice = ice_new(&config, &status);
    if (!ice)
        abort();
    return ice;
}

/* What was read must be written in a form that is read again. */
static void write_back(const struct ice_udp_transport *transport)
{
    struct xml *xml = xml_new("urn:xmpp:jingle:1", "content");
    xml_node *node = ice_udp_write(transport, xml_root(xml));
    struct ice_udp_transport again;
    const char *why = NULL;
    if (!ice_udp_read(&again, node, &why) || again.candidate_count != transport->candidate_count)
        abort();
    ice_udp_clear(&again);
    xml_free(xml);
}

static void take(struct ice *ice, const char *text, size_t bytes)
{
    struct xml *xml = xml_parse(text, bytes);
    if (!xml)
        return;
    struct ice_udp_transport transport;
    const char *why = NULL;
    if (ice_udp_is(xml_root(xml)) && ice_udp_read(&transport, xml_root(xml), &why)) {
        if (transport.ufrag[0] && transport.pwd[0])
            ice_set_remote(ice, transport.ufrag, transport.pwd);
        for (size_t i = 0; i < transport.candidate_count; i++)
            ice_add_candidate(ice, &transport.candidates[i]);
        write_back(&transport);
        ice_udp_clear(&transport);
    }
    xml_free(xml);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ice *ice = new_agent();
    const char *at = (const char *)data;
    const char *end = at + size;
    while (at < end) {
        const char *zero = memchr(at, 0, (size_t)(end - at));
        const char *stop = zero ? zero : end;
        take(ice, at, (size_t)(stop - at));
        at = stop + 1;
    }
    ice_free(ice);
    return 0;
}
