/* The command line, by GOptionContext:
 *
 *     configuration file ─▶ "--key=value" ─┐
 *     JCALL_JID ──────────▶ "--jid=value" ──┤
 *     command line ─────────────────────────┴▶ one parse, where the last one wins ─▶ struct options
 */
#include "options.h"

#include "config.h"
#include "exit.h"

#include <stdio.h>
#include <string.h>

#define SIDE_LEAST 16 /* of --video-size */
#define SIDE_MOST  4096

static const char SUMMARY[] =
    "Voice and video calls over XMPP.\n"
    "\n"
    "Commands:\n"
    "  call JID              call somebody and talk (--video: see each other)\n"
    "  answer                wait for calls and answer them (--auto: without asking)\n"
    "  contacts              show the people who may call you, and who asks to be one\n"
    "  contacts add JID      ask somebody to be a contact, or grant what they asked for\n"
    "  contacts remove JID   end that, both ways\n"
    "  devices               list the sound devices and cameras\n"
    "  check                 try everything that a call needs and say what to do about it";

static const char LESSON[] =
    "Examples:\n"
    "  jcall -j alice@example.org contacts add bob@example.org\n"
    "  jcall -j alice@example.org call bob@example.org\n"
    "  jcall call bob@example.org --video\n"
    "  jcall call bob@example.org --play=film.mkv --report=call.html\n"
    "  jcall answer --auto --source=file:greeting.flac --record=message.wav --seconds=60\n"
    "  jcall call bob@example.org --source=tone:440 --sink=null --json\n"
    "\n"
    "Keys during a call: m mute, h hold, 0-9 * # digits, v camera on and off (adds video to a "
    "call\n"
    "without), s screen in place of the camera, x no video any more, f full screen, p save the\n"
    "picture, q hang up. When it rings: y, n.\n"
    "\n"
    "The account comes from the options, else from JCALL_JID and JCALL_PASSWORD, else from\n"
    "~/.config/jcall/config, else you are asked. There is no option for the password itself,\n"
    "because everybody on the machine could read it.\n"
    "\n"
    "Every long option may stand in the configuration file, which others may not read if it\n"
    "holds a password (chmod 600):\n"
    "  [jcall]\n"
    "  jid = alice@example.org\n"
    "  password = a secret\n"
    "  source = device:USB Headset\n"
    "\n"
    "The manual page jcall(1) has more.\n";

/* A switch is --NAME or --no-NAME; what is not said stays JINGLE_AUTO. */
static jingle_switch *switch_find(struct options *options, const char *name)
{
    if (strcmp(name, "fec") == 0) {
        return &options->fec;
    }
    if (strcmp(name, "dtx") == 0) {
        return &options->dtx;
    }
    if (strcmp(name, "echo-cancellation") == 0) {
        return &options->echo_cancellation;
    }
    if (strcmp(name, "noise-suppression") == 0) {
        return &options->noise_suppression;
    }
    return &options->gain_control;
}

static gboolean parse_switch(const char *option, const char *value, gpointer data, GError **error)
{
    (void)value;
    (void)error;
    const char *name = option + strlen("--");
    bool off = g_str_has_prefix(name, "no-");
    *switch_find(data, off ? name + strlen("no-") : name) = off ? JINGLE_OFF : JINGLE_ON;
    return TRUE;
}

static gboolean parse_tls(const char *option, const char *value, gpointer data, GError **error)
{
    (void)option;
    struct options *options = data;
    if (strcmp(value, "auto") == 0) {
        options->tls = JINGLE_TLS_AUTO;
    } else if (strcmp(value, "starttls") == 0) {
        options->tls = JINGLE_TLS_START;
    } else if (strcmp(value, "direct") == 0) {
        options->tls = JINGLE_TLS_DIRECT;
    } else {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--tls is one of auto, starttls and direct, not %s", value);
        return FALSE;
    }
    return TRUE;
}

/* --camera and --screen may stand alone. */
static gboolean parse_place(const char *option, const char *value, gpointer data, GError **error)
{
    (void)error;
    struct options *options = data;
    char **place = strcmp(option, "--camera") == 0 ? &options->camera : &options->screen;
    g_free(*place);
    *place = g_strdup(value ? value : "");
    return TRUE;
}

static gboolean parse_verbose(const char *option, const char *value, gpointer data, GError **error)
{
    (void)option;
    (void)value;
    (void)error;
    struct options *options = data;
    options->verbosity++;
    return TRUE;
}

