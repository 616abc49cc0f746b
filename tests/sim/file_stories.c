/* Two machines of a session with files against each other, over a delayed link in virtual time, in
 * worlds that let some connections come about and others not: every path of negotiation, with each
 * side as initiator and as sender; and each of these stories again with a cancellation, a death or
 * a broken stream at every single step.
 *
 *     romeo ═ link: stanzas as XML, in order, 50 ms ═ juliet
 *       └── local: what the byte streams of this world tell, a little later ──┘
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/signaling/file_side.h"

#define LINK_DELAY    (50 * USEC_PER_MS)
#define LOCAL_DELAY   (20 * USEC_PER_MS)
#define STALL_LIMIT   (60 * USEC_PER_SEC) /* after which a stream whose other end is gone is lost */
#define PATIENCE      (3600 * USEC_PER_SEC) /* no story lasts longer */
#define CONTENTS_MAX  4
#define STEPS_MAX     400
#define NEVER_REACHED INT_MAX

/* ------------------------------------------------------------------------------- the world -- */

/* By party: 0 is romeo, who initiates, 1 is juliet. */
struct world {
    bool direct[2]; /* its address can be reached by the other */
    bool proxy[2];  /* its proxy can be reached */
    bool activates[2];
    bool no_inband;
    bool in_band_only; /* neither knows SOCKS5 */
    bool breaks;       /* the first stream breaks before its first byte */
    unsigned ways[2];  /* 0: all */
};

enum way { WAY_NONE, WAY_DIRECT, WAY_PROXY, WAY_INBAND };

enum what {
    LINK_IQ,
    LINK_ANSWER,
    LINK_OPEN,
    LINK_OPENED,
    LOCAL_DECIDE,
    LOCAL_DIALED,
    LOCAL_PROXY,
    LOCAL_ACTIVATED,
    LOCAL_STREAM_FAILED,
    LOCAL_SENT,
    LOCAL_RECEIVED,
    LOCAL_CLOSED,
    LOCAL_STALLED,
};

struct step {
    usec due;
    unsigned order;
    enum what what;
    unsigned to; /* whom */
    unsigned tag;
    char *text; /* the IQ, or the sid to open */
    char content[32];
    char cid[S5B_CID_SIZE];
    bool good;
    struct stanza_error error;
    unsigned generation;
};

/* One content at one side. */
struct end {
    char name[32];
    bool sends;
    bool flows, is_sent, is_over, broke;
    enum way way;
    char stream[S5B_CID_SIZE];
    struct ibb_transport offered; /* by our <open/> */
    unsigned generation;          /* of streams: what is told of an older one is nothing */
    jingle_status status;
    unsigned received; /* events */
};

struct party {
    struct file_side side;
    struct story *story;
    unsigned index;
    struct end ends[CONTENTS_MAX];
    size_t end_count;
    bool is_dead;
    unsigned over; /* SESSION_ENDED events */
};

enum trouble { NO_TROUBLE, CANCEL, CANCEL_ONE, DIE, GO_OFFLINE, BREAK };

struct story {
    struct world world;
    struct party parties[2];
    GArray *steps;
    unsigned orders;
    usec now;
    int steps_done;
    unsigned tag; /* of the IQ that is being delivered */
    bool rejects; /* juliet does not want it */
    enum trouble trouble;
    unsigned troubled; /* whose */
    int trouble_at;
};

static const struct file_description the_file = {
    .name = (char[]){"a"}, .has_size = true, .size = 9, .has_range = true};

static struct end *end_of(struct party *party, const char *content)
{
    for (size_t i = 0; i < party->end_count; i++) {
        if (strcmp(party->ends[i].name, content) == 0)
            return &party->ends[i];
    }
    return NULL;
}

static struct party *other_party(struct party *party)
{
    return &party->story->parties[1 - party->index];
}

/* ---------------------------------------------------------------------------------- steps -- */

static struct step *put(struct story *story, enum what what, unsigned to, usec delay)
{
    struct step step = {
        .due = story->now + delay, .order = story->orders++, .what = what, .to = to};

