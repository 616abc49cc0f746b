#include "transfer/outgoing_file.h"
#include "unit/transfer/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_any_range_is_read_and_the_end_is_found(void **state)
{
    (void)state;
    enum transfer_status status;
    uint8_t bytes[16];
    size_t got;
    struct outgoing_file *file =
        outgoing_file_open(folder_write("a.txt", "0123456789", 10), &status);
    assert_non_null(file);
    assert_int_equal(outgoing_file_size(file), 10);
    assert_string_equal(outgoing_file_name(file), "a.txt");
    struct byte_source source = outgoing_file_source(file);
    assert_int_equal(source.read(source.user, 3, bytes, 4, &got), TRANSFER_OK);
    assert_int_equal(got, 4);
    assert_memory_equal(bytes, "3456", 4);
    assert_int_equal(source.read(source.user, 8, bytes, 16, &got), TRANSFER_OK);
    assert_int_equal(got, 2);
    assert_int_equal(source.read(source.user, 100, bytes, 16, &got), TRANSFER_OK);
    assert_int_equal(got, 0);
    assert_int_equal(source.check(source.user), TRANSFER_OK);
    outgoing_file_close(file);
}

static void test_a_change_of_size_or_time_is_noticed(void **state)
{
    (void)state;
    enum transfer_status status;
    const char *path = folder_write("changing", "0123456789", 10);
    struct outgoing_file *file = outgoing_file_open(path, &status);
    assert_int_equal(outgoing_file_check(file), TRANSFER_OK);
    assert_int_equal(truncate(path, 5), 0);
    assert_int_equal(outgoing_file_check(file), TRANSFER_CHANGED);
    outgoing_file_close(file);

    file = outgoing_file_open(path, &status);
    const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000, .tv_nsec = 1}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(outgoing_file_check(file), TRANSFER_CHANGED);
    outgoing_file_close(file);
}

static void test_a_file_that_is_renamed_or_deleted_is_still_sent(void **state)
{
    (void)state;
    enum transfer_status status;
    uint8_t bytes[16];
    size_t got;
    const char *path = folder_write("deleted", "0123456789", 10);
    struct outgoing_file *file = outgoing_file_open(path, &status);
    assert_int_equal(unlink(path), 0);
    struct byte_source source = outgoing_file_source(file);
    assert_int_equal(source.read(source.user, 0, bytes, 16, &got), TRANSFER_OK);
    assert_int_equal(got, 10);
    assert_int_equal(outgoing_file_check(file), TRANSFER_OK);
    outgoing_file_close(file);
}

static void test_what_cannot_be_sent_is_told_apart(void **state)
{
    (void)state;
    enum transfer_status status;
    assert_null(outgoing_file_open(folder_path("missing"), &status));
    assert_int_equal(status, TRANSFER_NOT_FOUND);
    assert_null(outgoing_file_open(folder_path(""), &status));
    assert_int_equal(status, TRANSFER_NOT_A_FILE);
    assert_null(outgoing_file_open("/dev/zero", &status));
    assert_int_equal(status, TRANSFER_NOT_A_FILE);
    const char *pipe = folder_path("pipe");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_null(outgoing_file_open(pipe, &status));
    assert_int_equal(status, TRANSFER_NOT_A_FILE);
    const char *closed = folder_write("closed", "x", 1);
    assert_int_equal(chmod(closed, 0), 0);
    if (geteuid() != 0) { /* root may read everything */
        assert_null(outgoing_file_open(closed, &status));
        assert_int_equal(status, TRANSFER_PERMISSION);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_range_is_read_and_the_end_is_found),
        cmocka_unit_test(test_a_change_of_size_or_time_is_noticed),
        cmocka_unit_test(test_a_file_that_is_renamed_or_deleted_is_still_sent),
        cmocka_unit_test(test_what_cannot_be_sent_is_told_apart),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
