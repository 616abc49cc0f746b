/* How fast a file moves over loopback from one process to another: by the library, and by the least
 * that does the same, in alternating runs. The server is a Prosody of the bench's own, without
 * limits.
 *
 *     loop     read ─▶ sha-256 ─▶ send ═▶ receive ─▶ sha-256 ─▶ write, fsync   (file_loop.h)
 *     socks5   the same file from client to client, from the offer to the end   (file_sides.h)
 *     proxy    likewise through the server's proxy (XEP-0065)
 *     pump     IQs of in-band bytestreams over bare streams                     (stanza_pump.h)
 *     managed  likewise with stream management, as our own streams have it
 *     inband   a file in-band, in as many IQs of that size                      (file_sides.h)
 */
#include "file_loop.h"
#include "file_sides.h"
#include "stanza_pump.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As the engine does it with another engine. */
enum { MIB = 1024 * 1024, IN_BAND_BLOCK = 4096, IN_BAND_WINDOW = 16 };

struct server {
    char host[64];
    char domain[64];
    char ca_file[256];
    char directory[256];
    char port[16];
    char tls_port[16];
};

struct bench {
    unsigned mib; /* of the file that goes directly */
    unsigned proxy_mib;
    unsigned in_band_mib;
    unsigned pairs;
    char folder[256];
    struct server server;
    struct file_sides sides;
    struct stanza_pump pump;
};

