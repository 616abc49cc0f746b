#include "signaling/rtp_description.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/ns.h"

/* A string that is short enough to keep. */
static bool is_usable(const char *text)
{
    return text != NULL && strnlen(text, RTP_STRING_MAX + 1) <= RTP_STRING_MAX;
}

static unsigned number_or(const xml_node *node, const char *name, uint64_t max, unsigned fallback)
{
    uint64_t value = 0;

    return xml_attribute_number(node, name, max, &value) ? (unsigned)value : fallback;
}

/* ------------------------------------------------------------------------- owning memory -- */

static void parameters_clear(struct rtp_parameters *parameters)
{
    for (size_t i = 0; i < parameters->count; i++) {
        g_free(parameters->items[i].name);
        g_free(parameters->items[i].value);
    }
    g_free(parameters->items);
    *parameters = (struct rtp_parameters){0};
}

static void feedbacks_clear(struct rtcp_feedbacks *feedback)
{
    for (size_t i = 0; i < feedback->count; i++) {
        g_free(feedback->items[i].type);
        g_free(feedback->items[i].subtype);
    }
    g_free(feedback->items);
    *feedback = (struct rtcp_feedbacks){.trr_int = -1};
}

void rtp_description_init(struct rtp_description *description, const char *media)
{
    *description = (struct rtp_description){
        .media = g_strdup(media),
        .feedback = {.trr_int = -1},
    };
}

static void payload_type_clear(struct rtp_payload_type *payload_type)
{
    g_free(payload_type->name);
    parameters_clear(&payload_type->parameters);
    feedbacks_clear(&payload_type->feedback);
}

void rtp_description_clear(struct rtp_description *description)
{
    for (size_t i = 0; i < description->payload_type_count; i++)
        payload_type_clear(&description->payload_types[i]);
    for (size_t i = 0; i < description->hdrext_count; i++)
        g_free(description->hdrexts[i].uri);
    for (size_t i = 0; i < description->source_count; i++)
        parameters_clear(&description->sources[i].parameters);
    for (size_t i = 0; i < description->group_count; i++) {
        g_free(description->groups[i].semantics);
        g_free(description->groups[i].ssrcs);
    }
    g_free(description->payload_types);
    g_free(description->hdrexts);
    g_free(description->sources);
    g_free(description->groups);
    g_free(description->media);
    feedbacks_clear(&description->feedback);
    memset(description, 0, sizeof(*description));
}

static void parameters_copy(struct rtp_parameters *to, const struct rtp_parameters *from)
{
    for (size_t i = 0; i < from->count; i++)
        rtp_parameters_add(to, from->items[i].name, from->items[i].value);
}

static void feedbacks_copy(struct rtcp_feedbacks *to, const struct rtcp_feedbacks *from)
{
    for (size_t i = 0; i < from->count; i++)
        rtcp_feedbacks_add(to, from->items[i].type, from->items[i].subtype);
    to->trr_int = from->trr_int;
}

static struct rtp_source *add_source(struct rtp_description *description, uint32_t ssrc)
{
    description->sources =
        g_renew(struct rtp_source, description->sources, description->source_count + 1);
    struct rtp_source *source = &description->sources[description->source_count++];
    *source = (struct rtp_source){.ssrc = ssrc};
    return source;
}

static struct rtp_source_group *add_group(struct rtp_description *description,
                                          const char *semantics)
{
    description->groups =
        g_renew(struct rtp_source_group, description->groups, description->group_count + 1);
    struct rtp_source_group *group = &description->groups[description->group_count++];
    *group = (struct rtp_source_group){.semantics = g_strdup(semantics)};
    return group;
}