#define CALLBACK(function) G_OPTION_ARG_CALLBACK, (gpointer)(function)
#define ENTRY_END                       \
    {                                   \
        NULL, 0, 0, 0, NULL, NULL, NULL \
    }

/* Each plain flag can be undone, in particular one that the configuration file has set. */
static void group_add_opposites(GOptionGroup *group, const GOptionEntry *entries)
{
    for (const GOptionEntry *entry = entries; entry->long_name; entry++) {
        if (entry->arg != G_OPTION_ARG_NONE) {
            continue;
        }
        GOptionEntry opposite[] = {*entry, ENTRY_END};
        char *name = g_str_has_prefix(entry->long_name, "no-")
                         ? g_strdup(entry->long_name + strlen("no-"))
                         : g_strdup_printf("no-%s", entry->long_name);
        opposite[0].long_name = g_intern_string(name);
        opposite[0].short_name = 0;
        opposite[0].flags = G_OPTION_FLAG_REVERSE | G_OPTION_FLAG_HIDDEN;
        g_option_group_add_entries(group, opposite);
        g_free(name);
    }
}

static void context_add(GOptionContext *context, struct options *options, const char *name,
                        const char *title, const GOptionEntry *entries)
{
    GOptionGroup *group = g_option_group_new(name, title, title, options, NULL);
    g_option_group_add_entries(group, entries);
    group_add_opposites(group, entries);
    g_option_context_add_group(context, group);
}

static void context_add_account(GOptionContext *context, struct options *o)
{
    const GOptionEntry entries[] = {
        {"jid", 'j', 0, G_OPTION_ARG_STRING, &o->jid, "Your account: name@server", "JID"},
        {"resource", 0, 0, G_OPTION_ARG_STRING, &o->resource, "Name of this device", "NAME"},
        {"password-file", 0, 0, G_OPTION_ARG_FILENAME, &o->password_file,
         "Its first line is the password", "FILE"},
        {"config", 0, 0, G_OPTION_ARG_FILENAME, &o->config_file,
         "In place of ~/.config/jcall/config", "FILE"},
        ENTRY_END,
    };
    context_add(context, o, "account", "Account:", entries);
}

static void context_add_network(GOptionContext *context, struct options *o)
{
    const GOptionEntry entries[] = {
        {"host", 0, 0, G_OPTION_ARG_STRING, &o->host, "Connect here, not where DNS says", "HOST"},
        {"port", 0, 0, G_OPTION_ARG_INT, &o->port, "Connect to this port", "PORT"},
        {"tls", 0, 0, CALLBACK(parse_tls), "auto (as DNS says), starttls or direct", "HOW"},
        {"ca-file", 0, 0, G_OPTION_ARG_FILENAME, &o->ca_file, "Trust these authorities, too (PEM)",
         "FILE"},
        {"ice-server", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->ice_servers,
         "STUN or TURN server: \"URI [USER PASSWORD]\"; repeatable", "SERVER"},
        {"relay-only", 0, 0, G_OPTION_ARG_NONE, &o->relay_only,
         "Sound only through TURN: hides your address from them", NULL},
        {"allow-strangers", 0, 0, G_OPTION_ARG_NONE, &o->allow_strangers,
         "Let people ring who are not your contacts", NULL},
        {"lab-plaintext", 0, 0, G_OPTION_ARG_NONE, &o->lab_plaintext,
         "FOR A LAB ONLY: log in without encryption", NULL},
        {"lab-any-certificate", 0, 0, G_OPTION_ARG_NONE, &o->lab_any_certificate,
         "FOR A LAB ONLY: believe any server", NULL},
        {"lab-loopback", 0, 0, G_OPTION_ARG_NONE, &o->lab_loopback,
         "FOR A LAB ONLY: offer 127.0.0.1, so that one machine can call itself", NULL},
        ENTRY_END,
    };
    context_add(context, o, "network", "Network:", entries);
}

