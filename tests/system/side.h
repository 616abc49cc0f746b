/* What the tests of whole clients share: sides that are external clients on one switchboard, with
 * sound of the test's own that is counted.
 *
 *     struct world ─▶ switchboard ⇄ struct side (client, session, sound)
 *
 * Whatever waits, waits for an event or a count; PATIENCE ends only a failing test. */
#ifndef JINGLE_TESTS_SIDE_H
#define JINGLE_TESTS_SIDE_H

#include "base/clock.h"
#include "support/switchboard.h"

#include <jingle/jingle.h>

#include <stdatomic.h>

#define PATIENCE (30 * USEC_PER_SEC)

#define SIDES_MAX 3
#define ALICE     "alice@example.test/desk"
#define BOB       "bob@example.test/phone"
#define CAROL     "carol@example.test/car"

/* A source and a sink of the application's. The tone is in the left channel only, if there are
 * two. */
struct sound {
    jingle_audio_source source;
    jingle_audio_sink sink;
    double hz; /* 0: silence */
    double phase;
    uint32_t source_channels; /* that it insists on; 0: what the engine likes */
    uint32_t rate, channels;  /* of the source */
    uint32_t sink_channels;
    _Atomic long frames_left; /* then JINGLE_AUDIO_END; negative: endless */
    _Atomic bool source_lost;
    _Atomic bool sink_lost;
    _Atomic long heard;      /* frames in all */
    _Atomic long loud;       /* of these above the noise, left or mono */
    _Atomic long loud_right; /* the same, right */
    int poke;                /* written to whenever the sink is: wakes the world */
    unsigned handed_over;    /* to sessions: this often both must be freed */
    _Atomic unsigned sources_freed;
    _Atomic unsigned sinks_freed;
};

/* A config with this sound. */
jingle_session_config sound_config(struct sound *sound, double hz);

/* Forgets what was heard until now. */
void sound_listen_anew(struct sound *sound);

struct side {
    jingle_client *client;
    jingle_session *session; /* the last one that came in, or that the test started */
    unsigned count[JINGLE_EVENT_TRANSFER_ENDED + 1]; /* events by type */
    jingle_reason reason;
    jingle_party by;
    char digits[16];
    bool flag;
    jingle_statistics statistics; /* its text is gone */
    bool device_lost;
    bool sends_video, receives_video; /* as the last event said */
    bool video_muted;                 /* by the peer */
    bool video_device_lost;
    jingle_status video_status;
    struct sound sound;
};

struct world {
    struct switchboard *board;
    int poke; /* eventfd */
    struct side sides[SIDES_MAX];
    struct side *alice;
    struct side *bob;
    struct side *carol; /* not online unless world_add_carol() is called */
    void (*event)(struct world *world, struct side *side, const jingle_event *event);
    char *(*rewrite)(struct world *world, struct side *from, const char *xml);
    void *user;
};

struct world *world_new(int64_t ring_timeout, bool alice_is_a_stranger);
void world_add_carol(struct world *world);

/* Frees the clients, and then checks that each sound was freed as often as it was handed over. */
void world_free(struct world *world);

/* cmocka's fixtures, with Alice and Bob online. */
int world_set_up(void **state);
int world_tear_down(void **state);

/* Runs until the side got this event, once or `times` times in all. */
void await(struct world *world, struct side *side, jingle_event_type type);
void await_times(struct world *world, struct side *side, jingle_event_type type, unsigned times);
void await_all(struct world *world, bool (*done)(void *user), void *user);

/* Runs until so many more frames were written to the side's sink. */
void await_frames(struct world *world, struct side *side, long frames);

/* Runs until a third of a second of tone or more was heard from now on, at either end. */
void await_both_hear(struct world *world);
void await_hears(struct world *world, struct side *side);

/* Calls Bob and waits until it rings at both ends. */
void call_bob(struct world *world, const jingle_session_config *config);
void connect_with(struct world *world, const jingle_session_config *alice,
                  const jingle_session_config *bob);
void connect_both(struct world *world, double alice_hz, double bob_hz);
void hang_up(struct world *world, struct side *who);

#endif
