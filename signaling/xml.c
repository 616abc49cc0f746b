#include "signaling/xml.h"

#include <glib.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The document is the owner: struct xml is libxml2's, under a name of ours. */
static struct xml *from_doc(xmlDoc *doc)
{
    return (struct xml *)doc;
}

static xmlDoc *to_doc(const struct xml *xml)
{
    return (xmlDoc *)xml;
}

/* libxml2 makes its global state when it is first used, which two threads may not do at once. */
static void library_prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, xmlInitParser);
}

/* RFC 6120, 11.1: a DTD is not allowed. Stopping at its first line also stops entity bombs. */
static void refuse_dtd(void *context, const xmlChar *name, const xmlChar *external_id,
                       const xmlChar *system_id)
{
    xmlParserCtxt *parser = context;

    (void)name;
    (void)external_id;
    (void)system_id;
    xmlStopParser(parser);
    parser->wellFormed = 0;
}

/* libxml2 compares each attribute of an element with all before it: 26,000 of them took 0.6 s. So
 * they are counted first. A '<' can stand in no attribute, so that each begins anew. */
static bool has_too_many_attributes(const char *text, size_t bytes)
{
    unsigned count = 0;
    bool in_tag = false;
    char quote = '\0';

    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];
        if (c == '<') {
            in_tag = true;
            quote = '\0';
            count = 0;
        } else if (quote != '\0') {
            quote = c == quote ? '\0' : quote;
        } else if (in_tag && (c == '"' || c == '\'')) {
            quote = c;
        } else if (in_tag && c == '>') {
            in_tag = false;
        } else if (in_tag && c == '=' && ++count > XML_ATTRIBUTES_MAX) {
            return true;
        }
    }
    return false;
}

/* libxml2 writes a namespace as it stands, so an ampersand in one that we echo would end our
 * stream. (Other special characters are no part of a URI and refused by the parser.) */
static void escape_namespaces(xmlNode *element)
{
    for (xmlNs *ns = element->nsDef; ns != NULL; ns = ns->next) {
        if (ns->href == NULL || strchr((const char *)ns->href, '&') == NULL)
            continue;
        xmlChar *escaped = xmlEncodeSpecialChars(element->doc, ns->href);
        xmlFree((xmlChar *)ns->href);
        ns->href = escaped;
    }
    for (xmlNode *child = element->children; child != NULL; child = child->next) {
        if (child->type == XML_ELEMENT_NODE)
            escape_namespaces(child);
    }
}

struct xml *xml_parse(const char *text, size_t bytes)
{
    static const int options = XML_PARSE_NOENT | XML_PARSE_NONET | XML_PARSE_NOERROR |
                               XML_PARSE_NOWARNING | XML_PARSE_NOCDATA;

    if (text == NULL || bytes == 0 || bytes > XML_BYTES_MAX || has_too_many_attributes(text, bytes))
        return NULL;
    library_prepare();
    xmlParserCtxt *parser = xmlNewParserCtxt();
    if (parser == NULL)
        return NULL;
    parser->sax->internalSubset = refuse_dtd;
    xmlDoc *doc = xmlCtxtReadMemory(parser, text, (int)bytes, NULL, "UTF-8", options);
    if (doc != NULL && (!parser->nsWellFormed || xmlDocGetRootElement(doc) == NULL)) {
        xmlFreeDoc(doc);
        doc = NULL;
    }
    xmlFreeParserCtxt(parser);
    if (doc != NULL)
        escape_namespaces(xmlDocGetRootElement(doc));
    return from_doc(doc);
}

static xmlDoc *empty_doc(void)
{
    library_prepare();
    xmlDoc *doc = xmlNewDoc(BAD_CAST "1.0");

    if (doc == NULL)
        abort();
    /* Otherwise everything beyond ASCII would be written as a character reference. */
    doc->encoding = xmlStrdup(BAD_CAST "UTF-8");
    return doc;
}

struct xml *xml_new(const char *ns, const char *name)
{
    xmlDoc *doc = empty_doc();
    xmlNode *root = xmlNewDocNode(doc, NULL, BAD_CAST name, NULL);

    xmlDocSetRootElement(doc, root);
    if (ns != NULL && *ns != '\0')
        xmlSetNs(root, xmlNewNs(root, BAD_CAST ns, NULL));
    return from_doc(doc);
}

struct xml *xml_copy(const xml_node *node)
{
    xmlDoc *doc = empty_doc();

    xmlDocSetRootElement(doc, xmlDocCopyNode((xml_node *)node, doc, 1));
    return from_doc(doc);
}

void xml_free(struct xml *xml)
{
    if (xml != NULL)
        xmlFreeDoc(to_doc(xml));
}

xml_node *xml_root(const struct xml *xml)
{
    return xml == NULL ? NULL : xmlDocGetRootElement(to_doc(xml));
}

const char *xml_name(const xml_node *node)
{
    return (const char *)node->name;
}

const char *xml_ns(const xml_node *node)
{
    return node->ns == NULL || node->ns->href == NULL ? "" : (const char *)node->ns->href;
}

bool xml_is(const xml_node *node, const char *ns, const char *name)
{
    return node != NULL && strcmp(xml_name(node), name) == 0 && strcmp(xml_ns(node), ns) == 0;
}

const char *xml_attribute(const xml_node *node, const char *name)
{
    for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
        if (attr->ns != NULL || strcmp((const char *)attr->name, name) != 0)
            continue;
        /* With entities replaced, a value is one text node or, when empty, none. */
        if (attr->children == NULL || attr->children->content == NULL)
            return "";
        return (const char *)attr->children->content;
    }
    return NULL;
}

