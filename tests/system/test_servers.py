"""Over ejabberd what other files test over Prosody: logging in, contacts, several devices, relays that
the server announces (XEP-0215). Over both: streams that are lost and resumed in the middle of a call
(XEP-0198), limits. Files over both are in test_files.py."""

import re

import pytest
import sound
from peer import MESSAGE
from test_account import fails
from test_calls import talk
from test_endings import propose_to
from test_paths import bundle
from test_siblings import ring_both
from test_video import SIZE, await_pictures


@pytest.fixture(params=["prosody", "ejabberd"])
def start_either(request):
    """Starts servers of one kind or the other; the words are those of private_server.sh."""
    return request.getfixturevalue({"prosody": "start_server", "ejabberd": "start_ejabberd"}
                                   [request.param])


@pytest.fixture
def either(start_either):
    return start_either()


# -- logging in --


@pytest.mark.signalling
@pytest.mark.parametrize("tls", ["starttls", "direct"])
def test_login_by_scram(either, run_jcall, tls):
    port = either.port if tls == "starttls" else either.tls_port
    alice = run_jcall(either, "alice", "contacts", tls=tls, port=port)
    alice.await_event("contact", jid=either.jid("bob"), subscription="both")
    assert alice.await_exit() == 0
    with open(alice.log) as file:
        assert re.search(r"SASL SCRAM-SHA-(1|256|512) auth successful", file.read())


@pytest.mark.signalling
def test_a_wrong_password_for_ejabberd(ejabberd, run_jcall):
    assert fails(run_jcall, ejabberd, password="wrong") == 20


@pytest.mark.signalling
@pytest.mark.parametrize("kind, tls", [("self-signed", "starttls"), ("self-signed", "direct"),
                                       ("expired", "starttls"), ("wrong-name", "direct")])
def test_certificates_of_ejabberd_that_are_not_trusted(start_ejabberd, run_jcall, kind, tls):
    server = start_ejabberd("--certificate", kind)
    port = server.port if tls == "starttls" else server.tls_port
    assert fails(run_jcall, server, tls=tls, port=port) == 21


@pytest.mark.signalling
def test_two_strangers_at_ejabberd_become_contacts(start_ejabberd, run_jcall, answering):
    """It keeps no approval for a request that comes later (RFC 6121, 3.4): the first to ask is asked
    in turn."""
    server = start_ejabberd(accounts=(), strangers=("alice", "bob"))

    def add(one, other):
        assert run_jcall(server, one, "contacts", "add", server.jid(other)).await_exit() == 0

    add("alice", "bob")
    for one, other in (("bob", "alice"), ("alice", "bob")):
        asked = run_jcall(server, one, "contacts")
        asked.await_event("subscription", jid=server.jid(other))
        asked.await_exit()
        add(one, other)
    answering(server, "bob")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "silence", "--sink",
                      "null", "--seconds", "1")
    alice.await_event("contact", jid=server.jid("bob"), subscription="both")
    assert alice.await_exit() == 0
    assert run_jcall(server, "alice", "contacts", "remove", server.jid("bob")).await_exit() == 0


# -- several devices --


@pytest.mark.signalling
def test_one_device_answers_and_the_other_stops_ringing(ejabberd, run_jcall):
    alice, desk, phone = ring_both(ejabberd, run_jcall)
    phone.command("answer")
    assert desk.await_event("ended")["reason"] == "elsewhere"
    talk(alice, phone)
    alice.command("hangup")
    assert phone.await_event("ended")["reason"] == "hangup"


@pytest.mark.signalling
def test_a_carbon_of_the_answer_elsewhere_stops_the_ringing(ejabberd, run_jcall, start_peer):
    """The other device tells only the caller, so that the server's carbon is all that comes."""
    caller = start_peer(ejabberd, "alice")
    sibling = start_peer(ejabberd, "bob", resource="other")
    desk = run_jcall(ejabberd, "bob", "answer", resource="desk")
    desk.await_event("online")
    caller.send(propose_to(ejabberd.jid("bob"), "carbon-1"))
    desk.await_event("incoming")
    sibling.send(f"<message type='chat' to='{caller.jid}'>"
                 f"<proceed xmlns='{MESSAGE}' id='carbon-1'/></message>")
    assert desk.await_event("ended")["reason"] == "elsewhere"


# -- streams that are lost during a call --


def call_by_cable(server, cable, run_jcall, answering, record):
    """alice, whose stream can be cut, calls bob, who keeps what he hears."""
    bob = answering(server, "bob", "--record", record, "--once")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "tone:440", "--sink",
                      "null", port=cable.near)
    talk(alice, bob)
    return alice, bob


def resumed(program):
    with open(program.log) as file:
        return file.read().count("(resumed)")


def hang_up_and_listen(alice, bob, record):
    alice.command("hangup")
    assert bob.await_event("ended")["reason"] == "hangup"
    assert alice.await_exit() == bob.await_exit() == 0
    assert not alice.seen("interrupted") and not bob.seen("interrupted")
    samples, rate = sound.read(record)
    return sound.heard_part(samples, rate), rate


