/**
 * @file jingle.h
 * Jingle Engine: voice and video calls and file transfer over XMPP Jingle for any program.
 *
 * @verbatim
 *   jingle_client_new ─▶ jingle_client_connect ─▶ events ─▶ jingle_client_free
 *                                                  │
 *        jingle_session_start ──────────────────▶  │ RINGING, CONNECTED, STATISTICS, ENDED
 *        INCOMING ─▶ jingle_session_accept ─────▶  │
 *        jingle_transfer_offer ─────────────────▶  │ TRANSFER_STARTED, _PROGRESS, _ENDED
 *        FILE_OFFERED ─▶ jingle_transfer_accept ▶  │
 * @endverbatim
 *
 * Rules that hold for every function here:
 *
 * - Threads: every function may be called from any thread. The library calls the application back
 *   from its own threads in few places only: the log function, the wake-up function, the tables
 *   of sources and sinks, and the functions of a window. None of these may call the library back,
 *   unless said otherwise.
 * - Errors: a function that can fail returns a #jingle_status, 0 or negative, for which
 *   jingle_strerror() has a sentence. What fails later arrives as an event.
 * - Text is UTF-8 and ends with a zero. Times are microseconds, rates bit/s, sizes bytes.
 * - Structs that the application fills have an init function and a `size` field, so that they can
 *   grow without breaking programs that were built earlier. Always call the init function.
 * - What an event or a list points to is valid as long as the comment there says; copy what you
 *   keep.
 * - NULL where a pointer is needed is answered with #JINGLE_ERROR_INVALID, or with nothing ("",
 *   NULL, -1) by functions that return no status; functions that free take it quietly.
 */
#ifndef JINGLE_JINGLE_H
#define JINGLE_JINGLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define JINGLE_API __attribute__((visibility("default")))
#else
#define JINGLE_API
#endif

#define JINGLE_VERSION_MAJOR 0
#define JINGLE_VERSION_MINOR 1
#define JINGLE_VERSION_PATCH 0
/** One number to compare: 0x00MMmmpp. */
#define JINGLE_VERSION \
    ((JINGLE_VERSION_MAJOR << 16) | (JINGLE_VERSION_MINOR << 8) | JINGLE_VERSION_PATCH)

/** The version of the library that runs, in the form of #JINGLE_VERSION. */
JINGLE_API unsigned jingle_version(void);

/** The same as text, such as "0.1.0". Never freed. */
JINGLE_API const char *jingle_version_string(void);

/* ------------------------------------------------------------------------------- errors -- */

/** What went wrong. The numbers never change; new ones are added at the end. */
typedef enum jingle_status {
    JINGLE_OK = 0,
    /* the call to the library itself */
    JINGLE_ERROR_INVALID = -1,     /**< An argument is missing or makes no sense. */
    JINGLE_ERROR_MEMORY = -2,      /**< Out of memory. */
    JINGLE_ERROR_STATE = -3,       /**< Not possible now, such as accepting a call that ended. */
    JINGLE_ERROR_INTERNAL = -4,    /**< A fault of this library; the log has more. */
    JINGLE_ERROR_UNSUPPORTED = -5, /**< Left out when this library was built. */
    JINGLE_ERROR_LIMIT = -6,       /**< More at once, or larger, than is allowed. */
    /* the account and its server */
    JINGLE_ERROR_JID = -20,            /**< Not a JID. */
    JINGLE_ERROR_HOST_NOT_FOUND = -21, /**< The server's name does not resolve. */
    JINGLE_ERROR_CONNECT = -22,        /**< No address of the server accepts a connection. */
    JINGLE_ERROR_TLS_MISSING = -23,    /**< The server offers no TLS. */
    JINGLE_ERROR_CERTIFICATE = -24,    /**< The server's certificate is not trusted. */
    JINGLE_ERROR_AUTHENTICATION = -25, /**< User name or password refused. */
    JINGLE_ERROR_NO_MECHANISM = -26,   /**< No common way to log in (SASL). */
    JINGLE_ERROR_SERVER_TIMEOUT = -27, /**< The server went silent. */
    JINGLE_ERROR_STREAM = -28,         /**< The server broke the stream off. */
    JINGLE_ERROR_CONFLICT = -29,       /**< The same resource logged in elsewhere. */
    JINGLE_ERROR_OFFLINE = -30,        /**< No connection to the server now. */
    /* the person called */
    JINGLE_ERROR_NO_SUCH_CONTACT = -40, /**< The server there knows no such account. */
    JINGLE_ERROR_CONTACT_OFFLINE = -41, /**< None of the contact's devices is online. */
    JINGLE_ERROR_NO_CALL_SUPPORT = -42, /**< The contact's client cannot take calls. */
    JINGLE_ERROR_INSECURE_PEER = -43,   /**< The contact's client can only call unencrypted. */
    JINGLE_ERROR_PEER_SERVER = -44,     /**< The contact's server cannot be reached. */
    JINGLE_ERROR_FORBIDDEN = -45,       /**< The contact or its server does not allow it. */
    /* media and transport */
    JINGLE_ERROR_DEVICE = -60,          /**< A sound device is missing, in use or gone. */
    JINGLE_ERROR_FILE = -61,            /**< A file cannot be opened, read or written. */
    JINGLE_ERROR_NO_COMMON_CODEC = -62, /**< Nothing that both sides can decode. */
    JINGLE_ERROR_ICE = -63,             /**< No path for media was found. */
    JINGLE_ERROR_DTLS = -64,            /**< The media handshake failed. */
    JINGLE_ERROR_FINGERPRINT = -65,     /**< The peer's certificate is not the announced one. */
    JINGLE_ERROR_CAMERA = -66,          /**< A camera is missing, in use or gone. */
    JINGLE_ERROR_DISPLAY = -67,         /**< There is no display, or it is gone. */
    JINGLE_ERROR_REFUSED = -68,         /**< The other party does not want this. */
    /* files */
    JINGLE_ERROR_NO_FILE_SUPPORT = -80, /**< The contact's client cannot take files. */
    JINGLE_ERROR_CANCELED = -81,        /**< Somebody stopped the transfer. */
    JINGLE_ERROR_NO_ANSWER = -82,       /**< The other party did not answer in time. */
    JINGLE_ERROR_NO_PATH = -83,         /**< No way for the bytes of a file was found. */
    JINGLE_ERROR_CONNECTION_LOST = -84, /**< The bytes stopped before the last one. */
    JINGLE_ERROR_FILE_HASH = -85,       /**< All bytes came, and are not the announced ones. */
    JINGLE_ERROR_FILE_TOO_LONG = -86,   /**< More bytes came than were announced. */
    JINGLE_ERROR_FILE_CHANGED = -87,    /**< The file was changed while it was sent. */
    JINGLE_ERROR_FILE_NOT_FOUND = -88,  /**< The file, or the folder for it, is not there. */
    JINGLE_ERROR_FILE_KIND = -89,       /**< A folder or a device, not a file. */
    JINGLE_ERROR_FILE_PERMISSION = -90, /**< The file must not be read or written. */
    JINGLE_ERROR_NO_SPACE = -91,        /**< The disk is full, or would be. */
    JINGLE_ERROR_PEER_FILE = -92,       /**< The other side can no longer read or write the file. */
    JINGLE_ERROR_NO_UPLOAD = -93,       /**< The server keeps no files, or none so large. */
    JINGLE_ERROR_UPLOAD = -94,          /**< The server did not take the file. */
    JINGLE_ERROR_GONE = -95,            /**< The other party went offline. */
} jingle_status;

/** A sentence for people, in English. Never NULL, never freed. */
JINGLE_API const char *jingle_strerror(jingle_status status);

/* ---------------------------------------------------------------------------------- log -- */

typedef enum jingle_log_level {
    JINGLE_LOG_NONE = 0,
    JINGLE_LOG_ERROR = 1,   /**< Something does not work and the user should know. */
    JINGLE_LOG_WARNING = 2, /**< A peer or server misbehaved; the library copes. */
    JINGLE_LOG_INFO = 3,    /**< A few lines a call. */
    JINGLE_LOG_DEBUG = 4,   /**< Every stanza (without secrets) and every decision. */
} jingle_log_level;

/** Called from the library's threads with one line, without a newline. Must not block for long. */
typedef void (*jingle_log_fn)(void *user, jingle_log_level level, const char *line);

/* ------------------------------------------------------------------------------- client -- */

/** An account: its connection, its contacts and its calls. */
typedef struct jingle_client jingle_client;

/** One call, from its first ring to its end. */
typedef struct jingle_session jingle_session;

/** One file on its way, from its offer to its end. */
typedef struct jingle_transfer jingle_transfer;

typedef enum jingle_tls {
    JINGLE_TLS_AUTO = 0, /**< As DNS says: direct TLS (XEP-0368) or STARTTLS, in SRV order. */
    JINGLE_TLS_START,    /**< STARTTLS, required. */
    JINGLE_TLS_DIRECT,   /**< TLS from the first byte. */
} jingle_tls;

