/* The recording of tests/data as samples: 48 kHz, one channel. */
#ifndef JINGLE_SIM_SPEECH_H
#define JINGLE_SIM_SPEECH_H

#include <stddef.h>
#include <stdint.h>

/* Runs in tests/. NULL if the file cannot be read; free() it. */
int16_t *speech_load(size_t *samples);

#endif
