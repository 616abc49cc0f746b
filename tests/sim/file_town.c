/* Stories of files between accounts (signaling/account_files.h) over a server in virtual time. The
 * bytes are modelled: who can be reached answers after a while, and a stream takes its time;
 * in-band blocks are real stanzas.
 *
 *     sim_file_town [NAME]   all stories, or those whose name matches ('*' allowed)
 *     SIM_LOG=1              with everything that was told and sent
 *     SIM_SEED=7             of the storms, that one alone */
#include "tests/sim/phones.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "signaling/account_files.h"
#include "signaling/jid.h"
#include "signaling/ns.h"

#define SEED        5
#define STEP        (5 * USEC_PER_MS)
#define LOGIN_TIME  (5 * USEC_PER_SEC)
#define STREAM_TIME (500 * USEC_PER_MS) /* a file takes over a connection of its own */
#define DIAL_TIME   (60 * USEC_PER_MS)
#define HASH        "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
#define PROXY       "proxy.example.org"
#define UPLOAD      "upload.example.org"
#define BYTES_MAX   40000
#define PATIENCE    (12 * USEC_PER_SEC)
#define STORMS      40
#define STORM_STEPS 60

enum { ALICE, BOB, POCKET, TABLET, CAROL, MALLORY, EVERYBODY };

#define ALICE_JID "alice@example.org/phone"
#define BOB_JID   "bob@example.org/desk"
#define BOB_BARE  "bob@example.org"

static const char *const jids[] = {
    ALICE_JID,
    BOB_JID,
    "bob@example.org/pocket",
    "alice@example.org/tablet",
    "carol@example.org/phone",
    "mallory@example.org/phone",
};

static const char roster[] = "<item jid='alice@example.org' subscription='both'/>"
                             "<item jid='bob@example.org' subscription='both'/>"
                             "<item jid='carol@example.org' subscription='both'/>";

/* One who has files: what it can do, and what it was told. */
struct mate {
    struct place *place;
    struct phone *phone;
    GPtrArray *told;    /* "offered cat.jpg", "ended -81" ... in order */
    GPtrArray *parcels; /* struct parcel, also those that ended */
    bool accepts;       /* by itself */
    bool unreachable;   /* nobody can connect to it */
    bool refuses_blocks;
    bool is_foreign; /* another client: nothing of our own features is heard of it */
    bool is_old;     /* another client that knows no hash function but SHA-1 */
    unsigned most_under_way;
    unsigned offers;
};

/* A file as one side sees it. */
struct parcel {
    struct mate *mate;
    struct account_file *file; /* NULL: it ended */
    char *name;
    char *content;
    char *sid;
    uint64_t size;
    bool sends;
    bool waits_for_hash;
    bool inband;
    uint32_t block_size;
    uint64_t moved; /* in-band: acknowledged or taken */
    uint64_t begun; /* in-band: sent */
    uint16_t seq;
    usec dials_at, streams_at, proxies_at; /* USEC_NEVER: not now */
    char cid[S5B_CID_SIZE];
    bool got_all, got_hash, said_received, said_sent;
    usec stirred; /* when its bytes moved last; USEC_NEVER: they do not flow */
    jingle_status status;
};

/* A town whose server has components. */
struct place {
    struct town town;
    struct mate mates[EVERYBODY];
    bool has_proxy;
    bool proxy_refuses; /* to activate */
    bool silent_items;
    bool has_upload;
    unsigned activations, surveys, slots;
    GPtrArray *delivered; /* every stanza, as text */
    bool log;
};

static struct place *here; /* the server delivers to phones, which know nothing of it */

/* --- what is told -- */

static void __attribute__((format(printf, 2, 3))) note(struct mate *mate, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_ptr_array_add(mate->told, text);
    if (mate->place->log) {
        printf("%10.6f %s: %s\n", (double)mate->place->town.now / USEC_PER_SEC,
               mate->phone->session->jid, text);
    }
}

static size_t heard(const struct place *place, int who, const char *text)
{
    size_t count = 0;
    const GPtrArray *told = place->mates[who].told;
    for (guint i = 0; i < told->len; i++) {
        count += strcmp(told->pdata[i], text) == 0;
    }
    return count;
}

static void assert_heard(const struct place *place, int who, const char *text)
{
    assert_int_equal(heard(place, who, text), 1);
}

static usec now_of(const struct mate *mate)
{
    return mate->place->town.now;
}

static struct parcel *add_parcel(struct mate *mate, struct account_file *file, const char *name,
                                 bool sends)
{
    struct parcel *parcel = g_new0(struct parcel, 1);
    parcel->mate = mate;
    parcel->file = file;
    parcel->name = g_strdup(name);
    parcel->content = g_strdup("");
    parcel->sid = g_strdup("");
    parcel->sends = sends;
    parcel->dials_at = parcel->streams_at = parcel->proxies_at = parcel->stirred = USEC_NEVER;
    g_ptr_array_add(mate->parcels, parcel);
    return parcel;
}

static void parcel_free(void *data)
{
    struct parcel *parcel = data;
    g_free(parcel->name);
    g_free(parcel->content);
    g_free(parcel->sid);
    g_free(parcel);
}

/* The same file at the other side. */
static struct parcel *other_side(const struct parcel *parcel)
{
    for (size_t i = 0; i < EVERYBODY; i++) {
        const struct mate *mate = &parcel->mate->place->mates[i];
        for (guint j = 0; mate != parcel->mate && j < mate->parcels->len; j++) {
            struct parcel *other = mate->parcels->pdata[j];
            if (strcmp(other->sid, parcel->sid) == 0 &&
                strcmp(other->content, parcel->content) == 0) {
                return other;
            }
        }
    }
    return NULL;
}

/* How many stanzas that were delivered have both in them. */
static size_t passed(const struct place *place, const char *one, const char *other)
{
    size_t count = 0;
    for (guint i = 0; i < place->delivered->len; i++) {
        const char *text = place->delivered->pdata[i];
        count += strstr(text, one) && strstr(text, other);
    }
    return count;
}

/* --- the bytes -- */

static void stir(struct parcel *parcel)
{
    parcel->stirred = now_of(parcel->mate);
}

/* The receiver has all: the sender sees the connection end. */
static void close_connection(const struct parcel *parcel)
{
    struct parcel *other = other_side(parcel);
    if (!parcel->inband && other && other->file && other->said_sent) {
        account_file_stream_closed(other->file, now_of(other->mate));
    }
}

static void finish_receiving(struct parcel *parcel)
{
    if (parcel->file && parcel->got_all && !parcel->said_received &&
        (parcel->got_hash || !parcel->waits_for_hash)) {
        parcel->said_received = true;
        account_file_received(parcel->file, now_of(parcel->mate));
        close_connection(parcel);
    }
}

static void say_sent(struct parcel *parcel)
{
    struct file_hash hash = {.algorithm = "sha-256", .value = HASH};
    parcel->said_sent = true;
    account_file_sent(parcel->file, &hash, 1, now_of(parcel->mate));
}

static void send_blocks(struct parcel *parcel)
{
    static const uint8_t bytes[BYTES_MAX];
    unsigned window = account_file_window(parcel->file);
    while (parcel->file && parcel->begun < parcel->size &&
           parcel->begun - parcel->moved < (uint64_t)window * parcel->block_size) {
        uint64_t left = parcel->size - parcel->begun;
        size_t size = left < parcel->block_size ? (size_t)left : parcel->block_size;
        parcel->begun += size;
        account_file_send_block(parcel->file, parcel->seq++, bytes, size, now_of(parcel->mate));
        unsigned under_way = (unsigned)((parcel->begun - parcel->moved + parcel->block_size - 1) /
                                        parcel->block_size);
        parcel->mate->most_under_way = MAX(parcel->mate->most_under_way, under_way);
    }
}

static void finish_blocks(struct parcel *parcel)
{
    if (parcel->file && parcel->moved == parcel->size) {
        say_sent(parcel);
    }
    if (parcel->file && parcel->moved == parcel->size) {
        account_file_close(parcel->file, now_of(parcel->mate));
    }
}

static void on_block(void *user, struct account_file *file, const struct account_file_block *block,
                     uint32_t seq)
{
    struct mate *mate = user;
    struct parcel *parcel = account_file_user(file);
    struct stanza_error error = stanza_error_make(STANZA_NOT_ACCEPTABLE, JINGLE_CONDITION_NONE, "");
    assert_int_equal(seq, parcel->seq);
    parcel->seq++;
    account_file_block_written(file, block->token, mate->refuses_blocks ? &error : NULL);
    if (mate->refuses_blocks) {
        return;
    }
    stir(parcel);
    parcel->moved += block->size;
    parcel->got_all = parcel->moved == parcel->size;
    finish_receiving(parcel);
}

