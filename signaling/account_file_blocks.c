/* In-band streams of files (XEP-0047): <open/>, <data/> and <close/> as IQs. Each block is one IQ;
 * its answer says that the other side has taken it, which is all the flow control there is.
 *
 * A block is not sent again after a reconnect, for nobody knows whether it came through. So a
 * stream ends with the stream to the server: its blocks count as refused, and what comes for it
 * later is for nobody. */
#include "signaling/account_file_state.h"

#include <string.h>

#include "signaling/jid.h"

/* So many blocks may wait for us to take them; the window of any client that is known is smaller.
 */
#define CAME_MAX 32

/* A block that is to be answered. */
struct came_block {
    char *from;
    char *id;
};

static void came_free(void *data)
{
    struct came_block *block = data;
    g_free(block->from);
    g_free(block->id);
    g_free(block);
}

void file_blocks_init(struct file_blocks *blocks)
{
    g_queue_init(&blocks->came);
    blocks->sent = g_array_new(FALSE, FALSE, sizeof(uint16_t));
    blocks->refused = g_array_new(FALSE, FALSE, sizeof(uint16_t));
}

static void answer(struct account *account, const char *to, const char *id,
                   const struct stanza_error *error)
{
    struct stanza request = {.kind = STANZA_IQ, .type = "set", .id = id, .from = to};
    account_send(account, error ? stanza_error_reply(&request, error) : stanza_result(&request));
}

static void refuse_quietly(struct account *account, const struct stanza *iq,
                           enum stanza_condition condition, const char *why)
{
    struct stanza_error error = stanza_error_make(condition, JINGLE_CONDITION_NONE, why);
    account_reply_error(account, iq, &error);
}

static void refuse(struct account *account, const struct stanza *iq,
                   enum stanza_condition condition, const char *why)
{
    log_warning(account->log, "%s: in-band: %s", iq->from, why);
    refuse_quietly(account, iq, condition, why);
}

void file_blocks_clear(struct account_file *file)
{
    struct file_blocks *blocks = &file->blocks;
    struct stanza_error gone =
        stanza_error_make(STANZA_ITEM_NOT_FOUND, JINGLE_CONDITION_NONE, "the stream is over");
    for (GList *item = blocks->came.head; item; item = item->next) {
        const struct came_block *block = item->data;
        answer(file->account, block->from, block->id, &gone);
    }
    g_queue_clear_full(&blocks->came, came_free);
    g_array_set_size(blocks->sent, 0);
    g_array_set_size(blocks->refused, 0);
    blocks->open = false;
    blocks->opening = false;
    blocks->close_is_told = false;
    blocks->open_failed = false;
}

/* --------------------------------------------------------------------------------- opening -- */

static void on_open_answer(void *user, unsigned tag, const struct stanza *stanza,
                           const struct stanza_error *error, usec now)
{
    struct account_file *file = user;
    (void)tag;
    (void)stanza;
    file->blocks.opening = false;
    if (!file->ended)
        file_session_opened(file->talk->session, file->content, error == NULL, now);
}

void file_blocks_open(struct account_file *file, const struct ibb_transport *transport, usec now)
{
    struct xml *iq = ibb_open_iq(file->talk->peer, transport);
    struct outbox_request request = {.to = file->talk->peer,
                                     .answered = on_open_answer,
                                     .user = file,
                                     .limit = FILE_REPLACE_LIMIT};
    file->blocks.opening = true;
    outbox_send(file->account->outbox, iq, &request, now);
}

/* What the peer opened is told only after it was answered, for our blocks may follow at once. */
void file_blocks_begin(struct account_file *file, const struct ibb_transport *transport)
{
    struct account *account = file->account;
    g_strlcpy(file->blocks.sid, transport->sid, sizeof file->blocks.sid);
    file->blocks.open = true;
    file->flows = false;
    if (account->files->opening)
        account_send(account, stanza_result(account->files->opening));
    account->files->opening = NULL;
}

