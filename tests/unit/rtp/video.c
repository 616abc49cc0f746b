/* A video stream against packets made by hand; two of them over a network: tests/sim. */
#include "rtp/video.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rtp/bytes.h"
#include "rtp/packet.h"
#include "rtp/rtcp.h"

#define OURS     0x11111111
#define OUR_RTX  0x22222222
#define THEIRS   0x33333333
#define THEIR_RX 0x44444444
#define VP8      96
#define VP8_RTX  97
#define VP9      98
#define START    (100 * USEC_PER_SEC)
#define FRAME    (33 * USEC_PER_MS)
#define SENT_MAX 4096

struct sent {
    uint8_t bytes[1300];
    size_t size;
};

/* All that a stream gave. */
static struct {
    struct video_config config;
    struct uplink *uplink;
    struct video *video;
    usec now;
    struct sent rtp[SENT_MAX];
    size_t rtp_count;
    struct sent rtcp[SENT_MAX];
    size_t rtcp_count;
    struct video_target target;
    unsigned keys_wanted;
    unsigned byes;
    unsigned frames;
    struct video_frame_info info; /* of the last frame */
    bool last_key;
    size_t last_size;
    uint16_t sequence; /* of the peer's next packet */
    int picture;
} s;

static void fill_zeros(void *user, void *out, size_t bytes)
{
    (void)user;
    memset(out, 0x55, bytes);
}

static void keep(struct sent *list, size_t *count, const uint8_t *packet, size_t bytes)
{
    assert_true(bytes <= 1200);
    if (*count < SENT_MAX) {
        memcpy(list[*count].bytes, packet, bytes);
        list[(*count)++].size = bytes;
    }
}

static void on_rtp(void *user, uint8_t *packet, size_t bytes)
{
    (void)user;
    packet[bytes + UPLINK_TAIL - 1] = 0;
    keep(s.rtp, &s.rtp_count, packet, bytes);
}

static void on_rtcp(void *user, uint8_t *packet, size_t bytes)
{
    (void)user;
    packet[bytes + VIDEO_TAIL - 1] = 0;
    keep(s.rtcp, &s.rtcp_count, packet, bytes);
}

static void on_target(void *user, const struct video_target *target)
{
    (void)user;
    s.target = *target;
}

static void on_key_frame(void *user)
{
    (void)user;
    s.keys_wanted++;
}

static void on_frame(void *user, struct coded_frame *frame, const struct video_frame_info *info)
{
    (void)user;
    s.frames++;
    s.info = *info;
    s.last_key = frame->key;
    s.last_size = frame->size;
    coded_frame_free(frame);
}

static void on_bye(void *user)
{
    (void)user;
    s.byes++;
}

static int open_stream(void **state)
{
    (void)state;
    memset(&s, 0, sizeof s);
    s.now = START;
    s.sequence = 65530;
    const struct uplink_config link = {
        .start = 2000000, .most = 2000000, .hooks = {.send_rtp = on_rtp}};
    s.config = (struct video_config){
        .ssrc = OURS,
        .rtx_ssrc = OUR_RTX,
        .cname = "test",
        .sending = {.codec = &codec_vp8, .payload_type = VP8, .rtx = VP8_RTX},
        .receive = {{VP8, &codec_vp8, VP8_RTX}, {VP9, &codec_vp9, 0}},
        .receive_count = 2,
        .feedback = {.nack = true, .pli = true, .reduced_size = true},
        .extensions = {.mid = 4, .mid_value = "video", .send_time = 2, .transport_sequence = 3},
        .random = {.fill = fill_zeros},
        .hooks = {.send_rtcp = on_rtcp,
                  .target = on_target,
                  .key_frame = on_key_frame,
                  .frame = on_frame,
                  .bye = on_bye},
    };
    if (uplink_new(&link, &s.uplink) != JINGLE_OK) {
        return -1;
    }
    s.config.uplink = s.uplink;
    return video_new(&s.config, &s.video) == JINGLE_OK ? 0 : -1;
}

static int close_stream(void **state)
{
    (void)state;
    video_free(s.video);
    uplink_free(s.uplink);
    return 0;
}

/* Another stream with the changed s.config. */
static void reopen(void)
{
    video_free(s.video);
    assert_int_equal(video_new(&s.config, &s.video), JINGLE_OK);
}

