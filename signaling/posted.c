#include "signaling/posted.h"

#include <string.h>

#include <glib.h>

#include "signaling/initiation.h"
#include "signaling/jid.h"

struct letter {
    struct xml *message;
    char *to; /* bare or full */
    char *sid;
    bool is_last; /* it ends the call */
    usec posted_at;
};

struct posted {
    GQueue letters; /* oldest first */
};

static void letter_free(void *data)
{
    struct letter *letter = data;
    xml_free(letter->message);
    g_free(letter->to);
    g_free(letter->sid);
    g_free(letter);
}

struct posted *posted_new(void)
{
    struct posted *posted = g_new0(struct posted, 1);
    g_queue_init(&posted->letters);
    return posted;
}

void posted_free(struct posted *posted)
{
    g_queue_clear_full(&posted->letters, letter_free);
    g_free(posted);
}

static bool ends_a_call(const xml_node *element)
{
    static const char *const names[] = {"retract", "reject", "finish"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(xml_name(element), names[i]) == 0)
            return true;
    return false;
}

typedef bool (*matches_fn)(const struct letter *letter, const void *argument);

static void drop_if(struct posted *posted, matches_fn matches, const void *argument)
{
    for (GList *item = posted->letters.head, *next = NULL; item; item = next) {
        next = item->next;
        if (!matches(item->data, argument))
            continue;
        letter_free(item->data);
        g_queue_delete_link(&posted->letters, item);
    }
}

static bool is_settled_by(const struct letter *letter, const void *argument)
{
    const struct letter *last = argument;
    return !letter->is_last && strcmp(letter->sid, last->sid) == 0;
}

void posted_add(struct posted *posted, const xml_node *message, usec now)
{
    const xml_node *element = initiation_element(message);
    const char *sid = element ? xml_attribute(element, "id") : NULL;
    if (!sid)
        return;
    struct letter *letter = g_new0(struct letter, 1);
    letter->message = xml_copy(message);
    letter->to = g_strdup(xml_attribute(message, "to"));
    letter->sid = g_strdup(sid);
    letter->is_last = ends_a_call(element);
    letter->posted_at = now;
    if (letter->is_last)
        drop_if(posted, is_settled_by, letter);
    if (g_queue_get_length(&posted->letters) == POSTED_MAX)
        letter_free(g_queue_pop_head(&posted->letters));
    g_queue_push_tail(&posted->letters, letter);
}

struct sign {
    const char *from;
    const char *sid;
};

static bool has_arrived(const struct letter *letter, const void *argument)
{
    const struct sign *sign = argument;
    return strcmp(letter->sid, sign->sid) == 0 && jid_equal_bare(letter->to, sign->from);
}

void posted_arrived(struct posted *posted, const char *from, const char *sid)
{
    struct sign sign = {from, sid};
    drop_if(posted, has_arrived, &sign);
}

static bool is_old(const struct letter *letter, const void *argument)
{
    return letter->posted_at + POSTED_FOR < *(const usec *)argument;
}

void posted_repeat(struct posted *posted, void (*send)(void *user, const xml_node *message),
                   void *user, usec now)
{
    drop_if(posted, is_old, &now);
    for (GList *item = posted->letters.head; item; item = item->next) {
        const struct letter *letter = item->data;
        send(user, xml_root(letter->message));
    }
}
