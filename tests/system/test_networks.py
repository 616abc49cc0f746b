"""The networks that people have: every kind of NAT and firewall, networks that change during a call,
and servers that are dead. What test_paths.py has is not here again."""

import os
import re
import signal
import time
from pathlib import Path

import netns
import pytest
import sound
from coturn import SECRET
from netns import BLACK_HOLE, PUBLIC, PUBLIC_V6
from test_endings import alter, tamper_module

pytestmark = netns.needed

MODULES = Path(__file__).parent / "modules"
KEEP = MODULES / "mod_keep.lua"
NO_ENCRYPTION = MODULES / "mod_no_encryption.lua"
RELAY_NAME = "relay.example"  # what the XMPP server calls it; needs a look-up in each namespace


class Scene:
    """An internet with a relay and an XMPP server, and what alice (a) and bob (b) have recorded."""

    environment = None

    def __init__(self, internet, relay, server, folder, run_jcall):
        self.internet, self.relay, self.server = internet, relay, server
        self.folder, self.run_jcall = folder, run_jcall

    def jcall(self, side, *words, host=None):
        name = {"a": "alice", "b": "bob"}[side]
        words = [*words, "--sink", "null", *(["--host", host] if host else [])]
        ca_file = self.folder / "authorities.pem"
        ca_file.write_text("".join(open(one.ca_file).read() for one in (self.server, self.relay)))
        return self.run_jcall(self.server, name, *words, "--record", self.folder / f"{name}.wav",
                              prefix=self.internet.prefix(side), loopback=False,
                              ca_file=str(ca_file), environment=self.environment)

    def call(self, alice_words=(), bob_words=(), hosts=(None, None)):
        """alice calls bob, and both hear each other."""
        bob = self.jcall("b", "answer", "--auto", "--source", "tone:880", *bob_words,
                         host=hosts[1])
        bob.await_event("online")
        alice = self.jcall("a", "call", self.server.jid("bob"), "--source", "tone:440",
                           *alice_words, host=hosts[0])
        for side in (alice, bob):
            side.setup_time = side.await_event("connected")["setup_time"]
            side.last = side.await_sound(0.5)
        return alice, bob

    def ring(self):
        """alice calls bob, whose phone rings."""
        bob = self.jcall("b", "answer", "--source", "tone:880")
        bob.await_event("online")
        alice = self.jcall("a", "call", self.server.jid("bob"), "--source", "tone:440")
        alice.await_event("ringing")
        return alice, bob

    def assert_heard(self, alice, bob):
        """Both heard each other's tone, at the end, too. Returns the longest silences in alice's
        and in bob's sound."""
        hang_up(alice, bob)
        gaps = []
        for name, hz in (("alice", 880), ("bob", 440)):
            samples, rate = sound.read(self.folder / f"{name}.wav")
            heard = sound.heard_part(samples, rate)
            gaps.append(sound.longest_silence(heard, rate))
            assert sound.share_of_tone(heard[-rate // 2:], rate, hz) > 0.9
        return gaps

    def told_by(self, program):
        """All stanzas that it sent, as they came to the server."""
        stanzas = (self.server.directory / "stanzas.txt").read_text().splitlines()
        jid = program.seen("online")[0]["jid"]
        return "".join(line for line in stanzas if line.startswith(jid))

    def candidates_of(self, program):
        """The attributes of each candidate that it told, the one to be tried first first."""
        found = [dict(re.findall(r"([\w-]+)='([^']*)'", one))
                 for one in re.findall(r"<candidate [^>]*>", self.told_by(program))]
        return sorted(found, key=lambda one: -int(one["priority"]))


def hang_up(alice, bob):
    alice.command("hangup")
    for side in (bob, alice):
        assert side.await_event("ended")["reason"] == "hangup"


@pytest.fixture
def scene(start_internet, start_coturn, start_server, run_jcall, tmp_path):
    """scene(services, ...): `services` are options of private_server.sh, made of the relay."""

    def build(services=usual, relay_options=None, server_options=(),
              **network):
        internet = start_internet(**network)
        public = internet.prefix("public")
        for side in "ab":
            internet.write(side, "hosts", f"{PUBLIC} {RELAY_NAME}\n{PUBLIC_V6} {RELAY_NAME}\n")
        relay = start_coturn(PUBLIC, RELAY_NAME, prefix=public, **(relay_options or {}))
        server = start_server("--listen", PUBLIC, "--module", KEEP, *server_options,
                              *services(relay), prefix=public)
        found = Scene(internet, relay, server, tmp_path, run_jcall)
        if any(":tcp:" in str(word) or ":tls:" in str(word) for word in services(relay)):
            # libnice's leak of tests/lsan.supp, which is known by whole stacks: too slow here
            options = os.environ.get("ASAN_OPTIONS", "")
            found.environment = {"ASAN_OPTIONS": f"{options}:detect_leaks=0"}
        return found

    return build


def usual(relay):
    return [*relay.stun_option(), *relay.option("udp")]


def everything(relay):
    return [*usual(relay), *relay.option("tcp"), *relay.option("tls")]


def assert_quick(*sides):
    for side in sides:
        assert side.setup_time < 2_000_000


def test_two_people_with_public_addresses_need_nobody(scene):
    net = scene(open_sides="ab")
    alice, bob = net.call()
    assert alice.last["candidate_local"].startswith("host udp 203.0.113.11:")
    assert alice.last["candidate_remote"].startswith("host udp 203.0.113.12:")
    assert_quick(alice, bob)
    net.assert_heard(alice, bob)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_where_udp_is_blocked_the_relay_is_reached_by_tcp(scene, transport):
    """By TLS the firewall lets through 443 only."""
    net = scene(lambda relay: [*usual(relay), *relay.option(transport)],
                relay_options={"tls_port": 443})
    net.internet.block("a", "meta l4proto udp")
    if transport == "tls":
        ports = f"{{ 443, {net.server.port} }}"
        net.internet.block("a", f"tcp dport != {ports}")
    alice, bob = net.call()
    assert alice.last["candidate_local"].startswith("relay udp 203.0.113.1:")
    assert_quick(alice, bob)
    net.assert_heard(alice, bob)


def test_udp_blocked_on_both_sides_leaves_the_relay_at_both_ends(scene):
    net = scene(everything, relay_options={"tls_port": 443})
    for side in "ab":
        net.internet.block(side, "meta l4proto udp")
    alice, bob = net.call()
    for side in (alice, bob):
        assert side.last["candidate_local"].startswith("relay udp 203.0.113.1:")
    assert_quick(alice, bob)
    net.assert_heard(alice, bob)


def test_ipv4_and_ipv6_meet_at_the_relay(scene):
    """alice has IPv4 behind NAT, bob nothing but IPv6."""
    net = scene(lambda relay: ["--turn", f"{RELAY_NAME}:{relay.port}:udp:{SECRET}"],
                relay_options={"others": (PUBLIC_V6,)},
                server_options=("--listen-also", PUBLIC_V6), ipv6_only="b")
    alice, bob = net.call(hosts=(None, PUBLIC_V6))
    assert bob.last["candidate_local"].startswith("relay udp 203.0.113.1:")
    assert_quick(alice, bob)
    net.assert_heard(alice, bob)


def test_a_computer_with_ipv6_only_reaches_the_relay_by_tls_where_udp_is_blocked(scene):
    """The firewall lets through 443 only; libnice, which has no TLS, reaches us on ::1."""
    net = scene(lambda relay: [*relay.option("udp"), *relay.option("tls")],
                relay_options={"others": (PUBLIC_V6,), "tls_port": 443},
                server_options=("--listen-also", PUBLIC_V6), ipv6_only="b")
    net.internet.block("b", "meta l4proto udp")
    net.internet.block("b", f"tcp dport != {{ 443, {net.server.port} }}")
    alice, bob = net.call(hosts=(None, PUBLIC_V6))
    assert bob.last["candidate_local"].startswith("relay udp 203.0.113.1:")
    assert_quick(alice, bob)
    net.assert_heard(alice, bob)


DEAD = ["--stun", f"{BLACK_HOLE}:3478", "--turn", f"{BLACK_HOLE}:3478:udp:{SECRET}",
        "--turn", f"{BLACK_HOLE}:3478:tcp:{SECRET}", "--turn", f"{BLACK_HOLE}:443:tls:{SECRET}"]


def test_dead_servers_do_not_delay_those_who_need_none(scene):
    net = scene(lambda relay: DEAD, open_sides="ab")
    assert_quick(*net.call())


def test_dead_servers_do_not_delay_those_who_need_a_live_one(scene):
    net = scene(lambda relay: [*DEAD, *usual(relay)],
                symmetric="ab")
    alice, bob = net.call()
    assert_quick(alice, bob)
    assert net.relay.allocations() >= 2


@pytest.mark.parametrize("dead", [BLACK_HOLE, "stun.example"], ids=["silent", "without-a-name"])
def test_the_second_stun_server_is_as_good_as_the_first(scene, dead):
    """Nothing but our public addresses can help here, and no TURN server tells them."""
    net = scene(lambda relay: ["--stun", f"{dead}:3478", "--stun", f"{RELAY_NAME}:{relay.port}"])
    alice, bob = net.call()
    assert_quick(alice, bob)
    assert net.relay.allocations() == 0
    net.assert_heard(alice, bob)
    for side, public in ((alice, "203.0.113.2"), (bob, "203.0.113.3")):
        own, = [one for one in net.candidates_of(side) if one["type"] == "srflx"]
        assert own["ip"] == public
        assert own["rel-addr"] == net.internet.address("a" if side is alice else "b")


def test_a_resolver_that_never_answers_delays_nobody(scene):
    net = scene(lambda relay: ["--stun", "stun.example:3478", "--turn",
                               f"turn.example:3478:udp:{SECRET}", *relay.option("udp")],
                symmetric="ab")
    for side in "ab":
        net.internet.write(side, "resolv.conf", f"nameserver {BLACK_HOLE}\n")
    assert_quick(*net.call())


# ------------------------------------------------------- networks that change during a call --


def assert_goes_on(net, alice, bob, longest):
    """Both hear each other again, and nothing was silent for longer than so many seconds."""
    for side in (alice, bob):
        side.await_sound(1)
    gaps = net.assert_heard(alice, bob)
    assert max(gaps) <= longest


@pytest.mark.parametrize("mover", ["a", "b"], ids=["the-caller", "the-one-called"])
def test_from_wifi_to_mobile_during_a_call(scene, mover):
    net = scene()
    net.internet.prepare_mobile(mover)
    alice, bob = net.call()
    net.internet.go_mobile(mover)
    assert_goes_on(net, alice, bob, longest=3)
    moved = alice if mover == "a" else bob
    assert moved.seen("statistics")[-1]["candidate_local"] != moved.last["candidate_local"]


def test_from_wifi_to_mobile_while_it_rings(scene):
    net = scene()
    net.internet.prepare_mobile("a")
    alice, bob = net.ring()
    net.internet.go_mobile("a")
    alice.await_event("online")
    bob.command("answer")
    for side in (alice, bob):
        side.setup_time = side.await_event("connected")["setup_time"]
        side.await_sound(1)
    assert_quick(alice, bob)
    net.assert_heard(alice, bob)


def test_the_one_called_changes_the_network_while_it_rings(scene):
    net = scene()
    net.internet.prepare_mobile("b")
    alice, bob = net.ring()
    net.internet.go_mobile("b")
    bob.await_event("online")
    bob.command("answer")
    for side in (alice, bob):
        side.await_event("connected")
        side.await_sound(1)
    net.assert_heard(alice, bob)


def test_the_network_changes_between_accept_and_sound(scene):
    net = scene()
    net.internet.prepare_mobile("b")
    alice, bob = net.ring()
    bob.command("answer")
    net.internet.go_mobile("b")
    for side in (alice, bob):
        side.await_event("connected")
        side.await_sound(2)
    net.assert_heard(alice, bob)


def test_two_changes_of_the_network_within_a_second(scene):
    net = scene()
    net.internet.prepare_mobile("a")
    alice, bob = net.call()
    net.internet.cut("a")
    net.internet.mend("a")
    net.internet.go_mobile("a")
    assert_goes_on(net, alice, bob, longest=5)


def test_from_wifi_to_mobile_while_the_call_is_held(scene):
    net = scene()
    net.internet.prepare_mobile("a")
    alice, bob = net.call()
    alice.command("hold")
    bob.await_event("hold")
    net.internet.go_mobile("a")
    alice.await_event("online")
    alice.command("unhold")
    for side in (alice, bob):
        side.await_sound(2)
    net.assert_heard(alice, bob)


def test_a_storm_of_interfaces_disturbs_no_call(scene):
    net = scene(open_sides="ab")
    alice, bob = net.call()
    began = time.monotonic()
    net.internet.make_and_remove_interfaces("a", 100)
    alice.await_sound(2)
    took = time.monotonic() - began
    net.assert_heard(alice, bob)
    log = "".join(alice.stderr)
    assert log.count("network of this computer has changed") <= took + 5
    assert "Looking for another path" not in log


@pytest.mark.parametrize("side", ["a", "b"], ids=["of-the-caller", "of-the-one-called"])
def test_a_nat_that_silently_forgets(scene, side):
    net = scene()
    alice, bob = net.call()
    net.internet.rebind(side)
    (bob if side == "a" else alice).await_event("recovered")
    assert_goes_on(net, alice, bob, longest=6)


def test_a_server_connection_that_is_lost_and_resumed_is_not_heard(scene):
    net = scene()
    alice, bob = net.call()
    for side, program in (("a", alice), ("b", bob)):
        net.internet.refuse_tcp(side, net.server.port)
        program.command("mute")  # something to be sent, so that the refusal is met
        program.await_event("offline")
        program.command("unmute")
        net.internet.allow_tcp(side)
        program.await_event("online")
    for side in (alice, bob):
        assert "(resumed)" in "".join(side.stderr)
        assert not side.seen("interrupted")
        side.await_sound(1)
    hang_up(alice, bob)


def test_another_network_while_the_server_is_away(scene):
    """Nothing can be signalled before the server is back; then the sound is, too."""
    net = scene()
    net.internet.prepare_mobile("a")
    alice, bob = net.call()
    net.server.kill()
    for side in (alice, bob):
        side.await_event("offline")
    net.internet.go_mobile("a")
    for side in (alice, bob):
        side.await_event("interrupted")
    net.server.resume()
    back = time.monotonic()
    for side in (alice, bob):
        assert side.await_event("recovered")["seen"] - back < 8
    assert_goes_on(net, alice, bob, longest=12)


def sleep_computer(program, seconds):
    """As a suspended laptop: it does nothing, and no time passes for it."""
    program.process.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    program.process.send_signal(signal.SIGCONT)


def test_a_computer_that_slept_for_a_moment_goes_on(scene):
    net = scene()
    alice, bob = net.call()
    sleep_computer(alice, 4)
    bob.await_event("recovered")
    for side in (alice, bob):
        side.await_sound(1)
    net.assert_heard(alice, bob)


def test_a_computer_that_slept_for_long_finds_the_call_ended(scene):
    net = scene()
    alice, bob = net.call()
    sleep_computer(alice, 14)
    for side in (bob, alice):
        end = side.await_event("ended")
        assert end["reason"] == "connection-lost" and end["text"]


def test_a_client_that_cannot_restart_ice_is_left_alone(scene):
    """As Dino: its answers have no group (it bundles nothing), and new credentials mean nothing to
    it. The call waits for the network that it had, says so, and goes on when that is back."""
    net = scene(server_options=("--module", tamper_module()))
    alter(net.server, "session-initiate <group.-</group> ", "session-accept <group.-</group> ")
    alice, bob = net.call()
    net.internet.cut("a")
    text = alice.await_event("interrupted")["text"]
    assert "another network" in text
    net.internet.mend("a")
    for side in (alice, bob):
        side.await_event("recovered")
        side.await_sound(1)
        assert "Looking for another path" not in "".join(side.stderr)
    net.assert_heard(alice, bob)


# ------------------------------------------------------------------ addresses that may be used --


@pytest.mark.parametrize("symmetric", ["", "ab"], ids=["by-stun", "by-relay"])
def test_a_call_without_encryption_crosses_nat(scene, symmetric):
    """Its two components take two ways."""
    net = scene(symmetric=symmetric, server_options=("--module", NO_ENCRYPTION))
    alice, bob = net.call(["--direct", "--allow-unencrypted"], ["--allow-unencrypted"])
    used = []
    for side in (alice, bob):
        assert side.seen("connected")[0]["encrypted"] is False
        used += [side.last["candidate_local"], side.last["candidate_remote"]]
    assert any(name.startswith("relay") for name in used) == bool(symmetric), used
    assert net.relay.allocations() >= (4 if symmetric else 0)
    net.assert_heard(alice, bob)


def test_with_relay_only_nobody_learns_an_address(scene):
    """Looked at in the stanzas at the server, and in the packets that leave alice's computer."""
    net = scene(lambda relay: ["--stun", f"{BLACK_HOLE}:3478", *usual(relay)])
    packets = net.internet.capture("a")
    alice, bob = net.call(alice_words=["--relay-only"])
    assert alice.last["candidate_local"].startswith("relay")
    net.assert_heard(alice, bob)
    told = net.told_by(alice)
    candidates = net.candidates_of(alice)
    assert {(one["type"], one["ip"]) for one in candidates} == {("relay", PUBLIC)}
    for address in ("rel-addr", "rel-port", "10.1.0.2", "203.0.113.2"):
        assert address not in told
    assert packets.udp() == {f"{PUBLIC}:{net.relay.port}"}


@pytest.mark.parametrize("network", [{"open_sides": "ab"}, {"symmetric": "ab"}],
                         ids=["directly", "through-the-relay"])
def test_interfaces_that_lead_nowhere_do_not_slow_the_start(scene, network):
    """A dozen on each side, as containers and VPNs make them. What leads somewhere is tried first."""
    net = scene(**network)
    for side in "ab":
        net.internet.add_useless_interfaces(side, 12)
    alice, bob = net.call()
    assert_quick(alice, bob)
    net.assert_heard(alice, bob)
    assert net.candidates_of(alice)[0]["ip"] == net.internet.address("a")


def test_interfaces_and_families_can_be_chosen(scene):
    net = scene(open_sides="ab")
    net.internet.add_useless_interfaces("a", 3)
    net.internet.add_useless_interfaces("b", 3)
    packets = net.internet.capture("a")
    alice, bob = net.call(alice_words=["--interfaces=eth*", "--family=ipv4"],
                          bob_words=["--interfaces=!docker*"])
    net.assert_heard(alice, bob)
    for side, own in ((alice, "203.0.113.11"), (bob, "203.0.113.12")):
        hosts = {one["ip"] for one in net.candidates_of(side) if one["type"] == "host"}
        assert hosts == {own}
    assert not [place for place in packets.udp() if not place.startswith("203.0.113.")]
