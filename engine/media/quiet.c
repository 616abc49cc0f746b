#include "media/quiet.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void quiet_begin(struct quiet *quiet)
{
    fflush(stderr);
    quiet->saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    quiet->held = quiet->saved < 0 ? -1 : memfd_create("stderr", MFD_CLOEXEC);
    if (quiet->held < 0 || dup2(quiet->held, STDERR_FILENO) < 0) {
        if (quiet->held >= 0) {
            close(quiet->held);
        }
        if (quiet->saved >= 0) {
            close(quiet->saved);
        }
        quiet->saved = -1;
    }
}

static bool is_chatter(const char *line)
{
    static const char *const marks[] = {
        "ALSA lib ",        "src/hostapi/", "jack server", "JackShm", "Cannot connect to server",
        "Cannot lock down", "JackServer",   "PaAlsa",
    };
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (strstr(line, marks[i])) {
            return true;
        }
    }
    return strspn(line, " \n") == strlen(line);
}

void quiet_end(struct quiet *quiet)
{
    if (quiet->saved < 0) {
        return;
    }
    fflush(stderr);
    dup2(quiet->saved, STDERR_FILENO);
    FILE *real = fdopen(quiet->saved, "w");
    FILE *held = fdopen(quiet->held, "r");
    char line[1024];
    if (held) {
        rewind(held);
    }
    while (real && held && fgets(line, sizeof line, held)) {
        if (!is_chatter(line)) {
            fputs(line, real);
        }
    }
    if (real) {
        fclose(real);
    } else {
        close(quiet->saved);
    }
    if (held) {
        fclose(held);
    } else {
        close(quiet->held);
    }
}
