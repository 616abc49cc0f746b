#include "rtp/voice.h"

#include "base/log.h"
#include "rtp/bytes.h"
#include "rtp/packet.h"
#include "rtp/rtcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PERIOD  (10 * USEC_PER_MS)
#define EVENTS  101
#define OURS    0x1111
#define PEERS   0x2222
#define KEPT    64
#define SAMPLES 80 /* 10 ms of PCMU */

/* A voice that sends PCMU, and what its hooks were given. */
struct bench {
    struct voice *voice;
    usec now;
    unsigned rtp_count;
    unsigned rtcp_count;
    uint8_t rtp[KEPT][VOICE_PACKET_MAX]; /* the last ones */
    size_t rtp_bytes[KEPT];
    uint8_t rtcp[VOICE_PACKET_MAX];
    size_t rtcp_bytes;
    char digits[16];
    size_t digit_count;
    unsigned byes;
    struct logger log;
    unsigned warnings;
    uint16_t sequence; /* of the peer */
    uint32_t timestamp;
};

static void keep_rtp(void *user, uint8_t *packet, size_t bytes)
{
    struct bench *b = user;
    memset(packet + bytes, 0xee, VOICE_TAIL); /* SRTP may write here */
    memcpy(b->rtp[b->rtp_count % KEPT], packet, bytes);
    b->rtp_bytes[b->rtp_count % KEPT] = bytes;
    b->rtp_count++;
}

static void keep_rtcp(void *user, uint8_t *packet, size_t bytes)
{
    struct bench *b = user;
    memset(packet + bytes, 0xee, VOICE_TAIL);
    memcpy(b->rtcp, packet, bytes);
    b->rtcp_bytes = bytes;
    b->rtcp_count++;
}

static void keep_digit(void *user, char digit, usec duration)
{
    struct bench *b = user;
    assert_true(duration >= 0);
    b->digits[b->digit_count++ % (sizeof b->digits - 1)] = digit;
}

static void keep_bye(void *user)
{
    ((struct bench *)user)->byes++;
}

static void count_warning(void *user, jingle_log_level level, const char *line)
{
    (void)line;
    if (level <= JINGLE_LOG_WARNING)
        ((struct bench *)user)->warnings++;
}

static void fill(void *user, void *out, size_t bytes)
{
    (void)user;
    memset(out, 0x42, bytes);
}

static struct voice_config config_of(struct bench *b)
{
    return (struct voice_config){
        .ssrc = OURS,
        .cname = "us",
        .sending = {.codec = &codec_pcmu, .events = {EVENTS, 8000}},
        .playout_channels = 1,
        .receive = {{111, &codec_opus}, {0, &codec_pcmu}},
        .receive_count = 2,
        .receive_events = {{EVENTS, 8000}},
        .receive_event_count = 1,
        .extensions = {.audio_level = 1, .mid = 4, .mid_value = "audio"},
        .random = {.fill = fill},
        .log = &b->log,
        .hooks = {.user = b,
                  .send_rtp = keep_rtp,
                  .send_rtcp = keep_rtcp,
                  .digit = keep_digit,
                  .bye = keep_bye},
    };
}

static int open_bench(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    b->now = USEC_PER_SEC;
    b->log = (struct logger){JINGLE_LOG_WARNING, count_warning, b};
    struct voice_config config = config_of(b);
    *state = b;
    return voice_new(&config, &b->voice);
}

static int close_bench(void **state)
{
    struct bench *b = *state;
    voice_free(b->voice);
    free(b);
    return 0;
}

static void speak(struct bench *b, unsigned periods, int16_t loudness)
{
    int16_t samples[SAMPLES];
    for (size_t i = 0; i < SAMPLES; i++) {
        samples[i] = (int16_t)(i % 8 < 4 ? loudness : -loudness);
    }
    for (unsigned i = 0; i < periods; i++) {
        b->now += PERIOD;
        voice_capture(b->voice, samples, SAMPLES, b->now);
        voice_tick(b->voice, b->now);
    }
}

