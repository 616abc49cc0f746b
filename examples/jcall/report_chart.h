/* A chart over the time of a call as SVG: lines with a legend, axes with round numbers, and marks
 * where something happened. Colours and line styles are those of the page's style sheet. */
#ifndef JCALL_REPORT_CHART_H
#define JCALL_REPORT_CHART_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum { CHART_LINES_MAX = 4 };

struct chart_line {
    const char *name;
    const double *values; /* NAN: there is none at this time */
    bool dashed;          /* a limit or an estimate */
    bool area;            /* the ground below it is tinted */
};

struct chart {
    const char *title;
    const char *note; /* a sentence below the title; "" for none */
    const char *unit; /* "ms", "%" ...; "bit/s" is shown in kbit/s or Mbit/s */
    struct chart_line lines[CHART_LINES_MAX];
    size_t line_count;
    double at_least;     /* of the vertical axis: small noise is not blown up */
    const double *times; /* seconds, rising; for all values */
    size_t count;
    const double *marks; /* seconds */
    size_t mark_count;
    double length; /* seconds of the horizontal axis */
};

/* Appends a figure element, unless no line has a value. */
void chart_draw(GString *page, const struct chart *chart);

/* Appends the text with all that HTML would take for its own escaped; what is not UTF-8 is
 * replaced. */
void chart_put_text(GString *page, const char *text);

/* Appends a number with a point, whatever the locale, and without zeros at its end. */
void chart_put_number(GString *page, double number, int decimals);

/* "4:05", "1:02:03" */
void chart_put_time(GString *page, double seconds);

#endif
