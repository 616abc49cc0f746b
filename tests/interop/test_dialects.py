"""Clients that have no program to run here, by replay: a scripted peer sends what each of them
sends, checks what each of them checks, and has real ICE, DTLS and SRTP behind it. Every call ends
with a tone heard at both ends, or is refused for the reason that is named."""

import importlib.util

import pytest

import install
from dialects import ENCRYPTED, MESSAGE, PLAIN, RECEIPTS, candidates, contents, fingerprint
from dialects import (Conversations2023, ConversationsCurrent, Dino, PsiNext, QXmppOld, payloads,
                      transport)
from peer import CLIENT, JINGLE

DISCO = "http://jabber.org/protocol/disco#info"


@pytest.fixture(scope="module", autouse=True)
def packages():
    if not importlib.util.find_spec("aiortc"):
        install.debian({"aiortc": "python3-aiortc"})


def names(kinds):
    return pytest.mark.parametrize("kind", kinds, ids=lambda kind: kind.name)


class Caller:
    """A scripted client with a voice."""

    def __init__(self, kind, peer, media):
        self.dialect, self.peer, self.media = kind(), peer, media
        self.errors = []

    def send(self, *stanzas):
        for stanza in stanzas:
            self.peer.send(stanza)

    def jingle(self, action):
        iq = self.peer.await_jingle(action)
        return iq.get("from"), iq.find(f"{{{JINGLE}}}jingle")

    def assert_no_errors(self):
        """Clients end a call over any of these."""
        count = self.peer.count(lambda xml: xml.tag == CLIENT + "iq" and xml.get("type") == "error")
        assert count == 0, "one of its stanzas was answered by an error"

    def connect(self, theirs, *, controlling, opus):
        """`theirs`: the <jingle/> of jcall."""
        content = contents(theirs)[0]
        print_ = fingerprint(content)
        self.media.connect(
            ufrag=transport(content).get("ufrag"), pwd=transport(content).get("pwd"),
            candidates=candidates(theirs), fingerprint=print_.text, controlling=controlling,
            dtls_client=print_.get("setup") != "active", payload_type=int(opus))

    def connect_plain(self, theirs, *, controlling, number, codec="opus"):
        content = contents(theirs)[0]
        assert fingerprint(content) is None
        self.media.connect(
            ufrag=transport(content).get("ufrag"), pwd=transport(content).get("pwd"),
            candidates=candidates(theirs, ("1", "2")), controlling=controlling,
            payload_type=int(number), codec=codec)


@pytest.fixture
def play(start_peer):
    from media import Media, PlainMedia
    voices = []

    def start(kind, server, name="carol"):
        peer = start_peer(server, name, features=kind.features)
        voices.append((PlainMedia if kind in PLAIN else Media)(peer.loop, 660))
        return Caller(kind, peer, voices[-1])

    def voice(peer):
        """One more transport of the same peer."""
        voices.append(Media(peer.loop, 660))
        return voices[-1]

    start.voice = voice
    yield start
    for voice in voices:
        voice.stop()


def talk_and_hang_up(caller, program, to, sid):
    caller.media.await_tone(880)
    program.await_sound(0.5)
    caller.assert_no_errors()
    caller.send(caller.dialect.terminate(to, sid))
    program.await_event("ended")


@names(ENCRYPTED)
def test_it_calls_us(kind, server, answering, play):
    bob = answering(server, "bob")
    caller = play(kind, server)
    dialect, to = caller.dialect, bob.seen("online")[-1].get("jid", server.jid("bob"))
    if dialect.messages:
        caller.send(dialect.propose(server.jid("bob")))
        proceed = caller.peer.await_message("proceed")
        assert proceed.get("to") == caller.peer.jid, "it must be addressed to the device"
        to = proceed.get("from")
    else:
        to = bob_device(caller, server)
    caller.send(dialect.offer(caller.peer.jid, to, caller.media),
                *dialect.trickle(to, dialect.sid, dialect.audio, caller.media))
    _, answer = caller.jingle("session-accept")
    dialect.check_answer(answer, [dialect.audio])
    opus = payloads(contents(answer)[0])[0]
    assert opus.get("id") == dialect.opus[0]
    assert candidates(answer), "candidates that follow the answer may be lost"
    caller.connect(answer, controlling=True, opus=opus.get("id"))
    bob.await_event("connected")
    talk_and_hang_up(caller, bob, to, dialect.sid)


def bob_device(caller, server):
    """From his presence: who has no message initiation calls a device."""
    presence = caller.peer.await_stanza(
        lambda xml: xml.tag == CLIENT + "presence" and not xml.get("type")
        and xml.get("from").startswith(server.jid("bob") + "/"))
    return presence.get("from")


