/* The engine inside a program that has its own XMPP connection: a small bot on libstrophe.
 *
 *     server ─▶ libstrophe ─▶ jingle_client_receive() ─▶ ours? ── no ─▶ the bot's own handlers
 *     server ◀─ libstrophe ◀─ JINGLE_EVENT_STANZA
 *
 *     PASSWORD=secret host_bot JID SPEECH
 *
 * Whoever is on the roster can call the bot and hears SPEECH, a sound file; whoever writes "call
 * me" to it is called. HOST, PORT, CA_FILE and LAB_LOOPBACK in the environment are for a private
 * server. Ctrl-C ends it. */
#include <jingle/jingle.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strophe.h>

#define NODE            "https://jingle-engine.example/host-bot"
#define NS_CAPS         "http://jabber.org/protocol/caps"
#define FEATURES_MAX    64
#define POLL_MS         20 /* libstrophe shows no descriptor that one could wait on */
#define TURNS_TO_LOGOUT 50

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

struct bot {
    const char *speech;
    xmpp_ctx_t *context;
    xmpp_conn_t *connection;
    jingle_client *client;
    bool running;
    const char *features[FEATURES_MAX]; /* the bot's and the engine's, sorted */
    size_t feature_count;
};

/* ------------------------------------------------------------- what the bot can do -- */

