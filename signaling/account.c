#include "signaling/account_state.h"

#include <stdlib.h>
#include <string.h>

#include "signaling/carbons.h"
#include "signaling/jid.h"
#include "signaling/ns.h"

/* What is announced in any case ... */
static const char *const jingle_features[] = {NS_JINGLE};

/* ... with calls, ... */
static const char *const call_features[] = {
    NS_RTP,  NS_RTP_AUDIO,      NS_ICE_UDP,      NS_DTLS,           NS_RTCP_FB,  NS_RTP_HDREXT,
    NS_SSMA, NS_FEATURE_BUNDLE, NS_FEATURE_SSMA, NS_JINGLE_MESSAGE, NS_RECEIPTS,
};

/* ... with files that are taken (account_files_enable()) ... */
static const char *const file_features[] = {
    NS_FILE_TRANSFER_5,       NS_S5B,
    NS_IBB_TRANSPORT,         NS_HASHES,
    NS_HASH_NAMES "sha-1",    NS_HASH_NAMES "sha-256",
    NS_HASH_NAMES "sha-512",  NS_HASH_NAMES "sha3-256",
    NS_HASH_NAMES "sha3-512", NS_HASH_NAMES "blake2b-512",
    NS_ENGINE_FILES,
};

/* ... and if the stream is not an application's, which does that itself. */
static const char *const own_features[] = {NS_DISCO_INFO, NS_CAPS, NS_PING, "jabber:iq:version",
                                           (NS_NICK "+notify")};

static void add_features(GPtrArray *all, const char *const *features, size_t count)
{
    for (size_t i = 0; i < count; i++)
        g_ptr_array_add(all, (char *)features[i]);
}

static const char **make_features(const struct account *account, bool files)
{
    GPtrArray *all = g_ptr_array_new();
    if (!account->external)
        add_features(all, own_features, G_N_ELEMENTS(own_features));
    add_features(all, jingle_features, G_N_ELEMENTS(jingle_features));
    if (!account->no_calls)
        add_features(all, call_features, G_N_ELEMENTS(call_features));
    if (account->video_abilities && !account->no_calls)
        g_ptr_array_add(all, (char *)NS_RTP_VIDEO);
    if (files)
        add_features(all, file_features, G_N_ELEMENTS(file_features));
    g_ptr_array_add(all, NULL);
    return (const char **)g_ptr_array_free(all, FALSE);
}

/* ----------------------------------------------------------------------- what others share -- */

void account_enter(struct account *account, usec now)
{
    account->depth++;
    account->now = now;
}

void account_leave(struct account *account)
{
    if (--account->depth > 0)
        return;
    while (!g_queue_is_empty(&account->ended))
        account_call_free(g_queue_pop_head(&account->ended));
    account_files_sweep(account);
}

void account_tell(struct account *account, const struct account_event *event)
{
    account->hooks.event(account->hooks.user, event);
}

static void send_node(void *user, const xml_node *stanza)
{
    struct account *account = user;
    if (!account->online)
        return;
    char *text = xml_to_string(stanza);
    account->hooks.send(account->hooks.user, text, strlen(text));
    free(text);
}

void account_send(struct account *account, struct xml *stanza)
{
    send_node(account, xml_root(stanza));
    xml_free(stanza);
}

void account_reply_error(struct account *account, const struct stanza *request,
                         const struct stanza_error *error)
{
    account_send(account, stanza_error_reply(request, error));
}

void account_say_absent(struct account *account, const struct stanza *request)
{
    struct stanza_error error =
        stanza_error_make(STANZA_SERVICE_UNAVAILABLE, JINGLE_CONDITION_NONE, "");
    account_reply_error(account, request, &error);
}

bool account_is_trusted(const struct account *account, const char *jid)
{
    return account->allow_strangers || roster_find(account->roster, jid) ||
           jid_equal_bare(jid, account->bare);
}

/* ---------------------------------------------------------------------------------- making -- */

static void on_roster_changed(void *user, const struct roster_item *item, bool removed)
{
    account_contact_changed(user, item, removed);
}

static const char *or_default(const char *text, const char *otherwise)
{
    return text && text[0] ? text : otherwise;
}

static struct rtp_description *copy_abilities(const struct rtp_description *abilities)
{
    if (!abilities)
        return NULL;
    struct rtp_description *copy = g_new0(struct rtp_description, 1);
    rtp_description_copy(copy, abilities);
    return copy;
}

static void free_abilities(struct rtp_description *abilities)
{
    if (abilities)
        rtp_description_clear(abilities);
    g_free(abilities);
}

