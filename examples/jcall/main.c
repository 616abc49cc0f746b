/* jcall: voice calls over XMPP from a command line, built on nothing but <jingle/jingle.h>.
 *
 *     options.c ─▶ main.c ─▶ call.c answer.c ─▶ phone.c ─▶ tell.c ─▶ display.c, json.c
 *                        └─▶ contacts.c devices.c check.c ────┘
 */
#include "command.h"
#include "exit.h"
#include "options.h"
#include "tell.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

static const struct command {
    const char *name;
    int (*run)(const struct options *options, struct teller *teller);
    bool live; /* may keep a line alive on a terminal */
} commands[] = {
    {"call", command_call, true},          {"answer", command_answer, true},
    {"contacts", command_contacts, false}, {"devices", command_devices, false},
    {"check", command_check, false},
};

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static int run(const struct options *options)
{
    const struct command *command = command_find(options->words[0]);
    if (!command) {
        fprintf(stderr,
                "jcall: there is no command \"%s\"; there are call, answer, contacts, "
                "devices and check.\n",
                options->words[0]);
        return EXIT_USAGE;
    }
    char *message = NULL;
    struct teller *teller = tell_new(options, command->live, &message);
    if (!teller) {
        fprintf(stderr, "jcall: %s\n", message);
        g_free(message);
        return EXIT_FILE;
    }
    tell_start(teller, command->name);
    int code = command->run(options, teller);
    tell_free(teller);
    return code;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, ""); /* not LC_NUMERIC: numbers look the same everywhere */
    struct options options;
    char *message = NULL;
    int code = EXIT_OK;
    switch (options_parse(&options, argc, argv, &message)) {
    case OPTIONS_RUN:
        code = run(&options);
        break;
    case OPTIONS_TOLD:
        break;
    case OPTIONS_WRONG:
        fprintf(stderr, "jcall: %s\n", message);
        code = EXIT_USAGE;
        break;
    }
    g_free(message);
    options_clear(&options);
    return code;
}
