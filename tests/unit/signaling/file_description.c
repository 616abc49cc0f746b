#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/file_description.h"
#include "signaling/ns.h"

#define DESCRIPTION(inner)    "<description xmlns='" NS_FILE_TRANSFER_5 "'>" inner "</description>"
#define FILE_OF(inner)        DESCRIPTION("<file>" inner "</file>")
#define HASH(algorithm, text) "<hash xmlns='" NS_HASHES "' algo='" algorithm "'>" text "</hash>"
#define HASH_USED(algorithm)  "<hash-used xmlns='" NS_HASHES "' algo='" algorithm "'/>"
#define SHA_1                 "w0mcJylzCn+AfvuGdqkty2+KP48="

/* NULL: it was read; else the cause. */
static const char *read_text(struct file_description *file, const char *text)
{
    struct xml *xml = xml_parse(text, strlen(text));
    const char *why = NULL;

    assert_non_null(xml);
    bool good = file_description_read(file, xml_root(xml), &why);
    xml_free(xml);
    return good ? NULL : why;
}

static void read_good(struct file_description *file, const char *text)
{
    const char *why = read_text(file, text);

    if (why != NULL)
        fail_msg("%s: %s", why, text);
}

/* XEP-0234, example 1 */
#define XEP_OFFER                                                          \
    FILE_OF("\n  <date>1969-07-21T02:56:15Z</date>\n"                      \
            "  <desc>This is a test. If this were a real file...</desc>\n" \
            "  <media-type>text/plain</media-type>\n"                      \
            "  <name>test.txt</name>\n"                                    \
            "  <range/>\n"                                                 \
            "  <size>6144</size>\n" HASH("sha-1", SHA_1))

static void test_the_specification_s_offer_is_read(void **state)
{
    struct file_description file;

    (void)state;
    read_good(&file, XEP_OFFER);
    assert_string_equal(file.name, "test.txt");
    assert_string_equal(file.media_type, "text/plain");
    assert_string_equal(file.desc, "This is a test. If this were a real file...");
    assert_int_equal(file.date, -14159025);
    assert_true(file.has_size);
    assert_int_equal(file.size, 6144);
    assert_true(file.has_range);
    assert_int_equal(file.range_offset, 0);
    assert_int_equal(file.range_length, 0);
    assert_int_equal(file.hash_count, 1);
    assert_string_equal(file.hashes[0].algorithm, "sha-1");
    assert_string_equal(file.hashes[0].value, SHA_1);
    file_description_clear(&file);
}

static void test_the_specification_s_other_descriptions_are_read(void **state)
{
    struct file_description file;

    (void)state;
    read_good(&file, FILE_OF("<media-type>text/plain</media-type><name>test.txt</name>"
                             "<date>2015-07-26T21:46:00+01:00</date><size>6144</size>" HASH(
                                 "sha-1", SHA_1) "<range offset='1024'/>"));
    assert_int_equal(file.date, 1437943560);
    assert_int_equal(file.range_offset, 1024);
    file_description_clear(&file);
    /* A request: nothing but what selects the file. */
    read_good(&file, FILE_OF(HASH("sha-1", SHA_1)));
    assert_null(file.name);
    assert_false(file.has_size);
    assert_false(file.has_range);
    assert_int_equal(file.hash_count, 1);
    file_description_clear(&file);
    read_good(&file, FILE_OF("<size>6144</size>" HASH_USED("sha-1")));
    assert_string_equal(file.hashes[0].value, "");
    file_description_clear(&file);
}

static void assert_refused(const char *text, const char *why)
{
    struct file_description file;
    const char *told = read_text(&file, text);

    if (told == NULL)
        fail_msg("not refused: %s", text);
    assert_string_equal(told, why);
}