void rtp_description_copy(struct rtp_description *to, const struct rtp_description *from)
{
    rtp_description_init(to, from->media);
    to->has_ssrc = from->has_ssrc;
    to->ssrc = from->ssrc;
    to->rtcp_mux = from->rtcp_mux;
    to->rtcp_reduced_size = from->rtcp_reduced_size;
    to->encryption = from->encryption;
    feedbacks_copy(&to->feedback, &from->feedback);
    for (size_t i = 0; i < from->payload_type_count; i++)
        rtp_description_add_copy(to, &from->payload_types[i]);
    for (size_t i = 0; i < from->hdrext_count; i++) {
        const struct rtp_hdrext *hdrext = &from->hdrexts[i];
        rtp_description_add_hdrext(to, hdrext->id, hdrext->uri, hdrext->senders);
    }
    for (size_t i = 0; i < from->source_count; i++)
        parameters_copy(&add_source(to, from->sources[i].ssrc)->parameters,
                        &from->sources[i].parameters);
    for (size_t i = 0; i < from->group_count; i++) {
        struct rtp_source_group *group = add_group(to, from->groups[i].semantics);
        group->count = from->groups[i].count;
        group->ssrcs = g_memdup2(from->groups[i].ssrcs, group->count * sizeof(uint32_t));
    }
}

/* ------------------------------------------------------------------------------ building -- */

void rtp_parameters_add(struct rtp_parameters *parameters, const char *name, const char *value)
{
    parameters->items = g_renew(struct rtp_parameter, parameters->items, parameters->count + 1);
    parameters->items[parameters->count++] = (struct rtp_parameter){
        .name = g_strdup(name),
        .value = g_strdup(value),
    };
}

void rtcp_feedbacks_add(struct rtcp_feedbacks *feedback, const char *type, const char *subtype)
{
    feedback->items = g_renew(struct rtp_feedback, feedback->items, feedback->count + 1);
    feedback->items[feedback->count++] = (struct rtp_feedback){
        .type = g_strdup(type),
        .subtype = g_strdup(subtype),
    };
}

struct rtp_payload_type *rtp_description_add(struct rtp_description *description, uint8_t id,
                                             const char *name, uint32_t clockrate,
                                             unsigned channels)
{
    description->payload_types = g_renew(struct rtp_payload_type, description->payload_types,
                                         description->payload_type_count + 1);
    struct rtp_payload_type *added = &description->payload_types[description->payload_type_count++];
    *added = (struct rtp_payload_type){
        .id = id,
        .name = g_strdup(name),
        .clockrate = clockrate,
        .channels = channels,
        .feedback = {.trr_int = -1},
    };
    return added;
}

void rtp_description_add_copy(struct rtp_description *description,
                              const struct rtp_payload_type *payload_type)
{
    struct rtp_payload_type *added =
        rtp_description_add(description, payload_type->id, payload_type->name,
                            payload_type->clockrate, payload_type->channels);

    added->ptime = payload_type->ptime;
    added->maxptime = payload_type->maxptime;
    parameters_copy(&added->parameters, &payload_type->parameters);
    feedbacks_copy(&added->feedback, &payload_type->feedback);
}

void rtp_description_strip(struct rtp_description *description)
{
    struct rtp_description bare;

    rtp_description_init(&bare, description->media);
    for (size_t i = 0; i < description->payload_type_count; i++) {
        const struct rtp_payload_type *payload_type = &description->payload_types[i];
        rtp_description_add(&bare, payload_type->id, payload_type->name, payload_type->clockrate,
                            payload_type->channels);
    }
    rtp_description_clear(description);
    *description = bare;
}

void rtp_description_add_hdrext(struct rtp_description *description, unsigned id, const char *uri,
                                enum senders senders)
{
    description->hdrexts =
        g_renew(struct rtp_hdrext, description->hdrexts, description->hdrext_count + 1);
    description->hdrexts[description->hdrext_count++] = (struct rtp_hdrext){
        .id = id,
        .uri = g_strdup(uri),
        .senders = senders,
    };
}

void rtp_description_add_source(struct rtp_description *description, uint32_t ssrc,
                                const char *cname)
{
    rtp_parameters_add(&add_source(description, ssrc)->parameters, "cname", cname);
}