static struct packet sent(const struct bench *b, unsigned back)
{
    struct packet packet;
    unsigned at = (b->rtp_count - 1 - back) % KEPT;
    assert_true(packet_parse(&packet, b->rtp[at], b->rtp_bytes[at]));
    return packet;
}

static void peer_sends(struct bench *b, uint32_t ssrc, uint8_t type, const void *payload,
                       size_t bytes)
{
    uint8_t packet[VOICE_PACKET_MAX];
    struct packet_header header = {
        .payload_type = type, .sequence = b->sequence++, .timestamp = b->timestamp, .ssrc = ssrc};
    size_t size = packet_write_header(&header, packet, sizeof packet);
    memcpy(packet + size, payload, bytes);
    voice_receive_rtp(b->voice, packet, size + bytes, b->now);
}

/* The peer's tone for so many packets of 20 ms; what is played is looked at by its level. */
static double peer_speaks(struct bench *b, uint32_t ssrc, unsigned packets)
{
    uint8_t payload[160];
    struct playout_sound sound = {.count = 0};
    struct voice_stats stats;
    for (size_t i = 0; i < sizeof payload; i++) {
        payload[i] = i % 8 < 4 ? 0x90 : 0x10;
    }
    for (unsigned i = 0; i < packets; i++) {
        peer_sends(b, ssrc, 0, payload, sizeof payload);
        b->timestamp += sizeof payload;
        for (int half = 0; half < 2; half++) {
            b->now += PERIOD;
            voice_pull(b->voice, &sound, b->now);
            voice_tick(b->voice, b->now);
        }
    }
    voice_stats(b->voice, &stats);
    return stats.level_received;
}

static struct voice_stats stats_of(const struct bench *b)
{
    struct voice_stats stats;
    voice_stats(b->voice, &stats);
    return stats;
}

static void test_any_number_of_samples_becomes_whole_packets(void **state)
{
    struct bench *b = *state;
    static const int16_t samples[1000];
    size_t given = 0;
    for (size_t count = 1; count < 200; count++) {
        voice_capture(b->voice, samples, count, b->now);
        given += count;
    }
    assert_int_equal(b->rtp_count, given / 160);
    assert_int_equal(sent(b, 0).payload_bytes, 160);
    assert_int_equal(sent(b, 0).timestamp - sent(b, 1).timestamp, 160);
    assert_int_equal((uint16_t)(sent(b, 0).sequence - sent(b, 1).sequence), 1);
}

static void test_only_the_first_packet_of_a_talk_is_marked(void **state)
{
    struct bench *b = *state;
    speak(b, 6, 1000);
    assert_true(sent(b, 2).marker);
    assert_false(sent(b, 1).marker);
    assert_false(sent(b, 0).marker);
}

static void test_the_level_is_announced(void **state)
{
    struct bench *b = *state;
    size_t size = 0;
    speak(b, 2, 32767);
    struct packet packet = sent(b, 0);
    assert_int_equal(*packet_extension(&packet, 1, &size), 0x80);
    voice_set_mute(b->voice, true);
    speak(b, 2, 32767);
    packet = sent(b, 0);
    assert_int_equal(*packet_extension(&packet, 1, &size), 127);
    assert_memory_equal(packet.payload, "\xff\xff\xff\xff", 4); /* silence */
}

static void receive_block(struct bench *b, const struct rtcp_block *block)
{
    uint8_t packet[200];
    size_t size = rtcp_write_report(packet, sizeof packet, PEERS, NULL, block, 1);
    voice_receive_rtcp(b->voice, packet, size, b->now);
}

static void receive_report(struct bench *b, uint32_t about, uint8_t fraction)
{
    struct rtcp_block block = {.ssrc = about, .fraction_lost = fraction, .lost = fraction};
    receive_block(b, &block);
}

static void test_the_mid_is_sent_until_the_peer_reports_on_us(void **state)
{
    struct bench *b = *state;
    size_t size = 0;
    speak(b, 2, 1);
    struct packet packet = sent(b, 0);
    assert_memory_equal(packet_extension(&packet, 4, &size), "audio", 5);
    receive_report(b, OURS + 1, 0);
    speak(b, 2, 1);
    packet = sent(b, 0);
    assert_non_null(packet_extension(&packet, 4, &size));
    receive_report(b, OURS, 0);
    speak(b, 2, 1);
    packet = sent(b, 0);
    assert_null(packet_extension(&packet, 4, &size));
    assert_non_null(packet_extension(&packet, 1, &size));
}

