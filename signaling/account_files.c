/* The files of an account: their life, what the application wants of them, and what happens around
 * them. Whom to offer to is decided in account_file_dial.c; sessions are in account_file_jingle.c,
 * in-band streams in account_file_blocks.c.
 *
 *     account_files_offer ─▶ order ─▶ decide ─▶ talk (session) ─▶ ENDED
 *     session-initiate came ───────────────▶ talk ─▶ OFFERED ─▶ accept ─▶ ENDED
 *
 * When the stream to the server comes back under another JID of ours, the peers believe nothing of
 * what we say in the sessions of the old one. Files whose bytes have a connection of their own go
 * on all the same, for the bytes tell their end; all others end with JINGLE_ERROR_OFFLINE. In-band
 * streams end with any loss of the stream, for blocks may be lost with it. */
#include "signaling/account_file_state.h"

#include <string.h>

#include "signaling/jid.h"

/* ------------------------------------------------------------------------------------ life -- */

struct account_file *account_file_new(struct account *account, bool outgoing)
{
    struct account_file *file = g_new0(struct account_file, 1);
    file->account = account;
    file->outgoing = outgoing;
    file->peer_hashes = g_new0(const char *, FILE_HASH_FUNCTIONS + 1);
    file_blocks_init(&file->blocks);
    g_ptr_array_add(account->files->files, file);
    return file;
}

static void file_free(void *data)
{
    struct account_file *file = data;
    outbox_forget(file->account->outbox, file);
    file_blocks_clear(file);
    g_array_free(file->blocks.sent, TRUE);
    g_array_free(file->blocks.refused, TRUE);
    file_description_clear(&file->description);
    g_free((void *)file->peer_hashes);
    g_free(file->content);
    g_free(file);
}

static void talk_free(void *talk)
{
    file_talk_free(talk);
}

static void order_free(void *order)
{
    file_order_free(order);
}

void account_files_init(struct account *account)
{
    account->files = g_new0(struct account_files, 1);
    account->files->files = g_ptr_array_new();
    account_file_services_init(account);
}

static void free_each_file(GPtrArray *files)
{
    for (guint i = 0; i < files->len; i++)
        file_free(files->pdata[i]);
    g_ptr_array_free(files, TRUE);
}

void account_files_free(struct account *account)
{
    struct account_files *files = account->files;
    free_each_file(files->files);
    g_queue_clear_full(&files->ended_files, file_free);
    g_queue_clear_full(&files->talks, talk_free);
    g_queue_clear_full(&files->ended_talks, talk_free);
    g_queue_clear_full(&files->orders, order_free);
    account_uploads_free(account);
    g_queue_clear_full(&files->links_told, g_free);
    file_services_free(files->services);
    g_free(files);
}

static void sweep_orders(struct account_files *files)
{
    for (GList *item = files->orders.head, *next = NULL; item; item = next) {
        struct file_order *order = item->data;
        next = item->next;
        if (order->talk || !g_queue_is_empty(&order->waiting))
            continue;
        g_queue_delete_link(&files->orders, item);
        file_order_free(order);
    }
}

void account_files_sweep(struct account *account)
{
    struct account_files *files = account->files;
    while (!g_queue_is_empty(&files->ended_files))
        file_free(g_queue_pop_head(&files->ended_files));
    while (!g_queue_is_empty(&files->ended_talks))
        file_talk_free(g_queue_pop_head(&files->ended_talks));
    sweep_orders(files);
    account_uploads_sweep(account);
}

void account_files_enable(struct account *account, const struct account_file_hooks *hooks,
                          bool take)
{
    account->files->hooks = *hooks;
    account->files->enabled = true;
    account->files->take = take;
    if (take)
        account_announce_files(account);
}

void account_files_hide(struct account *account)
{
    account->files->known_proxies_only = true;
}

void account_file_tell(struct account_file *file, const struct file_event *event)
{
    struct account_files *files = file->account->files;
    files->hooks.event(files->hooks.user, file, event);
}

