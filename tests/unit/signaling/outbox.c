/* IQs that wait for an answer, and answers that are given again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "signaling/answers.h"
#include "signaling/external_services.h"
#include "signaling/outbox.h"
#include "signaling/roster.h"

#define ME "me@here.example/phone"

struct record {
    GPtrArray *sent;
    unsigned results;
    unsigned errors;
    unsigned last_tag;
    enum stanza_condition condition;
};

static void on_send(void *user, const xml_node *stanza)
{
    struct record *record = user;
    char *text = xml_to_string(stanza);
    g_ptr_array_add(record->sent, g_strdup(text));
    free(text);
}

static void on_answer(void *user, unsigned tag, const struct stanza *answer,
                      const struct stanza_error *error, usec now)
{
    struct record *record = user;
    (void)now;
    record->last_tag = tag;
    if (error)
        record->condition = error->condition;
    else
        assert_non_null(answer);
    record->errors += error != NULL;
    record->results += error == NULL;
}

static struct outbox *make(struct record *record)
{
    memset(record, 0, sizeof *record);
    record->sent = g_ptr_array_new_with_free_func(g_free);
    return outbox_new("p-", on_send, record);
}

static void drop(struct outbox *outbox, struct record *record)
{
    outbox_free(outbox);
    g_ptr_array_free(record->sent, TRUE);
}

static void ask(struct outbox *outbox, struct record *record, const char *to, bool keep,
                unsigned tag)
{
    struct outbox_request request = {
        .to = to, .keep = keep, .answered = on_answer, .user = record, .tag = tag};
    outbox_send(outbox, stanza_iq("get", to, NULL), &request, 0);
}

static bool answer(struct outbox *outbox, const char *xml)
{
    struct xml *parsed = xml_parse(xml, strlen(xml));
    struct stanza stanza;
    assert_true(stanza_read(&stanza, xml_root(parsed)));
    bool ours = outbox_receive(outbox, &stanza, 1);
    xml_free(parsed);
    return ours;
}

#define RESULT(id, from) "<iq xmlns='jabber:client' type='result' id='" id "'" from "/>"

static void test_an_answer_is_believed_only_of_whom_was_asked(void **state)
{
    (void)state;
    struct record record;
    struct outbox *outbox = make(&record);
    outbox_online(outbox, ME, 0);
    ask(outbox, &record, "you@there.example/x", true, 7);
    assert_false(answer(outbox, RESULT("p-1", "")));
    assert_false(answer(outbox, RESULT("p-1", " from='you@there.example'")));
    assert_false(answer(outbox, RESULT("p-1", " from='you@there.example/y'")));
    assert_false(answer(outbox, RESULT("p-2", " from='you@there.example/x'")));
    assert_true(answer(outbox, RESULT("p-1", " from='you@there.example/x'")));
    assert_int_equal(record.results, 1);
    assert_int_equal(record.last_tag, 7);
    assert_false(answer(outbox, RESULT("p-1", " from='you@there.example/x'")));
    ask(outbox, &record, NULL, false, 8);
    assert_false(answer(outbox, RESULT("p-2", " from='mallory@here.example'")));
    assert_true(answer(outbox, RESULT("p-2", " from='me@here.example'")));
    ask(outbox, &record, NULL, false, 9);
    assert_true(answer(outbox, RESULT("p-3", "")));
    assert_int_equal(record.results, 3);
    drop(outbox, &record);
}

static void test_what_is_kept_comes_again_in_order_with_its_id(void **state)
{
    (void)state;
    struct record record;
    struct outbox *outbox = make(&record);
    ask(outbox, &record, "a@x/1", true, 1);
    ask(outbox, &record, "a@x/2", false, 2);
    assert_int_equal(record.sent->len, 0);
    outbox_online(outbox, ME, 0);
    assert_int_equal(record.sent->len, 1);
    ask(outbox, &record, "a@x/3", true, 3);
    ask(outbox, &record, "a@x/4", false, 4);
    outbox_offline(outbox);
    g_ptr_array_set_size(record.sent, 0);
    outbox_online(outbox, ME, 0);
    assert_int_equal(record.sent->len, 2);
    assert_non_null(strstr(record.sent->pdata[0], "p-1"));
    assert_non_null(strstr(record.sent->pdata[1], "a@x/3"));
    drop(outbox, &record);
}

static void test_silence_is_an_error_but_only_while_online(void **state)
{
    (void)state;
    struct record record;
    struct outbox *outbox = make(&record);
    assert_true(outbox_next_deadline(outbox) == USEC_NEVER);
    ask(outbox, &record, "a@x/1", true, 1);
    outbox_tick(outbox, 1000 * USEC_PER_SEC);
    assert_int_equal(record.errors, 0);
    outbox_online(outbox, ME, 1000 * USEC_PER_SEC);
    assert_int_equal(outbox_next_deadline(outbox), 1060 * USEC_PER_SEC);
    outbox_tick(outbox, 1059 * USEC_PER_SEC);
    assert_int_equal(record.errors, 0);
    outbox_tick(outbox, 1060 * USEC_PER_SEC);
    assert_int_equal(record.errors, 1);
    assert_int_equal(record.condition, STANZA_REMOTE_SERVER_TIMEOUT);
    assert_true(outbox_next_deadline(outbox) == USEC_NEVER);
    drop(outbox, &record);
}

static void test_what_ends_stream_after_stream_is_given_up(void **state)
{
    (void)state;
    struct record record;
    struct outbox *outbox = make(&record);
    ask(outbox, &record, "a@x/1", true, 1);
    for (int i = 0; i < OUTBOX_TIMES_MAX; i++) {
        outbox_online(outbox, ME, i);
        outbox_tick(outbox, i);
        outbox_offline(outbox);
    }
    assert_int_equal(record.sent->len, OUTBOX_TIMES_MAX);
    assert_int_equal(record.errors, 0);
    outbox_online(outbox, ME, 10);
    outbox_tick(outbox, 10);
    assert_int_equal(record.sent->len, OUTBOX_TIMES_MAX);
    assert_int_equal(record.errors, 1);
    assert_int_equal(record.condition, STANZA_REMOTE_SERVER_TIMEOUT);
    drop(outbox, &record);
}

static void test_who_is_gone_is_not_told(void **state)
{
    (void)state;
    struct record record;
    struct outbox *outbox = make(&record);
    outbox_online(outbox, ME, 0);
    ask(outbox, &record, "a@x/1", true, 1);
    outbox_forget(outbox, &record);
    assert_false(answer(outbox, RESULT("p-1", " from='a@x/1'")));
    assert_int_equal(record.results, 0);
    drop(outbox, &record);
}

/* Nobody's telephone is to ring after hours for a call that was given up meanwhile. */
static void test_of_who_is_gone_only_the_last_word_is_repeated(void **state)
{
    (void)state;
    struct record record;
    struct outbox *outbox = make(&record);
    struct outbox_request end = {
        .to = "a@x/1", .keep = true, .last_word = true, .answered = on_answer, .user = &record};
    outbox_online(outbox, ME, 0);
    ask(outbox, &record, "a@x/1", true, 1);
    outbox_offline(outbox);
    outbox_send(outbox, stanza_iq("set", "a@x/1", NULL), &end, 0);
    outbox_forget(outbox, &record);
    g_ptr_array_set_size(record.sent, 0);
    outbox_online(outbox, ME, 0);
    assert_int_equal(record.sent->len, 1);
    assert_non_null(strstr(record.sent->pdata[0], "p-2"));
    assert_true(answer(outbox, RESULT("p-2", " from='a@x/1'")));
    assert_int_equal(record.results, 0);
    drop(outbox, &record);
}

