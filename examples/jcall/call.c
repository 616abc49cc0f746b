/* jcall call JID */
#include "command.h"
#include "exit.h"
#include "phone_waiting.h"

#include <string.h>

#define REPLACED_PATIENCE 5000000 /* for their call, when both called each other */

static const char *call_target(const struct phone *phone)
{
    return phone->options->words[1];
}

struct call {
    struct phone phone; /* the first member: a struct phone of ours is a struct call */
    bool replaced;      /* both called each other, and their call is the one that goes on */
};

static void call_start(struct phone *phone)
{
    jingle_session_config sound;
    jingle_session *session = NULL;
    char *message = NULL;
    jingle_status status = phone_sound(phone, &sound, &message);
    if (status == JINGLE_OK) {
        phone_add_video(phone, &sound);
        status = jingle_session_start(phone->client, call_target(phone), &sound, &session);
    }
    if (status == JINGLE_OK) {
        phone_take(phone, session, PHONE_CALLING);
        tell_calling(phone->teller, session);
    } else {
        phone_finish(phone, exit_for_status(status), message ? message : jingle_strerror(status));
    }
    g_free(message);
}

static bool same_person(const char *jid, const char *other)
{
    size_t length = strcspn(jid, "/");
    return strcspn(other, "/") == length && g_ascii_strncasecmp(jid, other, length) == 0;
}

/* The one whom we call calls us: then both want to talk. Anybody else reads "busy". */
static void call_incoming(struct phone *phone, const jingle_event *event)
{
    struct call *call = (struct call *)phone;
    bool waiting = call->replaced || phone->state == PHONE_CALLING;
    if (waiting && same_person(event->u.incoming.from, call_target(phone))) {
        phone->wait_due = G_MAXINT64;
        phone_take_incoming(phone, event);
        phone_accept(phone, event->session, false);
        return;
    }
    if (phone_wait(phone, event)) {
        return;
    }
    jingle_session_reject(event->session, JINGLE_REASON_BUSY);
    tell_busy(phone->teller, event->session, event->u.incoming.from);
}

static void call_ended(struct phone *phone, jingle_reason reason, int code, const char *text)
{
    struct call *call = (struct call *)phone;
    if (reason == JINGLE_REASON_REPLACED && !call->replaced) {
        call->replaced = true;
        phone->wait_due = g_get_monotonic_time() + REPLACED_PATIENCE;
        return;
    }
    phone_finish(phone, code, text);
}

static void call_wait_over(struct phone *phone)
{
    phone_finish(phone, EXIT_ELSEWHERE,
                 "They called at the same time, but their call did not come "
                 "through; call again.");
}

int command_call(const struct options *options, struct teller *teller)
{
    if (g_strv_length(options->words) != 2) {
        return tell_exit(teller, EXIT_USAGE, "Say whom to call: jcall call name@server");
    }
    struct call call = {.phone = {.options = options,
                                  .teller = teller,
                                  .idle_code = EXIT_CANCELED,
                                  .on_online = call_start,
                                  .on_incoming = call_incoming,
                                  .on_ended = call_ended,
                                  .on_wait_over = call_wait_over}};
    return phone_run(&call.phone);
}
