#include "signaling/initiation.h"

#include <glib.h>
#include <string.h>

#include "signaling/jid.h"
#include "signaling/late_calls.h"
#include "signaling/ns.h"

#define SID_MAX 256 /* bytes of an id that we take */

/* What became of a proposal that was kept for us comes with the same bytes. */
#define HELD_FOR (1 * USEC_PER_SEC)

/* After our proceed: long enough for a slow phone to gather and send session-initiate. */
#define JOIN_TIMEOUT (30 * USEC_PER_SEC)

struct proposal {
    struct initiation *initiation;
    bool outgoing;
    char *sid;
    char *peer; /* outgoing: bare; incoming: full */
    bool audio, video;
    bool accepted; /* incoming: by us */
    usec deadline;
    void *user;
};

struct remembered {
    char *peer; /* bare, folded */
    char *sid;
    usec until;
};

struct initiation {
    struct initiation_hooks hooks;
    const struct random_source *random;
    const struct logger *log;
    char *id_prefix;
    char *full_jid; /* NULL before the first login */
    usec ring_timeout;
    GPtrArray *proposals;
    struct late_calls *late;
    GQueue remembered; /* oldest first */
};

/* One element of XEP-0353 in a message that came. */
struct arrival {
    const struct stanza *message;
    const struct initiation_arrival *how;
    const xml_node *node;
    const char *name;
    const char *sid;
    bool from_us; /* by another device of our account */
    struct reason reason;
    usec now;
};

/* ------------------------------------------------------------------------------ memories -- */

static void remembered_free(void *entry)
{
    struct remembered *remembered = entry;

    g_free(remembered->peer);
    g_free(remembered->sid);
    g_free(remembered);
}

bool initiation_remembers(const struct initiation *initiation, const char *peer, const char *sid)
{
    char *bare = jid_fold_bare(peer);
    bool found = false;

    for (const GList *at = initiation->remembered.head; at != NULL; at = at->next) {
        const struct remembered *entry = at->data;
        if (strcmp(entry->sid, sid) == 0 && strcmp(entry->peer, bare) == 0)
            found = true;
    }
    g_free(bare);
    return found;
}

static void forget_old(struct initiation *initiation, usec now)
{
    GQueue *queue = &initiation->remembered;

    while (queue->length > 0) {
        struct remembered *oldest = g_queue_peek_head(queue);
        if (queue->length <= INITIATION_REMEMBERED_MAX && oldest->until > now)
            return;
        remembered_free(g_queue_pop_head(queue));
    }
}

void initiation_remember(struct initiation *initiation, const char *peer, const char *sid, usec now)
{
    struct remembered *entry;

    if (initiation_remembers(initiation, peer, sid))
        return;
    entry = g_new0(struct remembered, 1);
    entry->peer = jid_fold_bare(peer);
    entry->sid = g_strdup(sid);
    entry->until = now + INITIATION_REMEMBERED_FOR;
    g_queue_push_tail(&initiation->remembered, entry);
    forget_old(initiation, now);
}

void initiation_memories(const struct initiation *initiation, initiation_memory_fn visit,
                         void *user)
{
    for (const GList *at = initiation->remembered.head; at != NULL; at = at->next) {
        const struct remembered *entry = at->data;
        visit(user, entry->peer, entry->sid);
    }
}

void initiation_forget_archive(struct initiation *initiation)
{
    late_calls_drop_archived(initiation->late);
}

void initiation_reads_archive(struct initiation *initiation, bool reads)
{
    late_calls_wait(initiation->late, reads);
}

/* ---------------------------------------------------------------------------------- life -- */

static void proposal_free(void *data)
{
    struct proposal *proposal = data;

    g_free(proposal->sid);
    g_free(proposal->peer);
    g_free(proposal);
}