static void test_what_is_no_file_is_refused_with_its_cause(void **state)
{
    static const char size[] = "a file whose size is no number";
    static const char range[] = "a file with a range that is none";

    (void)state;
    assert_refused(DESCRIPTION(""), "not exactly one file");
    assert_refused(DESCRIPTION("<file/><file/>"), "not exactly one file");
    assert_refused(DESCRIPTION("<file xmlns='urn:x'/>"), "not exactly one file");
    assert_refused(FILE_OF("<size/>"), size);
    assert_refused(FILE_OF("<size>-1</size>"), size);
    assert_refused(FILE_OF("<size>+1</size>"), size);
    assert_refused(FILE_OF("<size>1e9</size>"), size);
    assert_refused(FILE_OF("<size>9223372036854775808</size>"), size);
    assert_refused(FILE_OF("<size>99999999999999999999999</size>"), size);
    assert_refused(FILE_OF("<size>1</size><size>2</size>"), size);
    assert_refused(FILE_OF("<name>x</name><range offset='-1'/>"), range);
    assert_refused(FILE_OF("<name>x</name><range offset=''/>"), range);
    assert_refused(FILE_OF("<name>x</name><range length='all'/>"), range);
    assert_refused(FILE_OF("<range offset='9223372036854775808'/>"), range);
    assert_refused(FILE_OF("<range/><range/>"), range);
}

static void test_the_largest_size_and_range_are_read(void **state)
{
    struct file_description file;

    (void)state;
    read_good(&file, FILE_OF("<size>9223372036854775807</size>"
                             "<range offset='9223372036854775807' length='9223372036854775807'/>"));
    assert_true(file.size == INT64_MAX);
    assert_true(file.range_offset == INT64_MAX);
    assert_true(file.range_length == INT64_MAX);
    file_description_clear(&file);
    read_good(&file, FILE_OF("<size>0</size>"));
    assert_true(file.has_size);
    assert_int_equal(file.size, 0);
    file_description_clear(&file);
}

/* ---------------------------------------------------------------------------- real clients -- */

static void test_gajim_s_malformed_date_and_empty_description_are_no_reason_to_refuse(void **state)
{
    struct file_description file;

    (void)state;
    read_good(&file, FILE_OF("<name>photo.jpg</name><size>4096</size>"
                             "<date>2026-11-22T10:00:00+00:00Z</date><desc/>"
                             "<media-type>image/jpeg</media-type>" HASH("blake2b-512", "QUJD")));
    assert_string_equal(file.name, "photo.jpg");
    assert_int_equal(file.date, 0);
    assert_null(file.desc);
    assert_int_equal(file.size, 4096);
    assert_string_equal(file.hashes[0].algorithm, "blake2b-512");
    file_description_clear(&file);
}

static void test_psi_s_white_space_and_thumbnail_are_passed_over(void **state)
{
    struct file_description file;

    (void)state;
    read_good(&file, DESCRIPTION("\n  <file>\n    <name>\n a b.png\n </name>\n    <size>\n 12 "
                                 "</size>\n    <thumbnail xmlns='urn:xmpp:thumbs:1' "
                                 "uri='cid:sha1+ab@bob.xmpp.org' media-type='image/png' "
                                 "width='128' height='96'/>\n    <range/>\n" HASH(
                                     "sha-256", "\n QUJD\n RUZH\n ") "\n  </file>\n"));
    assert_string_equal(file.name, "a b.png");
    assert_int_equal(file.size, 12);
    assert_true(file.has_range);
    assert_null(file.media_type);
    assert_string_equal(file.hashes[0].value, "QUJDRUZH");
    file_description_clear(&file);
}

static void test_dino_s_offer_has_nothing_but_name_and_size(void **state)
{
    struct file_description file;

    (void)state;
    read_good(&file, FILE_OF("<name>a</name><size>1</size>"));
    assert_string_equal(file.name, "a");
    assert_int_equal(file.hash_count, 0);
    assert_false(file.has_range);
    file_description_clear(&file);
}

static void test_conversations_spelling_of_the_media_type_is_known(void **state)
{
    struct file_description file;

    (void)state;
    read_good(&file, FILE_OF("<name>a</name><size>1</size><mediaType>image/webp</mediaType>"));
    assert_string_equal(file.media_type, "image/webp");
    file_description_clear(&file);
}

/* -------------------------------------------------------------------------------- hashes -- */