    g_array_append_val(story->steps, step);
    return &g_array_index(story->steps, struct step, story->steps->len - 1);
}

static struct step *put_local(struct party *party, enum what what, const char *content, bool good)
{
    struct step *step = put(party->story, what, party->index, LOCAL_DELAY);

    g_strlcpy(step->content, content, sizeof(step->content));
    step->good = good;
    step->generation = end_of(party, content)->generation;
    return step;
}

/* ------------------------------------------------------------------------------- the hooks -- */

static struct party *party_of(struct file_side *side)
{
    return side->user;
}

static void on_send(struct file_side *side, const struct jingle_iq *iq, unsigned tag)
{
    struct party *party = party_of(side);
    struct xml *xml = stanza_iq("set", "peer", "id");

    jingle_iq_write(iq, xml_root(xml));
    struct step *step = put(party->story, LINK_IQ, 1 - party->index, LINK_DELAY);
    step->text = xml_to_string(xml_first(xml_root(xml)));
    step->tag = tag;
    xml_free(xml);
}

/* Of the IQ that is being delivered. */
static void on_answer(struct file_side *side, const struct stanza_error *error)
{
    struct party *party = party_of(side);
    struct step *step = put(party->story, LINK_ANSWER, 1 - party->index, LINK_DELAY);

    step->tag = party->story->tag;
    step->good = error == NULL;
    if (error != NULL)
        step->error = *error;
}

/* Can this side get through to a candidate of the other? */
static bool is_reachable(const struct party *party, const struct s5b_candidate *candidate)
{
    unsigned owner = 1 - party->index;

    return candidate->type == S5B_PROXY ? party->story->world.proxy[owner]
                                        : party->story->world.direct[owner];
}

static void dial(struct party *party, const struct file_event *event)
{
    const struct s5b_candidate *best = NULL;

    for (size_t i = 0; i < event->u.dial.count; i++) {
        const struct s5b_candidate *candidate = &event->u.dial.candidates[i];
        if (is_reachable(party, candidate) &&
            (best == NULL || best->priority < candidate->priority))
            best = candidate;
    }
    struct step *step = put_local(party, LOCAL_DIALED, event->content, best != NULL);
    g_strlcpy(step->cid, best == NULL ? "" : best->cid, sizeof(step->cid));
}

/* Both ends have the same stream: bytes flow. */
static void try_flow(struct party *party, struct end *end)
{
    struct end *other = end_of(other_party(party), end->name);
    struct party *sender = end->sends ? party : other_party(party);

    if (!other->flows || other->is_over || end->is_over)
        return;
    if (end->way != other->way || strcmp(end->stream, other->stream) != 0)
        fail_msg("two streams: %s and %s", end->stream, other->stream);
    put_local(sender, LOCAL_SENT, end->name, true);
}

static void begin_stream(struct party *party, const struct file_event *event)
{
    struct end *end = end_of(party, event->content);
    bool is_inband = event->type == FILE_EVENT_INBAND;

    end->generation++;
    end->flows = true;
    if (is_inband) {
        end->way = WAY_INBAND;
        g_strlcpy(end->stream, event->u.inband.transport->sid, sizeof(end->stream));
    } else {
        end->way = event->u.stream.type == S5B_PROXY ? WAY_PROXY : WAY_DIRECT;
        g_strlcpy(end->stream, event->u.stream.cid, sizeof(end->stream));
    }
    put_local(party, LOCAL_STALLED, event->content, true)->due += STALL_LIMIT;
    if (party->story->world.breaks && !is_inband && !end->broke) {
        end->broke = true;
        put_local(party, LOCAL_STREAM_FAILED, event->content, false);
        return;
    }
    try_flow(party, end);
}

static void end_content(struct party *party, const struct file_event *event)
{
    struct end *end = end_of(party, event->content);

    if (end->is_over || party->over > 0)
        fail_msg("%s ends twice", end->name);
    end->is_over = true;
    end->flows = false;
    end->status = event->u.ended.status;
    struct end *other = end_of(other_party(party), event->content);
    if (other != NULL && other->flows)
        put_local(other_party(party), LOCAL_CLOSED, event->content, true);
}

