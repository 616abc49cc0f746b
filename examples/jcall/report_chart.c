#include "report_chart.h"

#include <math.h>
#include <string.h>

enum {
    /* The view box; on a phone it is about as wide in pixels. */
    WIDTH = 400,
    HEIGHT = 190,
    LEFT = 42,
    RIGHT = 10,
    TOP = 12,
    BOTTOM = 22,
    PLOT_WIDTH = WIDTH - LEFT - RIGHT,
    PLOT_HEIGHT = HEIGHT - TOP - BOTTOM,
    POINTS_MAX = 360, /* of a line; more seconds are put together */
    TICKS_X = 6,
    TICKS_Y = 4,
};

/* --- text ----------------------------------------------------------------------------------- */

void chart_put_text(GString *page, const char *text)
{
    char *valid = g_utf8_make_valid(text, -1);
    for (char *c = valid; *c; c++) {
        if ((unsigned char)*c < ' ' && *c != '\n' && *c != '\t') {
            *c = ' '; /* not allowed in HTML, however it is written */
        }
    }
    char *escaped = g_markup_escape_text(valid, -1);
    g_string_append(page, escaped);
    g_free(escaped);
    g_free(valid);
}

void chart_put_number(GString *page, double number, int decimals)
{
    char format[8];
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_snprintf(format, sizeof format, "%%.%df", decimals);
    g_ascii_formatd(text, sizeof text, format, number);
    if (strchr(text, '.')) {
        size_t end = strlen(text);
        while (text[end - 1] == '0') {
            end--;
        }
        text[text[end - 1] == '.' ? end - 1 : end] = 0;
    }
    g_string_append(page, strcmp(text, "-0") == 0 ? "0" : text);
}

void chart_put_time(GString *page, double seconds)
{
    long all = seconds > 0 ? lround(seconds) : 0;
    if (all >= 3600) {
        g_string_append_printf(page, "%ld:%02ld:%02ld", all / 3600, all / 60 % 60, all % 60);
    } else {
        g_string_append_printf(page, "%ld:%02ld", all / 60, all % 60);
    }
}

/* --- scales --------------------------------------------------------------------------------- */

struct scale {
    double most; /* at the top */
    double step;
    double divide; /* values by this, to be shown */
    int decimals;
    const char *unit;
};

/* The mean of some values that follow each other; NAN if there is none among them. */
static double mean_of(const double *values, size_t from, size_t to)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = from; i < to; i++) {
        if (!isnan(values[i])) {
            sum += values[i];
            count++;
        }
    }
    return count > 0 ? sum / (double)count : NAN;
}

/* How many values make one point. */
static size_t together(const struct chart *chart)
{
    return chart->count / POINTS_MAX + 1;
}

/* Of what is drawn. */
static double greatest(const struct chart *chart)
{
    double most = 0;
    for (size_t l = 0; l < chart->line_count; l++) {
        for (size_t i = 0; i < chart->count; i += together(chart)) {
            size_t end = MIN(i + together(chart), chart->count);
            double value = mean_of(chart->lines[l].values, i, end);
            most = !isnan(value) && value > most ? value : most;
        }
    }
    return most;
}

static struct scale scale_of(const struct chart *chart)
{
    struct scale s = {.most = fmax(greatest(chart), chart->at_least), .unit = chart->unit};
    s.divide = 1;
    if (strcmp(s.unit, "bit/s") == 0) {
        bool mega = s.most >= 1e6;
        s.divide = mega ? 1e6 : 1e3;
        s.unit = mega ? "Mbit/s" : "kbit/s";
    }
    double rough = s.most / s.divide / TICKS_Y;
    double power = pow(10, floor(log10(rough)));
    double part = rough / power;
    double step = (part <= 1 ? 1 : part <= 2 ? 2 : part <= 2.5 ? 2.5 : part <= 5 ? 5 : 10) * power;
    s.decimals = step >= 1 && fabs(step - round(step)) < 1e-9 ? 0 : step >= 0.1 ? 1 : 2;
    if (part > 2 && part <= 2.5 && power <= 1) {
        s.decimals++;
    }
    s.step = step * s.divide;
    s.most = ceil(s.most / s.step - 1e-9) * s.step;
    return s;
}