static void context_add_sound(GOptionContext *context, struct options *o)
{
    const GOptionEntry entries[] = {
        {"source", 0, 0, G_OPTION_ARG_STRING, &o->source,
         "What they hear: device[:NAME], file:PATH, tone:HZ, silence", "WHAT"},
        {"sink", 0, 0, G_OPTION_ARG_STRING, &o->sink,
         "Where you hear them: device[:NAME], file:PATH, null", "WHERE"},
        {"loop", 0, 0, G_OPTION_ARG_NONE, &o->loop, "Play the file again and again", NULL},
        {"record", 0, 0, G_OPTION_ARG_FILENAME, &o->record,
         "Also record them: .wav .flac .ogg .opus, with pictures .webm", "FILE"},
        {"echo-cancellation", 0, G_OPTION_FLAG_NO_ARG, CALLBACK(parse_switch),
         "Also --no-echo-cancellation; on with real devices", NULL},
        {"no-echo-cancellation", 0, G_OPTION_FLAG_NO_ARG | G_OPTION_FLAG_HIDDEN,
         CALLBACK(parse_switch), NULL, NULL},
        {"noise-suppression", 0, G_OPTION_FLAG_NO_ARG, CALLBACK(parse_switch),
         "Also --no-noise-suppression; on with a real microphone", NULL},
        {"no-noise-suppression", 0, G_OPTION_FLAG_NO_ARG | G_OPTION_FLAG_HIDDEN,
         CALLBACK(parse_switch), NULL, NULL},
        {"gain-control", 0, G_OPTION_FLAG_NO_ARG, CALLBACK(parse_switch),
         "Also --no-gain-control; on with a real microphone", NULL},
        {"no-gain-control", 0, G_OPTION_FLAG_NO_ARG | G_OPTION_FLAG_HIDDEN, CALLBACK(parse_switch),
         NULL, NULL},
        ENTRY_END,
    };
    context_add(context, o, "sound", "Sound:", entries);
}

static void context_add_video(GOptionContext *context, struct options *o)
{
    const GOptionEntry entries[] = {
        {"video", 0, 0, G_OPTION_ARG_NONE, &o->video,
         "See each other: from the camera, unless the next ones say otherwise", NULL},
        {"camera", 0, G_OPTION_FLAG_OPTIONAL_ARG, CALLBACK(parse_place),
         "Send this camera (jcall devices), or the first", "NAME"},
        {"screen", 0, G_OPTION_FLAG_OPTIONAL_ARG, CALLBACK(parse_place),
         "Send the screen, window:TITLE or WIDTHxHEIGHT+X+Y", "WHAT"},
        {"play", 0, 0, G_OPTION_ARG_FILENAME, &o->play, "Send a video file with its sound", "FILE"},
        {"test-picture", 0, 0, G_OPTION_ARG_NONE, &o->test_picture,
         "Send a test picture with a clock", NULL},
        {"watch", 0, 0, G_OPTION_ARG_NONE, &o->watch, "Take their picture, send none", NULL},
        {"no-display", 0, 0, G_OPTION_ARG_NONE, &o->no_display, "Open no window", NULL},
        {"snapshot", 0, 0, G_OPTION_ARG_FILENAME, &o->snapshot,
         "Save the last picture of them at the end (PNG)", "FILE"},
        {"video-codec", 0, 0, G_OPTION_ARG_STRING, &o->video_codec, "VP8 (usual) or VP9", "NAME"},
        {"video-size", 0, 0, G_OPTION_ARG_STRING, &o->video_size, "Send at most this", "WxH"},
        {"video-bitrate", 0, 0, G_OPTION_ARG_INT, &o->video_bitrate,
         "Send at most so many bit/s (2500000)", "RATE"},
        {"frame-rate", 0, 0, G_OPTION_ARG_INT, &o->frame_rate,
         "Send at most so many pictures a second (30)", "RATE"},
        ENTRY_END,
    };
    context_add(context, o, "video", "Video:", entries);
}

static void context_add_codec(GOptionContext *context, struct options *o)
{
    const GOptionEntry entries[] = {
        {"codec", 0, 0, G_OPTION_ARG_STRING, &o->codec, "opus (usual), PCMU or PCMA", "NAME"},
        {"bitrate", 0, 0, G_OPTION_ARG_INT, &o->bitrate, "Of Opus: 6000 to 510000 bit/s", "RATE"},
        {"ptime", 0, 0, G_OPTION_ARG_INT, &o->ptime, "Packet length: 10, 20, 40 or 60 ms", "MS"},
        {"stereo", 0, 0, G_OPTION_ARG_NONE, &o->stereo, "Send two channels", NULL},
        {"fec", 0, G_OPTION_FLAG_NO_ARG, CALLBACK(parse_switch),
         "Redundancy against loss always, or --no-fec never", NULL},
        {"no-fec", 0, G_OPTION_FLAG_NO_ARG | G_OPTION_FLAG_HIDDEN, CALLBACK(parse_switch), NULL,
         NULL},
        {"dtx", 0, G_OPTION_FLAG_NO_ARG, CALLBACK(parse_switch), "Do not send silence", NULL},
        {"no-dtx", 0, G_OPTION_FLAG_NO_ARG | G_OPTION_FLAG_HIDDEN, CALLBACK(parse_switch), NULL,
         NULL},
        ENTRY_END,
    };
    context_add(context, o, "codec", "Coding:", entries);
}