struct account *account_new(const struct account_config *config, const struct account_hooks *hooks)
{
    if (!jid_is_valid(config->jid))
        return NULL;
    struct account *account = g_new0(struct account, 1);
    char token[9];
    random_token(config->random, token, sizeof token - 1);
    g_snprintf(account->id_prefix, sizeof account->id_prefix, "je-%s-", token);
    account->hooks = *hooks;
    account->random = config->random;
    account->log = config->log;
    account->external = config->external;
    account->allow_strangers = config->allow_strangers;
    account->ask_archive = config->ask_archive;
    account->no_calls = config->no_calls;
    account->allow_unencrypted = config->allow_unencrypted;
    account->ring_timeout = config->ring_timeout;
    account->abilities = copy_abilities(config->abilities);
    account->video_abilities = copy_abilities(config->video_abilities);
    account->bare = jid_bare(config->jid);
    account->domain = jid_domain(config->jid);
    account->software_name = g_strdup(or_default(config->software_name, "Jingle Engine"));
    account->software_version = g_strdup(or_default(config->software_version, ""));
    g_strdelimit(account->software_name, "<", ' '); /* it would spoil the hash: see disco_hash() */
    account->features = make_features(account, false);
    account->caps_hash = account_own_hash(account);
    account->outbox = outbox_new(account->id_prefix, send_node, account);
    account->answers = answers_new();
    account->roster = roster_new(on_roster_changed, account);
    account->presence = presence_new();
    account->caps = caps_new();
    account->nicknames = nicknames_new();
    if (!account->external)
        account_remember_self(account);
    account->granted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    account->login_limit = USEC_NEVER;
    account->services_renewal = USEC_NEVER;
    g_queue_init(&account->to_ask);
    account_calls_init(account);
    account_files_init(account);
    return account;
}

void account_announce_files(struct account *account)
{
    g_free(account->features);
    g_free(account->caps_hash);
    account->features = make_features(account, true);
    account->caps_hash = account_own_hash(account);
    if (!account->external)
        account_remember_self(account);
}

static void free_call(void *call)
{
    account_call_free(call);
}

void account_free(struct account *account)
{
    if (!account)
        return;
    g_queue_clear_full(&account->calls, free_call);
    g_queue_clear_full(&account->ended, free_call);
    account_files_free(account);
    initiation_free(account->initiation);
    posted_free(account->posted);
    outbox_free(account->outbox);
    answers_free(account->answers);
    roster_free(account->roster);
    presence_free(account->presence);
    caps_free(account->caps);
    nicknames_free(account->nicknames);
    g_hash_table_destroy(account->granted);
    g_queue_clear_full(&account->to_ask, g_free);
    external_services_clear(&account->services);
    free_abilities(account->abilities);
    free_abilities(account->video_abilities);
    g_free(account->archive_query);
    g_free(account->features);
    g_free(account->full_jid);
    g_free(account->bare);
    g_free(account->domain);
    g_free(account->software_name);
    g_free(account->software_version);
    g_free(account->caps_hash);
    g_free(account);
}

const char *account_id_prefix(const struct account *account)
{
    return account->id_prefix;
}

const char *const *account_features(const struct account *account)
{
    return (const char *const *)account->features;
}

const struct external_service *account_services(const struct account *account, size_t *count)
{
    *count = account->services.count;
    return account->services.items;
}

struct account_server account_server(const struct account *account)
{
    return account->server;
}

void account_caps_load(struct account *account, const char *text, size_t bytes)
{
    caps_load(account->caps, text, bytes);
}

char *account_caps_save(const struct account *account, size_t *bytes)
{
    return caps_save(account->caps, bytes);
}

/* ------------------------------------------------------------------------------ connection -- */

static void become_ready(struct account *account)
{
    struct account_event event = {.type = ACCOUNT_EVENT_READY};
    account->login_limit = USEC_NEVER;
    account_tell(account, &event);
}

void account_login_answered(struct account *account)
{
    if (account->login_limit == USEC_NEVER)
        return; /* services are asked for again and again */
    account->login_questions--;
    if (account->login_questions == 0)
        become_ready(account);
}

static void on_roster(void *user, unsigned tag, const struct stanza *answer,
                      const struct stanza_error *error, usec now)
{
    struct account *account = user;
    (void)tag;
    const xml_node *query = error ? NULL : xml_child(answer->node, NS_ROSTER, "query");
    if (query)
        roster_read(account->roster, query);
    account->roster_awaited = false;
    account_survey_changed(account, NULL, now);
    account_login_answered(account);
}

/* The roster first, so that whoever calls at once is known to be on it. */
static void log_in(struct account *account, usec now)
{
    struct xml *roster = stanza_iq("get", NULL, NULL);
    xml_add(xml_root(roster), NS_ROSTER, "query");
    struct outbox_request roster_request = {.answered = on_roster, .user = account};
    outbox_send(account->outbox, roster, &roster_request, now);
    account->roster_awaited = true;
    account->login_questions++;

    struct xml *carbons = stanza_iq("set", NULL, NULL);
    xml_add(xml_root(carbons), NS_CARBONS, "enable");
    struct outbox_request carbons_request = {.answered = NULL};
    outbox_send(account->outbox, carbons, &carbons_request, now);

    account_send(account, account_own_presence(account));
}

