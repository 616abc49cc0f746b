/* The account: its threads, its connection, its contacts. See client.h for the picture. */
#include "client.h"

#include "base/random.h"
#include "call_video.h"
#include "call_voice.h"
#include "client_files.h"
#include "events.h"
#include "ice_server.h"
#include "media_threads.h"
#include "network_watch.h"
#include "signaling/classify.h"
#include "signaling/jid.h"
#include "signaling/strophe.h"
#include "transport/certificate.h"

#include <string.h>

/* What others can do comes in bursts at login: write the cache once. */
#define CACHE_DELAY (2 * USEC_PER_SEC)

#define RING_TIMEOUT_DEFAULT (60 * USEC_PER_SEC)

void jingle_client_config_init(jingle_client_config *config)
{
    if (!config) {
        return;
    }
    *config = (jingle_client_config){
        .size = sizeof *config,
        .ring_timeout = RING_TIMEOUT_DEFAULT,
        .log_level = JINGLE_LOG_WARNING,
    };
}

/* ------------------------------------------------------------------ the account's surroundings */

void client_schedule(struct jingle_client *client)
{
    usec deadline = account_next_deadline(client->account);
    deadline = MIN(deadline, client_calls_deadline(client));
    timer_set(client->timer, MIN(deadline, client->cache_deadline));
}

struct cache_file {
    const struct logger *log;
    char *path;
    char *text;
    size_t bytes;
};

/* On the closer's thread, which may wait. */
static void save_cache_file(void *arg)
{
    struct cache_file *file = arg;
    GError *error = NULL;
    if (!g_file_set_contents_full(file->path, file->text, (gssize)file->bytes,
                                  G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error)) {
        log_warning(file->log, "The cache file cannot be written: %s", error->message);
        g_error_free(error);
    }
    g_free(file->path);
    g_free(file->text);
    g_free(file);
}

typedef char *(*cache_text_fn)(const struct account *account, size_t *bytes);

static void save_cache_as(struct jingle_client *client, const char *path, cache_text_fn text)
{
    if (!path) {
        return;
    }
    struct cache_file *file = g_new0(struct cache_file, 1);
    file->log = &client->log;
    file->path = g_strdup(path);
    file->text = text(client->account, &file->bytes);
    loop_post(client->closer, save_cache_file, save_cache_file, file);
}

static void save_cache(struct jingle_client *client)
{
    client->cache_deadline = USEC_NEVER;
    save_cache_as(client, client->cache_path, account_caps_save);
    save_cache_as(client, client->calls_path, account_history_save);
}

static void save_cache_soon(struct jingle_client *client, const char *path)
{
    if (path && client->cache_deadline == USEC_NEVER) {
        client->cache_deadline = clock_now() + CACHE_DELAY;
    }
}

static void load_cache(struct jingle_client *client)
{
    char *text;
    gsize bytes;
    if (client->cache_path && g_file_get_contents(client->cache_path, &text, &bytes, NULL)) {
        account_caps_load(client->account, text, bytes);
        g_free(text);
    }
    if (client->calls_path && g_file_get_contents(client->calls_path, &text, &bytes, NULL)) {
        account_history_load(client->account, text, bytes, clock_now());
        g_free(text);
    }
}

static void on_timer(void *user)
{
    struct jingle_client *client = user;
    usec now = clock_now();
    account_tick(client->account, now);
    client_calls_tick(client, now);
    if (now >= client->cache_deadline) {
        save_cache(client);
    }
    client_schedule(client);
}

static void forget_servers(struct jingle_client *client)
{
    for (size_t i = 0; i < client->server_count; i++) {
        ice_server_clear(&client->servers[i]);
    }
    client->server_count = 0;
}

static void use_own_servers(struct jingle_client *client)
{
    forget_servers(client);
    for (size_t i = 0; i < client->own_server_count; i++) {
        ice_server_copy(&client->servers[client->server_count++], &client->own_servers[i]);
    }
}

