/* The least that a line needs: letters, Backspace, Return and a way out. */
#include "entry.h"

#include <glib.h>
#include <string.h>

#define KEY_BACKSPACE 0x08
#define KEY_DELETE    0x7f
#define KEY_END       0x04 /* Ctrl-D */
#define KEY_KILL      0x15 /* Ctrl-U */
#define KEY_ESCAPE    0x1b

void entry_begin(struct entry *entry)
{
    *entry = (struct entry){.bytes = 0};
}

/* A whole character, however many bytes it has. */
static void entry_take_back(struct entry *entry)
{
    while (entry->bytes > 0) {
        unsigned char last = (unsigned char)entry->text[--entry->bytes];
        entry->text[entry->bytes] = '\0';
        if ((last & 0xc0) != 0x80) {
            return;
        }
    }
}

enum entry_state entry_key(struct entry *entry, char key)
{
    switch (key) {
    case '\r':
    case '\n':
        return entry->bytes > 0 ? ENTRY_DONE : ENTRY_LEFT;
    case KEY_ESCAPE:
    case KEY_END:
        return ENTRY_LEFT;
    case KEY_KILL:
        if (entry->bytes == 0) {
            return ENTRY_LEFT;
        }
        entry_begin(entry);
        return ENTRY_OPEN;
    case KEY_BACKSPACE:
    case KEY_DELETE:
        entry_take_back(entry);
        return ENTRY_OPEN;
    default:
        if ((unsigned char)key >= ' ' && entry->bytes + 1 < sizeof entry->text) {
            entry->text[entry->bytes++] = key;
            entry->text[entry->bytes] = '\0';
        }
        return ENTRY_OPEN;
    }
}

char *entry_path(const struct entry *entry)
{
    char *text = g_strstrip(g_strdup(entry->text));
    if (g_str_has_prefix(text, "~/")) {
        char *path = g_build_filename(g_get_home_dir(), text + 2, NULL);
        g_free(text);
        text = path;
    }
    if (strpbrk(text, "'\"\\")) { /* an apostrophe in a name is no quote: then it fails */
        char *plain = g_file_test(text, G_FILE_TEST_EXISTS) ? NULL : g_shell_unquote(text, NULL);
        if (plain) {
            g_free(text);
            text = plain;
        }
    }
    return text;
}
