/* The Jingle sessions of an account's files: what they send and tell, and which stanzas are theirs.
 */
#include "signaling/account_file_state.h"

#include <string.h>

#include "signaling/jid.h"

struct file_talk *file_talk_new(struct account *account, const char *peer, const char *sid)
{
    struct file_talk *talk = g_new0(struct file_talk, 1);
    talk->account = account;
    talk->own_jid = g_strdup(account->full_jid);
    talk->peer = g_strdup(peer);
    talk->sid = g_strdup(sid);
    talk->files = g_ptr_array_new();
    g_queue_push_tail(&account->files->talks, talk);
    return talk;
}

void file_talk_free(struct file_talk *talk)
{
    outbox_forget(talk->account->outbox, talk);
    if (talk->session)
        file_session_free(talk->session);
    g_ptr_array_free(talk->files, TRUE);
    g_free(talk->own_jid);
    g_free(talk->peer);
    g_free(talk->sid);
    g_free(talk);
}

static void talk_end(struct file_talk *talk)
{
    struct account_files *files = talk->account->files;
    if (talk->ended)
        return;
    talk->ended = true;
    g_queue_remove(&files->talks, talk);
    g_queue_push_tail(&files->ended_talks, talk);
    outbox_forget(talk->account->outbox, talk);
    if (talk->order)
        file_order_go_on(talk->order, talk->account->now);
}

/* ----------------------------------------------------------------------- what a session says -- */

static void on_answer_to_session(void *user, unsigned tag, const struct stanza *answer,
                                 const struct stanza_error *error, usec now)
{
    struct file_talk *talk = user;
    (void)answer;
    if (!talk->ended)
        file_session_answered(talk->session, tag, error, now);
}

static void on_session_send(void *user, struct file_session *session, const struct jingle_iq *iq,
                            unsigned tag)
{
    struct file_talk *talk = user;
    (void)session;
    if (!jid_equal(talk->own_jid, talk->account->full_jid))
        return; /* the peer would not believe that it is from us */
    struct xml *stanza = stanza_iq("set", talk->peer, NULL);
    jingle_iq_write(iq, xml_root(stanza));
    struct outbox_request request = {.to = talk->peer,
                                     .keep = true,
                                     .last_word = iq->action == ACTION_SESSION_TERMINATE,
                                     .answered = on_answer_to_session,
                                     .user = talk,
                                     .tag = tag};
    outbox_send(talk->account->outbox, stanza, &request, talk->account->now);
}

static void on_session_answer(void *user, struct file_session *session,
                              const struct stanza_error *error)
{
    struct account *account = ((struct file_talk *)user)->account;
    (void)session;
    if (error)
        log_warning(account->log, "%s: refused a Jingle stanza: %s %s", account->answering->from,
                    stanza_condition_name(error->condition), error->text);
    account_answer_jingle(account, account->answering, error);
}

/* ---------------------------------------------------------------------- what a session tells -- */

static struct account_file *find_file(const struct file_talk *talk, const char *content)
{
    for (guint i = 0; i < talk->files->len; i++) {
        struct account_file *file = talk->files->pdata[i];
        if (strcmp(file->content, content) == 0)
            return file;
    }
    return NULL;
}

static struct account_file *add_file(struct file_talk *talk, const struct file_event *offered)
{
    struct account_file *file = account_file_new(talk->account, false);
    file->talk = talk;
    file->sends = offered->u.offered.requested;
    file->content = g_strdup(offered->content);
    g_ptr_array_add(talk->files, file);
    return file;
}

static void on_activation_answer(void *user, unsigned tag, const struct stanza *answer,
                                 const struct stanza_error *error, usec now)
{
    struct account_file *file = user;
    (void)tag;
    (void)answer;
    if (error)
        log_warning(file->account->log, "the proxy did not join the two: %s %s",
                    stanza_condition_name(error->condition), error->text);
    if (!file->ended)
        file_session_activated(file->talk->session, file->content, error == NULL, now);
}

static void activate(struct account_file *file, const struct file_event *event)
{
    const char *proxy = event->u.proxy.candidate->jid;
    struct xml *iq = s5b_proxy_activation(proxy, event->u.proxy.sid, event->u.proxy.target);
    struct outbox_request request = {.to = proxy,
                                     .keep = true,
                                     .answered = on_activation_answer,
                                     .user = file,
                                     .limit = FILE_ACTIVATION_LIMIT};
    outbox_send(file->account->outbox, iq, &request, file->account->now);
}

static void on_file_event(struct account_file *file, const struct file_event *event)
{
    switch (event->type) {
    case FILE_EVENT_ACCEPTED:
        file->decided = true;
        account_file_tell(file, event);
        break;
    case FILE_EVENT_ACTIVATE:
        activate(file, event);
        break;
    case FILE_EVENT_OPEN:
        file_blocks_open(file, event->u.inband.transport, file->account->now);
        break;
    case FILE_EVENT_INBAND:
        file_blocks_begin(file, event->u.inband.transport);
        account_file_tell(file, event);
        break;
    case FILE_EVENT_STREAM:
        file->flows = true;
        account_file_tell(file, event);
        break;
    case FILE_EVENT_NO_SOCKS5:
        file->flows = false;
        account_file_tell(file, event);
        break;
    case FILE_EVENT_ENDED:
        if (file->order && !file->decided)
            file_order_learn(file->order, event->u.ended.status);
        account_file_finish(file, event);
        break;
    default:
        account_file_tell(file, event);
        break;
    }
}

