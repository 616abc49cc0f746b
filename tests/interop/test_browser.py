"""Calls with Chromium (libwebrtc), which runs the XMPP library stanza: browser/page.js."""

import re
import time

import picture
import pytest
import sound

OURS, THEIRS = 440, 880  # Hz
SOUND = ["--source", f"tone:{OURS}", "--sink", "null"]
PICTURE = ["--test-picture", "--no-display", "--video-size", "320x240", "--frame-rate", "15"]
WAYS = ["message", "direct"]  # XEP-0353 first, or session-initiate at once


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


# ---- voice ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("trickle", [True, False], ids=["trickle", "at-once"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("caller", ["we", "they"])
def test_voice(we_call, they_call, caller, way, trickle):
    talk = (we_call if caller == "we" else they_call)(way, trickle=trickle)
    talk.assert_heard_there()
    now = talk.assert_sound_flows(2)
    assert now["audio"]["in"]["codec"] == now["audio"]["out"]["codec"] == "opus"
    assert now["audio"]["reported"]["packetsLost"] == 0
    # who hangs up is as often the caller as not, on either side
    talk.hang_up("ours" if trickle == (way == "message") else "theirs")
    talk.assert_heard_here()


@pytest.mark.parametrize("caller", ["we", "they"])
def test_pcmu(we_call, they_call, caller):
    if caller == "we":
        # our offer alone decides: libwebrtc sends what it likes best of an offer, whatever it answers
        talk = we_call(words=["--codec", "PCMU"])
    else:
        talk = they_call(call={"codecs": {"audio": "PCMU"}})
    talk.assert_heard_there()
    now = talk.assert_sound_flows(2)
    assert now["audio"]["in"]["codec"] == now["audio"]["out"]["codec"] == "PCMU"
    talk.hang_up()
    talk.assert_heard_here()


# ---- pictures ------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["VP8", "VP9"])
@pytest.mark.parametrize("caller", ["we", "they"])
def test_pictures(we_call, they_call, tmp_path, caller, codec):
    """Either side names its codec; the other one follows."""
    both = {"media": ["audio", "video"]}
    if caller == "we":
        talk = we_call(words=["--video", *PICTURE, "--video-codec", codec], answer=both)
    else:
        talk = they_call(words=["--video", *PICTURE], call={**both, "codecs": {"video": codec}})
    talk.assert_seen_there(tmp_path / "there.png")
    talk.assert_seen_here(tmp_path / "here.png")
    talk.assert_heard_there()
    now = talk.assert_sound_flows()
    for way in ("in", "out"):
        assert now["video"][way]["codec"] == codec
    assert now["video"]["in"]["packetsLost"] == 0
    assert now["video"]["reported"].get("packetsLost", 0) == 0
    assert now["video"]["in"]["keyFramesDecoded"] <= 3
    talk.hang_up("ours" if codec == "VP8" else "theirs")
    talk.assert_heard_here()


def test_pictures_with_all_candidates_at_once(they_call, tmp_path):
    talk = they_call("direct", words=["--video", *PICTURE], call={"media": ["audio", "video"]},
                     trickle=False)
    talk.assert_seen_there(tmp_path / "there.png")
    talk.assert_seen_here(tmp_path / "here.png")
    talk.hang_up()


def test_they_answer_pictures_with_sound_only(we_call):
    talk = we_call(words=["--video", *PICTURE], answer={"media": ["audio"]})
    talk.assert_heard_there()
    talk.assert_sound_flows()
    assert talk.ours.seen("video")[0]["status"] == "refused"
    talk.hang_up()
    talk.assert_heard_here()


def test_we_answer_pictures_with_sound_only(they_call):
    talk = they_call(call={"media": ["audio", "video"]})
    talk.assert_heard_there()
    talk.assert_sound_flows()
    talk.hang_up("theirs")
    talk.assert_heard_here()


