/* <jingle/> of sessions that carry files: the specifications' examples, and what clients write. */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/jingle.h"
#include "signaling/ns.h"

#define ROMEO  "romeo@montague.example/dr4hcr0st3lup4c"
#define JULIET "juliet@capulet.example/yn0cl4bnw0yr3vym"
#define SHA_1  "w0mcJylzCn+AfvuGdqkty2+KP48="

#define JINGLE(action, inner)                                                               \
    "<jingle xmlns='" NS_JINGLE "' action='" action "' initiator='" ROMEO "' sid='851ba2'>" \
    "\n " inner "\n</jingle>"
#define CONTENT(inner)                                                                       \
    "<content creator='initiator' name='a-file-offer' senders='initiator'>\n  " inner "\n</" \
    "content>"
#define FILE_OF(inner)                                                          \
    "<description xmlns='" NS_FILE_TRANSFER_5 "'>\n <file>\n " inner "</file> " \
    "</description>"
#define FILE_OFFER                                                                              \
    FILE_OF("<date>1969-07-21T02:56:15Z</date><desc>This is a test.</desc>"                     \
            "<media-type>text/plain</media-type><name>test.txt</name><range/><size>6144</size>" \
            "<hash xmlns='" NS_HASHES "' algo='sha-1'>" SHA_1 "</hash>")
#define S5B(inner) "<transport xmlns='" NS_S5B "' mode='tcp' sid='vj3hs98y'>\n" inner "</transport>"
#define CANDIDATES                                                              \
    "<candidate cid='hft54dqy' host='192.168.4.1' jid='" ROMEO "' port='5086' " \
    "priority='8257636' type='direct'/>\n"                                      \
    "<candidate cid='hutr46fe' host='24.24.24.1' jid='" ROMEO "' port='5087' "  \
    "priority='8258636' type='direct'/>\n"
#define IBB(size) "<transport xmlns='" NS_IBB_TRANSPORT "' block-size='" size "' sid='ch3d9s71'/>"
#define CHECKSUM(attributes, file) \
    "<checksum xmlns='" NS_FILE_TRANSFER_5 "' " attributes ">" file "</checksum>"
#define HASH_OF(algorithm, text) "<hash xmlns='" NS_HASHES "' algo='" algorithm "'>" text "</hash>"

static bool read_text(struct jingle_iq *iq, const char *text, struct stanza_error *error)
{
    struct xml *xml = xml_parse(text, strlen(text));

    assert_non_null(xml);
    bool good = jingle_iq_read(iq, xml_root(xml), error);
    xml_free(xml);
    return good;
}

static void read_good(struct jingle_iq *iq, const char *text)
{
    struct stanza_error error;

    if (!read_text(iq, text, &error))
        fail_msg("%s: %s", error.text, text);
}

static void assert_malformed(const char *text, const char *why)
{
    struct stanza_error error;
    struct jingle_iq iq;

    if (read_text(&iq, text, &error))
        fail_msg("not refused: %s", text);
    assert_int_equal(error.condition, STANZA_BAD_REQUEST);
    assert_string_equal(error.text, why);
}

static char *write_text(const struct jingle_iq *iq)
{
    struct xml *xml = xml_new(NS_CLIENT, "iq");

    jingle_iq_write(iq, xml_root(xml));
    char *text = xml_to_string(xml_first(xml_root(xml)));
    xml_free(xml);
    return text;
}

/* ----------------------------------------------------------- the specifications' examples -- */

static void test_an_offer_is_read(void **state)
{
    struct jingle_iq iq;

    (void)state;
    read_good(&iq, JINGLE("session-initiate", CONTENT(FILE_OFFER S5B(CANDIDATES))));
    assert_int_equal(iq.action, ACTION_SESSION_INITIATE);
    assert_string_equal(iq.initiator, ROMEO);
    assert_int_equal(iq.content_count, 1);
    const struct jingle_content *content = jingle_iq_content(&iq, "a-file-offer");
    assert_int_equal(content->creator, CREATOR_INITIATOR);
    assert_int_equal(content->senders, SENDERS_INITIATOR);
    assert_int_equal(content->application, APPLICATION_FILE);
    assert_string_equal(content->file.name, "test.txt");
    assert_string_equal(content->file.hashes[0].value, SHA_1);
    assert_int_equal(content->transport, TRANSPORT_S5B);
    assert_string_equal(content->s5b.sid, "vj3hs98y");
    assert_int_equal(content->s5b.candidate_count, 2);
    assert_null(content->transport_ns);
    jingle_iq_clear(&iq);
}

