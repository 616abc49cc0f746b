#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "signaling/initiation.h"
#include "signaling/ns.h"

#define ME    "me@x/phone"
#define OTHER "me@x/tablet" /* another device of ours */
#define THEM  "them@y/pc"
#define WALL  (INT64_C(1795364121) * 1000000)

/* One device under test: what it sends and tells, kept to look at. */
struct device {
    struct initiation *initiation;
    GString *log; /* "!propose" sent, "incoming" told */
    GPtrArray *sent;
    struct proposal *incoming;
    char *proceed_peer;
    jingle_reason ended;
    bool glare;
    bool busy; /* reject from inside the event */
};

static void on_send(void *user, const xml_node *message)
{
    struct device *device = user;

    XML_EACH (child, message) {
        if (strcmp(xml_ns(child), NS_HINTS) != 0)
            g_string_append_printf(device->log, "!%s ", xml_name(child));
    }
    g_ptr_array_add(device->sent, xml_to_string(message));
}

static void on_event(void *user, const struct initiation_event *event)
{
    static const char *const names[] = {"incoming", "missed", "ringing", "proceed", "ended"};
    struct device *device = user;

    g_string_append_printf(device->log, "%s ", names[event->type]);
    if (event->type == INITIATION_EVENT_INCOMING) {
        device->incoming = event->proposal;
        device->glare = event->u.incoming.glare;
        if (device->busy)
            proposal_end(event->proposal, JINGLE_REASON_BUSY, JINGLE_PARTY_LOCAL, 0);
    } else if (event->type == INITIATION_EVENT_PROCEED) {
        g_free(device->proceed_peer);
        device->proceed_peer = g_strdup(event->peer);
    } else if (event->type == INITIATION_EVENT_ENDED) {
        device->ended = event->u.ended.reason;
    }
}

static void device_init(struct device *device)
{
    struct initiation_config config = {
        .id_prefix = "p-", .ring_timeout = 60 * USEC_PER_SEC, .random = &random_system};
    struct initiation_hooks hooks = {device, on_send, on_event};

    memset(device, 0, sizeof(*device));
    device->log = g_string_new(NULL);
    device->sent = g_ptr_array_new_with_free_func(g_free);
    device->initiation = initiation_new(&config, &hooks);
    initiation_set_jid(device->initiation, ME);
}

static void device_clear(struct device *device)
{
    initiation_free(device->initiation);
    g_string_free(device->log, TRUE);
    g_ptr_array_unref(device->sent);
    g_free(device->proceed_peer);
}

static void assert_log(struct device *device, const char *expected)
{
    g_strchomp(device->log->str);
    assert_string_equal(device->log->str, expected);
    g_string_truncate(device->log, 0);
}

static const char *last(const struct device *device, guint back)
{
    return g_ptr_array_index(device->sent, device->sent->len - back);
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no %s in %s", part, text);
}

static bool receive_as(struct device *device, enum initiation_origin origin, bool trusted, usec now,
                       const char *text)
{
    struct initiation_arrival arrival = {.origin = origin, .trusted = trusted, .wall = WALL};
    struct xml *xml = xml_parse(text, strlen(text));
    struct stanza stanza;

    assert_non_null(xml);
    assert_true(stanza_read(&stanza, xml_root(xml)));
    bool ours = initiation_receive(device->initiation, &stanza, &arrival, now);
    xml_free(xml);
    return ours;
}

/* A message with one element of XEP-0353. */
static void receive(struct device *device, enum initiation_origin origin, const char *from,
                    const char *to, const char *name, const char *sid, const char *inner)
{
    char *text = g_strdup_printf("<message type='chat' id='m1' from='%s' to='%s'>"
                                 "<%s xmlns='" NS_JINGLE_MESSAGE "' id='%s'>%s</%s></message>",
                                 from, to, name, sid, inner, name);

    assert_true(receive_as(device, origin, true, 0, text));
    g_free(text);
}

#define PROPOSE(sid)                                                          \
    "<message type='chat' id='jm-propose-" sid "' from='" THEM "' to='me@x'>" \
    "<propose xmlns='" NS_JINGLE_MESSAGE "' id='" sid "'>"                    \
    "<description xmlns='" NS_RTP "' media='audio'/></propose>"               \
    "<request xmlns='" NS_RECEIPTS "'/><store xmlns='" NS_HINTS "'/>%s</message>"