def test_a_stream_is_resumed_in_the_middle_of_a_call(either, start_cable, run_jcall, answering,
                                                     tmp_path):
    cable = start_cable(either.port)
    alice, bob = call_by_cable(either, cable, run_jcall, answering, tmp_path / "heard.wav")
    cable.cut()
    assert alice.await_event("offline")["will_retry"]
    bob.command("hold")  # what the server keeps for her
    bob.command("unhold")
    bob.await_sound(2)
    cable.mend()
    alice.await_event("online")
    assert resumed(alice) == 1
    alice.await_event("hold", on=True, by="remote")
    alice.await_event("hold", on=False, by="remote")
    for order, on in (("hold", True), ("unhold", False)):
        alice.command(order)
        bob.await_event("hold", on=on, by="remote")
    bob.await_sound(1)
    alice.command("mute")
    bob.await_event("mute", on=True, by="remote")
    bob.command("mute")
    alice.await_event("mute", on=True, by="remote")
    heard = hang_up_and_listen(alice, bob, tmp_path / "heard.wav")
    assert sound.share_of_tone(*heard, 440) > 0.5


def test_what_is_done_without_a_stream_is_told_when_it_is_resumed(either, start_cable, run_jcall,
                                                                  answering, tmp_path):
    cable = start_cable(either.port)
    alice, bob = call_by_cable(either, cable, run_jcall, answering, tmp_path / "heard.wav")
    cable.cut()
    alice.await_event("offline")
    alice.command("mute")
    bob.await_event("statistics", where=lambda event: event["level_received"] < 0.01)
    cable.mend()
    bob.await_event("mute", on=True, by="remote")
    hang_up_and_listen(alice, bob, tmp_path / "heard.wav")


def test_a_hang_up_without_a_stream_is_told_when_it_is_resumed(either, start_cable, run_jcall,
                                                               answering, tmp_path):
    cable = start_cable(either.port)
    alice, bob = call_by_cable(either, cable, run_jcall, answering, tmp_path / "heard.wav")
    cable.cut()
    alice.await_event("offline")
    alice.command("hangup")
    cable.mend()
    assert bob.await_event("ended")["reason"] == "hangup"
    assert alice.await_exit() == 0


def test_a_stream_that_cannot_be_resumed_ends_no_call(start_either, start_cable, run_jcall,
                                                      answering, tmp_path):
    server = start_either("--resume-time", "1")
    cable = start_cable(server.port)
    alice, bob = call_by_cable(server, cable, run_jcall, answering, tmp_path / "heard.wav")
    cable.cut()
    alice.await_event("offline")
    bob.await_event("contact", jid=server.jid("alice"), online=False)  # given up by the server
    bob.await_sound(1)
    cable.mend()
    alice.await_event("online")
    assert resumed(alice) == 0
    for side in (alice, bob):
        side.await_sound(1)
    for order, on in (("hold", True), ("unhold", False)):
        alice.command(order)
        bob.await_event("hold", on=on, by="remote")
    bob.command("mute")
    alice.await_event("mute", on=True, by="remote")
    hang_up_and_listen(alice, bob, tmp_path / "heard.wav")


def test_a_call_that_rings_when_the_stream_is_resumed(either, start_cable, run_jcall, answering):
    """The propose waits at the server for the one whose stream is lost."""
    cable = start_cable(either.port)
    bob = answering(either, "bob", port=cable.near)
    cable.cut()
    bob.await_event("offline")
    alice = run_jcall(either, "alice", "call", either.jid("bob"), "--source", "tone:440", "--sink",
                      "null")
    alice.await_event("calling")
    cable.mend()
    talk(alice, bob)
    assert resumed(bob) == 1
    alice.command("hangup")
    assert bob.await_event("ended")["reason"] == "hangup"


# -- relays --


@pytest.mark.signalling
@pytest.mark.parametrize("transport", ["udp", "tls"])
def test_a_relay_that_ejabberd_announces(start_ejabberd, start_coturn, run_jcall, answering,
                                         tmp_path, transport):
    relay = start_coturn()
    server = start_ejabberd(*relay.option(transport), *relay.stun_option())
    ca_file = bundle(tmp_path, server.ca_file, relay.ca_file)
    bob = answering(server, "bob", ca_file=ca_file)
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--relay-only", "--source",
                      "tone:440", "--sink", "null", ca_file=ca_file)
    assert talk(alice, bob)[0]["candidate_local"].startswith("relay")
    assert relay.allocations() >= 1


# -- limits --


@pytest.mark.signalling
def test_the_stanzas_that_every_server_takes_are_large_enough(start_either, run_jcall, answering):
    """10000 bytes: RFC 6120, 13.12."""
    server = start_either("--stanza-limit", "10000")
    words = ["--test-picture", "--no-display", *SIZE]
    bob = answering(server, "bob", "--video", *words)
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--video", *words, "--source",
                      "tone:440", "--sink", "null")
    talk(alice, bob)
    await_pictures(alice, 3)
    alice.command("hangup")
    assert alice.await_exit() == 0


@pytest.mark.signalling
def test_a_stanza_that_the_server_does_not_take_is_not_repeated_for_ever(start_ejabberd, run_jcall,
                                                                         answering):
    server = start_ejabberd("--stanza-limit", "2000")
    answering(server, "bob")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "silence", "--sink",
                      "null")
    ended = alice.await_event("ended", 40)
    assert ended["text"]
    assert alice.await_exit() == 14
