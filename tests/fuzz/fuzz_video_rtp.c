/* RTP and RTCP of a hostile peer into a video stream that sends and receives, with time passing
 * between.
 *
 *     input: what was agreed on (1 byte), records of
 *            how (1 byte: RTCP bit, milliseconds that pass before) | length (1) | packet
 */
#include "rtp/video.h"

#include <stdlib.h>
#include <string.h>

#define RTCP_BIT   0x80
#define START      (10 * USEC_PER_SEC)
#define FRAMES_MAX 64 /* sent in one input */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct peer {
    struct uplink *uplink;
    struct video *video;
    usec now;
    unsigned sent;
    uint64_t handed_out;
    bool key_wanted;
};

static void fill_same(void *user, void *out, size_t bytes)
{
    (void)user;
    memset(out, 0x55, bytes);
}

static void drop(void *user, uint8_t *packet, size_t bytes)
{
    (void)user;
    if (bytes > UPLINK_PACKET_MAX) {
        abort();
    }
    packet[bytes] = 0; /* the tail is there */
    packet[bytes + VIDEO_TAIL - 1] = 0;
}

static void take_target(void *user, const struct video_target *target)
{
    (void)user;
    if (target->width > 640 || target->bitrate > 50000000) {
        abort();
    }
}

static void want_key_frame(void *user)
{
    struct peer *peer = user;
    peer->key_wanted = true;
}

/* Every fifth frame is one that the decoder refuses. */
static void decode(void *user, struct coded_frame *frame, const struct video_frame_info *info)
{
    struct peer *peer = user;
    if (++peer->handed_out != info->number || frame->size == 0 || !info->codec ||
        (info->number == 1 && !frame->key)) {
        abort();
    }
    if (info->number % 5 == 0) {
        video_decoder_failed(peer->video, info->number, peer->now);
    } else if (info->number % 7 == 0) {
        video_decoder_dropped(peer->video, info->number, peer->now);
    } else {
        video_decoder_done(peer->video, info->number, 1, 1, USEC_PER_MS);
    }
    coded_frame_free(frame);
}

static bool open_peer(struct peer *peer, uint8_t agreed)
{
    const struct uplink_config link = {.hooks = {.send_rtp = drop}};
    struct video_config config = {
        .ssrc = 1,
        .rtx_ssrc = 2,
        .cname = "fuzz",
        .sending = {.codec = &codec_vp8, .payload_type = 96, .rtx = agreed & 1 ? 97 : 0},
        .receive = {{96, &codec_vp8, 97}, {98, &codec_vp9, 99}},
        .receive_count = 2,
        .feedback = {.nack = agreed & 2,
                     .pli = agreed & 4,
                     .fir = agreed & 8,
                     .reduced_size = agreed & 16},
        .extensions = {.mid = 4, .mid_value = "video", .send_time = 2, .transport_sequence = 3},
        .random = {.fill = fill_same},
        .hooks = {.user = peer,
                  .send_rtcp = drop,
                  .target = take_target,
                  .key_frame = want_key_frame,
                  .frame = decode},
    };
    const struct video_input input = {.width = 640, .height = 360, .frame_rate = 30};
    if (uplink_new(&link, &peer->uplink) != JINGLE_OK) {
        return false;
    }
    config.uplink = peer->uplink;
    if (video_new(&config, &peer->video) != JINGLE_OK) {
        return false;
    }
    video_set_input(peer->video, &input, peer->now);
    return true;
}

/* Something is in the history for the peer to ask for. */
static void send_frame(struct peer *peer)
{
    struct coded_frame *frame = peer->sent < FRAMES_MAX ? coded_frame_new(2000) : NULL;
    if (!frame) {
        return;
    }
    memset(frame->bytes, 1, 2000);
    frame->size = 2000;
    frame->key = peer->key_wanted || peer->sent == 0;
    frame->picture_id = (int)peer->sent++;
    frame->captured = peer->now;
    peer->key_wanted = false;
    video_send_frame(peer->video, frame, peer->now);
    coded_frame_free(frame);
}

static void pass_time(struct peer *peer, unsigned ms)
{
    peer->now += ms * USEC_PER_MS;
    if (ms >= 30) {
        send_frame(peer);
    }
    uplink_tick(peer->uplink, peer->now);
    video_tick(peer->video, peer->now);
    if (video_next_deadline(peer->video) <= peer->now) {
        abort(); /* its owner would spin */
    }
}

static void give(struct peer *peer, bool rtcp, const uint8_t *packet, size_t size)
{
    struct rtcp_reader reader;
    struct rtcp_message message;
    if (!rtcp) {
        video_receive_rtp(peer->video, packet, size, peer->now);
        return;
    }
    if (rtcp_open(&reader, packet, size)) {
        while (rtcp_next(&reader, &message)) {
            uplink_receive_rtcp(peer->uplink, &message, peer->now);
        }
    }
    video_receive_rtcp(peer->video, packet, size, peer->now);
}

/* However it went, the peer cannot have made us ask for much. */
static void check_figures(const struct peer *peer)
{
    jingle_video_statistics stats = {0};
    uint64_t tenths = (uint64_t)(peer->now - START) / (100 * USEC_PER_MS);
    video_stats(peer->video, &stats, peer->now);
    if (stats.key_frames_requested > tenths + 2 || stats.freeze_time < 0 ||
        stats.freeze_time > peer->now || stats.frames_decoded > peer->handed_out) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct peer peer = {.now = START};
    const uint8_t *end = data + size;
    bool open = size > 0 && open_peer(&peer, *data++);
    while (open && end - data >= 2) {
        uint8_t how = data[0];
        size_t length = data[1];
        data += 2;
        length = length < (size_t)(end - data) ? length : (size_t)(end - data);
        pass_time(&peer, how & (RTCP_BIT - 1));
        give(&peer, how & RTCP_BIT, data, length);
        data += length;
    }
    if (open) {
        check_figures(&peer);
    }
    video_free(peer.video);
    uplink_free(peer.uplink);
    return 0;
}
