/* The beginning of a session that carries files: session-initiate and session-accept (XEP-0166, 6;
 * XEP-0234, 5), written and read. */
#include <glib.h>
#include <string.h>

#include "signaling/file_session_state.h"

#define SID_CHARACTERS 16

#define BYTESTREAM_WAYS (FILE_WAY_DIRECT | FILE_WAY_PROXY)

/* ------------------------------------------------------------------------------- writing -- */

/* The initiator says what it has or wants, the responder repeats it, with the range that it takes
 * or gives. */
static void write_description(const struct file_content *content, struct jingle_content *out)
{
    struct file_description *file = &out->file;

    out->application = APPLICATION_FILE;
    file_description_copy(file, &content->file);
    if (content->session->initiator)
        return;
    g_free(file->desc);
    file->desc = NULL;
    file->has_range = file->has_range || content->offset > 0;
    file->range_offset = content->offset;
    if (!content->we_send)
        file->range_length = 0; /* to the end, from wherever that is */
}

static void write_content(struct file_content *content, struct jingle_iq *iq)
{
    bool is_initiator = content->session->initiator;
    struct jingle_content *out = jingle_iq_add(iq, content->name, CREATOR_INITIATOR);

    out->senders = content->we_send == is_initiator ? SENDERS_INITIATOR : SENDERS_RESPONDER;
    out->has_senders = true;
    write_description(content, out);
    out->transport = content->transport;
    if (content->transport == TRANSPORT_S5B)
        file_socks5_write(content, out, is_initiator);
    else
        out->ibb = content->ibb;
}

/* --------------------------------------------------------------------- session-initiate, out -- */

static void prepare_offer(struct file_content *content)
{
    char sid[SID_CHARACTERS + 1];

    if (content->transport == TRANSPORT_IBB) {
        file_inband_prepare(content);
        return;
    }
    random_token(content->session->random, sid, SID_CHARACTERS);
    file_socks5_prepare(content, sid);
}

static enum transport choose_transport(const struct file_session *session)
{
    if (session->peer_does_s5b && (session->ways & BYTESTREAM_WAYS) != 0)
        return TRANSPORT_S5B;
    if (session->peer_does_inband && (session->ways & FILE_WAY_INBAND) != 0)
        return TRANSPORT_IBB;
    return TRANSPORT_NONE;
}

void file_session_initiate(struct file_session *session, usec now)
{
    enum transport transport = choose_transport(session);
    struct jingle_iq iq;

    if (session->state != FILE_SESSION_NEW || !session->initiator)
        return;
    if (transport == TRANSPORT_NONE) {
        file_session_finish_all(session, JINGLE_ERROR_NO_PATH, JINGLE_PARTY_LOCAL, "");
        return;
    }
    for (size_t i = 0; i < session->content_count && session->state == FILE_SESSION_NEW; i++) {
        session->contents[i]->transport = transport;
        if (file_content_is_live(session->contents[i]))
            prepare_offer(session->contents[i]);
    }
    if (session->state != FILE_SESSION_NEW)
        return;
    jingle_iq_init(&iq, ACTION_SESSION_INITIATE, session->sid);
    iq.initiator = g_strdup(session->own_jid);
    for (size_t i = 0; i < session->content_count; i++) {
        if (file_content_is_live(session->contents[i]))
            write_content(session->contents[i], &iq);
    }
    session->state = FILE_SESSION_PENDING;
    session->deadline = now + FILE_ANSWER_LIMIT;
    file_session_send(session, NULL, &iq);
}

/* ---------------------------------------------------------------------- session-initiate, in -- */

struct fault {
    enum reason_condition condition; /* REASON_NONE: none */
    const char *text;
};

static struct fault file_fault(const struct jingle_content *in)
{
    bool is_request = in->senders == SENDERS_RESPONDER;
    const struct file_description *file = &in->file;

    if (in->has_senders && in->senders == SENDERS_NONE)
        return (struct fault){REASON_INCOMPATIBLE_PARAMETERS, "nobody sends the file"};
    if (!is_request && !file->has_size)
        return (struct fault){REASON_INCOMPATIBLE_PARAMETERS, "the size of the file is missing"};
    if (file->has_range && file->has_size && file->range_offset > file->size)
        return (struct fault){REASON_INCOMPATIBLE_PARAMETERS, "the range is beyond the file"};
    return (struct fault){REASON_NONE, ""};
}

