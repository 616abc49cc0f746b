/* Who is online, on which devices, and what each of them can do. */
#ifndef JINGLE_SIGNALING_PRESENCE_H
#define JINGLE_SIGNALING_PRESENCE_H

#include "signaling/stanza.h"

#define PRESENCE_DEVICES_MAX 64    /* of one person; more are passed over */
#define PRESENCE_TOTAL_MAX   20000 /* of all */
#define PRESENCE_TEXT_MAX    256   /* bytes of a caps node or hash; longer ones count as missing */

enum device_knowledge {
    DEVICE_UNKNOWN, /* nothing asked yet */
    DEVICE_ASKED,
    DEVICE_KNOWN,  /* `capabilities` holds */
    DEVICE_SILENT, /* it would not tell */
};

/* A device: one available resource. Borrowed; valid until the next presence of that person. */
struct device {
    char *jid; /* full */
    int priority;
    char *caps_node; /* "" without XEP-0115 */
    char *caps_hash; /* `ver`, if the hash function is SHA-1; "" otherwise */
    enum device_knowledge knowledge;
    unsigned capabilities;
};

struct presence;

struct presence *presence_new(void);
void presence_free(struct presence *presence);
/* After the stream is lost. */
void presence_clear(struct presence *presence);

/* An available or unavailable presence. Returns the device if it is there now (new, or with other
 * capabilities than before: then its knowledge is DEVICE_UNKNOWN), NULL if it went or is not
 * counted. */
struct device *presence_receive(struct presence *presence, const struct stanza *stanza);

/* The devices of a person, best priority first: an array of pointers, g_free() it. */
struct device **presence_devices(const struct presence *presence, const char *bare, size_t *count);
struct device *presence_find(const struct presence *presence, const char *full);
/* For every device: whoever wears this hash can do this. */
void presence_learn(struct presence *presence, const char *hash, unsigned capabilities);
/* Those of whom DEVICE_ASKED is known. */
void presence_for_each_asked(struct presence *presence,
                             void (*visit)(void *user, struct device *device), void *user);

#endif
