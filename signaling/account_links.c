/* Links to files that people send (XEP-0066): told to whoever takes files, and never fetched.
 *
 *     message, or its copy from another device ─▶ of a contact, chat ─▶ not told yet ─▶ LINK
 *
 * What the archive (XEP-0313) holds is not told: the server also hands over what it kept, and what
 * was told before the last logout is not remembered. */
#include "signaling/account_file_state.h"

#include <string.h>

#include "signaling/jid.h"
#include "signaling/oob.h"

#define LINKS_REMEMBERED 256

/* A server may deliver a message again, and copy to us what also came to us. Clients that count
 * their ids from 1 at each start use them twice: so the link counts, too. */
static bool is_new(struct account *account, const char *from, const char *id, const char *url)
{
    char *folded = jid_fold_bare(from);
    char *whole = g_strjoin("\n", folded, id, url, NULL);
    char *key = g_compute_checksum_for_string(G_CHECKSUM_SHA256, whole, -1);
    GQueue *told = &account->files->links_told;
    bool found = g_queue_find_custom(told, key, (GCompareFunc)strcmp) != NULL;
    g_free(whole);
    g_free(folded);
    if (found) {
        g_free(key);
        return false;
    }
    g_queue_push_tail(told, key);
    if (g_queue_get_length(told) > LINKS_REMEMBERED)
        g_free(g_queue_pop_head(told));
    return true;
}

/* A stamp is the sender's word: nothing was sent in the future. */
static int64_t when_sent(const struct account *account, const struct stanza *message)
{
    int64_t now = account->hooks.wall(account->hooks.user);
    int64_t when = now;
    return stanza_delay(message, &when) ? MIN(when, now) : now;
}

static void tell(struct account *account, const struct stanza *message, const struct oob_link *link)
{
    char *bare = jid_bare(message->from);
    char *name = account_display_name(account, bare);
    struct account_event event = {
        .type = ACCOUNT_EVENT_LINK,
        .u.link = {.from = bare,
                   .name = name,
                   .url = link->url,
                   .description = link->description,
                   .encrypted = link->encrypted,
                   .on_roster = roster_find(account->roster, bare) != NULL,
                   .when = when_sent(account, message)},
    };
    account_tell(account, &event);
    g_free(name);
    g_free(bare);
}

static bool is_said_to_us(const struct account *account, const struct stanza *message)
{
    bool chat = *message->type == '\0' || strcmp(message->type, "normal") == 0 ||
                strcmp(message->type, "chat") == 0;
    return chat && message->from && jid_is_valid(message->from) &&
           !jid_equal(message->from, account->full_jid) &&
           account_is_trusted(account, message->from);
}

void account_receive_link(struct account *account, const struct stanza *message)
{
    struct oob_link link;
    const char *why = "";
    if (!account->files->take || !oob_is_in(message->node) || !is_said_to_us(account, message))
        return;
    if (!oob_link_read(&link, message->node, &why)) {
        log_info(account->log, "%s sent a link: %s", message->from, why);
        return;
    }
    if (is_new(account, message->from, message->id, link.url))
        tell(account, message, &link);
    oob_link_clear(&link);
}
