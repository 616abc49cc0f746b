/* Writes the events. */
#include "json.h"

#include "exit.h"
#include "json_files.h"

#include <glib.h>
#include <stdio.h>

json_t *json_text(const char *text)
{
    char *valid = g_utf8_make_valid(text ? text : "", -1);
    json_t *value = json_string(valid);
    g_free(valid);
    return value;
}

bool json_print(const char *name, int64_t time, json_t *fields)
{
    json_t *line = json_object();
    json_object_set_new(line, "event", json_text(name));
    json_object_set_new(line, "time", json_integer(time));
    json_object_update(line, fields);
    json_decref(fields);
    bool good = json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6)) == 0 &&
                putchar('\n') != EOF && fflush(stdout) == 0;
    json_decref(line);
    return good;
}

static bool json_print_of(const char *name, int64_t time, jingle_session *session, json_t *fields)
{
    json_t *line = json_object();
    if (session) {
        json_object_set_new(line, "session", json_text(jingle_session_id(session)));
        json_object_set_new(line, "peer", json_text(jingle_session_peer(session)));
        json_object_set_new(line, "peer_name", json_text(jingle_session_peer_name(session)));
    }
    if (fields) {
        json_object_update(line, fields);
        json_decref(fields);
    }
    return json_print(name, time, line);
}

bool json_own(const char *name, jingle_session *session, json_t *fields)
{
    return json_print_of(name, g_get_real_time(), session, fields);
}

const char *json_party(jingle_party party)
{
    static const char *const parties[] = {"none", "local", "remote"};
    return parties[party % G_N_ELEMENTS(parties)];
}

json_t *json_contact(const jingle_contact *contact)
{
    static const char *const subscriptions[] = {"none", "to", "from", "both"};
    json_t *fields = json_object();
    json_object_set_new(fields, "jid", json_text(contact->jid));
    json_object_set_new(fields, "name", json_text(contact->name));
    json_object_set_new(fields, "subscription",
                        json_string(subscriptions[contact->subscription & 3]));
    json_object_set_new(fields, "asked", json_boolean(contact->asked));
    json_object_set_new(fields, "online", json_boolean(contact->online));
    json_object_set_new(fields, "callable", json_boolean(contact->callable));
    json_object_set_new(fields, "video_callable", json_boolean(contact->video_callable));
    json_object_set_new(fields, "removed", json_boolean(contact->removed));
    return fields;
}

static json_t *fields_offline(const jingle_event *event)
{
    const char *text = *event->text ? event->text : jingle_strerror(event->status);
    json_t *fields = json_object();
    json_object_set_new(fields, "status", json_string(status_name(event->status)));
    json_object_set_new(fields, "text", json_text(text));
    json_object_set_new(fields, "will_retry", json_boolean(event->u.offline.will_retry));
    json_object_set_new(fields, "retry_in", json_integer(event->u.offline.retry_in));
    return fields;
}

static json_t *fields_incoming(const jingle_event *event)
{
    json_t *fields = json_object();
    json_object_set_new(fields, "from", json_text(event->u.incoming.from));
    json_object_set_new(fields, "peer_name", json_text(event->u.incoming.name));
    json_object_set_new(fields, "audio", json_boolean(event->u.incoming.audio));
    json_object_set_new(fields, "video", json_boolean(event->u.incoming.video));
    json_object_set_new(fields, "on_roster", json_boolean(event->u.incoming.on_roster));
    json_object_set_new(fields, "when", json_integer(event->u.incoming.when));
    if (event->type == JINGLE_EVENT_INCOMING) {
        json_object_set_new(fields, "encrypted", json_boolean(event->u.incoming.encrypted));
    }
    return fields;
}

static json_t *fields_switch(const jingle_event *event)
{
    json_t *fields = json_object();
    json_object_set_new(fields, "on", json_boolean(event->u.flag.on));
    json_object_set_new(fields, "by", json_string("remote"));
    return fields;
}

static json_t *fields_digit(const jingle_event *event)
{
    char digit[2] = {event->u.digit.digit, '\0'};
    json_t *fields = json_object();
    json_object_set_new(fields, "digit", json_text(digit));
    json_object_set_new(fields, "duration", json_integer(event->u.digit.duration));
    json_object_set_new(fields, "by", json_string("remote"));
    return fields;
}

static json_t *fields_device(const jingle_event *event)
{
    json_t *fields = json_object();
    json_object_set_new(fields, "direction",
                        json_string(event->u.device.capture ? "capture" : "playback"));
    json_object_set_new(fields, "lost", json_boolean(event->u.device.lost));
    json_object_set_new(fields, "status", json_string(status_name(event->status)));
    json_object_set_new(fields, "text", json_text(event->text));
    return fields;
}

static json_t *fields_video(const jingle_event *event)
{
    json_t *fields = json_object();
    json_object_set_new(fields, "sending", json_boolean(event->u.video.sending));
    json_object_set_new(fields, "receiving", json_boolean(event->u.video.receiving));
    json_object_set_new(fields, "status", json_string(status_name(event->status)));
    json_object_set_new(fields, "text", json_text(event->text));
    return fields;
}

