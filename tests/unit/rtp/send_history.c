#include "rtp/send_history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_a_packet_is_found_by_its_number_over_the_wrap(void **state)
{
    (void)state;
    struct send_history *history = calloc(1, sizeof *history);
    assert_non_null(history);
    uint16_t number = 0;
    for (unsigned i = 0; i < 70000; i++) {
        number = send_history_add(history, i, i % 1000, 0);
        assert_int_equal(number, (uint16_t)i);
    }
    assert_int_equal(send_history_find(history, number)->sent, 69999);
    uint16_t oldest = (uint16_t)(number - SEND_HISTORY_MAX + 1);
    assert_int_equal(send_history_find(history, oldest)->sent, 70000 - SEND_HISTORY_MAX);
    free(history);
}

static void test_what_was_never_sent_or_is_forgotten_is_not_found(void **state)
{
    (void)state;
    struct send_history *history = calloc(1, sizeof *history);
    assert_non_null(history);
    assert_null(send_history_find(history, 0));
    assert_null(send_history_find(history, 65535));
    for (unsigned i = 0; i < 5000; i++) {
        send_history_add(history, i, 1, 0);
        assert_null(send_history_find(history, (uint16_t)(i + 1)));
    }
    assert_null(send_history_find(history, 5000 - SEND_HISTORY_MAX - 1));
    assert_null(send_history_find(history, 60000));
    free(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_packet_is_found_by_its_number_over_the_wrap),
        cmocka_unit_test(test_what_was_never_sent_or_is_forgotten_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
