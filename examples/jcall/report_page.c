/* The page of report.h as HTML: head, figures at a glance, set-up, what was agreed on, charts, and
 * what happened when. */
#include "report.h"
#include "report_chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SECOND = 1000000 };

/* Light and dark, wide and narrow, and for printing; the same colours in charts and legends. */
static const char style[] =
    ":root{--ground:#f6f7f9;--card:#fff;--ink:#16202c;--soft:#5d6b7a;--line:#dfe4ea;--mark:#c9472f;"
    "--c0:#2563c9;--c1:#d9730d;--c2:#12876a;--c3:#9a3fb5;color-scheme:light dark}\n"
    "@media(prefers-color-scheme:dark){:root{--ground:#10151b;--card:#19212a;--ink:#e8edf2;"
    "--soft:#95a3b1;--line:#2c3743;--mark:#ff8a6f;--c0:#6ea8ff;--c1:#ffab57;--c2:#4fd1ab;"
    "--c3:#d794ef}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);"
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','DejaVu Sans',sans-serif}"
    "\n"
    "main{max-width:1120px;margin:0 auto;padding:28px 16px 48px}\n"
    "h1{font-size:1.75rem;line-height:1.25;margin:0;overflow-wrap:anywhere}"
    "h2{font-size:1.1rem;margin:32px 0 12px}h3{font-size:1rem;margin:0}"
    "h3 small,.when,.note{color:var(--soft);font-weight:400}.when{margin:4px 0 20px}\n"
    ".card,figure,.tiles div{background:var(--card);border:1px solid var(--line);"
    "border-radius:12px}.card{padding:16px 18px}\n"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(160px,1fr));gap:12px;"
    "margin:0}.tiles div{padding:12px 16px}.tiles dt{color:var(--soft);font-size:.85rem}"
    ".tiles dd{margin:0;font-size:1.35rem;font-weight:600;font-variant-numeric:tabular-nums}"
    ".tiles dd small{font-size:.8rem;font-weight:400;color:var(--soft)}\n"
    ".setup{display:flex;height:14px;gap:3px;margin:2px 0 12px}"
    ".setup i{min-width:4px;border-radius:4px}\n"
    ".legend{list-style:none;margin:6px 0 0;padding:0;display:flex;flex-wrap:wrap;gap:2px 18px;"
    "font-size:.85rem}.legend span{color:var(--soft);font-variant-numeric:tabular-nums;"
    "white-space:nowrap}.key{display:inline-block;width:20px;height:0;margin-right:6px;"
    "vertical-align:middle;border-top:3px solid;border-radius:2px}"
    ".key.dashed{height:2px;border:0;border-radius:0;"
    "background:repeating-linear-gradient(90deg,currentColor 0 5px,transparent 5px 8px)}\n"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));"
    "gap:14px}figure{margin:0;padding:14px 16px 12px;break-inside:avoid}"
    "figcaption p{margin:0;color:var(--soft);font-size:.85rem}"
    "svg{display:block;width:100%;height:auto;margin-top:6px}"
    "svg text{fill:var(--soft);font-size:10.5px;font-variant-numeric:tabular-nums}"
    ".grid,.axis,.mark,.line{fill:none;vector-effect:non-scaling-stroke}"
    ".grid{stroke:var(--line)}.axis{stroke:var(--soft);stroke-opacity:.7}"
    ".mark{stroke:var(--mark);stroke-dasharray:2 3}"
    ".line{stroke:currentColor;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}"
    ".line.dashed{stroke-dasharray:5 4;stroke-width:1.5}"
    ".area{fill:currentColor;fill-opacity:.13;stroke:none}"
    ".c0{color:var(--c0)}.c1{color:var(--c1)}.c2{color:var(--c2)}.c3{color:var(--c3)}"
    ".setup .c0{background:var(--c0)}.setup .c1{background:var(--c1)}"
    ".setup .c2{background:var(--c2)}\n"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;"
    "padding:6px 14px 6px 0;border-top:1px solid var(--line)}tr:first-child>*{border-top:0}"
    "th{font-weight:400;color:var(--soft);width:15em}"
    "td{overflow-wrap:anywhere}.number{font-variant-numeric:tabular-nums;text-align:right;"
    "white-space:nowrap}code{font:.9em ui-monospace,'DejaVu Sans Mono',monospace}\n"
    ".flag td:last-child::before{content:'';display:inline-block;width:8px;height:8px;"
    "border-radius:4px;background:var(--mark);margin-right:8px}\n"
    "@media(max-width:560px){th{width:7.5em}.card{padding:12px 14px}}\n"
    "@media print{body{background:none}.charts{display:block}figure{margin-bottom:12px}}\n";