static void pass(usec time)
{
    for (usec end = s.now + time; s.now < end; s.now += 5 * USEC_PER_MS) {
        uplink_tick(s.uplink, s.now);
        video_tick(s.video, s.now);
        assert_true(video_next_deadline(s.video) > s.now); /* or its owner would spin */
    }
}

/* --- what was sent -- */

static struct packet rtp_at(size_t number)
{
    struct packet packet;
    assert_true(number < s.rtp_count);
    assert_true(packet_parse(&packet, s.rtp[number].bytes, s.rtp[number].size));
    return packet;
}

/* How many feedback messages of a kind were sent. */
static unsigned feedback_count(enum feedback_kind kind, struct rtcp_feedback *last)
{
    unsigned count = 0;
    for (size_t i = 0; i < s.rtcp_count; i++) {
        struct rtcp_reader reader;
        struct rtcp_message message;
        assert_true(rtcp_open(&reader, s.rtcp[i].bytes, s.rtcp[i].size));
        while (rtcp_next(&reader, &message)) {
            if (message.type >= RTCP_TRANSPORT_FEEDBACK && message.feedback.kind == kind) {
                count++;
                if (last) {
                    *last = message.feedback;
                }
            }
        }
    }
    return count;
}

static void show_camera(void)
{
    const struct video_input input = {.width = 1280, .height = 720, .frame_rate = 30};
    video_set_input(s.video, &input, s.now);
}

static bool send_frame(bool key, size_t size)
{
    struct coded_frame *frame = coded_frame_new(size);
    memset(frame->bytes, 0xaa, size);
    frame->bytes[0] = key ? 0 : 1;
    frame->size = size;
    frame->key = key;
    frame->captured = s.now;
    frame->picture_id = s.picture++;
    bool sent = video_send_frame(s.video, frame, s.now);
    coded_frame_free(frame);
    return sent;
}

static void give_rtcp(const uint8_t *bytes, size_t size)
{
    video_receive_rtcp(s.video, bytes, size, s.now);
}

static void give_nack(uint16_t sequence)
{
    uint8_t bytes[64];
    give_rtcp(bytes, rtcp_write_nack(bytes, sizeof bytes, THEIRS, OURS, &sequence, 1));
}

static void give_pli(void)
{
    uint8_t bytes[64];
    give_rtcp(bytes, rtcp_write_pli(bytes, sizeof bytes, THEIRS, OURS));
}

/* --- what comes -- */

/* A packet of the peer's; the payload is VP8's, of one byte or 100. */
static void give_packet(uint16_t sequence, uint32_t timestamp, bool first, bool last, bool key,
                        int picture)
{
    uint8_t bytes[200];
    struct packet_header header = {.marker = last,
                                   .payload_type = VP8,
                                   .sequence = sequence,
                                   .timestamp = timestamp,
                                   .ssrc = THEIRS};
    size_t size = packet_write_header(&header, bytes, sizeof bytes);
    uint8_t descriptor[] = {(uint8_t)(first ? 0x90 : 0x80), 0x80, (uint8_t)(0x80 | picture >> 8),
                            (uint8_t)picture};
    memcpy(bytes + size, descriptor, sizeof descriptor);
    size += sizeof descriptor;
    memset(bytes + size, key ? 0 : 1, 100);
    video_receive_rtp(s.video, bytes, size + 100, s.now);
}

/* A whole frame of one packet, in time; `lost`: it never comes. */
static void give_frame(bool key, bool lost)
{
    uint32_t timestamp = (uint32_t)s.picture * 3000;
    if (!lost) {
        give_packet(s.sequence, timestamp, true, true, key, s.picture);
    }
    s.sequence++;
    s.picture++;
    pass(FRAME);
}

/* The same over rtx. */
static void give_again(uint16_t original, uint16_t sequence, uint32_t timestamp, int picture)
{
    uint8_t bytes[200];
    struct packet_header header = {.marker = true,
                                   .payload_type = VP8_RTX,
                                   .sequence = sequence,
                                   .timestamp = timestamp,
                                   .ssrc = THEIR_RX};
    size_t size = packet_write_header(&header, bytes, sizeof bytes);
    write_u16(bytes + size, original);
    uint8_t descriptor[] = {0x90, 0x80, (uint8_t)(0x80 | picture >> 8), (uint8_t)picture};
    memcpy(bytes + size + 2, descriptor, sizeof descriptor);
    size += 2 + sizeof descriptor;
    memset(bytes + size, 1, 100);
    video_receive_rtp(s.video, bytes, size + 100, s.now);
}