static void add_end(struct party *party, const struct file_event *event)
{
    struct end *end = &party->ends[party->end_count++];

    g_strlcpy(end->name, event->content, sizeof(end->name));
    end->sends = event->u.offered.requested;
    put_local(party, LOCAL_DECIDE, event->content, true);
}

static void on_event(struct file_side *side, const struct file_event *event)
{
    struct party *party = party_of(side);
    const struct world *world = &party->story->world;

    if (party->over > 0)
        fail_msg("an event after the last one");
    if (event->type == FILE_EVENT_SESSION_ENDED) {
        party->over++;
        return;
    }
    if (event->type == FILE_EVENT_OFFERED)
        add_end(party, event);
    struct end *end = end_of(party, event->content);
    if (end->is_over)
        fail_msg("an event after the end of %s", end->name);
    switch (event->type) {
    case FILE_EVENT_DIAL:
        dial(party, event);
        break;
    case FILE_EVENT_PROXY:
        put_local(party, LOCAL_PROXY, event->content, world->proxy[party->index]);
        break;
    case FILE_EVENT_ACTIVATE:
        put_local(party, LOCAL_ACTIVATED, event->content, world->activates[party->index]);
        break;
    case FILE_EVENT_NO_SOCKS5:
        end->flows = false;
        end->generation++;
        break;
    case FILE_EVENT_OPEN:
        end->offered = *event->u.inband.transport;
        g_strlcpy(put(party->story, LINK_OPEN, 1 - party->index, LINK_DELAY)->content, end->name,
                  sizeof(end->name));
        break;
    case FILE_EVENT_STREAM:
    case FILE_EVENT_INBAND:
        begin_stream(party, event);
        break;
    case FILE_EVENT_RECEIVED:
        end->received++;
        break;
    case FILE_EVENT_ENDED:
        end_content(party, event);
        break;
    default:
        break;
    }
}

/* ------------------------------------------------------------------------- what steps do -- */

static void deliver_iq(struct story *story, struct party *party, const struct step *step)
{
    story->tag = step->tag;
    if (party->side.session == NULL && strstr(step->text, "session-initiate") == NULL)
        return; /* the other has given up before its offer came */
    if (!file_side_receive(&party->side, step->text))
        fail_msg("malformed: %s", step->text);
}

static void deliver_open(struct story *story, struct party *party, const struct step *step)
{
    struct ibb_stanza open = {.kind = IBB_OPEN};
    struct party *from = other_party(party);
    struct step *answer = put(story, LINK_OPENED, from->index, LINK_DELAY);
    char content[32];
    struct stanza_error error;

    g_strlcpy(content, step->content, sizeof(content));
    g_strlcpy(answer->content, content, sizeof(answer->content));
    g_strlcpy(open.sid, end_of(from, content)->offered.sid, sizeof(open.sid));
    open.block_size = end_of(from, content)->offered.block_size;
    size_t at = story->steps->len - 1;
    bool good = party->side.session != NULL &&
                file_session_open_came(party->side.session, &open, &error, story->now);
    g_array_index(story->steps, struct step, at).good = good;
}

static void decide(struct story *story, struct party *party, const struct step *step)
{
    const struct end *end = end_of(party, step->content);
    unsigned ways = story->world.ways[1] == 0 ? FILE_WAYS_ALL : story->world.ways[1];

    if (story->rejects)
        file_session_reject(party->side.session, step->content, story->now);
    else
        file_session_accept(party->side.session, step->content, 0, end->sends ? &the_file : NULL,
                            ways, story->now);
}

/* The last byte is in the stream; a little later it is at the other end. */
static void send_all(struct story *story, struct party *party, struct end *end)
{
    static const struct file_hash hash = {"sha-256", "QUJD"};

    if (!end->flows || end->is_sent)
        return;
    end->is_sent = true;
    put_local(other_party(party), LOCAL_RECEIVED, end->name, true);
    file_session_sent(party->side.session, end->name, &hash, 1, story->now);
}

