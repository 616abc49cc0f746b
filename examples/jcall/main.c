/* jcall: calls and files over XMPP from a command line, built on nothing but <jingle/jingle.h>.
 *
 *     options.c ─▶ main.c ─▶ call.c answer.c ──▶ phone.c ───▶ tell.c ─▶ display.c, json.c
 *                        ├─▶ send.c receive.c ─▶ courier.c ────┤
 *                        └─▶ contacts.c devices.c check.c ─────┘
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
    {"send", command_send, true},          {"receive", command_receive, true},
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

/* Programs get their last line even if the rest of the command line was not understood. */
static int complain(char **argv, const char *message)
{
    struct options options = {0};
    char *none = NULL;
    for (char **argument = argv; *argument; argument++) {
        options.json = options.json || strcmp(*argument, "--json") == 0;
    }
    fprintf(stderr, "jcall: %s\n", message);
    if (options.json) {
        struct teller *teller = tell_new(&options, false, &none);
        tell_exit(teller, EXIT_USAGE, message);
        tell_free(teller);
    }
    return EXIT_USAGE;
}

static int run(const struct options *options, char **argv)
{
    char *message = NULL;
    const struct command *command = command_find(options->words[0]);
    if (!command) {
        message = g_strdup_printf("There is no command \"%s\"; there are call, answer, send, "
                                  "receive, contacts, devices and check.",
                                  options->words[0]);
        complain(argv, message);
        g_free(message);
        return EXIT_USAGE;
    }
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
        code = run(&options, argv);
        break;
    case OPTIONS_TOLD:
        break;
    case OPTIONS_WRONG:
        code = complain(argv, message);
        break;
    }
    g_free(message);
    options_clear(&options);
    return code;
}
