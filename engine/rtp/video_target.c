/* What the encoder is told: how much to make, when to leave pictures out, when a key frame. */
#include "rtp/video_private.h"

#define BITRATE_DEFAULT 2500000
#define LOOK_INTERVAL   (20 * USEC_PER_MS)

/* Pictures are left out while the uplink's queue takes longer than this to leave, or while so much
 * more was sent than the target allowed. */
#define QUEUE_FULL (120 * USEC_PER_MS)
#define BACKLOG    0.4 /* seconds */

/* In seconds of the target that was told when it was sent. */
void sender_count(struct video_sender *out, size_t bytes, usec now)
{
    double passed = (double)(now - out->drained) / USEC_PER_SEC;
    out->drained = now;
    out->backlog = out->backlog > passed ? out->backlog - passed : 0;
    if (out->target.bitrate > 0) {
        out->backlog += (double)bytes * 8 / out->target.bitrate;
    }
}

/* A change that an encoder would not notice is not told. */
static bool same_target(const struct video_target *a, const struct video_target *b)
{
    uint32_t more = a->bitrate > b->bitrate ? a->bitrate : b->bitrate;
    uint32_t less = a->bitrate > b->bitrate ? b->bitrate : a->bitrate;
    return a->frame_rate == b->frame_rate && a->width == b->width && a->height == b->height &&
           a->skip == b->skip && (less == 0) == (more == 0) && more - less <= more / 50;
}

static void tell_target(struct video *video, const struct video_target *target)
{
    const struct video_hooks *hooks = &video->config.hooks;
    if (same_target(&video->out.target, target)) {
        return;
    }
    video->out.target = *target;
    if (hooks->target) {
        hooks->target(hooks->user, target);
    }
}

/* Whether as much waits as pictures must not be added to. */
static bool must_skip(struct video *video, usec now)
{
    sender_count(&video->out, 0, now);
    return uplink_queue_time(video->uplink) > QUEUE_FULL || video->out.backlog > BACKLOG;
}

void sender_look(struct video *video, usec now)
{
    struct video_sender *out = &video->out;
    struct video_target target = {0};
    struct uplink_target path;
    out->looked = now;
    if (sender_active(video) && out->ladder.count > 0) {
        uplink_target(video->uplink, &path);
        ladder_follow(&out->ladder, path.video, now);
        const struct ladder_rung *rung = ladder_rung(&out->ladder);
        if (rung) {
            target.bitrate = ladder_bitrate(&out->ladder, path.video);
            target.width = rung->width;
            target.height = rung->height;
            target.frame_rate = rung->frame_rate;
            target.skip = must_skip(video, now);
        }
    }
    tell_target(video, &target);
}

static void tell_wanted(struct video *video, usec now)
{
    struct video_sender *out = &video->out;
    uint32_t wanted = sender_active(video) ? out->ladder.most : 0;
    if (wanted != out->wanted) {
        out->wanted = wanted;
        uplink_set_wanted(video->uplink, wanted, now);
    }
}

static void ask_encoder(struct video *video, usec now)
{
    const struct video_hooks *hooks = &video->config.hooks;
    if (sender_active(video) && key_frame_pace_due(&video->out.key_frames, now) &&
        hooks->key_frame) {
        hooks->key_frame(hooks->user);
    }
}

void sender_update(struct video *video, usec now)
{
    tell_wanted(video, now);
    sender_look(video, now);
    ask_encoder(video, now);
}

void sender_asked(struct video *video, usec now)
{
    video->out.asked++;
    key_frame_pace_request(&video->out.key_frames, video_round_trip(video), now);
    ask_encoder(video, now);
}

void sender_tick(struct video *video, usec now)
{
    struct video_sender *out = &video->out;
    if (now - out->looked >= LOOK_INTERVAL || out->target.skip) {
        sender_look(video, now);
    }
    ask_encoder(video, now);
    rate_meter_run(&out->bytes_meter, out->sent.bytes + out->repeated_bytes, now);
    rate_meter_run(&out->frames_meter, out->frames, now);
}

usec sender_deadline(const struct video *video)
{
    if (!sender_active(video) || video->out.ladder.count == 0) {
        return USEC_NEVER;
    }
    usec keys = key_frame_pace_deadline(&video->out.key_frames);
    usec look = video->out.looked + LOOK_INTERVAL;
    return keys < look ? keys : look;
}

void sender_open_ladder(struct video_sender *out)
{
    const struct video_input *input = &out->input;
    uint32_t most = out->sending.bitrate ? out->sending.bitrate : BITRATE_DEFAULT;
    uint32_t width = out->sending.codec ? input->width : 0;
    ladder_open(&out->ladder, width, input->height, input->frame_rate, input->screen, most);
}

void video_set_input(struct video *video, const struct video_input *input, usec now)
{
    video->out.input = *input;
    sender_open_ladder(&video->out);
    sender_update(video, now);
}

void video_set_mute(struct video *video, bool on, usec now)
{
    if (video->out.muted == on) {
        return;
    }
    video->out.muted = on;
    if (!on) {
        sender_break_off(video);
    }
    sender_update(video, now);
}