/* Nothing comes or goes any more: that is seen only in a stream whose other end is gone. */
static void stall(struct story *story, struct party *party, struct end *end)
{
    struct end *other = end_of(other_party(party), end->name);
    bool is_gone = other_party(party)->is_dead || other == NULL || other->is_over;

    if (!end->flows || end->is_sent)
        return;
    if (is_gone)
        file_session_end_content(party->side.session, end->name, JINGLE_ERROR_CONNECTION_LOST,
                                 story->now);
    else
        put_local(party, LOCAL_STALLED, end->name, true)->due += STALL_LIMIT;
}

static void do_local(struct story *story, struct party *party, const struct step *step)
{
    struct file_session *session = party->side.session;
    struct end *end = end_of(party, step->content);

    if (step->what != LOCAL_DECIDE && step->generation != end->generation)
        return;
    switch (step->what) {
    case LOCAL_DECIDE:
        decide(story, party, step);
        break;
    case LOCAL_DIALED:
        if (step->good)
            file_session_connected(session, step->content, step->cid, story->now);
        else
            file_session_unconnected(session, step->content, story->now);
        break;
    case LOCAL_PROXY:
        file_session_proxy_connected(session, step->content, step->good, story->now);
        break;
    case LOCAL_ACTIVATED:
        file_session_activated(session, step->content, step->good, story->now);
        break;
    case LOCAL_STREAM_FAILED:
        file_session_stream_failed(session, step->content, story->now);
        break;
    case LOCAL_SENT:
        send_all(story, party, end);
        break;
    case LOCAL_RECEIVED:
        file_session_received(session, step->content, story->now);
        break;
    case LOCAL_CLOSED:
        file_session_stream_closed(session, step->content, story->now);
        break;
    case LOCAL_STALLED:
        stall(story, party, end);
        break;
    default:
        break;
    }
}

static void do_step(struct story *story, const struct step *step)
{
    struct party *party = &story->parties[step->to];

    if (party->is_dead)
        return;
    party->side.now = story->now;
    if (step->what == LINK_IQ)
        deliver_iq(story, party, step);
    else if (step->what == LINK_OPEN)
        deliver_open(story, party, step);
    else if (party->side.session == NULL)
        return;
    else if (step->what == LINK_ANSWER)
        file_session_answered(party->side.session, step->tag, step->good ? NULL : &step->error,
                              story->now);
    else if (step->what == LINK_OPENED)
        file_session_opened(party->side.session, step->content, step->good, story->now);
    else
        do_local(story, party, step);
}

/* -------------------------------------------------------------------------------- trouble -- */

static void make_trouble(struct story *story)
{
    struct party *party = &story->parties[story->troubled];
    struct party *other = other_party(party);

    party->side.now = story->now;
    if (story->trouble == DIE || story->trouble == GO_OFFLINE)
        party->is_dead = true;
    if (story->trouble == GO_OFFLINE && other->side.session != NULL)
        file_session_peer_gone(other->side.session, story->now);
    if (party->side.session == NULL)
        return;
    if (story->trouble == CANCEL)
        file_session_end(party->side.session, JINGLE_ERROR_CANCELED, story->now);
    if (story->trouble == CANCEL_ONE && party->end_count > 0)
        file_session_end_content(party->side.session, party->ends[0].name, JINGLE_ERROR_CANCELED,
                                 story->now);
    for (size_t i = 0; story->trouble == BREAK && i < party->end_count; i++)
        file_session_stream_failed(party->side.session, party->ends[i].name, story->now);
}

/* ------------------------------------------------------------------------------- the clock -- */

static int next_step(const struct story *story)
{
    int best = -1;

    for (guint i = 0; i < story->steps->len; i++) {
        const struct step *step = &g_array_index(story->steps, struct step, i);
        const struct step *than =
            best < 0 ? NULL : &g_array_index(story->steps, struct step, (guint)best);
        if (than == NULL || step->due < than->due ||
            (step->due == than->due && step->order < than->order))
            best = (int)i;
    }
    return best;
}

