/* What others can do: our server (disco#info, XEP-0215) and the devices of contacts (XEP-0115). */
#include "signaling/account_state.h"

#include <string.h>

#include "signaling/jid.h"
#include "signaling/ns.h"

#define SERVICES_RETRY (60 * USEC_PER_SEC)
/* Those who do not answer are not to hold up the questions to others for long. */
#define DEVICE_ANSWER_LIMIT (20 * USEC_PER_SEC)

static struct xml *info_query(const char *to, const char *node)
{
    struct xml *iq = stanza_iq("get", to, NULL);
    xml_node *query = xml_add(xml_root(iq), NS_DISCO_INFO, "query");
    xml_set(query, "node", node);
    return iq;
}

/* ---------------------------------------------------------------------------------- server -- */

static unsigned answered_capabilities(const struct stanza *answer, const struct stanza_error *error)
{
    const xml_node *query = error ? NULL : xml_child(answer->node, NS_DISCO_INFO, "query");
    return query ? disco_capabilities(query) : 0;
}

static void on_server_info(void *user, unsigned tag, const struct stanza *answer,
                           const struct stanza_error *error, usec now)
{
    struct account *account = user;
    (void)tag;
    (void)now;
    unsigned capabilities = answered_capabilities(answer, error);
    account->server.known = true;
    account->server.carbons = capabilities & CAN_CARBONS;
    account->server.external_services = capabilities & CAN_EXTERNAL_SERVICES;
    account_login_answered(account);
}

static void on_account_info(void *user, unsigned tag, const struct stanza *answer,
                            const struct stanza_error *error, usec now)
{
    struct account *account = user;
    (void)tag;
    account->server.message_archive = answered_capabilities(answer, error) & CAN_ARCHIVE;
    account_read_archive(account, now);
    account_login_answered(account);
}

void account_discover_server(struct account *account, usec now)
{
    struct outbox_request server = {
        .to = account->domain, .answered = on_server_info, .user = account};
    struct outbox_request self = {
        .to = account->bare, .answered = on_account_info, .user = account};
    outbox_send(account->outbox, info_query(account->bare, NULL), &self, now);
    outbox_send(account->outbox, info_query(account->domain, NULL), &server, now);
    account->login_questions += 2;
}

/* ---------------------------------------------------------------------- external services -- */

static void services_changed(struct account *account, usec now)
{
    account->services_renewal = external_services_renewal(&account->services, now);
    account->server.service_count = account->services.count;
    struct account_event event = {
        .type = ACCOUNT_EVENT_SERVICES,
        .u.services = {account->services.items, account->services.count},
    };
    account_tell(account, &event);
}

static void on_credentials(void *user, unsigned tag, const struct stanza *answer,
                           const struct stanza_error *error, usec now)
{
    struct account *account = user;
    (void)tag;
    const xml_node *element = error ? NULL : xml_child(answer->node, NS_EXTDISCO, "credentials");
    if (!element)
        return;
    external_services_read_credentials(&account->services, element, now,
                                       account->hooks.wall(account->hooks.user));
    services_changed(account, now);
}

/* XEP-0215, 3.3: some are told without their credentials. */
static void ask_credentials(struct account *account, usec now)
{
    for (size_t i = 0; i < account->services.count; i++) {
        const struct external_service *service = &account->services.items[i];
        if (!service->restricted)
            continue;
        struct xml *iq = stanza_iq("get", account->domain, NULL);
        xml_node *element = xml_add(xml_root(iq), NS_EXTDISCO, "credentials");
        xml_node *node = xml_add(element, NULL, "service");
        xml_set(node, "host", service->host);
        xml_set(node, "type", external_service_type_name(service->type));
        xml_set_number(node, "port", service->port);
        struct outbox_request request = {
            .to = account->domain, .answered = on_credentials, .user = account};
        outbox_send(account->outbox, iq, &request, now);
    }
}

void account_receive_services(struct account *account, const xml_node *services, usec now)
{
    external_services_read(&account->services, services, now,
                           account->hooks.wall(account->hooks.user));
    ask_credentials(account, now);
    services_changed(account, now);
}

static void on_services(void *user, unsigned tag, const struct stanza *answer,
                        const struct stanza_error *error, usec now)
{
    struct account *account = user;
    (void)tag;
    const xml_node *services = error ? NULL : xml_child(answer->node, NS_EXTDISCO, "services");
    if (services)
        account_receive_services(account, services, now);
    else if (account->services.count > 0)
        account->services_renewal = now + SERVICES_RETRY; /* what we have will expire */
    account_login_answered(account);
}

void account_ask_services(struct account *account, usec now)
{
    struct xml *iq = stanza_iq("get", account->domain, NULL);
    xml_add(xml_root(iq), NS_EXTDISCO, "services");
    struct outbox_request request = {
        .to = account->domain, .answered = on_services, .user = account};
    account->services_renewal = USEC_NEVER;
    outbox_send(account->outbox, iq, &request, now);
}

/* --------------------------------------------------------------------------------- devices -- */

static void tell_caps_changed(struct account *account)
{
    struct account_event event = {.type = ACCOUNT_EVENT_CAPS_CHANGED};
    account_tell(account, &event);
}