struct initiation *initiation_new(const struct initiation_config *config,
                                  const struct initiation_hooks *hooks)
{
    struct initiation *initiation = g_new0(struct initiation, 1);

    initiation->hooks = *hooks;
    initiation->random = config->random;
    initiation->log = config->log;
    initiation->id_prefix = g_strdup(config->id_prefix);
    initiation->ring_timeout = config->ring_timeout;
    initiation->proposals = g_ptr_array_new();
    initiation->late = late_calls_new();
    g_queue_init(&initiation->remembered);
    return initiation;
}

void initiation_free(struct initiation *initiation)
{
    if (initiation == NULL)
        return;
    g_ptr_array_set_free_func(initiation->proposals, proposal_free);
    g_ptr_array_unref(initiation->proposals);
    late_calls_free(initiation->late);
    g_queue_clear_full(&initiation->remembered, remembered_free);
    g_free(initiation->id_prefix);
    g_free(initiation->full_jid);
    g_free(initiation);
}

void initiation_set_jid(struct initiation *initiation, const char *full_jid)
{
    g_free(initiation->full_jid);
    initiation->full_jid = g_strdup(full_jid);
}

static struct proposal *proposal_new(struct initiation *initiation, bool outgoing, const char *sid,
                                     const char *peer, usec deadline)
{
    struct proposal *proposal = g_new0(struct proposal, 1);

    proposal->initiation = initiation;
    proposal->outgoing = outgoing;
    proposal->sid = g_strdup(sid);
    proposal->peer = g_strdup(peer);
    proposal->deadline = deadline;
    g_ptr_array_add(initiation->proposals, proposal);
    return proposal;
}

struct proposal *initiation_find(const struct initiation *initiation, const char *from,
                                 const char *sid)
{
    for (guint i = 0; i < initiation->proposals->len; i++) {
        struct proposal *proposal = g_ptr_array_index(initiation->proposals, i);
        if (strcmp(proposal->sid, sid) == 0 && jid_equal_bare(proposal->peer, from))
            return proposal;
    }
    return NULL;
}

static void tell(struct proposal *proposal, enum initiation_event_type type, const char *peer)
{
    struct initiation_event event = {
        .type = type,
        .proposal = proposal,
        .sid = proposal->sid,
        .peer = peer,
    };

    proposal->initiation->hooks.event(proposal->initiation->hooks.user, &event);
}

/* Takes it off the list, so that nothing finds it while its last event is told. */
static void proposal_detach(struct proposal *proposal, usec now)
{
    struct initiation *initiation = proposal->initiation;

    initiation_remember(initiation, proposal->peer, proposal->sid, now);
    g_ptr_array_remove(initiation->proposals, proposal);
}

static void proposal_ended(struct proposal *proposal, jingle_reason reason, jingle_party by,
                           const char *text, usec now)
{
    struct initiation_event event = {
        .type = INITIATION_EVENT_ENDED,
        .proposal = proposal,
        .sid = proposal->sid,
        .peer = proposal->peer,
        .u.ended = {.reason = reason, .by = by, .text = text},
    };

    proposal_detach(proposal, now);
    proposal->initiation->hooks.event(proposal->initiation->hooks.user, &event);
    proposal_free(proposal);
}

/* ------------------------------------------------------------------------------- sending -- */

/* The id of the message can be told from the call, so that a receipt or a bounce can be, too. */
static char *message_id(const struct initiation *initiation, const char *name, const char *sid)
{
    return g_strdup_printf("%sjm-%s-%s", initiation->id_prefix, name, sid);
}

/* XEP-0353, 3.1: type chat and a store hint, so that every device and the archive see it. */
static struct xml *message_new(const struct initiation *initiation, const char *to,
                               const char *name, const char *sid, xml_node **element)
{
    char *id = message_id(initiation, name, sid);
    struct xml *message = stanza_message("chat", to, id);

    g_free(id);
    *element = xml_add(xml_root(message), NS_JINGLE_MESSAGE, name);
    xml_set(*element, "id", sid);
    xml_add(xml_root(message), NS_HINTS, "store");
    return message;
}

