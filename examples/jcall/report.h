/* `--report FILE.html`: one page about a call that explains itself: who, how long, how it was set
 * up, and how it went, second by second.
 *
 *     report_event(), report_sample() ─▶ struct report ─▶ report_page() ─▶ report_write()
 *     report.c                                            report_page.c, report_chart.c
 *
 * The page is a pure function of what was collected. It needs neither a network nor scripts, and
 * text that came from others is escaped. */
#ifndef JCALL_REPORT_H
#define JCALL_REPORT_H

#include <jingle/jingle.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    REPORT_SAMPLES_MAX = 4096, /* of a longer call every other is forgotten, again and again */
    REPORT_EVENTS_MAX = 200,   /* later ones are counted and not shown, but the end is */
};

/* Sentences about what happened. */
struct report_entry {
    int64_t time; /* usec since 1970 */
    char *text;
    bool mark; /* a line in the charts, too */
};

struct report_sample {
    int64_t time;              /* usec since 1970 */
    jingle_statistics figures; /* its texts are NULL */
};

struct report {
    char *us, *them; /* JIDs; "" while unknown */
    bool outgoing;
    int64_t begun; /* usec since 1970; 0: not known. The same for those below */
    int64_t ringing;
    int64_t accepted;
    int64_t connected;
    int64_t ended;
    int64_t setup_time; /* of CONNECTED */
    jingle_party ended_by;
    char *ending; /* a sentence */

    struct report_entry *entries;
    size_t entry_count;
    size_t entries_left_out;

    struct report_sample *samples;
    size_t sample_count;
    unsigned sample_step; /* one of so many is kept */
    unsigned sample_skip;

    /* what was agreed on, as it was told last */
    char *codec, *video_codec, *video_codec_received;
    char *srtp_profile, *dtls_cipher;
    bool unencrypted;
    char *candidate_local, *candidate_remote;
};

struct report *report_new(void);
void report_free(struct report *report);

/* Who calls whom, and when it began (usec since 1970): with jingle_session_start() or INCOMING.
 * `them` may be told again when it is known better. NULL leaves what is there. */
void report_call(struct report *report, const char *us, const char *them, bool outgoing,
                 int64_t begun);

/* All events of the session; those that say nothing to a reader are left out. STATISTICS is a
 * sample. */
void report_event(struct report *report, const jingle_event *event);

/* One second's figures. `time`: usec since 1970. */
void report_sample(struct report *report, const jingle_statistics *figures, int64_t time);

/* The page; freed with g_free(). Times of day are those of this machine. */
char *report_page(const struct report *report);

/* Writes it; an existing file is replaced when the new one is complete. False: errno tells why. */
bool report_write(const struct report *report, const char *path);

#endif
