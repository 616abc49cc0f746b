"""Video between two jcalls: what is seen is judged by its content, the test picture's clock."""

import subprocess
import time

import picture
import pytest

SIZE = ["--video-size", "320x240", "--frame-rate", "15"]  # light enough for sanitizers
TEST = ["--video", "--test-picture", "--no-display", *SIZE]
SILENT = ["--source", "silence", "--sink", "null"]


def await_pictures(side, pictures=15):
    """So many pictures from now on, or from the first one."""
    first = side.await_event("statistics", where=lambda event: event["video"]["frames_decoded"])
    wanted = first["video"]["frames_decoded"] + pictures
    return side.await_event("statistics",
                            where=lambda event: event["video"]["frames_decoded"] >= wanted)


def assert_sees_now(side, path):
    """A snapshot shows the test picture of a moment ago."""
    await_pictures(side, 3)
    side.command(f"snapshot {path}")
    side.await_event("file", what="snapshot")
    image = picture.read(path)
    picture.assert_test_picture(image)
    drawn, _ = picture.clock(image)
    age = (time.monotonic_ns() // 1_000_000 - drawn) & 0xffffffff
    assert age < 20_000, f"the picture is {age} ms old"


@pytest.fixture
def voice_call(server, run_jcall, answering):
    """Two who talk without pictures, and show a test picture when asked to."""
    words = ["--no-video", "--test-picture", "--no-display", *SIZE]
    bob = answering(server, "bob", *words)
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "tone:440", "--sink",
                      "null", *words)
    for side in (alice, bob):
        side.await_event("connected")
    return alice, bob


@pytest.mark.parametrize("codec", ["VP8", "VP9"])
def test_both_see_each_other_from_the_start(server, run_jcall, answering, tmp_path, codec):
    bob = answering(server, "bob", *TEST, "--video-codec", codec)
    alice = run_jcall(server, "alice", "call", server.jid("bob"), *TEST, *SILENT, "--video-codec",
                      codec)
    assert bob.await_event("incoming")["video"]
    for side in (alice, bob):
        side.await_event("video", sending=True, receiving=True)
        last = await_pictures(side)
        assert last["video"]["codec"] == codec and last["video"]["codec_received"] == codec
        assert_sees_now(side, tmp_path / f"{id(side)}.png")
    alice.command("hangup")
    assert bob.await_event("ended")["reason"] == "hangup"
    assert alice.await_exit() == 0


def test_720p_through_the_server(server, run_jcall, answering):
    bob = answering(server, "bob", "--watch", "--no-display")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--test-picture", "--no-display",
                      *SILENT)
    bob.await_event("statistics", where=lambda event: event["video"]["height_received"] == 720)
    await_pictures(bob, 30)
    alice.command("hangup")
    assert alice.await_exit() == 0


def test_sound_only_is_an_answer_to_video(server, run_jcall, answering):
    bob = answering(server, "bob")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), *TEST, *SILENT)
    assert bob.await_event("incoming")["video"]
    alice.await_event("video", sending=False, receiving=False, status="refused")
    alice.await_event("connected")
    for side in (alice, bob):
        side.await_sound(1)
    alice.command("hangup")
    assert alice.await_exit() == 0


def test_watching_without_a_camera(server, run_jcall, answering, tmp_path):
    bob = answering(server, "bob", "--watch", "--no-display")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), *TEST, *SILENT)
    bob.await_event("connected")
    assert_sees_now(bob, tmp_path / "seen.png")
    assert alice.await_sound(1)["video"]["frames_decoded"] == 0


@pytest.mark.parametrize("adder", ["caller", "callee"])
def test_video_is_added_and_taken_away_in_a_call(voice_call, tmp_path, adder):
    one, other = voice_call if adder == "caller" else reversed(voice_call)
    for remover in (one, other):  # twice, and each side takes it away
        one.command("video")
        other.await_event("video-offered")
        other.command("video")
        for side in (one, other):
            side.await_event("video", sending=True, receiving=True)
            assert_sees_now(side, tmp_path / f"{id(side)}.png")
        remover.command("stop-video")
        for side in (one, other):
            side.await_event("video", sending=False, receiving=False)
            side.await_sound(0.5)


