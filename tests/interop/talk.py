"""A call between a jcall and a page of browser/, begun by either: what both hear and see."""

import time

import picture
import pytest
import sound

OURS, THEIRS = 440, 880  # Hz
SOUND = ["--source", f"tone:{OURS}", "--sink", "null"]
PICTURE = ["--test-picture", "--no-display", "--video-size", "320x240", "--frame-rate", "15"]


class Talk:
    """A call between a jcall (`ours`) and a page (`page`)."""

    def __init__(self, ours, page, heard):
        self.ours, self.page, self.heard = ours, page, heard

    def await_connected(self):
        self.ours.await_event("connected")
        self.page.await_true("state", lambda state: state == "connected")

    def assert_heard_there(self):
        self.page.await_true("tone", lambda tone: abs(tone["hz"] - OURS) < 8
                             and tone["level"] > 0.02)

    def assert_heard_here(self):
        """Once the call is over."""
        samples, rate = sound.read(self.heard)
        assert sound.share_of_tone(sound.heard_part(samples, rate), rate, THEIRS) > 0.9

    def assert_heard_last(self):
        """Once the call is over: whatever was before, at its end."""
        samples, rate = sound.read(self.heard)
        heard = sound.heard_part(samples, rate)
        assert sound.share_of_tone(heard[-rate // 2:], rate, THEIRS) > 0.9

    def assert_sound_flows(self, seconds=1):
        """From now on, without loss; returns the browser's statistics."""
        before = self.page.do("statistics")
        self.ours.await_sound(seconds)
        after = self.page.await_true("statistics", lambda now: now["audio"]["in"][
            "packetsReceived"] >= before["audio"]["in"]["packetsReceived"] + 40 * seconds)
        assert after["audio"]["in"]["packetsLost"] == 0
        assert after["audio"]["in"]["totalAudioEnergy"] > before["audio"]["in"]["totalAudioEnergy"]
        return after

    def assert_seen_there(self, path):
        self.page.await_true("statistics", lambda now: now["video"]["in"].get(
            "framesDecoded", 0) > 10)
        image = picture.read(self.page.save_picture(path))
        picture.assert_test_picture(image)
        assert_young(image, time.monotonic())

    def assert_seen_here(self, path):
        self.ours.await_event("statistics", where=lambda event:
                              event["video"]["frames_decoded"] > 10)
        self.ours.command(f"snapshot {path}")
        self.ours.await_event("file", what="snapshot")
        image = picture.read(path)
        picture.assert_test_picture(image)
        assert_young(image, time.time())

    def hang_up(self, side="ours"):
        """From either side; the other one must tell why it ended."""
        assert not self.page.seen("refused"), self.page.say("a stanza was refused")
        if side == "ours":
            self.ours.command("hangup")
            assert self.page.await_event("ended")["reason"] == "success"
        else:
            self.page.do("hangUp")
        ended = self.ours.await_event("ended")
        assert (ended["reason"], ended["by"]) == ("hangup", {"ours": "local"}.get(side, "remote"))
        assert self.ours.await_exit() == 0


def assert_young(image, now):
    """The picture's clock tells of a moment ago."""
    age = (int(now * 1000) - picture.clock(image)[0]) & 0xffffffff
    assert age < 20_000, f"the picture is {age} ms old"


@pytest.fixture
def we_call(server, run_jcall, browse, tmp_path):
    """Our jcall calls a page, which answers: returns the Talk."""

    def call(way="message", words=(), answer=None, **options):
        page = browse(server, "bob", tone=THEIRS, **options)
        ours = run_jcall(server, "alice", "call",
                         server.jid("bob") if way == "message" else page.jid, *SOUND, "--record",
                         tmp_path / "heard.wav", *words, *(["--direct"] if way == "direct" else []))
        if way == "message":
            asked = page.await_event("propose")
            ours.await_event("ringing")
            page.do("proceed", asked["from"], asked["id"])
            assert page.await_event("incoming")["sid"] == asked["id"]
        else:
            page.await_event("incoming")
            page.do("ring")
            ours.await_event("ringing")
        page.do("answer", answer or {})
        talk = Talk(ours, page, tmp_path / "heard.wav")
        talk.await_connected()
        return talk

    return call


@pytest.fixture
def they_call(server, run_jcall, browse, tmp_path):
    """A page calls our jcall, which answers by itself: returns the Talk."""

    def call(way="message", words=(), call=None, **options):
        page = browse(server, "alice", tone=THEIRS, **options)
        ours = run_jcall(server, "bob", "answer", "--auto", "--once", *SOUND, "--record",
                         tmp_path / "heard.wav", *words, resource="desk")
        to, sid = ours.await_event("online")["jid"], None
        if way == "message":
            sid = page.do("propose", server.jid("bob"), (call or {}).get("media", ["audio"]))
            page.await_event("ringing", id=sid)
            assert page.await_event("proceed", id=sid)["from"] == to
        page.do("call", to, {**(call or {}), "sid": sid} if sid else call or {})
        page.await_event("accepted")
        talk = Talk(ours, page, tmp_path / "heard.wav")
        talk.await_connected()
        return talk

    return call
