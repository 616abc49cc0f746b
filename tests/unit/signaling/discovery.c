/* disco#info, its hash, and what is remembered of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "signaling/caps.h"
#include "signaling/disco.h"
#include "signaling/ns.h"
#include "signaling/presence.h"

static struct xml *parse(const char *text)
{
    struct xml *xml = xml_parse(text, strlen(text));
    assert_non_null(xml);
    return xml;
}

static char *hash_of(const char *text)
{
    struct xml *xml = parse(text);
    char *hash = disco_hash(xml_root(xml));
    xml_free(xml);
    return hash;
}

/* XEP-0115, 5.2 */
static void test_the_simple_hash_of_the_specification(void **state)
{
    (void)state;
    char *hash = hash_of("<query xmlns='http://jabber.org/protocol/disco#info' node='n'>"
                         "<identity category='client' name='Exodus 0.9.1' type='pc'/>"
                         "<feature var='http://jabber.org/protocol/caps'/>"
                         "<feature var='http://jabber.org/protocol/disco#info'/>"
                         "<feature var='http://jabber.org/protocol/disco#items'/>"
                         "<feature var='http://jabber.org/protocol/muc'/></query>");
    assert_string_equal(hash, "QgayPKawpkPSDYmwT/WM94uAlu0=");
    g_free(hash);
}

#define FORM                                                                                      \
    "<x xmlns='jabber:x:data' type='result'>"                                                     \
    "<field var='os'><value>Mac</value></field>"                                                  \
    "<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>" \
    "<field var='ip_version'><value>ipv6</value><value>ipv4</value></field></x>"

static void test_forms_count_and_their_order_does_not(void **state)
{
    (void)state;
    char *one = hash_of("<query xmlns='http://jabber.org/protocol/disco#info'>"
                        "<feature var='a'/><feature var='b'/>" FORM "</query>");
    char *other =
        hash_of("<query xmlns='http://jabber.org/protocol/disco#info'><x xmlns='jabber:x:data'>"
                "<field var='ip_version'><value>ipv4</value><value>ipv6</value></field>"
                "<field var='FORM_TYPE' "
                "type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>"
                "<field var='os'><value>Mac</value></field></x>"
                "<feature var='b'/><feature var='a'/></query>");
    char *without = hash_of("<query xmlns='http://jabber.org/protocol/disco#info'>"
                            "<feature var='a'/><feature var='b'/></query>");
    assert_string_equal(one, other);
    assert_string_not_equal(one, without);
    g_free(one);
    g_free(other);
    g_free(without);
}

static void test_duplicates_have_no_hash(void **state)
{
    (void)state;
    assert_null(hash_of("<query xmlns='http://jabber.org/protocol/disco#info'>"
                        "<feature var='a'/><feature var='a'/></query>"));
    assert_null(hash_of("<query xmlns='http://jabber.org/protocol/disco#info'>"
                        "<identity category='a' type='b'/><identity category='a' type='b'/>"
                        "</query>"));
}

/* Each has the hash of the honest one, were it not refused: who wears an honest client's hash must
 * not be able to make us believe that this client cannot be called. */
static void test_features_cannot_be_hidden_behind_an_honest_hash(void **state)
{
    static const char *const liars[] = {
        "<feature var='a&lt;urn:xmpp:jingle:1'/>",
        "<feature var='a'/><x xmlns='jabber:x:data'><field var='FORM_TYPE' type='hidden'>"
        "<value>urn:xmpp:jingle:1</value></field></x>",
        "<x xmlns='jabber:x:data'><field var='FORM_TYPE' type='hidden'><value>a</value></field>"
        "<field var='urn:xmpp:jingle:1'/></x>",
        "<identity category='a' type='b' name='c&lt;a&lt;urn:xmpp:jingle:1'/>",
    };
    (void)state;
    char *honest = hash_of("<query xmlns='http://jabber.org/protocol/disco#info'>"
                           "<feature var='a'/><feature var='urn:xmpp:jingle:1'/></query>");
    assert_non_null(honest);
    g_free(honest);
    for (size_t i = 0; i < G_N_ELEMENTS(liars); i++) {
        char *text = g_strdup_printf(
            "<query xmlns='http://jabber.org/protocol/disco#info'>%s</query>", liars[i]);
        assert_null(hash_of(text));
        g_free(text);
    }
}

