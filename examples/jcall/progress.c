/* Sums up and draws. */
#include "progress.h"

#include "amount.h"
#include "text.h"

#include <string.h>

#define BAR_LEAST  10
#define BAR_MOST   40
#define NAME_LEAST 12 /* of a name that does not fit, so much is shown or nothing */
#define GAP        2  /* between the parts of the line */

static void item_clear(void *item)
{
    g_free(((struct progress_item *)item)->name);
}

void progress_init(struct progress *progress)
{
    progress->items = g_array_new(FALSE, TRUE, sizeof(struct progress_item));
    g_array_set_clear_func(progress->items, item_clear);
}

void progress_clear(struct progress *progress)
{
    g_clear_pointer(&progress->items, g_array_unref);
}

static struct progress_item *item_at(const struct progress *progress, guint index)
{
    return &g_array_index(progress->items, struct progress_item, index);
}

static struct progress_item *item_find(const struct progress *progress,
                                       const jingle_transfer *transfer)
{
    for (guint i = 0; i < progress->items->len; i++) {
        if (item_at(progress, i)->transfer == transfer) {
            return item_at(progress, i);
        }
    }
    return NULL;
}

void progress_add(struct progress *progress, const jingle_transfer *transfer, const char *name,
                  uint64_t bytes, bool sending)
{
    struct progress_item item = {.transfer = transfer, .name = g_strdup(name), .sending = sending};
    item.statistics.bytes_total = bytes;
    item.statistics.time_left = -1;
    g_array_append_val(progress->items, item);
}

bool progress_update(struct progress *progress, const jingle_transfer *transfer,
                     const jingle_transfer_statistics *statistics)
{
    struct progress_item *item = item_find(progress, transfer);
    if (!item) {
        return false;
    }
    item->moving = true;
    item->statistics = *statistics;
    return true;
}

void progress_end(struct progress *progress, const jingle_transfer *transfer, bool whole)
{
    struct progress_item *item = item_find(progress, transfer);
    if (!item) {
        return;
    }
    item->transfer = NULL;
    item->statistics.bytes_done = item->statistics.bytes_total;
    item->statistics.rate = 0;
    item->statistics.checking = false;
    if (!whole) {
        item->statistics.bytes_done = item->statistics.bytes_total = 0;
    }
    if (progress_count(progress) == 0) {
        g_array_set_size(progress->items, 0);
    }
}

unsigned progress_count(const struct progress *progress)
{
    unsigned count = 0;
    for (guint i = 0; i < progress->items->len; i++) {
        count += item_at(progress, i)->transfer != NULL;
    }
    return count;
}

