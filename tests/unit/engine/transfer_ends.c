/* engine/transfer_source.h and transfer_sink.h: what an application sends, and where it wants what
 * it receives. */
#include "base/clock.h"
#include "transfer_sink.h"
#include "transfer_source.h"
#include "unit/transfer/folder.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PNG "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"

static jingle_file_source source_of(const char *path)
{
    jingle_file_source source;
    jingle_file_source_init(&source);
    source.path = path;
    return source;
}

static void count_up(void *user)
{
    ++*(unsigned *)user;
}

/* ------------------------------------------------------------------------------- sources -- */

static void test_a_file_describes_itself(void **state)
{
    (void)state;
    struct transfer_source *source;
    jingle_file_source given = source_of(folder_write("photo", PNG, sizeof PNG));
    assert_int_equal(transfer_source_open(&given, &source), JINGLE_OK);
    const struct file_description *file = transfer_source_description(source);
    assert_string_equal(file->name, "photo");
    assert_string_equal(file->media_type, "image/png");
    assert_int_equal(file->size, sizeof PNG);
    assert_true(file->has_size && file->has_range && file->date > 1600000000);
    assert_null(file->desc);
    assert_int_equal(file->hash_count, 0);
    transfer_source_free(source);
}

static void test_what_the_application_says_counts(void **state)
{
    (void)state;
    struct transfer_source *source;
    jingle_file_source given = source_of(folder_write("a.txt", "text", 4));
    given.name = "/tmp/\xc3\xbc"
                 "ber.dat";
    given.media_type = "application/x-mine";
    given.description = "words";
    given.date = 12345 * USEC_PER_SEC;
    assert_int_equal(transfer_source_open(&given, &source), JINGLE_OK);
    const struct file_description *file = transfer_source_description(source);
    assert_string_equal(file->name, "\xc3\xbc"
                                    "ber.dat");
    assert_string_equal(file->media_type, "application/x-mine");
    assert_string_equal(file->desc, "words");
    assert_int_equal(file->date, 12345);
    transfer_source_free(source);
}

static int64_t read_letters(void *user, uint64_t offset, void *bytes, size_t count)
{
    if (user && offset >= 20) {
        return -1;
    }
    count = MIN(count, 10); /* less than asked for is no end here */
    for (size_t i = 0; i < count; i++) {
        ((char *)bytes)[i] = (char)('a' + (offset + i) % 26);
    }
    return (int64_t)count;
}

static jingle_file_source letters(void)
{
    jingle_file_source source;
    jingle_file_source_init(&source);
    source.read = read_letters;
    source.bytes = 30;
    source.name = "letters.txt";
    return source;
}

static void test_a_function_is_asked_until_it_is_enough(void **state)
{
    (void)state;
    struct transfer_source *source;
    uint8_t out[64];
    size_t got;
    jingle_file_source given = letters();
    assert_int_equal(transfer_source_open(&given, &source), JINGLE_OK);
    assert_string_equal(transfer_source_description(source)->media_type, "text/plain");
    struct byte_source bytes = transfer_source_bytes(source);
    assert_int_equal(bytes.read(bytes.user, 3, out, 25, &got), TRANSFER_OK);
    assert_int_equal(got, 25);
    assert_memory_equal(out, "defghijklmnopqrstuvwxyzab", 25);
    assert_int_equal(bytes.read(bytes.user, 25, out, 25, &got), TRANSFER_OK);
    assert_int_equal(got, 5);
    transfer_source_free(source);
    given.user = &given;
    assert_int_equal(transfer_source_open(&given, &source), JINGLE_OK);
    bytes = transfer_source_bytes(source);
    assert_int_equal(bytes.read(bytes.user, 15, out, 15, &got), TRANSFER_READ);
    transfer_source_free(source);
}

static void test_what_makes_no_sense_is_refused_and_freed(void **state)
{
    (void)state;
    unsigned freed = 0;
    jingle_file_source wrong[6];
    struct transfer_source *source;
    for (size_t i = 0; i < 6; i++) {
        wrong[i] = letters();
        wrong[i].free = count_up;
        wrong[i].user = &freed;
    }
    wrong[0].name = NULL;
    wrong[1].name = "";
    wrong[2].name = "\xff";
    wrong[3].path = "a";
    wrong[4].read = NULL;
    wrong[5].bytes = UINT64_MAX;
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(transfer_source_open(&wrong[i], &source), JINGLE_ERROR_INVALID);
        assert_int_equal(freed, i + 1);
    }
    transfer_source_drop(&wrong[0]);
    assert_int_equal(freed, 7);
}