static json_t *fields_video_device(const jingle_event *event)
{
    json_t *fields = json_object();
    json_object_set_new(fields, "direction",
                        json_string(event->u.video_device.capture ? "capture" : "playback"));
    json_object_set_new(fields, "lost", json_boolean(event->u.video_device.lost));
    json_object_set_new(fields, "status", json_string(status_name(event->status)));
    json_object_set_new(fields, "text", json_text(event->text));
    return fields;
}

static json_t *fields_ended(const jingle_event *event)
{
    const char *text = *event->text ? event->text : jingle_reason_sentence(event->u.ended.reason);
    json_t *fields = json_object();
    json_object_set_new(fields, "reason", json_text(jingle_reason_name(event->u.ended.reason)));
    json_object_set_new(fields, "by", json_string(json_party(event->u.ended.by)));
    json_object_set_new(fields, "status", json_string(status_name(event->status)));
    json_object_set_new(fields, "text", json_text(text));
    return fields;
}

static json_t *fields_check(const jingle_event *event)
{
    json_t *fields = json_object();
    json_object_set_new(fields, "subject", json_text(event->u.check.subject));
    json_object_set_new(fields, "good", json_boolean(event->u.check.good));
    json_object_set_new(fields, "text", json_text(event->text));
    json_object_set_new(fields, "remedy", json_text(event->u.check.remedy));
    return fields;
}

static json_t *fields_video_statistics(const jingle_video_statistics *v)
{
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {
        {"estimate", (int64_t)v->estimate},
        {"target", (int64_t)v->target},
        {"width_sent", v->width_sent},
        {"height_sent", v->height_sent},
        {"bitrate_sent", (int64_t)v->bitrate_sent},
        {"packets_sent", (int64_t)v->packets_sent},
        {"bytes_sent", (int64_t)v->bytes_sent},
        {"packets_retransmitted", (int64_t)v->packets_retransmitted},
        {"packets_lost_remote", (int64_t)v->packets_lost_remote},
        {"frames_captured", (int64_t)v->frames_captured},
        {"frames_sent", (int64_t)v->frames_sent},
        {"frames_dropped", (int64_t)v->frames_dropped},
        {"key_frames_sent", (int64_t)v->key_frames_sent},
        {"key_frames_asked", (int64_t)v->key_frames_asked},
        {"encode_time", v->encode_time},
        {"width_received", v->width_received},
        {"height_received", v->height_received},
        {"bitrate_received", (int64_t)v->bitrate_received},
        {"packets_received", (int64_t)v->packets_received},
        {"bytes_received", (int64_t)v->bytes_received},
        {"packets_lost", (int64_t)v->packets_lost},
        {"packets_recovered", (int64_t)v->packets_recovered},
        {"frames_decoded", (int64_t)v->frames_decoded},
        {"frames_dropped_received", (int64_t)v->frames_dropped_received},
        {"frames_broken", (int64_t)v->frames_broken},
        {"key_frames_received", (int64_t)v->key_frames_received},
        {"key_frames_requested", (int64_t)v->key_frames_requested},
        {"nacks_sent", (int64_t)v->nacks_sent},
        {"freezes", (int64_t)v->freezes},
        {"freeze_time", v->freeze_time},
        {"decode_time", v->decode_time},
        {"buffer_delay", v->buffer_delay},
        {"lip_sync", v->lip_sync},
    };
    json_t *fields = json_object();
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        json_object_set_new(fields, numbers[i].name, json_integer(numbers[i].value));
    }
    json_object_set_new(fields, "sending", json_boolean(v->sending));
    json_object_set_new(fields, "receiving", json_boolean(v->receiving));
    json_object_set_new(fields, "frame_rate_sent", json_real(v->frame_rate_sent));
    json_object_set_new(fields, "frame_rate_received", json_real(v->frame_rate_received));
    json_object_set_new(fields, "codec", json_text(v->codec));
    json_object_set_new(fields, "codec_received", json_text(v->codec_received));
    return fields;
}

