/* What a server has for files is found by asking it and each of its items. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "signaling/file_services.h"

#define DISCO_INFO(children) \
    "<query xmlns='http://jabber.org/protocol/disco#info'>" children "</query>"
#define PROXY_INFO DISCO_INFO("<feature var='http://jabber.org/protocol/bytestreams'/>")
#define UPLOAD_INFO(max)                                                                        \
    DISCO_INFO("<feature var='urn:xmpp:http:upload:0'/><x xmlns='jabber:x:data' type='result'>" \
               "<field var='FORM_TYPE'><value>urn:xmpp:http:upload:0</value></field>"           \
               "<field var='max-file-size'><value>" max "</value></field></x>")

struct question {
    char *to;
    char *text;
    unsigned tag;
};

struct side {
    struct file_services *services;
    GArray *questions; /* struct question, not answered yet */
    unsigned known;
};

static void question_clear(void *data)
{
    struct question *question = data;
    g_free(question->to);
    free(question->text);
}

static void on_ask(void *user, struct xml *iq, const char *to, unsigned tag)
{
    struct side *side = user;
    struct question question = {g_strdup(to), xml_to_string(xml_root(iq)), tag};
    assert_string_equal(xml_attribute(xml_root(iq), "to"), to);
    g_array_append_val(side->questions, question);
    xml_free(iq);
}

static void on_known(void *user)
{
    ((struct side *)user)->known++;
}

static void open_side(struct side *side)
{
    struct file_services_hooks hooks = {side, on_ask, on_known};
    *side = (struct side){.questions = g_array_new(FALSE, FALSE, sizeof(struct question))};
    g_array_set_clear_func(side->questions, question_clear);
    side->services = file_services_new(&hooks);
}

static void close_side(struct side *side)
{
    file_services_free(side->services);
    g_array_free(side->questions, TRUE);
}

/* The question of this kind to `to` is answered; `children` NULL: by an error. */
static void answer(struct side *side, const char *to, const char *kind, const char *children)
{
    for (guint i = 0; i < side->questions->len; i++) {
        struct question *question = &g_array_index(side->questions, struct question, i);
        if (strcmp(question->to, to) != 0 || !strstr(question->text, kind))
            continue;
        unsigned tag = question->tag;
        g_array_remove_index(side->questions, i);
        if (!children) {
            file_services_answered(side->services, tag, NULL);
            return;
        }
        char *text = g_strdup_printf("<iq xmlns='jabber:client' type='result'>%s</iq>", children);
        struct xml *xml = xml_parse(text, strlen(text));
        struct stanza stanza;
        assert_non_null(xml);
        assert_true(stanza_read(&stanza, xml_root(xml)));
        file_services_answered(side->services, tag, &stanza);
        xml_free(xml);
        g_free(text);
        return;
    }
    fail_msg("%s was not asked about %s", to, kind);
}

static void answer_items(struct side *side, const char *items)
{
    char *text =
        g_strdup_printf("<query xmlns='http://jabber.org/protocol/disco#items'>%s</query>", items);
    answer(side, "example.org", "disco#items", text);
    g_free(text);
}

static void answer_address(struct side *side, const char *proxy, const char *host, unsigned port)
{
    char *text = g_strdup_printf("<query xmlns='http://jabber.org/protocol/bytestreams'>"
                                 "<streamhost jid='%s' host='%s' port='%u'/></query>",
                                 proxy, host, port);
    answer(side, proxy, "bytestreams", text);
    g_free(text);
}

static void test_proxies_and_the_upload_service_are_found(void **state)
{
    struct side *side = *state;
    size_t count = 0;
    file_services_begin(side->services, "example.org");
    assert_int_equal(side->questions->len, 2);
    answer_items(side, "<item jid='proxy.example.org'/><item jid='upload.example.org'/>"
                       "<item jid='rooms.example.org'/>");
    answer(side, "example.org", "disco#info", DISCO_INFO(""));
    answer(side, "upload.example.org", "disco#info", UPLOAD_INFO("5000000"));
    answer(side, "proxy.example.org", "disco#info", PROXY_INFO);
    answer(side, "rooms.example.org", "disco#info", NULL);
    assert_false(file_services_are_known(side->services));
    answer_address(side, "proxy.example.org", "192.0.2.9", 7777);
    assert_true(file_services_are_known(side->services));
    assert_int_equal(side->known, 1);
    const struct s5b_candidate *proxies = file_services_proxies(side->services, &count);
    assert_int_equal(count, 1);
    assert_string_equal(proxies[0].jid, "proxy.example.org");
    assert_string_equal(proxies[0].host, "192.0.2.9");
    assert_int_equal(proxies[0].port, 7777);
    assert_string_equal(file_services_upload(side->services).jid, "upload.example.org");
    assert_int_equal(file_services_upload(side->services).max_size, 5000000);
}

static void test_the_server_itself_may_take_uploads(void **state)
{
    struct side *side = *state;
    file_services_begin(side->services, "example.org");
    answer_items(side, "");
    answer(side, "example.org", "disco#info",
           DISCO_INFO("<feature var='urn:xmpp:http:upload:0'/>"));
    assert_string_equal(file_services_upload(side->services).jid, "example.org");
    assert_true(file_services_upload(side->services).max_size == UINT64_MAX);
}

