#include "unit/transfer/https_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void insist(bool good)
{
    if (!good) {
        fprintf(stderr, "The test's server of HTTPS cannot go on.\n");
        abort();
    }
}

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *made = X509_new();
    X509_NAME *name = X509_get_subject_name(made);
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    X509_gmtime_adj(X509_getm_notBefore(made), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made), 3600);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1,
                               0);
    X509_set_issuer_name(made, name);
    X509_set_pubkey(made, key);
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(made, names, -1);
    X509_EXTENSION_free(names);
    insist(X509_sign(made, key, EVP_sha256()) > 0);
    return made;
}

static SSL_CTX *make_tls(const char *path)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = make_certificate(key);
    FILE *file = fopen(path, "w");
    insist(file && PEM_write_X509(file, certificate) && fclose(file) == 0);
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    insist(SSL_CTX_use_certificate(tls, certificate) == 1 && SSL_CTX_use_PrivateKey(tls, key) == 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return tls;
}

static void wait_for_the_end(struct https_server *server)
{
    struct pollfd quit = {server->quit[0], POLLIN, 0};
    poll(&quit, 1, -1);
}

/* False if the client is gone before the end. */
static bool read_request(struct https_server *server, SSL *ssl)
{
    size_t size = 0;
    char *end;
    while (!(end = strstr(server->head, "\r\n\r\n"))) {
        int count = SSL_read(ssl, server->head + size, (int)(sizeof server->head - 1 - size));
        if (count <= 0) {
            return false;
        }
        size += (size_t)count;
    }
    const char *length = strcasestr(server->head, "content-length:");
    size_t wanted = length ? strtoul(length + strlen("content-length:"), NULL, 10) : 0;
    if (strcasestr(server->head, "100-continue")) {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        SSL_write(ssl, go_on, sizeof go_on - 1);
    }
    server->body = calloc(1, wanted + 1);
    server->body_size = size - (size_t)(end + 4 - server->head);
    memcpy(server->body, end + 4, server->body_size);
    end[4] = '\0';
    while (!server->reads_nothing && server->body_size < wanted) {
        int count =
            SSL_read(ssl, server->body + server->body_size, (int)(wanted - server->body_size));
        if (count <= 0) {
            return false;
        }
        server->body_size += (size_t)count;
    }
    return true;
}

static void serve(struct https_server *server, int fd)
{
    SSL *ssl = SSL_new(server->tls);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1 && read_request(server, ssl)) {
        if (server->answer) {
            SSL_write(ssl, server->answer, (int)strlen(server->answer));
            SSL_shutdown(ssl);
        } else {
            wait_for_the_end(server);
        }
    }
    SSL_free(ssl);
    close(fd);
}

static void *run(void *user)
{
    struct https_server *server = user;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    struct pollfd fds[2] = {{server->fd, POLLIN, 0}, {server->quit[0], POLLIN, 0}};
    poll(fds, 2, -1);
    int fd = fds[0].revents ? accept(server->fd, NULL, NULL) : -1;
    if (fd >= 0) {
        serve(server, fd);
    }
    return NULL;
}

void https_server_start(struct https_server *server, const char *certificate)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    server->certificate = certificate;
    server->tls = make_tls(certificate);
    server->fd = socket(AF_INET, SOCK_STREAM, 0);
    insist(bind(server->fd, (struct sockaddr *)&address, size) == 0 && listen(server->fd, 4) == 0 &&
           getsockname(server->fd, (struct sockaddr *)&address, &size) == 0 &&
           pipe(server->quit) == 0);
    server->port = ntohs(address.sin_port);
    insist(pthread_create(&server->thread, NULL, run, server) == 0);
}

void https_server_stop(struct https_server *server)
{
    insist(write(server->quit[1], "", 1) == 1);
    pthread_join(server->thread, NULL);
    close(server->quit[0]);
    close(server->quit[1]);
    close(server->fd);
    SSL_CTX_free(server->tls);
}

void https_server_clear(struct https_server *server)
{
    free(server->body);
    server->body = NULL;
}
