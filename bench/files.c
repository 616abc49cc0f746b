/* How fast a file moves over loopback, from one process to another: by the engine's own parts
 * (SOCKS5 listener and dialer, movers, partial file) and by a bare loop that does the least that
 * must be done, on the same file in alternating runs.
 *
 *     loop:    read ─▶ sha-256 ─▶ send ═▶ receive ─▶ sha-256 ─▶ write, fsync
 *     mover:   the same through engine/transfer; the receiver compares hashes and renames
 *     kernel:  as mover, but the sender needs no hash: sendfile()
 */
#include "transfer/bytestream.h"
#include "transfer/file_mover.h"
#include "transfer/outgoing_file.h"
#include "transfer/partial_file.h"
#include "transfer/socks5_dialer.h"
#include "transfer/socks5_listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ADDRESS "972b7bf47291ca609517f67f86b5081086052dad"

enum { MIB = 1024 * 1024, LOOP_BUFFER = 256 * 1024 };

struct bench {
    const char *folder;
    char source[512];
    uint64_t size;
    int port_pipe[2]; /* the receiver tells its port to the sender */
    bool sender_hashes;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---------------------------------------------------------------------------- bare loop -- */

static void loop_send(const struct bench *bench)
{
    uint16_t port;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint8_t *buffer = malloc(LOOP_BUFFER);
    struct hasher *hasher = hasher_new(hash_bit(HASH_SHA_256));
    int file = open(bench->source, O_RDONLY);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (read(bench->port_pipe[0], &port, sizeof port) != sizeof port) {
        die("the receiver's port");
    }
    to.sin_port = htons(port);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        die("connect");
    }
    ssize_t count;
    while ((count = read(file, buffer, LOOP_BUFFER)) > 0) {
        hasher_add(hasher, buffer, (size_t)count);
        for (ssize_t at = 0, sent; at < count; at += sent) {
            sent = send(fd, buffer + at, (size_t)(count - at), MSG_NOSIGNAL);
            if (sent < 0) {
                die("send");
            }
        }
    }
    shutdown(fd, SHUT_WR);
    (void)!read(fd, buffer, 1); /* until the other side is done */
}

static void loop_receive(const struct bench *bench)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    char path[600];
    uint8_t *buffer = malloc(LOOP_BUFFER);
    struct hasher *hasher = hasher_new(hash_bit(HASH_SHA_256));
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listening, (struct sockaddr *)&at, size) < 0 || listen(listening, 1) < 0 ||
        getsockname(listening, (struct sockaddr *)&at, &size) < 0) {
        die("listen");
    }
    uint16_t port = ntohs(at.sin_port);
    if (write(bench->port_pipe[1], &port, sizeof port) != sizeof port) {
        die("the port");
    }
    int fd = accept(listening, NULL, NULL);
    snprintf(path, sizeof path, "%s/loop.out", bench->folder);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ssize_t count;
    while ((count = recv(fd, buffer, LOOP_BUFFER, 0)) > 0) {
        hasher_add(hasher, buffer, (size_t)count);
        if (write(file, buffer, (size_t)count) != count) {
            die("write");
        }
    }
    fsync(file);
    unlink(path);
}

/* ------------------------------------------------------------------------------- engine -- */

struct side {
    GMainContext *context;
    int fd;
    sem_t ended;
    struct mover_event last;
    struct file_mover *mover;
};

static void on_event(void *user, const struct mover_event *event)
{
    struct side *side = user;
    if (event->kind == MOVER_ENDED) {
        side->last = *event;
        sem_post(&side->ended);
    }
}

static void on_guest(void *user, int fd, const char *address)
{
    struct side *side = user;
    (void)address;
    side->fd = fd;
}

static void on_connected(void *user, int fd, const char *cid)
{
    struct side *side = user;
    (void)cid;
    side->fd = fd;
}

static void on_failed(void *user)
{
    (void)user;
    die("no connection");
}

static void move(struct side *side, const struct mover_config *config)
{
    sem_init(&side->ended, 0, 0);
    side->mover = file_mover_new(config);
    if (!side->mover) {
        die("mover");
    }
    if (config->receiving) {
        file_mover_finish(side->mover, NULL, 0);
    }
    while (sem_wait(&side->ended) < 0 && errno == EINTR) {
    }
    if (side->last.status != TRANSFER_OK) {
        die(transfer_status_text(side->last.status));
    }
}

static void engine_send(const struct bench *bench)
{
    enum transfer_status status;
    struct side side = {.context = g_main_context_new(), .fd = -1};
    struct dial_candidate candidate = {
        .cid = "direct", .host = "127.0.0.1", .priority = 1, .addresses = {ADDRESS}};
    const struct socks5_dialer_config config = {
        .context = side.context, .hooks = {on_connected, on_failed, &side}, .loopback = true};
    struct outgoing_file *file = outgoing_file_open(bench->source, &status);
    struct socks5_dialer *dialer = socks5_dialer_new(&config);
    if (read(bench->port_pipe[0], &candidate.port, sizeof candidate.port) < 0) {
        die("the receiver's port");
    }
    socks5_dialer_add(dialer, &candidate);
    while (side.fd < 0) {
        g_main_context_iteration(side.context, TRUE);
    }
    const struct mover_config moving = {
        .stream = side.fd,
        .source = outgoing_file_source(file),
        .end = bench->size,
        .algorithms = bench->sender_hashes ? hash_bit(HASH_SHA_256) : 0,
        .event = on_event,
        .user = &side,
    };
    char byte;
    move(&side, &moving);
    (void)fcntl(side.fd, F_SETFL, 0);
    (void)!read(side.fd, &byte, 1);
}

