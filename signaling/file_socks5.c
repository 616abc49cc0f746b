/* The SOCKS5 bytestream of one file (XEP-0260): each side offers candidates, dials the other's and
 * says which one it uses; the best of the two is nominated; a proxy is activated by its owner.
 *
 *     LISTEN ─▶ candidates ⇄ candidates ─▶ DIAL ─▶ our word ┐
 *                                          the peer's word ┴▶ nominated ─┬─▶ STREAM
 *                            ours, a proxy: PROXY ─▶ ACTIVATE ─▶ `activated` ┤
 *                            theirs, a proxy:        `activated` comes ──────┘
 */
#include <glib.h>
#include <string.h>

#include "signaling/file_session_state.h"

#define CID_CHARACTERS 12

/* No other client's priorities are like these: at a tie Dino takes another stream than the rest.
 * The two sides differ in the last bit. */
#define LOCAL_PREFERENCE 0x4000

/* ------------------------------------------------------------------------ our candidates -- */

static bool hears_words(const struct file_content *content)
{
    return content->path == FILE_PATH_SEEKING && content->stage == FILE_STAGE_AGREED;
}

/* The first are the best. */
static struct s5b_candidate *add_own(struct file_content *content, enum s5b_type type,
                                     const char *host, uint16_t port, const char *jid)
{
    struct s5b_transport *own = &content->own;
    size_t rank = S5B_CANDIDATES_MAX - own->candidate_count;
    struct s5b_candidate *candidate = &own->candidates[own->candidate_count++];

    memset(candidate, 0, sizeof(*candidate));
    random_token(content->session->random, candidate->cid, CID_CHARACTERS);
    g_strlcpy(candidate->host, host, sizeof(candidate->host));
    candidate->jid = g_strdup(jid);
    candidate->port = port;
    candidate->type = type;
    candidate->priority = s5b_priority(
        type, (uint16_t)(LOCAL_PREFERENCE + 2 * rank + (content->session->initiator ? 1 : 0)));
    return candidate;
}

/* XEP-0260, 2.2: what the initiator has offered is not offered again. */
static bool is_offered_by_peer(const struct file_content *content, const char *host, uint16_t port)
{
    for (size_t i = 0; i < content->theirs.candidate_count; i++) {
        const struct s5b_candidate *candidate = &content->theirs.candidates[i];
        if (candidate->port == port && strcmp(candidate->host, host) == 0)
            return true;
    }
    return false;
}

static void add_proxies(struct file_content *content)
{
    const struct file_session *session = content->session;

    if ((content->ways & FILE_WAY_PROXY) == 0)
        return;
    for (size_t i = 0; i < session->proxy_count; i++) {
        const struct s5b_candidate *proxy = &session->proxies[i];
        if (!is_offered_by_peer(content, proxy->host, proxy->port) &&
            content->own.candidate_count < S5B_CANDIDATES_MAX)
            add_own(content, S5B_PROXY, proxy->host, proxy->port, proxy->jid);
    }
}

void file_socks5_add(struct file_content *content, enum s5b_type type, const char *host,
                     uint16_t port)
{
    const struct file_session *session = content->session;
    bool is_open = content->path == FILE_PATH_IDLE || content->path == FILE_PATH_SEEKING;

    if (content->transport != TRANSPORT_S5B || !is_open || *content->own.sid == '\0' ||
        (content->ways & FILE_WAY_DIRECT) == 0 ||
        content->own.candidate_count + session->proxy_count >= S5B_CANDIDATES_MAX)
        return;
    if (strnlen(host, S5B_HOST_SIZE) >= S5B_HOST_SIZE || is_offered_by_peer(content, host, port))
        return;
    add_own(content, type, host, port, session->own_jid);
    file_socks5_flush(content);
}

/* Whoever offers a candidate comes first in its address. */
static void own_address(const struct file_content *content, char out[S5B_ADDRESS_SIZE])
{
    s5b_address(content->own.sid, content->session->own_jid, content->session->peer, out);
}

static void peer_address(const struct file_content *content, char out[S5B_ADDRESS_SIZE])
{
    s5b_address(content->own.sid, content->session->peer, content->session->own_jid, out);
}