static void on_block_answered(void *user, struct account_file *file, uint16_t seq, bool good)
{
    struct mate *mate = user;
    struct parcel *parcel = account_file_user(file);
    (void)seq;
    if (!good) {
        note(mate, "block refused");
        account_file_end(file, JINGLE_ERROR_CONNECTION_LOST, now_of(mate));
        return;
    }
    stir(parcel);
    parcel->moved = MIN(parcel->moved + parcel->block_size, parcel->size);
    send_blocks(parcel);
    finish_blocks(parcel);
}

static void on_closed(void *user, struct account_file *file)
{
    struct mate *mate = user;
    struct parcel *parcel = account_file_user(file);
    note(mate, "closed");
    if (!parcel->sends && !parcel->got_all) {
        account_file_end(file, JINGLE_ERROR_CONNECTION_LOST, now_of(mate));
    } else if (parcel->sends && parcel->moved == parcel->size) {
        account_file_stream_closed(file, now_of(mate));
    }
}

static void begin_inband(struct parcel *parcel, const struct ibb_transport *transport)
{
    parcel->inband = true;
    parcel->block_size = transport->block_size;
    stir(parcel);
    if (parcel->sends) {
        send_blocks(parcel);
        finish_blocks(parcel);
    } else if (parcel->size == 0) {
        parcel->got_all = true;
        finish_receiving(parcel);
    }
}

/* --- connections -- */

/* The best of these that can be reached answers; hosts are numbers of mates. */
static void dial(struct parcel *parcel, const struct file_event *event)
{
    uint32_t best = 0;
    for (size_t i = 0; i < event->u.dial.count; i++) {
        const struct s5b_candidate *candidate = &event->u.dial.candidates[i];
        bool is_proxy = candidate->type == S5B_PROXY;
        long who = strtol(candidate->host + strlen("192.0.2."), NULL, 10);
        bool reachable = is_proxy || !parcel->mate->place->mates[who - 1].unreachable;
        if (!reachable || candidate->priority <= best) {
            continue;
        }
        best = candidate->priority;
        g_strlcpy(parcel->cid, candidate->cid, sizeof parcel->cid);
    }
    parcel->dials_at = now_of(parcel->mate) + DIAL_TIME;
}

static void dialed(struct parcel *parcel)
{
    parcel->dials_at = USEC_NEVER;
    if (parcel->cid[0]) {
        account_file_connected(parcel->file, parcel->cid, now_of(parcel->mate));
    } else {
        account_file_unconnected(parcel->file, now_of(parcel->mate));
    }
}

static void listen_here(struct parcel *parcel, const struct file_event *event)
{
    char host[32];
    g_snprintf(host, sizeof host, "192.0.2.%d",
               (int)(parcel->mate - parcel->mate->place->mates) + 1);
    if (event->u.listen.direct) {
        account_file_add_candidate(parcel->file, S5B_DIRECT, host, 5000, now_of(parcel->mate));
    }
}

/* What movers do: the hash is waited for in vain, or no byte comes any more. */
static void lose_patience(struct parcel *parcel)
{
    usec now = now_of(parcel->mate);
    if (parcel->stirred == USEC_NEVER || now - parcel->stirred < PATIENCE || parcel->said_sent ||
        parcel->said_received) {
        return;
    }
    stir(parcel);
    parcel->got_hash = true;
    finish_receiving(parcel);
    if (parcel->file && !parcel->got_all) {
        account_file_end(parcel->file, JINGLE_ERROR_CONNECTION_LOST, now);
    }
}

static void step_parcel(struct parcel *parcel)
{
    usec now = now_of(parcel->mate);
    if (parcel->file) {
        lose_patience(parcel);
    }
    if (parcel->file && now >= parcel->dials_at) {
        dialed(parcel);
    }
    if (parcel->file && now >= parcel->proxies_at) {
        parcel->proxies_at = USEC_NEVER;
        account_file_proxy_connected(parcel->file, true, now);
    }
    if (!parcel->file || now < parcel->streams_at || !parcel->sends) {
        return;
    }
    struct parcel *other = other_side(parcel);
    if (!other || !other->file || other->streams_at == USEC_NEVER) {
        return; /* the other side has not got so far, or is gone */
    }
    parcel->streams_at = USEC_NEVER;
    stir(other);
    other->got_all = true;
    say_sent(parcel);
    finish_receiving(other);
}

/* --- what accounts tell -- */

static void on_offered(struct mate *mate, struct account_file *file, const struct file_event *event)
{
    const struct file_description *offer = event->u.offered.file;
    const char *name = offer->name ? offer->name : "";
    struct parcel *parcel = add_parcel(mate, file, name, event->u.offered.requested);
    parcel->size = offer->size;
    parcel->waits_for_hash = offer->hash_count > 0 && !offer->hashes[0].value[0];
    account_file_set_user(file, parcel);
    mate->offers++;
    note(mate, "%s %s", event->u.offered.requested ? "asked for" : "offered", name);
    if (mate->accepts) {
        account_file_accept(file, 0, NULL, FILE_WAYS_ALL, now_of(mate));
    }
}

static const char *stream_name(const struct file_event *event)
{
    static const char *const names[] = {"dialed", "guest", "proxy"};
    return names[event->u.stream.from];
}

static void on_ended(struct parcel *parcel, const struct file_event *event)
{
    note(parcel->mate, "ended %s %d%s", parcel->name, event->u.ended.status,
         event->u.ended.by == JINGLE_PARTY_REMOTE ? " remote" : "");
    parcel->status = event->u.ended.status;
    parcel->file = NULL;
}

static void on_event(void *user, struct account_file *file, const struct file_event *event)
{
    struct mate *mate = user;
    if (event->type == FILE_EVENT_OFFERED) {
        on_offered(mate, file, event);
        return;
    }
    struct parcel *parcel = account_file_user(file);
    g_free(parcel->content);
    g_free(parcel->sid);
    parcel->content = g_strdup(event->content);
    parcel->sid = g_strdup(account_file_sid(file));
    switch (event->type) {
    case FILE_EVENT_ACCEPTED:
        note(mate, "accepted %s", parcel->name);
        break;
    case FILE_EVENT_LISTEN:
        listen_here(parcel, event);
        break;
    case FILE_EVENT_DIAL:
        dial(parcel, event);
        break;
    case FILE_EVENT_PROXY:
        parcel->proxies_at = now_of(mate) + DIAL_TIME;
        break;
    case FILE_EVENT_STREAM:
        note(mate, "stream %s", stream_name(event));
        parcel->streams_at = now_of(mate) + STREAM_TIME;
        stir(parcel);
        break;
    case FILE_EVENT_INBAND:
        note(mate, "in-band");
        begin_inband(parcel, event->u.inband.transport);
        break;
    case FILE_EVENT_CHECKSUM:
        parcel->got_hash = true;
        finish_receiving(parcel);
        break;
    case FILE_EVENT_ENDED:
        on_ended(parcel, event);
        break;
    default:
        break;
    }
}

/* --- the server -- */

static void add_feature(xml_node *result, const char *feature)
{
    xml_node *query = xml_add(result, NS_DISCO_INFO, "query");
    xml_set(xml_add(query, NULL, "feature"), "var", feature);
}

static void serve_items(const struct place *place, xml_node *result)
{
    xml_node *query = xml_add(result, NS_DISCO_ITEMS, "query");
    if (place->has_proxy) {
        xml_set(xml_add(query, NULL, "item"), "jid", PROXY);
    }
    if (place->has_upload) {
        xml_set(xml_add(query, NULL, "item"), "jid", UPLOAD);
    }
}

static void serve_bytestreams(struct place *place, const struct stanza *iq, xml_node *result)
{
    if (strcmp(iq->type, "get") == 0) {
        xml_node *query = xml_add(result, NS_BYTESTREAMS, "query");
        xml_node *host = xml_add(query, NULL, "streamhost");
        xml_set(host, "jid", PROXY);
        xml_set(host, "host", "192.0.2.99");
        xml_set(host, "port", "1080");
    } else if (place->proxy_refuses) {
        struct stanza_error error = stanza_error_make(STANZA_FORBIDDEN, JINGLE_CONDITION_NONE, "");
        xml_set(result, "type", "error");
        stanza_error_write(&error, result);
    } else {
        place->activations++;
    }
}

