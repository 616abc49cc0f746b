/* What is remembered about other clients: the capabilities that a hash in presence stands for
 * (XEP-0115; only hashes that were checked), and who was ever seen with message initiation. Can be
 * kept in a file as text. */
#ifndef JINGLE_SIGNALING_CAPS_H
#define JINGLE_SIGNALING_CAPS_H

#include <stdbool.h>
#include <stddef.h>

#define CAPS_HASHES_MAX 2000
#define CAPS_PEOPLE_MAX 5000
#define CAPS_KEY_MAX    256 /* bytes of a hash; longer ones are not remembered */

struct caps;

struct caps *caps_new(void);
void caps_free(struct caps *caps);

/* False if the hash is not known. */
bool caps_find(const struct caps *caps, const char *hash, unsigned *capabilities);
/* These return true if that was news. */
bool caps_remember(struct caps *caps, const char *hash, unsigned capabilities);
bool caps_remember_initiation(struct caps *caps, const char *bare_jid);
bool caps_knows_initiation(const struct caps *caps, const char *bare_jid);

/* Lines that make no sense are passed over. */
void caps_load(struct caps *caps, const char *text, size_t bytes);
/* g_free() it. */
char *caps_save(const struct caps *caps, size_t *bytes);

#endif
