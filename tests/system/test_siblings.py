"""Several devices of one account: all ring, one answers, the others stop (XEP-0353, XEP-0280)."""

import pytest
from peer import JINGLE, MESSAGE
from test_endings import propose_to

pytestmark = pytest.mark.signalling


def ring_both(server, run_jcall):
    """alice calls bob, who has two devices: (alice, desk, phone) once both ring."""
    desk, phone = (run_jcall(server, "bob", "answer", "--source", "silence", "--sink", "null",
                             resource=name) for name in ("desk", "phone"))
    for device in (desk, phone):
        device.await_event("online")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "silence",
                      "--sink", "null")
    for device in (desk, phone):
        device.await_event("incoming")
    alice.await_event("ringing")
    return alice, desk, phone


def test_one_device_answers_and_the_other_stops_ringing(server, run_jcall):
    alice, desk, phone = ring_both(server, run_jcall)
    phone.command("answer")
    assert desk.await_event("ended")["reason"] == "elsewhere"
    connected = alice.await_event("connected")
    assert connected["peer"] == f"{server.jid('bob')}/phone"
    alice.await_sound(1)
    phone.await_event("connected")
    alice.command("hangup")
    assert phone.await_event("ended")["reason"] == "hangup"


def test_one_device_declines_for_all(server, run_jcall):
    alice, desk, phone = ring_both(server, run_jcall)
    desk.command("decline")
    assert phone.await_event("ended")["reason"] == "elsewhere"
    assert alice.await_exit() == 11


def test_all_stop_when_the_caller_gives_up(server, run_jcall):
    alice, desk, phone = ring_both(server, run_jcall)
    alice.command("hangup")
    assert desk.await_event("ended")["reason"] == "canceled"
    assert phone.await_event("ended")["reason"] == "canceled"


def test_a_carbon_of_our_own_answer_elsewhere_stops_the_ringing(server, run_jcall, start_peer):
    """The other device sends nothing but `proceed` to the caller, as XEP-0353 0.8 has it."""
    caller = start_peer(server, "alice")
    sibling = start_peer(server, "bob", resource="other")
    desk = run_jcall(server, "bob", "answer", resource="desk")
    desk.await_event("online")
    caller.send(propose_to(server.jid("bob"), "carbon-1"))
    desk.await_event("incoming")
    sibling.send(f"<message type='chat' to='{caller.jid}'>"
                 f"<proceed xmlns='{MESSAGE}' id='carbon-1'/></message>")
    assert desk.await_event("ended")["reason"] == "elsewhere"


@pytest.mark.parametrize("direction", ["sent", "received"])
def test_a_forged_carbon_changes_nothing(server, run_jcall, start_peer, direction):
    """CVE-2017-5589: only our own account's bare JID may send carbons."""
    caller, forger = start_peer(server, "alice"), start_peer(server, "carol")
    bob = run_jcall(server, "bob", "answer", "--auto", "--source", "silence", "--sink", "null",
                    resource="desk")
    bob.await_event("online")
    bob_jid = f"{server.jid('bob')}/desk"
    forger.send(
        f"<message to='{bob_jid}' type='chat'><{direction} xmlns='urn:xmpp:carbons:2'>"
        f"<forwarded xmlns='urn:xmpp:forward:0'>{in_client_namespace(propose_to(bob_jid, 'f-1'))}"
        f"</forwarded></{direction}></message>")
    caller.send(propose_to(server.jid("bob"), "true-1"))
    assert bob.await_event("incoming")["session"] == "true-1"
    assert len(bob.seen("incoming")) == 1


@pytest.mark.parametrize("way", ["", "--direct"])
def test_the_device_that_can_call_is_called(server, run_jcall, start_peer, answering, way):
    """Beside it a client for chat only, with the higher priority."""
    chat = start_peer(server, "bob", resource="chat", callable_=False, presence=False)
    chat.client.send_presence(ppriority=50)
    answering(server, "bob", resource="phone")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "tone:440", "--sink",
                      "null", *([way] if way else []))
    assert alice.await_event("connected")["peer"] == f"{server.jid('bob')}/phone"
    alice.await_sound(0.5)
    alice.command("hangup")
    assert alice.await_exit() == 0


def test_no_device_can_call(server, run_jcall, start_peer):
    start_peer(server, "bob", resource="chat", callable_=False)
    start_peer(server, "bob", resource="notes", callable_=False)
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "silence", "--sink",
                      "null")
    end = alice.await_event("ended")
    assert end["reason"] == "no-call-support" and end["text"]
    assert alice.await_exit() == 15


@pytest.mark.parametrize("target", ["alice@localhost", "alice@localhost/desk"])
def test_ones_own_other_device_is_called(server, run_jcall, answering, target):
    answering(server, "alice", resource="desk")
    alice = run_jcall(server, "alice", "call", target, "--source", "tone:440", "--sink", "null",
                      resource="phone")
    assert alice.await_event("connected")["peer"] == "alice@localhost/desk"
    alice.await_sound(0.5)
    alice.command("hangup")
    assert alice.await_exit() == 0


def test_ones_own_other_device_is_not_there(server, run_jcall):
    alice = run_jcall(server, "alice", "call", "alice@localhost", "--source", "silence", "--sink",
                      "null", resource="phone")
    assert alice.await_event("ended")["reason"] == "offline"
    assert alice.await_exit() == 13


def in_client_namespace(message):
    return message.replace("<message ", "<message xmlns='jabber:client' ", 1)


@pytest.mark.parametrize("theirs,mine_goes_on", [("~~~~", True), ("!!!!", False)])
def test_both_call_each_other_and_one_call_goes_on(server, run_jcall, start_peer, theirs,
                                                   mine_goes_on):
    """The lower id wins (XEP-0353, 4.1); ids of ours begin with a hexadecimal digit."""
    bob = start_peer(server, "bob")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "silence", "--sink",
                      "null")
    propose = bob.await_message("propose")
    mine = propose.find(f"{{{MESSAGE}}}propose").get("id")
    bob.send(propose_to(server.jid("alice"), theirs))
    lost = bob.await_message("reject" if mine_goes_on else "retract")
    element = next(child for child in lost if child.tag.startswith(f"{{{MESSAGE}}}"))
    assert element.get("id") == (theirs if mine_goes_on else mine)
    assert element.find(f"{{{MESSAGE}}}tie-break") is not None
    if mine_goes_on:
        bob.send(f"<message type='chat' to='{propose.get('from')}'>"
                 f"<proceed xmlns='{MESSAGE}' id='{mine}'/></message>")
        initiate = bob.await_jingle("session-initiate")
        assert initiate.find(f"{{{JINGLE}}}jingle").get("sid") == mine
    else:
        proceed = bob.await_message("proceed")
        assert proceed.find(f"{{{MESSAGE}}}proceed").get("id") == theirs
    assert not alice.seen("exit")