static void send_message(struct initiation *initiation, struct xml *message)
{
    initiation->hooks.send(initiation->hooks.user, xml_root(message));
    xml_free(message);
}

static void send_simple(struct initiation *initiation, const char *to, const char *name,
                        const char *sid, enum reason_condition condition, bool tie_break)
{
    xml_node *element;
    struct xml *message = message_new(initiation, to, name, sid, &element);
    struct reason reason = {.condition = condition};

    reason_write(&reason, element);
    if (tie_break)
        xml_add(element, NULL, "tie-break");
    send_message(initiation, message);
}

/* For our other devices: not all servers have carbons, and Dino listens to this alone. */
static void send_to_own_devices(struct initiation *initiation, const char *name, const char *sid,
                                enum reason_condition condition)
{
    if (initiation->full_jid == NULL)
        return;
    char *bare = jid_bare(initiation->full_jid);
    send_simple(initiation, bare, name, sid, condition, false);
    g_free(bare);
}

static void add_media(xml_node *propose, const char *media)
{
    xml_set(xml_add(propose, NS_RTP, "description"), "media", media);
}

static void send_propose(const struct proposal *proposal, const char *to)
{
    xml_node *propose;
    struct xml *message = message_new(proposal->initiation, to, "propose", proposal->sid, &propose);

    if (proposal->audio)
        add_media(propose, "audio");
    if (proposal->video)
        add_media(propose, "video");
    /* Conversations says that it rings by a receipt. */
    xml_add(xml_root(message), NS_RECEIPTS, "request");
    send_message(proposal->initiation, message);
}

struct proposal *initiation_propose(struct initiation *initiation, const char *to, bool audio,
                                    bool video, usec now)
{
    char sid[37];
    char *bare = jid_bare(to);

    random_uuid(initiation->random, sid);
    struct proposal *proposal =
        proposal_new(initiation, true, sid, bare, now + initiation->ring_timeout);
    proposal->audio = audio;
    proposal->video = video;
    send_propose(proposal, bare);
    g_free(bare);
    return proposal;
}

void proposal_accept(struct proposal *proposal, usec now)
{
    struct initiation *initiation = proposal->initiation;

    if (proposal->outgoing || proposal->accepted)
        return;
    proposal->accepted = true;
    proposal->deadline = now + JOIN_TIMEOUT;
    send_to_own_devices(initiation, "accept", proposal->sid, REASON_NONE);
    send_simple(initiation, proposal->peer, "proceed", proposal->sid, REASON_NONE, false);
}

/* XEP-0353, 8: only some reasons are nobody's secret. */
static enum reason_condition reason_to_reject(jingle_reason reason)
{
    return reason == JINGLE_REASON_NO_ANSWER ? REASON_EXPIRED
                                             : reason_to_tell(reason, PROGRESS_PENDING, false);
}

/* When nobody answers here, it is said, for some callers (Dino) ring until they are told. */
static void say_end(struct proposal *proposal, jingle_reason reason)
{
    struct initiation *initiation = proposal->initiation;
    bool refused = reason == JINGLE_REASON_DECLINED || reason == JINGLE_REASON_BUSY ||
                   reason == JINGLE_REASON_NO_ANSWER;

    if (proposal->outgoing) {
        enum reason_condition condition = reason_to_tell(reason, PROGRESS_PENDING, true);
        send_simple(initiation, proposal->peer, "retract", proposal->sid, condition,
                    reason == JINGLE_REASON_REPLACED);
    } else if (proposal->accepted) {
        send_simple(initiation, proposal->peer, "finish", proposal->sid,
                    reason_to_tell(reason, PROGRESS_ACCEPTED, false), false);
    } else if (refused) {
        enum reason_condition condition = reason_to_reject(reason);
        send_simple(initiation, proposal->peer, "reject", proposal->sid, condition, false);
        send_to_own_devices(initiation, "reject", proposal->sid, condition);
    }
}

void proposal_end(struct proposal *proposal, jingle_reason reason, jingle_party by, usec now)
{
    say_end(proposal, reason);
    proposal_ended(proposal, reason, by, "", now);
}

