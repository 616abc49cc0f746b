/* What is told of files on their way. */
#include "amount.h"
#include "exit.h"
#include "json_files.h"
#include "teller.h"
#include "text.h"

#include <string.h>

#define TYPED_LEAST      8              /* columns, of what the user types */
#define RATE_BYTES_LEAST 65536          /* of a file whose rate says anything */
#define RATE_TIME_LEAST  G_USEC_PER_SEC /* and of its way; less goes into buffers at once */

/* Each file has a number for programs, from 1: names and sessions may be the same. */
static unsigned file_number(struct teller *teller, jingle_transfer *transfer)
{
    unsigned number = GPOINTER_TO_UINT(jingle_transfer_user(transfer));
    if (number == 0) {
        number = ++teller->files;
        jingle_transfer_set_user(transfer, GUINT_TO_POINTER(number));
    }
    return number;
}

static char *file_name(jingle_transfer *transfer)
{
    return text_clean(jingle_transfer_name(transfer), NAME_MAX_SHOWN);
}

static char *file_peer(jingle_transfer *transfer)
{
    char *peer = text_clean(jingle_transfer_peer(transfer), NAME_MAX_SHOWN);
    *strchrnul(peer, '/') = '\0';
    return peer;
}

/* An event of jcall's own. */
static void tell_json(struct teller *teller, const char *name, jingle_transfer *transfer,
                      json_t *fields)
{
    teller_json(teller, json_transfer(name, g_get_real_time(), transfer,
                                      file_number(teller, transfer), fields));
}

/* ----------------------------------------------------------------------- the live line -- */

char *teller_files_text(struct teller *teller)
{
    char *text = NULL;
    if (teller->question) {
        char *progress = progress_short(&teller->progress);
        text = g_strdup_printf("%s%s%s%s", teller->question, teller->typed ? teller->typed : "",
                               *progress ? "   " : "", progress);
        g_free(progress);
    } else if (progress_moving(&teller->progress)) {
        text = progress_text(&teller->progress, display_width());
    }
    return text;
}

void tell_question(struct teller *teller, const char *question)
{
    if (g_strcmp0(question, teller->question) == 0) {
        return;
    }
    g_free(teller->question);
    teller->question = g_strdup(question);
    if (question && !teller->json && !display_live(teller->display)) {
        display_say(teller->display, question);
    }
    tell_tick(teller);
}

/* The end of what was typed is what the user looks at. */
void tell_typed(struct teller *teller, const char *typed)
{
    g_clear_pointer(&teller->typed, g_free);
    if (typed) {
        char *clean = text_clean(typed, SIZE_MAX);
        size_t question = text_width(teller->question) + 1;
        size_t width = display_width();
        teller->typed =
            text_end(clean, width > question + TYPED_LEAST ? width - question : TYPED_LEAST);
        g_free(clean);
    }
    tell_tick(teller);
}

void tell_packing(struct teller *teller, const char *name, uint64_t bytes)
{
    gint64 now = g_get_monotonic_time();
    if (!display_live(teller->display) || now < teller->progress_due) {
        return;
    }
    teller->progress_due = now + G_USEC_PER_SEC / 4;
    char *clean = text_clean(name, NAME_MAX_SHOWN);
    char *amount = amount_bytes(bytes);
    char *text = g_strdup_printf("Packing %s ...  %s", clean, amount);
    display_set_line(teller->display, text);
    g_free(text);
    g_free(amount);
    g_free(clean);
}

/* --------------------------------------------------------------------------- own events -- */

void tell_awaiting_files(struct teller *teller, const char *folder)
{
    char *clean = text_clean(folder, SIZE_MAX);
    tell_note(teller, "Waiting for files, which are saved in %s; Ctrl-C ends this.", clean);
    g_free(clean);
    teller_enter(teller, STAGE_FILES_AWAITED);
}

void tell_offering(struct teller *teller, jingle_transfer *transfer, const char *to, uint64_t bytes,
                   bool may_upload)
{
    teller->may_upload = may_upload;
    if (teller->json) {
        tell_json(teller, "file-offering", transfer,
                  json_pack("{sosI}", "to", json_text(to), "bytes", (json_int_t)bytes));
    }
    char *name = file_name(transfer);
    char *peer = text_clean(to, NAME_MAX_SHOWN);
    char *amount = amount_bytes(bytes);
    progress_add(&teller->progress, transfer, name, bytes, true);
    tell_note(teller, "Offering %s (%s) to %s ...", name, amount, peer);
    if (teller->stage == STAGE_LOGIN) {
        teller_enter(teller, STAGE_FILES_OFFERED);
    }
    g_free(amount);
    g_free(peer);
    g_free(name);
}

