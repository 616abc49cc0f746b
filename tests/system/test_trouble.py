"""Calls in progress while the server goes away, and calls that come late or from strangers."""

import re
import time

import sound
from peer import MESSAGE
from test_endings import propose_to


def test_the_sound_goes_on_without_a_gap_while_the_server_restarts(server, run_jcall, answering,
                                                                  tmp_path):
    heard = tmp_path / "heard.wav"
    bob = answering(server, "bob", "--record", heard, "--once")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "tone:440",
                      "--sink", "null")
    for side in (alice, bob):
        side.await_event("connected")
    bob.await_sound(1)
    server.kill()
    for side in (alice, bob):
        side.await_event("offline")
    bob.await_sound(2)
    server.resume()
    for side in (alice, bob):
        side.await_event("online", 60)
        side.await_sound(1)
    alice.command("mute")  # signalling works again, between the same two
    bob.await_event("mute", on=True)
    alice.command("unmute")
    bob.await_event("mute", on=False)
    alice.command("hangup")
    assert bob.await_exit() == 0
    assert not alice.seen("interrupted") and not bob.seen("interrupted")
    samples, rate = sound.read(heard)
    until_mute = sound.heard_part(samples, rate)[:int(3.5 * rate)]
    assert sound.longest_silence(until_mute, rate) <= 0.03
    assert sound.share_of_tone(until_mute, rate, 440) > 0.97


def test_a_stranger_does_not_ring(server, run_jcall):
    bob = run_jcall(server, "bob", "answer")
    bob.await_event("online")
    mallory = run_jcall(server, "mallory", "call", server.jid("bob"), "--ring-timeout", "3",
                        "--source", "silence", "--sink", "null")
    assert mallory.await_exit() == 12
    assert not mallory.seen("ringing")
    assert not bob.seen("incoming")


def test_a_stranger_learns_nothing_from_a_direct_call(server, start_peer, run_jcall):
    bob = run_jcall(server, "bob", "answer", resource="desk")
    bob.await_event("online")
    mallory = start_peer(server, "mallory")
    answer = mallory.ask(session_initiate(mallory.jid, f"{server.jid('bob')}/desk", "s-1"))
    missing = mallory.ask(session_initiate(mallory.jid, f"{server.jid('bob')}/none", "s-2"))
    assert answer == missing == ("error", "service-unavailable")
    assert not bob.seen("incoming")


def test_a_stranger_rings_where_that_is_wanted(server, run_jcall, answering):
    answering(server, "bob", "--allow-strangers")
    mallory = run_jcall(server, "mallory", "call", server.jid("bob"), "--source", "silence",
                        "--sink", "null", "--seconds", "1")
    assert mallory.await_exit() == 0


def session_initiate(sender, to, sid):
    return f"""<iq type='set' id='{sid}' to='{to}'>
      <jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='{sid}' initiator='{sender}'>
       <content creator='initiator' name='audio'>
        <description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>
         <payload-type id='111' name='opus' clockrate='48000' channels='2'/><rtcp-mux/>
        </description>
        <transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='abcd'
            pwd='abcdefghijklmnopqrstuv'>
         <fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' setup='actpass'
          >{':'.join(['AB'] * 32)}</fingerprint>
        </transport></content></jingle></iq>"""


def test_a_propose_that_comes_late_is_a_missed_call(server, run_jcall, start_peer):
    alice = start_peer(server, "alice")
    alice.send(propose_to(server.jid("bob"), "late-1"))
    stored = server.directory / "data" / server.domain / "offline" / "bob.list"
    server.await_log("Saved to offline storage")
    an_hour_ago = str(int(time.time() - 3600))
    stored.write_text(re.sub(r'(\["when"\] = )\d+', r"\g<1>" + an_hour_ago, stored.read_text()))
    bob = run_jcall(server, "bob", "answer", "--auto", "--source", "silence", "--sink", "null")
    missed = bob.await_event("missed")
    assert missed["from"].startswith(server.jid("alice")) and missed["audio"]
    assert abs(time.time() - 3600 - missed["when"] / 1e6) < 60
    assert not bob.seen("incoming")


def test_a_call_can_be_made_while_the_server_forgets_sessions(server, run_jcall, answering):
    """The server comes back without anybody's stream: both bind anew and ring again."""
    bob = answering(server, "bob")
    server.halt()
    bob.await_event("offline")
    server.resume()
    bob.await_event("online", 60)
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "tone:440",
                      "--sink", "null", "--seconds", "1")
    assert alice.await_exit() == 0


def test_a_propose_gets_a_receipt_and_ringing_at_once(server, run_jcall, start_peer):
    alice = start_peer(server, "alice")
    bob = run_jcall(server, "bob", "answer")
    bob.await_event("online")
    alice.send(propose_to(server.jid("bob"), "r-1").replace(
        "<message ", "<message id='m-1' ").replace(
        "</message>", "<request xmlns='urn:xmpp:receipts'/></message>"))
    wanted = {"{urn:xmpp:receipts}received": "m-1", f"{{{MESSAGE}}}ringing": "r-1"}
    while wanted:
        stanza = alice.await_stanza(lambda xml: any(child.tag in wanted for child in xml))
        for child in stanza:
            if child.tag in wanted:
                assert child.get("id") == wanted.pop(child.tag)