static void test_hashes_of_unknown_algorithms_are_kept_as_text(void **state)
{
    struct file_description file;

    (void)state;
    read_good(&file, FILE_OF(HASH("whirlpool-9", "!no base64!") HASH_USED("sha3-512")));
    assert_int_equal(file.hash_count, 2);
    assert_string_equal(file.hashes[0].algorithm, "whirlpool-9");
    assert_string_equal(file.hashes[0].value, "!nobase64!");
    assert_string_equal(file.hashes[1].algorithm, "sha3-512");
    file_description_clear(&file);
}

static void test_an_empty_hash_is_one_that_will_be_used(void **state)
{
    struct file_description file;

    (void)state;
    read_good(&file, FILE_OF(HASH("sha-256", " ")));
    assert_int_equal(file.hash_count, 1);
    assert_string_equal(file.hashes[0].value, "");
    file_description_clear(&file);
}

static void test_a_second_word_on_an_algorithm_does_not_take_back_the_first(void **state)
{
    struct file_description file;

    (void)state;
    read_good(&file, FILE_OF(HASH("sha-1", "QUJD") HASH_USED("sha-1") HASH("sha-1", "eHl6")));
    assert_int_equal(file.hash_count, 1);
    assert_string_equal(file.hashes[0].value, "QUJD");
    file_description_clear(&file);
    read_good(&file, FILE_OF(HASH_USED("sha-1") HASH("sha-1", "QUJD")));
    assert_int_equal(file.hash_count, 1);
    assert_string_equal(file.hashes[0].value, "QUJD");
    file_description_clear(&file);
}

static void test_hashes_that_cannot_be_kept_are_passed_over(void **state)
{
    GString *inner = g_string_new("<hash xmlns='" NS_HASHES "'>QUJD</hash><hash xmlns='" NS_HASHES
                                  "' algo=''>QUJD</hash><hash algo='sha-1'>QUJD</hash>");
    struct file_description file;

    (void)state;
    g_string_append_printf(inner, "<hash xmlns='%s' algo='%0*d'>QUJD</hash>", NS_HASHES,
                           FILE_ALGORITHM_SIZE, 0);
    g_string_append_printf(inner, "<hash xmlns='%s' algo='x'>%0*d</hash>", NS_HASHES,
                           FILE_HASH_SIZE, 0);
    for (int i = 0; i < 100; i++)
        g_string_append_printf(inner, "<hash xmlns='%s' algo='%d'>QUJD</hash>", NS_HASHES, i);
    char *text = g_strdup_printf(FILE_OF("%s"), inner->str);
    read_good(&file, text);
    assert_int_equal(file.hash_count, FILE_HASHES_MAX);
    assert_string_equal(file.hashes[0].algorithm, "0");
    assert_false(file_description_add_hash(&file, "one more", "QUJD"));
    assert_true(file_description_add_hash(&file, "3", "eHl6"));
    assert_string_equal(file.hashes[3].value, "eHl6");
    assert_int_equal(file.hash_count, FILE_HASHES_MAX);
    file_description_clear(&file);
    g_free(text);
    g_string_free(inner, TRUE);
}

/* -------------------------------------------------------------------------------- limits -- */

static void test_long_text_is_cut_between_characters(void **state)
{
    char *name = g_strnfill(FILE_TEXT_MAX - 1, 'n');
    char *desc = g_strnfill(1000000, 'd');
    char *text = g_strdup_printf(FILE_OF("<name>%s\xe2\x82\xac</name><desc>%s</desc>"), name, desc);
    struct file_description file;

    (void)state;
    read_good(&file, text);
    assert_string_equal(file.name, name);
    assert_int_equal(strlen(file.desc), FILE_DESC_MAX);
    file_description_clear(&file);
    g_free(text);
    text = g_strdup_printf(FILE_OF("<name>%s b</name>"), name);
    read_good(&file, text);
    assert_string_equal(file.name, name);
    file_description_clear(&file);
    g_free(text);
    g_free(name);
    g_free(desc);
}

static void test_of_several_texts_the_first_counts(void **state)
{
    struct file_description file;

    (void)state;
    read_good(&file, FILE_OF("<desc xml:lang='en'>picture</desc><desc xml:lang='de'>Bild</desc>"
                             "<name/><name>a</name><name>b</name>"));
    assert_string_equal(file.desc, "picture");
    assert_string_equal(file.name, "a");
    file_description_clear(&file);
}