static void test_what_we_announce_is_what_we_are_asked_for(void **state)
{
    (void)state;
    static const char *const features[] = {NS_JINGLE,  NS_RTP,  NS_RTP_AUDIO,
                                           NS_ICE_UDP, NS_DTLS, NULL};
    struct disco_self self = {"Name &>", features};
    struct xml *query = xml_new(NS_DISCO_INFO, "query");
    disco_write(&self, xml_root(query));
    assert_int_equal(disco_capabilities(xml_root(query)), CAN_CALL);
    char *text = xml_to_string(xml_root(query));
    char *hash = disco_hash(xml_root(query));
    char *again = hash_of(text);
    assert_string_equal(hash, again);
    free(text);
    g_free(hash);
    g_free(again);
    xml_free(query);
}

static unsigned capabilities_in(const char *children)
{
    char *text = g_strdup_printf("<query xmlns='" NS_DISCO_INFO "'>%s</query>", children);
    struct xml *query = parse(text);
    unsigned found = disco_capabilities(xml_root(query));
    xml_free(query);
    g_free(text);
    return found;
}

static unsigned capabilities_of(const char *feature)
{
    char *text = g_strdup_printf("<feature var='%s'/>", feature);
    unsigned found = capabilities_in(text);
    g_free(text);
    return found;
}

static void test_what_a_client_can_do_with_files_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *feature;
        unsigned capability;
    } known[] = {
        {"urn:xmpp:jingle:apps:file-transfer:5", CAN_FILES},
        {"urn:xmpp:jingle:transports:s5b:1", CAN_S5B},
        {"urn:xmpp:jingle:transports:ibb:1", CAN_INBAND},
        {"http://jabber.org/protocol/bytestreams", CAN_BYTESTREAM_PROXY},
        {"urn:xmpp:http:upload:0", CAN_UPLOAD},
        {"urn:x-jingle-engine:files:0", CAN_ENGINE_FILES},
        {"urn:xmpp:hashes:2", CAN_HASHES},
        {"urn:xmpp:hash-function-text-names:sha-1", CAN_HASH_SHA_1},
        {"urn:xmpp:hash-function-text-names:sha-256", CAN_HASH_SHA_256},
        {"urn:xmpp:hash-function-text-names:sha-512", CAN_HASH_SHA_512},
        {"urn:xmpp:hash-function-text-names:sha3-256", CAN_HASH_SHA3_256},
        {"urn:xmpp:hash-function-text-names:sha3-512", CAN_HASH_SHA3_512},
        {"urn:xmpp:hash-function-text-names:blake2b-512", CAN_HASH_BLAKE2B_512},
        {"urn:xmpp:hash-function-text-names:md5", 0},
        {"urn:xmpp:jingle:apps:file-transfer:4", 0},
    };
    unsigned all = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        assert_int_equal(capabilities_of(known[i].feature), known[i].capability);
        assert_false(all & known[i].capability);
        all |= known[i].capability;
    }
}

/* Its receiver stumbles over every offer, and nobody would hear of it. */
static void test_gajim_is_offered_no_files(void **state)
{
    (void)state;
#define FILES_BY(identity)                                                           \
    identity "<feature var='" NS_FILE_TRANSFER_5 "'/><feature var='" NS_JINGLE "'/>" \
             "<feature var='" NS_S5B "'/>"
    assert_int_equal(
        capabilities_in(FILES_BY("<identity category='client' type='pc' name='Gajim'/>")),
        CAN_JINGLE | CAN_S5B);
    assert_int_equal(
        capabilities_in(FILES_BY("<identity category='client' type='pc' name='Psi'/>"
                                 "<identity category='account' type='pc' name='Gajim'/>")),
        CAN_FILES | CAN_JINGLE | CAN_S5B);
#undef FILES_BY
}

