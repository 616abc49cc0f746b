#include "signaling/stanza.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/ns.h"

static const char *const kinds[] = {
    [STANZA_IQ] = "iq",
    [STANZA_MESSAGE] = "message",
    [STANZA_PRESENCE] = "presence",
};

static const char *const error_types[] = {
    [STANZA_ERROR_CANCEL] = "cancel",     [STANZA_ERROR_AUTH] = "auth",
    [STANZA_ERROR_CONTINUE] = "continue", [STANZA_ERROR_MODIFY] = "modify",
    [STANZA_ERROR_WAIT] = "wait",
};

/* Each condition's name and the type that RFC 6120 gives it. */
static const struct {
    const char *name;
    enum stanza_error_type type;
} conditions[STANZA_CONDITION_COUNT] = {
    [STANZA_UNKNOWN_CONDITION] = {"undefined-condition", STANZA_ERROR_CANCEL},
    [STANZA_BAD_REQUEST] = {"bad-request", STANZA_ERROR_MODIFY},
    [STANZA_CONFLICT] = {"conflict", STANZA_ERROR_CANCEL},
    [STANZA_FEATURE_NOT_IMPLEMENTED] = {"feature-not-implemented", STANZA_ERROR_CANCEL},
    [STANZA_FORBIDDEN] = {"forbidden", STANZA_ERROR_AUTH},
    [STANZA_GONE] = {"gone", STANZA_ERROR_CANCEL},
    [STANZA_INTERNAL_SERVER_ERROR] = {"internal-server-error", STANZA_ERROR_CANCEL},
    [STANZA_ITEM_NOT_FOUND] = {"item-not-found", STANZA_ERROR_CANCEL},
    [STANZA_JID_MALFORMED] = {"jid-malformed", STANZA_ERROR_MODIFY},
    [STANZA_NOT_ACCEPTABLE] = {"not-acceptable", STANZA_ERROR_MODIFY},
    [STANZA_NOT_ALLOWED] = {"not-allowed", STANZA_ERROR_CANCEL},
    [STANZA_NOT_AUTHORIZED] = {"not-authorized", STANZA_ERROR_AUTH},
    [STANZA_POLICY_VIOLATION] = {"policy-violation", STANZA_ERROR_MODIFY},
    [STANZA_RECIPIENT_UNAVAILABLE] = {"recipient-unavailable", STANZA_ERROR_WAIT},
    [STANZA_REDIRECT] = {"redirect", STANZA_ERROR_MODIFY},
    [STANZA_REGISTRATION_REQUIRED] = {"registration-required", STANZA_ERROR_AUTH},
    [STANZA_REMOTE_SERVER_NOT_FOUND] = {"remote-server-not-found", STANZA_ERROR_CANCEL},
    [STANZA_REMOTE_SERVER_TIMEOUT] = {"remote-server-timeout", STANZA_ERROR_WAIT},
    [STANZA_RESOURCE_CONSTRAINT] = {"resource-constraint", STANZA_ERROR_WAIT},
    [STANZA_SERVICE_UNAVAILABLE] = {"service-unavailable", STANZA_ERROR_CANCEL},
    [STANZA_SUBSCRIPTION_REQUIRED] = {"subscription-required", STANZA_ERROR_AUTH},
    [STANZA_UNDEFINED_CONDITION] = {"undefined-condition", STANZA_ERROR_CANCEL},
    [STANZA_UNEXPECTED_REQUEST] = {"unexpected-request", STANZA_ERROR_WAIT},
};

static const char *const jingle_conditions[JINGLE_CONDITION_COUNT] = {
    [JINGLE_CONDITION_NONE] = "",
    [JINGLE_OUT_OF_ORDER] = "out-of-order",
    [JINGLE_TIE_BREAK] = "tie-break",
    [JINGLE_UNKNOWN_SESSION] = "unknown-session",
    [JINGLE_UNSUPPORTED_INFO] = "unsupported-info",
    [JINGLE_SECURITY_REQUIRED] = "security-required",
};

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

static bool is_stanza_ns(const char *ns)
{
    return *ns == '\0' || strcmp(ns, NS_CLIENT) == 0;
}

bool stanza_read(struct stanza *stanza, const xml_node *node)
{
    if (node == NULL || !is_stanza_ns(xml_ns(node)))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(xml_name(node), kinds[i]) != 0)
            continue;
        *stanza = (struct stanza){
            .kind = (enum stanza_kind)i,
            .type = or_empty(xml_attribute(node, "type")),
            .id = or_empty(xml_attribute(node, "id")),
            .from = xml_attribute(node, "from"),
            .to = xml_attribute(node, "to"),
            .node = node,
        };
        return true;
    }
    return false;
}

bool stanza_is(const struct stanza *stanza, enum stanza_kind kind, const char *type)
{
    return stanza->kind == kind && strcmp(stanza->type, type) == 0;
}

