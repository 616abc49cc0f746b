#include "signaling/file_reason.h"

/* ------------------------------------------------------------------------------- reading -- */

/* By progress: offered, connecting, flowing, sent. Media-error is the word for a wrong hash, which
 * nobody can know before the last byte. */
static const jingle_status meanings[REASON_CONDITION_COUNT][FILE_PROGRESS_COUNT] = {
    [REASON_NONE] = {JINGLE_ERROR_CANCELED, JINGLE_ERROR_CANCELED, JINGLE_ERROR_CANCELED,
                     JINGLE_OK},
    [REASON_ALTERNATIVE_SESSION] = {JINGLE_ERROR_CANCELED, JINGLE_ERROR_CANCELED,
                                    JINGLE_ERROR_CANCELED, JINGLE_ERROR_CANCELED},
    [REASON_BUSY] = {JINGLE_ERROR_REFUSED, JINGLE_ERROR_REFUSED, JINGLE_ERROR_CANCELED,
                     JINGLE_ERROR_CANCELED},
    [REASON_CANCEL] = {JINGLE_ERROR_CANCELED, JINGLE_ERROR_CANCELED, JINGLE_ERROR_CANCELED,
                       JINGLE_ERROR_CANCELED},
    [REASON_CONNECTIVITY_ERROR] = {JINGLE_ERROR_NO_PATH, JINGLE_ERROR_NO_PATH,
                                   JINGLE_ERROR_CONNECTION_LOST, JINGLE_ERROR_CONNECTION_LOST},
    [REASON_DECLINE] = {JINGLE_ERROR_CANCELED, JINGLE_ERROR_CANCELED, JINGLE_ERROR_CANCELED,
                        JINGLE_ERROR_CANCELED},
    [REASON_EXPIRED] = {JINGLE_ERROR_NO_ANSWER, JINGLE_ERROR_NO_ANSWER,
                        JINGLE_ERROR_CONNECTION_LOST, JINGLE_ERROR_CONNECTION_LOST},
    [REASON_FAILED_APPLICATION] = {JINGLE_ERROR_PEER_FILE, JINGLE_ERROR_PEER_FILE,
                                   JINGLE_ERROR_PEER_FILE, JINGLE_ERROR_PEER_FILE},
    [REASON_FAILED_TRANSPORT] = {JINGLE_ERROR_NO_PATH, JINGLE_ERROR_NO_PATH,
                                 JINGLE_ERROR_CONNECTION_LOST, JINGLE_ERROR_CONNECTION_LOST},
    [REASON_GENERAL_ERROR] = {JINGLE_ERROR_NO_FILE_SUPPORT, JINGLE_ERROR_PEER_FILE,
                              JINGLE_ERROR_PEER_FILE, JINGLE_ERROR_PEER_FILE},
    [REASON_GONE] = {JINGLE_ERROR_GONE, JINGLE_ERROR_GONE, JINGLE_ERROR_GONE, JINGLE_ERROR_GONE},
    [REASON_INCOMPATIBLE_PARAMETERS] = {JINGLE_ERROR_NO_FILE_SUPPORT, JINGLE_ERROR_NO_FILE_SUPPORT,
                                        JINGLE_ERROR_PEER_FILE, JINGLE_ERROR_PEER_FILE},
    [REASON_MEDIA_ERROR] = {JINGLE_ERROR_PEER_FILE, JINGLE_ERROR_PEER_FILE, JINGLE_ERROR_PEER_FILE,
                            JINGLE_ERROR_FILE_HASH},
    [REASON_SECURITY_ERROR] = {JINGLE_ERROR_FORBIDDEN, JINGLE_ERROR_FORBIDDEN,
                               JINGLE_ERROR_FORBIDDEN, JINGLE_ERROR_FORBIDDEN},
    [REASON_SUCCESS] = {JINGLE_ERROR_CANCELED, JINGLE_ERROR_CANCELED, JINGLE_ERROR_CANCELED,
                        JINGLE_OK},
    [REASON_TIMEOUT] = {JINGLE_ERROR_NO_ANSWER, JINGLE_ERROR_NO_PATH, JINGLE_ERROR_CONNECTION_LOST,
                        JINGLE_ERROR_NO_ANSWER},
    [REASON_UNSUPPORTED_APPLICATIONS] = {JINGLE_ERROR_NO_FILE_SUPPORT, JINGLE_ERROR_NO_FILE_SUPPORT,
                                         JINGLE_ERROR_PEER_FILE, JINGLE_ERROR_PEER_FILE},
    [REASON_UNSUPPORTED_TRANSPORTS] = {JINGLE_ERROR_NO_PATH, JINGLE_ERROR_NO_PATH,
                                       JINGLE_ERROR_CONNECTION_LOST, JINGLE_ERROR_CONNECTION_LOST},
};

