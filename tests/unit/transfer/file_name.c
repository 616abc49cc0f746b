#include "transfer/file_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FIFTY "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"
#define LONG  FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY /* 300 */

static const struct {
    const char *peer;
    const char *clean;
} names[] = {
    /* clean ones stay */
    {"photo.jpg", "photo.jpg"},
    {"Übersicht 2026 – final (2).pdf", "Übersicht 2026 – final (2).pdf"},
    {"日本語.txt", "日本語.txt"},
    {"a.b.c.tar.gz", "a.b.c.tar.gz"},
    {"no ending", "no ending"},
    {"~$#&'%!@+,;=[]{}^`", "~$#&'%!@+,;=[]{}^`"},
    {"-rf", "-rf"},
    /* no paths */
    {"/etc/passwd", "passwd"},
    {"../../../.ssh/authorized_keys", "authorized_keys"},
    {"..\\..\\boot.ini", "boot.ini"},
    {"C:\\Users\\me\\x.txt", "x.txt"},
    {"C:x.txt", "C_x.txt"},
    {"\\\\server\\share\\x", "x"},
    {"folder/", "folder"},
    {"folder\\/", "folder"},
    {"a/..", "file"},
    {"////", "file"},
    {"..", "file"},
    {".", "file"},
    {"", "file"},
    {NULL, "file"},
    /* not hidden */
    {".bashrc", "bashrc"},
    {"...x", "x"},
    {". . .profile", "profile"},
    {".a1b2.jingle-part", "a1b2.jingle-part"},
    /* nothing that misleads at its end or its start */
    {"  x.txt  ", "x.txt"},
    {"x.txt...", "x.txt"},
    {"x.txt. .", "x.txt"},
    {"x.txt\xc2\xa0", "x.txt"},
    {"\xe3\x80\x80x", "x"},
    /* no control characters */
    {"a\nb\tc\x7f.txt", "abc.txt"},
    {"\x1b[31mred", "[31mred"},
    {"a\xc2\x9b"
     "b",
     "ab"},
    {"\r\n", "file"},
    /* nothing that turns text around or is not seen */
    {"photo\xe2\x80\xaegpj.exe", "photogpj.exe"},
    {"\xe2\x81\xa6"
     "a\xe2\x81\xa9",
     "a"},
    {"a\xe2\x80\xa8"
     "b",
     "ab"},
    {"\xef\xbb\xbf"
     "bom",
     "bom"},
    {"\xe2\x80\x8f.hidden", "hidden"},
    {"a\xe2\x80\x8b.t\xe2\x81\xa0xt", "a.txt"},
    {"👩\xe2\x80\x8d💻.png", "👩\xe2\x80\x8d💻.png"},
    /* what Windows forbids */
    {"a<b>c:d\"e|f?g*h", "a_b_c_d_e_f_g_h"},
    {"file.txt:stream", "file.txt_stream"},
    /* devices */
    {"CON", "_CON"},
    {"nul.txt", "_nul.txt"},
    {"Aux.tar.gz", "_Aux.tar.gz"},
    {"com1", "_com1"},
    {"LPT9.log", "_LPT9.log"},
    {"COM\xc2\xb9", "_COM\xc2\xb9"},
    {"prn .txt", "_prn .txt"},
    {"CONIN$", "_CONIN$"},
    {"COM10", "COM10"},
    {"console.txt", "console.txt"},
    {"comet", "comet"},
    {"lp", "lp"},
    {"dir/.nul", "_nul"},
    /* valid UTF-8 */
    {"\xff\xfe.txt", "__.txt"},
    {"a\xc3", "a_"},
    {"\xc0\xaf", "__"},
    {"\xed\xa0\x80", "___"},
    {"\xf4\x90\x80\x80", "____"},
    {"caf\xe9.txt", "caf_.txt"},
};

static void test_nasty_names_are_made_safe_and_good_ones_stay(void **state)
{
    (void)state;
    char out[FILE_NAME_SIZE];
    char again[FILE_NAME_SIZE];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        file_name_clean(names[i].peer, out);
        assert_string_equal(out, names[i].clean);
        file_name_clean(out, again);
        assert_string_equal(again, out);
    }
}

static void test_a_long_name_is_cut_before_its_ending(void **state)
{
    (void)state;
    char out[FILE_NAME_SIZE];
    file_name_clean(LONG ".tar.gz", out);
    assert_int_equal(strlen(out), FILE_NAME_MAX);
    assert_string_equal(out + FILE_NAME_MAX - 7, ".tar.gz");
    file_name_clean(LONG, out);
    assert_int_equal(strlen(out), FILE_NAME_MAX);
    file_name_clean("x." LONG, out); /* that is no ending */
    assert_int_equal(strlen(out), FILE_NAME_MAX);
    assert_memory_equal(out, "x.aaaa", 6);
}

static void test_a_long_name_is_not_cut_inside_of_a_character(void **state)
{
    (void)state;
    char name[400];
    char out[FILE_NAME_SIZE];
    for (size_t shift = 0; shift < 3; shift++) {
        size_t length = shift;
        memset(name, 'x', shift);
        for (int i = 0; i < 100; i++) {
            snprintf(name + length, sizeof name - length, "\xe2\x82\xac");
            length += 3;
        }
        memcpy(name + length, ".txt", 5);
        file_name_clean(name, out);
        size_t cut = strlen(out);
        assert_in_range(cut, FILE_NAME_MAX - 2, FILE_NAME_MAX);
        assert_string_equal(out + cut - 4, ".txt");
        assert_int_equal((cut - 4 - shift) % 3, 0);
    }
}

static void test_a_number_goes_before_the_ending(void **state)
{
    (void)state;
    char out[FILE_NAME_SIZE];
    static const struct {
        const char *name;
        unsigned number;
        const char *numbered;
    } cases[] = {
        {"photo.jpg", 0, "photo.jpg"},
        {"photo.jpg", 1, "photo (1).jpg"},
        {"a.tar.gz", 12, "a (12).tar.gz"},
        {"README", 2, "README (2)"},
        {"v1. first draft", 1, "v1. first draft (1)"},
        {"tar.gz", 1, "tar (1).gz"},
        {"photo (1).jpg", 1, "photo (1) (1).jpg"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_name_numbered(cases[i].name, cases[i].number, out);
        assert_string_equal(out, cases[i].numbered);
    }
}

static void test_a_number_makes_no_name_too_long(void **state)
{
    (void)state;
    char name[FILE_NAME_SIZE];
    char out[FILE_NAME_SIZE];
    file_name_clean(LONG ".jpeg", name);
    file_name_numbered(name, 4294967295U, out);
    assert_int_equal(strlen(out), FILE_NAME_MAX);
    assert_string_equal(out + FILE_NAME_MAX - 18, " (4294967295).jpeg");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nasty_names_are_made_safe_and_good_ones_stay),
        cmocka_unit_test(test_a_long_name_is_cut_before_its_ending),
        cmocka_unit_test(test_a_long_name_is_not_cut_inside_of_a_character),
        cmocka_unit_test(test_a_number_goes_before_the_ending),
        cmocka_unit_test(test_a_number_makes_no_name_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
