#include "report.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

struct report *report_new(void)
{
    struct report *r = g_new0(struct report, 1);
    char **texts[] = {&r->us,
                      &r->them,
                      &r->ending,
                      &r->codec,
                      &r->video_codec,
                      &r->video_codec_received,
                      &r->srtp_profile,
                      &r->dtls_cipher,
                      &r->candidate_local,
                      &r->candidate_remote};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        *texts[i] = g_strdup("");
    }
    r->entries = g_new0(struct report_entry, REPORT_EVENTS_MAX);
    r->samples = g_new0(struct report_sample, REPORT_SAMPLES_MAX);
    r->sample_step = 1;
    r->setup_time = -1;
    return r;
}

void report_free(struct report *r)
{
    if (!r) {
        return;
    }
    char *texts[] = {r->us,
                     r->them,
                     r->ending,
                     r->codec,
                     r->video_codec,
                     r->video_codec_received,
                     r->srtp_profile,
                     r->dtls_cipher,
                     r->candidate_local,
                     r->candidate_remote};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_free(texts[i]);
    }
    for (size_t i = 0; i < r->entry_count; i++) {
        g_free(r->entries[i].text);
    }
    g_free(r->entries);
    g_free(r->samples);
    g_free(r);
}

/* What is not told leaves what was told before. */
static void keep(char **at, const char *text)
{
    if (text && *text && strcmp(*at, text) != 0) {
        g_free(*at);
        *at = g_strdup(text);
    }
}

void report_call(struct report *r, const char *us, const char *them, bool outgoing, int64_t begun)
{
    keep(&r->us, us);
    keep(&r->them, them);
    r->outgoing = outgoing;
    r->begun = begun;
}

void report_sample(struct report *r, const jingle_statistics *figures, int64_t time)
{
    keep(&r->codec, figures->codec);
    keep(&r->video_codec, figures->video.codec);
    keep(&r->video_codec_received, figures->video.codec_received);
    keep(&r->srtp_profile, figures->srtp_profile);
    keep(&r->dtls_cipher, figures->dtls_cipher);
    keep(&r->candidate_local, figures->candidate_local);
    keep(&r->candidate_remote, figures->candidate_remote);
    if (r->sample_skip > 0) {
        r->sample_skip--;
        return;
    }
    if (r->sample_count == REPORT_SAMPLES_MAX) {
        r->sample_count /= 2;
        for (size_t i = 0; i < r->sample_count; i++) {
            r->samples[i] = r->samples[2 * i];
        }
        r->sample_step *= 2;
    }
    r->sample_skip = r->sample_step - 1;
    struct report_sample *sample = &r->samples[r->sample_count++];
    *sample = (struct report_sample){.time = time, .figures = *figures};
    sample->figures.codec = sample->figures.srtp_profile = sample->figures.dtls_cipher = NULL;
    sample->figures.candidate_local = sample->figures.candidate_remote = NULL;
    sample->figures.video.codec = sample->figures.video.codec_received = NULL;
}

/* --- events --------------------------------------------------------------------------------- */

static void add(struct report *r, int64_t time, bool mark, char *text)
{
    if (r->entry_count == REPORT_EVENTS_MAX) {
        r->entries_left_out++;
        g_free(text);
        return;
    }
    r->entries[r->entry_count++] = (struct report_entry){time, text, mark};
}

/* "what: why" */
static char *with(const char *what, const char *why)
{
    return why && *why ? g_strconcat(what, ": ", why, NULL) : g_strdup(what);
}

static const char *video_now(const jingle_event *e)
{
    if (e->status != JINGLE_OK) {
        return e->status == JINGLE_ERROR_REFUSED ? "Video was refused" : "Video failed";
    }
    return e->u.video.sending && e->u.video.receiving ? "Video both ways"
           : e->u.video.sending                       ? "We send video"
           : e->u.video.receiving                     ? "They send video"
                                                      : "No video";
}

/* What happened in the middle of the call; NULL: nothing that a reader needs. */
static char *incident(const jingle_event *e)
{
    switch (e->type) {
    case JINGLE_EVENT_INTERRUPTED:
        return with("Nothing arrives any more", e->text);
    case JINGLE_EVENT_RECOVERED:
        return with("It arrives again", e->text);
    case JINGLE_EVENT_HOLD:
        return g_strdup(e->u.flag.on ? "They put us on hold" : "They took us off hold");
    case JINGLE_EVENT_MUTE:
        return g_strdup(e->u.flag.on ? "They muted their microphone"
                                     : "They unmuted their microphone");
    case JINGLE_EVENT_VIDEO_MUTE:
        return g_strdup(e->u.flag.on ? "They switched their camera off"
                                     : "They switched their camera on");
    case JINGLE_EVENT_VIDEO_OFFERED:
        return g_strdup("They offered video");
    case JINGLE_EVENT_VIDEO:
        return with(video_now(e), e->text);
    case JINGLE_EVENT_DEVICE:
        return with(e->u.device.lost ? "A sound device is lost" : "A sound device is back",
                    e->text);
    case JINGLE_EVENT_VIDEO_DEVICE:
        return with(e->u.video_device.lost ? "A picture device is lost"
                                           : "A picture device is back",
                    e->text);
    case JINGLE_EVENT_SOURCE_ENDED:
        return g_strdup("Our sound came to its end");
    case JINGLE_EVENT_VIDEO_SOURCE_ENDED:
        return g_strdup("Our pictures came to their end");
    default:
        return NULL;
    }
}

static void on_ended(struct report *r, const jingle_event *e)
{
    r->ended = e->time;
    r->ended_by = e->u.ended.by;
    keep(&r->ending, e->text);
    if (r->entry_count == REPORT_EVENTS_MAX) { /* the end is always shown */
        g_free(r->entries[--r->entry_count].text);
        r->entries_left_out++;
    }
    add(r, e->time, false, with("Ended", e->text));
}

void report_event(struct report *r, const jingle_event *e)
{
    switch (e->type) {
    case JINGLE_EVENT_INCOMING:
        r->begun = r->begun ? r->begun : e->time;
        keep(&r->them, e->u.incoming.from);
        add(r, e->time, false,
            g_strdup(e->u.incoming.video ? "They call, with video" : "They call"));
        break;
    case JINGLE_EVENT_RINGING:
        r->ringing = r->ringing ? r->ringing : e->time;
        add(r, e->time, false, g_strdup("It rings over there"));
        break;
    case JINGLE_EVENT_ACCEPTED:
        r->accepted = r->accepted ? r->accepted : e->time;
        add(r, e->time, false, g_strdup("Answered"));
        break;
    case JINGLE_EVENT_CONNECTED:
        r->connected = r->connected ? r->connected : e->time;
        r->setup_time = e->u.connected.setup_time;
        r->unencrypted = !e->u.connected.encrypted;
        add(r, e->time, false, g_strdup("Connected"));
        break;
    case JINGLE_EVENT_STATISTICS:
        report_sample(r, &e->u.statistics, e->time);
        break;
    case JINGLE_EVENT_ENDED:
        on_ended(r, e);
        break;
    default: {
        char *text = incident(e);
        if (text) {
            add(r, e->time, true, text);
        }
    }
    }
}

bool report_write(const struct report *r, const char *path)
{
    GError *error = NULL;
    char *page = report_page(r);
    /* A temporary file and a rename. */
    bool written =
        g_file_set_contents_full(path, page, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0666, &error);
    int why = errno;
    g_clear_error(&error);
    g_free(page);
    errno = why;
    return written;
}
