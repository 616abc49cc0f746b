#include "rtp/uplink.h"

#include "rtp/bytes.h"
#include "rtp/ntp.h"
#include "rtp/packet.h"
#include "rtp/rtcp_feedback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MS           USEC_PER_MS
#define ID_TRANSPORT 5
#define ID_SEND_TIME 6
#define VIDEO_SSRC   0x77
#define AUDIO_SSRC   0x88
#define SENT_MAX     5000

/* What the uplink let out. */
struct sent {
    usec at;
    size_t bytes;
    uint32_t ssrc;
    uint16_t sequence;
    bool stamped;
    uint16_t transport;
    uint32_t send_time;
};

struct far {
    struct uplink *uplink;
    unsigned audio;
    unsigned video;
    usec now;
    struct sent sent[SENT_MAX];
    size_t count;
    unsigned left;
    uint32_t last_tag;
    enum uplink_kind last_kind;
    unsigned pads;
    unsigned targets;
    struct uplink_target target;
    uint16_t sequence;
    bool far_is_mute;
    bool no_padding;
    uint16_t told; /* transport numbers before this are acknowledged */
    uint8_t feedback_number;
    usec clock; /* the peer's, ahead of ours */
};

static struct far far;

static void on_send(void *user, uint8_t *bytes, size_t size)
{
    struct far *f = user;
    struct packet packet;
    size_t length;
    assert_true(f->count < SENT_MAX);
    assert_true(packet_parse(&packet, bytes, size));
    struct sent *sent = &f->sent[f->count++];
    *sent = (struct sent){
        .at = f->now, .bytes = size, .ssrc = packet.ssrc, .sequence = packet.sequence};
    const uint8_t *number = packet_extension(&packet, ID_TRANSPORT, &length);
    if (number) {
        sent->stamped = true;
        sent->transport = read_u16(number);
    }
    const uint8_t *time = packet_extension(&packet, ID_SEND_TIME, &length);
    sent->send_time = time ? read_u24(time) : 0;
    memset(bytes + size, 0xee, UPLINK_TAIL); /* as SRTP's tag */
}

static void on_left(void *user, uint32_t tag, enum uplink_kind kind, usec now)
{
    struct far *f = user;
    assert_int_equal(now, f->now);
    f->left++;
    f->last_tag = tag;
    f->last_kind = kind;
}

static void on_target(void *user, const struct uplink_target *target)
{
    struct far *f = user;
    f->targets++;
    f->target = *target;
}

static size_t write_packet(uint8_t *out, uint32_t ssrc, uint16_t sequence, bool extensions,
                           size_t size)
{
    static const uint8_t zeros[3];
    const struct packet_extension elements[] = {
        {.id = ID_TRANSPORT, .data = zeros, .size = 2},
        {.id = ID_SEND_TIME, .data = zeros, .size = 3},
    };
    struct packet_header header = {.payload_type = 96,
                                   .sequence = sequence,
                                   .ssrc = ssrc,
                                   .extensions = elements,
                                   .extension_count = extensions ? 2 : 0};
    size_t head = packet_write_header(&header, out, UPLINK_PACKET_MAX);
    memset(out + head, 0, size - head);
    return size;
}

static bool enqueue(enum uplink_kind kind, size_t size, uint32_t tag)
{
    uint8_t packet[UPLINK_PACKET_MAX + 100];
    write_packet(packet, VIDEO_SSRC, far.sequence++, true, size);
    return uplink_enqueue(far.uplink, far.video, kind, packet, size, tag, far.now);
}

static void on_pad(void *user, size_t bytes, usec now)
{
    struct far *f = user;
    assert_int_equal(now, f->now);
    f->pads++;
    if (!f->no_padding) {
        enqueue(UPLINK_PADDING, bytes > 40 ? bytes : 40, 0);
    }
}

