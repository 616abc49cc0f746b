"""Dino (Debian's dino-im): it has neither ICE restart nor BUNDLE, and one content a transport."""

import subprocess
from urllib.parse import urlsplit

import camera
import files
import install
import netns
import pytest
import sound
from dino import DOMAIN, PROGRAMS, Dino
from test_video import SIZE, assert_sees_now, await_pictures

OURS, THEIRS = 440, 880  # Hz
SOUND = ["--source", f"tone:{OURS}", "--sink", "null"]
PICTURES = ["--test-picture", "--no-display", *SIZE]


@pytest.fixture
def dino_server(start_server):
    return start_server("--domain", DOMAIN, accounts=("alice", "bob"))


@pytest.fixture
def start_dino(tmp_path):
    """alice's Dino."""
    started = []

    def start(server, programs=PROGRAMS, **options):
        install.debian(programs)
        install.mounts()
        (tmp_path / "dino").mkdir()
        started.append(Dino(server, "alice", "bob", THEIRS, tmp_path / "dino", **options))
        return started[-1]

    yield start
    for program in started:
        program.stop()


@pytest.fixture
def dino(dino_server, start_dino):
    return start_dino(dino_server)


@pytest.fixture
def seen_dino(dino_server, start_dino):
    """One with a camera, which shows the test picture."""
    return start_dino(dino_server, {**PROGRAMS, **camera.PROGRAMS}, with_camera=True)


@pytest.fixture
def ours(dino_server, run_jcall, tmp_path):
    """Runs bob's jcall, which records what it hears."""
    def run(*words):
        return run_jcall(dino_server, "bob", *words, *SOUND, "--record", tmp_path / "heard.wav",
                         resource="jcall")
    return run


def speaks(event):
    return event["packets_received"] > 0


def speaks_and_shows(event):
    return speaks(event) and event["video"]["frames_decoded"] > 0


def until_they_speak(dino, begin, is_there=speaks):
    """begin() makes a call. Dino 0.4.2 starts its microphone before what comes behind it in its
    pipeline; if the first sound, which is there after 10 ms, is quicker, its source stops for ever
    and no packet is sent, while ours arrive and are played. A loaded machine makes that likely, and
    the same with its camera.
    People call again, and so do we, twice."""
    for _ in range(3):
        program = begin()
        for _ in range(6):
            if is_there(program.await_event("statistics")):
                return program
        program.command("hangup")
        program.await_exit()
        dino.await_idle()
    raise AssertionError(f"Dino says nothing in three calls\n{dino.log()}")


def call(dino, ours, *words, **options):
    """We call."""
    def begin():
        program = ours("call", *(words or [dino.account]))
        dino.accept()
        program.await_event("connected")
        return program
    return until_they_speak(dino, begin, **options)


def be_called(dino, ours, *words, kind="Audio call", **options):
    def begin():
        program = ours("answer", "--auto", "--once", *words)
        program.await_event("online")
        dino.call(kind)
        assert program.await_event("incoming")["video"] == (kind == "Video call")
        program.await_event("connected")
        return program
    return until_they_speak(dino, begin, **options)


def assert_talk(program, dino):
    """Each hears the other's tone; ours is judged from the recording, once the call is over."""
    program.await_sound(3)
    dino.card.await_tone(OURS)
    last = program.await_event("statistics")
    assert last["packets_lost"] == 0 and last["codec"].startswith("opus")


def assert_heard(tmp_path):
    samples, rate = sound.read(tmp_path / "heard.wav")
    assert sound.share_of_tone(sound.heard_part(samples, rate), rate, THEIRS) > 0.9


@pytest.mark.parametrize("way", ["message", "direct"])
def test_we_call_and_they_hang_up(dino, ours, tmp_path, way):
    program = call(dino, ours, *([dino.account] if way == "message" else [dino.jid, "--direct"]))
    assert_talk(program, dino)
    dino.hang_up()
    ended = program.await_event("ended")
    assert (ended["reason"], ended["by"]) == ("hangup", "remote")
    assert program.await_exit() == 0
    assert_heard(tmp_path)


