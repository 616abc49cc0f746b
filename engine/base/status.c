/* The sentences behind the codes of jingle.h. */
#include <jingle/jingle.h>

#define STRINGIFY(x)                      #x
#define VERSION_TEXT(major, minor, patch) STRINGIFY(major) "." STRINGIFY(minor) "." STRINGIFY(patch)

unsigned jingle_version(void)
{
    return JINGLE_VERSION;
}

const char *jingle_version_string(void)
{
    return VERSION_TEXT(JINGLE_VERSION_MAJOR, JINGLE_VERSION_MINOR, JINGLE_VERSION_PATCH);
}

const char *jingle_strerror(jingle_status status)
{
    switch (status) {
    case JINGLE_OK:
        return "No error.";
    case JINGLE_ERROR_INVALID:
        return "An argument is missing or makes no sense.";
    case JINGLE_ERROR_MEMORY:
        return "Out of memory.";
    case JINGLE_ERROR_STATE:
        return "This is not possible now.";
    case JINGLE_ERROR_INTERNAL:
        return "A fault inside the engine; its log says more.";
    case JINGLE_ERROR_UNSUPPORTED:
        return "This is not supported here.";
    case JINGLE_ERROR_LIMIT:
        return "Too many at once, or too large.";
    case JINGLE_ERROR_JID:
        return "That is not an XMPP address; one looks like name@server.";
    case JINGLE_ERROR_HOST_NOT_FOUND:
        return "The server's name was not found; check its spelling and the network.";
    case JINGLE_ERROR_CONNECT:
        return "The server cannot be reached; check the network, the host and the port.";
    case JINGLE_ERROR_TLS_MISSING:
        return "The server offers no encryption, so the password was not sent.";
    case JINGLE_ERROR_CERTIFICATE:
        return "The server's certificate is not trusted; a private authority can be named.";
    case JINGLE_ERROR_AUTHENTICATION:
        return "The user name or the password is wrong.";
    case JINGLE_ERROR_NO_MECHANISM:
        return "The server offers no way to log in that we know.";
    case JINGLE_ERROR_SERVER_TIMEOUT:
        return "The server accepted the connection and then went silent.";
    case JINGLE_ERROR_STREAM:
        return "The server closed the connection.";
    case JINGLE_ERROR_CONFLICT:
        return "This resource logged in from somewhere else.";
    case JINGLE_ERROR_OFFLINE:
        return "There is no connection to the server now.";
    case JINGLE_ERROR_NO_SUCH_CONTACT:
        return "There is no such account.";
    case JINGLE_ERROR_CONTACT_OFFLINE:
        return "They are not online.";
    case JINGLE_ERROR_NO_CALL_SUPPORT:
        return "Their client cannot take calls.";
    case JINGLE_ERROR_INSECURE_PEER:
        return "Their client can only make unencrypted calls, which are refused.";
    case JINGLE_ERROR_PEER_SERVER:
        return "Their server cannot be reached.";
    case JINGLE_ERROR_FORBIDDEN:
        return "They or their server do not allow this.";
    case JINGLE_ERROR_DEVICE:
        return "The sound device is missing, in use or gone.";
    case JINGLE_ERROR_FILE:
        return "The file cannot be opened, read or written.";
    case JINGLE_ERROR_NO_COMMON_CODEC:
        return "There is no codec that both sides know.";
    case JINGLE_ERROR_ICE:
        return "No path for sound was found between the two networks; a TURN server may help.";
    case JINGLE_ERROR_DTLS:
        return "The encryption of the call could not be set up.";
    case JINGLE_ERROR_FINGERPRINT:
        return "The other side is not who it says: its certificate has another fingerprint.";
    case JINGLE_ERROR_CAMERA:
        return "The camera is missing, in use or gone.";
    case JINGLE_ERROR_DISPLAY:
        return "There is no display to show pictures on.";
    case JINGLE_ERROR_REFUSED:
        return "They do not want this.";
    case JINGLE_ERROR_NO_FILE_SUPPORT:
        return "Their client cannot take files this way.";
    case JINGLE_ERROR_CANCELED:
        return "The transfer was stopped.";
    case JINGLE_ERROR_NO_ANSWER:
        return "They did not answer in time.";
    case JINGLE_ERROR_NO_PATH:
        return "No way to their machine was found, neither directly nor through a server.";
    case JINGLE_ERROR_CONNECTION_LOST:
        return "The connection was lost before the last byte; send it again to go on from there.";
    case JINGLE_ERROR_FILE_HASH:
        return "What came is not the file that was announced (its hash differs); nothing was kept.";
    case JINGLE_ERROR_FILE_TOO_LONG:
        return "More bytes came than were announced; nothing was kept.";
    case JINGLE_ERROR_FILE_CHANGED:
        return "The file was changed while it was being sent; send it again.";
    case JINGLE_ERROR_FILE_NOT_FOUND:
        return "There is no such file or folder.";
    case JINGLE_ERROR_FILE_KIND:
        return "That is a folder or a device, not a file.";
    case JINGLE_ERROR_FILE_PERMISSION:
        return "The file or folder must not be read or written by you.";
    case JINGLE_ERROR_NO_SPACE:
        return "There is not enough space on the disk.";
    case JINGLE_ERROR_PEER_FILE:
        return "Their side can no longer read or write the file.";
    case JINGLE_ERROR_NO_UPLOAD:
        return "Your server keeps no files for others, or none that large.";
    case JINGLE_ERROR_UPLOAD:
        return "Your server did not take the file.";
    case JINGLE_ERROR_GONE:
        return "They went offline.";
    }
    return "An unknown error.";
}

