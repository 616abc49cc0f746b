/* What the user wants now, whether by a key or by a command line. */
#ifndef JCALL_REQUEST_H
#define JCALL_REQUEST_H

#define REQUEST_DIGITS_MAX 64
#define REQUEST_VALUE_MAX  1000

enum request_kind {
    REQUEST_NONE,
    REQUEST_ANSWER,
    REQUEST_DECLINE,
    REQUEST_BUSY,
    REQUEST_MUTE,
    REQUEST_UNMUTE,
    REQUEST_TOGGLE_MUTE,
    REQUEST_HOLD,
    REQUEST_UNHOLD,
    REQUEST_TOGGLE_HOLD,
    REQUEST_DIGITS,
    REQUEST_VIDEO,         /* add video, or take what is offered */
    REQUEST_REFUSE_VIDEO,  /* what is offered */
    REQUEST_STOP_VIDEO,    /* for both sides */
    REQUEST_CAMERA,        /* send what the options say */
    REQUEST_SCREEN,        /* send the screen */
    REQUEST_NO_PICTURE,    /* send nothing */
    REQUEST_TOGGLE_CAMERA, /* add video, or the camera on and off */
    REQUEST_TOGGLE_SCREEN,
    REQUEST_DIRECTION, /* who sends pictures: `value` */
    REQUEST_FULL_SCREEN,
    REQUEST_SNAPSHOT, /* to the file `value`, or one with the time in its name */
    REQUEST_RECORD,   /* to the file `value` */
    REQUEST_STOP_RECORD,
    REQUEST_ASK_FILE, /* ask for the path of a file to send */
    REQUEST_SEND,     /* the file `value` */
    REQUEST_TAKE,     /* the file that is offered */
    REQUEST_TAKE_ALL, /* all that are offered now */
    REQUEST_REFUSE,
    REQUEST_STOP_FILES,  /* all that are under way */
    REQUEST_SWITCH_CALL, /* to the one that waits or is on hold */
    REQUEST_HANGUP,
    REQUEST_QUIT,
    REQUEST_UNKNOWN,
};

struct request {
    enum request_kind kind;
    char value[REQUEST_VALUE_MAX + 1]; /* digits, a file's path; else "" */
};

#endif
