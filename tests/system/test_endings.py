"""Every way a call can end, as the exit code of one side and the events of both."""

import time

import pytest
import sound
from peer import CALLABLE, DTLS, MESSAGE


def ended(side):
    return side.await_event("ended")


def ringing_call(run_jcall, server, *words, answer_words=()):
    """alice calls, and bob's jcall rings: returns (alice, bob)."""
    bob = run_jcall(server, "bob", "answer", "--once", *answer_words)
    bob.await_event("online")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "silence", "--sink",
                      "null", *words)
    bob.await_event("incoming")
    alice.await_event("ringing")
    return alice, bob


@pytest.mark.smoke
def test_two_people_talk_and_the_caller_hangs_up(server, run_jcall, tmp_path):
    heard_by_alice, heard_by_bob = tmp_path / "alice.wav", tmp_path / "bob.wav"
    bob = run_jcall(server, "bob", "answer", "--auto", "--once", "--source", "tone:880",
                    "--sink", "null", "--record", heard_by_bob)
    bob.await_event("online")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "tone:440",
                      "--sink", "null", "--record", heard_by_alice)
    alice.await_event("ringing")
    for side in (alice, bob):
        side.await_event("accepted")
        assert side.await_event("connected")["setup_time"] > 0
        last = side.await_sound(3)
        assert last["codec"] == "opus/48000/2"
        assert last["srtp_profile"] == "AEAD_AES_128_GCM"
        assert last["packets_lost"] == 0
    alice.command("hangup")
    assert ended(alice)["by"] == "local"
    assert ended(bob)["by"] == "remote"
    assert alice.await_exit() == 0
    assert bob.await_exit() == 0
    assert sound.share_of_tone(*sound.read(heard_by_alice), 880) > 0.9
    assert sound.share_of_tone(*sound.read(heard_by_bob), 440) > 0.9


def test_the_one_called_hangs_up(server, connected_call):
    alice, bob = connected_call(server)
    bob.command("hangup")
    assert ended(alice)["reason"] == "hangup"
    assert alice.await_exit() == 0


def test_a_program_that_is_interrupted_hangs_up(server, connected_call):
    alice, bob = connected_call(server)
    alice.process.terminate()
    assert ended(bob)["reason"] == "hangup"
    assert alice.await_exit() == 143


def test_the_one_called_declines(server, run_jcall):
    alice, bob = ringing_call(run_jcall, server)
    bob.command("decline")
    end = ended(alice)
    assert (end["reason"], end["by"]) == ("declined", "remote")
    assert end["text"]
    assert alice.await_exit() == 11


def test_the_one_called_says_busy(server, run_jcall):
    alice, bob = ringing_call(run_jcall, server)
    bob.command("busy")
    assert ended(alice)["reason"] == "busy"
    assert alice.await_exit() == 10


def test_a_second_caller_reads_busy_and_the_call_goes_on(server, connected_call, run_jcall):
    alice, bob = connected_call(server)
    carol = run_jcall(server, "carol", "call", server.jid("bob"), "--source", "silence",
                      "--sink", "null")
    assert ended(carol)["reason"] == "busy"
    assert carol.await_exit() == 10
    bob.await_event("busy")
    alice.await_sound(1)
    bob.await_sound(1)


def test_the_caller_gives_up(server, run_jcall):
    alice, bob = ringing_call(run_jcall, server)
    alice.command("hangup")
    assert alice.await_exit() == 18
    end = ended(bob)
    assert (end["reason"], end["by"]) == ("canceled", "remote")


def test_nobody_answers(server, run_jcall):
    alice, bob = ringing_call(run_jcall, server, "--ring-timeout", "2")
    assert ended(alice)["reason"] == "no-answer"
    assert alice.await_exit() == 12
    assert ended(bob)["reason"] in ("no-answer", "canceled")


def test_it_does_not_ring_for_ever_at_the_one_called(server, run_jcall):
    _, bob = ringing_call(run_jcall, server, answer_words=["--ring-timeout", "2"])
    assert ended(bob)["reason"] == "no-answer"


def test_the_one_called_goes_offline_while_it_rings(server, run_jcall, start_peer):
    bob = start_peer(server, "bob")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "silence",
                      "--sink", "null")
    propose = bob.await_message("propose")
    sid = propose.find(f"{{{MESSAGE}}}propose").get("id")
    bob.send(f"<message type='chat' to='{propose.get('from')}'>"
             f"<ringing xmlns='{MESSAGE}' id='{sid}'/></message>")
    alice.await_event("ringing")
    bob.stop()
    assert ended(alice)["reason"] == "gone"
    assert alice.await_exit() == 17