static void serve_slot(struct place *place, xml_node *result)
{
    xml_node *slot = xml_add(result, NS_UPLOAD, "slot");
    xml_set(xml_add(slot, NULL, "put"), "url", "https://upload.example.org/1/cat.jpg");
    xml_set(xml_add(slot, NULL, "get"), "url", "https://files.example.org/1/cat.jpg");
    place->slots++;
}

static bool on_serve(void *user, const struct stanza *iq, xml_node *result)
{
    struct place *place = user;
    bool is_info = xml_child(iq->node, NS_DISCO_INFO, "query") != NULL;
    if (xml_child(iq->node, NS_DISCO_ITEMS, "query")) {
        place->surveys++;
        serve_items(place, result);
    } else if (is_info && jid_equal(iq->to, PROXY)) {
        add_feature(result, NS_BYTESTREAMS);
    } else if (is_info && jid_equal(iq->to, UPLOAD)) {
        add_feature(result, NS_UPLOAD);
    } else if (xml_child(iq->node, NS_BYTESTREAMS, "query")) {
        serve_bytestreams(place, iq, result);
    } else if (xml_child(iq->node, NS_UPLOAD, "request")) {
        serve_slot(place, result);
    } else {
        return false;
    }
    return true;
}

static char *replace_all(char *text, const char *what, const char *with)
{
    char **parts = g_strsplit(text, what, -1);
    char *changed = g_strjoinv(with, parts);
    g_strfreev(parts);
    g_free(text);
    return changed;
}

/* What others hear of a foreign client: its capabilities have no hash, and it is none of us. */
static char *as_foreign(char *text, bool old)
{
    text = replace_all(text, NS_ENGINE_FILES, "urn:x-other");
    text = replace_all(text, "hash=\"sha-1\"", "hash=\"md5\"");
    if (old) {
        text = replace_all(text, NS_HASH_NAMES "sha-", NS_HASH_NAMES "old-");
        text = replace_all(text, NS_HASH_NAMES "old-1", NS_HASH_NAMES "sha-1");
    }
    return text;
}

static bool is_from(const char *xml, const char *jid)
{
    char *from = g_strdup_printf("from=\"%s\"", jid);
    bool found = strstr(xml, from) != NULL;
    g_free(from);
    return found;
}

static void (*deliver_to_phone)(void *user, const char *xml, size_t bytes);

static void deliver(void *user, const char *xml, size_t bytes)
{
    char *text = g_strndup(xml, bytes);
    if (here->silent_items && strstr(text, NS_DISCO_ITEMS)) {
        g_free(text);
        return;
    }
    for (size_t i = 0; i < EVERYBODY; i++) {
        const struct mate *mate = &here->mates[i];
        if ((mate->is_foreign || mate->is_old) && is_from(text, jids[i])) {
            text = as_foreign(text, mate->is_old);
        }
    }
    g_ptr_array_add(here->delivered, g_strdup(text));
    if (here->log) {
        printf("%10.6f   ▶ %s\n", (double)here->town.now / USEC_PER_SEC, text);
    }
    deliver_to_phone(user, text, strlen(text));
    g_free(text);
}

/* --- the place -- */

static void open_place(struct place *place)
{
    struct town_config config = {.signalling = {.delay = 25 * USEC_PER_MS},
                                 .media = {.delay = 25 * USEC_PER_MS}};
    memset(place, 0, sizeof *place);
    here = place;
    place->log = getenv("SIM_LOG") != NULL;
    place->delivered = g_ptr_array_new_with_free_func(g_free);
    town_open(&place->town, SEED, &config, jids, EVERYBODY, roster, NULL, 0, NULL);
    place->town.server.serve = on_serve;
    place->town.server.user = place;
    deliver_to_phone = place->town.server.deliver;
    place->town.server.deliver = deliver;
    for (size_t i = 0; i < EVERYBODY; i++) {
        struct mate *mate = &place->mates[i];
        struct account_file_hooks hooks = {mate, on_event, on_block, on_block_answered, on_closed};
        mate->place = place;
        mate->phone = &place->town.phones[i];
        mate->told = g_ptr_array_new_with_free_func(g_free);
        mate->parcels = g_ptr_array_new_with_free_func(parcel_free);
        account_files_enable(mate->phone->account, &hooks, i != CAROL);
    }
}

static void close_place(struct place *place)
{
    town_close(&place->town);
    g_ptr_array_free(place->delivered, TRUE);
    for (size_t i = 0; i < EVERYBODY; i++) {
        g_ptr_array_free(place->mates[i].told, TRUE);
        g_ptr_array_free(place->mates[i].parcels, TRUE);
    }
}

static void run_in_steps(struct place *place, usec time, usec step)
{
    usec end = place->town.now + time;
    while (place->town.now < end) {
        town_run(&place->town, MIN(place->town.now + step, end));
        for (size_t i = 0; i < EVERYBODY; i++) {
            for (guint j = 0; j < place->mates[i].parcels->len; j++) {
                step_parcel(place->mates[i].parcels->pdata[j]);
            }
        }
    }
}

static void run(struct place *place, usec time)
{
    run_in_steps(place, time, STEP);
}

static void come_online(struct place *place, unsigned who)
{
    for (unsigned i = 0; i < EVERYBODY; i++) {
        if (who & (1U << i)) {
            phone_online(&place->town.phones[i]);
        }
    }
    run(place, LOGIN_TIME);
}

#define BIT(who) (1U << (who))

static jingle_status offer_ways(struct place *place, int who, const char *to, size_t count,
                                uint64_t size, unsigned ways)
{
    struct mate *mate = &place->mates[who];
    struct account_file_config configs[16] = {0};
    struct account_file *files[16];
    struct file_description *descriptions = g_new0(struct file_description, count);
    struct parcel *parcels[16];
    for (size_t i = 0; i < count; i++) {
        descriptions[i].name = g_strdup_printf("cat%zu.jpg", i);
        descriptions[i].has_size = true;
        descriptions[i].size = size;
        file_description_add_hash(&descriptions[i], "sha-256", "");
        parcels[i] = add_parcel(mate, NULL, descriptions[i].name, true);
        parcels[i]->size = size;
        configs[i] = (struct account_file_config){&descriptions[i], parcels[i]};
    }
    jingle_status status = account_files_offer(mate->phone->account, to, false, configs, count,
                                               ways, place->town.now, files);
    for (size_t i = 0; i < count; i++) {
        parcels[i]->file = status == JINGLE_OK ? files[i] : NULL;
        file_description_clear(&descriptions[i]);
    }
    g_free(descriptions);
    return status;
}

static jingle_status offer(struct place *place, int who, const char *to, size_t count)
{
    return offer_ways(place, who, to, count, 1000, FILE_WAYS_ALL);
}

static struct parcel *parcel_of(const struct place *place, int who, guint number)
{
    assert_true(number < place->mates[who].parcels->len);
    return place->mates[who].parcels->pdata[number];
}

/* --- stories -- */

static void test_a_file_goes_to_the_device_that_takes_files(void **state)
{
    struct place *place = *state;
    place->mates[BOB].accepts = true;
    come_online(place, BIT(ALICE) | BIT(BOB));
    assert_int_equal(offer(place, ALICE, BOB_BARE, 1), JINGLE_OK);
    assert_int_equal(place->mates[ALICE].told->len, 0);
    run(place, 10 * USEC_PER_SEC);
    assert_heard(place, BOB, "offered cat0.jpg");
    assert_heard(place, ALICE, "accepted cat0.jpg");
    assert_heard(place, ALICE, "ended cat0.jpg 0 remote");
    assert_heard(place, BOB, "ended cat0.jpg 0");
}

static void test_of_several_devices_one_is_offered_it(void **state)
{
    struct place *place = *state;
    come_online(place, BIT(ALICE) | BIT(BOB) | BIT(POCKET) | BIT(TABLET));
    assert_int_equal(offer(place, ALICE, BOB_BARE, 1), JINGLE_OK);
    run(place, 5 * USEC_PER_SEC);
    assert_int_equal(place->mates[BOB].offers + place->mates[POCKET].offers, 1);
    assert_int_equal(place->mates[TABLET].offers, 0);
}

