/* Stanzas about files, separated by zero bytes, as a peer or a proxy may send them: what is read
 * keeps to its limits and can be copied, and written and read again without loss. */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/jingle.h"
#include "signaling/ns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
    if (!good)
        abort();
}

static void require_text(const char *text, size_t max)
{
    require(text == NULL || (strlen(text) <= max && g_utf8_validate(text, -1, NULL)));
}

/* ------------------------------------------------------------------------------- limits -- */

static void check_file(const struct file_description *file)
{
    require_text(file->name, FILE_TEXT_MAX);
    require_text(file->media_type, FILE_TEXT_MAX);
    require_text(file->desc, FILE_DESC_MAX);
    require(file->size <= INT64_MAX && file->range_offset <= INT64_MAX &&
            file->range_length <= INT64_MAX && file->hash_count <= FILE_HASHES_MAX);
    for (size_t i = 0; i < file->hash_count; i++) {
        const struct file_hash *hash = &file->hashes[i];
        require_text(hash->algorithm, FILE_ALGORITHM_SIZE - 1);
        require_text(hash->value, FILE_HASH_SIZE - 1);
        for (size_t j = 0; j < i; j++)
            require(strcmp(hash->algorithm, file->hashes[j].algorithm) != 0);
    }
}

static void check_s5b(const struct s5b_transport *transport)
{
    require(transport->candidate_count <= S5B_CANDIDATES_MAX);
    require(*transport->dstaddr == '\0' || strlen(transport->dstaddr) == S5B_ADDRESS_SIZE - 1);
    for (size_t i = 0; i < transport->candidate_count; i++) {
        const struct s5b_candidate *candidate = &transport->candidates[i];
        require(candidate->priority > 0 && candidate->port > 0 && *candidate->cid != '\0');
        require(strpbrk(candidate->host, "% \n\t") == NULL);
        require(*candidate->host != '\0' || candidate->jid != NULL);
        require_text(candidate->jid, S5B_JID_SIZE - 1);
        require(s5b_find(transport, candidate->cid) == candidate);
    }
}

/* --------------------------------------------------------------------------- round trips -- */

static char *write_text(const struct jingle_iq *iq)
{
    struct xml *xml = xml_new(NS_CLIENT, "iq");

    jingle_iq_write(iq, xml_root(xml));
    char *text = xml_to_string(xml_first(xml_root(xml)));
    xml_free(xml);
    return text;
}

static void require_same(const struct jingle_iq *iq, const char *text)
{
    char *again = write_text(iq);

    require(strcmp(text, again) == 0);
    g_free(again);
}

static bool is_about_files(const struct jingle_iq *iq)
{
    for (size_t i = 0; i < iq->content_count; i++) {
        const struct jingle_content *content = &iq->contents[i];
        bool other =
            content->application == APPLICATION_RTP || content->transport == TRANSPORT_ICE_UDP ||
            content->application == APPLICATION_UNKNOWN || content->transport == TRANSPORT_UNKNOWN;
        if (other)
            return false;
    }
    return true;
}

static void check_jingle(const struct jingle_iq *iq)
{
    struct stanza_error error;
    struct jingle_iq copy, again;

    check_file(&iq->checksum);
    for (size_t i = 0; i < iq->content_count; i++) {
        check_file(&iq->contents[i].file);
        check_s5b(&iq->contents[i].s5b);
    }
    char *text = write_text(iq);
    jingle_iq_copy(&copy, iq);
    require_same(&copy, text);
    jingle_iq_clear(&copy);
    struct xml *xml = xml_parse(text, strlen(text));
    require(xml != NULL || strlen(text) > XML_BYTES_MAX);
    if (xml != NULL && is_about_files(iq)) {
        require(jingle_iq_read(&again, xml_root(xml), &error));
        require_same(&again, text);
        jingle_iq_clear(&again);
    }
    xml_free(xml);
    g_free(text);
}

static struct xml *write_inband(const struct ibb_stanza *stanza)
{
    struct ibb_transport transport = {.block_size = stanza->block_size,
                                      .messages = stanza->messages};

    g_strlcpy(transport.sid, stanza->sid, sizeof(transport.sid));
    switch (stanza->kind) {
    case IBB_OPEN:
        return ibb_open_iq("a@b/c", &transport);
    case IBB_DATA:
        return ibb_data_iq("a@b/c", stanza->sid, (uint16_t)stanza->seq, stanza->bytes,
                           stanza->size);
    default:
        return ibb_close_iq("a@b/c", stanza->sid);
    }
}

static void check_inband(const struct ibb_stanza *stanza)
{
    struct xml *xml = write_inband(stanza);
    struct ibb_stanza again;
    const char *why;

    require(stanza->size <= IBB_BYTES_MAX && (stanza->size == 0 || stanza->bytes != NULL));
    require(ibb_stanza_read(&again, ibb_stanza_find(xml_root(xml)), &why));
    require(again.kind == stanza->kind && strcmp(again.sid, stanza->sid) == 0);
    require(again.block_size == stanza->block_size && again.messages == stanza->messages);
    require(again.size == stanza->size && (uint16_t)stanza->seq == again.seq);
    require(stanza->size == 0 || memcmp(again.bytes, stanza->bytes, stanza->size) == 0);
    ibb_stanza_clear(&again);
    xml_free(xml);
}

/* ------------------------------------------------------------------------------- feeding -- */

static void feed(const xml_node *root)
{
    const xml_node *jingle = xml_child(root, NS_JINGLE, "jingle");
    const xml_node *inband = ibb_stanza_find(root);
    struct s5b_candidate proxy;
    struct stanza_error error;
    struct ibb_stanza stanza;
    struct jingle_iq iq;
    const char *why;

    if (jingle != NULL && jingle_iq_read(&iq, jingle, &error)) {
        check_jingle(&iq);
        jingle_iq_clear(&iq);
    }
    if (inband != NULL && ibb_stanza_read(&stanza, inband, &why)) {
        check_inband(&stanza);
        ibb_stanza_clear(&stanza);
    }
    if (s5b_proxy_read(&proxy, root)) {
        require(*proxy.host != '\0' && proxy.port > 0 && proxy.jid != NULL);
        g_free(proxy.jid);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data;

    while (size > 0) {
        size_t length = strnlen(at, size);
        struct xml *xml = xml_parse(at, length);
        if (xml != NULL)
            feed(xml_root(xml));
        xml_free(xml);
        size_t step = length < size ? length + 1 : length;
        at += step;
        size -= step;
    }
    return 0;
}
