/* Two DTLS ends over a path in virtual time: OpenSSL reads the clock by gettimeofday(), which this
 * program provides. */
#include "transport/dtls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ssl.h>
#include <sys/time.h>

#define DELAY         (50 * USEC_PER_MS)
#define LIMIT         (30 * USEC_PER_SEC)
#define MAX_IN_FLIGHT 64
#define MAX_DATAGRAM  2048

static usec now;

__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict value,
                                                        void *restrict zone)
{
    (void)zone;
    usec since = now + 1000 * USEC_PER_SEC;
    value->tv_sec = since / USEC_PER_SEC;
    value->tv_usec = since % USEC_PER_SEC;
    return 0;
}

struct end;

struct datagram {
    struct end *to; /* NULL: a free place */
    usec arrives;
    uint64_t order;
    size_t bytes;
    uint8_t data[MAX_DATAGRAM];
};

struct end {
    struct end *peer;
    struct certificate *certificate;
    struct dtls *dtls;
    unsigned sent;
    size_t longest;
};

static struct end a;
static struct end b;

/* What was sent so far. */
static struct {
    struct end *to;
    size_t bytes;
    uint8_t data[MAX_DATAGRAM];
} told[MAX_IN_FLIGHT];
static size_t told_count;

static struct datagram path[MAX_IN_FLIGHT];
static uint64_t order;
static bool (*dropped)(const struct end *from, unsigned number);

static void put(struct end *to, const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < MAX_IN_FLIGHT; i++) {
        if (path[i].to)
            continue;
        path[i] = (struct datagram){.to = to, .arrives = now + DELAY, .order = order++};
        path[i].bytes = bytes;
        memcpy(path[i].data, data, bytes);
        return;
    }
    fail_msg("too many datagrams in flight");
}

static void on_send(void *user, const uint8_t *data, size_t bytes)
{
    struct end *from = user;
    from->sent++;
    if (bytes > from->longest)
        from->longest = bytes;
    assert_true(bytes <= MAX_DATAGRAM);
    if (told_count < MAX_IN_FLIGHT) {
        told[told_count].to = from->peer;
        told[told_count].bytes = bytes;
        memcpy(told[told_count++].data, data, bytes);
    }
    if (!dropped || !dropped(from, from->sent))
        put(from->peer, data, bytes);
}

static void end_init(struct end *end, struct end *peer)
{
    jingle_status status;
    *end = (struct end){.peer = peer, .certificate = certificate_new(&status)};
    struct dtls_config config = {.certificate = end->certificate, .user = end, .send = on_send};
    end->dtls = dtls_new(&config, &status);
    assert_non_null(end->dtls);
}

static int set_up(void **state)
{
    (void)state;
    now = 0;
    dropped = NULL;
    told_count = 0;
    memset(path, 0, sizeof path);
    end_init(&a, &b);
    end_init(&b, &a);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dtls_free(a.dtls);
    dtls_free(b.dtls);
    certificate_free(a.certificate);
    certificate_free(b.certificate);
    return 0;
}

static void learn(struct end *end)
{
    struct dtls_fingerprint fingerprint = certificate_fingerprint(end->peer->certificate);
    assert_true(dtls_set_fingerprint(end->dtls, &fingerprint));
}

static struct datagram *next_datagram(void)
{
    struct datagram *next = NULL;
    for (size_t i = 0; i < MAX_IN_FLIGHT; i++)
        if (path[i].to && (!next || path[i].arrives < next->arrives ||
                           (path[i].arrives == next->arrives && path[i].order < next->order)))
            next = &path[i];
    return next;
}

static usec earlier(usec x, usec y)
{
    return x < y ? x : y;
}

