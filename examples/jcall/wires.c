/* The wires of a loop. */
#include "wires.h"

#include "signals.h"
#include "terminal.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define KEY_ESCAPE 0x1b

void wires_open(struct wires *wires, jingle_client *client, const struct options *options,
                struct teller *teller)
{
    *wires = (struct wires){.library = jingle_client_fd(client),
                            .signals = signals_open(),
                            .input = -1,
                            .teller = teller};
    if (options->commands) {
        wires->input = STDIN_FILENO;
    } else if (!options->json && terminal_take_keys(STDIN_FILENO)) {
        wires->input = STDIN_FILENO;
        wires->keys = true;
    }
}

void wires_close(struct wires *wires)
{
    wires->input = -1;
    terminal_restore();
    signals_close();
}

bool wires_ask(const struct wires *wires)
{
    return wires->input >= 0;
}

static int timeout_until(gint64 due)
{
    gint64 now = g_get_monotonic_time();
    if (due == G_MAXINT64) {
        return -1;
    }
    return due <= now ? 0 : (int)MIN((due - now) / 1000 + 1, 60000);
}

bool wires_wait(struct wires *wires, int other, gint64 due)
{
    struct pollfd descriptors[] = {
        {.fd = wires->library, .events = POLLIN},
        {.fd = wires->signals, .events = POLLIN},
        {.fd = wires->input, .events = POLLIN},
        {.fd = other, .events = POLLIN},
    };
    int ready = poll(descriptors, G_N_ELEMENTS(descriptors), timeout_until(due));
    return ready > 0 && other >= 0 && descriptors[3].revents;
}

int wires_signal(struct wires *wires)
{
    for (int number = signals_next(); number; number = signals_next()) {
        if (number == SIGTSTP) {
            terminal_restore();
            raise(SIGSTOP);
            if (wires->keys) {
                terminal_take_keys(STDIN_FILENO);
            }
        } else if (number != SIGWINCH) { /* the next tick draws the line anew */
            return number;
        }
    }
    return 0;
}

/* -------------------------------------------------------------------------------- input -- */

static bool input_waits(const struct wires *wires)
{
    struct pollfd input = {.fd = wires->input, .events = POLLIN};
    return wires->input >= 0 && poll(&input, 1, 0) > 0;
}

void wires_type_path(struct wires *wires, const char *question)
{
    entry_begin(&wires->entry);
    wires->typing = true;
    tell_question(wires->teller, question);
    tell_typed(wires->teller, "");
}

static void type_key(struct wires *wires, char key,
                     void (*take)(void *user, const struct request *request), void *user)
{
    enum entry_state state = entry_key(&wires->entry, key);
    if (state == ENTRY_OPEN) {
        tell_typed(wires->teller, wires->entry.text);
        return;
    }
    wires->typing = false;
    tell_typed(wires->teller, NULL);
    tell_question(wires->teller, NULL);
    if (state == ENTRY_DONE) {
        struct request request = {.kind = REQUEST_SEND};
        char *path = entry_path(&wires->entry);
        g_strlcpy(request.value, path, sizeof request.value);
        g_free(path);
        take(user, &request);
    }
}

static bool read_keys(struct wires *wires, enum keys_mode mode,
                      void (*take)(void *user, const struct request *request), void *user)
{
    char keys[KEYS_MAX];
    int count = keys_read(wires->input, keys);
    if (count > 1 && keys[0] == KEY_ESCAPE) { /* an arrow or function key: none of ours */
        return true;
    }
    for (int i = 0; i < count; i++) {
        if (wires->typing) {
            type_key(wires, keys[i], take, user);
        } else if (keys[i]) {
            struct request request = key_meaning(keys[i], mode);
            take(user, &request);
        }
    }
    if (count < 0) {
        wires->input = -1;
    }
    return count >= 0;
}

bool wires_read(struct wires *wires, enum keys_mode mode,
                void (*take)(void *user, const struct request *request), void *user)
{
    if (!input_waits(wires)) {
        return true;
    }
    if (wires->keys) {
        return read_keys(wires, mode, take, user);
    }
    struct request request;
    commands_fill(&wires->commands, wires->input);
    while (commands_next(&wires->commands, &request)) {
        take(user, &request);
    }
    if (wires->commands.ended) {
        wires->input = -1;
    }
    return true;
}
