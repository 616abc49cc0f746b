/* Questions to us: what we can do (XEP-0030, 0115), whether we live (0199), what we are (0092). */
#include "signaling/account_state.h"

#include <string.h>

#include "signaling/jid.h"
#include "signaling/ns.h"

#define NS_VERSION "jabber:iq:version"
#define CAPS_NODE  "urn:x-jingle-engine"

static struct disco_self own_self(const struct account *account)
{
    return (struct disco_self){.name = account->software_name,
                               .features = (const char *const *)account->features};
}

char *account_own_hash(const struct account *account)
{
    struct xml *query = xml_new(NS_DISCO_INFO, "query");
    struct disco_self self = own_self(account);
    disco_write(&self, xml_root(query));
    char *hash = disco_hash(xml_root(query));
    xml_free(query);
    return hash;
}

/* Those who run the same software need not be asked what it can do. */
void account_remember_self(struct account *account)
{
    struct xml *query = xml_new(NS_DISCO_INFO, "query");
    struct disco_self self = own_self(account);
    disco_write(&self, xml_root(query));
    caps_remember(account->caps, account->caps_hash, disco_capabilities(xml_root(query)));
    xml_free(query);
}

struct xml *account_own_presence(const struct account *account)
{
    struct xml *presence = stanza_presence(NULL, NULL);
    xml_node *c = xml_add(xml_root(presence), NS_CAPS, "c");
    xml_set(c, "hash", "sha-1");
    xml_set(c, "node", CAPS_NODE);
    xml_set(c, "ver", account->caps_hash);
    return presence;
}

static bool is_our_node(const struct account *account, const char *node)
{
    if (!node || !node[0])
        return true;
    char *ours = g_strdup_printf("%s#%s", CAPS_NODE, account->caps_hash);
    bool same = strcmp(node, ours) == 0;
    g_free(ours);
    return same;
}

static void answer_info(struct account *account, const struct stanza *iq, const xml_node *query)
{
    const char *node = xml_attribute(query, "node");
    if (!is_our_node(account, node)) {
        struct stanza_error error =
            stanza_error_make(STANZA_ITEM_NOT_FOUND, JINGLE_CONDITION_NONE, "");
        account_reply_error(account, iq, &error);
        return;
    }
    struct xml *result = stanza_result(iq);
    xml_node *answer = xml_add(xml_root(result), NS_DISCO_INFO, "query");
    xml_set(answer, "node", node);
    struct disco_self self = own_self(account);
    disco_write(&self, answer);
    account_send(account, result);
}

static void answer_version(struct account *account, const struct stanza *iq)
{
    struct xml *result = stanza_result(iq);
    xml_node *query = xml_add(xml_root(result), NS_VERSION, "query");
    xml_add_text(query, NULL, "name", account->software_name);
    xml_add_text(query, NULL, "version", account->software_version);
    account_send(account, result);
}

static bool is_from_server(const struct account *account, const char *from)
{
    return !from || jid_equal(from, account->domain) || jid_equal(from, account->bare);
}

/* False: it is nothing that we know. */
static bool answer_known_query(struct account *account, const struct stanza *iq, usec now)
{
    bool is_get = strcmp(iq->type, "get") == 0;
    const xml_node *info = xml_child(iq->node, NS_DISCO_INFO, "query");
    const xml_node *services = xml_child(iq->node, NS_EXTDISCO, "services");
    if (is_get && info) {
        answer_info(account, iq, info);
    } else if (is_get && xml_child(iq->node, NS_PING, "ping")) {
        account_send(account, stanza_result(iq));
    } else if (is_get && xml_child(iq->node, NS_VERSION, "query")) {
        answer_version(account, iq);
    } else if (!is_get && services && is_from_server(account, iq->from)) {
        account_send(account, stanza_result(iq));
        /* A push may tell only what changed (XEP-0215, 3.4): ask for the whole. */
        account_ask_services(account, now);
    } else {
        return false;
    }
    return true;
}

void account_answer_query(struct account *account, const struct stanza *iq, usec now)
{
    bool may_ask = is_from_server(account, iq->from) || !account_hides_from(account, iq->from);
    if (!may_ask || !answer_known_query(account, iq, now))
        account_say_absent(account, iq);
}
