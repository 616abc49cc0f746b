/* Option, environment, configuration file, prompt: in this order. */
#include "account.h"

#include "config.h"
#include "exit.h"
#include "prompt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ICE_SERVERS_MAX 8

static char *account_jid(const struct options *options)
{
    const char *jid = options->jid;
    char *asked = NULL;
    if (!jid) {
        asked = prompt_line("Your XMPP account (name@server): ", false);
        jid = asked;
    }
    char *full = NULL;
    if (jid) {
        full = options->resource && !strchr(jid, '/')
                   ? g_strdup_printf("%s/%s", jid, options->resource)
                   : g_strdup(jid);
    }
    g_free(asked);
    return full;
}

/* The password in the file is for the account in the file, and no other server should see it. */
static bool same_account(const char *config_jid, const char *jid)
{
    if (!config_jid) {
        return true;
    }
    size_t length = strcspn(jid, "/");
    return strcspn(config_jid, "/") == length && g_ascii_strncasecmp(config_jid, jid, length) == 0;
}

static char *account_password(const struct options *options, const char *jid, char **message)
{
    if (options->password_file) {
        return config_read_secret(options->password_file, message);
    }
    const char *environment = getenv("JCALL_PASSWORD");
    if (environment && *environment) {
        return g_strdup(environment);
    }
    if (options->config_password && same_account(options->config_jid, jid)) {
        return g_strdup(options->config_password);
    }
    char *question = g_strdup_printf("Password of %s: ", jid);
    char *password = prompt_line(question, true);
    g_free(question);
    if (!password) {
        *message = g_strdup("There is no password: name a file with --password-file, set "
                            "JCALL_PASSWORD, or write it to ~/.config/jcall/config (chmod 600).");
    }
    return password;
}

/* "URI [USER PASSWORD]" is cut up in place. */
static bool ice_server_parse(char *text, jingle_ice_server *server)
{
    char *rest = NULL;
    *server = (jingle_ice_server){0};
    server->uri = strtok_r(text, " ", &rest);
    server->username = strtok_r(NULL, " ", &rest);
    server->password = strtok_r(NULL, " ", &rest);
    return server->uri && (!server->username || server->password) && !strtok_r(NULL, " ", &rest);
}

/* Where what is known of other clients is kept; NULL if there is no such place. */
static char *cache_path(const char *name)
{
    char *folder = g_build_filename(g_get_user_cache_dir(), "jcall", NULL);
    char *path = NULL;
    if (g_mkdir_with_parents(folder, 0700) == 0) {
        path = g_build_filename(folder, name, NULL);
    }
    g_free(folder);
    return path;
}

/* One for each account: which calls have been told of. */
static char *calls_path(const struct options *options, const char *jid)
{
    if (strcmp(options->words[0], "answer") != 0) {
        return NULL;
    }
    char *bare = g_strndup(jid, strcspn(jid, "/"));
    char *account = g_uri_escape_string(bare, "@", true);
    char *name = g_strconcat("calls-", account, NULL);
    char *path = cache_path(name);
    g_free(name);
    g_free(account);
    g_free(bare);
    return path;
}

/* Others are told so; they offer files where somebody can take them. */
static bool takes_files(const struct options *options)
{
    const char *command = options->words[0];
    return strcmp(command, "receive") == 0 || strcmp(command, "call") == 0 ||
           strcmp(command, "answer") == 0;
}

static void config_fill(jingle_client_config *config, const struct options *options,
                        struct teller *teller)
{
    config->host = options->host;
    config->port = (uint16_t)options->port;
    config->tls = options->tls;
    config->ca_file = options->ca_file;
    config->relay_only = options->relay_only;
    config->interfaces = options->interfaces;
    config->family = options->family;
    config->allow_strangers = options->allow_strangers;
    config->allow_unencrypted = options->allow_unencrypted;
    config->lab_allow_plaintext = options->lab_plaintext;
    config->lab_accept_any_certificate = options->lab_any_certificate;
    config->lab_loopback = options->lab_loopback;
    if (options->ring_timeout > 0) {
        config->ring_timeout = (int64_t)(options->ring_timeout * 1e6);
    }
    config->take_files = takes_files(options);
    config->no_calls =
        strcmp(options->words[0], "receive") == 0 || strcmp(options->words[0], "send") == 0;
    config->software_name = "jcall";
    config->media_threads = 1; /* one call at a time */
    config->log = tell_log;
    config->log_user = teller;
    config->log_level = tell_log_level(teller);
}

