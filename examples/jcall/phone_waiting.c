#include "phone_waiting.h"

static void drop(jingle_session **session)
{
    if (*session) {
        jingle_session_unref(*session);
    }
    *session = NULL;
}

bool phone_wait(struct phone *phone, const jingle_event *event)
{
    bool room = phone->options->call_waiting && phone->state == PHONE_TALKING && !phone->waiting &&
                !phone->parked;
    if (room) {
        phone->waiting = jingle_session_ref(event->session);
        tell_waiting_call(phone->teller, event->session, event->u.incoming.from);
    }
    return room;
}

/* The call goes on hold, until somebody comes back to it. */
static void park(struct phone *phone)
{
    jingle_session_set_hold(phone->session, true);
    phone->parked = jingle_session_ref(phone->session);
    phone->parked_muted = phone->muted;
}

/* The one on hold is the call again; the reference moves. */
static void unpark(struct phone *phone)
{
    jingle_session *session = g_steal_pointer(&phone->parked);
    bool muted = phone->parked_muted;
    phone_take(phone, session, PHONE_TALKING);
    phone->muted = muted;
    jingle_session_set_hold(session, false);
    tell_back(phone->teller, session, muted);
}

static void swap(struct phone *phone)
{
    jingle_session *before = jingle_session_ref(phone->session);
    bool muted = phone->muted;
    jingle_session_set_hold(before, true);
    unpark(phone);
    phone->parked = before;
    phone->parked_muted = muted;
}

static void answer_waiting(struct phone *phone)
{
    park(phone);
    phone_take(phone, g_steal_pointer(&phone->waiting), PHONE_INCOMING);
    phone->video_incoming = false; /* the first one has the camera */
    phone_accept(phone, phone->session, false);
}

void phone_switch(struct phone *phone)
{
    if (phone->state != PHONE_TALKING || (!phone->waiting && !phone->parked)) {
        tell_error(phone->teller, JINGLE_ERROR_STATE, "There is no other call.");
    } else if (phone->waiting) {
        answer_waiting(phone);
    } else {
        swap(phone);
    }
}

bool phone_waiting_event(struct phone *phone, const jingle_event *event)
{
    bool waits = event->session && event->session == phone->waiting;
    bool parked = event->session && event->session == phone->parked;
    if (event->type == JINGLE_EVENT_ENDED && (waits || parked)) {
        tell_other_ended(phone->teller, event->session);
        drop(waits ? &phone->waiting : &phone->parked);
    }
    return waits || parked;
}

bool phone_next(struct phone *phone)
{
    if (phone->parked) {
        unpark(phone);
        return true;
    }
    if (phone->waiting) {
        phone_take(phone, g_steal_pointer(&phone->waiting), PHONE_INCOMING);
        tell_incoming_again(phone->teller, phone->session);
        return true;
    }
    return false;
}

void phone_waiting_end(struct phone *phone)
{
    if (phone->waiting) {
        jingle_session_reject(phone->waiting, JINGLE_REASON_BUSY);
    }
    if (phone->parked) {
        jingle_session_end(phone->parked);
    }
}

void phone_waiting_clear(struct phone *phone)
{
    drop(&phone->waiting);
    drop(&phone->parked);
}
