"""Dino (Debian's dino-im): it has neither ICE restart nor BUNDLE, and one content a transport."""

import install
import pytest
import sound
from dino import DOMAIN, PROGRAMS, Dino

OURS, THEIRS = 440, 880  # Hz
SOUND = ["--source", f"tone:{OURS}", "--sink", "null"]


@pytest.fixture
def dino_server(start_server):
    return start_server("--domain", DOMAIN, accounts=("alice", "bob"))


@pytest.fixture
def dino(dino_server, tmp_path):
    """alice's Dino."""
    install.debian(PROGRAMS)
    install.mounts()
    (tmp_path / "dino").mkdir()
    program = Dino(dino_server, "alice", "bob", tmp_path / "dino")
    program.card.say(THEIRS)
    yield program
    program.stop()


@pytest.fixture
def ours(dino_server, dino, run_jcall, tmp_path):
    """Runs bob's jcall, which records what it hears."""
    def run(*words):
        return run_jcall(dino_server, "bob", *words, *SOUND, "--record", tmp_path / "heard.wav",
                         resource="jcall")
    return run


def assert_talk(program, dino):
    """Each hears the other's tone; ours is judged from the recording, once the call is over."""
    program.await_event("connected")
    program.await_sound(3)
    assert sound.share_of_tone(*dino.card.hear(2), OURS) > 0.9
    last = program.await_event("statistics")
    assert last["packets_lost"] == 0 and last["codec"].startswith("opus")


def assert_heard(tmp_path):
    samples, rate = sound.read(tmp_path / "heard.wav")
    assert sound.share_of_tone(sound.heard_part(samples, rate), rate, THEIRS) > 0.9


@pytest.mark.parametrize("way", ["message", "direct"])
def test_we_call_and_they_hang_up(dino, ours, tmp_path, way):
    program = ours("call", dino.jid, *(["--direct"] if way == "direct" else []))
    dino.click("push button", "Accept")
    assert_talk(program, dino)
    dino.hang_up()
    ended = program.await_event("ended")
    assert (ended["reason"], ended["by"]) == ("hangup", "remote")
    assert program.await_exit() == 0
    assert_heard(tmp_path)


def test_they_call_and_we_hang_up(dino, ours, tmp_path):
    program = ours("answer", "--auto", "--once")
    program.await_event("online")
    dino.call()
    assert not program.await_event("incoming")["video"]
    assert_talk(program, dino)
    program.command("hangup")
    assert program.await_exit() == 0
    dino.await_idle()
    assert_heard(tmp_path)