static jingle_video_statistics stats(void)
{
    jingle_video_statistics figures = {0};
    video_stats(s.video, &figures, s.now);
    return figures;
}

/* --- sending -- */

static void test_a_config_without_what_is_needed_is_refused(void **state)
{
    (void)state;
    struct video *video;
    struct video_config config = s.config;
    config.uplink = NULL;
    assert_int_equal(video_new(&config, &video), JINGLE_ERROR_INVALID);
    config = s.config;
    config.cname = NULL;
    assert_int_equal(video_new(&config, &video), JINGLE_ERROR_INVALID);
    config = s.config;
    config.receive_count = VIDEO_PAYLOADS_MAX + 1;
    assert_int_equal(video_new(&config, &video), JINGLE_ERROR_INVALID);
    assert_null(video);
}

static void test_the_encoder_is_told_what_the_path_takes(void **state)
{
    (void)state;
    assert_int_equal(s.target.bitrate, 0);
    show_camera();
    assert_true(s.target.bitrate > 1000000 && s.target.bitrate <= 2500000);
    assert_int_equal(s.target.width, 1280);
    assert_int_equal(s.target.frame_rate, 30);
    video_set_mute(s.video, true, s.now);
    assert_int_equal(s.target.bitrate, 0);
    assert_false(send_frame(true, 100));
    video_set_mute(s.video, false, s.now);
    assert_true(s.target.bitrate > 0);
    assert_int_equal(s.keys_wanted, 1);
    assert_true(send_frame(true, 100));
    video_set_mute(s.video, false, s.now); /* nothing changes */
    assert_true(send_frame(false, 100));
}

static void test_a_frame_becomes_packets_with_a_marker_at_the_end(void **state)
{
    (void)state;
    show_camera();
    assert_true(send_frame(true, 5000));
    pass(200 * USEC_PER_MS);
    assert_true(s.rtp_count >= 5);
    uint32_t timestamp = rtp_at(0).timestamp;
    uint16_t sequence = rtp_at(0).sequence;
    size_t size;
    for (size_t i = 0; i < 5; i++) {
        struct packet packet = rtp_at(i);
        assert_int_equal(packet.ssrc, OURS);
        assert_int_equal(packet.payload_type, VP8);
        assert_int_equal(packet.timestamp, timestamp);
        assert_int_equal(packet.sequence, (uint16_t)(sequence + i));
        assert_int_equal(packet.marker, i == 4);
        assert_memory_equal(packet_extension(&packet, 4, &size), "video", 5);
        assert_non_null(packet_extension(&packet, 2, &size));
        assert_non_null(packet_extension(&packet, 3, &size));
    }
}

static void test_time_stamps_follow_the_camera(void **state)
{
    (void)state;
    show_camera();
    send_frame(true, 100);
    pass(100 * USEC_PER_MS);
    send_frame(false, 100);
    pass(100 * USEC_PER_MS);
    assert_int_equal(rtp_at(1).timestamp - rtp_at(0).timestamp, 9000 - 1);
}

static void test_nothing_is_sent_before_the_first_key_frame(void **state)
{
    (void)state;
    show_camera();
    assert_false(send_frame(false, 100));
    assert_int_equal(stats().frames_dropped, 1);
    pass(FRAME);
    assert_int_equal(s.keys_wanted, 1);
    assert_true(send_frame(true, 100));
    assert_true(send_frame(false, 100));
}

static void test_what_is_missed_comes_again_over_rtx(void **state)
{
    (void)state;
    show_camera();
    send_frame(true, 3000);
    pass(100 * USEC_PER_MS);
    size_t before = s.rtp_count;
    struct packet lost = rtp_at(1);
    give_nack(lost.sequence);
    pass(20 * USEC_PER_MS);
    struct packet again = rtp_at(before);
    assert_int_equal(again.ssrc, OUR_RTX);
    assert_int_equal(again.payload_type, VP8_RTX);
    assert_int_equal(again.timestamp, lost.timestamp);
    assert_int_equal(read_u16(again.payload), lost.sequence);
    assert_int_equal(again.payload_bytes, lost.payload_bytes + 2);
    assert_memory_equal(again.payload + 2, lost.payload, lost.payload_bytes);
    assert_int_equal(stats().packets_retransmitted, 1);
}

