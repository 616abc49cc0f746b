/* Makes a microphone fit for a call: echo cancellation, noise suppression and gain control by
 * speexdsp. Mono at 48 kHz in blocks of 10 ms; pure.
 *
 *     what is played ─▶ processing_far() ─▶ far samples, by the time they are heard
 *                                             │ those heard when the block was picked up
 *     microphone ─▶ processing_near() ─▶ echo canceller ─▶ residual echo, noise, gain ─▶
 *
 * The far samples are paired with the near ones by counting, for the canceller learns a room only
 * while the two keep in step; the times that the devices report only set the pairing at first and
 * when it is off for longer. */
#ifndef JINGLE_MEDIA_PROCESSING_H
#define JINGLE_MEDIA_PROCESSING_H

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

#define PROCESSING_RATE  48000
#define PROCESSING_BLOCK 480 /* frames: 10 ms */

struct processing;

/* NULL: out of memory. */
struct processing *processing_new(bool echo, bool noise, bool gain);
void processing_free(struct processing *processing);

/* A device was started or came back: its times may be others than before. NULL is allowed. */
void processing_restart(struct processing *processing);

/* A block that is handed to the loudspeaker; `heard` is when its first sample is heard. */
void processing_far(struct processing *processing, const int16_t *block, usec heard);

/* A block of the microphone, changed in place; `picked_up` is when its first sample was. */
void processing_near(struct processing *processing, int16_t *block, usec picked_up);

#endif
