/* A telephone: one call at a time, its keys and its clock. `jcall call` and `jcall answer` differ
 * only in what they do when the account is online, when somebody calls and when a call ends.
 *
 *     library's descriptor ──▶ events ───┐
 *     keys or --commands ────▶ requests ─┼─▶ struct phone ─▶ session functions, struct teller
 *     signals, deadlines ────────────────┘
 */
#ifndef JCALL_PHONE_H
#define JCALL_PHONE_H

#include "options.h"
#include "picture.h"
#include "report.h"
#include "ringing.h"
#include "tell.h"
#include "transfers.h"
#include "wires.h"

#include <stdbool.h>

#define PHONE_SOURCE_TAIL 1000000 /* what was said last should still be heard */

struct screen;

enum phone_state {
    PHONE_FREE,
    PHONE_CALLING,  /* we called; no answer yet */
    PHONE_INCOMING, /* it rings here */
    PHONE_SETUP,    /* answered; no sound yet */
    PHONE_TALKING,
};

struct phone {
    const struct options *options;
    struct teller *teller;
    jingle_client *client;
    jingle_session *session;     /* the call now, a reference; NULL if there is none */
    int64_t begun;               /* when the call became ours, microseconds since 1970 */
    jingle_session_config sound; /* of the next call, if `sound_ready` */
    struct report *report;       /* of the call now; NULL: none is wanted */
    char *text;                  /* the last sentence, that goes with `code` */
    gint64 signalled_at;
    gint64 end_due;  /* when to hang up (--seconds, --until-source-ends); G_MAXINT64: never */
    gint64 stop_due; /* when to stop waiting for the end of the call */
    gint64 wait_due; /* of the command's own: on_wait_over; G_MAXINT64: none */
    /* pictures: phone_video.c */
    jingle_video_source *pictures; /* of the next call; NULL: none is made yet */
    jingle_video_config video_config;
    struct screen *screen; /* NULL: no window */
    struct wires wires;
    struct ringing ringing;
    /* a second call: phone_waiting.c; references, or NULL */
    jingle_session *waiting;    /* rings while we talk */
    jingle_session *parked;     /* on hold while we talk with somebody else */
    struct transfers transfers; /* files to and from others: phone_files.c */
    /* numbers */
    enum phone_state state;
    enum picture_kind picture; /* that we send */
    unsigned calls;            /* that connected so far */
    unsigned reports;          /* written so far */
    int idle_code;             /* the exit code when the user quits without a call */
    int code;                  /* the exit code */
    int signalled;             /* the signal that ends us, or 0 */
    /* what is true */
    bool video_incoming; /* the call that rings here offers video */
    bool calling;        /* it was we who called */
    bool rings;          /* over there */
    bool parked_muted;
    bool sound_ready;
    bool asks; /* there is somebody, or a program, to ask */
    bool was_online;
    bool muted, held;
    bool quitting;      /* the program ends when the call has */
    bool lasting;       /* the program ends when the last file has */
    bool finished;      /* the loop ends */
    bool video;         /* was agreed on */
    bool video_offered; /* they wait for our word */
    bool no_window;     /* there can be none */
    bool window_closed; /* by the user, for this call */
    bool film_speaks;   /* the sound of the next call, or of this one, is that of --play */
    bool sound_over;    /* of a file: it was all said */
    bool pictures_over; /* likewise */
    /* what the command does */
    void (*on_online)(struct phone *phone); /* the first time */
    void (*on_incoming)(struct phone *phone, const jingle_event *event);
    void (*on_ended)(struct phone *phone, jingle_reason reason, int code, const char *text);
    void (*on_wait_over)(struct phone *phone);
};

/* Logs in and runs until the program shall end. Returns the exit code. */
int phone_run(struct phone *phone);

/* For the commands: the call that the phone has from now on. Takes over the reference. */
void phone_take(struct phone *phone, jingle_session *session, enum phone_state state);

/* The same with one that rings here. */
void phone_take_incoming(struct phone *phone, const jingle_event *event);

/* The sound for one more call, made by the options; the caller's session takes it over. On failure
 * `*message` (freed with g_free()) says what to do. */
jingle_status phone_sound(struct phone *phone, jingle_session_config *config, char **message);

/* Answers `session`; with video if the options want it and it is offered, or if `video`. */
void phone_accept(struct phone *phone, jingle_session *session, bool video);

/* Puts the video that the options want into `config`. */
void phone_add_video(struct phone *phone, jingle_session_config *config);

/* Ends the loop, as soon as no file moves any more. */
void phone_finish(struct phone *phone, int code, const char *text);

/* The last file that moved has ended. */
void phone_files_over(struct phone *phone);

#endif