static void test_a_full_jid_is_that_device(void **state)
{
    struct place *place = *state;
    come_online(place, BIT(ALICE) | BIT(BOB) | BIT(POCKET));
    assert_int_equal(offer(place, ALICE, jids[POCKET], 1), JINGLE_OK);
    assert_int_equal(offer(place, ALICE, BOB_JID, 1), JINGLE_OK);
    run(place, 5 * USEC_PER_SEC);
    assert_int_equal(place->mates[POCKET].offers, 1);
    assert_int_equal(place->mates[BOB].offers, 1);
}

static void test_a_sibling_of_ours_takes_a_file(void **state)
{
    struct place *place = *state;
    place->mates[TABLET].accepts = true;
    come_online(place, BIT(ALICE) | BIT(TABLET));
    assert_int_equal(offer(place, ALICE, ALICE_JID, 1), JINGLE_ERROR_JID);
    assert_int_equal(offer(place, ALICE, "alice@example.org", 1), JINGLE_OK);
    run(place, 10 * USEC_PER_SEC);
    assert_heard(place, TABLET, "ended cat0.jpg 0");
    assert_heard(place, ALICE, "ended cat0.jpg 0 remote");
}

static void test_what_cannot_be_offered_is_said_at_once(void **state)
{
    struct place *place = *state;
    assert_int_equal(offer(place, ALICE, BOB_BARE, 1), JINGLE_ERROR_OFFLINE);
    come_online(place, BIT(ALICE));
    assert_int_equal(offer(place, ALICE, "@", 1), JINGLE_ERROR_JID);
    for (size_t i = 0; i < ACCOUNT_FILES_MAX / 16; i++) {
        assert_int_equal(offer(place, ALICE, BOB_BARE, 16), JINGLE_OK);
    }
    assert_int_equal(offer(place, ALICE, BOB_BARE, 1), JINGLE_ERROR_LIMIT);
}

static void test_nobody_online_is_offline(void **state)
{
    struct place *place = *state;
    char text[64];
    come_online(place, BIT(ALICE));
    assert_int_equal(offer(place, ALICE, BOB_BARE, 2), JINGLE_OK);
    run(place, 5 * USEC_PER_SEC);
    g_snprintf(text, sizeof text, "ended cat0.jpg %d remote", JINGLE_ERROR_CONTACT_OFFLINE);
    assert_heard(place, ALICE, text);
    assert_int_equal(place->mates[ALICE].told->len, 2);
}

static void test_who_comes_right_after_our_login_is_not_offline(void **state)
{
    struct place *place = *state;
    phone_online(&place->town.phones[ALICE]);
    run(place, USEC_PER_SEC / 2);
    assert_int_equal(offer(place, ALICE, BOB_BARE, 1), JINGLE_OK);
    run(place, USEC_PER_SEC / 2);
    phone_online(&place->town.phones[BOB]);
    run(place, 5 * USEC_PER_SEC);
    assert_heard(place, BOB, "offered cat0.jpg");
}

static void test_who_takes_no_files_is_not_offered_any(void **state)
{
    struct place *place = *state;
    char text[64];
    come_online(place, BIT(ALICE) | BIT(CAROL));
    assert_int_equal(offer(place, ALICE, "carol@example.org", 1), JINGLE_OK);
    run(place, 5 * USEC_PER_SEC);
    g_snprintf(text, sizeof text, "ended cat0.jpg %d remote", JINGLE_ERROR_NO_FILE_SUPPORT);
    assert_heard(place, ALICE, text);
    assert_int_equal(place->mates[CAROL].offers, 0);
}

static void test_an_offer_to_whom_takes_none_is_acknowledged_and_refused(void **state)
{
    struct place *place = *state;
    come_online(place, BIT(ALICE) | BIT(CAROL));
    phone_send(&place->town.phones[ALICE],
               "<iq xmlns='jabber:client' type='set' id='x1' to='carol@example.org/phone'>"
               "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s1'>"
               "<content creator='initiator' name='f' senders='initiator'>"
               "<description xmlns='urn:xmpp:jingle:apps:file-transfer:5'><file><name>a</name>"
               "<size>1</size></file></description>"
               "<transport xmlns='urn:xmpp:jingle:transports:ibb:1' sid='i' block-size='4096'/>"
               "</content></jingle></iq>");
    run(place, 2 * USEC_PER_SEC);
    assert_int_equal(place->mates[CAROL].offers, 0);
    assert_int_equal(passed(place, "id=\"x1\"", "type=\"result\""), 1);
    assert_int_equal(passed(place, "session-terminate", "unsupported-applications"), 1);
}

static void test_only_who_takes_files_announces_it(void **state)
{
    struct place *place = *state;
    for (int i = 0; i < EVERYBODY; i++) {
        const struct account *account = place->town.phones[i].account;
        bool found = false;
        for (size_t j = 0; account_features(account)[j]; j++) {
            found = found || strcmp(account_features(account)[j], NS_FILE_TRANSFER_5) == 0;
        }
        assert_int_equal(found, i != CAROL);
    }
    /* Two of one kind need not ask each other. */
    come_online(place, BIT(ALICE) | BIT(BOB));
    assert_int_equal(passed(place, "disco#info", "from=\"" BOB_JID "\""), 0);
}

static void test_a_stranger_hears_that_nobody_is_here(void **state)
{
    struct place *place = *state;
    come_online(place, BIT(ALICE) | BIT(MALLORY));
    assert_int_equal(offer(place, MALLORY, ALICE_JID, 1), JINGLE_OK);
    run(place, 10 * USEC_PER_SEC);
    assert_int_equal(place->mates[ALICE].offers, 0);
    assert_int_equal(place->mates[MALLORY].told->len, 1);
}

static void test_whom_we_offered_to_is_no_stranger(void **state)
{
    struct place *place = *state;
    place->mates[MALLORY].accepts = true; /* who has Alice on the roster */
    come_online(place, BIT(ALICE) | BIT(MALLORY));
    offer(place, ALICE, jids[MALLORY], 1);
    run(place, 10 * USEC_PER_SEC);
    assert_heard(place, MALLORY, "ended cat0.jpg 0");
    assert_heard(place, ALICE, "ended cat0.jpg 0 remote");
    /* And is one again. */
    offer(place, MALLORY, ALICE_JID, 1);
    run(place, 10 * USEC_PER_SEC);
    assert_int_equal(place->mates[ALICE].offers, 0);
}

static void test_the_hash_is_one_that_the_other_client_knows(void **state)
{
    struct place *place = *state;
    const char *const *hashes = NULL;
    place->mates[BOB].is_old = true;
    come_online(place, BIT(ALICE) | BIT(BOB) | BIT(POCKET));
    assert_int_equal(offer(place, ALICE, BOB_JID, 1), JINGLE_OK);
    assert_int_equal(offer(place, ALICE, jids[POCKET], 1), JINGLE_OK);
    run(place, 5 * USEC_PER_SEC);
    assert_int_equal(place->mates[BOB].offers + place->mates[POCKET].offers, 2);
    assert_int_equal(passed(place, "session-initiate", "algo=\"sha-1\""), 1);
    assert_int_equal(passed(place, "session-initiate", "algo=\"sha-256\""), 1);
    hashes = account_file_peer_hashes(parcel_of(place, ALICE, 0)->file);
    assert_string_equal(hashes[0], "sha3-256");
    assert_string_equal(hashes[2], "sha-1");
    hashes = account_file_peer_hashes(parcel_of(place, ALICE, 1)->file);
    assert_string_equal(hashes[0], "sha-256");
}

static void test_a_file_can_be_asked_for(void **state)
{
    struct place *place = *state;
    struct file_description wish = {.name = "cat.jpg"};
    struct file_description found = {.name = "cat.jpg", .has_size = true, .size = 1000};
    struct account_file_config config = {&wish, NULL};
    struct account_file *file = NULL;
    struct account *alice = NULL;
    come_online(place, BIT(ALICE) | BIT(BOB));
    alice = place->town.phones[ALICE].account;
    config.user = add_parcel(&place->mates[ALICE], NULL, "cat.jpg", false);
    assert_int_equal(account_files_offer(alice, BOB_BARE, true, &config, 1, FILE_WAYS_ALL,
                                         place->town.now, &file),
                     JINGLE_ERROR_JID);
    assert_int_equal(account_files_offer(alice, BOB_JID, true, &config, 1, FILE_WAYS_ALL,
                                         place->town.now, &file),
                     JINGLE_OK);
    parcel_of(place, ALICE, 0)->file = file;
    run(place, 2 * USEC_PER_SEC);
    assert_heard(place, BOB, "asked for cat.jpg");
    account_file_accept(parcel_of(place, BOB, 0)->file, 0, &found, FILE_WAYS_ALL, place->town.now);
    run(place, 10 * USEC_PER_SEC);
    assert_heard(place, ALICE, "ended cat.jpg 0");
    assert_heard(place, BOB, "ended cat.jpg 0 remote");
}