@names(ENCRYPTED)
def test_we_call_it(kind, server, run_jcall, play):
    caller = play(kind, server)
    dialect = caller.dialect
    alice = run_jcall(server, "alice", "call", server.jid("carol"), "--source", "tone:880",
                      "--sink", "null")
    if dialect.messages:
        propose = caller.peer.await_message("propose")
        sid = propose.find(f"{{{MESSAGE}}}propose").get("id")
        caller.send(dialect.proceed(propose.get("from"), sid))
    to, offer = caller.jingle("session-initiate")
    dialect.check_offer(offer)
    if dialect.messages:
        assert offer.get("sid") == sid
    name = contents(offer)[0].get("name")
    caller.send(dialect.answer(caller.peer.jid, to, caller.media, offer),
                *dialect.trickle(to, offer.get("sid"), name, caller.media))
    opus = next(p for p in payloads(contents(offer)[0]) if p.get("name").lower() == "opus")
    caller.connect(offer, controlling=False, opus=opus.get("id"))
    alice.await_event("connected")
    talk_and_hang_up(caller, alice, to, offer.get("sid"))


def calls_us(kind, server, bob, play):
    """A call of one that bundles or not, connected; returns the caller and bob's device."""
    caller = play(kind, server)
    dialect = caller.dialect
    caller.send(dialect.propose(server.jid("bob")))
    to = caller.peer.await_message("proceed").get("from")
    caller.send(dialect.offer(caller.peer.jid, to, caller.media),
                *dialect.trickle(to, dialect.sid, dialect.audio, caller.media))
    _, answer = caller.jingle("session-accept")
    caller.connect(answer, controlling=True, opus=dialect.opus[0])
    bob.await_event("connected")
    return caller, to


SEES = ["--no-video", "--test-picture", "--no-display", "--video-size", "320x240"]
UPGRADING = [Conversations2023, ConversationsCurrent, Dino, PsiNext]


@names(UPGRADING)
def test_it_adds_video_and_we_take_it(kind, server, answering, play):
    bob = answering(server, "bob", *SEES)
    caller, to = calls_us(kind, server, bob, play)
    dialect = caller.dialect
    pictures = None if dialect.bundles else play.voice(caller.peer)
    both = [dialect.audio, dialect.video]
    caller.send(dialect.add_video(to, dialect.sid, both, pictures))
    bob.await_event("video-offered")
    bob.command("video")
    _, accept = caller.jingle("content-accept")
    dialect.check_video(accept, both)
    bob.await_event("video", sending=True)
    talk_and_hang_up(caller, bob, to, dialect.sid)


@names(UPGRADING)
def test_it_adds_video_and_we_refuse(kind, server, answering, play):
    bob = answering(server, "bob", *SEES)
    caller, to = calls_us(kind, server, bob, play)
    dialect = caller.dialect
    pictures = None if dialect.bundles else play.voice(caller.peer)
    caller.send(dialect.add_video(to, dialect.sid, [dialect.audio, dialect.video], pictures))
    bob.await_event("video-offered")
    bob.command("refuse-video")
    _, reject = caller.jingle("content-reject")
    assert [c.get("name") for c in contents(reject)] == [dialect.video]
    talk_and_hang_up(caller, bob, to, dialect.sid)


@names(UPGRADING)
def test_we_add_video_and_it_takes_it(kind, server, answering, play):
    bob = answering(server, "bob", *SEES)
    caller, to = calls_us(kind, server, bob, play)
    dialect = caller.dialect
    pictures = None if dialect.bundles else play.voice(caller.peer)
    bob.command("video")
    _, add = caller.jingle("content-add")
    both = [dialect.audio, contents(add)[0].get("name")]
    dialect.check_video(add, both)
    caller.send(dialect.accept_video(to, add, both, pictures))
    bob.await_event("video", sending=True)
    talk_and_hang_up(caller, bob, to, dialect.sid)


@names([ConversationsCurrent, Conversations2023])
def test_its_proposal_hears_at_once_that_it_rings(kind, server, run_jcall, play):
    """2.19 gives up after 12 s without; 2023 shows "ringing" only by the receipt."""
    bob = run_jcall(server, "bob", "answer", "--source", "silence", "--sink", "null")
    bob.await_event("online")
    caller = play(kind, server)
    caller.send(caller.dialect.propose(server.jid("bob")))
    receipt = caller.peer.await_stanza(
        lambda xml: xml.find(f"{{{RECEIPTS}}}received") is not None)
    assert receipt.find(f"{{{RECEIPTS}}}received").get("id") == caller.dialect.propose_id()
    ringing = caller.peer.await_message("ringing")
    assert ringing.get("to") == caller.peer.jid


