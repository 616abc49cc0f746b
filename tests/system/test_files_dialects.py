"""Files to and from other clients, as interop has shown them: file_peer.py plays each over real
sockets. A file ends whole, or is refused for the reason that is named."""

import files
import pytest
from file_peer import (FILE, FILE_FEATURES, FUNCTION, HASHES, IBB, S5B, Conversations10,
                       Conversations19, Dino, Ended, FileClient, Gajim, Psi, PsiSmall, address, tag)

pytestmark = pytest.mark.signalling

CLIENTS = [FileClient, Dino, Conversations10, Conversations19, Gajim, Psi]
SIZE = 300_001
SLOW_SIZE = 60_001  # in-band
PROXY = "proxy.localhost"
DATA = bytes(range(256)) * 1200

# What of a connection works: the bytes go another way each time.
WAYS = {
    "any": {},
    "they do not dial": {"dials": False},
    "they do not listen": {"listens": False},
    "their proxy": {"listens": False, "dials": False, "proxy": PROXY},
    "in-band": {"s5b": False},
    "in-band after all": {"listens": False, "dials": False},
}


@pytest.fixture
def receiver(file_server, receiving, tmp_path):
    """bob's jcall takes files into tmp_path/bob; returns it and its full JID."""
    bob = receiving(file_server, "bob", tmp_path / "bob")
    return bob, bob.seen("online")[0]["jid"]


@pytest.fixture
def client(file_server, start_stream, receiver):
    """client(kind, ...): alice's client of that kind, about to send to bob's jcall."""
    streams = {}

    def make(kind, **can):
        if kind not in streams:
            streams[kind] = start_stream(file_server, "alice", features=kind.features)
        return kind(streams[kind], receiver[1], **can)

    return make


@pytest.fixture
def taker(file_server, start_stream, sending, tmp_path):
    """taker(kind, size, ...): bob's client of that kind, to which alice's jcall sends; returns
    (the client, jcall, the file)."""
    streams = {}

    def make(kind, size, words=(), s5b=True, **can):
        if (kind, s5b) not in streams:
            streams[kind, s5b] = start_stream(
                file_server, "bob", resource="files" if s5b else "in-band",
                features=[name for name in kind.features if s5b or name != S5B])
        stream = streams[kind, s5b]
        path = files.make(tmp_path / "a file.bin", size)
        alice = sending(file_server, "alice", stream.jid, path, words=words)
        return kind(stream, alice.await_event("online")["jid"], s5b=s5b, **can), alice, path

    return make


def ways(kind):
    """Names, what works, and how much is sent."""
    for way, can in WAYS.items():
        if kind is not Dino or way != "in-band after all":  # see test_dino_rejects...
            yield way, can, SLOW_SIZE if way.startswith("in-band") else SIZE


@pytest.mark.parametrize("kind", CLIENTS)
def test_files_from(kind, client, receiver, tmp_path):
    for way, can, size in ways(kind):
        one = client(kind, **can)
        one.send(f"{way}.bin", DATA[:size])
        ended = files.end(receiver[0], status="ok")
        assert ended["bytes"] == size and ended["way"] == one.way, way
        assert (tmp_path / "bob" / f"{way}.bin").read_bytes() == DATA[:size], way
    assert not files.partial(tmp_path / "bob")


@pytest.mark.parametrize("kind", [one for one in CLIENTS if one is not Gajim])
def test_files_to(kind, taker):
    for way, can, size in ways(kind):
        one, alice, path = taker(kind, size, **can)
        assert one.receive() == path.read_bytes(), way
        assert one.name == path.name
        ended = files.end(alice, status="ok")
        assert ended["way"] == one.way and ended["bytes"] == size, way
        assert alice.await_exit() == 0


@pytest.mark.parametrize("kind", [one for one in CLIENTS if one is not Gajim])
def test_files_to_through_our_proxy(kind, taker):
    one, alice, path = taker(kind, SIZE, words=["--via", "proxy"], listens=False)
    assert one.receive() == path.read_bytes()
    assert [candidate.get("type") for candidate in one.candidates] == ["proxy"]
    assert alice.await_exit() == 0


def refused(one, data=DATA, **keywords):
    """Their answer to an offer: the reason by which they ended it."""
    with pytest.raises(Ended) as ended:
        one.send("a file.bin", data, **keywords)
    return ended.value.reason


# -- Dino --


def test_dino_rejects_another_transport(taker):
    """Its transport-replace does not work in either direction: no way is left, and soon."""
    one, alice, _ = taker(Dino, SIZE, listens=False, dials=False)
    one.await_offer()
    one.accept()
    one.transport_info("<candidate-error/>")
    replace = one.next_jingle("transport-replace")
    content = replace.find("{urn:xmpp:jingle:1}content")
    one.jingle("transport-reject", one.in_content(
        f"<transport xmlns='urn:xmpp:jingle:transports:ibb:1' block-size='4096' "
        f"sid='{content[0].get('sid')}'/>"))
    with pytest.raises(Ended) as ended:
        one.next_jingle()
    assert ended.value.reason in ("connectivity-error", "failed-transport")
    assert files.end(alice)["status"] == "no-path"
    assert alice.await_exit() != 0


