/* The report page: what was collected is there, nothing that others wrote is believed, and the page
 * needs nothing but itself. */
#include "examples/jcall/report.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND = 1000000 };

static const int64_t begun = 1795384800000000;

static void tell(struct report *r, jingle_event_type type, double at, const char *text)
{
    jingle_event event = {.type = type, .time = begun + (int64_t)(at * SECOND), .text = text};
    if (type == JINGLE_EVENT_CONNECTED) {
        event.u.connected.setup_time = SECOND / 4;
    }
    report_event(r, &event);
}

/* A call that was answered after 3 s and connected after 3.25 s. */
static struct report *call(const char *them)
{
    struct report *r = report_new();
    report_call(r, "alice@example.org/jcall", them, true, begun);
    tell(r, JINGLE_EVENT_RINGING, 0.5, "");
    tell(r, JINGLE_EVENT_ACCEPTED, 3, "");
    tell(r, JINGLE_EVENT_CONNECTED, 3.25, "");
    return r;
}

static jingle_statistics sound(unsigned second)
{
    return (jingle_statistics){
        .size = sizeof(jingle_statistics),
        .duration = (int64_t)second * SECOND,
        .packets_sent = 50ULL * second,
        .packets_received = 50ULL * second,
        .samples_played = 48000ULL * second,
        .round_trip = 40000,
        .bitrate_sent = 32000,
        .bitrate_received = 31000,
        .codec = "opus/48000/2",
        .srtp_profile = "AEAD_AES_128_GCM",
        .dtls_cipher = "ECDHE-ECDSA-AES128-GCM-SHA256",
        .candidate_local = "host udp 192.0.2.1:5000",
        .candidate_remote = "srflx udp 198.51.100.7:6000",
        .video = {.codec = "", .codec_received = ""},
    };
}

static jingle_statistics sound_and_video(unsigned second)
{
    jingle_statistics s = sound(second);
    s.video = (jingle_video_statistics){
        .sending = true,
        .receiving = true,
        .codec = "VP8",
        .codec_received = "VP9",
        .estimate = 2000000,
        .target = 1800000,
        .bitrate_sent = 1700000,
        .bitrate_received = 900000,
        .frame_rate_sent = 30,
        .frame_rate_received = 29.5,
        .height_sent = 720,
        .height_received = 360,
        .freezes = 2,
        .freeze_time = 1500000,
    };
    return s;
}

static void talk(struct report *r, jingle_statistics (*figures)(unsigned second), unsigned seconds)
{
    for (unsigned i = 1; i <= seconds; i++) {
        jingle_statistics s = figures(i);
        report_sample(r, &s, begun + 3250000 + (int64_t)i * SECOND);
    }
}

static void end(struct report *r, double at)
{
    tell(r, JINGLE_EVENT_ENDED, at, "They hung up.");
}

static char *finish(struct report *r)
{
    char *page = report_page(r);
    report_free(r);
    return page;
}

static void assert_says(const char *page, const char *text)
{
    if (!strstr(page, text)) {
        fail_msg("the page does not say: %s", text);
    }
}

static void assert_silent(const char *page, const char *text)
{
    if (strstr(page, text)) {
        fail_msg("the page says: %s", text);
    }
}

/* Every element is closed, every attribute quoted: it is XML, too. */
static void assert_well_formed(const char *page)
{
    static const GMarkupParser nothing;
    GError *error = NULL;
    GMarkupParseContext *context = g_markup_parse_context_new(&nothing, 0, NULL, NULL);
    const char *root = strstr(page, "<html");
    assert_non_null(root);
    bool good = g_markup_parse_context_parse(context, root, -1, &error) &&
                g_markup_parse_context_end_parse(context, &error);
    g_markup_parse_context_free(context);
    if (!good) {
        fail_msg("%s", error->message);
    }
}

