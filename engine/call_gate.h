/* How the other threads of a call's parts reach its media thread, and no longer once the part is
 * closed, whatever is still under way by then.
 *
 *     any thread ── call_gate_post() ──▶ [open?] ──▶ media thread: fn(user, arg) */
#ifndef JINGLE_ENGINE_CALL_GATE_H
#define JINGLE_ENGINE_CALL_GATE_H

#include "loop.h"

struct call_gate;

/* Open, with one reference. */
struct call_gate *call_gate_new(struct loop *loop, void *user);

/* The loop's thread: when it returns, no `fn` will be called any more, and nothing is posted to the
 * loop. Gives the reference back. */
void call_gate_close(struct call_gate *gate);

/* For who posts and may outlast the close. */
struct call_gate *call_gate_ref(struct call_gate *gate);
void call_gate_unref(struct call_gate *gate);

/* Any thread. `drop` (may be NULL) gets `arg` in place of `fn` if that is not called. */
void call_gate_post(struct call_gate *gate, void (*fn)(void *user, void *arg),
                    void (*drop)(void *arg), void *arg);

#endif
