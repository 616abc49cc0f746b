/* engine/outside_port.h with a router of the test's own. */
#include "outside_port.h"
#include "transfer/port_mapping.h"
#include "unit/engine/router.h"

#include <glib.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define OUTSIDE "203.0.113.7"

struct world {
    struct loop *io;
    struct loop *closer;
    struct router router;
    struct outside_port *outside;
    uint16_t set; /* by the next set_port() */
    char host[64];
    uint16_t port;
    sem_t known;
};

static void on_known(void *user, const char *host, uint16_t port)
{
    struct world *world = user;
    uint16_t same;
    g_strlcpy(world->host, host, sizeof world->host);
    world->port = port;
    assert_string_equal(outside_port_host(world->outside, &same), host);
    assert_int_equal(same, port);
    sem_post(&world->known);
}

static void make(void *arg)
{
    struct world *world = arg;
    struct outside_port_config config = {
        .io = world->io,
        .closer = world->closer,
        .router = world->router.url,
        .known = on_known,
        .user = world,
    };
    world->outside = outside_port_new(&config);
}

static void set(void *arg)
{
    struct world *world = arg;
    outside_port_set(world->outside, world->set);
}

static void set_port(struct world *world, uint16_t port)
{
    world->set = port;
    loop_call(world->io, set, world);
}

static void end(void *arg)
{
    struct world *world = arg;
    outside_port_free(world->outside);
}

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) {
    }
}

static void world_make(struct world *world, const char *outside, bool permanent_only)
{
    *world = (struct world){.router = {.outside = outside, .permanent_only = permanent_only}};
    router_start(&world->router);
    world->io = loop_new("test-io");
    world->closer = loop_new("test-closer");
    sem_init(&world->known, 0, 0);
    loop_call(world->io, make, world);
}

/* As a client ends. */
static void world_end(struct world *world)
{
    loop_call(world->io, end, world);
    loop_free(world->closer);
    loop_free(world->io);
    router_stop(&world->router);
    sem_destroy(&world->known);
}

static void test_a_port_is_open_at_the_router_while_it_is_open_here(void **state)
{
    (void)state;
    struct world world;
    world_make(&world, OUTSIDE, false);
    set_port(&world, 4711);
    wait_for(&world.known);
    assert_string_equal(world.host, OUTSIDE);
    assert_int_equal(world.port, 4711);
    set_port(&world, 0);
    wait_for(&world.router.has_deleted);
    world_end(&world);
    assert_string_equal(world.router.client, "127.0.0.1");
    assert_string_equal(world.router.port, "4711");
    assert_int_equal(world.router.added, 1);
    assert_int_equal(world.router.deleted, 1);
}

static void test_a_router_without_leases_maps_all_the_same(void **state)
{
    (void)state;
    struct world world;
    world_make(&world, OUTSIDE, true);
    set_port(&world, 4711);
    wait_for(&world.known);
    world_end(&world);
    assert_int_equal(world.router.refused, 1);
    assert_int_equal(world.router.added, 1);
    assert_int_equal(world.router.deleted, 1);
}

static void test_a_router_behind_another_is_asked_for_nothing(void **state)
{
    (void)state;
    struct world world;
    world_make(&world, "192.168.7.1", false);
    set_port(&world, 4711);
    wait_for(&world.router.was_asked);
    world_end(&world);
    assert_int_equal(world.router.added, 0);
    assert_int_equal(world.router.deleted, 0);
}

static void test_what_is_closed_and_opened_again_is_another_port(void **state)
{
    (void)state;
    struct world world;
    world_make(&world, OUTSIDE, false);
    set_port(&world, 4711);
    set_port(&world, 0);
    set_port(&world, 4712);
    do {
        wait_for(&world.known);
    } while (world.port != 4712); /* a quick router told the first one, too */
    world_end(&world);
    assert_int_equal(world.router.added, world.router.deleted);
}

static void test_addresses_of_the_internet(void **state)
{
    (void)state;
    static const char *const inside[] = {
        "10.1.2.3",        "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1",
        "100.127.255.255", "127.0.0.1",  "169.254.1.1",    "0.0.0.0",     "224.0.0.1",
        "255.255.255.255", "",           "nonsense"};
    static const char *const outside[] = {OUTSIDE,       "9.255.255.255", "11.0.0.0",
                                          "172.15.0.1",  "172.32.0.0",    "192.167.255.255",
                                          "192.169.0.0", "100.63.0.1",    "100.128.0.0"};
    for (size_t i = 0; i < G_N_ELEMENTS(inside); i++) {
        assert_false(port_mapping_is_public(inside[i]));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(outside); i++) {
        assert_true(port_mapping_is_public(outside[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_port_is_open_at_the_router_while_it_is_open_here),
        cmocka_unit_test(test_a_router_without_leases_maps_all_the_same),
        cmocka_unit_test(test_a_router_behind_another_is_asked_for_nothing),
        cmocka_unit_test(test_what_is_closed_and_opened_again_is_another_port),
        cmocka_unit_test(test_addresses_of_the_internet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