static void test_a_call_and_files_do_not_meddle_with_each_other(void **state)
{
    struct place *place = *state;
    place->mates[ALICE].accepts = true;
    come_online(place, BIT(ALICE) | BIT(BOB));
    phone_call(&place->town.phones[ALICE], BOB_JID, true);
    run(place, USEC_PER_SEC);
    assert_int_equal(phone_saw(&place->town.phones[BOB], "incoming " ALICE_JID), 1);
    assert_int_equal(offer(place, BOB, ALICE_JID, 1), JINGLE_OK);
    run(place, 10 * USEC_PER_SEC);
    assert_heard(place, ALICE, "ended cat0.jpg 0");
    assert_non_null(place->town.phones[ALICE].call);
    assert_non_null(place->town.phones[BOB].call);
}

static void test_an_offer_waits_for_our_reconnect(void **state)
{
    struct place *place = *state;
    place->mates[BOB].accepts = true;
    come_online(place, BIT(ALICE) | BIT(BOB));
    offer(place, ALICE, BOB_BARE, 1);
    phone_drop(&place->town.phones[ALICE]); /* before anything could be sent */
    run(place, 20 * USEC_PER_SEC);
    assert_int_equal(place->mates[ALICE].told->len, 0);
    phone_online(&place->town.phones[ALICE]);
    run(place, 10 * USEC_PER_SEC);
    assert_heard(place, ALICE, "ended cat0.jpg 0 remote");
}

static void test_an_offer_that_comes_again_is_not_told_twice(void **state)
{
    struct place *place = *state;
    come_online(place, BIT(ALICE) | BIT(BOB));
    offer(place, ALICE, BOB_JID, 1);
    run(place, 60 * USEC_PER_MS); /* it is there, and its answer is lost with the line */
    assert_int_equal(place->mates[BOB].offers, 1);
    account_offline(place->town.phones[ALICE].account, place->town.now);
    run(place, 100 * USEC_PER_MS);
    account_online(place->town.phones[ALICE].account, ALICE_JID, true, place->town.now);
    run(place, 2 * USEC_PER_SEC);
    assert_int_equal(passed(place, "session-initiate", ""), 2);
    assert_int_equal(place->mates[BOB].offers, 1);
    place->mates[BOB].accepts = true;
    account_file_accept(parcel_of(place, BOB, 0)->file, 0, NULL, FILE_WAYS_ALL, place->town.now);
    run(place, 10 * USEC_PER_SEC);
    assert_heard(place, ALICE, "ended cat0.jpg 0 remote");
}

static void test_several_files_to_one_of_us_go_in_one_session(void **state)
{
    struct place *place = *state;
    come_online(place, BIT(ALICE) | BIT(BOB));
    assert_int_equal(offer(place, ALICE, BOB_BARE, 3), JINGLE_OK);
    run(place, 5 * USEC_PER_SEC);
    assert_int_equal(place->mates[BOB].offers, 3);
    for (guint i = 0; i < 3; i++) {
        account_file_accept(parcel_of(place, BOB, i)->file, 0, NULL, FILE_WAYS_ALL,
                            place->town.now);
    }
    run(place, 10 * USEC_PER_SEC);
    assert_string_equal(parcel_of(place, ALICE, 0)->sid, parcel_of(place, ALICE, 2)->sid);
    assert_string_not_equal(parcel_of(place, ALICE, 0)->content,
                            parcel_of(place, ALICE, 2)->content);
    for (guint i = 0; i < 3; i++) {
        char *text = g_strdup_printf("ended cat%u.jpg 0", i);
        assert_heard(place, BOB, text);
        g_free(text);
    }
}

static void test_several_files_to_another_client_go_one_after_the_other(void **state)
{
    struct place *place = *state;
    place->mates[BOB].is_foreign = true;
    come_online(place, BIT(ALICE) | BIT(BOB));
    assert_int_equal(offer(place, ALICE, BOB_BARE, 3), JINGLE_OK);
    run(place, 5 * USEC_PER_SEC);
    assert_int_equal(place->mates[BOB].offers, 1);
    account_file_reject(parcel_of(place, BOB, 0)->file, place->town.now);
    run(place, 5 * USEC_PER_SEC);
    assert_int_equal(place->mates[BOB].offers, 2);
    assert_heard(place, BOB, "offered cat1.jpg");
    place->mates[BOB].accepts = true;
    account_file_accept(parcel_of(place, BOB, 1)->file, 0, NULL, FILE_WAYS_ALL, place->town.now);
    run(place, 20 * USEC_PER_SEC);
    assert_heard(place, BOB, "ended cat2.jpg 0");
    assert_string_not_equal(parcel_of(place, ALICE, 1)->sid, parcel_of(place, ALICE, 2)->sid);
}

static void test_who_does_not_answer_is_not_asked_again_and_again(void **state)
{
    struct place *place = *state;
    char text[64];
    place->mates[BOB].is_foreign = true;
    come_online(place, BIT(ALICE) | BIT(BOB));
    assert_int_equal(offer(place, ALICE, BOB_BARE, 3), JINGLE_OK);
    run_in_steps(place, FILE_ANSWER_LIMIT + 10 * USEC_PER_SEC, USEC_PER_SEC);
    assert_int_equal(place->mates[BOB].offers, 1);
    g_snprintf(text, sizeof text, "ended cat2.jpg %d remote", JINGLE_ERROR_NO_ANSWER);
    assert_heard(place, ALICE, text);
}

static void test_a_file_that_waits_for_its_turn_can_be_canceled(void **state)
{
    struct place *place = *state;
    char text[64];
    place->mates[BOB].is_foreign = true;
    come_online(place, BIT(ALICE) | BIT(BOB));
    assert_int_equal(offer(place, ALICE, BOB_BARE, 2), JINGLE_OK);
    run(place, 5 * USEC_PER_SEC);
    account_file_end(parcel_of(place, ALICE, 1)->file, JINGLE_ERROR_CANCELED, place->town.now);
    g_snprintf(text, sizeof text, "ended cat1.jpg %d", JINGLE_ERROR_CANCELED);
    assert_heard(place, ALICE, text);
    place->mates[BOB].accepts = true;
    account_file_accept(parcel_of(place, BOB, 0)->file, 0, NULL, FILE_WAYS_ALL, place->town.now);
    run(place, 20 * USEC_PER_SEC);
    assert_int_equal(place->mates[BOB].offers, 1);
}

static void test_a_proxy_of_ours_is_found_and_activated(void **state)
{
    struct place *place = *state;
    place->has_proxy = true;
    place->mates[BOB].accepts = true;
    place->mates[ALICE].unreachable = place->mates[BOB].unreachable = true;
    come_online(place, BIT(ALICE) | BIT(BOB));
    assert_int_equal(offer(place, ALICE, BOB_BARE, 1), JINGLE_OK);
    run(place, 20 * USEC_PER_SEC);
    assert_int_equal(place->activations, 1);
    assert_heard(place, BOB, "ended cat0.jpg 0");
    assert_int_equal(heard(place, ALICE, "in-band"), 0);
}

static void test_a_proxy_that_refuses_leads_to_in_band(void **state)
{
    struct place *place = *state;
    place->has_proxy = place->proxy_refuses = true;
    place->mates[BOB].accepts = true;
    place->mates[ALICE].unreachable = place->mates[BOB].unreachable = true;
    come_online(place, BIT(ALICE) | BIT(BOB));
    assert_int_equal(offer(place, ALICE, BOB_BARE, 1), JINGLE_OK);
    run(place, 60 * USEC_PER_SEC);
    assert_int_equal(place->activations, 0);
    assert_heard(place, ALICE, "in-band");
    assert_heard(place, BOB, "ended cat0.jpg 0");
}

static void test_services_are_asked_for_once_a_login_and_only_when_needed(void **state)
{
    struct place *place = *state;
    come_online(place, BIT(CAROL) | BIT(BOB));
    assert_int_equal(place->surveys, 1); /* Bob's, who takes files */
    assert_int_equal(offer(place, CAROL, BOB_BARE, 1), JINGLE_OK);
    run(place, 2 * USEC_PER_SEC);
    assert_int_equal(place->surveys, 2);
    assert_int_equal(offer(place, CAROL, BOB_BARE, 1), JINGLE_OK);
    run(place, 2 * USEC_PER_SEC);
    assert_int_equal(place->surveys, 2);
    assert_int_equal(place->mates[BOB].offers, 2);
}

