/* The command line, by GOptionContext:
 *
 *     configuration file ─▶ "--key=value" ─┐
 *     JCALL_JID ──────────▶ "--jid=value" ──┤
 *     command line ─────────────────────────┴▶ one parse, where the last one wins ─▶ struct options
 */
#include "options.h"

#include "config.h"
#include "options_group.h"

#include <stdio.h>
#include <string.h>

#define SIDE_LEAST 16 /* of --video-size */
#define SIDE_MOST  4096

struct general {
    gboolean help;
    gboolean version;
};

static GOptionContext *context_new(struct options *options, struct general *general)
{
    const GOptionEntry words[] = {
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->words, NULL,
         "COMMAND [JID] [FILE...]"},
        ENTRY_END,
    };
    const GOptionEntry entries[] = {
        {"help", 'h', 0, G_OPTION_ARG_NONE, &general->help, "Show this", NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &general->version, "Show the version", NULL},
        ENTRY_END,
    };
    GOptionContext *context = g_option_context_new(NULL);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_add_main_entries(context, words, NULL);
    options_group_add(context, options, "general", "General:", entries);
    options_groups_add(context, options);
    return context;
}

/* --config must be known before the file can be read, so it is looked for ahead of the parse. */
static const char *config_path(char **argv)
{
    const char *path = NULL;
    for (char **argument = argv + 1; *argument && strcmp(*argument, "--") != 0; argument++) {
        if (g_str_has_prefix(*argument, "--config=")) {
            path = *argument + strlen("--config=");
        } else if (strcmp(*argument, "--config") == 0 && argument[1]) {
            path = *++argument;
        }
    }
    return path;
}

bool options_size(const char *text, uint32_t *width, uint32_t *height)
{
    char *end = NULL;
    guint64 across = g_ascii_strtoull(text, &end, 10);
    if (!g_ascii_isdigit(*text) || *end != 'x' || !g_ascii_isdigit(end[1])) {
        return false;
    }
    guint64 down = g_ascii_strtoull(end + 1, &end, 10);
    if (*end || across < SIDE_LEAST || down < SIDE_LEAST || across > SIDE_MOST ||
        down > SIDE_MOST) {
        return false;
    }
    *width = (uint32_t)across;
    *height = (uint32_t)down;
    return true;
}

static const char *check_range(const struct options *options)
{
    if (options->port < 0 || options->port > 65535) {
        return "--port is a number from 1 to 65535.";
    }
    if (options->bitrate != 0 && (options->bitrate < 6000 || options->bitrate > 510000)) {
        return "--bitrate is a number of bits a second from 6000 to 510000.";
    }
    if (options->ptime != 0 && options->ptime != 10 && options->ptime != 20 &&
        options->ptime != 40 && options->ptime != 60) {
        return "--ptime is 10, 20, 40 or 60 (milliseconds).";
    }
    uint32_t width, height;
    if (options->video_size && !options_size(options->video_size, &width, &height)) {
        return "--video-size is such as 1280x720, each from 16 to 4096.";
    }
    if (options->video_bitrate != 0 &&
        (options->video_bitrate < 30000 || options->video_bitrate > 20000000)) {
        return "--video-bitrate is a number of bits a second from 30000 to 20000000.";
    }
    if (options->frame_rate < 0 || options->frame_rate > 60) {
        return "--frame-rate is a number of pictures a second from 1 to 60.";
    }
    if (!(options->seconds >= 0 && options->seconds <= 1e9) ||
        !(options->ring_timeout >= 0 && options->ring_timeout <= 1e9)) {
        return "A time is a number of seconds that is not negative.";
    }
    if (options->digits && strspn(options->digits, "0123456789*#ABCD") != strlen(options->digits)) {
        return "--digits takes 0-9, *, # and A-D.";
    }
    return NULL;
}

/* "+1 555 1234@gateway" is how people write what XMPP escapes. */
static void write_address(struct options *options)
{
    guint count = g_strv_length(options->words);
    const char *command = options->words[0];
    guint at = strcmp(command, "call") == 0 || strcmp(command, "send") == 0 ? 1
               : strcmp(command, "contacts") == 0                           ? 2
                                                                            : count;
    char *jid = at < count ? jingle_jid_from_text(options->words[at]) : NULL;
    if (jid) {
        g_free(options->words[at]);
        options->words[at] = g_strdup(jid);
    }
    free(jid);
}

