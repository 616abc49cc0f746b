/* The self-pipe trick. */
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <unistd.h>

static int ends[2] = {-1, -1};
static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};
static struct sigaction before[G_N_ELEMENTS(caught)];

static void note_signal(int signal_number)
{
    int why = errno;
    unsigned char byte = (unsigned char)signal_number;
    ssize_t written = write(ends[1], &byte, 1);
    (void)written; /* a full pipe holds enough signals */
    errno = why;
}

int signals_open(void)
{
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return -1;
    }
    signal(SIGPIPE, SIG_IGN);
    struct sigaction watch = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
    for (size_t i = 0; i < G_N_ELEMENTS(caught); i++) {
        sigaction(caught[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN) { /* nohup stays nohup */
            sigaction(caught[i], &watch, NULL);
        }
    }
    return ends[0];
}

int signals_next(void)
{
    unsigned char byte;
    return read(ends[0], &byte, 1) == 1 ? byte : 0;
}

void signals_close(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(caught); i++) {
        sigaction(caught[i], &before[i], NULL);
    }
    close(ends[0]);
    close(ends[1]);
    ends[0] = ends[1] = -1;
}