static void test_on_hold_nothing_is_sent_and_time_goes_on(void **state)
{
    struct bench *b = *state;
    speak(b, 2, 1000);
    uint32_t before = sent(b, 0).timestamp;
    voice_set_hold(b->voice, true);
    speak(b, 100, 1000);
    assert_int_equal(b->rtp_count, 1);
    voice_set_hold(b->voice, false);
    speak(b, 2, 1000);
    assert_int_equal(b->rtp_count, 2);
    assert_int_equal(sent(b, 0).timestamp - before, 51 * 160);
    assert_true(sent(b, 0).marker);
}

static void test_who_holds_is_sent_nothing_and_may_play_music(void **state)
{
    struct bench *b = *state;
    speak(b, 2, 1000);
    voice_set_peer_hold(b->voice, true);
    speak(b, 100, 1000);
    assert_int_equal(b->rtp_count, 1);
    assert_true(peer_speaks(b, PEERS, 150) > 0.1);
    voice_set_peer_hold(b->voice, false);
    speak(b, 2, 1000);
    assert_int_equal(b->rtp_count, 2);
    assert_true(sent(b, 0).marker);
}

static void test_a_source_that_was_stopped_comes_back_at_the_right_time(void **state)
{
    struct bench *b = *state;
    speak(b, 2, 1000);
    uint32_t before = sent(b, 0).timestamp;
    b->now += 3 * USEC_PER_SEC;
    speak(b, 2, 1000);
    assert_int_equal(sent(b, 0).timestamp - before, 3 * 8000 + 160);
    assert_true(sent(b, 0).marker);
}

static void test_a_digit_takes_the_place_of_sound(void **state)
{
    struct bench *b = *state;
    assert_int_equal(voice_send_digit(b->voice, '5'), JINGLE_OK);
    assert_int_equal(voice_send_digit(b->voice, 'x'), JINGLE_ERROR_INVALID);
    speak(b, 14, 1000);
    assert_int_equal(b->rtp_count, 7);
    for (unsigned i = 0; i < 7; i++) {
        struct packet packet = sent(b, 6 - i);
        assert_int_equal(packet.payload_type, EVENTS);
        assert_int_equal(packet.payload[0], 5);
        assert_int_equal(packet.payload[1] >> 7, i >= 4);
        assert_int_equal(packet.timestamp, sent(b, 6).timestamp);
    }
    speak(b, 2, 1000);
    assert_int_equal(sent(b, 0).payload_type, 0);
    for (int i = 0; i < VOICE_DIGITS_MAX; i++) {
        assert_int_equal(voice_send_digit(b->voice, '1'), JINGLE_OK);
    }
    assert_int_equal(voice_send_digit(b->voice, '1'), JINGLE_ERROR_LIMIT);
}

static void test_digits_need_a_payload_type(void **state)
{
    struct bench *b = *state;
    struct voice_sending sending = {.codec = &codec_pcmu};
    assert_int_equal(voice_set_sending(b->voice, &sending), JINGLE_OK);
    assert_int_equal(voice_send_digit(b->voice, '5'), JINGLE_ERROR_UNSUPPORTED);
}

static void test_sending_that_makes_no_sense_changes_nothing(void **state)
{
    struct bench *b = *state;
    struct voice_sending sending = {.codec = NULL};
    assert_int_equal(voice_set_sending(b->voice, &sending), JINGLE_ERROR_INVALID);
    sending = (struct voice_sending){.codec = &codec_opus, .channels = 3};
    assert_int_equal(voice_set_sending(b->voice, &sending), JINGLE_ERROR_INVALID);
    assert_int_equal(voice_capture_rate(b->voice), 8000);
    speak(b, 2, 1);
    assert_int_equal(sent(b, 0).payload_type, 0);
}