static jingle_status client_new(const struct options *options, struct teller *teller,
                                const char *jid, const char *password, jingle_client **client)
{
    jingle_client_config config;
    jingle_client_config_init(&config);
    config.jid = jid;
    config.password = password;
    config_fill(&config, options, teller);
    jingle_ice_server servers[ICE_SERVERS_MAX];
    char *texts[ICE_SERVERS_MAX];
    jingle_status status = JINGLE_OK;
    size_t count = 0;
    for (char **text = options->ice_servers; text && *text && status == JINGLE_OK; text++) {
        if (count == ICE_SERVERS_MAX) {
            status = JINGLE_ERROR_LIMIT;
            break;
        }
        texts[count] = g_strdup(*text);
        if (!ice_server_parse(texts[count], &servers[count])) {
            status = JINGLE_ERROR_INVALID;
        }
        count++;
    }
    config.ice_servers = servers;
    config.ice_server_count = count;
    char *cache = cache_path("capabilities");
    char *calls = calls_path(options, jid);
    config.cache_path = cache;
    config.calls_path = calls;
    if (status == JINGLE_OK) {
        status = jingle_client_new(&config, client);
    }
    g_free(cache);
    g_free(calls);
    for (size_t i = 0; i < count; i++) {
        explicit_bzero(texts[i], strlen(texts[i]));
        g_free(texts[i]);
    }
    return status;
}

static jingle_client *fail(struct teller *teller, int *code, int why, const char *text)
{
    *code = tell_exit(teller, why, text);
    return NULL;
}

jingle_client *account_client(const struct options *options, struct teller *teller, int *code)
{
    if (options->ca_file && access(options->ca_file, R_OK) != 0) {
        char *text = g_strdup_printf("%s cannot be read: %s.", options->ca_file, strerror(errno));
        fail(teller, code, EXIT_USAGE, text);
        g_free(text);
        return NULL;
    }
    char *jid = account_jid(options);
    if (!jid) {
        return fail(teller, code, EXIT_USAGE,
                    "Say whose account to use: --jid name@server, JCALL_JID or the configuration "
                    "file.");
    }
    char *message = NULL;
    char *password = account_password(options, jid, &message);
    jingle_client *client = NULL;
    if (password) {
        jingle_status status = client_new(options, teller, jid, password, &client);
        if (status == JINGLE_ERROR_INVALID && options->ice_servers) {
            message = g_strdup("--ice-server is \"stun:HOST:PORT\" or \"turn:HOST:PORT USER "
                               "PASSWORD\", in one pair of quotes.");
        } else if (status != JINGLE_OK) {
            message = g_strdup(jingle_strerror(status));
        }
        if (message) {
            fail(teller, code, exit_for_status(status), message);
        }
        explicit_bzero(password, strlen(password));
    } else {
        fail(teller, code, EXIT_USAGE, message);
    }
    g_free(message);
    g_free(password);
    if (client) {
        tell_connecting(teller, client, jid);
    }
    g_free(jid);
    return client;
}

jingle_status account_connect(jingle_client *client, struct teller *teller, char **text)
{
    jingle_status status = jingle_client_connect(client);
    while (status == JINGLE_OK) {
        const jingle_event *event = jingle_client_wait(client, -1);
        if (!event) {
            continue;
        }
        if (event->type != JINGLE_EVENT_CONTACT) { /* the roster comes at every login */
            tell_event(teller, event);
        }
        if (event->type == JINGLE_EVENT_ONLINE) {
            return JINGLE_OK;
        }
        if (event->type == JINGLE_EVENT_OFFLINE) {
            status = event->status != JINGLE_OK ? event->status : JINGLE_ERROR_STREAM;
            *text = *event->text ? g_strdup(event->text) : NULL;
        }
    }
    if (!*text) {
        *text = g_strdup(jingle_strerror(status));
    }
    return status;
}

jingle_client *account_login(const struct options *options, struct teller *teller, int *code)
{
    jingle_client *client = account_client(options, teller, code);
    if (!client) {
        return NULL;
    }
    char *text = NULL;
    jingle_status status = account_connect(client, teller, &text);
    if (status != JINGLE_OK) {
        *code = tell_exit(teller, exit_for_status(status), text);
        g_clear_pointer(&client, jingle_client_free);
    }
    g_free(text);
    return client;
}