/** A STUN or TURN server of the application's own; those of the XMPP server (XEP-0215) are found
 *  without this. */
typedef struct jingle_ice_server {
    const char *uri;      /**< As in RFC 7064 and 7065: "stun:host:3478",
                               "turn:host:3478?transport=udp", "turns:host:5349?transport=tcp". */
    const char *username; /**< TURN needs it. */
    const char *password; /**< TURN needs it; wiped when the client is freed. */
} jingle_ice_server;

/** Which addresses of this computer are used. */
typedef enum jingle_family {
    JINGLE_FAMILY_ANY = 0,
    JINGLE_FAMILY_IPV4,
    JINGLE_FAMILY_IPV6,
} jingle_family;

/** How a client is set up. All text is copied by jingle_client_new(). */
typedef struct jingle_client_config {
    size_t size;          /**< Set by jingle_client_config_init(). */
    const char *jid;      /**< "user@server" or "user@server/resource". */
    const char *password; /**< Kept in memory for reconnecting, wiped when the client is freed. */
    const char *host;     /**< Connect here in place of what DNS says; NULL: ask DNS. */
    uint16_t port;        /**< 0: what DNS says, or 5222 (5223 for direct TLS). */
    jingle_tls tls;
    const char *ca_file; /**< PEM file of authorities to trust: besides the system's at the login,
                              in their place for TURN over TLS. */
    const jingle_ice_server *ice_servers;
    size_t ice_server_count;   /**< At most 8; together with the XMPP server's, 8 are used. */
    bool relay_only;           /**< Media only through TURN, files only through proxies or servers:
                                    the peer never learns our addresses. */
    bool allow_strangers;      /**< Let people ring, and offer files, who are not on the roster. Off
                                    by default: they are told that nobody is there. */
    int64_t ring_timeout;      /**< Give up after this long without an answer, more than 0; 60 s
                                    by default. */
    const char *cache_path;    /**< File that remembers what other clients can do (XEP-0115);
                                    NULL: forget at exit. */
    const char *software_name; /**< Shown to others by disco#info; NULL: "Jingle Engine". */
    const char *software_version; /**< NULL: that of the library. */
    unsigned media_threads; /**< Threads that calls are spread over, up to 64; 0: one a core, up
                                 to 4. */
    jingle_log_fn log;
    void *log_user;
    jingle_log_level log_level; /**< JINGLE_LOG_WARNING by default. */
    /** FOR A LAB ONLY: log in without TLS. Passwords and calls can then be read and forged by
     *  anyone on the way. */
    bool lab_allow_plaintext;
    /** FOR A LAB ONLY: believe any certificate of the server. */
    bool lab_accept_any_certificate;
    /** FOR A LAB ONLY: gather loopback addresses too, so that calls work on one machine without
     *  any network. Without it they are left out unless there is no other address. */
    bool lab_loopback;
    /** Announce that files are taken, and tell of each by #JINGLE_EVENT_FILE_OFFERED. Off by
     *  default: then offers are refused. Sending does not need it. */
    bool take_files;
    /** Announce no calls, and take none: for a program that moves files only. Other devices of the
     *  account ring all the same. jingle_session_start() is #JINGLE_ERROR_UNSUPPORTED then. */
    bool no_calls;
    /** TCP port for files that come or go directly, such as one that a router forwards; 0: any.
     *  It is open only while a transfer waits for its connection. */
    uint16_t file_port;
    /**
     * Network interfaces whose addresses calls and files may use: patterns as of a shell, separated
     * by commas; "!" before one leaves out what it matches, and the first that matches counts.
     * "eth0,wl*": these only; "!docker*,!tun*": all but these. NULL: all that are up. The
     * connection to the XMPP server and uploads go where the system sends them.
     */
    const char *interfaces;
    jingle_family family; /**< Of the addresses that calls and files may use. */
    /**
     * Also call, and be called by, clients that know no encryption of calls (Gajim up to 2.4, old
     * Psi, QXmpp up to 1.10). Anyone on the way can listen to such a call, record it and speak in
     * it. Off by default. Who can encrypt is never called otherwise, nor believed when an offer of
     * theirs comes without. Tell the user: jingle_session_encrypted(). Voice only.
     */
    bool allow_unencrypted;
    /** File of this account that remembers when we were online last and which calls have been told
     *  of. With it, calls that came meanwhile are asked for in the server's archive (XEP-0313) at
     *  login, at most the last 200 messages, and told as #JINGLE_EVENT_MISSED, each once. NULL:
     *  only what the server kept for us otherwise is told. */
    const char *calls_path;
} jingle_client_config;

/** Sets `size` and the defaults. The same for all structs with an init function. */
JINGLE_API void jingle_client_config_init(jingle_client_config *config);

/**
 * Makes a client and its threads, which take none of the application's signals. Nothing goes over
 * the network before jingle_client_connect().
 * @param[out] client  the new client; NULL on failure
 * @return #JINGLE_ERROR_JID, #JINGLE_ERROR_INVALID (also a malformed URI of an ICE server),
 *         #JINGLE_ERROR_UNSUPPORTED (a URI of "stuns:", or of TURN over DTLS), #JINGLE_ERROR_LIMIT
 *         (too many ICE servers), #JINGLE_ERROR_MEMORY
 */
JINGLE_API jingle_status jingle_client_new(const jingle_client_config *config,
                                           jingle_client **client);

/**
 * Ends all sessions, disconnects, waits for the threads (for some seconds at worst) and frees the
 * client with all events that were not read; none comes any more. NULL is allowed.
 *
 * No other function may run on the client meanwhile or afterwards. Sessions are different: one of
 * which the application holds a reference stays valid until jingle_session_unref(). It has ended;
 * what is asked of it is answered with #JINGLE_ERROR_STATE, and it can still be asked for its
 * statistics, peer, id and user pointer. Sources and sinks are freed when this returns.
 *
 * The last stanzas of an external client would be lost: see jingle_client_disconnect().
 */
JINGLE_API void jingle_client_free(jingle_client *client);

/** Starts to log in: #JINGLE_EVENT_ONLINE or #JINGLE_EVENT_OFFLINE tells how it went. After a
 *  success a lost connection is made again until jingle_client_disconnect(). Not for an external
 *  client (#JINGLE_ERROR_INVALID). */
JINGLE_API jingle_status jingle_client_connect(jingle_client *client);

/** Logs out. Calls in progress are ended first. An external client's stay online: their last
 *  stanzas are among the events when this returns, to be sent before jingle_client_free(). */
JINGLE_API jingle_status jingle_client_disconnect(jingle_client *client);

/** Our full JID, or "" while it is not known. Valid until the client is freed. */
JINGLE_API const char *jingle_client_jid(jingle_client *client);

/* ------------------------------------------------- client on the application's own stream -- */

/**
 * Makes a client that opens no connection: the application has an XMPP library of its own.
 *
 * The application hands in the stanzas it receives with jingle_client_receive() and sends those
 * that it is given by #JINGLE_EVENT_STANZA; it tells with jingle_client_external_online() and
 * jingle_client_external_offline() when its stream is up; it announces
 * jingle_client_features() in its disco#info and entity capabilities; and it passes on presence
 * (those it already has, too, right after jingle_client_external_online()), roster results and
 * pushes, IQs and messages, also those of carbons and of the archive (XEP-0313). `config->jid` is
 * the account; password, host, port, TLS and cache settings are not used.
 */
JINGLE_API jingle_status jingle_client_new_external(const jingle_client_config *config,
                                                    jingle_client **client);

/** The application's stream is up and bound to this full JID, which must be one of the account
 *  (#JINGLE_ERROR_JID). `resumed` tells that XEP-0198
 *  resumption kept all stanzas; otherwise unanswered ones are sent again. #JINGLE_EVENT_ONLINE
 *  follows when the server has answered some questions; calls may be started then. */
JINGLE_API jingle_status jingle_client_external_online(jingle_client *client, const char *full_jid,
                                                       bool resumed);

/** The application's stream is gone. Calls go on; #JINGLE_EVENT_OFFLINE follows. */
JINGLE_API jingle_status jingle_client_external_offline(jingle_client *client);

/** Features to announce by disco#info: a NULL-terminated array, valid until the client is freed. */
JINGLE_API const char *const *jingle_client_features(jingle_client *client);

/**
 * Hands in one stanza, as XML with its namespaces declared.
 * @param bytes  length of `xml`
 * @return 1 if the stanza was meant for the engine and the application must do nothing more with
 *         it (in particular not answer it); 0 if it is (also) the application's; a negative
 *         #jingle_status if it is not XML. It is decided at once, without waiting for the engine.
 */
JINGLE_API int jingle_client_receive(jingle_client *client, const char *xml, size_t bytes);

