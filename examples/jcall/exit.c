/* Which failure gives which exit code. */
#include "exit.h"

#include <glib.h>

static const struct {
    int code;
    const char *name;
    const char *meaning;
} exits[] = {
    {EXIT_OK, "ok", "connected and hung up, all files arrived, or done"},
    {EXIT_FAILED, "failed", "anything without a code of its own"},
    {EXIT_USAGE, "usage", "command line or configuration file is wrong"},
    {EXIT_BUSY, "busy", "they are in another call"},
    {EXIT_DECLINED, "declined", "they, or you, declined"},
    {EXIT_NO_ANSWER, "no-answer", "nobody answered in time"},
    {EXIT_CONTACT_OFFLINE, "contact-offline", "they are not online"},
    {EXIT_UNREACHABLE, "unreachable", "no such account, or its server is away"},
    {EXIT_NO_CALL_SUPPORT, "no-call-support", "their client takes no encrypted calls"},
    {EXIT_INCOMPATIBLE, "incompatible", "no codec or transport in common"},
    {EXIT_GONE, "gone", "they went offline meanwhile"},
    {EXIT_CANCELED, "canceled", "given up before an answer; a file: stopped"},
    {EXIT_ELSEWHERE, "elsewhere", "taken on another device"},
    {EXIT_AUTHENTICATION, "authentication", "user name or password refused"},
    {EXIT_CERTIFICATE, "certificate", "the server's certificate is not trusted"},
    {EXIT_HOST_NOT_FOUND, "host-not-found", "the server's name does not resolve"},
    {EXIT_CONNECT, "connect", "the server accepts no connection"},
    {EXIT_TLS_MISSING, "tls-missing", "the server offers no encryption"},
    {EXIT_SERVER, "server", "the server went silent or closed the stream"},
    {EXIT_LOCAL_OFFLINE, "local-offline", "the connection to the server was lost"},
    {EXIT_NO_PATH, "no-path", "sound or a file found no way"},
    {EXIT_CONNECTION_LOST, "connection-lost", "sound or a file stopped and did not come back"},
    {EXIT_SECURITY, "security", "wrong fingerprint or encryption"},
    {EXIT_MEDIA_ERROR, "media-error", "sound could not be captured, coded or played"},
    {EXIT_PROTOCOL, "protocol", "their client broke the rules"},
    {EXIT_DEVICE, "device", "a sound device or camera is missing or in use"},
    {EXIT_FILE, "file", "a file cannot be read or written, here or there"},
    {EXIT_CHECK, "check", "jcall check found something wrong"},
    {EXIT_NO_FILE_SUPPORT, "no-file-support", "their client takes no files"},
    {EXIT_WRONG_CONTENT, "wrong-content", "what came is not the file that was announced"},
    {EXIT_UPLOAD, "upload", "the server does not keep the file"},
};

const char *exit_name(int code)
{
    if (code > EXIT_SIGNAL) {
        return "interrupted";
    }
    for (size_t i = 0; i < G_N_ELEMENTS(exits); i++) {
        if (exits[i].code == code) {
            return exits[i].name;
        }
    }
    return "failed";
}

char *exit_help(void)
{
    GString *help = g_string_new("Exit codes:\n");
    for (size_t i = 0; i < G_N_ELEMENTS(exits); i++) {
        g_string_append_printf(help, "  %3d  %s\n", exits[i].code, exits[i].meaning);
    }
    g_string_append(help, "  130  interrupted by Ctrl-C (128 and the signal's number)\n");
    return g_string_free(help, FALSE);
}