/* --------------------------------------------------------------------------------- answers -- */

static struct xml *request(const char *id, const char *from, const char *inside)
{
    char *text = g_strdup_printf("<iq xmlns='jabber:client' type='set' id='%s' from='%s'>%s</iq>",
                                 id, from, inside);
    struct xml *xml = xml_parse(text, strlen(text));
    g_free(text);
    return xml;
}

static const char *find(const struct answers *answers, const char *id, const char *from,
                        const char *inside)
{
    struct xml *xml = request(id, from, inside);
    struct stanza stanza;
    assert_true(stanza_read(&stanza, xml_root(xml)));
    const char *found = answers_find(answers, &stanza);
    xml_free(xml);
    return found;
}

static void remember(struct answers *answers, const char *id, const char *given)
{
    struct xml *xml = request(id, "a@b/c", "<x xmlns='y'/>");
    struct stanza stanza;
    assert_true(stanza_read(&stanza, xml_root(xml)));
    answers_remember(answers, &stanza, given);
    xml_free(xml);
}

static void test_only_the_same_request_gets_the_same_answer(void **state)
{
    (void)state;
    struct answers *answers = answers_new();
    remember(answers, "1", "<given/>");
    assert_string_equal(find(answers, "1", "a@b/c", "<x xmlns='y'/>"), "<given/>");
    assert_null(find(answers, "2", "a@b/c", "<x xmlns='y'/>"));
    assert_null(find(answers, "1", "a@b/d", "<x xmlns='y'/>"));
    assert_null(find(answers, "1", "a@b/c", "<z xmlns='y'/>"));
    answers_free(answers);
}