/* ---------------------------------------------------------------------------------- memory -- */

static void test_the_memory_is_bounded(void **state)
{
    (void)state;
    struct caps *caps = caps_new();
    for (int i = 0; i < CAPS_HASHES_MAX + 10; i++) {
        char hash[16];
        g_snprintf(hash, sizeof hash, "hash%d", i);
        assert_true(caps_remember(caps, hash, (unsigned)i));
    }
    unsigned found = 0;
    assert_false(caps_find(caps, "hash9", &found));
    assert_true(caps_find(caps, "hash10", &found));
    assert_int_equal(found, 10);
    caps_free(caps);
}

static const char bad_lines[] = "jingle-engine capabilities 3\ncaps x\ncaps\n\ncaps x zz\n"
                                "caps x 123456789012\ninitiation @\ninitiation\nnonsense x 1";

static void test_a_damaged_file_does_no_harm(void **state)
{
    (void)state;
    static const char *const damaged[] = {
        "", "\n", "caps x 1\n", "jingle-engine capabilities 9\ncaps x 1\n", bad_lines,
    };
    struct caps *caps = caps_new();
    unsigned found = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(damaged); i++)
        caps_load(caps, damaged[i], strlen(damaged[i]));
    assert_false(caps_find(caps, "x", &found));
    caps_free(caps);
}

/* A client of which it says nothing about files may well take some: it is asked again. */
static void test_an_older_file_is_believed_about_people_only(void **state)
{
    (void)state;
    static const char *const older[] = {
        "jingle-engine capabilities 1\ncaps x 1\ninitiation bob@x\n",
        "jingle-engine capabilities 2\ncaps x 1\ninitiation bob@x\n",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(older); i++) {
        struct caps *caps = caps_new();
        unsigned found = 0;
        caps_load(caps, older[i], strlen(older[i]));
        assert_false(caps_find(caps, "x", &found));
        assert_true(caps_knows_initiation(caps, "bob@x"));
        caps_free(caps);
    }
}

static void test_nothing_breaks_the_lines_of_the_file(void **state)
{
    (void)state;
    struct caps *caps = caps_new();
    assert_false(caps_remember(caps, "a\ncaps b 7", 1));
    assert_false(caps_remember(caps, "", 1));
    char *longest = g_strnfill(CAPS_KEY_MAX + 1, 'x');
    assert_false(caps_remember(caps, longest, 1));
    assert_true(caps_remember_initiation(caps, "Bob@Example.org"));
    assert_true(caps_knows_initiation(caps, "bob@example.org/x") ||
                caps_knows_initiation(caps, "bob@example.org"));
    size_t bytes = 0;
    char *saved = caps_save(caps, &bytes);
    assert_int_equal(bytes, strlen(saved));
    struct caps *loaded = caps_new();
    caps_load(loaded, saved, bytes);
    assert_true(caps_knows_initiation(loaded, "bob@example.org"));
    g_free(saved);
    g_free(longest);
    caps_free(loaded);
    caps_free(caps);
}

/* -------------------------------------------------------------------------------- presence -- */

static struct device *receive(struct presence *presence, const char *from, const char *inside,
                              const char *type)
{
    char *text = g_strdup_printf("<presence xmlns='jabber:client' from='%s'%s>%s</presence>", from,
                                 type, inside);
    struct xml *xml = parse(text);
    struct stanza stanza;
    assert_true(stanza_read(&stanza, xml_root(xml)));
    struct device *device = presence_receive(presence, &stanza);
    xml_free(xml);
    g_free(text);
    return device;
}

