#include "file_sides.h"

#include "base/clock.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ALICE, BOB };

/* To a child: SEND with the order; END. From it: a double when it is online, after each file, and
 * at the end (KiB). */
struct order {
    enum { SEND, END } what;
    jingle_way way;
    char path[512];
};

struct side {
    const struct file_sides *sides;
    bool sends;
    int control;
    jingle_client *client;
    usec began;
    long idle_kib;
    bool over;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

/* A line of /proc/self/status, such as "VmHWM:". */
static long memory_kib(const char *line)
{
    char text[128];
    long kib = -1;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && kib < 0 && fgets(text, sizeof text, file)) {
        if (strncmp(text, line, strlen(line)) == 0) {
            kib = strtol(text + strlen(line), NULL, 10);
        }
    }
    if (file) {
        (void)fclose(file);
    }
    return kib;
}

static void answer(const struct side *side, double value)
{
    if (write(side->control, &value, sizeof value) != sizeof value) {
        exit(1);
    }
}

/* -- a child -- */

static void print_log(void *user, jingle_log_level level, const char *line)
{
    const struct side *side = user;
    fprintf(stderr, "%s: %d %s\n", side->sends ? "alice" : "bob", (int)level, line);
}

static void make_client(struct side *side)
{
    char jid[256];
    jingle_client_config config;
    jingle_client_config_init(&config);
    snprintf(jid, sizeof jid, "%s@%s/bench", side->sends ? "alice" : "bob", side->sides->domain);
    config.jid = jid;
    config.password = "secret";
    config.host = side->sides->host;
    config.port = side->sides->port;
    config.ca_file = side->sides->ca_file;
    config.lab_loopback = true;
    config.log = print_log;
    config.log_user = side;
    config.take_files = !side->sends;
    jingle_status status = jingle_client_new(&config, &side->client);
    if (status == JINGLE_OK) {
        status = jingle_client_connect(side->client);
    }
    if (status != JINGLE_OK) {
        die(jid, jingle_strerror(status));
    }
}

static void offer(struct side *side, const struct order *order)
{
    char to[256];
    jingle_transfer *transfer = NULL;
    jingle_file_source file;
    jingle_transfer_config config;
    jingle_file_source_init(&file);
    jingle_transfer_config_init(&config);
    file.path = order->path;
    config.way = order->way;
    snprintf(to, sizeof to, "bob@%s/bench", side->sides->domain);
    side->began = clock_now();
    jingle_status status = jingle_transfer_offer(side->client, to, &file, 1, &config, &transfer);
    if (status != JINGLE_OK) {
        die(order->path, jingle_strerror(status));
    }
    jingle_transfer_unref(transfer);
}

static void take(const struct side *side, jingle_transfer *transfer)
{
    jingle_file_sink sink;
    jingle_file_sink_init(&sink);
    sink.folder = side->sides->folder;
    jingle_status status = jingle_transfer_accept(transfer, &sink);
    if (status != JINGLE_OK) {
        die("The file cannot be taken", jingle_strerror(status));
    }
}

static void take_event(struct side *side, const jingle_event *event)
{
    if (event->type == JINGLE_EVENT_OFFLINE) {
        die("Offline", event->text);
    } else if (event->type == JINGLE_EVENT_ONLINE) {
        side->idle_kib = memory_kib("VmRSS:");
        answer(side, 0);
    } else if (event->type == JINGLE_EVENT_FILE_OFFERED) {
        take(side, event->transfer);
    } else if (event->type == JINGLE_EVENT_TRANSFER_ENDED) {
        if (event->status != JINGLE_OK) {
            die("The file did not arrive", event->text);
        }
        if (side->sends) {
            answer(side, (double)(clock_now() - side->began) / USEC_PER_SEC);
        } else {
            unlink(event->u.transfer_ended.path);
        }
    }
}

static void take_order(struct side *side)
{
    struct order order;
    if (recv(side->control, &order, sizeof order, 0) != sizeof order) {
        exit(1);
    }
    if (order.what == SEND) {
        offer(side, &order);
    } else {
        answer(side, (double)(memory_kib("VmHWM:") - side->idle_kib));
        side->over = true;
    }
}

static void run_child(const struct file_sides *sides, bool sends, int control)
{
    struct side side = {.sides = sides, .sends = sends, .control = control};
    const jingle_event *event;
    make_client(&side);
    struct pollfd watched[2] = {{.fd = jingle_client_fd(side.client), .events = POLLIN},
                                {.fd = control, .events = POLLIN}};
    while (!side.over) {
        poll(watched, 2, -1);
        while ((event = jingle_client_next_event(side.client))) {
            take_event(&side, event);
        }
        if (watched[1].revents) {
            take_order(&side);
        }
    }
    jingle_client_free(side.client);
    _exit(0);
}

/* -- the parent -- */

static double await(const struct file_sides *sides, int who)
{
    double value;
    if (recv(sides->control[who], &value, sizeof value, 0) != sizeof value) {
        die(who == ALICE ? "The sender" : "The receiver", "is gone");
    }
    return value;
}

static void give_order(const struct file_sides *sides, int who, const struct order *order)
{
    if (send(sides->control[who], order, sizeof *order, MSG_NOSIGNAL) != sizeof *order) {
        die("send", "a process is gone");
    }
}

void file_sides_start(struct file_sides *sides)
{
    fflush(NULL);
    for (int who = BOB; who >= ALICE; who--) {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
            die("socketpair", "none");
        }
        sides->control[who] = ends[0];
        sides->children[who] = fork();
        if (sides->children[who] == 0) {
            close(ends[0]);
            run_child(sides, who == ALICE, ends[1]);
        }
        close(ends[1]);
        await(sides, who);
    }
}

double file_sides_send(struct file_sides *sides, const char *path, jingle_way way)
{
    struct order order = {.what = SEND, .way = way};
    snprintf(order.path, sizeof order.path, "%s", path);
    give_order(sides, ALICE, &order);
    return await(sides, ALICE);
}

long file_sides_end(struct file_sides *sides)
{
    const struct order order = {.what = END};
    double most = 0;
    for (int who = ALICE; who <= BOB; who++) {
        give_order(sides, who, &order);
        double kib = await(sides, who);
        most = kib > most ? kib : most;
        waitpid(sides->children[who], NULL, 0);
        close(sides->control[who]);
    }
    return (long)most;
}
