#include "peers.h"

#include "path.h"
#include "signaling/jid.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGE_MAX (256 * 1024)

static void send_message(struct peer *peer, char kind, const void *data, size_t bytes)
{
    char *message = g_malloc(bytes + 1);
    message[0] = kind;
    memcpy(message + 1, data, bytes);
    if (send(peer->fd, message, bytes + 1, MSG_NOSIGNAL) < 0) {
        perror("The other process is gone");
        exit(1);
    }
    g_free(message);
}

static bool send_outside(void *user, const char *to, const char *xml)
{
    struct peer *peer = user;
    if (!jid_equal_bare(to, peer->is_caller ? PEER_CALLEE : PEER_CALLER)) {
        return false; /* for the server, which has nothing to offer, or for our other devices */
    }
    send_message(peer, PEER_STANZA, xml, strlen(xml));
    return true;
}

static void read_message(void *user)
{
    static char message[MESSAGE_MAX + 1];
    struct peer *peer = user;
    ssize_t bytes = recv(peer->fd, message, MESSAGE_MAX, 0);
    if (bytes <= 0) {
        fputs("The other process is gone.\n", stderr);
        exit(1);
    }
    message[bytes] = '\0';
    if (message[0] == PEER_STANZA) {
        switchboard_hand(peer->board, message + 1);
    } else {
        peer->note(peer, message + 1, (size_t)bytes - 1);
    }
}

static void pass_event(void *user, jingle_client *client, const jingle_event *event)
{
    (void)client;
    struct peer *peer = user;
    peer->event(peer, event);
}

static void print_log(void *user, jingle_log_level level, const char *line)
{
    (void)user;
    fprintf(stderr, "%d %s\n", (int)level, line);
}

static void make_client(struct peer *peer)
{
    jingle_client_config config;
    jingle_client_config_init(&config);
    config.jid = peer->is_caller ? PEER_CALLER : PEER_CALLEE;
    config.lab_loopback = true;
    config.log = print_log;
    jingle_status status = jingle_client_new_external(&config, &peer->client);
    if (status != JINGLE_OK) {
        fprintf(stderr, "No client: %s\n", jingle_strerror(status));
        exit(1);
    }
}

static void make_pair(int fds[2])
{
    int room = 4 * 1024 * 1024;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
        perror("socketpair");
        exit(1);
    }
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
}

/* The caller's end and the callee's end of what connects them. */
static void connect_ends(struct peer *peer, int ends[2])
{
    make_pair(ends);
    if (peer->delay == 0) {
        return;
    }
    int other[2];
    make_pair(other);
    int inside[2] = {ends[1], other[1]};
    int outside[2] = {ends[0], other[0]};
    peer->path = path_start(inside, outside, peer->delay);
    close(ends[1]);
    close(other[1]);
    ends[1] = other[0];
}

void peers_start(struct peer *peer)
{
    int ends[2];
    connect_ends(peer, ends);
    fflush(NULL);
    peer->child = fork();
    if (peer->child < 0) {
        perror("fork");
        exit(1);
    }
    peer->is_caller = peer->child != 0;
    peer->fd = ends[peer->is_caller ? 0 : 1];
    close(ends[peer->is_caller ? 1 : 0]);
    struct switchboard_hooks hooks = {
        .user = peer,
        .event = pass_event,
        .outside = send_outside,
        .fd = peer->fd,
        .readable = read_message,
    };
    peer->board = switchboard_new(&hooks);
    make_client(peer);
    switchboard_add(peer->board, peer->client, peer->is_caller ? PEER_CALLER : PEER_CALLEE, false);
    switchboard_add_outside(peer->board, peer->is_caller ? PEER_CALLEE : PEER_CALLER);
}

void peer_note(struct peer *peer, const void *note, size_t bytes)
{
    send_message(peer, PEER_NOTE, note, bytes);
}

void peer_run(struct peer *peer, bool (*done)(void *peer), int64_t timeout, const char *what)
{
    if (!switchboard_run(peer->board, done, peer, timeout)) {
        fprintf(stderr, "%s waited in vain for %s.\n",
                peer->is_caller ? "The caller" : "The callee", what);
        exit(1);
    }
}

static bool never(void *user)
{
    (void)user;
    return false;
}

void peer_run_for(struct peer *peer, int64_t time)
{
    switchboard_run(peer->board, never, NULL, time);
}

void peer_end(struct peer *peer)
{
    jingle_client_free(peer->client);
    switchboard_free(peer->board);
    close(peer->fd);
    if (!peer->is_caller) {
        exit(0);
    }
    int status;
    waitpid(peer->child, &status, 0);
    if (peer->path) {
        waitpid(peer->path, NULL, 0);
    }
    if (status != 0) {
        fputs("The callee's process failed.\n", stderr);
        exit(1);
    }
}
