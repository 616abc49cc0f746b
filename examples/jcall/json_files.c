/* Writes the events of files. */
#include "json_files.h"

#include "exit.h"

bool json_transfer(const char *name, int64_t time, jingle_transfer *transfer, unsigned number,
                   json_t *fields)
{
    json_t *line = json_object();
    json_object_set_new(line, "session", json_text(jingle_transfer_id(transfer)));
    json_object_set_new(line, "peer", json_text(jingle_transfer_peer(transfer)));
    json_object_set_new(line, "file", json_integer(number));
    json_object_set_new(line, "name", json_text(jingle_transfer_name(transfer)));
    json_object_set_new(line, "sending", json_boolean(jingle_transfer_is_sending(transfer)));
    json_object_update(line, fields);
    json_decref(fields);
    return json_print(name, time, line);
}

json_t *json_file(const jingle_event *event)
{
    json_t *fields = json_object();
    json_object_set_new(fields, "from", json_text(event->u.file.from));
    json_object_set_new(fields, "bytes", json_integer((json_int_t)event->u.file.bytes));
    json_object_set_new(fields, "media_type", json_text(event->u.file.media_type));
    json_object_set_new(fields, "description", json_text(event->u.file.description));
    json_object_set_new(fields, "date", json_integer(event->u.file.date));
    json_object_set_new(fields, "on_roster", json_boolean(event->u.file.on_roster));
    json_object_set_new(fields, "index", json_integer(event->u.file.index));
    json_object_set_new(fields, "count", json_integer(event->u.file.count));
    return fields;
}

static const char *hash_name(jingle_hash_state hash)
{
    static const char *const names[] = {
        [JINGLE_HASH_NONE] = "none",
        [JINGLE_HASH_PENDING] = "pending",
        [JINGLE_HASH_EQUAL] = "equal",
        [JINGLE_HASH_DIFFERENT] = "different",
    };
    return names[hash & 3];
}

json_t *json_transfer_state(const jingle_transfer_statistics *s)
{
    json_t *fields = json_object();
    json_object_set_new(fields, "bytes", json_integer((json_int_t)s->bytes_total));
    json_object_set_new(fields, "bytes_done", json_integer((json_int_t)s->bytes_done));
    json_object_set_new(fields, "resumed", json_integer((json_int_t)s->bytes_resumed));
    json_object_set_new(fields, "rate", json_integer((json_int_t)s->rate));
    json_object_set_new(fields, "mean_rate", json_integer((json_int_t)s->mean_rate));
    json_object_set_new(fields, "duration", json_integer(s->duration));
    json_object_set_new(fields, "time_left", json_integer(s->time_left));
    json_object_set_new(fields, "way", json_text(jingle_way_name(s->way)));
    json_object_set_new(fields, "hash", json_string(hash_name(s->hash)));
    json_object_set_new(fields, "checking", json_boolean(s->checking));
    return fields;
}

json_t *json_transfer_end(const jingle_event *event)
{
    const char *text = *event->text ? event->text : jingle_strerror(event->status);
    json_t *fields = json_object();
    json_object_set_new(fields, "status", json_string(status_name(event->status)));
    json_object_set_new(fields, "text", json_text(text));
    json_object_set_new(fields, "by", json_string(json_party(event->u.transfer_ended.by)));
    json_object_set_new(fields, "path", json_text(event->u.transfer_ended.path));
    json_object_set_new(fields, "url", json_text(event->u.transfer_ended.url));
    json_t *state = json_transfer_state(&event->u.transfer_ended.statistics);
    json_object_update(fields, state);
    json_decref(state);
    return fields;
}

json_t *json_link(const jingle_event *event)
{
    json_t *fields = json_object();
    json_object_set_new(fields, "from", json_text(event->u.link.from));
    json_object_set_new(fields, "peer_name", json_text(event->u.link.name));
    json_object_set_new(fields, "url", json_text(event->u.link.url));
    json_object_set_new(fields, "description", json_text(event->u.link.description));
    json_object_set_new(fields, "encrypted", json_boolean(event->u.link.encrypted));
    json_object_set_new(fields, "on_roster", json_boolean(event->u.link.on_roster));
    json_object_set_new(fields, "when", json_integer(event->u.link.when));
    return fields;
}