static void test_a_packet_is_sent_again_once_in_a_round_trip(void **state)
{
    (void)state;
    show_camera();
    send_frame(true, 3000);
    pass(100 * USEC_PER_MS);
    for (unsigned i = 0; i < 10; i++) {
        give_nack(rtp_at(1).sequence);
    }
    assert_int_equal(stats().packets_retransmitted, 1);
    pass(200 * USEC_PER_MS); /* a round trip is taken for 150 ms before one is measured */
    give_nack(rtp_at(1).sequence);
    assert_int_equal(stats().packets_retransmitted, 3); /* it is overdue: two of them */
    give_nack((uint16_t)(rtp_at(0).sequence - 1));      /* never sent */
    assert_int_equal(stats().packets_retransmitted, 3);
}

static void test_without_rtx_the_packet_itself_comes_again(void **state)
{
    (void)state;
    s.config.sending.rtx = 0;
    reopen();
    show_camera();
    send_frame(true, 3000);
    pass(100 * USEC_PER_MS);
    size_t before = s.rtp_count;
    give_nack(rtp_at(1).sequence);
    pass(20 * USEC_PER_MS);
    assert_int_equal(rtp_at(before).ssrc, OURS);
    assert_int_equal(rtp_at(before).sequence, rtp_at(1).sequence);
}

static void test_a_flood_of_requests_makes_no_flood_of_packets(void **state)
{
    (void)state;
    show_camera();
    send_frame(true, 100000);
    pass(USEC_PER_SEC);
    uint64_t before = stats().bytes_sent;
    uint16_t first = rtp_at(0).sequence;
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 80; i++) {
            give_nack((uint16_t)(first + i));
        }
        pass(50 * USEC_PER_MS);
    }
    /* half of 2 Mbit/s in a second, and a burst of half a second */
    assert_true(stats().bytes_sent - before < 200000);
    assert_true(stats().packets_retransmitted > 10);
}

static void test_key_frames_are_asked_for_at_a_sane_pace(void **state)
{
    (void)state;
    show_camera();
    send_frame(true, 1000);
    pass(USEC_PER_SEC);
    unsigned before = s.keys_wanted;
    for (unsigned i = 0; i < 100; i++) {
        give_pli();
        pass(10 * USEC_PER_MS);
    }
    assert_int_equal(s.keys_wanted - before, 1); /* told again after a second */
    assert_int_equal(stats().key_frames_asked, 100);
}

static void test_a_repeated_fir_is_one_request(void **state)
{
    (void)state;
    uint8_t bytes[64];
    show_camera();
    send_frame(true, 1000);
    pass(USEC_PER_SEC);
    for (unsigned i = 0; i < 5; i++) {
        give_rtcp(bytes, rtcp_write_fir(bytes, sizeof bytes, THEIRS, OURS, 7));
    }
    assert_int_equal(stats().key_frames_asked, 1);
    give_rtcp(bytes, rtcp_write_fir(bytes, sizeof bytes, THEIRS, OURS, 8));
    assert_int_equal(stats().key_frames_asked, 2);
    give_rtcp(bytes, rtcp_write_fir(bytes, sizeof bytes, THEIRS, 0x999, 9));
    assert_int_equal(stats().key_frames_asked, 2);
}

static void test_pictures_are_left_out_while_too_much_waits(void **state)
{
    (void)state;
    show_camera();
    send_frame(true, 200000);
    assert_true(s.target.skip);
    pass(3 * USEC_PER_SEC);
    assert_false(s.target.skip);
}

static void test_reports_say_when_what_was_taken(void **state)
{
    (void)state;
    show_camera();
    send_frame(true, 1000);
    usec captured = s.now;
    pass(4 * USEC_PER_SEC);
    bool told = false;
    for (size_t i = 0; i < s.rtcp_count; i++) {
        struct rtcp_reader reader;
        struct rtcp_message message;
        rtcp_open(&reader, s.rtcp[i].bytes, s.rtcp[i].size);
        while (rtcp_next(&reader, &message)) {
            if (message.type == RTCP_SENDER_REPORT) {
                /* NTP seconds since our clock's zero, and the time stamp of that moment */
                uint64_t seconds = (message.sender.ntp >> 32) - UINT64_C(2208988800);
                double wall = (double)seconds + (double)(message.sender.ntp & UINT32_MAX) / 0x1p32;
                double media = (double)(message.sender.timestamp - rtp_at(0).timestamp) / 90000;
                assert_true(wall - (double)captured / USEC_PER_SEC - media < 0.001);
                assert_true(wall - (double)captured / USEC_PER_SEC - media > -0.001);
                told = true;
            }
        }
    }
    assert_true(told);
}

