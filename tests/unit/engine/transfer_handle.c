/* engine/transfer.h and the public functions: what an application may do with its handle of a
 * transfer, above all with none, and when it is over. */
#include "transfer.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static jingle_transfer *ended_transfer(const char *name)
{
    struct file_description file = {.name = (char *)name, .has_size = true, .size = 1000};
    return jingle_transfer_new(NULL, "juliet@example.test", &file, false, TRANSFER_STAGE_ENDED);
}

static void test_what_was_given_out_stays(void **state)
{
    (void)state;
    jingle_transfer *transfer = ended_transfer("../evil\n.txt");
    const char *name = jingle_transfer_name(transfer);
    const char *bare = jingle_transfer_peer(transfer);
    assert_string_equal(name, "evil.txt");
    assert_string_equal(jingle_transfer_id(transfer), "");
    jingle_transfer_set_peer(transfer, "juliet@example.test/balcony");
    jingle_transfer_set_name(transfer, "other.txt");
    jingle_transfer_set_id(transfer, "sid");
    const char *id = jingle_transfer_id(transfer);
    jingle_transfer_set_id(transfer, "sid");
    assert_ptr_equal(jingle_transfer_id(transfer), id);
    assert_string_equal(name, "evil.txt");
    assert_string_equal(bare, "juliet@example.test");
    assert_string_equal(jingle_transfer_peer(transfer), "juliet@example.test/balcony");
    assert_string_equal(jingle_transfer_name(transfer), "other.txt");
    jingle_transfer_unref(transfer);
}

static void test_figures_are_of_now(void **state)
{
    (void)state;
    jingle_transfer *transfer = ended_transfer("a");
    jingle_transfer_statistics s = {.size = sizeof s};
    struct progress progress;
    assert_int_equal(jingle_transfer_get_statistics(transfer, &s), JINGLE_OK);
    assert_int_equal(s.bytes_total, 1000);
    assert_int_equal(s.time_left, -1);
    assert_int_equal(s.way, JINGLE_WAY_AUTO);
    progress_init(&progress, 1000, 400, 0);
    progress_set(&progress, 700, USEC_PER_SEC);
    jingle_transfer_publish(transfer, &progress, false, USEC_PER_SEC);
    jingle_transfer_set_way(transfer, JINGLE_WAY_PROXY);
    jingle_transfer_set_hash(transfer, JINGLE_HASH_EQUAL);
    assert_int_equal(jingle_transfer_get_statistics(transfer, &s), JINGLE_OK);
    assert_int_equal(s.bytes_done, 700);
    assert_int_equal(s.bytes_resumed, 400);
    assert_int_equal(s.rate, 300);
    assert_int_equal(s.mean_rate, 300);
    assert_int_equal(s.duration, USEC_PER_SEC);
    assert_int_equal(s.time_left, USEC_PER_SEC);
    assert_int_equal(s.way, JINGLE_WAY_PROXY);
    assert_int_equal(s.hash, JINGLE_HASH_EQUAL);
    assert_false(s.checking);
    jingle_transfer_unref(transfer);
}

static void test_what_is_checked_is_not_moved(void **state)
{
    (void)state;
    jingle_transfer *transfer = ended_transfer("a");
    struct progress progress;
    progress_init(&progress, 400, 0, 0);
    progress_set(&progress, 200, USEC_PER_SEC);
    jingle_transfer_publish(transfer, &progress, true, USEC_PER_SEC);
    jingle_transfer_statistics s = jingle_transfer_known(transfer);
    assert_true(s.checking);
    assert_int_equal(s.bytes_total, 1000);
    assert_int_equal(s.bytes_done, 200);
    assert_int_equal(s.rate, 0);
    assert_int_equal(s.time_left, -1);
    jingle_transfer_unref(transfer);
}