static void test_a_size_in_another_form_is_no_limit_of_uploads(void **state)
{
    struct side *side = *state;
    file_services_begin(side->services, "example.org");
    answer_items(side, "");
    answer(side, "example.org", "disco#info",
           DISCO_INFO("<feature var='urn:xmpp:http:upload:0'/><x xmlns='jabber:x:data'>"
                      "<field var='FORM_TYPE'><value>something:else</value></field>"
                      "<field var='max-file-size'><value>1</value></field></x>"));
    assert_true(file_services_upload(side->services).max_size == UINT64_MAX);
}

static void test_a_server_without_items_has_nothing(void **state)
{
    struct side *side = *state;
    size_t count = 7;
    file_services_begin(side->services, "example.org");
    answer(side, "example.org", "disco#items", NULL);
    answer(side, "example.org", "disco#info", NULL);
    assert_true(file_services_are_known(side->services));
    file_services_proxies(side->services, &count);
    assert_int_equal(count, 0);
    assert_null(file_services_upload(side->services).jid);
}

static void test_a_proxy_that_does_not_tell_where_it_is_counts_for_nothing(void **state)
{
    struct side *side = *state;
    size_t count = 7;
    file_services_begin(side->services, "example.org");
    answer_items(side, "<item jid='proxy.example.org'/><item jid='second.example.org'/>");
    answer(side, "example.org", "disco#info", DISCO_INFO(""));
    answer(side, "proxy.example.org", "disco#info", PROXY_INFO);
    answer(side, "second.example.org", "disco#info", PROXY_INFO);
    answer(side, "proxy.example.org", "bytestreams", NULL);
    answer_address(side, "second.example.org", "192.0.2.2", 1080);
    const struct s5b_candidate *proxies = file_services_proxies(side->services, &count);
    assert_int_equal(count, 1);
    assert_string_equal(proxies[0].jid, "second.example.org");
}

static void test_only_so_many_items_are_asked_and_each_once(void **state)
{
    struct side side;
    GString *items = g_string_new("<item jid='example.org'/><item jid='part.example.org' node='x'/>"
                                  "<item/><item jid='@'/>");
    (void)state;
    open_side(&side);
    for (unsigned i = 0; i < 500; i++)
        g_string_append_printf(items, "<item jid='s%u.example.org'/><item jid='s%u.example.org'/>",
                               i, i);
    file_services_begin(side.services, "example.org");
    answer_items(&side, items->str);
    assert_int_equal(side.questions->len, FILE_SERVICES_ITEMS_MAX + 1);
    close_side(&side);
    g_string_free(items, TRUE);
}

static void test_only_so_many_proxies_are_kept(void **state)
{
    struct side side;
    size_t count = 0;
    GString *items = g_string_new("");
    (void)state;
    open_side(&side);
    for (unsigned i = 0; i < FILE_SERVICES_ITEMS_MAX; i++)
        g_string_append_printf(items, "<item jid='s%u.example.org'/>", i);
    file_services_begin(side.services, "example.org");
    answer_items(&side, items->str);
    answer(&side, "example.org", "disco#info", NULL);
    for (unsigned i = 0; i < FILE_SERVICES_ITEMS_MAX; i++) {
        char *jid = g_strdup_printf("s%u.example.org", i);
        answer(&side, jid, "disco#info", PROXY_INFO);
        answer_address(&side, jid, "192.0.2.1", 1080 + i);
        g_free(jid);
    }
    const struct s5b_candidate *proxies = file_services_proxies(side.services, &count);
    assert_int_equal(count, FILE_SERVICES_PROXIES_MAX);
    assert_string_equal(proxies[0].jid, "s0.example.org");
    close_side(&side);
    g_string_free(items, TRUE);
}

static void test_it_asks_once_and_again_after_another_login(void **state)
{
    struct side *side = *state;
    size_t count = 0;
    file_services_begin(side->services, "example.org");
    file_services_begin(side->services, "example.org");
    assert_int_equal(side->questions->len, 2);
    answer_items(side, "<item jid='proxy.example.org'/>");
    answer(side, "example.org", "disco#info", NULL);
    answer(side, "proxy.example.org", "disco#info", PROXY_INFO);
    answer_address(side, "proxy.example.org", "192.0.2.9", 7777);
    file_services_begin(side->services, "example.org");
    assert_int_equal(side->questions->len, 0);
    file_services_forget(side->services);
    file_services_begin(side->services, "example.org");
    assert_int_equal(side->questions->len, 2);
    file_services_proxies(side->services, &count); /* the old ones, until the new are known */
    assert_int_equal(count, 1);
    answer_items(side, "");
    answer(side, "example.org", "disco#info", NULL);
    file_services_proxies(side->services, &count);
    assert_int_equal(count, 0);
}

static void test_answers_that_nobody_waits_for_change_nothing(void **state)
{
    struct side *side = *state;
    file_services_answered(side->services, 0, NULL);
    file_services_begin(side->services, "example.org");
    file_services_answered(side->services, 12345, NULL);
    assert_false(file_services_are_known(side->services));
}

static int set_up(void **state)
{
    static struct side side;
    open_side(&side);
    *state = &side;
    return 0;
}

static int tear_down(void **state)
{
    close_side(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_proxies_and_the_upload_service_are_found),
        TEST(test_the_server_itself_may_take_uploads),
        TEST(test_a_size_in_another_form_is_no_limit_of_uploads),
        TEST(test_a_server_without_items_has_nothing),
        TEST(test_a_proxy_that_does_not_tell_where_it_is_counts_for_nothing),
        cmocka_unit_test(test_only_so_many_items_are_asked_and_each_once),
        cmocka_unit_test(test_only_so_many_proxies_are_kept),
        TEST(test_it_asks_once_and_again_after_another_login),
        TEST(test_answers_that_nobody_waits_for_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
