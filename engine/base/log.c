#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_MAX_BYTES 1024

/* What a peer wrote may stand in a line: it must not forge a second one or steer a terminal. */
static void blank_control_characters(char *line)
{
    for (char *c = line; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            *c = ' ';
        }
    }
}

void log_write(const struct logger *log, jingle_log_level level, const char *format, ...)
{
    if (!log || !log->write || level > log->level) {
        return;
    }
    char line[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    blank_control_characters(line);
    log->write(log->user, level, line);
}
