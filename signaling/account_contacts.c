/* Contacts: the roster and its pushes, who is online, subscriptions (RFC 6121). */
#include "signaling/account_state.h"

#include <string.h>

#include "signaling/jid.h"
#include "signaling/ns.h"

struct reach {
    bool online, callable, video_callable;
};

static struct reach reach_of(const struct account *account, const char *jid)
{
    size_t count = 0;
    struct device **devices = presence_devices(account->presence, jid, &count);
    struct reach reach = {.online = count > 0};
    for (size_t i = 0; i < count; i++) {
        bool callable = (devices[i]->capabilities & CAN_CALL) == CAN_CALL;
        reach.callable = reach.callable || callable;
        reach.video_callable =
            reach.video_callable || (callable && (devices[i]->capabilities & CAN_VIDEO));
    }
    g_free(devices);
    return reach;
}

static jingle_contact describe(const struct account *account, const struct roster_item *item)
{
    jingle_contact contact = {
        .jid = item->jid,
        .name = item->name,
        .subscription = item->subscription,
        .asked = item->asked,
    };
    struct reach reach = reach_of(account, item->jid);
    contact.online = reach.online;
    contact.callable = reach.callable;
    contact.video_callable = reach.video_callable;
    return contact;
}

void account_contact_changed(struct account *account, const struct roster_item *item, bool removed)
{
    struct account_event event = {
        .type = ACCOUNT_EVENT_CONTACT,
        .u.contact = describe(account, item),
    };
    event.u.contact.removed = removed;
    account_tell(account, &event);
}

void account_tell_contact(struct account *account, const char *jid)
{
    const struct roster_item *item = roster_find(account->roster, jid);
    if (item)
        account_contact_changed(account, item, false);
}

jingle_contact *account_contacts(const struct account *account, size_t *count)
{
    const struct roster_item **items = roster_list(account->roster, count);
    jingle_contact *contacts = g_new0(jingle_contact, *count + 1);
    for (size_t i = 0; i < *count; i++) {
        contacts[i] = describe(account, items[i]);
        contacts[i].jid = g_strdup(items[i]->jid);
        contacts[i].name = g_strdup(items[i]->name);
    }
    g_free(items);
    return contacts;
}

void account_contacts_free(jingle_contact *contacts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_free((char *)contacts[i].jid);
        g_free((char *)contacts[i].name);
    }
    g_free(contacts);
}

/* ----------------------------------------------------------------------------------- names -- */

/* XEP-0172, 4.3: <event><items node='…nick'><item><nick/>, or <retract/>. */
static const xml_node *find_personal_nick(const xml_node *message)
{
    const xml_node *event = xml_child(message, NS_PUBSUB_EVENT, "event");
    const xml_node *items = event ? xml_child(event, NS_PUBSUB_EVENT, "items") : NULL;
    const char *node = items ? xml_attribute(items, "node") : NULL;
    return node && strcmp(node, NS_NICK) == 0 ? items : NULL;
}

void account_learn_nick(struct account *account, const struct stanza *stanza)
{
    if (!stanza->from || !roster_find(account->roster, stanza->from))
        return;
    const xml_node *items = find_personal_nick(stanza->node);
    const xml_node *item = items ? xml_child(items, NS_PUBSUB_EVENT, "item") : NULL;
    char *nick = items && !item ? NULL : display_name_nick(item ? item : stanza->node);
    if (nick || items)
        nicknames_set(account->nicknames, stanza->from, nick);
    g_free(nick);
}

char *account_display_name(const struct account *account, const char *jid)
{
    const char *nick = account->nick ? account->nick : nicknames_find(account->nicknames, jid);
    return display_name(account->roster, jid, nick);
}

/* -------------------------------------------------------------------------------- presence -- */

/* Strangers may direct presence at us; that is not to fill our memory. (A host that hands in no
 * roster does not let us tell who is one.) */
static bool is_of_interest(const struct account *account, const char *jid)
{
    bool anybody = account->external && roster_count(account->roster) == 0;
    return anybody || roster_find(account->roster, jid) || jid_equal_bare(jid, account->bare);
}

static void receive_availability(struct account *account, const struct stanza *presence, usec now)
{
    if (!presence->from || !is_of_interest(account, presence->from) ||
        jid_equal(presence->from, account->full_jid))
        return;
    struct reach before = reach_of(account, presence->from);
    struct device *device = presence_receive(account->presence, presence);
    if (device) {
        account_recall_device(account, device);
        account_ask_later(account, device);
        account_ask_next(account, now);
    }
    struct reach after = reach_of(account, presence->from);
    if (before.online != after.online || before.callable != after.callable ||
        before.video_callable != after.video_callable)
        account_tell_contact(account, presence->from);
    if (!device && strcmp(presence->type, "unavailable") == 0) {
        account_calls_device_gone(account, presence->from, now);
        account_files_device_gone(account, presence->from, now);
    }
    account_survey_changed(account, presence->from, now);
}

