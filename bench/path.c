#include "path.h"

#include "peers.h"
#include "signaling/xml.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ENDPOINTS_MAX 32
#define DATAGRAM_MAX  2048
#define STANZA_MAX    (256 * 1024)

/* A socket address of one side, and the path's socket that stands for it at the other side. */
struct endpoint {
    int side;
    int fd;
    struct sockaddr_in real;
};

/* What is under way. */
struct parcel {
    struct parcel *next;
    usec due;
    int fd;
    struct sockaddr_in to; /* of a datagram */
    size_t bytes;
    char data[];
};

struct path {
    int ends[2];
    usec delay;
    struct endpoint endpoints[ENDPOINTS_MAX];
    int count;
    struct parcel *first;
    struct parcel **last;
    bool ending; /* an end is closed: what is under way still arrives */
};

static void send_later(struct path *path, int fd, const struct sockaddr_in *to, const void *data,
                       size_t bytes)
{
    struct parcel *parcel = g_malloc0(sizeof *parcel + bytes);
    parcel->due = clock_now() + path->delay;
    parcel->fd = fd;
    parcel->bytes = bytes;
    if (to) {
        parcel->to = *to;
    }
    memcpy(parcel->data, data, bytes);
    *path->last = parcel;
    path->last = &parcel->next;
}

static void send_due(struct path *path)
{
    while (path->first && path->first->due <= clock_now()) {
        struct parcel *parcel = path->first;
        path->first = parcel->next;
        if (!path->first) {
            path->last = &path->first;
        }
        if (parcel->to.sin_family) {
            sendto(parcel->fd, parcel->data, parcel->bytes, 0, (struct sockaddr *)&parcel->to,
                   sizeof parcel->to);
        } else {
            send(parcel->fd, parcel->data, parcel->bytes, MSG_NOSIGNAL);
        }
        g_free(parcel);
    }
}

/* The path's socket that stands for this address; -1 if there are too many. */
static int socket_for(struct path *path, int side, const struct sockaddr_in *real)
{
    for (int i = 0; i < path->count; i++) {
        struct endpoint *e = &path->endpoints[i];
        if (e->side == side && e->real.sin_port == real->sin_port &&
            e->real.sin_addr.s_addr == real->sin_addr.s_addr) {
            return e->fd;
        }
    }
    if (path->count == ENDPOINTS_MAX) {
        return -1;
    }
    struct endpoint *e = &path->endpoints[path->count++];
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    e->side = side;
    e->real = *real;
    e->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (e->fd < 0 || bind(e->fd, (struct sockaddr *)&any, sizeof any) < 0) {
        perror("A socket of the path");
        exit(1);
    }
    return e->fd;
}

static void rewrite_candidate(struct path *path, int side, xml_node *candidate)
{
    uint64_t port;
    struct sockaddr_in real = {.sin_family = AF_INET};
    const char *ip = xml_attribute(candidate, "ip");
    if (!ip || inet_pton(AF_INET, ip, &real.sin_addr) != 1 ||
        !xml_attribute_number(candidate, "port", 65535, &port)) {
        xml_set(candidate, "protocol", "tcp"); /* IPv6: the path has none, so nobody may use it */
        return;
    }
    real.sin_port = htons((uint16_t)port);
    int fd = socket_for(path, side, &real);
    struct sockaddr_in here = {0};
    socklen_t length = sizeof here;
    if (fd >= 0 && getsockname(fd, (struct sockaddr *)&here, &length) == 0) {
        xml_set(candidate, "ip", "127.0.0.1");
        xml_set_number(candidate, "port", ntohs(here.sin_port));
    }
}

static void rewrite_candidates(struct path *path, int side, const xml_node *node)
{
    XML_EACH (child, node) {
        if (strcmp(xml_name(child), "candidate") == 0) {
            rewrite_candidate(path, side, (xml_node *)child);
        } else {
            rewrite_candidates(path, side, child);
        }
    }
}

static void carry_message(struct path *path, int side)
{
    static char message[STANZA_MAX + 1];
    ssize_t bytes = recv(path->ends[side], message, STANZA_MAX, 0);
    if (bytes <= 0) {
        path->ends[side] = -1;
        path->ending = true;
        return;
    }
    struct xml *stanza =
        message[0] == PEER_STANZA ? xml_parse(message + 1, (size_t)bytes - 1) : NULL;
    if (!stanza) {
        send_later(path, path->ends[!side], NULL, message, (size_t)bytes);
        return;
    }
    rewrite_candidates(path, side, xml_root(stanza));
    char *text = xml_to_string(xml_root(stanza));
    GString *out = g_string_new(NULL);
    g_string_append_c(out, PEER_STANZA);
    g_string_append(out, text);
    send_later(path, path->ends[!side], NULL, out->str, out->len);
    g_string_free(out, TRUE);
    free(text);
    xml_free(stanza);
}

static void carry_datagram(struct path *path, const struct endpoint *to)
{
    char data[DATAGRAM_MAX];
    struct sockaddr_in from = {0};
    socklen_t length = sizeof from;
    ssize_t bytes = recvfrom(to->fd, data, sizeof data, 0, (struct sockaddr *)&from, &length);
    struct sockaddr_in real = to->real; /* `to` may move when an endpoint is added */
    int sender = bytes > 0 ? socket_for(path, !to->side, &from) : -1;
    if (sender >= 0) {
        send_later(path, sender, &real, data, (size_t)bytes);
    }
}

static void run(struct path *path)
{
    while (!path->ending || path->first) {
        struct pollfd fds[ENDPOINTS_MAX + 2];
        int count = path->count;
        for (int i = 0; i < 2; i++) {
            fds[i] = (struct pollfd){path->ends[i], POLLIN, 0};
        }
        for (int i = 0; i < count; i++) {
            fds[2 + i] = (struct pollfd){path->endpoints[i].fd, POLLIN, 0};
        }
        usec wait = path->first ? MAX(path->first->due - clock_now(), 0) : USEC_PER_SEC;
        struct timespec time = {wait / USEC_PER_SEC, wait % USEC_PER_SEC * 1000};
        ppoll(fds, (nfds_t)count + 2, &time, NULL);
        send_due(path);
        for (int i = 0; i < 2; i++) {
            if (fds[i].revents) {
                carry_message(path, i);
            }
        }
        for (int i = 0; i < count; i++) {
            if (fds[2 + i].revents) {
                carry_datagram(path, &path->endpoints[i]);
            }
        }
    }
}

pid_t path_start(const int ends[2], const int others[2], usec delay)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(others[0]);
        close(others[1]);
        static struct path path;
        path.ends[0] = ends[0];
        path.ends[1] = ends[1];
        path.delay = delay;
        path.last = &path.first;
        run(&path);
        exit(0);
    }
    return child;
}