static void test_a_call_is_told_from_its_beginning_to_its_end(void **state)
{
    (void)state;
    struct report *r = call("bob@example.net/phone");
    talk(r, sound_and_video, 65);
    end(r, 68.25);
    char *page = finish(r);
    assert_well_formed(page);
    static const char *const said[] = {
        "<h1>Call with bob@example.net/phone</h1>",
        "alice@example.org/jcall",
        "They hung up.",
        "<dd>1:05</dd>",
        "Reaching them <span>0.5 s",
        "Ringing over there <span>2.5 s",
        "Media: ICE and DTLS <span>0.25 s",
        "opus/48000/2",
        "VP8",
        "VP9",
        "AEAD_AES_128_GCM",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "host udp 192.0.2.1:5000",
        "srflx udp 198.51.100.7:6000",
        "estimate of the path <span>mean 2 Mbit/s · peak 2 Mbit/s",
        "+3.25 s</td><td>Connected",
        "in all 1.5 s",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(said); i++) {
        assert_says(page, said[i]);
    }
    static const char *const charts[] = {
        "Bit rate sent", "Bit rate received",   "Packets lost",   "Round trip and jitter",
        "Frame rate",    "Size of the picture", "Frozen picture", "Delay before playing",
        "Sound made up", "Time to code a frame"};
    for (size_t i = 0; i < G_N_ELEMENTS(charts); i++) {
        char *title = g_strdup_printf("<h3>%s <small>", charts[i]);
        assert_says(page, title);
        g_free(title);
    }
    g_free(page);
}

static void test_a_call_without_video_has_no_charts_of_it(void **state)
{
    (void)state;
    struct report *r = call("bob@example.net");
    talk(r, sound, 10);
    end(r, 13.25);
    char *page = finish(r);
    assert_well_formed(page);
    assert_says(page, "Round trip and jitter");
    assert_silent(page, "Frame rate");
    assert_silent(page, "Freezes");
    assert_silent(page, "Video sent");
    assert_silent(page, "nan");
    g_free(page);
}

static void test_a_call_that_nobody_answered_has_a_page(void **state)
{
    (void)state;
    struct report *r = report_new();
    report_call(r, "alice@example.org", "bob@example.net", true, begun);
    tell(r, JINGLE_EVENT_RINGING, 0.5, "");
    end(r, 60);
    char *page = finish(r);
    assert_well_formed(page);
    assert_says(page, "<dd>0:00</dd>");
    assert_says(page, "+60 s</td><td>Ended: They hung up.");
    assert_silent(page, "<svg");
    g_free(page);
    page = finish(report_new());
    assert_well_formed(page);
    assert_says(page, "Call with somebody");
    g_free(page);
}

static void test_what_others_wrote_is_text_and_nothing_else(void **state)
{
    (void)state;
    struct report *r = call("<script>alert('x')</script>@evil.example/\"&\x01\xff");
    tell(r, JINGLE_EVENT_INTERRUPTED, 5, "<img src=x onerror=alert(1)>");
    talk(r, sound, 3);
    end(r, 9);
    char *page = finish(r);
    assert_well_formed(page);
    assert_silent(page, "<script");
    assert_silent(page, "<img");
    assert_silent(page, "\x01");
    assert_says(page, "&lt;script&gt;alert(&apos;x&apos;)&lt;/script&gt;@evil.example/&quot;&amp;");
    assert_true(g_utf8_validate(page, -1, NULL));
    g_free(page);
}

static void test_the_page_needs_nothing_but_itself(void **state)
{
    (void)state;
    struct report *r = call("bob@example.net");
    talk(r, sound_and_video, 5);
    char *page = finish(r);
    static const char *const foreign[] = {
        "http:", "https:", "src=", "href=", "url(", "@import", "<script", "<link"};
    for (size_t i = 0; i < G_N_ELEMENTS(foreign); i++) {
        assert_silent(page, foreign[i]);
    }
    g_free(page);
}

static void test_incidents_are_flagged_and_marked_in_every_chart(void **state)
{
    (void)state;
    struct report *r = call("bob@example.net");
    talk(r, sound, 30);
    char *before = report_page(r);
    tell(r, JINGLE_EVENT_INTERRUPTED, 13.25, "");
    char *page = finish(r);
    assert_silent(before, "class='mark'");
    assert_says(page, "class='mark'");
    assert_says(page, "<tr class='flag'>");
    assert_says(page, "Nothing arrives any more");
    g_free(before);
    g_free(page);
}