def test_both_add_video_at_once(voice_call, tmp_path):
    for side in voice_call:
        side.command("video")
    for side in voice_call:
        side.await_event("video", sending=True, receiving=True)
        assert_sees_now(side, tmp_path / f"{id(side)}.png")


def test_offered_video_is_refused_and_the_call_goes_on(voice_call):
    alice, bob = voice_call
    alice.command("video")
    bob.await_event("video-offered", receiving=True)
    bob.command("refuse-video")
    alice.await_event("video", status="refused", sending=False)
    for side in voice_call:
        side.await_sound(0.5)
    bob.command("video")  # and it may be asked for again
    alice.await_event("video-offered")
    alice.command("video")
    for side in voice_call:
        side.await_event("video", sending=True, receiving=True)


def test_the_direction_of_pictures_changes_by_mute_where_nobody_has_modified(voice_call, tmp_path):
    alice, bob = voice_call
    alice.command("video")
    bob.await_event("video-offered")
    bob.command("video")
    for side in voice_call:
        await_pictures(side)
    bob.command("direction receive")
    alice.await_event("video-mute", on=True)
    assert_sees_now(bob, tmp_path / "bob.png")
    bob.command("direction both")
    alice.await_event("video-mute", on=False)
    assert_sees_now(alice, tmp_path / "alice.png")


def test_hold_stops_the_pictures_and_resume_brings_them_back(server, run_jcall, answering,
                                                            tmp_path):
    bob = answering(server, "bob", *TEST)
    alice = run_jcall(server, "alice", "call", server.jid("bob"), *TEST, *SILENT)
    for side in (alice, bob):
        await_pictures(side)
    alice.command("hold")
    bob.await_event("hold", on=True, by="remote")
    bob.await_event("statistics")  # what was under way
    before = bob.await_event("statistics")["video"]["frames_decoded"]
    bob.await_event("statistics")
    assert bob.await_event("statistics")["video"]["frames_decoded"] == before
    alice.command("unhold")
    for side in (alice, bob):
        assert_sees_now(side, tmp_path / f"{id(side)}.png")


def test_no_picture_is_told_and_a_picture_comes_back(server, run_jcall, answering, tmp_path):
    bob = answering(server, "bob", *TEST)
    alice = run_jcall(server, "alice", "call", server.jid("bob"), *TEST, *SILENT)
    await_pictures(bob)
    alice.command("no-picture")
    bob.await_event("video-mute", on=True)
    alice.command("camera")
    bob.await_event("video-mute", on=False)
    assert_sees_now(bob, tmp_path / "seen.png")


def test_a_recording_has_sound_and_pictures(server, run_jcall, answering, tmp_path):
    film = tmp_path / "film.webm"
    bob = answering(server, "bob", "--watch", "--no-display", "--record", film, "--once")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), *TEST, "--source", "tone:440",
                      "--sink", "null")
    bob.await_event("file", what="record")
    await_pictures(bob, 30)
    alice.command("hangup")
    assert bob.await_exit() == 0
    streams = picture.probe(film, "-show_entries", "stream=codec_name", "-of", "csv=p=0").split()
    assert sorted(streams) == ["opus", "vp8"]
    packets = picture.probe(film, "-select_streams", "v", "-count_packets", "-show_entries",
                            "stream=nb_read_packets", "-of", "csv=p=0")
    assert int(packets.strip(",")) >= 30


def test_the_page_about_a_call_is_written(server, run_jcall, answering, tmp_path):
    page = tmp_path / "call.html"
    answering(server, "bob", *TEST)
    alice = run_jcall(server, "alice", "call", server.jid("bob"), *TEST, *SILENT, "--report", page)
    await_pictures(alice)
    alice.command("hangup")
    assert alice.await_exit() == 0
    text = page.read_text()
    assert text.startswith("<!DOCTYPE html>") and server.jid("bob") in text
    assert "<svg" in text and "http://" not in text.replace("http://www.w3.org/2000/svg", "")


def test_a_camera_that_is_not_there_is_said_and_the_call_goes_on(server, run_jcall, answering):
    bob = answering(server, "bob", "--watch", "--no-display")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--camera=/dev/none",
                      "--no-display", "--source", "tone:440", "--sink", "null")
    for side in (alice, bob):
        side.await_event("connected")
        side.await_sound(1)
    alice.command("hangup")
    assert alice.await_exit() == 0
    assert [said["direction"] for said in alice.seen("video-device")] == ["capture"]


