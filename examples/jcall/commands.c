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
    {"answer", REQUEST_ANSWER},
    {"decline", REQUEST_DECLINE},
    {"busy", REQUEST_BUSY},
    {"mute", REQUEST_MUTE},
    {"unmute", REQUEST_UNMUTE},
    {"hold", REQUEST_HOLD},
    {"unhold", REQUEST_UNHOLD},
    {"video", REQUEST_VIDEO},
    {"refuse-video", REQUEST_REFUSE_VIDEO},
    {"stop-video", REQUEST_STOP_VIDEO},
    {"camera", REQUEST_CAMERA},
    {"screen", REQUEST_SCREEN},
    {"no-picture", REQUEST_NO_PICTURE},
    {"snapshot", REQUEST_SNAPSHOT},
    {"stop-record", REQUEST_STOP_RECORD},
    {"take", REQUEST_TAKE},
    {"accept", REQUEST_TAKE},
    {"refuse", REQUEST_REFUSE},
    {"reject", REQUEST_REFUSE},
    {"stop-files", REQUEST_STOP_FILES},
    {"switch", REQUEST_SWITCH_CALL},
    {"hangup", REQUEST_HANGUP},
    {"quit", REQUEST_QUIT},
};

static bool are_digits(const char *value)
{
    size_t count = strlen(value);
    return count <= REQUEST_DIGITS_MAX && count == strspn(value, "0123456789*#ABCD");
}

static bool is_video(const char *value)
{
    return strcmp(value, "video") == 0;
}

static bool is_direction(const char *value)
{
    return strcmp(value, "both") == 0 || strcmp(value, "send") == 0 ||
           strcmp(value, "receive") == 0 || strcmp(value, "none") == 0;
}

static bool is_path(const char *value)
{
    return strlen(value) <= REQUEST_VALUE_MAX;
}

static const struct {
    const char *word;
    enum request_kind kind;
    bool (*good)(const char *value);
} words_with_value[] = {
    {"answer ", REQUEST_ANSWER, is_video},
    {"digits ", REQUEST_DIGITS, are_digits},
    {"direction ", REQUEST_DIRECTION, is_direction},
    {"snapshot ", REQUEST_SNAPSHOT, is_path},
    {"record ", REQUEST_RECORD, is_path},
    {"send ", REQUEST_SEND, is_path},
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
    for (size_t i = 0; i < G_N_ELEMENTS(words_with_value); i++) {
        const char *value = line + strlen(words_with_value[i].word);
        if (g_str_has_prefix(line, words_with_value[i].word) && *value &&
            words_with_value[i].good(value)) {
            request.kind = words_with_value[i].kind;
            g_strlcpy(request.value, value, sizeof request.value);
        }
    }
    return request;
}

void commands_fill(struct commands *commands, int descriptor)
{
    if (commands->bytes == sizeof commands->line) {
        commands->bytes = 0; /* no command is that long */
        commands->too_long = true;
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
    *request = commands->too_long ? (struct request){.kind = REQUEST_UNKNOWN}
                                  : command_meaning(g_strstrip(line));
    commands->too_long = false;
    return true;
}
