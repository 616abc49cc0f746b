"""Telephones behind a gateway, such as +15551234@cheogram.example: no resource, hardly any presence,
G.711 and telephone-event only."""

import pytest
import sound
from gateway import SERVER, Gateway
from peer import MESSAGE

RINGING = "<ringing xmlns='urn:xmpp:jingle:apps:rtp:info:1'/>"
CAPS = ("<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='xmpp:gateway' "
        "ver='{hash}'/>")


@pytest.fixture
def gateway_server(start_server):
    return start_server(*SERVER, accounts=("alice", "bob"))


@pytest.fixture
def start_gateway():
    started = []

    def start(*words, **keywords):
        started.append(Gateway(*words, **keywords))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def dial(run_jcall, server, to, *words):
    return run_jcall(server, "alice", "call", to, "--source", "tone:440", "--sink", "null", *words)


def talk(alice, gateway, heard):
    """Both hear each other; then the user presses keys."""
    alice.await_event("connected")
    gateway.media.await_tone(440)
    assert alice.await_sound(1)["codec"].startswith("PCMU/8000")
    alice.command("digits 12#")
    gateway.media.await_digits("12#")
    alice.command("digits *D0")
    gateway.media.await_digits("12#*D0")
    alice.command("hangup")
    gateway.await_jingle("session-terminate")
    assert alice.await_exit() == 0
    samples, rate = sound.read(heard)
    assert sound.share_of_tone(samples[-rate:], rate, 660) > 0.9


def test_a_number_is_called_by_a_message_and_gets_digits(gateway_server, run_jcall, start_gateway,
                                                         tmp_path):
    """As cheogram does it: proceed comes at once, and the telephone rings in the session."""
    gateway = start_gateway(gateway_server)
    heard = tmp_path / "heard.wav"
    alice = run_jcall(gateway_server, "alice", "call", gateway.number, "--source", "tone:440",
                      "--sink", f"file:{heard}")
    propose = gateway.await_message("propose")
    assert propose.get("to") == gateway.number
    sid = propose.find(f"{{{MESSAGE}}}propose").get("id")
    gateway.message(propose.get("from"), f"<proceed xmlns='{MESSAGE}' id='{sid}'/>")
    to, offer = gateway.await_offer()
    assert offer.get("sid") == sid
    gateway.jingle(to, "session-info", sid, RINGING)
    alice.await_event("ringing")
    assert not alice.seen("accepted"), "it only rings"
    gateway.accept(to, offer)
    alice.await_event("accepted")
    talk(alice, gateway, heard)


@pytest.mark.parametrize("way", ["direct", "presence"])
def test_a_number_is_called_without_messages_and_gets_digits(start_server, run_jcall,
                                                             start_gateway, tmp_path, way):
    words = ["--contact", "+15551234@gateway.localhost"] if way == "presence" else []
    server = start_server(*SERVER, *words, accounts=("alice", "bob"))
    gateway = start_gateway(server)
    heard = tmp_path / "heard.wav"
    if way == "presence":
        answer_probes(gateway)
    alice = run_jcall(server, "alice", "call", gateway.number, "--source", "tone:440", "--sink",
                      f"file:{heard}", *(["--direct"] if way == "direct" else []))
    to, offer = gateway.await_offer()
    gateway.accept(to, offer)
    talk(alice, gateway, heard)
    assert gateway.count(lambda xml: xml.find(f"{{{MESSAGE}}}propose") is not None) == 0


def answer_probes(gateway):
    """Whoever comes online is shown the presence of the number, without a resource."""
    received = gateway.received

    def answer(stanza):
        xml = stanza.xml
        if xml.tag.endswith("}presence") and xml.get("type") == "probe":
            gateway.client.send_raw(
                f"<presence from='{xml.get('to')}' to='{xml.get('from')}'>"
                + CAPS.format(hash="bm90IHRoZSBoYXNoIG9mIGl0") + "</presence>")
        return received(stanza)

    gateway.received = answer