void initiation_finish(struct initiation *initiation, const char *peer_full, const char *sid,
                       enum reason_condition condition)
{
    send_simple(initiation, peer_full, "finish", sid, condition, false);
}

bool initiation_take(struct initiation *initiation, const char *from, const char *sid, usec now)
{
    struct proposal *proposal = initiation_find(initiation, from, sid);

    if (proposal == NULL || proposal->outgoing || !proposal->accepted ||
        !jid_equal(proposal->peer, from))
        return false;
    proposal_detach(proposal, now);
    proposal_free(proposal);
    return true;
}

/* ------------------------------------------------------------------------------- propose -- */

static bool read_media(const xml_node *propose, bool *audio, bool *video)
{
    XML_EACH (child, propose) {
        const char *media = xml_attribute(child, "media");
        if (!xml_is(child, NS_RTP, "description") || media == NULL)
            continue;
        *audio = *audio || strcmp(media, "audio") == 0;
        *video = *video || strcmp(media, "video") == 0;
    }
    return *audio || *video;
}

/* Our own proposal to the same person, if it still waits. */
static struct proposal *find_glare(const struct initiation *initiation, const char *from)
{
    for (guint i = 0; i < initiation->proposals->len; i++) {
        struct proposal *proposal = g_ptr_array_index(initiation->proposals, i);
        if (proposal->outgoing && jid_equal_bare(proposal->peer, from))
            return proposal;
    }
    return NULL;
}

static void tell_missed(struct initiation *initiation, const struct late_call *call, usec now)
{
    struct initiation_event event = {
        .type = INITIATION_EVENT_MISSED,
        .sid = call->sid,
        .peer = call->from,
        .u.incoming = {.audio = call->audio, .video = call->video, .when = call->when},
    };

    initiation_remember(initiation, call->from, call->sid, now);
    initiation->hooks.event(initiation->hooks.user, &event);
}

/* At once: Conversations takes a device that stays silent for 12 s for one that is not there. */
static void say_ringing(struct initiation *initiation, const struct late_call *call)
{
    if (call->receipt != NULL) {
        char *id = message_id(initiation, "received", call->sid);
        struct xml *receipt = stanza_message("chat", call->from, id);
        xml_set(xml_add(xml_root(receipt), NS_RECEIPTS, "received"), "id", call->receipt);
        send_message(initiation, receipt);
        g_free(id);
    }
    send_simple(initiation, call->from, "ringing", call->sid, REASON_NONE, false);
}

static void ring(struct initiation *initiation, const struct late_call *call, bool glare)
{
    struct proposal *proposal = proposal_new(initiation, false, call->sid, call->from, call->until);
    struct initiation_event event = {
        .type = INITIATION_EVENT_INCOMING,
        .proposal = proposal,
        .sid = proposal->sid,
        .peer = proposal->peer,
        .u.incoming = {.audio = call->audio,
                       .video = call->video,
                       .when = call->when,
                       .glare = glare},
    };

    proposal->audio = call->audio;
    proposal->video = call->video;
    say_ringing(initiation, call);
    initiation->hooks.event(initiation->hooks.user, &event);
}

static void reject_for_ours(struct initiation *initiation, const struct late_call *call, usec now)
{
    send_simple(initiation, call->from, "reject", call->sid, REASON_EXPIRED, true);
    initiation_remember(initiation, call->from, call->sid, now);
}

/* XEP-0353, 4.1: the lower id wins. True if theirs does (or there is no contest). Who has only just
 * logged in may never have seen our propose and would be left without any call: it is said again.
 */
static bool settle_glare(struct initiation *initiation, const struct late_call *call,
                         struct proposal *ours, usec now)
{
    if (strcmp(ours->sid, call->sid) < 0) {
        reject_for_ours(initiation, call, now);
        send_propose(ours, call->from);
        return false;
    }
    proposal_end(ours, JINGLE_REASON_REPLACED, JINGLE_PARTY_REMOTE, now);
    return true;
}

