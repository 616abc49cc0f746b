/* Puts a file on a server by HTTPS, as XEP-0363 tells: one PUT, with the headers that the server
 * asked for. On a thread of its own, for a name look-up and a disk may take their time.
 *
 * The server's certificate is verified; redirects are not followed, and no proxy is asked. Only
 * 200 and 201 mean that the file is there. */
#ifndef JINGLE_TRANSFER_HTTP_PUT_H
#define JINGLE_TRANSFER_HTTP_PUT_H

#include "transfer/byte_ends.h"
#include "transfer/progress.h"

#include <stdbool.h>

enum { HTTP_HEADERS_MAX = 3, HTTP_TEXT_SIZE = 256 };

/* Nothing went either way for so long. */
#define HTTP_CONNECT_LIMIT (20 * USEC_PER_SEC)
#define HTTP_STALL_LIMIT   (60 * USEC_PER_SEC)

struct http_header {
    const char *name;
    const char *value;
};

enum http_put_event_kind {
    HTTP_PUT_PROGRESS, /* at most 4 a second, and once at the end */
    HTTP_PUT_ENDED     /* the last event */
};

struct http_put_event {
    enum http_put_event_kind kind;
    struct progress progress;
    enum transfer_status status; /* of our side: CANCELED, READ, CHANGED, LIMIT; else OK */
    bool stored;                 /* the server has it */
    char text[HTTP_TEXT_SIZE];   /* why not; "" if `status` says it */
};

/* All text is copied. */
struct http_put_config {
    const char *url;
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    const char *media_type; /* may be NULL */
    struct byte_source source;
    uint64_t size;
    const char *ca_file; /* trusted besides the system's authorities; may be NULL */
    uint64_t rate_limit; /* bytes/s; 0: none */
    usec stall_limit;    /* whole seconds; 0: HTTP_STALL_LIMIT */
    /* On the thread of this. */
    void (*event)(void *user, const struct http_put_event *event);
    void *user;
};

struct http_put;

/* Starts at once. NULL if there are no threads or memory left. */
struct http_put *http_put_new(const struct http_put_config *config);

/* Any thread, but for free not the put's own. */
void http_put_set_rate_limit(struct http_put *put, uint64_t bytes_per_second);
void http_put_cancel(struct http_put *put);
/* Cancels, and waits for the thread. */
void http_put_free(struct http_put *put);

#endif
