"""Scripted clients that send and receive files over real sockets, each with the habits of one that
people use: Dino, Conversations 2.10 and 2.19, Gajim, Psi.

    offer() ─▶ session-initiate ─▶ session-accept ─┐
    answer() ◀─ session-initiate, session-accept ──┴▶ negotiate(): SOCKS5 or in-band ─▶ the bytes

FileClient does what XEP-0234, 0260 and 0261 say; its subclasses override what those clients do
otherwise. Everything runs in the test's thread, but for the stream itself and the listeners.
"""

import base64
import hashlib
import itertools
import queue
import socket
import threading
import time
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape, quoteattr

from peer import JINGLE, Peer
from slixmpp.xmlstream.tostring import tostring

FILE = "urn:xmpp:jingle:apps:file-transfer:5"
S5B = "urn:xmpp:jingle:transports:s5b:1"
JINGLE_IBB = "urn:xmpp:jingle:transports:ibb:1"
IBB = "http://jabber.org/protocol/ibb"
BYTESTREAMS = "http://jabber.org/protocol/bytestreams"
HASHES = "urn:xmpp:hashes:2"
FUNCTION = "urn:xmpp:hash-function-text-names:"
FILE_FEATURES = (JINGLE, FILE, S5B, JINGLE_IBB)
PATIENCE = 40  # seconds, for what should take one


def address(sid, one, other):
    """DST.ADDR of XEP-0065."""
    return hashlib.sha1((sid + one + other).encode()).hexdigest()


def tag(namespace, name):
    return f"{{{namespace}}}{name}"


class Listener:
    """A SOCKS5 server for one candidate; lets in who asks for one of `addresses`."""

    def __init__(self, addresses):
        self.addresses = addresses
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.guests = queue.Queue()
        self.asked = []  # each address that anyone asked for
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                guest, _ = self.socket.accept()
            except OSError:
                return
            try:
                self._greet(guest)
            except (OSError, AssertionError):
                guest.close()

    def _greet(self, guest):
        guest.settimeout(10)
        version, methods = take(guest, 2)
        assert version == 5 and 0 in take(guest, methods)
        guest.sendall(b"\5\0")
        head = take(guest, 5)
        assert head[:4] == b"\5\1\0\3", head
        wanted = take(guest, head[4])
        assert take(guest, 2) == b"\0\0"
        self.asked.append(wanted.decode())
        if wanted.decode() not in self.addresses:
            guest.sendall(b"\5\4\0\3" + head[4:] + wanted + b"\0\0")
            raise AssertionError("a guest for another")
        guest.sendall(b"\5\0\0\3" + head[4:] + wanted + b"\0\0")
        guest.settimeout(PATIENCE)
        self.guests.put(guest)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)  # while _serve() waits, closing alone does nothing
        self.socket.close()


