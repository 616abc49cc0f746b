#include "transport/reflexive.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* RFC 8489 section 5 */
#define HEADER_BYTES       20
#define ID_BYTES           12
#define BINDING_REQUEST    0x0001
#define BINDING_SUCCESS    0x0101
#define BINDING_ERROR      0x0111
#define COOKIE             UINT32_C(0x2112a442)
#define MAPPED_ADDRESS     0x0001 /* servers of RFC 3489 know no other */
#define XOR_MAPPED_ADDRESS 0x0020

/* A question is sent at 0, 200 and 600 ms, and given up after 1.4 s; a later answer counts. */
#define FIRST_WAIT (200 * USEC_PER_MS)
#define TRIES      3

#define PACING     (5 * USEC_PER_MS)   /* RFC 8445 section 14.2 */
#define KEEP_ALIVE (15 * USEC_PER_SEC) /* RFC 8445 section 11 */

enum state { ASKING, ANSWERED, GIVEN_UP };

struct question {
    size_t socket;
    union address server;
    uint8_t id[ID_BYTES];
    enum state state;
    unsigned tries;
    usec due;           /* USEC_NEVER: nothing is to be sent */
    bool told;          /* `seen` was found by this one */
    union address seen; /* family AF_UNSPEC: not known */
};

struct reflexive {
    const struct random_source *random;
    struct reflexive_hooks hooks;
    union address sockets[REFLEXIVE_MAX_SOCKETS];
    size_t socket_count;
    struct question questions[REFLEXIVE_MAX_QUESTIONS];
    size_t question_count;
    usec next_slot;
    bool settled;
};

struct reflexive *reflexive_new(const struct random_source *random,
                                const struct reflexive_hooks *hooks)
{
    struct reflexive *reflexive = calloc(1, sizeof *reflexive);
    if (reflexive) {
        reflexive->random = random;
        reflexive->hooks = *hooks;
    }
    return reflexive;
}

void reflexive_free(struct reflexive *reflexive)
{
    free(reflexive);
}

/* ------------------------------------------------------------------------------- questions -- */

bool reflexive_add_socket(struct reflexive *reflexive, const union address *bound)
{
    if (reflexive->socket_count == REFLEXIVE_MAX_SOCKETS)
        return false;
    reflexive->sockets[reflexive->socket_count++] = *bound;
    return true;
}

static bool is_asked(const struct reflexive *reflexive, size_t socket, const union address *server)
{
    for (size_t i = 0; i < reflexive->question_count; i++) {
        const struct question *question = &reflexive->questions[i];
        if (question->socket == socket && address_is_same(&question->server, server))
            return true;
    }
    return false;
}

static void add_question(struct reflexive *reflexive, size_t socket, const union address *server,
                         usec now)
{
    if (reflexive->question_count == REFLEXIVE_MAX_QUESTIONS || is_asked(reflexive, socket, server))
        return;
    if (reflexive->next_slot < now)
        reflexive->next_slot = now;
    struct question *question = &reflexive->questions[reflexive->question_count++];
    *question = (struct question){.socket = socket, .server = *server};
    question->seen.any.sa_family = AF_UNSPEC;
    question->due = reflexive->next_slot;
    reflexive->next_slot += PACING;
}

void reflexive_add_server(struct reflexive *reflexive, const union address *server, usec now)
{
    for (size_t i = 0; i < reflexive->socket_count; i++)
        if (reflexive->sockets[i].any.sa_family == server->any.sa_family)
            add_question(reflexive, i, server, now);
}

