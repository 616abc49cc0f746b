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

int command_check(const struct options *options, struct teller *teller)
{
    if (g_strv_length(options->words) != 1) {
        return tell_exit(teller, EXIT_USAGE, "jcall check takes no further word.");
    }
    bool sound = check_devices(teller);
    int code = EXIT_FAILED;
    jingle_client *client = account_login(options, teller, &code);
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
