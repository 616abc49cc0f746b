/* The smallest program that makes a call. It needs nothing but the installed library:
 *
 *     cc minimal_call.c -o minimal_call $(pkg-config --cflags --libs jingle-engine)
 *     PASSWORD=secret ./minimal_call alice@example.org bob@example.org
 *
 * It speaks from the default microphone to the default loudspeaker, or, with a third argument,
 * from a sound file to nowhere. HOST, PORT, CA_FILE and LAB_LOOPBACK in the environment are for a
 * private server. */
#include <jingle/jingle.h>
#include <stdio.h>
#include <stdlib.h>

static jingle_client *client_new(const char *jid)
{
    const char *port = getenv("PORT");
    jingle_client_config config;
    jingle_client *client = NULL;
    jingle_client_config_init(&config);
    config.jid = jid;
    config.password = getenv("PASSWORD");
    config.host = getenv("HOST");
    config.port = (uint16_t)(port ? strtoul(port, NULL, 10) : 0);
    config.ca_file = getenv("CA_FILE");
    config.lab_loopback = getenv("LAB_LOOPBACK") != NULL;
    jingle_status status = jingle_client_new(&config, &client);
    if (status == JINGLE_OK) {
        status = jingle_client_connect(client);
    }
    if (status != JINGLE_OK) {
        fprintf(stderr, "%s\n", jingle_strerror(status));
    }
    return client;
}

static jingle_session *call(jingle_client *client, const char *to, const char *file)
{
    jingle_session_config config;
    jingle_session *session = NULL;
    jingle_status status = JINGLE_OK;
    jingle_session_config_init(&config); /* the default devices */
    if (file) {
        config.source = jingle_audio_source_file(file, false, &status);
    }
    if (status == JINGLE_OK) {
        config.sink = file ? jingle_audio_sink_null(NULL) : NULL;
        status = jingle_session_start(client, to, &config, &session);
    }
    if (status != JINGLE_OK) {
        fprintf(stderr, "%s\n", jingle_strerror(status));
    }
    return session;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "minimal_call YOUR-JID THEIR-JID [SOUND-FILE]\n");
        return 2;
    }
    jingle_client *client = client_new(argv[1]);
    jingle_session *session = NULL;
    const jingle_event *event = NULL;
    int result = client ? -1 : 1;
    while (result < 0 && (event = jingle_client_wait(client, -1))) {
        if (*event->text) {
            printf("%s\n", event->text); /* such as "It rings over there." */
        }
        if (event->type == JINGLE_EVENT_ONLINE && !session) {
            session = call(client, argv[2], argc > 3 ? argv[3] : NULL);
            result = session ? -1 : 1;
        } else if (event->type == JINGLE_EVENT_OFFLINE && !event->u.offline.will_retry) {
            result = 1;
        } else if (event->type == JINGLE_EVENT_SOURCE_ENDED) {
            jingle_session_end(session);
        } else if (event->type == JINGLE_EVENT_ENDED && event->session == session) {
            result = event->u.ended.reason == JINGLE_REASON_HANGUP ? 0 : 1;
        }
    }
    if (session) {
        jingle_session_unref(session);
    }
    jingle_client_free(client);
    return result;
}
