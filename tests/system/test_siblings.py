"""Several devices of one account: all ring, one answers, the others stop (XEP-0353, XEP-0280)."""

import pytest
from peer import MESSAGE
from test_endings import propose_to


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


def in_client_namespace(message):
    return message.replace("<message ", "<message xmlns='jabber:client' ", 1)


def test_both_call_each_other_and_get_one_call(server, run_jcall):
    sides = [run_jcall(server, name, "answer", "--auto", "--source", "silence", "--sink", "null")
             for name in ("alice", "bob")]
    for side in sides:
        side.await_event("online")
    callers = [run_jcall(server, name, "call", server.jid(other), "--source", "silence", "--sink",
                         "null", "--seconds", "2")
               for name, other in (("alice", "carol"), ("carol", "alice"))]
    codes = [caller.await_exit() for caller in callers]
    # Each caller is also a device that can be called, so whichever way it goes, nobody hangs.
    assert all(code in (0, 10, 11, 12, 18, 19) for code in codes)