/* A server that was started anew may write the same in another way. */
static void test_the_same_request_in_other_words_gets_the_same_answer(void **state)
{
    static const char *const once = "<iq type='set' id='1' from='a@b/c' xmlns='jabber:client'>"
                                    "<x xmlns='y' a='1' b='&amp;2'>t</x></iq>";
    static const char *const again = "<iq from='a@b/c' id='1' type='set' xmlns='jabber:client'>"
                                     "<p:x b='&#38;2' a=\"1\" xmlns:p='y'>t</p:x></iq>";
    static const char *const other = "<iq from='a@b/c' id='1' type='set' xmlns='jabber:client'>"
                                     "<x xmlns='y' a='&amp;2' b='1'>t</x></iq>";
    (void)state;
    struct answers *answers = answers_new();
    struct xml *xml[] = {xml_parse(once, strlen(once)), xml_parse(again, strlen(again)),
                         xml_parse(other, strlen(other))};
    struct stanza stanza;
    assert_true(stanza_read(&stanza, xml_root(xml[0])));
    answers_remember(answers, &stanza, "<given/>");
    assert_true(stanza_read(&stanza, xml_root(xml[1])));
    assert_string_equal(answers_find(answers, &stanza), "<given/>");
    assert_true(stanza_read(&stanza, xml_root(xml[2])));
    assert_null(answers_find(answers, &stanza));
    for (size_t i = 0; i < G_N_ELEMENTS(xml); i++)
        xml_free(xml[i]);
    answers_free(answers);
}

static void test_answers_of_senseless_length_are_not_kept(void **state)
{
    (void)state;
    struct answers *answers = answers_new();
    char *text = g_strnfill(ANSWERS_BYTES_MAX + 1, 'x');
    remember(answers, "1", text);
    assert_null(find(answers, "1", "a@b/c", "<x xmlns='y'/>"));
    g_free(text);
    answers_free(answers);
}

static void test_old_answers_are_forgotten(void **state)
{
    (void)state;
    struct answers *answers = answers_new();
    for (int i = 0; i <= ANSWERS_MAX; i++) {
        char id[16];
        g_snprintf(id, sizeof id, "%d", i);
        remember(answers, id, "<given/>");
    }
    assert_null(find(answers, "0", "a@b/c", "<x xmlns='y'/>"));
    assert_non_null(find(answers, "1", "a@b/c", "<x xmlns='y'/>"));
    answers_free(answers);
}

/* ----------------------------------------------------------------------- external services -- */

static void read_services(struct external_services *services, const char *inside, usec now,
                          int64_t wall)
{
    char *text = g_strdup_printf("<services xmlns='urn:xmpp:extdisco:2'>%s</services>", inside);
    struct xml *xml = xml_parse(text, strlen(text));
    assert_non_null(xml);
    external_services_read(services, xml_root(xml), now, wall);
    xml_free(xml);
    g_free(text);
}

static void test_services_are_read_leniently_and_bounded(void **state)
{
    (void)state;
    struct external_services services = {.count = 0};
    read_services(&services,
                  "<service type='turns' host='t.example'/>"
                  "<service type='turn' host='t.example' port='70000'/>"
                  "<service type='turn' host='' port='1'/>"
                  "<service type='ftp' host='t.example' port='21'/>"
                  "<service type='stun' host='s.example' port='3479' transport='tcp'/>"
                  "<service type='turn' host='t.example' expires='nonsense' username='u'/>",
                  0, 0);
    assert_int_equal(services.count, 3);
    assert_int_equal(services.items[0].port, 5349);
    assert_true(services.items[0].tcp);
    assert_true(services.items[1].tcp);
    assert_true(services.items[2].expires == USEC_NEVER);
    GString *many = g_string_new(NULL);
    for (int i = 0; i < 1000; i++)
        g_string_append(many, "<service type='stun' host='s.example'/>");
    read_services(&services, many->str, 0, 0);
    assert_int_equal(services.count, EXTERNAL_SERVICES_MAX);
    g_string_free(many, TRUE);
    external_services_clear(&services);
}