def test_we_watch_and_send_no_picture(they_call, tmp_path):
    talk = they_call(words=["--watch", "--no-display"], call={"media": ["audio", "video"]})
    talk.assert_seen_here(tmp_path / "here.png")
    talk.assert_heard_there()
    assert "framesDecoded" not in talk.page.do("statistics")["video"]["in"]
    talk.hang_up()


def test_pictures_that_they_cannot_add_are_refused_and_the_talk_goes_on(we_call):
    """stanza refuses every content-add."""
    talk = we_call(words=["--no-video", *PICTURE])
    talk.ours.await_sound(0.5)
    talk.ours.command("video")
    talk.ours.await_event("video", sending=False, receiving=False, status="refused")
    talk.assert_heard_there()
    talk.assert_sound_flows()
    talk.hang_up()


# ---- in a call -----------------------------------------------------------------------------------


@pytest.mark.parametrize("pictures", [False, True], ids=["voice", "pictures"])
def test_they_restart_ice(they_call, tmp_path, pictures):
    """Which of our two agents they then talk to is their choice: where a check of the new one comes
    before our answer, Chromium stays with the old one for as long as that is there."""
    media = ["audio", "video"] if pictures else ["audio"]
    talk = they_call(words=["--video", *PICTURE] if pictures else [], call={"media": media})
    talk.assert_heard_there()
    before = talk.assert_sound_flows()["transport"]
    talk.page.do("restartIce")
    now = talk.page.await_true("statistics", lambda now: now["transport"]["local"].get(
        "ufrag") not in (None, before["local"]["ufrag"]))["transport"]
    assert now["dtlsState"] == "connected" and now["dtlsRole"] == before["dtlsRole"]
    answer = talk.page.await_event("received", where=lambda event:
                                   "transport-info" in event["xml"])["xml"]
    assert re.search("ufrag='(.+?)'", answer)[1] != before["remote"]["ufrag"]
    talk.assert_sound_flows(2)
    if pictures:
        talk.assert_seen_there(tmp_path / "there.png")
        talk.assert_seen_here(tmp_path / "here.png")
    talk.hang_up()
    samples, rate = sound.read(talk.heard)
    assert sound.longest_silence(samples, rate) < 1
    talk.assert_heard_here()


@pytest.mark.parametrize("caller", ["we", "they"])
def test_hold_and_mute(we_call, they_call, caller):
    talk = (we_call if caller == "we" else they_call)()
    talk.assert_heard_there()
    talk.page.do("hold")
    talk.ours.await_event("hold", on=True, by="remote")
    talk.page.do("resume")
    talk.ours.await_event("hold", on=False, by="remote")
    talk.assert_heard_there()
    talk.page.do("mute")
    talk.ours.await_event("mute", on=True, by="remote")
    talk.page.do("unmute")
    talk.ours.await_event("mute", on=False, by="remote")
    talk.ours.command("hold")
    talk.page.await_event("hold")
    talk.page.await_true("tone", lambda tone: tone["level"] < 0.001)
    talk.ours.command("unhold")
    talk.page.await_event("resumed")
    talk.ours.command("mute")
    talk.page.await_event("mute")
    talk.ours.command("unmute")
    talk.page.await_event("unmute")
    talk.assert_heard_there()
    talk.hang_up()


# ---- calls that do not come about ------------------------------------------------------------------


@pytest.fixture
def ringing_there(server, run_jcall, browse):
    """Our jcall calls a page, where it rings: returns (jcall, page, propose)."""
    page = browse(server, "bob")
    ours = run_jcall(server, "alice", "call", server.jid("bob"), *SOUND)
    asked = page.await_event("propose")
    ours.await_event("ringing")
    return ours, page, asked


@pytest.fixture
def ringing_here(server, run_jcall, browse):
    """A page calls our jcall, where it rings: returns (jcall, page, id)."""
    page = browse(server, "alice")
    ours = run_jcall(server, "bob", "answer", *SOUND)
    ours.await_event("online")
    call = page.do("propose", server.jid("bob"), ["audio"])
    ours.await_event("incoming", session=call)
    page.await_event("ringing", id=call)
    return ours, page, call


