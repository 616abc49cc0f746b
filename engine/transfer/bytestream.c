#include "transfer/bytestream.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* A peer that vanished is noticed within about a minute and a half. */
enum { KEEP_IDLE = 30, KEEP_INTERVAL = 15, KEEP_COUNT = 4 };

static void prepare_tcp(int fd)
{
    static const struct {
        int level;
        int name;
        int value;
    } options[] = {
        {SOL_SOCKET, SO_KEEPALIVE, 1},          {IPPROTO_TCP, TCP_NODELAY, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE}, {IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL},
        {IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        /* a stream without them works, too */
        (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int));
    }
}

bool bytestream_prepare(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        return false;
    }
    int domain = AF_UNSPEC;
    socklen_t size = sizeof domain;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0) {
        return false;
    }
    if (domain == AF_INET || domain == AF_INET6) {
        prepare_tcp(fd);
    }
    return true;
}

bool bytestream_pair(int fds[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0;
}

void bytestream_local_host(int fd, char out[ADDRESS_TEXT_SIZE])
{
    union address address = {.v6 = {0}};
    socklen_t size = sizeof address;
    out[0] = 0;
    if (getsockname(fd, &address.any, &size) == 0) {
        (void)address_to_text(&address, out);
    }
}
