/* transport-replace, and the in-band bytestream of one file (XEP-0261), the way of last resort:
 *
 *     SOCKS5 fails ─┬─ initiator ─────────────────────────▶ transport-replace ─▶ transport-accept
 *                   └─ responder: waits for the initiator's; then its own ─┘           │
 *     the initiator sends <open/>, whoever sends the file: OPENING ─▶ INBAND ◀─────────┘
 *     the responder waits for it:                     OPEN_AWAITED ─▶ INBAND
 */
#include <glib.h>
#include <string.h>

#include "signaling/file_session_state.h"

#define SID_CHARACTERS 16

#define BLOCK_SIZE_DEFAULT 4096 /* of an offer that names none */

/* ------------------------------------------------------------------------------ transport -- */

void file_inband_prepare(struct file_content *content)
{
    memset(&content->ibb, 0, sizeof(content->ibb));
    random_token(content->session->random, content->ibb.sid, SID_CHARACTERS);
    content->ibb.block_size = content->session->block_size;
}

bool file_inband_agree(const struct file_content *content, const struct ibb_transport *offer,
                       struct ibb_transport *agreed)
{
    uint32_t size = offer->block_size == 0 ? BLOCK_SIZE_DEFAULT : offer->block_size;

    if (offer->messages)
        return false;
    *agreed = *offer;
    agreed->block_size = MIN(size, content->session->block_size);
    return true;
}

bool file_inband_settle(struct file_content *content, const struct ibb_transport *answer)
{
    if (answer->messages || (*answer->sid != '\0' && strcmp(answer->sid, content->ibb.sid) != 0))
        return false;
    if (answer->block_size != 0)
        content->ibb.block_size = MIN(content->ibb.block_size, answer->block_size);
    return true;
}

void file_inband_begin(struct file_content *content, usec now)
{
    struct file_event event = {.type = FILE_EVENT_OPEN};

    content->transport = TRANSPORT_IBB;
    content->deadline = now + FILE_REPLACE_LIMIT;
    content->word_deadline = USEC_NEVER;
    if (!content->session->initiator) {
        content->path = FILE_PATH_OPEN_AWAITED;
        return;
    }
    content->path = FILE_PATH_OPENING;
    event.u.inband.transport = &content->ibb;
    file_session_tell(content, &event);
}

/* ---------------------------------------------------------------------------------- open -- */

static void flow(struct file_content *content)
{
    struct file_event event = {.type = FILE_EVENT_INBAND};

    event.u.inband.transport = &content->ibb;
    file_content_flow(content, FILE_PATH_INBAND, &event);
}

void file_inband_opened(struct file_content *content, bool opened, usec now)
{
    if (content->path != FILE_PATH_OPENING)
        return;
    if (opened)
        flow(content);
    else
        file_content_fail(content, JINGLE_ERROR_NO_PATH, JINGLE_PARTY_REMOTE, "", now);
}

static struct file_content *find_awaited(const struct file_session *session, const char *sid)
{
    for (size_t i = 0; i < session->content_count; i++) {
        struct file_content *content = session->contents[i];
        bool is_awaited = content->path == FILE_PATH_OPEN_AWAITED ||
                          content->path == FILE_PATH_OPENING; /* it should be us */
        if (content->stage == FILE_STAGE_AGREED && is_awaited && strcmp(content->ibb.sid, sid) == 0)
            return content;
    }
    return NULL;
}

bool file_session_open_came(struct file_session *session, const struct ibb_stanza *open,
                            struct stanza_error *error, usec now)
{
    struct file_content *content = find_awaited(session, open->sid);

    (void)now;
    if (content == NULL)
        *error = stanza_error_make(STANZA_NOT_ACCEPTABLE, JINGLE_CONDITION_NONE,
                                   "no such in-band bytestream is expected");
    else if (open->messages)
        *error = stanza_error_make(STANZA_NOT_ACCEPTABLE, JINGLE_CONDITION_NONE,
                                   "in-band bytestreams go in IQs");
    else if (open->block_size > content->ibb.block_size)
        *error = stanza_error_make(STANZA_RESOURCE_CONSTRAINT, JINGLE_CONDITION_NONE,
                                   "the blocks are larger than agreed on");
    else {
        if (open->block_size != 0)
            content->ibb.block_size = open->block_size;
        flow(content);
        return true;
    }
    log_warning(session->log, "%s cannot open a bytestream: %s", session->peer, error->text);
    return false;
}

/* ----------------------------------------------------------------- transport-replace, ours -- */

static void no_path(struct file_content *content, usec now)
{
    file_content_fail(content, JINGLE_ERROR_NO_PATH, JINGLE_PARTY_LOCAL, "", now);
}

