/* To which device files are offered, and when. Asked again as more is known, until it is decided.
 *
 *     bare JID ─▶ the best device that can take files ─┐
 *     full JID ─▶ that one, if it is not known to be ──┴─▶ proxies known ─▶ session ─▶ next session
 *                 gone or unable                           (or 3 s later)
 */
#include "signaling/account_file_state.h"

#include <string.h>

#include "signaling/jid.h"

void file_order_free(struct file_order *order)
{
    g_queue_clear(&order->waiting);
    g_free(order->to);
    g_free(order->device);
    g_free(order);
}

/* ------------------------------------------------------------------------------ the device -- */

static bool takes_files(unsigned capabilities)
{
    const unsigned needed = CAN_FILES | CAN_JINGLE;
    return (capabilities & needed) == needed && (capabilities & (CAN_S5B | CAN_INBAND));
}

unsigned file_peer_capabilities(const struct account *account, const char *jid)
{
    const struct device *device = presence_find(account->presence, jid);
    if (device && device->knowledge == DEVICE_KNOWN)
        return device->capabilities;
    return CAN_S5B | CAN_INBAND;
}

/* The first has the best priority; among its equals one of us does it best. */
static void consider_device(void *user, const struct device *device)
{
    const struct device **best = user;
    if (!takes_files(device->capabilities))
        return;
    bool is_better = *best && device->priority == (*best)->priority &&
                     (device->capabilities & CAN_ENGINE_FILES) &&
                     !((*best)->capabilities & CAN_ENGINE_FILES);
    if (!*best || is_better)
        *best = device;
}

static void give_up(struct file_order *order, jingle_status status)
{
    order->decide_at = USEC_NEVER;
    while (!g_queue_is_empty(&order->waiting))
        account_file_fail(g_queue_peek_head(&order->waiting), status, JINGLE_PARTY_REMOTE, "");
}

/* False: it is not known yet, or there is none. */
static bool choose_device(struct file_order *order, usec now)
{
    struct account *account = order->account;
    const struct device *best = NULL;
    struct account_survey survey =
        account_survey_devices(account, order->to, consider_device, &best, now);
    usec patience = account_survey_patience(account, order->to, &survey, order->began, now);
    bool answered = survey.devices > survey.unknown;
    if (best) {
        order->device = g_strdup(best->jid);
    } else if (patience > now) {
        order->decide_at = patience;
    } else if (answered) {
        give_up(order, JINGLE_ERROR_NO_FILE_SUPPORT);
    } else if (jid_is_full(order->to) &&
               (survey.unknown > 0 || !account_shares_presence(account, order->to))) {
        order->device = g_strdup(order->to);
    } else {
        give_up(order,
                survey.devices > 0 ? JINGLE_ERROR_NO_FILE_SUPPORT : JINGLE_ERROR_CONTACT_OFFLINE);
    }
    order->chosen = now;
    return order->device != NULL;
}

/* ----------------------------------------------------------------------------- the session -- */

/* Who lists hash functions without any SHA-2 could not check it. The algorithm of <hash-used/> is
 * one that the sender has not computed yet. */
static void suit_hashes(struct file_description *file, unsigned capabilities)
{
    const unsigned sha_2 = CAN_HASH_SHA_256 | CAN_HASH_SHA_512;
    if ((capabilities & sha_2) || !(capabilities & CAN_HASH_SHA_1))
        return;
    for (size_t i = 0; i < file->hash_count; i++)
        if (strcmp(file->hashes[i].algorithm, "sha-256") == 0 && !file->hashes[i].value[0])
            g_strlcpy(file->hashes[i].algorithm, "sha-1", sizeof file->hashes[i].algorithm);
}

/* False: the session takes no more. */
static bool add_next(struct file_order *order, struct file_talk *talk, unsigned capabilities)
{
    struct account_file *file = g_queue_peek_head(&order->waiting);
    suit_hashes(&file->description, capabilities);
    const char *name = file_session_add(talk->session, &file->description, order->request);
    if (!name)
        return false;
    g_queue_pop_head(&order->waiting);
    file->content = g_strdup(name);
    file->talk = talk;
    g_ptr_array_add(talk->files, file);
    return true;
}

static void begin_session(struct file_order *order, usec now)
{
    char sid[37];
    random_uuid(order->account->random, sid);
    struct file_talk *talk = file_talk_new(order->account, order->device, sid);
    struct file_session_config config = file_talk_settings(talk, order->ways);
    struct file_session_hooks hooks = file_talk_hooks(talk);
    unsigned capabilities = file_peer_capabilities(order->account, order->device);
    bool several = capabilities & CAN_ENGINE_FILES;
    talk->order = order;
    order->talk = talk;
    order->decide_at = USEC_NEVER;
    talk->session = file_session_new(&config, &hooks);
    while (add_next(order, talk, capabilities) && several && !g_queue_is_empty(&order->waiting))
        continue;
    file_session_initiate(talk->session, now);
}

/* Do these files want to know our proxies, and are they worth waiting for? */
static bool waits_for_proxies(struct file_order *order, usec now)
{
    struct account *account = order->account;
    unsigned capabilities = file_peer_capabilities(account, order->device);
    if (!(order->ways & FILE_WAY_PROXY) || !(capabilities & CAN_S5B))
        return false;
    account_file_services_need(account);
    order->decide_at = order->chosen + FILES_PROXY_PATIENCE;
    return !file_services_are_known(account->files->services) && now < order->decide_at;
}

void file_order_decide(struct file_order *order, usec now)
{
    if (order->talk || g_queue_is_empty(&order->waiting) || !order->account->online)
        order->decide_at = USEC_NEVER; /* until the session ends, or we are online */
    else if (order->verdict != JINGLE_OK)
        give_up(order, order->verdict);
    else if ((order->device || choose_device(order, now)) && !waits_for_proxies(order, now))
        begin_session(order, now);
}

void file_order_learn(struct file_order *order, jingle_status status)
{
    if (status == JINGLE_ERROR_NO_ANSWER || status == JINGLE_ERROR_GONE ||
        status == JINGLE_ERROR_CONTACT_OFFLINE || status == JINGLE_ERROR_PEER_SERVER)
        order->verdict = status;
}

void file_order_go_on(struct file_order *order, usec now)
{
    order->talk = NULL;
    order->decide_at = now;
}
