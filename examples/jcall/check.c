/* jcall check */
#include "account.h"
#include "command.h"
#include "exit.h"

#define CHECK_MOST 30000000 /* for all of the library's checks together */

static bool check_devices(struct teller *teller)
{
    jingle_audio_device *devices = NULL;
    size_t count = 0;
    bool capture = false;
    bool playback = false;
    if (jingle_audio_devices(&devices, &count) == JINGLE_OK) {
        for (size_t i = 0; i < count; i++) {
            capture = capture || devices[i].default_capture;
            playback = playback || devices[i].default_playback;
        }
        jingle_audio_devices_free(devices, count);
    }
    tell_check(
        teller, "Microphone", capture,
        capture ? "There is one." : "There is none that calls could use.",
        capture ? "" : "Plug one in, see jcall devices, or speak from a file: --source=file:PATH");
    tell_check(teller, "Loudspeaker", playback,
               playback ? "There is one." : "There is none that calls could use.",
               playback ? "" : "Plug one in, see jcall devices, or use --sink=file:PATH");
    return capture && playback;
}

/* The library's own findings, until the last one. */
static bool check_account(jingle_client *client, struct teller *teller)
{
    gint64 end = g_get_monotonic_time() + CHECK_MOST;
    bool good = jingle_client_check(client) == JINGLE_OK;
    while (good || g_get_monotonic_time() < end) {
        gint64 left = end - g_get_monotonic_time();
        const jingle_event *event = left > 0 ? jingle_client_wait(client, left) : NULL;
        if (!event) {
            tell_check(teller, "Check", false, "It did not end in time.", "Try again.");
            return false;
        }
        if (event->type != JINGLE_EVENT_CHECK) {
            continue;
        }
        tell_event(teller, event);
        good = good && event->u.check.good;
        if (event->u.check.last) {
            return good;
        }
    }
    return false;
}

static const char *login_remedy(jingle_status status)
{
    switch (status) {
    case JINGLE_ERROR_AUTHENTICATION:
        return "Check the JID and the password.";
    case JINGLE_ERROR_CERTIFICATE:
        return "If the server has an authority of its own, name its file: --ca-file=FILE";
    case JINGLE_ERROR_HOST_NOT_FOUND:
    case JINGLE_ERROR_CONNECT:
        return "Check what follows the @ of the JID, or say where the server is: --host=HOST";
    case JINGLE_ERROR_TLS_MISSING:
    case JINGLE_ERROR_NO_MECHANISM:
        return "Ask those who run the server: passwords are not safe with it.";
    default:
        return "Try again later.";
    }
}

/* NULL if there is nothing more to look at: then `*code` is the exit code. */
static jingle_client *check_login(const struct options *options, struct teller *teller, int *code)
{
    jingle_client *client = account_client(options, teller, code);
    if (!client) {
        return NULL;
    }
    char *text = NULL;
    jingle_status status = account_connect(client, teller, &text);
    if (status == JINGLE_OK) {
        return client;
    }
    tell_check(teller, "Login", false, text, login_remedy(status));
    *code = tell_exit(teller, exit_for_status(status), text);
    g_free(text);
    jingle_client_free(client);
    return NULL;
}

int command_check(const struct options *options, struct teller *teller)
{
    if (g_strv_length(options->words) != 1) {
        return tell_exit(teller, EXIT_USAGE, "jcall check takes no further word.");
    }
    bool sound = check_devices(teller);
    int code = EXIT_FAILED;
    jingle_client *client = check_login(options, teller, &code);
    if (!client) {
        return code;
    }
    tell_note(teller, "Looking at the server, STUN and TURN ...");
    bool account = check_account(client, teller);
    code = tell_exit(teller, sound && account ? EXIT_OK : EXIT_CHECK,
                     sound && account ? "Calls should work."
                                      : "Not everything is as calls need it; see above.");
    jingle_client_free(client);
    return code;
}