void tell_taking(struct teller *teller, jingle_transfer *transfer, uint64_t bytes)
{
    if (teller->json) {
        tell_json(teller, "file-taking", transfer, json_pack("{sI}", "bytes", (json_int_t)bytes));
    }
    char *name = file_name(transfer);
    progress_add(&teller->progress, transfer, name, bytes, false);
    g_free(name);
}

void tell_refusing(struct teller *teller, jingle_transfer *transfer, const char *reason,
                   const char *why)
{
    if (teller->json) {
        tell_json(teller, "file-refused", transfer,
                  json_pack("{ssso}", "reason", reason, "text", json_text(why)));
        return;
    }
    char *name = file_name(transfer);
    tell_note(teller, "%s is refused: %s", name, why);
    g_free(name);
}

void tell_last_files(struct teller *teller)
{
    teller->end_is_told = true;
    tell_note(teller, "A file is still on its way; q stops it.");
    teller_enter(teller, STAGE_FILES_LAST);
}

/* -------------------------------------------------------------- the library's events -- */

static void say_offered(struct teller *teller, const jingle_event *event)
{
    char *from = text_clean(event->u.file.from, NAME_MAX_SHOWN);
    char *name = text_clean(event->u.file.name, NAME_MAX_SHOWN);
    char *type = text_clean(event->u.file.media_type, NAME_MAX_SHOWN);
    char *words = text_clean(event->u.file.description, TEXT_MAX);
    char *amount = amount_bytes(event->u.file.bytes);
    GString *text = g_string_new(NULL);
    g_string_printf(text, "%s%s offers %s: %s", from,
                    event->u.file.on_roster ? "" : " (not one of your contacts)", name, amount);
    if (*type) {
        g_string_append_printf(text, ", %s", type);
    }
    if (event->u.file.count > 1) {
        g_string_append_printf(text, ", file %u of %u", event->u.file.index + 1,
                               event->u.file.count);
    }
    tell_note(teller, "%s.", text->str);
    if (*words && (event->u.file.index == 0 || g_strcmp0(words, teller->words) != 0)) {
        tell_note(teller, "They write: %s", words);
    }
    g_free(teller->words);
    teller->words = g_strdup(words);
    display_ring(teller->display);
    g_string_free(text, TRUE);
    g_free(amount);
    g_free(words);
    g_free(type);
    g_free(name);
    g_free(from);
}

/* With a terminal the live line shows it. */
static void say_started(struct teller *teller, const jingle_event *event)
{
    if (display_live(teller->display)) {
        return;
    }
    const jingle_transfer_statistics *s = &event->u.transfer;
    char *name = file_name(event->transfer);
    char *peer = file_peer(event->transfer);
    char *amount = amount_bytes(s->bytes_total);
    char *resumed = amount_bytes(s->bytes_resumed);
    bool sending = jingle_transfer_is_sending(event->transfer);
    tell_note(teller, "%s (%s) %s %s (%s)%s%s.", name, amount, sending ? "goes to" : "comes from",
              peer, jingle_way_name(s->way),
              s->bytes_resumed > 0 ? ", from where it stopped: " : "",
              s->bytes_resumed > 0 ? resumed : "");
    g_free(resumed);
    g_free(amount);
    g_free(peer);
    g_free(name);
}

/* "direct, 3.10 MiB/s, resumed at 512 MiB" */
static char *manner_text(const jingle_transfer_statistics *s, bool sending)
{
    GString *text = g_string_new(jingle_way_name(s->way));
    if (s->mean_rate > 0 && s->bytes_total >= RATE_BYTES_LEAST && s->duration >= RATE_TIME_LEAST) {
        char *rate = amount_rate(s->mean_rate);
        char *time = amount_time(s->duration);
        g_string_append_printf(text, ", %s, %s", rate, time);
        g_free(time);
        g_free(rate);
    }
    if (s->bytes_resumed > 0) {
        char *resumed = amount_bytes(s->bytes_resumed);
        g_string_append_printf(text, ", resumed at %s", resumed);
        g_free(resumed);
    }
    if (!sending && s->hash == JINGLE_HASH_NONE) {
        g_string_append(text, "; not checked, because they told no hash");
    }
    return g_string_free(text, FALSE);
}