static void write_16(uint8_t *out, unsigned value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

static void ask(struct reflexive *reflexive, struct question *question, usec now)
{
    uint8_t request[HEADER_BYTES] = {0};
    uint32_t cookie = htonl(COOKIE);
    if (question->tries == 0)
        reflexive->random->fill(reflexive->random->user, question->id, ID_BYTES);
    write_16(request, BINDING_REQUEST);
    memcpy(request + 4, &cookie, sizeof cookie);
    memcpy(request + 8, question->id, ID_BYTES);
    question->due = now + (FIRST_WAIT << question->tries);
    question->tries++;
    reflexive->hooks.ask(reflexive->hooks.user, question->socket, &question->server, request,
                         sizeof request);
}

/* What keeps a binding alive is tried for ever. */
static void give_up(const struct reflexive *reflexive, struct question *question, usec now)
{
    bool keeps = question->state == ANSWERED && !reflexive->settled;
    if (question->state == ASKING)
        question->state = GIVEN_UP;
    question->tries = 0;
    question->due = keeps ? now + KEEP_ALIVE : USEC_NEVER;
}

void reflexive_tick(struct reflexive *reflexive, usec now)
{
    for (size_t i = 0; i < reflexive->question_count; i++) {
        struct question *question = &reflexive->questions[i];
        if (question->due > now)
            continue;
        if (question->tries == TRIES)
            give_up(reflexive, question, now);
        else
            ask(reflexive, question, now);
    }
}

usec reflexive_deadline(const struct reflexive *reflexive)
{
    usec nearest = USEC_NEVER;
    for (size_t i = 0; i < reflexive->question_count; i++)
        if (reflexive->questions[i].due < nearest)
            nearest = reflexive->questions[i].due;
    return nearest;
}

static bool is_any(const struct reflexive *reflexive, enum state state)
{
    for (size_t i = 0; i < reflexive->question_count; i++)
        if (reflexive->questions[i].state == state)
            return true;
    return false;
}

bool reflexive_is_asking(const struct reflexive *reflexive)
{
    return is_any(reflexive, ASKING);
}

bool reflexive_was_answered(const struct reflexive *reflexive)
{
    return is_any(reflexive, ANSWERED);
}

void reflexive_settle(struct reflexive *reflexive)
{
    reflexive->settled = true;
    for (size_t i = 0; i < reflexive->question_count; i++)
        if (reflexive->questions[i].state == ANSWERED)
            reflexive->questions[i].due = USEC_NEVER;
}

/* --------------------------------------------------------------------------------- answers -- */

static unsigned read_16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* RFC 8489, 14.1 and 14.2. What XOR-MAPPED-ADDRESS is masked with are the cookie and the id, as
 * they stand in the header. */
static bool read_address(const uint8_t *value, size_t bytes, const uint8_t *mask,
                         union address *address)
{
    static const uint8_t plain[16];
    uint8_t ip[16];
    bool v6 = bytes == 20 && value[1] == 2;
    size_t ip_bytes = v6 ? 16 : 4;
    if (!v6 && !(bytes == 8 && value[1] == 1))
        return false;
    const uint8_t *over = mask ? mask : plain;
    for (size_t i = 0; i < ip_bytes; i++)
        ip[i] = value[4 + i] ^ over[i];
    *address = (union address){.v6.sin6_family = v6 ? AF_INET6 : AF_INET};
    memcpy(v6 ? (void *)&address->v6.sin6_addr : (void *)&address->v4.sin_addr, ip, ip_bytes);
    address->v4.sin_port = htons((uint16_t)(read_16(value + 2) ^ read_16(over)));
    return address->v4.sin_port != 0;
}

/* False if there is none, or if it is malformed. */
static bool find_address(const uint8_t *datagram, size_t bytes, union address *address)
{
    bool found = false;
    for (size_t at = HEADER_BYTES; at + 4 <= bytes;) {
        unsigned type = read_16(datagram + at);
        size_t length = read_16(datagram + at + 2);
        const uint8_t *value = datagram + at + 4;
        if (length > bytes - at - 4)
            return false;
        if (type == XOR_MAPPED_ADDRESS)
            return read_address(value, length, datagram + 4, address);
        if (type == MAPPED_ADDRESS)
            found = read_address(value, length, NULL, address);
        at += 4 + (length + 3) / 4 * 4;
    }
    return found;
}

static bool is_known(const struct reflexive *reflexive, const struct question *answered,
                     const union address *seen)
{
    if (address_is_same(seen, &reflexive->sockets[answered->socket]))
        return true;
    for (size_t i = 0; i < reflexive->question_count; i++) {
        const struct question *other = &reflexive->questions[i];
        /* another port of the same host is a NAT's that has one for each destination: of no use */
        if (other != answered && other->told && other->socket == answered->socket &&
            address_is_same_host(&other->seen, seen))
            return true;
    }
    return answered->told && address_is_same(&answered->seen, seen);
}

static void take_answer(struct reflexive *reflexive, struct question *question,
                        const union address *seen, usec now)
{
    bool known = is_known(reflexive, question, seen);
    question->state = ANSWERED;
    question->tries = 0;
    question->seen = *seen;
    question->told = question->told || !known;
    question->due = question->told && !reflexive->settled ? now + KEEP_ALIVE : USEC_NEVER;
    if (!known)
        reflexive->hooks.found(reflexive->hooks.user, question->socket, seen);
}

static struct question *find_question(struct reflexive *reflexive, size_t socket,
                                      const union address *from, const uint8_t *id)
{
    for (size_t i = 0; i < reflexive->question_count; i++) {
        struct question *question = &reflexive->questions[i];
        bool sent = question->state != ASKING || question->tries > 0;
        if (sent && question->socket == socket && memcmp(question->id, id, ID_BYTES) == 0 &&
            address_is_same(&question->server, from))
            return question;
    }
    return NULL;
}

bool reflexive_receive(struct reflexive *reflexive, size_t socket, const union address *from,
                       const uint8_t *datagram, size_t bytes, usec now)
{
    uint32_t cookie = htonl(COOKIE);
    if (bytes < HEADER_BYTES || memcmp(datagram + 4, &cookie, sizeof cookie) != 0 ||
        read_16(datagram + 2) != bytes - HEADER_BYTES)
        return false;
    unsigned type = read_16(datagram);
    if (type != BINDING_SUCCESS && type != BINDING_ERROR)
        return false;
    struct question *question = find_question(reflexive, socket, from, datagram + 8);
    if (!question)
        return false;
    if (question->state == ANSWERED && question->tries == 0)
        return true; /* once more, because we asked more than once */
    union address seen;
    if (type == BINDING_SUCCESS && find_address(datagram, bytes, &seen) &&
        seen.any.sa_family == from->any.sa_family)
        take_answer(reflexive, question, &seen, now);
    else
        give_up(reflexive, question, now);
    return true;
}