static void send_audio(void)
{
    uint8_t packet[200 + UPLINK_TAIL];
    size_t size = write_packet(packet, AUDIO_SSRC, far.sequence++, true, 100);
    uplink_send_audio(far.uplink, far.audio, packet, size, far.now);
}

static void open_uplink(const struct uplink_config *config)
{
    struct uplink_config all = config ? *config : (struct uplink_config){0};
    all.hooks.user = &far;
    all.hooks.send_rtp = on_send;
    all.hooks.target = on_target;
    struct uplink_stream audio = {.transport_sequence = ID_TRANSPORT};
    struct uplink_stream video = {.transport_sequence = ID_TRANSPORT,
                                  .send_time = ID_SEND_TIME,
                                  .paced = true,
                                  .user = &far,
                                  .left = on_left,
                                  .pad = on_pad};
    memset(&far, 0, sizeof far);
    far.now = 100 * USEC_PER_SEC;
    far.clock = 2 * 3600 * USEC_PER_SEC;
    assert_int_equal(uplink_new(&all, &far.uplink), JINGLE_OK);
    assert_int_equal(uplink_add_stream(far.uplink, &audio, &far.audio), JINGLE_OK);
    assert_int_equal(uplink_add_stream(far.uplink, &video, &far.video), JINGLE_OK);
}

static int set_up(void **state)
{
    (void)state;
    open_uplink(NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    uplink_free(far.uplink);
    return 0;
}

/* Ticks when the uplink wants to, until then. */
static void run_until(usec end)
{
    for (;;) {
        usec next = uplink_next_deadline(far.uplink);
        next = next > far.now ? next : far.now + 1;
        if (next > end) {
            break;
        }
        far.now = next;
        uplink_tick(far.uplink, far.now);
    }
    far.now = end;
}

static void receive(const uint8_t *bytes, size_t size)
{
    struct rtcp_reader reader;
    struct rtcp_message message;
    assert_true(rtcp_open(&reader, bytes, size));
    while (rtcp_next(&reader, &message)) {
        uplink_receive_rtcp(far.uplink, &message, far.now);
    }
}

/* The peer acknowledges all that was sent and not yet told: each arrived `delay` after it left. */
static void acknowledge(usec delay)
{
    usec arrivals[1000];
    size_t count = 0;
    uint8_t bytes[2000];
    size_t written;
    uint16_t base = far.told;
    for (size_t i = 0; i < far.count; i++) {
        if (far.sent[i].stamped && (int16_t)(far.sent[i].transport - far.told) >= 0) {
            arrivals[count++] = far.sent[i].at + delay + far.clock;
        }
    }
    if (count == 0) {
        return;
    }
    struct transport_arrivals told = {
        .base = base, .number = far.feedback_number++, .arrivals = arrivals, .count = count};
    size_t size = rtcp_write_transport(bytes, sizeof bytes, 1, 2, &told, &written);
    assert_int_equal(written, count);
    far.told = (uint16_t)(base + count);
    receive(bytes, size);
}

/* So many milliseconds of a call: voice and 30 frames a second at the rate that is offered,
 * answered after 50 ms. */
static void call(unsigned ms, uint32_t wanted)
{
    uplink_set_wanted(far.uplink, wanted, far.now);
    for (unsigned i = 0; i < ms; i++) {
        struct uplink_target target;
        uplink_target(far.uplink, &target);
        uint32_t rate = target.video < wanted ? target.video : wanted;
        size_t frame = rate / 8 / 30;
        for (; i % 33 == 0 && frame > 0; frame -= frame < 1000 ? frame : 1000) {
            enqueue(UPLINK_NEW, frame < 1000 ? frame + 40 : 1040, 0);
        }
        if (i % 20 == 0) {
            send_audio();
        }
        if (i % 50 == 0 && !far.far_is_mute) {
            acknowledge(25 * MS);
        }
        run_until(far.now + MS);
        if (far.count > SENT_MAX - 1000) { /* make room; what is not told is kept */
            size_t keep = 500;
            memmove(far.sent, far.sent + far.count - keep, keep * sizeof *far.sent);
            far.count = keep;
        }
    }
}

/* --- packets -- */

static void test_audio_leaves_at_once_whatever_waits(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        enqueue(UPLINK_NEW, 1000, i);
    }
    size_t before = far.count;
    assert_true(uplink_queue_packets(far.uplink) > 40);
    send_audio();
    assert_int_equal(far.count, before + 1);
    assert_int_equal(far.sent[before].ssrc, AUDIO_SSRC);
}

