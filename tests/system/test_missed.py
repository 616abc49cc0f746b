"""Calls to somebody who is away: kept by the server or only archived, told once, and ringing if they
come back in time."""

import re
import time

import pytest
from peer import MESSAGE, RTP
from test_endings import propose_to

STORE = "<store xmlns='urn:xmpp:hints'/>"
QUIET = ("--source", "silence", "--sink", "null")


def propose(to, sid):
    return propose_to(to, sid).replace("</message>", STORE + "</message>")


def element(to, name, sid):
    return (f"<message type='chat' to='{to}'><{name} xmlns='{MESSAGE}' id='{sid}'/>{STORE}"
            "</message>")


def been_online(server, run_jcall, name):
    """The account was used here before, so that it is known since when it is away."""
    before = run_jcall(server, name, "answer", *QUIET, resource="desk")
    before.await_event("online")
    before.command("quit")
    before.await_exit()


def come_back(server, run_jcall, name):
    """Online again, with all that there is to be told: what comes later is told later."""
    program = run_jcall(server, name, "answer", *QUIET, resource="desk")
    program.await_event("online")
    return program


def settle(server, program, caller):
    """A call that rings now: what was missed before it has been told."""
    caller.send(propose(server.jid("bob"), "now"))
    program.await_event("incoming", session="now")
    caller.send(element(server.jid("bob"), "retract", "now"))
    program.await_event("ended")


@pytest.mark.parametrize("kept", ["archived", "offline-and-archived"])
def test_a_missed_call_is_told_once(start_server, run_jcall, start_peer, kept):
    words = ["--without", "offline"] if kept == "archived" else []
    server = start_server(*words, accounts=("alice", "bob"))
    been_online(server, run_jcall, "bob")
    alice = start_peer(server, "alice")
    alice.send(propose(server.jid("bob"), "missed-1"))
    alice.send(element(server.jid("bob"), "retract", "missed-1"))
    alice.ask(f"<iq type='get' id='p' to='{server.domain}'><ping xmlns='urn:xmpp:ping'/></iq>")
    bob = come_back(server, run_jcall, "bob")
    missed = bob.await_event("missed", timeout=90)
    assert missed["from"] == alice.jid and missed["peer_name"] == "alice" and missed["audio"]
    assert abs(time.time() - missed["when"] / 1e6) < 90
    settle(server, bob, alice)
    bob.command("quit")
    bob.await_exit()
    assert len(bob.seen("missed")) == 1 and len(bob.seen("incoming")) == 1
    again = come_back(server, run_jcall, "bob")
    settle_again(server, again, alice)
    assert not again.seen("missed")


def settle_again(server, program, caller):
    caller.send(propose(server.jid("bob"), "then"))
    program.await_event("incoming", session="then")


def test_what_another_device_answered_is_not_missed(start_server, run_jcall, start_peer):
    server = start_server(accounts=("alice", "bob"))
    been_online(server, run_jcall, "bob")
    alice, tablet = start_peer(server, "alice"), start_peer(server, "bob", resource="tablet")
    alice.send(propose(server.jid("bob"), "taken"))
    tablet.await_message("propose")
    tablet.send(element(alice.jid, "proceed", "taken"))
    alice.await_message("proceed")
    alice.send(propose(server.jid("bob"), "rang-out"))
    tablet.await_message("propose")
    alice.send(element(server.jid("bob"), "retract", "rang-out"))
    tablet.await_message("retract")
    bob = come_back(server, run_jcall, "bob")
    assert bob.await_event("missed", timeout=90)["from"] == alice.jid
    settle(server, bob, alice)
    assert len(bob.seen("missed")) == 1 and len(bob.seen("incoming")) == 1


def test_a_call_rings_when_they_come_online_in_time(server, run_jcall, answering):
    """Somebody who is away, and whose client was seen to wake up by such messages."""
    bob = answering(server, "bob")
    first = run_jcall(server, "alice", "call", server.jid("bob"), *QUIET, "--seconds", "0.1")
    assert first.await_exit() == 0
    bob.command("quit")
    bob.await_exit()
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "tone:440", "--sink",
                      "null")
    server.await_log("Saved to offline storage")
    bob = run_jcall(server, "bob", "answer", "--auto", "--source", "tone:880", "--sink", "null")
    alice.await_event("ringing")
    alice.await_event("connected")
    alice.await_sound(0.5)
    alice.command("hangup")
    assert alice.await_exit() == 0