static unsigned count_of(const struct initiation *initiation, const char *from)
{
    unsigned count = 0;

    for (guint i = 0; i < initiation->proposals->len; i++) {
        struct proposal *proposal = g_ptr_array_index(initiation->proposals, i);
        count += jid_equal_bare(proposal->peer, from);
    }
    return count;
}

static void take_call(struct initiation *initiation, const struct late_call *call, usec now)
{
    if (initiation->proposals->len >= INITIATION_PROPOSALS_MAX ||
        count_of(initiation, call->from) >= INITIATION_PERSON_MAX) {
        log_warning(initiation->log, "too many calls at once: that of %s is passed over",
                    call->from);
        return;
    }
    struct proposal *ours = find_glare(initiation, call->from);
    if (ours == NULL || settle_glare(initiation, call, ours, now))
        ring(initiation, call, ours != NULL);
}

/* True if it is new; one that is held as archived gives way to the same as it was sent. */
static bool is_news(struct initiation *initiation, const struct arrival *arrival)
{
    const char *from = arrival->message->from;
    if (initiation_find(initiation, from, arrival->sid) != NULL ||
        initiation_remembers(initiation, from, arrival->sid))
        return false;
    struct late_call *held = late_calls_find(initiation->late, from, arrival->sid);
    if (held != NULL && (!held->archived || held->over || arrival->how->origin == ORIGIN_ARCHIVE))
        return false;
    if (held != NULL)
        late_calls_drop(initiation->late, held);
    return true;
}

static void hold(struct initiation *initiation, struct late_call *call, usec now)
{
    call->due = now + HELD_FOR;
    if (call->archived) /* it may still ring elsewhere */
        call->due = MAX(call->due, call->until);
    if (!late_calls_hold(initiation->late, call))
        log_warning(initiation->log, "too many missed calls: that of %s is passed over",
                    call->from);
}

static void receive_propose(struct initiation *initiation, const struct arrival *arrival)
{
    const char *from = arrival->message->from;
    int64_t wall = arrival->how->wall;
    struct late_call call = {
        .sid = (char *)arrival->sid,
        .from = (char *)from,
        .archived = arrival->how->origin == ORIGIN_ARCHIVE,
        .when = arrival->how->origin == ORIGIN_ARCHIVE ? arrival->how->archived : wall,
    };

    if (!jid_is_device(from) || !is_news(initiation, arrival))
        return;
    if (!read_media(arrival->node, &call.audio, &call.video)) {
        log_info(initiation->log, "%s proposes something other than a call", from);
        return;
    }
    if (!arrival->how->trusted) {
        log_info(initiation->log, "%s, who is not a contact, calls: not told", from);
        return;
    }
    bool kept = stanza_delay(arrival->message, &call.when) || call.archived;
    bool wants_receipt = xml_child(arrival->message->node, NS_RECEIPTS, "request") != NULL;
    call.receipt = wants_receipt && *arrival->message->id ? (char *)arrival->message->id : NULL;
    call.when = MIN(call.when, wall);
    call.until = arrival->now + initiation->ring_timeout - (wall - call.when);
    if (arrival->how->crosses_session && !call.archived)
        reject_for_ours(initiation, &call, arrival->now);
    else if (kept)
        hold(initiation, &call, arrival->now);
    else
        take_call(initiation, &call, arrival->now);
}

/* True if there was one that is due. */
static bool release_one(struct initiation *initiation, usec now)
{
    struct late_call call;

    if (!late_calls_take(initiation->late, now, &call))
        return false;
    if (call.archived || call.over || call.until <= now)
        tell_missed(initiation, &call, now);
    else
        take_call(initiation, &call, now);
    late_call_clear(&call);
    return true;
}

/* ------------------------------------------------------------------- what follows propose -- */

