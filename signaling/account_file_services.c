/* The server's services for files: file_services.h asked through the outbox, once a login and not
 * before they are needed. */
#include "signaling/account_file_state.h"

/* One that does not answer holds up the others for no longer. */
#define SERVICE_ANSWER_LIMIT (10 * USEC_PER_SEC)

static void on_answer(void *user, unsigned tag, const struct stanza *answer,
                      const struct stanza_error *error, usec now)
{
    struct account *account = user;
    (void)now;
    file_services_answered(account->files->services, tag, error ? NULL : answer);
}

static void on_ask(void *user, struct xml *iq, const char *to, unsigned tag)
{
    struct account *account = user;
    struct outbox_request request = {.to = to,
                                     .answered = on_answer,
                                     .user = account,
                                     .tag = tag,
                                     .limit = SERVICE_ANSWER_LIMIT};
    outbox_send(account->outbox, iq, &request, account->now);
}

static void on_known(void *user)
{
    struct account *account = user;
    struct upload_service upload = file_services_upload(account->files->services);
    size_t count = 0;
    file_services_proxies(account->files->services, &count);
    log_debug(account->log, "the server has %zu proxies, and %s to upload to", count,
              upload.jid ? upload.jid : "nothing");
    for (GList *item = account->files->orders.head; item; item = item->next) {
        struct file_order *order = item->data;
        if (order->device && !order->talk)
            order->decide_at = account->now;
    }
    account_uploads_reconsider(account, account->now);
}

void account_file_services_init(struct account *account)
{
    struct file_services_hooks hooks = {.user = account, .ask = on_ask, .known = on_known};
    account->files->services = file_services_new(&hooks);
}

void account_file_services_need(struct account *account)
{
    if (account->online)
        file_services_begin(account->files->services, account->domain);
}
