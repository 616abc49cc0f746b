/* Uploads of an account (XEP-0363): slots that are asked for, and the messages with the links.
 *
 *     ask ─▶ services known ─▶ <request/> ─▶ slot, or why not
 *
 * After a reconnect it is asked again, until UPLOAD_PATIENCE is over. */
#include "signaling/account_file_state.h"
#include "signaling/http_upload.h"

#define UPLOAD_PATIENCE (60 * USEC_PER_SEC)
#define LETTERS_MAX     64

struct upload_ask {
    struct account *account;
    char *name;
    char *media_type;
    uint64_t size;
    account_slot_fn answered;
    void *user;
    usec limit;
    usec look_at; /* now or never: is there something to be done? */
    bool ended;
};

static void ask_free(void *data)
{
    struct upload_ask *ask = data;
    g_free(ask->name);
    g_free(ask->media_type);
    g_free(ask);
}

static void letter_free(void *letter)
{
    xml_free(letter);
}

void account_uploads_free(struct account *account)
{
    g_queue_clear_full(&account->files->uploads, ask_free);
    g_queue_clear_full(&account->files->ended_uploads, ask_free);
    g_queue_clear_full(&account->files->letters, letter_free);
}

void account_uploads_sweep(struct account *account)
{
    g_queue_clear_full(&account->files->ended_uploads, ask_free);
}

static void drop(struct upload_ask *ask)
{
    struct account_files *files = ask->account->files;
    ask->ended = true;
    outbox_forget(ask->account->outbox, ask);
    g_queue_remove(&files->uploads, ask);
    g_queue_push_tail(&files->ended_uploads, ask);
}

static void finish(struct upload_ask *ask, const struct upload_slot *slot, jingle_status status,
                   const char *text)
{
    drop(ask);
    ask->answered(ask->user, slot, status, text);
}

/* ----------------------------------------------------------------------------------- asking -- */

static void on_slot(void *user, unsigned tag, const struct stanza *answer,
                    const struct stanza_error *error, usec now)
{
    struct upload_ask *ask = user;
    struct upload_slot slot;
    char text[STANZA_ERROR_TEXT] = "";
    const char *why = "";
    (void)tag;
    (void)now;
    if (error) {
        jingle_status status = upload_refusal(answer, error, text, sizeof text);
        finish(ask, NULL, status, text);
    } else if (!upload_slot_read(&slot, answer->node, &why)) {
        log_warning(ask->account->log, "%s: %s", answer->from, why);
        finish(ask, NULL, JINGLE_ERROR_UPLOAD, why);
    } else {
        finish(ask, &slot, JINGLE_OK, "");
        upload_slot_clear(&slot);
    }
}

static void request_slot(struct upload_ask *ask, const char *service, usec now)
{
    struct xml *iq = upload_request(service, ask->name, ask->size, ask->media_type);
    struct outbox_request request = {.to = service, .answered = on_slot, .user = ask};
    outbox_send(ask->account->outbox, iq, &request, now);
}

static void look(struct upload_ask *ask, usec now)
{
    const struct file_services *services = ask->account->files->services;
    struct upload_service upload = file_services_upload(services);
    char text[STANZA_ERROR_TEXT];
    ask->look_at = USEC_NEVER;
    if (now >= ask->limit) {
        finish(ask, NULL, ask->account->online ? JINGLE_ERROR_UPLOAD : JINGLE_ERROR_OFFLINE, "");
    } else if (!ask->account->online || !file_services_are_known(services)) {
        account_file_services_need(ask->account);
    } else if (!upload.jid) {
        finish(ask, NULL, JINGLE_ERROR_NO_UPLOAD, "");
    } else if (ask->size > upload.max_size) {
        upload_too_large(upload.max_size, text, sizeof text);
        finish(ask, NULL, JINGLE_ERROR_NO_UPLOAD, text);
    } else {
        request_slot(ask, upload.jid, now);
    }
}

jingle_status account_upload_ask(struct account *account, const char *name, uint64_t size,
                                 const char *media_type, account_slot_fn answered, void *user,
                                 usec now)
{
    if (!account->online)
        return JINGLE_ERROR_OFFLINE;
    if (g_queue_get_length(&account->files->uploads) >= UPLOADS_MAX)
        return JINGLE_ERROR_LIMIT;
    struct upload_ask *ask = g_new0(struct upload_ask, 1);
    ask->account = account;
    ask->name = g_strdup(name);
    ask->media_type = g_strdup(media_type);
    ask->size = size;
    ask->answered = answered;
    ask->user = user;
    ask->limit = now + UPLOAD_PATIENCE;
    ask->look_at = now; /* at the tick that follows: nothing is told from in here */
    g_queue_push_tail(&account->files->uploads, ask);
    return JINGLE_OK;
}

void account_upload_forget(struct account *account, const void *user)
{
    for (GList *item = account->files->uploads.head, *next = NULL; item; item = next) {
        struct upload_ask *ask = item->data;
        next = item->next;
        if (ask->user == user)
            drop(ask);
    }
}

void account_uploads_reconsider(struct account *account, usec now)
{
    for (GList *item = account->files->uploads.head; item; item = item->next)
        ((struct upload_ask *)item->data)->look_at = now;
}

usec account_uploads_next_deadline(const struct account *account)
{
    usec next = USEC_NEVER;
    for (GList *item = account->files->uploads.head; item; item = item->next) {
        const struct upload_ask *ask = item->data;
        next = MIN(next, MIN(ask->look_at, ask->limit));
    }
    return next;
}

void account_uploads_tick(struct account *account, usec now)
{
    GList *asks = g_list_copy(account->files->uploads.head);
    for (GList *item = asks; item; item = item->next) {
        struct upload_ask *ask = item->data;
        if (!ask->ended && (now >= ask->look_at || now >= ask->limit))
            look(ask, now);
    }
    g_list_free(asks);
}

/* --------------------------------------------------------------------------------- telling -- */

void account_upload_tell(struct account *account, const char *to, const char *url,
                         const char *description, usec now)
{
    char *id = outbox_id(account->outbox);
    struct xml *message = upload_message(to, id, url, description);
    account_enter(account, now);
    if (account->online)
        account_send(account, message);
    else if (g_queue_get_length(&account->files->letters) < LETTERS_MAX)
        g_queue_push_tail(&account->files->letters, message);
    else
        xml_free(message);
    account_leave(account);
    g_free(id);
}

void account_uploads_online(struct account *account, usec now)
{
    while (!g_queue_is_empty(&account->files->letters))
        account_send(account, g_queue_pop_head(&account->files->letters));
    account_uploads_reconsider(account, now);
}

void account_uploads_offline(struct account *account)
{
    for (GList *item = account->files->uploads.head; item; item = item->next)
        ((struct upload_ask *)item->data)->look_at = USEC_NEVER; /* what was asked is forgotten */
}