/* --- figures out of samples ----------------------------------------------------------------- */

/* One value a sample; all NAN at first. */
struct series {
    double *values;
    size_t count;
};

static struct series series_new(const struct report *r)
{
    struct series s = {g_new(double, r->sample_count + 1), r->sample_count};
    for (size_t i = 0; i < s.count; i++) {
        s.values[i] = NAN;
    }
    return s;
}

/* A figure of one sample, which may need the one before it; NAN: there is none. */
typedef double (*figure_fn)(const jingle_statistics *now, const jingle_statistics *before,
                            double seconds);

static struct series series_of(const struct report *r, figure_fn figure)
{
    static const jingle_statistics nothing;
    struct series s = series_new(r);
    for (size_t i = 0; i < s.count; i++) {
        const struct report_sample *sample = &r->samples[i];
        const jingle_statistics *before = i > 0 ? &sample[-1].figures : &nothing;
        int64_t since = i > 0 ? sample->time - sample[-1].time : SECOND;
        double seconds = (double)since / SECOND;
        if (seconds > 0) {
            s.values[i] = figure(&sample->figures, before, seconds);
        }
    }
    return s;
}

/* What a counter grew by; some go back when a packet that was lost comes after all. */
static double growth(uint64_t now, uint64_t before)
{
    return now > before ? (double)(now - before) : 0;
}

static double part(double of, double all)
{
    return all > 0 ? 100 * of / all : NAN;
}

static double ms(int64_t usec)
{
    return (double)usec / 1000;
}

/* The table of figures: each takes what its name says out of a sample. */
#define FIGURE(name, condition, expression)                                           \
    static double name(const jingle_statistics *now, const jingle_statistics *before, \
                       double seconds)                                                \
    {                                                                                 \
        (void)before;                                                                 \
        (void)seconds;                                                                \
        return (condition) ? (double)(expression) : NAN;                              \
    }

FIGURE(sound_sent, true, now->bitrate_sent)
FIGURE(sound_received, true, now->bitrate_received)
FIGURE(video_sent, now->video.sending, now->video.bitrate_sent)
FIGURE(video_received, now->video.receiving, now->video.bitrate_received)
FIGURE(estimate, now->video.sending && now->video.estimate > 0, now->video.estimate)
FIGURE(target, now->video.sending && now->video.target > 0, now->video.target)
FIGURE(round_trip, now->round_trip >= 0, ms(now->round_trip))
FIGURE(jitter, true, ms(now->jitter))
FIGURE(jitter_remote, now->round_trip >= 0, ms(now->jitter_remote))
FIGURE(rate_sent, now->video.sending, now->video.frame_rate_sent)
FIGURE(rate_shown, now->video.receiving, now->video.frame_rate_received)
FIGURE(height_sent, now->video.sending && now->video.height_sent > 0, now->video.height_sent)
FIGURE(height_shown, now->video.receiving && now->video.height_received > 0,
       now->video.height_received)
FIGURE(frozen, now->video.receiving,
       fmin(100, growth((uint64_t)now->video.freeze_time, (uint64_t)before->video.freeze_time) /
                     SECOND / seconds * 100))
