"""Files where the network is against them: no direct way, no proxy, and a call that must not suffer."""

import files
import netns
import pytest
import sound
from files import MIB
from netns import PUBLIC


@pytest.fixture
def behind_routers(start_internet, start_server, receiving, sending, tmp_path):
    """alice and bob reach nothing but the server: behind_routers(path) sends it, and returns the
    way that it took. `block` is done to the internet before."""

    def send(path, block=lambda internet, server: None):
        internet = start_internet()
        server = start_server("--listen", PUBLIC, "--proxy", prefix=internet.prefix("public"))
        block(internet, server)
        bob = receiving(server, "bob", tmp_path / "in", "--once", loopback=False,
                        prefix=internet.prefix("b"))
        alice = sending(server, "alice", "bob", path, loopback=False,
                        prefix=internet.prefix("a"))
        ways = {files.end(side)["way"] for side in (alice, bob)}
        assert alice.await_exit() == bob.await_exit() == 0
        assert files.equal(path, tmp_path / "in" / path.name)
        (way,) = ways
        return way

    return send


@netns.needed
def test_between_two_routers_the_proxy_is_taken(behind_routers, tmp_path):
    assert behind_routers(files.make(tmp_path / "x", 3 * MIB)) == "proxy"


@netns.needed
@pytest.mark.parametrize("sides", ["ab", "a", "b"])
def test_without_the_proxy_in_band_is_left(behind_routers, tmp_path, sides):
    """One side alone that cannot reach it is enough."""

    def block(internet, server):
        for side in sides:
            internet.block(side, f"tcp dport {server.proxy_port}")

    assert behind_routers(files.make(tmp_path / "x", 300_000), block) == "in-band"


@netns.needed
@pytest.mark.parametrize("mover", ["a", "b"], ids=["the-sender", "the-receiver"])
def test_from_wifi_to_mobile_while_a_file_moves(start_internet, start_server, receiving, sending,
                                                tmp_path, mover):
    """The stream is dead and TCP does not know: both are told soon, and the same command goes on
    from there."""
    path = files.make(tmp_path / "x", 4 * MIB)
    internet = start_internet()
    internet.prepare_mobile(mover)
    server = start_server("--listen", PUBLIC, "--proxy", prefix=internet.prefix("public"))
    bob = receiving(server, "bob", tmp_path / "in", loopback=False, prefix=internet.prefix("b"))

    def send(*words):
        return sending(server, "alice", "bob", path, words=words, loopback=False,
                       prefix=internet.prefix("a"))

    alice = send("--limit", "500k")
    bob.await_event("transfer-progress", where=lambda event: event["bytes_done"] > MIB)
    internet.go_mobile(mover)
    for side in (alice, bob):
        lost = files.end(side, status="connection-lost")
        assert "send it again" in lost["text"]
    assert alice.await_exit() == 31
    again = send()
    for side in (again, bob):
        assert files.end(side, status="ok")["resumed"] > 0
    assert files.equal(path, tmp_path / "in" / path.name)


def test_ten_files_beside_a_call_whose_sound_stays_whole(file_server, connected_call, tmp_path):
    """All at once and with no limit."""
    paths = [files.make(tmp_path / "out" / f"{number}.bin", 20 * MIB) for number in range(10)]
    folder, heard = tmp_path / "in", tmp_path / "heard.wav"
    folder.mkdir()
    alice, bob = connected_call(file_server, answer_words=("--record", heard, "--dir", folder))
    for path in paths:
        alice.command(f"send {path}")
    for _ in paths:
        bob.await_event("file-offered")
        bob.command("take")
    for side in (alice, bob):
        for _ in paths:
            files.end(side, status="ok")
    last = bob.await_sound(0.5)
    alice.command("hangup")
    assert alice.await_exit() == 0
    for path in paths:
        assert files.equal(path, folder / path.name)
    samples, rate = sound.read(heard)
    part = sound.heard_part(samples, rate)
    assert last["samples_concealed"] <= 0.01 * last["samples_played"]
    assert sound.longest_silence(part, rate) <= 0.03
    assert sound.share_of_tone(part, rate, 440) > 0.97
