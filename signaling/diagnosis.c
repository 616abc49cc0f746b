#include "signaling/diagnosis.h"

#include <string.h>

#include <glib.h>

#define OMITTED "…"

void diagnosis_reset(struct diagnosis *diagnosis)
{
    memset(diagnosis, 0, sizeof *diagnosis);
}

static void read_received(struct diagnosis *diagnosis, const char *xml)
{
    diagnosis->received++;
    if (g_str_has_prefix(xml, "<failure") && strstr(xml, "urn:ietf:params:xml:ns:xmpp-sasl")) {
        diagnosis->sasl_failed = true;
        diagnosis->sasl_refused = !strstr(xml, "<temporary-auth-failure");
    } else if (g_str_has_prefix(xml, "<resumed")) {
        diagnosis->resumed = true;
    }
}

static void read_sent(struct diagnosis *diagnosis, const char *xml)
{
    if (g_str_has_prefix(xml, "<iq") || g_str_has_prefix(xml, "<message") ||
        g_str_has_prefix(xml, "<presence"))
        diagnosis->sent++;
}

/* STARTTLS was not offered, or what answered to direct TLS was not TLS. */
static bool is_without_tls(const char *area, const char *message)
{
    return g_str_has_prefix(message, "TLS is not supported, but set as mandatory") ||
           (strcmp(area, "tls") == 0 && strstr(message, "wrong version number"));
}

void diagnosis_read(struct diagnosis *diagnosis, const char *area, const char *message)
{
    if (g_str_has_prefix(message, "RECV: "))
        read_received(diagnosis, message + strlen("RECV: "));
    else if (g_str_has_prefix(message, "SENT: "))
        read_sent(diagnosis, message + strlen("SENT: "));
    else if (is_without_tls(area, message))
        diagnosis->tls_missing = true;
    else if (g_str_has_prefix(message, "Cannot authenticate with known methods"))
        diagnosis->no_mechanism = true;
    else if (g_str_has_prefix(message, "Binding failed"))
        diagnosis->bind_failed = true;
    else if (g_str_has_prefix(message, "Couldn't start TLS"))
        diagnosis->tls_failed = true;
}

void diagnosis_certificate(struct diagnosis *diagnosis, const char *why)
{
    g_strlcpy(diagnosis->certificate, why, sizeof diagnosis->certificate);
}

jingle_status diagnosis_status(const struct diagnosis *diagnosis)
{
    if (diagnosis->certificate[0])
        return JINGLE_ERROR_CERTIFICATE;
    if (diagnosis->sasl_refused)
        return JINGLE_ERROR_AUTHENTICATION;
    if (diagnosis->tls_missing)
        return JINGLE_ERROR_TLS_MISSING;
    if (diagnosis->no_mechanism && !diagnosis->sasl_failed)
        return JINGLE_ERROR_NO_MECHANISM;
    if (diagnosis->sasl_failed || diagnosis->bind_failed || diagnosis->tls_failed)
        return JINGLE_ERROR_STREAM;
    return JINGLE_OK;
}

/* SASL elements: their whole content is a secret, or helps to guess one. */
static bool is_sasl(const char *xml)
{
    static const char *const names[] = {"<auth", "<response", "<challenge", "<success"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        size_t length = strlen(names[i]);
        if (strncmp(xml, names[i], length) == 0 && !g_ascii_isalnum(xml[length]))
            return true;
    }
    return false;
}

/* Where a secret attribute's value starts after `attribute`, or NULL. */
static const char *secret_value(const char *attribute)
{
    static const char *const names[] = {"password", "pwd", "username", "previd"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        size_t length = strlen(names[i]);
        if (strncmp(attribute, names[i], length) == 0 && attribute[length] == '=' &&
            (attribute[length + 1] == '"' || attribute[length + 1] == '\''))
            return attribute + length + 2;
    }
    return NULL;
}

char *diagnosis_redact(const char *message)
{
    const char *xml = strchr(message, '<');
    if (xml && is_sasl(xml)) {
        size_t name = strcspn(xml, " >/");
        return g_strdup_printf("%.*s " OMITTED ">", (int)(xml - message + name), message);
    }
    GString *clean = g_string_new(NULL);
    for (const char *at = message; *at;) {
        const char *value = g_ascii_isspace(*at) ? secret_value(at + 1) : NULL;
        if (!value) {
            g_string_append_c(clean, *at == '\n' ? ' ' : *at);
            at++;
            continue;
        }
        const char *end = strchr(value, value[-1]);
        g_string_append_len(clean, at, value - at);
        g_string_append(clean, OMITTED);
        at = end ? end : value + strlen(value);
    }
    return g_string_free(clean, FALSE);
}