static void test_a_request_is_read(void **state)
{
    struct jingle_iq iq;

    (void)state;
    read_good(
        &iq,
        JINGLE("session-initiate",
               "<content creator='initiator' name='a-file-request' senders='responder'>" FILE_OF(
                   HASH_OF("sha-1", SHA_1)) S5B(CANDIDATES) "</content>"));
    assert_int_equal(iq.contents[0].senders, SENDERS_RESPONDER);
    assert_null(iq.contents[0].file.name);
    jingle_iq_clear(&iq);
}

static void test_an_in_band_offer_and_its_answer_are_read(void **state)
{
    struct jingle_iq iq;

    (void)state;
    read_good(&iq, JINGLE("session-initiate", CONTENT(FILE_OFFER IBB("4096"))));
    assert_int_equal(iq.contents[0].transport, TRANSPORT_IBB);
    assert_int_equal(iq.contents[0].ibb.block_size, 4096);
    jingle_iq_clear(&iq);
    read_good(&iq, JINGLE("session-accept", CONTENT(FILE_OFFER IBB("2048"))));
    assert_int_equal(iq.contents[0].ibb.block_size, 2048);
    assert_string_equal(iq.contents[0].ibb.sid, "ch3d9s71");
    jingle_iq_clear(&iq);
}

static void test_the_words_about_candidates_are_read(void **state)
{
    struct jingle_iq iq;

    (void)state;
    read_good(&iq, JINGLE("transport-info", CONTENT(S5B("<candidate-used cid='hr65dqyd'/>"))));
    assert_int_equal(iq.contents[0].s5b.word, S5B_CANDIDATE_USED);
    assert_string_equal(iq.contents[0].s5b.cid, "hr65dqyd");
    assert_int_equal(iq.contents[0].application, APPLICATION_NONE);
    jingle_iq_clear(&iq);
    read_good(&iq, JINGLE("transport-info", CONTENT(S5B("<proxy-error/>"))));
    assert_int_equal(iq.contents[0].s5b.word, S5B_PROXY_ERROR);
    jingle_iq_clear(&iq);
}

static void test_the_fall_back_to_in_band_is_read(void **state)
{
    static const char *const texts[] = {
        JINGLE("transport-replace", CONTENT(IBB("4096"))),
        JINGLE("transport-accept", CONTENT(IBB("4096"))),
        JINGLE("transport-reject", CONTENT(IBB("4096"))),
    };
    struct jingle_iq iq;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        read_good(&iq, texts[i]);
        assert_int_equal(iq.contents[0].transport, TRANSPORT_IBB);
        assert_int_equal(iq.contents[0].ibb.block_size, 4096);
        jingle_iq_clear(&iq);
    }
}

static void test_received_is_read(void **state)
{
    struct jingle_iq iq;

    (void)state;
    read_good(&iq, JINGLE("session-info", "<received xmlns='" NS_FILE_TRANSFER_5
                                          "' creator='responder' name='a-file-offer' />"));
    assert_int_equal(iq.info, INFO_RECEIVED);
    assert_int_equal(iq.info_creator, CREATOR_RESPONDER);
    assert_string_equal(iq.info_name, "a-file-offer");
    jingle_iq_clear(&iq);
}

static void test_a_checksum_is_read(void **state)
{
    struct jingle_iq iq;

    (void)state;
    read_good(&iq,
              JINGLE("session-info", CHECKSUM("creator='initiator' name='a-file-offer'",
                                              "\n<file>\n" HASH_OF("sha-1", SHA_1) "\n</file>\n")));
    assert_int_equal(iq.info, INFO_CHECKSUM);
    assert_string_equal(iq.info_name, "a-file-offer");
    assert_int_equal(iq.checksum.hash_count, 1);
    assert_string_equal(iq.checksum.hashes[0].value, SHA_1);
    jingle_iq_clear(&iq);
}