FIGURE(sound_delay, true, ms(now->buffer_delay))
FIGURE(video_delay, now->video.receiving, ms(now->video.buffer_delay))
FIGURE(lip_sync, now->video.receiving, fabs(ms(now->video.lip_sync)))
FIGURE(encode_time, now->video.sending, ms(now->video.encode_time))
FIGURE(decode_time, now->video.receiving, ms(now->video.decode_time))
FIGURE(concealed, now->samples_played > before->samples_played,
       part(growth(now->samples_concealed, before->samples_concealed),
            growth(now->samples_played, before->samples_played)))
FIGURE(recovered, now->samples_played > before->samples_played,
       part(growth(now->samples_recovered, before->samples_recovered),
            growth(now->samples_played, before->samples_played)))
FIGURE(stretched, now->samples_played > before->samples_played,
       part(growth(now->samples_stretched + now->samples_shrunk,
                   before->samples_stretched + before->samples_shrunk),
            growth(now->samples_played, before->samples_played)))
FIGURE(sound_lost, true,
       part(growth(now->packets_lost, before->packets_lost),
            growth(now->packets_lost, before->packets_lost) +
                growth(now->packets_received, before->packets_received)))
FIGURE(video_lost, now->video.receiving,
       part(growth(now->video.packets_lost, before->video.packets_lost),
            growth(now->video.packets_lost, before->video.packets_lost) +
                growth(now->video.packets_received, before->video.packets_received)))
FIGURE(sound_lost_remote, now->round_trip >= 0,
       part(growth(now->packets_lost_remote, before->packets_lost_remote),
            growth(now->packets_sent, before->packets_sent)))
FIGURE(video_lost_remote, now->video.sending && now->round_trip >= 0,
       part(growth(now->video.packets_lost_remote, before->video.packets_lost_remote),
            growth(now->video.packets_sent, before->video.packets_sent)))

/* --- charts --------------------------------------------------------------------------------- */

struct plan_line {
    const char *name;
    figure_fn figure;
    bool dashed;
    bool area;
};

/* A chart is left out if none of its lines has a value. */
static const struct plan {
    const char *title;
    const char *note;
    const char *unit;
    double at_least;
    struct plan_line lines[CHART_LINES_MAX];
} plans[] = {
    {"Bit rate sent",
     "",
     "bit/s",
     64000,
     {{"video", video_sent, false, true},
      {"sound", sound_sent, false, false},
      {"estimate of the path", estimate, true, false},
      {"encoder's target", target, true, false}}},
    {"Bit rate received",
     "",
     "bit/s",
     64000,
     {{"video", video_received, false, true}, {"sound", sound_received, false, false}}},
    {"Packets lost",
     "What retransmission mended is not counted.",
     "%",
     2,
     {{"video received", video_lost, false, true},
      {"sound received", sound_lost, false, false},
      {"sound sent", sound_lost_remote, true, false},
      {"video sent", video_lost_remote, true, false}}},
    {"Round trip and jitter",
     "",
     "ms",
     20,
     {{"round trip", round_trip, false, true},
      {"jitter received", jitter, false, false},
      {"jitter over there", jitter_remote, true, false}}},
    {"Frame rate",
     "",
     "frames/s",
     10,
     {{"shown", rate_shown, false, false}, {"sent", rate_sent, false, false}}},
    {"Size of the picture",
     "Its height.",
     "pixels",
     240,
     {{"received", height_shown, false, false}, {"sent", height_sent, false, false}}},
    {"Frozen picture",
     "How much of the time it stood still.",
     "%",
     10,
     {{"frozen", frozen, false, true}}},
    {"Delay before playing",
     "From arrival until it is heard and seen.",
     "ms",
     40,
     {{"sound", sound_delay, false, true},
      {"picture", video_delay, false, false},
      {"between sound and picture", lip_sync, true, false}}},
    {"Sound made up",
     "For what did not come in time.",
     "%",
     2,
     {{"concealed", concealed, false, true},
      {"recovered from FEC", recovered, false, false},
      {"stretched or shrunk", stretched, true, false}}},
    {"Time to code a frame",
     "",
     "ms",
     5,
     {{"encode", encode_time, false, false}, {"decode", decode_time, false, false}}},
};