/* ------------------------------------------------------------------------------- events -- */

/** Why a session ended. */
typedef enum jingle_reason {
    JINGLE_REASON_NONE = 0,        /**< It has not ended. */
    JINGLE_REASON_HANGUP,          /**< Somebody hung up. */
    JINGLE_REASON_BUSY,            /**< The one called is in another call. */
    JINGLE_REASON_DECLINED,        /**< The one called does not want to answer. */
    JINGLE_REASON_CANCELED,        /**< The caller gave up before an answer. */
    JINGLE_REASON_NO_ANSWER,       /**< It rang for too long. */
    JINGLE_REASON_ELSEWHERE,       /**< Answered or refused on another device of the account. */
    JINGLE_REASON_GONE,            /**< The other party went offline while ringing or connecting. */
    JINGLE_REASON_OFFLINE,         /**< The other party is not online. */
    JINGLE_REASON_UNREACHABLE,     /**< No such account, or its server cannot be reached. */
    JINGLE_REASON_NO_CALL_SUPPORT, /**< The other party's client cannot take this call. */
    JINGLE_REASON_INCOMPATIBLE,    /**< No common codec or transport. */
    JINGLE_REASON_NO_PATH,         /**< Media never found a way (ICE or DTLS). */
    JINGLE_REASON_CONNECTION_LOST, /**< Media stopped and did not come back. */
    JINGLE_REASON_MEDIA_ERROR,     /**< Encoding, decoding or a device failed for good. */
    JINGLE_REASON_SECURITY,        /**< The other party's fingerprint or encryption was wrong. */
    JINGLE_REASON_PROTOCOL,        /**< The other party broke the rules of Jingle. */
    JINGLE_REASON_LOCAL_OFFLINE,   /**< We are not connected to our server. */
    JINGLE_REASON_REPLACED,        /**< Both called each other: the other call goes on. */
    JINGLE_REASON_SHUTDOWN,        /**< The client was freed or disconnected. */
} jingle_reason;

/** A sentence such as "They are in another call." Never NULL, never freed. */
JINGLE_API const char *jingle_reason_sentence(jingle_reason reason);

/** A short lower-case name for programs, such as "busy". Never NULL, never freed. */
JINGLE_API const char *jingle_reason_name(jingle_reason reason);

typedef enum jingle_party {
    JINGLE_PARTY_NONE = 0,
    JINGLE_PARTY_LOCAL,
    JINGLE_PARTY_REMOTE,
} jingle_party;

typedef enum jingle_event_type {
    JINGLE_EVENT_NONE = 0,
    JINGLE_EVENT_ONLINE,       /**< Logged in; roster and relays are known, calls may be started. */
    JINGLE_EVENT_OFFLINE,      /**< Connection lost or not made: `status`, `u.offline`. */
    JINGLE_EVENT_CONTACT,      /**< A contact changed: `u.contact`. */
    JINGLE_EVENT_SUBSCRIPTION, /**< Somebody asks to be a contact: `u.contact`. */
    JINGLE_EVENT_STANZA,       /**< External clients only: send `u.stanza`. */
    JINGLE_EVENT_INCOMING,     /**< Somebody calls: `session`, `u.incoming`. Accept or reject. */
    JINGLE_EVENT_MISSED,      /**< Somebody called while we were away: `u.incoming`; once a call. */
    JINGLE_EVENT_RINGING,     /**< It rings over there: `session`. */
    JINGLE_EVENT_ACCEPTED,    /**< Answered; media is being set up: `session`. */
    JINGLE_EVENT_CONNECTED,   /**< Media flows: `session`, `u.connected`. */
    JINGLE_EVENT_INTERRUPTED, /**< No media for 2 s; the engine tries to mend it: `session`. */
    JINGLE_EVENT_RECOVERED,   /**< Media flows again: `session`. */
    JINGLE_EVENT_HOLD,        /**< The peer holds or resumes: `u.flag.on`. */
    JINGLE_EVENT_MUTE,        /**< The peer muted or unmuted its sound: `u.flag.on`. */
    JINGLE_EVENT_DIGIT,       /**< The peer sent a digit (RFC 4733): `u.digit`. */
    /** A sound device failed or came back: `status`, `u.device`. With #JINGLE_ERROR_FILE it is a
     *  recording that can no longer be written, and does not come back. */
    JINGLE_EVENT_DEVICE,
    JINGLE_EVENT_SOURCE_ENDED, /**< The audio source has no more to say (file at its end). */
    JINGLE_EVENT_STATISTICS,   /**< Once a second during a call: `session`, `u.statistics`. */
    /** The last event of a session: `session`, `u.ended`. `status` is #JINGLE_ERROR_INSECURE_PEER
     * if their client can only call unencrypted. */
    JINGLE_EVENT_ENDED,
    JINGLE_EVENT_CHECK, /**< One line of jingle_client_check(): `u.check`. */
    /** The peer wants to add video to the call: answer with jingle_session_start_video() or
     *  jingle_session_refuse_video(). `u.video` tells who would send. */
    JINGLE_EVENT_VIDEO_OFFERED,
    /** Video was agreed on, changed direction or ended: `u.video`. `status` is
     *  #JINGLE_ERROR_REFUSED if the peer does not want what we asked for. */
    JINGLE_EVENT_VIDEO,
    JINGLE_EVENT_VIDEO_MUTE, /**< The peer's camera is off or on again: `u.flag.on`. */
    /** A camera, screen, window or recording failed or came back: `status`, `u.video_device`. */
    JINGLE_EVENT_VIDEO_DEVICE,
    JINGLE_EVENT_VIDEO_SOURCE_ENDED, /**< The video source has no more to say. */
    /** Somebody offers a file: `transfer`, `u.file`. Accept or reject, within 10 minutes: then the
     *  offer ends with #JINGLE_ERROR_NO_ANSWER. */
    JINGLE_EVENT_FILE_OFFERED,
    /** Somebody asks for a file of ours: `transfer`, `u.file`. Provide or reject. */
    JINGLE_EVENT_FILE_REQUESTED,
    JINGLE_EVENT_TRANSFER_STARTED,  /**< Bytes flow: `transfer`, `u.transfer`. */
    JINGLE_EVENT_TRANSFER_PROGRESS, /**< At most 4 a second: `transfer`, `u.transfer`. */
    /** The last event of a transfer: `transfer`, `status` (#JINGLE_OK: the file is whole over
     *  there, or here), `u.transfer_ended`. */
    JINGLE_EVENT_TRANSFER_ENDED,
    /** A contact, or a stranger if they may call, sent a message with a link to a file that they
     *  uploaded (XEP-0066): `u.link`. Only with `take_files`; each once. The library never fetches
     *  it: that would show our address to whoever runs the server it names. On the application's
     *  own stream jingle_client_receive() returns 0 for such a message: it is yours to show, too.
     */
    JINGLE_EVENT_LINK,
} jingle_event_type;

typedef enum jingle_subscription {
    JINGLE_SUBSCRIPTION_NONE = 0,
    JINGLE_SUBSCRIPTION_TO,   /**< We see their presence. */
    JINGLE_SUBSCRIPTION_FROM, /**< They see ours. */
    JINGLE_SUBSCRIPTION_BOTH,
} jingle_subscription;

/** A person on the roster (RFC 6121). */
typedef struct jingle_contact {
    const char *jid;  /**< Bare. */
    const char *name; /**< As the user named it; "" if not. */
    jingle_subscription subscription;
    bool asked;          /**< We asked to see their presence and wait. */
    bool online;         /**< At least one device. */
    bool callable;       /**< At least one device that can take an encrypted voice call. */
    bool video_callable; /**< And one that can take video. */
    bool removed;        /**< In an event: no longer on the roster. */
} jingle_contact;