/* ------------------------------------------------------------------------------- writing -- */

static void assert_same(const struct file_description *a, const struct file_description *b)
{
    assert_int_equal(g_strcmp0(a->name, b->name), 0);
    assert_int_equal(g_strcmp0(a->media_type, b->media_type), 0);
    assert_int_equal(g_strcmp0(a->desc, b->desc), 0);
    assert_int_equal(a->date, b->date);
    assert_int_equal(a->has_size, b->has_size);
    assert_true(a->size == b->size);
    assert_int_equal(a->has_range, b->has_range);
    assert_true(a->range_offset == b->range_offset);
    assert_true(a->range_length == b->range_length);
    assert_int_equal(a->hash_count, b->hash_count);
    for (size_t i = 0; i < a->hash_count; i++) {
        assert_string_equal(a->hashes[i].algorithm, b->hashes[i].algorithm);
        assert_string_equal(a->hashes[i].value, b->hashes[i].value);
    }
}

static struct file_description whole_description(void)
{
    struct file_description file = {
        .name = g_strdup("<&'\" \xc3\xa4.txt"),
        .media_type = g_strdup("text/plain; charset=utf-8"),
        .desc = g_strdup("two\nlines"),
        .date = 1700000000,
        .has_size = true,
        .size = 5368709120,
        .has_range = true,
        .range_offset = 4294967296,
        .range_length = 7,
    };

    file_description_add_hash(&file, "sha-256", "");
    file_description_add_hash(&file, "sha-1", SHA_1);
    return file;
}

static void test_what_is_written_is_read_back_the_same(void **state)
{
    struct file_description file = whole_description(), copy, again;
    struct xml *xml = xml_new(NS_JINGLE, "content");
    const char *why;

    (void)state;
    file_description_copy(&copy, &file);
    file_description_write(&copy, xml_root(xml));
    char *text = xml_to_string(xml_root(xml));
    assert_non_null(strstr(text, "<date>2023-11-14T22:13:20Z</date>"));
    assert_non_null(strstr(text, "<size>5368709120</size>"));
    assert_non_null(strstr(text, "<hash-used xmlns=\"urn:xmpp:hashes:2\" algo=\"sha-256\"/>"));
    const xml_node *description = xml_child(xml_root(xml), NS_FILE_TRANSFER_5, "description");
    assert_true(file_description_read(&again, description, &why));
    assert_same(&file, &again);
    file_description_clear(&file);
    assert_null(file.name);
    assert_string_equal(copy.desc, "two\nlines");
    file_description_clear(&copy);
    file_description_clear(&again);
    g_free(text);
    xml_free(xml);
}

static void test_dates_of_any_year_are_written_as_they_are_read(void **state)
{
    static const char *const dates[] = {"0984-07-21T02:56:15Z", "1969-12-31T23:59:59Z",
                                        "9999-12-31T23:59:59Z"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(dates); i++) {
        char *text = g_strdup_printf(FILE_OF("<date>%s</date>"), dates[i]);
        struct xml *xml = xml_new(NS_JINGLE, "content");
        struct file_description file;
        read_good(&file, text);
        file_description_write(&file, xml_root(xml));
        char *written = xml_to_string(xml_root(xml));
        assert_non_null(strstr(written, dates[i]));
        file_description_clear(&file);
        g_free(written);
        g_free(text);
        xml_free(xml);
    }
}

static void test_an_empty_description_is_written_as_such(void **state)
{
    struct file_description file = {0};
    struct xml *xml = xml_new(NS_JINGLE, "content");

    (void)state;
    file_description_write(&file, xml_root(xml));
    char *text = xml_to_string(xml_first(xml_root(xml)));
    assert_string_equal(text,
                        "<description xmlns=\"" NS_FILE_TRANSFER_5 "\"><file/></description>");
    g_free(text);
    xml_free(xml);
}

/* ------------------------------------------------------------------------------ checksums -- */

static void read_checksum(struct file_description *file, const char *inner)
{
    char *text = g_strdup_printf("<checksum xmlns='" NS_FILE_TRANSFER_5 "'>%s</checksum>", inner);
    struct xml *xml = xml_parse(text, strlen(text));
    const char *why;

    assert_non_null(xml);
    assert_true(file_checksum_read(file, xml_root(xml), &why));
    xml_free(xml);
    g_free(text);
}