static void test_packets_are_stamped_when_they_leave(void **state)
{
    (void)state;
    send_audio();
    enqueue(UPLINK_NEW, 500, 1);
    enqueue(UPLINK_NEW, 500, 2);
    run_until(far.now + 200 * MS);
    assert_int_equal(far.count, 3);
    for (uint16_t i = 0; i < 3; i++) {
        assert_true(far.sent[i].stamped);
        assert_int_equal(far.sent[i].transport, i);
    }
    usec apart = far.sent[2].at - far.sent[1].at;
    uint32_t ticks = (far.sent[2].send_time - far.sent[1].send_time) & 0xffffff;
    assert_in_range((usec)ticks * USEC_PER_SEC >> 18, apart - 4, apart + 4);
}

static void test_a_packet_without_room_for_stamps_leaves_as_it_is(void **state)
{
    (void)state;
    uint8_t packet[500];
    write_packet(packet, VIDEO_SSRC, 9, false, sizeof packet);
    assert_true(
        uplink_enqueue(far.uplink, far.video, UPLINK_NEW, packet, sizeof packet, 1, far.now));
    run_until(far.now + 100 * MS);
    assert_int_equal(far.count, 1);
    assert_false(far.sent[0].stamped);
    send_audio();
    assert_int_equal(far.sent[1].transport, 0);
}

static void test_a_frame_is_spread_at_a_pace_above_the_estimate(void **state)
{
    (void)state;
    usec begin = far.now;
    for (unsigned i = 0; i < 10; i++) {
        enqueue(UPLINK_NEW, 956, i); /* 1000 on the wire */
    }
    assert_in_range(uplink_queue_time(far.uplink), 50 * MS, 300 * MS);
    run_until(begin + USEC_PER_SEC);
    assert_int_equal(far.count, 10);
    usec took = far.sent[9].at - begin;
    /* 72 kbit at 300 kbit/s take 240 ms; the pace is higher, but not without bounds */
    assert_in_range(took, 80 * MS, 230 * MS);
    for (size_t i = 5; i < 10; i++) {
        assert_true(far.sent[i].at - far.sent[i - 5].at > 30 * MS);
    }
    assert_int_equal(far.left, 10);
    assert_int_equal(far.last_tag, 9);
    assert_int_equal(far.last_kind, UPLINK_NEW);
}

static void test_a_late_tick_makes_no_great_burst(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        enqueue(UPLINK_NEW, 956, i);
    }
    size_t before = far.count;
    far.now += USEC_PER_SEC;
    uplink_tick(far.uplink, far.now);
    assert_in_range(far.count - before, 1, 8);
}

static void test_time_without_packets_gives_no_credit(void **state)
{
    (void)state;
    far.now += 10 * USEC_PER_SEC;
    for (unsigned i = 0; i < 20; i++) {
        enqueue(UPLINK_NEW, 956, i);
    }
    uplink_tick(far.uplink, far.now);
    assert_in_range(far.count, 1, 2);
}