static void replace(struct file_content *content, usec now)
{
    struct jingle_iq iq;
    struct jingle_content *out = file_content_iq(&iq, content, ACTION_TRANSPORT_REPLACE);

    file_inband_prepare(content);
    out->transport = TRANSPORT_IBB;
    out->ibb = content->ibb;
    content->path = FILE_PATH_REPLACE_SENT;
    content->deadline = now + FILE_REPLACE_LIMIT;
    content->has_replaced = true;
    content->replace_tag = file_session_send(content->session, content, &iq);
}

static void await_replace(struct file_content *content, usec now)
{
    content->path = FILE_PATH_REPLACE_AWAITED;
    content->deadline =
        now + (content->session->peer_does_inband ? FILE_PATIENCE_LIMIT : FILE_REPLACE_LIMIT);
}

static void stop_socks5(struct file_content *content)
{
    struct file_event event = {.type = FILE_EVENT_NO_SOCKS5};

    if (content->transport == TRANSPORT_S5B && *content->own.sid != '\0')
        file_session_tell(content, &event);
}

void file_content_fall_back(struct file_content *content, usec now)
{
    const struct file_session *session = content->session;
    bool is_allowed = (content->ways & FILE_WAY_INBAND) != 0;

    content->stage = FILE_STAGE_AGREED; /* a stream may have been there */
    content->path = FILE_PATH_REPLACE_AWAITED;
    content->deadline = USEC_NEVER;
    stop_socks5(content);
    if (!file_content_is_live(content) || content->path != FILE_PATH_REPLACE_AWAITED)
        return;
    if (!is_allowed || (session->initiator && !session->peer_does_inband))
        no_path(content, now);
    else if (session->initiator)
        replace(content, now);
    else
        await_replace(content, now);
}

void file_replace_refused(struct file_content *content, const struct stanza_error *error, usec now)
{
    if (content->path != FILE_PATH_REPLACE_SENT)
        return;
    /* The initiator's own goes on, and is on its way. */
    if (error->jingle == JINGLE_TIE_BREAK && !content->session->initiator) {
        content->path = FILE_PATH_REPLACE_AWAITED;
        return;
    }
    no_path(content, now);
}

void file_inband_expire(struct file_content *content, usec now)
{
    const struct file_session *session = content->session;

    if (content->path == FILE_PATH_REPLACE_AWAITED && session->peer_does_inband &&
        !content->has_replaced)
        replace(content, now);
    else
        no_path(content, now);
}

/* ------------------------------------------------------------------ the answer of the peer -- */

static struct file_content *replaced_content(const struct file_session *session, const char *name)
{
    struct file_content *content = file_session_content(session, name);
    bool is_replaced = content != NULL && content->stage == FILE_STAGE_AGREED &&
                       content->path == FILE_PATH_REPLACE_SENT;

    return is_replaced ? content : NULL;
}

static bool answers_ours(const struct file_session *session, const struct jingle_iq *iq)
{
    for (size_t i = 0; i < iq->content_count; i++) {
        if (replaced_content(session, iq->contents[i].name) == NULL)
            return false;
    }
    return iq->content_count > 0;
}

void file_session_receive_transport_accept(struct file_session *session, const struct jingle_iq *iq,
                                           usec now)
{
    if (!answers_ours(session, iq)) {
        file_session_answer_out_of_order(session, iq);
        return;
    }
    file_session_answer(session);
    for (size_t i = 0; i < iq->content_count; i++) {
        const struct jingle_content *in = &iq->contents[i];
        struct file_content *content = replaced_content(session, in->name);
        if (content == NULL)
            continue;
        if (in->transport == TRANSPORT_IBB && file_inband_settle(content, &in->ibb))
            file_inband_begin(content, now);
        else
            no_path(content, now);
    }
}

void file_session_receive_transport_reject(struct file_session *session, const struct jingle_iq *iq,
                                           usec now)
{
    if (!answers_ours(session, iq)) {
        file_session_answer_out_of_order(session, iq);
        return;
    }
    file_session_answer(session);
    for (size_t i = 0; i < iq->content_count; i++) {
        struct file_content *content = replaced_content(session, iq->contents[i].name);
        if (content != NULL)
            no_path(content, now);
    }
}

/* --------------------------------------------------------------- transport-replace, theirs -- */

/* Before the last byte is sent: a stream of ours may have broken at the other end. */
static bool is_replaceable(const struct file_content *content)
{
    return content->path != FILE_PATH_INBAND && content->path != FILE_PATH_OPENING &&
           (content->stage == FILE_STAGE_OFFERED || content->stage == FILE_STAGE_DECIDED ||
            file_content_is_agreed(content));
}