bool progress_moving(const struct progress *progress)
{
    for (guint i = 0; i < progress->items->len; i++) {
        if (item_at(progress, i)->transfer && item_at(progress, i)->moving) {
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------------------ the sum -- */

struct sum {
    uint64_t total, done, rate;
    int64_t time_left;                /* -1: unknown */
    unsigned count;                   /* of those that have not ended */
    const struct progress_item *only; /* the first of these */
    unsigned moving;
    jingle_way way; /* that all of those take; AUTO: not the same */
    bool checking;
};

/* One way for all, or none. */
static jingle_way way_join(const struct sum *sum, const struct progress_item *item)
{
    jingle_way way = item->statistics.way;
    return sum->moving == 0 || sum->way == way ? way : JINGLE_WAY_AUTO;
}

static struct sum sum_up(const struct progress *progress)
{
    struct sum sum = {.time_left = -1};
    for (guint i = 0; i < progress->items->len; i++) {
        const struct progress_item *item = item_at(progress, i);
        sum.total += item->statistics.bytes_total;
        sum.done += MIN(item->statistics.bytes_done, item->statistics.bytes_total);
        sum.rate += item->statistics.rate;
        if (item->transfer) {
            sum.only = sum.only ? sum.only : item;
            sum.count++;
        }
        if (item->transfer && item->moving) {
            sum.checking = sum.checking || item->statistics.checking;
            sum.way = way_join(&sum, item);
            sum.moving++;
        }
    }
    if (sum.count == 1) {
        sum.time_left = sum.only->statistics.time_left;
    } else if (sum.rate > 0) {
        double seconds = (double)(sum.total - sum.done) / (double)sum.rate;
        sum.time_left = (int64_t)(MIN(seconds, 1e9) * G_USEC_PER_SEC);
    }
    return sum;
}

/* 100 only when all is there. */
static int sum_percent(const struct sum *sum)
{
    return sum->total > 0 ? (int)(100.0 * (double)sum->done / (double)sum->total) : 0;
}

/* ----------------------------------------------------------------------------- the line -- */

static char *bar_text(double share, size_t cells)
{
    bool blocks = g_get_charset(NULL);
    size_t full = (size_t)(share * (double)cells);
    GString *bar = g_string_new(blocks ? "" : "[");
    for (size_t i = 0; i < cells; i++) {
        g_string_append(bar, i < full ? (blocks ? "▮" : "#") : (blocks ? "▯" : "."));
    }
    return g_string_free(g_string_append(bar, blocks ? "" : "]"), FALSE);
}

/* The parts in the order of the line. */
enum part { PART_BAR, PART_PERCENT, PART_AMOUNT, PART_RATE, PART_LEFT, PART_WAY, PART_NAME, PARTS };

struct line {
    char *parts[PARTS]; /* NULL: not in the line */
};

/* Numbers that change keep their places, and so does the bar. */
static char *padded(char *text, size_t width)
{
    size_t length = strlen(text);
    char *padding = g_strnfill(width > length ? width - length : 0, ' ');
    char *result = g_strconcat(padding, text, NULL);
    g_free(padding);
    g_free(text);
    return result;
}

static char *amount_text(const struct sum *sum)
{
    char *whole = amount_part(sum->total, sum->total);
    char *part = padded(amount_part(sum->done, sum->total), strlen(whole));
    g_free(whole);
    return part;
}

static char *left_text(const struct sum *sum)
{
    char *time = padded(amount_time(sum->time_left), strlen("0:00"));
    char *left = g_strconcat(time, " left", NULL);
    g_free(time);
    return left;
}

static void line_fill(struct line *line, const struct sum *sum)
{
    line->parts[PART_BAR] = bar_text(0, BAR_LEAST); /* for its width; drawn at the end */
    line->parts[PART_PERCENT] = g_strdup_printf("%3d %%", sum_percent(sum));
    line->parts[PART_AMOUNT] = amount_text(sum);
    line->parts[PART_RATE] = sum->checking ? g_strdup("checking what is kept")
                                           : padded(amount_rate(sum->rate), strlen("1.00 MiB/s"));
    if (sum->time_left >= 0 && !sum->checking) {
        line->parts[PART_LEFT] = left_text(sum);
    }
    if (sum->way != JINGLE_WAY_AUTO) {
        line->parts[PART_WAY] = g_strdup(jingle_way_name(sum->way));
    }
    line->parts[PART_NAME] =
        sum->count == 1 ? g_strdup(sum->only->name) : g_strdup_printf("%u files", sum->count);
}

static size_t line_width(const struct line *line)
{
    size_t width = 0;
    for (int i = 0; i < PARTS; i++) {
        if (line->parts[i]) {
            width += text_width(line->parts[i]) + (width > 0 ? GAP : 0);
        }
    }
    return width;
}

/* A long name is cut before anything is left out. */
static void line_cut_name(struct line *line, size_t width)
{
    size_t over = line_width(line) > width ? line_width(line) - width : 0;
    size_t length = text_width(line->parts[PART_NAME]);
    if (over > 0 && length >= over + NAME_LEAST) {
        char *cut = text_begin(line->parts[PART_NAME], length - over - strlen("..."));
        g_free(line->parts[PART_NAME]);
        line->parts[PART_NAME] = g_strconcat(cut, "...", NULL);
        g_free(cut);
    }
}

/* What is left out first stands first. */
static void line_fit(struct line *line, size_t width)
{
    static const enum part lesser[] = {PART_NAME,   PART_WAY,  PART_BAR,
                                       PART_AMOUNT, PART_LEFT, PART_RATE};
    line_cut_name(line, width);
    for (size_t i = 0; i < G_N_ELEMENTS(lesser) && line_width(line) > width; i++) {
        g_clear_pointer(&line->parts[lesser[i]], g_free);
    }
}

/* The bar takes the room that is left. */
static void line_draw_bar(struct line *line, const struct sum *sum, size_t width)
{
    if (!line->parts[PART_BAR]) {
        return;
    }
    size_t used = line_width(line);
    size_t cells = MIN(BAR_LEAST + (width > used ? width - used : 0), BAR_MOST);
    double share = sum->total > 0 ? (double)sum->done / (double)sum->total : 0;
    g_free(line->parts[PART_BAR]);
    line->parts[PART_BAR] = bar_text(share, cells);
}

char *progress_text(const struct progress *progress, unsigned width)
{
    struct sum sum = sum_up(progress);
    if (sum.count == 0) {
        return g_strdup("");
    }
    struct line line = {{NULL}};
    line_fill(&line, &sum);
    line_fit(&line, width);
    line_draw_bar(&line, &sum, width);
    GString *text = g_string_new(NULL);
    for (int i = 0; i < PARTS; i++) {
        if (line.parts[i]) {
            g_string_append_printf(text, "%s%s", text->len > 0 ? "  " : "", line.parts[i]);
        }
        g_free(line.parts[i]);
    }
    return g_string_free(text, FALSE);
}

char *progress_short(const struct progress *progress)
{
    struct sum sum = sum_up(progress);
    if (sum.count == 0) {
        return g_strdup("");
    }
    if (sum.count == 1) {
        return g_strdup_printf("file %d %%", sum_percent(&sum));
    }
    return g_strdup_printf("%u files %d %%", sum.count, sum_percent(&sum));
}
