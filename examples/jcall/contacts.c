/* jcall contacts [add|remove JID] */
#include "account.h"
#include "command.h"
#include "exit.h"

#include <string.h>

#define SETTLE_QUIET 700000   /* presences come one by one after the login: this long without one */
#define SETTLE_MOST  3000000  /* but no longer than this in all */
#define ANSWER_MOST  10000000 /* the server's answer to a change */

/* Lets presences and requests come in; those who ask to be a contact are told of as they come. */
static void contacts_settle(jingle_client *client, struct teller *teller)
{
    gint64 end = g_get_monotonic_time() + SETTLE_MOST;
    for (;;) {
        gint64 left = end - g_get_monotonic_time();
        const jingle_event *event =
            left > 0 ? jingle_client_wait(client, MIN(left, SETTLE_QUIET)) : NULL;
        if (!event) {
            return;
        }
        if (event->type != JINGLE_EVENT_CONTACT) {
            tell_event(teller, event);
        }
    }
}

static int contacts_list(jingle_client *client, struct teller *teller)
{
    contacts_settle(client, teller);
    jingle_contact *contacts = NULL;
    size_t count = 0;
    jingle_status status = jingle_client_contacts(client, &contacts, &count);
    if (status != JINGLE_OK) {
        return tell_exit(teller, exit_for_status(status), jingle_strerror(status));
    }
    for (size_t i = 0; i < count; i++) {
        tell_contact(teller, &contacts[i]);
    }
    jingle_contacts_free(contacts, count);
    if (count == 0) {
        tell_note(teller, "You have no contacts yet: jcall contacts add name@server");
    }
    return tell_exit(teller, EXIT_OK, "");
}

/* Waits until the server's roster has what was asked for. */
static bool contacts_wait(jingle_client *client, struct teller *teller, const char *jid, bool add)
{
    gint64 end = g_get_monotonic_time() + ANSWER_MOST;
    for (;;) {
        gint64 left = end - g_get_monotonic_time();
        const jingle_event *event = left > 0 ? jingle_client_wait(client, left) : NULL;
        if (!event) {
            return false;
        }
        if (event->type != JINGLE_EVENT_CONTACT) {
            tell_event(teller, event);
            if (event->type == JINGLE_EVENT_OFFLINE) {
                return false;
            }
            continue;
        }
        const jingle_contact *contact = &event->u.contact;
        bool wanted = contact->asked || contact->subscription == JINGLE_SUBSCRIPTION_TO ||
                      contact->subscription == JINGLE_SUBSCRIPTION_BOTH;
        if (g_ascii_strcasecmp(contact->jid, jid) == 0 && (add ? wanted : contact->removed)) {
            tell_event(teller, event);
            return true;
        }
    }
}

/* The subscription to a contact; false if they are none. */
static bool contact_find(jingle_client *client, const char *jid, jingle_subscription *subscription)
{
    jingle_contact *contacts = NULL;
    size_t count = 0;
    bool known = false;
    if (jingle_client_contacts(client, &contacts, &count) == JINGLE_OK) {
        for (size_t i = 0; i < count; i++) {
            if (g_ascii_strcasecmp(contacts[i].jid, jid) == 0) {
                *subscription = contacts[i].subscription;
                known = true;
            }
        }
        jingle_contacts_free(contacts, count);
    }
    return known;
}

static int contacts_add(jingle_client *client, struct teller *teller, const char *jid)
{
    jingle_status status = jingle_client_contact_add(client, jid, NULL);
    if (status != JINGLE_OK) {
        return tell_exit(teller, exit_for_status(status), jingle_strerror(status));
    }
    jingle_subscription subscription = JINGLE_SUBSCRIPTION_NONE;
    if (!contact_find(client, jid, &subscription) && !contacts_wait(client, teller, jid, true)) {
        return tell_exit(teller, EXIT_SERVER, "The server did not confirm the new contact.");
    }
    contacts_settle(client, teller);
    contact_find(client, jid, &subscription);
    bool agreed =
        subscription == JINGLE_SUBSCRIPTION_TO || subscription == JINGLE_SUBSCRIPTION_BOTH;
    char *text =
        g_strdup_printf(agreed ? "%s is your contact: you may call each other."
                               : "%s is on your roster and was asked to be a contact; they may "
                                 "call you. You can call them once they agree.",
                        jid);
    int code = tell_exit(teller, EXIT_OK, text);
    g_free(text);
    return code;
}

static int contacts_remove(jingle_client *client, struct teller *teller, const char *jid)
{
    jingle_subscription subscription;
    bool known = contact_find(client, jid, &subscription);
    jingle_status status = jingle_client_contact_remove(client, jid);
    if (status != JINGLE_OK) {
        return tell_exit(teller, exit_for_status(status), jingle_strerror(status));
    }
    if (known && !contacts_wait(client, teller, jid, false)) {
        return tell_exit(teller, EXIT_SERVER, "The server did not confirm that.");
    }
    contacts_settle(client, teller);
    return tell_exit(teller, EXIT_OK,
                     known ? "They are no longer a contact." : "They were not a contact.");
}

int command_contacts(const struct options *options, struct teller *teller)
{
    char **words = options->words + 1;
    guint count = g_strv_length(words);
    bool add = count == 2 && strcmp(words[0], "add") == 0;
    bool remove = count == 2 && strcmp(words[0], "remove") == 0;
    if (count != 0 && !add && !remove) {
        return tell_exit(teller, EXIT_USAGE,
                         "It is jcall contacts, jcall contacts add JID or jcall contacts remove "
                         "JID.");
    }
    int code = EXIT_FAILED;
    jingle_client *client = account_login(options, teller, &code);
    if (!client) {
        return code;
    }
    if (add) {
        code = contacts_add(client, teller, words[1]);
    } else if (remove) {
        code = contacts_remove(client, teller, words[1]);
    } else {
        code = contacts_list(client, teller);
    }
    jingle_client_free(client);
    return code;
}