def test_a_number_as_people_write_it_is_escaped_and_shown_as_it_was(gateway_server, run_jcall,
                                                                    start_gateway):
    gateway = start_gateway(gateway_server, "tel\\3a+1\\20(555)\\201234")
    alice = dial(run_jcall, gateway_server, "tel:+1 (555) 1234@gateway.localhost")
    calling = alice.await_event("calling")
    assert calling["peer_name"] == "tel:+1 (555) 1234"
    assert calling["peer"] == gateway.number
    assert gateway.await_message("propose").get("to") == gateway.number
    alice.command("hangup")
    assert gateway.await_message("retract").get("to") == gateway.number
    assert alice.await_exit() == 18


def test_a_number_that_does_not_exist(gateway_server, run_jcall, start_gateway):
    """The gateway bounces what it is sent, from the JID without a resource."""
    gateway = start_gateway(gateway_server)
    alice = dial(run_jcall, gateway_server, gateway.number)
    propose = gateway.await_message("propose")
    gateway.send(f"<message type='error' id='{propose.get('id')}' from='{gateway.number}' "
                 f"to='{propose.get('from')}'><error type='cancel'><item-not-found "
                 "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>")
    assert alice.await_exit() == 14


def test_the_telephone_is_busy(gateway_server, run_jcall, start_gateway):
    """Only the session tells, for it had proceeded."""
    gateway = start_gateway(gateway_server)
    alice = dial(run_jcall, gateway_server, gateway.number)
    propose = gateway.await_message("propose")
    sid = propose.find(f"{{{MESSAGE}}}propose").get("id")
    gateway.message(propose.get("from"), f"<proceed xmlns='{MESSAGE}' id='{sid}'/>")
    to, _ = gateway.await_offer()
    gateway.jingle(to, "session-terminate", sid, "<reason><busy/></reason>")
    assert alice.await_event("ended")["reason"] == "busy"
    assert alice.await_exit() == 10


@pytest.fixture
def called(start_server, run_jcall, start_gateway):
    """bob, with the telephone +15551234 among his contacts: (bob, his JID, the gateway)."""
    server = start_server(*SERVER, "--contact", "+15551234@gateway.localhost", accounts=("bob",))
    gateway = start_gateway(server)
    bob = run_jcall(server, "bob", "answer", "--source", "tone:440", "--sink", "null",
                    resource="desk")
    bob.await_event("online")
    return bob, f"{server.jid('bob')}/desk", gateway


def test_a_telephone_calls_us_by_a_message(called):
    bob, to, gateway = called
    gateway.propose(to, "call-1")
    incoming = bob.await_event("incoming")
    assert incoming["from"] == gateway.number and incoming["on_roster"]
    assert gateway.await_message("ringing").get("to") == gateway.number
    bob.command("answer")
    assert gateway.await_message("proceed").get("to") == gateway.number
    gateway.offer(to, "call-1")
    gateway.await_answer()
    bob.await_event("connected")
    gateway.media.await_tone(440)
    assert bob.await_sound(1)["codec"].startswith("PCMU/8000")
    bob.command("digits 7")
    gateway.media.await_digits("7")
    gateway.jingle(to, "session-terminate", "call-1", "<reason><success/></reason>")
    assert bob.await_event("ended")["reason"] == "hangup"


def test_a_telephone_calls_us_without_messages_and_gives_up(called):
    bob, to, gateway = called
    gateway.offer(to, "call-2")
    assert bob.await_event("incoming")["from"] == gateway.number
    gateway.jingle(to, "session-terminate", "call-2", "<reason><cancel/></reason>")
    assert bob.await_event("ended")["reason"] == "canceled"


def test_a_telephone_takes_its_proposal_back(called):
    bob, to, gateway = called
    gateway.propose(to, "call-3")
    bob.await_event("incoming")
    gateway.message(to, f"<retract xmlns='{MESSAGE}' id='call-3'/>")
    assert bob.await_event("ended")["reason"] == "canceled"