static struct fault offer_fault(const struct jingle_content *in)
{
    /* It would be the cipher text (XEP-0391) that is moved. */
    if (in->security)
        return (struct fault){REASON_SECURITY_ERROR, "encrypted files are not understood"};
    if (in->transport == TRANSPORT_S5B && !in->s5b.udp)
        return file_fault(in);
    if (in->transport == TRANSPORT_IBB && !in->ibb.messages)
        return file_fault(in);
    return (struct fault){REASON_UNSUPPORTED_TRANSPORTS, "SOCKS5 or in-band bytestreams needed"};
}

/* Files and nothing else, some of which we understand? Else why the session is refused. */
static struct fault session_fault(const struct jingle_iq *iq)
{
    struct fault first = {REASON_UNSUPPORTED_APPLICATIONS, "there is no file in it"};

    for (size_t i = 0; i < iq->content_count; i++) {
        if (iq->contents[i].application != APPLICATION_FILE)
            return (struct fault){REASON_UNSUPPORTED_APPLICATIONS, "files come alone"};
    }
    for (size_t i = 0; i < iq->content_count; i++) {
        struct fault fault = offer_fault(&iq->contents[i]);
        if (fault.condition == REASON_NONE)
            return fault;
        first = i == 0 ? fault : first;
    }
    return first;
}

/* Of senders='both' (Gajim's) the sense can only be an offer. */
static void keep_offer(struct file_session *session, const struct jingle_content *in)
{
    struct file_content *content = file_session_add_content(
        session, in->name, &in->file, in->has_senders && in->senders == SENDERS_RESPONDER);
    struct fault fault = offer_fault(in);

    if (fault.condition != REASON_NONE) {
        log_warning(session->log, "%s offers a file among others that is left out: %s",
                    session->peer, fault.text);
        content->stage = FILE_STAGE_ENDED;
        content->left_out = true;
        return;
    }
    content->transport = in->transport;
    if (in->transport == TRANSPORT_S5B)
        s5b_copy(&content->theirs, &in->s5b);
    else
        file_inband_agree(content, &in->ibb, &content->ibb);
    /* Without a sid of its own the bytestream has that of the session. */
    if (*content->theirs.sid == '\0')
        g_strlcpy(content->theirs.sid, session->sid, sizeof(content->theirs.sid));
    if (*content->ibb.sid == '\0')
        g_strlcpy(content->ibb.sid, session->sid, sizeof(content->ibb.sid));
}

static void tell_offers(struct file_session *session)
{
    struct file_event event = {.type = FILE_EVENT_OFFERED};
    unsigned index = 0;

    event.u.offered.count = (unsigned)file_session_live(session);
    for (size_t i = 0; i < session->content_count; i++) {
        struct file_content *content = session->contents[i];
        if (content->left_out)
            continue;
        event.u.offered.file = &content->file;
        event.u.offered.requested = content->we_send;
        event.u.offered.index = index++;
        if (content->stage == FILE_STAGE_OFFERED)
            file_session_tell(content, &event);
    }
}

struct file_session *file_session_new_incoming(const struct file_session_config *config,
                                               const struct file_session_hooks *hooks,
                                               const struct jingle_iq *initiate, usec now)
{
    struct file_session *session = file_session_create(config, hooks);
    struct fault fault = session_fault(initiate);

    session->state = FILE_SESSION_PENDING;
    session->initiate_acked = true;
    if (initiate->content_count > FILE_SESSION_CONTENTS_MAX) {
        file_session_answer_error(session, STANZA_RESOURCE_CONSTRAINT, JINGLE_CONDITION_NONE,
                                  "too many files in one session");
        file_session_free(session);
        return NULL;
    }
    file_session_answer(session);
    if (fault.condition != REASON_NONE) {
        log_warning(session->log, "The files of %s are refused: %s", session->peer, fault.text);
        file_session_terminate(session, fault.condition, fault.text);
        file_session_free(session);
        return NULL;
    }
    session->deadline = now + FILE_ANSWER_LIMIT;
    for (size_t i = 0; i < initiate->content_count; i++)
        keep_offer(session, &initiate->contents[i]);
    tell_offers(session);
    return session;
}

