#include "transfer/partial_prune.h"
#include "unit/transfer/folder.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PART "0123456789abcdef.jingle-part"
#define INFO "0123456789abcdef.jingle-info"

#define DAY (24 * 3600 * USEC_PER_SEC)

/* A file that was last written to so long ago. */
static const char *write_old(const char *name, usec ago)
{
    const char *path = folder_write(name, "x", 1);
    usec then = clock_wall() - ago;
    struct timespec times[2] = {{.tv_sec = (time_t)(then / USEC_PER_SEC)},
                                {.tv_sec = (time_t)(then / USEC_PER_SEC)}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    return path;
}

static void prune(void)
{
    partial_prune(folder_path(""), clock_wall());
}

static bool exists(const char *name)
{
    return access(folder_path(name), F_OK) == 0;
}

static void test_what_nobody_went_on_with_goes(void **state)
{
    (void)state;
    write_old("." PART, 31 * DAY);
    write_old("." INFO, 31 * DAY);
    write_old(".0123456789abcdef-7.jingle-part", 31 * DAY);
    write_old(".0123456789abcdef-8.jingle-info", 31 * DAY);
    prune();
    assert_int_equal(folder_count(NULL), 0);
}

static void test_what_is_newer_stays_with_its_description(void **state)
{
    (void)state;
    write_old("." PART, 29 * DAY);
    write_old("." INFO, 50 * DAY); /* it is not written to again */
    prune();
    assert_true(exists("." PART));
    assert_true(exists("." INFO));
    folder_empty();
}

static void test_what_somebody_writes_to_stays(void **state)
{
    (void)state;
    int fd = open(write_old("." PART, 31 * DAY), O_RDWR);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    prune();
    assert_true(exists("." PART));
    close(fd);
    prune();
    assert_false(exists("." PART));
}

static void test_files_of_others_stay(void **state)
{
    (void)state;
    static const char *const names[] = {
        PART,
        ".jingle-part",
        ".0123456789abcde.jingle-part",
        ".0123456789abcdef0.jingle-part",
        ".0123456789abcdeg.jingle-part",
        ".0123456789abcdef-x.jingle-part",
        ".0123456789abcdef.jingle-part.txt",
        ".0123456789abcdef.part",
    };
    const unsigned count = sizeof names / sizeof *names;
    for (unsigned i = 0; i < count; i++) {
        write_old(names[i], 400 * DAY);
    }
    assert_int_equal(mkdir(folder_path(".0123456789abcdef.jingle-part"), 0700), 0);
    prune();
    assert_int_equal(folder_count(NULL), count + 1);
    folder_empty();
}

static void test_a_folder_that_is_not_there_is_nothing(void **state)
{
    (void)state;
    partial_prune(folder_path("nothing here"), clock_wall());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_nobody_went_on_with_goes),
        cmocka_unit_test(test_what_is_newer_stays_with_its_description),
        cmocka_unit_test(test_what_somebody_writes_to_stays),
        cmocka_unit_test(test_files_of_others_stay),
        cmocka_unit_test(test_a_folder_that_is_not_there_is_nothing),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