def test_they_call_and_we_hang_up(dino, ours, tmp_path):
    program = be_called(dino, ours)
    assert_talk(program, dino)
    program.command("hangup")
    assert program.await_exit() == 0
    dino.await_idle()
    assert_heard(tmp_path)


def test_they_refuse(dino, ours):
    program = ours("call", dino.account)
    dino.reject()
    assert program.await_exit() == 11


@pytest.mark.parametrize("command", ["decline", "busy"])
def test_we_refuse(dino, ours, command):
    program = ours("answer")
    program.await_event("online")
    dino.call()
    program.await_event("incoming")
    program.command(command)
    program.await_event("ended")
    dino.await_idle()
    dino.await_call("declined")


def test_they_give_up(dino, ours):
    program = ours("answer")
    program.await_event("online")
    dino.call()
    program.await_event("incoming")
    dino.hang_up()
    assert program.await_event("ended")["reason"] == "canceled"


def test_we_give_up(dino, ours):
    program = ours("call", dino.account)
    dino.await_ringing()
    program.command("hangup")
    assert program.await_exit() == 18
    dino.await_call("missed")


def test_they_mute(dino, ours):
    program = call(dino, ours)
    dino.mute()
    program.await_event("mute", on=True, by="remote")
    program.await_event("statistics", where=lambda event: event["level_received"] < 0.001)
    dino.mute()
    program.await_event("mute", on=False, by="remote")
    program.await_event("statistics", where=lambda event: event["level_received"] > 0.05)
    program.command("hangup")
    dino.await_idle()


def test_two_devices_ring_and_ours_stops_when_dino_answers(dino_server, dino, ours, run_jcall):
    """Dino tells its own account of its answer; so do we, and Dino stops."""
    other = run_jcall(dino_server, "alice", "answer", *SOUND, resource="phone")
    other.await_event("online")
    program = ours("call", dino.account)
    other.await_event("incoming")
    dino.accept()
    assert other.await_event("ended")["reason"] == "elsewhere"
    assert program.await_event("connected")["peer"] == dino.jid
    program.command("hangup")
    dino.await_idle()


def test_two_devices_ring_and_dino_stops_when_ours_answers(dino_server, dino, ours, run_jcall):
    other = run_jcall(dino_server, "alice", "answer", *SOUND, resource="phone")
    other.await_event("online")
    program = ours("call", dino.account)
    other.await_event("incoming")
    dino.await_ringing()
    other.command("answer")
    dino.await_call("other device")
    assert program.await_event("connected")["peer"] == f"{dino_server.jid('alice')}/phone"


def test_they_see_our_pictures(dino, ours, tmp_path):
    """Dino has no camera here: it watches, and says so by the direction of the content."""
    program = call(dino, ours, dino.account, "--video", *PICTURES)
    dino.await_picture(tmp_path / "screen.png")
    dino.card.await_tone(OURS)
    program.command("hangup")
    assert program.await_exit() == 0


@pytest.mark.parametrize("caller", ["they", "we"])
def test_both_see_each_other_from_the_start(seen_dino, ours, tmp_path, caller):
    """Dino switches its camera on by itself in a call that is offered with pictures."""
    if caller == "they":
        program = be_called(seen_dino, ours, "--video", *PICTURES, kind="Video call",
                            is_there=speaks_and_shows)
    else:
        program = call(seen_dino, ours, seen_dino.account, "--video", *PICTURES,
                       is_there=speaks_and_shows)
    await_pictures(program)
    assert_sees_now(program, tmp_path / "seen.png")
    assert program.await_event("statistics")["video"]["codec_received"] == "VP8"
    seen_dino.switch_camera()
    program.await_event("video-mute", on=True, by="remote")
    program.await_sound(1)
    seen_dino.switch_camera()
    program.await_event("video-mute", on=False, by="remote")
    assert_sees_now(program, tmp_path / "seen again.png")
    program.command("hangup")
    assert program.await_exit() == 0
    seen_dino.await_idle()


