/* The options of jcall send and jcall receive. */
#include "amount.h"
#include "options_group.h"

#include <string.h>

static gboolean parse_via(const char *option, const char *value, gpointer data, GError **error)
{
    static const struct {
        const char *word;
        jingle_way way;
    } ways[] = {
        {"auto", JINGLE_WAY_AUTO},      {"p2p", JINGLE_WAY_DIRECT}, {"proxy", JINGLE_WAY_PROXY},
        {"inband", JINGLE_WAY_INBAND},  {"http", JINGLE_WAY_HTTP},  {"direct", JINGLE_WAY_DIRECT},
        {"in-band", JINGLE_WAY_INBAND}, /* as they are told */
    };
    (void)option;
    struct options *options = data;
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        if (strcmp(value, ways[i].word) == 0) {
            options->via = ways[i].way;
            return TRUE;
        }
    }
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "--via is one of auto, p2p, proxy, inband and http, not %s", value);
    return FALSE;
}

static gboolean parse_amount(const char *option, const char *value, gpointer data, GError **error)
{
    struct options *options = data;
    bool limit = strcmp(option, "--limit") == 0;
    uint64_t *amount = limit ? &options->limit : &options->max;
    if (amount_parse(value, amount) && (*amount > 0 || limit)) {
        return TRUE;
    }
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "%s is a number of bytes such as 500k, 10M or 2G, not %s", option, value);
    return FALSE;
}

void options_files_add(GOptionContext *context, struct options *o)
{
    const GOptionEntry entries[] = {
        {"via", 0, 0, CALLBACK(parse_via),
         "send: auto, p2p, proxy, inband or http (kept on your server)", "WAY"},
        {"tar", 0, 0, G_OPTION_ARG_NONE, &o->tar, "send: pack each folder into an archive", NULL},
        {"limit", 0, 0, CALLBACK(parse_amount),
         "So many bytes a second at most, each file (0: no limit)", "RATE"},
        {"description", 0, 0, G_OPTION_ARG_STRING, &o->description, "send: words to go with it",
         "TEXT"},
        {"name", 0, 0, G_OPTION_ARG_STRING, &o->name, "send: they see this name of the file",
         "NAME"},
        {"type", 0, 0, G_OPTION_ARG_STRING, &o->type,
         "send: what it is, such as image/png, if not what it looks like", "TYPE"},
        {"dir", 0, 0, G_OPTION_ARG_FILENAME, &o->dir,
         "Save files here (usually your folder for downloads)", "FOLDER"},
        {"max", 0, 0, CALLBACK(parse_amount),
         "receive: refuse larger files (any size if asked, 1G with --auto)", "SIZE"},
        {"from", 0, 0, G_OPTION_ARG_STRING, &o->from, "receive: from this person only", "JID"},
        ENTRY_END,
    };
    options_group_add(context, o, "files", "Files:", entries);
}
