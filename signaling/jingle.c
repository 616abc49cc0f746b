#include "signaling/jingle.h"

#include <glib.h>
#include <string.h>

#include "signaling/ns.h"

static const char *const actions[ACTION_COUNT] = {
    [ACTION_CONTENT_ACCEPT] = "content-accept",
    [ACTION_CONTENT_ADD] = "content-add",
    [ACTION_CONTENT_MODIFY] = "content-modify",
    [ACTION_CONTENT_REJECT] = "content-reject",
    [ACTION_CONTENT_REMOVE] = "content-remove",
    [ACTION_DESCRIPTION_INFO] = "description-info",
    [ACTION_SECURITY_INFO] = "security-info",
    [ACTION_SESSION_ACCEPT] = "session-accept",
    [ACTION_SESSION_INFO] = "session-info",
    [ACTION_SESSION_INITIATE] = "session-initiate",
    [ACTION_SESSION_TERMINATE] = "session-terminate",
    [ACTION_TRANSPORT_ACCEPT] = "transport-accept",
    [ACTION_TRANSPORT_INFO] = "transport-info",
    [ACTION_TRANSPORT_REJECT] = "transport-reject",
    [ACTION_TRANSPORT_REPLACE] = "transport-replace",
};

static const char *const infos[] = {
    [INFO_NONE] = "",           [INFO_ACTIVE] = "active",     [INFO_HOLD] = "hold",
    [INFO_UNHOLD] = "unhold",   [INFO_MUTE] = "mute",         [INFO_UNMUTE] = "unmute",
    [INFO_RINGING] = "ringing", [INFO_CHECKSUM] = "checksum", [INFO_RECEIVED] = "received",
    [INFO_UNKNOWN] = "unknown",
};

static const char *const creators[] = {
    [CREATOR_INITIATOR] = "initiator",
    [CREATOR_RESPONDER] = "responder",
};

/* ------------------------------------------------------------------------- owning memory -- */

void jingle_iq_init(struct jingle_iq *iq, enum jingle_action action, const char *sid)
{
    *iq = (struct jingle_iq){.action = action, .sid = g_strdup(sid)};
}

static void content_clear(struct jingle_content *content)
{
    g_free(content->name);
    g_free(content->disposition);
    g_free(content->transport_ns);
    rtp_description_clear(&content->rtp);
    file_description_clear(&content->file);
    ice_udp_clear(&content->ice);
    s5b_clear(&content->s5b);
}

void jingle_group_clear(struct jingle_group *group)
{
    for (size_t i = 0; i < group->count; i++)
        g_free(group->names[i]);
    g_free(group->names);
    *group = (struct jingle_group){0};
}

void jingle_iq_clear(struct jingle_iq *iq)
{
    for (size_t i = 0; i < iq->content_count; i++)
        content_clear(&iq->contents[i]);
    g_free(iq->contents);
    jingle_group_clear(&iq->bundle);
    g_free(iq->sid);
    g_free(iq->initiator);
    g_free(iq->responder);
    g_free(iq->info_name);
    file_description_clear(&iq->checksum);
    memset(iq, 0, sizeof(*iq));
}

static void content_copy(struct jingle_content *to, const struct jingle_content *from)
{
    *to = *from;
    to->name = g_strdup(from->name);
    to->disposition = g_strdup(from->disposition);
    to->transport_ns = g_strdup(from->transport_ns);
    rtp_description_copy(&to->rtp, &from->rtp);
    file_description_copy(&to->file, &from->file);
    ice_udp_copy(&to->ice, &from->ice);
    s5b_copy(&to->s5b, &from->s5b);
}

void jingle_iq_copy(struct jingle_iq *to, const struct jingle_iq *from)
{
    *to = *from;
    to->sid = g_strdup(from->sid);
    to->initiator = g_strdup(from->initiator);
    to->responder = g_strdup(from->responder);
    to->info_name = g_strdup(from->info_name);
    file_description_copy(&to->checksum, &from->checksum);
    to->contents = g_new0(struct jingle_content, from->content_count);
    for (size_t i = 0; i < from->content_count; i++)
        content_copy(&to->contents[i], &from->contents[i]);
    to->bundle = (struct jingle_group){0};
    for (size_t i = 0; i < from->bundle.count; i++)
        jingle_group_add(&to->bundle, from->bundle.names[i]);
}