static void propose_to_us(struct device *device, const char *extra)
{
    char *text = g_strdup_printf(PROPOSE("0d"), extra);

    assert_true(receive_as(device, ORIGIN_DIRECT, true, 0, text));
    g_free(text);
}

/* ------------------------------------------------------------------------------ outgoing -- */

static void test_a_proposal_rings_and_proceeds(void **state)
{
    struct device device;
    char sid[64];

    (void)state;
    device_init(&device);
    struct proposal *proposal = initiation_propose(device.initiation, "them@y/old", true, true, 0);
    g_strlcpy(sid, proposal_sid(proposal), sizeof(sid));
    assert_int_equal(strlen(sid), 36);
    assert_log(&device, "!propose !request");
    assert_has(last(&device, 1), "to=\"them@y\"");
    assert_has(last(&device, 1), "type=\"chat\"");
    assert_has(last(&device, 1), "media=\"audio\"");
    assert_has(last(&device, 1), "media=\"video\"");
    assert_has(last(&device, 1), "<store xmlns=\"" NS_HINTS "\"/>");
    receive(&device, ORIGIN_DIRECT, THEM, ME, "ringing", sid, "");
    receive(&device, ORIGIN_DIRECT, "them@y/2", ME, "ringing", sid, "");
    assert_log(&device, "ringing ringing");
    receive(&device, ORIGIN_DIRECT, "evil@y/pc", ME, "proceed", sid, "");
    receive(&device, ORIGIN_DIRECT, THEM, OTHER, "proceed", sid, "");
    receive(&device, ORIGIN_CARBON_RECEIVED, THEM, ME, "proceed", sid, "");
    assert_log(&device, "");
    receive(&device, ORIGIN_DIRECT, THEM, ME, "proceed", sid, "<device xmlns='urn:omemo' id='5'/>");
    assert_log(&device, "proceed");
    assert_string_equal(device.proceed_peer, THEM);
    receive(&device, ORIGIN_DIRECT, "them@y/2", ME, "proceed", sid, "");
    assert_log(&device, "");
    assert_true(initiation_next_deadline(device.initiation) == USEC_NEVER);
    device_clear(&device);
}

static void test_a_receipt_means_ringing(void **state)
{
    struct device device;

    (void)state;
    device_init(&device);
    struct proposal *proposal = initiation_propose(device.initiation, "them@y", true, false, 0);
    char *receipt =
        g_strdup_printf("<message from='" THEM "' to='" ME "'><received xmlns='" NS_RECEIPTS
                        "' id='p-jm-propose-%s'/></message>",
                        proposal_sid(proposal));
    char *other =
        g_strdup_printf("<message from='evil@y/1' to='" ME "'><received xmlns='" NS_RECEIPTS
                        "' id='p-jm-propose-%s'/></message>",
                        proposal_sid(proposal));
    g_string_truncate(device.log, 0);
    assert_false(receive_as(&device, ORIGIN_DIRECT, true, 0, other));
    assert_log(&device, "");
    assert_true(receive_as(&device, ORIGIN_DIRECT, true, 0, receipt));
    assert_log(&device, "ringing");
    assert_false(receive_as(&device, ORIGIN_DIRECT, true, 0,
                            "<message from='" THEM "'><body>hello</body></message>"));
    g_free(receipt);
    g_free(other);
    device_clear(&device);
}

static void test_a_proposal_is_refused(void **state)
{
    static const struct {
        const char *inner;
        jingle_reason reason;
    } cases[] = {
        {"", JINGLE_REASON_DECLINED},
        {"<reason xmlns='" NS_JINGLE "'><busy/></reason>", JINGLE_REASON_BUSY},
        {"<reason xmlns='" NS_JINGLE "'><expired/></reason><tie-break/>", JINGLE_REASON_REPLACED},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct device device;
        device_init(&device);
        struct proposal *proposal = initiation_propose(device.initiation, "them@y", true, false, 0);
        char *sid = g_strdup(proposal_sid(proposal));
        receive(&device, ORIGIN_DIRECT, THEM, ME, "reject", sid, cases[i].inner);
        assert_log(&device, "!propose !request ended");
        assert_int_equal(device.ended, cases[i].reason);
        g_free(sid);
        device_clear(&device);
    }
}

