/* What the media half of a call tells: to the I/O thread by a posted report, which owns what it
 * points to, and to the application by its event queue. */
#include "call_private.h"
#include "events.h"
#include "session.h"

enum report_kind {
    REPORT_TRANSPORT,
    REPORT_CANDIDATE,
    REPORT_STATE,
    REPORT_HUNG_UP,
    REPORT_PICTURES_FAILED,
    REPORT_CLOSED,
};

struct report {
    enum report_kind kind;
    const struct call_hooks *hooks;
    jingle_session *session;
    char *content;
    struct ice_udp_transport transport;
    struct ice_candidate candidate;
    enum link_state state;
    jingle_reason reason;
    jingle_status status;
};

static void report_free(void *arg)
{
    struct report *report = arg;
    ice_udp_clear(&report->transport);
    g_free(report->content);
    jingle_session_unref(report->session);
    g_free(report);
}

static void report_deliver(void *arg)
{
    struct report *report = arg;
    switch (report->kind) {
    case REPORT_TRANSPORT:
        report->hooks->transport(report->session, report->content, &report->transport);
        break;
    case REPORT_CANDIDATE:
        report->hooks->candidate(report->session, report->content, &report->candidate);
        break;
    case REPORT_STATE:
        report->hooks->state(report->session, report->state, report->reason);
        break;
    case REPORT_HUNG_UP:
        report->hooks->hung_up(report->session);
        break;
    case REPORT_PICTURES_FAILED:
        report->hooks->pictures_failed(report->session, report->status);
        break;
    case REPORT_CLOSED:
        report->hooks->closed(report->session);
        break;
    }
    report_free(report);
}

static struct report *report_new(struct call *call, enum report_kind kind)
{
    struct report *report = g_new0(struct report, 1);
    report->kind = kind;
    report->hooks = call->config.hooks;
    report->session = jingle_session_ref(call->config.session);
    return report;
}

static void report_post(struct call *call, struct report *report)
{
    loop_post(call->config.io, report_deliver, report_free, report);
}

void call_report_transport(struct call *call, const char *content,
                           const struct ice_udp_transport *transport)
{
    struct report *report = report_new(call, REPORT_TRANSPORT);
    report->content = g_strdup(content);
    ice_udp_copy(&report->transport, transport);
    report_post(call, report);
}

void call_report_candidate(struct call *call, const char *content,
                           const struct ice_candidate *candidate)
{
    struct report *report = report_new(call, REPORT_CANDIDATE);
    report->content = g_strdup(content);
    report->candidate = *candidate;
    report_post(call, report);
}

void call_report_state(struct call *call, enum link_state state, jingle_reason reason)
{
    struct report *report = report_new(call, REPORT_STATE);
    report->state = state;
    report->reason = reason;
    report_post(call, report);
}

void call_report_hung_up(struct call *call)
{
    report_post(call, report_new(call, REPORT_HUNG_UP));
}

void call_report_pictures_failed(struct call *call, jingle_status status)
{
    struct report *report = report_new(call, REPORT_PICTURES_FAILED);
    report->status = status;
    report_post(call, report);
}

void call_report_closed(struct call *call)
{
    report_post(call, report_new(call, REPORT_CLOSED));
}

void call_tell_application(struct call *call, jingle_event *event)
{
    event->session = call->config.session;
    events_push(call->config.events, event);
}
