/* Keeps what sound libraries print on standard error off the user's display. */
#ifndef JINGLE_MEDIA_QUIET_H
#define JINGLE_MEDIA_QUIET_H

struct quiet {
    int saved; /* the real standard error; -1: nothing was done */
    int held;  /* what is printed meanwhile */
};

/* Standard error belongs to the whole process: what others print between the two is kept and comes
 * out at the end; only lines of ALSA, JACK and PortAudio are dropped. Not nested. */
void quiet_begin(struct quiet *quiet);
void quiet_end(struct quiet *quiet);

#endif
