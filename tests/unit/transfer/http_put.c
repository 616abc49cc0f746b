/* A file put on a server of HTTPS that the test plays. */
#include "transfer/http_put.h"
#include "transfer/memory_ends.h"
#include "unit/transfer/folder.h"
#include "unit/transfer/https_server.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 700000 };

#define CREATED "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"

/* What was told, and a file to tell it of. */
struct upload {
    struct http_put *put;
    struct memory_bytes memory;
    char url[64];
    unsigned reports;
    struct http_put_event ended;
    sem_t over;
};

static void on_event(void *user, const struct http_put_event *event)
{
    struct upload *upload = user;
    if (event->kind == HTTP_PUT_ENDED) {
        upload->ended = *event;
        sem_post(&upload->over);
    } else {
        upload->reports++;
    }
}

static struct http_put_config config_of(struct upload *upload, const struct https_server *server)
{
    upload->memory = (struct memory_bytes){.bytes = malloc(SIZE), .size = SIZE};
    for (size_t i = 0; i < SIZE; i++) {
        upload->memory.bytes[i] = (uint8_t)(i * 31);
    }
    sem_init(&upload->over, 0, 0);
    snprintf(upload->url, sizeof upload->url, "https://localhost:%u/a/b.png", server->port);
    return (struct http_put_config){
        .url = upload->url,
        .media_type = "image/png",
        .source = memory_source(&upload->memory),
        .size = SIZE,
        .ca_file = server->certificate,
        .event = on_event,
        .user = upload,
    };
}

static void begin(struct upload *upload, const struct http_put_config *config)
{
    upload->put = http_put_new(config);
    assert_non_null(upload->put);
}

static void await_end(struct upload *upload)
{
    while (sem_wait(&upload->over) != 0) {
    }
    http_put_free(upload->put);
}

static void clear(struct upload *upload, struct https_server *server)
{
    https_server_clear(server);
    sem_destroy(&upload->over);
    free(upload->memory.bytes);
}

/* A server that answers so. */
static void put_to(struct upload *upload, struct https_server *server)
{
    https_server_start(server, folder_path("server.pem"));
    struct http_put_config config = config_of(upload, server);
    begin(upload, &config);
    await_end(upload);
    https_server_stop(server);
}

static void test_a_file_is_stored_with_the_headers_that_were_asked_for(void **state)
{
    (void)state;
    struct upload upload = {0};
    struct https_server server = {.answer = CREATED};
    https_server_start(&server, folder_path("server.pem"));
    struct http_put_config config = config_of(&upload, &server);
    config.headers[0] = (struct http_header){"Authorization", "Basic abc"};
    config.header_count = 1;
    config.rate_limit = UINT64_MAX; /* as good as none */
    begin(&upload, &config);
    await_end(&upload);
    https_server_stop(&server);
    assert_true(upload.ended.stored);
    assert_int_equal(upload.ended.status, TRANSFER_OK);
    assert_int_equal(upload.ended.progress.done, SIZE);
    assert_true(upload.reports >= 1);
    assert_int_equal(server.body_size, SIZE);
    assert_memory_equal(server.body, upload.memory.bytes, SIZE);
    assert_int_equal(strncmp(server.head, "PUT /a/b.png HTTP/1.1\r\n", 23), 0);
    assert_non_null(strstr(server.head, "Content-Type: image/png\r\n"));
    assert_non_null(strstr(server.head, "Authorization: Basic abc\r\n"));
    clear(&upload, &server);
}

static void test_only_success_is_success(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: https://localhost:1/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "nonsense\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct upload upload = {0};
        struct https_server server = {.answer = answers[i]};
        put_to(&upload, &server);
        assert_false(upload.ended.stored);
        assert_int_equal(upload.ended.status, TRANSFER_OK);
        assert_string_not_equal(upload.ended.text, "");
        clear(&upload, &server);
    }
}

