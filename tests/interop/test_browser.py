"""Calls with Chromium (libwebrtc), which runs the XMPP library stanza: browser/page.js."""

import re

import pytest
import sound
from talk import PICTURE, SOUND, THEIRS, Talk, they_call, we_call  # noqa: F401

WAYS = ["message", "direct"]  # XEP-0353 first, or session-initiate at once


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
        talk = we_call(words=["--codec", "PCMU"])
    else:
        talk = they_call(call={"codecs": {"audio": "PCMU"}})
    talk.assert_heard_there()
    now = talk.assert_sound_flows(2)
    assert now["audio"]["in"]["codec"] == now["audio"]["out"]["codec"] == "PCMU"
    talk.hang_up()
    talk.assert_heard_here()


def test_they_answer_with_pcmu_alone(we_call):
    """libwebrtc then gets PCMU, and sends what it likes best of the offer, whatever it answers."""
    talk = we_call(answer={"codecs": {"audio": "PCMU"}})
    talk.assert_heard_there()
    now = talk.assert_sound_flows(2)
    assert (now["audio"]["in"]["codec"], now["audio"]["out"]["codec"]) == ("PCMU", "opus")
    assert talk.ours.seen("statistics")[-1]["packets_discarded"] == 0
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
        frames = talk.page.do("statistics")["video"]["in"]["framesDecoded"]
        talk.page.await_true("statistics", lambda now:
                             now["video"]["in"]["framesDecoded"] > frames + 10)
        talk.assert_seen_there(tmp_path / "there.png")
        talk.assert_seen_here(tmp_path / "here.png")
    talk.hang_up()
    samples, rate = sound.read(talk.heard)
    assert sound.longest_silence(samples, rate) < 1
    talk.assert_heard_here()


def stay(talk):
    """For longer than a silence that would be an interruption, and a while of RTCP."""
    began = talk.ours.await_event("statistics")["seen"]
    talk.ours.await_event("statistics", where=lambda event: event["seen"] > began + 4)


def assert_silence_there(talk):
    talk.page.await_true("tone", lambda tone: tone["level"] < 0.001)


@pytest.mark.parametrize("caller", ["we", "they"])
def test_they_hold(we_call, they_call, caller):
    """Who is held sends nothing (XEP-0167, 8.2), and nobody takes the silence for an end."""
    talk = (we_call if caller == "we" else they_call)()
    talk.assert_heard_there()
    talk.page.do("hold")
    talk.ours.await_event("hold", on=True, by="remote")
    assert_silence_there(talk)
    sent = talk.page.do("statistics")["audio"]["in"]["packetsReceived"]
    stay(talk)
    assert talk.page.do("statistics")["audio"]["in"]["packetsReceived"] == sent
    talk.page.do("resume")
    talk.ours.await_event("hold", on=False, by="remote")
    talk.assert_heard_there()
    talk.ours.await_sound(1)
    assert not talk.ours.seen("interrupted")
    talk.hang_up()
    talk.assert_heard_last()


@pytest.mark.parametrize("caller", ["we", "they"])
def test_we_hold(we_call, they_call, caller):
    """Their RTCP BYE is no hang-up then."""
    talk = (we_call if caller == "we" else they_call)()
    talk.assert_heard_there()
    talk.ours.command("hold")
    talk.page.await_event("hold")
    assert_silence_there(talk)
    stay(talk)
    talk.ours.command("unhold")
    talk.page.await_event("resumed")
    talk.assert_heard_there()
    talk.ours.await_sound(1)
    assert not talk.ours.seen("interrupted")
    talk.hang_up("theirs")
    talk.assert_heard_here()


@pytest.mark.parametrize("caller", ["we", "they"])
def test_mute(we_call, they_call, caller):
    talk = (we_call if caller == "we" else they_call)()
    talk.assert_heard_there()
    talk.page.do("mute")
    talk.ours.await_event("mute", on=True, by="remote")
    talk.page.do("unmute")
    talk.ours.await_event("mute", on=False, by="remote")
    talk.ours.command("mute")
    talk.page.await_event("mute")
    assert_silence_there(talk)
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
