/* The least that must be done to move a file from one process to another: a bare loop, beside which
 * the engine is measured.
 *
 *     read ─▶ sha-256 ─▶ send ═▶ receive ─▶ sha-256 ─▶ write, fsync */
#ifndef JINGLE_BENCH_FILE_LOOP_H
#define JINGLE_BENCH_FILE_LOOP_H

/* Moves `source` to `target` over loopback TCP between two children; returns how long it took in
 * seconds, until the target is synchronised. Ends the program if it cannot. */
double file_loop(const char *source, const char *target);

#endif
