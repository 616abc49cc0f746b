#include "client_video.h"

#include "call.h"
#include "client.h"
#include "codecs/video_codec.h"
#include "events.h"
#include "session_orders.h"

#include <string.h>

/* When both asked at the same time: theirs, which is the one that counts, should be here by then.
 */
#define CROSSED_PATIENCE (3 * USEC_PER_SEC)

bool client_video_is(const jingle_session *session, const char *content)
{
    return session->video.content && strcmp(session->video.content, content) == 0;
}

bool client_video_is_agreement(const struct rtp_agreement *agreement)
{
    return video_codec_find(agreement->send.name, agreement->send.clockrate);
}

void client_video_forget(jingle_session *session)
{
    struct session_video *video = &session->video;
    session_video_drop(&video->settings);
    g_free(video->content);
    *video = (struct session_video){0};
}

/* ---------------------------------------------------------------- what the application hears -- */

static const char *video_sentence(bool sending, bool receiving)
{
    if (sending) {
        return receiving ? "Video goes both ways." : "They see you; they send no pictures.";
    }
    return receiving ? "You see them; you send no pictures." : "There is no video any more.";
}

static void tell(jingle_session *session, jingle_status status, const char *text)
{
    const struct session_video *video = &session->video;
    bool agreed = video->state == VIDEO_AGREED;
    bool sending = agreed && video->we_send && !video->stopped && video->has_source;
    bool receiving = agreed && video->we_receive;
    jingle_event event = {
        .type = JINGLE_EVENT_VIDEO,
        .session = session,
        .status = status,
        .text = text ? text : video_sentence(sending, receiving),
        .u.video = {.sending = sending, .receiving = receiving},
    };
    events_push(session->client->events, &event);
}

/* ----------------------------------------------------------------------- what the peer hears -- */

/* Muted, without a source, or with a direction that could not be said in another way. */
static void tell_mute(jingle_session *session)
{
    struct session_video *video = &session->video;
    bool muted = video->muted || video->stopped || !video->has_source;
    if (!session->connected || !video->we_send || muted == video->told_muted) {
        return;
    }
    video->told_muted = muted;
    account_call_info(session->signaling, muted ? INFO_MUTE : INFO_UNMUTE, video->content,
                      clock_now());
}

/* Before media flows nobody may say more than the answer did. */
static void say_direction(jingle_session *session, bool send, bool receive)
{
    struct session_video *video = &session->video;
    bool changes = send != video->we_send || receive != video->we_receive;
    if (changes && session->connected &&
        account_call_content_set_senders(session->signaling, video->content, send, receive,
                                         clock_now())) {
        video->we_send = send;
        video->stopped = false;
    } else {
        video->stopped = !send;
    }
    video->we_receive = receive;
}

static void apply(jingle_session *session)
{
    const struct session_video *video = &session->video;
    call_video_set_senders(session->media, video->we_send, video->we_receive);
    call_video_set_mute(session->media, video->muted || video->stopped);
    tell_mute(session);
}

void client_video_connected(jingle_session *session)
{
    if (session->video.state == VIDEO_AGREED) {
        tell_mute(session);
    } else if (session->video.state == VIDEO_NONE) {
        client_video_forget(session); /* what was given for video that was not offered */
    }
}

/* --------------------------------------------------------------- what the signalling half says --
 */

void client_video_negotiated(jingle_session *session, const struct account_event *event)
{
    struct session_video *video = &session->video;
    const struct rtp_agreement *agreement = event->u.negotiated.agreement;
    struct call_agreed agreed = {
        .content = event->u.negotiated.content,
        .transport = event->u.negotiated.transport,
        .credentials = event->u.negotiated.credentials,
        .remote = event->u.negotiated.remote,
        .agreement = agreement,
        .dtls_client = event->u.negotiated.dtls_client,
        .we_offered = event->u.negotiated.we_offered,
    };
    g_free(video->content);
    video->content = g_strdup(event->u.negotiated.content);
    video->state = VIDEO_AGREED;
    video->has_source = video->settings.source;
    video->we_send = agreement->we_send;
    video->we_receive = agreement->we_receive;
    call_video_negotiated(session->media, &agreed, &video->identity, &video->settings);
    video->settings = (jingle_video_config){0}; /* the media half's */
    tell_mute(session);
    tell(session, JINGLE_OK, NULL);
}