/* The names of XEP-0234 and of XEP-0167 are told apart by their namespaces. */
static void test_the_same_words_in_other_namespaces_mean_nothing(void **state)
{
    static const char *const texts[] = {
        JINGLE("session-info", "<received xmlns='" NS_RTP_INFO "'/>"),
        JINGLE("session-info", "<checksum xmlns='" NS_RTP_INFO "'/>"),
        JINGLE("session-info", "<ringing xmlns='" NS_FILE_TRANSFER_5 "'/>"),
        JINGLE("session-info", "<unknown xmlns='" NS_RTP_INFO "'/>"),
    };
    struct jingle_iq iq;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        read_good(&iq, texts[i]);
        assert_int_equal(iq.info, INFO_UNKNOWN);
        assert_null(iq.info_name);
        jingle_iq_clear(&iq);
    }
}

/* ---------------------------------------------------------------------------- real clients -- */

static void test_gajim_s_checksum_names_no_content(void **state)
{
    struct jingle_iq iq;

    (void)state;
    read_good(&iq,
              JINGLE("session-info", CHECKSUM("", "<file>" HASH_OF("sha-512", "QUJD") "</file>")));
    assert_int_equal(iq.info, INFO_CHECKSUM);
    assert_null(iq.info_name);
    assert_int_equal(iq.info_creator, CREATOR_INITIATOR);
    assert_string_equal(iq.checksum.hashes[0].algorithm, "sha-512");
    jingle_iq_clear(&iq);
}

static void test_conversations_leaves_out_the_creator(void **state)
{
    struct jingle_iq iq;

    (void)state;
    read_good(&iq, JINGLE("session-info",
                          "<received xmlns='" NS_FILE_TRANSFER_5 "' name='a-file-offer'/>"));
    assert_int_equal(iq.info, INFO_RECEIVED);
    assert_string_equal(iq.info_name, "a-file-offer");
    jingle_iq_clear(&iq);
    read_good(&iq, JINGLE("session-info",
                          CHECKSUM("name='x'", "<file>" HASH_OF("sha-1", SHA_1)
                                                   HASH_OF("sha-256", "QUJD") "</file>")));
    assert_int_equal(iq.checksum.hash_count, 2);
    jingle_iq_clear(&iq);
}

/* Gajim 1.7.3, accept and transport-info: the other creator's attribute, and senders of both. */
static void test_gajim_s_senders_of_both_are_read(void **state)
{
    struct jingle_iq iq;

    (void)state;
    read_good(&iq, JINGLE("session-accept", "<content name='fileX' senders='both'>" FILE_OFFER
                                            "<transport xmlns='" NS_S5B "' sid='s'/></content>"));
    assert_int_equal(iq.contents[0].senders, SENDERS_BOTH);
    assert_int_equal(iq.contents[0].s5b.candidate_count, 0);
    assert_false(iq.contents[0].s5b.writes_mode);
    jingle_iq_clear(&iq);
}

static void test_an_answer_need_not_repeat_the_file(void **state)
{
    struct jingle_iq iq;

    (void)state;
    read_good(&iq, JINGLE("session-accept", CONTENT("<description xmlns='" NS_FILE_TRANSFER_5
                                                    "'/>" S5B(CANDIDATES))));
    assert_int_equal(iq.contents[0].application, APPLICATION_FILE);
    assert_null(iq.contents[0].file.name);
    jingle_iq_clear(&iq);
}

/* XEP-0391: JET's place is kept. */
static void test_an_encrypted_offer_is_told_from_a_plain_one(void **state)
{
    struct jingle_iq iq;

    (void)state;
    read_good(&iq, JINGLE("session-initiate",
                          CONTENT(FILE_OFFER S5B(CANDIDATES) "<security xmlns='urn:xmpp:jingle:"
                                                             "jet:0'/>")));
    assert_true(iq.contents[0].security);
    jingle_iq_clear(&iq);
}

/* ------------------------------------------------------------------------------- malformed -- */

static void test_malformed_files_are_a_bad_request_with_its_cause(void **state)
{
    (void)state;
    assert_malformed(JINGLE("session-initiate",
                            CONTENT("<description xmlns='" NS_FILE_TRANSFER_5 "'/>" IBB("1"))),
                     "not exactly one file");
    assert_malformed(
        JINGLE("session-initiate", CONTENT(FILE_OF("<name>n</name><size>big</size>") IBB("1"))),
        "a file whose size is no number");
    assert_malformed(JINGLE("session-accept", CONTENT(FILE_OF("<range offset='x'/>") IBB("1"))),
                     "a file with a range that is none");
    assert_malformed(JINGLE("session-initiate", CONTENT(FILE_OFFER IBB("1") S5B(""))),
                     "two transports in one content");
    assert_malformed(JINGLE("session-initiate", CONTENT(FILE_OFFER FILE_OFFER IBB("1"))),
                     "two descriptions in one content");
    assert_malformed(JINGLE("session-info", CHECKSUM("name='a'", "")), "not exactly one file");
}