void account_file_finish(struct account_file *file, const struct file_event *ended)
{
    struct account_files *files = file->account->files;
    if (file->ended)
        return;
    file->ended = true;
    file->decided = true;
    g_ptr_array_remove(files->files, file);
    g_queue_push_tail(&files->ended_files, file);
    if (file->talk)
        g_ptr_array_remove(file->talk->files, file);
    else if (file->order)
        g_queue_remove(&file->order->waiting, file);
    outbox_forget(file->account->outbox, file);
    file_blocks_clear(file);
    account_file_tell(file, ended);
}

void account_file_fail(struct account_file *file, jingle_status status, jingle_party by,
                       const char *text)
{
    struct file_event event = {
        .type = FILE_EVENT_ENDED,
        .content = file->content ? file->content : "",
        .u.ended = {.status = status, .by = by, .text = text},
    };
    account_file_finish(file, &event);
}

/* ---------------------------------------------------------------------------------- orders -- */

static void add_to_order(struct file_order *order, const struct account_file_config *config,
                         struct account_file **out)
{
    struct account_file *file = account_file_new(order->account, true);
    file->user = config->user;
    file->order = order;
    file->sends = !order->request;
    file_description_copy(&file->description, config->file);
    g_queue_push_tail(&order->waiting, file);
    *out = file;
}

static jingle_status check_order(const struct account *account, const char *to, bool request,
                                 size_t count)
{
    if (!account->files->enabled)
        return JINGLE_ERROR_STATE;
    if (!to || !jid_is_valid(to) || (request && !jid_is_full(to)) ||
        (account->full_jid && jid_equal(to, account->full_jid)))
        return JINGLE_ERROR_JID;
    if (!account->online)
        return JINGLE_ERROR_OFFLINE;
    if (count > ACCOUNT_FILES_MAX || account->files->files->len + count > ACCOUNT_FILES_MAX)
        return JINGLE_ERROR_LIMIT;
    return JINGLE_OK;
}

jingle_status account_files_offer(struct account *account, const char *to, bool request,
                                  const struct account_file_config *files, size_t count,
                                  unsigned ways, usec now, struct account_file **out)
{
    jingle_status status = check_order(account, to, request, count);
    if (status != JINGLE_OK)
        return status;
    struct file_order *order = g_new0(struct file_order, 1);
    order->account = account;
    order->to = g_strdup(to);
    order->request = request;
    order->ways = ways;
    order->began = now;
    order->decide_at = now; /* at the tick that follows: nothing is told from in here */
    for (size_t i = 0; i < count; i++)
        add_to_order(order, &files[i], &out[i]);
    g_queue_push_tail(&account->files->orders, order);
    return JINGLE_OK;
}

/* --------------------------------------------------------------------------------- commands -- */

/* The session to be told, if the file has one. */
static struct file_session *session_of(const struct account_file *file)
{
    return file->ended || !file->talk ? NULL : file->talk->session;
}

void account_file_accept(struct account_file *file, uint64_t offset,
                         const struct file_description *description, unsigned ways, usec now)
{
    account_enter(file->account, now);
    file->decided = file->decided || !file->outgoing;
    if (session_of(file))
        file_session_accept(session_of(file), file->content, offset, description, ways, now);
    account_leave(file->account);
}

void account_file_reject(struct account_file *file, usec now)
{
    account_enter(file->account, now);
    file->decided = file->decided || !file->outgoing;
    if (session_of(file))
        file_session_reject(session_of(file), file->content, now);
    account_leave(file->account);
}

void account_file_end(struct account_file *file, jingle_status status, usec now)
{
    account_enter(file->account, now);
    if (session_of(file))
        file_session_end_content(session_of(file), file->content, status, now);
    else
        account_file_fail(file, status, JINGLE_PARTY_LOCAL, "");
    account_leave(file->account);
}

