/* XML of one stanza: reading what came and building what goes (libxml2 inside).
 *
 *     text ── xml_parse() ──▶ struct xml ── xml_root() ──▶ xml_node: readers
 *     xml_new(), xml_add(), xml_set() ──▶ struct xml ── xml_to_string() ──▶ text
 *
 * A struct xml owns its nodes; every node and every string that a reader gives is borrowed from it.
 * Built XML names a namespace only where it differs from the parent's. */
#ifndef JINGLE_SIGNALING_XML_H
#define JINGLE_SIGNALING_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XML_BYTES_MAX      ((size_t)1024 * 1024) /* longer text is refused */
#define XML_ATTRIBUTES_MAX 1000                  /* of one element, namespaces included; the same */

typedef struct _xmlNode xml_node;

struct xml;

/* NULL if it is not one whole element, names a DTD, uses an undeclared prefix, nests deeper than
 * 256 levels or passes one of the limits above. */
struct xml *xml_parse(const char *text, size_t bytes);
struct xml *xml_new(const char *ns, const char *name);
/* A copy of the element and all below it. */
struct xml *xml_copy(const xml_node *node);
void xml_free(struct xml *xml); /* NULL is allowed */
xml_node *xml_root(const struct xml *xml);

const char *xml_name(const xml_node *node);
const char *xml_ns(const xml_node *node); /* "" if it has none; an ampersand is "&amp;" */
bool xml_is(const xml_node *node, const char *ns, const char *name);
/* NULL if it is missing. Only attributes without a prefix are seen. */
const char *xml_attribute(const xml_node *node, const char *name);
/* True and *out if the attribute is there, is nothing but decimal digits and is at most `max`. */
bool xml_attribute_number(const xml_node *node, const char *name, uint64_t max, uint64_t *out);
/* "true" and "1" are true, anything else and nothing are false. */
bool xml_attribute_flag(const xml_node *node, const char *name);
/* The text directly inside the element, without white space at its ends. free() it. */
char *xml_text(const xml_node *node);

xml_node *xml_first(const xml_node *node); /* the first child element, or NULL */
xml_node *xml_next(const xml_node *node);  /* the next sibling element, or NULL */
xml_node *xml_child(const xml_node *node, const char *ns, const char *name);
/* For each child element. NOLINTBEGIN(bugprone-macro-parentheses): `child` is declared here. */
#define XML_EACH(child, parent) \
    for (const xml_node *child = xml_first(parent); child != NULL; child = xml_next(child))
/* NOLINTEND(bugprone-macro-parentheses) */

/* `ns` NULL: that of the parent. */
xml_node *xml_add(xml_node *parent, const char *ns, const char *name);
xml_node *xml_add_text(xml_node *parent, const char *ns, const char *name, const char *text);
/* A copy of `node` becomes the last child. */
xml_node *xml_add_copy(xml_node *parent, const xml_node *node);
/* What XML cannot carry (control characters, broken UTF-8) becomes U+FFFD. NULL sets nothing. */
void xml_set(xml_node *node, const char *name, const char *value);
void xml_set_number(xml_node *node, const char *name, uint64_t value);
void xml_set_text(xml_node *node, const char *text);

/* free() it. */
/* A digest of what the element says, in letters: the same whatever the prefixes and the order of
 * the attributes, which a server may change. g_free() it. */
char *xml_digest(const xml_node *node);
char *xml_to_string(const xml_node *node);

#endif