static void receive_open(struct account *account, const struct stanza *iq,
                         const struct ibb_stanza *open, usec now)
{
    struct stanza_error error = stanza_error_make(STANZA_NOT_ACCEPTABLE, JINGLE_CONDITION_NONE,
                                                  "no such stream is expected");
    bool expected = false;
    GList *talks = g_list_copy(account->files->talks.head);
    account->files->opening = iq;
    for (GList *item = talks; item && !expected; item = item->next) {
        struct file_talk *talk = item->data;
        if (!talk->ended && talk->session && jid_equal(talk->peer, iq->from))
            expected = file_session_open_came(talk->session, open, &error, now);
    }
    g_list_free(talks);
    if (!expected) {
        log_warning(account->log, "%s: in-band: an unexpected stream: %s", iq->from, error.text);
        account_reply_error(account, iq, &error);
    }
    account->files->opening = NULL;
}

/* --------------------------------------------------------------------------- what they send -- */

static struct account_file *find_stream(const struct account *account, const char *from,
                                        const char *sid)
{
    for (guint i = 0; i < account->files->files->len; i++) {
        struct account_file *file = account->files->files->pdata[i];
        if (file->blocks.open && strcmp(file->blocks.sid, sid) == 0 &&
            jid_equal(file->talk->peer, from))
            return file;
    }
    return NULL;
}

static void receive_block(struct account_file *file, const struct stanza *iq,
                          const struct ibb_stanza *data)
{
    struct account *account = file->account;
    if (g_queue_get_length(&file->blocks.came) >= CAME_MAX) {
        refuse(account, iq, STANZA_RESOURCE_CONSTRAINT, "too many blocks at once");
        return;
    }
    struct came_block *token = g_new0(struct came_block, 1);
    token->from = g_strdup(iq->from);
    token->id = g_strdup(iq->id);
    g_queue_push_tail(&file->blocks.came, token);
    struct account_file_block block = {
        .seq = (uint16_t)data->seq, .bytes = data->bytes, .size = data->size, .token = token};
    account->files->hooks.block(account->files->hooks.user, file, &block, data->seq);
}

static void receive_close(struct account_file *file, const struct stanza *iq)
{
    struct account_files *files = file->account->files;
    account_send(file->account, stanza_result(iq));
    file->blocks.open = false;
    files->hooks.closed(files->hooks.user, file);
}

static void dispatch(struct account *account, const struct stanza *iq,
                     const struct ibb_stanza *stanza, usec now)
{
    struct account_file *file = NULL;
    if (stanza->kind == IBB_OPEN) {
        receive_open(account, iq, stanza, now);
        return;
    }
    file = find_stream(account, iq->from, stanza->sid);
    if (!file && stanza->kind == IBB_CLOSE)
        refuse_quietly(account, iq, STANZA_ITEM_NOT_FOUND, "no such stream"); /* often: all came */
    else if (!file)
        refuse(account, iq, STANZA_ITEM_NOT_FOUND, "no such stream");
    else if (stanza->kind == IBB_DATA)
        receive_block(file, iq, stanza);
    else
        receive_close(file, iq);
}

void account_receive_inband(struct account *account, const struct stanza *iq,
                            const xml_node *element, usec now)
{
    struct ibb_stanza stanza;
    const char *why = NULL;
    if (!iq->from || account_hides_from(account, iq->from) || strcmp(iq->type, "set") != 0) {
        account_say_absent(account, iq);
    } else if (!ibb_stanza_read(&stanza, element, &why)) {
        refuse(account, iq, STANZA_BAD_REQUEST, why);
    } else {
        dispatch(account, iq, &stanza, now);
        ibb_stanza_clear(&stanza);
    }
}

void account_file_block_written(struct account_file *file, void *token,
                                const struct stanza_error *error)
{
    struct came_block *block = token;
    if (!g_queue_remove(&file->blocks.came, block))
        return;
    answer(file->account, block->from, block->id, error);
    came_free(block);
}

