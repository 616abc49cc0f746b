/* The configuration file, and who may read it. */
#include "examples/jcall/config.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char *path;

static int make_path(void **state)
{
    (void)state;
    int descriptor = g_file_open_tmp("jcall-config-XXXXXX", &path, NULL);
    return descriptor >= 0 && g_close(descriptor, NULL) ? 0 : -1;
}

static int remove_path(void **state)
{
    (void)state;
    g_unlink(path);
    g_free(path);
    return 0;
}

/* The message of a refusal, or NULL. */
static char *read_text(struct config *config, const char *text, int mode)
{
    char *message = NULL;
    assert_true(g_file_set_contents(path, text, -1, NULL));
    assert_int_equal(g_chmod(path, mode), 0);
    bool good = config_read(config, path, &message);
    assert_int_equal(good, message == NULL);
    return message;
}

static void assert_refused(const char *text, int mode, const char *because)
{
    struct config config;
    char *message = read_text(&config, text, mode);
    assert_non_null(message);
    assert_non_null(strstr(message, because));
    g_free(message);
}

static void test_keys_become_options(void **state)
{
    (void)state;
    struct config config;
    assert_null(
        read_text(&config, "[jcall]\njid = a@b\npassword = p w\nloop = true\nfec = false\n", 0600));
    assert_string_equal(config.password, "p w");
    assert_string_equal(config.jid, "a@b");
    assert_int_equal(config.arguments->len, 3);
    assert_string_equal(g_ptr_array_index(config.arguments, 0), "--jid=a@b");
    assert_string_equal(g_ptr_array_index(config.arguments, 1), "--loop");
    assert_string_equal(g_ptr_array_index(config.arguments, 2), "--no-fec");
    config_clear(&config);
}

static void test_a_password_that_others_may_read_is_refused(void **state)
{
    (void)state;
    struct config config;
    assert_refused("[jcall]\npassword = p\n", 0644, "chmod 600");
    assert_refused("[jcall]\npassword = p\n", 0640, "chmod 600");
    assert_null(read_text(&config, "[jcall]\njid = a@b\n", 0644)); /* no secret in it */
    config_clear(&config);
}

static void test_a_broken_file_is_refused(void **state)
{
    (void)state;
    assert_refused("[jcall\n", 0600, path);
    assert_refused("[other]\na = b\n", 0600, "[jcall]");
}

static void test_a_named_file_must_exist(void **state)
{
    (void)state;
    struct config config;
    char *message = NULL;
    assert_false(config_read(&config, "/nonexistent/config", &message));
    assert_non_null(message);
    g_free(message);
}

static void test_a_secret_is_the_first_line(void **state)
{
    (void)state;
    char *message = NULL;
    assert_true(g_file_set_contents(path, "s3cret\nmore\n", -1, NULL));
    assert_int_equal(g_chmod(path, 0600), 0);
    char *secret = config_read_secret(path, &message);
    assert_string_equal(secret, "s3cret");
    g_free(secret);
    assert_int_equal(g_chmod(path, 0604), 0);
    assert_null(config_read_secret(path, &message));
    g_free(message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_become_options),
        cmocka_unit_test(test_a_password_that_others_may_read_is_refused),
        cmocka_unit_test(test_a_broken_file_is_refused),
        cmocka_unit_test(test_a_named_file_must_exist),
        cmocka_unit_test(test_a_secret_is_the_first_line),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