static bool is_running(const struct party *party)
{
    return party->side.session != NULL && !party->is_dead &&
           !file_session_has_ended(party->side.session);
}

static usec next_limit(const struct story *story)
{
    usec next = USEC_NEVER;

    for (size_t i = 0; i < 2; i++) {
        if (is_running(&story->parties[i]))
            next = MIN(next, file_session_next_deadline(story->parties[i].side.session));
    }
    return next;
}

static void tick(struct story *story)
{
    for (size_t i = 0; i < 2; i++) {
        struct party *party = &story->parties[i];
        party->side.now = story->now;
        if (is_running(party))
            file_session_tick(party->side.session, story->now);
    }
}

/* False: nothing happens any more. */
static bool advance(struct story *story)
{
    if (story->steps_done++ == story->trouble_at)
        make_trouble(story);
    usec limit = next_limit(story);
    int at = next_step(story);
    if (at >= 0 && g_array_index(story->steps, struct step, (guint)at).due <= limit) {
        struct step step = g_array_index(story->steps, struct step, (guint)at);
        g_array_remove_index(story->steps, (guint)at);
        story->now = MAX(story->now, step.due);
        do_step(story, &step);
        g_free(step.text);
        return true;
    }
    if (limit == USEC_NEVER)
        return false;
    story->now = MAX(story->now, limit);
    tick(story);
    return true;
}

/* ------------------------------------------------------------------------------ the stories -- */

/* Which contents: 'o' an offer of romeo's, 'r' a request. */
static void begin(struct story *story, const struct world *world, const char *contents)
{
    memset(story, 0, sizeof(*story));
    story->world = *world;
    story->steps = g_array_new(FALSE, TRUE, sizeof(struct step));
    story->trouble_at = NEVER_REACHED;
    for (unsigned i = 0; i < 2; i++) {
        struct party *party = &story->parties[i];
        file_side_init(&party->side);
        party->story = story;
        party->index = i;
        party->side.user = party;
        party->side.net = i + 1;
        party->side.is_juliet = i == 1;
        party->side.seed = i + 1;
        party->side.ways = world->ways[i];
        party->side.no_s5b = world->in_band_only;
        party->side.no_inband = world->no_inband;
        party->side.on_send = on_send;
        party->side.on_answer = on_answer;
        party->side.then = on_event;
    }
    struct party *romeo = &story->parties[0];
    file_side_begin(&romeo->side, ROMEO, JULIET, NULL);
    for (; *contents != '\0'; contents++) {
        struct end *end = &romeo->ends[romeo->end_count++];
        g_strlcpy(end->name, file_session_add(romeo->side.session, &the_file, *contents == 'r'),
                  sizeof(end->name));
        end->sends = *contents == 'o';
    }
}

/* To the end: everybody that lives has heard of the end of everything, once. Returns the number of
 * steps. */
static int run(struct story *story)
{
    file_session_initiate(story->parties[0].side.session, 0);
    while (advance(story)) {
        if (story->now > PATIENCE || story->steps_done > STEPS_MAX)
            fail_msg("it hangs: %s| %s", story->parties[0].side.log->str,
                     story->parties[1].side.log->str);
    }
    for (size_t i = 0; i < 2; i++) {
        const struct party *party = &story->parties[i];
        if (party->is_dead || party->side.session == NULL)
            continue;
        if (party->over != 1 || !file_session_has_ended(party->side.session))
            fail_msg("%s has not ended: %s| %s", i == 0 ? "romeo" : "juliet",
                     story->parties[0].side.log->str, story->parties[1].side.log->str);
        for (size_t j = 0; j < party->end_count; j++)
            assert_true(party->ends[j].is_over);
    }
    return story->steps_done;
}