static void use_services(struct jingle_client *client, const struct external_service *services,
                         size_t count)
{
    use_own_servers(client);
    for (size_t i = 0; i < count && client->server_count < ICE_MAX_SERVERS; i++) {
        if (ice_server_from_service(&services[i], &client->servers[client->server_count])) {
            client->server_count++;
        }
    }
}

static void on_account_send(void *user, const char *xml, size_t bytes)
{
    struct jingle_client *client = user;
    if (client->silent) {
        return; /* what still comes in is answered into the void: the connection may be gone */
    }
    if (client->features.external) {
        jingle_event event = {.type = JINGLE_EVENT_STANZA, .u.stanza = {xml, bytes}};
        events_push(client->events, &event);
    } else {
        client->connection.send(client->connection.user, xml, bytes);
    }
}

static void on_account_event(void *user, const struct account_event *event)
{
    struct jingle_client *client = user;
    jingle_event out = {.text = ""};
    switch (event->type) {
    case ACCOUNT_EVENT_READY: /* now roster and relays are known, so calls may be started */
        atomic_store(&client->online, true);
        save_cache_as(client, client->calls_path, account_history_save);
        out.type = JINGLE_EVENT_ONLINE;
        out.text = "Logged in.";
        events_push(client->events, &out);
        break;
    case ACCOUNT_EVENT_SERVICES:
        use_services(client, event->u.services.services, event->u.services.count);
        break;
    case ACCOUNT_EVENT_CONTACT:
        out.type = JINGLE_EVENT_CONTACT;
        out.u.contact = event->u.contact;
        events_push(client->events, &out);
        break;
    case ACCOUNT_EVENT_SUBSCRIPTION:
        out.type = JINGLE_EVENT_SUBSCRIPTION;
        out.text = "Somebody asks to be your contact, so that you can call each other.";
        out.u.contact = event->u.contact;
        events_push(client->events, &out);
        break;
    case ACCOUNT_EVENT_CAPS_CHANGED:
        save_cache_soon(client, client->cache_path);
        break;
    case ACCOUNT_EVENT_MISSED:
    case ACCOUNT_EVENT_ENDED:
        save_cache_soon(client, client->calls_path);
        client_calls_event(client, event);
        break;
    case ACCOUNT_EVENT_LINK:
        client_files_link(client, event);
        break;
    default:
        client_calls_event(client, event);
        break;
    }
}

static usec on_account_wall(void *user)
{
    (void)user;
    return clock_wall();
}

/* --------------------------------------------------------------------------- the connection -- */

enum news_kind {
    NEWS_ONLINE,
    NEWS_OFFLINE,
    NEWS_STANZA,
};

/* From the connection's thread, or the application's, to the I/O thread. */
struct news {
    struct jingle_client *client;
    enum news_kind kind;
    bool flag; /* resumed, or will retry */
    jingle_status status;
    usec retry_in;
    size_t bytes;
    char text[]; /* full JID, sentence or stanza */
};

static void take_online(struct jingle_client *client, const struct news *news)
{
    pthread_mutex_lock(&client->lock);
    client->full_jid = g_string_chunk_insert_const(client->jids, news->text);
    pthread_mutex_unlock(&client->lock);
    account_online(client->account, news->text, news->flag, clock_now());
}

static void take_offline(struct jingle_client *client, const struct news *news)
{
    atomic_store(&client->online, false);
    account_offline(client->account, clock_now());
    jingle_event event = {
        .type = JINGLE_EVENT_OFFLINE,
        .status = news->status,
        .text = news->text,
        .u.offline = {.will_retry = news->flag, .retry_in = news->retry_in},
    };
    events_push(client->events, &event);
}

static void take_news(void *arg)
{
    struct news *news = arg;
    struct jingle_client *client = news->client;
    switch (news->kind) {
    case NEWS_ONLINE:
        take_online(client, news);
        break;
    case NEWS_OFFLINE:
        take_offline(client, news);
        break;
    case NEWS_STANZA:
        account_receive(client->account, news->text, news->bytes, clock_now());
        break;
    }
    client_schedule(client);
    g_free(news);
}

