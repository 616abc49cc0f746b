/* Which devices a person has, and when it is known what they can do: for whoever must choose one.
 */
#include "signaling/account_state.h"

#include "signaling/jid.h"

/* Our own devices show each other their presence. */
bool account_shares_presence(const struct account *account, const char *jid)
{
    const struct roster_item *item = roster_find(account->roster, jid);
    if (jid_equal_bare(jid, account->bare))
        return true;
    return item && (item->subscription == JINGLE_SUBSCRIPTION_TO ||
                    item->subscription == JINGLE_SUBSCRIPTION_BOTH);
}

struct account_survey account_survey_devices(struct account *account, const char *jid,
                                             account_device_fn answered, void *user, usec now)
{
    struct account_survey survey = {0};
    size_t count = 0;
    struct device **devices = presence_devices(account->presence, jid, &count);
    for (size_t i = 0; i < count; i++) {
        bool asked_for = !jid_is_full(jid) || jid_equal(devices[i]->jid, jid);
        if (!asked_for || jid_equal(devices[i]->jid, account->full_jid))
            continue;
        account_recall_device(account, devices[i]);
        account_ask_device(account, devices[i], now);
        survey.devices++;
        if (devices[i]->knowledge == DEVICE_ASKED || devices[i]->knowledge == DEVICE_UNKNOWN)
            survey.unknown++;
        else
            answered(user, devices[i]);
    }
    g_free(devices);
    return survey;
}

usec account_survey_patience(const struct account *account, const char *jid,
                             const struct account_survey *survey, usec began, usec now)
{
    usec settled = account->online_since + ACCOUNT_SETTLE;
    usec asked = began + ACCOUNT_ASK_LIMIT;
    bool may_share = account->roster_awaited || account_shares_presence(account, jid);
    if (survey->devices == 0 && may_share && now < settled)
        return settled;
    if (survey->unknown > 0 && now < asked)
        return asked;
    return now;
}

void account_survey_changed(struct account *account, const char *jid, usec now)
{
    account_calls_reconsider(account, jid, now);
    account_files_reconsider(account, jid, now);
}