def test_dino_sees_no_second_choice(client, receiver, tmp_path):
    """It answers a second candidate-used or -error with bad-request; note_transport() minds it."""
    one = client(Dino, listens=False)
    one.send("a file.bin", DATA)
    assert one.their_choice[0] == "error"
    assert files.end(receiver[0], status="ok")


def test_dino_wants_its_own_address_first(taker):
    """Its strict listener is asked for the right address at once, as dstaddr tells."""
    one, alice, path = taker(Dino, SIZE, dials=False)
    assert one.receive() == path.read_bytes()
    assert one.listener.asked[0] == address(one.bytestream, one.jid, one.other)
    assert alice.await_exit() == 0


def test_psi_lets_in_by_the_initiators_name_alone(taker):
    """Without dstaddr the other order is tried when the first is refused."""
    one, alice, path = taker(Psi, SIZE, dials=False)
    assert one.receive() == path.read_bytes()
    assert one.listener.asked[-1] == address(one.bytestream, one.other, one.jid)
    assert alice.await_exit() == 0


# -- Conversations --


def test_conversations_2_19_needs_every_attribute_of_a_candidate(taker):
    """check_candidate() minds it."""
    one, alice, _ = taker(Conversations19, SIZE)
    one.receive()
    assert one.candidates
    assert alice.await_exit() == 0


class SilentProxy(Conversations19):
    """Its proxy could not be activated: it logs that and says nothing."""

    def use_own(self, cid):
        self.next_jingle(timeout=60)


def test_conversations_2_19_says_nothing_of_a_proxy_that_failed(client, receiver, tmp_path):
    one = client(SilentProxy, listens=False, dials=False, proxy=PROXY)
    assert refused(one) in ("connectivity-error", "failed-transport")
    assert files.end(receiver[0])["status"] == "no-path"
    assert not files.names(tmp_path / "bob")


class Encrypted(Conversations19):
    """With OMEMO it encrypts files as XEP-0391 has it."""

    def transport(self):
        return super().transport() + (
            f"<security xmlns='urn:xmpp:jingle:jet:0' name='{self.content}' "
            "cipher='urn:xmpp:ciphers:aes-128-gcm-nopadding' "
            "type='eu.siacs.conversations.axolotl'><encrypted "
            "xmlns='eu.siacs.conversations.axolotl'><header sid='1'/></encrypted></security>")


def test_conversations_2_19_encrypts_what_we_could_not_read(client, receiver, tmp_path):
    assert refused(client(Encrypted)) in ("security-error", "unsupported-applications",
                                          "incompatible-parameters", "failed-application")
    assert not receiver[0].seen("file-offered")
    assert not files.names(tmp_path / "bob")


def test_conversations_2_10_offers_an_old_version_of_file_transfer(client, receiver):
    one = client(Conversations10)
    one.sending = one.initiator = True
    one.name, one.data = "x", DATA
    one.stream.wait(one.jingle("session-initiate", one.in_content(
        f"<description xmlns='{FILE.replace(':5', ':3')}'><offer>{one.file_element()}</offer>"
        f"</description>{one.transport()}", " senders='initiator'"), f" initiator='{one.jid}'"))
    with pytest.raises(Ended) as ended:
        one.next_jingle()
    assert ended.value.reason == "unsupported-applications"
    assert not receiver[0].seen("file-offered")


# -- Gajim --


class GajimFallback(Gajim):
    """With both candidate-errors it replaces the transport by a stream of this name."""

    def fall_back(self):
        self.s5b = False
        self.bytestream = "None"
        self.jingle("transport-replace", self.in_content(self.in_band_transport(),
                                                         " senders='both'"))
        self.next_jingle("transport-accept")
        self.way = "in-band"
        self.begin()


class GajimSends(GajimFallback):
    def begin(self):
        self.open_in_band()


class GajimSilent(GajimFallback):
    """As version 1.7.3: nothing comes after transport-accept."""

    def begin(self):
        self.next_jingle()


def test_gajim_calls_its_in_band_stream_none(client, receiver, tmp_path):
    one = client(GajimSends, listens=False, dials=False)
    one.send("a file.bin", DATA[:SLOW_SIZE])
    assert files.end(receiver[0], status="ok")["way"] == "in-band"
    assert (tmp_path / "bob" / "a file.bin").read_bytes() == DATA[:SLOW_SIZE]


def test_gajim_sends_nothing_in_band(client, receiver, tmp_path):
    one = client(GajimSilent, listens=False, dials=False)
    assert refused(one) in ("connectivity-error", "failed-transport", "timeout")
    assert files.end(receiver[0])["status"] == "no-path"
    assert not files.names(tmp_path / "bob")