static void test_the_queue_is_bounded_and_says_when_it_is_full(void **state)
{
    (void)state;
    struct uplink_stats stats;
    unsigned taken = 0;
    while (taken < 2000 && enqueue(UPLINK_NEW, 1200, taken)) {
        taken++;
    }
    assert_in_range(taken, UPLINK_QUEUE_MAX, UPLINK_QUEUE_MAX + 2);
    assert_false(enqueue(UPLINK_NEW, 1201, 0));
    assert_int_equal(uplink_drop(far.uplink, far.video), UPLINK_QUEUE_MAX);
    assert_int_equal(uplink_queue_bytes(far.uplink), 0);
    uplink_stats(far.uplink, &stats);
    assert_int_equal(stats.packets_dropped, UPLINK_QUEUE_MAX + 2);
}

static void test_a_stream_that_is_removed_sends_nothing_more(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        enqueue(UPLINK_NEW, 1000, i);
    }
    size_t before = far.count;
    uplink_remove_stream(far.uplink, far.video);
    run_until(far.now + USEC_PER_SEC);
    assert_int_equal(far.count, before);
    assert_false(enqueue(UPLINK_NEW, 1000, 1));
}

static void test_there_are_only_so_many_streams(void **state)
{
    (void)state;
    unsigned id;
    struct uplink_stream stream = {0};
    for (unsigned i = 2; i < UPLINK_STREAMS_MAX; i++) {
        assert_int_equal(uplink_add_stream(far.uplink, &stream, &id), JINGLE_OK);
    }
    assert_int_equal(uplink_add_stream(far.uplink, &stream, &id), JINGLE_ERROR_LIMIT);
    uplink_remove_stream(far.uplink, id);
    assert_int_equal(uplink_add_stream(far.uplink, &stream, &id), JINGLE_OK);
}

/* --- the estimate -- */

static void test_probes_find_a_good_path_within_two_seconds(void **state)
{
    (void)state;
    struct uplink_stats stats;
    call(2000, 2000000);
    uplink_stats(far.uplink, &stats);
    assert_true(stats.estimate > 2000000);
    assert_true(stats.probes >= 2);
    assert_true(far.pads > 0);
    assert_true(stats.bytes_padding > 0);
    assert_in_range(stats.round_trip, 0, 120 * MS);
    assert_true(far.targets > 0);
    assert_int_equal(far.target.estimate, stats.estimate);
}

static void test_who_has_no_padding_is_not_asked_all_the_time(void **state)
{
    (void)state;
    far.no_padding = true;
    uplink_set_wanted(far.uplink, 2000000, far.now);
    enqueue(UPLINK_NEW, 500, 0);
    run_until(far.now + 3 * USEC_PER_SEC);
    assert_in_range(far.pads, 1, 40);
    unsigned before = far.pads;
    run_until(far.now + 10 * USEC_PER_SEC);
    assert_in_range(far.pads, before, before + 40);
    assert_int_equal(far.count, 1);
}

static void test_without_video_nothing_is_probed(void **state)
{
    (void)state;
    struct uplink_stats stats;
    call(3000, 0);
    uplink_stats(far.uplink, &stats);
    assert_int_equal(stats.probes, 0);
    assert_int_equal(far.pads, 0);
    assert_in_range(stats.estimate, 290000, 310000);
}

static void test_who_is_told_to_send_little_sends_little(void **state)
{
    (void)state;
    struct uplink_stats stats;
    uplink_set_limits(far.uplink, 0, 50000, far.now);
    call(5000, 2000000);
    uplink_stats(far.uplink, &stats);
    assert_int_equal(stats.estimate, 50000);
    assert_int_equal(stats.limit, UPLINK_LIMIT_CONFIG);
    assert_in_range(stats.sent, 40000, 66000); /* the voice alone makes 57600 */
}