/** The video of a call; all zero without. All counters are since its start. */
typedef struct jingle_video_statistics {
    bool sending;
    bool receiving;
    const char *codec;          /**< That we send, such as "VP8"; "" while unknown. */
    const char *codec_received; /**< That comes; "" while unknown. */
    uint64_t estimate;          /**< bit/s that the path takes, all media together. */
    uint64_t target;            /**< bit/s that the encoder is told to make. */
    /* what we sent */
    uint32_t width_sent, height_sent;
    double frame_rate_sent; /**< Of the last second, as the others. */
    uint64_t bitrate_sent;  /**< With retransmissions, without padding. */
    uint64_t packets_sent;
    uint64_t bytes_sent;
    uint64_t packets_retransmitted;
    uint64_t packets_lost_remote; /**< As the peer reports. */
    uint64_t frames_captured;
    uint64_t frames_sent;
    uint64_t frames_dropped; /**< Captured and not sent: no room, or no time to encode. */
    uint64_t key_frames_sent;
    uint64_t key_frames_asked; /**< By the peer (PLI, FIR). */
    int64_t encode_time;       /**< Of a frame, mean of the last second. */
    /* what we got */
    uint32_t width_received, height_received;
    double frame_rate_received; /**< Shown. */
    uint64_t bitrate_received;
    uint64_t packets_received;
    uint64_t bytes_received;
    uint64_t packets_lost;      /**< And not mended. */
    uint64_t packets_recovered; /**< By retransmission. */
    uint64_t frames_decoded;
    uint64_t frames_dropped_received; /**< Came whole, but too late or too many. */
    uint64_t frames_broken;           /**< Not decodable: malformed, or of absurd size. */
    uint64_t key_frames_received;
    uint64_t key_frames_requested; /**< By us. */
    uint64_t nacks_sent;
    uint64_t freezes;     /**< Gaps over max(3 x mean, mean + 150 ms) between frames shown. */
    int64_t freeze_time;  /**< All of them together. */
    int64_t decode_time;  /**< Of a frame, mean of the last second. */
    int64_t buffer_delay; /**< From the arrival of a frame to its showing. */
    int64_t lip_sync;     /**< How much later than the sound the picture is shown. */
} jingle_video_statistics;

/** A second of a call. All counters are since its start. */
typedef struct jingle_statistics {
    size_t size;
    int64_t duration; /**< Since media first flowed. */
    /* what we sent, the last three as the peer reports them (RTCP) */
    uint64_t packets_sent;
    uint64_t bytes_sent;
    uint64_t packets_lost_remote;
    int64_t jitter_remote;
    int64_t round_trip; /**< -1 while unknown. */
    /* what we got */
    uint64_t packets_received;
    uint64_t bytes_received;
    uint64_t packets_lost;
    uint64_t packets_late;      /**< Came after their turn to be played. */
    uint64_t packets_discarded; /**< Malformed, replayed, not authentic or not negotiated. */
    int64_t jitter;
    /* playout */
    uint64_t samples_played;    /**< At 48 kHz, a channel. */
    uint64_t samples_concealed; /**< Made up for what did not come. */
    uint64_t samples_recovered; /**< From forward error correction. */
    uint64_t samples_stretched; /**< Added by slowing down. */
    uint64_t samples_shrunk;    /**< Removed by speeding up. */
    int64_t buffer_delay;       /**< From arrival to the decoder, now. */
    /* sound */
    double level_sent; /**< 0 (silence) to 1 (full scale), peak of the last second. */
    double level_received;
    /* the rates of the last second */
    uint64_t bitrate_sent;
    uint64_t bitrate_received;
    /* what was negotiated: valid as long as the event or the call that filled this */
    const char *codec;           /**< "opus/48000/2"; "" while unknown. */
    const char *srtp_profile;    /**< "AEAD_AES_128_GCM" and so on; "" while unknown. */
    const char *dtls_cipher;     /**< OpenSSL's name. */
    const char *candidate_local; /**< "host udp 192.0.2.1:5000"; "" while unknown. */
    const char *candidate_remote;
    jingle_video_statistics video;
} jingle_statistics;

/** The way that the bytes of a file take, or may take. */
typedef enum jingle_way {
    JINGLE_WAY_AUTO = 0, /**< What works, the best first: all of these but HTTP. */
    JINGLE_WAY_DIRECT,   /**< From one machine to the other (XEP-0260). They learn our addresses. */
    /** Through a proxy of one of the servers (XEP-0065). What they call their proxy is believed;
     * only `relay_only` hides our addresses for certain, for then it must be our own server's. */
    JINGLE_WAY_PROXY,
    JINGLE_WAY_INBAND, /**< Through the XMPP servers, slowly (XEP-0261). */
    JINGLE_WAY_HTTP,   /**< Uploaded to our server, and the link sent as a message (XEP-0363, 0066).
                            Works when they are offline; whoever has the link has the file. */
} jingle_way;

/** "direct", "proxy", "in-band", "http"; "auto". Never NULL, never freed. */
JINGLE_API const char *jingle_way_name(jingle_way way);

typedef enum jingle_hash_state {
    JINGLE_HASH_NONE = 0, /**< Nobody told one (yet). */
    JINGLE_HASH_PENDING,  /**< It is being computed, or awaited. */
    JINGLE_HASH_EQUAL,    /**< Received: what came is what was announced. Sent: the peer said so. */
    JINGLE_HASH_DIFFERENT,
} jingle_hash_state;

/** How far a transfer is. */
typedef struct jingle_transfer_statistics {
    size_t size;
    uint64_t bytes_total;
    uint64_t bytes_done;    /**< Including those that were there already. */
    uint64_t bytes_resumed; /**< Of them: there from an earlier time. */
    uint64_t rate;          /**< Bytes (not bits) a second, of the last seconds. */
    uint64_t mean_rate;     /**< Likewise, since the first byte moved. */
    int64_t duration;       /**< Since the first byte moved. */
    int64_t time_left;      /**< -1 while nobody knows. */
    jingle_way way;         /**< AUTO while it is not known. */
    jingle_hash_state hash;
    bool checking; /**< What is kept from an earlier time is being read again for its hash. */
} jingle_transfer_statistics;

typedef struct jingle_event {
    jingle_event_type type;
    int64_t time;            /**< When it happened, microseconds since 1970. */
    jingle_session *session; /**< NULL if it is not about one. The event holds a reference. */
    jingle_status status;
    const char *text;          /**< A sentence for people; never NULL, may be "". */
    jingle_transfer *transfer; /**< NULL if it is not about one. The event holds a reference. */
    union {
        struct {
            bool will_retry;
            int64_t retry_in;
        } offline;
        jingle_contact contact;
        struct {
            const char *xml;
            size_t bytes;
        } stanza;
        struct {
            const char *from; /**< JID; bare where only that is known. */
            bool audio;
            bool video;
            bool on_roster;
            int64_t when;     /**< When they called, microseconds since 1970. */
            bool encrypted;   /**< False: anyone on the way can listen. See `allow_unencrypted`. */
            const char *name; /**< As of jingle_session_peer_name(). */
        } incoming;
        struct {
            int64_t setup_time; /**< From the answer to the first media both ways. */
            bool encrypted;     /**< False: anyone on the way can listen. */
        } connected;
        struct {
            bool on;
        } flag;
        struct {
            char digit; /**< 0-9 * # A-D */
            int64_t duration;
        } digit;
        struct {
            bool capture; /**< Otherwise playback. */
            bool lost;    /**< Otherwise back. */
        } device;
        struct {
            bool sending;   /**< We send (may send) pictures. */
            bool receiving; /**< The peer does. Neither: there is no video (any more). */
        } video;
        struct {
            bool capture; /**< Otherwise what shows or records. */
            bool lost;    /**< Otherwise back. */
        } video_device;
        jingle_statistics statistics;
        struct {
            jingle_reason reason;
            jingle_party by; /**< Who ended it. */
        } ended;
        struct {
            const char *subject; /**< Such as "Login" or "TURN relay". */
            bool good;
            const char *remedy; /**< What to do about it; "" if it is good. */
            bool last;          /**< The check is complete. */
        } check;
        struct {
            const char *from;        /**< Full JID. */
            const char *name;        /**< Safe to show and to use as a file's name; never "". */
            const char *media_type;  /**< Such as "image/png"; "" if not told. */
            const char *description; /**< In their words; "" if not told. */
            uint64_t bytes;          /**< Its size; requested: 0 if not told. */
            int64_t date;            /**< Of its content, microseconds since 1970; 0: not told. */
            bool on_roster;
            unsigned index; /**< Of several files offered together: 0, 1 ... */
            unsigned count;
        } file;
        jingle_transfer_statistics transfer;
        struct {
            jingle_party by;  /**< Who ended it. */
            const char *path; /**< Where it was saved; "" if it was not. */
            const char *url;  /**< Where it was uploaded to; "" if it was not. */
            jingle_transfer_statistics statistics;
        } transfer_ended;
        struct {
            const char *from;        /**< Bare JID. */
            const char *name;        /**< What to call them, beside the JID. */
            const char *url;         /**< http, https or aesgcm; one word of at most 2048 bytes. */
            const char *description; /**< In their words, one line; "" if not told. */
            bool encrypted;          /**< aesgcm (XEP-0454): the URL holds the key. */
            bool on_roster;
            int64_t when; /**< It was sent, microseconds since 1970. */
        } link;
    } u;
} jingle_event;

/** A descriptor that is readable while there are events; for poll(), GLib, Qt, libuv ... The
 *  client owns it: neither read nor close it. */
JINGLE_API int jingle_client_fd(jingle_client *client);

/** The next event, or NULL. It is valid until the next call of this function or of
 *  jingle_client_wait() for this client. One thread at a time. Read them soon: statistics that were
 *  not read give way to newer ones of the same session, and after some thousand unread events first
 *  the less important ones are lost and calls that come in are answered with busy. */