void rtp_description_add_group(struct rtp_description *description, const char *semantics,
                               const uint32_t *ssrcs, size_t count)
{
    struct rtp_source_group *group = add_group(description, semantics);

    group->ssrcs = g_memdup2(ssrcs, count * sizeof(uint32_t));
    group->count = count;
}

/* ------------------------------------------------------------------------------- reading -- */

static void read_parameter(struct rtp_parameters *parameters, const xml_node *node)
{
    const char *name = xml_attribute(node, "name");
    const char *value = xml_attribute(node, "value");

    if (parameters->count >= RTP_PARAMETERS_MAX || !is_usable(name) || *name == '\0')
        return;
    if (value == NULL || is_usable(value))
        rtp_parameters_add(parameters, name, value);
}

static void read_feedback(struct rtcp_feedbacks *feedback, const xml_node *node)
{
    const char *type = xml_attribute(node, "type");
    const char *subtype = xml_attribute(node, "subtype");

    if (feedback->count >= RTP_FEEDBACK_MAX || !is_usable(type) || *type == '\0')
        return;
    if (subtype == NULL || is_usable(subtype))
        rtcp_feedbacks_add(feedback, type, subtype);
}

/* False if it is neither <rtcp-fb/> nor <rtcp-fb-trr-int/>. */
static bool read_any_feedback(struct rtcp_feedbacks *feedback, const xml_node *node)
{
    if (xml_is(node, NS_RTCP_FB, "rtcp-fb"))
        read_feedback(feedback, node);
    else if (xml_is(node, NS_RTCP_FB, "rtcp-fb-trr-int"))
        feedback->trr_int = (int)number_or(node, "value", INT32_MAX, (unsigned)-1);
    else
        return false;
    return true;
}

static void read_payload_type(struct rtp_description *description, const xml_node *node)
{
    uint64_t id = 0;
    const char *name = xml_attribute(node, "name");

    if (description->payload_type_count >= RTP_PAYLOAD_TYPES_MAX)
        return;
    if (!xml_attribute_number(node, "id", 127, &id) || (name != NULL && !is_usable(name)))
        return;
    if (rtp_description_find(description, (uint8_t)id) != NULL)
        return;
    unsigned channels = number_or(node, "channels", 255, 1);
    struct rtp_payload_type *added =
        rtp_description_add(description, (uint8_t)id, name == NULL ? "" : name,
                            number_or(node, "clockrate", UINT32_MAX, 0), MAX(channels, 1));
    added->ptime = number_or(node, "ptime", 10000, 0);
    added->maxptime = number_or(node, "maxptime", 10000, 0);
    XML_EACH (child, node) {
        if (xml_is(child, NS_RTP, "parameter"))
            read_parameter(&added->parameters, child);
        else
            read_any_feedback(&added->feedback, child);
    }
}

static void read_hdrext(struct rtp_description *description, const xml_node *node)
{
    uint64_t id = 0;
    const char *uri = xml_attribute(node, "uri");
    enum senders senders;

    if (description->hdrext_count >= RTP_HDREXT_MAX || !is_usable(uri) || *uri == '\0')
        return;
    if (!xml_attribute_number(node, "id", 255, &id) || id == 0)
        return;
    if (senders_parse(xml_attribute(node, "senders"), &senders))
        rtp_description_add_hdrext(description, (unsigned)id, uri, senders);
}

static void read_source(struct rtp_description *description, const xml_node *node)
{
    uint64_t ssrc = 0;

    if (description->source_count >= RTP_SOURCES_MAX)
        return;
    if (!xml_attribute_number(node, "ssrc", UINT32_MAX, &ssrc))
        return;
    struct rtp_source *source = add_source(description, (uint32_t)ssrc);
    XML_EACH (child, node) {
        if (xml_is(child, NS_SSMA, "parameter"))
            read_parameter(&source->parameters, child);
    }
}

