#include "signaling/jid.h"

#include <glib.h>
#include <string.h>

/* Where the parts of a JID are; `user` and `resource` may be NULL. */
struct parts {
    const char *user, *domain, *resource;
    size_t user_bytes, domain_bytes, resource_bytes;
};

/* RFC 7622, 3.2: first the resource is cut at the first slash, then the user at the first '@'. */
static struct parts split(const char *jid)
{
    struct parts parts = {.domain = jid};
    const char *slash = strchr(jid, '/');
    size_t bare = slash == NULL ? strlen(jid) : (size_t)(slash - jid);
    const char *at = memchr(jid, '@', bare);

    if (slash != NULL) {
        parts.resource = slash + 1;
        parts.resource_bytes = strlen(slash + 1);
    }
    if (at != NULL) {
        parts.user = jid;
        parts.user_bytes = (size_t)(at - jid);
        parts.domain = at + 1;
    }
    parts.domain_bytes = bare - (size_t)(parts.domain - jid);
    return parts;
}

static bool part_is_valid(const char *part, size_t bytes, const char *forbidden)
{
    if (bytes == 0 || bytes > JID_PART_MAX || !g_utf8_validate(part, (gssize)bytes, NULL))
        return false;
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)part[i];
        if (c < 0x20 || c == 0x7f || strchr(forbidden, c) != NULL)
            return false;
    }
    return true;
}

bool jid_is_valid(const char *jid)
{
    if (jid == NULL || strnlen(jid, JID_MAX + 1) > JID_MAX)
        return false;
    struct parts parts = split(jid);
    if (!part_is_valid(parts.domain, parts.domain_bytes, " \"&'/<>@"))
        return false;
    if (parts.user != NULL && !part_is_valid(parts.user, parts.user_bytes, " \"&'/:<>@"))
        return false;
    return parts.resource == NULL || part_is_valid(parts.resource, parts.resource_bytes, "");
}

bool jid_is_full(const char *jid)
{
    return jid_is_valid(jid) && strchr(jid, '/') != NULL;
}

bool jid_is_device(const char *jid)
{
    return jid_is_full(jid) || (jid_is_valid(jid) && strchr(jid, '@') != NULL);
}

char *jid_bare(const char *jid)
{
    return g_strndup(jid, strcspn(jid, "/"));
}

const char *jid_resource(const char *jid)
{
    return split(jid).resource;
}

char *jid_user(const char *jid)
{
    struct parts parts = split(jid);

    return parts.user == NULL ? NULL : g_strndup(parts.user, parts.user_bytes);
}

char *jid_domain(const char *jid)
{
    struct parts parts = split(jid);

    return g_strndup(parts.domain, parts.domain_bytes);
}

char *jid_join(const char *bare, const char *resource)
{
    if (resource == NULL || *resource == '\0')
        return g_strdup(bare);
    return g_strdup_printf("%s/%s", bare, resource);
}

/* Broken UTF-8 is no reason to crash: such a JID is compared as it is. */
static char *fold(const char *text, size_t bytes)
{
    if (!g_utf8_validate(text, (gssize)bytes, NULL))
        return g_strndup(text, bytes);
    return g_utf8_casefold(text, (gssize)bytes);
}

char *jid_fold(const char *jid)
{
    size_t bare_bytes = strcspn(jid, "/");
    char *bare = fold(jid, bare_bytes);
    char *folded = g_strconcat(bare, jid + bare_bytes, NULL);

    g_free(bare);
    return folded;
}

char *jid_fold_bare(const char *jid)
{
    return fold(jid, strcspn(jid, "/"));
}

bool jid_equal_bare(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return false;
    char *folded_a = fold(a, strcspn(a, "/"));
    char *folded_b = fold(b, strcspn(b, "/"));
    bool equal = strcmp(folded_a, folded_b) == 0;

    g_free(folded_a);
    g_free(folded_b);
    return equal;
}

bool jid_equal(const char *a, const char *b)
{
    if (!jid_equal_bare(a, b))
        return false;
    const char *resource_a = jid_resource(a);
    const char *resource_b = jid_resource(b);
    if (resource_a == NULL || resource_b == NULL)
        return resource_a == resource_b;
    return strcmp(resource_a, resource_b) == 0;
}

/* XEP-0106, 4.2: what a user part cannot have, and the backslash that escapes it. */
static const char escaped[] = " \"&'/:<>@\\";

static bool begins_escape(const char *text)
{
    if (text[0] != '\\' || !g_ascii_isxdigit(text[1]) || !g_ascii_isxdigit(text[2]))
        return false;
    int value = g_ascii_xdigit_value(text[1]) * 16 + g_ascii_xdigit_value(text[2]);
    return strchr(escaped, value) != NULL && value != '\0';
}

/* A backslash is itself unless it would be read as the beginning of an escape. */
static char *escape(const char *user)
{
    GString *out = g_string_new(NULL);
    for (const char *at = user; *at; at++) {
        bool special = *at == '\\' ? begins_escape(at) : strchr(escaped, *at) != NULL;
        if (special)
            g_string_append_printf(out, "\\%02x", (unsigned)*at);
        else
            g_string_append_c(out, *at);
    }
    return g_string_free(out, FALSE);
}

char *jid_from_text(const char *text)
{
    if (text == NULL || strnlen(text, JID_MAX + 1) > JID_MAX)
        return NULL;
    char *typed = g_strstrip(g_strdup(text));
    char *at = strrchr(typed, '@');
    char *jid = NULL;
    if (jid_is_valid(typed)) {
        jid = g_strdup(typed);
    } else if (at != NULL) {
        *at = '\0';
        char *user = escape(g_strstrip(typed));
        jid = g_strdup_printf("%s@%s", user, at + 1);
        g_free(user);
    }
    g_free(typed);
    if (jid != NULL && !jid_is_valid(jid))
        g_clear_pointer(&jid, g_free);
    return jid;
}

char *jid_user_unescaped(const char *jid)
{
    char *user = jid_user(jid);
    if (user == NULL)
        return jid_domain(jid);
    char *to = user;
    for (const char *from = user; *from; to++) {
        bool special = begins_escape(from);
        *to = *from;
        if (special)
            *to = (char)(g_ascii_xdigit_value(from[1]) * 16 + g_ascii_xdigit_value(from[2]));
        from += special ? 3 : 1;
    }
    *to = '\0';
    return user;
}
