/* Asks the desktop for a screen or window: org.freedesktop.portal.ScreenCast over D-Bus.
 *
 *     CreateSession ─▶ SelectSources ─▶ Start ─ the user chooses ─▶ OpenPipeWireRemote ─▶
 * descriptor
 *
 * Every answer comes through the GMainContext that was given, so nobody waits for the user. */
#ifndef JINGLE_MEDIA_SCREEN_PORTAL_H
#define JINGLE_MEDIA_SCREEN_PORTAL_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct portal;

enum portal_state {
    PORTAL_ASKING,
    PORTAL_GRANTED,
    PORTAL_REFUSED, /* by the user, or the desktop cannot */
    PORTAL_CLOSED,  /* granted once, and taken back by the user */
};

/* True if there is a portal that can share a screen. Asks the session bus and waits, for a second
 * at most. */
bool portal_available(void);

/* Connects and asks. `token` (may be NULL) is what portal_token() gave before: the same choice
 * again, without a dialogue. NULL: there is no portal. */
struct portal *portal_new(GMainContext *context, const char *token);
void portal_free(struct portal *portal);

enum portal_state portal_state(const struct portal *portal);

/* Once granted: PipeWire's node, and the descriptor of a connection to it, which is the caller's
 * from then on. */
uint32_t portal_node(const struct portal *portal);
int portal_take_fd(struct portal *portal);

/* NULL if the desktop gives none. */
const char *portal_token(const struct portal *portal);

#endif
