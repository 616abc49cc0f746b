#include "transfer/http_put.h"

#include "base/thread.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* As file_mover.h: behind everything that a person hears or sees at once. */
enum { NICENESS = 10, BUFFER = 256 * 1024 };

struct http_put {
    struct http_put_config config; /* without its texts, which are curl's */
    CURL *curl;
    struct curl_slist *headers;
    pthread_t thread;
    _Atomic bool cancel;
    _Atomic uint64_t rate_limit;
    /* the thread's own */
    uint64_t limited_to;
    uint64_t at;
    struct progress progress;
    enum transfer_status status;
};

static curl_off_t speed(uint64_t rate_limit)
{
    return rate_limit > INT64_MAX ? 0 : (curl_off_t)rate_limit; /* which is no limit either */
}

/* ------------------------------------------------------------------------ what curl calls -- */

static size_t read_source(char *out, size_t size, size_t count, void *user)
{
    struct http_put *put = user;
    const struct byte_source *source = &put->config.source;
    uint64_t left = put->config.size - put->at;
    size_t wanted = left < size * count ? (size_t)left : size * count;
    size_t got = 0;
    put->status = source->read(source->user, put->at, (uint8_t *)out, wanted, &got);
    if (put->status == TRANSFER_OK && got < wanted) {
        put->status = TRANSFER_CHANGED;
    }
    if (put->status != TRANSFER_OK) {
        return CURL_READFUNC_ABORT;
    }
    put->at += got;
    return got;
}

/* Some servers want to see the beginning again, after a connection that was not used for long. */
static int seek_source(void *user, curl_off_t offset, int origin)
{
    struct http_put *put = user;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > put->config.size) {
        return CURL_SEEKFUNC_FAIL;
    }
    put->at = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* What the server has to say is for nobody. */
static size_t ignore(char *bytes, size_t size, size_t count, void *user)
{
    (void)bytes;
    (void)user;
    return size * count;
}

static void tell(struct http_put *put, const struct http_put_event *event)
{
    struct http_put_event out = *event;
    out.progress = put->progress;
    put->config.event(put->config.user, &out);
}

static int look_around(void *user, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    struct http_put *put = user;
    (void)down_total;
    (void)down;
    (void)up_total;
    uint64_t limit = atomic_load(&put->rate_limit);
    if (limit != put->limited_to) {
        put->limited_to = limit;
        curl_easy_setopt(put->curl, CURLOPT_MAX_SEND_SPEED_LARGE, speed(limit));
    }
    if (progress_set(&put->progress, (uint64_t)up, clock_now())) {
        tell(put, &(struct http_put_event){.kind = HTTP_PUT_PROGRESS});
    }
    return atomic_load(&put->cancel);
}

/* --------------------------------------------------------------------------- the thread -- */

static void judge(struct http_put *put, CURLcode result, struct http_put_event *event)
{
    const struct byte_source *source = &put->config.source;
    long code = 0;
    curl_easy_getinfo(put->curl, CURLINFO_RESPONSE_CODE, &code);
    event->status = put->status;
    if (event->status == TRANSFER_OK && atomic_load(&put->cancel)) {
        event->status = TRANSFER_CANCELED;
    }
    if (event->status == TRANSFER_OK && source->check) {
        event->status = source->check(source->user);
    }
    if (result != CURLE_OK) {
        snprintf(event->text, sizeof event->text, "%s.", curl_easy_strerror(result));
    } else if (code != 200 && code != 201) {
        snprintf(event->text, sizeof event->text, "It answered with HTTP status %ld.", code);
    } else {
        event->stored = event->status == TRANSFER_OK;
    }
}

static void *run(void *user)
{
    struct http_put *put = user;
    struct http_put_event ended = {.kind = HTTP_PUT_ENDED};
    (void)setpriority(PRIO_PROCESS, 0, NICENESS);
    progress_init(&put->progress, put->config.size, 0, clock_now());
    CURLcode result = curl_easy_perform(put->curl);
    judge(put, result, &ended);
    if (ended.stored) {
        progress_set(&put->progress, put->config.size, clock_now());
        tell(put, &(struct http_put_event){.kind = HTTP_PUT_PROGRESS});
    }
    tell(put, &ended);
    return NULL;
}

/* ------------------------------------------------------------------------------ setting up -- */

static void initialize(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool add_header(struct http_put *put, const char *name, const char *value)
{
    char *line;
    if (asprintf(&line, "%s: %s", name, value) < 0) {
        return false;
    }
    struct curl_slist *longer = curl_slist_append(put->headers, line);
    free(line);
    put->headers = longer ? longer : put->headers;
    return longer;
}

static bool add_headers(struct http_put *put, const struct http_put_config *config)
{
    bool good = !config->media_type || add_header(put, "Content-Type", config->media_type);
    for (size_t i = 0; i < config->header_count && i < HTTP_HEADERS_MAX; i++) {
        good = good && add_header(put, config->headers[i].name, config->headers[i].value);
    }
    return good;
}

static bool set_limits(struct http_put *put)
{
    usec stall = put->config.stall_limit ? put->config.stall_limit : HTTP_STALL_LIMIT;
    CURL *curl = put->curl;
    return curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                            (long)(HTTP_CONNECT_LIMIT / USEC_PER_MS)) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)(stall / USEC_PER_SEC)) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_MAX_SEND_SPEED_LARGE, speed(put->config.rate_limit)) ==
               CURLE_OK;
}

static bool set_request(struct http_put *put, const struct http_put_config *config)
{
    CURL *curl = put->curl;
    /* the file takes the place of what is trusted by default, the system's folder stays trusted */
    return curl_easy_setopt(curl, CURLOPT_URL, config->url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
           (!config->ca_file ||
            curl_easy_setopt(curl, CURLOPT_CAINFO, config->ca_file) == CURLE_OK) &&
           curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)config->size) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, put->headers) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
}

static bool set_functions(struct http_put *put)
{
    CURL *curl = put->curl;
    return curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_source) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_READDATA, put) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, seek_source) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SEEKDATA, put) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_around) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFODATA, put) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
}

static void release(struct http_put *put)
{
    curl_easy_cleanup(put->curl);
    curl_slist_free_all(put->headers);
    free(put);
}

struct http_put *http_put_new(const struct http_put_config *config)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, initialize);
    struct http_put *put = calloc(1, sizeof *put);
    if (!put) {
        return NULL;
    }
    put->config = *config;
    put->limited_to = config->rate_limit;
    atomic_store(&put->rate_limit, config->rate_limit);
    put->curl = curl_easy_init();
    if (put->curl && add_headers(put, config) && set_request(put, config) && set_limits(put) &&
        set_functions(put) && thread_start(&put->thread, NULL, run, put)) {
        return put;
    }
    release(put);
    return NULL;
}

void http_put_set_rate_limit(struct http_put *put, uint64_t bytes_per_second)
{
    atomic_store(&put->rate_limit, bytes_per_second);
}

void http_put_cancel(struct http_put *put)
{
    atomic_store(&put->cancel, true);
}

void http_put_free(struct http_put *put)
{
    if (!put) {
        return;
    }
    http_put_cancel(put);
    pthread_join(put->thread, NULL);
    release(put);
}