static void test_nobody_answers_a_proposal(void **state)
{
    struct device device;

    (void)state;
    device_init(&device);
    initiation_propose(device.initiation, "them@y", true, false, 5);
    assert_true(initiation_next_deadline(device.initiation) == 60 * USEC_PER_SEC + 5);
    initiation_tick(device.initiation, 60 * USEC_PER_SEC);
    assert_log(&device, "!propose !request");
    initiation_tick(device.initiation, 61 * USEC_PER_SEC);
    assert_log(&device, "!retract ended");
    assert_has(last(&device, 1), "to=\"them@y\"");
    assert_has(last(&device, 1), "<timeout/>");
    assert_int_equal(device.ended, JINGLE_REASON_NO_ANSWER);
    device_clear(&device);
}

static void test_a_bounced_proposal_ends(void **state)
{
    static const struct {
        const char *from, *condition;
        const char *log;
        jingle_reason reason;
    } cases[] = {
        {"them@y", "service-unavailable", "!propose !request ended", JINGLE_REASON_OFFLINE},
        {"them@y", "remote-server-not-found", "!propose !request ended", JINGLE_REASON_UNREACHABLE},
        {"them@y/bot", "service-unavailable", "!propose !request", JINGLE_REASON_NONE},
        {"evil@y", "service-unavailable", "!propose !request", JINGLE_REASON_NONE},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct device device;
        device_init(&device);
        struct proposal *proposal = initiation_propose(device.initiation, "them@y", true, false, 0);
        char *bounce =
            g_strdup_printf("<message type='error' from='%s' id='p-jm-propose-%s'>"
                            "<error type='cancel'><%s xmlns='" NS_STANZAS "'/></error></message>",
                            cases[i].from, proposal_sid(proposal), cases[i].condition);
        receive_as(&device, ORIGIN_DIRECT, true, 0, bounce);
        assert_log(&device, cases[i].log);
        assert_int_equal(device.ended, cases[i].reason);
        g_free(bounce);
        device_clear(&device);
    }
}

/* ------------------------------------------------------------------------------ incoming -- */

static void test_an_incoming_call_is_accepted_and_joined(void **state)
{
    struct device device;

    (void)state;
    device_init(&device);
    propose_to_us(&device, "");
    assert_log(&device, "!received !ringing incoming");
    assert_has(last(&device, 2), "<received xmlns=\"" NS_RECEIPTS "\" id=\"jm-propose-0d\"/>");
    assert_has(last(&device, 1), "to=\"" THEM "\"");
    proposal_accept(device.incoming, 0);
    assert_log(&device, "!accept !proceed");
    assert_has(last(&device, 2), "to=\"me@x\"");
    assert_has(last(&device, 1), "to=\"" THEM "\"");
    assert_null(strstr(last(&device, 1), "device"));
    assert_false(initiation_take(device.initiation, "them@y/other", "0d", 0));
    assert_false(initiation_take(device.initiation, THEM, "0e", 0));
    assert_true(initiation_take(device.initiation, THEM, "0d", 0));
    assert_false(initiation_take(device.initiation, THEM, "0d", 0));
    assert_true(initiation_remembers(device.initiation, "Them@y/x", "0d"));
    initiation_finish(device.initiation, THEM, "0d", REASON_SUCCESS);
    assert_log(&device, "!finish");
    assert_has(last(&device, 1), "<reason xmlns=\"" NS_JINGLE "\"><success/></reason>");
    device_clear(&device);
}

static void test_a_session_is_not_joined_before_the_user_accepted(void **state)
{
    struct device device;

    (void)state;
    device_init(&device);
    propose_to_us(&device, "");
    assert_false(initiation_take(device.initiation, THEM, "0d", 0));
    assert_non_null(initiation_find(device.initiation, THEM, "0d"));
    device_clear(&device);
}

static void test_an_incoming_call_is_refused(void **state)
{
    struct device device;

    (void)state;
    device_init(&device);
    propose_to_us(&device, "");
    g_string_truncate(device.log, 0);
    proposal_end(device.incoming, JINGLE_REASON_DECLINED, JINGLE_PARTY_LOCAL, 0);
    assert_log(&device, "!reject !reject ended");
    assert_has(last(&device, 2), "to=\"" THEM "\"");
    assert_has(last(&device, 2), "<decline/>");
    assert_has(last(&device, 1), "to=\"me@x\"");
    propose_to_us(&device, "");
    assert_log(&device, "");
    device_clear(&device);
}

static void test_busy_may_be_said_at_once(void **state)
{
    struct device device;

    (void)state;
    device_init(&device);
    device.busy = true;
    propose_to_us(&device, "");
    assert_log(&device, "!received !ringing incoming !reject !reject ended");
    assert_has(last(&device, 2), "<busy/>");
    device_clear(&device);
}