/* What the horizontal axes begin with; there is a sample or the call was connected. */
static int64_t origin(const struct report *r)
{
    return r->connected ? r->connected : r->samples[0].time - SECOND;
}

/* Seconds in the charts of what is marked there; the beginning needs no mark. */
static double mark_of(const struct report *r, const struct report_entry *entry)
{
    bool charts = entry->mark && r->sample_count > 0;
    double at = charts ? (double)(entry->time - origin(r)) / SECOND : 0;
    return at > 1 ? at : NAN;
}

static void draw_plan(GString *page, const struct report *r, const struct plan *plan,
                      const struct chart *common)
{
    struct chart chart = *common;
    chart.title = plan->title;
    chart.note = plan->note;
    chart.unit = plan->unit;
    chart.at_least = plan->at_least;
    for (size_t i = 0; i < CHART_LINES_MAX && plan->lines[i].name; i++) {
        const struct plan_line *line = &plan->lines[i];
        chart.lines[chart.line_count++] = (struct chart_line){
            .name = line->name,
            .values = series_of(r, line->figure).values,
            .dashed = line->dashed,
            .area = line->area,
        };
    }
    chart_draw(page, &chart);
    for (size_t i = 0; i < chart.line_count; i++) {
        g_free((void *)chart.lines[i].values);
    }
}

static void put_charts(GString *page, const struct report *r)
{
    if (r->sample_count == 0) {
        return;
    }
    double *times = g_new(double, r->sample_count);
    double *marks = g_new(double, r->entry_count + 1);
    struct chart common = {.times = times, .count = r->sample_count, .marks = marks};
    for (size_t i = 0; i < r->sample_count; i++) {
        times[i] = fmax(0, (double)(r->samples[i].time - origin(r)) / SECOND);
        common.length = fmax(common.length, times[i]);
    }
    for (size_t i = 0; i < r->entry_count; i++) {
        double at = mark_of(r, &r->entries[i]);
        if (!isnan(at)) {
            marks[common.mark_count++] = at;
        }
    }
    g_string_append(page, "<h2>Second by second</h2>\n");
    if (common.mark_count > 0) {
        g_string_append(page, "<p class='note'>Dotted lines mark what is flagged below.</p>\n");
    }
    g_string_append(page, "<div class='charts'>\n");
    for (size_t i = 0; i < G_N_ELEMENTS(plans); i++) {
        draw_plan(page, r, &plans[i], &common);
    }
    g_string_append(page, "</div>\n");
    g_free(times);
    g_free(marks);
}

/* --- at a glance ---------------------------------------------------------------------------- */

static void put_tile(GString *page, const char *name, const char *value, const char *beside)
{
    g_string_append_printf(page, "<div><dt>%s</dt><dd>", name);
    chart_put_text(page, value);
    if (*beside) {
        g_string_append(page, " <small>");
        chart_put_text(page, beside);
        g_string_append(page, "</small>");
    }
    g_string_append(page, "</dd></div>");
}