static void read_source_group(struct rtp_description *description, const xml_node *node)
{
    const char *semantics = xml_attribute(node, "semantics");
    uint64_t ssrc = 0;

    if (description->group_count >= RTP_GROUPS_MAX || !is_usable(semantics))
        return;
    struct rtp_source_group *group = add_group(description, semantics);
    XML_EACH (child, node) {
        if (group->count >= RTP_SOURCES_MAX || !xml_is(child, NS_SSMA, "source"))
            continue;
        if (!xml_attribute_number(child, "ssrc", UINT32_MAX, &ssrc))
            continue;
        group->ssrcs = g_renew(uint32_t, group->ssrcs, group->count + 1);
        group->ssrcs[group->count++] = (uint32_t)ssrc;
    }
}

static void read_child(struct rtp_description *description, const xml_node *child)
{
    if (xml_is(child, NS_RTP, "payload-type"))
        read_payload_type(description, child);
    else if (xml_is(child, NS_RTP, "rtcp-mux"))
        description->rtcp_mux = true;
    else if (xml_is(child, NS_RTP, "rtcp-reduced-size"))
        description->rtcp_reduced_size = true;
    else if (xml_is(child, NS_RTP, "encryption"))
        description->encryption = true;
    else if (xml_is(child, NS_RTP_HDREXT, "rtp-hdrext"))
        read_hdrext(description, child);
    else if (xml_is(child, NS_SSMA, "source"))
        read_source(description, child);
    else if (xml_is(child, NS_SSMA, "ssrc-group"))
        read_source_group(description, child);
    else
        read_any_feedback(&description->feedback, child);
}

bool rtp_description_read(struct rtp_description *description, const xml_node *node,
                          const char **why)
{
    const char *media = xml_attribute(node, "media");
    uint64_t ssrc = 0;

    memset(description, 0, sizeof(*description));
    if (!is_usable(media) || *media == '\0') {
        *why = "an RTP description without media";
        return false;
    }
    rtp_description_init(description, media);
    description->has_ssrc = xml_attribute_number(node, "ssrc", UINT32_MAX, &ssrc);
    description->ssrc = (uint32_t)ssrc;
    XML_EACH (child, node) {
        read_child(description, child);
    }
    return true;
}

/* ------------------------------------------------------------------------------- writing -- */

static void write_parameters(const struct rtp_parameters *parameters, xml_node *node)
{
    for (size_t i = 0; i < parameters->count; i++) {
        xml_node *child = xml_add(node, NULL, "parameter");
        xml_set(child, "name", parameters->items[i].name);
        xml_set(child, "value", parameters->items[i].value);
    }
}

static void write_feedback(const struct rtcp_feedbacks *feedback, xml_node *node)
{
    for (size_t i = 0; i < feedback->count; i++) {
        xml_node *child = xml_add(node, NS_RTCP_FB, "rtcp-fb");
        xml_set(child, "type", feedback->items[i].type);
        xml_set(child, "subtype", feedback->items[i].subtype);
    }
    if (feedback->trr_int >= 0)
        xml_set_number(xml_add(node, NS_RTCP_FB, "rtcp-fb-trr-int"), "value",
                       (uint64_t)feedback->trr_int);
}

static void write_payload_type(const struct rtp_payload_type *payload_type, xml_node *description)
{
    xml_node *node = xml_add(description, NULL, "payload-type");

    xml_set_number(node, "id", payload_type->id);
    if (*payload_type->name != '\0')
        xml_set(node, "name", payload_type->name);
    if (payload_type->clockrate != 0)
        xml_set_number(node, "clockrate", payload_type->clockrate);
    if (payload_type->channels > 1)
        xml_set_number(node, "channels", payload_type->channels);
    if (payload_type->ptime != 0)
        xml_set_number(node, "ptime", payload_type->ptime);
    if (payload_type->maxptime != 0)
        xml_set_number(node, "maxptime", payload_type->maxptime);
    write_parameters(&payload_type->parameters, node);
    write_feedback(&payload_type->feedback, node);
}