void account_file_add_candidate(struct account_file *file, enum s5b_type type, const char *host,
                                uint16_t port, usec now)
{
    account_enter(file->account, now);
    if (session_of(file))
        file_session_add_candidate(session_of(file), file->content, type, host, port, now);
    account_leave(file->account);
}

void account_file_connected(struct account_file *file, const char *cid, usec now)
{
    account_enter(file->account, now);
    if (session_of(file))
        file_session_connected(session_of(file), file->content, cid, now);
    account_leave(file->account);
}

void account_file_unconnected(struct account_file *file, usec now)
{
    account_enter(file->account, now);
    if (session_of(file))
        file_session_unconnected(session_of(file), file->content, now);
    account_leave(file->account);
}

void account_file_proxy_connected(struct account_file *file, bool connected, usec now)
{
    account_enter(file->account, now);
    if (session_of(file))
        file_session_proxy_connected(session_of(file), file->content, connected, now);
    account_leave(file->account);
}

void account_file_stream_failed(struct account_file *file, usec now)
{
    account_enter(file->account, now);
    file->flows = false;
    if (session_of(file))
        file_session_stream_failed(session_of(file), file->content, now);
    account_leave(file->account);
}

void account_file_sent(struct account_file *file, const struct file_hash *hashes, size_t count,
                       usec now)
{
    account_enter(file->account, now);
    if (session_of(file))
        file_session_sent(session_of(file), file->content, hashes, count, now);
    account_leave(file->account);
}

void account_file_stream_closed(struct account_file *file, usec now)
{
    account_enter(file->account, now);
    if (session_of(file))
        file_session_stream_closed(session_of(file), file->content, now);
    account_leave(file->account);
}

void account_file_received(struct account_file *file, usec now)
{
    account_enter(file->account, now);
    if (session_of(file))
        file_session_received(session_of(file), file->content, now);
    account_leave(file->account);
}

/* ------------------------------------------------------------------------------- questions -- */

const char *account_file_peer(const struct account_file *file)
{
    if (file->talk)
        return file->talk->peer;
    return file->order->device ? file->order->device : file->order->to;
}

const char *account_file_sid(const struct account_file *file)
{
    return file->talk ? file->talk->sid : "";
}

bool account_file_is_outgoing(const struct account_file *file)
{
    return file->outgoing;
}

unsigned account_file_window(const struct account_file *file)
{
    const unsigned among_engines = 16;
    unsigned capabilities = file_peer_capabilities(file->account, account_file_peer(file));
    return capabilities & CAN_ENGINE_FILES ? among_engines : 1;
}

const char *const *account_file_peer_hashes(const struct account_file *file)
{
    static const struct {
        const char *name;
        enum capability capability;
    } functions[FILE_HASH_FUNCTIONS] = {
        {"sha-256", CAN_HASH_SHA_256},   {"sha-512", CAN_HASH_SHA_512},
        {"sha3-256", CAN_HASH_SHA3_256}, {"sha3-512", CAN_HASH_SHA3_512},
        {"sha-1", CAN_HASH_SHA_1},       {"blake2b-512", CAN_HASH_BLAKE2B_512},
    };
    unsigned capabilities = file_peer_capabilities(file->account, account_file_peer(file));
    size_t count = 0;
    for (size_t i = 0; i < FILE_HASH_FUNCTIONS; i++)
        if (capabilities & functions[i].capability)
            file->peer_hashes[count++] = functions[i].name;
    file->peer_hashes[count] = NULL;
    return file->peer_hashes;
}

bool account_file_peer_is_contact(const struct account_file *file)
{
    const char *peer = account_file_peer(file);
    return roster_find(file->account->roster, peer) || jid_equal_bare(peer, file->account->bare);
}

void account_file_set_user(struct account_file *file, void *user)
{
    file->user = user;
}

void *account_file_user(const struct account_file *file)
{
    return file->user;
}

/* ------------------------------------------------------------------ what happens around them -- */

