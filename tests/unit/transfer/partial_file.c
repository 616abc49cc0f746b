#include "transfer/partial_file.h"
#include "transfer/rename_new.h"
#include "unit/transfer/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct file_identity photo(void)
{
    return (struct file_identity){
        .peer = "juliet@capulet.lit", .name = "photo.jpg", .size = 10, .date = 1700000000};
}

static struct partial_file *open_partial(const struct file_identity *identity)
{
    enum transfer_status status;
    struct partial_file *file = partial_file_open(folder_path(""), identity, &status);
    assert_int_equal(status, TRANSFER_OK);
    assert_non_null(file);
    return file;
}

static enum transfer_status write_text(struct partial_file *file, const char *text)
{
    return partial_file_write(file, (const uint8_t *)text, strlen(text));
}

/* Begins the file, lets `text` come and stops. */
static void interrupt_after(const struct file_identity *identity, const char *text)
{
    struct partial_file *file = open_partial(identity);
    assert_int_equal(partial_file_kept(file), 0);
    assert_int_equal(write_text(file, text), TRANSFER_OK);
    partial_file_close(file);
}

static uint64_t kept_of(const struct file_identity *identity)
{
    struct partial_file *file = open_partial(identity);
    uint64_t kept = partial_file_kept(file);
    partial_file_close(file);
    return kept;
}

static void assert_content(const char *path, const char *text)
{
    char content[64] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    content[fread(content, 1, sizeof content - 1, file)] = 0;
    fclose(file);
    assert_string_equal(content, text);
}

static int empty(void **state)
{
    (void)state;
    folder_empty();
    return 0;
}

static void test_a_file_appears_under_its_name_only_when_published(void **state)
{
    (void)state;
    struct file_identity identity = photo();
    struct partial_file *file = open_partial(&identity);
    assert_int_equal(write_text(file, "01234"), TRANSFER_OK);
    assert_int_equal(write_text(file, "56789"), TRANSFER_OK);
    assert_int_equal(partial_file_sync(file), TRANSFER_OK);
    assert_int_equal(folder_count(".jpg"), 0);
    assert_null(partial_file_path(file));
    assert_int_equal(partial_file_publish(file), TRANSFER_OK);
    assert_string_equal(strrchr(partial_file_path(file), '/'), "/photo.jpg");
    assert_content(partial_file_path(file), "0123456789");
    partial_file_close(file);
    assert_int_equal(folder_count(NULL), 1);
}

static void test_an_interrupted_file_goes_on_where_it_stopped(void **state)
{
    (void)state;
    struct file_identity identity = photo();
    uint8_t kept[16];
    size_t got;
    interrupt_after(&identity, "0123");
    struct partial_file *file = open_partial(&identity);
    assert_int_equal(partial_file_kept(file), 4);
    assert_int_equal(partial_file_read(file, 0, kept, 16, &got), TRANSFER_OK);
    assert_int_equal(got, 4);
    assert_memory_equal(kept, "0123", 4);
    assert_int_equal(partial_file_start_at(file, 3), TRANSFER_OK);
    assert_int_equal(write_text(file, "3456789"), TRANSFER_OK);
    assert_int_equal(partial_file_publish(file), TRANSFER_OK);
    assert_content(folder_path("photo.jpg"), "0123456789");
    partial_file_close(file);
}

static void test_the_peer_cannot_go_on_behind_what_is_kept(void **state)
{
    (void)state;
    struct file_identity identity = photo();
    interrupt_after(&identity, "0123");
    struct partial_file *file = open_partial(&identity);
    assert_int_not_equal(partial_file_start_at(file, 5), TRANSFER_OK);
    assert_int_equal(partial_file_start_at(file, 0), TRANSFER_OK);
    partial_file_close(file);
    assert_int_equal(folder_count(NULL), 0);
}

