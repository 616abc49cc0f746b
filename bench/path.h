/* A path with delay between two processes, in a process of its own: stanzas and datagrams alike
 * arrive the same time later. Candidates in stanzas are rewritten to sockets of the path, which
 * carries what comes there from the sender's own socket of the path, as a NAT would:
 *
 *     caller ── stanzas ──▶ delay ──▶ callee
 *     caller's socket ──▶ [path socket of the callee's candidate] ─ delay ─▶ callee's socket,
 *                          sent from [path socket of the caller's socket] */
#ifndef JINGLE_BENCH_PATH_H
#define JINGLE_BENCH_PATH_H

#include "base/clock.h"

#include <sys/types.h>

/* `ends` are two SOCK_SEQPACKET sockets, one towards each process (peers.h), and `others` what
 * those processes hold. Forks; the child runs until one of them closes its own. `delay` is one way.
 */
pid_t path_start(const int ends[2], const int others[2], usec delay);

#endif
