#include "stanza_pump.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { INPUT_MAX = 256 * 1024 };

#define NS_SM "urn:xmpp:sm:3" /* XEP-0198 */

/* A stream, and what of it was read and not yet taken. */
struct stream {
    SSL *tls;
    bool managed;     /* each stanza is followed by a request for acknowledgement */
    unsigned handled; /* stanzas that came, for the answers to such requests */
    char input[INPUT_MAX];
    size_t got;
};

static void die(const char *what)
{
    fprintf(stderr, "The bare stanza pump: %s\n", what);
    exit(1);
}

static void put(struct stream *stream, const char *text)
{
    if (SSL_write(stream->tls, text, (int)strlen(text)) <= 0) {
        die("nothing can be written");
    }
}

static void put_stanza(struct stream *stream, const char *text)
{
    put(stream, text);
    if (stream->managed) {
        put(stream, "<r xmlns='" NS_SM "'/>"); /* on its own, as libstrophe does it */
    }
}

static void read_more(struct stream *stream)
{
    if (stream->got == INPUT_MAX) {
        die("a stanza is too long");
    }
    int count = SSL_read(stream->tls, stream->input + stream->got, (int)(INPUT_MAX - stream->got));
    if (count <= 0) {
        die("the stream ended");
    }
    stream->got += (size_t)count;
    /* Prosody leaves Nagle's delay on: what follows waits for our acknowledgement. */
    setsockopt(SSL_get_fd(stream->tls), IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
}

/* Where the next `end` ends, in what was read; 0: not there yet. */
static size_t find_end(const struct stream *stream, const char *end)
{
    const char *at = memmem(stream->input, stream->got, end, strlen(end));
    return at ? (size_t)(at - stream->input) + strlen(end) : 0;
}

static void drop(struct stream *stream, size_t count)
{
    stream->got -= count;
    memmove(stream->input, stream->input + count, stream->got);
}

static void await(struct stream *stream, const char *end)
{
    size_t size;
    while ((size = find_end(stream, end)) == 0) {
        read_more(stream);
    }
    drop(stream, size);
}

static void open_stream(struct stream *stream, const char *domain)
{
    char text[512];
    snprintf(text, sizeof text,
             "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
             "version='1.0' to='%s'>",
             domain);
    put(stream, text);
    await(stream, "</stream:features>");
}

static void log_in(struct stream *stream, const struct stanza_pump *pump, const char *name)
{
    char plain[128];
    unsigned char coded[256];
    char text[512];
    open_stream(stream, pump->domain);
    int size = snprintf(plain, sizeof plain, "%c%s%csecret", 0, name, 0);
    EVP_EncodeBlock(coded, (unsigned char *)plain, size);
    snprintf(text, sizeof text,
             "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%s</auth>", coded);
    put(stream, text);
    await(stream, "<success");
    await(stream, ">");
    open_stream(stream, pump->domain);
    put(stream, "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                "<resource>pump</resource></bind></iq>");
    await(stream, "</iq>");
    if (pump->managed) {
        put(stream, "<enable xmlns='" NS_SM "' resume='true'/>");
        await(stream, "<enabled");
        await(stream, ">");
        stream->managed = true;
    }
}

static void connect_tls(struct stream *stream, const struct stanza_pump *pump)
{
    int at_once = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(pump->tls_port)};
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    inet_pton(AF_INET, pump->host, &to.sin_addr);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        die("no connection");
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    SSL_CTX_load_verify_locations(context, pump->ca_file, NULL);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    stream->tls = SSL_new(context);
    SSL_set_fd(stream->tls, fd);
    SSL_set1_host(stream->tls, pump->domain);
    SSL_set_tlsext_host_name(stream->tls, pump->domain);
    if (SSL_connect(stream->tls) != 1) {
        die("no TLS");
    }
}

/* Where the first element ends, an IQ or one of stream management; 0: not there yet. */
static size_t element_end(const struct stream *stream)
{
    size_t tag = find_end(stream, ">");
    bool empty = tag > 1 && stream->input[tag - 2] == '/';
    return tag == 0 || empty ? tag : find_end(stream, "</iq>");
}

/* The next IQ: `*size` bytes at the begin of the input. False: read more. */
static bool next_iq(struct stream *stream, size_t *size)
{
    char text[64];
    while ((*size = element_end(stream)) != 0 && memcmp(stream->input, "<iq", 3) != 0) {
        bool asks = memcmp(stream->input, "<r", 2) == 0;
        drop(stream, *size);
        if (asks) {
            snprintf(text, sizeof text, "<a xmlns='" NS_SM "' h='%u'/>", stream->handled);
            put(stream, text);
        }
    }
    return *size != 0;
}

/* Answers what comes, until it is killed. */
static void run_receiver(struct stream *stream, const struct stanza_pump *pump)
{
    char text[256];
    for (;;) {
        size_t size;
        if (!next_iq(stream, &size)) {
            read_more(stream);
            continue;
        }
        stream->handled++;
        const char *id = memmem(stream->input, size, " id=", 4);
        if (!id) {
            die("an IQ without an id");
        }
        id += 5; /* and the quotation mark */
        snprintf(text, sizeof text, "<iq type='result' to='alice@%s/pump' id='%.*s'/>",
                 pump->domain, (int)strcspn(id, "'\""), id);
        put_stanza(stream, text);
        drop(stream, size);
    }
}

/* How many results are among what was read; takes them. */
static unsigned take_results(struct stream *stream)
{
    unsigned count = 0;
    size_t size;
    while (next_iq(stream, &size)) {
        if (!memmem(stream->input, size, "result", 6)) {
            die("an error came back");
        }
        drop(stream, size);
        stream->handled++;
        count++;
    }
    return count;
}

static void run_sender(struct stream *stream, const struct stanza_pump *pump, unsigned blocks)
{
    char *block = calloc(1, pump->block);
    char *coded = malloc(pump->block * 2);
    size_t room = pump->block * 2 + 512;
    char *text = malloc(room);
    EVP_EncodeBlock((unsigned char *)coded, (unsigned char *)block, (int)pump->block);
    for (unsigned sent = 0, answered = 0; answered < blocks; answered += take_results(stream)) {
        for (; sent < blocks && sent - answered < pump->window; sent++) {
            snprintf(text, room,
                     "<iq type='set' to='bob@%s/pump' id='jingle-%08u'><data "
                     "xmlns='http://jabber.org/protocol/ibb' seq='%u' "
                     "sid='0123456789abcdef'>%s</data></iq>",
                     pump->domain, sent, sent % 65536, coded);
            put_stanza(stream, text);
        }
        read_more(stream);
    }
    free(text);
    free(coded);
    free(block);
}

/* A child, and the pipe by which it tells that it is logged in, or how long it took. */
struct child {
    pid_t pid;
    int told;
};

static void run_child(const struct stanza_pump *pump, bool sends, unsigned blocks, int tell)
{
    struct stream *stream = calloc(1, sizeof *stream);
    connect_tls(stream, pump);
    log_in(stream, pump, sends ? "alice" : "bob");
    usec began = clock_now();
    double seconds = 0;
    if (sends) {
        run_sender(stream, pump, blocks);
        seconds = (double)(clock_now() - began) / USEC_PER_SEC;
    }
    (void)!write(tell, &seconds, sizeof seconds);
    if (!sends) {
        run_receiver(stream, pump);
    }
    _exit(0);
}

static struct child start(const struct stanza_pump *pump, bool sends, unsigned blocks)
{
    int ends[2];
    if (pipe(ends) < 0) {
        die("no pipe");
    }
    fflush(NULL);
    struct child child = {.pid = fork(), .told = ends[0]};
    if (child.pid == 0) {
        run_child(pump, sends, blocks, ends[1]);
    }
    close(ends[1]);
    return child;
}

static double hear(const struct child *child)
{
    double seconds;
    if (read(child->told, &seconds, sizeof seconds) != sizeof seconds) {
        die("it failed");
    }
    close(child->told);
    return seconds;
}

double stanza_pump(const struct stanza_pump *pump, unsigned blocks)
{
    struct child receiver = start(pump, false, blocks);
    hear(&receiver);
    struct child sender = start(pump, true, blocks);
    double seconds = hear(&sender);
    waitpid(sender.pid, NULL, 0);
    kill(receiver.pid, SIGKILL);
    waitpid(receiver.pid, NULL, 0);
    return seconds;
}