static int compare_features(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void features_collect(struct bot *bot)
{
    bot->features[bot->feature_count++] = XMPP_NS_DISCO_INFO;
    bot->features[bot->feature_count++] = NS_CAPS;
    const char *const *theirs = jingle_client_features(bot->client);
    for (size_t i = 0; theirs[i] && bot->feature_count < FEATURES_MAX; i++) {
        if (strcmp(theirs[i], XMPP_NS_DISCO_INFO) != 0 && strcmp(theirs[i], NS_CAPS) != 0) {
            bot->features[bot->feature_count++] = theirs[i];
        }
    }
    qsort(bot->features, bot->feature_count, sizeof *bot->features, compare_features);
}

/* The verification string of XEP-0115 section 5.1, in base64; freed with xmpp_free(). */
static char *caps_version(const struct bot *bot)
{
    static const char identity[] = "client/bot//host bot<";
    unsigned char digest[XMPP_SHA1_DIGEST_SIZE];
    xmpp_sha1_t *hash = xmpp_sha1_new(bot->context);
    xmpp_sha1_update(hash, (const unsigned char *)identity, sizeof identity - 1);
    for (size_t i = 0; i < bot->feature_count; i++) {
        xmpp_sha1_update(hash, (const unsigned char *)bot->features[i], strlen(bot->features[i]));
        xmpp_sha1_update(hash, (const unsigned char *)"<", 1);
    }
    xmpp_sha1_final(hash);
    xmpp_sha1_to_digest(hash, digest);
    xmpp_sha1_free(hash);
    return xmpp_base64_encode(bot->context, digest, sizeof digest);
}

/* A child element with up to two attributes; released by its parent. */
static void add_child(xmpp_stanza_t *parent, const char *name, const char *key, const char *value,
                      const char *key2, const char *value2)
{
    xmpp_stanza_t *child = xmpp_stanza_new(xmpp_stanza_get_context(parent));
    xmpp_stanza_set_name(child, name);
    xmpp_stanza_set_attribute(child, key, value);
    if (key2) {
        xmpp_stanza_set_attribute(child, key2, value2);
    }
    xmpp_stanza_add_child_ex(parent, child, 0);
}

static void send_presence(struct bot *bot)
{
    char *version = caps_version(bot);
    xmpp_stanza_t *presence = xmpp_presence_new(bot->context);
    xmpp_stanza_t *caps = xmpp_stanza_new(bot->context);
    xmpp_stanza_set_name(caps, "c");
    xmpp_stanza_set_ns(caps, NS_CAPS);
    xmpp_stanza_set_attribute(caps, "hash", "sha-1");
    xmpp_stanza_set_attribute(caps, "node", NODE);
    xmpp_stanza_set_attribute(caps, "ver", version);
    xmpp_stanza_add_child_ex(presence, caps, 0);
    xmpp_send(bot->connection, presence);
    xmpp_stanza_release(presence);
    xmpp_free(bot->context, version);
}

static void send_roster_request(struct bot *bot)
{
    xmpp_stanza_t *iq = xmpp_iq_new(bot->context, "get", "roster");
    xmpp_stanza_t *query = xmpp_stanza_new(bot->context);
    xmpp_stanza_set_name(query, "query");
    xmpp_stanza_set_ns(query, XMPP_NS_ROSTER);
    xmpp_stanza_add_child_ex(iq, query, 0);
    xmpp_send(bot->connection, iq);
    xmpp_stanza_release(iq);
}

static void answer_disco(struct bot *bot, xmpp_stanza_t *request, xmpp_stanza_t *asked)
{
    xmpp_stanza_t *reply = xmpp_stanza_reply(request);
    xmpp_stanza_t *query = xmpp_stanza_new(bot->context);
    const char *node = xmpp_stanza_get_attribute(asked, "node");
    xmpp_stanza_set_type(reply, "result");
    xmpp_stanza_set_name(query, "query");
    xmpp_stanza_set_ns(query, XMPP_NS_DISCO_INFO);
    if (node) {
        xmpp_stanza_set_attribute(query, "node", node);
    }
    add_child(query, "identity", "category", "client", "type", "bot");
    xmpp_stanza_set_attribute(xmpp_stanza_get_children(query), "name", "host bot");
    for (size_t i = 0; i < bot->feature_count; i++) {
        add_child(query, "feature", "var", bot->features[i], NULL, NULL);
    }
    xmpp_stanza_add_child_ex(reply, query, 0);
    xmpp_send(bot->connection, reply);
    xmpp_stanza_release(reply);
}

/* ----------------------------------------------------------------------------- calls -- */

static jingle_status sound(const struct bot *bot, jingle_session_config *config)
{
    jingle_status status = JINGLE_OK;
    jingle_session_config_init(config);
    config->source = jingle_audio_source_file(bot->speech, false, &status);
    if (status == JINGLE_OK) {
        config->sink = jingle_audio_sink_null(&status);
    }
    return status;
}

static void call(struct bot *bot, const char *to)
{
    jingle_session_config config;
    jingle_session *session = NULL;
    jingle_status status = sound(bot, &config);
    if (status == JINGLE_OK) {
        status = jingle_session_start(bot->client, to, &config, &session);
    }
    if (status == JINGLE_OK) {
        jingle_session_unref(session); /* its events bring it back */
    } else {
        fprintf(stderr, "Cannot call: %s\n", jingle_strerror(status));
    }
}

static void answer(struct bot *bot, jingle_session *session)
{
    jingle_session_config config;
    jingle_status status = sound(bot, &config);
    if (status == JINGLE_OK) {
        status = jingle_session_accept(session, &config);
    }
    if (status != JINGLE_OK) {
        fprintf(stderr, "Cannot answer: %s\n", jingle_strerror(status));
        jingle_session_end(session);
    }
}

static void handle_event(struct bot *bot, const jingle_event *event)
{
    switch (event->type) {
    case JINGLE_EVENT_STANZA:
        xmpp_send_raw(bot->connection, event->u.stanza.xml, event->u.stanza.bytes);
        break;
    case JINGLE_EVENT_INCOMING:
        printf("Somebody calls.\n");
        answer(bot, event->session);
        break;
    case JINGLE_EVENT_CONNECTED:
        printf("Connected.\n");
        break;
    case JINGLE_EVENT_SOURCE_ENDED:
        jingle_session_end(event->session);
        break;
    case JINGLE_EVENT_ENDED:
        printf("%s\n", jingle_reason_sentence(event->u.ended.reason));
        break;
    default:
        break;
    }
}

/* ---------------------------------------------------------------- the bot's own stream -- */

static void handle_message(struct bot *bot, xmpp_stanza_t *stanza)
{
    const char *from = xmpp_stanza_get_from(stanza);
    char *body = xmpp_message_get_body(stanza);
    if (from && body && strcmp(body, "call me") == 0) {
        char *person = xmpp_jid_bare(bot->context, from);
        call(bot, person);
        xmpp_free(bot->context, person);
    }
    if (body) {
        xmpp_free(bot->context, body);
    }
}

static void handle_request(struct bot *bot, xmpp_stanza_t *stanza)
{
    const char *type = xmpp_stanza_get_type(stanza);
    xmpp_stanza_t *asked = xmpp_stanza_get_child_by_ns(stanza, XMPP_NS_DISCO_INFO);
    if (!type || (strcmp(type, "get") != 0 && strcmp(type, "set") != 0)) {
        return;
    }
    if (asked && strcmp(type, "get") == 0) {
        answer_disco(bot, stanza, asked);
        return;
    }
    xmpp_stanza_t *error = xmpp_stanza_reply_error(stanza, "cancel", "service-unavailable", NULL);
    xmpp_send(bot->connection, error);
    xmpp_stanza_release(error);
}

/* Every stanza: the engine looks first. */
static int handle_stanza(xmpp_conn_t *connection, xmpp_stanza_t *stanza, void *user)
{
    (void)connection;
    struct bot *bot = user;
    char *xml = NULL;
    size_t bytes = 0;
    if (xmpp_stanza_to_text(stanza, &xml, &bytes) != XMPP_EOK) {
        return 1;
    }
    int taken = jingle_client_receive(bot->client, xml, bytes);
    xmpp_free(bot->context, xml);
    if (taken == 0 && strcmp(xmpp_stanza_get_name(stanza), "message") == 0) {
        handle_message(bot, stanza);
    } else if (taken == 0 && strcmp(xmpp_stanza_get_name(stanza), "iq") == 0) {
        handle_request(bot, stanza);
    }
    return 1; /* keep this handler */
}

static void handle_connection(xmpp_conn_t *connection, xmpp_conn_event_t event, int error,
                              xmpp_stream_error_t *stream_error, void *user)
{
    (void)error;
    (void)stream_error;
    struct bot *bot = user;
    if (event == XMPP_CONN_CONNECT) {
        const char *jid = xmpp_conn_get_bound_jid(connection);
        printf("Online as %s\n", jid);
        xmpp_handler_add(connection, handle_stanza, NULL, NULL, NULL, bot);
        jingle_client_external_online(bot->client, jid, false);
        send_roster_request(bot);
        send_presence(bot);
    } else {
        fprintf(stderr, "%s", interrupted ? "" : "The connection ended.\n");
        jingle_client_external_offline(bot->client);
        bot->running = false;
    }
}

/* ------------------------------------------------------------------------ the program -- */

static bool bot_connect(struct bot *bot, const char *jid)
{
    const char *port = getenv("PORT");
    bot->connection = xmpp_conn_new(bot->context);
    xmpp_conn_set_jid(bot->connection, jid);
    xmpp_conn_set_pass(bot->connection, getenv("PASSWORD"));
    xmpp_conn_set_flags(bot->connection, XMPP_CONN_FLAG_MANDATORY_TLS);
    if (getenv("CA_FILE")) {
        xmpp_conn_set_cafile(bot->connection, getenv("CA_FILE"));
    }
    return xmpp_connect_client(bot->connection, getenv("HOST"),
                               (unsigned short)(port ? strtoul(port, NULL, 10) : 0),
                               handle_connection, bot) == XMPP_EOK;
}

static void bot_turn(struct bot *bot)
{
    const jingle_event *event;
    xmpp_run_once(bot->context, POLL_MS);
    while ((event = jingle_client_next_event(bot->client))) {
        handle_event(bot, event);
    }
}

static void bot_run(struct bot *bot)
{
    bot->running = true;
    while (bot->running && !interrupted) {
        bot_turn(bot);
    }
    if (bot->running) {
        jingle_client_disconnect(bot->client); /* says good-bye to whom we talk with */
        bot_turn(bot);
        xmpp_disconnect(bot->connection);
        for (int turn = 0; bot->running && turn < TURNS_TO_LOGOUT; turn++) {
            bot_turn(bot);
        }
    }
}

int main(int argc, char **argv)
{
    struct bot bot = {.speech = argc == 3 ? argv[2] : NULL};
    jingle_client_config config;
    if (!bot.speech || !getenv("PASSWORD")) {
        fprintf(stderr, "PASSWORD=... host_bot JID SPEECH\n");
        return 2;
    }
    struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN); /* libstrophe writes to a socket that may be gone */
    setvbuf(stdout, NULL, _IOLBF, 0);
    jingle_client_config_init(&config);
    config.jid = argv[1];
    config.lab_loopback = getenv("LAB_LOOPBACK") != NULL;
    jingle_status status = jingle_client_new_external(&config, &bot.client);
    if (status != JINGLE_OK) {
        fprintf(stderr, "%s\n", jingle_strerror(status));
        return 1;
    }
    features_collect(&bot);
    xmpp_initialize();
    bot.context = xmpp_ctx_new(NULL, xmpp_get_default_logger(XMPP_LEVEL_WARN));
    if (bot_connect(&bot, argv[1])) {
        bot_run(&bot);
    } else {
        fprintf(stderr, "The server cannot be reached.\n");
    }
    xmpp_conn_release(bot.connection);
    xmpp_ctx_free(bot.context);
    xmpp_shutdown();
    jingle_client_free(bot.client);
    return interrupted ? 0 : 1;
}
