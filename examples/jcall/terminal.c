/* termios, with care: one terminal at most is changed, and its old settings are kept here, where
 * a signal handler finds them. */
#include "terminal.h"

#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static struct termios settings_before;
static volatile sig_atomic_t changed_descriptor = -1;

void terminal_restore(void)
{
    int descriptor = changed_descriptor;
    changed_descriptor = -1;
    if (descriptor >= 0) {
        tcsetattr(descriptor, TCSANOW, &settings_before);
    }
}

static void restore_and_die(int signal_number)
{
    terminal_restore();
    raise(signal_number); /* SA_RESETHAND: now it has its usual effect */
}

/* Signals that nobody catches, so that even a crash leaves a usable terminal. Those that somebody
 * else (a sanitizer) has taken are left to it. */
static void guard_install(void)
{
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    static bool installed;
    if (installed) {
        return;
    }
    installed = true;
    atexit(terminal_restore);
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) {
        struct sigaction before;
        struct sigaction after = {.sa_handler = restore_and_die, .sa_flags = SA_RESETHAND};
        if (sigaction(deadly[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL) {
            sigaction(deadly[i], &after, NULL);
        }
    }
}

static bool terminal_change(int descriptor, tcflag_t off)
{
    if (!isatty(descriptor) || tcgetpgrp(descriptor) != getpgrp() || changed_descriptor >= 0) {
        return false;
    }
    guard_install();
    struct termios settings;
    if (tcgetattr(descriptor, &settings_before) != 0) {
        return false;
    }
    settings = settings_before;
    settings.c_lflag &= ~off;
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    changed_descriptor = descriptor;
    if (tcsetattr(descriptor, TCSANOW, &settings) != 0) {
        changed_descriptor = -1;
        return false;
    }
    return true;
}

bool terminal_take_keys(int descriptor)
{
    return terminal_change(descriptor, ICANON | ECHO);
}

bool terminal_hide_input(int descriptor)
{
    return terminal_change(descriptor, ECHO);
}