static void test_a_server_that_does_not_answer_holds_files_up_for_three_seconds(void **state)
{
    struct place *place = *state;
    place->silent_items = true;
    come_online(place, BIT(CAROL) | BIT(BOB));
    assert_int_equal(offer(place, CAROL, BOB_BARE, 1), JINGLE_OK);
    run(place, 2800 * USEC_PER_MS);
    assert_int_equal(place->mates[BOB].offers, 0);
    run(place, 500 * USEC_PER_MS);
    assert_int_equal(place->mates[BOB].offers, 1);
}

/* Nobody can be reached, and there is no proxy. */
static void open_walled(struct place *place)
{
    open_place(place);
    place->mates[BOB].accepts = place->mates[ALICE].accepts = true;
    for (size_t i = 0; i < EVERYBODY; i++) {
        place->mates[i].unreachable = true;
    }
    come_online(place, BIT(ALICE) | BIT(BOB));
}

static void test_without_any_path_the_bytes_go_in_band(void **state)
{
    struct place place;
    (void)state;
    open_walled(&place);
    assert_int_equal(offer_ways(&place, ALICE, BOB_BARE, 1, 300000, FILE_WAYS_ALL), JINGLE_OK);
    assert_int_equal(offer_ways(&place, BOB, ALICE_JID, 1, 300000, FILE_WAYS_ALL), JINGLE_OK);
    run(&place, 60 * USEC_PER_SEC);
    assert_heard(&place, BOB, "ended cat0.jpg 0");
    assert_heard(&place, ALICE, "ended cat0.jpg 0");
    assert_heard(&place, ALICE, "ended cat0.jpg 0 remote");
    assert_int_equal(parcel_of(&place, BOB, 0)->moved, 300000);
    assert_int_equal(place.mates[ALICE].most_under_way, 16);
    close_place(&place);
}

static void test_another_client_gets_one_block_at_a_time(void **state)
{
    struct place place;
    (void)state;
    open_walled(&place);
    phone_drop(&place.town.phones[BOB]);
    place.mates[BOB].is_foreign = true;
    come_online(&place, BIT(BOB));
    assert_int_equal(offer_ways(&place, ALICE, BOB_BARE, 1, 30000, FILE_WAY_INBAND), JINGLE_OK);
    run(&place, 60 * USEC_PER_SEC);
    assert_heard(&place, BOB, "ended cat0.jpg 0");
    assert_int_equal(place.mates[ALICE].most_under_way, 1);
    close_place(&place);
}

static void test_a_block_that_is_refused_is_told(void **state)
{
    struct place place;
    char text[64];
    (void)state;
    open_walled(&place);
    place.mates[BOB].refuses_blocks = true;
    assert_int_equal(offer_ways(&place, ALICE, BOB_BARE, 1, 30000, FILE_WAY_INBAND), JINGLE_OK);
    run(&place, 60 * USEC_PER_SEC);
    assert_true(heard(&place, ALICE, "block refused") >= 1);
    g_snprintf(text, sizeof text, "ended cat0.jpg %d", JINGLE_ERROR_CONNECTION_LOST);
    assert_heard(&place, ALICE, text);
    assert_null(parcel_of(&place, BOB, 0)->file);
    close_place(&place);
}

static void test_stanzas_of_no_stream_of_theirs_are_refused(void **state)
{
    struct place place;
    struct phone *carol = NULL;
    (void)state;
    open_walled(&place);
    come_online(&place, BIT(CAROL));
    carol = &place.town.phones[CAROL];
    assert_int_equal(offer_ways(&place, ALICE, BOB_BARE, 1, 3000000, FILE_WAY_INBAND), JINGLE_OK);
    run(&place, 3 * USEC_PER_SEC);
    assert_heard(&place, BOB, "in-band");
    /* Carol cannot know the sid; any will do to see that she is refused. */
    phone_send(carol, "<iq xmlns='jabber:client' type='set' id='b1' to='" BOB_JID "'><data "
                      "xmlns='http://jabber.org/protocol/ibb' sid='x' seq='0'>AAAA</data></iq>");
    phone_send(carol, "<iq xmlns='jabber:client' type='set' id='b2' to='" BOB_JID "'><close "
                      "xmlns='http://jabber.org/protocol/ibb' sid='x'/></iq>");
    phone_send(carol, "<iq xmlns='jabber:client' type='set' id='b3' to='" BOB_JID "'><open "
                      "xmlns='http://jabber.org/protocol/ibb' sid='x' block-size='4096'/></iq>");
    run(&place, 60 * USEC_PER_SEC);
    assert_int_equal(passed(&place, "id=\"b1\"", "item-not-found"), 1);
    assert_int_equal(passed(&place, "id=\"b2\"", "item-not-found"), 1);
    assert_int_equal(passed(&place, "id=\"b3\"", "not-acceptable"), 1);
    assert_heard(&place, BOB, "ended cat0.jpg 0");
    close_place(&place);
}

static void test_what_breaks_the_rules_of_a_stream_is_refused(void **state)
{
    struct place place;
    char *block = NULL;
    (void)state;
    open_walled(&place);
    offer_ways(&place, ALICE, BOB_BARE, 1, 3000000, FILE_WAY_INBAND);
    run(&place, 200 * USEC_PER_MS);
    while (!heard(&place, BOB, "in-band")) {
        run(&place, STEP);
    }
    const char *open = NULL;
    for (guint i = 0; i < place.delivered->len; i++) {
        if (strstr(place.delivered->pdata[i], "<open")) {
            open = place.delivered->pdata[i];
        }
    }
    assert_non_null(open);
    struct xml *xml = open ? xml_parse(open, strlen(open)) : NULL;
    const char *sid = xml_attribute(xml_first(xml_root(xml)), "sid");
    block = g_strdup_printf("<iq xmlns='jabber:client' type='set' id='b2' to='" BOB_JID "'><data "
                            "xmlns='http://jabber.org/protocol/ibb' sid='%s' seq='9'>?</data></iq>",
                            sid);
    phone_send(&place.town.phones[ALICE], block);
    /* From another device, which knows the sid. */
    come_online(&place, BIT(TABLET));
    phone_send(&place.town.phones[TABLET], block);
    run(&place, USEC_PER_SEC);
    assert_int_equal(passed(&place, "id=\"b2\"", "bad-request"), 2);
    g_free(block);
    xml_free(xml);
    close_place(&place);
}

static void test_an_offer_ends_when_its_device_goes(void **state)
{
    struct place *place = *state;
    char text[64];
    come_online(place, BIT(ALICE) | BIT(BOB));
    offer(place, ALICE, BOB_BARE, 1);
    run(place, 2 * USEC_PER_SEC);
    assert_int_equal(place->mates[BOB].offers, 1);
    phone_drop(&place->town.phones[BOB]);
    run(place, 2 * USEC_PER_SEC);
    g_snprintf(text, sizeof text, "ended cat0.jpg %d remote", JINGLE_ERROR_GONE);
    assert_heard(place, ALICE, text);
}

static void test_a_stream_of_its_own_outlives_a_reconnect(void **state)
{
    struct place *place = *state;
    place->mates[BOB].accepts = true;
    come_online(place, BIT(ALICE) | BIT(BOB));
    offer(place, ALICE, BOB_BARE, 1);
    while (heard(place, ALICE, "stream guest") + heard(place, ALICE, "stream dialed") == 0) {
        run(place, STEP);
    }
    run(place, 100 * USEC_PER_MS);
    phone_drop(&place->town.phones[ALICE]);
    run(place, 200 * USEC_PER_MS);
    phone_online(&place->town.phones[ALICE]);
    run(place, 10 * USEC_PER_SEC);
    assert_heard(place, BOB, "ended cat0.jpg 0");
    assert_heard(place, ALICE, "ended cat0.jpg 0 remote");
}