/* Lets the next thing happen; false if nothing will. */
static bool step(void)
{
    struct datagram *next = next_datagram();
    usec timer = earlier(dtls_deadline(a.dtls, now), dtls_deadline(b.dtls, now));
    usec arrival = next ? next->arrives : USEC_NEVER;
    if (timer == USEC_NEVER && !next)
        return false;
    if (timer < arrival) {
        now = timer > now ? timer : now;
        dtls_timeout(a.dtls);
        dtls_timeout(b.dtls);
        return true;
    }
    now = arrival;
    struct datagram copy = *next;
    next->to = NULL;
    dtls_receive(copy.to->dtls, copy.data, copy.bytes);
    return true;
}

static void run(void)
{
    while (now < LIMIT && step())
        ;
}

static void run_until_ready(void)
{
    while (now < LIMIT && step() &&
           (dtls_state(a.dtls) != DTLS_READY || dtls_state(b.dtls) != DTLS_READY))
        ;
}

static void assert_ready(void)
{
    assert_int_equal(dtls_state(a.dtls), DTLS_READY);
    assert_int_equal(dtls_state(b.dtls), DTLS_READY);
}

static void assert_same_keys(void)
{
    struct srtp_keys of_a;
    struct srtp_keys of_b;
    memset(&of_a, 0, sizeof of_a);
    memset(&of_b, 0, sizeof of_b);
    assert_true(dtls_keys(a.dtls, &of_a));
    assert_true(dtls_keys(b.dtls, &of_b));
    assert_ptr_equal(of_a.profile, of_b.profile);
    assert_memory_equal(of_a.local, of_b.remote, SRTP_MAX_KEY);
    assert_memory_equal(of_a.remote, of_b.local, SRTP_MAX_KEY);
    assert_memory_not_equal(of_a.local, of_a.remote, 28);
}

static void test_a_clean_handshake_takes_two_round_trips(void **state)
{
    (void)state;
    learn(&a);
    learn(&b);
    dtls_start(b.dtls, false);
    dtls_start(a.dtls, true);
    run_until_ready();
    assert_int_equal(now, 4 * DELAY);
    run();
    assert_ready();
    assert_same_keys();
    assert_true(dtls_is_client(a.dtls));
    assert_false(dtls_is_client(b.dtls));
    struct srtp_keys keys;
    dtls_keys(a.dtls, &keys);
    assert_int_equal(keys.profile->id, SRTP_PROFILE_AEAD_AES_128_GCM);
    assert_true(strlen(dtls_cipher(a.dtls)) > 0);
}

static void test_every_datagram_fits_the_mtu(void **state)
{
    (void)state;
    learn(&a);
    learn(&b);
    dtls_start(a.dtls, true);
    run();
    assert_ready();
    assert_true(a.longest <= DTLS_MTU);
    assert_true(b.longest <= DTLS_MTU);
}

static unsigned lost_number;
static const struct end *lost_from;

static bool one_is_lost(const struct end *from, unsigned number)
{
    return from == lost_from && number == lost_number;
}

static void test_any_one_lost_datagram_costs_little(void **state)
{
    const struct end *ends[] = {&a, &b};
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned number = 1; number <= 4; number++) {
            lost_from = ends[i];
            lost_number = number;
            tear_down(state);
            set_up(state);
            dropped = one_is_lost;
            learn(&a);
            learn(&b);
            dtls_start(a.dtls, true);
            run_until_ready();
            assert_ready();
            assert_same_keys();
            assert_true(now < 800 * USEC_PER_MS);
        }
    }
}

static uint32_t seed;

static bool a_third_is_lost(const struct end *from, unsigned number)
{
    (void)from;
    (void)number;
    seed = seed * 1664525U + 1013904223U;
    return seed >> 24 < 85;
}

static void test_heavy_loss_is_survived(void **state)
{
    for (uint32_t story = 0; story < 50; story++) {
        tear_down(state);
        set_up(state);
        seed = story;
        dropped = a_third_is_lost;
        learn(&a);
        learn(&b);
        dtls_start(a.dtls, true);
        run();
        assert_ready();
        assert_same_keys();
    }
}

static bool all_is_lost(const struct end *from, unsigned number)
{
    (void)from;
    (void)number;
    return true;
}