/* ----------------------------------------------------------------------------- what we send -- */

static void forget_sent(struct file_blocks *blocks, uint16_t seq)
{
    for (guint i = 0; i < blocks->sent->len; i++) {
        if (g_array_index(blocks->sent, uint16_t, i) != seq)
            continue;
        g_array_remove_index(blocks->sent, i);
        return;
    }
}

static void on_block_answer(void *user, unsigned tag, const struct stanza *stanza,
                            const struct stanza_error *error, usec now)
{
    struct account_file *file = user;
    struct account_files *files = file->account->files;
    uint16_t seq = (uint16_t)tag;
    (void)stanza;
    (void)now;
    forget_sent(&file->blocks, seq);
    if (error)
        log_warning(file->account->log, "%s: refused block %u: %s %s", account_file_peer(file), seq,
                    stanza_condition_name(error->condition), error->text);
    files->hooks.block_answered(files->hooks.user, file, seq, error == NULL);
}

void account_file_send_block(struct account_file *file, uint16_t seq, const uint8_t *bytes,
                             size_t size, usec now)
{
    struct account *account = file->account;
    if (file->ended)
        return;
    if (!file->blocks.open || !account->online) {
        g_array_append_val(file->blocks.refused, seq); /* told at the next tick */
        return;
    }
    account_enter(account, now);
    struct xml *iq = ibb_data_iq(file->talk->peer, file->blocks.sid, seq, bytes, size);
    struct outbox_request request = {
        .to = file->talk->peer, .answered = on_block_answer, .user = file, .tag = seq};
    g_array_append_val(file->blocks.sent, seq);
    outbox_send(account->outbox, iq, &request, now);
    account_leave(account);
}

void account_file_close(struct account_file *file, usec now)
{
    struct account *account = file->account;
    if (!file->blocks.open || !account->online)
        return;
    account_enter(account, now);
    struct outbox_request request = {.to = file->talk->peer};
    outbox_send(account->outbox, ibb_close_iq(file->talk->peer, file->blocks.sid), &request, now);
    account_leave(account);
}

/* ---------------------------------------------------------------- the stream to the server -- */

/* Who receives is told that the stream closed. Who sends learns it by its blocks; when all of them
 * were taken, nothing is lost. */
void file_blocks_cut(struct account_file *file)
{
    struct file_blocks *blocks = &file->blocks;
    blocks->close_is_told = blocks->close_is_told || (blocks->open && !file->sends);
    blocks->open_failed = blocks->open_failed || blocks->opening;
    blocks->open = false;
    blocks->opening = false;
    g_array_append_vals(blocks->refused, blocks->sent->data, blocks->sent->len);
    g_array_set_size(blocks->sent, 0);
    g_queue_clear_full(&blocks->came, came_free);
}

bool file_blocks_have_news(const struct account_file *file)
{
    const struct file_blocks *blocks = &file->blocks;
    return blocks->refused->len > 0 || blocks->close_is_told || blocks->open_failed;
}

static void tell_refused(struct account_file *file)
{
    struct account_files *files = file->account->files;
    while (!file->ended && file->blocks.refused->len > 0) {
        uint16_t seq = g_array_index(file->blocks.refused, uint16_t, 0);
        g_array_remove_index(file->blocks.refused, 0);
        files->hooks.block_answered(files->hooks.user, file, seq, false);
    }
}

void file_blocks_tick(struct account_file *file, usec now)
{
    struct account_files *files = file->account->files;
    bool closed = file->blocks.close_is_told;
    bool unopened = file->blocks.open_failed;
    file->blocks.close_is_told = false;
    file->blocks.open_failed = false;
    tell_refused(file);
    if (closed && !file->ended)
        files->hooks.closed(files->hooks.user, file);
    if (unopened && !file->ended)
        file_session_opened(file->talk->session, file->content, false, now);
}