/* --- receiving -- */

static void test_frames_are_handed_out_as_they_come(void **state)
{
    (void)state;
    give_frame(true, false);
    assert_int_equal(s.frames, 1);
    assert_true(s.last_key);
    assert_int_equal(s.last_size, 100);
    for (unsigned i = 0; i < 20; i++) {
        give_frame(false, false); /* over the wrap of the sequence numbers */
    }
    assert_int_equal(s.frames, 21);
    assert_int_equal(s.info.number, 21);
    assert_ptr_equal(s.info.codec, &codec_vp8);
    assert_int_equal(stats().packets_lost, 0);
    assert_int_equal(feedback_count(FEEDBACK_PLI, NULL), 0);
}

static void test_a_gap_is_asked_for_and_mended_by_rtx(void **state)
{
    (void)state;
    struct rtcp_feedback nack = {0};
    uint16_t asked[4];
    give_frame(true, false);
    give_frame(false, true);
    give_frame(false, false);
    assert_int_equal(s.frames, 1);
    assert_int_equal(feedback_count(FEEDBACK_NACK, &nack), 1);
    assert_int_equal(nack.media_ssrc, THEIRS);
    assert_int_equal(feedback_nack(&nack, asked, 4), 1);
    assert_int_equal(asked[0], 65531);
    give_again(65531, 7, 3000, 1);
    assert_int_equal(s.frames, 3);
    assert_int_equal(stats().packets_recovered, 1);
    assert_int_equal(stats().packets_lost, 0);
}

static void test_a_frame_without_what_it_needs_is_never_handed_out(void **state)
{
    (void)state;
    give_frame(true, false);
    give_frame(false, true);
    for (unsigned i = 0; i < 60; i++) {
        give_frame(false, false);
    }
    assert_int_equal(s.frames, 1);
    unsigned asked = feedback_count(FEEDBACK_PLI, NULL);
    assert_in_range(asked, 1, 4);
    give_frame(true, false);
    give_frame(false, false);
    assert_int_equal(s.frames, 3);
    assert_true(s.info.number == 3 && !s.last_key);
}

static void test_a_stream_that_begins_without_a_key_frame_is_asked_for_one(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        give_frame(false, false);
    }
    assert_int_equal(s.frames, 0);
    assert_in_range(feedback_count(FEEDBACK_PLI, NULL), 5, 9); /* in 10 s */
    pass(20 * USEC_PER_SEC);                                   /* nothing comes: nothing is asked */
    assert_in_range(feedback_count(FEEDBACK_PLI, NULL), 5, 10);
}

static void test_a_failure_of_the_decoder_asks_for_a_key_frame_once(void **state)
{
    (void)state;
    give_frame(true, false);
    give_frame(false, false);
    uint64_t failed = s.info.number;
    video_decoder_failed(s.video, failed, s.now);
    assert_int_equal(feedback_count(FEEDBACK_PLI, NULL), 1);
    give_frame(false, false);
    assert_int_equal(s.frames, 2);
    give_frame(true, false);
    assert_int_equal(s.frames, 3);
    video_decoder_failed(s.video, failed, s.now); /* said late: a key frame came since */
    give_frame(false, false);
    assert_int_equal(s.frames, 4);
    assert_int_equal(feedback_count(FEEDBACK_PLI, NULL), 1);
    assert_int_equal(stats().frames_broken, 2);
}

static void test_without_pli_it_asks_by_fir(void **state)
{
    (void)state;
    s.config.feedback = (struct video_feedback){.fir = true};
    reopen();
    for (unsigned i = 0; i < 30; i++) {
        give_frame(false, false);
    }
    struct rtcp_feedback fir;
    uint8_t request;
    assert_true(feedback_count(FEEDBACK_FIR, &fir) >= 2);
    assert_true(feedback_fir(&fir, THEIRS, &request));
    assert_int_equal(request, feedback_count(FEEDBACK_FIR, NULL) - 1);
    /* and in compound packets, that begin with a report */
    for (size_t i = 0; i < s.rtcp_count; i++) {
        assert_in_range(s.rtcp[i].bytes[1], RTCP_SENDER_REPORT, RTCP_RECEIVER_REPORT);
    }
}

