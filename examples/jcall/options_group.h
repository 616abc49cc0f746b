/* How groups of options are made: for the files options*.c only. */
#ifndef JCALL_OPTIONS_GROUP_H
#define JCALL_OPTIONS_GROUP_H

#include "options.h"

#define CALLBACK(function) G_OPTION_ARG_CALLBACK, (gpointer)(function)
#define ENTRY_END                       \
    {                                   \
        NULL, 0, 0, 0, NULL, NULL, NULL \
    }

/* One group of --help. Each plain flag also gets its --no- form. */
void options_group_add(GOptionContext *context, struct options *options, const char *name,
                       const char *title, const GOptionEntry *entries);

/* Of options_groups.c: all of them. */
void options_groups_add(GOptionContext *context, struct options *options);

/* Of options_files.c: those of files. */
void options_files_add(GOptionContext *context, struct options *options);

/* Of options_help.c. */
void options_help(GOptionContext *context);

#endif