struct jingle_content *jingle_iq_add(struct jingle_iq *iq, const char *name, enum creator creator)
{
    iq->contents = g_renew(struct jingle_content, iq->contents, iq->content_count + 1);
    struct jingle_content *content = &iq->contents[iq->content_count++];
    *content = (struct jingle_content){.name = g_strdup(name), .creator = creator};
    return content;
}

void jingle_group_add(struct jingle_group *group, const char *name)
{
    group->names = g_renew(char *, group->names, group->count + 1);
    group->names[group->count++] = g_strdup(name);
}

/* ------------------------------------------------------------------------------- looking -- */

const struct jingle_content *jingle_iq_content(const struct jingle_iq *iq, const char *name)
{
    for (size_t i = 0; i < iq->content_count; i++) {
        if (strcmp(iq->contents[i].name, name) == 0)
            return &iq->contents[i];
    }
    return NULL;
}

bool jingle_group_has(const struct jingle_group *group, const char *name)
{
    for (size_t i = 0; i < group->count; i++) {
        if (strcmp(group->names[i], name) == 0)
            return true;
    }
    return false;
}

const char *jingle_action_name(enum jingle_action action)
{
    return actions[action];
}

const char *jingle_info_name(enum jingle_info info)
{
    return infos[info];
}

const xml_node *jingle_iq_find(const struct stanza *stanza)
{
    return stanza->kind == STANZA_IQ ? xml_child(stanza->node, NS_JINGLE, "jingle") : NULL;
}

/* ------------------------------------------------------------------------------- reading -- */

static bool is_usable(const char *text)
{
    return text != NULL && *text != '\0' &&
           strnlen(text, JINGLE_STRING_MAX + 1) <= JINGLE_STRING_MAX;
}

static bool read_action(enum jingle_action *action, const char *text)
{
    for (size_t i = 0; text != NULL && i < ACTION_COUNT; i++) {
        if (strcmp(text, actions[i]) == 0) {
            *action = (enum jingle_action)i;
            return true;
        }
    }
    return false;
}

/* Missing is the initiator: Dino leaves it out and reads it so. */
static bool read_creator(enum creator *creator, const char *text)
{
    *creator = CREATOR_INITIATOR;
    if (text == NULL || strcmp(text, "initiator") == 0)
        return true;
    *creator = CREATOR_RESPONDER;
    return strcmp(text, "responder") == 0;
}

/* XEP-0166, 7.2: which actions say what a content is; the others need not repeat it. */
static bool needs_description(enum jingle_action action)
{
    return action == ACTION_CONTENT_ADD || action == ACTION_SESSION_INITIATE;
}

static bool read_description(struct jingle_content *content, enum jingle_action action,
                             const xml_node *node, const char **why)
{
    if (content->application != APPLICATION_NONE) {
        *why = "two descriptions in one content";
        return false;
    }
    if (xml_is(node, NS_RTP, "description")) {
        content->application = APPLICATION_RTP;
        return rtp_description_read(&content->rtp, node, why);
    }
    if (xml_is(node, NS_FILE_TRANSFER_5, "description")) {
        content->application = APPLICATION_FILE;
        if (xml_first(node) == NULL && !needs_description(action))
            return true;
        return file_description_read(&content->file, node, why);
    }
    content->application = APPLICATION_UNKNOWN;
    return true;
}

static bool read_transport(struct jingle_content *content, const xml_node *node, const char **why)
{
    if (content->transport != TRANSPORT_NONE) {
        *why = "two transports in one content";
        return false;
    }
    if (ice_udp_is(node)) {
        content->transport = TRANSPORT_ICE_UDP;
        return ice_udp_read(&content->ice, node, why);
    }
    if (xml_is(node, NS_S5B, "transport")) {
        content->transport = TRANSPORT_S5B;
        s5b_read(&content->s5b, node);
        return true;
    }
    if (xml_is(node, NS_IBB_TRANSPORT, "transport")) {
        content->transport = TRANSPORT_IBB;
        ibb_transport_read(&content->ibb, node);
        return true;
    }
    content->transport = TRANSPORT_UNKNOWN;
    if (is_usable(xml_ns(node)))
        content->transport_ns = g_strdup(xml_ns(node));
    return true;
}

static bool read_content_children(struct jingle_content *content, enum jingle_action action,
                                  const xml_node *node, const char **why)
{
    XML_EACH (child, node) {
        const char *name = xml_name(child);
        if (strcmp(name, "description") == 0 && !read_description(content, action, child, why))
            return false;
        if (strcmp(name, "transport") == 0 && !read_transport(content, child, why))
            return false;
        if (strcmp(name, "security") == 0)
            content->security = true;
    }
    return true;
}

