/* Characters in what others write for people to read. */
#ifndef JINGLE_SIGNALING_CHARACTERS_H
#define JINGLE_SIGNALING_CHARACTERS_H

#include <stdbool.h>

#include <glib.h>

/* Neither a control character nor one without a meaning of its own, nor a mark of zero width or of
 * direction, which makes a text look like another one. */
bool character_is_plain(gunichar character);

#endif