static void context_add_call(GOptionContext *context, struct options *o)
{
    const GOptionEntry entries[] = {
        {"ring-timeout", 0, 0, G_OPTION_ARG_DOUBLE, &o->ring_timeout,
         "Give up ringing after this long (60)", "SECONDS"},
        {"seconds", 0, 0, G_OPTION_ARG_DOUBLE, &o->seconds,
         "Hang up this long after the call connected", "SECONDS"},
        {"until-source-ends", 0, 0, G_OPTION_ARG_NONE, &o->until_source_ends,
         "Hang up when the file is at its end", NULL},
        {"digits", 0, 0, G_OPTION_ARG_STRING, &o->digits, "Dial these once connected", "DIGITS"},
        {"direct", 0, 0, G_OPTION_ARG_NONE, &o->direct,
         "call: ring one device at once, without a message to all", NULL},
        {"auto", 0, 0, G_OPTION_ARG_NONE, &o->automatic, "answer: without asking", NULL},
        {"once", 0, 0, G_OPTION_ARG_NONE, &o->once, "answer: end after one call", NULL},
        ENTRY_END,
    };
    context_add(context, o, "call", "Calls:", entries);
}

static void context_add_output(GOptionContext *context, struct options *o)
{
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &o->json, "One event a line, for programs", NULL},
        {"commands", 0, 0, G_OPTION_ARG_NONE, &o->commands,
         "Take commands (answer, hangup ...) from standard input", NULL},
        {"verbose", 'v', G_OPTION_FLAG_NO_ARG, CALLBACK(parse_verbose),
         "Show what goes on; twice: every stanza", NULL},
        {"report", 0, 0, G_OPTION_ARG_FILENAME, &o->report,
         "Write a page about the call, with charts (HTML)", "FILE"},
        {"log", 0, 0, G_OPTION_ARG_FILENAME, &o->log_file, "Write all that goes on to a file",
         "FILE"},
        ENTRY_END,
    };
    context_add(context, o, "output", "Output:", entries);
}

struct general {
    gboolean help;
    gboolean version;
};

static GOptionContext *context_new(struct options *options, struct general *general)
{
    const GOptionEntry words[] = {
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->words, NULL,
         "COMMAND [JID]"},
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
    context_add(context, options, "general", "General:", entries);
    context_add_account(context, options);
    context_add_network(context, options);
    context_add_sound(context, options);
    context_add_video(context, options);
    context_add_codec(context, options);
    context_add_call(context, options);
    context_add_output(context, options);
    return context;
}

static void help_print(GOptionContext *context)
{
    char *codes = exit_help();
    char *description = g_strconcat(LESSON, "\n", codes, NULL);
    g_option_context_set_summary(context, SUMMARY);
    g_option_context_set_description(context, description);
    char *help = g_option_context_get_help(context, FALSE, NULL);
    fputs(help, stdout);
    g_free(help);
    g_free(description);
    g_free(codes);
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

static enum options_result options_judge(struct options *options, GOptionContext *context,
                                         const struct general *general, char **message)
{
    if (general->help) {
        help_print(context);
        return OPTIONS_TOLD;
    }
    if (general->version) {
        printf("jcall %s\n", jingle_version_string());
        return OPTIONS_TOLD;
    }
    const char *wrong = check_range(options);
    if (!wrong && !options->words) {
        wrong = "Say what to do: jcall call JID, jcall answer, jcall contacts, jcall devices or "
                "jcall check; jcall --help explains.";
    }
    if (wrong) {
        *message = g_strdup(wrong);
        return OPTIONS_WRONG;
    }
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
        options->jid,        options->resource,    options->password_file, options->host,
        options->ca_file,    options->config_file, options->sink,          options->source,
        options->record,     options->codec,       options->digits,        options->log_file,
        options->config_jid, options->camera,      options->screen,        options->play,
        options->snapshot,   options->report,      options->video_codec,   options->video_size};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_free(texts[i]);
    }
    *options = (struct options){0};
}