static bool read_content(struct jingle_iq *iq, const xml_node *node, const char **why)
{
    const char *name = xml_attribute(node, "name");
    const char *senders = xml_attribute(node, "senders");
    const char *disposition = xml_attribute(node, "disposition");
    enum creator creator;

    if (iq->content_count >= JINGLE_CONTENTS_MAX) {
        *why = "too many contents";
        return false;
    }
    if (!is_usable(name) || !read_creator(&creator, xml_attribute(node, "creator"))) {
        *why = "a content without a good name or creator";
        return false;
    }
    if (jingle_iq_content(iq, name) != NULL) {
        *why = "two contents with one name";
        return false;
    }
    struct jingle_content *content = jingle_iq_add(iq, name, creator);
    content->has_senders = senders != NULL;
    if (!senders_parse(senders, &content->senders)) {
        *why = "a content with unknown senders";
        return false;
    }
    if (disposition != NULL && strcmp(disposition, "session") != 0)
        content->disposition = g_strndup(disposition, JINGLE_STRING_MAX);
    return read_content_children(content, iq->action, node, why);
}

static void read_group(struct jingle_group *group, const xml_node *node)
{
    const char *semantics = xml_attribute(node, "semantics");

    if (group->count > 0 || semantics == NULL || strcmp(semantics, "BUNDLE") != 0)
        return;
    XML_EACH (child, node) {
        const char *name = xml_attribute(child, "name");
        if (!xml_is(child, NS_GROUPING, "content") || !is_usable(name))
            continue;
        if (group->count < JINGLE_CONTENTS_MAX && !jingle_group_has(group, name))
            jingle_group_add(group, name);
    }
}

/* The namespace of a payload of session-info, by which it is told from others of its name. */
static const char *info_ns(enum jingle_info info)
{
    return info == INFO_CHECKSUM || info == INFO_RECEIVED ? NS_FILE_TRANSFER_5 : NS_RTP_INFO;
}

static enum jingle_info find_info(const xml_node *node)
{
    for (enum jingle_info info = INFO_ACTIVE; info < INFO_UNKNOWN; info++) {
        if (xml_is(node, info_ns(info), infos[info]))
            return info;
    }
    return INFO_UNKNOWN;
}

/* XEP-0167, 8; XEP-0234, 8: the payload of a session-info. Conversations and Gajim leave out the
 * creator, Gajim the name too. */
static bool read_info(struct jingle_iq *iq, const xml_node *node, const char **why)
{
    const char *name = xml_attribute(node, "name");

    iq->info = find_info(node);
    if (iq->info == INFO_UNKNOWN)
        return true;
    if (is_usable(name))
        iq->info_name = g_strdup(name);
    if (!read_creator(&iq->info_creator, xml_attribute(node, "creator")))
        iq->info_creator = CREATOR_INITIATOR;
    return iq->info != INFO_CHECKSUM || file_checksum_read(&iq->checksum, node, why);
}

static bool read_child(struct jingle_iq *iq, const xml_node *child, const char **why)
{
    if (xml_is(child, NS_JINGLE, "content"))
        return read_content(iq, child, why);
    if (xml_is(child, NS_JINGLE, "reason"))
        reason_read(&iq->reason, child);
    else if (xml_is(child, NS_GROUPING, "group"))
        read_group(&iq->bundle, child);
    else if (iq->action == ACTION_SESSION_INFO && iq->info == INFO_NONE)
        return read_info(iq, child, why);
    return true;
}

/* XEP-0166, 7.2: which actions mean nothing without a content. content-reject is not among them:
 * stanza.js sends it so. */
static bool needs_content(enum jingle_action action)
{
    switch (action) {
    case ACTION_CONTENT_REJECT:
    case ACTION_SESSION_INFO:
    case ACTION_SESSION_TERMINATE:
    case ACTION_SECURITY_INFO:
        return false;
    default:
        return true;
    }
}

static bool needs_transport(enum jingle_action action)
{
    switch (action) {
    case ACTION_CONTENT_ADD:
    case ACTION_SESSION_INITIATE:
    case ACTION_TRANSPORT_ACCEPT:
    case ACTION_TRANSPORT_INFO:
    case ACTION_TRANSPORT_REPLACE:
        return true;
    default:
        return false;
    }
}