static enum options_result options_judge(struct options *options, GOptionContext *context,
                                         const struct general *general, char **message)
{
    if (general->help) {
        options_help(context);
        return OPTIONS_TOLD;
    }
    if (general->version) {
        printf("jcall %s\n", jingle_version_string());
        return OPTIONS_TOLD;
    }
    const char *wrong = check_range(options);
    if (!wrong && !options->words) {
        wrong = "Say what to do: jcall call JID, jcall answer, jcall send JID FILE, jcall receive, "
                "jcall contacts, jcall devices or jcall check; jcall --help explains.";
    }
    if (wrong) {
        *message = g_strdup(wrong);
        return OPTIONS_WRONG;
    }
    write_address(options);
    return OPTIONS_RUN;
}

/* GLib would take the next word, such as the command, for the camera's name. */
static const char *argument_alone(const char *argument)
{
    return strcmp(argument, "--camera") == 0   ? "--camera="
           : strcmp(argument, "--screen") == 0 ? "--screen="
                                               : argument;
}

/* The program's name, the file's arguments, the environment's, the user's. */
static char **arguments_join(const struct config *config, int argc, char **argv)
{
    GStrvBuilder *all = g_strv_builder_new();
    g_strv_builder_add(all, argc > 0 ? argv[0] : "jcall");
    for (guint i = 0; i < config->arguments->len; i++) {
        g_strv_builder_add(all, g_ptr_array_index(config->arguments, i));
    }
    const char *jid = g_getenv("JCALL_JID");
    if (jid && *jid) {
        char *argument = g_strdup_printf("--jid=%s", jid);
        g_strv_builder_add(all, argument);
        g_free(argument);
    }
    for (int i = 1; i < argc; i++) {
        g_strv_builder_add(all, argument_alone(argv[i]));
    }
    char **joined = g_strv_builder_end(all);
    g_strv_builder_unref(all);
    return joined;
}

/* "Unknown option --foo": of the file, if the user did not write it. */
static char *parse_complaint(const GError *error, const struct config *config)
{
    for (guint i = 0; i < config->arguments->len; i++) {
        char **parts = g_strsplit(g_ptr_array_index(config->arguments, i), "=", 2);
        bool named = strstr(error->message, parts[0]) != NULL;
        g_strfreev(parts);
        if (named) {
            return g_strdup_printf("%s. It stands in the configuration file (--config, else "
                                   "~/.config/jcall/config). jcall --help lists all options.",
                                   error->message);
        }
    }
    return g_strdup_printf("%s. jcall --help lists all options.", error->message);
}

enum options_result options_parse(struct options *options, int argc, char **argv, char **message)
{
    *options = (struct options){.video = -1};
    *message = NULL;
    struct general general = {0};
    struct config config = {0};
    GOptionContext *context = context_new(options, &general);
    enum options_result result = OPTIONS_WRONG;
    if (config_read(&config, config_path(argv), message)) {
        char **joined = arguments_join(&config, argc, argv);
        GError *error = NULL;
        if (g_option_context_parse_strv(context, &joined, &error)) {
            options->config_password = g_steal_pointer(&config.password);
            options->config_jid = g_steal_pointer(&config.jid);
            result = options_judge(options, context, &general, message);
        } else {
            *message = parse_complaint(error, &config);
            g_error_free(error);
        }
        g_strfreev(joined);
        config_clear(&config);
    }
    g_option_context_free(context);
    return result;
}

void options_clear(struct options *options)
{
    if (options->config_password) {
        explicit_bzero(options->config_password, strlen(options->config_password));
    }
    g_free(options->config_password);
    g_strfreev(options->words);
    g_strfreev(options->ice_servers);
    char *texts[] = {
        options->jid,        options->resource,   options->password_file, options->host,
        options->interfaces, options->ca_file,    options->config_file,   options->sink,
        options->source,     options->record,     options->codec,         options->digits,
        options->log_file,   options->config_jid, options->camera,        options->screen,
        options->play,       options->snapshot,   options->report,        options->video_codec,
        options->video_size, options->dir,        options->from,          options->description,
        options->type,       options->name,       options->ring};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_free(texts[i]);
    }
    *options = (struct options){0};
}