void file_socks5_prepare(struct file_content *content, const char *sid)
{
    struct file_event event = {.type = FILE_EVENT_LISTEN};
    char other[S5B_ADDRESS_SIZE];
    char kept[S5B_SID_SIZE]; /* `sid` may be that of the transport that is cleared */

    g_strlcpy(kept, sid, sizeof(kept));
    s5b_clear(&content->own);
    g_strlcpy(content->own.sid, kept, sizeof(content->own.sid));
    own_address(content, content->own.dstaddr);
    peer_address(content, other);
    content->told = 0;
    content->is_told = false;
    event.u.listen.addresses[0] = content->own.dstaddr;
    event.u.listen.addresses[1] = other; /* Gajim, and Psi as initiator */
    event.u.listen.direct = true;
    if ((content->ways & FILE_WAY_DIRECT) != 0)
        file_session_tell(content, &event);
    add_proxies(content);
}

/* ------------------------------------------------------------------------------- telling -- */

void file_socks5_write(struct file_content *content, struct jingle_content *out, bool is_offer)
{
    s5b_copy(&out->s5b, &content->own);
    out->s5b.writes_mode = is_offer;
    content->told = content->own.candidate_count;
    content->is_told = true;
}

/* A transport-info about this transport, without anything in it yet. */
static struct s5b_transport *new_info(struct file_content *content, struct jingle_iq *iq)
{
    struct jingle_content *out = file_content_iq(iq, content, ACTION_TRANSPORT_INFO);

    out->transport = TRANSPORT_S5B;
    g_strlcpy(out->s5b.sid, content->own.sid, sizeof(out->s5b.sid));
    return &out->s5b;
}

void file_socks5_flush(struct file_content *content)
{
    const struct file_session *session = content->session;
    const struct s5b_transport *own = &content->own;
    struct jingle_iq iq;

    if (!content->is_told || content->told >= own->candidate_count || !session->initiate_acked ||
        !file_session_is_open(session) || content->transport != TRANSPORT_S5B ||
        !(content->path == FILE_PATH_IDLE || content->path == FILE_PATH_SEEKING))
        return;
    struct s5b_transport *info = new_info(content, &iq);
    g_strlcpy(info->dstaddr, own->dstaddr, sizeof(info->dstaddr));
    for (; content->told < own->candidate_count; content->told++) {
        struct s5b_candidate *added = &info->candidates[info->candidate_count++];
        *added = own->candidates[content->told];
        added->jid = g_strdup(own->candidates[content->told].jid);
    }
    file_session_send(content->session, content, &iq);
}

static unsigned send_word(struct file_content *content, enum s5b_word word, const char *cid)
{
    struct jingle_iq iq;
    struct s5b_transport *info = new_info(content, &iq);

    info->word = word;
    g_strlcpy(info->cid, cid, sizeof(info->cid));
    return file_session_send(content->session, content, &iq);
}

/* ------------------------------------------------------------------------ their candidates -- */

/* One of our own server's. What a peer calls a proxy may be the peer itself. */
static bool is_known_proxy(const struct file_session *session,
                           const struct s5b_candidate *candidate)
{
    for (size_t i = 0; i < session->proxy_count; i++) {
        const struct s5b_candidate *proxy = &session->proxies[i];
        if (proxy->port == candidate->port && strcmp(proxy->host, candidate->host) == 0)
            return true;
    }
    return false;
}

static bool is_allowed(const struct file_content *content, const struct s5b_candidate *candidate)
{
    unsigned way = candidate->type == S5B_PROXY ? FILE_WAY_PROXY : FILE_WAY_DIRECT;

    if (content->session->known_proxies_only && !is_known_proxy(content->session, candidate))
        return false;
    return (content->ways & way) != 0 && *candidate->host != '\0';
}

/* Those from `first` on, as far as they may be used. */
static void dial(struct file_content *content, size_t first, usec now)
{
    struct s5b_candidate candidates[S5B_CANDIDATES_MAX];
    char owners[S5B_ADDRESS_SIZE];
    char other[S5B_ADDRESS_SIZE];
    const char *told = content->theirs.dstaddr;
    struct file_event event = {.type = FILE_EVENT_DIAL};

    for (size_t i = first; i < content->theirs.candidate_count; i++) {
        if (is_allowed(content, &content->theirs.candidates[i]))
            candidates[event.u.dial.count++] = content->theirs.candidates[i];
    }
    if (event.u.dial.count == 0)
        return;
    peer_address(content, owners);
    own_address(content, other);
    event.u.dial.candidates = candidates;
    event.u.dial.addresses[0] = *told == '\0' ? owners : told;
    event.u.dial.addresses[1] = strcmp(event.u.dial.addresses[0], other) == 0 ? owners : other;
    content->word_deadline = now + FILE_CANDIDATE_LIMIT;
    file_session_tell(content, &event);
}

