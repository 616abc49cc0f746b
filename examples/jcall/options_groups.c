/* The options of calls and of the program, group by group as --help shows them. */
#include "options_group.h"

#include <string.h>

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

static gboolean parse_family(const char *option, const char *value, gpointer data, GError **error)
{
    (void)option;
    struct options *options = data;
    if (strcmp(value, "any") == 0) {
        options->family = JINGLE_FAMILY_ANY;
    } else if (strcmp(value, "ipv4") == 0) {
        options->family = JINGLE_FAMILY_IPV4;
    } else if (strcmp(value, "ipv6") == 0) {
        options->family = JINGLE_FAMILY_IPV6;
    } else {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--family is one of any, ipv4 and ipv6, not %s", value);
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

void options_group_add(GOptionContext *context, struct options *options, const char *name,
                       const char *title, const GOptionEntry *entries)
{
    GOptionGroup *group = g_option_group_new(name, title, title, options, NULL);
    g_option_group_add_entries(group, entries);
    group_add_opposites(group, entries);
    g_option_context_add_group(context, group);
}

static void add_account(GOptionContext *context, struct options *o)
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
    options_group_add(context, o, "account", "Account:", entries);
}

static void add_network(GOptionContext *context, struct options *o)
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
         "Sound only through TURN, files through proxies: hides your address", NULL},
        {"interfaces", 0, 0, G_OPTION_ARG_STRING, &o->interfaces,
         "For calls and files only these: eth0,wl*; or not these: !docker*,!tun*", "LIST"},
        {"family", 0, 0, CALLBACK(parse_family), "For calls and files only ipv4 or ipv6", "WHICH"},
        {"allow-strangers", 0, 0, G_OPTION_ARG_NONE, &o->allow_strangers,
         "Let people ring who are not your contacts", NULL},
        {"allow-unencrypted", 0, 0, G_OPTION_ARG_NONE, &o->allow_unencrypted,
         "Also calls with old clients that encrypt nothing: anyone on the way can listen", NULL},
        {"lab-plaintext", 0, 0, G_OPTION_ARG_NONE, &o->lab_plaintext,
         "FOR A LAB ONLY: log in without encryption", NULL},
        {"lab-any-certificate", 0, 0, G_OPTION_ARG_NONE, &o->lab_any_certificate,
         "FOR A LAB ONLY: believe any server", NULL},
        {"lab-loopback", 0, 0, G_OPTION_ARG_NONE, &o->lab_loopback,
         "FOR A LAB ONLY: offer 127.0.0.1, so that one machine can call itself", NULL},
        ENTRY_END,
    };
    options_group_add(context, o, "network", "Network:", entries);
}

static void add_sound(GOptionContext *context, struct options *o)
{
    const GOptionEntry entries[] = {
        {"source", 0, 0, G_OPTION_ARG_STRING, &o->source,
         "What they hear: device[:NAME], file:PATH, tone:HZ, silence", "WHAT"},
        {"sink", 0, 0, G_OPTION_ARG_STRING, &o->sink,
         "Where you hear them: device[:NAME], file:PATH, null", "WHERE"},
        {"ring", 0, 0, G_OPTION_ARG_STRING, &o->ring, "Where it rings, likewise; null: not at all",
         "WHERE"},
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
    options_group_add(context, o, "sound", "Sound:", entries);
}

static void add_video(GOptionContext *context, struct options *o)
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
    options_group_add(context, o, "video", "Video:", entries);
}

static void add_codec(GOptionContext *context, struct options *o)
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
    options_group_add(context, o, "codec", "Coding:", entries);
}

static void add_call(GOptionContext *context, struct options *o)
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
        {"call-waiting", 0, 0, G_OPTION_ARG_NONE, &o->call_waiting,
         "A second caller waits in place of reading that you are busy", NULL},
        {"auto", 0, 0, G_OPTION_ARG_NONE, &o->automatic, "answer, receive: without asking", NULL},
        {"once", 0, 0, G_OPTION_ARG_NONE, &o->once, "answer, receive: end after one", NULL},
        ENTRY_END,
    };
    options_group_add(context, o, "call", "Calls:", entries);
}

static void add_output(GOptionContext *context, struct options *o)
{
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &o->json, "One event a line, for programs", NULL},
        {"commands", 0, 0, G_OPTION_ARG_NONE, &o->commands,
         "Take commands (answer, accept ...) from standard input", NULL},
        {"verbose", 'v', G_OPTION_FLAG_NO_ARG, CALLBACK(parse_verbose),
         "Show what goes on; twice: every stanza", NULL},
        {"report", 0, 0, G_OPTION_ARG_FILENAME, &o->report,
         "Write a page about the call, with charts (HTML)", "FILE"},
        {"log", 0, 0, G_OPTION_ARG_FILENAME, &o->log_file, "Write all that goes on to a file",
         "FILE"},
        ENTRY_END,
    };
    options_group_add(context, o, "output", "Output:", entries);
}

void options_groups_add(GOptionContext *context, struct options *options)
{
    add_account(context, options);
    add_network(context, options);
    add_sound(context, options);
    add_video(context, options);
    add_codec(context, options);
    add_call(context, options);
    options_files_add(context, options);
    add_output(context, options);
}
