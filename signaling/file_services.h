/* What our server has for files: proxies of byte streams (XEP-0065, 4) and a place to upload to
 * (XEP-0363), found by asking the server and each of its items (XEP-0030).
 *
 *     begin ─▶ disco#items ─▶ disco#info of the server and of each ─┬─▶ upload service
 *                                                                   └─▶ where a proxy listens ─▶
 * known
 *
 * Pure: questions out by a hook, their answers in. */
#ifndef JINGLE_SIGNALING_FILE_SERVICES_H
#define JINGLE_SIGNALING_FILE_SERVICES_H

#include "signaling/s5b.h"
#include "signaling/stanza.h"

#define FILE_SERVICES_ITEMS_MAX   20 /* asked; more are passed over */
#define FILE_SERVICES_PROXIES_MAX 4  /* kept */

struct file_services;

struct file_services_hooks {
    void *user;
    /* An IQ to `to`; then file_services_answered() with its tag. The IQ is handed over. */
    void (*ask)(void *user, struct xml *iq, const char *to, unsigned tag);
    /* All have answered. */
    void (*known)(void *user);
};

struct upload_service {
    const char *jid;   /* NULL: there is none */
    uint64_t max_size; /* of a file; UINT64_MAX: not told */
};

struct file_services *file_services_new(const struct file_services_hooks *hooks);
void file_services_free(struct file_services *services);

/* Asks, unless it has done so. What was known before is kept until all is known anew. */
void file_services_begin(struct file_services *services, const char *domain);
/* Another stream: the answers are not to be expected any more, or may be others. */
void file_services_forget(struct file_services *services);
/* `answer` NULL: none came, or an error. */
void file_services_answered(struct file_services *services, unsigned tag,
                            const struct stanza *answer);
bool file_services_are_known(const struct file_services *services);

/* In the server's order; no cid and no priority in them. */
const struct s5b_candidate *file_services_proxies(const struct file_services *services,
                                                  size_t *count);
struct upload_service file_services_upload(const struct file_services *services);

#endif
