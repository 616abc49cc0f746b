#include "unit/engine/router.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVICE "urn:schemas-upnp-org:service:WANIPConnection:1"

static const char description[] =
    "<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\"><device>"
    "<deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><deviceList>"
    "<device><deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType><deviceList><device>"
    "<deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType><serviceList>"
    "<service><serviceType>" SERVICE "</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1"
    "</serviceId><controlURL>/control</controlURL><eventSubURL>/event</eventSubURL>"
    "<SCPDURL>/scpd.xml</SCPDURL></service></serviceList></device></deviceList></device>"
    "</deviceList></device></root>";

static void answer(int fd, const char *status, const char *body)
{
    char text[4096];
    int size = snprintf(text, sizeof text,
                        "HTTP/1.1 %s\r\nContent-Type: text/xml\r\nContent-Length: %zu\r\n"
                        "Connection: close\r\n\r\n%s",
                        status, strlen(body), body);
    send(fd, text, (size_t)size, MSG_NOSIGNAL);
}

static void answer_call(int fd, const char *call, const char *arguments)
{
    char body[1024];
    snprintf(body, sizeof body,
             "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/"
             "envelope/\"><s:Body><u:%sResponse xmlns:u=\"" SERVICE "\">%s</u:%sResponse>"
             "</s:Body></s:Envelope>",
             call, arguments, call);
    answer(fd, "200 OK", body);
}

static void read_argument(const char *request, const char *name, char *out, size_t size)
{
    char tag[64];
    snprintf(tag, sizeof tag, "<%s>", name);
    const char *value = strstr(request, tag);
    const char *end = value ? strchr(value, '/') : NULL;
    int length = end ? (int)(end - 1 - value - (long)strlen(tag)) : 0;
    snprintf(out, size, "%.*s", length, value ? value + strlen(tag) : "");
}

static void add_mapping(struct router *router, int fd, const char *request)
{
    char lease[16];
    read_argument(request, "NewLeaseDuration", lease, sizeof lease);
    if (router->permanent_only && strcmp(lease, "0") != 0) {
        router->refused++;
        answer(fd, "500 Internal Server Error",
               "<s:Envelope><s:Body><s:Fault><detail><UPnPError><errorCode>725</errorCode>"
               "</UPnPError></detail></s:Fault></s:Body></s:Envelope>");
        return;
    }
    read_argument(request, "NewInternalClient", router->client, sizeof router->client);
    read_argument(request, "NewExternalPort", router->port, sizeof router->port);
    router->added++;
    answer_call(fd, "AddPortMapping", "");
}

static void take_request(struct router *router, int fd, const char *request)
{
    char arguments[128];
    if (strncmp(request, "GET ", 4) == 0) {
        answer(fd, "200 OK", description);
    } else if (strstr(request, "#GetExternalIPAddress")) {
        snprintf(arguments, sizeof arguments, "<NewExternalIPAddress>%s</NewExternalIPAddress>",
                 router->outside);
        answer_call(fd, "GetExternalIPAddress", arguments);
        sem_post(&router->was_asked);
    } else if (strstr(request, "#AddPortMapping")) {
        add_mapping(router, fd, request);
    } else if (strstr(request, "#DeletePortMapping")) {
        router->deleted++;
        answer_call(fd, "DeletePortMapping", "");
        sem_post(&router->has_deleted);
    } else {
        answer(fd, "404 Not Found", "");
    }
}

static bool is_complete(const char *request)
{
    const char *body = strstr(request, "\r\n\r\n");
    const char *length = strcasestr(request, "content-length:");
    size_t wanted = length ? strtoul(length + strlen("content-length:"), NULL, 10) : 0;
    return body && strlen(body + 4) >= wanted;
}

static void serve(struct router *router, int fd)
{
    char request[8192] = "";
    size_t size = 0;
    while (!is_complete(request)) {
        ssize_t count = recv(fd, request + size, sizeof request - 1 - size, 0);
        if (count <= 0) {
            close(fd);
            return;
        }
        size += (size_t)count;
        request[size] = '\0';
    }
    take_request(router, fd, request);
    close(fd);
}

static void *run(void *user)
{
    struct router *router = user;
    for (;;) {
        struct pollfd fds[2] = {{router->fd, POLLIN, 0}, {router->quit[0], POLLIN, 0}};
        poll(fds, 2, -1);
        if (fds[1].revents) {
            return NULL;
        }
        int fd = accept(router->fd, NULL, NULL);
        if (fd >= 0) {
            serve(router, fd);
        }
    }
}

void router_start(struct router *router)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    sem_init(&router->has_deleted, 0, 0);
    sem_init(&router->was_asked, 0, 0);
    router->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(router->fd, (struct sockaddr *)&address, size) != 0 || listen(router->fd, 8) != 0 ||
        getsockname(router->fd, (struct sockaddr *)&address, &size) != 0 ||
        pipe(router->quit) != 0 || pthread_create(&router->thread, NULL, run, router) != 0) {
        abort();
    }
    snprintf(router->url, sizeof router->url, "http://127.0.0.1:%u/description.xml",
             ntohs(address.sin_port));
}

void router_stop(struct router *router)
{
    if (write(router->quit[1], "", 1) != 1) {
        abort();
    }
    pthread_join(router->thread, NULL);
    close(router->quit[0]);
    close(router->quit[1]);
    close(router->fd);
    sem_destroy(&router->has_deleted);
    sem_destroy(&router->was_asked);
}