static void test_what_is_kept_of_another_file_is_not_gone_on_with(void **state)
{
    (void)state;
    struct file_identity identity = photo();
    identity.hash_count = 1;
    identity.hashes[0] = (struct hash_value){.algorithm = HASH_SHA_256, .bytes = {1}};
    struct file_identity others[] = {identity, identity, identity, identity, identity};
    others[0].peer = "romeo@montague.lit";
    others[1].name = "photo2.jpg";
    others[2].size = 11;
    others[3].date++;
    others[4].hashes[0].bytes[0] = 2;
    for (size_t i = 0; i < 5; i++) {
        folder_empty();
        interrupt_after(&identity, "0123");
        assert_int_equal(kept_of(&identity), 4);
        assert_int_equal(kept_of(&others[i]), 0);
    }
}

static void test_a_file_without_date_and_hash_is_never_gone_on_with(void **state)
{
    (void)state;
    struct file_identity identity = photo();
    identity.date = 0;
    interrupt_after(&identity, "0123");
    assert_int_equal(folder_count(NULL), 0);
    assert_int_equal(kept_of(&identity), 0);
}

static void test_an_equal_hash_is_enough_to_know_a_file_and_another_kind_is_not(void **state)
{
    (void)state;
    struct file_identity identity = photo();
    identity.date = 0;
    identity.hash_count = 1;
    identity.hashes[0] = (struct hash_value){.algorithm = HASH_SHA_256, .bytes = {1}};
    interrupt_after(&identity, "0123");
    assert_int_equal(kept_of(&identity), 4);
    identity.hashes[0].algorithm = HASH_SHA_512;
    assert_int_equal(kept_of(&identity), 0);
}

static void test_names_that_would_break_the_sidecar_are_known_again(void **state)
{
    (void)state;
    struct file_identity identity = photo();
    identity.name = "a\n[file]\nsize=3\\ ;=é\t.txt ";
    identity.peer = " o'brien\\20x@capulet.lit";
    interrupt_after(&identity, "0123");
    assert_int_equal(kept_of(&identity), 4);
}

/* Or what an earlier version has kept would be lost. */
static void test_the_key_of_a_file_stays(void **state)
{
    (void)state;
    struct file_identity identity = photo();
    char key[FILE_KEY_SIZE];
    file_identity_key(&identity, key);
    assert_string_equal(key, "fc467cafaa90828f");
}

static void test_a_damaged_sidecar_begins_anew(void **state)
{
    (void)state;
    struct file_identity identity = photo();
    char key[FILE_KEY_SIZE];
    char name[64];
    file_identity_key(&identity, key);
    snprintf(name, sizeof name, ".%s.jingle-info", key);
    interrupt_after(&identity, "0123");
    folder_write(name, "[file]\npeer=\xff\nsize", 19);
    assert_int_equal(kept_of(&identity), 0);
}

static void test_nothing_is_overwritten(void **state)
{
    (void)state;
    struct file_identity identity = photo();
    folder_write("photo.jpg", "mine", 4);
    assert_int_equal(symlink("/nowhere", folder_path("photo (1).jpg")), 0);
    struct partial_file *file = open_partial(&identity);
    assert_int_equal(write_text(file, "0123456789"), TRANSFER_OK);
    assert_int_equal(partial_file_publish(file), TRANSFER_OK);
    assert_string_equal(strrchr(partial_file_path(file), '/'), "/photo (2).jpg");
    partial_file_close(file);
    assert_content(folder_path("photo.jpg"), "mine");
}

static void test_every_way_to_rename_leaves_what_has_the_name(void **state)
{
    (void)state;
    static const enum rename_way ways[] = {RENAME_BY_KERNEL, RENAME_BY_LINK, RENAME_BY_PLACEHOLDER};
    int dir = open(folder_path(""), O_RDONLY | O_DIRECTORY);
    for (size_t i = 0; i < 3; i++) {
        folder_empty();
        folder_write("old", "old", 3);
        folder_write("new", "new", 3);
        assert_int_equal(rename_new_by(ways[i], dir, "new", "old"), EEXIST);
        assert_content(folder_path("old"), "old");
        assert_int_equal(rename_new_by(ways[i], dir, "new", "free"), 0);
        assert_content(folder_path("free"), "new");
        assert_int_equal(folder_count(NULL), 2);
        assert_int_equal(rename_new_by(ways[i], dir, "missing", "other"), ENOENT);
        assert_int_equal(folder_count(NULL), 2);
    }
    close(dir);
}