static void test_a_packet_time_is_one_that_codecs_know(void **state)
{
    struct bench *b = *state;
    static const struct {
        unsigned wanted;
        usec got;
    } cases[] = {{0, 20}, {5, 10}, {10, 10}, {20, 20}, {30, 20}, {59, 40}, {60, 60}, {120, 60}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct voice_sending sending = {.codec = &codec_pcmu, .ptime = cases[i].wanted};
        assert_int_equal(voice_set_sending(b->voice, &sending), JINGLE_OK);
        assert_int_equal(voice_ptime(b->voice), cases[i].got * USEC_PER_MS);
    }
}

static void test_what_comes_is_played(void **state)
{
    struct bench *b = *state;
    assert_true(voice_last_heard(b->voice) == USEC_NEVER);
    assert_true(voice_first_played(b->voice) == USEC_NEVER);
    assert_true(peer_speaks(b, PEERS, 50) > 0.1);
    struct voice_stats stats = stats_of(b);
    assert_int_equal(stats.packets_received, 50);
    assert_int_equal(stats.packets_lost, 0);
    assert_int_equal(stats.packets_discarded, 0);
    assert_ptr_equal(stats.codec_received, &codec_pcmu);
    assert_true(voice_first_played(b->voice) < b->now);
    assert_in_range(stats.samples_played, 40000, 48000); /* a second, at 48 kHz */
}

static void test_on_hold_nothing_is_played(void **state)
{
    struct bench *b = *state;
    voice_set_hold(b->voice, true);
    assert_true(peer_speaks(b, PEERS, 150) == 0);
    voice_set_hold(b->voice, false);
    assert_true(peer_speaks(b, PEERS, 150) > 0.1);
    assert_int_equal(stats_of(b).samples_concealed, 0);
}

static void test_what_a_holding_peer_does_not_send_is_not_concealed(void **state)
{
    struct bench *b = *state;
    peer_speaks(b, PEERS, 50);
    voice_set_peer_hold(b->voice, true);
    struct playout_sound sound;
    for (int i = 0; i < 500; i++) {
        b->now += PERIOD;
        voice_pull(b->voice, &sound, b->now);
    }
    assert_true(sound.silent);
    assert_int_equal(stats_of(b).samples_concealed, 0);
}

static void test_malformed_packets_are_counted_and_change_nothing(void **state)
{
    struct bench *b = *state;
    static const uint8_t noise[40] = {0x9f, 0x01, 0xff};
    peer_speaks(b, PEERS, 5);
    usec heard = voice_last_heard(b->voice);
    b->now += USEC_PER_SEC;
    voice_receive_rtp(b->voice, noise, sizeof noise, b->now);
    voice_receive_rtp(b->voice, noise, 0, b->now);
    voice_receive_rtcp(b->voice, noise, sizeof noise, b->now);
    assert_int_equal(stats_of(b).packets_discarded, 3);
    assert_int_equal(stats_of(b).packets_received, 5);
    assert_true(voice_last_heard(b->voice) == heard);
    assert_int_equal(b->warnings, 1); /* once, lest they fill the disk */
}

static void test_a_jump_of_the_peers_clock_costs_one_packet_and_is_no_fault(void **state)
{
    struct bench *b = *state;
    peer_speaks(b, PEERS, 50);
    b->timestamp += 24000000;
    assert_true(peer_speaks(b, PEERS, 50) > 0.1);
    assert_int_equal(stats_of(b).packets_discarded, 1);
    assert_int_equal(b->warnings, 0);
}

static void test_a_foreign_payload_type_makes_no_source(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 10; i++) {
        peer_sends(b, 9, 77, "x", 1);
    }
    assert_int_equal(stats_of(b).packets_received, 0);
    assert_int_equal(stats_of(b).packets_discarded, 10);
    peer_speaks(b, PEERS, 2);
    assert_int_equal(stats_of(b).packets_received, 2);
}

static void test_a_digit_is_told_once(void **state)
{
    struct bench *b = *state;
    peer_speaks(b, PEERS, 5);
    for (int i = 0; i < 3; i++) {
        peer_sends(b, PEERS, EVENTS, "\x0b\x8a\x03\x20", 4);
    }
    assert_string_equal(b->digits, "#");
    peer_sends(b, PEERS, EVENTS, "\x0b", 1);
    assert_int_equal(stats_of(b).packets_discarded, 1);
}

