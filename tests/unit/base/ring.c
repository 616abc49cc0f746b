#include "base/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>

enum { MANY = 1000000 };

static void test_what_is_written_is_read_in_order_around_the_end(void **state)
{
    (void)state;
    struct ring *ring = ring_new(100);
    int16_t next_in = 0;
    int16_t next_out = 0;
    assert_true(ring_capacity(ring) >= 100);
    for (size_t round = 0; round < 1000; round++) {
        int16_t chunk[70];
        for (size_t i = 0; i < 70; i++)
            chunk[i] = next_in++;
        assert_int_equal(ring_write(ring, chunk, 70), 70);
        assert_int_equal(ring_used(ring), 70);
        assert_int_equal(ring_read(ring, chunk, 1000), 70);
        for (size_t i = 0; i < 70; i++)
            assert_int_equal(chunk[i], next_out++);
    }
    ring_free(ring);
}

static void test_a_full_ring_takes_no_more(void **state)
{
    (void)state;
    struct ring *ring = ring_new(64);
    int16_t samples[200] = {0};
    size_t capacity = ring_capacity(ring);
    assert_int_equal(ring_write(ring, samples, 200), capacity);
    assert_int_equal(ring_write(ring, samples, 1), 0);
    assert_int_equal(ring_skip(ring, 10), 10);
    assert_int_equal(ring_write(ring, samples, 200), 10);
    assert_int_equal(ring_skip(ring, 1000), capacity);
    assert_int_equal(ring_read(ring, samples, 1), 0);
    ring_free(ring);
}

static void *write_many(void *user)
{
    struct ring *ring = user;
    for (unsigned written = 0; written < MANY;) {
        int16_t chunk[97];
        for (unsigned i = 0; i < 97; i++)
            chunk[i] = (int16_t)(written + i);
        written += (unsigned)ring_write(ring, chunk, written + 97 <= MANY ? 97 : MANY - written);
    }
    return NULL;
}

static void test_two_threads_lose_nothing(void **state)
{
    (void)state;
    struct ring *ring = ring_new(1000);
    pthread_t writer;
    unsigned wrong = 0;
    assert_int_equal(pthread_create(&writer, NULL, write_many, ring), 0);
    for (unsigned read = 0; read < MANY;) {
        int16_t chunk[131];
        size_t count = ring_read(ring, chunk, 131);
        for (size_t i = 0; i < count; i++)
            wrong += chunk[i] != (int16_t)read++;
    }
    pthread_join(writer, NULL);
    assert_int_equal(wrong, 0);
    assert_int_equal(ring_used(ring), 0);
    ring_free(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read_in_order_around_the_end),
        cmocka_unit_test(test_a_full_ring_takes_no_more),
        cmocka_unit_test(test_two_threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