static void test_retransmission_backs_off(void **state)
{
    (void)state;
    dropped = all_is_lost;
    learn(&a);
    dtls_start(a.dtls, true);
    usec last = 0;
    usec gap = 0;
    for (unsigned i = 0; i < 4; i++) {
        unsigned sent = a.sent;
        while (a.sent == sent)
            assert_true(step());
        if (i == 0)
            assert_in_range(now, 50 * USEC_PER_MS - 1, 100 * USEC_PER_MS);
        assert_true(now - last >= gap);
        gap = now - last;
        last = now;
    }
    while (now < LIMIT && dtls_state(a.dtls) == DTLS_HANDSHAKE)
        assert_true(step());
    assert_true(a.sent < 20);
}

static void test_an_early_hello_makes_us_the_server(void **state)
{
    (void)state;
    learn(&a);
    dtls_start(a.dtls, true);
    run(); /* b has no role and no fingerprint */
    assert_int_equal(dtls_state(b.dtls), DTLS_UNVERIFIED);
    assert_int_equal(dtls_state(a.dtls), DTLS_READY);
    struct srtp_keys keys;
    assert_false(dtls_keys(b.dtls, &keys));
    learn(&b);
    assert_int_equal(dtls_state(b.dtls), DTLS_READY);
    assert_same_keys();
}

static void test_a_wrong_fingerprint_gives_no_keys(void **state)
{
    (void)state;
    struct dtls_fingerprint wrong = certificate_fingerprint(b.certificate);
    wrong.bytes[31] ^= 0x80;
    assert_true(dtls_set_fingerprint(a.dtls, &wrong));
    learn(&b);
    dtls_start(a.dtls, true);
    run();
    assert_int_equal(dtls_state(a.dtls), DTLS_FAILED);
    assert_int_equal(dtls_status(a.dtls), JINGLE_ERROR_FINGERPRINT);
    assert_int_equal(dtls_state(b.dtls), DTLS_FAILED);
    assert_int_equal(dtls_status(b.dtls), JINGLE_ERROR_FINGERPRINT); /* by the alert */
    struct srtp_keys keys;
    assert_false(dtls_keys(a.dtls, &keys));
    assert_false(dtls_keys(b.dtls, &keys));
}

static void test_a_wrong_fingerprint_that_comes_late_gives_no_keys(void **state)
{
    (void)state;
    learn(&a);
    dtls_start(a.dtls, true);
    run();
    assert_int_equal(dtls_state(b.dtls), DTLS_UNVERIFIED);
    struct dtls_fingerprint wrong = certificate_fingerprint(b.certificate);
    assert_true(dtls_set_fingerprint(b.dtls, &wrong));
    assert_int_equal(dtls_state(b.dtls), DTLS_FAILED);
    assert_int_equal(dtls_status(b.dtls), JINGLE_ERROR_FINGERPRINT);
    struct srtp_keys keys;
    assert_false(dtls_keys(b.dtls, &keys));
}

static void test_a_fingerprint_cannot_be_replaced(void **state)
{
    (void)state;
    learn(&a);
    learn(&a);
    struct dtls_fingerprint other = certificate_fingerprint(a.certificate);
    assert_false(dtls_set_fingerprint(a.dtls, &other));
}

static void test_a_sha512_fingerprint_is_accepted(void **state)
{
    (void)state;
    struct dtls_fingerprint sha512 = {.hash = FINGERPRINT_SHA_512, .size = 64};
    unsigned bytes = 0;
    X509_digest(certificate_x509(b.certificate), EVP_sha512(), sha512.bytes, &bytes);
    assert_true(dtls_set_fingerprint(a.dtls, &sha512));
    learn(&b);
    dtls_start(a.dtls, true);
    run();
    assert_ready();
}

static void test_close_notify_reaches_the_peer(void **state)
{
    (void)state;
    learn(&a);
    learn(&b);
    dtls_start(a.dtls, true);
    run();
    assert_ready();
    dtls_close(a.dtls);
    assert_int_equal(dtls_state(a.dtls), DTLS_CLOSED);
    run();
    assert_int_equal(dtls_state(b.dtls), DTLS_CLOSED);
    assert_int_equal(dtls_status(b.dtls), JINGLE_OK);
}

