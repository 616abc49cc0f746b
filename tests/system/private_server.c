#include "private_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

uint16_t free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        fail("a free port");
    close(fd);
    return ntohs(address.sin_port);
}

static void write_file(const struct private_server *server, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", server->directory, name);
    FILE *file = fopen(path, "we");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        fail(path);
}

static void make_directory(const struct private_server *server, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", server->directory, name);
    if (mkdir(path, 0700) != 0)
        fail(path);
}

static int run(const char *const arguments[])
{
    pid_t pid = fork();
    if (pid < 0)
        fail("fork");
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execvp(arguments[0], (char *const *)arguments);
        _exit(127);
    }
    return pid;
}

static void run_to_end(const char *const arguments[])
{
    int status = 0;
    if (waitpid(run(arguments), &status, 0) < 0 || status != 0)
        fail(arguments[0]);
}

static void make_certificate(struct private_server *server)
{
    char key[96];
    /* Where Prosody looks for what a host shows by SNI, which direct TLS needs. */
    snprintf(key, sizeof key, "%s/certs/jingle.test.key", server->directory);
    snprintf(server->certificate, sizeof server->certificate, "%s/certs/jingle.test.crt",
             server->directory);
    const char *const arguments[] = {"openssl",
                                     "req",
                                     "-x509",
                                     "-newkey",
                                     "ec",
                                     "-pkeyopt",
                                     "ec_paramgen_curve:P-256",
                                     "-nodes",
                                     "-days",
                                     "2",
                                     "-subj",
                                     "/CN=jingle.test",
                                     "-addext",
                                     "subjectAltName=DNS:jingle.test",
                                     "-keyout",
                                     key,
                                     "-out",
                                     server->certificate,
                                     NULL};
    run_to_end(arguments);
}

void private_server_make(struct private_server *server)
{
    memset(server, 0, sizeof *server);
    strcpy(server->directory, "/tmp/jingle-connection-XXXXXX");
    if (!mkdtemp(server->directory))
        fail(server->directory);
    make_directory(server, "certs");
    make_directory(server, "jingle%2etest");
    make_directory(server, "jingle%2etest/accounts");
    write_file(server, "jingle%2etest/accounts/romeo.dat",
               "return { [\"password\"] = \"secret\" };\n");
    make_certificate(server);
    server->port = free_port();
    server->direct_port = free_port();
}

static void write_configuration(const struct private_server *server, bool tls)
{
    static const char template[] =
        "run_as_root = true\n"
        "daemonize = false\n"
        "pidfile = '%1$s/prosody.pid'\n"
        "data_path = '%1$s'\n"
        "certificates = '%1$s/certs'\n"
        "interfaces = { '127.0.0.1' }\n"
        "c2s_ports = { %2$u }\n"
        "c2s_direct_tls_ports = { %3$u }\n"
        "legacy_ssl_ports = {}\n"
        "s2s_ports = {}\n"
        "modules_enabled = { 'roster', 'saslauth', 'disco', 'ping', 'carbons', 'smacks'%4$s }\n"
        "modules_disabled = { 's2s'%5$s }\n"
        "authentication = 'internal_plain'\n"
        "c2s_require_encryption = %6$s\n"
        "allow_unencrypted_plain_auth = true\n"
        "log = { info = '%1$s/log' }\n"
        "VirtualHost 'jingle.test'\n";
    char text[2048];
    snprintf(text, sizeof text, template, server->directory, server->port,
             tls ? server->direct_port : free_port(), tls ? ", 'tls'" : "", tls ? "" : ", 'tls'",
             tls ? "true" : "false");
    write_file(server, "prosody.cfg.lua", text);
}

static bool accepts(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = loopback(port);
    bool accepted = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return accepted;
}

void private_server_start(struct private_server *server, bool tls)
{
    write_configuration(server, tls);
    char path[128];
    snprintf(path, sizeof path, "%s/prosody.cfg.lua", server->directory);
    const char *const arguments[] = {"prosody", "--config", path, "-F", NULL};
    server->pid = run(arguments);
    for (int i = 0; i < 300; i++) {
        if (accepts(server->port) && (!tls || accepts(server->direct_port)))
            return;
        int status = 0;
        if (waitpid(server->pid, &status, WNOHANG) == server->pid)
            break;
        nanosleep(&(struct timespec){.tv_nsec = 100 * 1000 * 1000}, NULL);
    }
    fprintf(stderr, "Prosody does not start, see %s/log\n", server->directory);
    exit(1);
}

void private_server_stop(struct private_server *server)
{
    if (server->pid == 0)
        return;
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

void private_server_remove(struct private_server *server)
{
    private_server_stop(server);
    const char *const arguments[] = {"rm", "-rf", server->directory, NULL};
    run_to_end(arguments);
}
