/* Calls that were missed while we were away, by our server's archive (XEP-0313): asked for at login
 * if it is known since when, for not every server keeps messages for those who are offline.
 *
 *     online ─▶ it has an archive ─▶ the last page ─▶ the page before ─▶ ... ─▶ up to date
 *                                        └──▶ messages of XEP-0353 ─▶ initiation: late_calls.h
 */
#include "signaling/account_state.h"

#include <string.h>

#include "signaling/archive.h"
#include "signaling/jid.h"

#define PAGES_MAX 4 /* at most so many at one login: the last 200 messages */

/* Our clock and the server's may differ so much. What was told before is not told again. */
#define CLOCKS_DIFFER (600 * USEC_PER_SEC)

/* A host may show what is years old. */
#define HOST_AGE_MAX (24 * 3600 * USEC_PER_SEC)

#define HEADER "jingle-engine calls 1"

static void ask(struct account *account, const char *before, usec now);

static void stop_reading(struct account *account)
{
    g_clear_pointer(&account->archive_query, g_free);
    initiation_reads_archive(account->initiation, false);
}

static void on_page(void *user, unsigned tag, const struct stanza *answer,
                    const struct stanza_error *error, usec now)
{
    struct account *account = user;
    (void)tag;
    char *rest = answer && !error ? archive_rest(answer) : NULL;
    if (error)
        log_info(account->log, "the archive was not read: %s", error->text);
    if (rest && account->archive_pages < PAGES_MAX) {
        ask(account, rest, now);
    } else {
        account->away_since = 0;
        stop_reading(account);
    }
    g_free(rest);
}

static void ask(struct account *account, const char *before, usec now)
{
    struct outbox_request request = {.answered = on_page, .user = account};
    account->archive_pages++;
    outbox_send(account->outbox,
                archive_query(account->archive_query, account->away_since - CLOCKS_DIFFER, before),
                &request, now);
}

void account_read_archive(struct account *account, usec now)
{
    bool wanted = account->ask_archive && account->server.message_archive && !account->external &&
                  !account->no_calls && account->away_since > CLOCKS_DIFFER;
    if (account->archive_query)
        return;
    if (!wanted) {
        account->away_since = 0;
        return;
    }
    account->archive_query = outbox_id(account->outbox);
    account->archive_pages = 0;
    initiation_reads_archive(account->initiation, true);
    ask(account, NULL, now);
}

/* What was not read to its end is read again. */
void account_archive_offline(struct account *account)
{
    account->offline_since = account->hooks.wall(account->hooks.user);
    if (account->archive_query)
        initiation_forget_archive(account->initiation);
    stop_reading(account);
}

/* For a stream that is resumed the server keeps what comes meanwhile (XEP-0198). */
void account_archive_online(struct account *account, bool resumed, usec now)
{
    if (!resumed && account->away_since == 0)
        account->away_since = account->offline_since;
    account->offline_since = 0;
    if (resumed && account->server.message_archive)
        account_read_archive(account, now);
}

bool account_receive_archived(struct account *account, const struct stanza *message, usec now)
{
    struct archive_result result;
    if (!archive_open(message, account->bare, &result))
        return false;
    bool asked = account->archive_query && strcmp(result.query, account->archive_query) == 0;
    int64_t age = account->hooks.wall(account->hooks.user) - result.when;
    if (asked || (account->external && age <= HOST_AGE_MAX))
        account_receive_kept_message(account, &result.inner, result.when, now);
    return true;
}

/* -------------------------------------------------------------------------------- history -- */

static void save_memory(void *user, const char *peer, const char *sid)
{
    if (!strpbrk(peer, " \n\r") && !strpbrk(sid, " \n\r"))
        g_string_append_printf(user, "call %s %s\n", peer, sid);
}

char *account_history_save(const struct account *account, size_t *bytes)
{
    GString *text = g_string_new(HEADER "\n");
    int64_t until = account->away_since ? account->away_since : account->offline_since;
    if (until == 0 && account->online)
        until = account->hooks.wall(account->hooks.user);
    if (until != 0)
        g_string_append_printf(text, "online %" G_GINT64_FORMAT "\n", until);
    initiation_memories(account->initiation, save_memory, text);
    *bytes = text->len;
    return g_string_free(text, FALSE);
}

static void load_line(struct account *account, const char *line, usec now)
{
    char **words = g_strsplit(line, " ", 4);
    guint count = g_strv_length(words);
    if (count == 2 && strcmp(words[0], "online") == 0)
        g_ascii_string_to_signed(words[1], 10, 0, G_MAXINT64, &account->away_since, NULL);
    else if (count == 3 && strcmp(words[0], "call") == 0 && jid_is_valid(words[1]) && *words[2])
        initiation_remember(account->initiation, words[1], words[2], now);
    g_strfreev(words);
}

void account_history_load(struct account *account, const char *text, size_t bytes, usec now)
{
    char *copy = g_strndup(text, bytes);
    char **lines = g_strsplit(copy, "\n", -1);
    bool known = lines[0] && strcmp(lines[0], HEADER) == 0 && g_utf8_validate(copy, -1, NULL);
    for (size_t i = 1; known && lines[i]; i++)
        load_line(account, lines[i], now);
    g_strfreev(lines);
    g_free(copy);
}
