/* Log lines: made by any room, shown by the application. There is no global logger; whoever may
 * log is given one. A line is one sentence without a newline and never holds a secret. */
#ifndef JINGLE_BASE_LOG_H
#define JINGLE_BASE_LOG_H

#include <jingle/jingle.h>

struct logger {
    jingle_log_level level; /* lines above this level are not formatted at all */
    jingle_log_fn write;    /* NULL: nothing is written */
    void *user;
};

/* A NULL logger is silent. */
void log_write(const struct logger *log, jingle_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(log, ...)   log_write((log), JINGLE_LOG_ERROR, __VA_ARGS__)
#define log_warning(log, ...) log_write((log), JINGLE_LOG_WARNING, __VA_ARGS__)
#define log_info(log, ...)    log_write((log), JINGLE_LOG_INFO, __VA_ARGS__)
#define log_debug(log, ...)   log_write((log), JINGLE_LOG_DEBUG, __VA_ARGS__)

#endif
