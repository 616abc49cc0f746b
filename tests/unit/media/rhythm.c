/* Follows a modelled device in virtual time. */
#include "media/rhythm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct run {
    double period;   /* of the device, usec */
    usec late_every; /* polls: every so often the thread wakes up ... */
    usec late_by;    /* ... so much late */
    usec worst, sum; /* how long after its period the device was served */
    usec mean;
    int served, polls;
};

/* Ten seconds; figures of the last nine. */
static void follow(struct run *run)
{
    struct rhythm rhythm;
    usec start = 1000 * USEC_PER_SEC;
    usec now = start + 3700;
    double next = (double)start + run->period; /* the device's next period */
    rhythm_start(&rhythm, 20 * USEC_PER_MS, now);
    for (int poll = 1; now < start + 10 * USEC_PER_SEC; poll++) {
        bool measured = now > start + USEC_PER_SEC;
        run->polls += measured;
        if ((double)now < next) {
            now = rhythm_early(&rhythm, now);
        } else {
            usec lag = now - (usec)next;
            next += run->period;
            now = rhythm_ready(&rhythm, now);
            if (measured) {
                run->served++;
                run->sum += lag;
                run->worst = lag > run->worst ? lag : run->worst;
            }
        }
        if (run->late_every && poll % run->late_every == 0) {
            now += run->late_by;
        }
    }
    run->mean = run->sum / (run->served > 0 ? run->served : 1);
}

static void test_a_device_is_served_within_about_a_millisecond(void **state)
{
    (void)state;
    static const double periods[] = {20000, 20004, 19996, 20020, 19980}; /* +-200 and 1000 ppm */
    for (size_t i = 0; i < sizeof periods / sizeof periods[0]; i++) {
        struct run run = {.period = periods[i]};
        follow(&run);
        assert_in_range(run.served, 448, 452);
        assert_in_range(run.worst, 0, 1100);
        assert_in_range(run.mean, 0, 700);
        assert_in_range(run.polls, 448, 520); /* few in vain */
    }
}

static void test_a_late_wake_up_does_not_move_the_phase(void **state)
{
    (void)state;
    struct run run = {.period = 20000, .late_every = 50, .late_by = 12000};
    follow(&run);
    assert_in_range(run.worst, 12000, 13200);
    assert_in_range(run.mean, 0, 1100);
}

static void test_a_device_that_stands_is_asked_less_often(void **state)
{
    (void)state;
    struct rhythm rhythm;
    rhythm_start(&rhythm, 20 * USEC_PER_MS, 0);
    usec now = rhythm_ready(&rhythm, 0);
    int polls = 0;
    while (now < USEC_PER_SEC) {
        now = rhythm_early(&rhythm, now);
        polls++;
    }
    assert_in_range(polls, 50, 150);
    assert_in_range(rhythm_waiting(&rhythm, now), USEC_PER_SEC * 9 / 10, USEC_PER_SEC);
    rhythm_ready(&rhythm, now);
    assert_int_equal(rhythm_waiting(&rhythm, now), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_device_is_served_within_about_a_millisecond),
        cmocka_unit_test(test_a_late_wake_up_does_not_move_the_phase),
        cmocka_unit_test(test_a_device_that_stands_is_asked_less_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