void file_socks5_take(struct file_content *content, const struct s5b_transport *in, usec now)
{
    struct s5b_transport *theirs = &content->theirs;
    size_t known = theirs->candidate_count;

    if (*theirs->sid == '\0')
        g_strlcpy(theirs->sid, in->sid, sizeof(theirs->sid));
    if (*in->dstaddr != '\0')
        memcpy(theirs->dstaddr, in->dstaddr, sizeof(theirs->dstaddr));
    for (size_t i = 0; i < in->candidate_count; i++) {
        if (theirs->candidate_count == S5B_CANDIDATES_MAX) {
            log_info(content->session->log, "%s offers more candidates than are tried",
                     content->session->peer);
            break;
        }
        if (s5b_find(theirs, in->candidates[i].cid) != NULL)
            continue;
        struct s5b_candidate *added = &theirs->candidates[theirs->candidate_count++];
        *added = in->candidates[i];
        added->jid = g_strdup(in->candidates[i].jid);
    }
    if (hears_words(content) && content->own_word.word == S5B_NO_WORD)
        dial(content, known, now);
}

void file_socks5_begin(struct file_content *content, usec now)
{
    memset(&content->own_word, 0, sizeof(content->own_word));
    memset(&content->their_word, 0, sizeof(content->their_word));
    content->used_tag = 0;
    content->path = FILE_PATH_SEEKING;
    content->deadline = now + FILE_CANDIDATE_LIMIT;
    content->word_deadline = now + FILE_TRICKLE_LIMIT;
    file_socks5_flush(content);
    dial(content, 0, now);
}

/* ---------------------------------------------------------------------------- nomination -- */

static void fail(struct file_content *content, usec now)
{
    content->word_deadline = USEC_NEVER;
    file_content_fall_back(content, now);
}

/* The one that we offered, and the peer is connected by. */
static void use_own(struct file_content *content, const struct s5b_candidate *candidate, usec now)
{
    struct file_event event = {.type = FILE_EVENT_STREAM};

    content->won = candidate->type;
    if (candidate->type != S5B_PROXY) {
        event.u.stream.from = FILE_STREAM_GUEST;
        event.u.stream.cid = candidate->cid;
        event.u.stream.host = candidate->host;
        event.u.stream.type = candidate->type;
        file_content_flow(content, FILE_PATH_STREAM, &event);
        return;
    }
    content->path = FILE_PATH_PROXY_CONNECT;
    content->deadline = now + FILE_ACTIVATION_LIMIT;
    event.type = FILE_EVENT_PROXY;
    event.u.proxy.candidate = candidate;
    event.u.proxy.address = content->own.dstaddr;
    event.u.proxy.sid = content->own.sid;
    event.u.proxy.target = content->session->peer;
    file_session_tell(content, &event);
}

static void stream_by_theirs(struct file_content *content)
{
    struct file_event event = {.type = FILE_EVENT_STREAM};

    event.u.stream.from = FILE_STREAM_DIALED;
    event.u.stream.cid = content->own_word.cid;
    event.u.stream.type = content->won;
    file_content_flow(content, FILE_PATH_STREAM, &event);
}

/* The one that the peer offered, and we are connected by. */
static void use_theirs(struct file_content *content, const struct s5b_candidate *candidate,
                       usec now)
{
    content->won = candidate->type;
    if (candidate->type != S5B_PROXY) {
        stream_by_theirs(content);
        return;
    }
    content->path = FILE_PATH_PROXY_AWAITED;
    content->deadline = now + FILE_ACTIVATION_LIMIT;
}

/* XEP-0260, 2.4: the higher priority; of equal ones what the initiator has chosen. */
static bool is_ours_nominated(const struct file_content *content)
{
    const struct file_word *ours = &content->own_word;
    const struct file_word *theirs = &content->their_word;

    if (ours->word != S5B_CANDIDATE_USED || theirs->word != S5B_CANDIDATE_USED)
        return ours->word == S5B_CANDIDATE_USED;
    if (ours->priority != theirs->priority)
        return ours->priority > theirs->priority;
    return content->session->initiator;
}

static void decide(struct file_content *content, usec now)
{
    const struct file_word *ours = &content->own_word;
    const struct file_word *theirs = &content->their_word;

    if (ours->word == S5B_NO_WORD || theirs->word == S5B_NO_WORD)
        return;
    if (ours->word == S5B_CANDIDATE_ERROR && theirs->word == S5B_CANDIDATE_ERROR)
        fail(content, now);
    else if (is_ours_nominated(content))
        use_theirs(content, s5b_find(&content->theirs, ours->cid), now);
    else
        use_own(content, s5b_find(&content->own, theirs->cid), now);
}