static void put_number_tile(GString *page, const char *name, double number, int decimals,
                            const char *unit)
{
    if (!isnan(number)) {
        GString *value = g_string_new(NULL);
        chart_put_number(value, number, decimals);
        put_tile(page, name, value->str, unit);
        g_string_free(value, TRUE);
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* NAN if there is no value. */
static double median_of(const struct report *r, figure_fn figure)
{
    struct series s = series_of(r, figure);
    size_t count = 0;
    for (size_t i = 0; i < s.count; i++) {
        if (!isnan(s.values[i])) {
            s.values[count++] = s.values[i];
        }
    }
    qsort(s.values, count, sizeof *s.values, compare);
    double median = count > 0 ? s.values[count / 2] : NAN;
    g_free(s.values);
    return median;
}

static void put_duration(GString *page, const struct report *r, const jingle_statistics *last)
{
    int64_t length = r->connected && r->ended ? r->ended - r->connected : last ? last->duration : 0;
    GString *value = g_string_new(NULL);
    chart_put_time(value, (double)length / SECOND);
    put_tile(page, "Duration", value->str, "");
    g_string_free(value, TRUE);
}

static void put_freezes(GString *page, const jingle_video_statistics *video)
{
    GString *count = g_string_new(NULL);
    GString *time = g_string_new("in all ");
    g_string_append_printf(count, "%" G_GUINT64_FORMAT, video->freezes);
    chart_put_number(time, (double)video->freeze_time / SECOND, 1);
    g_string_append(time, " s");
    put_tile(page, "Freezes", count->str, time->str);
    g_string_free(count, TRUE);
    g_string_free(time, TRUE);
}

static bool had_video(const struct report *r)
{
    for (size_t i = 0; i < r->sample_count; i++) {
        const jingle_video_statistics *video = &r->samples[i].figures.video;
        if (video->sending || video->receiving) {
            return true;
        }
    }
    return false;
}

static void put_tiles(GString *page, const struct report *r)
{
    const jingle_statistics *last =
        r->sample_count > 0 ? &r->samples[r->sample_count - 1].figures : NULL;
    g_string_append(page, "<dl class='tiles'>");
    put_duration(page, r, last);
    if (r->setup_time >= 0) {
        put_number_tile(page, "Set-up, once answered", (double)r->setup_time / SECOND, 2, "s");
    }
    if (last) {
        put_number_tile(page, "Round trip, median", median_of(r, round_trip), 0, "ms");
        put_number_tile(
            page, "Sound lost",
            part((double)last->packets_lost, (double)(last->packets_lost + last->packets_received)),
            2, "%");
        put_number_tile(page, "Sound made up",
                        part((double)last->samples_concealed, (double)last->samples_played), 2,
                        "%");
    }
    if (last && had_video(r)) {
        put_number_tile(page, "Video sent, median", median_of(r, video_sent) / 1e6, 2, "Mbit/s");
        put_number_tile(page, "Video received, median", median_of(r, video_received) / 1e6, 2,
                        "Mbit/s");
        put_number_tile(page, "Frames shown, median", median_of(r, rate_shown), 0, "a second");
        put_freezes(page, &last->video);
    }
    g_string_append(page, "</dl>\n");
}

/* --- words ---------------------------------------------------------------------------------- */

static void put_clock(GString *page, int64_t time, const char *format)
{
    GDateTime *utc = g_date_time_new_from_unix_utc(time / SECOND);
    GDateTime *local = utc ? g_date_time_to_local(utc) : NULL;
    char *text = local ? g_date_time_format(local, format) : NULL;
    chart_put_text(page, text ? text : "");
    g_free(text);
    g_clear_pointer(&local, g_date_time_unref);
    g_clear_pointer(&utc, g_date_time_unref);
}

static void put_head(GString *page, const struct report *r)
{
    g_string_append(page, "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'/>\n"
                          "<meta name='viewport' content='width=device-width,initial-scale=1'/>\n"
                          "<title>Call with ");
    chart_put_text(page, *r->them ? r->them : "somebody");
    g_string_append_printf(page, "</title>\n<style>\n%s</style></head>\n<body><main>\n", style);
    g_string_append(page, "<h1>Call with ");
    chart_put_text(page, *r->them ? r->them : "somebody");
    g_string_append(page, "</h1>\n<p class='when'>");
    if (r->begun) {
        put_clock(page, r->begun, "%A, %-d %B %Y, %H:%M:%S");
        g_string_append(page, " · ");
    }
    chart_put_text(page, r->outgoing ? "called by " : "answered by ");
    chart_put_text(page, *r->us ? r->us : "us");
    if (*r->ending) {
        g_string_append(page, " · ");
        chart_put_text(page, r->ending);
    }
    g_string_append(page, "</p>\n");
}

struct step {
    const char *name;
    int64_t from, to;
};

/* Steps that were taken follow each other; one that was left out makes the next one longer. */
static void put_setup(GString *page, const struct report *r)
{
    int64_t rung = r->ringing ? r->ringing : r->begun;
    struct step steps[] = {
        {"Reaching them", r->begun, r->ringing},
        {r->outgoing ? "Ringing over there" : "Ringing here", rung, r->accepted},
        {"Media: ICE and DTLS", r->accepted, r->connected},
    };
    GString *legend = g_string_new("<ul class='legend'>");
    GString *bar = g_string_new("<div class='setup'>");
    bool any = false;
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        if (!steps[i].from || steps[i].to <= steps[i].from) {
            continue;
        }
        double seconds = (double)(steps[i].to - steps[i].from) / SECOND;
        any = true;
        g_string_append_printf(bar, "<i class='c%d' style='flex-grow:", (int)i);
        chart_put_number(bar, seconds, 3);
        g_string_append(bar, "'></i>");
        g_string_append_printf(legend, "<li><i class='key c%d'></i>%s <span>", (int)i,
                               steps[i].name);
        chart_put_number(legend, seconds, seconds < 1 ? 3 : 2);
        g_string_append(legend, " s</span></li>");
    }
    if (any) {
        g_string_append_printf(
            page, "<h2>How it was set up</h2>\n<div class='card'>%s</div>%s</ul></div>\n", bar->str,
            legend->str);
    }
    g_string_free(bar, TRUE);
    g_string_free(legend, TRUE);
}

static void put_row(GString *page, const char *name, const char *value)
{
    if (*value) {
        g_string_append_printf(page, "<tr><th scope='row'>%s</th><td><code>", name);
        chart_put_text(page, value);
        g_string_append(page, "</code></td></tr>");
    }
}

static void put_agreed(GString *page, const struct report *r)
{
    GString *rows = g_string_new(NULL);
    put_row(rows, "Sound", r->codec);
    put_row(rows, "Video sent", r->video_codec);
    put_row(rows, "Video received", r->video_codec_received);
    put_row(rows, "Our end of the path", r->candidate_local);
    put_row(rows, "Their end", r->candidate_remote);
    put_row(rows, "Media encryption (SRTP)",
            *r->srtp_profile || !r->unencrypted ? r->srtp_profile
                                                : "NONE: anyone on the way could listen");
    put_row(rows, "Key exchange (DTLS)", r->dtls_cipher);
    if (rows->len > 0) {
        g_string_append_printf(
            page, "<h2>What was agreed on</h2>\n<div class='card'><table>%s</table></div>\n",
            rows->str);
    }
    g_string_free(rows, TRUE);
}

static void put_entries(GString *page, const struct report *r)
{
    if (r->entry_count == 0) {
        return;
    }
    int64_t zero = r->begun ? r->begun : r->entries[0].time;
    g_string_append(page, "<h2>What happened when</h2>\n<div class='card'><table>");
    for (size_t i = 0; i < r->entry_count; i++) {
        const struct report_entry *entry = &r->entries[i];
        g_string_append_printf(page, "<tr%s><td class='number'>",
                               isnan(mark_of(r, entry)) ? "" : " class='flag'");
        put_clock(page, entry->time, "%H:%M:%S");
        g_string_append(page, "</td><td class='number'>+");
        chart_put_number(page, (double)(entry->time - zero) / SECOND, 2);
        g_string_append(page, " s</td><td>");
        chart_put_text(page, entry->text);
        g_string_append(page, "</td></tr>\n");
    }
    g_string_append(page, "</table>");
    if (r->entries_left_out > 0) {
        g_string_append_printf(page, "<p class='note'>%zu more are not shown.</p>",
                               r->entries_left_out);
    }
    g_string_append(page, "</div>\n");
}

char *report_page(const struct report *r)
{
    GString *page = g_string_new(NULL);
    put_head(page, r);
    put_tiles(page, r);
    put_setup(page, r);
    put_agreed(page, r);
    put_charts(page, r);
    put_entries(page, r);
    g_string_append(page, "</main></body></html>\n");
    return g_string_free(page, FALSE);
}
