"""<jingle/jingle.h> by ctypes: as much of it as a host with an XMPP library of its own needs."""

import ctypes
import select
from ctypes import (POINTER, Structure, Union, byref, c_bool, c_char_p, c_int, c_int64, c_size_t,
                    c_uint, c_uint16, c_void_p, sizeof)

EVENT_ONLINE, EVENT_STANZA, EVENT_CONNECTED, EVENT_ENDED = 1, 5, 10, 19


class ClientConfig(Structure):
    _fields_ = [
        ("size", c_size_t), ("jid", c_char_p), ("password", c_char_p), ("host", c_char_p),
        ("port", c_uint16), ("tls", c_int), ("ca_file", c_char_p), ("ice_servers", c_void_p),
        ("ice_server_count", c_size_t), ("relay_only", c_bool), ("allow_strangers", c_bool),
        ("ring_timeout", c_int64), ("cache_path", c_char_p), ("software_name", c_char_p),
        ("software_version", c_char_p), ("media_threads", c_uint), ("log", c_void_p),
        ("log_user", c_void_p), ("log_level", c_int), ("lab_allow_plaintext", c_bool),
        ("lab_accept_any_certificate", c_bool), ("lab_loopback", c_bool),
        ("take_files", c_bool), ("file_port", c_uint16), ("interfaces", c_char_p),
        ("family", c_int), ("allow_unencrypted", c_bool), ("calls_path", c_char_p),
    ]


class SessionConfig(Structure):
    _fields_ = [("size", c_size_t), ("source", c_void_p), ("sink", c_void_p),
                ("rest", c_void_p * 16)]


class Stanza(Structure):
    _fields_ = [("xml", c_void_p), ("bytes", c_size_t)]


class Ended(Structure):
    _fields_ = [("reason", c_int), ("by", c_int)]


class Details(Union):
    _fields_ = [("stanza", Stanza), ("ended", Ended)]


class Event(Structure):
    _fields_ = [("type", c_int), ("time", c_int64), ("session", c_void_p), ("status", c_int),
                ("text", c_char_p), ("transfer", c_void_p), ("u", Details)]


class Engine:
    """A client on the host's own stream. `send` gets each stanza that is to be sent."""

    def __init__(self, library, jid, send):
        self.library = ctypes.CDLL(library)
        self._declare()
        self.send = send
        config = ClientConfig()
        self.library.jingle_client_config_init(byref(config))
        assert config.size == sizeof(config), "ClientConfig is not as in jingle.h"
        config.jid = jid.encode()
        config.lab_loopback = True
        self.client = c_void_p()
        self._check(self.library.jingle_client_new_external(byref(config), byref(self.client)))

    def _declare(self):
        self.library.jingle_client_next_event.restype = POINTER(Event)
        self.library.jingle_client_features.restype = POINTER(c_char_p)
        self.library.jingle_reason_name.restype = c_char_p
        self.library.jingle_strerror.restype = c_char_p
        for name in ("tone", "silence"):
            getattr(self.library, f"jingle_audio_source_{name}").restype = c_void_p
        self.library.jingle_audio_sink_file.restype = c_void_p
        self.library.jingle_audio_sink_null.restype = c_void_p

    def _check(self, status):
        assert status >= 0, self.library.jingle_strerror(status).decode()
        return status

    def features(self):
        found = []
        for feature in self.library.jingle_client_features(self.client):
            if feature is None:
                return found
            found.append(feature.decode())

    def online(self, full_jid):
        self._check(self.library.jingle_client_external_online(
            self.client, full_jid.encode(), c_bool(False)))

    def receive(self, xml):
        """True if the stanza was the engine's."""
        data = xml.encode()
        return self._check(self.library.jingle_client_receive(
            self.client, data, c_size_t(len(data)))) == 1

    def call(self, to, hz, record):
        status = c_int()
        config = SessionConfig()
        self.library.jingle_session_config_init(byref(config))
        assert config.size <= sizeof(config), "SessionConfig is too small for jingle.h"
        config.source = self.library.jingle_audio_source_tone(ctypes.c_double(hz), byref(status))
        config.sink = self.library.jingle_audio_sink_file(str(record).encode(), byref(status))
        session = c_void_p()
        self._check(self.library.jingle_session_start(self.client, to.encode(), byref(config),
                                                      byref(session)))
        return session

    def end(self, session):
        self._check(self.library.jingle_session_end(session))

    def release(self, session):
        self.library.jingle_session_unref(session)

    def events(self, timeout):
        """Waits for events and yields each, in the form (type, reason); stanzas are sent."""
        readable, _, _ = select.select([self.library.jingle_client_fd(self.client)], [], [],
                                       timeout)
        while readable:
            event = self.library.jingle_client_next_event(self.client)
            if not event:
                return
            kind = event.contents.type
            if kind == EVENT_STANZA:
                stanza = event.contents.u.stanza
                self.send(ctypes.string_at(stanza.xml, stanza.bytes).decode())
            reason = None
            if kind == EVENT_ENDED:
                reason = self.library.jingle_reason_name(event.contents.u.ended.reason).decode()
            yield kind, reason

    def free(self):
        self.library.jingle_client_free(self.client)


