"""A scripted XMPP client (slixmpp): sends what a test tells it, however wrong, and shows the test
every stanza that comes. It announces what makes a client callable, and answers nothing by itself
but disco#info, pings and, unless told otherwise, Jingle IQs with an empty result."""

import asyncio
import threading
import time
import xml.etree.ElementTree as ElementTree

import slixmpp
from slixmpp.xmlstream.tostring import tostring

JINGLE = "urn:xmpp:jingle:1"
MESSAGE = "urn:xmpp:jingle-message:0"
RTP = "urn:xmpp:jingle:apps:rtp:1"
ICE = "urn:xmpp:jingle:transports:ice-udp:1"
DTLS = "urn:xmpp:jingle:apps:dtls:0"
STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"
CLIENT = "{jabber:client}"
CALLABLE = (JINGLE, RTP, RTP.replace(":rtp:1", ":rtp:audio"), DTLS, ICE, MESSAGE,
            "urn:xmpp:receipts")


class Client(slixmpp.ClientXMPP):
    def __init__(self, peer, jid, password):
        super().__init__(jid, password)
        self.peer = peer
        self.add_filter("in", self.filter_in)

    def filter_in(self, stanza):
        return self.peer.received(stanza)


class Peer:
    def __init__(self, server, name, *, resource="peer", password="secret", callable_=True,
                 features=CALLABLE, presence=True, acknowledge=True):
        self.stanzas = []
        self.at = 0
        self.lock = threading.Condition()
        self.acknowledge = acknowledge
        self.presence = presence
        self.online = threading.Event()
        self.failure = None
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, daemon=True, args=(
            server, f"{server.jid(name)}/{resource}", password, features if callable_ else ()))
        self.thread.start()
        assert self.online.wait(30), f"{name} did not get online"
        assert not self.failure, self.failure
        self.jid = self.client.boundjid.full

    def _run(self, server, jid, password, features):
        asyncio.set_event_loop(self.loop)
        self._connect(server, jid, password, features)
        self.loop.run_forever()
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self.loop.close()

    def _connect(self, server, jid, password, features):
        self.client = Client(self, jid, password)
        self.client.loop = self.loop
        self.client.ca_certs = server.ca_file
        for plugin in ("xep_0030", "xep_0115", "xep_0199"):
            self.client.register_plugin(plugin)
        for feature in features:
            self.client["xep_0030"].add_feature(feature)
        self.client.add_event_handler("session_start", self._start)
        self.client.add_event_handler("failed_all_auth", lambda _: self._fail("not let in"))
        self.client.connect((server.host, server.port), disable_starttls=False)

    def _fail(self, why):
        self.failure = why
        self.online.set()

    async def _start(self, _):
        await self.client["xep_0115"].update_caps()
        await self.client.get_roster()
        if self.presence:
            self.client.send_presence()
        self.online.set()

    def received(self, stanza):
        """Runs for every stanza that comes; what it returns goes on to slixmpp."""
        xml = stanza.xml
        ours = any(child.tag.startswith(f"{{{JINGLE}}}") for child in xml)
        with self.lock:
            self.stanzas.append(xml)
            self.lock.notify_all()
        if not ours:
            return stanza
        if self.acknowledge and xml.get("type") == "set":
            self.client.send_raw(f"<iq type='result' id='{xml.get('id')}' to='{xml.get('from')}'/>")
        return None

    def send(self, xml):
        """Sends raw XML."""
        self.loop.call_soon_threadsafe(self.client.send_raw, xml)

    def await_stanza(self, matches, timeout=30):
        """The next stanza that `matches`; what comes before it is passed over."""
        deadline = time.monotonic() + timeout
        with self.lock:
            while True:
                while self.at < len(self.stanzas):
                    self.at += 1
                    if matches(self.stanzas[self.at - 1]):
                        return self.stanzas[self.at - 1]
                left = deadline - time.monotonic()
                assert left > 0, "it never came; what did:\n" + "\n".join(
                    tostring(stanza) for stanza in self.stanzas)
                self.lock.wait(left)

    def await_message(self, name, timeout=30):
        """The next message with that element of XEP-0353, such as "propose"."""
        return self.await_stanza(
            lambda xml: xml.find(f"{{{MESSAGE}}}{name}") is not None, timeout)

    def await_jingle(self, action, timeout=30):
        """The next Jingle IQ of that action."""
        def matches(xml):
            jingle = xml.find(f"{{{JINGLE}}}jingle")
            return jingle is not None and jingle.get("action") == action
        return self.await_stanza(matches, timeout)

    def ask(self, xml, timeout=30):
        """Sends an IQ and waits for its answer: ("result", None) or ("error", condition)."""
        wanted = ElementTree.fromstring(xml).get("id")
        with self.lock:
            self.at = len(self.stanzas)
        self.send(xml)
        answer = self.await_stanza(
            lambda got: got.tag == CLIENT + "iq" and got.get("id") == wanted
            and got.get("type") in ("result", "error"), timeout)
        error = answer.find(CLIENT + "error")
        if error is None:
            return answer.get("type"), None
        return "error", [child.tag.replace(STANZAS, "") for child in error][0]

    def count(self, matches):
        with self.lock:
            return sum(1 for stanza in self.stanzas if matches(stanza))

    def stop(self, politely=True):
        """Goes offline."""
        if not self.thread.is_alive():
            return

        def end():
            if politely:
                self.client.disconnect(wait=1.0)
            else:
                self.client.abort()
            self.loop.call_later(0.3, self.loop.stop)

        self.loop.call_soon_threadsafe(end)
        self.thread.join(10)