static void test_without_nack_a_gap_asks_for_a_key_frame(void **state)
{
    (void)state;
    s.config.feedback.nack = false;
    reopen();
    give_frame(true, false);
    give_frame(false, true);
    give_frame(false, false);
    give_frame(false, false);
    assert_int_equal(feedback_count(FEEDBACK_NACK, NULL), 0);
    assert_int_equal(feedback_count(FEEDBACK_PLI, NULL), 1);
}

static void test_padding_and_probes_are_in_nobodys_way(void **state)
{
    (void)state;
    uint8_t padding[64] = {0xa0, VP8_RTX};
    padding[sizeof padding - 1] = sizeof padding - PACKET_HEADER_BYTES;
    write_u32(padding + 8, THEIR_RX);
    give_frame(true, false);
    video_receive_rtp(s.video, padding, sizeof padding, s.now);
    padding[1] = VP8; /* in the stream itself, as Chromium does it */
    write_u16(padding + 2, s.sequence++);
    write_u32(padding + 8, THEIRS);
    video_receive_rtp(s.video, padding, sizeof padding, s.now);
    give_frame(false, false);
    assert_int_equal(s.frames, 2);
    assert_int_equal(feedback_count(FEEDBACK_NACK, NULL), 0);
}

static void test_another_source_takes_over_after_two_packets(void **state)
{
    (void)state;
    uint8_t packet[] = {0x80, 0x80 | VP8, 0,    10,   0,    0,    0,    1,    9,   9,
                        9,    9,          0x10, 0x00, 0x00, 0x00, 0x9d, 0x01, 0x2a};
    give_frame(true, false);
    video_receive_rtp(s.video, packet, sizeof packet, s.now);
    assert_int_equal(s.frames, 1);
    packet[3]++;
    packet[7]++;
    video_receive_rtp(s.video, packet, sizeof packet, s.now);
    assert_int_equal(s.frames, 2);
    assert_true(s.last_key);
}

static void test_what_was_not_agreed_on_is_dropped(void **state)
{
    (void)state;
    uint8_t packet[64] = {0x80, 77};
    assert_true(video_takes(s.video, VP8));
    assert_true(video_takes(s.video, VP8_RTX));
    assert_false(video_takes(s.video, 77));
    assert_false(video_takes(s.video, 0));
    video_receive_rtp(s.video, packet, sizeof packet, s.now);
    write_u32(packet + 8, OURS); /* a loop */
    packet[1] = VP8;
    video_receive_rtp(s.video, packet, sizeof packet, s.now);
    video_receive_rtp(s.video, packet, 5, s.now);
    video_receive_rtcp(s.video, packet, 7, s.now);
    assert_int_equal(s.frames, 0);
    assert_int_equal(stats().packets_received, 0);
    assert_int_equal(video_last_heard(s.video), USEC_NEVER);
}

static void test_on_hold_nothing_is_handed_out_and_afterwards_a_key_frame_is_asked_for(void **state)
{
    (void)state;
    show_camera();
    give_frame(true, false);
    video_set_hold(s.video, true, s.now);
    assert_int_equal(s.target.bitrate, 0);
    give_frame(false, false);
    give_frame(true, false);
    assert_int_equal(s.frames, 1);
    unsigned keys = s.keys_wanted;
    video_set_hold(s.video, false, s.now);
    give_frame(false, false);
    assert_int_equal(s.frames, 1);
    assert_int_equal(feedback_count(FEEDBACK_PLI, NULL), 1);
    assert_true(s.keys_wanted > keys);
    give_frame(true, false);
    assert_int_equal(s.frames, 2);
}

static void test_a_goodbye_is_told_once_if_nothing_follows(void **state)
{
    (void)state;
    uint8_t bytes[64];
    give_frame(true, false);
    give_rtcp(bytes, rtcp_write_bye(bytes, sizeof bytes, 0x999)); /* of another stream */
    pass(USEC_PER_SEC);
    assert_int_equal(s.byes, 0);
    give_rtcp(bytes, rtcp_write_bye(bytes, sizeof bytes, THEIRS));
    assert_int_equal(s.byes, 0);
    pass(USEC_PER_SEC);
    assert_int_equal(s.byes, 1);
}