static void send_presence(struct account *account, const char *type, const char *to)
{
    account_send(account, stanza_presence(type, to));
}

static void receive_subscribe(struct account *account, const char *from)
{
    char *bare = jid_bare(from);
    char *key = jid_fold(bare);
    const struct roster_item *item = roster_find(account->roster, bare);
    bool granted = g_hash_table_remove(account->granted, key);
    if (granted || (item && (item->subscription == JINGLE_SUBSCRIPTION_FROM ||
                             item->subscription == JINGLE_SUBSCRIPTION_BOTH))) {
        send_presence(account, "subscribed", bare);
    } else {
        struct account_event event = {
            .type = ACCOUNT_EVENT_SUBSCRIPTION,
            .u.contact = {.jid = bare, .name = item ? item->name : ""},
        };
        account_tell(account, &event);
    }
    g_free(key);
    g_free(bare);
}

void account_receive_presence(struct account *account, const struct stanza *presence, usec now)
{
    bool is_subscription = strcmp(presence->type, "subscribe") == 0;
    if (strcmp(presence->type, "error") != 0)
        account_learn_nick(account, presence);
    if (!is_subscription)
        receive_availability(account, presence, now);
    else if (!account->external && presence->from && jid_is_valid(presence->from))
        receive_subscribe(account, presence->from);
}

void account_forget_presence(struct account *account)
{
    size_t count = 0;
    jingle_contact *before = account_contacts(account, &count);
    presence_clear(account->presence);
    g_queue_clear_full(&account->to_ask, g_free);
    for (size_t i = 0; i < count; i++)
        if (before[i].online)
            account_tell_contact(account, before[i].jid);
    account_contacts_free(before, count);
}

/* ---------------------------------------------------------------------------------- roster -- */

/* RFC 6121, 2.1.6: a push comes from nobody or from our bare JID (CVE-2017-5589 is what happens
 * otherwise). */
static bool is_from_account(const struct account *account, const char *from)
{
    return !from || jid_equal(from, account->bare);
}

/* A push, or (external) the result that the host asked for. */
void account_receive_roster(struct account *account, const struct stanza *iq, usec now)
{
    const xml_node *query = xml_child(iq->node, NS_ROSTER, "query");
    bool is_push = strcmp(iq->type, "set") == 0;
    (void)now;
    bool is_result = strcmp(iq->type, "result") == 0 && account->external;
    bool ours =
        is_from_account(account, iq->from) || (is_result && jid_equal(iq->from, account->full_jid));
    if (!ours) {
        log_warning(account->log, "%s sent a forged roster push: ignored", iq->from);
        if (is_push && !account->external)
            account_say_absent(account, iq);
        return;
    }
    if (is_result)
        roster_read(account->roster, query);
    if (!is_push)
        return;
    if (!account->external)
        account_send(account, stanza_result(iq));
    roster_push(account->roster, query);
}

static void send_item(struct account *account, const char *bare, const char *name,
                      const char *subscription, usec now)
{
    struct xml *iq = stanza_iq("set", NULL, NULL);
    xml_node *item = xml_add(xml_add(xml_root(iq), NS_ROSTER, "query"), NULL, "item");
    xml_set(item, "jid", bare);
    xml_set(item, "name", name && name[0] ? name : NULL);
    xml_set(item, "subscription", subscription);
    struct outbox_request request = {.to = NULL, .keep = true};
    outbox_send(account->outbox, iq, &request, now);
}

jingle_status account_contact_add(struct account *account, const char *jid, const char *name,
                                  usec now)
{
    if (!jid_is_valid(jid))
        return JINGLE_ERROR_JID;
    if (!account->online)
        return JINGLE_ERROR_OFFLINE;
    char *bare = jid_bare(jid);
    const struct roster_item *item = roster_find(account->roster, bare);
    bool they_see_us = item && (item->subscription == JINGLE_SUBSCRIPTION_FROM ||
                                item->subscription == JINGLE_SUBSCRIPTION_BOTH);
    send_item(account, bare, name ? name : item ? item->name : NULL, NULL, now);
    send_presence(account, "subscribe", bare);
    /* Now, if they have asked; and not all servers keep it for when they ask later. */
    send_presence(account, "subscribed", bare);
    if (!they_see_us)
        g_hash_table_add(account->granted, jid_fold(bare));
    g_free(bare);
    return JINGLE_OK;
}

jingle_status account_contact_remove(struct account *account, const char *jid, usec now)
{
    if (!jid_is_valid(jid))
        return JINGLE_ERROR_JID;
    if (!account->online)
        return JINGLE_ERROR_OFFLINE;
    char *bare = jid_bare(jid);
    char *key = jid_fold(bare);
    g_hash_table_remove(account->granted, key);
    if (roster_find(account->roster, bare))
        send_item(account, bare, NULL, "remove", now);
    else
        send_presence(account, "unsubscribed", bare);
    g_free(key);
    g_free(bare);
    return JINGLE_OK;
}