void account_remember_initiation(struct account *account, const char *bare)
{
    if (caps_remember_initiation(account->caps, bare))
        tell_caps_changed(account);
}

static void device_is_known(struct account *account, struct device *device)
{
    const unsigned needed = CAN_CALL | CAN_MESSAGE_INITIATION;
    if ((device->capabilities & needed) != needed)
        return; /* ringing it would lead nowhere */
    char *bare = jid_bare(device->jid);
    account_remember_initiation(account, bare);
    g_free(bare);
}

void account_recall_device(struct account *account, struct device *device)
{
    if (device->knowledge == DEVICE_KNOWN || !device->caps_hash[0] ||
        !caps_find(account->caps, device->caps_hash, &device->capabilities))
        return;
    device->knowledge = DEVICE_KNOWN;
    device_is_known(account, device);
}

/* All contacts with a device that wears this hash. */
static void tell_wearers(struct account *account, const char *hash, usec now)
{
    size_t count = 0;
    const struct roster_item **items = roster_list(account->roster, &count);
    GPtrArray *wearers = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < count; i++) {
        size_t device_count = 0;
        struct device **devices = presence_devices(account->presence, items[i]->jid, &device_count);
        for (size_t j = 0; j < device_count; j++) {
            if (strcmp(devices[j]->caps_hash, hash) != 0)
                continue;
            device_is_known(account, devices[j]);
            g_ptr_array_add(wearers, g_strdup(items[i]->jid));
            break;
        }
        g_free(devices);
    }
    g_free(items);
    for (guint i = 0; i < wearers->len; i++) {
        account_tell_contact(account, wearers->pdata[i]);
        account_survey_changed(account, wearers->pdata[i], now);
    }
    g_ptr_array_free(wearers, TRUE);
}

/* A hash is only believed of others if it is that of what we were told (XEP-0115, 5.4). */
static void learn(struct account *account, struct device *device, const xml_node *query, usec now)
{
    char *jid = g_strdup(device->jid);
    char *worn = g_strdup(device->caps_hash);
    char *hash = disco_hash(query);
    device->capabilities = disco_capabilities(query);
    device->knowledge = DEVICE_KNOWN;
    device_is_known(account, device);
    if (hash && worn[0] && strcmp(hash, worn) == 0) {
        unsigned capabilities = device->capabilities;
        presence_learn(account->presence, hash, capabilities);
        if (caps_remember(account->caps, hash, capabilities))
            tell_caps_changed(account);
        tell_wearers(account, hash, now);
    } else {
        log_info(account->log, "%s: the capabilities hash does not fit and is not remembered", jid);
        account_tell_contact(account, jid);
    }
    account_survey_changed(account, jid, now);
    g_free(hash);
    g_free(worn);
    g_free(jid);
}

static void on_device_info(void *user, unsigned tag, const struct stanza *answer,
                           const struct stanza_error *error, usec now)
{
    struct account *account = user;
    (void)tag;
    account->asking--;
    struct device *device =
        answer && answer->from ? presence_find(account->presence, answer->from) : NULL;
    const xml_node *query =
        answer && !error ? xml_child(answer->node, NS_DISCO_INFO, "query") : NULL;
    if (device && query) {
        learn(account, device, query, now);
    } else if (device) {
        device->knowledge = DEVICE_SILENT;
        account_survey_changed(account, answer->from, now);
    }
    account_ask_next(account, now);
}

void account_ask_device(struct account *account, struct device *device, usec now)
{
    if (device->knowledge != DEVICE_UNKNOWN || !account->online)
        return;
    device->knowledge = DEVICE_ASKED;
    char *node = device->caps_hash[0] && device->caps_node[0]
                     ? g_strdup_printf("%s#%s", device->caps_node, device->caps_hash)
                     : NULL;
    struct outbox_request request = {.to = device->jid,
                                     .answered = on_device_info,
                                     .user = account,
                                     .limit = DEVICE_ANSWER_LIMIT};
    account->asking++;
    outbox_send(account->outbox, info_query(device->jid, node), &request, now);
    g_free(node);
}

void account_ask_later(struct account *account, const struct device *device)
{
    if (device->knowledge == DEVICE_UNKNOWN && device->caps_hash[0] &&
        g_queue_get_length(&account->to_ask) < ACCOUNT_ASKS_WAITING)
        g_queue_push_tail(&account->to_ask, g_strdup(device->jid));
}

static void ask_again(void *user, struct device *device)
{
    device->knowledge = DEVICE_UNKNOWN;
    account_ask_later(user, device);
}

void account_forget_questions(struct account *account)
{
    account->asking = 0;
    presence_for_each_asked(account->presence, ask_again, account);
}

void account_ask_next(struct account *account, usec now)
{
    while (account->online && account->asking < ACCOUNT_ASKS_AT_ONCE &&
           !g_queue_is_empty(&account->to_ask)) {
        char *jid = g_queue_pop_head(&account->to_ask);
        struct device *device = presence_find(account->presence, jid);
        /* Another device with the same hash may have answered meanwhile. */
        if (device)
            account_recall_device(account, device);
        if (device)
            account_ask_device(account, device, now);
        g_free(jid);
    }
}
