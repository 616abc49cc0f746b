/* The files of a telephone. */
#include "phone_files.h"

#include "exit.h"

static void files_send(struct phone *phone, const char *path)
{
    struct parcels parcels;
    char *paths[] = {(char *)path, NULL};
    char *message = NULL;
    int code = EXIT_OK;
    if (!parcels_collect(&parcels, phone->options, phone->teller, paths, &message, &code)) {
        tell_error(phone->teller, JINGLE_ERROR_FILE, message);
        g_free(message);
        return;
    }
    jingle_status status = transfers_send(&phone->transfers, phone->client,
                                          jingle_session_peer(phone->session), &parcels);
    if (status != JINGLE_OK) {
        tell_error(phone->teller, status, jingle_strerror(status));
    }
    parcels_clear(&parcels);
}

static void files_ask(struct phone *phone)
{
    if (phone->wires.keys) {
        wires_type_path(&phone->wires, "Send which file? ");
    } else {
        tell_error(phone->teller, JINGLE_ERROR_STATE, "There is no terminal to ask on.");
    }
}

/* The folder is looked for as late as this, since few calls need one. */
static void files_take(struct phone *phone)
{
    char *message = NULL;
    if (!transfers_waiting_name(&phone->transfers)) {
        tell_error(phone->teller, JINGLE_ERROR_STATE, "No file is offered now.");
    } else if (!transfers_find_folder(&phone->transfers, &message)) {
        tell_error(phone->teller, JINGLE_ERROR_FILE_NOT_FOUND, message);
    } else {
        transfers_take(&phone->transfers);
    }
    g_free(message);
}

bool phone_files_do(struct phone *phone, const struct request *request)
{
    switch (request->kind) {
    case REQUEST_ASK_FILE:
        files_ask(phone);
        return true;
    case REQUEST_SEND:
        files_send(phone, request->value);
        return true;
    case REQUEST_TAKE:
        files_take(phone);
        return true;
    case REQUEST_REFUSE:
        if (!transfers_refuse(&phone->transfers)) {
            tell_error(phone->teller, JINGLE_ERROR_STATE, "No file is offered now.");
        }
        return true;
    case REQUEST_STOP_FILES:
        transfers_stop(&phone->transfers);
        return true;
    default:
        return false;
    }
}

/* Those who are in the call may offer, and contacts; if there is anybody to ask. */
static void files_offered(struct phone *phone, const jingle_event *event)
{
    bool party =
        phone->session && choice_same(event->u.file.from, jingle_session_peer(phone->session));
    if (!phone->asks) {
        transfers_refuse_now(&phone->transfers, event, "nobody", "nobody is here to be asked.");
    } else if (!party && !event->u.file.on_roster) {
        transfers_refuse_now(&phone->transfers, event, choice_name(CHOICE_STRANGER),
                             "they are not one of your contacts.");
    } else {
        transfers_wait(&phone->transfers, event);
        tell_note(phone->teller, phone->options->commands ? "Write take or refuse."
                                                          : "Press a to take it, r to refuse it.");
    }
}

void phone_files_event(struct phone *phone, const jingle_event *event)
{
    switch (event->type) {
    case JINGLE_EVENT_FILE_OFFERED:
        files_offered(phone, event);
        break;
    case JINGLE_EVENT_FILE_REQUESTED:
        jingle_transfer_reject(event->transfer);
        break;
    case JINGLE_EVENT_TRANSFER_ENDED:
        transfers_ended(&phone->transfers, event);
        if (!transfers_busy(&phone->transfers)) {
            phone_files_over(phone);
        }
        break;
    default:
        break;
    }
}
