/* What --help says beside the list of options. */
#include "exit.h"
#include "options_group.h"

#include <stdio.h>

static const char SUMMARY[] =
    "Voice and video calls and files over XMPP.\n"
    "\n"
    "Commands:\n"
    "  call JID              call somebody and talk (--video: see each other)\n"
    "  answer                wait for calls and answer them (--auto: without asking)\n"
    "  send JID FILE...      send files (the same again goes on where it stopped)\n"
    "  receive               wait for files and save them (--auto: without asking)\n"
    "  contacts              show the people who may call you, and who asks to be one\n"
    "  contacts add JID      ask somebody to be a contact, or grant what they asked for\n"
    "  contacts remove JID   end that, both ways\n"
    "  devices               list the sound devices and cameras\n"
    "  check                 try everything that a call needs and say what to do about it";

static const char LESSON[] =
    "Examples:\n"
    "  jcall -j alice@example.org contacts add bob@example.org\n"
    "  jcall -j alice@example.org call bob@example.org\n"
    "  jcall call bob@example.org --video\n"
    "  jcall call bob@example.org --play=film.mkv --report=call.html\n"
    "  jcall answer --auto --source=file:greeting.flac --record=message.wav --seconds=60\n"
    "  jcall call bob@example.org --source=tone:440 --sink=null --json\n"
    "  jcall send bob@example.org holiday.mkv notes.pdf\n"
    "  jcall send bob@example.org photos --tar --limit=500k\n"
    "  jcall send bob@example.org big.iso --via=http\n"
    "  jcall receive --auto --dir=Incoming --max=2G\n"
    "\n"
    "Keys during a call: m mute, h hold, 0-9 * # digits, v camera on and off (adds video to a\n"
    "call without), s screen in place of the camera, x no video any more, f full screen, p save\n"
    "the picture, o send a file, a take the file that they offer, r refuse it, c stop files,\n"
    "q hang up. When it rings: y, n.\n"
    "\n"
    "Sizes are such as 500k, 10M or 2G, in bytes.\n"
    "\n"
    "The account comes from the options, else from JCALL_JID and JCALL_PASSWORD, else from\n"
    "~/.config/jcall/config, else you are asked. There is no option for the password itself,\n"
    "because everybody on the machine could read it.\n"
    "\n"
    "Every long option may stand in the configuration file, which others may not read if it\n"
    "holds a password (chmod 600):\n"
    "  [jcall]\n"
    "  jid = alice@example.org\n"
    "  password = a secret\n"
    "  source = device:USB Headset\n"
    "\n"
    "The manual page jcall(1) has more.\n";

void options_help(GOptionContext *context)
{
    char *codes = exit_help();
    char *description = g_strconcat(LESSON, "\n", codes, NULL);
    g_option_context_set_summary(context, SUMMARY);
    g_option_context_set_description(context, description);
    char *help = g_option_context_get_help(context, FALSE, NULL);
    fputs(help, stdout);
    g_free(help);
    g_free(description);
    g_free(codes);
}
