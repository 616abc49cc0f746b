/* Who shares whose transport (XEP-0338, RFC 8843).
 *
 *     audio ◀── rides ── video          audio has the transport, and a name for it that stays the
 *       own, theirs                     same when audio goes and video gets it
 */
#include <glib.h>
#include <string.h>

#include "signaling/session_state.h"

struct content *content_carrier(const struct session *session, struct content *content)
{
    struct content *carrier =
        content->carrier == NULL ? NULL : session_content(session, content->carrier);

    return carrier == NULL ? content : carrier;
}

const char *content_label(const struct content *content)
{
    return content->label == NULL ? content->name : content->label;
}

struct content *session_transport(const struct session *session, const char *label)
{
    for (size_t i = 0; i < session->content_count; i++) {
        struct content *content = session->contents[i];
        bool lives = content->state != CONTENT_REMOVED && content->state != CONTENT_REFUSED;
        if (lives && content->carrier == NULL && strcmp(content_label(content), label) == 0)
            return content;
    }
    return NULL;
}

bool session_is_bundled(const struct session *session, const struct content *content)
{
    return jingle_group_has(&session->bundle, content->name);
}

static struct content *first_agreed(const struct session *session)
{
    for (size_t i = 0; i < session->bundle.count; i++) {
        struct content *content = session_content(session, session->bundle.names[i]);
        if (content != NULL && content->state == CONTENT_AGREED)
            return content;
    }
    return NULL;
}

struct content *session_head(const struct session *session)
{
    struct content *first = first_agreed(session);

    return first == NULL ? NULL : content_carrier(session, first);
}

void content_ride(struct content *content, const struct content *head)
{
    char *carrier = head == NULL || head == content ? NULL : g_strdup(head->name);

    g_free(content->carrier);
    content->carrier = carrier;
}

void session_bundle(struct session *session)
{
    struct content *head = first_agreed(session);

    for (size_t i = 0; i < session->content_count; i++) {
        struct content *content = session->contents[i];
        struct ice_udp_transport fresh;
        bool rides = head != NULL && content != head && content->state == CONTENT_AGREED &&
                     session_is_bundled(session, content);
        content_ride(content, rides ? head : NULL);
        /* What came under another name before it was known who carries whom. */
        if (!rides || strcmp(content->theirs.ufrag, head->theirs.ufrag) != 0)
            continue;
        content_merge(head, &content->theirs, &fresh);
        ice_udp_clear(&fresh);
    }
}

void content_hand_over(struct content *from, struct content *to)
{
    if (from == to)
        return;
    g_free(to->label);
    to->label = g_strdup(content_label(from));
    ice_udp_clear(&to->own);
    to->own = from->own;
    to->has_own = from->has_own;
    to->offerer = from->offerer;
    to->sent = 0;
    memset(&from->own, 0, sizeof(from->own));
    from->has_own = false;
    from->sent = 0;
}

/* The name leaves the group. */
static void leave_bundle(struct session *session, const char *name)
{
    struct jingle_group *group = &session->bundle;
    size_t kept = 0;

    for (size_t i = 0; i < group->count; i++) {
        if (strcmp(group->names[i], name) == 0)
            g_free(group->names[i]);
        else
            group->names[kept++] = group->names[i];
    }
    group->count = kept;
}

static bool rides_on(const struct content *content, const struct content *carrier)
{
    return content->state != CONTENT_REMOVED && content->carrier != NULL &&
           strcmp(content->carrier, carrier->name) == 0;
}

static struct content *find_heir(const struct session *session, const struct content *content)
{
    for (size_t i = 0; i < session->content_count; i++) {
        struct content *heir = session->contents[i];
        if (heir->state == CONTENT_AGREED && rides_on(heir, content))
            return heir;
    }
    return NULL;
}

void session_release(struct session *session, struct content *content)
{
    struct content *heir = find_heir(session, content);
    size_t sent = content->sent;

    leave_bundle(session, content->name);
    if (heir == NULL)
        return;
    content_hand_over(content, heir);
    heir->sent = sent; /* under the other name */
    heir->restart_sent = content->restart_sent;
    heir->restart_wanted = content->restart_wanted;
    ice_udp_clear(&heir->theirs);
    heir->theirs = content->theirs;
    memset(&content->theirs, 0, sizeof(content->theirs));
    content_ride(heir, NULL);
    for (size_t i = 0; i < session->content_count; i++) {
        if (rides_on(session->contents[i], content))
            content_ride(session->contents[i], heir);
    }
}