static void test_a_gap_in_the_figures_is_a_gap_in_the_line(void **state)
{
    (void)state;
    struct report *r = call("bob@example.net");
    for (unsigned i = 1; i <= 9; i++) {
        jingle_statistics s = sound(i);
        s.round_trip = i > 3 && i < 7 ? -1 : 40000;
        report_sample(r, &s, begun + 3250000 + (int64_t)i * SECOND);
    }
    char *page = finish(r);
    const char *line = strstr(strstr(page, "Round trip and jitter"), "<path class='line c0' d='");
    assert_non_null(line);
    line = strchr(line, 'M');
    const char *quote = strchr(line, '\'');
    unsigned pieces = 0;
    for (; line < quote; line++) {
        pieces += *line == 'M';
    }
    assert_int_equal(pieces, 2);
    g_free(page);
}

static void test_a_day_of_calling_stays_small_and_whole(void **state)
{
    (void)state;
    enum { DAY = 86400 };
    struct report *r = call("bob@example.net");
    talk(r, sound_and_video, DAY);
    for (int i = 0; i < 1000; i++) {
        tell(r, JINGLE_EVENT_INTERRUPTED, 100 + i, "");
    }
    end(r, DAY + 3.25);
    assert_in_range(r->sample_count, REPORT_SAMPLES_MAX / 2, REPORT_SAMPLES_MAX);
    char *page = finish(r);
    assert_well_formed(page);
    assert_true(strlen(page) < 500000);
    assert_says(page, "<dd>24:00:00</dd>");
    assert_says(page, "Ended: They hung up.");
    assert_says(page, "are not shown");
    g_free(page);
}

static void test_numbers_have_points_in_every_locale(void **state)
{
    (void)state;
    static const char *const commas[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "C.UTF-8"};
    for (size_t i = 0; i < G_N_ELEMENTS(commas) && !setlocale(LC_ALL, commas[i]); i++) {
    }
    struct report *r = call("bob@example.net");
    talk(r, sound_and_video, 5);
    char *page = finish(r);
    setlocale(LC_ALL, "C");
    assert_well_formed(page);
    assert_says(page, "mean 29.5");
    g_free(page);
}

static void test_an_existing_file_is_replaced_whole_or_not_at_all(void **state)
{
    (void)state;
    char *folder = g_dir_make_tmp("jcall-report-XXXXXX", NULL);
    char *path = g_build_filename(folder, "call.html", NULL);
    char *text = NULL;
    struct report *r = call("bob@example.net");
    assert_true(g_file_set_contents(path, "old", -1, NULL));
    assert_true(report_write(r, path));
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_says(text, "bob@example.net");
    assert_false(report_write(r, "/nonexistent/call.html"));
    assert_int_equal(errno, ENOENT);
    report_free(r);
    g_free(text);
    assert_int_equal(g_unlink(path), 0);
    assert_int_equal(g_rmdir(folder), 0); /* nothing else is left */
    g_free(path);
    g_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_is_told_from_its_beginning_to_its_end),
        cmocka_unit_test(test_a_call_without_video_has_no_charts_of_it),
        cmocka_unit_test(test_a_call_that_nobody_answered_has_a_page),
        cmocka_unit_test(test_what_others_wrote_is_text_and_nothing_else),
        cmocka_unit_test(test_the_page_needs_nothing_but_itself),
        cmocka_unit_test(test_incidents_are_flagged_and_marked_in_every_chart),
        cmocka_unit_test(test_a_gap_in_the_figures_is_a_gap_in_the_line),
        cmocka_unit_test(test_a_day_of_calling_stays_small_and_whole),
        cmocka_unit_test(test_numbers_have_points_in_every_locale),
        cmocka_unit_test(test_an_existing_file_is_replaced_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