static void accept_at_once(jingle_session *session)
{
    struct rtp_description description;
    jingle_video_config settings = session->video.settings;
    char *content = g_strdup(session->video.content);
    session->video.settings = (jingle_video_config){0};
    struct session_media media =
        session_video_media(&session->video, session->identity.cname, &settings, &description);
    if (!account_call_content_accept(session->signaling, content, &media, clock_now())) {
        client_video_forget(session);
        tell(session, JINGLE_ERROR_NO_COMMON_CODEC, NULL);
    }
    rtp_description_clear(&description);
    g_free(content);
}

static void on_offered(jingle_session *session, const struct account_event *event)
{
    struct session_video *video = &session->video;
    bool wanted = video->state == VIDEO_REPLACED;
    if (strcmp(event->u.content_offered.media, "video") != 0 ||
        (video->state != VIDEO_NONE && !wanted)) {
        account_call_content_reject(session->signaling, event->u.content_offered.content,
                                    JINGLE_REASON_DECLINED, clock_now());
        return;
    }
    video->state = VIDEO_OFFERED;
    g_free(video->content);
    video->content = g_strdup(event->u.content_offered.content);
    if (wanted) {
        accept_at_once(session); /* both asked at the same time */
        return;
    }
    jingle_event out = {
        .type = JINGLE_EVENT_VIDEO_OFFERED,
        .session = session,
        .text = "They would like to add video to the call.",
        .u.video = {.sending = event->u.content_offered.we_send,
                    .receiving = event->u.content_offered.we_receive},
    };
    events_push(session->client->events, &out);
}

static void on_refused(jingle_session *session, const struct account_event *event)
{
    struct session_video *video = &session->video;
    if (session->media) {
        call_video_stop(session->media); /* a link that was opened for it */
    }
    if (event->u.content_gone.reason == JINGLE_REASON_REPLACED) {
        video->state = VIDEO_REPLACED;
        video->replaced_deadline = clock_now() + CROSSED_PATIENCE;
        return;
    }
    client_video_forget(session);
    tell(session, JINGLE_ERROR_REFUSED, "They do not want video.");
}

void client_video_tick(jingle_session *session, usec now)
{
    if (now >= client_video_deadline(session)) {
        client_video_forget(session);
        tell(session, JINGLE_ERROR_REFUSED, "They do not want video.");
    }
}

usec client_video_deadline(const jingle_session *session)
{
    const struct session_video *video = &session->video;
    return video->state == VIDEO_REPLACED ? video->replaced_deadline : USEC_NEVER;
}

static void on_removed(jingle_session *session)
{
    if (session->media) {
        call_video_stop(session->media);
    }
    client_video_forget(session);
    tell(session, JINGLE_OK, NULL);
}

void client_video_content(jingle_session *session, const struct account_event *event)
{
    if (event->type == ACCOUNT_EVENT_CONTENT_OFFERED) {
        on_offered(session, event);
    } else if (strcmp(event->u.content_gone.media, "video") != 0) {
        return;
    } else if (event->type == ACCOUNT_EVENT_CONTENT_REFUSED) {
        on_refused(session, event);
    } else if (client_video_is(session, event->u.content_gone.content)) {
        on_removed(session);
    }
}

void client_video_senders(jingle_session *session, bool we_send, bool we_receive)
{
    struct session_video *video = &session->video;
    video->we_send = we_send;
    video->we_receive = we_receive;
    if (session->media && video->state == VIDEO_AGREED) {
        apply(session);
        tell(session, JINGLE_OK, NULL);
    }
}