/* XEP-0353 up to 0.7 addressed our bare JID. */
static bool is_for_us(const struct initiation *initiation, const struct arrival *arrival)
{
    const char *to = arrival->message->to;

    if (arrival->how->origin != ORIGIN_DIRECT || initiation->full_jid == NULL)
        return false;
    return to == NULL || jid_equal(to, initiation->full_jid) ||
           (jid_resource(to) == NULL && jid_equal_bare(to, initiation->full_jid));
}

static struct proposal *find_outgoing(const struct initiation *initiation,
                                      const struct arrival *arrival)
{
    struct proposal *proposal = initiation_find(initiation, arrival->message->from, arrival->sid);

    if (proposal == NULL || !proposal->outgoing || !is_for_us(initiation, arrival))
        return NULL;
    return proposal;
}

static void receive_ringing(struct initiation *initiation, const struct arrival *arrival)
{
    struct proposal *proposal = find_outgoing(initiation, arrival);

    if (proposal != NULL)
        tell(proposal, INITIATION_EVENT_RINGING, arrival->message->from);
}

static void receive_proceed(struct initiation *initiation, const struct arrival *arrival)
{
    struct proposal *proposal = find_outgoing(initiation, arrival);

    if (proposal == NULL || !jid_is_device(arrival->message->from))
        return;
    proposal_detach(proposal, arrival->now);
    tell(proposal, INITIATION_EVENT_PROCEED, arrival->message->from);
    proposal_free(proposal);
}

static void receive_reject(struct initiation *initiation, const struct arrival *arrival)
{
    struct proposal *proposal = find_outgoing(initiation, arrival);

    if (proposal == NULL)
        return;
    jingle_reason reason = reason_meaning(&arrival->reason, PROGRESS_PENDING, true);
    proposal_ended(proposal, reason, JINGLE_PARTY_REMOTE, arrival->reason.text, arrival->now);
}

static void give_up_late(struct initiation *initiation, const struct arrival *arrival)
{
    struct late_call *call =
        late_calls_find(initiation->late, arrival->message->from, arrival->sid);

    if (call == NULL || !jid_equal(call->from, arrival->message->from))
        return;
    call->over = true;
    call->due = MIN(call->due, arrival->now + HELD_FOR);
}

/* retract and finish: only the device that proposed may. */
static void receive_retract(struct initiation *initiation, const struct arrival *arrival)
{
    struct proposal *proposal = initiation_find(initiation, arrival->message->from, arrival->sid);

    if (proposal == NULL) {
        give_up_late(initiation, arrival);
        return;
    }
    if (proposal->outgoing) {
        if (strcmp(arrival->name, "finish") == 0)
            receive_reject(initiation, arrival);
        return;
    }
    if (!jid_equal(proposal->peer, arrival->message->from))
        return;
    jingle_reason reason = reason_meaning(&arrival->reason, PROGRESS_PENDING, false);
    proposal_ended(proposal, reason, JINGLE_PARTY_REMOTE, arrival->reason.text, arrival->now);
}

static bool is_own_account(const struct initiation *initiation, const char *jid)
{
    return initiation->full_jid != NULL && jid_equal_bare(jid, initiation->full_jid);
}

/* An archive may be read from its end, so that the proposal comes later than its answer. */
static void settle_late(struct initiation *initiation, const struct arrival *arrival)
{
    struct late_call *call = late_calls_find_sid(initiation->late, arrival->sid);
    const char *to = arrival->message->to;

    if (arrival->reason.condition == REASON_EXPIRED) { /* it rang there, too, and nobody came */
        if (call != NULL)
            call->over = true;
        return;
    }
    if (call != NULL) {
        initiation_remember(initiation, call->from, arrival->sid, arrival->now);
        late_calls_drop(initiation->late, call);
    } else if (arrival->how->origin == ORIGIN_ARCHIVE && to != NULL &&
               !is_own_account(initiation, to)) {
        initiation_remember(initiation, to, arrival->sid, arrival->now);
    }
}

/* Another device of our account answered or refused: by a carbon of what it sent to the caller, or
 * by its own message to our bare JID. */
