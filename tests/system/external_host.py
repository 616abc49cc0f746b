"""A host with an XMPP library of its own (slixmpp) that places one call through the engine:

    external_host.py HOST PORT CA_FILE JID CALLEE LIBRARY RECORDING

Prints each event, and ends with 0 once the call was connected, heard for three seconds, and ended.
"""

import sys
import threading
import time

import engine as jingle
from peer import Peer
from slixmpp.xmlstream.tostring import tostring


class Server:
    """What a Peer wants to know of its server."""

    def __init__(self, host, port, ca_file, domain):
        self.host, self.port, self.ca_file, self.domain = host, int(port), ca_file, domain

    def jid(self, name):
        return f"{name}@{self.domain}"


class Host(Peer):
    """A client that hands every stanza to the engine first."""

    def __init__(self, server, name, library):
        self.early = []
        self.gate = threading.Lock()
        self.engine_online = False
        self.engine = jingle.Engine(library, server.jid(name), self.send)
        super().__init__(server, name, resource="host", features=self.engine.features(),
                         acknowledge=False)
        with self.gate:
            self.engine.online(self.jid)
            self.engine_online = True
            for xml in self.early:  # the roster and the presences that came before
                self.engine.receive(xml)

    def received(self, stanza):
        xml = tostring(stanza.xml, xmlns="", top_level=True)
        with self.gate:
            if not self.engine_online:
                self.early.append(xml)
                return stanza
            return None if self.engine.receive(xml) else stanza


def main(host, port, ca_file, jid, callee, library, recording):
    name, domain = jid.split("@")
    peer = Host(Server(host, port, ca_file, domain), name, library)
    session, hang_up_at, reason, connected = None, None, None, False
    deadline = time.monotonic() + 60
    while reason is None and time.monotonic() < deadline:
        for kind, why in peer.engine.events(0.2):
            print("event", kind, why or "", flush=True)
            if kind == jingle.EVENT_ONLINE:
                session = peer.engine.call(callee, 440, recording)
            elif kind == jingle.EVENT_CONNECTED:
                connected, hang_up_at = True, time.monotonic() + 3
            reason = reason or why
        if hang_up_at and time.monotonic() > hang_up_at:
            peer.engine.end(session)
            hang_up_at = None
    for _ in peer.engine.events(1):  # what is still to be sent
        pass
    peer.engine.release(session)
    peer.stop()
    peer.engine.free()
    return 0 if connected and reason == "hangup" else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