JINGLE_API const jingle_event *jingle_client_next_event(jingle_client *client);

/** Waits for an event for at most `timeout` microseconds (negative: for ever); NULL if none came.
 *  For programs without an event loop. */
JINGLE_API const jingle_event *jingle_client_wait(jingle_client *client, int64_t timeout);

/** `wake` is called, from any thread of the library, when there is an event and the queue was empty
 *  before: for event loops that cannot watch a descriptor. It must only set a flag or post. If
 * there are events already, it is called from within this function. NULL takes it away: when this
 * has returned, the one before is not called any more. */
JINGLE_API void jingle_client_set_wakeup(jingle_client *client, void (*wake)(void *user),
                                         void *user);

/* ----------------------------------------------------------------------------- contacts -- */

/** What somebody typed as an address, as XMPP writes it: a JID is left as it is; otherwise what
 *  stands before the last "@" is escaped (XEP-0106), so that "+1 555 1234@gateway.example" becomes
 *  "+1\20555\201234@gateway.example". Freed with free(); NULL: it is no address. */
JINGLE_API char *jingle_jid_from_text(const char *text);

/** The roster as it is now: `*contacts` gets an array of `*count` that is freed with
 *  jingle_contacts_free(). */
JINGLE_API jingle_status jingle_client_contacts(jingle_client *client, jingle_contact **contacts,
                                                size_t *count);
JINGLE_API void jingle_contacts_free(jingle_contact *contacts, size_t count);

/** Puts a person on the roster, asks to see their presence and grants ours. Also the answer
 *  "yes" to #JINGLE_EVENT_SUBSCRIPTION. `name` may be NULL. */
JINGLE_API jingle_status jingle_client_contact_add(jingle_client *client, const char *jid,
                                                   const char *name);

/** Takes a person off the roster, with subscriptions both ways. Also the answer "no". */
JINGLE_API jingle_status jingle_client_contact_remove(jingle_client *client, const char *jid);

/** Looks at what calls need (login, TLS, server features, STUN and TURN reach): each result is a
 *  #JINGLE_EVENT_CHECK; the last one has `last` set. Needs a client that is online. */
JINGLE_API jingle_status jingle_client_check(jingle_client *client);

/* ----------------------------------------------------------------------- sound in and out -- */

/** Samples are signed 16-bit, native byte order, channels interleaved. */
typedef struct jingle_audio_format {
    uint32_t rate;     /**< Frames a second: 8000 to 192000. */
    uint32_t channels; /**< 1 or 2. */
} jingle_audio_format;

/**
 * Where sound comes from: a table that an application fills, or one of the library's own below.
 * A source that is handed to a session belongs to it: the session calls `free` once, when done.
 * All functions are called from one thread at a time, and none but `free` may block. `size` and
 * what is not optional must be set; what is optional may be zero.
 */
typedef struct jingle_audio_source {
    size_t size; /**< sizeof(jingle_audio_source) */
    void *user;
    /** The call starts. `format` holds what the engine likes best; change it to what you have,
     *  the engine converts. May be NULL. */
    jingle_status (*start)(void *user, jingle_audio_format *format);
    /**
     * Gives up to `frames` frames (a frame is one sample a channel) to `samples`.
     * @return how many there are now: fewer than asked means "not yet" and the rest is asked for
     *         again within some milliseconds; #JINGLE_AUDIO_END that no more will come (silence
     *         follows); #JINGLE_AUDIO_LOST that the device is gone.
     */
    long (*read)(void *user, int16_t *samples, size_t frames);
    /** The call ended or is on hold; after a hold `start` is called again and the source goes on
     *  where it was. May be NULL. */
    void (*stop)(void *user);
    void (*free)(void *user); /**< May be NULL. */
    /** A microphone, which may hear the loudspeaker: echo cancellation, noise suppression and
     *  gain control make sense. */
    bool is_device;
    /** `read` always delivers at once (a file, a generator): the engine keeps the clock and asks
     *  every packet's time. Otherwise the source has a clock of its own, as devices have. */
    bool on_demand;
    /** How long ago the next frame that `read` gives was picked up, in microseconds: helps echo
     *  cancellation. May be NULL: unknown. */
    int64_t (*delay)(void *user);
} jingle_audio_source;

#define JINGLE_AUDIO_END  (-1L)
#define JINGLE_AUDIO_LOST (-2L)

/** Where sound goes to. The same rules as for a source. */
typedef struct jingle_audio_sink {
    size_t size; /**< sizeof(jingle_audio_sink) */
    void *user;
    jingle_status (*start)(void *user, jingle_audio_format *format);
    /** How many frames the sink wants now to never run dry, as a device asks by its own clock: as
     *  long as that is more than 0, 10 ms at a time are written. Or #JINGLE_AUDIO_LOST. NULL: the
     *  engine keeps the clock and writes what the time that has passed is worth, every 20 ms. */
    long (*wanted)(void *user);
    /** Takes all the frames, or forgets what it has no room for. Called by the engine's clock
     *  while the sink is lost or has wanted nothing for some time. */
    void (*write)(void *user, const int16_t *samples, size_t frames);
    void (*stop)(void *user);
    void (*free)(void *user);
    bool is_device;
    /** How long it takes until a frame that is written now is heard, in microseconds: helps echo
     *  cancellation. May be NULL: unknown. */
    int64_t (*delay)(void *user);
    /** #JINGLE_OK, or why what is written goes nowhere any more, as with a recording on a full
     *  disk: told once by #JINGLE_EVENT_DEVICE; the call goes on. Asked at every tick. May be
     *  NULL. */
    jingle_status (*trouble)(void *user);
} jingle_audio_sink;

/** The default or a named sound device ("" or NULL: the default). NULL on failure: `*status` (may
 *  be NULL) tells why. The device is opened when the call needs it. */
JINGLE_API jingle_audio_source *jingle_audio_source_device(const char *name, jingle_status *status);
/** A WAV, Ogg, FLAC or Opus file, in real time. `loop`: from the start again at its end. */
JINGLE_API jingle_audio_source *jingle_audio_source_file(const char *path, bool loop,
                                                         jingle_status *status);
/** A sine of `hz`, at a quarter of full scale. */
JINGLE_API jingle_audio_source *jingle_audio_source_tone(double hz, jingle_status *status);

typedef enum jingle_ring {
    JINGLE_RING_INCOMING = 0, /**< Somebody calls. */
    JINGLE_RING_BACK,         /**< It rings over there. */
    JINGLE_RING_BUSY,         /**< They are in another call, or do not want this one. */
    JINGLE_RING_WAITING,      /**< Somebody else calls while we talk. */
} jingle_ring;

/** The sounds of a telephone, for jingle_player_new(); they go on until they are stopped. */
JINGLE_API jingle_audio_source *jingle_audio_source_ring(jingle_ring ring, jingle_status *status);
JINGLE_API jingle_audio_source *jingle_audio_source_silence(jingle_status *status);

JINGLE_API jingle_audio_sink *jingle_audio_sink_device(const char *name, jingle_status *status);
/** Records to a file whose ending tells the format: .wav .flac .ogg .opus. An existing file is
 *  replaced. */
JINGLE_API jingle_audio_sink *jingle_audio_sink_file(const char *path, jingle_status *status);
/** Plays nowhere, on a clock. */
JINGLE_API jingle_audio_sink *jingle_audio_sink_null(jingle_status *status);
/** Both: the first one keeps the clock. Owns both, also on failure. */
JINGLE_API jingle_audio_sink *jingle_audio_sink_tee(jingle_audio_sink *first,
                                                    jingle_audio_sink *second,
                                                    jingle_status *status);

/** For a source or sink from above that was never handed to a session. */
JINGLE_API void jingle_audio_source_free(jingle_audio_source *source);
JINGLE_API void jingle_audio_sink_free(jingle_audio_sink *sink);

/** Plays a source beside all calls, such as what rings. */
typedef struct jingle_player jingle_player;

/** Starts to play, on a thread of its own. Both are taken over, also on failure; `sink` NULL: the
 *  default loudspeaker. #JINGLE_ERROR_INVALID, #JINGLE_ERROR_MEMORY, #JINGLE_ERROR_UNSUPPORTED (no
 *  sound devices in this library, and no sink given). A sink that does not start is tried again. */
JINGLE_API jingle_status jingle_player_new(jingle_audio_source *source, jingle_audio_sink *sink,
                                           jingle_player **player);
/** Stops, and frees both; waits until a device is closed. NULL is allowed. */
JINGLE_API void jingle_player_free(jingle_player *player);

typedef struct jingle_audio_device {
    const char *name;           /**< To be given to jingle_audio_source_device() and the like. */
    const char *system;         /**< "ALSA", "JACK" ... */
    uint32_t capture_channels;  /**< 0: cannot capture. */
    uint32_t playback_channels; /**< 0: cannot play. */
    bool default_capture;
    bool default_playback;
} jingle_audio_device;