static double x_of(const struct chart *chart, double seconds)
{
    return LEFT + PLOT_WIDTH * seconds / chart->length;
}

static double y_of(const struct scale *scale, double value)
{
    return TOP + PLOT_HEIGHT * (1 - value / scale->most);
}

/* --- axes ----------------------------------------------------------------------------------- */

static void put_line(GString *page, const char *kind, double x1, double y1, double x2, double y2)
{
    g_string_append_printf(page, "<path class='%s' d='M", kind);
    chart_put_number(page, x1, 1);
    g_string_append_c(page, ' ');
    chart_put_number(page, y1, 1);
    g_string_append_c(page, 'L');
    chart_put_number(page, x2, 1);
    g_string_append_c(page, ' ');
    chart_put_number(page, y2, 1);
    g_string_append(page, "'/>");
}

static void open_label(GString *page, double x, double y, const char *anchor)
{
    g_string_append(page, "<text x='");
    chart_put_number(page, x, 1);
    g_string_append(page, "' y='");
    chart_put_number(page, y, 1);
    g_string_append_printf(page, "' text-anchor='%s'>", anchor);
}

static void draw_values(GString *page, const struct scale *scale)
{
    int steps = (int)lround(scale->most / scale->step);
    for (int i = 0; i <= steps; i++) {
        double value = i * scale->step;
        double y = y_of(scale, value);
        put_line(page, i == 0 ? "axis" : "grid", LEFT, y, WIDTH - RIGHT, y);
        open_label(page, LEFT - 6, y + 3.5, "end");
        chart_put_number(page, value / scale->divide, scale->decimals);
        g_string_append(page, "</text>");
    }
}

static int time_step(double length)
{
    static const int steps[] = {1,   2,   5,    10,   15,   30,    60,    120,  300,
                                600, 900, 1800, 3600, 7200, 14400, 28800, 86400};
    size_t i = 0;
    while (i + 1 < G_N_ELEMENTS(steps) && length / steps[i] > TICKS_X) {
        i++;
    }
    return steps[i];
}

static void draw_times(GString *page, const struct chart *chart)
{
    int step = time_step(chart->length);
    for (int t = 0; t <= chart->length + 0.5; t += step) {
        double x = fmin(x_of(chart, t), WIDTH - RIGHT);
        put_line(page, "axis", x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 4);
        open_label(page, x, HEIGHT - 5, x > WIDTH - RIGHT - 12 ? "end" : "middle");
        chart_put_time(page, t);
        g_string_append(page, "</text>");
    }
    for (size_t i = 0; i < chart->mark_count; i++) {
        if (chart->marks[i] >= 0 && chart->marks[i] <= chart->length) {
            double x = x_of(chart, chart->marks[i]);
            put_line(page, "mark", x, TOP, x, HEIGHT - BOTTOM);
        }
    }
}

/* --- lines ---------------------------------------------------------------------------------- */

/* Appends the points; a gap in the values is one in the line. Returns how many there are. */
static size_t put_points(GString *path, const struct chart *chart, const struct scale *scale,
                         const double *values)
{
    bool drawing = false;
    size_t points = 0;
    for (size_t i = 0; i < chart->count; i += together(chart)) {
        size_t end = MIN(i + together(chart), chart->count);
        double value = mean_of(values, i, end);
        if (isnan(value)) {
            drawing = false;
            continue;
        }
        g_string_append_c(path, drawing ? 'L' : 'M');
        chart_put_number(path, x_of(chart, mean_of(chart->times, i, end)), 1);
        g_string_append_c(path, ' ');
        chart_put_number(path, y_of(scale, fmin(value, scale->most)), 1);
        if (!drawing) {
            g_string_append(path, "h0"); /* a point that stands alone is a dot */
        }
        drawing = true;
        points++;
    }
    return points;
}