static void test_an_older_program_gets_what_it_knows(void **state)
{
    (void)state;
    jingle_transfer *transfer = ended_transfer("a");
    jingle_transfer_statistics s = {.size = offsetof(jingle_transfer_statistics, bytes_done),
                                    .bytes_done = 77};
    assert_int_equal(jingle_transfer_get_statistics(transfer, &s), JINGLE_OK);
    assert_int_equal(s.bytes_total, 1000);
    assert_int_equal(s.bytes_done, 77);
    s.size = 0;
    assert_int_equal(jingle_transfer_get_statistics(transfer, &s), JINGLE_ERROR_INVALID);
    jingle_transfer_unref(transfer);
}

static void test_nothing_is_asked_of_a_transfer_that_is_over(void **state)
{
    (void)state;
    jingle_transfer *transfer = ended_transfer("a");
    jingle_file_sink sink;
    jingle_file_source source;
    size_t bytes = 5;
    jingle_file_sink_init(&sink);
    sink.memory_limit = 10;
    jingle_file_source_init(&source);
    source.memory = "x";
    source.bytes = 1;
    source.name = "x";
    assert_int_equal(jingle_transfer_accept(transfer, &sink), JINGLE_ERROR_STATE);
    assert_int_equal(jingle_transfer_provide(transfer, &source, NULL), JINGLE_ERROR_STATE);
    assert_int_equal(jingle_transfer_reject(transfer), JINGLE_ERROR_STATE);
    assert_int_equal(jingle_transfer_cancel(transfer), JINGLE_ERROR_STATE);
    assert_int_equal(jingle_transfer_set_rate_limit(transfer, 1), JINGLE_ERROR_STATE);
    assert_null(jingle_transfer_memory(transfer, &bytes));
    assert_int_equal(bytes, 0);
    assert_false(jingle_transfer_is_sending(transfer));
    jingle_transfer_set_user(transfer, &bytes);
    assert_ptr_equal(jingle_transfer_user(transfer), &bytes);
    jingle_transfer_unref(transfer);
}

static void test_no_transfer_is_no_harm(void **state)
{
    (void)state;
    jingle_file_sink sink;
    jingle_transfer *transfer = (void *)1;
    jingle_transfer_statistics statistics = {.size = sizeof statistics};
    jingle_file_sink_init(NULL);
    jingle_file_source_init(NULL);
    jingle_transfer_config_init(NULL);
    jingle_file_sink_init(&sink);
    sink.memory_limit = 1;
    assert_int_equal(jingle_transfer_accept(NULL, &sink), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_transfer_provide(NULL, NULL, NULL), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_transfer_reject(NULL), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_transfer_cancel(NULL), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_transfer_set_rate_limit(NULL, 0), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_transfer_get_statistics(NULL, &statistics), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_transfer_offer(NULL, NULL, NULL, 0, NULL, NULL), JINGLE_ERROR_INVALID);
    assert_int_equal(jingle_transfer_request(NULL, "a@b/c", "x", NULL, &sink, &transfer),
                     JINGLE_ERROR_INVALID);
    assert_null(transfer);
    assert_null(jingle_transfer_memory(NULL, NULL));
    assert_string_equal(jingle_transfer_name(NULL), "");
    assert_string_equal(jingle_transfer_peer(NULL), "");
    assert_string_equal(jingle_transfer_id(NULL), "");
    assert_null(jingle_transfer_user(NULL));
    assert_null(jingle_transfer_ref(NULL));
    assert_false(jingle_transfer_is_sending(NULL));
    jingle_transfer_set_user(NULL, NULL);
    jingle_transfer_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_given_out_stays),
        cmocka_unit_test(test_figures_are_of_now),
        cmocka_unit_test(test_what_is_checked_is_not_moved),
        cmocka_unit_test(test_an_older_program_gets_what_it_knows),
        cmocka_unit_test(test_nothing_is_asked_of_a_transfer_that_is_over),
        cmocka_unit_test(test_no_transfer_is_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