/** Lists the sound devices; #JINGLE_ERROR_UNSUPPORTED if the library was built without. */
JINGLE_API jingle_status jingle_audio_devices(jingle_audio_device **devices, size_t *count);
JINGLE_API void jingle_audio_devices_free(jingle_audio_device *devices, size_t count);

/* -------------------------------------------------------------------- pictures in and out -- */

typedef enum jingle_pixels {
    JINGLE_PIXELS_I420 = 0, /**< Planes Y, U, V; U and V of half the size, rounded up. */
    JINGLE_PIXELS_NV12,     /**< Planes Y and UV interleaved. */
} jingle_pixels;

/** A picture in memory: BT.601, limited range, 1 to 4096 pixels a side. */
typedef struct jingle_picture {
    size_t size; /**< sizeof(jingle_picture) */
    jingle_pixels pixels;
    uint32_t width;
    uint32_t height;
    const uint8_t *planes[3];
    size_t strides[3]; /**< Bytes from row to row, of each plane. */
    int64_t time;      /**< When it was taken or is to be shown, microseconds on CLOCK_MONOTONIC;
                            0 from a source: now. */
    /** For a source: called once, from any thread, when the planes are not read any more. NULL:
     *  they stay valid until the next `read` or `stop`. */
    void (*release)(void *owner);
    void *owner;
} jingle_picture;

/** What the engine likes best, and what the source then gives. */
typedef struct jingle_video_format {
    uint32_t width;
    uint32_t height;
    uint32_t frame_rate; /**< Frames a second. */
} jingle_video_format;

/**
 * Where pictures come from. The rules are those of jingle_audio_source, but all functions (except
 * `free`, maybe) are called from a thread that does nothing but take and encode these pictures.
 */
typedef struct jingle_video_source {
    size_t size; /**< sizeof(jingle_video_source) */
    void *user;
    /** `format` holds what the engine likes best; change it to what you have: the engine scales
     *  down and leaves out pictures as it must. May be NULL. */
    jingle_status (*start)(void *user, jingle_video_format *format);
    /**
     * Waits for the next picture, for at most `timeout` microseconds, and gives the newest one.
     * Its size may change from one to the next.
     * @return 1 with `picture` filled in (`size` is set by the engine), 0 if none came in time,
     *         #JINGLE_VIDEO_END or #JINGLE_VIDEO_LOST
     */
    long (*read)(void *user, jingle_picture *picture, int64_t timeout);
    void (*stop)(void *user); /**< May be NULL. After it `start` may come again. */
    void (*free)(void *user); /**< May be NULL. */
    /** A screen or slides: sharpness counts for more than smoothness. */
    bool is_screen;
} jingle_video_source;

#define JINGLE_VIDEO_END  (-1L)
#define JINGLE_VIDEO_LOST (-2L)

/** Where pictures go to. `start`, `write` and `stop` are called from a thread that does nothing but
 *  decode and show these pictures. */
typedef struct jingle_video_sink {
    size_t size; /**< sizeof(jingle_video_sink) */
    void *user;
    jingle_status (*start)(void *user); /**< May be NULL. */
    /**
     * Shows a picture, I420, now: it is handed over at its time. The planes are valid until this
     * returns.
     * @return #JINGLE_OK, or why it cannot be shown (any more), told once by
     *         #JINGLE_EVENT_VIDEO_DEVICE; it is tried again with later pictures.
     */
    jingle_status (*write)(void *user, const jingle_picture *picture);
    void (*stop)(void *user); /**< May be NULL. */
    void (*free)(void *user); /**< May be NULL. */
} jingle_video_sink;

/** A camera (V4L2): a path such as "/dev/video0" or a part of its name; NULL or "": the first. */
JINGLE_API jingle_video_source *jingle_video_source_camera(const char *name, jingle_status *status);

/** What is on the screen. "": the desktop's own dialogue (PipeWire portal) where there is one, else
 *  the whole X11 screen. "screen": the whole X11 screen; "window:TITLE": the first window whose
 *  title has this part; "WIDTHxHEIGHT+X+Y": that part of the screen. NULL is "". */
JINGLE_API jingle_video_source *jingle_video_source_screen(const char *what, jingle_status *status);

/** A moving test picture with a running clock, that can be read back by a program: see
 *  docs/architecture.md. 0: the engine's choice of size and rate. */
JINGLE_API jingle_video_source *jingle_video_source_test(uint32_t width, uint32_t height,
                                                         uint32_t frame_rate,
                                                         jingle_status *status);

/**
 * A video file in real time, with its sound.
 * @param[out] sound  NULL: the sound is left out. Otherwise `*sound` gets a source of it that keeps
 *                    step with the pictures, or NULL if the file has none. Both are freed or
 *                    handed over independently.
 */
JINGLE_API jingle_video_source *jingle_video_source_file(const char *path, bool loop,
                                                         jingle_audio_source **sound,
                                                         jingle_status *status);

/** A source that the application pushes pictures into with jingle_video_source_push(), from any
 *  thread, for as long as the session or the application has it. */
JINGLE_API jingle_video_source *jingle_video_source_pushed(bool is_screen, jingle_status *status);

/** Hands over a picture. With `release` it is used in place and released when encoded or when a
 *  newer one came before it was; without, it is copied. #JINGLE_ERROR_INVALID for another source
 *  or a malformed picture; then it is not released. Must not be called after the session that has
 *  the source has ended or given it up. */
JINGLE_API jingle_status jingle_video_source_push(jingle_video_source *source,
                                                  const jingle_picture *picture);

/** Shows nowhere. */
JINGLE_API jingle_video_sink *jingle_video_sink_null(jingle_status *status);
/** Both. Owns both, also on failure. */
JINGLE_API jingle_video_sink *jingle_video_sink_tee(jingle_video_sink *first,
                                                    jingle_video_sink *second,
                                                    jingle_status *status);

/** For a source or sink from above that was never handed to a session. */
JINGLE_API void jingle_video_source_free(jingle_video_source *source);
JINGLE_API void jingle_video_sink_free(jingle_video_sink *sink);

typedef struct jingle_camera {
    const char *path; /**< "/dev/video0" */
    const char *name; /**< "HD Webcam" */
} jingle_camera;

/** Lists the cameras; #JINGLE_ERROR_UNSUPPORTED if the library was built without. */
JINGLE_API jingle_status jingle_cameras(jingle_camera **cameras, size_t *count);
JINGLE_API void jingle_cameras_free(jingle_camera *cameras, size_t count);

/** Writes a picture to a PNG file. Any thread; waits for the disk. An existing file is replaced
 *  when the new one is complete. */
JINGLE_API jingle_status jingle_picture_save(const jingle_picture *picture, const char *path);

/* ------------------------------------------------------------------------------- window -- */

/** A window that shows the other party, ourselves in a corner, and a line of text. It has a thread
 *  of its own and may outlive the call. */
typedef struct jingle_window jingle_window;

typedef struct jingle_window_config {
    size_t size;
    const char *title; /**< Copied. */
    uint32_t width;    /**< 0: 960 by 540. It may be resized by the user. */
    uint32_t height;
    bool full_screen;
    /** A key was pressed: its character, or 27 for Escape. `f` (full screen) is told, too, but
     *  done by the window. Window's thread; must only set a flag or post. May be NULL. */
    void (*key)(void *user, uint32_t character);
    /** The user closed the window or the display is gone; it shows nothing any more. Once. The
     *  same thread and rule. May be NULL. */
    void (*closed)(void *user);
    void *user;
} jingle_window_config;

JINGLE_API void jingle_window_config_init(jingle_window_config *config);

/** Opens a window. #JINGLE_ERROR_DISPLAY without a display, #JINGLE_ERROR_UNSUPPORTED if the
 *  library was built without. One window a process. */
JINGLE_API jingle_status jingle_window_new(const jingle_window_config *config,
                                           jingle_window **window);

/** Closes it. Its sinks stay valid (they belong to whom they were given) and show nothing. */
JINGLE_API void jingle_window_free(jingle_window *window);

/** Where the remote picture is shown, and our own, small and mirrored. A new sink each time. */
JINGLE_API jingle_video_sink *jingle_window_sink(jingle_window *window, jingle_status *status);
JINGLE_API jingle_video_sink *jingle_window_self_view(jingle_window *window, jingle_status *status);

/** The line of text over the picture, such as name, time and quality. "" for none. Any thread. */
JINGLE_API void jingle_window_set_text(jingle_window *window, const char *text);

/** Back and forth between full screen and window. */
JINGLE_API void jingle_window_toggle_full_screen(jingle_window *window);

/* ----------------------------------------------------------------------------- sessions -- */

typedef enum jingle_switch {
    JINGLE_AUTO = 0, /**< On where it makes sense. */
    JINGLE_ON,
    JINGLE_OFF,
} jingle_switch;

