#include "session.h"

#include "base/clock.h"
#include "media/video_render.h"
#include "media/video_scale.h"

#include <string.h>

/* Until it is decided how the other party is reached. */
static const char no_id[] = "";

/* The few texts of a call are kept once each; a peer that changes its address for ever is no longer
 * followed after this many bytes. */
#define STATISTICS_TEXT_MAX 8192

jingle_session *jingle_session_new(jingle_client *client, const char *peer, const char *id,
                                   enum session_stage stage)
{
    jingle_session *session = g_new0(jingle_session, 1);
    pthread_mutex_init(&session->lock, NULL);
    session->references = 1;
    session->client = client;
    session->stage = stage;
    session->encrypted = true;
    session->peer = g_strdup(peer);
    session->name = g_strdup("");
    session->id = no_id;
    jingle_session_set_id(session, id);
    session->statistics_text = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    session->statistics = (jingle_statistics){
        .size = sizeof(jingle_statistics),
        .round_trip = -1,
        .codec = "",
        .srtp_profile = "",
        .dtls_cipher = "",
        .candidate_local = "",
        .candidate_remote = "",
        .video = {.codec = "", .codec_received = ""},
    };
    return session;
}

jingle_session *jingle_session_ref(jingle_session *session)
{
    if (session) {
        atomic_fetch_add(&session->references, 1);
    }
    return session;
}

void jingle_session_unref(jingle_session *session)
{
    if (!session || atomic_fetch_sub(&session->references, 1) != 1) {
        return;
    }
    g_free(session->peer);
    g_free(session->peer_before);
    g_free(session->name);
    if (session->id != no_id) {
        g_free((char *)session->id);
    }
    video_render_unref(session->render);
    g_free(session->content);
    g_free(session->first_transport);
    g_free(session->video.content);
    ice_udp_clear(&session->transport);
    g_hash_table_destroy(session->statistics_text);
    pthread_mutex_destroy(&session->lock);
    g_free(session);
}

void jingle_session_set_user(jingle_session *session, void *user)
{
    if (session) {
        atomic_store(&session->user, user);
    }
}

void *jingle_session_user(jingle_session *session)
{
    return session ? atomic_load(&session->user) : NULL;
}

const char *jingle_session_peer(jingle_session *session)
{
    if (!session) {
        return "";
    }
    pthread_mutex_lock(&session->lock);
    const char *peer = session->peer;
    pthread_mutex_unlock(&session->lock);
    return peer;
}

const char *jingle_session_peer_name(jingle_session *session)
{
    return session ? session->name : "";
}

const char *jingle_session_id(jingle_session *session)
{
    if (!session) {
        return "";
    }
    pthread_mutex_lock(&session->lock);
    const char *id = session->id;
    pthread_mutex_unlock(&session->lock);
    return id;
}

void jingle_session_set_id(jingle_session *session, const char *id)
{
    pthread_mutex_lock(&session->lock);
    if (*id && session->id == no_id) {
        session->id = g_strdup(id);
    }
    pthread_mutex_unlock(&session->lock);
}

enum session_stage jingle_session_stage(jingle_session *session)
{
    pthread_mutex_lock(&session->lock);
    enum session_stage stage = session->stage;
    pthread_mutex_unlock(&session->lock);
    return stage;
}

void jingle_session_set_stage(jingle_session *session, enum session_stage stage)
{
    pthread_mutex_lock(&session->lock);
    session->stage = stage;
    pthread_mutex_unlock(&session->lock);
}

/* The bare JID that was called becomes the full JID of the device that answered: once. */
void jingle_session_set_peer(jingle_session *session, const char *peer)
{
    pthread_mutex_lock(&session->lock);
    if (!session->peer_before && strcmp(session->peer, peer) != 0) {
        session->peer_before = session->peer;
        session->peer = g_strdup(peer);
    }
    pthread_mutex_unlock(&session->lock);
}

void jingle_session_set_name(jingle_session *session, const char *name)
{
    g_free(session->name);
    session->name = g_strdup(name);
}

void jingle_session_set_unencrypted(jingle_session *session)
{
    pthread_mutex_lock(&session->lock);
    session->encrypted = false;
    pthread_mutex_unlock(&session->lock);
}

bool jingle_session_encrypted(jingle_session *session)
{
    if (!session) {
        return false;
    }
    pthread_mutex_lock(&session->lock);
    bool encrypted = session->encrypted;
    pthread_mutex_unlock(&session->lock);
    return encrypted;
}

/* Text that was once given out stays. */
static const char *keep(jingle_session *session, const char *text)
{
    size_t bytes = text ? strlen(text) + 1 : 1;
    if (bytes == 1) {
        return "";
    }
    const char *kept = g_hash_table_lookup(session->statistics_text, text);
    if (!kept && session->statistics_text_bytes + bytes <= STATISTICS_TEXT_MAX) {
        char *copy = g_strdup(text);
        g_hash_table_add(session->statistics_text, copy);
        session->statistics_text_bytes += bytes;
        kept = copy;
    }
    return kept ? kept : "";
}

void jingle_session_publish(jingle_session *session, const jingle_statistics *statistics)
{
    pthread_mutex_lock(&session->lock);
    jingle_statistics *s = &session->statistics;
    *s = *statistics;
    s->size = sizeof *s;
    s->codec = keep(session, statistics->codec);
    s->srtp_profile = keep(session, statistics->srtp_profile);
    s->dtls_cipher = keep(session, statistics->dtls_cipher);
    s->candidate_local = keep(session, statistics->candidate_local);
    s->candidate_remote = keep(session, statistics->candidate_remote);
    s->video.codec = keep(session, statistics->video.codec);
    s->video.codec_received = keep(session, statistics->video.codec_received);
    pthread_mutex_unlock(&session->lock);
}

jingle_status jingle_session_statistics(jingle_session *session, jingle_statistics *statistics)
{
    if (!session || !statistics || statistics->size == 0) {
        return JINGLE_ERROR_INVALID;
    }
    size_t size = statistics->size;
    pthread_mutex_lock(&session->lock);
    memcpy(statistics, &session->statistics, MIN(size, sizeof session->statistics));
    pthread_mutex_unlock(&session->lock);
    statistics->size = size;
    return JINGLE_OK;
}

void jingle_session_set_render(jingle_session *session, struct video_render *render)
{
    pthread_mutex_lock(&session->lock);
    struct video_render *before = session->render;
    session->render = video_render_ref(render);
    pthread_mutex_unlock(&session->lock);
    video_render_unref(before);
}

/* Waits for the thread that decodes, so it is not done with the lock. */
jingle_status jingle_session_snapshot(jingle_session *session, const char *path)
{
    if (!session || !path) {
        return JINGLE_ERROR_INVALID;
    }
    pthread_mutex_lock(&session->lock);
    struct video_render *render = session->render ? video_render_ref(session->render) : NULL;
    pthread_mutex_unlock(&session->lock);
    struct picture_buffer buffer = {0};
    jingle_status status = JINGLE_ERROR_STATE;
    if (render && video_render_snapshot(render, &buffer)) {
        jingle_picture picture = picture_buffer_view(&buffer, 0);
        status = jingle_picture_save(&picture, path);
    }
    video_render_unref(render);
    picture_buffer_clear(&buffer);
    return status;
}

void jingle_session_config_init(jingle_session_config *config)
{
    if (config) {
        *config = (jingle_session_config){.size = sizeof *config};
    }
}
