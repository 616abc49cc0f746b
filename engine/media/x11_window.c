#include "media/x11_window.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEPTH_MAX = 4,           /* a window manager puts a title's window into frames of its own */
    WINDOWS_MAX = 4096,      /* looked at */
    TITLE_WORDS_MAX = 4 * 64 /* of four bytes */
};

struct search {
    xcb_connection_t *connection;
    const char *title;
    xcb_atom_t net_wm_name;
    unsigned seen;
};

static xcb_atom_t atom_of(xcb_connection_t *connection, const char *name)
{
    xcb_intern_atom_reply_t *reply = xcb_intern_atom_reply(
        connection, xcb_intern_atom(connection, 1, (uint16_t)strlen(name), name), NULL);
    xcb_atom_t atom = reply ? reply->atom : XCB_NONE;
    free(reply);
    return atom;
}

static bool property_has(const struct search *s, xcb_window_t window, xcb_atom_t property)
{
    if (property == XCB_NONE) {
        return false;
    }
    xcb_get_property_reply_t *reply = xcb_get_property_reply(
        s->connection,
        xcb_get_property(s->connection, 0, window, property, XCB_ATOM_ANY, 0, TITLE_WORDS_MAX),
        NULL);
    bool has = false;
    if (reply && reply->format == 8) {
        has = memmem(xcb_get_property_value(reply), (size_t)xcb_get_property_value_length(reply),
                     s->title, strlen(s->title));
    }
    free(reply);
    return has;
}

static bool is_viewable(const struct search *s, xcb_window_t window)
{
    xcb_get_window_attributes_reply_t *reply = xcb_get_window_attributes_reply(
        s->connection, xcb_get_window_attributes(s->connection, window), NULL);
    bool viewable = reply && reply->map_state == XCB_MAP_STATE_VIEWABLE &&
                    reply->_class == XCB_WINDOW_CLASS_INPUT_OUTPUT;
    free(reply);
    return viewable;
}

static xcb_window_t search_below(struct search *s, xcb_window_t parent, unsigned depth)
{
    xcb_query_tree_reply_t *tree =
        xcb_query_tree_reply(s->connection, xcb_query_tree(s->connection, parent), NULL);
    if (!tree) {
        return XCB_NONE;
    }
    const xcb_window_t *children = xcb_query_tree_children(tree);
    xcb_window_t found = XCB_NONE;
    for (int i = xcb_query_tree_children_length(tree); i-- > 0 && found == XCB_NONE;) {
        xcb_window_t window = children[i];
        if (++s->seen > WINDOWS_MAX || !is_viewable(s, window)) {
            continue;
        }
        if (property_has(s, window, s->net_wm_name) || property_has(s, window, XCB_ATOM_WM_NAME)) {
            found = window;
        } else if (depth < DEPTH_MAX) {
            found = search_below(s, window, depth + 1);
        }
    }
    free(tree);
    return found;
}

xcb_window_t x11_window_find(xcb_connection_t *connection, xcb_window_t root, const char *title)
{
    struct search search = {.connection = connection,
                            .title = title,
                            .net_wm_name = atom_of(connection, "_NET_WM_NAME")};
    return search_below(&search, root, 1);
}
