#include "outside_port.h"

#include "transfer/port_mapping.h"

/* One port at one router. Outlives the outside_port by the time that a router takes. */
struct door {
    struct outside_port *outside; /* until it is joined */
    struct loop *io;
    struct loop *closer;
    struct port_mapping *mapping;
    char *host; /* once it is known */
    uint16_t port;
};

struct outside_port {
    struct outside_port_config config;
    struct door *door; /* NULL: none is open */
    GPtrArray *doors;  /* all whose threads are not waited for yet */
};

struct door_news {
    struct door *door;
    char *host; /* NULL: it is closed */
    uint16_t port;
};

/* -------------------------------------------------------------------------- what routers say */

/* On the I/O thread, behind all that the mapping's thread has posted. */
static void forget(void *arg)
{
    struct door *door = arg;
    g_free(door->host);
    g_free(door);
}

/* On the closer's thread. */
static void join(void *arg)
{
    struct door *door = arg;
    port_mapping_free(door->mapping);
    loop_post(door->io, forget, forget, door);
}

static void start_joining(struct door *door)
{
    g_ptr_array_remove_fast(door->outside->doors, door);
    door->outside = NULL;
    loop_post(door->closer, join, join, door);
}

static void news_free(void *arg)
{
    struct door_news *news = arg;
    g_free(news->host);
    g_free(news);
}

static void take_news(void *arg)
{
    struct door_news *news = arg;
    struct door *door = news->door;
    if (!news->host && door->outside) {
        start_joining(door);
    } else if (door->outside && door->outside->door == door) {
        const struct outside_port_config *config = &door->outside->config;
        door->host = g_strdup(news->host);
        door->port = news->port;
        config->known(config->user, door->host, door->port);
    }
    news_free(news);
}

static void post_news(struct door *door, const char *host, uint16_t port)
{
    struct door_news *news = g_new(struct door_news, 1);
    *news = (struct door_news){door, g_strdup(host), port};
    loop_post(door->io, take_news, news_free, news);
}

static void on_mapped(void *user, const char *host, uint16_t port)
{
    post_news(user, host, port);
}

static void on_ended(void *user)
{
    post_news(user, NULL, 0);
}

/* -------------------------------------------------------------------------- opening, closing */

/* There is an IPv4 address, and none that is reached from outside without help. */
static bool needs_help(const struct address_choice *choice)
{
    union address found[ADDRESSES_MAX];
    struct address_choice outside = *choice;
    outside.loopback = false;
    bool has_ipv4 = false;
    size_t count = addresses_list(&outside, found, ADDRESSES_MAX);
    for (size_t i = 0; i < count; i++) {
        char text[ADDRESS_TEXT_SIZE];
        if (found[i].any.sa_family != AF_INET || !address_to_text(&found[i], text)) {
            continue;
        }
        if (port_mapping_is_public(text)) {
            return false;
        }
        has_ipv4 = true;
    }
    return has_ipv4;
}

static void open_door(struct outside_port *outside, uint16_t port)
{
    const struct outside_port_config *config = &outside->config;
    struct door *door = g_new0(struct door, 1);
    *door = (struct door){.outside = outside, .io = config->io, .closer = config->closer};
    struct port_mapping_config mapping = {
        .port = port,
        .router = config->router,
        .mapped = on_mapped,
        .ended = on_ended,
        .user = door,
    };
    door->mapping = port_mapping_new(&mapping);
    if (!door->mapping) {
        g_free(door);
        return;
    }
    g_ptr_array_add(outside->doors, door);
    outside->door = door;
}

static void close_door(struct outside_port *outside)
{
    if (outside->door) {
        port_mapping_end(outside->door->mapping);
        outside->door = NULL;
    }
}

void outside_port_set(struct outside_port *outside, uint16_t port)
{
    close_door(outside);
    if (port != 0 && (outside->config.router || needs_help(&outside->config.choice))) {
        open_door(outside, port);
    }
}

const char *outside_port_host(const struct outside_port *outside, uint16_t *port)
{
    *port = outside->door ? outside->door->port : 0;
    return outside->door ? outside->door->host : NULL;
}

struct outside_port *outside_port_new(const struct outside_port_config *config)
{
    struct outside_port *outside = g_new0(struct outside_port, 1);
    outside->config = *config;
    outside->doors = g_ptr_array_new();
    return outside;
}

void outside_port_free(struct outside_port *outside)
{
    if (!outside) {
        return;
    }
    close_door(outside);
    while (outside->doors->len > 0) {
        start_joining(outside->doors->pdata[0]);
    }
    g_ptr_array_free(outside->doors, TRUE);
    g_free(outside);
}