static void test_a_digit_without_an_end_is_told_after_a_while(void **state)
{
    struct bench *b = *state;
    peer_sends(b, PEERS, EVENTS, "\x07\x0a\x00\xa0", 4);
    usec deadline = voice_next_deadline(b->voice);
    voice_tick(b->voice, b->now);
    assert_string_equal(b->digits, "");
    assert_true(deadline <= b->now + USEC_PER_SEC);
    voice_tick(b->voice, b->now + USEC_PER_SEC);
    assert_string_equal(b->digits, "7");
}

static void receive_bye(struct bench *b, uint32_t ssrc)
{
    uint8_t packet[100];
    size_t size = rtcp_write_report(packet, sizeof packet, ssrc, NULL, NULL, 0);
    size += rtcp_write_bye(packet + size, sizeof packet - size, ssrc);
    voice_receive_rtcp(b->voice, packet, size, b->now);
}

static void test_a_goodbye_is_told_if_nobody_else_comes(void **state)
{
    struct bench *b = *state;
    peer_speaks(b, PEERS, 5);
    receive_bye(b, PEERS + 7);
    speak(b, 100, 0);
    assert_int_equal(b->byes, 0);
    receive_bye(b, PEERS);
    speak(b, 20, 0);
    assert_int_equal(b->byes, 0);
    speak(b, 100, 0);
    assert_int_equal(b->byes, 1);
}

static void test_a_goodbye_before_any_sound_is_told(void **state)
{
    struct bench *b = *state;
    receive_bye(b, PEERS);
    speak(b, 100, 0);
    assert_int_equal(b->byes, 1);
}

static void test_a_goodbye_of_another_stream_of_the_bundle_is_not_told(void **state)
{
    struct bench *b = *state;
    voice_share_transport(b->voice);
    receive_bye(b, PEERS + 7);
    speak(b, 100, 0);
    assert_int_equal(b->byes, 0);
    peer_speaks(b, PEERS, 5);
    receive_bye(b, PEERS);
    speak(b, 100, 0);
    assert_int_equal(b->byes, 1);
    receive_bye(b, PEERS + 7); /* nobody's voice is known again */
    speak(b, 100, 0);
    assert_int_equal(b->byes, 1);
}

static void test_before_any_sound_only_the_announced_source_says_goodbye(void **state)
{
    struct bench *b = *state;
    struct voice_config config = config_of(b);
    config.has_remote_ssrc = true;
    config.remote_ssrc = PEERS;
    voice_free(b->voice);
    assert_int_equal(voice_new(&config, &b->voice), JINGLE_OK);
    voice_share_transport(b->voice);
    receive_bye(b, PEERS + 7);
    speak(b, 100, 0);
    assert_int_equal(b->byes, 0);
    receive_bye(b, PEERS);
    speak(b, 100, 0);
    assert_int_equal(b->byes, 1);
}

static void test_a_goodbye_followed_by_another_source_is_not_told(void **state)
{
    struct bench *b = *state;
    peer_speaks(b, PEERS, 5);
    receive_bye(b, PEERS);
    assert_true(peer_speaks(b, PEERS + 1, 50) > 0.1);
    assert_int_equal(b->byes, 0);
    assert_int_equal(stats_of(b).source_changes, 1);
}

/* libwebrtc says goodbye whenever it stops to send, as on hold, and goes on with the same SSRC. */
static void test_a_source_that_comes_back_after_its_goodbye_is_heard(void **state)
{
    struct bench *b = *state;
    peer_speaks(b, PEERS, 5);
    receive_bye(b, PEERS);
    speak(b, 100, 0);
    assert_int_equal(b->byes, 1);
    assert_true(peer_speaks(b, PEERS, 50) > 0.1);
    assert_int_equal(b->byes, 1);
}

