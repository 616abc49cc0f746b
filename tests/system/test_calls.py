"""Calls that succeed, in all the ways they can be made; what is heard is judged by its content."""

from pathlib import Path

import jcall
import pytest
import sound
from test_endings import alter, tamper_module

SPEECH = Path(__file__).parents[1] / "data" / "speech.opus"


def talk(alice, bob, seconds=1):
    for side in (alice, bob):
        side.await_event("connected")
    return [side.await_sound(seconds) for side in (alice, bob)]


def test_speech_arrives_as_it_was_spoken(server, run_jcall, answering, tmp_path):
    spoken, heard = tmp_path / "spoken.wav", tmp_path / "heard.wav"
    sound.write(spoken, *sound.decode(SPEECH, seconds=8))
    answering(server, "bob", "--record", heard, "--once")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", f"file:{spoken}",
                      "--sink", "null", "--until-source-ends")
    alice.await_event("source-ended", 60)
    assert alice.await_exit() == 0
    assert sound.speech_match(*sound.read(spoken), *sound.read(heard)) > 0.9


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_a_call_with_g711(server, run_jcall, answering, tmp_path, codec):
    heard = tmp_path / "heard.wav"
    bob = answering(server, "bob", "--record", heard, "--once")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "tone:440",
                      "--sink", "null", "--codec", codec)
    one, other = talk(alice, bob, 2)
    assert one["codec"].startswith(codec) and other["codec"].startswith(codec)
    alice.command("hangup")
    assert bob.await_exit() == 0
    assert sound.share_of_tone(*sound.read(heard), 440) > 0.9


@pytest.mark.parametrize("words", [["--ptime", "60"], ["--ptime", "10"], ["--stereo"], ["--fec"],
                                   ["--bitrate", "128000"]], ids=" ".join)
def test_ways_to_code_opus(server, run_jcall, answering, tmp_path, words):
    heard = tmp_path / "heard.wav"
    bob = answering(server, "bob", "--record", heard, "--once")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "tone:440",
                      "--sink", "null", *words)
    talk(alice, bob, 2)
    alice.command("hangup")
    assert bob.await_exit() == 0
    assert sound.share_of_tone(*sound.read(heard), 440) > 0.9


def test_silence_is_not_sent_with_dtx(server, run_jcall, answering):
    bob = answering(server, "bob")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "silence", "--sink",
                      "null", "--dtx")
    last = talk(alice, bob, 5)[1]
    assert last["packets_received"] < 0.5 * 50 * last["duration"] / 1e6
    assert last["packets_lost"] == 0


@pytest.mark.signalling
@pytest.mark.parametrize("device", ["", "/desk"], ids=["contact", "device"])
def test_a_direct_call_without_message_initiation(server, run_jcall, answering, device):
    bob = answering(server, "bob", resource="desk")
    alice = run_jcall(server, "alice", "call", server.jid("bob") + device, "--direct", "--source",
                      "tone:440", "--sink", "null")
    talk(alice, bob)
    alice.command("hangup")
    assert bob.await_event("ended")["reason"] == "hangup"
    assert alice.await_exit() == 0


@pytest.mark.signalling
def test_a_call_to_one_device_of_two(server, run_jcall, answering):
    desk = answering(server, "bob", resource="desk")
    phone = run_jcall(server, "bob", "answer", resource="phone")
    phone.await_event("online")
    alice = run_jcall(server, "alice", "call", server.jid("bob") + "/desk", "--source", "silence",
                      "--sink", "null")
    talk(alice, desk)
    assert not phone.seen("incoming")


@pytest.mark.parametrize("setup", ["active", "passive"])
def test_both_dtls_roles(start_server, run_jcall, answering, setup):
    """An offer of `active` makes the callee answer `passive`: it is then the DTLS server."""
    server = start_server("--module", tamper_module())
    alter(server, f"session-initiate setup=(.)actpass setup=%1{setup}")
    bob = answering(server, "bob")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "tone:440",
                      "--sink", "null")
    talk(alice, bob)
    alice.command("hangup")
    assert alice.await_exit() == 0


