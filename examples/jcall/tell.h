/* Everything that jcall says, to a person or to a program (--json).
 *
 *     library's event ─┐                  ┌─▶ json.c: one object a line
 *     jcall's own ─────┴─▶ struct teller ─┴─▶ display.c: sentences and the live line
 */
#ifndef JCALL_TELL_H
#define JCALL_TELL_H

#include "options.h"

#include <jingle/jingle.h>
#include <stdbool.h>

struct teller;

/* `live`: this command may keep a line alive on a terminal. NULL if the log file cannot be
 * written: `*message` (freed with g_free()) says so. */
struct teller *tell_new(const struct options *options, bool live, char **message);
void tell_free(struct teller *teller);

/* The log function of the library; its level is as --verbose and --log say. */
void tell_log(void *teller, jingle_log_level level, const char *line);
jingle_log_level tell_log_level(const struct teller *teller);

/* jcall's own events. */
void tell_start(struct teller *teller, const char *command);
void tell_connecting(struct teller *teller, jingle_client *client, const char *jid);
void tell_waiting(struct teller *teller);
void tell_calling(struct teller *teller, jingle_session *session);
void tell_answering(struct teller *teller, jingle_session *session);
void tell_busy(struct teller *teller, jingle_session *session, const char *from);
/* A second call: it waits while we talk; it is the call now, after a hold, or it rings here as any
 * other; it ended beside the one that goes on. */
void tell_waiting_call(struct teller *teller, jingle_session *session, const char *from);
void tell_back(struct teller *teller, jingle_session *session, bool muted);
void tell_incoming_again(struct teller *teller, jingle_session *session);
void tell_other_ended(struct teller *teller, jingle_session *session);
void tell_switch(struct teller *teller, jingle_session *session, bool mute, bool on);
void tell_digits(struct teller *teller, jingle_session *session, const char *digits);
/* What we do with our picture: "camera", "screen", "none", "adding", "accepting", "refusing",
 * "stopping". */
void tell_picture(struct teller *teller, jingle_session *session, const char *what);
/* A file is written: "snapshot", "record", "report". */
void tell_file(struct teller *teller, jingle_session *session, const char *what, const char *path);
void tell_contact(struct teller *teller, const jingle_contact *contact);
void tell_device(struct teller *teller, const jingle_audio_device *device);
void tell_camera(struct teller *teller, const jingle_camera *camera);
void tell_check(struct teller *teller, const char *subject, bool good, const char *text,
                const char *remedy);
void tell_error(struct teller *teller, jingle_status status, const char *text);

/* Files. Those under way are shown in the live line. */
void tell_awaiting_files(struct teller *teller, const char *folder);
/* We offer one of `bytes` bytes to `to`. `may_upload`: --via=http could help if they are away. */
void tell_offering(struct teller *teller, jingle_transfer *transfer, const char *to, uint64_t bytes,
                   bool may_upload);
/* We take one that was offered. */
void tell_taking(struct teller *teller, jingle_transfer *transfer, uint64_t bytes);
/* Nobody was asked: `why` in a sentence, `reason` for programs. */
void tell_refusing(struct teller *teller, jingle_transfer *transfer, const char *reason,
                   const char *why);
/* The program would end now but for files that still move. */
void tell_last_files(struct teller *teller);
/* A folder is being packed; `bytes` so far. */
void tell_packing(struct teller *teller, const char *name, uint64_t bytes);
/* What waits for a key; NULL: nothing any more. */
void tell_question(struct teller *teller, const char *question);
/* What the user has typed so far as the answer; NULL: nothing is asked any more. */
void tell_typed(struct teller *teller, const char *typed);
/* Why a transfer ended, with what to do about it. Freed with g_free(). */
char *tell_transfer_sentence(const struct teller *teller, const jingle_event *event);

/* A sentence for people only. */
void tell_note(struct teller *teller, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* An event of the library. Those of a session other than the one called, answered or incoming
 * last are told to programs only. */
void tell_event(struct teller *teller, const jingle_event *event);

/* Draws the live line anew; false if it will look the same until the next event. */
bool tell_tick(struct teller *teller);

/* What a window says of the call: name, time and quality. Freed with g_free(). */
char *tell_window_text(struct teller *teller);

/* Standard output takes no more. */
bool tell_broken(struct teller *teller);

/* The last word; returns `code`. People read `text` if they have not just read it. */
int tell_exit(struct teller *teller, int code, const char *text);

#endif