void account_online(struct account *account, const char *full_jid, bool resumed, usec now)
{
    account_enter(account, now);
    bool same = account->full_jid && strcmp(account->full_jid, full_jid) == 0;
    bool changed = account->full_jid && !same;
    if (!same) {
        g_free(account->full_jid);
        account->full_jid = g_strdup(full_jid);
        initiation_set_jid(account->initiation, full_jid);
    }
    account->online = true;
    if (!resumed) {
        account->online_since = now;
        account_forget_questions(account);
        account_forget_presence(account);
    }
    outbox_online(account->outbox, full_jid, now);
    account->login_questions = 0;
    account->login_limit = now + ACCOUNT_LOGIN_PATIENCE;
    account_archive_online(account, resumed, now);
    if (!resumed && !account->external)
        log_in(account, now);
    if (!resumed) {
        account_discover_server(account, now);
        account_ask_services(account, now);
        account->login_questions++;
    } else {
        account_ask_next(account, now);
        become_ready(account);
    }
    account_calls_online(account, changed, now);
    account_files_online(account, changed, now);
    account_leave(account);
}

void account_offline(struct account *account, usec now)
{
    account_enter(account, now);
    if (account->online)
        account_archive_offline(account);
    account->online = false;
    outbox_offline(account->outbox);
    account_files_offline(account);
    account_forget_questions(account);
    /* What expires meanwhile is asked for at the next login. */
    account->login_limit = USEC_NEVER;
    account->services_renewal = USEC_NEVER;
    account_leave(account);
}

bool account_is_online(const struct account *account)
{
    return account->online;
}

void account_goodbye(struct account *account, usec now)
{
    account_enter(account, now);
    if (!account->external)
        account_send(account, stanza_presence("unavailable", NULL));
    account_leave(account);
}

/* ------------------------------------------------------------------------------- receiving -- */

static void receive_iq(struct account *account, const struct stanza *iq, usec now)
{
    bool is_request = strcmp(iq->type, "get") == 0 || strcmp(iq->type, "set") == 0;
    const xml_node *jingle = is_request ? jingle_iq_find(iq) : NULL;
    const xml_node *inband = is_request ? ibb_stanza_find(iq->node) : NULL;
    if (!is_request && outbox_receive(account->outbox, iq, now))
        return;
    if (jingle)
        account_receive_jingle(account, iq, jingle, now);
    else if (inband)
        account_receive_inband(account, iq, inband, now);
    else if (xml_child(iq->node, NS_ROSTER, "query") && strcmp(iq->type, "get") != 0)
        account_receive_roster(account, iq, now);
    else if (is_request && !account->external)
        account_answer_query(account, iq, now);
}

static void receive_message(struct account *account, const struct stanza *message, usec now)
{
    struct stanza inner;
    if (account_receive_archived(account, message, now))
        return;
    switch (carbon_open(message, account->bare, &inner)) {
    case CARBON_NONE:
        account_receive_message(account, message, ORIGIN_DIRECT, now);
        account_receive_link(account, message);
        break;
    case CARBON_FORGED:
        log_warning(account->log, "%s sent a forged carbon: ignored",
                    message->from ? message->from : "the server");
        break;
    case CARBON_SENT:
        account_receive_message(account, &inner, ORIGIN_CARBON_SENT, now);
        break;
    case CARBON_RECEIVED:
        account_receive_message(account, &inner, ORIGIN_CARBON_RECEIVED, now);
        account_receive_link(account, &inner);
        break;
    }
}

void account_receive(struct account *account, const char *xml, size_t bytes, usec now)
{
    struct xml *parsed = xml_parse(xml, bytes);
    struct stanza stanza;
    if (!parsed || !stanza_read(&stanza, xml_root(parsed))) {
        log_warning(account->log, "not a stanza: %zu bytes dropped", bytes);
        xml_free(parsed);
        return;
    }
    account_enter(account, now);
    switch (stanza.kind) {
    case STANZA_IQ:
        receive_iq(account, &stanza, now);
        break;
    case STANZA_MESSAGE:
        receive_message(account, &stanza, now);
        break;
    case STANZA_PRESENCE:
        account_receive_presence(account, &stanza, now);
        break;
    }
    xml_free(parsed);
    account_leave(account);
}

/* ------------------------------------------------------------------------------------ time -- */

usec account_next_deadline(const struct account *account)
{
    usec next = outbox_next_deadline(account->outbox);
    next = MIN(next, account->services_renewal);
    next = MIN(next, account->login_limit);
    next = MIN(next, initiation_next_deadline(account->initiation));
    next = MIN(next, account_files_next_deadline(account));
    return MIN(next, account_calls_next_deadline(account));
}

void account_tick(struct account *account, usec now)
{
    account_enter(account, now);
    outbox_tick(account->outbox, now);
    if (account->online && now >= account->login_limit)
        become_ready(account);
    if (account->online && now >= account->services_renewal)
        account_ask_services(account, now);
    initiation_tick(account->initiation, now);
    account_calls_tick(account, now);
    account_files_tick(account, now);
    account_leave(account);
}
