/* <description xmlns='urn:xmpp:jingle:apps:file-transfer:5'/> (XEP-0234): the file that is offered
 * or asked for, with its hashes (XEP-0300). Hashes are text here: what they mean is known to
 * engine/transfer/hash.h.
 *
 * A zeroed struct is an empty description. */
#ifndef JINGLE_SIGNALING_FILE_DESCRIPTION_H
#define JINGLE_SIGNALING_FILE_DESCRIPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signaling/xml.h"

#define FILE_HASHES_MAX     8    /* kept; more are passed over */
#define FILE_TEXT_MAX       1024 /* bytes of a name or media type; a longer one is cut */
#define FILE_DESC_MAX       4096 /* bytes of <desc/>; cut when longer */
#define FILE_ALGORITHM_SIZE 40
#define FILE_HASH_SIZE      96 /* base64 of 64 bytes, and a zero */

struct file_hash {
    char algorithm[FILE_ALGORITHM_SIZE]; /* "sha-256"; XEP-0300's names */
    char value[FILE_HASH_SIZE];          /* base64; "": <hash-used/>, it comes by checksum */
};

struct file_description {
    char *name;       /* NULL: missing */
    char *media_type; /* NULL: missing */
    char *desc;       /* NULL: missing or empty */
    int64_t date;     /* seconds since 1970; 0: missing or malformed (Gajim's are) */
    bool has_size;
    uint64_t size;
    struct file_hash hashes[FILE_HASHES_MAX];
    size_t hash_count;
    bool has_range; /* <range/>: ranged transfer is understood, or asked for */
    uint64_t range_offset;
    uint64_t range_length; /* 0: to the end */
};

void file_description_clear(struct file_description *file);
void file_description_copy(struct file_description *to, const struct file_description *from);

/* False if there is not exactly one <file/>, or a size or range is no number: `why` (a literal)
 * says so and nothing is left to clear. Unknown elements, thumbnails among them, are passed over;
 * of <mediaType/> (Conversations) the meaning is known. */
bool file_description_read(struct file_description *file, const xml_node *description,
                           const char **why);
/* The <description/> below `content`. */
void file_description_write(const struct file_description *file, xml_node *content);

/* Adds a hash, or replaces that of the same algorithm. False if there are too many. */
bool file_description_add_hash(struct file_description *file, const char *algorithm,
                               const char *value);

/* The hashes of <file/> in <checksum/> (XEP-0234, 8.1): `file` gets those and its range. */
bool file_checksum_read(struct file_description *file, const xml_node *checksum, const char **why);
void file_checksum_write(const struct file_description *file, xml_node *checksum);

#endif