@names(PLAIN)
def test_a_call_without_encryption_is_refused_and_says_why(kind, server, answering, play):
    bob = answering(server, "bob")
    caller = play(kind, server)
    to = bob_device(caller, server)
    caller.send(caller.dialect.offer(caller.peer.jid, to, caller.media))
    _, terminate = caller.jingle("session-terminate")
    assert terminate.find(f".//{{{JINGLE}}}security-error") is not None
    assert not bob.seen("connected")


@names(PLAIN)
def test_who_can_only_call_without_encryption_is_not_called(kind, server, run_jcall, play):
    caller = play(kind, server)
    alice = run_jcall(server, "alice", "call", server.jid("carol"), "--source", "silence",
                      "--sink", "null")
    ended = alice.await_event("ended")
    assert ended["reason"] == "no-call-support"
    assert "encrypt" in ended["text"]
    assert caller.peer.count(lambda xml: xml.find(f"{{{JINGLE}}}jingle") is not None) == 0


def talk_plainly_and_hang_up(caller, program, to, sid, name):
    caller.media.await_tone(880)
    program.await_sound(0.5)
    assert caller.media.reports > 0, "no report on the second component"
    caller.assert_no_errors()
    caller.send(*caller.dialect.hang_up(to, sid, name))
    ended = program.await_event("ended")
    assert (ended["reason"], ended["by"]) == ("hangup", "remote")


def await_acquaintance(caller, to):
    """The other side has asked what this one can do, and has the answer."""
    caller.peer.await_stanza(lambda xml: xml.get("from") == to and xml.get("type") == "get"
                             and xml.find(f"{{{DISCO}}}query") is not None)
    assert caller.peer.ask(f"<iq type='get' id='p' to='{to}'><ping xmlns='urn:xmpp:ping'/></iq>") \
        == ("result", None)


@names(PLAIN)
def test_it_calls_us_without_encryption_if_that_is_allowed(kind, server, answering, play):
    bob = answering(server, "bob", "--allow-unencrypted")
    caller = play(kind, server)
    dialect, to = caller.dialect, bob_device(caller, server)
    await_acquaintance(caller, to)
    caller.send(dialect.offer(caller.peer.jid, to, caller.media),
                *dialect.trickle(to, dialect.sid, dialect.audio, caller.media))
    assert bob.await_event("incoming")["encrypted"] is False
    _, answer = caller.jingle("session-accept")
    dialect.check_answer(answer, [dialect.audio])
    caller.connect_plain(answer, controlling=True, number=dialect.opus[0])
    assert bob.await_event("connected")["encrypted"] is False
    talk_plainly_and_hang_up(caller, bob, to, dialect.sid, dialect.audio)


@names(PLAIN)
def test_we_call_it_without_encryption_if_that_is_allowed(kind, server, run_jcall, play):
    caller = play(kind, server)
    dialect = caller.dialect
    alice = run_jcall(server, "alice", "call", server.jid("carol"), "--allow-unencrypted",
                      "--source", "tone:880", "--sink", "null")
    to, offer = caller.jingle("session-initiate")
    dialect.check_offer(offer)
    sid, name = offer.get("sid"), contents(offer)[0].get("name")
    caller.send(dialect.answer(caller.peer.jid, to, caller.media, offer),
                *dialect.trickle(to, sid, name, caller.media),
                *dialect.after_accept(to, sid, name))
    opus = next(p for p in payloads(contents(offer)[0]) if p.get("name") == "opus")
    number, codec = ("0", "pcmu") if kind is QXmppOld else (opus.get("id"), "opus")
    caller.connect_plain(offer, controlling=False, number=number, codec=codec)
    assert alice.await_event("connected")["encrypted"] is False
    talk_plainly_and_hang_up(caller, alice, to, sid, name)


@names(ENCRYPTED[:1])
def test_who_can_encrypt_is_not_believed_without(kind, server, answering, play):
    """The option is for those who cannot: here somebody took the fingerprint out of an offer."""
    bob = answering(server, "bob", "--allow-unencrypted")
    caller = play(kind, server)
    to = bob_device(caller, server)
    bob.await_event("contact", where=lambda event: event["jid"] == server.jid("carol")
                    and event["callable"])
    offer = caller.dialect.offer(caller.peer.jid, to, caller.media)
    start, end = offer.index("<fingerprint"), offer.index("</fingerprint>") + len("</fingerprint>")
    caller.send(offer[:start] + offer[end:])
    _, terminate = caller.jingle("session-terminate")
    assert terminate.find(f".//{{{JINGLE}}}security-error") is not None
    assert not bob.seen("incoming")
