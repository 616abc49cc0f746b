"""How media finds its way: a relay that the XMPP server announces (XEP-0215), and through NAT."""

import netns
import pytest
import sound
from test_calls import talk


def assert_heard(alice, bob, path, hz=440):
    alice.command("hangup")
    assert bob.await_event("ended")["reason"] == "hangup"
    bob.command("quit")
    bob.await_exit()
    assert sound.share_of_tone(*sound.read(path), hz) > 0.9


def bundle(tmp_path, *files):
    """One file with all these authorities."""
    path = tmp_path / "authorities.pem"
    path.write_text("".join(open(file).read() for file in files))
    return str(path)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_relay_that_the_server_announces(start_server, start_coturn, run_jcall, answering,
                                           tmp_path, transport):
    relay = start_coturn()
    server = start_server(*relay.option(transport))
    ca_file = bundle(tmp_path, server.ca_file, relay.ca_file)
    heard = tmp_path / "heard.wav"
    bob = answering(server, "bob", "--relay-only", "--record", heard, ca_file=ca_file)
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--relay-only", "--source",
                      "tone:440", "--sink", "null", ca_file=ca_file)
    for last in talk(alice, bob, 2):
        assert last["candidate_local"].startswith("relay")
        assert last["candidate_remote"].startswith(("relay", "prflx"))
    assert relay.allocations() >= 2
    assert_heard(alice, bob, heard)


def test_a_relay_with_a_certificate_that_is_not_trusted_is_not_used(start_server, start_coturn,
                                                                    run_jcall, answering):
    relay = start_coturn()
    server = start_server(*relay.option("tls"))
    answering(server, "bob")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--relay-only", "--source",
                      "silence", "--sink", "null")
    assert alice.await_event("ended", 60)["reason"] == "no-path"
    assert alice.await_exit() == 30
    assert relay.allocations() == 0


def test_a_relay_given_by_option(start_server, start_coturn, run_jcall, answering):
    """A name and a password made as draft-uberti-behave-turn-rest has it, without XEP-0215."""
    import base64
    import hashlib
    import hmac
    import time
    from coturn import SECRET
    relay = start_coturn()
    server = start_server()
    user = str(int(time.time()) + 3600)
    password = base64.b64encode(hmac.new(SECRET.encode(), user.encode(), hashlib.sha1).digest())
    option = f"turn:{relay.address}:{relay.port}?transport=udp {user} {password.decode()}"
    bob = answering(server, "bob")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--relay-only", "--ice-server",
                      option, "--source", "tone:440", "--sink", "null")
    assert talk(alice, bob)[0]["candidate_local"].startswith("relay")


def nat_call(start_internet, start_coturn, start_server, run_jcall, answering, tmp_path,
             symmetric, relay_options):
    internet = start_internet(symmetric=symmetric)
    public = internet.prefix("public")
    relay = start_coturn(netns.PUBLIC, prefix=public)
    server = start_server(*relay_options(relay), "--listen", netns.PUBLIC, prefix=public)
    heard = tmp_path / "heard.wav"
    bob = answering(server, "bob", "--record", heard, prefix=internet.prefix("b"), loopback=False)
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "tone:440",
                      "--sink", "null", prefix=internet.prefix("a"), loopback=False)
    return internet, relay, alice, bob, heard


@netns.needed
def test_two_people_behind_nat_need_only_stun(start_internet, start_coturn, start_server,
                                              run_jcall, answering, tmp_path):
    _, relay, alice, bob, heard = nat_call(
        start_internet, start_coturn, start_server, run_jcall, answering, tmp_path, (),
        lambda relay: relay.stun_option())
    for last in talk(alice, bob, 2):
        assert last["candidate_remote"].startswith(("srflx udp 203.0.113.", "prflx udp 203.0.113."))
    assert relay.allocations() == 0
    assert_heard(alice, bob, heard)


@netns.needed
def test_two_people_behind_symmetric_nat_use_the_relay(start_internet, start_coturn, start_server,
                                                       run_jcall, answering, tmp_path):
    _, relay, alice, bob, heard = nat_call(
        start_internet, start_coturn, start_server, run_jcall, answering, tmp_path, "ab",
        lambda relay: relay.stun_option() + relay.option("udp"))
    used = [last[name] for last in talk(alice, bob, 2)
            for name in ("candidate_local", "candidate_remote")]
    assert any(name.startswith("relay") for name in used)
    assert relay.allocations() >= 2
    assert_heard(alice, bob, heard)


@netns.needed
def test_a_cable_pulled_for_a_moment_interrupts_and_recovers(start_internet, start_coturn,
                                                             start_server, run_jcall, answering,
                                                             tmp_path):
    internet, _, alice, bob, _ = nat_call(
        start_internet, start_coturn, start_server, run_jcall, answering, tmp_path, (),
        lambda relay: relay.stun_option())
    talk(alice, bob)
    internet.cut("a")
    bob.await_event("interrupted")
    internet.mend("a")
    bob.await_event("recovered")
    for side in (alice, bob):
        side.await_sound(1)


@netns.needed
def test_lost_consent_checks_end_no_call_that_is_heard(start_internet, start_coturn, start_server,
                                                       run_jcall, answering, tmp_path):
    internet, _, alice, bob, heard = nat_call(
        start_internet, start_coturn, start_server, run_jcall, answering, tmp_path, (),
        lambda relay: relay.stun_option())
    talk(alice, bob)
    internet.lose_answers_to_checks("a")
    alice.await_sound(25)  # consent is gone after 10 s (RFC 7675)
    assert not alice.seen("interrupted") and not bob.seen("interrupted")
    assert_heard(alice, bob, heard)


@netns.needed
def test_without_a_path_both_sides_say_so(start_internet, start_server, run_jcall, answering):
    internet = start_internet(symmetric="ab")
    public = internet.prefix("public")
    server = start_server("--listen", netns.PUBLIC, prefix=public)
    bob = answering(server, "bob", "--once", prefix=internet.prefix("b"), loopback=False)
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "silence", "--sink",
                      "null", prefix=internet.prefix("a"), loopback=False)
    for side in (alice, bob):
        assert side.await_event("ended", 60)["reason"] == "no-path"
        assert side.await_exit() == 30
