#include "call_gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct part {
    struct loop *loop;
    struct call_gate *gate;
    int delivered;
    int dropped;
};

static void deliver(void *user, void *arg)
{
    struct part *part = user;
    assert_true(loop_is_current(part->loop));
    assert_ptr_equal(arg, part);
    part->delivered++;
}

static void drop(void *arg)
{
    ((struct part *)arg)->dropped++;
}

static void close_gate(void *arg)
{
    call_gate_close(((struct part *)arg)->gate);
}

/* Posts, and closes before what was posted has its turn. */
static void post_and_close(void *arg)
{
    struct part *part = arg;
    call_gate_post(part->gate, deliver, drop, part);
    call_gate_close(part->gate);
}

static void nothing(void *arg)
{
    (void)arg;
}

static void test_what_is_posted_reaches_the_thread(void **state)
{
    struct part part = {.loop = loop_new("test")};
    (void)state;
    part.gate = call_gate_new(part.loop, &part);
    call_gate_post(part.gate, deliver, drop, &part);
    loop_call(part.loop, nothing, NULL);
    assert_int_equal(part.delivered, 1);
    loop_call(part.loop, close_gate, &part);
    loop_free(part.loop);
    assert_int_equal(part.dropped, 0);
}

static void test_nothing_comes_through_a_closed_gate(void **state)
{
    struct part part = {.loop = loop_new("test")};
    (void)state;
    part.gate = call_gate_new(part.loop, &part);
    struct call_gate *kept = call_gate_ref(part.gate);
    loop_call(part.loop, post_and_close, &part);
    call_gate_post(kept, deliver, drop, &part);
    loop_free(part.loop);
    call_gate_post(kept, deliver, drop, &part); /* the loop is not touched any more */
    call_gate_unref(kept);
    assert_int_equal(part.delivered, 0);
    assert_int_equal(part.dropped, 3);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_posted_reaches_the_thread),
        cmocka_unit_test(test_nothing_comes_through_a_closed_gate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