static void test_a_remb_caps_the_estimate(void **state)
{
    (void)state;
    uint8_t bytes[100];
    struct uplink_stats stats;
    call(2000, 2000000);
    receive(bytes, rtcp_write_remb(bytes, sizeof bytes, 1, 400000, NULL, 0));
    uplink_stats(far.uplink, &stats);
    assert_in_range(stats.estimate, 399000, 400000);
    assert_int_equal(stats.limit, UPLINK_LIMIT_PEER);
    receive(bytes, rtcp_write_remb(bytes, sizeof bytes, 1, 1, NULL, 0));
    uplink_stats(far.uplink, &stats);
    assert_int_equal(stats.estimate, UPLINK_LEAST);
}

static void test_what_is_offered_to_video_leaves_room_for_voice(void **state)
{
    (void)state;
    struct uplink_target target;
    call(3000, 250000);
    uplink_target(far.uplink, &target);
    /* voice of 57600 bit/s, and headers */
    assert_in_range(target.video, target.estimate - 120000, target.estimate - 57000);
}

static void test_silence_of_the_peer_lowers_the_rate_and_feedback_raises_it_again(void **state)
{
    (void)state;
    struct uplink_stats stats;
    call(3000, 2000000);
    uplink_stats(far.uplink, &stats);
    uint32_t before = stats.estimate;
    far.far_is_mute = true;
    call(700, 2000000);
    uplink_stats(far.uplink, &stats);
    assert_true(stats.estimate >= before * 0.9);
    call(6000, 2000000);
    uplink_stats(far.uplink, &stats);
    assert_true(stats.estimate < before / 4);
    assert_int_equal(stats.limit, UPLINK_LIMIT_SILENCE);
    far.far_is_mute = false;
    far.told = far.sent[far.count - 1].transport;
    call(3000, 2000000);
    uplink_stats(far.uplink, &stats);
    assert_true(stats.estimate > before / 2);
}

static void test_a_peer_that_never_gave_feedback_is_not_silent(void **state)
{
    (void)state;
    struct uplink_stats stats;
    far.far_is_mute = true;
    call(5000, 2000000);
    uplink_stats(far.uplink, &stats);
    assert_in_range(stats.estimate, 300000, 300000);
}

static void report_loss(uint8_t fraction)
{
    uint8_t bytes[100];
    struct rtcp_block block = {.ssrc = VIDEO_SSRC, .fraction_lost = fraction};
    receive(bytes, rtcp_write_report(bytes, sizeof bytes, 1, NULL, &block, 1));
}

static void test_without_other_feedback_reports_of_loss_drive_the_rate(void **state)
{
    (void)state;
    struct uplink_stats stats;
    far.far_is_mute = true;
    for (unsigned i = 0; i < 10; i++) {
        call(1000, 2000000);
        report_loss(0);
    }
    uplink_stats(far.uplink, &stats);
    uint32_t grown = stats.estimate;
    assert_in_range(grown, 500000, 700000);
    call(1000, 2000000);
    report_loss(12); /* 5 % */
    uplink_stats(far.uplink, &stats);
    assert_int_equal(stats.estimate, grown);
    call(1000, 2000000);
    report_loss(64); /* 25 % */
    uplink_stats(far.uplink, &stats);
    assert_in_range(stats.estimate, grown * 0.85, grown * 0.9);
    assert_int_equal(stats.limit, UPLINK_LIMIT_LOSS);
    assert_in_range(stats.loss * 100, 25, 25);
}

static void test_a_report_about_others_is_not_ours(void **state)
{
    (void)state;
    uint8_t bytes[100];
    struct uplink_stats stats;
    struct rtcp_block block = {.ssrc = 0x999, .fraction_lost = 255};
    send_audio();
    receive(bytes, rtcp_write_report(bytes, sizeof bytes, 1, NULL, &block, 1));
    uplink_stats(far.uplink, &stats);
    assert_in_range(stats.estimate, 300000, 300000);
}

