#include "ringing.h"

#include "sound.h"

static jingle_player *play(const struct options *options, jingle_ring ring)
{
    jingle_player *player = NULL;
    jingle_audio_sink *sink = sound_ring_sink(options);
    if (sink) {
        jingle_player_new(jingle_audio_source_ring(ring, NULL), sink, &player);
    }
    return player;
}

void ringing_set(struct ringing *ringing, const struct options *options, enum ringing_what what)
{
    if (ringing->what == what) {
        return;
    }
    ringing->what = what;
    jingle_player_free(ringing->player);
    ringing->player = NULL;
    static const jingle_ring rings[] = {
        [RINGING_HERE] = JINGLE_RING_INCOMING,
        [RINGING_THERE] = JINGLE_RING_BACK,
        [RINGING_BESIDE] = JINGLE_RING_WAITING,
    };
    if (what != RINGING_NOTHING) {
        ringing->player = play(options, rings[what]);
    }
}