static bool is_complete(const struct jingle_iq *iq, const char **why)
{
    *why = "no content";
    if (iq->content_count == 0)
        return !needs_content(iq->action);
    for (size_t i = 0; i < iq->content_count; i++) {
        *why = "a content without a transport";
        if (needs_transport(iq->action) && iq->contents[i].transport == TRANSPORT_NONE)
            return false;
        *why = "a content without a description";
        if (needs_description(iq->action) && iq->contents[i].application == APPLICATION_NONE)
            return false;
    }
    return true;
}

static bool read_jingle(struct jingle_iq *iq, const xml_node *jingle, const char **why)
{
    const char *sid = xml_attribute(jingle, "sid");
    const char *initiator = xml_attribute(jingle, "initiator");
    const char *responder = xml_attribute(jingle, "responder");

    memset(iq, 0, sizeof(*iq));
    *why = "no sid";
    if (!is_usable(sid))
        return false;
    *why = "an unknown action";
    if (!read_action(&iq->action, xml_attribute(jingle, "action")))
        return false;
    iq->sid = g_strdup(sid);
    iq->initiator = initiator == NULL ? NULL : g_strndup(initiator, 4 * JINGLE_STRING_MAX);
    iq->responder = responder == NULL ? NULL : g_strndup(responder, 4 * JINGLE_STRING_MAX);
    XML_EACH (child, jingle) {
        if (!read_child(iq, child, why))
            return false;
    }
    return is_complete(iq, why);
}

bool jingle_iq_read(struct jingle_iq *iq, const xml_node *jingle, struct stanza_error *error)
{
    const char *why = "";

    if (read_jingle(iq, jingle, &why))
        return true;
    *error = stanza_error_make(STANZA_BAD_REQUEST, JINGLE_CONDITION_NONE, why);
    jingle_iq_clear(iq);
    return false;
}

/* ------------------------------------------------------------------------------- writing -- */

static void write_content(const struct jingle_content *content, xml_node *jingle)
{
    xml_node *node = xml_add(jingle, NULL, "content");

    xml_set(node, "creator", creators[content->creator]);
    xml_set(node, "name", content->name);
    if (content->has_senders)
        xml_set(node, "senders", senders_name(content->senders));
    xml_set(node, "disposition", content->disposition);
    if (content->application == APPLICATION_RTP)
        rtp_description_write(&content->rtp, node);
    if (content->application == APPLICATION_FILE)
        file_description_write(&content->file, node);
    if (content->transport == TRANSPORT_ICE_UDP)
        ice_udp_write(&content->ice, node);
    else if (content->transport == TRANSPORT_S5B)
        s5b_write(&content->s5b, node);
    else if (content->transport == TRANSPORT_IBB)
        ibb_transport_write(&content->ibb, node);
    else if (content->transport_ns != NULL)
        xml_add(node, content->transport_ns, "transport");
}

static void write_group(const struct jingle_group *group, xml_node *jingle)
{
    if (group->count == 0)
        return;
    xml_node *node = xml_add(jingle, NS_GROUPING, "group");
    xml_set(node, "semantics", "BUNDLE");
    for (size_t i = 0; i < group->count; i++)
        xml_set(xml_add(node, NULL, "content"), "name", group->names[i]);
}

static void write_info(const struct jingle_iq *iq, xml_node *jingle)
{
    if (iq->info == INFO_NONE || iq->info == INFO_UNKNOWN)
        return;
    xml_node *node = xml_add(jingle, info_ns(iq->info), infos[iq->info]);
    if (iq->info_name != NULL) {
        xml_set(node, "creator", creators[iq->info_creator]);
        xml_set(node, "name", iq->info_name);
    }
    if (iq->info == INFO_CHECKSUM)
        file_checksum_write(&iq->checksum, node);
}

xml_node *jingle_iq_write(const struct jingle_iq *iq, xml_node *stanza)
{
    xml_node *node = xml_add(stanza, NS_JINGLE, "jingle");

    xml_set(node, "action", actions[iq->action]);
    xml_set(node, "sid", iq->sid);
    xml_set(node, "initiator", iq->initiator);
    xml_set(node, "responder", iq->responder);
    write_group(&iq->bundle, node);
    for (size_t i = 0; i < iq->content_count; i++)
        write_content(&iq->contents[i], node);
    write_info(iq, node);
    reason_write(&iq->reason, node);
    return node;
}