static void test_a_stream_of_its_own_outlives_even_our_jid(void **state)
{
    struct place *place = *state;
    struct phone *alice = NULL;
    alice = &place->town.phones[ALICE];
    place->mates[BOB].accepts = true;
    come_online(place, BIT(ALICE) | BIT(BOB));
    offer(place, ALICE, BOB_BARE, 1);
    while (heard(place, ALICE, "stream guest") + heard(place, ALICE, "stream dialed") == 0) {
        run(place, STEP);
    }
    run(place, 100 * USEC_PER_MS);
    phone_drop(alice);
    alice->session->jid = "alice@example.org/other";
    phone_online(alice);
    run(place, 100 * USEC_PER_SEC);
    assert_int_equal(passed(place, "<jingle", "alice@example.org/other"), 0);
    assert_heard(place, BOB, "ended cat0.jpg 0");
    assert_heard(place, ALICE, "ended cat0.jpg 0 remote");
}

static void test_an_in_band_stream_ends_with_the_stream_to_the_server(void **state)
{
    struct place place;
    char text[64];
    (void)state;
    open_walled(&place);
    offer_ways(&place, ALICE, BOB_BARE, 1, 3000000, FILE_WAY_INBAND);
    run(&place, 3 * USEC_PER_SEC);
    assert_heard(&place, BOB, "in-band");
    phone_drop(&place.town.phones[ALICE]);
    run(&place, 200 * USEC_PER_MS);
    phone_online(&place.town.phones[ALICE]);
    run(&place, 10 * USEC_PER_SEC);
    g_snprintf(text, sizeof text, "ended cat0.jpg %d", JINGLE_ERROR_CONNECTION_LOST);
    assert_heard(&place, ALICE, text);
    assert_null(parcel_of(&place, BOB, 0)->file);
    close_place(&place);
}

static void test_a_receiver_that_loses_its_server_loses_an_in_band_stream(void **state)
{
    struct place place;
    (void)state;
    open_walled(&place);
    offer_ways(&place, ALICE, BOB_BARE, 1, 3000000, FILE_WAY_INBAND);
    run(&place, 3 * USEC_PER_SEC);
    phone_drop(&place.town.phones[BOB]);
    run(&place, 200 * USEC_PER_MS);
    assert_heard(&place, BOB, "closed");
    assert_null(parcel_of(&place, BOB, 0)->file);
    phone_online(&place.town.phones[BOB]);
    run(&place, 10 * USEC_PER_SEC);
    assert_null(parcel_of(&place, ALICE, 0)->file);
    close_place(&place);
}

static void test_under_another_jid_of_ours_undecided_offers_end(void **state)
{
    struct place *place = *state;
    struct phone *alice = NULL;
    char text[64];
    alice = &place->town.phones[ALICE];
    come_online(place, BIT(ALICE) | BIT(BOB));
    offer(place, ALICE, BOB_BARE, 1);
    run(place, 2 * USEC_PER_SEC);
    phone_drop(alice);
    alice->session->jid = "alice@example.org/other";
    phone_online(alice);
    run(place, 5 * USEC_PER_SEC);
    g_snprintf(text, sizeof text, "ended cat0.jpg %d", JINGLE_ERROR_OFFLINE);
    assert_heard(place, ALICE, text);
    g_snprintf(text, sizeof text, "ended cat0.jpg %d remote", JINGLE_ERROR_GONE);
    assert_heard(place, BOB, text);
}

static void test_a_flood_of_offers_is_held_at_32(void **state)
{
    struct place *place = *state;
    come_online(place, BIT(ALICE) | BIT(BOB));
    for (unsigned i = 0; i < 300; i++) {
        char *iq = g_strdup_printf(
            "<iq xmlns='jabber:client' type='set' id='x%u' to='" BOB_JID "'>"
            "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s%u'>"
            "<content creator='initiator' name='f' senders='initiator'>"
            "<description xmlns='urn:xmpp:jingle:apps:file-transfer:5'><file><name>a</name>"
            "<size>1</size></file></description>"
            "<transport xmlns='urn:xmpp:jingle:transports:ibb:1' sid='i%u' block-size='4096'/>"
            "</content></jingle></iq>",
            i, i, i);
        phone_send(&place->town.phones[ALICE], iq);
        g_free(iq);
    }
    run(place, 5 * USEC_PER_SEC);
    assert_int_equal(place->mates[BOB].offers, 32);
    assert_int_equal(passed(place, "type=\"error\"", "resource-constraint"), 300 - 32);
    /* Others are not hindered by that. */
    come_online(place, BIT(POCKET) | BIT(CAROL));
    assert_int_equal(offer(place, POCKET, BOB_JID, 16), JINGLE_OK);
    assert_int_equal(offer(place, POCKET, BOB_JID, 16), JINGLE_OK);
    assert_int_equal(offer(place, POCKET, BOB_JID, 16), JINGLE_OK);
    assert_int_equal(offer(place, CAROL, BOB_JID, 1), JINGLE_OK);
    run(place, 5 * USEC_PER_SEC);
    assert_int_equal(place->mates[BOB].offers, 32 + 48 + 1);
    /* Room again when some are decided. */
    account_file_reject(parcel_of(place, BOB, 0)->file, place->town.now);
    offer(place, ALICE, BOB_JID, 1);
    run(place, 5 * USEC_PER_SEC);
    assert_int_equal(place->mates[BOB].offers, 32 + 48 + 2);
}

/* --- storms -- */

static unsigned dice(uint64_t *random, unsigned sides)
{
    return (unsigned)((random_next(random) >> 16) % sides);
}

static struct parcel *any_parcel(struct mate *mate, uint64_t *random)
{
    guint count = mate->parcels->len;
    struct parcel *parcel = count ? mate->parcels->pdata[dice(random, count)] : NULL;
    return parcel && parcel->file ? parcel : NULL;
}

static void offer_anything(struct place *place, int who, uint64_t *random)
{
    static const char *const people[] = {"alice@example.org", BOB_BARE, "carol@example.org"};
    static const unsigned ways[] = {FILE_WAYS_ALL, FILE_WAYS_ALL, FILE_WAY_INBAND, FILE_WAY_DIRECT,
                                    FILE_WAY_PROXY | FILE_WAY_INBAND};
    const char *to = dice(random, 2) ? people[dice(random, G_N_ELEMENTS(people))]
                                     : jids[dice(random, EVERYBODY)];
    offer_ways(place, who, to, 1 + dice(random, 3), dice(random, 3) * 15000,
               ways[dice(random, G_N_ELEMENTS(ways))]);
}

static void change_line(struct phone *phone, uint64_t *random)
{
    bool online = account_is_online(phone->account);
    if (online && dice(random, 2)) {
        phone_drop(phone);
    } else if (online) {
        account_offline(phone->account, phone->town->now); /* the server has not noticed */
    } else if (phone->session->online) {
        account_online(phone->account, phone->session->jid, true, phone->town->now);
    } else {
        bool renamed = phone == &phone->town->phones[ALICE] && dice(random, 3) == 0;
        phone->session->jid = renamed ? "alice@example.org/again" : phone->session->jid;
        phone_online(phone);
    }
}

static void decide_anything(struct mate *mate, uint64_t *random)
{
    struct parcel *parcel = any_parcel(mate, random);
    usec now = now_of(mate);
    if (!parcel) {
        return;
    }
    switch (dice(random, 6)) {
    case 0:
        account_file_end(parcel->file, JINGLE_ERROR_CANCELED, now);
        break;
    case 1:
        account_file_reject(parcel->file, now);
        break;
    case 2:
        account_file_stream_failed(parcel->file, now);
        break;
    default:
        if (!parcel->sends) {
            account_file_accept(parcel->file, 0, NULL, FILE_WAYS_ALL, now);
        }
        break;
    }
}

static void storm_step(struct place *place, uint64_t *random)
{
    int who = (int)dice(random, EVERYBODY);
    struct mate *mate = &place->mates[who];
    switch (dice(random, 8)) {
    case 0:
    case 1:
    case 2:
        offer_anything(place, who, random);
        break;
    case 3:
        change_line(mate->phone, random);
        break;
    case 4:
        mate->unreachable = dice(random, 2);
        mate->accepts = dice(random, 2);
        mate->refuses_blocks = dice(random, 8) == 0;
        place->proxy_refuses = dice(random, 4) == 0;
        break;
    default:
        decide_anything(mate, random);
        break;
    }
}

