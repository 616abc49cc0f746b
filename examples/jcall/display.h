/* The screen: sentences, and below them, on a terminal, one line that is alive. */
#ifndef JCALL_DISPLAY_H
#define JCALL_DISPLAY_H

#include <stdbool.h>

struct display;

/* `live`: keep a line alive at the bottom, if standard output is a terminal that can do it. */
struct display *display_new(bool live);

/* Takes the live line away. */
void display_free(struct display *display);

bool display_live(const struct display *display);

/* Columns that the live line has room for. */
unsigned display_width(void);

/* Any thread: a line of text on standard output; the text is safe already (text_clean). */
void display_say(struct display *display, const char *text);

/* Any thread: a line of text on standard error. */
void display_complain(struct display *display, const char *text);

/* Any thread: what the live line shows from now on, cut to the width of the terminal; "" hides
 * it. Does nothing without a live line. */
void display_set_line(struct display *display, const char *text);

/* The bell, on a terminal. */
void display_ring(struct display *display);

/* Standard output takes no more: it is a closed pipe or a full disk. */
bool display_broken(struct display *display);

/* A level meter of `cells` cells for a level from 0 to 1, by decibels. Freed with g_free(). */
char *display_meter(double level, int cells);

#endif