static void receive_sibling(struct initiation *initiation, const struct arrival *arrival)
{
    bool settles = strcmp(arrival->name, "accept") == 0 || strcmp(arrival->name, "proceed") == 0 ||
                   strcmp(arrival->name, "reject") == 0;

    if (settles)
        settle_late(initiation, arrival);
    for (guint i = 0; settles && i < initiation->proposals->len; i++) {
        struct proposal *proposal = g_ptr_array_index(initiation->proposals, i);
        if (proposal->outgoing || proposal->accepted || strcmp(proposal->sid, arrival->sid) != 0)
            continue;
        bool rang_out = arrival->reason.condition == REASON_EXPIRED;
        proposal_ended(proposal, rang_out ? JINGLE_REASON_NO_ANSWER : JINGLE_REASON_ELSEWHERE,
                       JINGLE_PARTY_LOCAL, "", arrival->now);
        return;
    }
}

/* ------------------------------------------------------------------ receipts and bounces -- */

static struct proposal *find_by_message(const struct initiation *initiation, const char *id,
                                        const char *name, const char *from)
{
    for (guint i = 0; id != NULL && from != NULL && i < initiation->proposals->len; i++) {
        struct proposal *proposal = g_ptr_array_index(initiation->proposals, i);
        char *sent = message_id(initiation, name, proposal->sid);
        bool found = strcmp(sent, id) == 0 && jid_equal_bare(proposal->peer, from);
        g_free(sent);
        if (found)
            return proposal;
    }
    return NULL;
}

static bool receive_receipt(struct initiation *initiation, const struct stanza *message,
                            const struct initiation_arrival *how)
{
    const xml_node *received = xml_child(message->node, NS_RECEIPTS, "received");
    const char *id = received == NULL ? NULL : xml_attribute(received, "id");
    struct proposal *proposal = find_by_message(initiation, id, "propose", message->from);

    if (proposal == NULL || !proposal->outgoing || how->origin != ORIGIN_DIRECT)
        return false;
    tell(proposal, INITIATION_EVENT_RINGING, message->from);
    return true;
}

static jingle_reason bounce_meaning(enum stanza_condition condition)
{
    switch (condition) {
    case STANZA_SERVICE_UNAVAILABLE:
    case STANZA_RECIPIENT_UNAVAILABLE:
        return JINGLE_REASON_OFFLINE;
    default:
        return JINGLE_REASON_UNREACHABLE;
    }
}

/* A propose is bounced by the server, from the bare JID; one device's error is not the end. */
static bool receive_bounce(struct initiation *initiation, const struct stanza *message, usec now)
{
    struct stanza_error error;
    struct proposal *proposed = find_by_message(initiation, message->id, "propose", message->from);
    struct proposal *proceeded = find_by_message(initiation, message->id, "proceed", message->from);

    stanza_error_read(&error, message);
    if (proposed != NULL && proposed->outgoing && jid_resource(message->from) == NULL) {
        proposal_ended(proposed, bounce_meaning(error.condition), JINGLE_PARTY_REMOTE, error.text,
                       now);
        return true;
    }
    if (proceeded != NULL && proceeded->accepted) {
        proposal_ended(proceeded, JINGLE_REASON_GONE, JINGLE_PARTY_REMOTE, error.text, now);
        return true;
    }
    return false;
}

/* ------------------------------------------------------------------------------- receive -- */

static void dispatch(struct initiation *initiation, const struct arrival *arrival)
{
    static const struct {
        const char *name;
        void (*receive)(struct initiation *initiation, const struct arrival *arrival);
    } receivers[] = {
        {"propose", receive_propose}, {"ringing", receive_ringing}, {"accept", receive_proceed},
        {"proceed", receive_proceed}, {"reject", receive_reject},   {"retract", receive_retract},
        {"finish", receive_retract},
    };

    if (arrival->from_us) {
        receive_sibling(initiation, arrival);
        return;
    }
    if (arrival->how->origin == ORIGIN_CARBON_SENT)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(receivers); i++) {
        if (strcmp(receivers[i].name, arrival->name) == 0)
            receivers[i].receive(initiation, arrival);
    }
}