struct rates {
    double loop, socks5, proxy, pump, managed_pump, in_band;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* -- the server -- */

static void take_line(struct server *server, const char *line)
{
    const struct {
        const char *name;
        char *value;
        size_t size;
    } known[] = {{"HOST=", server->host, sizeof server->host},
                 {"PORT=", server->port, sizeof server->port},
                 {"TLS_PORT=", server->tls_port, sizeof server->tls_port},
                 {"DOMAIN=", server->domain, sizeof server->domain},
                 {"CA_FILE=", server->ca_file, sizeof server->ca_file},
                 {"DIR=", server->directory, sizeof server->directory}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t length = strlen(known[i].name);
        if (strncmp(line, known[i].name, length) == 0) {
            snprintf(known[i].value, known[i].size, "%.*s", (int)strcspn(line + length, "\n"),
                     line + length);
        }
    }
}

static void start_server(struct server *server)
{
    char line[512];
    FILE *told =
        popen(PRIVATE_SERVER " start --account alice --account bob --proxy --log info", "re");
    while (told && fgets(line, sizeof line, told)) {
        take_line(server, line);
    }
    if (!told || pclose(told) != 0) {
        fputs("There is no server to send through.\n", stderr);
        exit(1);
    }
}

/* For what is done at exit, of this process and not of its children. */
static const struct bench *to_clean_up;
static pid_t own_pid;

static void remove_file(const struct bench *bench, const char *name)
{
    char path[320];
    snprintf(path, sizeof path, "%s/%s", bench->folder, name);
    (void)remove(path);
}

static void clean_up(void)
{
    static const char *const names[] = {"direct", "proxy", "in-band", "loop", "received", ""};
    char command[512];
    if (getpid() != own_pid) {
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        remove_file(to_clean_up, names[i]);
    }
    if (*to_clean_up->server.directory) {
        snprintf(command, sizeof command, PRIVATE_SERVER " stop '%s'",
                 to_clean_up->server.directory);
        (void)!system(command);
    }
}

/* -- runs -- */

static void make_file(const struct bench *bench, const char *name, unsigned mib)
{
    char path[320];
    uint64_t state = 88172645463325252ULL;
    uint64_t *block = malloc(MIB);
    snprintf(path, sizeof path, "%s/%s", bench->folder, name);
    FILE *file = fopen(path, "we");
    for (unsigned written = 0; file && written < mib; written++) {
        for (size_t i = 0; i < MIB / sizeof *block; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            block[i] = state;
        }
        if (fwrite(block, MIB, 1, file) != 1) {
            die(path);
        }
    }
    if (!file || fclose(file) != 0) {
        die(path);
    }
    free(block);
}

static double loop_rate(const struct bench *bench)
{
    char source[320];
    char target[320];
    snprintf(source, sizeof source, "%s/direct", bench->folder);
    snprintf(target, sizeof target, "%s/loop", bench->folder);
    double seconds = file_loop(source, target);
    unlink(target);
    return bench->mib / seconds;
}

static double way_rate(struct bench *bench, const char *name, unsigned mib, jingle_way way)
{
    char source[320];
    snprintf(source, sizeof source, "%s/%s", bench->folder, name);
    return mib / file_sides_send(&bench->sides, source, way);
}

static double pump_rate(const struct bench *bench, bool managed)
{
    unsigned blocks = bench->in_band_mib * (MIB / IN_BAND_BLOCK);
    struct stanza_pump pump = bench->pump;
    pump.managed = managed;
    return bench->in_band_mib / stanza_pump(&pump, blocks);
}

static void keep_best(double *best, double rate)
{
    *best = rate > *best ? rate : *best;
}

static void measure(struct bench *bench)
{
    struct rates best = {0};
    printf("%4s %9s %9s %7s %9s %9s %9s %9s %7s   MiB/s\n", "pair", "loop", "socks5", "ratio",
           "proxy", "managed", "pump", "inband", "ratio");
    for (unsigned pair = 1; pair <= bench->pairs; pair++) {
        struct rates now;
        now.loop = loop_rate(bench);
        now.socks5 = way_rate(bench, "direct", bench->mib, JINGLE_WAY_DIRECT);
        now.proxy = way_rate(bench, "proxy", bench->proxy_mib, JINGLE_WAY_PROXY);
        now.managed_pump = pump_rate(bench, true);
        now.pump = pump_rate(bench, false);
        now.in_band = way_rate(bench, "in-band", bench->in_band_mib, JINGLE_WAY_INBAND);
        printf("%4u %9.0f %9.0f %7.3f %9.1f %9.2f %9.2f %9.2f %7.3f\n", pair, now.loop, now.socks5,
               now.socks5 / now.loop, now.proxy, now.managed_pump, now.pump, now.in_band,
               now.in_band / now.pump);
        fflush(stdout);
        keep_best(&best.loop, now.loop);
        keep_best(&best.socks5, now.socks5);
        keep_best(&best.proxy, now.proxy);
        keep_best(&best.managed_pump, now.managed_pump);
        keep_best(&best.pump, now.pump);
        keep_best(&best.in_band, now.in_band);
    }
    printf("{\"loop_mib_s\": %.1f, \"socks5_mib_s\": %.1f, \"socks5_ratio\": %.3f, "
           "\"proxy_mib_s\": %.1f, \"pump_mib_s\": %.2f, \"inband_mib_s\": %.2f, "
           "\"inband_ratio\": %.3f, \"managed_pump_mib_s\": %.2f, \"inband_managed_ratio\": %.3f, "
           "\"rss_extra_kib\": %ld}\n",
           best.loop, best.socks5, best.socks5 / best.loop, best.proxy, best.pump, best.in_band,
           best.in_band / best.pump, best.managed_pump, best.in_band / best.managed_pump,
           file_sides_end(&bench->sides));
}

static void prepare(struct bench *bench, char folder[320])
{
    struct server *server = &bench->server;
    to_clean_up = bench;
    own_pid = getpid();
    (void)atexit(clean_up);
    start_server(server);
    make_file(bench, "direct", bench->mib);
    make_file(bench, "proxy", bench->proxy_mib);
    make_file(bench, "in-band", bench->in_band_mib);
    snprintf(folder, 320, "%s/received", bench->folder);
    if (mkdir(folder, 0700) < 0) {
        die(folder);
    }
    bench->pump = (struct stanza_pump){
        .host = server->host,
        .tls_port = (uint16_t)strtoul(server->tls_port, NULL, 10),
        .domain = server->domain,
        .ca_file = server->ca_file,
        .block = IN_BAND_BLOCK,
        .window = IN_BAND_WINDOW,
    };
    bench->sides = (struct file_sides){
        .host = server->host,
        .port = (uint16_t)strtoul(server->port, NULL, 10),
        .domain = server->domain,
        .ca_file = server->ca_file,
        .folder = folder,
    };
}

static const char usage[] =
    "bench_files [--mib 512] [--proxy-mib 128] [--inband-mib 16] [--pairs 5] [--dir /dev/shm]\n";

static void read_options(struct bench *bench, int argc, char **argv, const char **dir)
{
    static const struct option options[] = {{"mib", required_argument, NULL, 'm'},
                                            {"proxy-mib", required_argument, NULL, 'x'},
                                            {"inband-mib", required_argument, NULL, 'i'},
                                            {"pairs", required_argument, NULL, 'p'},
                                            {"dir", required_argument, NULL, 'd'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) >= 0;) {
        unsigned number = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;
        switch (option) {
        case 'm':
            bench->mib = number;
            break;
        case 'x':
            bench->proxy_mib = number;
            break;
        case 'i':
            bench->in_band_mib = number;
            break;
        case 'p':
            bench->pairs = number;
            break;
        case 'd':
            *dir = optarg;
            break;
        default:
            fputs(usage, stdout);
            exit(option == 'h' ? 0 : 2);
        }
    }
}

int main(int argc, char **argv)
{
    char folder[320];
    const char *dir = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    static struct bench bench = {.mib = 512, .proxy_mib = 128, .in_band_mib = 16, .pairs = 5};
    read_options(&bench, argc, argv, &dir);
    snprintf(bench.folder, sizeof bench.folder, "%s/jingle-files-XXXXXX", dir);
    if (!mkdtemp(bench.folder)) {
        die(dir);
    }
    prepare(&bench, folder);
    file_sides_start(&bench.sides);
    measure(&bench);
    return 0;
}