static void throw_garbage(struct end *end)
{
    uint8_t garbage[1500];
    for (unsigned first = 20; first <= 63; first++) {
        for (size_t bytes = 1; bytes < sizeof garbage; bytes += 97) {
            for (size_t i = 0; i < bytes; i++)
                garbage[i] = (uint8_t)rand();
            garbage[0] = (uint8_t)first;
            if (bytes > 14) {
                garbage[1] = 0xfe;
                garbage[2] = first % 2 ? 0xfd : 0xff;
                garbage[11] = (uint8_t)((bytes - 13) >> 8);
                garbage[12] = (uint8_t)(bytes - 13);
            }
            dtls_receive(end->dtls, garbage, bytes);
        }
    }
}

static void test_garbage_after_the_handshake_is_dropped(void **state)
{
    (void)state;
    srand(1);
    learn(&a);
    learn(&b);
    dtls_start(a.dtls, true);
    run();
    throw_garbage(&a);
    throw_garbage(&b);
    assert_ready();
    assert_same_keys();
}

static void finish_handshake(void)
{
    learn(&a);
    learn(&b);
    dtls_start(a.dtls, true);
    run();
    assert_ready();
    dropped = NULL;
}

/* Who saw the handshake can send it again: that begins no second one, and makes nobody send more
 * than a flight. */
static void test_a_handshake_that_is_replayed_changes_nothing(void **state)
{
    (void)state;
    finish_handshake();
    size_t count = told_count;
    unsigned sent = a.sent + b.sent;
    for (size_t round = 0; round < 100; round++)
        for (size_t i = 0; i < count; i++)
            dtls_receive(told[i].to->dtls, told[i].data, told[i].bytes);
    assert_ready();
    assert_same_keys();
    assert_in_range(a.sent + b.sent - sent, 0, count);
}

static void test_a_record_with_any_wrong_byte_changes_nothing(void **state)
{
    (void)state;
    finish_handshake();
    size_t count = told_count;
    for (size_t i = 0; i < count; i++) {
        for (size_t at = 0; at < told[i].bytes; at++) {
            told[i].data[at] ^= 0x55;
            dtls_receive(told[i].to->dtls, told[i].data, told[i].bytes);
            told[i].data[at] ^= 0x55;
        }
    }
    assert_ready();
    assert_same_keys();
}

/* Alerts in clear are anybody's. */
static void test_plain_alerts_after_the_handshake_are_dropped(void **state)
{
    (void)state;
    static const uint8_t alerts[][2] = {{1, 0}, {2, 0}, {2, 40}, {2, 42}, {1, 100}, {2, 80}};
    finish_handshake();
    for (size_t i = 0; i < sizeof alerts / sizeof *alerts; i++) {
        for (uint8_t number = 0; number < 20; number++) {
            uint8_t plain[15] = {21, 0xfe, 0xfd};
            plain[10] = number;
            plain[12] = 2;
            memcpy(plain + 13, alerts[i], 2);
            dtls_receive(a.dtls, plain, sizeof plain);
            dtls_receive(b.dtls, plain, sizeof plain);
        }
    }
    assert_ready();
    assert_same_keys();
}

static void test_garbage_before_a_role_is_dropped_and_counted(void **state)
{
    (void)state;
    uint8_t not_hello[64] = {22, 0xfe, 0xfd};
    not_hello[13] = 2;
    dtls_receive(a.dtls, not_hello, sizeof not_hello);
    assert_int_equal(dtls_state(a.dtls), DTLS_IDLE);
    assert_int_equal(dtls_dropped(a.dtls), 1);
}

