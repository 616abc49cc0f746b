#include "base/random.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static void fill_from_kernel(void *user, void *out, size_t bytes)
{
    (void)user;
    uint8_t *at = out;
    while (bytes > 0) {
        ssize_t got = getrandom(at, bytes, 0);
        if (got < 0) {
            continue; /* interrupted; it fails for no other reason */
        }
        at += got;
        bytes -= (size_t)got;
    }
}

const struct random_source random_system = {.fill = fill_from_kernel};

void random_token(const struct random_source *random, char *out, size_t count)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    size_t filled = 0;
    while (filled < count) {
        uint8_t byte;
        random->fill(random->user, &byte, 1);
        if (byte < 252) { /* 7 * 36: no letter is likelier than another */
            out[filled++] = alphabet[byte % 36];
        }
    }
    out[count] = '\0';
}

void random_uuid(const struct random_source *random, char out[37])
{
    uint8_t b[16];
    random->fill(random->user, b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}