def test_gajim_takes_an_offer_and_never_answers(taker):
    """Its receiver stumbles after the acknowledgement: the sender can give up."""
    one, alice, _ = taker(Gajim, SIZE)
    one.await_offer()
    alice.process.send_signal(2)
    with pytest.raises(Ended) as ended:
        one.next_jingle()
    assert ended.value.reason == "cancel"
    assert alice.await_exit() == 130


class GajimLate(Gajim):
    """From 10 MB on its hash comes in a checksum without creator and name."""

    def file_element(self):
        return super().file_element().replace(self.hash_element(), "")

    def after_last_byte(self):
        self.jingle("session-info", f"<checksum xmlns='{FILE}'><file>{self.hash_element()}</file>"
                    "</checksum>")


def test_gajim_tells_no_creator_in_its_checksum(client, receiver, tmp_path):
    one = client(GajimLate)
    one.send("a file.bin", DATA)
    assert files.end(receiver[0], status="ok")
    assert (tmp_path / "bob" / "a file.bin").read_bytes() == DATA


# -- Psi --


def test_psi_tells_a_blake2b_hash_below_ten_megabytes(client, receiver, tmp_path):
    client(PsiSmall).send("a file.bin", DATA)
    assert files.end(receiver[0], status="ok")["hash"] == "equal"
    assert (tmp_path / "bob" / "a file.bin").read_bytes() == DATA


class PsiWrong(PsiSmall):
    def hash_element(self, algorithm="sha-256"):
        true, self.data = self.data, self.data[:-1] + b"x"
        try:
            return super().hash_element(algorithm)
        finally:
            self.data = true


def test_psi_tells_a_hash_that_is_wrong(client, receiver, tmp_path):
    assert refused(client(PsiWrong)) == "media-error"
    assert files.end(receiver[0])["status"] == "file-hash"
    assert not files.names(tmp_path / "bob") and not files.partial(tmp_path / "bob")


class UnknownHash(PsiSmall):
    def hash_element(self, algorithm="sha-256"):
        return f"<hash xmlns='{HASHES}' algo='whirlpool'>AAAA</hash>"


def test_psi_may_tell_a_hash_that_we_do_not_know(client, receiver, tmp_path):
    client(UnknownHash).send("a file.bin", DATA)
    assert files.end(receiver[0], status="ok")
    assert (tmp_path / "bob" / "a file.bin").read_bytes() == DATA


# -- hashes --


class OnlySha1(FileClient):
    features = (*FILE_FEATURES, HASHES, FUNCTION + "sha-1")

    def check_offer(self, content):
        told = [child.get("algo") for child in self.file
                if child.tag in (tag(HASHES, "hash"), tag(HASHES, "hash-used"))]
        assert told == ["sha-1"]


def test_a_client_that_knows_sha_1_alone_gets_that(taker):
    one, alice, path = taker(OnlySha1, SIZE)
    assert one.receive() == path.read_bytes()
    assert alice.await_exit() == 0


class OnlySha512(FileClient):
    features = (*FILE_FEATURES, HASHES, FUNCTION + "sha-512", FUNCTION + "sha-1")

    def check_offer(self, content):
        told = {child.get("algo") for child in self.file
                if child.tag in (tag(HASHES, "hash"), tag(HASHES, "hash-used"))}
        assert told and "sha-1" not in told


def test_no_client_that_knows_a_sha_2_gets_sha_1(taker):
    one, alice, _ = taker(OnlySha512, SIZE)
    one.await_offer()
    one.terminate("decline")
    assert files.end(alice)["status"] == "refused"


# -- Smack and others --


class NeedsDstaddr(FileClient):
    """Smack fails without dstaddr, and asks for it."""

    def await_offer(self):
        super().await_offer()
        assert self.dstaddr

    def read_transport(self, jingle):
        super().read_transport(jingle)
        self.dstaddr = next(jingle.iter(tag(S5B, "transport"))).get("dstaddr")

    def dial_addresses(self):
        return [self.dstaddr]


def test_smack_connects_by_the_dstaddr_that_it_is_told(taker):
    one, alice, path = taker(NeedsDstaddr, SIZE, listens=False)
    assert one.receive() == path.read_bytes()
    assert alice.await_exit() == 0


class OneBlockTooLarge(FileClient):
    def send_blocks(self, data):
        self.block_size += 1
        super().send_blocks(data)


class OneBlockLost(FileClient):
    def send_blocks(self, data):
        for number in (0, 2):
            self.stream.post(self.other, f"<data xmlns='{IBB}' seq='{number}' "
                             f"sid='{self.bytestream}'>AAAA</data>")
        self.next_jingle()


@pytest.mark.parametrize("kind", [OneBlockTooLarge, OneBlockLost])
def test_in_band_blocks_that_break_the_stream(kind, client, receiver, tmp_path):
    one = client(kind, s5b=False)
    with pytest.raises((Ended, AssertionError)):
        one.send("a file.bin", DATA)
    assert files.end(receiver[0])["status"] != "ok"
    assert not files.names(tmp_path / "bob")