bool xml_attribute_number(const xml_node *node, const char *name, uint64_t max, uint64_t *out)
{
    const char *text = xml_attribute(node, name);
    uint64_t value = 0;

    if (text == NULL || *text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        unsigned digit = (unsigned)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value > max)
        return false;
    *out = value;
    return true;
}

bool xml_attribute_flag(const xml_node *node, const char *name)
{
    const char *text = xml_attribute(node, name);

    return text != NULL && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

char *xml_text(const xml_node *node)
{
    GString *text = g_string_new(NULL);

    for (const xmlNode *child = node->children; child != NULL; child = child->next) {
        bool is_text = child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE;
        if (is_text && child->content != NULL)
            g_string_append(text, (const char *)child->content);
    }
    return g_strstrip(g_string_free(text, FALSE));
}

static xml_node *element_from(xmlNode *node)
{
    while (node != NULL && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return node;
}

xml_node *xml_first(const xml_node *node)
{
    return node == NULL ? NULL : element_from(node->children);
}

xml_node *xml_next(const xml_node *node)
{
    return element_from(node->next);
}

xml_node *xml_child(const xml_node *node, const char *ns, const char *name)
{
    xml_node *child = xml_first(node);

    while (child != NULL && !xml_is(child, ns, name))
        child = xml_next(child);
    return child;
}

xml_node *xml_add(xml_node *parent, const char *ns, const char *name)
{
    xmlNode *node = xmlNewDocNode(parent->doc, NULL, BAD_CAST name, NULL);

    xmlAddChild(parent, node);
    if (ns == NULL || strcmp(ns, xml_ns(parent)) == 0)
        xmlSetNs(node, parent->ns);
    else
        xmlSetNs(node, xmlNewNs(node, BAD_CAST ns, NULL));
    return node;
}

xml_node *xml_add_text(xml_node *parent, const char *ns, const char *name, const char *text)
{
    xml_node *node = xml_add(parent, ns, name);

    xml_set_text(node, text);
    return node;
}

xml_node *xml_add_copy(xml_node *parent, const xml_node *node)
{
    return xmlAddChild(parent, xmlDocCopyNode((xml_node *)node, parent->doc, 1));
}

static bool is_allowed(gunichar c)
{
    return c >= 0x20 ? c != 0xfffe && c != 0xffff : c == '\t' || c == '\n' || c == '\r';
}

/* XML 1.0, 2.2: one character that is not allowed would end our stream. */
static char *allowed_text(const char *text)
{
    char *valid = g_utf8_make_valid(text, -1);
    GString *out = g_string_sized_new(strlen(valid));

    for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        g_string_append_unichar(out, is_allowed(c) ? c : 0xfffd);
    }
    g_free(valid);
    return g_string_free(out, FALSE);
}

void xml_set(xml_node *node, const char *name, const char *value)
{
    if (value == NULL)
        return;
    char *text = allowed_text(value);
    xmlSetProp(node, BAD_CAST name, BAD_CAST text);
    g_free(text);
}

void xml_set_number(xml_node *node, const char *name, uint64_t value)
{
    char text[24];

    g_snprintf(text, sizeof(text), "%" G_GUINT64_FORMAT, (guint64)value);
    xmlSetProp(node, BAD_CAST name, BAD_CAST text);
}

void xml_set_text(xml_node *node, const char *text)
{
    if (text == NULL)
        return;
    char *allowed = allowed_text(text);
    xmlAddChild(node, xmlNewDocText(node->doc, BAD_CAST allowed));
    g_free(allowed);
}

static void digest_text(GChecksum *sum, const char *text)
{
    g_checksum_update(sum, (const guchar *)text, (gssize)strlen(text) + 1);
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void digest_attributes(GChecksum *sum, const xmlNode *node)
{
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);

    for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
        xmlChar *value = xmlNodeListGetString(node->doc, attr->children, 1);
        const char *ns = attr->ns == NULL ? "" : (const char *)attr->ns->href;
        g_ptr_array_add(texts, g_strdup_printf("%s %s=%s", ns, attr->name,
                                               value == NULL ? "" : (const char *)value));
        xmlFree(value);
    }
    g_ptr_array_sort(texts, compare_text);
    for (guint i = 0; i < texts->len; i++)
        digest_text(sum, texts->pdata[i]);
    g_ptr_array_free(texts, TRUE);
}

static void digest(GChecksum *sum, const xmlNode *node)
{
    digest_text(sum, "<");
    digest_text(sum, xml_ns(node));
    digest_text(sum, xml_name(node));
    digest_attributes(sum, node);
    for (const xmlNode *child = node->children; child != NULL; child = child->next) {
        if (child->type == XML_ELEMENT_NODE)
            digest(sum, child);
        else if (child->type == XML_TEXT_NODE && child->content != NULL)
            digest_text(sum, (const char *)child->content);
    }
    digest_text(sum, ">");
}

char *xml_digest(const xml_node *node)
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);

    digest(sum, node);
    char *text = g_strdup(g_checksum_get_string(sum));
    g_checksum_free(sum);
    return text;
}

char *xml_to_string(const xml_node *node)
{
    xmlBuffer *buffer = xmlBufferCreate();

    if (buffer == NULL || xmlNodeDump(buffer, node->doc, (xml_node *)node, 0, 0) < 0)
        abort();
    char *text = g_strdup((const char *)xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    return text;
}