static void write_sources(const struct rtp_description *description, xml_node *node)
{
    for (size_t i = 0; i < description->source_count; i++) {
        xml_node *child = xml_add(node, NS_SSMA, "source");
        xml_set_number(child, "ssrc", description->sources[i].ssrc);
        write_parameters(&description->sources[i].parameters, child);
    }
    for (size_t i = 0; i < description->group_count; i++) {
        xml_node *child = xml_add(node, NS_SSMA, "ssrc-group");
        xml_set(child, "semantics", description->groups[i].semantics);
        for (size_t j = 0; j < description->groups[i].count; j++)
            xml_set_number(xml_add(child, NULL, "source"), "ssrc", description->groups[i].ssrcs[j]);
    }
}

xml_node *rtp_description_write(const struct rtp_description *description, xml_node *content)
{
    xml_node *node = xml_add(content, NS_RTP, "description");

    xml_set(node, "media", description->media);
    if (description->has_ssrc)
        xml_set_number(node, "ssrc", description->ssrc);
    for (size_t i = 0; i < description->payload_type_count; i++)
        write_payload_type(&description->payload_types[i], node);
    write_feedback(&description->feedback, node);
    for (size_t i = 0; i < description->hdrext_count; i++) {
        const struct rtp_hdrext *hdrext = &description->hdrexts[i];
        xml_node *child = xml_add(node, NS_RTP_HDREXT, "rtp-hdrext");
        xml_set_number(child, "id", hdrext->id);
        xml_set(child, "uri", hdrext->uri);
        if (hdrext->senders != SENDERS_BOTH)
            xml_set(child, "senders", senders_name(hdrext->senders));
    }
    write_sources(description, node);
    if (description->rtcp_mux)
        xml_add(node, NULL, "rtcp-mux");
    if (description->rtcp_reduced_size)
        xml_add(node, NULL, "rtcp-reduced-size");
    return node;
}

/* ------------------------------------------------------------------------------- looking -- */

const struct rtp_payload_type *rtp_description_find(const struct rtp_description *description,
                                                    uint8_t id)
{
    for (size_t i = 0; i < description->payload_type_count; i++) {
        if (description->payload_types[i].id == id)
            return &description->payload_types[i];
    }
    return NULL;
}

const struct rtp_hdrext *rtp_description_find_hdrext(const struct rtp_description *description,
                                                     const char *uri)
{
    for (size_t i = 0; i < description->hdrext_count; i++) {
        if (strcmp(description->hdrexts[i].uri, uri) == 0)
            return &description->hdrexts[i];
    }
    return NULL;
}

static bool any_is_true(const struct rtp_parameters *parameters)
{
    for (size_t i = 0; i < parameters->count; i++) {
        if (g_strcmp0(parameters->items[i].value, "true") == 0)
            return true;
    }
    return false;
}

bool rtp_description_is_monals(const struct rtp_description *description)
{
    for (size_t i = 0; i < description->payload_type_count; i++) {
        if (any_is_true(&description->payload_types[i].parameters))
            return true;
    }
    return false;
}

const char *rtp_parameters_get(const struct rtp_parameters *parameters, const char *name)
{
    for (size_t i = 0; i < parameters->count; i++) {
        const struct rtp_parameter *parameter = &parameters->items[i];
        if (g_ascii_strcasecmp(parameter->name, name) == 0)
            return parameter->value == NULL ? "" : parameter->value;
    }
    return NULL;
}

bool rtcp_feedbacks_has(const struct rtcp_feedbacks *feedback, const char *type,
                        const char *subtype)
{
    for (size_t i = 0; i < feedback->count; i++) {
        const struct rtp_feedback *item = &feedback->items[i];
        if (g_ascii_strcasecmp(item->type, type) != 0)
            continue;
        if (g_ascii_strcasecmp(item->subtype == NULL ? "" : item->subtype,
                               subtype == NULL ? "" : subtype) == 0)
            return true;
    }
    return false;
}