/* Cuts handshake messages that were sent whole in two, as a Chromium with its long hello does. */
static void put_in_fragments(const uint8_t *record, size_t bytes, struct end *to)
{
    assert_true(bytes > 25 + 40 && record[0] == 22);
    size_t body = bytes - 25;
    size_t part[2] = {body / 2, body - body / 2};
    size_t at = 0;
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t out[MAX_DATAGRAM];
        memcpy(out, record, 25);
        out[10] = i; /* the record's sequence number */
        size_t length = part[i] + 12;
        out[11] = (uint8_t)(length >> 8);
        out[12] = (uint8_t)length;
        out[19] = 0; /* the fragment's offset and length */
        out[20] = (uint8_t)(at >> 8);
        out[21] = (uint8_t)at;
        out[22] = 0;
        out[23] = (uint8_t)(part[i] >> 8);
        out[24] = (uint8_t)part[i];
        memcpy(out + 25, record + 25 + at, part[i]);
        put(to, out, 25 + part[i]);
        at += part[i];
    }
}

static bool first_of_a_is_lost(const struct end *from, unsigned number)
{
    return from == &a && number == 1;
}

static void test_a_hello_in_fragments_is_put_together(void **state)
{
    (void)state;
    learn(&a);
    learn(&b);
    dtls_start(a.dtls, true);
    struct datagram *hello = next_datagram();
    assert_non_null(hello);
    struct datagram copy = *hello;
    hello->to = NULL;
    put_in_fragments(copy.data, copy.bytes, &b);
    dropped = first_of_a_is_lost;
    while (now < LIMIT && step() && b.sent == 0)
        ;
    assert_true(b.sent > 0);
    assert_int_equal(now, DELAY); /* answered without the whole one ever coming */
    run();
    assert_ready();
}

/* A peer that has no certificate is nobody. */
static void test_a_peer_without_a_certificate_is_refused(void **state)
{
    (void)state;
    SSL_CTX *context = SSL_CTX_new(DTLS_client_method());
    SSL_CTX_set_tlsext_use_srtp(context, "SRTP_AES128_CM_SHA1_80");
    SSL *ssl = SSL_new(context);
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl, in, out);
    SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(ssl, DTLS_MTU);
    SSL_set_connect_state(ssl);
    learn(&b);
    for (int round = 0; round < 10; round++) {
        SSL_do_handshake(ssl);
        uint8_t data[MAX_DATAGRAM * 4];
        int bytes = BIO_read(out, data, sizeof data);
        if (bytes > 0)
            dtls_receive(b.dtls, data, (size_t)bytes);
        for (struct datagram *back = next_datagram(); back; back = next_datagram()) {
            back->to = NULL;
            BIO_write(in, back->data, (int)back->bytes);
            SSL_do_handshake(ssl);
        }
    }
    assert_int_equal(dtls_state(b.dtls), DTLS_FAILED);
    assert_int_equal(dtls_status(b.dtls), JINGLE_ERROR_DTLS);
    SSL_free(ssl);
    SSL_CTX_free(context);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_clean_handshake_takes_two_round_trips),
        TEST(test_every_datagram_fits_the_mtu),
        TEST(test_any_one_lost_datagram_costs_little),
        TEST(test_heavy_loss_is_survived),
        TEST(test_retransmission_backs_off),
        TEST(test_an_early_hello_makes_us_the_server),
        TEST(test_a_wrong_fingerprint_gives_no_keys),
        TEST(test_a_wrong_fingerprint_that_comes_late_gives_no_keys),
        TEST(test_a_fingerprint_cannot_be_replaced),
        TEST(test_a_sha512_fingerprint_is_accepted),
        TEST(test_close_notify_reaches_the_peer),
        TEST(test_garbage_after_the_handshake_is_dropped),
        TEST(test_a_handshake_that_is_replayed_changes_nothing),
        TEST(test_a_record_with_any_wrong_byte_changes_nothing),
        TEST(test_plain_alerts_after_the_handshake_are_dropped),
        TEST(test_garbage_before_a_role_is_dropped_and_counted),
        TEST(test_a_hello_in_fragments_is_put_together),
        TEST(test_a_peer_without_a_certificate_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