/* ------------------------------------------------------------------------ session-accept, out --
 */

static bool has_stage(const struct file_session *session, enum file_stage stage)
{
    for (size_t i = 0; i < session->content_count; i++) {
        if (session->contents[i]->stage == stage)
            return true;
    }
    return false;
}

static void begin(struct file_content *content, usec now)
{
    if (content->transport == TRANSPORT_S5B)
        file_socks5_begin(content, now);
    else
        file_inband_begin(content, now);
}

static void begin_all(struct file_session *session, usec now)
{
    for (size_t i = 0; i < session->content_count; i++) {
        struct file_content *content = session->contents[i];
        if (content->stage == FILE_STAGE_AGREED && content->path == FILE_PATH_IDLE)
            begin(content, now);
    }
}

static void send_accept(struct file_session *session)
{
    struct jingle_iq iq;

    jingle_iq_init(&iq, ACTION_SESSION_ACCEPT, session->sid);
    iq.responder = g_strdup(session->own_jid);
    for (size_t i = 0; i < session->content_count; i++) {
        struct file_content *content = session->contents[i];
        if (content->stage != FILE_STAGE_DECIDED)
            continue;
        write_content(content, &iq);
        content->stage = FILE_STAGE_AGREED;
    }
    session->state = FILE_SESSION_ACTIVE;
    session->deadline = USEC_NEVER;
    file_session_send(session, NULL, &iq);
}

void file_session_try_accept(struct file_session *session, usec now)
{
    if (session->initiator || session->state != FILE_SESSION_PENDING || session->accepting ||
        has_stage(session, FILE_STAGE_OFFERED) || !has_stage(session, FILE_STAGE_DECIDED))
        return;
    session->accepting = true; /* LISTEN may lead back to here */
    for (size_t i = 0; i < session->content_count; i++) {
        struct file_content *content = session->contents[i];
        if (content->stage == FILE_STAGE_DECIDED && content->transport == TRANSPORT_S5B)
            file_socks5_prepare(content, content->theirs.sid);
    }
    session->accepting = false;
    if (!has_stage(session, FILE_STAGE_DECIDED))
        return;
    send_accept(session);
    begin_all(session, now);
}

/* What is granted has the range that was asked for. */
static void keep_granted(struct file_content *content, const struct file_description *file)
{
    struct file_description asked = content->file;

    memset(&content->file, 0, sizeof(content->file));
    file_description_copy(&content->file, file);
    content->file.has_range = asked.has_range;
    content->file.range_length = asked.range_length;
    file_description_clear(&asked);
}

void file_session_accept(struct file_session *session, const char *content, uint64_t offset,
                         const struct file_description *file, unsigned ways, usec now)
{
    struct file_content *accepted = file_session_content(session, content);

    if (session->initiator || session->state != FILE_SESSION_PENDING || accepted == NULL ||
        accepted->stage != FILE_STAGE_OFFERED)
        return;
    accepted->ways &= ways;
    if (accepted->ways == 0 ||
        (accepted->transport == TRANSPORT_IBB && (accepted->ways & FILE_WAY_INBAND) == 0)) {
        file_content_fail(accepted, JINGLE_ERROR_NO_PATH, JINGLE_PARTY_LOCAL, "", now);
        return;
    }
    if (file != NULL)
        keep_granted(accepted, file);
    accepted->offset = offset;
    accepted->stage = FILE_STAGE_DECIDED;
    file_session_try_accept(session, now);
}

/* ------------------------------------------------------------------------- session-accept, in --
 */

/* The range that both mean: what the answer says; else, of our own file, what we offered. */
static void agree_range(const struct file_content *content, const struct jingle_content *in,
                        uint64_t *offset, uint64_t *length)
{
    const struct file_description *range = content->we_send ? &content->file : NULL;

    if (in->application == APPLICATION_FILE && in->file.has_range)
        range = &in->file;
    *offset = range == NULL ? 0 : range->range_offset;
    *length = range == NULL ? 0 : range->range_length;
}

