/* What the user asked for: the command line on top of the configuration file. */
#ifndef JCALL_OPTIONS_H
#define JCALL_OPTIONS_H

#include <glib.h>
#include <jingle/jingle.h>

struct options {
    char **words; /* the command and what follows it */
    /* account */
    char *jid;
    char *resource;
    char *password_file;
    char *config_file;
    char *config_password; /* from the configuration file; NULL if it has none */
    char *config_jid;      /* whose it is; NULL if it does not say */
    /* network */
    char *host;
    int port;
    jingle_tls tls;
    char *ca_file;
    char **ice_servers; /* "URI [USER PASSWORD]"; NULL-terminated, or NULL */
    char *interfaces;
    jingle_family family;
    gboolean relay_only;
    gboolean allow_strangers;
    gboolean allow_unencrypted;
    gboolean lab_plaintext;
    gboolean lab_any_certificate;
    gboolean lab_loopback;
    /* sound */
    char *source;
    char *sink;
    char *record;
    char *ring; /* where it rings; NULL: as `sink` if that is a device */
    char *codec;
    gboolean loop;
    int bitrate;
    int ptime;
    gboolean stereo;
    jingle_switch fec;
    jingle_switch dtx;
    jingle_switch echo_cancellation;
    jingle_switch noise_suppression;
    jingle_switch gain_control;
    /* pictures */
    int video;    /* asked for: 1; --no-video: 0; -1: as the next ones say */
    char *camera; /* a name; "": the first; NULL: not asked for, as with the next two */
    char *screen;
    char *play;
    gboolean test_picture;
    gboolean watch;      /* take video, send none */
    gboolean no_display; /* open no window */
    char *snapshot;      /* a file for the last picture */
    char *video_codec;
    char *video_size; /* "1280x720" */
    int video_bitrate;
    int frame_rate;
    /* the call */
    gboolean direct;
    double ring_timeout; /* seconds; 0: the library's */
    double seconds;      /* hang up so long after the call connected; 0: never */
    gboolean until_source_ends;
    char *digits;
    gboolean call_waiting;
    gboolean automatic;
    gboolean once;
    /* files */
    jingle_way via;
    gboolean tar;
    uint64_t limit; /* bytes a second; 0: none */
    uint64_t max;   /* bytes; 0: not said */
    char *dir;
    char *from;
    char *description;
    char *name;
    char *type;
    /* what is told */
    gboolean json;
    gboolean commands;
    int verbosity;
    char *report; /* a file for the page about the call */
    char *log_file;
};

enum options_result {
    OPTIONS_RUN,
    OPTIONS_TOLD,  /* --help or --version: all is said */
    OPTIONS_WRONG, /* `*message` says what; freed with g_free() */
};

enum options_result options_parse(struct options *options, int argc, char **argv, char **message);

/* "1280x720", each side from 16 to 4096. */
bool options_size(const char *text, uint32_t *width, uint32_t *height);

void options_clear(struct options *options);

#endif