static void test_a_stranger_hears_nothing(void **state)
{
    char *text = g_strdup_printf(PROPOSE("0d"), "");
    struct device device;

    (void)state;
    device_init(&device);
    assert_true(receive_as(&device, ORIGIN_DIRECT, false, 0, text));
    assert_log(&device, "");
    assert_int_equal(device.sent->len, 0);
    g_free(text);
    device_clear(&device);
}

static void test_only_the_proposing_device_may_retract(void **state)
{
    struct device device;

    (void)state;
    device_init(&device);
    propose_to_us(&device, "");
    g_string_truncate(device.log, 0);
    receive(&device, ORIGIN_DIRECT, "them@y/other", "me@x", "retract", "0d", "");
    receive(&device, ORIGIN_DIRECT, "evil@y/pc", "me@x", "retract", "0d", "");
    receive(&device, ORIGIN_DIRECT, THEM, "me@x", "retract", "0e", "");
    assert_log(&device, "");
    receive(&device, ORIGIN_DIRECT, THEM, "me@x", "retract", "0d", "");
    assert_log(&device, "ended");
    assert_int_equal(device.ended, JINGLE_REASON_CANCELED);
    device_clear(&device);
}

static void test_a_caller_that_fails_after_our_answer_says_why(void **state)
{
    struct device device;

    (void)state;
    device_init(&device);
    propose_to_us(&device, "");
    proposal_accept(device.incoming, 0);
    g_string_truncate(device.log, 0);
    receive(&device, ORIGIN_DIRECT, THEM, "me@x", "finish", "0d",
            "<reason xmlns='" NS_JINGLE "'><connectivity-error/></reason>");
    assert_log(&device, "ended");
    assert_int_equal(device.ended, JINGLE_REASON_NO_PATH);
    device_clear(&device);
}

/* A server gives the original to the device of the highest priority, and copies to the others. */
static void test_a_copy_of_the_retraction_stops_the_ringing_too(void **state)
{
    struct device device;

    (void)state;
    device_init(&device);
    propose_to_us(&device, "");
    g_string_truncate(device.log, 0);
    receive(&device, ORIGIN_CARBON_RECEIVED, THEM, "me@x", "retract", "0d", "");
    assert_log(&device, "ended");
    assert_int_equal(device.ended, JINGLE_REASON_CANCELED);
    device_clear(&device);
}

static void test_the_caller_and_our_devices_hear_that_nobody_answers(void **state)
{
    struct device device;

    (void)state;
    device_init(&device);
    propose_to_us(&device, "");
    g_string_truncate(device.log, 0);
    initiation_tick(device.initiation, 60 * USEC_PER_SEC);
    assert_log(&device, "!reject !reject ended");
    assert_int_equal(device.ended, JINGLE_REASON_NO_ANSWER);
    assert_has(last(&device, 2), "to=\"" THEM "\"");
    assert_has(last(&device, 2), "<expired/>");
    assert_has(last(&device, 1), "to=\"me@x\"");
    assert_has(last(&device, 1), "<expired/>");
    device_clear(&device);

    device_init(&device);
    propose_to_us(&device, "");
    receive(&device, ORIGIN_DIRECT, OTHER, "me@x", "reject", "0d",
            "<reason xmlns='urn:xmpp:jingle:1'><expired/></reason>");
    assert_int_equal(device.ended, JINGLE_REASON_NO_ANSWER);
    device_clear(&device);
}

static void test_another_device_of_ours_stops_the_ringing(void **state)
{
    static const struct {
        enum initiation_origin origin;
        const char *from, *to, *name;
        const char *log;
    } cases[] = {
        {ORIGIN_DIRECT, OTHER, "me@x", "accept", "ended"},
        {ORIGIN_DIRECT, OTHER, "me@x", "reject", "ended"},
        {ORIGIN_CARBON_SENT, OTHER, THEM, "proceed", "ended"},
        {ORIGIN_CARBON_SENT, OTHER, THEM, "reject", "ended"},
        {ORIGIN_CARBON_SENT, OTHER, THEM, "ringing", ""},
        {ORIGIN_DIRECT, ME, "me@x", "accept", ""},
        {ORIGIN_CARBON_SENT, THEM, "me@x", "proceed", ""},
        {ORIGIN_DIRECT, "evil@y/1", "me@x", "accept", ""},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct device device;
        device_init(&device);
        propose_to_us(&device, "");
        g_string_truncate(device.log, 0);
        receive(&device, cases[i].origin, cases[i].from, cases[i].to, cases[i].name, "0d", "");
        assert_log(&device, cases[i].log);
        if (*cases[i].log != '\0')
            assert_int_equal(device.ended, JINGLE_REASON_ELSEWHERE);
        device_clear(&device);
    }
}