static void test_a_server_that_refuses_early_is_heard(void **state)
{
    (void)state;
    struct upload upload = {0};
    struct https_server server = {.answer = "HTTP/1.1 413 Too Large\r\nConnection: close\r\n"
                                            "Content-Length: 0\r\n\r\n",
                                  .reads_nothing = true};
    put_to(&upload, &server);
    assert_false(upload.ended.stored);
    clear(&upload, &server);
}

static void test_a_certificate_of_nobody_is_not_believed(void **state)
{
    (void)state;
    struct upload upload = {0};
    struct https_server server = {.answer = CREATED};
    https_server_start(&server, folder_path("server.pem"));
    struct http_put_config config = config_of(&upload, &server);
    config.ca_file = NULL;
    begin(&upload, &config);
    await_end(&upload);
    https_server_stop(&server);
    assert_false(upload.ended.stored);
    assert_int_equal(server.body_size, 0);
    clear(&upload, &server);
}

static void test_only_https_is_spoken(void **state)
{
    (void)state;
    struct upload upload = {0};
    struct https_server server = {.answer = CREATED};
    https_server_start(&server, folder_path("server.pem"));
    struct http_put_config config = config_of(&upload, &server);
    config.url = "file:///tmp/no";
    begin(&upload, &config);
    await_end(&upload);
    https_server_stop(&server);
    assert_false(upload.ended.stored);
    clear(&upload, &server);
}

static void test_a_server_that_goes_silent_is_given_up(void **state)
{
    (void)state;
    struct upload upload = {0};
    struct https_server server = {.answer = NULL};
    https_server_start(&server, folder_path("server.pem"));
    struct http_put_config config = config_of(&upload, &server);
    config.stall_limit = USEC_PER_SEC;
    begin(&upload, &config);
    await_end(&upload);
    https_server_stop(&server);
    assert_false(upload.ended.stored);
    assert_int_equal(upload.ended.status, TRANSFER_OK);
    clear(&upload, &server);
}

static void test_it_is_cancelled_and_freed_at_any_time(void **state)
{
    (void)state;
    struct upload upload = {0};
    struct https_server server = {.answer = NULL};
    https_server_start(&server, folder_path("server.pem"));
    struct http_put_config config = config_of(&upload, &server);
    config.rate_limit = 1000;
    begin(&upload, &config);
    http_put_set_rate_limit(upload.put, 2000);
    http_put_free(upload.put);
    https_server_stop(&server);
    assert_false(upload.ended.stored);
    assert_int_equal(upload.ended.status, TRANSFER_CANCELED);
    clear(&upload, &server);
}

static enum transfer_status cannot_read(void *user, uint64_t at, uint8_t *out, size_t size,
                                        size_t *got)
{
    (void)user;
    (void)at;
    (void)out;
    (void)size;
    *got = 0;
    return TRANSFER_READ;
}

static void test_a_file_that_cannot_be_read_is_our_fault(void **state)
{
    (void)state;
    struct upload upload = {0};
    struct https_server server = {.answer = CREATED};
    https_server_start(&server, folder_path("server.pem"));
    struct http_put_config config = config_of(&upload, &server);
    config.source = (struct byte_source){.read = cannot_read};
    begin(&upload, &config);
    await_end(&upload);
    https_server_stop(&server);
    assert_false(upload.ended.stored);
    assert_int_equal(upload.ended.status, TRANSFER_READ);
    clear(&upload, &server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_is_stored_with_the_headers_that_were_asked_for),
        cmocka_unit_test(test_only_success_is_success),
        cmocka_unit_test(test_a_server_that_refuses_early_is_heard),
        cmocka_unit_test(test_a_certificate_of_nobody_is_not_believed),
        cmocka_unit_test(test_only_https_is_spoken),
        cmocka_unit_test(test_a_server_that_goes_silent_is_given_up),
        cmocka_unit_test(test_it_is_cancelled_and_freed_at_any_time),
        cmocka_unit_test(test_a_file_that_cannot_be_read_is_our_fault),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
