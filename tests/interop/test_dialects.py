"""Clients that have no program to run here, by replay: a scripted peer sends what each of them
sends, checks what each of them checks, and has real ICE, DTLS and SRTP behind it. Every call ends
with a tone heard at both ends, or is refused for the reason that is named."""

import importlib.util

import pytest

import install
from caller import play  # noqa: F401, a fixture
from dialect import RECEIPTS, contents, payloads
from dialects import (ENCRYPTED, PLAIN, Conversations2023, ConversationsCurrent, Dino, Monal, Movim,
                      PsiNext, QXmppOld)
from peer import JINGLE

DISCO = "http://jabber.org/protocol/disco#info"


@pytest.fixture(scope="module", autouse=True)
def packages():
    if not importlib.util.find_spec("aiortc"):
        install.debian({"aiortc": "python3-aiortc"})


def names(kinds):
    return pytest.mark.parametrize("kind", kinds, ids=lambda kind: kind.name)


@names(ENCRYPTED)
def test_it_calls_us(kind, server, answering, play):
    bob = answering(server, "bob")
    caller = play(kind, server)
    to = caller.call(server.jid("bob"))
    bob.await_event("connected")
    caller.talk_and_hang_up(bob, to, caller.dialect.sid, caller.dialect.audio)


@names(ENCRYPTED)
def test_we_call_it(kind, server, run_jcall, play):
    caller = play(kind, server)
    alice = run_jcall(server, "alice", "call", server.jid("carol"), "--source", "tone:880",
                      "--sink", "null")
    told = caller.take()
    if caller.dialect.rings:
        alice.await_event("ringing")
    alice.await_event("connected")
    caller.talk_and_hang_up(alice, *told)


SEES = ["--no-video", "--test-picture", "--no-display", "--video-size", "320x240"]
UPGRADING = [Conversations2023, ConversationsCurrent, Dino, Movim, PsiNext]


@pytest.fixture
def upgrade(server, answering, play):
    """A voice call of this kind of client: (caller, bob, his device, the media of its pictures)."""
    def call(kind):
        bob = answering(server, "bob", *SEES)
        caller = play(kind, server)
        to = caller.call(server.jid("bob"))
        bob.await_event("connected")
        return caller, bob, to, caller.dialect.video_media(caller.media, lambda: play.voice(caller))
    return call


@names(UPGRADING)
def test_it_adds_video_and_we_take_it(kind, upgrade):
    caller, bob, to, pictures = upgrade(kind)
    dialect = caller.dialect
    both = [dialect.audio, dialect.video]
    caller.send(dialect.add_video(caller.peer.jid, to, dialect.sid, both, pictures))
    bob.await_event("video-offered")
    bob.command("video")
    _, accept = caller.jingle("content-accept")
    dialect.check_video(accept, both, dialect.added_senders)
    bob.await_event("video", sending=dialect.added_senders == "both", receiving=True)
    caller.talk_and_hang_up(bob, to, dialect.sid, dialect.audio)


@names(UPGRADING)
def test_it_adds_video_and_we_refuse(kind, upgrade):
    caller, bob, to, pictures = upgrade(kind)
    dialect = caller.dialect
    caller.send(dialect.add_video(caller.peer.jid, to, dialect.sid, [dialect.audio, dialect.video],
                                  pictures))
    bob.await_event("video-offered")
    bob.command("refuse-video")
    _, reject = caller.jingle("content-reject")
    assert [c.get("name") for c in contents(reject)] == [dialect.video]
    caller.talk_and_hang_up(bob, to, dialect.sid, dialect.audio)


@names(UPGRADING)
def test_we_add_video_and_it_takes_it(kind, upgrade):
    caller, bob, to, pictures = upgrade(kind)
    dialect = caller.dialect
    bob.command("video")
    _, add = caller.jingle("content-add")
    both = [dialect.audio, contents(add)[0].get("name")]
    dialect.check_video(add, both)
    caller.send(*dialect.accept_video(caller.peer.jid, to, add, both, pictures))
    bob.await_event("video", sending=True)
    caller.talk_and_hang_up(bob, to, dialect.sid, dialect.audio)


@names([Monal])
def test_we_add_video_and_it_says_nothing(kind, upgrade):
    caller, bob, to, _ = upgrade(kind)
    bob.command("video")
    caller.jingle("content-add")
    caller.talk_and_hang_up(bob, to, caller.dialect.sid, caller.dialect.audio)


@names([Conversations2023, Dino, Monal, Movim])
def test_it_offers_video_and_we_answer_with_a_voice(kind, server, answering, play):
    """What is refused stays in the answer of a bundle, and is left out of another."""
    bob = answering(server, "bob")
    caller = play(kind, server)
    dialect = caller.dialect
    to = caller.propose(server.jid("bob"), ("audio", "video"))
    caller.offer(to, play.voice(caller) if not dialect.bundles else caller.media)
    _, answer = caller.jingle("session-accept")
    dialect.check_answer(answer, [dialect.audio, dialect.video][:2 if dialect.bundles else 1])
    caller.connect(answer, controlling=True, opus=dialect.opus[0])
    bob.await_event("connected")
    caller.talk_and_hang_up(bob, to, dialect.sid, dialect.audio)


@names([ConversationsCurrent, Conversations2023])
def test_its_proposal_hears_at_once_that_it_rings(kind, server, run_jcall, play):
    """2.19 gives up after 12 s without; 2023 shows "ringing" only by the receipt."""
    bob = run_jcall(server, "bob", "answer", "--source", "silence", "--sink", "null")
    bob.await_event("online")
    caller = play(kind, server)
    caller.send(caller.dialect.propose(server.jid("bob")))
    receipt = caller.peer.await_stanza(
        lambda xml: xml.find(f"{{{RECEIPTS}}}received") is not None)
    dialect = caller.dialect
    assert receipt.find(f"{{{RECEIPTS}}}received").get("id") \
        == dialect.message_id("propose", dialect.sid)
    ringing = caller.peer.await_message("ringing")
    assert ringing.get("to") == caller.peer.jid


@names(PLAIN)
def test_a_call_without_encryption_is_refused_and_says_why(kind, server, answering, play):
    bob = answering(server, "bob")
    caller = play(kind, server)
    to = caller.device_of(server.jid("bob"))
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
    program.command("mute")
    caller.jingle("session-info")
    program.command("unmute")
    caller.jingle("session-info")
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
    dialect, to = caller.dialect, caller.device_of(server.jid("bob"))
    await_acquaintance(caller, to)
    caller.offer(to)
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
    caller.answer(to, offer)
    caller.send(*dialect.after_accept(to, sid, name))
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
    to = caller.device_of(server.jid("bob"))
    bob.await_event("contact", where=lambda event: event["jid"] == server.jid("carol")
                    and event["callable"])
    offer = caller.dialect.offer(caller.peer.jid, to, caller.media)
    start, end = offer.index("<fingerprint"), offer.index("</fingerprint>") + len("</fingerprint>")
    caller.send(offer[:start] + offer[end:])
    _, terminate = caller.jingle("session-terminate")
    assert terminate.find(f".//{{{JINGLE}}}security-error") is not None
    assert not bob.seen("incoming")