static void test_restricted_services_get_their_credentials(void **state)
{
    (void)state;
    struct external_services services = {.count = 0};
    read_services(&services, "<service type='turn' host='t.example' port='1' restricted='true'/>",
                  0, 0);
    assert_true(services.items[0].restricted);
    const char *text = "<credentials xmlns='urn:xmpp:extdisco:2'><service type='turn' "
                       "host='t.example' username='u' password='p' "
                       "expires='1970-01-01T00:01:40Z'/></credentials>";
    struct xml *xml = xml_parse(text, strlen(text));
    external_services_read_credentials(&services, xml_root(xml), 1000 * USEC_PER_SEC, 0);
    assert_false(services.items[0].restricted);
    assert_string_equal(services.items[0].password, "p");
    assert_int_equal(services.items[0].port, 1);
    assert_int_equal(services.items[0].expires, 1100 * USEC_PER_SEC);
    assert_int_equal(external_services_renewal(&services, 1000 * USEC_PER_SEC),
                     1080 * USEC_PER_SEC);
    xml_free(xml);
    external_services_clear(&services);
}

/* ---------------------------------------------------------------------------------- roster -- */

static void on_item(void *user, const struct roster_item *item, bool removed)
{
    GString *told = user;
    g_string_append_printf(told, "%s%s ", removed ? "-" : "+", item->jid);
}

static void read_roster(struct roster *roster, const char *inside, bool push)
{
    char *text = g_strdup_printf("<query xmlns='jabber:iq:roster'>%s</query>", inside);
    struct xml *xml = xml_parse(text, strlen(text));
    assert_non_null(xml);
    if (push)
        roster_push(roster, xml_root(xml));
    else
        roster_read(roster, xml_root(xml));
    xml_free(xml);
    g_free(text);
}

static void test_the_roster_tells_what_changed(void **state)
{
    (void)state;
    GString *told = g_string_new(NULL);
    struct roster *roster = roster_new(on_item, told);
    read_roster(roster, "<item jid='a@x'/><item jid='b@x' subscription='to' ask='subscribe'/>",
                false);
    assert_string_equal(told->str, "+a@x +b@x ");
    assert_int_equal(roster_find(roster, "B@x/resource")->subscription, JINGLE_SUBSCRIPTION_TO);
    assert_true(roster_find(roster, "b@x")->asked);
    g_string_truncate(told, 0);
    read_roster(roster, "<item jid='b@x' subscription='both'/>", false);
    assert_string_equal(told->str, "+b@x -a@x ");
    g_string_truncate(told, 0);
    read_roster(roster, "<item jid='b@x' subscription='both'/>", true);
    read_roster(roster, "<item jid='@'/>", true);
    read_roster(roster, "<item/>", true);
    read_roster(roster, "", true);
    assert_string_equal(told->str, "");
    read_roster(roster, "<item jid='b@x' subscription='remove'/>", true);
    assert_string_equal(told->str, "-b@x ");
    assert_int_equal(roster_count(roster), 0);
    roster_free(roster);
    g_string_free(told, TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_is_believed_only_of_whom_was_asked),
        cmocka_unit_test(test_what_is_kept_comes_again_in_order_with_its_id),
        cmocka_unit_test(test_silence_is_an_error_but_only_while_online),
        cmocka_unit_test(test_what_ends_stream_after_stream_is_given_up),
        cmocka_unit_test(test_who_is_gone_is_not_told),
        cmocka_unit_test(test_of_who_is_gone_only_the_last_word_is_repeated),
        cmocka_unit_test(test_only_the_same_request_gets_the_same_answer),
        cmocka_unit_test(test_the_same_request_in_other_words_gets_the_same_answer),
        cmocka_unit_test(test_answers_of_senseless_length_are_not_kept),
        cmocka_unit_test(test_old_answers_are_forgotten),
        cmocka_unit_test(test_services_are_read_leniently_and_bounded),
        cmocka_unit_test(test_restricted_services_get_their_credentials),
        cmocka_unit_test(test_the_roster_tells_what_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
