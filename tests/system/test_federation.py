"""Calls and files from a server to another one: alice's is Prosody, bob's ejabberd."""

import re

import files
import pytest
import sound
from federation import DEAD
from test_calls import talk
from test_video import SIZE, assert_sees_now

pytestmark = pytest.mark.signalling


@pytest.fixture
def federation(start_federation):
    return start_federation()


def homes(federation, caller):
    """(server, name) of who calls and of who is called."""
    alice, bob = (federation.one, "alice"), (federation.other, "bob")
    return (alice, bob) if caller == "alice" else (bob, alice)


def ring(run_jcall, here, jid, *words):
    return run_jcall(*here, "call", jid, "--source", "tone:440", "--sink", "null", *words)


def call(run_jcall, answering, here, there, *words, answer_words=()):
    callee = answering(*there, *answer_words)
    caller = ring(run_jcall, here, there[0].jid(there[1]), *words)
    talk(caller, callee)
    return caller, callee


def test_two_strangers_become_contacts(start_federation, run_jcall):
    federation = start_federation(acquainted=False)
    (one, alice), (other, bob) = homes(federation, "alice")
    assert run_jcall(one, alice, "contacts", "add", other.jid(bob)).await_exit() == 0
    watching = run_jcall(other, bob, "contacts")
    watching.await_event("subscription", jid=one.jid(alice))
    assert watching.await_exit() == 0
    assert run_jcall(other, bob, "contacts", "add", one.jid(alice)).await_exit() == 0
    watching = run_jcall(one, alice, "answer")
    watching.await_event("contact", jid=other.jid(bob), subscription="both")


@pytest.mark.parametrize("way, caller", [("dialback", "alice"), ("certificates", "bob")])
def test_a_call(start_federation, run_jcall, answering, tmp_path, way, caller):
    federation = start_federation(way)
    here, there = homes(federation, caller)
    records = [tmp_path / "here.wav", tmp_path / "there.wav"]
    one, other = call(run_jcall, answering, here, there, "--record", records[0],
                      answer_words=["--record", records[1], "--once"])
    one.command("mute")
    other.await_event("mute", on=True, by="remote")
    one.command("unmute")
    other.await_event("mute", on=False, by="remote")
    one.command("hangup")
    assert other.await_event("ended")["reason"] == "hangup"
    assert one.await_exit() == other.await_exit() == 0
    for path, hz in zip(records, (880, 440), strict=True):
        assert sound.share_of_tone(*sound.read(path), hz) > 0.8
    shown = {"dialback": "dialback", "certificates": "EXTERNAL"}[way]
    for direction in ("inbound", "outbound"):
        assert re.search(f"Accepted {direction} s2s {shown} authentication", federation.other.log())


def test_a_call_with_pictures(federation, run_jcall, answering, tmp_path):
    words = ["--video", "--test-picture", "--no-display", *SIZE]
    alice, bob = call(run_jcall, answering, *homes(federation, "alice"), *words,
                      answer_words=words)
    for side in (alice, bob):
        assert_sees_now(side, tmp_path / f"{id(side)}.png")


@pytest.mark.parametrize("caller", ["alice", "bob"])
def test_files(federation, receiving, sending, tmp_path, caller):
    here, there = homes(federation, caller)
    taker = receiving(*there, tmp_path / "in")
    for via, way in (("p2p", "direct"), ("proxy", "proxy"), ("inband", "in-band")):
        path = files.make(tmp_path / "out" / f"{via}.bin", 300_001)
        giver = sending(*here, there[0].jid(there[1]), path, words=["--via", via])
        for side in (giver, taker):
            assert files.end(side, status="ok")["way"] == way
        assert giver.await_exit() == 0
        assert files.equal(path, tmp_path / "in" / path.name)


def test_a_call_while_the_servers_are_parted(federation, run_jcall, answering, tmp_path):
    record = tmp_path / "heard.wav"
    alice, bob = call(run_jcall, answering, *homes(federation, "alice"),
                      answer_words=["--record", record, "--once"])
    federation.cut()
    alice.command("mute")
    bob.await_event("statistics", where=lambda event: event["level_received"] < 0.01)
    alice.command("unmute")
    bob.await_event("statistics", where=lambda event: event["level_received"] > 0.1)
    for side in (alice, bob):
        side.await_sound(1)
    federation.mend()
    for side, other in ((alice, bob), (bob, alice)):
        side.command("hold")
        other.await_event("hold", on=True, by="remote")
        side.command("unhold")
        other.await_event("hold", on=False, by="remote")
    for side in (alice, bob):
        side.await_sound(1)
    bob.command("hangup")
    assert alice.await_event("ended")["reason"] == "hangup"
    assert not alice.seen("interrupted") and not bob.seen("interrupted")


def test_a_hang_up_while_the_servers_are_parted(federation, run_jcall, answering):
    alice, bob = call(run_jcall, answering, *homes(federation, "alice"), answer_words=["--once"])
    federation.cut()
    alice.command("hangup")
    assert alice.await_exit() == 0
    assert bob.await_event("ended")["reason"] in ("hangup", "connection-lost")
    bob.await_exit()


@pytest.mark.parametrize("caller", ["alice", "bob"])
def test_servers_that_cannot_be_reached(federation, run_jcall, sending, tmp_path, caller):
    here, _ = homes(federation, caller)
    path = files.make(tmp_path / "x", 10)
    for domain in ("nowhere.invalid", DEAD):
        program = ring(run_jcall, here, f"carol@{domain}")
        began = program.await_event("calling")
        ended = program.await_event("ended")
        assert ended["reason"] == "unreachable" and "server" in ended["text"]
        assert ended["time"] - began["time"] < 8_000_000
        assert program.await_exit() == 14
        program = sending(*here, f"carol@{domain}/desk", path)
        ended = files.end(program)
        assert ended["status"] == "peer-server" and "server" in ended["text"]
        assert program.await_exit() == 14