static void test_the_round_trip_is_taken_from_reports(void **state)
{
    (void)state;
    uint8_t bytes[100];
    send_audio();
    assert_int_equal(uplink_round_trip(far.uplink), -1);
    struct rtcp_block block = {.ssrc = AUDIO_SSRC,
                               .last_report = ntp_middle(ntp_from_wall(far.now)),
                               .delay = ntp_short_from_usec(100 * MS)};
    far.now += 180 * MS;
    receive(bytes, rtcp_write_report(bytes, sizeof bytes, 1, NULL, &block, 1));
    assert_in_range(uplink_round_trip(far.uplink), 79 * MS, 81 * MS);
}

static void test_feedback_of_what_was_never_sent_changes_nothing(void **state)
{
    (void)state;
    uint8_t bytes[1000];
    size_t written;
    struct uplink_stats stats;
    usec arrivals[100];
    for (size_t i = 0; i < 100; i++) {
        arrivals[i] = 1000000 + (usec)i;
    }
    struct transport_arrivals told = {.base = 30000, .arrivals = arrivals, .count = 100};
    size_t size = rtcp_write_transport(bytes, sizeof bytes, 1, 2, &told, &written);
    for (unsigned i = 0; i < 100; i++) {
        receive(bytes, size);
    }
    uplink_stats(far.uplink, &stats);
    assert_in_range(stats.estimate, 300000, 300000);
    assert_int_equal(stats.feedback_refused, 10000);
}

static void test_a_peer_whose_clock_jumps_is_not_taken_for_a_full_path(void **state)
{
    (void)state;
    struct uplink_stats stats;
    call(3000, 2000000);
    uplink_stats(far.uplink, &stats);
    uint32_t before = stats.estimate;
    static const usec jumps[] = {3600 * USEC_PER_SEC, -3600 * USEC_PER_SEC, 100 * USEC_PER_SEC};
    for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
        far.clock += jumps[i];
        call(1000, 2000000);
        uplink_stats(far.uplink, &stats);
        assert_true(stats.estimate > before / 2);
    }
}

static void test_another_path_begins_anew(void **state)
{
    (void)state;
    struct uplink_stats stats;
    call(3000, 2000000);
    uplink_path_changed(far.uplink, far.now);
    uplink_stats(far.uplink, &stats);
    assert_in_range(stats.estimate, 300000, 300000);
    uint64_t probes = stats.probes;
    call(2000, 2000000);
    uplink_stats(far.uplink, &stats);
    assert_true(stats.probes > probes);
    assert_true(stats.estimate > 1000000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_audio_leaves_at_once_whatever_waits),
        TEST(test_packets_are_stamped_when_they_leave),
        TEST(test_a_packet_without_room_for_stamps_leaves_as_it_is),
        TEST(test_a_frame_is_spread_at_a_pace_above_the_estimate),
        TEST(test_a_late_tick_makes_no_great_burst),
        TEST(test_time_without_packets_gives_no_credit),
        TEST(test_the_queue_is_bounded_and_says_when_it_is_full),
        TEST(test_a_stream_that_is_removed_sends_nothing_more),
        TEST(test_there_are_only_so_many_streams),
        TEST(test_probes_find_a_good_path_within_two_seconds),
        TEST(test_who_has_no_padding_is_not_asked_all_the_time),
        TEST(test_without_video_nothing_is_probed),
        TEST(test_who_is_told_to_send_little_sends_little),
        TEST(test_a_remb_caps_the_estimate),
        TEST(test_what_is_offered_to_video_leaves_room_for_voice),
        TEST(test_silence_of_the_peer_lowers_the_rate_and_feedback_raises_it_again),
        TEST(test_a_peer_that_never_gave_feedback_is_not_silent),
        TEST(test_without_other_feedback_reports_of_loss_drive_the_rate),
        TEST(test_a_report_about_others_is_not_ours),
        TEST(test_the_round_trip_is_taken_from_reports),
        TEST(test_feedback_of_what_was_never_sent_changes_nothing),
        TEST(test_a_peer_whose_clock_jumps_is_not_taken_for_a_full_path),
        TEST(test_another_path_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