/* ------------------------------------------------------------------------------ our word -- */

static void say(struct file_content *content, enum s5b_word word,
                const struct s5b_candidate *candidate, usec now)
{
    struct file_word *ours = &content->own_word;

    ours->word = word;
    g_strlcpy(ours->cid, candidate == NULL ? "" : candidate->cid, sizeof(ours->cid));
    ours->priority = candidate == NULL ? 0 : candidate->priority;
    content->word_deadline = USEC_NEVER;
    content->deadline = now + FILE_CANDIDATE_LIMIT;
    unsigned tag = send_word(content, word, ours->cid);
    content->used_tag = word == S5B_CANDIDATE_USED ? tag : 0;
    decide(content, now);
}

static bool may_speak(const struct file_content *content)
{
    return hears_words(content) && content->own_word.word == S5B_NO_WORD;
}

void file_socks5_connected(struct file_content *content, const char *cid, usec now)
{
    const struct s5b_candidate *candidate = s5b_find(&content->theirs, cid);

    if (may_speak(content) && candidate != NULL)
        say(content, S5B_CANDIDATE_USED, candidate, now);
}

void file_socks5_unconnected(struct file_content *content, usec now)
{
    if (may_speak(content))
        say(content, S5B_CANDIDATE_ERROR, NULL, now);
}

/* Nothing to dial, or nobody told what came of it. */
void file_socks5_word_due(struct file_content *content, usec now)
{
    content->word_deadline = USEC_NEVER;
    file_socks5_unconnected(content, now);
}

/* The peer knows nothing of the candidate that we use (Psi, Conversations): once more, without. */
void file_socks5_refused(struct file_content *content, usec now)
{
    content->used_tag = 0;
    if (!hears_words(content))
        return;
    log_warning(content->session->log, "%s refuses the candidate that we use",
                content->session->peer);
    say(content, S5B_CANDIDATE_ERROR, NULL, now);
}

/* ---------------------------------------------------------------------------- their word -- */

static bool is_proxy_path(const struct file_content *content)
{
    return content->path == FILE_PATH_PROXY_CONNECT || content->path == FILE_PATH_PROXY_ACTIVATE ||
           content->path == FILE_PATH_PROXY_AWAITED ||
           (content->path == FILE_PATH_STREAM && content->won == S5B_PROXY &&
            content->stage == FILE_STAGE_FLOWING);
}

static bool set_error(struct stanza_error *error, enum stanza_condition condition,
                      enum jingle_condition jingle, const char *text)
{
    *error = stanza_error_make(condition, jingle, text);
    return true;
}

static bool out_of_order(struct stanza_error *error, const char *text)
{
    return set_error(error, STANZA_UNEXPECTED_REQUEST, JINGLE_OUT_OF_ORDER, text);
}

static bool used_fault(const struct file_content *content, const struct s5b_transport *in,
                       struct stanza_error *error)
{
    if (!hears_words(content) || content->their_word.word != S5B_NO_WORD)
        return out_of_order(error, "a word about candidates is not expected now");
    if (in->word == S5B_CANDIDATE_USED && s5b_find(&content->own, in->cid) == NULL)
        return set_error(error, STANZA_ITEM_NOT_FOUND, JINGLE_CONDITION_NONE,
                         "candidate-used with an unknown cid");
    return false;
}

/* Is it about the bytestream that we are at? Gajim leaves the sid out at times. */
static bool is_current(const struct file_content *content, const struct s5b_transport *in)
{
    return content->transport == TRANSPORT_S5B &&
           (*in->sid == '\0' || strcmp(in->sid, content->own.sid) == 0 ||
            strcmp(in->sid, content->theirs.sid) == 0);
}

bool file_socks5_fault(const struct file_content *content, const struct s5b_transport *in,
                       struct stanza_error *error)
{
    if (in->word == S5B_NO_WORD)
        return false;
    /* What has crossed our transport-replace. */
    if (content->path >= FILE_PATH_REPLACE_AWAITED)
        return false;
    if (!is_current(content, in))
        return set_error(error, STANZA_ITEM_NOT_FOUND, JINGLE_CONDITION_NONE,
                         "a word about another bytestream");
    if (in->word == S5B_CANDIDATE_USED || in->word == S5B_CANDIDATE_ERROR)
        return used_fault(content, in, error);
    if (in->word == S5B_PROXY_ERROR)
        return is_proxy_path(content) ? false : out_of_order(error, "no proxy is in use");
    if (content->path != FILE_PATH_PROXY_AWAITED)
        return out_of_order(error, "no activation is awaited");
    if (*in->cid != '\0' && strcmp(in->cid, content->own_word.cid) != 0)
        return set_error(error, STANZA_ITEM_NOT_FOUND, JINGLE_CONDITION_NONE,
                         "another candidate is activated");
    return false;
}