static void test_devices_are_listed_by_priority(void **state)
{
    (void)state;
    struct presence *presence = presence_new();
    receive(presence, "a@b/low", "<priority>-5</priority>", "");
    receive(presence, "a@b/high", "<priority>7</priority>", "");
    receive(presence, "a@b/odd", "<priority>1000</priority>", "");
    size_t count = 0;
    struct device **devices = presence_devices(presence, "A@b", &count);
    assert_int_equal(count, 3);
    assert_string_equal(devices[0]->jid, "a@b/high");
    assert_string_equal(devices[1]->jid, "a@b/odd");
    assert_string_equal(devices[2]->jid, "a@b/low");
    g_free(devices);
    receive(presence, "a@b/high", "", " type='unavailable'");
    assert_null(presence_find(presence, "a@b/high"));
    receive(presence, "a@b", "", " type='unavailable'");
    assert_null(presence_find(presence, "a@b/low"));
    presence_free(presence);
}

#define CAPS(ver) "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='" ver "'/>"

static void test_a_new_hash_makes_a_device_unknown_again(void **state)
{
    (void)state;
    struct presence *presence = presence_new();
    receive(presence, "a@b/c", CAPS("1"), "");
    presence_learn(presence, "1", CAN_CALL);
    struct device *device = receive(presence, "a@b/c", CAPS("1") "<show>away</show>", "");
    assert_int_equal(device->knowledge, DEVICE_KNOWN);
    assert_int_equal(device->capabilities, CAN_CALL);
    device = receive(presence, "a@b/c", CAPS("2"), "");
    assert_int_equal(device->knowledge, DEVICE_UNKNOWN);
    assert_int_equal(device->capabilities, 0);
    presence_free(presence);
}

static void test_endless_capabilities_are_not_kept(void **state)
{
    (void)state;
    struct presence *presence = presence_new();
    char *text = g_strnfill(PRESENCE_TEXT_MAX + 1, 'x');
    char *caps = g_strdup_printf("<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' "
                                 "node='%s' ver='%s'/>",
                                 text, text);
    struct device *device = receive(presence, "a@b/c", caps, "");
    assert_string_equal(device->caps_hash, "");
    assert_string_equal(device->caps_node, "");
    g_free(caps);
    g_free(text);
    presence_free(presence);
}

static void test_nobody_has_thousands_of_devices(void **state)
{
    (void)state;
    struct presence *presence = presence_new();
    for (int i = 0; i < PRESENCE_DEVICES_MAX + 5; i++) {
        char jid[32];
        g_snprintf(jid, sizeof jid, "a@b/%d", i);
        assert_true((receive(presence, jid, "", "") != NULL) == (i < PRESENCE_DEVICES_MAX));
    }
    presence_free(presence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_simple_hash_of_the_specification),
        cmocka_unit_test(test_forms_count_and_their_order_does_not),
        cmocka_unit_test(test_duplicates_have_no_hash),
        cmocka_unit_test(test_features_cannot_be_hidden_behind_an_honest_hash),
        cmocka_unit_test(test_what_we_announce_is_what_we_are_asked_for),
        cmocka_unit_test(test_what_a_client_can_do_with_files_is_told),
        cmocka_unit_test(test_gajim_is_offered_no_files),
        cmocka_unit_test(test_the_memory_is_bounded),
        cmocka_unit_test(test_a_damaged_file_does_no_harm),
        cmocka_unit_test(test_an_older_file_is_believed_about_people_only),
        cmocka_unit_test(test_nothing_breaks_the_lines_of_the_file),
        cmocka_unit_test(test_devices_are_listed_by_priority),
        cmocka_unit_test(test_a_new_hash_makes_a_device_unknown_again),
        cmocka_unit_test(test_endless_capabilities_are_not_kept),
        cmocka_unit_test(test_nobody_has_thousands_of_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