def test_the_caller_goes_offline_while_it_rings(server, run_jcall, start_peer):
    alice = start_peer(server, "alice")
    bob = run_jcall(server, "bob", "answer", "--once")
    bob.await_event("online")
    alice.send(propose_to(server.jid("bob"), "gone-1"))
    bob.await_event("incoming")
    alice.stop()
    assert ended(bob)["reason"] == "gone"
    assert bob.await_exit() == 17


def propose_to(jid, sid):
    return (f"<message type='chat' to='{jid}'><propose xmlns='{MESSAGE}' id='{sid}'>"
            "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>")


def fails(run_jcall, server, to, *words):
    """Calls `to`, which fails: (exit code, seconds from going online to the end, the end)."""
    alice = run_jcall(server, "alice", "call", to, "--source", "silence", "--sink", "null", *words)
    online = alice.await_event("online")
    code = alice.await_exit()
    end = (alice.seen("ended") or alice.seen("error"))[-1]
    assert end["text"]
    return code, (end["time"] - online["time"]) / 1e6, end


@pytest.mark.signalling
def test_a_contact_who_is_offline(server, run_jcall):
    code, seconds, _ = fails(run_jcall, server, server.jid("bob"))
    assert code == 13
    assert seconds < 10


@pytest.mark.signalling
def test_an_account_that_does_not_exist(server, run_jcall):
    code, seconds, _ = fails(run_jcall, server, server.jid("nobody"))
    assert code == 14
    assert seconds < 10


def test_a_server_that_cannot_be_reached(server, run_jcall):
    code, seconds, _ = fails(run_jcall, server, "bob@nowhere.invalid")
    assert code == 14
    assert seconds < 10


@pytest.mark.signalling
def test_a_contact_without_call_support(server, run_jcall, start_peer):
    start_peer(server, "bob", callable_=False)
    code, seconds, _ = fails(run_jcall, server, server.jid("bob"))
    assert code == 15
    assert seconds < 10


@pytest.mark.signalling
def test_a_contact_who_can_only_call_unencrypted(server, run_jcall, start_peer):
    start_peer(server, "bob", features=[name for name in CALLABLE if name != DTLS])
    code, seconds, _ = fails(run_jcall, server, server.jid("bob"))
    assert code == 15
    assert seconds < 10


@pytest.mark.signalling
def test_something_that_is_no_jid(server, run_jcall):
    alice = run_jcall(server, "alice", "call", "@@", "--source", "silence", "--sink", "null")
    assert alice.await_exit() in (2, 1)


@pytest.mark.parametrize("action", ["session-initiate", "session-accept"])
def test_a_wrong_fingerprint_ends_the_call_before_a_sample_is_played(
        start_server, run_jcall, tmp_path, action):
    server = start_server("--module", tamper_module())
    alter(server, f"{action} (<fingerprint[^>]*>)..:..: %1AB:CD:")
    heard_by_alice, heard_by_bob = tmp_path / "alice.wav", tmp_path / "bob.wav"
    bob = run_jcall(server, "bob", "answer", "--auto", "--once", "--source", "tone:880",
                    "--sink", f"file:{heard_by_bob}")
    bob.await_event("online")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "tone:440",
                      "--sink", f"file:{heard_by_alice}")
    first, ends = time.monotonic(), [ended(alice), ended(bob)]
    assert [end["reason"] for end in ends] == ["security", "security"]
    assert time.monotonic() - first < 20
    assert alice.await_exit() == 32
    assert bob.await_exit() == 32
    for path, deceived in ((heard_by_alice, action == "session-accept"),
                           (heard_by_bob, action == "session-initiate")):
        assert not deceived or sound.holds_nothing(path)


def tamper_module():
    from pathlib import Path
    return Path(__file__).parent / "modules" / "mod_alter.lua"


def alter(server, *lines):
    (server.directory / "alter.txt").write_text("\n".join(lines) + "\n")


def test_media_that_stops_ends_the_call_and_says_why(server, connected_call):
    alice, bob = connected_call(server, answer_words=["--once"])
    alice.kill()
    killed = time.monotonic()
    bob.await_event("interrupted")
    end = ended(bob)
    assert time.monotonic() - killed < 15
    assert end["reason"] == "connection-lost"
    assert end["text"]
    assert bob.await_exit() == 31


@pytest.mark.parametrize("who", [0, 1])
def test_hang_up_works_while_the_server_is_away(server, connected_call, who):
    sides = connected_call(server, answer_words=["--once"])
    server.kill()
    for side in sides:
        side.await_event("offline")
    sides[who].command("hangup")
    end = ended(sides[1 - who])
    assert (end["reason"], end["by"]) == ("hangup", "remote")
    assert sides[1 - who].await_exit() == 0
    assert sides[who].await_exit() == 0
