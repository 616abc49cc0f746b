"""The rig itself: servers start, peers log in, sound is judged rightly."""

import sys

import netns
import numpy
import pytest
import sound
from peer import JINGLE
from test_endings import alter, tamper_module
from test_hostile import ACCOUNTS, SERVER, Injector, jingle

pytestmark = pytest.mark.signalling


def test_two_scripted_peers_see_and_message_each_other(server, start_peer):
    alice = start_peer(server, "alice")
    bob = start_peer(server, "bob")
    bob.await_stanza(lambda xml: xml.tag.endswith("presence")
                     and xml.get("from").startswith("alice@"))
    alice.send(f"<message to='{bob.jid}' type='chat'><body>hello</body></message>")
    got = bob.await_stanza(lambda xml: xml.tag.endswith("message"))
    assert got.get("from") == alice.jid


def test_a_server_that_was_halted_comes_back_with_its_accounts(server, start_peer):
    start_peer(server, "alice").stop()
    port = server.port
    server.halt()
    server.resume()
    assert server.port == port
    start_peer(server, "alice")


def test_sound_is_told_from_other_sound():
    spoken = sound.tone(440, 3) * (1 + 0.8 * numpy.sin(numpy.arange(3 * 48000) / 9000))
    late = numpy.concatenate([numpy.zeros(5000), spoken])
    assert sound.share_of_tone(spoken, 48000, 440) > 0.95
    assert sound.share_of_tone(spoken, 48000, 880) == 0
    assert sound.speech_match(spoken, 48000, late, 48000) > 0.9
    assert sound.speech_match(spoken, 48000, sound.tone(440, 3), 48000) < 0.5
    holed = late.copy()
    holed[60000:70000] = 0
    assert sound.longest_silence(holed, 48000) > 0.15


def test_ejabberd_starts_with_accounts_that_know_each_other(ejabberd, start_peer):
    start_peer(ejabberd, "alice")
    bob = start_peer(ejabberd, "bob")
    bob.await_stanza(lambda xml: xml.tag.endswith("presence")
                     and xml.get("from").startswith("alice@"))


def test_the_server_announces_the_relay_that_runs(start_server, start_peer, start_coturn):
    relay = start_coturn()
    server = start_server(*relay.option("udp"))
    alice = start_peer(server, "alice")
    alice.send(f"<iq type='get' id='services' to='{server.domain}'>"
               "<services xmlns='urn:xmpp:extdisco:2'/></iq>")
    answer = alice.await_stanza(lambda xml: xml.get("id") == "services")
    service = answer.find(".//{urn:xmpp:extdisco:2}service")
    assert service.get("port") == str(relay.port) and service.get("password")


REACH = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], 9), timeout=2)
except ConnectionRefusedError:
    pass  # its kernel answered
"""


@netns.needed
def test_namespaces_reach_the_public_address_and_not_each_other(start_internet):
    internet = start_internet()
    for side, other in (("a", "10.2.0.2"), ("b", "10.1.0.2")):
        reach = [*internet.prefix(side), sys.executable, "-c", REACH]
        netns.run(*reach, netns.PUBLIC)
        with pytest.raises(RuntimeError):
            netns.run(*reach, other)


def test_stanzas_can_be_altered_on_their_way(start_server, start_peer):
    server = start_server("--module", tamper_module())
    alter(server, "session-info urn:test:before urn:test:after")
    alice, bob = start_peer(server, "alice"), start_peer(server, "bob")
    alice.send(f"<iq type='set' id='i' to='{bob.jid}'><jingle xmlns='{JINGLE}' "
               "action='session-info' sid='s'><x xmlns='urn:test:before'/></jingle></iq>")
    got = bob.await_jingle("session-info")
    assert got.find(f"{{{JINGLE}}}jingle/{{urn:test:after}}x") is not None
    assert got.get("from") == alice.jid


def test_anyone_can_be_impersonated(start_server, start_peer):
    server = start_server(*SERVER, **ACCOUNTS)
    alice, bob, carol = (start_peer(server, name) for name in ("alice", "bob", "carol"))
    injector = Injector(server, carol)
    assert injector.ask(alice.jid, bob.jid, jingle("session-info", "s")) == "result"
    assert bob.await_jingle("session-info").get("from") == alice.jid