static void test_a_late_propose_is_a_missed_call(void **state)
{
    struct device device;

    (void)state;
    device_init(&device);
    propose_to_us(&device, "<delay xmlns='" NS_DELAY "' stamp='2026-11-22T16:14:21Z'/>");
    assert_log(&device, "");
    initiation_tick(device.initiation, 1 * USEC_PER_SEC);
    assert_log(&device, "missed");
    assert_int_equal(device.sent->len, 0);
    receive(&device, ORIGIN_DIRECT, THEM, "me@x", "retract", "0d", "");
    propose_to_us(&device, "");
    assert_log(&device, "");
    device_clear(&device);
}

static void test_a_slightly_late_propose_rings_for_the_rest(void **state)
{
    struct device device;

    (void)state;
    device_init(&device);
    propose_to_us(&device, "<delay xmlns='" NS_DELAY "' stamp='2026-11-22T16:15:01Z'/>");
    assert_log(&device, "");
    initiation_tick(device.initiation, 1 * USEC_PER_SEC);
    assert_log(&device, "!received !ringing incoming");
    assert_true(initiation_next_deadline(device.initiation) == 40 * USEC_PER_SEC);
    initiation_tick(device.initiation, 40 * USEC_PER_SEC);
    assert_log(&device, "!reject !reject ended");
    assert_int_equal(device.ended, JINGLE_REASON_NO_ANSWER);
    device_clear(&device);
}

static void test_an_accepted_call_that_never_comes_ends(void **state)
{
    struct device device;

    (void)state;
    device_init(&device);
    propose_to_us(&device, "");
    proposal_accept(device.incoming, 0);
    g_string_truncate(device.log, 0);
    initiation_tick(device.initiation, 31 * USEC_PER_SEC);
    assert_log(&device, "!finish ended");
    assert_int_equal(device.ended, JINGLE_REASON_GONE);
    device_clear(&device);
}

static void test_a_bounced_proceed_ends(void **state)
{
    struct device device;

    (void)state;
    device_init(&device);
    propose_to_us(&device, "");
    proposal_accept(device.incoming, 0);
    g_string_truncate(device.log, 0);
    assert_true(receive_as(&device, ORIGIN_DIRECT, true, 0,
                           "<message type='error' from='" THEM "' id='p-jm-proceed-0d'>"
                           "<error code='404'/></message>"));
    assert_log(&device, "ended");
    assert_int_equal(device.ended, JINGLE_REASON_GONE);
    device_clear(&device);
}

/* ---------------------------------------------------------------------------------- glare -- */

/* Ids that are surely lower and higher than a UUID. */
static void test_both_propose_and_the_lower_id_wins(void **state)
{
    struct device device;

    (void)state;
    device_init(&device);
    initiation_propose(device.initiation, "them@y", true, false, 0);
    g_string_truncate(device.log, 0);
    char *lower = g_strdup_printf(PROPOSE("!"), "");
    assert_true(receive_as(&device, ORIGIN_DIRECT, true, 0, lower));
    assert_log(&device, "!retract ended !received !ringing incoming");
    assert_int_equal(device.ended, JINGLE_REASON_REPLACED);
    assert_true(device.glare);
    g_free(lower);
    device_clear(&device);
    device_init(&device);
    initiation_propose(device.initiation, "them@y", true, false, 0);
    g_string_truncate(device.log, 0);
    char *higher = g_strdup_printf(PROPOSE("~"), "");
    assert_true(receive_as(&device, ORIGIN_DIRECT, true, 0, higher));
    assert_log(&device, "!reject !propose !request"); /* they may never have seen ours */
    assert_has(last(&device, 2), "<tie-break/>");
    assert_has(last(&device, 2), "<expired/>");
    assert_has(last(&device, 1), "to=\"them@y/");
    g_free(higher);
    device_clear(&device);
}

/* --------------------------------------------------------------------------------- limits -- */

