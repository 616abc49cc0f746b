/* Which command means what: see docs/jcall-json.md. */
#include "commands.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *word;
    enum request_kind kind;
} words[] = {
    {"answer", REQUEST_ANSWER}, {"decline", REQUEST_DECLINE}, {"busy", REQUEST_BUSY},
    {"mute", REQUEST_MUTE},     {"unmute", REQUEST_UNMUTE},   {"hold", REQUEST_HOLD},
    {"unhold", REQUEST_UNHOLD}, {"hangup", REQUEST_HANGUP},   {"quit", REQUEST_QUIT},
};

static struct request command_meaning(const char *line)
{
    struct request request = {REQUEST_UNKNOWN, ""};
    if (!*line) {
        request.kind = REQUEST_NONE;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp(line, words[i].word) == 0) {
            request.kind = words[i].kind;
        }
    }
    if (g_str_has_prefix(line, "digits ")) {
        const char *digits = line + strlen("digits ");
        size_t count = strlen(digits);
        if (count <= REQUEST_DIGITS_MAX && count == strspn(digits, "0123456789*#ABCD")) {
            request.kind = REQUEST_DIGITS;
            g_strlcpy(request.digits, digits, sizeof request.digits);
        }
    }
    return request;
}

void commands_fill(struct commands *commands, int descriptor)
{
    if (commands->bytes == sizeof commands->line) {
        commands->bytes = 0; /* no command is that long: forget it */
    }
    ssize_t got =
        read(descriptor, commands->line + commands->bytes, sizeof commands->line - commands->bytes);
    if (got > 0) {
        commands->bytes += (size_t)got;
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
        commands->ended = true;
    }
}

bool commands_next(struct commands *commands, struct request *request)
{
    char *end = memchr(commands->line, '\n', commands->bytes);
    if (!end) {
        return false;
    }
    char line[COMMAND_BYTES_MAX];
    size_t length = (size_t)(end - commands->line);
    memcpy(line, commands->line, length);
    line[length] = '\0';
    commands->bytes -= length + 1;
    memmove(commands->line, end + 1, commands->bytes);
    *request = command_meaning(g_strstrip(line));
    return true;
}
