/* Outgoing calls: whom to call, and how. Asked again as more is known, until it is decided. */
#include "signaling/account_call_state.h"

#include "signaling/jid.h"

/* Devices of one person that are watched while they ring. */
#define RINGING_MAX 16

static void doom(struct account_call *call, jingle_reason reason, usec now)
{
    call->verdict = reason;
    call->decide_at = now;
}

static void initiate_directly(struct account_call *call, const char *peer, usec now)
{
    char sid[37];
    random_uuid(call->account->random, sid);
    call->deciding = false;
    call->decide_at = USEC_NEVER;
    account_call_initiate(call, peer, sid, now);
}

static void propose(struct account_call *call, usec now)
{
    struct account *account = call->account;
    call->proposal =
        initiation_propose(account->initiation, call->peer, account_call_has_media(call, "audio"),
                           account_call_has_media(call, "video"), now);
    call->deciding = false;
    call->decide_at = USEC_NEVER;
    call->by_message = true;
    account_call_set_text(&call->sid, proposal_sid(call->proposal));
    proposal_set_user(call->proposal, call);
}

/* What the devices of a person can do together. */
struct survey {
    const struct account_call *call;
    struct account_survey seen;
    bool insecure;              /* one can only call without encryption */
    const struct device *plain; /* such a one that we could call; the user must allow it */
    bool initiation;            /* a callable one knows XEP-0353 */
    const struct device *best;  /* callable; with video, if that is asked for and one has it */
};

static unsigned needed(const struct account_call *call)
{
    return CAN_CALL |
           (account_call_has_media(call, "video") && !account_call_has_media(call, "audio")
                ? CAN_VIDEO
                : 0);
}

static void consider_device(void *user, const struct device *device)
{
    struct survey *survey = user;
    const struct account_call *call = survey->call;
    unsigned capabilities = device->capabilities;
    if ((capabilities & needed(call)) == needed(call)) {
        survey->initiation = survey->initiation || (capabilities & CAN_MESSAGE_INITIATION);
        bool is_better = survey->best && account_call_has_media(call, "video") &&
                         (capabilities & CAN_VIDEO) && !(survey->best->capabilities & CAN_VIDEO);
        if (!survey->best || is_better)
            survey->best = device;
    } else if ((capabilities & CAN_CALL_INSECURELY) == CAN_CALL_INSECURELY &&
               !(capabilities & CAN_DTLS)) {
        survey->insecure = true;
        if (!survey->plain && (capabilities & CAN_CALL_PLAINLY) == CAN_CALL_PLAINLY)
            survey->plain = device;
    }
}

static struct survey survey_devices(struct account_call *call, usec now)
{
    struct survey survey = {.call = call};
    survey.seen = account_survey_devices(call->account, call->peer, consider_device, &survey, now);
    return survey;
}

/* Only where no device can do better, and all have told what they can. */
static bool may_call_plainly(const struct account_call *call, const struct survey *survey)
{
    return call->account->allow_unencrypted && survey->plain && !survey->best &&
           survey->seen.unknown == 0 && account_call_has_media(call, "audio");
}

static void initiate_plainly(struct account_call *call, const char *peer, usec now)
{
    if (call->starting) {
        call->decide_at = now; /* once more, when it may be told */
        return;
    }
    log_warning(call->account->log, "%s knows no encryption: this call can be listened to", peer);
    char *device = g_strdup(peer);
    call->plain = true;
    g_array_set_size(call->transports, 0);
    account_call_tell_plain(call, ACCOUNT_EVENT_UNENCRYPTED);
    if (!call->ended)
        initiate_directly(call, device, now);
    g_free(device);
}

/* Nobody there can take an encrypted call. */
static void cannot_call(struct account_call *call, const struct survey *survey, usec now)
{
    if (may_call_plainly(call, survey)) {
        initiate_plainly(call, survey->plain->jid, now);
        return;
    }
    call->insecure = survey->insecure;
    doom(call, JINGLE_REASON_NO_CALL_SUPPORT, now);
}

/* A device that does not tell, or somebody who shows us no presence: then their server answers for
 * them, or a gateway does for a telephone, which has no resource. */
static bool may_be_there(const struct account_call *call, const struct survey *survey)
{
    if (survey->seen.unknown > 0)
        return jid_is_full(call->peer);
    if (account_shares_presence(call->account, call->peer))
        return false;
    return jid_is_full(call->peer) || (!call->account->roster_awaited && jid_is_device(call->peer));
}