static void assert_all_ended(const struct place *place, uint64_t seed)
{
    for (int who = 0; who < EVERYBODY; who++) {
        const GPtrArray *parcels = place->mates[who].parcels;
        for (guint i = 0; i < parcels->len; i++) {
            const struct parcel *parcel = parcels->pdata[i];
            bool believed = parcel->sends && parcel->sid[0] && parcel->status == JINGLE_OK;
            const struct parcel *other = believed ? other_side(parcel) : NULL;
            if (parcel->file) {
                fail_msg("storm %d: %s of %s has not ended", (int)seed, parcel->name, jids[who]);
            }
            if (other && !other->got_all) {
                fail_msg("storm %d: %s of %s is not whole", (int)seed, parcel->name, jids[who]);
            }
        }
    }
}

/* Everybody offers, takes, refuses, gives up and loses the line at random: afterwards every file
 * has ended, and what a sender believes to have arrived has. */
static void test_every_file_ends_whatever_happens(void **state)
{
    const char *only = getenv("SIM_SEED");
    (void)state;
    for (uint64_t seed = 1; seed <= STORMS; seed++) {
        if (only && strtoull(only, NULL, 10) != seed) {
            continue;
        }
        struct place place;
        uint64_t random = seed;
        open_place(&place);
        place.has_proxy = seed % 2;
        place.mates[POCKET].is_foreign = seed % 3 == 0;
        come_online(&place, BIT(EVERYBODY) - 1);
        for (unsigned step = 0; step < STORM_STEPS; step++) {
            storm_step(&place, &random);
            run(&place, dice(&random, 1500) * USEC_PER_MS);
        }
        for (int who = 0; who < EVERYBODY; who++) {
            if (!account_is_online(place.town.phones[who].account)) {
                phone_online(&place.town.phones[who]);
            }
        }
        run_in_steps(&place, 15 * 60 * USEC_PER_SEC, USEC_PER_SEC / 2);
        assert_all_ended(&place, seed);
        close_place(&place);
    }
}

/* --- uploads -- */

struct slot_seen {
    unsigned answers;
    jingle_status status;
    char *url;
};

static void on_slot(void *user, const struct upload_slot *slot, jingle_status status,
                    const char *text)
{
    struct slot_seen *seen = user;
    (void)text;
    seen->answers++;
    seen->status = status;
    seen->url = slot ? g_strdup(slot->get_url) : NULL;
}

static void test_a_slot_is_found_and_the_link_is_told(void **state)
{
    struct place *place = *state;
    struct slot_seen seen = {0};
    struct account *alice = NULL;
    place->has_upload = true;
    come_online(place, BIT(ALICE) | BIT(BOB));
    alice = place->town.phones[ALICE].account;
    assert_int_equal(
        account_upload_ask(alice, "cat.jpg", 1000, "image/jpeg", on_slot, &seen, place->town.now),
        JINGLE_OK);
    assert_int_equal(seen.answers, 0);
    run(place, 2 * USEC_PER_SEC);
    assert_int_equal(seen.answers, 1);
    assert_int_equal(seen.status, JINGLE_OK);
    assert_string_equal(seen.url, "https://files.example.org/1/cat.jpg");
    account_upload_tell(alice, BOB_BARE, seen.url, NULL, place->town.now);
    run(place, USEC_PER_SEC);
    assert_int_equal(passed(place, "<message", "<body>https://files.example.org/1/cat.jpg</body>"),
                     1);
    phone_drop(&place->town.phones[ALICE]);
    account_upload_tell(alice, BOB_BARE, "https://files.example.org/2", NULL, place->town.now);
    phone_online(&place->town.phones[ALICE]);
    run(place, USEC_PER_SEC);
    assert_int_equal(passed(place, "<message", "<body>https://files.example.org/2</body>"), 1);
    g_free(seen.url);
}

static void test_without_a_service_there_is_no_upload(void **state)
{
    struct place *place = *state;
    struct slot_seen seen = {0};
    come_online(place, BIT(CAROL));
    account_upload_ask(place->town.phones[CAROL].account, "a", 1, NULL, on_slot, &seen,
                       place->town.now);
    run(place, 2 * USEC_PER_SEC);
    assert_int_equal(seen.answers, 1);
    assert_int_equal(seen.status, JINGLE_ERROR_NO_UPLOAD);
}

static void test_a_slot_is_asked_for_again_after_a_reconnect(void **state)
{
    struct place *place = *state;
    struct slot_seen seen = {0};
    place->has_upload = true;
    come_online(place, BIT(CAROL));
    account_upload_ask(place->town.phones[CAROL].account, "a", 1, NULL, on_slot, &seen,
                       place->town.now);
    run(place, 20 * USEC_PER_MS);
    phone_drop(&place->town.phones[CAROL]);
    run(place, USEC_PER_SEC);
    assert_int_equal(seen.answers, 0);
    phone_online(&place->town.phones[CAROL]);
    run(place, 2 * USEC_PER_SEC);
    assert_int_equal(seen.answers, 1);
    assert_int_equal(seen.status, JINGLE_OK);
    g_free(seen.url);
}

static void test_a_slot_that_nobody_wants_any_more_is_not_told(void **state)
{
    struct place *place = *state;
    struct slot_seen seen = {0};
    place->has_upload = true;
    come_online(place, BIT(CAROL));
    account_upload_ask(place->town.phones[CAROL].account, "a", 1, NULL, on_slot, &seen,
                       place->town.now);
    run(place, 20 * USEC_PER_MS);
    account_upload_forget(place->town.phones[CAROL].account, &seen);
    run(place, 2 * USEC_PER_SEC);
    assert_int_equal(seen.answers, 0);
}

static int set_up(void **state)
{
    static struct place place;
    open_place(&place);
    *state = &place;
    return 0;
}

static int tear_down(void **state)
{
    close_place(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_file_goes_to_the_device_that_takes_files),
        TEST(test_of_several_devices_one_is_offered_it),
        TEST(test_a_full_jid_is_that_device),
        TEST(test_a_sibling_of_ours_takes_a_file),
        TEST(test_what_cannot_be_offered_is_said_at_once),
        TEST(test_nobody_online_is_offline),
        TEST(test_who_comes_right_after_our_login_is_not_offline),
        TEST(test_who_takes_no_files_is_not_offered_any),
        TEST(test_an_offer_to_whom_takes_none_is_acknowledged_and_refused),
        TEST(test_only_who_takes_files_announces_it),
        TEST(test_a_stranger_hears_that_nobody_is_here),
        TEST(test_whom_we_offered_to_is_no_stranger),
        TEST(test_the_hash_is_one_that_the_other_client_knows),
        TEST(test_a_file_can_be_asked_for),
        TEST(test_a_call_and_files_do_not_meddle_with_each_other),
        TEST(test_an_offer_waits_for_our_reconnect),
        TEST(test_an_offer_that_comes_again_is_not_told_twice),
        TEST(test_several_files_to_one_of_us_go_in_one_session),
        TEST(test_several_files_to_another_client_go_one_after_the_other),
        TEST(test_who_does_not_answer_is_not_asked_again_and_again),
        TEST(test_a_file_that_waits_for_its_turn_can_be_canceled),
        TEST(test_a_proxy_of_ours_is_found_and_activated),
        TEST(test_a_proxy_that_refuses_leads_to_in_band),
        TEST(test_services_are_asked_for_once_a_login_and_only_when_needed),
        TEST(test_a_server_that_does_not_answer_holds_files_up_for_three_seconds),
        cmocka_unit_test(test_without_any_path_the_bytes_go_in_band),
        cmocka_unit_test(test_another_client_gets_one_block_at_a_time),
        cmocka_unit_test(test_a_block_that_is_refused_is_told),
        cmocka_unit_test(test_stanzas_of_no_stream_of_theirs_are_refused),
        cmocka_unit_test(test_what_breaks_the_rules_of_a_stream_is_refused),
        TEST(test_an_offer_ends_when_its_device_goes),
        TEST(test_a_stream_of_its_own_outlives_a_reconnect),
        TEST(test_a_stream_of_its_own_outlives_even_our_jid),
        cmocka_unit_test(test_an_in_band_stream_ends_with_the_stream_to_the_server),
        cmocka_unit_test(test_a_receiver_that_loses_its_server_loses_an_in_band_stream),
        TEST(test_under_another_jid_of_ours_undecided_offers_end),
        TEST(test_a_flood_of_offers_is_held_at_32),
        cmocka_unit_test(test_every_file_ends_whatever_happens),
        TEST(test_a_slot_is_found_and_the_link_is_told),
        TEST(test_without_a_service_there_is_no_upload),
        TEST(test_a_slot_is_asked_for_again_after_a_reconnect),
        TEST(test_a_slot_that_nobody_wants_any_more_is_not_told),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