/** How video is sent and shown. If `size` is not set, nothing in it is believed, and the sources
 * and sinks stay the application's. */
typedef struct jingle_video_config {
    size_t size;
    jingle_video_source *source;  /**< NULL: we send none. Taken over, also on failure. */
    jingle_video_sink *sink;      /**< NULL: what comes is not decoded. Taken over, as the next. */
    jingle_video_sink *self_view; /**< Shows what we send, before it is encoded; may be NULL. */
    bool send_only;               /**< Ask the other party not to send any. */
    const char *codec;            /**< Put this first: "VP8" or "VP9"; NULL: VP8. */
    uint32_t width; /**< At most this is sent; 0: 1280 by 720, a screen 1920 by 1080. */
    uint32_t height;
    uint32_t frame_rate; /**< At most; 0: 30, a screen 15. */
    uint32_t bitrate; /**< At most, bit/s, 30000 to 20000000; 0: 2500000. The path may give less. */
} jingle_video_config;

JINGLE_API void jingle_video_config_init(jingle_video_config *config);

/** How a call is set up, by the caller or by the one who accepts. If `size` is not set, nothing in
 *  it is believed, and source and sink stay the application's. */
typedef struct jingle_session_config {
    size_t size;
    jingle_audio_source *source; /**< NULL: the default microphone. Taken over, also on failure. */
    jingle_audio_sink *sink;     /**< NULL: the default loudspeaker. Taken over, also on failure. */
    const char *codec;           /**< Put this first: "opus", "PCMU", "PCMA"; NULL: Opus. */
    uint32_t bitrate;            /**< Of Opus, 6000 to 510000; 0: 32000 (mono). */
    uint32_t channels;           /**< Sent: 1 (default) or 2, if the peer can. */
    uint32_t ptime;              /**< Milliseconds a packet: 10, 20 (default), 40, 60. */
    jingle_switch fec;           /**< In-band FEC of Opus; AUTO: as the peer reports loss. */
    jingle_switch dtx;           /**< Silence is not sent; AUTO: as the peer asks. */
    jingle_switch echo_cancellation; /**< AUTO: with two real devices. */
    jingle_switch noise_suppression; /**< AUTO: with a real microphone. */
    jingle_switch gain_control;      /**< AUTO: with a real microphone. */
    bool direct; /**< Caller only: session-initiate at once, without message initiation. Needs a
                      full JID, or a contact with a callable device online. */
    /** Caller: offer video, too. Accepting: take the video that is offered; NULL refuses it and
     *  takes the sound. What it points to is read during the call only. */
    const jingle_video_config *video;
} jingle_session_config;

JINGLE_API void jingle_session_config_init(jingle_session_config *config);

/**
 * Calls somebody.
 *
 * A bare JID rings all the devices of that person (XEP-0353) and falls back to a plain
 * session-initiate where the only callable devices cannot do that; a full JID calls that device.
 * @param to            bare or full JID
 * @param config        NULL: defaults
 * @param[out] session  one reference for the caller; events tell what becomes of it. Release it
 *                      with jingle_session_unref().
 * @return #JINGLE_ERROR_INVALID, #JINGLE_ERROR_JID, #JINGLE_ERROR_OFFLINE, #JINGLE_ERROR_LIMIT,
 *         #JINGLE_ERROR_UNSUPPORTED (no sound devices in this library, and none given), then
 *         `*session` is NULL and source and sink are freed; what fails later is told by
 *         #JINGLE_EVENT_ENDED.
 */
JINGLE_API jingle_status jingle_session_start(jingle_client *client, const char *to,
                                              const jingle_session_config *config,
                                              jingle_session **session);

/** Answers an incoming call. `config` NULL: defaults. #JINGLE_ERROR_STATE if it is not ringing (any
 *  more). On failure nothing happened and the call rings on; source and sink are freed. */
JINGLE_API jingle_status jingle_session_accept(jingle_session *session,
                                               const jingle_session_config *config);

/** Refuses an incoming call: #JINGLE_REASON_DECLINED or #JINGLE_REASON_BUSY. */
JINGLE_API jingle_status jingle_session_reject(jingle_session *session, jingle_reason reason);

/** Hangs up, cancels or refuses, whatever fits. #JINGLE_EVENT_ENDED follows; until then further
 *  orders may be accepted, without effect. #JINGLE_ERROR_STATE if it has ended. */
JINGLE_API jingle_status jingle_session_end(jingle_session *session);

/** Our microphone is not sent (silence is), and the peer is told (XEP-0167). Also while it rings
 *  over there: then the call begins muted. */
JINGLE_API jingle_status jingle_session_set_mute(jingle_session *session, bool on);

/** The call is put on hold: nothing is sent or played, and the peer is told (XEP-0167).
 *  #JINGLE_ERROR_STATE before the answer. */
JINGLE_API jingle_status jingle_session_set_hold(jingle_session *session, bool on);

/**
 * Adds video to a call that is connected, answers #JINGLE_EVENT_VIDEO_OFFERED with yes, or, where
 * there is video already, puts another source, sink and self view in place (NULL keeps the sink,
 * takes away the source). #JINGLE_EVENT_VIDEO tells what became of it.
 * @return #JINGLE_ERROR_STATE before the call is connected, #JINGLE_ERROR_UNSUPPORTED if the peer's
 *         client cannot do video; sources and sinks are freed then
 */
JINGLE_API jingle_status jingle_session_start_video(jingle_session *session,
                                                    const jingle_video_config *config);

/** Takes video away from the call (content-remove), for both sides. The call goes on.
 *  #JINGLE_ERROR_STATE without video, and while the call that offers it is not answered. */
JINGLE_API jingle_status jingle_session_stop_video(jingle_session *session);

/** Answers #JINGLE_EVENT_VIDEO_OFFERED with no. */
JINGLE_API jingle_status jingle_session_refuse_video(jingle_session *session);

/** Sends from another source from now on, without a word to the peer: from the camera to the
 *  screen and back. Taken over, also on failure. NULL: nothing is sent, and the peer is told that
 *  we muted (XEP-0167); a source afterwards unmutes. #JINGLE_ERROR_STATE without video. */
JINGLE_API jingle_status jingle_session_set_video_source(jingle_session *session,
                                                         jingle_video_source *source);

/** The source stays, its pictures are not sent, and the peer is told (XEP-0167). */
JINGLE_API jingle_status jingle_session_set_video_mute(jingle_session *session, bool on);

/** Who sends pictures from now on, signalled by content-modify where the peer can, else by mute.
 *  The other party may change it again. #JINGLE_ERROR_STATE without video. */
JINGLE_API jingle_status jingle_session_set_video_direction(jingle_session *session, bool send,
                                                            bool receive);

/** Records what the other party says and shows, as it came and without encoding it again, to a
 *  WebM file; NULL ends the recording. An existing file is replaced. The file is complete when the
 *  recording or the call has ended. #JINGLE_ERROR_FILE, #JINGLE_ERROR_UNSUPPORTED (built without,
 *  or the sound is not Opus); trouble later is told by #JINGLE_EVENT_VIDEO_DEVICE. */
JINGLE_API jingle_status jingle_session_record(jingle_session *session, const char *path);

/** Saves the picture that was shown last as PNG: #JINGLE_ERROR_STATE if none came yet. */
JINGLE_API jingle_status jingle_session_snapshot(jingle_session *session, const char *path);

/** Sends digits as telephone-events (RFC 4733), one after the other: 0-9 * # A-D.
 *  #JINGLE_ERROR_UNSUPPORTED if the peer does not take them (known once the media is agreed on),
 *  #JINGLE_ERROR_LIMIT for more than 64 at once, #JINGLE_ERROR_STATE before the answer. */
JINGLE_API jingle_status jingle_session_send_digits(jingle_session *session, const char *digits);

/** Fills in what is known now. `statistics->size` must be set. The text in it is valid until the
 *  session's last reference is released; that is why it becomes "" in a call whose candidates
 *  changed some hundred times (the events go on to tell them). */
JINGLE_API jingle_status jingle_session_statistics(jingle_session *session,
                                                   jingle_statistics *statistics);

/** The JID of the other party: full once it is known which device. Valid until the last reference
 *  is released. */
JINGLE_API const char *jingle_session_peer(jingle_session *session);

/** What to call the other party: the name that the roster has for them; else the nickname that they
 *  give themselves (XEP-0172), unless it is an address or another contact's name; else the first
 *  part of their JID, without the escapes of XEP-0106, with the same exception; else the bare JID.
 *  One line without control characters, marks that change the direction and what shows nothing, of
 *  at most 64 characters unless it is the bare JID; never "". Show the JID beside it: a name is
 *  only a claim. Valid until the last reference is released. */
JINGLE_API const char *jingle_session_peer_name(jingle_session *session);

