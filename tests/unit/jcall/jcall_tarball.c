/* A folder as one file that unpacks to the same folder. */
#include "examples/jcall/tarball.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static char *top;
static const struct tarball_watch nobody = {NULL, NULL};

static char *inside(const char *name)
{
    return g_build_filename(top, "photos", name, NULL);
}

static void write_file(const char *name, const char *text)
{
    char *path = inside(name);
    assert_true(g_file_set_contents(path, text, -1, NULL));
    g_free(path);
}

static int make_folder(void **state)
{
    (void)state;
    top = g_dir_make_tmp("jcall-tarball-XXXXXX", NULL);
    char *sub = inside("sub");
    int made = g_mkdir_with_parents(sub, 0700);
    g_free(sub);
    write_file("b.txt", "second");
    write_file("a.txt", "first");
    write_file("sub/empty", "");
    return made;
}

static void remove_all(const char *path)
{
    GDir *folder = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
    for (const char *name = folder ? g_dir_read_name(folder) : NULL; name;
         name = g_dir_read_name(folder)) {
        char *below = g_build_filename(path, name, NULL);
        remove_all(below);
        g_free(below);
    }
    if (folder) {
        g_dir_close(folder);
    }
    g_remove(path);
}

static int remove_folder(void **state)
{
    (void)state;
    remove_all(top);
    g_clear_pointer(&top, g_free);
    return 0;
}

static void make(struct tarball *tarball)
{
    char *folder = g_build_filename(top, "photos", NULL);
    char *message = NULL;
    if (!tarball_make(tarball, folder, &nobody, &message)) {
        fail_msg("%s", message);
    }
    g_free(folder);
}

static char *content(const struct tarball *tarball)
{
    char *bytes = g_malloc(tarball->bytes + 1);
    assert_int_equal(tarball_read((void *)tarball, 0, bytes, tarball->bytes + 1), tarball->bytes);
    return bytes;
}

/* "name=text;" of each file, in the order of the archive; a folder's name ends with a slash. */
static char *listing(const struct tarball *tarball)
{
    GString *list = g_string_new(NULL);
    char *bytes = content(tarball);
    struct archive *archive = archive_read_new();
    archive_read_support_format_tar(archive);
    assert_int_equal(archive_read_open_memory(archive, bytes, tarball->bytes), ARCHIVE_OK);
    struct archive_entry *entry;
    int result;
    while ((result = archive_read_next_header(archive, &entry)) == ARCHIVE_OK) {
        char text[64] = "";
        assert_true(archive_read_data(archive, text, sizeof text - 1) >= 0);
        const char *target = archive_entry_symlink(entry);
        g_string_append_printf(list, "%s=%s;", archive_entry_pathname(entry),
                               target ? target : text);
    }
    assert_int_equal(result, ARCHIVE_EOF);
    archive_read_free(archive);
    g_free(bytes);
    return g_string_free(list, FALSE);
}

static void test_everything_is_in_it_by_name(void **state)
{
    (void)state;
    char *link = inside("link");
    assert_int_equal(symlink("a.txt", link), 0);
    g_free(link);
    struct tarball tarball;
    make(&tarball);
    assert_string_equal(tarball.name, "photos.tar");
    char *list = listing(&tarball);
    assert_string_equal(list, "photos/=;photos/a.txt=first;photos/b.txt=second;"
                              "photos/link=a.txt;photos/sub/=;photos/sub/empty=;");
    g_free(list);
    tarball_clear(&tarball);
}

static void test_the_same_folder_gives_the_same_bytes(void **state)
{
    (void)state;
    struct tarball one, other;
    make(&one);
    make(&other);
    char *first = content(&one), *second = content(&other);
    assert_int_equal(one.bytes, other.bytes);
    assert_memory_equal(first, second, one.bytes);
    assert_int_equal(one.date, other.date);
    g_free(first);
    g_free(second);
    tarball_clear(&one);
    tarball_clear(&other);
}

static void test_it_can_be_read_from_any_place(void **state)
{
    (void)state;
    struct tarball tarball;
    make(&tarball);
    char *whole = content(&tarball);
    char part[100];
    assert_int_equal(tarball_read(&tarball, 500, part, sizeof part), sizeof part);
    assert_memory_equal(part, whole + 500, sizeof part);
    assert_int_equal(tarball_read(&tarball, tarball.bytes - 10, part, sizeof part), 10);
    assert_int_equal(tarball_read(&tarball, tarball.bytes, part, sizeof part), 0);
    g_free(whole);
    tarball_clear(&tarball);
}

static void test_a_socket_is_left_out_and_counted(void **state)
{
    (void)state;
    struct tarball tarball;
    char *path = inside("pipe");
    assert_int_equal(mkfifo(path, 0600), 0); /* opening it would wait for ever */
    g_free(path);
    make(&tarball);
    assert_int_equal(tarball.left_out, 1);
    tarball_clear(&tarball);
}

static void test_long_names_and_a_loop_of_links_do_no_harm(void **state)
{
    (void)state;
    struct tarball tarball;
    char name[241]; /* more than a plain tar header holds */
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    write_file(name, "long");
    char *link = inside("loop");
    assert_int_equal(symlink("..", link), 0);
    g_free(link);
    make(&tarball);
    char *list = listing(&tarball);
    assert_non_null(strstr(list, name));
    assert_non_null(strstr(list, "photos/loop=..;"));
    g_free(list);
    tarball_clear(&tarball);
}

static void test_a_folder_that_is_not_there_is_told(void **state)
{
    (void)state;
    struct tarball tarball;
    char *message = NULL;
    assert_false(tarball_make(&tarball, "/nowhere/at/all", &nobody, &message));
    assert_non_null(strstr(message, "/nowhere/at/all"));
    g_free(message);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        T(test_everything_is_in_it_by_name),
        T(test_the_same_folder_gives_the_same_bytes),
        T(test_it_can_be_read_from_any_place),
        T(test_a_socket_is_left_out_and_counted),
        T(test_long_names_and_a_loop_of_links_do_no_harm),
        T(test_a_folder_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