static void test_files_that_cannot_be_sent(void **state)
{
    (void)state;
    struct transfer_source *source;
    jingle_file_source missing = source_of(folder_path("nothing"));
    jingle_file_source folder = source_of(folder_path(""));
    jingle_file_source device = source_of("/dev/null");
    assert_int_equal(transfer_source_open(&missing, &source), JINGLE_ERROR_FILE_NOT_FOUND);
    assert_int_equal(transfer_source_open(&folder, &source), JINGLE_ERROR_FILE_KIND);
    assert_int_equal(transfer_source_open(&device, &source), JINGLE_ERROR_FILE_KIND);
}

/* --------------------------------------------------------------------------------- sinks -- */

static struct transfer_sink *open_sink(const jingle_file_sink *wanted, uint64_t size)
{
    struct file_description file = {
        .name = (char *)"../got.txt", .has_size = true, .size = size, .date = 77};
    jingle_file_sink given;
    struct transfer_sink *sink = NULL;
    assert_int_equal(transfer_sink_read(wanted, &given), JINGLE_OK);
    assert_int_equal(transfer_sink_open(&given, "juliet@example.test/x", &file, &sink), JINGLE_OK);
    return sink;
}

static void write_all(struct transfer_sink *sink, const char *text)
{
    struct byte_sink bytes = transfer_sink_bytes(sink);
    assert_int_equal(bytes.write(bytes.user, (const uint8_t *)text, strlen(text)), TRANSFER_OK);
}

static void test_a_folder_gets_the_file_when_it_is_whole(void **state)
{
    (void)state;
    jingle_file_sink wanted;
    jingle_file_sink_init(&wanted);
    wanted.folder = folder_path("");
    struct transfer_sink *sink = open_sink(&wanted, 5);
    write_all(sink, "he");
    transfer_sink_free(sink, false);
    sink = open_sink(&wanted, 5);
    assert_int_equal(transfer_sink_kept(sink), 2);
    assert_null(transfer_sink_path(sink));
    write_all(sink, "llo");
    struct byte_sink bytes = transfer_sink_bytes(sink);
    assert_int_equal(bytes.publish(bytes.user), TRANSFER_OK);
    assert_true(g_str_has_suffix(transfer_sink_path(sink), "/got.txt"));
    transfer_sink_free(sink, true);
    folder_empty();
}

static void test_what_is_kept_can_be_begun_anew(void **state)
{
    (void)state;
    jingle_file_sink wanted;
    jingle_file_sink_init(&wanted);
    wanted.path = folder_path("mine.txt");
    struct transfer_sink *sink = open_sink(&wanted, 5);
    write_all(sink, "hel");
    assert_int_equal(transfer_sink_start_at(sink, 1), JINGLE_OK);
    assert_int_equal(transfer_sink_kept(sink), 1);
    assert_int_equal(transfer_sink_start_at(sink, 0), JINGLE_OK);
    transfer_sink_free(sink, false);
    assert_int_equal(folder_count(NULL), 0);
}

/* The application may want what a peer must not: a name with a dot before it. */
static void test_a_path_is_taken_at_its_word(void **state)
{
    (void)state;
    jingle_file_sink given;
    jingle_file_sink wanted;
    jingle_file_sink_init(&wanted);
    for (size_t i = 0; i < 2; i++) {
        wanted.path = folder_path(".mine:1");
        struct transfer_sink *sink = open_sink(&wanted, 5);
        struct byte_sink bytes = transfer_sink_bytes(sink);
        write_all(sink, "hello");
        assert_int_equal(bytes.publish(bytes.user), TRANSFER_OK);
        const char *name = i == 0 ? "/.mine:1" : "/.mine:1 (1)";
        assert_true(g_str_has_suffix(transfer_sink_path(sink), name));
        transfer_sink_free(sink, true);
    }
    wanted.path = folder_path("..");
    assert_int_equal(transfer_sink_read(&wanted, &given), JINGLE_ERROR_INVALID);
    char *long_name = g_strnfill(256, 'x');
    wanted.path = folder_path(long_name);
    assert_int_equal(transfer_sink_read(&wanted, &given), JINGLE_ERROR_INVALID);
    g_free(long_name);
    folder_empty();
}