static void say_arrived(struct teller *teller, const jingle_event *event, const char *name)
{
    const jingle_transfer_statistics *s = &event->u.transfer_ended.statistics;
    bool sending = jingle_transfer_is_sending(event->transfer);
    char *amount = amount_bytes(s->bytes_total);
    char *manner = manner_text(s, sending);
    char *path = text_clean(event->u.transfer_ended.path, SIZE_MAX);
    char *url = text_clean(event->u.transfer_ended.url, SIZE_MAX);
    if (*url) {
        tell_note(teller, "%s (%s) lies on your server, and the link was sent to them: %s (%s)",
                  name, amount, url, manner);
    } else if (sending) {
        tell_note(teller, "%s (%s) has arrived: %s.", name, amount, manner);
    } else {
        tell_note(teller, "%s (%s) is saved as %s: %s.", name, amount, path, manner);
    }
    g_free(url);
    g_free(path);
    g_free(manner);
    g_free(amount);
}

/* What can go on later from where it stopped, and the library does not say so. */
static bool can_resume(const jingle_event *event)
{
    const jingle_transfer_statistics *s = &event->u.transfer_ended.statistics;
    switch (event->status) {
    case JINGLE_ERROR_CANCELED:
    case JINGLE_ERROR_NO_PATH:
    case JINGLE_ERROR_GONE:
    case JINGLE_ERROR_OFFLINE:
    case JINGLE_ERROR_NO_SPACE:
    case JINGLE_ERROR_PEER_FILE:
        return s->bytes_done > 0 && s->way != JINGLE_WAY_HTTP;
    default:
        return false;
    }
}

/* Of people who are not contacts it is not known whether they are online. */
static bool is_hidden(const struct teller *teller, jingle_transfer *transfer)
{
    char *peer = g_strdup(jingle_transfer_peer(transfer));
    char *own = g_strdup(jingle_client_jid(teller->client));
    *strchrnul(peer, '/') = *strchrnul(own, '/') = '\0';
    bool hidden = g_ascii_strcasecmp(peer, own) != 0;
    jingle_contact *contacts = NULL;
    size_t count = 0;
    if (hidden && jingle_client_contacts(teller->client, &contacts, &count) == JINGLE_OK) {
        for (size_t i = 0; i < count; i++) {
            bool seen = contacts[i].subscription == JINGLE_SUBSCRIPTION_TO ||
                        contacts[i].subscription == JINGLE_SUBSCRIPTION_BOTH;
            hidden = hidden && !(seen && g_ascii_strcasecmp(peer, contacts[i].jid) == 0);
        }
        jingle_contacts_free(contacts, count);
    }
    g_free(own);
    g_free(peer);
    return hidden;
}

char *tell_transfer_sentence(const struct teller *teller, const jingle_event *event)
{
    if (event->status == JINGLE_OK) {
        return g_strdup(jingle_transfer_is_sending(event->transfer) ? "The file has arrived."
                                                                    : "The file is saved.");
    }
    GString *text = g_string_new(*event->text ? event->text : jingle_strerror(event->status));
    bool sending = jingle_transfer_is_sending(event->transfer);
    if (sending && event->status == JINGLE_ERROR_CONTACT_OFFLINE &&
        is_hidden(teller, event->transfer)) {
        g_string_assign(text, "They are not online, or not your contact (jcall contacts add).");
    }
    bool unable = event->status == JINGLE_ERROR_CONTACT_OFFLINE ||
                  event->status == JINGLE_ERROR_NO_FILE_SUPPORT;
    if (sending && unable && teller->may_upload) {
        if (text->len > 0 && text->str[text->len - 1] == '.') {
            g_string_truncate(text, text->len - 1);
        }
        g_string_append(text, "; add --via http to leave it on your server.");
    } else if (can_resume(event)) {
        g_string_append(text, sending ? " Sent again, it goes on where it stopped."
                                      : " What came is kept: sent again, it goes on.");
    }
    return g_string_free(text, FALSE);
}