static void decide_direct(struct account_call *call, const struct survey *survey, usec now)
{
    if (survey->best)
        initiate_directly(call, survey->best->jid, now);
    else if (survey->seen.devices > survey->seen.unknown)
        cannot_call(call, survey, now);
    else if (may_be_there(call, survey))
        initiate_directly(call, call->peer, now);
    else
        doom(call, JINGLE_REASON_OFFLINE, now);
}

static void decide_by_message(struct account_call *call, const struct survey *survey, usec now)
{
    struct account *account = call->account;
    bool seen = caps_knows_initiation(account->caps, call->peer);
    bool hopeless = !survey->best && survey->seen.unknown == 0 && !seen;
    if (survey->best && !survey->initiation)
        initiate_directly(call, survey->best->jid, now);
    else if (hopeless && survey->seen.devices > 0)
        cannot_call(call, survey, now);
    else if (hopeless && account_shares_presence(account, call->peer))
        doom(call, JINGLE_REASON_OFFLINE, now);
    else
        propose(call, now); /* also to a telephone asleep, which is woken by it */
}

void account_call_decide(struct account_call *call, usec now)
{
    struct account *account = call->account;
    if (call->verdict != JINGLE_REASON_NONE)
        return;
    if (!account->online) {
        call->decide_at =
            USEC_NEVER; /* account_online() brings presence, and that brings us here */
        return;
    }
    struct survey survey = survey_devices(call, now);
    /* What our own account proposes concerns the devices that do not answer (XEP-0353, 3.3). */
    bool own = jid_equal_bare(call->peer, account->bare);
    bool direct = call->direct || own || jid_is_full(call->peer);
    bool enough = survey.best && (direct || survey.initiation);
    usec patience = account_survey_patience(account, call->peer, &survey.seen, call->started, now);
    if (!enough && patience > now)
        call->decide_at = patience;
    else if (direct)
        decide_direct(call, &survey, now);
    else
        decide_by_message(call, &survey, now);
}

jingle_status account_call_start(struct account *account, const char *to,
                                 const struct session_media *media, size_t count, bool direct,
                                 usec now, struct account_call **call)
{
    *call = NULL;
    if (!to || !jid_is_valid(to) || (account->full_jid && jid_equal(to, account->full_jid)))
        return JINGLE_ERROR_JID;
    if (account->no_calls)
        return JINGLE_ERROR_UNSUPPORTED;
    if (!account->online)
        return JINGLE_ERROR_OFFLINE;
    if (g_queue_get_length(&account->calls) >= ACCOUNT_CALLS_MAX)
        return JINGLE_ERROR_LIMIT;
    account_enter(account, now);
    struct account_call *made = account_call_new(account, to, true);
    account_call_copy_media(made, media, count);
    made->direct = direct;
    made->told = true;
    made->deciding = true;
    made->started = now;
    made->decide_at = now;
    made->starting = true;
    account_call_decide(made, now);
    made->starting = false;
    *call = made;
    account_leave(account);
    return JINGLE_OK;
}

void account_calls_reconsider(struct account *account, const char *jid, usec now)
{
    for (GList *item = account->calls.head; item; item = item->next) {
        struct account_call *call = item->data;
        if (call->deciding && (!jid || jid_equal_bare(call->peer, jid)))
            call->decide_at = now;
    }
}

static guint find_ringing(const struct account_call *call, const char *jid)
{
    guint at = 0;
    while (at < call->ringing->len && !jid_equal(call->ringing->pdata[at], jid))
        at++;
    return at;
}

void account_call_rings_at(struct account_call *call, const char *jid)
{
    if (jid_is_full(jid) && find_ringing(call, jid) == call->ringing->len &&
        call->ringing->len < RINGING_MAX)
        g_ptr_array_add(call->ringing, g_strdup(jid));
    if (!call->rings)
        account_call_tell_plain(call, ACCOUNT_EVENT_RINGING);
    call->rings = true;
}

/* Of the last device that may ring: not all say that they do (Dino does not), and one that heard
 * from another that the call is taken may be gone before we hear of it. */
bool account_call_stops_ringing(struct account_call *call, const char *jid, usec now)
{
    guint at = find_ringing(call, jid);
    if (at < call->ringing->len)
        g_ptr_array_remove_index_fast(call->ringing, at);
    if (!call->proposal || !call->rings || call->ringing->len > 0 ||
        !jid_equal_bare(call->peer, jid))
        return false;
    struct survey survey = survey_devices(call, now);
    return !survey.initiation && survey.seen.unknown == 0;
}