def take(connection, count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise ConnectionError(f"closed after {len(data)} of {count} bytes")
        data += more
    return data


def dial(host, port, wanted):
    """Connects as XEP-0065 has it, and compares every byte of the answer as Dino does."""
    connection = socket.create_connection((host, port), timeout=3)
    try:
        connection.sendall(b"\5\1\0")
        if take(connection, 2) != b"\5\0":
            raise ConnectionError("wants to know who we are")
        request = b"\0\3" + bytes([len(wanted)]) + wanted.encode() + b"\0\0"
        connection.sendall(b"\5\1" + request)
        reply = take(connection, 2 + len(request))
        if reply != b"\5\0" + request:
            raise ConnectionError(f"refused: {reply!r}")
    except OSError:
        connection.close()
        raise
    connection.settimeout(PATIENCE)
    return connection


class Ended(Exception):
    """They ended the session: the reason's name, and all of it."""

    def __init__(self, reason, xml):
        super().__init__(f"{reason}: {xml}")
        self.reason = reason


class Stream(Peer):
    """A client that keeps Jingle and in-band IQs apart and hands each to the test."""

    def __init__(self, *words, **keywords):
        self.jingles = queue.Queue()
        self.blocks = queue.Queue()
        self.answers = {}
        self.deaf_to = set()  # actions that are not acknowledged
        self.refuse = {}  # action → XML of the error's condition
        self.number = 0
        super().__init__(*words, **keywords)

    def received(self, stanza):
        xml = stanza.xml
        if xml.tag != "{jabber:client}iq":
            return super().received(stanza)
        with self.lock:
            self.stanzas.append(xml)
            if xml.get("id") in self.answers and xml.get("type") in ("result", "error"):
                self.answers[xml.get("id")] = xml
                self.lock.notify_all()
                return None
            self.lock.notify_all()
        jingle = xml.find(tag(JINGLE, "jingle"))
        if xml.get("type") == "set" and jingle is not None:
            self._acknowledge(xml, jingle.get("action"))
            self.jingles.put(jingle)
            return None
        if xml.get("type") == "set" and any(child.tag.startswith(f"{{{IBB}}}") for child in xml):
            if xml.find(tag(IBB, "close")) is not None:
                self.result(xml)
            self.blocks.put(xml)
            return None
        return stanza

    def _acknowledge(self, xml, action):
        if action in self.refuse:
            self.client.send_raw(
                f"<iq type='error' id={quoteattr(xml.get('id'))} to={quoteattr(xml.get('from'))}>"
                f"<error type='cancel'>{self.refuse[action]}</error></iq>")
        elif action not in self.deaf_to:
            self.result(xml)

    def result(self, xml):
        self.send(f"<iq type='result' id={quoteattr(xml.get('id'))} "
                  f"to={quoteattr(xml.get('from'))}/>")

    def post(self, to, payload, kind="set"):
        """Sends an IQ; wait() waits for its answer."""
        self.number += 1
        number = f"p-{self.number}"
        with self.lock:
            self.answers[number] = None
        self.send(f"<iq type='{kind}' id='{number}' to={quoteattr(to)}>{payload}</iq>")
        return number

    def wait(self, number, timeout=PATIENCE):
        """The answer to what was posted; an error is an AssertionError."""
        deadline = time.monotonic() + timeout
        with self.lock:
            while self.answers[number] is None:
                left = deadline - time.monotonic()
                assert left > 0, f"no answer to {number}"
                self.lock.wait(left)
            answer = self.answers.pop(number)
        assert answer.get("type") == "result", tostring(answer)
        return answer

    def request(self, to, payload, kind="set"):
        return self.wait(self.post(to, payload, kind))


class FileClient:
    """One transfer of one file with `other` (full JID). `listens`: our candidates can be reached;
    `dials`: we try theirs; `proxy`: the JID of our server's."""

    features = FILE_FEATURES
    content = "a-file-offer"
    block_size = 4096
    flying = 1  # in-band blocks that may be under way
    sends_close = True
    says_dstaddr = True
    mode = " mode='tcp'"
    direct_base = 126 << 16
    offers_candidates_at_once = True
    sends_received = True
    compares_hash = True

    def __init__(self, stream, other, *, listens=True, dials=True, proxy=None, s5b=True):
        self.stream, self.other = stream, other
        self.jid = stream.jid
        self.listens, self.dials, self.proxy, self.s5b = listens, dials, proxy, s5b
        self.listener = None
        self.sending = False
        self.socket = None
        self.proxy_socket = None
        self.sid = f"sid-{id(self)}-{time.monotonic_ns()}"
        self.bytestream = f"vj-{time.monotonic_ns()}"
        self.way = None
        self.told = []  # session-infos of the other side: (name, element)
        self.candidates = []  # of the other side
        self.replaced = False
        self.their_choice = None  # ("used", cid) or ("error", None)
        self.activated = None

    # -- stanzas --

    def jingle(self, action, inner="", more=""):
        xml = (f"<jingle xmlns='{JINGLE}' action='{action}' sid={quoteattr(self.sid)}{more}>{inner}"
               "</jingle>")
        return self.stream.post(self.other, self.layout(xml))

    def layout(self, xml):
        return xml

    def in_content(self, inner, senders=""):
        return (f"<content creator='initiator' name={quoteattr(self.content)}{senders}>{inner}"
                "</content>")

    def next_jingle(self, *wanted, timeout=PATIENCE):
        """The next of these actions; what is only informational is noted on the way."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                jingle = self.stream.jingles.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{type(self).__name__}: none of {wanted} came") from None
            action = jingle.get("action")
            if action == "session-terminate" and action not in wanted:
                raise Ended(reason_of(jingle), tostring(jingle))
            if action == "session-info":
                self.told += [(child.tag.rpartition("}")[2], child) for child in jingle]
            if action == "transport-info":
                self.note_transport(jingle)
            if action in wanted:
                return jingle

    def note_transport(self, jingle):
        transport = jingle.find(f"{tag(JINGLE, 'content')}/{tag(S5B, 'transport')}")
        if transport is None:
            return
        self.candidates += transport.findall(tag(S5B, "candidate"))
        for child in transport:
            name = child.tag.rpartition("}")[2]
            if name in ("candidate-used", "candidate-error"):
                assert self.their_choice is None, "a second choice"
                self.their_choice = (name.removeprefix("candidate-"), child.get("cid"))
            elif name in ("activated", "proxy-error"):
                self.activated = name == "activated"

    # -- what is told of the file --

    def hash_element(self, algorithm="sha-256"):
        value = hashlib.new(algorithm.replace("-", ""), self.data).digest()
        return (f"<hash xmlns='{HASHES}' algo='{algorithm}'>{base64.b64encode(value).decode()}"
                "</hash>")

    def file_element(self):
        return (f"<file><name>{escape(self.name)}</name><size>{len(self.data)}</size>"
                f"<media-type>application/octet-stream</media-type><range/>"
                f"<hash-used xmlns='{HASHES}' algo='sha-256'/></file>")

    def checksum(self):
        """After the last byte."""
        self.jingle("session-info", f"<checksum xmlns='{FILE}' creator='initiator' "
                    f"name={quoteattr(self.content)}><file>{self.hash_element()}</file></checksum>")

    # -- sending --

    def offer(self, name, data):
        self.sending = self.initiator = True
        self.name, self.data = name, data
        description = f"<description xmlns='{FILE}'>{self.file_element()}</description>"
        self.stream.wait(self.jingle(
            "session-initiate",
            self.in_content(description + self.transport(), " senders='initiator'")
            + self.more_in_initiate(),
            f" initiator={quoteattr(self.jid)}"))
        self.after_initiate()

    def more_in_initiate(self):
        return ""

    def after_initiate(self):
        """More candidates, before the answer."""

    def send(self, name, data):
        """The whole of it: returns when the receiver said that it has the file."""
        self.offer(name, data)
        self.read_transport(self.next_jingle("session-accept"))
        self.negotiate()
        self.move_out(data)
        self.after_last_byte()
        return self.await_end()

    def after_last_byte(self):
        self.checksum()

    def await_end(self):
        end = self.next_jingle("session-terminate")
        self.close()
        if reason_of(end) != "success":
            raise Ended(reason_of(end), tostring(end))
        return end

    def move_out(self, data):
        if self.socket:
            self.socket.sendall(data)
            self.socket.shutdown(socket.SHUT_WR)
        else:
            self.send_blocks(data)

    # -- receiving --

    def await_offer(self):
        self.initiator = False
        jingle = self.next_jingle("session-initiate")
        self.sid = jingle.get("sid")
        contents = jingle.findall(tag(JINGLE, "content"))
        assert len(contents) == 1, "more than one content"
        self.content = contents[0].get("name")
        assert contents[0].get("creator") == "initiator"
        assert contents[0].get("senders") == "initiator"
        self.description = contents[0].find(tag(FILE, "description"))
        files = self.description.findall(tag(FILE, "file"))
        assert len(files) == 1
        self.file = files[0]
        self.name = self.file.findtext(tag(FILE, "name"))
        self.size = int(self.file.findtext(tag(FILE, "size")))
        self.read_transport(jingle)
        self.check_offer(contents[0])

    def check_offer(self, content):
        """What this client needs, or it refuses."""
        assert self.file.find(tag(HASHES, "hash")) is not None \
            or self.file.find(tag(HASHES, "hash-used")) is not None

    def accept(self):
        description = (f"<description xmlns='{FILE}'><file><name>{escape(self.name)}</name>"
                       f"<size>{self.size}</size></file></description>")
        self.jingle("session-accept",
                    self.in_content(description + self.transport(), self.accept_senders()),
                    f" responder={quoteattr(self.jid)}")

    def accept_senders(self):
        return " senders='initiator'"

    def receive(self):
        """The whole of it: returns the bytes when all came and were confirmed."""
        self.await_offer()
        self.accept()
        self.negotiate()
        data = self.move_in(self.size)
        self.data = data
        self.after_whole_file()
        self.close()
        return data

    def after_whole_file(self):
        if self.compares_hash:
            self.compare()
        if self.sends_received:
            self.received()
        self.terminate()

    def compare(self):
        hashes = self.file.findall(tag(HASHES, "hash"))
        while not hashes:
            for name, element in self.told:
                if name == "checksum":
                    hashes = list(element.iter(tag(HASHES, "hash")))
            if not hashes:
                self.next_jingle("session-info")
        for told in hashes:
            got = hashlib.new(told.get("algo").replace("-", ""), self.data).digest()
            assert base64.b64decode(told.text) == got, "another hash"

    def received(self):
        self.jingle("session-info", f"<received xmlns='{FILE}' creator='initiator' "
                    f"name={quoteattr(self.content)}/>")

    def terminate(self, reason="success"):
        self.jingle("session-terminate", f"<reason><{reason}/></reason>")

    def move_in(self, size):
        if self.socket:
            data = bytearray()
            while len(data) < size and (more := self.socket.recv(65536)):
                data += more
            assert len(data) == size, f"{len(data)} of {size} bytes"
            return bytes(data)
        return self.take_blocks(size)

    # -- SOCKS5 --

    def transport(self):
        if not self.s5b:
            return self.in_band_transport()
        dstaddr = (f" dstaddr='{address(self.bytestream, self.jid, self.other)}'"
                   if self.says_dstaddr else "")
        mode = self.mode if self.initiator else ""
        return (f"<transport xmlns='{S5B}' sid={quoteattr(self.bytestream)}{mode}{dstaddr}"
                f"{self.more_in_transport()}>{self.own_candidates()}</transport>")

    def more_in_transport(self):
        return ""

    def listener_addresses(self):
        """Those that this client's listener lets in."""
        first, second = (self.jid, self.other) if self.initiator else (self.other, self.jid)
        return {address(self.bytestream, first, second), address(self.bytestream, second, first)}

    def dial_addresses(self):
        """Those that this client asks for at the other side's direct candidates, one by one."""
        return [address(self.bytestream, self.other, self.jid)]

    def own_candidates(self):
        self.listener = Listener(self.listener_addresses())
        port = self.listener.port
        if not self.listens:  # as behind a router
            self.listener.close()
            self.listener = None
        text = self.direct_candidate(port)
        if self.proxy and self.offers_candidates_at_once:
            text += self.proxy_candidate()
        return text

    def direct_candidate(self, port):
        return (f"<candidate cid='ours' host='127.0.0.1' port='{port}' jid={quoteattr(self.jid)} "
                f"priority='{self.direct_base + 1}' type='direct'/>")

    def proxy_candidate(self):
        answer = self.stream.request(self.proxy, f"<query xmlns='{BYTESTREAMS}'/>", "get")
        self.host = answer.find(f".//{tag(BYTESTREAMS, 'streamhost')}")
        return (f"<candidate cid='proxy' host='{self.host.get('host')}' "
                f"port='{self.host.get('port')}' jid='{self.host.get('jid')}' "
                f"priority='{10 << 16}' type='proxy'/>")

    def read_transport(self, jingle):
        content = jingle.find(tag(JINGLE, "content"))
        assert content.get("name") == self.content
        transport = content.find(tag(S5B, "transport"))
        if transport is None:
            transport = content.find(tag(JINGLE_IBB, "transport"))
            assert transport is not None
            self.s5b = False
            self.block_size = min(self.block_size, int(transport.get("block-size")))
            self.bytestream = transport.get("sid")
            return
        if self.initiator:
            assert transport.get("sid") == self.bytestream
        self.bytestream = transport.get("sid")
        self.candidates += transport.findall(tag(S5B, "candidate"))
        for candidate in self.candidates:
            self.check_candidate(candidate)

    def check_candidate(self, candidate):
        for name in ("cid", "host", "jid", "port", "priority"):
            assert candidate.get(name), tostring(candidate)

    def negotiate(self):
        """Ends with a socket, or with an in-band stream."""
        if not self.s5b:
            self.open_in_band()
            return
        chosen = self.dial_theirs() if self.dials else None
        mine = (f"<candidate-used cid='{chosen.get('cid')}'/>" if chosen is not None
                else "<candidate-error/>")
        self.transport_info(mine)
        while self.their_choice is None:
            self.next_jingle("transport-info")
        self.decide(chosen)

    def transport_info(self, inner):
        self.jingle("transport-info", self.in_content(
            f"<transport xmlns='{S5B}' sid={quoteattr(self.bytestream)}>{inner}</transport>",
            self.info_senders()))

    def info_senders(self):
        return ""

    def dial_theirs(self):
        for candidate in sorted(self.candidates, key=lambda one: -int(one.get("priority"))):
            if candidate.get("host").startswith(("127.", "10.", "203.")):
                for wanted in self.addresses_for(candidate):
                    try:
                        self.socket = dial(candidate.get("host"), int(candidate.get("port")),
                                           wanted)
                        return candidate
                    except OSError:
                        pass
        return None

    def addresses_for(self, candidate):
        if candidate.get("type") == "proxy":  # its owner comes first
            return [address(self.bytestream, self.other, self.jid)]
        return self.dial_addresses()

    def decide(self, chosen):
        theirs = self.their_choice[1] if self.their_choice[0] == "used" else None
        if chosen is None and theirs is None:
            self.fall_back()
            return
        ours_priority = int(chosen.get("priority")) if chosen is not None else -1
        their_priority = {"ours": self.direct_base + 1, "proxy": 10 << 16}[theirs] if theirs else -1
        if theirs and (their_priority > ours_priority
                       or (their_priority == ours_priority and not self.initiator)):
            self.use_own(theirs)
        else:
            self.use_dialed(chosen)

    def use_own(self, cid):
        if self.socket:
            self.socket.close()
        if cid == "ours":
            self.socket = self.listener.guests.get(timeout=PATIENCE)
            self.way = "direct"
            return
        self.way = "proxy"
        self.socket = dial(self.host.get("host"), int(self.host.get("port")),
                           address(self.bytestream, self.jid, self.other))
        self.stream.request(self.host.get("jid"), f"<query xmlns='{BYTESTREAMS}' "
                            f"sid={quoteattr(self.bytestream)}><activate>{escape(self.other)}"
                            "</activate></query>")
        self.transport_info("<activated cid='proxy'/>")

    def use_dialed(self, chosen):
        self.way = chosen.get("type")
        if chosen.get("type") == "proxy":
            while self.activated is None:
                self.next_jingle("transport-info")
            assert self.activated, "their proxy could not be activated"

    # -- in-band --

    def in_band_transport(self):
        return (f"<transport xmlns='{JINGLE_IBB}' block-size='{self.block_size}' "
                f"sid={quoteattr(self.bytestream)}/>")

    def fall_back(self):
        """No candidate worked for either side."""
        self.s5b = False
        if self.initiator:
            self.bytestream = f"ibb-{time.monotonic_ns()}"
            self.jingle("transport-replace", self.in_content(self.in_band_transport()))
            self.read_transport(self.next_jingle("transport-accept"))
        else:
            self.read_transport(self.next_jingle("transport-replace"))
            self.jingle("transport-accept", self.in_content(self.in_band_transport()))
        self.replaced = True
        self.open_in_band()

    def open_in_band(self):
        self.way = "in-band"
        if self.initiator:
            self.stream.request(self.other, f"<open xmlns='{IBB}' block-size='{self.block_size}' "
                                f"sid={quoteattr(self.bytestream)} stanza='iq'/>")
            return
        while (opening := (xml := self.next_block()).find(tag(IBB, "open"))) is None:
            assert xml.find(tag(IBB, "close")) is not None  # of the stream before
        assert opening.get("sid") == self.bytestream
        assert int(opening.get("block-size")) <= self.block_size
        assert opening.get("stanza") in (None, "iq")
        self.stream.result(xml)

    def send_blocks(self, data):
        flying = []
        for number, at in enumerate(range(0, len(data), self.block_size)):
            if len(flying) == self.flying:
                self.stream.wait(flying.pop(0))
            block = base64.b64encode(data[at:at + self.block_size]).decode()
            flying.append(self.stream.post(
                self.other, f"<data xmlns='{IBB}' seq='{number % 65536}' "
                f"sid={quoteattr(self.bytestream)}{self.more_in_data()}>{block}</data>"))
        for number in flying:
            self.stream.wait(number)
        if self.sends_close:
            self.stream.post(self.other, f"<close xmlns='{IBB}' "
                             f"sid={quoteattr(self.bytestream)}/>")

    def more_in_data(self):
        return ""

    def take_blocks(self, size):
        """Until the size is reached; a close before that is a fault."""
        data = b""
        for number in itertools.count():
            if len(data) == size:
                break
            xml = self.next_block()
            block = xml.find(tag(IBB, "data"))
            assert block is not None, "closed too early"
            data += self.take_block(block, number % 65536)
            self.stream.result(xml)
        assert len(data) == size
        return data

    def take_block(self, block, seq):
        assert block.get("sid") == self.bytestream
        assert int(block.get("seq")) == seq
        content = base64.b64decode(block.text, validate=True)
        assert len(content) <= self.block_size
        # One at a time: until this one is acknowledged none may follow.
        assert self.stream.blocks.empty(), "more than one block under way"
        return content

    def next_block(self):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.stream.blocks.get(timeout=0.05)
            except queue.Empty:
                assert time.monotonic() < deadline, "no block came"
            while not self.stream.jingles.empty():
                self.next_jingle("session-info", "transport-info")

    def take_close(self):
        assert self.next_block().find(tag(IBB, "close")) is not None

    def close(self):
        for one in (self.listener, self.socket):
            if one:
                one.close()


def reason_of(jingle):
    reason = jingle.find(tag(JINGLE, "reason"))
    names = [child.tag.rpartition("}")[2] for child in reason] if reason is not None else []
    return next((name for name in names if name != "text"), None)


class Dino(FileClient):
    """Names and sizes only. Its listener is strict: the owner of a candidate comes first, but what
    an initiator offers is asked for with the initiator first, which is the same. It ends when it has
    all bytes; checksums and `received` mean nothing to it."""

    sends_received = False
    compares_hash = False
    direct_base = 8257536

    def file_element(self):
        return f"<file><name>{escape(self.name)}</name><size>{len(self.data)}</size></file>"

    def check_offer(self, content):
        assert len(content.findall(tag(FILE, "description"))) == 1

    def listener_addresses(self):
        return {address(self.bytestream, self.jid, self.other)}

    def after_last_byte(self):
        if self.socket:
            self.socket.close()


class Conversations10(FileClient):
    """Conversations 2.10 (2023): a random content name, another one in its checksum, sha-1. It
    replaces the transport only as the initiator, and ends an in-band stream at `close`. It never
    acknowledges a session-terminate."""

    content = "ZXhhbXBsZQ"
    features = (*FILE_FEATURES, FILE.replace(":5", ":4"), FILE.replace(":5", ":3"))
    block_size = 8192
    says_dstaddr = False
    mode = ""
    sends_received = False
    compares_hash = False
    direct_base = 8257536

    def __init__(self, stream, *words, **keywords):
        super().__init__(stream, *words, **keywords)
        stream.deaf_to.add("session-terminate")

    def file_element(self):
        return f"<file><size>{len(self.data)}</size><name>{escape(self.name)}</name></file>"

    def check_offer(self, content):
        assert self.name

    def listener_addresses(self):
        return {address(self.bytestream, self.jid, self.other)}

    def checksum(self):
        self.jingle("session-info", f"<checksum xmlns='{FILE}' creator='initiator' "
                    f"name='a-file-offer'><file>{self.hash_element('sha-1')}</file></checksum>")

    def more_in_data(self):
        return f" block-size='{self.block_size}'"

    def take_blocks(self, size):
        data = super().take_blocks(size)
        self.take_close()
        return data

    def take_block(self, block, seq):
        return base64.b64decode(block.text)  # it looks neither at seq nor at size


class Conversations19(FileClient):
    """Conversations 2.19 (2025): a misspelt media-type, infos without creator, three in-band blocks
    under way and no `close`. It takes no candidate without all its attributes, and as a sender waits
    for the receiver's success."""

    content = "cmFuZG9t"
    block_size = 8192
    flying = 3
    sends_close = False
    says_dstaddr = False
    mode = ""
    compares_hash = False
    direct_base = 8257536

    def file_element(self):
        return (f"<file><size>{len(self.data)}</size><name>{escape(self.name)}</name>"
                "<mediaType>application/octet-stream</mediaType></file>")

    def check_offer(self, content):
        assert self.name

    def check_candidate(self, candidate):
        super().check_candidate(candidate)
        assert candidate.get("type") in ("direct", "proxy"), tostring(candidate)
        int(candidate.get("port")), int(candidate.get("priority"))

    def listener_addresses(self):
        return {address(self.bytestream, self.jid, self.other)}

    def checksum(self):
        self.jingle("session-info", f"<checksum xmlns='{FILE}' name={quoteattr(self.content)}>"
                    f"<file>{self.hash_element('sha-1')}{self.hash_element()}</file></checksum>")

    def received(self):
        self.jingle("session-info",
                    f"<received xmlns='{FILE}' name={quoteattr(self.content)}/>")

    def take_block(self, block, seq):
        return base64.b64decode(block.text)


class Gajim(FileClient):
    """Gajim 1.7: a date that is none, an empty description, the hash in the offer, `both` as senders
    of what follows, and to every candidate it connects with the initiator first."""

    content = "fileX4a"
    features = (*FILE_FEATURES, HASHES, FUNCTION + "sha-256", FUNCTION + "sha-512")
    says_dstaddr = False
    mode = ""
    direct_base = 8257535  # its own is 8257536 exactly

    def file_element(self):
        return (f"<file><name>{escape(self.name)}</name><date>2026-11-22T10:11:12+00:00Z</date>"
                f"<size>{len(self.data)}</size><desc/>{self.hash_element()}</file>")

    def dial_addresses(self):
        return [address(self.bytestream, *((self.jid, self.other) if self.initiator
                                           else (self.other, self.jid)))]

    def accept_senders(self):
        return " senders='both'"

    def info_senders(self):
        return " senders='both'"

    def after_last_byte(self):
        pass  # the hash was in the offer


class Psi(FileClient):
    """Psi (iris): white space everywhere, candidates without jid and type, its proxy and dstaddr in
    a transport-info before the answer. Its listener wants the initiator first in both roles."""

    features = (*FILE_FEATURES, HASHES, *(FUNCTION + name for name in (
        "sha-1", "sha-256", "sha-512", "sha3-256", "blake2b-512")))
    says_dstaddr = False
    mode = ""
    offers_candidates_at_once = False

    def layout(self, xml):
        pretty = ElementTree.fromstring(xml)
        ElementTree.indent(pretty, " ")
        return ElementTree.tostring(pretty, encoding="unicode")

    def file_element(self):
        thumbnail = ("<thumbnail xmlns='urn:xmpp:thumbs:1' "
                     "uri='cid:sha1+8f35fef110ffc5df08d579a50083ff9308fb6242@bob.xmpp.org' "
                     "media-type='image/png' width='8' height='8'/>")
        return (f"<file><date>2026-11-22T10:11:12Z</date><name>{escape(self.name)}</name>"
                f"<size>{len(self.data)}</size><range/>{thumbnail}{self.hash_in_offer()}</file>")

    def hash_in_offer(self):
        return f"<hash-used xmlns='{HASHES}' algo='sha-256'/>"

    def more_in_transport(self):
        return " block-size='8192'"

    def direct_candidate(self, port):
        return (f"<candidate cid='ours' host='127.0.0.1' port='{port}' "
                f"priority='{self.direct_base + 1}'/>")

    def after_initiate(self):
        if self.proxy:
            self.jingle("transport-info", self.in_content(
                f"<transport xmlns='{S5B}' sid={quoteattr(self.bytestream)} "
                f"dstaddr='{address(self.bytestream, self.jid, self.other)}'>"
                f"{self.proxy_candidate()}</transport>"))

    def initiator_first(self):
        first, second = (self.jid, self.other) if self.initiator else (self.other, self.jid)
        return address(self.bytestream, first, second)

    def listener_addresses(self):
        return {self.initiator_first()}

    def dial_addresses(self):
        return [self.initiator_first()]

    def await_end(self):
        while not any(name == "received" for name, _ in self.told):
            self.next_jingle("session-info")
        element = next(element for name, element in self.told if name == "received")
        assert element.get("name") == self.content and element.get("creator") == "initiator"
        return super().await_end()


class PsiSmall(Psi):
    """Below 10 MB its offer has the hash."""

    def hash_in_offer(self):
        return self.hash_element("blake2b")

    def hash_element(self, algorithm="sha-256"):
        if algorithm != "blake2b":
            return super().hash_element(algorithm)
        value = hashlib.blake2b(self.data).digest()
        return (f"<hash xmlns='{HASHES}' algo='blake2b-512'>{base64.b64encode(value).decode()}"
                "</hash>")

    def after_last_byte(self):
        pass
