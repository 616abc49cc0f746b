#include "network_watch.h"

#include "base/addresses.h"
#include "base/clock.h"

#include <glib-unix.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

/* An interface comes with several messages, its addresses before its routes. */
#define SETTLING (100 * USEC_PER_MS)

/* Where containers come and go all the time: so many changes at once, then one in this time. */
#define CHANGES_AT_ONCE 4
#define REST            USEC_PER_SEC

#define GROUPS \
    (RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE)

struct network_watch {
    int fd;
    GSource *source;
    struct timer *timer;
    bool settling;
    usec rest; /* paid for up to here */
    void (*changed)(void *user);
    void *user;
    union address addresses[ADDRESSES_MAX];
    size_t count;
};

/* What it is about does not matter: the addresses are listed anew. */
static gboolean on_message(gint fd, GIOCondition condition, gpointer user)
{
    struct network_watch *watch = user;
    char message[4096];
    (void)condition;
    while (recv(fd, message, sizeof message, MSG_DONTWAIT) > 0)
        ;
    if (!watch->settling) {
        watch->settling = true;
        usec earliest = watch->rest - (CHANGES_AT_ONCE - 1) * REST;
        timer_set(watch->timer, MAX(clock_now() + SETTLING, earliest));
    }
    return G_SOURCE_CONTINUE;
}

static bool look(struct network_watch *watch)
{
    struct address_choice all = {.interfaces = NULL};
    union address now[ADDRESSES_MAX] = {0};
    size_t count = addresses_list(&all, now, ADDRESSES_MAX);
    bool same = count == watch->count;
    for (size_t i = 0; i < count && same; i++) {
        same = address_is_same_host(&now[i], &watch->addresses[i]);
    }
    watch->count = count;
    memcpy(watch->addresses, now, sizeof now);
    return !same;
}

static void on_settled(void *user)
{
    struct network_watch *watch = user;
    watch->settling = false;
    if (look(watch)) {
        watch->rest = MAX(watch->rest, clock_now()) + REST;
        watch->changed(watch->user);
    }
}

static int open_netlink(void)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = GROUPS};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        return fd;
    }
    close(fd);
    return -1;
}

struct network_watch *network_watch_new(struct loop *loop, void (*changed)(void *user), void *user)
{
    int fd = open_netlink();
    if (fd < 0) {
        return NULL;
    }
    struct network_watch *watch = g_new0(struct network_watch, 1);
    watch->fd = fd;
    watch->changed = changed;
    watch->user = user;
    watch->timer = timer_new(loop, on_settled, watch);
    watch->source = g_unix_fd_source_new(fd, G_IO_IN);
    g_source_set_callback(watch->source, (GSourceFunc)(void (*)(void))on_message, watch, NULL);
    g_source_attach(watch->source, loop_context(loop));
    look(watch);
    return watch;
}

void network_watch_free(struct network_watch *watch)
{
    if (!watch) {
        return;
    }
    g_source_destroy(watch->source);
    g_source_unref(watch->source);
    timer_free(watch->timer);
    close(watch->fd);
    g_free(watch);
}