@pytest.mark.parametrize("reason, code", [("busy", 10), ("decline", 11)])
def test_they_refuse(ringing_there, reason, code):
    ours, page, asked = ringing_there
    page.do("reject", asked["from"], asked["id"], reason)
    assert ours.await_exit() == code


def test_they_refuse_without_message_initiation(server, run_jcall, browse):
    page = browse(server, "bob")
    ours = run_jcall(server, "alice", "call", page.jid, *SOUND, "--direct")
    page.await_event("incoming")
    page.do("decline")
    assert ours.await_exit() == 11


@pytest.mark.parametrize("command, reason", [("decline", "decline"), ("busy", "busy")])
def test_we_refuse(ringing_here, command, reason):
    ours, page, call = ringing_here
    ours.command(command)
    assert page.await_event("reject", id=call)["reason"] == reason
    ours.await_event("ended")


def test_we_refuse_without_message_initiation(server, run_jcall, browse):
    page = browse(server, "alice")
    ours = run_jcall(server, "bob", "answer", *SOUND)
    page.do("call", ours.await_event("online")["jid"])
    ours.await_event("incoming")
    page.await_event("ringing")
    ours.command("decline")
    assert page.await_event("ended")["reason"] == "decline"


def test_they_give_up(ringing_here, server):
    ours, page, call = ringing_here
    page.do("retract", server.jid("bob"), call)
    assert ours.await_event("ended")["reason"] == "canceled"


def test_they_give_up_without_message_initiation(server, run_jcall, browse):
    page = browse(server, "alice")
    ours = run_jcall(server, "bob", "answer", *SOUND)
    page.do("call", ours.await_event("online")["jid"])
    ours.await_event("incoming")
    page.do("hangUp", "cancel")
    assert ours.await_event("ended")["reason"] == "canceled"


def test_we_give_up(ringing_there):
    ours, page, asked = ringing_there
    ours.command("hangup")
    page.await_event("retract", id=asked["id"])
    assert ours.await_exit() == 18


# ---- two devices of one account --------------------------------------------------------------------


@pytest.mark.parametrize("second", ["browser", "jcall"])
def test_two_devices_ring_and_a_browser_answers(server, run_jcall, browse, second):
    page = browse(server, "bob", tone=THEIRS)
    if second == "browser":
        other = browse(server, "bob", resource="other")
    else:
        other = run_jcall(server, "bob", "answer", *SOUND)
        other.await_event("online")
    ours = run_jcall(server, "alice", "call", server.jid("bob"), *SOUND)
    asked = page.await_event("propose")
    other.await_event("propose" if second == "browser" else "incoming")
    page.do("accept", server.jid("bob"), asked["id"])
    page.do("proceed", asked["from"], asked["id"])
    page.await_event("incoming")
    page.do("answer")
    if second == "browser":
        other.await_event("own-accept", id=asked["id"])
    else:
        assert other.await_event("ended")["reason"] == "elsewhere"
    assert ours.await_event("connected")["peer"] == page.jid
    talk = Talk(ours, page, None)
    talk.assert_heard_there()
    talk.hang_up()
    assert not other.seen("connected")


def test_two_devices_ring_and_ours_answers(server, run_jcall, browse):
    page = browse(server, "bob")
    ours = run_jcall(server, "bob", "answer", "--once", *SOUND)
    jid = ours.await_event("online")["jid"]
    caller = browse(server, "alice", tone=THEIRS)
    call = caller.do("propose", server.jid("bob"), ["audio"])
    page.await_event("propose", id=call)
    ours.await_event("incoming", session=call)
    ours.command("answer")
    page.await_event("own-accept", id=call)
    assert caller.await_event("proceed", id=call)["from"] == jid
    caller.do("call", jid, {"sid": call})
    talk = Talk(ours, caller, None)
    talk.await_connected()
    talk.assert_heard_there()
    talk.hang_up("theirs")