static void test_a_source_that_only_pauses_has_not_said_goodbye(void **state)
{
    struct bench *b = *state;
    peer_speaks(b, PEERS, 5);
    receive_bye(b, PEERS);
    assert_true(peer_speaks(b, PEERS, 50) > 0.1);
    assert_int_equal(b->byes, 0);
}

static void test_our_goodbye_is_the_last_word(void **state)
{
    struct bench *b = *state;
    speak(b, 10, 1000);
    voice_bye(b->voice, b->now);
    struct rtcp_reader reader;
    struct rtcp_message message = {.type = 0};
    assert_true(rtcp_open(&reader, b->rtcp, b->rtcp_bytes));
    while (rtcp_next(&reader, &message)) {
    }
    assert_int_equal(message.type, RTCP_BYE);
    assert_int_equal(message.sources[0], OURS);
    unsigned rtp = b->rtp_count;
    unsigned rtcp = b->rtcp_count;
    voice_bye(b->voice, b->now);
    speak(b, 1000, 1000);
    assert_int_equal(b->rtp_count, rtp);
    assert_int_equal(b->rtcp_count, rtcp);
}

static void test_levels_and_rates_fall_when_nothing_is_sent(void **state)
{
    struct bench *b = *state;
    speak(b, 300, 16384);
    assert_true(stats_of(b).level_sent > 0.4);
    assert_in_range(stats_of(b).bitrate_sent, 64000, 80000);
    for (int i = 0; i < 300; i++) {
        b->now += PERIOD;
        voice_tick(b->voice, b->now);
    }
    assert_true(stats_of(b).level_sent == 0);
    assert_int_equal(stats_of(b).bitrate_sent, 0);
}

static void test_reports_leave_about_every_two_seconds(void **state)
{
    struct bench *b = *state;
    speak(b, 6000, 1000);
    assert_in_range(b->rtcp_count, 20, 60);
    assert_true(voice_next_deadline(b->voice) > b->now - PERIOD);
}

static void test_our_ssrc_in_foreign_hands_is_given_up_but_not_for_ever(void **state)
{
    struct bench *b = *state;
    speak(b, 2, 1000);
    peer_sends(b, OURS, 0, "x", 1);
    speak(b, 2, 1000);
    uint32_t now_ours = sent(b, 0).ssrc;
    assert_int_not_equal(now_ours, OURS);
    assert_true(b->rtcp_count >= 1);
    for (int i = 0; i < 100; i++) {
        peer_sends(b, sent(b, 0).ssrc, 0, "x", 1);
        speak(b, 2, 1000);
    }
    assert_true(b->rtcp_count < 10);
}

static void test_fec_follows_the_reported_loss_up_fast_and_down_slowly(void **state)
{
    struct bench *b = *state;
    struct voice_sending sending = {.codec = &codec_opus, .payload_type = 111, .fec = true};
    assert_int_equal(voice_set_sending(b->voice, &sending), JINGLE_OK);
    assert_int_equal(stats_of(b).expected_loss, 0);
    receive_report(b, OURS, 51); /* 20 % */
    receive_report(b, OURS, 51);
    assert_in_range(stats_of(b).expected_loss, 17, 20);
    receive_report(b, OURS, 0);
    assert_in_range(stats_of(b).expected_loss, 12, 18);
    for (int i = 0; i < 30; i++) {
        receive_report(b, OURS, 0);
    }
    assert_int_equal(stats_of(b).expected_loss, 0);
    receive_report(b, OURS, 255);
    receive_report(b, OURS, 255);
    assert_in_range(stats_of(b).expected_loss, 30, 40);
}

static void test_high_jitter_at_the_peer_asks_for_fec(void **state)
{
    struct bench *b = *state;
    struct voice_sending sending = {.codec = &codec_opus, .payload_type = 111, .fec = true};
    assert_int_equal(voice_set_sending(b->voice, &sending), JINGLE_OK);
    receive_block(b, &(struct rtcp_block){.ssrc = OURS, .jitter = 48 * 10});
    assert_int_equal(stats_of(b).expected_loss, 0);
    receive_block(b, &(struct rtcp_block){.ssrc = OURS, .jitter = 48 * 50});
    assert_int_equal(stats_of(b).expected_loss, 6);
    receive_block(b, &(struct rtcp_block){.ssrc = OURS, .jitter = 48 * 10});
    assert_int_equal(stats_of(b).expected_loss, 0);
}