def test_they_add_pictures(seen_dino, ours, tmp_path):
    def begin():
        program = call(seen_dino, ours, seen_dino.account, "--no-video", *PICTURES)
        seen_dino.switch_camera()
        program.await_event("video-offered")
        program.command("video")
        program.await_event("video", receiving=True)
        return program

    program = until_they_speak(seen_dino, begin, speaks_and_shows)
    await_pictures(program)
    assert_sees_now(program, tmp_path / "seen.png")
    program.await_sound(1)


def test_we_add_pictures_and_take_them_away(dino, ours, tmp_path):
    program = call(dino, ours, dino.account, "--no-video", *PICTURES)
    for _ in range(2):
        program.command("video")
        program.await_event("video", sending=True)
        dino.await_picture(tmp_path / "screen.png")
        program.command("stop-video")
        program.await_event("video", sending=False)
        program.await_sound(1)
    program.command("hangup")
    assert program.await_exit() == 0


def test_hold_is_silence_there_and_digits_are_not_taken(dino, ours):
    program = call(dino, ours)
    program.command("digits 12#")
    assert program.await_event("error")["status"] == "unsupported"
    program.command("hold")
    program.await_event("hold", on=True, by="local")
    dino.card.await_silence()
    program.command("unhold")
    program.await_event("hold", on=False, by="local")
    dino.card.await_tone(OURS)
    program.command("hangup")
    assert program.await_exit() == 0


# ---- another server, other networks ---------------------------------------------------------------


def test_at_ejabberd(start_ejabberd, start_dino, run_jcall, tmp_path):
    """We call, and they."""
    server = start_ejabberd("--domain", DOMAIN)
    dino = start_dino(server)

    def ours(*words):
        return run_jcall(server, "bob", *words, *SOUND, "--record", tmp_path / "heard.wav",
                         resource="jcall")

    for talk in (call, be_called):
        program = talk(dino, ours)
        assert_talk(program, dino)
        program.command("hangup")
        assert program.await_exit() == 0
        dino.await_idle()
        assert_heard(tmp_path)


class Scene:
    """Dino in the network "b" of an internet of namespaces, jcall in "a", and a server for both."""

    def __init__(self, internet, start_server, start_dino):
        self.internet, public = internet, internet.prefix("public")
        self.server = start_server("--domain", DOMAIN, "--listen", netns.PUBLIC, "--proxy",
                                   prefix=public)
        netns.run(*public, "nft", f"""
            add table ip door
            add chain ip door in {{ type nat hook prerouting priority -100 ; }}
            add rule ip door in tcp dport 5222 redirect to :{self.server.port}
            """)
        self.dino = start_dino(self.server, prefix=internet.prefix("b"))
        self.ours = {"prefix": internet.prefix("a"), "loopback": False, "resource": "jcall"}


@pytest.fixture
def scene(start_internet, start_server, start_dino):
    return lambda **network: Scene(start_internet(**network), start_server, start_dino)


@netns.needed
def test_our_address_changes(scene, run_jcall, tmp_path):
    """Dino cannot restart ICE: it is left alone, the user is told, the call waits for the network
    that it had, and a new call goes by the new one."""
    net = scene(open_sides="b")

    def ours(*words):
        return run_jcall(net.server, "bob", *words, *SOUND, "--record", tmp_path / "heard.wav",
                         **net.ours)

    program = call(net.dino, ours)
    net.internet.cut("a")
    assert "another network" in program.await_event("interrupted")["text"]
    net.internet.mend("a")
    program.await_event("recovered")
    program.await_sound(1)
    net.internet.prepare_mobile("a")
    net.internet.go_mobile("a")
    assert "another network" in program.await_event("interrupted")["text"]
    assert program.await_event("ended")["reason"] == "connection-lost"
    net.dino.hang_up()
    net.dino.await_idle()
    assert_talk(call(net.dino, ours), net.dino)