/** False: anyone on the way can listen; see `allow_unencrypted`. It is known when a call comes in,
 *  and for one that goes out before it rings over there. */
JINGLE_API bool jingle_session_encrypted(jingle_session *session);

/** The session's id (sid): the same at both ends, for logs. */
JINGLE_API const char *jingle_session_id(jingle_session *session);

/** A pointer of the application's. */
JINGLE_API void jingle_session_set_user(jingle_session *session, void *user);
JINGLE_API void *jingle_session_user(jingle_session *session);

/** Sessions are counted references. An event's session is valid as long as the event; take a
 *  reference to keep it longer, also beyond jingle_client_free(). Releasing the last one does not
 *  end a call. */
JINGLE_API jingle_session *jingle_session_ref(jingle_session *session);
JINGLE_API void jingle_session_unref(jingle_session *session);

/* -------------------------------------------------------------------------------- files -- */

/**
 * A file to send: on a disk, in memory or made by the application. Exactly one of `path`, `memory`
 * and `read` is set. Text is copied.
 */
typedef struct jingle_file_source {
    size_t size; /**< Set by jingle_file_source_init(). */
    const char *path;
    const void *memory; /**< Stays the application's, unchanged until the transfer has ended. */
    uint64_t bytes;     /**< Of `memory`, or of what `read` gives. */
    /**
     * Gives the bytes from `offset` on; the same ones whenever it is asked again.
     * @return how many, less than `count` only at the end; negative: it cannot be read any more
     */
    int64_t (*read)(void *user, uint64_t offset, void *bytes, size_t count);
    /** Once, when the transfer is over or could not be begun. Also with `memory`. May be NULL. */
    void (*free)(void *user);
    void *user;              /**< For both functions, which a thread of the library calls. */
    const char *name;        /**< That they see; NULL: the last part of `path`. */
    const char *media_type;  /**< NULL: found by the name and the first bytes. */
    const char *description; /**< Words to go with it; NULL: none. */
    int64_t date; /**< Of its content, microseconds since 1970; 0: that of `path`, or none. */
} jingle_file_source;

JINGLE_API void jingle_file_source_init(jingle_file_source *source);

typedef struct jingle_transfer_config {
    size_t size;
    jingle_way way;
    uint64_t rate_limit; /**< Bytes (not bits) a second; 0: none. */
} jingle_transfer_config;

JINGLE_API void jingle_transfer_config_init(jingle_transfer_config *config);

/**
 * Offers files to somebody: all in one session where the other client can take that, else one
 * after the other. They have 10 minutes to answer. They learn our addresses with the offer (unless
 * `way` or `relay_only` says otherwise), so call this only when the user wants to send.
 * @param to              full JID, or bare: then the device that can take files best
 * @param config          NULL: defaults
 * @param[out] transfers  `count` of them, one reference each; release them with
 *                        jingle_transfer_unref()
 * @return #JINGLE_ERROR_INVALID, #JINGLE_ERROR_JID, #JINGLE_ERROR_OFFLINE, #JINGLE_ERROR_LIMIT,
 *         #JINGLE_ERROR_FILE_NOT_FOUND, #JINGLE_ERROR_FILE_KIND, #JINGLE_ERROR_FILE_PERMISSION,
 *         #JINGLE_ERROR_FILE: none is offered then, and `transfers` gets NULLs. What fails later is
 *         told by #JINGLE_EVENT_TRANSFER_ENDED. #JINGLE_ERROR_INVALID is also #JINGLE_WAY_DIRECT
 *         with `relay_only`.
 *
 * A client has 256 transfers at most, both ways and those that wait for an answer included, and
 * moves 64 of them at once: one beyond that ends with #JINGLE_ERROR_LIMIT when it should begin.
 */
JINGLE_API jingle_status jingle_transfer_offer(jingle_client *client, const char *to,
                                               const jingle_file_source *files, size_t count,
                                               const jingle_transfer_config *config,
                                               jingle_transfer **transfers);

/**
 * Where a received file goes. Exactly one of `path`, `folder`, `memory_limit` and `write` is set.
 * Text is copied.
 */
typedef struct jingle_file_sink {
    size_t size; /**< Set by jingle_file_sink_init(). */
    /** A folder: the file gets the offered name, made safe, and a number if there is such a
     *  file. It appears when it is whole; until then, and if the transfer breaks off, what came
     *  lies in a hidden file beside it, and the next offer of the same file goes on there. */
    const char *folder;
    /** The same with a name of the application's choice. If there is a file of that name,
     *  it becomes "name (1).ext": #JINGLE_EVENT_TRANSFER_ENDED tells its path. */
    const char *path;
    /** Kept in memory: see jingle_transfer_memory(). At most so many bytes are taken. */
    uint64_t memory_limit;
    /** Takes the next bytes; false: they cannot be taken, and the transfer ends. */
    bool (*write)(void *user, const void *bytes, size_t count);
    /** With `write`: once, at the end; `whole`: all bytes came and are right. May be NULL. */
    void (*done)(void *user, bool whole);
    void *user;          /**< For both functions, which a thread of the library calls. */
    uint64_t rate_limit; /**< Bytes (not bits) a second; 0: none. */
} jingle_file_sink;

JINGLE_API void jingle_file_sink_init(jingle_file_sink *sink);

/** Takes a file that is offered. They learn our addresses. Of several in one session none moves
 *  before each was taken or refused. #JINGLE_ERROR_STATE if it is not offered
 *  (any more), #JINGLE_ERROR_INVALID, #JINGLE_ERROR_LIMIT (too large for `memory_limit`),
 *  #JINGLE_ERROR_FILE_NOT_FOUND, #JINGLE_ERROR_FILE_KIND, #JINGLE_ERROR_FILE_PERMISSION,
 *  #JINGLE_ERROR_NO_SPACE, #JINGLE_ERROR_FILE: then it is still offered. */
JINGLE_API jingle_status jingle_transfer_accept(jingle_transfer *transfer,
                                                const jingle_file_sink *sink);

/** Refuses a file that is offered or asked for. #JINGLE_EVENT_TRANSFER_ENDED follows. */
JINGLE_API jingle_status jingle_transfer_reject(jingle_transfer *transfer);

/** Asks somebody for a file, by its name or hash (XEP-0234, 6.2). Few clients answer that.
 *  @param to    full JID
 *  @param name  NULL if `sha256` is given
 *  @param sha256  32 bytes, or NULL */
JINGLE_API jingle_status jingle_transfer_request(jingle_client *client, const char *to,
                                                 const char *name, const uint8_t *sha256,
                                                 const jingle_file_sink *sink,
                                                 jingle_transfer **transfer);

/** Answers #JINGLE_EVENT_FILE_REQUESTED with the file. Errors as of jingle_transfer_offer(). */
JINGLE_API jingle_status jingle_transfer_provide(jingle_transfer *transfer,
                                                 const jingle_file_source *source,
                                                 const jingle_transfer_config *config);

/** Stops a transfer, on either side, at any time. #JINGLE_EVENT_TRANSFER_ENDED follows. What came
 *  is kept for another time. #JINGLE_ERROR_STATE if it has ended. */
JINGLE_API jingle_status jingle_transfer_cancel(jingle_transfer *transfer);

/** From now on; 0: no limit. */
JINGLE_API jingle_status jingle_transfer_set_rate_limit(jingle_transfer *transfer,
                                                        uint64_t bytes_per_second);

/** Fills in what is known now. `statistics->size` must be set. */
JINGLE_API jingle_status jingle_transfer_get_statistics(jingle_transfer *transfer,
                                                        jingle_transfer_statistics *statistics);

/** The file that was received into memory, once the transfer ended with #JINGLE_OK; else NULL.
 *  Valid until the last reference is released. */
JINGLE_API const void *jingle_transfer_memory(jingle_transfer *transfer, size_t *bytes);

/** The name of the file, safe to show. Valid until the last reference is released, as the next. */
JINGLE_API const char *jingle_transfer_name(jingle_transfer *transfer);
/** The JID of the other party: full once it is known which device. */
JINGLE_API const char *jingle_transfer_peer(jingle_transfer *transfer);
/** The id (sid) of its session: the same at both ends, for logs; "" while there is none. */
JINGLE_API const char *jingle_transfer_id(jingle_transfer *transfer);
/** We send it. */
JINGLE_API bool jingle_transfer_is_sending(jingle_transfer *transfer);

/** A pointer of the application's. */
JINGLE_API void jingle_transfer_set_user(jingle_transfer *transfer, void *user);
JINGLE_API void *jingle_transfer_user(jingle_transfer *transfer);

/** Counted references, as those of sessions. Releasing the last one does not stop a transfer. */
JINGLE_API jingle_transfer *jingle_transfer_ref(jingle_transfer *transfer);
JINGLE_API void jingle_transfer_unref(jingle_transfer *transfer);

#ifdef __cplusplus
}
#endif

#endif