static void test_without_fec_the_loss_is_only_known(void **state)
{
    struct bench *b = *state;
    receive_report(b, OURS, 51);
    assert_int_equal(stats_of(b).expected_loss, 0);
    assert_int_equal(stats_of(b).packets_lost_remote, 51);
}

static void test_a_config_without_what_is_needed_is_refused(void **state)
{
    struct bench *b = *state;
    struct voice *voice;
    struct voice_config config = config_of(b);
    config.cname = NULL;
    assert_int_equal(voice_new(&config, &voice), JINGLE_ERROR_INVALID);
    config = config_of(b);
    config.hooks.send_rtp = NULL;
    assert_int_equal(voice_new(&config, &voice), JINGLE_ERROR_INVALID);
    config = config_of(b);
    config.sending.codec = NULL;
    assert_int_equal(voice_new(&config, &voice), JINGLE_ERROR_INVALID);
    config = config_of(b);
    config.receive_count = VOICE_PAYLOADS_MAX + 1;
    assert_int_equal(voice_new(&config, &voice), JINGLE_ERROR_INVALID);
    assert_null(voice);
}

#define BENCH_TEST(test) cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(test_any_number_of_samples_becomes_whole_packets),
        BENCH_TEST(test_only_the_first_packet_of_a_talk_is_marked),
        BENCH_TEST(test_the_level_is_announced),
        BENCH_TEST(test_the_mid_is_sent_until_the_peer_reports_on_us),
        BENCH_TEST(test_on_hold_nothing_is_sent_and_time_goes_on),
        BENCH_TEST(test_who_holds_is_sent_nothing_and_may_play_music),
        BENCH_TEST(test_a_source_that_was_stopped_comes_back_at_the_right_time),
        BENCH_TEST(test_a_digit_takes_the_place_of_sound),
        BENCH_TEST(test_digits_need_a_payload_type),
        BENCH_TEST(test_sending_that_makes_no_sense_changes_nothing),
        BENCH_TEST(test_a_packet_time_is_one_that_codecs_know),
        BENCH_TEST(test_what_comes_is_played),
        BENCH_TEST(test_on_hold_nothing_is_played),
        BENCH_TEST(test_what_a_holding_peer_does_not_send_is_not_concealed),
        BENCH_TEST(test_malformed_packets_are_counted_and_change_nothing),
        BENCH_TEST(test_a_jump_of_the_peers_clock_costs_one_packet_and_is_no_fault),
        BENCH_TEST(test_a_foreign_payload_type_makes_no_source),
        BENCH_TEST(test_a_digit_is_told_once),
        BENCH_TEST(test_a_digit_without_an_end_is_told_after_a_while),
        BENCH_TEST(test_a_goodbye_is_told_if_nobody_else_comes),
        BENCH_TEST(test_a_goodbye_before_any_sound_is_told),
        BENCH_TEST(test_a_goodbye_of_another_stream_of_the_bundle_is_not_told),
        BENCH_TEST(test_before_any_sound_only_the_announced_source_says_goodbye),
        BENCH_TEST(test_a_goodbye_followed_by_another_source_is_not_told),
        BENCH_TEST(test_a_source_that_comes_back_after_its_goodbye_is_heard),
        BENCH_TEST(test_a_source_that_only_pauses_has_not_said_goodbye),
        BENCH_TEST(test_our_goodbye_is_the_last_word),
        BENCH_TEST(test_levels_and_rates_fall_when_nothing_is_sent),
        BENCH_TEST(test_reports_leave_about_every_two_seconds),
        BENCH_TEST(test_our_ssrc_in_foreign_hands_is_given_up_but_not_for_ever),
        BENCH_TEST(test_fec_follows_the_reported_loss_up_fast_and_down_slowly),
        BENCH_TEST(test_high_jitter_at_the_peer_asks_for_fec),
        BENCH_TEST(test_without_fec_the_loss_is_only_known),
        BENCH_TEST(test_a_config_without_what_is_needed_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