static void post_news(struct jingle_client *client, const struct news *head, const char *text,
                      size_t bytes)
{
    struct news *news = g_malloc(sizeof *news + bytes + 1);
    *news = *head;
    news->client = client;
    news->bytes = bytes;
    memcpy(news->text, text, bytes);
    news->text[bytes] = '\0';
    loop_post(client->io, take_news, g_free, news);
}

static void on_connection_online(void *user, const char *full_jid, bool resumed)
{
    struct news news = {.kind = NEWS_ONLINE, .flag = resumed};
    post_news(user, &news, full_jid, strlen(full_jid));
}

static void on_connection_offline(void *user, const struct connection_fault *fault)
{
    struct news news = {
        .kind = NEWS_OFFLINE,
        .flag = fault->will_retry,
        .status = fault->status,
        .retry_in = fault->retry_in,
    };
    post_news(user, &news, fault->text, strlen(fault->text));
}

static void on_connection_stanza(void *user, const char *xml, size_t bytes)
{
    struct news news = {.kind = NEWS_STANZA};
    post_news(user, &news, xml, bytes);
}

static jingle_status make_connection(struct jingle_client *client,
                                     const jingle_client_config *config)
{
    struct strophe_config strophe = {
        .jid = config->jid,
        .password = config->password,
        .host = config->host,
        .port = config->port,
        .tls = config->tls,
        .ca_file = config->ca_file,
        .lab_allow_plaintext = config->lab_allow_plaintext,
        .lab_accept_any_certificate = config->lab_accept_any_certificate,
        .log = client->log,
        .random = random_system,
    };
    struct connection_hooks hooks = {
        .user = client,
        .online = on_connection_online,
        .offline = on_connection_offline,
        .stanza = on_connection_stanza,
    };
    return strophe_connection_new(&strophe, &hooks, &client->connection);
}

/* ------------------------------------------------------------------------- making a client -- */

static jingle_status read_own_servers(struct jingle_client *client,
                                      const jingle_client_config *config)
{
    if (config->ice_server_count > ICE_MAX_SERVERS) {
        return JINGLE_ERROR_LIMIT;
    }
    for (size_t i = 0; i < config->ice_server_count; i++) {
        jingle_status status = ice_server_read(&config->ice_servers[i], &client->own_servers[i]);
        if (status != JINGLE_OK) {
            return status;
        }
        client->own_server_count++;
    }
    use_own_servers(client);
    return JINGLE_OK;
}

static jingle_status make_account(struct jingle_client *client, const jingle_client_config *config)
{
    struct rtp_description voice;
    struct rtp_description video;
    jingle_session_config settings;
    jingle_session_config_init(&settings);
    call_voice_describe(&voice, &settings, &(struct call_voice_identity){.cname = ""});
    call_video_describe(&video, NULL, &(struct call_video_identity){.cname = ""});
    struct account_config account = {
        .jid = config->jid,
        .external = client->features.external,
        .allow_strangers = config->allow_strangers,
        .ask_archive = config->calls_path != NULL,
        .no_calls = config->no_calls,
        .allow_unencrypted = config->allow_unencrypted,
        .ring_timeout = config->ring_timeout,
        .abilities = &voice,
        .video_abilities = &video,
        .software_name = config->software_name ? config->software_name : "Jingle Engine",
        .software_version =
            config->software_version ? config->software_version : jingle_version_string(),
        .random = &random_system,
        .log = &client->log,
    };
    struct account_hooks hooks = {
        .user = client,
        .send = on_account_send,
        .event = on_account_event,
        .wall = on_account_wall,
    };
    client->account = account_new(&account, &hooks);
    rtp_description_clear(&voice);
    rtp_description_clear(&video);
    if (!client->account) {
        return JINGLE_ERROR_JID;
    }
    g_strlcpy(client->id_prefix, account_id_prefix(client->account), sizeof client->id_prefix);
    return JINGLE_OK;
}

static void on_network_changed(void *user)
{
    struct jingle_client *client = user;
    log_info(&client->log, "The network of this computer has changed.");
    if (client->connection.suspect) {
        client->connection.suspect(client->connection.user);
    }
    client_calls_network_changed(client);
}

static void make_timer(void *arg)
{
    struct jingle_client *client = arg;
    client->timer = timer_new(client->io, on_timer, client);
}