jingle_status file_reason_meaning(enum reason_condition condition, enum file_progress progress,
                                  bool outgoing)
{
    jingle_status status = meanings[condition][progress];

    /* Who is asked and stops it does not want it; who asks and stops it has changed its mind. */
    if (progress == FILE_PROGRESS_OFFERED && outgoing && status == JINGLE_ERROR_CANCELED)
        return JINGLE_ERROR_REFUSED;
    return status;
}

/* ------------------------------------------------------------------------------- telling -- */

static const struct {
    jingle_status status;
    enum reason_condition condition;
} tellings[] = {
    {JINGLE_OK, REASON_SUCCESS},
    {JINGLE_ERROR_CANCELED, REASON_CANCEL},
    {JINGLE_ERROR_REFUSED, REASON_DECLINE},
    {JINGLE_ERROR_FORBIDDEN, REASON_DECLINE},
    {JINGLE_ERROR_NO_ANSWER, REASON_TIMEOUT},
    {JINGLE_ERROR_NO_PATH, REASON_CONNECTIVITY_ERROR},
    {JINGLE_ERROR_CONNECTION_LOST, REASON_CONNECTIVITY_ERROR},
    {JINGLE_ERROR_GONE, REASON_GONE},
    {JINGLE_ERROR_OFFLINE, REASON_GONE},
    {JINGLE_ERROR_FILE_HASH, REASON_MEDIA_ERROR},
    {JINGLE_ERROR_FILE_TOO_LONG, REASON_MEDIA_ERROR},
    {JINGLE_ERROR_FILE, REASON_FAILED_APPLICATION},
    {JINGLE_ERROR_FILE_CHANGED, REASON_FAILED_APPLICATION},
    {JINGLE_ERROR_FILE_NOT_FOUND, REASON_FAILED_APPLICATION},
    {JINGLE_ERROR_FILE_KIND, REASON_FAILED_APPLICATION},
    {JINGLE_ERROR_FILE_PERMISSION, REASON_FAILED_APPLICATION},
    {JINGLE_ERROR_NO_SPACE, REASON_FAILED_APPLICATION},
    {JINGLE_ERROR_PEER_FILE, REASON_FAILED_APPLICATION},
    {JINGLE_ERROR_NO_FILE_SUPPORT, REASON_INCOMPATIBLE_PARAMETERS},
};

enum reason_condition file_reason_to_tell(jingle_status status)
{
    for (size_t i = 0; i < sizeof(tellings) / sizeof(tellings[0]); i++) {
        if (tellings[i].status == status)
            return tellings[i].condition;
    }
    return REASON_GENERAL_ERROR;
}

const char *file_reason_text(jingle_status status)
{
    enum reason_condition condition = file_reason_to_tell(status);
    bool is_trouble = condition == REASON_FAILED_APPLICATION || condition == REASON_MEDIA_ERROR;

    return is_trouble ? jingle_strerror(status) : "";
}

/* -------------------------------------------------------------------------------- errors -- */

jingle_status file_error_meaning(const struct stanza_error *error)
{
    if (error->jingle == JINGLE_UNKNOWN_SESSION)
        return JINGLE_ERROR_GONE;
    switch (error->condition) {
    case STANZA_SERVICE_UNAVAILABLE:
    case STANZA_RECIPIENT_UNAVAILABLE:
    case STANZA_GONE:
    case STANZA_ITEM_NOT_FOUND:
    case STANZA_REDIRECT:
        return JINGLE_ERROR_CONTACT_OFFLINE;
    case STANZA_JID_MALFORMED:
    case STANZA_REMOTE_SERVER_NOT_FOUND:
    case STANZA_REMOTE_SERVER_TIMEOUT:
        return JINGLE_ERROR_PEER_SERVER;
    case STANZA_FORBIDDEN:
    case STANZA_NOT_ALLOWED:
    case STANZA_NOT_AUTHORIZED:
    case STANZA_SUBSCRIPTION_REQUIRED:
    case STANZA_REGISTRATION_REQUIRED:
    case STANZA_POLICY_VIOLATION:
        return JINGLE_ERROR_FORBIDDEN;
    case STANZA_RESOURCE_CONSTRAINT:
        return JINGLE_ERROR_REFUSED;
    default:
        return JINGLE_ERROR_NO_FILE_SUPPORT;
    }
}
