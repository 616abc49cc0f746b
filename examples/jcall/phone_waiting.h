/* A second call of a telephone: one that waits for an answer while we talk, or one that is on hold
 * while we talk with somebody else. One of each at most; further callers read "busy".
 *
 *     phone_wait ─▶ waiting ── w ──▶ the call;  the one before ─▶ parked ── w, or the end ──▶ back
 */
#ifndef JCALL_PHONE_WAITING_H
#define JCALL_PHONE_WAITING_H

#include "phone.h"

/* Somebody calls while we talk. False: there is no room, or --call-waiting was not asked for. */
bool phone_wait(struct phone *phone, const jingle_event *event);

/* To the call that waits, or to the one on hold and back. */
void phone_switch(struct phone *phone);

/* An event of one of these two. False: it is of neither. */
bool phone_waiting_event(struct phone *phone, const jingle_event *event);

/* The call ended: the next one takes its place. False: there is none. */
bool phone_next(struct phone *phone);

/* All of them shall end. */
void phone_waiting_end(struct phone *phone);
void phone_waiting_clear(struct phone *phone);

#endif