static void watch_network(void *arg)
{
    struct jingle_client *client = arg;
    client->network = network_watch_new(client->io, on_network_changed, client);
}

static jingle_status make_threads(struct jingle_client *client, const jingle_client_config *config)
{
    client->events = events_new();
    client->io = loop_new("jingle-io");
    client->closer = loop_new("jingle-closer");
    client->media = media_threads_new(config->media_threads);
    if (!client->events || !client->io || !client->closer || !client->media) {
        return JINGLE_ERROR_MEMORY;
    }
    loop_call(client->io, make_timer, client);
    return JINGLE_OK;
}

static void copy_settings(struct jingle_client *client, const jingle_client_config *config,
                          bool external)
{
    client->log = (struct logger){config->log_level, config->log, config->log_user};
    client->features = (struct client_features){
        .external = external,
        .verified =
            !external && !config->lab_allow_plaintext && !config->lab_accept_any_certificate,
        .relay_only = config->relay_only,
        .loopback = config->lab_loopback,
    };
    client->ca_file = g_strdup(config->ca_file);
    client->interfaces = g_strdup(config->interfaces);
    client->family = config->family;
    client->cache_path = g_strdup(config->cache_path);
    client->calls_path = g_strdup(config->calls_path);
    client->cache_deadline = USEC_NEVER;
    client->jids = g_string_chunk_new(64);
    client->full_jid = "";
    client->jid = g_strdup(config->jid);
    client->sessions = g_ptr_array_new();
    client->transfers = g_ptr_array_new();
    pthread_mutex_init(&client->lock, NULL);
}

static jingle_status build(struct jingle_client *client, const jingle_client_config *config)
{
    jingle_status status = read_own_servers(client, config);
    if (status == JINGLE_OK) {
        status = make_account(client, config);
    }
    if (status == JINGLE_OK) {
        load_cache(client);
        client->certificate = certificate_new(&status);
    }
    if (status == JINGLE_OK) {
        status = make_threads(client, config);
    }
    if (status == JINGLE_OK) {
        client_files_enable(client, config->take_files, config->file_port);
    }
    if (status == JINGLE_OK && !client->features.external) {
        status = make_connection(client, config);
    }
    if (status == JINGLE_OK) {
        loop_call(client->io, watch_network, client);
    }
    return status;
}

static bool is_text(const char *text)
{
    return !text || g_utf8_validate(text, -1, NULL);
}

static bool config_makes_sense(const jingle_client_config *config, bool external)
{
    return config->jid && (external || config->password) && is_text(config->jid) &&
           is_text(config->password) && is_text(config->host) && is_text(config->software_name) &&
           is_text(config->software_version) && is_text(config->interfaces) &&
           config->ring_timeout > 0 && config->family >= JINGLE_FAMILY_ANY &&
           config->family <= JINGLE_FAMILY_IPV6 && config->tls >= JINGLE_TLS_AUTO &&
           config->tls <= JINGLE_TLS_DIRECT &&
           (config->ice_servers || config->ice_server_count == 0);
}

static jingle_status make_client(const jingle_client_config *given, bool external,
                                 jingle_client **client)
{
    if (!client) {
        return JINGLE_ERROR_INVALID;
    }
    *client = NULL;
    if (!given || given->size == 0) {
        return JINGLE_ERROR_INVALID;
    }
    jingle_client_config config; /* fields that an older program does not know stay as they are */
    jingle_client_config_init(&config);
    memcpy(&config, given, MIN(given->size, sizeof config));
    if (!config_makes_sense(&config, external)) {
        return JINGLE_ERROR_INVALID;
    }
    jingle_client *made = g_new0(jingle_client, 1);
    copy_settings(made, &config, external);
    jingle_status status = build(made, &config);
    if (status != JINGLE_OK) {
        jingle_client_free(made);
        return status;
    }
    *client = made;
    return JINGLE_OK;
}

jingle_status jingle_client_new(const jingle_client_config *config, jingle_client **client)
{
    return make_client(config, false, client);
}