/* Is there anything above this that we could still connect to? */
static bool has_above(const struct file_content *content, uint32_t priority)
{
    for (size_t i = 0; i < content->theirs.candidate_count; i++) {
        const struct s5b_candidate *candidate = &content->theirs.candidates[i];
        if (is_allowed(content, candidate) && candidate->priority >= priority)
            return true;
    }
    return false;
}

static void hear_word(struct file_content *content, const struct s5b_transport *in, usec now)
{
    struct file_event event = {.type = FILE_EVENT_DIAL_ABOVE};
    const struct s5b_candidate *candidate = s5b_find(&content->own, in->cid);
    struct file_word *theirs = &content->their_word;

    theirs->word = in->word;
    g_strlcpy(theirs->cid, in->cid, sizeof(theirs->cid));
    theirs->priority = in->word == S5B_CANDIDATE_USED ? candidate->priority : 0;
    if (content->own_word.word != S5B_NO_WORD || in->word == S5B_CANDIDATE_ERROR) {
        decide(content, now);
        return;
    }
    /* One of the same priority is of use to the initiator alone. */
    event.u.priority = theirs->priority + (content->session->initiator ? 0 : 1);
    if (has_above(content, event.u.priority))
        file_session_tell(content, &event);
    else
        say(content, S5B_CANDIDATE_ERROR, NULL, now);
}

void file_socks5_receive(struct file_content *content, const struct s5b_transport *in, usec now)
{
    if (!is_current(content, in) || content->path >= FILE_PATH_REPLACE_AWAITED) {
        log_info(content->session->log, "%s speaks of a bytestream that is over",
                 content->session->peer);
        return;
    }
    switch (in->word) {
    case S5B_NO_WORD:
        file_socks5_take(content, in, now);
        break;
    case S5B_CANDIDATE_USED:
    case S5B_CANDIDATE_ERROR:
        hear_word(content, in, now);
        break;
    case S5B_ACTIVATED:
        stream_by_theirs(content);
        break;
    case S5B_PROXY_ERROR:
        log_info(content->session->log, "%s cannot use the proxy", content->session->peer);
        fail(content, now);
        break;
    }
}

/* -------------------------------------------------------------------------------- proxies -- */

static void fail_proxy(struct file_content *content, usec now)
{
    send_word(content, S5B_PROXY_ERROR, "");
    fail(content, now);
}

void file_socks5_proxy_connected(struct file_content *content, bool connected, usec now)
{
    struct file_event event = {.type = FILE_EVENT_ACTIVATE};

    if (content->path != FILE_PATH_PROXY_CONNECT)
        return;
    if (!connected) {
        fail_proxy(content, now);
        return;
    }
    content->path = FILE_PATH_PROXY_ACTIVATE;
    content->deadline = now + FILE_ACTIVATION_LIMIT;
    event.u.proxy.candidate = s5b_find(&content->own, content->their_word.cid);
    event.u.proxy.address = content->own.dstaddr;
    event.u.proxy.sid = content->own.sid;
    event.u.proxy.target = content->session->peer;
    file_session_tell(content, &event);
}

void file_socks5_activated(struct file_content *content, bool activated, usec now)
{
    struct file_event event = {.type = FILE_EVENT_STREAM};

    if (content->path != FILE_PATH_PROXY_ACTIVATE)
        return;
    if (!activated) {
        fail_proxy(content, now);
        return;
    }
    send_word(content, S5B_ACTIVATED, content->their_word.cid);
    event.u.stream.from = FILE_STREAM_PROXY;
    event.u.stream.cid = content->their_word.cid;
    event.u.stream.type = S5B_PROXY;
    file_content_flow(content, FILE_PATH_STREAM, &event);
}

/* For a direct stream there is no word: the peer sees it break, too. */
void file_socks5_stream_failed(struct file_content *content, usec now)
{
    if (content->won == S5B_PROXY)
        fail_proxy(content, now);
    else
        fail(content, now);
}

/* ---------------------------------------------------------------------------------- time -- */

void file_socks5_expire(struct file_content *content, usec now)
{
    if (content->path == FILE_PATH_SEEKING) {
        log_info(content->session->log, "%s says nothing about our candidates",
                 content->session->peer);
        fail(content, now);
    } else {
        fail_proxy(content, now);
    }
}