/* What a sender believes to be over there is over there. */
static void assert_honest(struct story *story)
{
    for (size_t i = 0; i < 2; i++) {
        struct party *party = &story->parties[i];
        for (size_t j = 0; j < party->end_count; j++) {
            const struct end *end = &party->ends[j];
            const struct end *other = end_of(other_party(party), end->name);
            if (!end->sends || !end->is_over || end->status != JINGLE_OK)
                continue;
            if (other == NULL || (other->is_over && other->status != JINGLE_OK))
                fail_msg("%s is not over there: %s| %s", end->name, story->parties[0].side.log->str,
                         story->parties[1].side.log->str);
        }
    }
}

static void clear(struct story *story)
{
    for (guint i = 0; i < story->steps->len; i++)
        g_free(g_array_index(story->steps, struct step, i).text);
    g_array_unref(story->steps);
    for (size_t i = 0; i < 2; i++)
        file_side_clear(&story->parties[i].side);
}

/* --------------------------------------------------------------------------------- worlds -- */

static bool allows(const struct world *world, enum file_way way)
{
    return ((world->ways[0] == 0 ? FILE_WAYS_ALL : world->ways[0]) & (unsigned)way) != 0 &&
           ((world->ways[1] == 0 ? FILE_WAYS_ALL : world->ways[1]) & (unsigned)way) != 0;
}

/* The way that must be found. Of two proxies that of romeo wins, for equals are the initiator's. */
static enum way expected_way(const struct world *world)
{
    enum way last = !world->no_inband && allows(world, FILE_WAY_INBAND) ? WAY_INBAND : WAY_NONE;
    bool direct = allows(world, FILE_WAY_DIRECT) && (world->direct[0] || world->direct[1]);
    bool proxy = allows(world, FILE_WAY_PROXY) && (world->proxy[0] || world->proxy[1]);

    if (world->in_band_only || world->breaks)
        return last;
    if (direct)
        return WAY_DIRECT;
    if (proxy && world->activates[world->proxy[0] ? 0 : 1])
        return WAY_PROXY;
    return last;
}

/* Every world that differs in what can be reached, activated and fallen back to. */
#define WORLDS 256

static struct world world_of(unsigned number)
{
    return (struct world){
        .direct = {(number & 1) != 0, (number & 2) != 0},
        .proxy = {(number & 4) != 0, (number & 8) != 0},
        .activates = {(number & 16) != 0, (number & 32) != 0},
        .no_inband = (number & 64) != 0,
        .breaks = (number & 128) != 0,
    };
}

static void assert_story(struct story *story)
{
    enum way way = expected_way(&story->world);

    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < story->parties[i].end_count; j++) {
            const struct end *end = &story->parties[i].ends[j];
            bool is_right = way == WAY_NONE ? end->status == JINGLE_ERROR_NO_PATH
                                            : end->status == JINGLE_OK && end->way == way;
            if (!is_right)
                fail_msg("way %d, status %d, wanted %d: %s| %s", end->way, end->status, way,
                         story->parties[0].side.log->str, story->parties[1].side.log->str);
            assert_int_equal(end->received, way != WAY_NONE && end->sends);
        }
    }
}

static void test_every_world_is_found_the_right_way_through(void **state)
{
    static const char *const contents[] = {"o", "r", "oo", "ror"};

    (void)state;
    for (unsigned number = 0; number < WORLDS; number++) {
        for (size_t i = 0; i < G_N_ELEMENTS(contents); i++) {
            struct world world = world_of(number);
            struct story story;
            /* Of a broken stream's way nothing is said where there is none. */
            if (world.breaks && world.no_inband)
                continue;
            begin(&story, &world, contents[i]);
            run(&story);
            assert_story(&story);
            clear(&story);
        }
    }
}

static void test_ways_that_one_side_does_not_want_are_not_gone(void **state)
{
    (void)state;
    for (unsigned who = 0; who < 2; who++) {
        for (unsigned ways = 1; ways <= (unsigned)FILE_WAYS_ALL; ways++) {
            struct world world = world_of(63);
            struct story story;
            world.ways[who] = ways;
            begin(&story, &world, "o");
            run(&story);
            assert_story(&story);
            clear(&story);
        }
    }
}

