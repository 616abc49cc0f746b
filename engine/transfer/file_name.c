#include "transfer/file_name.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { ENDING_MAX = 32 };

/* ---------------------------------------------------------------------------- cleaning -- */

/* Changes the direction of the text around it, or is not seen: "gpj.exe" may look like "exe.jpg".
 */
static bool is_deceptive(gunichar c)
{
    return c == 0x061c || c == 0x200b || c == 0x2060 || (c >= 0x200e && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff ||
           (c & 0xfffe) == 0xfffe;
}

static bool is_forbidden(gunichar c)
{
    return c < 0x80 && strchr("<>:\"|?*", (int)c);
}

/* Characters that may be in a name; what is no UTF-8 becomes '_'. */
static GString *readable(const char *text, size_t bytes)
{
    GString *name = g_string_new(NULL);
    const char *end = text + bytes;
    while (text < end) {
        gunichar c = g_utf8_get_char_validated(text, end - text);
        if (c == (gunichar)-1 || c == (gunichar)-2) {
            g_string_append_c(name, '_');
            text++;
            continue;
        }
        text = g_utf8_next_char(text);
        if (is_forbidden(c)) {
            g_string_append_c(name, '_');
        } else if (!g_unichar_iscntrl(c) && !is_deceptive(c)) {
            g_string_append_unichar(name, c);
        }
    }
    return name;
}

/* The last component that is not empty. */
static const char *last_component(const char *name, size_t *bytes)
{
    const char *end = name + strlen(name);
    while (end > name && (end[-1] == '/' || end[-1] == '\\')) {
        end--;
    }
    const char *start = end;
    while (start > name && start[-1] != '/' && start[-1] != '\\') {
        start--;
    }
    *bytes = (size_t)(end - start);
    return start;
}

static bool is_filling(gunichar c)
{
    return c == '.' || g_unichar_isspace(c);
}

static void strip(GString *name)
{
    const char *start = name->str;
    while (*start && is_filling(g_utf8_get_char(start))) {
        start = g_utf8_next_char(start);
    }
    g_string_erase(name, 0, start - name->str);
    while (name->len > 0) {
        const char *last = g_utf8_prev_char(name->str + name->len);
        if (!is_filling(g_utf8_get_char(last))) {
            break;
        }
        g_string_truncate(name, (gsize)(last - name->str));
    }
}

/* Windows takes "nul.txt" and "COM1 .gz" for devices. */
static bool is_device(const char *name)
{
    static const char *const devices[] = {"con", "prn", "aux", "nul", "conin$", "conout$"};
    size_t length = strcspn(name, ".");
    while (length > 0 && name[length - 1] == ' ') {
        length--;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(devices); i++) {
        if (strlen(devices[i]) == length && g_ascii_strncasecmp(name, devices[i], length) == 0) {
            return true;
        }
    }
    if (g_ascii_strncasecmp(name, "com", 3) != 0 && g_ascii_strncasecmp(name, "lpt", 3) != 0) {
        return false;
    }
    if (length == 4) {
        return g_ascii_isdigit(name[3]);
    }
    gunichar digit = length == 5 ? g_utf8_get_char(name + 3) : 0;
    return digit == 0xb9 || digit == 0xb2 || digit == 0xb3; /* superscript digits count */
}

/* ----------------------------------------------------------------------------- endings -- */

/* ".tar.gz" and the like are one ending. */
static const char *with_tar(const char *name, const char *dot)
{
    return dot - name > 4 && strncmp(dot - 4, ".tar", 4) == 0 ? dot - 4 : dot;
}

/* Where the ending begins, with its dot; the end of the name if it has none. */
static const char *ending_of(const char *name)
{
    const char *end = name + strlen(name);
    const char *dot = strrchr(name, '.');
    if (!dot || dot == name || end - dot > ENDING_MAX || strchr(dot, ' ')) {
        return end;
    }
    return with_tar(name, dot);
}

/* As much of the name before its ending as there is room for, then `middle`, then the ending. */
static void compose(const char *name, const char *middle, char out[FILE_NAME_SIZE])
{
    const char *ending = ending_of(name);
    size_t base = (size_t)(ending - name);
    size_t room = FILE_NAME_MAX - strlen(middle) - strlen(ending);
    if (base > room) {
        base = room;
        while (base > 0 && ((unsigned char)name[base] & 0xc0) == 0x80) {
            base--; /* not in the middle of a character */
        }
        while (base > 0 && name[base - 1] == ' ') {
            base--;
        }
    }
    snprintf(out, FILE_NAME_SIZE, "%.*s%s%s", (int)base, name, middle, ending);
}

void file_name_clean(const char *name, char out[FILE_NAME_SIZE])
{
    size_t bytes = 0;
    const char *component = last_component(name ? name : "", &bytes);
    GString *clean = readable(component, bytes);
    strip(clean);
    if (clean->len == 0) {
        g_string_assign(clean, "file");
    }
    if (is_device(clean->str)) {
        g_string_prepend_c(clean, '_');
    }
    compose(clean->str, "", out);
    g_string_free(clean, TRUE);
}

void file_name_numbered(const char *name, unsigned number, char out[FILE_NAME_SIZE])
{
    char middle[16] = "";
    if (number > 0) {
        snprintf(middle, sizeof middle, " (%u)", number);
    }
    compose(name, middle, out);
}