def test_no_display_is_said_and_the_call_goes_on(server, run_jcall, answering):
    answering(server, "bob", *TEST)
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--watch", *SILENT,
                      environment={"DISPLAY": "", "WAYLAND_DISPLAY": ""})
    alice.await_event("error", status="display")
    await_pictures(alice)


def test_the_last_picture_is_saved_when_the_other_side_hangs_up(server, run_jcall, answering,
                                                                tmp_path):
    bob = answering(server, "bob", *TEST, "--snapshot", tmp_path / "seen.png", "--report",
                    tmp_path / "call.html")
    for ending in ("", "-2"):
        alice = run_jcall(server, "alice", "call", server.jid("bob"), *TEST, *SILENT)
        await_pictures(bob, 3)
        alice.command("hangup")
        assert bob.await_event("ended")["by"] == "remote"
        assert bob.await_event("file", what="report")["path"] == f"{tmp_path}/call{ending}.html"
        assert bob.await_event("file", what="snapshot")["path"] == f"{tmp_path}/seen{ending}.png"
        picture.assert_test_picture(picture.read(tmp_path / f"seen{ending}.png"))
        alice.await_exit()


def test_who_watches_sends_nothing_when_video_is_added(server, run_jcall, answering):
    bob = answering(server, "bob", "--watch", "--no-display")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), *SILENT, "--no-video",
                      "--test-picture", "--no-display", *SIZE)
    alice.await_event("connected")
    alice.command("video")
    bob.await_event("picture", what="accepting")
    bob.await_event("video", sending=False, receiving=True)
    await_pictures(bob)


def test_commands_that_do_not_fit_change_nothing(server, run_jcall, answering):
    answering(server, "bob", *TEST)
    alice = run_jcall(server, "alice", "call", server.jid("bob"), *TEST, *SILENT)
    await_pictures(alice, 3)
    for command in ("refuse-video", "video", "direction up", "record " + "x" * 2000 + " quit",
                    "record /dev/null/a.webm", "snapshot /dev/null/a.png"):
        alice.command(command)
        alice.await_event("error")
    await_pictures(alice, 3)
    assert len(alice.seen("error")) == 6


def film(path, *words):
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i",
                    "testsrc=size=320x240:rate=15:duration=4", *words, "-c:v", "libvpx", path],
                   check=True)
    return path


def test_a_film_is_shown_to_its_end_though_its_sound_is_shorter(server, run_jcall, answering,
                                                               tmp_path):
    answering(server, "bob", "--watch", "--no-display")
    path = film(tmp_path / "film.webm", "-f", "lavfi", "-i", "sine=440:duration=1", "-c:a",
                "libopus")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--play", path,
                      "--until-source-ends", "--sink", "null", "--no-display")
    alice.await_event("source-ended")
    alice.await_event("video-source-ended")
    assert alice.await_exit() == 0


def test_a_film_without_sound_is_shown_to_its_end(server, run_jcall, answering, tmp_path):
    answering(server, "bob", "--watch", "--no-display")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--play",
                      film(tmp_path / "film.webm"), "--until-source-ends", *SILENT,
                      "--no-display")
    alice.await_event("video-source-ended")
    assert alice.await_exit() == 0


def test_what_is_no_film_is_said_before_the_call(server, run_jcall, tmp_path):
    broken = tmp_path / "film.webm"
    broken.write_bytes(b"\x1aE\xdf\xa3" + b"no film" * 100)
    for path in (broken, tmp_path / "none.webm"):
        alice = run_jcall(server, "alice", "call", server.jid("bob"), "--play", path, *SILENT)
        assert alice.await_exit() == 41
        assert not alice.seen("connecting")


@pytest.mark.parametrize("option", ["--camera", "--screen"])
def test_an_option_takes_no_word_for_its_value(server, run_jcall, answering, option):
    answering(server, "bob")
    alice = run_jcall(server, "alice", option, "call", server.jid("bob"), "--no-display", *SILENT,
                      environment={"DISPLAY": "", "DBUS_SESSION_BUS_ADDRESS": "none:"})
    alice.await_event("connected")