static void on_session_event(void *user, struct file_session *session,
                             const struct file_event *event)
{
    struct file_talk *talk = user;
    talk->session = session; /* an incoming one tells things while it is made */
    if (event->type == FILE_EVENT_SESSION_ENDED) {
        talk_end(talk);
        return;
    }
    struct account_file *file =
        event->type == FILE_EVENT_OFFERED ? add_file(talk, event) : find_file(talk, event->content);
    if (file)
        on_file_event(file, event);
}

struct file_session_hooks file_talk_hooks(struct file_talk *talk)
{
    return (struct file_session_hooks){
        .user = talk,
        .send = on_session_send,
        .answer = on_session_answer,
        .event = on_session_event,
    };
}

struct file_session_config file_talk_settings(const struct file_talk *talk, unsigned ways)
{
    struct account *account = talk->account;
    unsigned capabilities = file_peer_capabilities(account, talk->peer);
    struct file_session_config config = {
        .own_jid = talk->own_jid,
        .peer = talk->peer,
        .sid = talk->sid,
        .ways = ways,
        .peer_does_s5b = capabilities & CAN_S5B,
        .peer_does_inband = capabilities & CAN_INBAND,
        .known_proxies_only = account->files->known_proxies_only,
        .random = account->random,
        .log = account->log,
    };
    config.proxies = file_services_proxies(account->files->services, &config.proxy_count);
    return config;
}

/* -------------------------------------------------------------------------- what others say -- */

static bool is_about_files(const struct jingle_iq *jingle)
{
    for (size_t i = 0; i < jingle->content_count; i++)
        if (jingle->contents[i].application != APPLICATION_FILE)
            return false;
    return jingle->content_count > 0;
}

/* Do both count together? All strangers do, for one may have any number of JIDs. */
static bool share_allowance(const struct account *account, const char *jid, const char *other)
{
    bool strangers = !roster_find(account->roster, jid) && !roster_find(account->roster, other);
    return jid_equal_bare(jid, other) || (strangers && !jid_equal_bare(other, account->bare));
}

/* The offers of this person that nobody has decided on. Our own devices do not flood us. */
static size_t undecided_of(const struct account *account, const char *jid)
{
    size_t count = 0;
    if (jid_equal_bare(jid, account->bare))
        return 0;
    for (guint i = 0; i < account->files->files->len; i++) {
        const struct account_file *file = account->files->files->pdata[i];
        count +=
            !file->outgoing && !file->decided && share_allowance(account, jid, file->talk->peer);
    }
    return count;
}

static void refuse_too_many(struct account *account, const struct stanza *iq)
{
    struct stanza_error error = stanza_error_make(STANZA_RESOURCE_CONSTRAINT, JINGLE_CONDITION_NONE,
                                                  "too many files at once");
    log_warning(account->log, "%s: too many files at once", iq->from);
    account_answer_jingle(account, iq, &error);
}

void account_refuse_application(struct account *account, const struct stanza *iq, const char *sid)
{
    struct jingle_iq terminate;
    struct xml *stanza = stanza_iq("set", iq->from, NULL);
    struct outbox_request request = {.to = iq->from, .keep = true, .last_word = true};
    account_answer_jingle(account, iq, NULL);
    jingle_iq_init(&terminate, ACTION_SESSION_TERMINATE, sid);
    terminate.reason.condition = REASON_UNSUPPORTED_APPLICATIONS;
    jingle_iq_write(&terminate, xml_root(stanza));
    jingle_iq_clear(&terminate);
    outbox_send(account->outbox, stanza, &request, account->now);
}

static void begin_incoming(struct account *account, const struct stanza *iq,
                           const struct jingle_iq *jingle, usec now)
{
    struct file_talk *talk = file_talk_new(account, iq->from, jingle->sid);
    struct file_session_config config = file_talk_settings(talk, FILE_WAYS_ALL);
    struct file_session_hooks hooks = file_talk_hooks(talk);
    talk->session = file_session_new_incoming(&config, &hooks, jingle, now);
    if (!talk->session)
        talk_end(talk);
}

static void receive_initiate(struct account *account, const struct stanza *iq,
                             const struct jingle_iq *jingle, usec now)
{
    size_t count = jingle->content_count;
    if (!account->files->take)
        account_refuse_application(account, iq, jingle->sid);
    else if (account->files->files->len + count > ACCOUNT_FILES_MAX ||
             undecided_of(account, iq->from) + count > FILES_UNDECIDED_MAX)
        refuse_too_many(account, iq);
    else
        begin_incoming(account, iq, jingle, now);
}

static struct file_talk *find_talk(const struct account *account, const char *from, const char *sid)
{
    for (GList *item = account->files->talks.head; item; item = item->next) {
        struct file_talk *talk = item->data;
        if (talk->session && file_session_matches(talk->session, from, sid))
            return talk;
    }
    return NULL;
}

bool account_files_receive_jingle(struct account *account, const struct stanza *iq,
                                  const struct jingle_iq *jingle, usec now)
{
    struct file_talk *talk = find_talk(account, iq->from, jingle->sid);
    if (talk)
        file_session_receive(talk->session, jingle, now);
    else if (jingle->action == ACTION_SESSION_INITIATE && is_about_files(jingle))
        receive_initiate(account, iq, jingle, now);
    else
        return false;
    return true;
}
