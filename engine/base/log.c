#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 1024

/* U+0080 to U+009F in UTF-8: terminals take them for escape sequences, too. */
static bool is_c1_control(const char *c)
{
    return (unsigned char)c[0] == 0xc2 && (unsigned char)c[1] >= 0x80 &&
           (unsigned char)c[1] <= 0x9f;
}

/* What a peer wrote may stand in a line: it must not forge a second one or steer a terminal. */
static void blank_control_characters(char *line)
{
    for (char *c = line; *c; c++) {
        if (is_c1_control(c)) {
            c[0] = c[1] = ' ';
        } else if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            *c = ' ';
        }
    }
}

/* A line that was too long must not end within a character. */
static void drop_cut_character(char *line)
{
    size_t start = strlen(line);
    while (start > 0 && ((unsigned char)line[start - 1] & 0xc0) == 0x80) {
        start--; /* continuation bytes */
    }
    if (start > 0 && (unsigned char)line[start - 1] >= 0xc0) {
        line[start - 1] = '\0';
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
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (length >= (int)sizeof line) {
        drop_cut_character(line);
    }
    blank_control_characters(line);
    log->write(log->user, level, line);
}