/* Copies, for files, talks and orders may end while they are gone through; none is freed then. */
static GList *copy_files(const struct account *account)
{
    GList *copy = NULL;
    for (guint i = account->files->files->len; i > 0; i--)
        copy = g_list_prepend(copy, account->files->files->pdata[i - 1]);
    return copy;
}

bool account_has_files_with(const struct account *account, const char *jid)
{
    for (guint i = 0; i < account->files->files->len; i++)
        if (jid_equal_bare(account_file_peer(account->files->files->pdata[i]), jid))
            return true;
    return false;
}

void account_files_reconsider(struct account *account, const char *jid, usec now)
{
    for (GList *item = account->files->orders.head; item; item = item->next) {
        struct file_order *order = item->data;
        if (!order->talk && !order->device && (!jid || jid_equal_bare(order->to, jid)))
            order->decide_at = now;
    }
}

void account_files_device_gone(struct account *account, const char *jid, usec now)
{
    GList *talks = g_list_copy(account->files->talks.head);
    for (GList *item = talks; item; item = item->next) {
        struct file_talk *talk = item->data;
        if (!talk->ended && talk->session && jid_equal(talk->peer, jid))
            file_session_peer_gone(talk->session, now);
    }
    g_list_free(talks);
}

void account_files_offline(struct account *account)
{
    for (guint i = 0; i < account->files->files->len; i++)
        file_blocks_cut(account->files->files->pdata[i]);
    file_services_forget(account->files->services);
    account_uploads_offline(account);
}

static void end_what_needs_stanzas(struct account *account, usec now)
{
    GList *files = copy_files(account);
    for (GList *item = account->files->talks.head; item; item = item->next)
        outbox_forget(account->outbox, item->data);
    for (GList *item = files; item; item = item->next) {
        struct account_file *file = item->data;
        if (!file->flows && session_of(file))
            file_session_end_content(session_of(file), file->content, JINGLE_ERROR_OFFLINE, now);
    }
    g_list_free(files);
}

void account_files_online(struct account *account, bool other_jid, usec now)
{
    if (other_jid)
        end_what_needs_stanzas(account, now);
    if (account->files->take)
        account_file_services_need(account); /* an offer may come at any time */
    for (GList *item = account->files->orders.head; item; item = item->next)
        ((struct file_order *)item->data)->decide_at = now;
    account_uploads_online(account, now);
}

usec account_files_next_deadline(const struct account *account)
{
    const struct account_files *files = account->files;
    usec next = account_uploads_next_deadline(account);
    for (GList *item = files->orders.head; item; item = item->next)
        next = MIN(next, ((const struct file_order *)item->data)->decide_at);
    for (GList *item = files->talks.head; item; item = item->next) {
        const struct file_talk *talk = item->data;
        if (talk->session)
            next = MIN(next, file_session_next_deadline(talk->session));
    }
    for (guint i = 0; i < files->files->len; i++)
        if (file_blocks_have_news(files->files->pdata[i]))
            return 0;
    return next;
}

static void tick_talks(struct account *account, usec now)
{
    GList *talks = g_list_copy(account->files->talks.head);
    for (GList *item = talks; item; item = item->next) {
        struct file_talk *talk = item->data;
        if (!talk->ended && talk->session)
            file_session_tick(talk->session, now);
    }
    g_list_free(talks);
}

static void tick_orders(struct account *account, usec now)
{
    GList *orders = g_list_copy(account->files->orders.head);
    for (GList *item = orders; item; item = item->next) {
        struct file_order *order = item->data;
        if (now >= order->decide_at)
            file_order_decide(order, now);
    }
    g_list_free(orders);
}

static void tick_files(struct account *account, usec now)
{
    GList *files = copy_files(account);
    for (GList *item = files; item; item = item->next) {
        struct account_file *file = item->data;
        if (!file->ended && file_blocks_have_news(file))
            file_blocks_tick(file, now);
    }
    g_list_free(files);
}

void account_files_tick(struct account *account, usec now)
{
    tick_files(account, now);
    tick_talks(account, now);
    tick_orders(account, now);
    account_uploads_tick(account, now);
}
