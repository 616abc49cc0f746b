/* jcall receive [--dir D] [--auto] [--once] [--max SIZE] [--from JID] */
#include "amount.h"
#include "command.h"
#include "courier.h"
#include "display.h"
#include "exit.h"
#include "text.h"

#include <string.h>
#include <unistd.h>

#define KEYS_WIDTH 46 /* columns of the question beside the name: its keys must be seen */
#define NAME_LEAST 8
#define NAME_MOST  40

struct receiving {
    struct courier courier; /* the first member: a struct courier of ours is a struct receiving */
    struct choice_rules rules;
    /* of the last session that offered files */
    char *session; /* NULL: none did yet */
    unsigned seen; /* of its files */
    unsigned count;
    bool counts; /* --once: it was not refused by the rules, so it is the last one */
};

static struct receiving *receiving_of(struct courier *courier)
{
    return (struct receiving *)courier;
}

static void receive_ready(struct courier *courier)
{
    const struct receiving *receiving = receiving_of(courier);
    if (receiving->rules.automatic) {
        char *most = amount_bytes(choice_most(&receiving->rules));
        tell_note(courier->teller,
                  "Files up to %s are taken from %s without asking; --max and "
                  "--from say otherwise.",
                  most, receiving->rules.from ? receiving->rules.from : "your contacts");
        g_free(most);
    }
    tell_awaiting_files(courier->teller, courier->transfers.folder);
}

/* The one that waits longest is asked about. */
static void receive_ask(struct courier *courier)
{
    const char *waiting = transfers_waiting_name(&courier->transfers);
    if (!waiting || !wires_ask(&courier->wires)) {
        tell_question(courier->teller, NULL);
        return;
    }
    size_t room = MAX(display_width(), KEYS_WIDTH + NAME_LEAST) - KEYS_WIDTH;
    char *name = text_clean(waiting, MIN(room, NAME_MOST));
    unsigned more = courier->transfers.waiting->len - 1;
    char *question =
        courier->options->commands ? g_strdup_printf("Take %s? Write accept or reject.", name)
        : more > 0
            ? g_strdup_printf("Take %s? (y takes, n refuses, a takes all %u) ", name, more + 1)
            : g_strdup_printf("Take %s? (y takes, n refuses) ", name);
    tell_question(courier->teller, question);
    g_free(question);
    g_free(name);
}

static const char *refusal_text(enum choice choice)
{
    switch (choice) {
    case CHOICE_STRANGER:
        return "they are not one of your contacts.";
    case CHOICE_NOT_NAMED:
        return "--from names somebody else.";
    default:
        return "it is larger than --max allows.";
    }
}

/* Files of one session are offered one after the other. */
static void receive_note_session(struct receiving *receiving, const jingle_event *event)
{
    const char *session = jingle_transfer_id(event->transfer);
    if (g_strcmp0(receiving->session, session) != 0) {
        g_free(receiving->session);
        receiving->session = g_strdup(session);
        receiving->seen = 0;
        receiving->count = event->u.file.count;
    }
    receiving->seen++;
}

static bool receive_is_too_late(const struct receiving *receiving, const jingle_event *event)
{
    return receiving->counts &&
           strcmp(receiving->session, jingle_transfer_id(event->transfer)) != 0;
}

static void receive_offered(struct courier *courier, const jingle_event *event)
{
    struct receiving *receiving = receiving_of(courier);
    struct transfers *transfers = &courier->transfers;
    enum choice choice = choice_make(&receiving->rules, event->u.file.from, event->u.file.on_roster,
                                     event->u.file.bytes);
    if (receive_is_too_late(receiving, event)) {
        transfers_refuse_now(transfers, event, "once", "--once takes those offered first only.");
        return;
    }
    receive_note_session(receiving, event);
    if (choice == CHOICE_ASK && !wires_ask(&courier->wires)) {
        transfers_refuse_now(transfers, event, "nobody", "nobody is here to be asked.");
    } else if (choice == CHOICE_TAKE) {
        receiving->counts = courier->options->once;
        transfers_take_now(transfers, event);
    } else if (choice == CHOICE_ASK) {
        receiving->counts = courier->options->once;
        transfers_wait(transfers, event);
        receive_ask(courier);
    } else {
        transfers_refuse_now(transfers, event, choice_name(choice), refusal_text(choice));
    }
}

static void receive_ended(struct courier *courier, const jingle_event *event)
{
    (void)event;
    const struct receiving *receiving = receiving_of(courier);
    const struct transfers *transfers = &courier->transfers;
    receive_ask(courier);
    if (!receiving->counts || receiving->seen < receiving->count || transfers_busy(transfers) ||
        transfers_waiting_name(transfers)) {
        return;
    }
    unsigned count = transfers->arrived + transfers->failed;
    char *text = count == 1
                     ? g_strdup(transfers->text ? transfers->text : "The file is saved.")
                     : g_strdup_printf("%u of %u files are saved.", transfers->arrived, count);
    courier_finish(courier, transfers->code, text);
    g_free(text);
}

static void receive_request(struct courier *courier, const struct request *request)
{
    struct transfers *transfers = &courier->transfers;
    bool done = true;
    switch (request->kind) {
    case REQUEST_NONE:
        return;
    case REQUEST_TAKE:
        done = transfers_take(transfers);
        break;
    case REQUEST_TAKE_ALL:
        while (transfers_take(transfers)) {
        }
        break;
    case REQUEST_REFUSE:
    case REQUEST_DECLINE:
        done = transfers_refuse(transfers);
        break;
    case REQUEST_STOP_FILES:
        transfers_stop(transfers);
        break;
    case REQUEST_HANGUP:
    case REQUEST_QUIT:
        courier_quit(courier, EXIT_OK, "");
        return;
    default:
        tell_error(courier->teller, JINGLE_ERROR_INVALID,
                   "Unknown command; there are accept, reject, stop-files and quit.");
        return;
    }
    if (!done && courier->options->commands) {
        tell_error(courier->teller, JINGLE_ERROR_STATE, "No file is offered now.");
    }
    receive_ask(courier);
}

static const char *receive_complaint(const struct options *options)
{
    if (g_strv_length(options->words) != 1) {
        return "jcall receive takes no further word.";
    }
    if (options->from && !strchr(options->from, '@')) {
        return "--from is the address of a person; one looks like name@server.";
    }
    if (!options->automatic && !options->commands && (options->json || !isatty(STDIN_FILENO))) {
        return "There is nobody to ask which files to take: add --auto to take those of your "
               "contacts, or --commands to write accept and reject.";
    }
    return NULL;
}

int command_receive(const struct options *options, struct teller *teller)
{
    const char *complaint = receive_complaint(options);
    if (complaint) {
        return tell_exit(teller, EXIT_USAGE, complaint);
    }
    struct receiving receiving = {
        .courier = {.options = options,
                    .teller = teller,
                    .on_online = receive_ready,
                    .on_offered = receive_offered,
                    .on_ended = receive_ended,
                    .on_request = receive_request},
        .rules = {.automatic = options->automatic, .from = options->from, .most = options->max},
    };
    transfers_init(&receiving.courier.transfers, options, teller);
    char *message = NULL;
    int code = EXIT_FILE;
    if (transfers_find_folder(&receiving.courier.transfers, &message)) {
        code = courier_run(&receiving.courier);
    } else {
        tell_exit(teller, code, message);
        transfers_clear(&receiving.courier.transfers);
    }
    g_free(message);
    g_free(receiving.session);
    return code;
}