static void test_a_checksum_tells_the_hashes_alone(void **state)
{
    struct file_description file;

    (void)state;
    read_checksum(&file, "<file><name>x</name><size>5</size>" HASH("sha-1", SHA_1)
                             HASH("sha-256", "QUJD") "</file>");
    assert_null(file.name);
    assert_false(file.has_size);
    assert_int_equal(file.hash_count, 2);
    assert_string_equal(file.hashes[1].value, "QUJD");
    assert_false(file.has_range);
}

/* XEP-0234, 8.1: those are hashes of a part, and would be taken for those of the whole. */
static void test_hashes_of_a_range_are_not_those_of_the_file(void **state)
{
    struct file_description file;

    (void)state;
    read_checksum(&file, "<file><range offset='2048' length='1024'>" HASH(
                             "sha-1", "kHp5RSzW/h7Gm1etSf90Mr5PC/k=") "</range></file>");
    assert_true(file.has_range);
    assert_int_equal(file.range_offset, 2048);
    assert_int_equal(file.range_length, 1024);
    assert_int_equal(file.hash_count, 0);
    read_checksum(&file, "<file><range>" HASH("sha-1", SHA_1) "</range></file>");
    assert_int_equal(file.hash_count, 1);
}

static void test_a_checksum_without_a_file_is_malformed(void **state)
{
    static const char text[] = "<checksum xmlns='" NS_FILE_TRANSFER_5 "'/>";
    struct xml *xml = xml_parse(text, strlen(text));
    struct file_description file;
    const char *why = NULL;

    (void)state;
    assert_false(file_checksum_read(&file, xml_root(xml), &why));
    assert_string_equal(why, "not exactly one file");
    xml_free(xml);
}

static void test_a_written_checksum_is_read_back(void **state)
{
    struct file_description file = whole_description(), again;
    struct xml *xml = xml_new(NS_FILE_TRANSFER_5, "checksum");
    const char *why;

    (void)state;
    file_checksum_write(&file, xml_root(xml));
    assert_true(file_checksum_read(&again, xml_root(xml), &why));
    assert_int_equal(again.hash_count, 2);
    assert_true(again.range_offset == file.range_offset);
    assert_null(xml_child(xml_first(xml_root(xml)), NS_FILE_TRANSFER_5, "name"));
    file_description_clear(&file);
    xml_free(xml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_specification_s_offer_is_read),
        cmocka_unit_test(test_the_specification_s_other_descriptions_are_read),
        cmocka_unit_test(test_what_is_no_file_is_refused_with_its_cause),
        cmocka_unit_test(test_the_largest_size_and_range_are_read),
        cmocka_unit_test(test_gajim_s_malformed_date_and_empty_description_are_no_reason_to_refuse),
        cmocka_unit_test(test_psi_s_white_space_and_thumbnail_are_passed_over),
        cmocka_unit_test(test_dino_s_offer_has_nothing_but_name_and_size),
        cmocka_unit_test(test_conversations_spelling_of_the_media_type_is_known),
        cmocka_unit_test(test_hashes_of_unknown_algorithms_are_kept_as_text),
        cmocka_unit_test(test_an_empty_hash_is_one_that_will_be_used),
        cmocka_unit_test(test_a_second_word_on_an_algorithm_does_not_take_back_the_first),
        cmocka_unit_test(test_hashes_that_cannot_be_kept_are_passed_over),
        cmocka_unit_test(test_long_text_is_cut_between_characters),
        cmocka_unit_test(test_of_several_texts_the_first_counts),
        cmocka_unit_test(test_what_is_written_is_read_back_the_same),
        cmocka_unit_test(test_dates_of_any_year_are_written_as_they_are_read),
        cmocka_unit_test(test_an_empty_description_is_written_as_such),
        cmocka_unit_test(test_a_checksum_tells_the_hashes_alone),
        cmocka_unit_test(test_hashes_of_a_range_are_not_those_of_the_file),
        cmocka_unit_test(test_a_checksum_without_a_file_is_malformed),
        cmocka_unit_test(test_a_written_checksum_is_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