static void test_nasty_messages_change_nothing(void **state)
{
    static const char *const messages[] = {
        "<propose xmlns='" NS_JINGLE_MESSAGE "'/>",
        "<propose xmlns='" NS_JINGLE_MESSAGE "' id=''/>",
        "<propose xmlns='" NS_JINGLE_MESSAGE "' id='1'/>",
        "<propose xmlns='" NS_JINGLE_MESSAGE "' id='1'><description media='audio'/></propose>",
        "<propose xmlns='" NS_JINGLE_MESSAGE "' id='1'><description xmlns='" NS_RTP
        "' media='smell'/></propose>",
        "<dance xmlns='" NS_JINGLE_MESSAGE "' id='1'/>",
        "<finish xmlns='" NS_JINGLE_MESSAGE "' id='1'/>",
    };
    struct device device;

    (void)state;
    device_init(&device);
    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
        char *text =
            g_strdup_printf("<message from='" THEM "' to='me@x'>%s</message>", messages[i]);
        assert_true(receive_as(&device, ORIGIN_DIRECT, true, 0, text));
        g_free(text);
    }
    char *text = g_strdup_printf(PROPOSE("0d"), "");
    char **halves = g_strsplit(text, "type='chat'", 2);
    char *groupchat = g_strjoinv("type='groupchat'", halves);
    assert_true(receive_as(&device, ORIGIN_DIRECT, true, 0, groupchat));
    assert_log(&device, "");
    g_strfreev(halves);
    g_free(text);
    g_free(groupchat);
    device_clear(&device);
}

static void propose_often(struct device *device, const char *name)
{
    for (int i = 0; i < 100; i++) {
        char *text = g_strdup_printf(
            "<message from='%s@y/pc'><propose xmlns='" NS_JINGLE_MESSAGE "' id='%s-%d'>"
            "<description xmlns='" NS_RTP "' media='audio'/></propose></message>",
            name, name, i);
        assert_true(receive_as(device, ORIGIN_DIRECT, true, 0, text));
        g_free(text);
    }
}

static void test_proposals_and_memories_are_bounded(void **state)
{
    struct device device;

    (void)state;
    device_init(&device);
    propose_often(&device, "them");
    assert_int_equal(device.sent->len, INITIATION_PERSON_MAX);
    for (int i = 0; i < INITIATION_PROPOSALS_MAX; i++) {
        char *name = g_strdup_printf("them%d", i);
        propose_often(&device, name);
        g_free(name);
    }
    assert_int_equal(device.sent->len, INITIATION_PROPOSALS_MAX);
    for (int i = 0; i < 2000; i++) {
        char sid[16];
        g_snprintf(sid, sizeof(sid), "s%d", i);
        initiation_remember(device.initiation, THEM, sid, 0);
    }
    assert_false(initiation_remembers(device.initiation, THEM, "s0"));
    assert_true(initiation_remembers(device.initiation, THEM, "s1999"));
    assert_false(initiation_remembers(device.initiation, "other@y", "s1999"));
    initiation_remember(device.initiation, THEM, "new", INITIATION_REMEMBERED_FOR + 1);
    assert_false(initiation_remembers(device.initiation, THEM, "s1999"));
    device_clear(&device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_proposal_rings_and_proceeds),
        cmocka_unit_test(test_a_receipt_means_ringing),
        cmocka_unit_test(test_a_proposal_is_refused),
        cmocka_unit_test(test_nobody_answers_a_proposal),
        cmocka_unit_test(test_a_bounced_proposal_ends),
        cmocka_unit_test(test_an_incoming_call_is_accepted_and_joined),
        cmocka_unit_test(test_a_session_is_not_joined_before_the_user_accepted),
        cmocka_unit_test(test_an_incoming_call_is_refused),
        cmocka_unit_test(test_busy_may_be_said_at_once),
        cmocka_unit_test(test_a_stranger_hears_nothing),
        cmocka_unit_test(test_only_the_proposing_device_may_retract),
        cmocka_unit_test(test_a_caller_that_fails_after_our_answer_says_why),
        cmocka_unit_test(test_a_copy_of_the_retraction_stops_the_ringing_too),
        cmocka_unit_test(test_the_caller_and_our_devices_hear_that_nobody_answers),
        cmocka_unit_test(test_another_device_of_ours_stops_the_ringing),
        cmocka_unit_test(test_a_late_propose_is_a_missed_call),
        cmocka_unit_test(test_a_slightly_late_propose_rings_for_the_rest),
        cmocka_unit_test(test_an_accepted_call_that_never_comes_ends),
        cmocka_unit_test(test_a_bounced_proceed_ends),
        cmocka_unit_test(test_both_propose_and_the_lower_id_wins),
        cmocka_unit_test(test_nasty_messages_change_nothing),
        cmocka_unit_test(test_proposals_and_memories_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