static void say_ended(struct teller *teller, const jingle_event *event)
{
    bool ours =
        event->status == JINGLE_ERROR_REFUSED && event->u.transfer_ended.by == JINGLE_PARTY_LOCAL;
    char *sentence = tell_transfer_sentence(teller, event);
    char *name = file_name(event->transfer);
    char *clean = text_clean(sentence, TEXT_MAX);
    if (event->status == JINGLE_OK) {
        say_arrived(teller, event, name);
    } else if (!ours) { /* what we refused was told then */
        tell_note(teller, "%s: %s", name, clean);
    }
    if (!teller->json) { /* so that tell_exit() does not say it again */
        g_free(teller->said);
        teller->said = g_steal_pointer(&clean);
    }
    g_free(clean);
    g_free(name);
    g_free(sentence);
}

static void say_requested(struct teller *teller, const jingle_event *event)
{
    char *from = text_clean(event->u.file.from, NAME_MAX_SHOWN);
    char *name = text_clean(event->u.file.name, NAME_MAX_SHOWN);
    tell_note(teller, "%s asks for the file %s and gets nothing; jcall send would send it.", from,
              name);
    g_free(name);
    g_free(from);
}

static json_t *transfer_fields(const jingle_event *event)
{
    switch (event->type) {
    case JINGLE_EVENT_FILE_OFFERED:
    case JINGLE_EVENT_FILE_REQUESTED:
        return json_file(event);
    case JINGLE_EVENT_TRANSFER_ENDED:
        return json_transfer_end(event);
    default:
        return json_transfer_state(&event->u.transfer);
    }
}

static const char *transfer_event_name(jingle_event_type type)
{
    switch (type) {
    case JINGLE_EVENT_FILE_OFFERED:
        return "file-offered";
    case JINGLE_EVENT_FILE_REQUESTED:
        return "file-requested";
    case JINGLE_EVENT_TRANSFER_STARTED:
        return "transfer-started";
    case JINGLE_EVENT_TRANSFER_PROGRESS:
        return "transfer-progress";
    default:
        return "transfer-ended";
    }
}

/* Before the sentence, so that the line below it is not the old one. */
static void show_end(struct teller *teller)
{
    bool waited = teller->stage == STAGE_FILES_OFFERED || teller->stage == STAGE_FILES_LAST;
    if (waited && progress_count(&teller->progress) == 0) {
        teller_enter(teller, STAGE_IDLE);
    }
    tell_tick(teller);
}

void teller_take_transfer(struct teller *teller, const jingle_event *event)
{
    if (teller->json) {
        teller_json(teller,
                    json_transfer(transfer_event_name(event->type), event->time, event->transfer,
                                  file_number(teller, event->transfer), transfer_fields(event)));
    }
    switch (event->type) {
    case JINGLE_EVENT_FILE_OFFERED:
        say_offered(teller, event);
        break;
    case JINGLE_EVENT_FILE_REQUESTED:
        say_requested(teller, event);
        break;
    case JINGLE_EVENT_TRANSFER_STARTED:
        progress_update(&teller->progress, event->transfer, &event->u.transfer);
        say_started(teller, event);
        break;
    case JINGLE_EVENT_TRANSFER_PROGRESS:
        progress_update(&teller->progress, event->transfer, &event->u.transfer);
        break;
    default:
        progress_end(&teller->progress, event->transfer, event->status == JINGLE_OK);
        show_end(teller);
        say_ended(teller, event);
        break;
    }
    tell_tick(teller);
}

/* The address comes last, so that nothing sticks to it when it is copied. */
void teller_say_link(struct teller *teller, const jingle_event *event)
{
    char *from = text_person(event->u.link.name, event->u.link.from, NAME_MAX_SHOWN);
    char *words = text_clean(event->u.link.description, TEXT_MAX);
    char *url = text_clean(event->u.link.url, URL_MAX_SHOWN);
    tell_note(teller, "%s sent a link to %s %s", from,
              event->u.link.encrypted ? "an encrypted file, which jcall cannot open:"
                                      : "a file. To fetch it, open",
              url);
    if (*words) {
        tell_note(teller, "They write: %s", words);
    }
    g_free(url);
    g_free(words);
    g_free(from);
}