static void test_a_hostile_name_stays_in_its_folder(void **state)
{
    (void)state;
    struct file_identity identity = photo();
    identity.name = "../../.evil";
    struct partial_file *file = open_partial(&identity);
    assert_int_equal(write_text(file, "0123456789"), TRANSFER_OK);
    assert_int_equal(partial_file_publish(file), TRANSFER_OK);
    assert_content(folder_path("evil"), "0123456789");
    partial_file_close(file);
}

static void test_more_than_announced_is_not_written(void **state)
{
    (void)state;
    struct file_identity identity = photo();
    struct partial_file *file = open_partial(&identity);
    assert_int_equal(write_text(file, "012345678"), TRANSFER_OK);
    assert_int_equal(write_text(file, "9x"), TRANSFER_TOO_LONG);
    assert_int_equal(partial_file_kept(file), 9);
    partial_file_discard(file);
    partial_file_close(file);
    assert_int_equal(folder_count(NULL), 0);
}

static void test_two_transfers_of_one_file_do_not_meet(void **state)
{
    (void)state;
    struct file_identity identity = photo();
    struct partial_file *first = open_partial(&identity);
    struct partial_file *second = open_partial(&identity);
    assert_int_equal(write_text(first, "0123456789"), TRANSFER_OK);
    assert_int_equal(write_text(second, "9876543210"), TRANSFER_OK);
    assert_int_equal(partial_file_publish(second), TRANSFER_OK);
    assert_int_equal(partial_file_publish(first), TRANSFER_OK);
    assert_content(folder_path("photo.jpg"), "9876543210");
    assert_content(folder_path("photo (1).jpg"), "0123456789");
    partial_file_close(first);
    partial_file_close(second);
    assert_int_equal(folder_count(NULL), 2);
}

static void test_the_ninth_transfer_of_one_file_is_told_to_wait(void **state)
{
    (void)state;
    enum transfer_status status;
    struct file_identity identity = photo();
    struct partial_file *files[8];
    for (size_t i = 0; i < 8; i++) {
        files[i] = open_partial(&identity);
    }
    assert_null(partial_file_open(folder_path(""), &identity, &status));
    assert_int_equal(status, TRANSFER_BUSY);
    for (size_t i = 0; i < 8; i++) {
        partial_file_close(files[i]);
    }
    assert_int_equal(folder_count(NULL), 0);
}

static void test_a_link_in_place_of_the_partial_file_is_not_followed(void **state)
{
    (void)state;
    struct file_identity identity = photo();
    char key[FILE_KEY_SIZE];
    char name[64];
    file_identity_key(&identity, key);
    snprintf(name, sizeof name, ".%s.jingle-part", key);
    const char *victim = folder_write("victim", "precious", 8);
    assert_int_equal(symlink(victim, folder_path(name)), 0);
    interrupt_after(&identity, "0123");
    assert_content(folder_path("victim"), "precious");
    assert_int_equal(unlink(folder_path(name)), 0);
    assert_int_equal(link(folder_path("victim"), folder_path(name)), 0); /* a hard one neither */
    assert_int_equal(kept_of(&identity), 4);
    assert_content(folder_path("victim"), "precious");
}

static void test_an_empty_file_can_be_published(void **state)
{
    (void)state;
    struct file_identity identity = photo();
    identity.size = 0;
    struct partial_file *file = open_partial(&identity);
    assert_int_equal(partial_file_sync(file), TRANSFER_OK);
    assert_int_equal(partial_file_publish(file), TRANSFER_OK);
    partial_file_close(file);
    assert_content(folder_path("photo.jpg"), "");
    assert_int_equal(folder_count(NULL), 1);
}

