/* What went wrong while logging in, as far as only libstrophe's debug log tells (a wrong password
 * is a disconnect with error 0), and that log without its secrets (it prints the PLAIN password).
 */
#ifndef JINGLE_SIGNALING_DIAGNOSIS_H
#define JINGLE_SIGNALING_DIAGNOSIS_H

#include <stdbool.h>

#include <jingle/jingle.h>

struct diagnosis {
    bool tls_missing;  /* no STARTTLS offered, or no TLS spoken */
    bool tls_failed;   /* the handshake broke */
    bool sasl_failed;  /* <failure/> for what we said */
    bool sasl_refused; /* ... and for good: not temporary */
    bool no_mechanism; /* nothing in common */
    bool resumed;      /* XEP-0198 */
    bool bind_failed;
    unsigned received;     /* elements of any kind */
    unsigned sent;         /* stanzas that left since the login */
    char certificate[128]; /* why it is not trusted; "" if it is */
};

/* Before each stream. */
void diagnosis_reset(struct diagnosis *diagnosis);

/* One line of libstrophe's log. */
void diagnosis_read(struct diagnosis *diagnosis, const char *area, const char *message);

/* The certificate was refused, for this reason. */
void diagnosis_certificate(struct diagnosis *diagnosis, const char *why);

/* What the log tells of a stream that ended before it was usable; JINGLE_OK if nothing. */
jingle_status diagnosis_status(const struct diagnosis *diagnosis);

/* The same line without passwords and SASL data; g_free() it. */
char *diagnosis_redact(const char *message);

#endif