def test_digits_mute_and_hold_reach_the_other_side(server, connected_call):
    alice, bob = connected_call(server)
    alice.command("digits 12#")
    assert [bob.await_event("digit", by="remote")["digit"] for _ in range(3)] == ["1", "2", "#"]
    alice.command("mute")
    bob.await_event("mute", on=True, by="remote")
    bob.await_event("statistics", where=lambda event: event["level_received"] < 0.01)
    alice.command("unmute")
    bob.await_event("mute", on=False, by="remote")
    bob.await_event("statistics", where=lambda event: event["level_received"] > 0.1)
    bob.command("hold")
    alice.await_event("hold", on=True, by="remote")
    bob.command("unhold")
    alice.await_event("hold", on=False, by="remote")
    alice.await_event("statistics", where=lambda event: event["level_received"] > 0.1)
    alice.await_sound(1)


def test_it_rings_at_both_ends_until_the_answer(server, run_jcall, tmp_path):
    here, there = tmp_path / "here.wav", tmp_path / "there.wav"
    bob = run_jcall(server, "bob", "answer", "--source", "silence", "--sink", "null",
                    "--ring", f"file:{here}")
    bob.await_event("online")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "silence",
                      "--sink", "null", "--ring", f"file:{there}")
    bob.await_event("incoming")
    alice.await_event("ringing")
    jcall.await_true(lambda: all(path.exists() and path.stat().st_size > 96_000
                                 for path in (here, there)))
    bob.command("answer")
    for side in (alice, bob):
        side.await_event("connected")
    sizes = [path.stat().st_size for path in (here, there)]
    alice.await_sound(1.0)
    assert sizes == [path.stat().st_size for path in (here, there)], "it rings during the call"
    samples, rate = sound.read(there)
    assert sound.share_of_tone(samples[int(0.1 * rate):int(0.8 * rate)], rate, 425) > 0.9
    assert abs(sound.read(here)[0]).max() > 0.1


def test_a_second_caller_waits_and_is_talked_to_in_turn(server, run_jcall, connected_call):
    alice, bob = connected_call(server, answer_words=["--call-waiting"])
    carol = run_jcall(server, "carol", "call", server.jid("bob"), "--source", "tone:660",
                      "--sink", "null")
    assert bob.await_event("call-waiting")["from"].startswith(server.jid("carol"))
    carol.await_event("ringing")
    bob.command("switch")
    alice.await_event("hold", on=True)
    for side in (carol, bob):
        side.await_event("connected")
    carol.await_sound(0.5)
    bob.command("switch")
    carol.await_event("hold", on=True)
    alice.await_event("hold", on=False)
    alice.await_sound(0.5)
    bob.command("hangup")
    assert alice.await_exit() == 0
    bob.await_event("back")
    carol.await_event("hold", on=False)
    carol.command("hangup")
    assert carol.await_exit() == 0
    bob.await_event("ended")


def test_a_waiting_call_rings_when_the_other_one_ends(server, run_jcall, connected_call):
    alice, bob = connected_call(server, answer_words=["--call-waiting"])
    carol = run_jcall(server, "carol", "call", server.jid("bob"), "--source", "silence",
                      "--sink", "null")
    bob.await_event("call-waiting")
    alice.command("hangup")
    bob.await_event("ended")
    bob.command("decline")
    assert carol.await_event("ended")["reason"] == "declined"


def test_call_after_call_with_the_same_answerer(server, run_jcall, answering):
    bob = answering(server, "bob")
    for _ in range(3):
        alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "tone:440",
                          "--sink", "null", "--seconds", "1")
        assert alice.await_exit() == 0
        assert bob.await_event("ended")["reason"] == "hangup"


def test_a_stock_server_slows_nothing_down(start_server, run_jcall, answering):
    """Debian's Prosody lets a client send 10 kB/s."""
    server = start_server("--limit", "10kb/s")
    bob = answering(server, "bob")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "tone:440",
                      "--sink", "null")
    talk(alice, bob)


@pytest.mark.signalling
@pytest.mark.parametrize("module", ["smacks", "carbons", "mam"])
def test_a_server_without_what_is_nice_to_have(start_server, run_jcall, answering, module):
    server = start_server("--without", module)
    bob = answering(server, "bob")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "tone:440",
                      "--sink", "null", "--seconds", "1")
    assert alice.await_exit() == 0
    assert bob.await_event("ended")["reason"] == "hangup"


@pytest.mark.signalling
def test_a_call_over_ejabberd(ejabberd, run_jcall, answering):
    bob = answering(ejabberd, "bob")
    alice = run_jcall(ejabberd, "alice", "call", ejabberd.jid("bob"), "--source", "tone:440",
                      "--sink", "null")
    talk(alice, bob)
    alice.command("hangup")
    assert bob.await_event("ended")["reason"] == "hangup"
    assert alice.await_exit() == 0