static void test_in_band_at_once_where_there_is_no_socks5(void **state)
{
    struct world world = {.in_band_only = true};
    struct story story;

    (void)state;
    begin(&story, &world, "or");
    run(&story);
    assert_story(&story);
    clear(&story);
}

static void test_an_offer_that_is_not_wanted_ends_at_both_sides(void **state)
{
    struct world world = world_of(63);
    struct story story;

    (void)state;
    begin(&story, &world, "oo");
    story.rejects = true;
    run(&story);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(story.parties[i].ends[0].status, JINGLE_ERROR_REFUSED);
        assert_int_equal(story.parties[i].ends[1].status, JINGLE_ERROR_REFUSED);
    }
    clear(&story);
}

/* -------------------------------------------------------------------------------- trouble -- */

/* One path of each kind. */
static const struct world paths[] = {
    {.direct = {true, false}},
    {.direct = {false, true}},
    {.proxy = {true, false}, .activates = {true, false}},
    {.proxy = {false, true}, .activates = {false, true}},
    {.proxy = {true, false}},
    {.proxy = {false, true}},
    {.direct = {false, false}},
    {.no_inband = true},
    {.in_band_only = true},
    {.direct = {true, true}, .breaks = true},
};

static void assert_canceled(struct story *story)
{
    const struct party *party = &story->parties[story->troubled];

    for (size_t j = 0; j < party->end_count; j++) {
        if (party->ends[j].status != JINGLE_OK && story->trouble == CANCEL &&
            party->ends[j].status != JINGLE_ERROR_CANCELED)
            fail_msg("canceled, and %d: %s| %s", party->ends[j].status,
                     story->parties[0].side.log->str, story->parties[1].side.log->str);
    }
}

/* The trouble at every step of every path, made by each side. */
static void make_trouble_everywhere(enum trouble trouble)
{
    static const char *const contents[] = {"o", "r", "oro"};

    for (size_t path = 0; path < G_N_ELEMENTS(paths); path++) {
        for (size_t i = 0; i < G_N_ELEMENTS(contents) * 2; i++) {
            struct story story;
            begin(&story, &paths[path], contents[i / 2]);
            int steps = run(&story);
            clear(&story);
            for (int at = 0; at < steps; at++) {
                begin(&story, &paths[path], contents[i / 2]);
                story.trouble = trouble;
                story.troubled = (unsigned)(i % 2);
                story.trouble_at = at;
                run(&story);
                assert_honest(&story);
                if (!paths[path].no_inband)
                    assert_canceled(&story);
                clear(&story);
            }
        }
    }
}

static void test_canceling_at_any_step_ends_both_sides(void **state)
{
    (void)state;
    make_trouble_everywhere(CANCEL);
}

static void test_canceling_one_file_at_any_step_ends_both_sides(void **state)
{
    (void)state;
    make_trouble_everywhere(CANCEL_ONE);
}

static void test_a_peer_that_dies_at_any_step_ends_the_other_side(void **state)
{
    (void)state;
    make_trouble_everywhere(DIE);
}

static void test_a_peer_that_goes_offline_at_any_step_ends_the_other_side(void **state)
{
    (void)state;
    make_trouble_everywhere(GO_OFFLINE);
}

static void test_a_stream_that_breaks_at_any_step_ends_somehow(void **state)
{
    (void)state;
    make_trouble_everywhere(BREAK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_world_is_found_the_right_way_through),
        cmocka_unit_test(test_ways_that_one_side_does_not_want_are_not_gone),
        cmocka_unit_test(test_in_band_at_once_where_there_is_no_socks5),
        cmocka_unit_test(test_an_offer_that_is_not_wanted_ends_at_both_sides),
        cmocka_unit_test(test_canceling_at_any_step_ends_both_sides),
        cmocka_unit_test(test_canceling_one_file_at_any_step_ends_both_sides),
        cmocka_unit_test(test_a_peer_that_dies_at_any_step_ends_the_other_side),
        cmocka_unit_test(test_a_peer_that_goes_offline_at_any_step_ends_the_other_side),
        cmocka_unit_test(test_a_stream_that_breaks_at_any_step_ends_somehow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
