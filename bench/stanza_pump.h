/* What a server carries without any engine: IQs with blocks as XEP-0047 has them, from one bare
 * stream to another, of which some may be under way, each answered by an empty result. */
#ifndef JINGLE_BENCH_STANZA_PUMP_H
#define JINGLE_BENCH_STANZA_PUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stanza_pump {
    const char *host;
    uint16_t tls_port;  /* TLS from the first byte */
    const char *domain; /* with the accounts alice and bob, password "secret" */
    const char *ca_file;
    size_t block;    /* bytes, before base64 */
    unsigned window; /* blocks under way */
    /* With stream management (XEP-0198), asking for an acknowledgement of each stanza, as
     * libstrophe does and cannot be told not to. */
    bool managed;
};

/* Logs in two children and pumps so many blocks from one to the other; how long that took in
 * seconds, from the first block to the last answer. Ends the program if it cannot. */
double stanza_pump(const struct stanza_pump *pump, unsigned blocks);

#endif