void client_video_peer_mute(jingle_session *session, bool on)
{
    bool agreed = session->video.state == VIDEO_AGREED;
    if (!session->media || (!agreed && session->video.state != VIDEO_RESTING)) {
        return;
    }
    call_video_set_peer_mute(session->media, on);
    if (!agreed) {
        return; /* kept for when it goes on */
    }
    jingle_event event = {
        .type = JINGLE_EVENT_VIDEO_MUTE,
        .session = session,
        .text = on ? "They switched their camera off." : "They switched their camera on.",
        .u.flag.on = on,
    };
    events_push(session->client->events, &event);
}

/* -------------------------------------------------------------------- what the media half says --
 */

void client_video_failed(jingle_session *session, jingle_status status)
{
    struct session_video *video = &session->video;
    if (!session->signaling || video->state == VIDEO_NONE) {
        return;
    }
    if (video->content) {
        account_call_content_remove(session->signaling, video->content, clock_now());
    }
    if (session->media) {
        call_video_stop(session->media);
    }
    client_video_forget(session);
    tell(session, status, jingle_strerror(status));
    client_schedule(session->client);
}

/* ------------------------------------------------------------------- what the application asks --
 */

void client_video_replace(jingle_session *session, jingle_video_config *settings)
{
    struct session_video *video = &session->video;
    bool rested = video->state == VIDEO_RESTING;
    unsigned parts = CALL_VIDEO_SOURCE | (settings->sink ? CALL_VIDEO_SINK : 0) |
                     (settings->self_view ? CALL_VIDEO_SELF_VIEW : 0);
    video->has_source = settings->source;
    call_video_replace(session->media, parts, settings);
    *settings = (jingle_video_config){0};
    video->state = VIDEO_AGREED;
    if (rested || (video->has_source && (!video->we_send || video->stopped))) {
        say_direction(session, video->has_source, rested || video->we_receive);
    }
    apply(session);
    tell(session, JINGLE_OK, NULL);
}

void client_video_set_source(jingle_session *session, jingle_video_source *source)
{
    struct session_video *video = &session->video;
    bool had = video->has_source;
    jingle_video_config settings = {.source = source};
    video->has_source = source;
    call_video_replace(session->media, CALL_VIDEO_SOURCE, &settings);
    if (source && (!video->we_send || video->stopped)) {
        say_direction(session, true, video->we_receive);
    }
    apply(session);
    if (had != video->has_source) {
        tell(session, JINGLE_OK, NULL);
    }
}

void client_video_set_mute(jingle_session *session, bool on)
{
    session->video.muted = on;
    apply(session);
}

void client_video_set_direction(jingle_session *session, bool send, bool receive)
{
    say_direction(session, send, receive);
    apply(session);
    tell(session, JINGLE_OK, NULL);
}

/* The peer's client may not survive losing a content: then it only rests. */
static void rest(jingle_session *session)
{
    struct session_video *video = &session->video;
    jingle_video_config none = {0};
    video->state = VIDEO_RESTING;
    video->has_source = false;
    video->stopped = true;
    video->told_muted = true;
    video->we_receive = false;
    call_video_replace(session->media, CALL_VIDEO_SOURCE | CALL_VIDEO_SINK | CALL_VIDEO_SELF_VIEW,
                       &none);
    call_video_set_senders(session->media, video->we_send, false);
}

jingle_status client_video_stop(jingle_session *session)
{
    struct session_video *video = &session->video;
    bool unanswered = video->state == VIDEO_ASKED && !session->connected; /* with the call */
    if (!session->media || unanswered || video->state == VIDEO_NONE ||
        video->state == VIDEO_RESTING) {
        return JINGLE_ERROR_STATE;
    }
    bool agreed = video->state == VIDEO_AGREED;
    enum content_removal removal =
        account_call_content_remove(session->signaling, video->content, clock_now());
    if (!session->signaling) {
        return JINGLE_OK; /* it was the last content */
    }
    if (agreed && removal == CONTENT_IS_KEPT) {
        rest(session);
    } else {
        call_video_stop(session->media);
        client_video_forget(session);
    }
    tell(session, JINGLE_OK, NULL);
    return JINGLE_OK;
}
