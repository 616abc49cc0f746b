/* The exit codes of jcall: they are listed in --help, jcall(1) and docs/jcall-json.md. */
#ifndef JCALL_EXIT_H
#define JCALL_EXIT_H

#include <jingle/jingle.h>

enum exit_code {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_BUSY = 10,
    EXIT_DECLINED = 11,
    EXIT_NO_ANSWER = 12,
    EXIT_CONTACT_OFFLINE = 13,
    EXIT_UNREACHABLE = 14,
    EXIT_NO_CALL_SUPPORT = 15,
    EXIT_INCOMPATIBLE = 16,
    EXIT_GONE = 17,
    EXIT_CANCELED = 18,
    EXIT_ELSEWHERE = 19,
    EXIT_AUTHENTICATION = 20,
    EXIT_CERTIFICATE = 21,
    EXIT_HOST_NOT_FOUND = 22,
    EXIT_CONNECT = 23,
    EXIT_TLS_MISSING = 24,
    EXIT_SERVER = 25,
    EXIT_LOCAL_OFFLINE = 26,
    EXIT_NO_PATH = 30,
    EXIT_CONNECTION_LOST = 31,
    EXIT_SECURITY = 32,
    EXIT_MEDIA_ERROR = 33,
    EXIT_PROTOCOL = 34,
    EXIT_DEVICE = 40,
    EXIT_FILE = 41,
    EXIT_CHECK = 42,
    EXIT_NO_FILE_SUPPORT = 50,
    EXIT_WRONG_CONTENT = 51,
    EXIT_UPLOAD = 52,
    EXIT_SIGNAL = 128, /* and the signal's number */
};

/* "busy", "no-answer" ... */
const char *exit_name(int code);

/* The code for a program that ends because of this. */
int exit_for_status(jingle_status status);

/* The code for a program that ends with its call. */
int exit_for_call(jingle_reason reason, jingle_status status, bool connected);

/* "authentication", "host-not-found" ...: for programs. */
const char *status_name(jingle_status status);

/* The table for --help. Freed with g_free(). */
char *exit_help(void);

#endif