/* False if it is not within the file. */
static bool is_range_good(const struct file_content *content, const struct jingle_content *in)
{
    const struct file_description *file = content->we_send ? &content->file : &in->file;
    uint64_t offset;
    uint64_t length;

    agree_range(content, in, &offset, &length);
    return !file->has_size || (offset <= file->size && length <= file->size - offset);
}

static bool settle_transport(struct file_content *content, const struct jingle_content *in)
{
    if (in->transport == TRANSPORT_NONE)
        return true;
    if (in->transport != content->transport)
        return false;
    if (content->transport == TRANSPORT_IBB)
        return file_inband_settle(content, &in->ibb);
    return !in->s5b.udp;
}

static struct fault answer_fault(struct file_content *content, const struct jingle_content *in)
{
    if (in->application != APPLICATION_FILE && in->application != APPLICATION_NONE)
        return (struct fault){REASON_UNSUPPORTED_APPLICATIONS,
                              "the answer is about something else"};
    if (!is_range_good(content, in))
        return (struct fault){REASON_INCOMPATIBLE_PARAMETERS, "the range is beyond the file"};
    if (!settle_transport(content, in))
        return (struct fault){REASON_UNSUPPORTED_TRANSPORTS, "the answer has another transport"};
    return (struct fault){REASON_NONE, ""};
}

static bool is_refused(const struct jingle_content *in)
{
    return in == NULL || (in->has_senders && in->senders == SENDERS_NONE);
}

static void tell_accepted(struct file_content *content, const struct jingle_content *in)
{
    struct file_event event = {.type = FILE_EVENT_ACCEPTED};

    agree_range(content, in, &event.u.accepted.offset, &event.u.accepted.length);
    if (!content->we_send && in->application == APPLICATION_FILE) {
        file_description_clear(&content->file);
        file_description_copy(&content->file, &in->file);
    }
    event.u.accepted.file = &content->file;
    file_session_tell(content, &event);
}

static void take_answer(struct file_content *content, const struct jingle_content *in, usec now)
{
    if (content->stage != FILE_STAGE_OFFERED)
        return;
    if (is_refused(in)) {
        file_content_removed(content, JINGLE_ERROR_REFUSED, "", now);
        return;
    }
    struct fault fault = answer_fault(content, in);
    if (fault.condition != REASON_NONE) {
        jingle_status status = fault.condition == REASON_UNSUPPORTED_TRANSPORTS
                                   ? JINGLE_ERROR_NO_PATH
                                   : JINGLE_ERROR_NO_FILE_SUPPORT;
        log_warning(content->session->log, "%s accepts a file in a way that makes no sense: %s",
                    content->session->peer, fault.text);
        file_content_fail_with(content, fault.condition, status, JINGLE_PARTY_LOCAL, fault.text,
                               now);
        return;
    }
    content->stage = FILE_STAGE_AGREED;
    if (in->transport == TRANSPORT_S5B)
        file_socks5_take(content, &in->s5b, now);
    tell_accepted(content, in);
}

static bool names_any(const struct file_session *session, const struct jingle_iq *iq)
{
    for (size_t i = 0; i < iq->content_count; i++) {
        if (file_session_content(session, iq->contents[i].name) != NULL)
            return true;
    }
    return false;
}

void file_session_receive_accept(struct file_session *session, const struct jingle_iq *iq, usec now)
{
    if (!session->initiator || session->state != FILE_SESSION_PENDING) {
        file_session_answer_out_of_order(session, iq);
        return;
    }
    if (!names_any(session, iq)) {
        file_session_answer_error(session, STANZA_BAD_REQUEST, JINGLE_CONDITION_NONE,
                                  "session-accept with none of the offered contents");
        return;
    }
    file_session_answer(session);
    session->state = FILE_SESSION_ACTIVE;
    session->deadline = USEC_NEVER;
    session->initiate_acked = true;
    for (size_t i = 0; i < session->content_count; i++) {
        struct file_content *content = session->contents[i];
        take_answer(content, jingle_iq_content(iq, content->name), now);
    }
    begin_all(session, now);
}