static void test_memory_is_handed_over(void **state)
{
    (void)state;
    jingle_file_sink wanted;
    size_t size;
    jingle_file_sink_init(&wanted);
    wanted.memory_limit = 5;
    struct transfer_sink *sink = open_sink(&wanted, 5);
    write_all(sink, "hello");
    struct byte_sink bytes = transfer_sink_bytes(sink);
    assert_int_equal(bytes.write(bytes.user, (const uint8_t *)"x", 1), TRANSFER_TOO_LONG);
    uint8_t *memory = transfer_sink_take_memory(sink, &size);
    transfer_sink_free(sink, true);
    assert_int_equal(size, 5);
    assert_memory_equal(memory, "hello", 5);
    free(memory);
    struct file_description file = {.has_size = true, .size = 6};
    assert_int_equal(transfer_sink_open(&wanted, "a@b", &file, &sink), JINGLE_ERROR_LIMIT);
}

struct taker {
    char text[16];
    unsigned done;
    bool whole;
};

static bool take(void *user, const void *bytes, size_t count)
{
    struct taker *taker = user;
    size_t has = strlen(taker->text);
    if (has + count >= sizeof taker->text) {
        return false;
    }
    memcpy(taker->text + has, bytes, count);
    return true;
}

static void done(void *user, bool whole)
{
    struct taker *taker = user;
    taker->done++;
    taker->whole = whole;
}

static void test_functions_take_bytes_and_hear_the_end(void **state)
{
    (void)state;
    struct taker taker = {0};
    jingle_file_sink wanted;
    jingle_file_sink_init(&wanted);
    wanted.write = take;
    wanted.done = done;
    wanted.user = &taker;
    struct transfer_sink *sink = open_sink(&wanted, 50);
    assert_int_equal(transfer_sink_kept(sink), 0);
    write_all(sink, "hello");
    struct byte_sink bytes = transfer_sink_bytes(sink);
    assert_int_equal(bytes.write(bytes.user, (const uint8_t *)"0123456789", 10), TRANSFER_OK);
    assert_int_equal(bytes.write(bytes.user, (const uint8_t *)"0", 1), TRANSFER_WRITE);
    transfer_sink_free(sink, true);
    assert_string_equal(taker.text, "hello0123456789");
    assert_int_equal(taker.done, 1);
    assert_true(taker.whole);
    transfer_sink_drop(open_sink(&wanted, 5));
    assert_int_equal(taker.done, 1);
}

static void test_sinks_that_make_no_sense(void **state)
{
    (void)state;
    jingle_file_sink given;
    jingle_file_sink wanted;
    jingle_file_sink_init(&wanted);
    assert_int_equal(transfer_sink_read(NULL, &given), JINGLE_ERROR_INVALID);
    assert_int_equal(transfer_sink_read(&wanted, &given), JINGLE_ERROR_INVALID);
    wanted.folder = "";
    assert_int_equal(transfer_sink_read(&wanted, &given), JINGLE_ERROR_INVALID);
    wanted.folder = folder_path("nothing");
    assert_int_equal(transfer_sink_read(&wanted, &given), JINGLE_ERROR_FILE_NOT_FOUND);
    wanted.folder = folder_write("file", "x", 1);
    assert_int_equal(transfer_sink_read(&wanted, &given), JINGLE_ERROR_FILE_KIND);
    wanted.memory_limit = 1;
    assert_int_equal(transfer_sink_read(&wanted, &given), JINGLE_ERROR_INVALID);
    wanted.size = 0;
    assert_int_equal(transfer_sink_read(&wanted, &given), JINGLE_ERROR_INVALID);
    folder_empty();
}

static void test_a_copy_has_its_own_text(void **state)
{
    (void)state;
    char path[] = "/tmp/a";
    jingle_file_sink copy;
    jingle_file_sink wanted;
    jingle_file_sink_init(&wanted);
    wanted.path = path;
    transfer_sink_given_copy(&copy, &wanted);
    path[5] = 'b';
    assert_string_equal(copy.path, "/tmp/a");
    assert_null(copy.folder);
    transfer_sink_given_clear(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_describes_itself),
        cmocka_unit_test(test_what_the_application_says_counts),
        cmocka_unit_test(test_a_function_is_asked_until_it_is_enough),
        cmocka_unit_test(test_what_makes_no_sense_is_refused_and_freed),
        cmocka_unit_test(test_files_that_cannot_be_sent),
        cmocka_unit_test(test_a_folder_gets_the_file_when_it_is_whole),
        cmocka_unit_test(test_what_is_kept_can_be_begun_anew),
        cmocka_unit_test(test_a_path_is_taken_at_its_word),
        cmocka_unit_test(test_memory_is_handed_over),
        cmocka_unit_test(test_functions_take_bytes_and_hear_the_end),
        cmocka_unit_test(test_sinks_that_make_no_sense),
        cmocka_unit_test(test_a_copy_has_its_own_text),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