# ---- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3 * files.MIB])
def test_they_take_a_file(dino_server, dino, sending, tmp_path, size):
    """Below 5 MB it asks nobody."""
    path = files.make(tmp_path / "out" / "sent.bin", size)
    program = sending(dino_server, "bob", dino.jid, path, resource="jcall")
    ended = files.end(program)
    assert (ended["status"], ended["way"]) == ("ok", "direct")
    assert program.await_exit() == 0
    assert files.equal(path, dino.await_file())


@pytest.mark.parametrize("size", [1, 3 * files.MIB])
def test_they_send_a_file(dino_server, dino, receiving, tmp_path, size):
    path = files.make(tmp_path / "out" / "sent.bin", size)
    program = receiving(dino_server, "bob", tmp_path / "in")
    dino.send_file(path)
    ended = files.end(program)
    assert (ended["status"], ended["way"]) == ("ok", "direct")
    assert files.equal(path, ended["path"])


@netns.needed
def test_between_two_routers_the_proxy_is_taken(scene, receiving, sending, tmp_path):
    """Both ways."""
    net = scene()
    path = files.make(tmp_path / "out" / "ours.bin", 300_000)
    program = sending(net.server, "bob", net.dino.jid, path, **net.ours)
    ended = files.end(program)
    assert (ended["status"], ended["way"]) == ("ok", "proxy")
    assert program.await_exit() == 0
    assert files.equal(path, net.dino.await_file())
    path = files.make(tmp_path / "out" / "theirs.bin", 300_000)
    program = receiving(net.server, "bob", tmp_path / "in", **net.ours)
    net.dino.send_file(path)
    ended = files.end(program)
    assert (ended["status"], ended["way"]) == ("ok", "proxy")
    assert files.equal(path, ended["path"])


@netns.needed
def test_without_the_proxy_no_way_is_left(scene, receiving, sending, tmp_path):
    """Dino 0.4.2 cannot take in-band streams, and cannot replace the transport. That is told."""
    net = scene()
    net.internet.block("a", f"tcp dport {net.server.proxy_port}")
    path = files.make(tmp_path / "out" / "ours.bin", 300_000)
    program = sending(net.server, "bob", net.dino.jid, path, **net.ours)
    assert files.end(program)["status"] == "no-path"
    assert program.await_exit() != 0
    program = receiving(net.server, "bob", tmp_path / "in", **net.ours)
    net.dino.send_file(path)
    assert files.end(program)["status"] == "no-path"
    assert files.names(tmp_path / "in") == []


def test_they_take_a_file_that_we_left_on_the_server(start_server, start_dino, sending, tmp_path):
    server = start_server("--domain", DOMAIN, "--upload", "10000000")
    dino = start_dino(server)
    path = files.make(tmp_path / "out" / "sent.bin", 3 * files.MIB)
    hosts = tmp_path / "hosts"
    hosts.write_text(f"{server.host} {DOMAIN}\n")
    program = sending(server, "bob", dino.account, path, words=["--via", "http"],
                      prefix=install.seeing({hosts: "/etc/hosts"}))
    assert files.end(program)["status"] == "ok"
    assert files.equal(path, dino.await_file())


def test_the_link_to_a_file_that_they_left_on_the_server_is_told(start_server, start_dino,
                                                                 receiving, tmp_path):
    """Where their server keeps files they choose that way, though we could take it directly."""
    server = start_server("--domain", DOMAIN, "--upload", "10000000")
    dino = start_dino(server)
    path = files.make(tmp_path / "out" / "theirs.bin", 300_000)
    program = receiving(server, "bob", tmp_path / "in")
    dino.send_file(path)
    link = program.await_event("link", 60)
    assert (link["from"], link["encrypted"]) == (dino.account, False)
    there = urlsplit(link["url"])
    done = subprocess.run(["curl", "--silent", "--show-error", "--fail", "--cacert",
                           server.ca_file, "--connect-to", f"{there.hostname}::{server.host}:",
                           link["url"]], capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == path.read_bytes()
    assert files.names(tmp_path / "in") == []