def test_somebody_who_shows_no_presence_is_called(server, run_jcall):
    """No contact: nobody knows whether they are there, and the server keeps the proposal."""
    alice = run_jcall(server, "mallory", "call", server.jid("bob"), *QUIET)
    server.await_log("Saved to offline storage")
    bob = run_jcall(server, "bob", "answer", "--auto", "--allow-strangers", "--source", "tone:880",
                    "--sink", "null")
    incoming = bob.await_event("incoming")
    assert not incoming["on_roster"]
    alice.await_event("connected")
    alice.command("hangup")
    assert alice.await_exit() == 0


def test_a_call_that_was_given_up_meanwhile_does_not_ring(server, run_jcall):
    alice = run_jcall(server, "mallory", "call", server.jid("bob"), *QUIET)
    server.await_log("Saved to offline storage")
    alice.command("hangup")
    assert alice.await_exit() == 18
    server.await_log("(?s)Saved to offline storage.*Saved to offline storage")
    bob = run_jcall(server, "bob", "answer", "--auto", "--allow-strangers", *QUIET)
    assert bob.await_event("missed", timeout=90)["from"].startswith(server.jid("mallory"))
    assert not bob.seen("incoming")


def test_a_copy_of_a_call_that_our_other_device_got_and_lost_is_told_once(server, run_jcall,
                                                                          start_peer):
    """Carbons of propose and retract, beside the messages themselves."""
    alice = start_peer(server, "alice")
    tablet = start_peer(server, "bob", resource="tablet")
    bob = run_jcall(server, "bob", "answer", *QUIET, resource="desk")
    bob.await_event("online")
    alice.send(propose(tablet.jid, "copied"))  # to one device: the other has a carbon
    assert bob.await_event("incoming")["from"] == alice.jid
    alice.send(element(tablet.jid, "retract", "copied"))
    assert bob.await_event("ended")["reason"] == "canceled"
    settle(server, bob, alice)
    assert len(bob.seen("incoming")) == 2 and not bob.seen("missed")


# ---------------------------------------------------------------------------------- names --


def test_a_person_is_called_what_they_call_themselves(server, run_jcall, start_peer):
    """The roster's name first; without one the nickname of their account (XEP-0172 over PEP)."""
    alice, setter = start_peer(server, "alice"), start_peer(server, "bob", resource="setter")
    alice.ask("<iq type='set' id='nick'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish "
              "node='http://jabber.org/protocol/nick'><item id='current'><nick "
              "xmlns='http://jabber.org/protocol/nick'>Alice \u202ein\nWonderland</nick></item>"
              "</publish></pubsub></iq>")
    bob = run_jcall(server, "bob", "answer", *QUIET, resource="desk")
    bob.await_event("online")
    alice.send(propose(f"{server.jid('bob')}/desk", "n1"))
    assert bob.await_event("incoming")["peer_name"] == "alice"
    alice.send(element(f"{server.jid('bob')}/desk", "retract", "n1"))
    bob.await_event("ended")
    assert setter.ask(f"<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item "
                      f"jid='{server.jid('alice')}'/></query></iq>") == ("result", None)
    bob.await_event("contact", jid=server.jid("alice"), where=lambda event: event["name"] == "")
    alice.send(propose(f"{server.jid('bob')}/desk", "n2"))
    assert bob.await_event("incoming")["peer_name"] == "Alice in Wonderland"


@pytest.mark.parametrize("nick,shown", [("Mal", "Mal"), ("ALICE", "mallory"),
                                        ("alice@localhost", "mallory"), ("\u200b", "mallory")])
def test_a_stranger_cannot_have_the_name_of_a_contact(server, run_jcall, start_peer, nick, shown):
    mallory = start_peer(server, "mallory")
    bob = run_jcall(server, "bob", "answer", "--allow-strangers", *QUIET)
    bob.await_event("online")
    mallory.send(propose(server.jid("bob"), "m1").replace(
        "</message>", f"<nick xmlns='http://jabber.org/protocol/nick'>{nick}</nick></message>"))
    incoming = bob.await_event("incoming")
    assert incoming["peer_name"] == shown and incoming["from"] == mallory.jid
