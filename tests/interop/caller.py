"""A scripted client with a voice: it speaks one of the dialects, and has real ICE, DTLS and SRTP
behind it."""

import uuid

import pytest

from dialect import candidates, contents, fingerprint, payloads, transport
from dialects import PLAIN
from peer import CLIENT, JINGLE, Peer


class Client(Peer):
    """Answers IQs as its dialect does."""

    def __init__(self, dialect, server, name):
        self.dialect = dialect
        super().__init__(server, name, features=dialect.features, acknowledge=False)

    def received(self, stanza):
        left = super().received(stanza)
        for reply in self.dialect.replies(stanza.xml):
            self.client.send_raw(reply)
        return left


def new_sid(kind):
    """One of its own for each call: the server may still have messages of the one before."""
    random = uuid.uuid4().hex[:8]
    return (random.upper() if kind.sid.isupper() else random) + kind.sid[8:]


class Caller:
    def __init__(self, kind, server, name):
        self.dialect = kind()
        self.dialect.sid = new_sid(kind)
        self.peer = Client(self.dialect, server, name)
        self.media = None

    def send(self, *stanzas):
        for stanza in stanzas:
            self.peer.send(stanza)

    def jingle(self, action):
        iq = self.peer.await_jingle(action)
        return iq.get("from"), iq.find(f"{{{JINGLE}}}jingle")

    def assert_no_errors(self):
        """Clients end a call over any of these, but for what comes before its session."""
        errors = [xml.get("id") for xml in self.peer.stanzas
                  if xml.tag == CLIENT + "iq" and xml.get("type") == "error"]
        assert [one for one in errors if not one.startswith("early")] == []

    def check_transport_infos(self):
        for xml in list(self.peer.stanzas):
            jingle = xml.find(f"{{{JINGLE}}}jingle")
            if jingle is not None and jingle.get("action") == "transport-info":
                self.dialect.check_transport_info(jingle)

    def offer(self, to, pictures=None):
        """With all that comes before and after it."""
        dialect, me, sid = self.dialect, self.peer.jid, self.dialect.sid
        self.send(*dialect.early(me, to, sid, dialect.audio, self.media),
                  dialect.offer(me, to, self.media, pictures),
                  *dialect.trickle(me, to, sid, dialect.audio, self.media))

    def answer(self, to, offer):
        dialect, me, sid = self.dialect, self.peer.jid, offer.get("sid")
        name = contents(offer)[0].get("name")
        self.send(*dialect.early(me, to, sid, name, self.media),
                  dialect.answer(me, to, self.media, offer),
                  *dialect.trickle(me, to, sid, name, self.media))

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

    def device_of(self, account):
        """From presence: who has no message initiation calls a device."""
        presence = self.peer.await_stanza(
            lambda xml: xml.tag == CLIENT + "presence" and not xml.get("type")
            and xml.get("from").startswith(account + "/"))
        return presence.get("from")

    def propose(self, account, media=("audio",)):
        """Returns the device that proceeds."""
        self.send(self.dialect.propose(account, media))
        proceed = self.peer.await_message("proceed")
        self.dialect.check_proceed(proceed, self.peer.jid)
        return proceed.get("from")

    def proceed(self):
        """To what we propose; returns the sid."""
        propose = self.peer.await_message("propose")
        self.dialect.check_propose(propose, self.peer.jid)
        sid = propose.find("{urn:xmpp:jingle-message:0}propose").get("id")
        self.send(*self.dialect.proceed(propose.get("from"), sid))
        return sid

    def call(self, account):
        """Calls `account`, which answers, with a voice; returns its device."""
        to = self.propose(account) if self.dialect.messages else self.device_of(account)
        self.offer(to)
        _, answer = self.jingle("session-accept")
        self.dialect.check_answer(answer, [self.dialect.audio])
        opus = payloads(contents(answer)[0])[0]
        assert opus.get("id") == self.dialect.opus[0]
        assert candidates(answer), "candidates that follow the answer may be lost"
        self.connect(answer, controlling=True, opus=opus.get("id"))
        return to

    def take(self):
        """Takes the call of a jcall; returns its device, the sid and the content's name."""
        sid = self.proceed() if self.dialect.messages else None
        to, offer = self.jingle("session-initiate")
        self.dialect.check_offer(offer)
        assert offer.get("sid") == sid or not self.dialect.messages
        self.answer(to, offer)
        opus = next(p for p in payloads(contents(offer)[0]) if p.get("name").lower() == "opus")
        self.connect(offer, controlling=False, opus=opus.get("id"))
        return to, offer.get("sid"), contents(offer)[0].get("name")

    def talk_and_hang_up(self, program, to, sid, name):
        """Both say what they say in a call, and hear each other before and after."""
        dialect = self.dialect
        self.media.await_tone(880)
        program.command("mute")
        self.jingle("session-info")
        self.send(*dialect.in_call(self.peer.jid, to, sid, name, self.media))
        program.command("unmute")
        self.jingle("session-info")
        self.media.await_tone(880)
        program.await_sound(0.5)
        self.assert_no_errors()
        self.check_transport_infos()
        self.send(*dialect.hang_up(to, sid, name))
        ended = program.await_event("ended")
        assert (ended["reason"], ended["by"]) == ("hangup", "remote")

    def stop(self):
        if self.media:
            self.media.stop()
        self.peer.stop()


@pytest.fixture
def play():
    """Starts scripted clients: play(Monal, server) is carol, with a voice."""
    from media import Media, PlainMedia
    callers, voices = [], []

    def start(kind, server, name="carol", voice=True):
        callers.append(Caller(kind, server, name))
        if voice:
            callers[-1].media = (PlainMedia if kind in PLAIN else Media)(callers[-1].peer.loop, 660)
        return callers[-1]

    def another(caller):
        """One more transport."""
        voices.append(Media(caller.peer.loop, 660))
        return voices[-1]

    start.voice = another
    yield start
    for voice in voices:
        voice.stop()
    for caller in callers:
        caller.stop()