const xml_node *initiation_element(const xml_node *message)
{
    XML_EACH (child, message) {
        if (strcmp(xml_ns(child), NS_JINGLE_MESSAGE) == 0)
            return child;
    }
    return NULL;
}

/* Monal writes <migrated/> in the namespace of Jingle. */
void initiation_reason(struct reason *reason, const xml_node *element)
{
    reason_read(reason, xml_child(element, NS_JINGLE, "reason"));
    reason->tie_break =
        reason->tie_break || xml_child(element, NS_JINGLE_MESSAGE, "tie-break") != NULL;
    reason->migrated = xml_child(element, NS_JINGLE_MESSAGE, "migrated") != NULL ||
                       xml_child(element, NS_JINGLE, "migrated") != NULL;
}

bool initiation_receive(struct initiation *initiation, const struct stanza *message,
                        const struct initiation_arrival *how, usec now)
{
    if (message->kind != STANZA_MESSAGE || message->from == NULL)
        return false;
    if (strcmp(message->type, "error") == 0)
        return how->origin == ORIGIN_DIRECT && receive_bounce(initiation, message, now);
    const xml_node *node = initiation_element(message->node);
    if (node == NULL)
        return receive_receipt(initiation, message, how);
    struct arrival arrival = {
        .message = message,
        .how = how,
        .node = node,
        .name = xml_name(node),
        .sid = xml_attribute(node, "id"),
        .from_us = is_own_account(initiation, message->from),
        .now = now,
    };
    bool usable = arrival.sid != NULL && *arrival.sid != '\0' &&
                  strnlen(arrival.sid, SID_MAX + 1) <= SID_MAX &&
                  strcmp(message->type, "groupchat") != 0;
    bool own_echo = how->origin != ORIGIN_ARCHIVE && initiation->full_jid != NULL &&
                    jid_equal(message->from, initiation->full_jid);
    initiation_reason(&arrival.reason, node);
    if (usable && !own_echo)
        dispatch(initiation, &arrival);
    return true;
}

/* -------------------------------------------------------------------------- time and view -- */

usec initiation_next_deadline(const struct initiation *initiation)
{
    usec next = late_calls_next(initiation->late);

    for (guint i = 0; i < initiation->proposals->len; i++) {
        const struct proposal *proposal = g_ptr_array_index(initiation->proposals, i);
        next = MIN(next, proposal->deadline);
    }
    return next;
}

/* One at a time, for the application may end others while it is told of one. */
static bool expire_one(struct initiation *initiation, usec now)
{
    for (guint i = 0; i < initiation->proposals->len; i++) {
        struct proposal *proposal = g_ptr_array_index(initiation->proposals, i);
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what has ended is on the list no more. */
        if (now < proposal->deadline)
            continue;
        if (proposal->accepted)
            proposal_end(proposal, JINGLE_REASON_GONE, JINGLE_PARTY_REMOTE, now);
        else
            proposal_end(proposal, JINGLE_REASON_NO_ANSWER, JINGLE_PARTY_LOCAL, now);
        return true;
    }
    return false;
}

void initiation_tick(struct initiation *initiation, usec now)
{
    while (release_one(initiation, now))
        continue;
    while (expire_one(initiation, now))
        continue;
}

const char *proposal_sid(const struct proposal *proposal)
{
    return proposal->sid;
}

const char *proposal_peer(const struct proposal *proposal)
{
    return proposal->peer;
}

bool proposal_is_outgoing(const struct proposal *proposal)
{
    return proposal->outgoing;
}

bool proposal_is_accepted(const struct proposal *proposal)
{
    return proposal->accepted;
}

void proposal_set_user(struct proposal *proposal, void *user)
{
    proposal->user = user;
}

void *proposal_user(const struct proposal *proposal)
{
    return proposal->user;
}
