/* What tells have in common: the state behind the sentences, for the files tell*.c only.
 *
 *     tell.c        the program and its account, the live line, the last word
 *     tell_call.c   a call
 *     tell_files.c  files on their way
 *     tell_list.c   contacts, devices, findings
 */
#ifndef JCALL_TELLER_H
#define JCALL_TELLER_H

#include "display.h"
#include "json.h"
#include "progress.h"
#include "tell.h"

#include <stdio.h>

#define TEXT_MAX       400 /* characters of a text that others chose */
#define NAME_MAX_SHOWN 100 /* and of a JID */
#define URL_MAX_SHOWN  2048

enum stage {
    STAGE_IDLE,
    STAGE_LOGIN,
    STAGE_WAITING,
    STAGE_CALLING,
    STAGE_RINGING,
    STAGE_INCOMING,
    STAGE_SETUP,
    STAGE_TALKING,
    STAGE_FILES_AWAITED, /* somebody may send some */
    STAGE_FILES_OFFERED, /* by us; not taken yet */
    STAGE_FILES_LAST,    /* the program would have ended but for them */
};

struct teller {
    bool json;
    bool json_broken;
    jingle_log_level verbosity;
    FILE *log;
    struct display *display;
    jingle_client *client;
    bool was_online;
    char *said; /* the last sentence */
    /* what the live line shows */
    enum stage stage;
    enum stage rest; /* what follows a call */
    gint64 since;
    jingle_session *session; /* a reference */
    bool outgoing;
    bool muted, held;
    bool peer_muted, peer_held;
    bool interrupted;
    jingle_statistics now, before; /* of this second and the last one; texts not used */
    char *codec;
    int64_t plain_due;
    /* files */
    struct progress progress;
    unsigned files;      /* that have got a number so far */
    char *words;         /* that came with the last one offered */
    char *question;      /* that waits for a key; NULL: none */
    char *typed;         /* what the user types for the question before; NULL: nothing */
    gint64 progress_due; /* when the line may be drawn again */
    bool end_is_told;    /* people have read why the program will end */
    bool may_upload;     /* --via=http was not tried, and could be */
};

/* Remembers whether a program still takes what it is told. */
void teller_json(struct teller *teller, bool good);

/* What goes on now, for the live line. */
void teller_enter(struct teller *teller, enum stage stage);

/* The call that is told of. */
void teller_set_session(struct teller *teller, jingle_session *session);

/* A text of others, or if it is empty `otherwise`. */
void teller_say(struct teller *teller, const char *text, const char *otherwise);

/* "0:12  Ringing ...  (q gives up)". Freed with g_free(). */
char *teller_stage_text(struct teller *teller);

/* Of tell_call.c: the live line of a call (freed with g_free()), and its events. */
char *teller_call_text(struct teller *teller);
void teller_say_incoming(struct teller *teller, const jingle_event *event);
void teller_say_device(struct teller *teller, const jingle_event *event);
void teller_say_session(struct teller *teller, const jingle_event *event);

/* Of tell_files.c: the live line of files (freed with g_free(); NULL: nothing is to be shown), and
 * their events. */
char *teller_files_text(struct teller *teller);
void teller_take_transfer(struct teller *teller, const jingle_event *event);
void teller_say_link(struct teller *teller, const jingle_event *event);

/* Of tell_list.c. */
void teller_say_check(struct teller *teller, const char *subject, bool good, const char *text,
                      const char *remedy);

#endif