jingle_status jingle_client_new_external(const jingle_client_config *config, jingle_client **client)
{
    return make_client(config, true, client);
}

/* ------------------------------------------------------------------------------ ending it -- */

static void shut_down(void *arg)
{
    struct jingle_client *client = arg;
    client->closing = true;
    client_calls_end_all(client, JINGLE_REASON_SHUTDOWN);
    client_files_end_all(client);
    if (account_is_online(client->account)) {
        account_goodbye(client->account, clock_now());
    }
    if (client->connection.stop) {
        client->connection.stop(client->connection.user);
    }
    check_free(client->check);
    client->check = NULL;
    if (client->cache_deadline != USEC_NEVER || client->calls_path) {
        save_cache(client);
    }
    timer_set(client->timer, USEC_NEVER);
    network_watch_free(client->network);
    client->network = NULL;
    client->silent = true;
}

static void drop_the_rest(void *arg)
{
    struct jingle_client *client = arg;
    timer_free(client->timer);
    client_files_free(client);
}

/* Each thread is ended when nobody posts to it any more: the connection's first, the I/O thread,
 * which hears of closed calls and files, last. */
static void end_threads(struct jingle_client *client)
{
    if (client->timer) {
        loop_call(client->io, shut_down, client);
    }
    if (client->connection.free) {
        client->connection.free(client->connection.user);
    }
    media_threads_free(client->media);
    loop_free(client->closer);
    if (client->timer) {
        loop_call(client->io, drop_the_rest, client);
    }
    loop_free(client->io);
}

void jingle_client_free(jingle_client *client)
{
    if (!client) {
        return;
    }
    end_threads(client);
    account_free(client->account);
    events_free(client->events);
    certificate_free(client->certificate);
    g_ptr_array_free(client->sessions, TRUE);
    g_ptr_array_free(client->transfers, TRUE);
    forget_servers(client);
    for (size_t i = 0; i < client->own_server_count; i++) {
        ice_server_clear(&client->own_servers[i]);
    }
    g_string_chunk_free(client->jids);
    g_free(client->jid);
    g_free(client->ca_file);
    g_free(client->interfaces);
    g_free(client->cache_path);
    g_free(client->calls_path);
    pthread_mutex_destroy(&client->lock);
    g_free(client);
}

/* ------------------------------------------------------------------- connecting and events -- */

jingle_status jingle_client_connect(jingle_client *client)
{
    if (!client || client->features.external) {
        return JINGLE_ERROR_INVALID;
    }
    client->connection.start(client->connection.user);
    return JINGLE_OK;
}

static void log_out(void *arg)
{
    struct jingle_client *client = arg;
    client_calls_end_all(client, JINGLE_REASON_SHUTDOWN);
    client_files_end_all(client);
    if (account_is_online(client->account)) {
        account_goodbye(client->account, clock_now());
    }
    if (client->connection.stop) {
        client->connection.stop(client->connection.user);
    }
    client_schedule(client);
}

jingle_status jingle_client_disconnect(jingle_client *client)
{
    if (!client) {
        return JINGLE_ERROR_INVALID;
    }
    loop_call(client->io, log_out, client);
    return JINGLE_OK;
}

const char *jingle_client_jid(jingle_client *client)
{
    if (!client) {
        return "";
    }
    pthread_mutex_lock(&client->lock);
    const char *jid = client->full_jid;
    pthread_mutex_unlock(&client->lock);
    return jid;
}

jingle_status jingle_client_external_online(jingle_client *client, const char *full_jid,
                                            bool resumed)
{
    if (!client || !client->features.external || !full_jid) {
        return JINGLE_ERROR_INVALID;
    }
    if (!jid_is_full(full_jid) || !jid_equal_bare(full_jid, client->jid)) {
        return JINGLE_ERROR_JID;
    }
    on_connection_online(client, full_jid, resumed);
    return JINGLE_OK;
}

jingle_status jingle_client_external_offline(jingle_client *client)
{
    if (!client || !client->features.external) {
        return JINGLE_ERROR_INVALID;
    }
    struct connection_fault fault = {.status = JINGLE_OK, .text = "", .will_retry = true};
    on_connection_offline(client, &fault);
    return JINGLE_OK;
}