static void test_after_our_goodbye_nothing_is_sent(void **state)
{
    (void)state;
    show_camera();
    send_frame(true, 100);
    pass(100 * USEC_PER_MS);
    video_bye(s.video, s.now);
    size_t rtcp = s.rtcp_count;
    assert_false(send_frame(true, 100));
    give_frame(false, false);
    pass(10 * USEC_PER_SEC);
    assert_int_equal(s.rtcp_count, rtcp);
    assert_int_equal(stats().sending, false);
}

static void test_a_thousand_frames_a_second_are_too_many(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3000; i++) {
        give_packet(s.sequence++, (uint32_t)i * 90, true, true, i % 2 == 0, s.picture++ & 0x7fff);
        s.now += USEC_PER_MS;
        video_tick(s.video, s.now);
    }
    assert_in_range(s.frames, VIDEO_FRAMES_PER_SEC, 3 * VIDEO_FRAMES_PER_SEC + 100);
    assert_true(stats().frames_dropped_received > 1000);
    assert_true(feedback_count(FEEDBACK_PLI, NULL) < 20);
}

static void test_the_deadline_is_kept(void **state)
{
    (void)state;
    assert_true(video_next_deadline(s.video) <= s.now);
    pass(10 * USEC_PER_MS);
    assert_true(video_next_deadline(s.video) > s.now);
    give_frame(true, false);
    give_frame(false, true);
    give_frame(false, false);
    assert_true(video_next_deadline(s.video) < s.now + 200 * USEC_PER_MS); /* to ask again */
}

static void test_another_codec_in_mid_stream(void **state)
{
    (void)state;
    /* RFC 9628: B and E; a key frame of VP9 begins with its frame marker */
    uint8_t packet[] = {0x80, 0x80 | VP9, 0,    0,    0, 1, 0, 0, 0, 0,
                        0,    0,          0x0c, 0x82, 0, 0, 0, 0, 0, 0};
    give_frame(true, false);
    write_u16(packet + 2, s.sequence);
    write_u32(packet + 8, THEIRS);
    video_receive_rtp(s.video, packet, sizeof packet, s.now);
    assert_int_equal(s.frames, 2);
    assert_ptr_equal(s.info.codec, &codec_vp9);
    assert_string_equal(stats().codec_received, "VP9");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_stream, close_stream)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_config_without_what_is_needed_is_refused),
        TEST(test_the_encoder_is_told_what_the_path_takes),
        TEST(test_a_frame_becomes_packets_with_a_marker_at_the_end),
        TEST(test_time_stamps_follow_the_camera),
        TEST(test_nothing_is_sent_before_the_first_key_frame),
        TEST(test_what_is_missed_comes_again_over_rtx),
        TEST(test_a_packet_is_sent_again_once_in_a_round_trip),
        TEST(test_without_rtx_the_packet_itself_comes_again),
        TEST(test_a_flood_of_requests_makes_no_flood_of_packets),
        TEST(test_key_frames_are_asked_for_at_a_sane_pace),
        TEST(test_a_repeated_fir_is_one_request),
        TEST(test_pictures_are_left_out_while_too_much_waits),
        TEST(test_reports_say_when_what_was_taken),
        TEST(test_frames_are_handed_out_as_they_come),
        TEST(test_a_gap_is_asked_for_and_mended_by_rtx),
        TEST(test_a_frame_without_what_it_needs_is_never_handed_out),
        TEST(test_a_stream_that_begins_without_a_key_frame_is_asked_for_one),
        TEST(test_a_failure_of_the_decoder_asks_for_a_key_frame_once),
        TEST(test_without_pli_it_asks_by_fir),
        TEST(test_without_nack_a_gap_asks_for_a_key_frame),
        TEST(test_padding_and_probes_are_in_nobodys_way),
        TEST(test_another_source_takes_over_after_two_packets),
        TEST(test_what_was_not_agreed_on_is_dropped),
        TEST(test_on_hold_nothing_is_handed_out_and_afterwards_a_key_frame_is_asked_for),
        TEST(test_a_goodbye_is_told_once_if_nothing_follows),
        TEST(test_after_our_goodbye_nothing_is_sent),
        TEST(test_a_thousand_frames_a_second_are_too_many),
        TEST(test_the_deadline_is_kept),
        TEST(test_another_codec_in_mid_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