bool stanza_delay(const struct stanza *stanza, int64_t *when)
{
    const xml_node *delay = xml_child(stanza->node, NS_DELAY, "delay");
    const char *stamp = delay == NULL ? NULL : xml_attribute(delay, "stamp");
    GDateTime *time = stamp == NULL ? NULL : g_date_time_new_from_iso8601(stamp, NULL);

    if (time == NULL)
        return false;
    *when = g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
    g_date_time_unref(time);
    return true;
}

static struct xml *stanza_new(enum stanza_kind kind, const char *type, const char *to,
                              const char *id)
{
    struct xml *xml = xml_new(NS_CLIENT, kinds[kind]);
    xml_node *root = xml_root(xml);

    xml_set(root, "type", type);
    xml_set(root, "to", to);
    xml_set(root, "id", id);
    return xml;
}

struct xml *stanza_iq(const char *type, const char *to, const char *id)
{
    return stanza_new(STANZA_IQ, type, to, id);
}

struct xml *stanza_message(const char *type, const char *to, const char *id)
{
    return stanza_new(STANZA_MESSAGE, type, to, id);
}

struct xml *stanza_presence(const char *type, const char *to)
{
    return stanza_new(STANZA_PRESENCE, type, to, NULL);
}

struct xml *stanza_result(const struct stanza *request)
{
    return stanza_new(STANZA_IQ, "result", request->from, request->id);
}

struct xml *stanza_error_reply(const struct stanza *request, const struct stanza_error *error)
{
    struct xml *xml = stanza_new(request->kind, "error", request->from, request->id);

    stanza_error_write(error, xml_root(xml));
    return xml;
}

struct stanza_error stanza_error_make(enum stanza_condition condition, enum jingle_condition jingle,
                                      const char *text)
{
    struct stanza_error error = {
        .type = conditions[condition].type,
        .condition = condition,
        .jingle = jingle,
    };

    /* XEP-0166, 6.8, has another type here than RFC 6120. */
    if (jingle == JINGLE_UNSUPPORTED_INFO)
        error.type = STANZA_ERROR_MODIFY;
    g_strlcpy(error.text, text, sizeof(error.text));
    return error;
}

static void read_condition(struct stanza_error *error, const char *name)
{
    for (size_t i = 1; i < STANZA_CONDITION_COUNT; i++) {
        if (strcmp(conditions[i].name, name) == 0)
            error->condition = (enum stanza_condition)i;
    }
}

static void read_jingle_condition(struct stanza_error *error, const char *name)
{
    for (size_t i = 1; i < JINGLE_CONDITION_COUNT; i++) {
        if (strcmp(jingle_conditions[i], name) == 0)
            error->jingle = (enum jingle_condition)i;
    }
}

static void read_error_text(struct stanza_error *error, const xml_node *node)
{
    char *text = xml_text(node);
    const char *end = NULL;

    g_strlcpy(error->text, text, sizeof(error->text));
    g_utf8_validate(error->text, -1, &end); /* the cut may be inside a character */
    error->text[end - error->text] = '\0';
    free(text);
}

void stanza_error_read(struct stanza_error *error, const struct stanza *stanza)
{
    const xml_node *node = xml_child(stanza->node, xml_ns(stanza->node), "error");
    const char *type = node == NULL ? NULL : xml_attribute(node, "type");

    memset(error, 0, sizeof(*error));
    for (size_t i = 0; type != NULL && i < G_N_ELEMENTS(error_types); i++) {
        if (strcmp(type, error_types[i]) == 0)
            error->type = (enum stanza_error_type)i;
    }
    XML_EACH (child, node) {
        if (xml_is(child, NS_STANZAS, "text"))
            read_error_text(error, child);
        else if (strcmp(xml_ns(child), NS_STANZAS) == 0)
            read_condition(error, xml_name(child));
        else if (strcmp(xml_ns(child), NS_JINGLE_ERRORS) == 0)
            read_jingle_condition(error, xml_name(child));
    }
}

void stanza_error_write(const struct stanza_error *error, xml_node *stanza)
{
    xml_node *node = xml_add(stanza, NULL, "error");

    xml_set(node, "type", error_types[error->type]);
    xml_add(node, NS_STANZAS, conditions[error->condition].name);
    if (*error->text != '\0')
        xml_add_text(node, NS_STANZAS, "text", error->text);
    if (error->jingle != JINGLE_CONDITION_NONE)
        xml_add(node, NS_JINGLE_ERRORS, jingle_conditions[error->jingle]);
}

const char *stanza_condition_name(enum stanza_condition condition)
{
    return conditions[condition].name;
}

const char *jingle_condition_name(enum jingle_condition condition)
{
    return jingle_conditions[condition];
}
