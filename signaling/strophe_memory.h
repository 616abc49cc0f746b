/* Memory for libstrophe: it leaves copies of the password behind and, when a reconnect fails
 * (0.12), a JID. What is freed is wiped, and what is left over is freed at the end. */
#ifndef JINGLE_SIGNALING_STROPHE_MEMORY_H
#define JINGLE_SIGNALING_STROPHE_MEMORY_H

#include <strophe.h>

struct strophe_memory;

struct strophe_memory *strophe_memory_new(void);
/* After the context that uses it. */
void strophe_memory_free(struct strophe_memory *memory);
/* For xmpp_ctx_new(). */
const xmpp_mem_t *strophe_memory_table(const struct strophe_memory *memory);

#endif
