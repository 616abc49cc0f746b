/* jcall answer [--auto] [--once] */
#include "command.h"
#include "exit.h"
#include "phone_waiting.h"

static void answer_ready(struct phone *phone)
{
    tell_waiting(phone->teller);
}

static void answer_incoming(struct phone *phone, const jingle_event *event)
{
    if (phone->session && phone_wait(phone, event)) {
        return;
    }
    if (phone->session) {
        jingle_session_reject(event->session, JINGLE_REASON_BUSY);
        tell_busy(phone->teller, event->session, event->u.incoming.from);
        return;
    }
    phone_take_incoming(phone, event);
    if (phone->options->automatic) {
        phone_accept(phone, event->session, false);
    } else {
        tell_note(phone->teller,
                  phone->options->commands ? "Write answer or decline."
                  : event->u.incoming.video
                      ? "Press v to answer with video, y with sound only, n to decline."
                      : "Press y to answer, n to decline.");
    }
}

static void answer_ended(struct phone *phone, jingle_reason reason, int code, const char *text)
{
    (void)reason;
    if (phone->options->once) {
        phone_finish(phone, code, text);
    }
}

int command_answer(const struct options *options, struct teller *teller)
{
    if (g_strv_length(options->words) != 1) {
        return tell_exit(teller, EXIT_USAGE, "jcall answer takes no further word.");
    }
    struct phone phone = {.options = options,
                          .teller = teller,
                          .idle_code = EXIT_OK,
                          .on_online = answer_ready,
                          .on_incoming = answer_incoming,
                          .on_ended = answer_ended};
    return phone_run(&phone);
}