static void engine_receive(const struct bench *bench)
{
    enum transfer_status status;
    struct side side = {.context = g_main_context_new(), .fd = -1};
    const struct socks5_listener_config config = {.context = side.context};
    const struct file_identity identity = {
        .peer = "a@b", .name = "mover.out", .size = bench->size, .date = 1};
    struct socks5_listener *listener = socks5_listener_new(&config);
    struct partial_file *file = partial_file_open(bench->folder, &identity, &status);
    if (!file || !socks5_listener_expect(listener, ADDRESS, on_guest, &side)) {
        die("listener or file");
    }
    uint16_t port = socks5_listener_port(listener);
    if (write(bench->port_pipe[1], &port, sizeof port) != sizeof port) {
        die("the port");
    }
    while (side.fd < 0) {
        g_main_context_iteration(side.context, TRUE);
    }
    const struct mover_config moving = {
        .stream = side.fd,
        .receiving = true,
        .sink = partial_file_sink(file),
        .end = bench->size,
        .algorithms = hash_bit(HASH_SHA_256),
        .event = on_event,
        .user = &side,
    };
    move(&side, &moving);
    unlink(partial_file_path(file));
}

/* --------------------------------------------------------------------------------- runs -- */

typedef void (*side_fn)(const struct bench *bench);

static pid_t in_a_child(side_fn run, const struct bench *bench)
{
    pid_t child = fork();
    if (child == 0) {
        run(bench);
        _exit(0);
    }
    return child;
}

/* MiB/s of one run, and the receiver's highest memory. */
static double run(struct bench *bench, side_fn send_side, side_fn receive_side, long *rss_kib)
{
    struct rusage used;
    int how;
    if (pipe(bench->port_pipe) < 0) {
        die("pipe");
    }
    usec began = clock_now();
    pid_t receiver = in_a_child(receive_side, bench);
    pid_t sender = in_a_child(send_side, bench);
    if (wait4(receiver, &how, 0, &used) < 0 || how != 0) {
        fprintf(stderr, "The receiver failed.\n");
        exit(1);
    }
    double seconds = (double)(clock_now() - began) / USEC_PER_SEC;
    waitpid(sender, &how, 0);
    close(bench->port_pipe[0]);
    close(bench->port_pipe[1]);
    *rss_kib = used.ru_maxrss;
    return (double)bench->size / MIB / seconds;
}

static double best(double a, double b)
{
    return a > b ? a : b;
}

static void make_source(struct bench *bench)
{
    uint64_t state = 88172645463325252ULL;
    uint64_t *block = malloc(MIB);
    snprintf(bench->source, sizeof bench->source, "%s/source", bench->folder);
    FILE *file = fopen(bench->source, "w");
    for (uint64_t written = 0; file && written < bench->size; written += MIB) {
        for (size_t i = 0; i < MIB / sizeof *block; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            block[i] = state;
        }
        if (fwrite(block, MIB, 1, file) != 1) {
            die(bench->source);
        }
    }
    if (!file || fclose(file) != 0) {
        die(bench->source);
    }
    free(block);
}

static void measure(struct bench *bench, int pairs)
{
    double loop = 0;
    double mover = 0;
    double kernel = 0;
    long loop_rss = 0;
    long mover_rss = 0;
    long kernel_rss = 0;
    printf("%6s %10s %10s %10s %8s   MiB/s\n", "pair", "loop", "mover", "kernel", "ratio");
    for (int pair = 1; pair <= pairs; pair++) {
        double bare = run(bench, loop_send, loop_receive, &loop_rss);
        bench->sender_hashes = true;
        double moved = run(bench, engine_send, engine_receive, &mover_rss);
        bench->sender_hashes = false;
        double sent = run(bench, engine_send, engine_receive, &kernel_rss);
        printf("%6d %10.0f %10.0f %10.0f %8.3f\n", pair, bare, moved, sent, moved / bare);
        fflush(stdout);
        loop = best(loop, bare);
        mover = best(mover, moved);
        kernel = best(kernel, sent);
    }
    printf("{\"loop_mib_s\": %.1f, \"mover_mib_s\": %.1f, \"mover_ratio\": %.3f, "
           "\"kernel_mib_s\": %.1f, \"rss_extra_kib\": %ld}\n",
           loop, mover, mover / loop, kernel, mover_rss - loop_rss);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"mib", required_argument, NULL, 'm'},
                                            {"pairs", required_argument, NULL, 'p'},
                                            {"dir", required_argument, NULL, 'd'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    char folder[256];
    const char *dir = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    struct bench bench = {.size = UINT64_C(512) * MIB};
    int pairs = 5;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) >= 0;) {
        if (option == 'm') {
            bench.size = strtoull(optarg, NULL, 10) * MIB;
        } else if (option == 'p') {
            pairs = (int)strtol(optarg, NULL, 10);
        } else if (option == 'd') {
            dir = optarg;
        } else {
            printf("bench_files [--mib 512] [--pairs 5] [--dir /dev/shm]\n");
            return option == 'h' ? 0 : 2;
        }
    }
    snprintf(folder, sizeof folder, "%s/jingle-files-XXXXXX", dir);
    bench.folder = mkdtemp(folder);
    if (!bench.folder) {
        die(dir);
    }
    make_source(&bench);
    measure(&bench, pairs);
    unlink(bench.source);
    rmdir(bench.folder);
    return 0;
}