/* The ground of each piece of a line, down to the axis. */
static void put_area(GString *page, const char *points, int number)
{
    char **pieces = g_strsplit(points, "M", -1);
    for (char **piece = pieces; *piece; piece++) {
        const char *last = strrchr(*piece, 'L');
        if (!last) {
            continue;
        }
        char *first_x = g_strndup(*piece, strcspn(*piece, " "));
        char *last_x = g_strndup(last + 1, strcspn(last + 1, " "));
        g_string_append_printf(page, "<path class='area c%d' d='M%sL%s %dL%s %dZ'/>", number,
                               *piece, last_x, HEIGHT - BOTTOM, first_x, HEIGHT - BOTTOM);
        g_free(first_x);
        g_free(last_x);
    }
    g_strfreev(pieces);
}

static void draw_line(GString *page, const struct chart *chart, const struct scale *scale,
                      size_t number)
{
    const struct chart_line *line = &chart->lines[number];
    GString *points = g_string_new(NULL);
    size_t count = put_points(points, chart, scale, line->values);
    if (line->area) {
        put_area(page, points->str, (int)number);
    }
    if (count > 0) {
        g_string_append_printf(page, "<path class='line c%d%s' d='%s'/>", (int)number,
                               line->dashed ? " dashed" : "", points->str);
    }
    g_string_free(points, TRUE);
}

/* --- the figure ----------------------------------------------------------------------------- */

static double peak_of(const double *values, size_t count)
{
    double most = NAN;
    for (size_t i = 0; i < count; i++) {
        most = !isnan(values[i]) && !(values[i] <= most) ? values[i] : most;
    }
    return most;
}

/* Each bit rate in the unit that fits it, whatever that of the axis is. */
static void put_value(GString *page, const struct chart *chart, double value)
{
    bool bits = strcmp(chart->unit, "bit/s") == 0;
    double shown = bits ? value / (value >= 1e6 ? 1e6 : 1e3) : value;
    chart_put_number(page, shown, shown >= 100 ? 0 : shown >= 10 ? 1 : 2);
    if (bits) {
        g_string_append(page, value >= 1e6 ? " Mbit/s" : " kbit/s");
    }
}

/* A colour, the name, and what it was mostly and at worst. */
static void draw_legend(GString *page, const struct chart *chart)
{
    g_string_append(page, "<ul class='legend'>");
    for (size_t l = 0; l < chart->line_count; l++) {
        const struct chart_line *line = &chart->lines[l];
        double mean = mean_of(line->values, 0, chart->count);
        if (isnan(mean)) {
            continue;
        }
        g_string_append_printf(page, "<li><i class='key c%d%s'></i>", (int)l,
                               line->dashed ? " dashed" : "");
        chart_put_text(page, line->name);
        g_string_append(page, " <span>mean ");
        put_value(page, chart, mean);
        g_string_append(page, " · peak ");
        put_value(page, chart, peak_of(line->values, chart->count));
        g_string_append(page, "</span></li>");
    }
    g_string_append(page, "</ul>");
}

static bool anything(const struct chart *chart)
{
    for (size_t l = 0; l < chart->line_count; l++) {
        if (!isnan(mean_of(chart->lines[l].values, 0, chart->count))) {
            return true;
        }
    }
    return false;
}

void chart_draw(GString *page, const struct chart *chart)
{
    if (!anything(chart) || !(chart->length > 0)) {
        return;
    }
    struct scale scale = scale_of(chart);
    g_string_append(page, "<figure><figcaption><h3>");
    chart_put_text(page, chart->title);
    g_string_append(page, " <small>");
    chart_put_text(page, scale.unit);
    g_string_append(page, "</small></h3>");
    if (*chart->note) {
        g_string_append(page, "<p>");
        chart_put_text(page, chart->note);
        g_string_append(page, "</p>");
    }
    g_string_append_printf(page, "</figcaption><svg viewBox='0 0 %d %d' role='img' aria-label='",
                           WIDTH, HEIGHT);
    chart_put_text(page, chart->title);
    g_string_append(page, " over the time of the call'>");
    draw_values(page, &scale);
    draw_times(page, chart);
    for (size_t l = chart->line_count; l > 0; l--) { /* the first one on top */
        draw_line(page, chart, &scale, l - 1);
    }
    g_string_append(page, "</svg>");
    draw_legend(page, chart);
    g_string_append(page, "</figure>\n");
}