static const struct {
    const char *name;
    const char *sentence;
} reasons[] = {
    [JINGLE_REASON_NONE] = {"none", "The call has not ended."},
    [JINGLE_REASON_HANGUP] = {"hangup", "The call was hung up."},
    [JINGLE_REASON_BUSY] = {"busy", "They are in another call."},
    [JINGLE_REASON_DECLINED] = {"declined", "The call was declined."},
    [JINGLE_REASON_CANCELED] = {"canceled", "The caller gave up before an answer."},
    [JINGLE_REASON_NO_ANSWER] = {"no-answer", "Nobody answered."},
    [JINGLE_REASON_ELSEWHERE] = {"elsewhere", "The call was taken on another device."},
    [JINGLE_REASON_GONE] = {"gone", "They went offline."},
    [JINGLE_REASON_OFFLINE] = {"offline", "They are not online."},
    [JINGLE_REASON_UNREACHABLE] = {"unreachable",
                                   "There is no such account, or its server cannot be reached."},
    [JINGLE_REASON_NO_CALL_SUPPORT] = {"no-call-support", "Their client cannot take this call."},
    [JINGLE_REASON_INCOMPATIBLE] = {"incompatible",
                                    "Their client and ours have no codec or transport in common."},
    [JINGLE_REASON_NO_PATH] = {"no-path", "No path for sound was found between the two networks; "
                                          "a TURN server may help."},
    [JINGLE_REASON_CONNECTION_LOST] = {"connection-lost",
                                       "Nothing came from them any more and it did not recover."},
    [JINGLE_REASON_MEDIA_ERROR] = {"media-error", "Sound could not be captured, coded or played."},
    [JINGLE_REASON_SECURITY] = {"security", "The call was not safe: the encryption or the "
                                            "fingerprint of the other side was wrong."},
    [JINGLE_REASON_PROTOCOL] = {"protocol", "Their client broke the rules of the protocol."},
    [JINGLE_REASON_LOCAL_OFFLINE] = {"local-offline", "We lost the connection to our server."},
    [JINGLE_REASON_REPLACED] = {"replaced", "Both called each other; the other call goes on."},
    [JINGLE_REASON_SHUTDOWN] = {"shutdown", "This program ended the call because it closed."},
};

static size_t reason_index(jingle_reason reason)
{
    size_t index = (size_t)reason;
    return index < sizeof reasons / sizeof *reasons ? index : JINGLE_REASON_NONE;
}

const char *jingle_reason_sentence(jingle_reason reason)
{
    return reasons[reason_index(reason)].sentence;
}

const char *jingle_reason_name(jingle_reason reason)
{
    return reasons[reason_index(reason)].name;
}

const char *jingle_way_name(jingle_way way)
{
    switch (way) {
    case JINGLE_WAY_AUTO:
        return "auto";
    case JINGLE_WAY_DIRECT:
        return "direct";
    case JINGLE_WAY_PROXY:
        return "proxy";
    case JINGLE_WAY_INBAND:
        return "in-band";
    case JINGLE_WAY_HTTP:
        return "http";
    }
    return "unknown";
}