/* ---------------------------------------------------------------------------- round trips -- */

static void test_what_is_written_is_read_back_the_same(void **state)
{
    static const char *const texts[] = {
        JINGLE("session-initiate", CONTENT(FILE_OFFER S5B(CANDIDATES))),
        JINGLE("session-initiate", CONTENT(FILE_OFFER IBB("4096"))),
        JINGLE("session-accept", CONTENT(FILE_OFFER S5B(CANDIDATES))),
        JINGLE("transport-info", CONTENT(S5B("<activated cid='a'/>"))),
        JINGLE("transport-replace", CONTENT(IBB("4096"))),
        JINGLE("transport-accept", CONTENT(IBB("4096"))),
        JINGLE("session-info",
               "<received xmlns='" NS_FILE_TRANSFER_5 "' creator='responder' name='n'/>"),
        JINGLE("session-info",
               CHECKSUM("creator='initiator' name='n'",
                        "<file><range offset='5'/>" HASH_OF("sha-1", SHA_1) "</file>")),
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct jingle_iq iq, copy, again;
        read_good(&iq, texts[i]);
        jingle_iq_copy(&copy, &iq);
        char *written = write_text(&iq);
        jingle_iq_clear(&iq);
        read_good(&again, written);
        char *rewritten = write_text(&again);
        char *copied = write_text(&copy);
        assert_string_equal(written, rewritten);
        assert_string_equal(written, copied);
        jingle_iq_clear(&copy);
        jingle_iq_clear(&again);
        g_free(written);
        g_free(rewritten);
        g_free(copied);
    }
}

static void test_informations_are_written_with_creator_and_name(void **state)
{
    struct jingle_iq iq;

    (void)state;
    jingle_iq_init(&iq, ACTION_SESSION_INFO, "s");
    iq.info = INFO_RECEIVED;
    iq.info_name = g_strdup("a-file-offer");
    char *text = write_text(&iq);
    assert_string_equal(text, "<jingle xmlns=\"" NS_JINGLE "\" action=\"session-info\" sid=\"s\">"
                              "<received xmlns=\"" NS_FILE_TRANSFER_5
                              "\" creator=\"initiator\" name=\"a-file-offer\"/></jingle>");
    g_free(text);
    iq.info = INFO_CHECKSUM;
    file_description_add_hash(&iq.checksum, "sha-256", "QUJD");
    text = write_text(&iq);
    assert_non_null(strstr(text, "<checksum xmlns=\"" NS_FILE_TRANSFER_5
                                 "\" creator=\"initiator\" name=\"a-file-offer\"><file><hash "
                                 "xmlns=\"urn:xmpp:hashes:2\" algo=\"sha-256\">QUJD</hash></file>"
                                 "</checksum>"));
    g_free(text);
    jingle_iq_clear(&iq);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_offer_is_read),
        cmocka_unit_test(test_a_request_is_read),
        cmocka_unit_test(test_an_in_band_offer_and_its_answer_are_read),
        cmocka_unit_test(test_the_words_about_candidates_are_read),
        cmocka_unit_test(test_the_fall_back_to_in_band_is_read),
        cmocka_unit_test(test_received_is_read),
        cmocka_unit_test(test_a_checksum_is_read),
        cmocka_unit_test(test_the_same_words_in_other_namespaces_mean_nothing),
        cmocka_unit_test(test_gajim_s_checksum_names_no_content),
        cmocka_unit_test(test_conversations_leaves_out_the_creator),
        cmocka_unit_test(test_gajim_s_senders_of_both_are_read),
        cmocka_unit_test(test_an_answer_need_not_repeat_the_file),
        cmocka_unit_test(test_an_encrypted_offer_is_told_from_a_plain_one),
        cmocka_unit_test(test_malformed_files_are_a_bad_request_with_its_cause),
        cmocka_unit_test(test_what_is_written_is_read_back_the_same),
        cmocka_unit_test(test_informations_are_written_with_creator_and_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
