/* Unpredictable bytes from the kernel. Pure cores are given a function instead, so that a
 * simulation with one seed is the same every time. */
#ifndef JINGLE_BASE_RANDOM_H
#define JINGLE_BASE_RANDOM_H

#include <stddef.h>

struct random_source {
    void (*fill)(void *user, void *out, size_t bytes);
    void *user;
};

extern const struct random_source random_system;

/* `out` gets `count` characters of [a-z0-9] and a terminating zero. */
void random_token(const struct random_source *random, char *out, size_t count);

/* A UUID version 4 in lower case: 36 characters and a zero. */
void random_uuid(const struct random_source *random, char out[37]);

#endif
