/* A question goes to /dev/tty and the answer comes from there, whatever standard input and output
 * are. A signal ends the question with the terminal as it was. */
#include "prompt.h"

#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MAX 1024

static volatile sig_atomic_t caught;

static void note_signal(int signal_number)
{
    caught = signal_number;
}

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

static void signals_watch(struct sigaction before[G_N_ELEMENTS(ending)])
{
    struct sigaction watch = {.sa_handler = note_signal}; /* no SA_RESTART: read() ends */
    caught = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(ending); i++) {
        sigaction(ending[i], &watch, &before[i]);
    }
}

static void signals_release(const struct sigaction before[G_N_ELEMENTS(ending)])
{
    for (size_t i = 0; i < G_N_ELEMENTS(ending); i++) {
        sigaction(ending[i], &before[i], NULL);
    }
    if (caught) {
        raise(caught);
    }
}

static void write_all(int terminal, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        ssize_t written = write(terminal, text, left);
        if (written < 0) {
            return;
        }
        text += written;
        left -= (size_t)written;
    }
}

static char *line_read(int terminal)
{
    char line[ANSWER_MAX];
    size_t length = 0;
    while (length < sizeof line - 1 && !caught) {
        ssize_t got = read(terminal, line + length, 1);
        if (got <= 0 || line[length] == '\n') {
            break;
        }
        length++;
    }
    line[length] = '\0';
    char *answer = length > 0 && !caught ? g_strdup(line) : NULL;
    explicit_bzero(line, sizeof line);
    return answer;
}

char *prompt_line(const char *question, bool hidden)
{
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (terminal < 0) {
        return NULL;
    }
    struct sigaction before[G_N_ELEMENTS(ending)];
    signals_watch(before);
    char *answer = NULL;
    if (!hidden || terminal_hide_input(terminal)) {
        write_all(terminal, question);
        answer = line_read(terminal);
        terminal_restore();
        if (hidden) {
            write_all(terminal, "\n");
        }
    }
    close(terminal);
    signals_release(before);
    return answer;
}