const char *const *jingle_client_features(jingle_client *client)
{
    static const char *const none[] = {NULL};
    return client ? account_features(client->account) : none;
}

int jingle_client_receive(jingle_client *client, const char *xml, size_t bytes)
{
    if (!client || !xml) {
        return JINGLE_ERROR_INVALID;
    }
    enum stanza_class class = stanza_classify(xml, bytes, client->id_prefix);
    if (class == STANZA_MALFORMED) {
        return JINGLE_ERROR_INVALID;
    }
    if (class != STANZA_OTHER) {
        on_connection_stanza(client, xml, bytes);
    }
    return class == STANZA_OURS;
}

int jingle_client_fd(jingle_client *client)
{
    return client ? events_fd(client->events) : -1;
}

const jingle_event *jingle_client_next_event(jingle_client *client)
{
    return client ? events_next(client->events) : NULL;
}

const jingle_event *jingle_client_wait(jingle_client *client, int64_t timeout)
{
    return client ? events_wait(client->events, timeout) : NULL;
}

void jingle_client_set_wakeup(jingle_client *client, void (*wake)(void *user), void *user)
{
    if (client) {
        events_set_wakeup(client->events, wake, user);
    }
}

/* ------------------------------------------------------------------------------- contacts -- */

struct contact_job {
    jingle_client *client;
    const char *jid;
    const char *name;
    jingle_contact *contacts;
    size_t count;
    jingle_status status;
};

static void list_contacts(void *arg)
{
    struct contact_job *job = arg;
    job->contacts = account_contacts(job->client->account, &job->count);
}

jingle_status jingle_client_contacts(jingle_client *client, jingle_contact **contacts,
                                     size_t *count)
{
    if (contacts) {
        *contacts = NULL;
    }
    if (count) {
        *count = 0;
    }
    if (!client || !contacts || !count) {
        return JINGLE_ERROR_INVALID;
    }
    struct contact_job job = {.client = client};
    loop_call(client->io, list_contacts, &job);
    *contacts = job.contacts;
    *count = job.count;
    return JINGLE_OK;
}

char *jingle_jid_from_text(const char *text)
{
    char *jid = jid_from_text(text);
    char *copy = jid ? strdup(jid) : NULL;
    g_free(jid);
    return copy;
}

void jingle_contacts_free(jingle_contact *contacts, size_t count)
{
    account_contacts_free(contacts, count);
}

static void add_contact(void *arg)
{
    struct contact_job *job = arg;
    job->status = account_contact_add(job->client->account, job->jid, job->name, clock_now());
    client_schedule(job->client);
}

static void remove_contact(void *arg)
{
    struct contact_job *job = arg;
    job->status = account_contact_remove(job->client->account, job->jid, clock_now());
    client_schedule(job->client);
}

static jingle_status run_contact_job(jingle_client *client, mailbox_fn fn, const char *jid,
                                     const char *name)
{
    if (!client || !jid || !is_text(name)) {
        return JINGLE_ERROR_INVALID;
    }
    if (!jid_is_valid(jid)) {
        return JINGLE_ERROR_JID;
    }
    if (!atomic_load(&client->online)) {
        return JINGLE_ERROR_OFFLINE;
    }
    struct contact_job job = {.client = client, .jid = jid, .name = name};
    loop_call(client->io, fn, &job);
    return job.status;
}

jingle_status jingle_client_contact_add(jingle_client *client, const char *jid, const char *name)
{
    return run_contact_job(client, add_contact, jid, name);
}

jingle_status jingle_client_contact_remove(jingle_client *client, const char *jid)
{
    return run_contact_job(client, remove_contact, jid, NULL);
}

static void run_check(void *arg)
{
    check_start(arg);
}

jingle_status jingle_client_check(jingle_client *client)
{
    if (!client) {
        return JINGLE_ERROR_INVALID;
    }
    if (!atomic_load(&client->online)) {
        return JINGLE_ERROR_OFFLINE;
    }
    loop_post(client->io, run_check, NULL, client);
    return JINGLE_OK;
}