static const struct {
    jingle_status status;
    int code;
    const char *name;
} statuses[] = {
    {JINGLE_OK, EXIT_OK, "ok"},
    {JINGLE_ERROR_INVALID, EXIT_USAGE, "invalid"},
    {JINGLE_ERROR_MEMORY, EXIT_FAILED, "memory"},
    {JINGLE_ERROR_STATE, EXIT_FAILED, "state"},
    {JINGLE_ERROR_INTERNAL, EXIT_FAILED, "internal"},
    {JINGLE_ERROR_UNSUPPORTED, EXIT_FAILED, "unsupported"},
    {JINGLE_ERROR_LIMIT, EXIT_FAILED, "limit"},
    {JINGLE_ERROR_JID, EXIT_USAGE, "jid"},
    {JINGLE_ERROR_HOST_NOT_FOUND, EXIT_HOST_NOT_FOUND, "host-not-found"},
    {JINGLE_ERROR_CONNECT, EXIT_CONNECT, "connect"},
    {JINGLE_ERROR_TLS_MISSING, EXIT_TLS_MISSING, "tls-missing"},
    {JINGLE_ERROR_CERTIFICATE, EXIT_CERTIFICATE, "certificate"},
    {JINGLE_ERROR_AUTHENTICATION, EXIT_AUTHENTICATION, "authentication"},
    {JINGLE_ERROR_NO_MECHANISM, EXIT_AUTHENTICATION, "no-mechanism"},
    {JINGLE_ERROR_SERVER_TIMEOUT, EXIT_SERVER, "server-timeout"},
    {JINGLE_ERROR_STREAM, EXIT_SERVER, "stream"},
    {JINGLE_ERROR_CONFLICT, EXIT_SERVER, "conflict"},
    {JINGLE_ERROR_OFFLINE, EXIT_LOCAL_OFFLINE, "offline"},
    {JINGLE_ERROR_NO_SUCH_CONTACT, EXIT_UNREACHABLE, "no-such-contact"},
    {JINGLE_ERROR_CONTACT_OFFLINE, EXIT_CONTACT_OFFLINE, "contact-offline"},
    {JINGLE_ERROR_NO_CALL_SUPPORT, EXIT_NO_CALL_SUPPORT, "no-call-support"},
    {JINGLE_ERROR_INSECURE_PEER, EXIT_NO_CALL_SUPPORT, "insecure-peer"},
    {JINGLE_ERROR_PEER_SERVER, EXIT_UNREACHABLE, "peer-server"},
    {JINGLE_ERROR_FORBIDDEN, EXIT_UNREACHABLE, "forbidden"},
    {JINGLE_ERROR_DEVICE, EXIT_DEVICE, "device"},
    {JINGLE_ERROR_FILE, EXIT_FILE, "file"},
    {JINGLE_ERROR_NO_COMMON_CODEC, EXIT_INCOMPATIBLE, "no-common-codec"},
    {JINGLE_ERROR_ICE, EXIT_NO_PATH, "ice"},
    {JINGLE_ERROR_DTLS, EXIT_NO_PATH, "dtls"},
    {JINGLE_ERROR_FINGERPRINT, EXIT_SECURITY, "fingerprint"},
    {JINGLE_ERROR_CAMERA, EXIT_DEVICE, "camera"},
    {JINGLE_ERROR_DISPLAY, EXIT_DEVICE, "display"},
    {JINGLE_ERROR_REFUSED, EXIT_DECLINED, "refused"},
    {JINGLE_ERROR_NO_FILE_SUPPORT, EXIT_NO_FILE_SUPPORT, "no-file-support"},
    {JINGLE_ERROR_CANCELED, EXIT_CANCELED, "canceled"},
    {JINGLE_ERROR_NO_ANSWER, EXIT_NO_ANSWER, "no-answer"},
    {JINGLE_ERROR_NO_PATH, EXIT_NO_PATH, "no-path"},
    {JINGLE_ERROR_CONNECTION_LOST, EXIT_CONNECTION_LOST, "connection-lost"},
    {JINGLE_ERROR_FILE_HASH, EXIT_WRONG_CONTENT, "file-hash"},
    {JINGLE_ERROR_FILE_TOO_LONG, EXIT_WRONG_CONTENT, "file-too-long"},
    {JINGLE_ERROR_FILE_CHANGED, EXIT_FILE, "file-changed"},
    {JINGLE_ERROR_FILE_NOT_FOUND, EXIT_FILE, "file-not-found"},
    {JINGLE_ERROR_FILE_KIND, EXIT_FILE, "file-kind"},
    {JINGLE_ERROR_FILE_PERMISSION, EXIT_FILE, "file-permission"},
    {JINGLE_ERROR_NO_SPACE, EXIT_FILE, "no-space"},
    {JINGLE_ERROR_PEER_FILE, EXIT_FILE, "peer-file"},
    {JINGLE_ERROR_NO_UPLOAD, EXIT_UPLOAD, "no-upload"},
    {JINGLE_ERROR_UPLOAD, EXIT_UPLOAD, "upload"},
    {JINGLE_ERROR_GONE, EXIT_GONE, "gone"},
};

const char *status_name(jingle_status status)
{
    for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++) {
        if (statuses[i].status == status) {
            return statuses[i].name;
        }
    }
    return "internal";
}

int exit_for_status(jingle_status status)
{
    for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++) {
        if (statuses[i].status == status) {
            return statuses[i].code;
        }
    }
    return EXIT_FAILED;
}

int exit_for_call(jingle_reason reason, jingle_status status, bool connected)
{
    switch (reason) {
    case JINGLE_REASON_HANGUP:
        return connected ? EXIT_OK : EXIT_CANCELED;
    case JINGLE_REASON_BUSY:
        return EXIT_BUSY;
    case JINGLE_REASON_DECLINED:
        return EXIT_DECLINED;
    case JINGLE_REASON_CANCELED:
        return EXIT_CANCELED;
    case JINGLE_REASON_NO_ANSWER:
        return EXIT_NO_ANSWER;
    case JINGLE_REASON_ELSEWHERE:
    case JINGLE_REASON_REPLACED:
        return EXIT_ELSEWHERE;
    case JINGLE_REASON_GONE:
        return EXIT_GONE;
    case JINGLE_REASON_OFFLINE:
        return EXIT_CONTACT_OFFLINE;
    case JINGLE_REASON_UNREACHABLE:
        return EXIT_UNREACHABLE;
    case JINGLE_REASON_NO_CALL_SUPPORT:
        return EXIT_NO_CALL_SUPPORT;
    case JINGLE_REASON_INCOMPATIBLE:
        return EXIT_INCOMPATIBLE;
    case JINGLE_REASON_NO_PATH:
        return EXIT_NO_PATH;
    case JINGLE_REASON_CONNECTION_LOST:
        return EXIT_CONNECTION_LOST;
    case JINGLE_REASON_MEDIA_ERROR:
        return status == JINGLE_ERROR_DEVICE || status == JINGLE_ERROR_FILE
                   ? exit_for_status(status)
                   : EXIT_MEDIA_ERROR;
    case JINGLE_REASON_SECURITY:
        return EXIT_SECURITY;
    case JINGLE_REASON_PROTOCOL:
        return EXIT_PROTOCOL;
    case JINGLE_REASON_LOCAL_OFFLINE:
        return EXIT_LOCAL_OFFLINE;
    case JINGLE_REASON_NONE:
    case JINGLE_REASON_SHUTDOWN:
        break;
    }
    return EXIT_FAILED;
}
