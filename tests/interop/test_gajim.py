"""Gajim 1.7: its calls know no encryption, and it cannot take files."""

import files
import install
import pytest
import sound
from gajim import PROGRAMS, Gajim

OURS, THEIRS = 440, 880  # Hz
MOSTLY = 0.7  # of the time: on a busy computer its GStreamer leaves gaps
SOUND = ["--source", f"tone:{OURS}", "--sink", "null"]
ALLOWED = "--allow-unencrypted"
DEVICE = "jcall (jcall)"  # as it calls us


@pytest.fixture
def start_gajim(tmp_path):
    """alice's Gajim: start_gajim(server, opus=False)."""
    install.debian(PROGRAMS)
    install.mounts()
    running = []

    def start(server, **options):
        (tmp_path / "gajim").mkdir()
        running.append(Gajim(server, "alice", "bob", THEIRS, tmp_path / "gajim", **options))
        return running[-1]

    yield start
    for program in running:
        program.stop()


@pytest.fixture
def quiet_server(start_server):
    return start_server(accounts=("alice", "bob"))


@pytest.fixture
def gajim(start_gajim, quiet_server):
    return start_gajim(quiet_server)


@pytest.fixture
def ours(quiet_server, run_jcall, tmp_path):
    """Runs bob's jcall, which records what it hears."""
    def run(*words):
        program = run_jcall(quiet_server, "bob", *words, *SOUND, "--record",
                            tmp_path / "heard.wav", resource="jcall")
        program.await_event("online")
        return program
    return run


def assert_talk(program, gajim, codec):
    """Each hears the other's tone; ours is judged from the recording, once the call is over. All of
    it is shown as what it is."""
    connected = program.await_event("connected")
    assert (connected["peer"], connected["encrypted"]) == (gajim.jid, False)
    program.await_sound(3)
    assert sound.share_of_tone(*gajim.card.hear(2), OURS) > MOSTLY
    last = program.await_event("statistics")
    assert last["packets_lost"] == 0 and last["codec"].startswith(codec)
    assert (last["srtp_profile"], last["dtls_cipher"]) == ("", "")


def assert_heard(tmp_path):
    samples, rate = sound.read(tmp_path / "heard.wav")
    assert sound.share_of_tone(sound.heard_part(samples, rate), rate, THEIRS) > MOSTLY


# ---- calls ---------------------------------------------------------------------------------------


def test_they_call_and_hang_up(gajim, ours, tmp_path):
    program = ours("answer", "--auto", "--once", ALLOWED)
    gajim.call()
    incoming = program.await_event("incoming")
    assert (incoming["from"], incoming["encrypted"], incoming["video"]) == (gajim.jid, False, False)
    assert_talk(program, gajim, "opus")
    gajim.hang_up()
    ended = program.await_event("ended")
    assert (ended["reason"], ended["by"]) == ("hangup", "remote")
    assert program.await_exit() == 0
    assert_heard(tmp_path)


def test_they_call_without_opus_and_we_hang_up(quiet_server, start_gajim, ours, tmp_path):
    gajim = start_gajim(quiet_server, opus=False)
    program = ours("answer", "--auto", "--once", ALLOWED)
    gajim.call()
    assert_talk(program, gajim, "PCM")
    program.command("hangup")
    assert program.await_exit() == 0
    gajim.await_idle()
    assert_heard(tmp_path)


def test_we_call_and_hang_up(gajim, ours, tmp_path):
    program = ours("call", gajim.account, ALLOWED)
    gajim.accept()
    assert_talk(program, gajim, "opus")
    program.command("hangup")
    assert program.await_exit() == 0
    gajim.await_idle()
    assert_heard(tmp_path)


def test_both_refuse(gajim, ours):
    program = ours("call", gajim.account, ALLOWED)
    gajim.reject()
    assert program.await_exit() == 11
    program = ours("answer", "--once", ALLOWED)
    gajim.call()
    program.await_event("incoming")
    program.command("decline")
    program.await_event("ended")
    gajim.await_idle()


def test_without_permission_there_is_no_call(gajim, ours):
    """Nor does it ring: who calls is told that it is for want of security."""
    program = ours("call", gajim.account)
    ended = program.await_event("ended")
    assert ended["reason"] == "no-call-support" and "unencrypted" in ended["text"]
    assert program.await_exit() == 15
    program = ours("answer")
    gajim.call()
    gajim.await_stanza("session-terminate", "security-error")
    assert not program.seen("incoming")


def test_their_pictures_are_refused_and_the_talk_goes_on(gajim, ours, tmp_path):
    """Without encryption there is sound only."""
    program = ours("answer", "--auto", "--once", ALLOWED, "--video", "--test-picture",
                   "--no-display")
    gajim.call("video")
    assert not program.await_event("incoming")["video"]
    assert_talk(program, gajim, "opus")
    gajim.hang_up()
    assert program.await_exit() == 0
    assert_heard(tmp_path)


# ---- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3 * files.MIB])
def test_they_send_a_file(quiet_server, gajim, receiving, tmp_path, size):
    path = files.make(tmp_path / "out" / "sent.bin", size)
    program = receiving(quiet_server, "bob", tmp_path / "in", resource="jcall")
    gajim.send_file(path, DEVICE)
    ended = files.end(program)
    assert (ended["status"], ended["way"], ended["hash"]) == ("ok", "direct", "equal")
    assert files.equal(path, ended["path"])


def test_they_send_a_file_by_our_proxy(start_server, start_gajim, receiving, tmp_path):
    """It takes no proxy at 127.0.0.1 itself."""
    server = start_server("--proxy", "--listen", "127.0.0.9", accounts=("alice", "bob"))
    gajim = start_gajim(server)
    path = files.make(tmp_path / "out" / "sent.bin", 3 * files.MIB)
    program = receiving(server, "bob", tmp_path / "in", "--relay-only", resource="jcall")
    gajim.send_file(path, DEVICE)
    ended = files.end(program)
    assert (ended["status"], ended["way"], ended["hash"]) == ("ok", "proxy", "equal")
    assert files.equal(path, ended["path"])


def test_they_are_offered_no_file_but_find_it_on_the_server(start_server, start_gajim, sending,
                                                            tmp_path):
    """Their receiver would acknowledge an offer, stumble and say nothing for ever."""
    server = start_server("--upload", str(files.MIB), accounts=("alice", "bob"))
    gajim = start_gajim(server)
    path = files.make(tmp_path / "out" / "sent.bin", 1000)
    program = sending(server, "bob", "alice", path, resource="jcall")
    ended = files.end(program)
    assert ended["status"] == "no-file-support" and "cannot take files" in ended["text"]
    assert program.await_exit() == 50
    program = sending(server, "bob", "alice", path, resource="jcall", words=["--via", "http"])
    ended = files.end(program)
    assert (ended["status"], ended["way"]) == ("ok", "http")
    gajim.await_message(ended["url"])