static void test_each_trouble_with_a_folder_has_its_own_status(void **state)
{
    (void)state;
    enum transfer_status status;
    struct file_identity identity = photo();
    assert_null(partial_file_open(folder_path("missing"), &identity, &status));
    assert_int_equal(status, TRANSFER_NOT_FOUND);
    const char *file = folder_write("file", "", 0);
    assert_null(partial_file_open(file, &identity, &status));
    assert_int_equal(status, TRANSFER_NOT_A_FILE);
    assert_null(partial_file_open("/proc", &identity, &status));
    assert_true(status == TRANSFER_NOT_FOUND || status == TRANSFER_PERMISSION);
    const char *closed = folder_path("closed");
    assert_int_equal(mkdir(closed, 0500), 0);
    if (geteuid() != 0) { /* root may write everywhere */
        assert_null(partial_file_open(closed, &identity, &status));
        assert_int_equal(status, TRANSFER_PERMISSION);
    }
}

static void test_what_can_never_fit_is_refused_at_once(void **state)
{
    (void)state;
    enum transfer_status status;
    struct file_identity identity = photo();
    identity.size = UINT64_C(1) << 60;
    assert_null(partial_file_open(folder_path(""), &identity, &status));
    assert_int_equal(status, TRANSFER_NO_SPACE);
    assert_int_equal(folder_count(NULL), 0);
}

static void test_a_disk_that_fills_up_keeps_what_came(void **state)
{
    (void)state;
    struct file_identity identity = photo();
    identity.size = 10000;
    char bytes[5000];
    memset(bytes, 'x', sizeof bytes);
    struct rlimit before;
    getrlimit(RLIMIT_FSIZE, &before);
    const struct rlimit small = {.rlim_cur = 6000, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    struct partial_file *file = open_partial(&identity);
    setrlimit(RLIMIT_FSIZE, &small);
    enum transfer_status first = partial_file_write(file, (uint8_t *)bytes, 5000);
    enum transfer_status second = partial_file_write(file, (uint8_t *)bytes, 5000);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(first, TRANSFER_OK);
    assert_int_equal(second, TRANSFER_NO_SPACE);
    partial_file_close(file);
    assert_int_equal(kept_of(&identity), 6000);
}

static void test_a_folder_that_is_gone_is_told_at_the_end(void **state)
{
    (void)state;
    enum transfer_status status;
    struct file_identity identity = photo();
    char inner[512];
    snprintf(inner, sizeof inner, "%s", folder_path("inner"));
    assert_int_equal(mkdir(inner, 0700), 0);
    struct partial_file *file = partial_file_open(inner, &identity, &status);
    assert_int_equal(write_text(file, "0123456789"), TRANSFER_OK);
    folder_empty();
    assert_int_equal(partial_file_publish(file), TRANSFER_NOT_FOUND);
    partial_file_close(file);
}

#define TEST(name) cmocka_unit_test_setup(name, empty)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_file_appears_under_its_name_only_when_published),
        TEST(test_an_interrupted_file_goes_on_where_it_stopped),
        TEST(test_the_peer_cannot_go_on_behind_what_is_kept),
        TEST(test_what_is_kept_of_another_file_is_not_gone_on_with),
        TEST(test_a_file_without_date_and_hash_is_never_gone_on_with),
        TEST(test_an_equal_hash_is_enough_to_know_a_file_and_another_kind_is_not),
        TEST(test_names_that_would_break_the_sidecar_are_known_again),
        TEST(test_the_key_of_a_file_stays),
        TEST(test_a_damaged_sidecar_begins_anew),
        TEST(test_nothing_is_overwritten),
        TEST(test_every_way_to_rename_leaves_what_has_the_name),
        TEST(test_a_hostile_name_stays_in_its_folder),
        TEST(test_more_than_announced_is_not_written),
        TEST(test_two_transfers_of_one_file_do_not_meet),
        TEST(test_the_ninth_transfer_of_one_file_is_told_to_wait),
        TEST(test_a_link_in_place_of_the_partial_file_is_not_followed),
        TEST(test_an_empty_file_can_be_published),
        TEST(test_each_trouble_with_a_folder_has_its_own_status),
        TEST(test_what_can_never_fit_is_refused_at_once),
        TEST(test_a_disk_that_fills_up_keeps_what_came),
        TEST(test_a_folder_that_is_gone_is_told_at_the_end),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