static bool is_acceptable(const struct file_content *content, const struct jingle_content *in)
{
    struct ibb_transport agreed;

    if (!is_replaceable(content) || content->replaces >= FILE_REPLACES_MAX)
        return false;
    if (in->transport == TRANSPORT_IBB)
        return (content->ways & FILE_WAY_INBAND) != 0 && *in->ibb.sid != '\0' &&
               file_inband_agree(content, &in->ibb, &agreed);
    return in->transport == TRANSPORT_S5B && !in->s5b.udp && *in->s5b.sid != '\0' &&
           (content->ways & (FILE_WAY_DIRECT | FILE_WAY_PROXY)) != 0 &&
           strcmp(in->s5b.sid, content->own.sid) != 0 &&
           strcmp(in->s5b.sid, content->theirs.sid) != 0;
}

static void reject_replace(struct file_content *content, const struct jingle_content *in)
{
    struct jingle_iq iq;
    struct jingle_content *out = file_content_iq(&iq, content, ACTION_TRANSPORT_REJECT);

    log_info(content->session->log, "A transport of %s is rejected", content->session->peer);
    out->transport = in->transport;
    out->transport_ns = g_strdup(in->transport_ns);
    if (in->transport == TRANSPORT_IBB)
        out->ibb = in->ibb;
    if (in->transport == TRANSPORT_S5B)
        g_strlcpy(out->s5b.sid, in->s5b.sid, sizeof(out->s5b.sid));
    file_session_send(content->session, content, &iq);
}

static void send_accept(struct file_content *content)
{
    struct jingle_iq iq;
    struct jingle_content *out = file_content_iq(&iq, content, ACTION_TRANSPORT_ACCEPT);

    out->transport = content->transport;
    if (content->transport == TRANSPORT_IBB)
        out->ibb = content->ibb;
    else if (*content->own.sid != '\0')
        file_socks5_write(content, out, false);
    else
        g_strlcpy(out->s5b.sid, content->theirs.sid, sizeof(out->s5b.sid));
    file_session_send(content->session, content, &iq);
}

/* The new transport is as if it had been offered. Our candidates go with it only if addresses may
 * be told: the file is ours, or taken. */
static void take_offer(struct file_content *content, const struct jingle_content *in)
{
    bool may_tell = content->session->initiator || content->stage == FILE_STAGE_AGREED;

    content->path = FILE_PATH_IDLE;
    content->transport = in->transport;
    s5b_clear(&content->own);
    s5b_clear(&content->theirs);
    if (in->transport == TRANSPORT_IBB) {
        file_inband_agree(content, &in->ibb, &content->ibb);
        return;
    }
    s5b_copy(&content->theirs, &in->s5b);
    if (may_tell)
        file_socks5_prepare(content, in->s5b.sid);
}

static void accept_replace(struct file_content *content, const struct jingle_content *in, usec now)
{
    bool was_agreed = file_content_is_agreed(content);

    content->replaces++;
    content->deadline = USEC_NEVER;
    content->word_deadline = USEC_NEVER;
    if (was_agreed)
        content->stage = FILE_STAGE_AGREED;
    if (content->path < FILE_PATH_REPLACE_AWAITED)
        stop_socks5(content);
    if (!file_content_is_live(content))
        return;
    take_offer(content, in);
    if (!file_content_is_live(content))
        return;
    send_accept(content);
    if (!was_agreed)
        return;
    if (content->transport == TRANSPORT_IBB)
        file_inband_begin(content, now);
    else
        file_socks5_begin(content, now);
}

/* XEP-0166, 7.2.16: the initiator's goes on. */
static bool is_glare(const struct file_session *session, const struct jingle_iq *iq)
{
    for (size_t i = 0; i < iq->content_count; i++) {
        if (session->initiator && replaced_content(session, iq->contents[i].name) != NULL)
            return true;
    }
    return false;
}

static bool knows_all(const struct file_session *session, const struct jingle_iq *iq)
{
    for (size_t i = 0; i < iq->content_count; i++) {
        if (file_session_content(session, iq->contents[i].name) == NULL)
            return false;
    }
    return iq->content_count > 0;
}

void file_session_receive_replace(struct file_session *session, const struct jingle_iq *iq,
                                  usec now)
{
    if (!knows_all(session, iq)) {
        file_session_answer_error(session, STANZA_ITEM_NOT_FOUND, JINGLE_CONDITION_NONE,
                                  "transport-replace of an unknown content");
        return;
    }
    if (is_glare(session, iq)) {
        file_session_answer_error(session, STANZA_CONFLICT, JINGLE_TIE_BREAK,
                                  "both replace the transport");
        return;
    }
    file_session_answer(session);
    for (size_t i = 0; i < iq->content_count; i++) {
        const struct jingle_content *in = &iq->contents[i];
        struct file_content *content = file_session_content(session, in->name);
        if (!file_content_is_live(content) || !file_session_is_open(session))
            continue;
        if (is_acceptable(content, in))
            accept_replace(content, in, now);
        else
            reject_replace(content, in);
    }
}