static json_t *fields_statistics(const jingle_statistics *s)
{
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {
        {"duration", s->duration},
        {"packets_sent", (int64_t)s->packets_sent},
        {"bytes_sent", (int64_t)s->bytes_sent},
        {"packets_lost_remote", (int64_t)s->packets_lost_remote},
        {"jitter_remote", s->jitter_remote},
        {"round_trip", s->round_trip},
        {"packets_received", (int64_t)s->packets_received},
        {"bytes_received", (int64_t)s->bytes_received},
        {"packets_lost", (int64_t)s->packets_lost},
        {"packets_late", (int64_t)s->packets_late},
        {"packets_discarded", (int64_t)s->packets_discarded},
        {"jitter", s->jitter},
        {"samples_played", (int64_t)s->samples_played},
        {"samples_concealed", (int64_t)s->samples_concealed},
        {"samples_recovered", (int64_t)s->samples_recovered},
        {"samples_stretched", (int64_t)s->samples_stretched},
        {"samples_shrunk", (int64_t)s->samples_shrunk},
        {"buffer_delay", s->buffer_delay},
        {"bitrate_sent", (int64_t)s->bitrate_sent},
        {"bitrate_received", (int64_t)s->bitrate_received},
    };
    json_t *fields = json_object();
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        json_object_set_new(fields, numbers[i].name, json_integer(numbers[i].value));
    }
    json_object_set_new(fields, "level_sent", json_real(s->level_sent));
    json_object_set_new(fields, "level_received", json_real(s->level_received));
    json_object_set_new(fields, "codec", json_text(s->codec));
    json_object_set_new(fields, "srtp_profile", json_text(s->srtp_profile));
    json_object_set_new(fields, "dtls_cipher", json_text(s->dtls_cipher));
    json_object_set_new(fields, "candidate_local", json_text(s->candidate_local));
    json_object_set_new(fields, "candidate_remote", json_text(s->candidate_remote));
    json_object_set_new(fields, "video", fields_video_statistics(&s->video));
    return fields;
}

/* NULL for an event that has no further fields. */
static json_t *event_fields(const jingle_event *event)
{
    switch (event->type) {
    case JINGLE_EVENT_OFFLINE:
        return fields_offline(event);
    case JINGLE_EVENT_CONTACT:
    case JINGLE_EVENT_SUBSCRIPTION:
        return json_contact(&event->u.contact);
    case JINGLE_EVENT_INCOMING:
    case JINGLE_EVENT_MISSED:
        return fields_incoming(event);
    case JINGLE_EVENT_CONNECTED:
        return json_pack("{sIsb}", "setup_time", (json_int_t)event->u.connected.setup_time,
                         "encrypted", event->u.connected.encrypted);
    case JINGLE_EVENT_RINGING:
        return json_pack("{sb}", "encrypted", jingle_session_encrypted(event->session));
    case JINGLE_EVENT_INTERRUPTED:
    case JINGLE_EVENT_RECOVERED:
        return json_pack("{so}", "text", json_text(event->text));
    case JINGLE_EVENT_HOLD:
    case JINGLE_EVENT_MUTE:
    case JINGLE_EVENT_VIDEO_MUTE:
        return fields_switch(event);
    case JINGLE_EVENT_VIDEO_OFFERED:
    case JINGLE_EVENT_VIDEO:
        return fields_video(event);
    case JINGLE_EVENT_VIDEO_DEVICE:
        return fields_video_device(event);
    case JINGLE_EVENT_DIGIT:
        return fields_digit(event);
    case JINGLE_EVENT_DEVICE:
        return fields_device(event);
    case JINGLE_EVENT_STATISTICS:
        return fields_statistics(&event->u.statistics);
    case JINGLE_EVENT_ENDED:
        return fields_ended(event);
    case JINGLE_EVENT_CHECK:
        return fields_check(event);
    case JINGLE_EVENT_LINK:
        return json_link(event);
    default:
        return NULL;
    }
}

static const char *event_name(jingle_event_type type)
{
    static const char *const names[] = {
        [JINGLE_EVENT_OFFLINE] = "offline",
        [JINGLE_EVENT_CONTACT] = "contact",
        [JINGLE_EVENT_SUBSCRIPTION] = "subscription",
        [JINGLE_EVENT_INCOMING] = "incoming",
        [JINGLE_EVENT_MISSED] = "missed",
        [JINGLE_EVENT_RINGING] = "ringing",
        [JINGLE_EVENT_ACCEPTED] = "accepted",
        [JINGLE_EVENT_CONNECTED] = "connected",
        [JINGLE_EVENT_INTERRUPTED] = "interrupted",
        [JINGLE_EVENT_RECOVERED] = "recovered",
        [JINGLE_EVENT_HOLD] = "hold",
        [JINGLE_EVENT_MUTE] = "mute",
        [JINGLE_EVENT_DIGIT] = "digit",
        [JINGLE_EVENT_DEVICE] = "device",
        [JINGLE_EVENT_SOURCE_ENDED] = "source-ended",
        [JINGLE_EVENT_STATISTICS] = "statistics",
        [JINGLE_EVENT_ENDED] = "ended",
        [JINGLE_EVENT_CHECK] = "check",
        [JINGLE_EVENT_LINK] = "link",
        [JINGLE_EVENT_VIDEO_OFFERED] = "video-offered",
        [JINGLE_EVENT_VIDEO] = "video",
        [JINGLE_EVENT_VIDEO_MUTE] = "video-mute",
        [JINGLE_EVENT_VIDEO_DEVICE] = "video-device",
        [JINGLE_EVENT_VIDEO_SOURCE_ENDED] = "video-source-ended",
    };
    return (size_t)type < G_N_ELEMENTS(names) ? names[type] : NULL;
}

bool json_event(const jingle_event *event)
{
    const char *name = event_name(event->type);
    return !name || json_print_of(name, event->time, event->session, event_fields(event));
}
