#include "signaling/reason.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/ns.h"

static const char *const names[REASON_CONDITION_COUNT] = {
    [REASON_NONE] = "",
    [REASON_ALTERNATIVE_SESSION] = "alternative-session",
    [REASON_BUSY] = "busy",
    [REASON_CANCEL] = "cancel",
    [REASON_CONNECTIVITY_ERROR] = "connectivity-error",
    [REASON_DECLINE] = "decline",
    [REASON_EXPIRED] = "expired",
    [REASON_FAILED_APPLICATION] = "failed-application",
    [REASON_FAILED_TRANSPORT] = "failed-transport",
    [REASON_GENERAL_ERROR] = "general-error",
    [REASON_GONE] = "gone",
    [REASON_INCOMPATIBLE_PARAMETERS] = "incompatible-parameters",
    [REASON_MEDIA_ERROR] = "media-error",
    [REASON_SECURITY_ERROR] = "security-error",
    [REASON_SUCCESS] = "success",
    [REASON_TIMEOUT] = "timeout",
    [REASON_UNSUPPORTED_APPLICATIONS] = "unsupported-applications",
    [REASON_UNSUPPORTED_TRANSPORTS] = "unsupported-transports",
};

/* Dino writes failed_application, and Monal application-error. */
static bool same_name(const char *read, const char *name)
{
    if (strcmp(read, "application-error") == 0)
        read = names[REASON_FAILED_APPLICATION];
    for (; *read != '\0' && *name != '\0'; read++, name++) {
        if ((*read == '_' ? '-' : *read) != *name)
            return false;
    }
    return *read == *name;
}

static void keep_text(char out[REASON_TEXT_SIZE], const xml_node *node)
{
    char *text = xml_text(node);
    const char *end = NULL;

    g_strlcpy(out, text, REASON_TEXT_SIZE);
    g_utf8_validate(out, -1, &end); /* the cut may be inside a character */
    out[end - out] = '\0';
    free(text);
}

static void read_child(struct reason *reason, const xml_node *node)
{
    if (strcmp(xml_name(node), "text") == 0) {
        keep_text(reason->text, node);
        return;
    }
    if (strcmp(xml_name(node), "tie-break") == 0) {
        reason->tie_break = true;
        return;
    }
    for (size_t i = 1; i < REASON_CONDITION_COUNT; i++) {
        if (reason->condition == REASON_NONE && same_name(xml_name(node), names[i]))
            reason->condition = (enum reason_condition)i;
    }
    const xml_node *sid = xml_child(node, xml_ns(node), "sid");
    if (reason->condition == REASON_ALTERNATIVE_SESSION && sid != NULL)
        keep_text(reason->alternative_sid, sid);
}

void reason_read(struct reason *reason, const xml_node *node)
{
    memset(reason, 0, sizeof(*reason));
    XML_EACH (child, node) {
        read_child(reason, child);
    }
}

void reason_write(const struct reason *reason, xml_node *parent)
{
    if (reason->condition == REASON_NONE)
        return;
    xml_node *node = xml_add(parent, NS_JINGLE, "reason");
    xml_node *condition = xml_add(node, NULL, names[reason->condition]);
    if (reason->condition == REASON_ALTERNATIVE_SESSION && *reason->alternative_sid != '\0')
        xml_add_text(condition, NULL, "sid", reason->alternative_sid);
    if (*reason->text != '\0')
        xml_add_text(node, NULL, "text", reason->text);
}

const char *reason_condition_name(enum reason_condition condition)
{
    return names[condition];
}

/* What somebody meant who ended a session without complaint. */
static jingle_reason plain_end(enum session_progress progress, bool outgoing)
{
    if (progress != PROGRESS_PENDING)
        return JINGLE_REASON_HANGUP;
    return outgoing ? JINGLE_REASON_DECLINED : JINGLE_REASON_CANCELED;
}

jingle_reason reason_meaning(const struct reason *reason, enum session_progress progress,
                             bool outgoing)
{
    bool had_media = progress == PROGRESS_CONNECTED;

    if (reason->tie_break)
        return JINGLE_REASON_REPLACED;
    if (reason->migrated)
        return JINGLE_REASON_ELSEWHERE;
    switch (reason->condition) {
    case REASON_ALTERNATIVE_SESSION:
        return JINGLE_REASON_REPLACED;
    case REASON_BUSY:
        return JINGLE_REASON_BUSY;
    case REASON_CONNECTIVITY_ERROR:
    case REASON_FAILED_TRANSPORT:
        return had_media ? JINGLE_REASON_CONNECTION_LOST : JINGLE_REASON_NO_PATH;
    case REASON_TIMEOUT:
        return had_media ? JINGLE_REASON_CONNECTION_LOST : JINGLE_REASON_NO_ANSWER;
    case REASON_EXPIRED:
        return JINGLE_REASON_NO_ANSWER;
    case REASON_FAILED_APPLICATION:
    case REASON_MEDIA_ERROR:
        return JINGLE_REASON_MEDIA_ERROR;
    case REASON_GENERAL_ERROR:
        return JINGLE_REASON_PROTOCOL;
    case REASON_GONE:
        return JINGLE_REASON_GONE;
    case REASON_INCOMPATIBLE_PARAMETERS:
    case REASON_UNSUPPORTED_APPLICATIONS:
    case REASON_UNSUPPORTED_TRANSPORTS:
        return JINGLE_REASON_INCOMPATIBLE;
    case REASON_SECURITY_ERROR:
        return JINGLE_REASON_SECURITY;
    case REASON_CANCEL:
    case REASON_DECLINE:
    case REASON_SUCCESS:
    case REASON_NONE:
    case REASON_CONDITION_COUNT:
        break;
    }
    return plain_end(progress, outgoing);
}

enum reason_condition reason_to_tell(jingle_reason reason, enum session_progress progress,
                                     bool outgoing)
{
    switch (reason) {
    case JINGLE_REASON_BUSY:
        return REASON_BUSY;
    case JINGLE_REASON_DECLINED:
        return REASON_DECLINE;
    case JINGLE_REASON_CANCELED:
        return REASON_CANCEL;
    case JINGLE_REASON_NO_ANSWER:
        return REASON_TIMEOUT;
    case JINGLE_REASON_GONE:
    case JINGLE_REASON_LOCAL_OFFLINE:
        return REASON_GONE;
    case JINGLE_REASON_NO_CALL_SUPPORT:
        return REASON_UNSUPPORTED_APPLICATIONS;
    case JINGLE_REASON_INCOMPATIBLE:
        return REASON_INCOMPATIBLE_PARAMETERS;
    case JINGLE_REASON_NO_PATH:
    case JINGLE_REASON_CONNECTION_LOST:
        return REASON_CONNECTIVITY_ERROR;
    case JINGLE_REASON_MEDIA_ERROR:
        return REASON_MEDIA_ERROR;
    case JINGLE_REASON_SECURITY:
        return REASON_SECURITY_ERROR;
    case JINGLE_REASON_PROTOCOL:
        return REASON_GENERAL_ERROR;
    case JINGLE_REASON_REPLACED:
        return REASON_EXPIRED;
    case JINGLE_REASON_NONE:
    case JINGLE_REASON_HANGUP:
    case JINGLE_REASON_ELSEWHERE:
    case JINGLE_REASON_OFFLINE:
    case JINGLE_REASON_UNREACHABLE:
    case JINGLE_REASON_SHUTDOWN:
        break;
    }
    if (progress != PROGRESS_PENDING)
        return REASON_SUCCESS;
    return outgoing ? REASON_CANCEL : REASON_DECLINE;
}
