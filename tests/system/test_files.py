"""Files from one jcall to another: every way, every size that is special, every way to fail."""

import itertools
import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager

import files
import pytest
from file_peer import Ended, FileClient
from files import MIB
from jcall import await_true

BLOCK, BUFFER = 4096, 256 * 1024  # in-band; of a mover
SIZES = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, BUFFER - 1, BUFFER, BUFFER + 1]


@pytest.fixture(params=["prosody", "ejabberd"])
def either_server(request):
    """A server of each kind, with its proxy and its place for uploads."""
    return request.getfixturevalue({"prosody": "file_server"}.get(request.param, request.param))


def some_files(folder, sizes):
    return [files.make(folder / f"{size} bytes.bin", size) for size in sizes]


def assert_received(paths, folder):
    for path in paths:
        assert files.equal(path, folder / path.name), path.name
    assert files.names(folder) == sorted(path.name for path in paths)
    assert not files.partial(folder)


# -- ways --


@pytest.mark.parametrize("via, way", [("auto", "direct"), ("p2p", "direct"), ("proxy", "proxy"),
                                      ("inband", "in-band")])
def test_files_of_every_size(either_server, receiving, sending, tmp_path, via, way):
    """Several in one command."""
    more = MIB + 7 if via == "inband" else 5 * MIB + 7
    paths = some_files(tmp_path / "out", [*SIZES, more])
    bob = receiving(either_server, "bob", tmp_path / "in")
    alice = sending(either_server, "alice", "bob", *paths, words=["--via", via])
    for side in (alice, bob):
        for path in paths:
            ended = files.end(side)
            assert ended["status"] == "ok", ended
            assert ended["bytes"] == int(ended["name"].split()[0])
            if ended["bytes"] > 0:
                assert ended["way"] == way and ended["hash"] == "equal"
    assert alice.await_exit() == 0
    assert_received(paths, tmp_path / "in")


def fetch(url, server):
    done = subprocess.run(["curl", "--silent", "--show-error", "--fail", "--cacert",
                           server.ca_file, url], capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


OOB = "{jabber:x:oob}"


@pytest.mark.parametrize("online", [True, False], ids=["online", "offline"])
def test_uploads(either_server, sending, start_peer, tmp_path, online):
    bob = start_peer(either_server, "bob") if online else None
    paths = [files.make(tmp_path / f"an ä {size}.bin", size) for size in (1, 3 * MIB + 1)]
    alice = sending(either_server, "alice", "bob", *paths, words=["--via", "http"])
    urls = [files.end(alice, status="ok", way="http")["url"] for _ in paths]
    assert alice.await_exit() == 0
    bob = bob or start_peer(either_server, "bob")
    for path, url in zip(paths, urls, strict=True):
        message = bob.await_stanza(lambda xml: xml.find(f"{OOB}x/{OOB}url") is not None)
        assert message.findtext(f"{OOB}x/{OOB}url") == url
        assert message.findtext("{jabber:client}body") == url
        assert fetch(url, either_server) == path.read_bytes()


@pytest.mark.parametrize("online", [True, False], ids=["online", "offline"])
def test_who_receives_is_told_of_an_upload(either_server, receiving, sending, tmp_path, online):
    """And fetches nothing by itself."""
    folder = tmp_path / "in"
    bob = receiving(either_server, "bob", folder) if online else None
    path = files.make(tmp_path / "the plan ä.bin", 100_000)
    alice = sending(either_server, "alice", "bob", path,
                    words=["--via", "http", "--description", "The plan"])
    url = files.end(alice, status="ok", way="http")["url"]
    assert alice.await_exit() == 0
    bob = bob or receiving(either_server, "bob", folder)
    await_true(lambda: bob.seen("link"))  # what the server kept comes before all else
    link = bob.seen("link")[0]
    assert (link["from"], link["url"]) == (either_server.jid("alice"), url)
    assert (link["description"], link["encrypted"]) == ("The plan", False)
    assert fetch(link["url"], either_server) == path.read_bytes()
    assert len(bob.seen("link")) == 1
    assert files.names(folder) == [] and not files.partial(folder)


@pytest.mark.signalling
def test_an_upload_that_is_too_large(start_server, sending, tmp_path):
    server = start_server("--upload", "1000")
    alice = sending(server, "alice", "bob", files.make(tmp_path / "x", 1001),
                    words=["--via", "http"])
    assert files.end(alice)["status"] == "no-upload"
    assert alice.await_exit() != 0


@pytest.mark.signalling
def test_an_upload_where_the_server_keeps_none(server, sending, tmp_path):
    alice = sending(server, "alice", "bob", files.make(tmp_path / "x", 10),
                    words=["--via", "http"])
    assert files.end(alice)["status"] == "no-upload"
    assert alice.await_exit() != 0


def test_folders(server, receiving, sending, tmp_path):
    folder = tmp_path / "a folder"
    paths = [files.make(folder / "in it" / "one.bin", 100_000), files.make(folder / "two.bin", 0)]
    bob = receiving(server, "bob", tmp_path / "in", "--once")
    alice = sending(server, "alice", "bob", folder)
    assert alice.await_exit() != 0  # refused, with a hint
    assert "--tar" in alice.seen("exit")[0]["text"] + "".join(
        event["text"] for event in alice.seen("error"))
    alice = sending(server, "alice", "bob", folder, words=["--tar"])
    assert alice.await_exit() == 0
    assert bob.await_exit() == 0
    subprocess.run(["tar", "-xf", files.end(bob)["path"], "-C", tmp_path / "in"], check=True)
    for path in paths:
        assert files.equal(path, tmp_path / "in" / path.relative_to(tmp_path))


# -- names --


@pytest.mark.signalling
@pytest.mark.parametrize("name", ["Grüße aus München – ünïcödé 日本.txt", "it's a & b [1].txt",
                                  "x" * 251 + ".txt", "ä" * 127 + "x", "-rf"],
                         ids=itertools.count())
def test_names_that_stay_as_they_are(server, receiving, sending, tmp_path, name):
    path = files.make(tmp_path / "out" / name, 100)
    bob = receiving(server, "bob", tmp_path / "in", "--once")
    sending(server, "alice", "bob", path)
    assert bob.await_exit() == 0
    assert files.names(tmp_path / "in") == [name]


NASTY = [("../../x", "x"), ("/etc/passwd", "passwd"), ("..\\..\\boot.ini", "boot.ini"),
         (".bashrc", "bashrc"), ("..", "file"), (".", "file"), ("", "file"), ("a\tb\nc.txt", None),
         ("abc\u202etxt.exe", None), ("x" * 300 + ".tar.gz", None), ("CON", None), ("a/", "a"),
         ("x.jingle-part", "x.jingle-part"), ("\u0085\u009f", "file")]


@pytest.mark.signalling
def test_names_that_mean_harm(server, receiving, start_stream, tmp_path):
    bob = receiving(server, "bob", tmp_path / "down" / "in")
    alice = start_stream(server, "alice", features=FileClient.features)
    for number, (name, wanted) in enumerate(NASTY):
        content = b"%d" % number
        shutil.rmtree(tmp_path / "down")
        (tmp_path / "down" / "in").mkdir(parents=True)
        one = FileClient(alice, bob.seen("online")[0]["jid"])
        one.send(name, content)
        saved = files.end(bob, status="ok")["path"]
        found = [path for path in tmp_path.glob("**/*") if path.is_file()
                 and path.read_bytes() == content]
        assert [str(path) for path in found] == [saved], name
        assert found[0].parent == tmp_path / "down" / "in"
        last = found[0].name
        assert last == wanted or (wanted is None and last.isprintable()), (name, last)
        assert len(last.encode()) <= 255 and last not in ("CON", "")
        assert not last.startswith("."), name


def test_nothing_is_overwritten(server, receiving, sending, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.tar.gz").write_text("was here before")
    bob = receiving(server, "bob", folder)
    for number in (1, 2):
        path = files.make(tmp_path / "out" / "a.tar.gz", 1000, seed=number)
        assert sending(server, "alice", "bob", path).await_exit() == 0
        saved = folder / f"a ({number}).tar.gz"
        assert files.end(bob, status="ok")["path"] == str(saved)
        assert files.equal(path, saved)
    assert (folder / "a.tar.gz").read_text() == "was here before"


# -- who may send --


@pytest.mark.signalling
def test_refusing(server, receiving, sending, tmp_path):
    bob = receiving(server, "bob", tmp_path / "in", "--once", auto=False)
    path = files.make(tmp_path / "out" / "x", 1000)
    alice = sending(server, "alice", "bob", path, words=["--description", "for you"])
    offer = bob.await_event("file-offered")
    assert (offer["name"], offer["bytes"], offer["description"]) == ("x", 1000, "for you")
    bob.command("decline")
    ended = files.end(alice)
    assert (ended["status"], ended["by"]) == ("refused", "remote") and ended["text"]
    assert alice.await_exit() == 11
    assert not list((tmp_path / "in").iterdir())


def test_accepting_by_hand(server, receiving, sending, tmp_path):
    bob = receiving(server, "bob", tmp_path / "in", "--once", auto=False)
    path = files.make(tmp_path / "out" / "x", 1000)
    alice = sending(server, "alice", "bob", path)
    bob.await_event("file-offered")
    bob.command("accept")
    assert alice.await_exit() == 0
    assert bob.await_exit() == 0
    assert_received([path], tmp_path / "in")


@pytest.mark.signalling
def test_files_that_are_too_large_are_refused(server, receiving, sending, tmp_path):
    bob = receiving(server, "bob", tmp_path / "in", "--max", "1k")
    small, large = some_files(tmp_path / "out", (1024, 1025))
    assert sending(server, "alice", "bob", large).await_exit() == 11
    assert sending(server, "alice", "bob", small).await_exit() == 0
    assert files.end(bob, status="ok")["name"] == small.name
    assert_received([small], tmp_path / "in")


@pytest.mark.signalling
def test_files_of_others_are_refused(server, receiving, sending, tmp_path):
    receiving(server, "bob", tmp_path / "in", "--from", server.jid("carol"))
    path = files.make(tmp_path / "out" / "x", 1000)
    assert sending(server, "alice", "bob", path).await_exit() == 11
    assert sending(server, "carol", "bob", path).await_exit() == 0
    assert_received([path], tmp_path / "in")


def test_strangers_do_not_fill_a_disk(server, receiving, start_stream, tmp_path):
    bob = receiving(server, "bob", tmp_path / "in", resource="here")
    mallory = start_stream(server, "mallory", features=FileClient.features)
    one = FileClient(mallory, f"{server.jid('bob')}/here")
    with pytest.raises((Ended, AssertionError)) as refused:
        one.send("x", b"x" * 1000)
    assert "service-unavailable" in str(refused.value) or refused.value.reason == "decline"
    assert not bob.seen("transfer-started") and not list((tmp_path / "in").iterdir())


# -- what goes wrong in the middle --


@pytest.fixture
def under_way(server, receiving, sending, tmp_path):
    """A transfer of 8 MiB at 1 MiB/s of which something has come: (alice, bob, the file)."""

    def begin(*, folder=None, receive_words=(), **keywords):
        path = files.make(tmp_path / "out" / "x.bin", 8 * MIB)
        bob = receiving(server, "bob", folder or tmp_path / "in", "--once", *receive_words,
                        **keywords)
        alice = sending(server, "alice", "bob", path, words=["--limit", "1M"])
        bob.await_event("transfer-progress", where=lambda event: event["bytes_done"] > 0)
        return alice, bob, path

    return begin


def assert_kept(folder):
    assert not files.names(folder)
    (kept,) = files.partial(folder)
    assert 0 < kept.stat().st_size < 8 * MIB


def assert_ends(side, status, by):
    ended = files.end(side)
    assert (ended["status"], ended["by"]) == (status, by), ended
    assert ended["text"] and not ended["path"]
    return ended


def test_the_sender_gives_up(under_way, tmp_path):
    alice, bob, _ = under_way()
    alice.process.send_signal(signal.SIGINT)
    assert_ends(alice, "canceled", "local")
    assert_ends(bob, "canceled", "remote")
    assert alice.await_exit() == 130
    assert bob.await_exit() == 18
    assert_kept(tmp_path / "in")


def test_the_receiver_gives_up(under_way, tmp_path):
    alice, bob, _ = under_way()
    bob.process.send_signal(signal.SIGINT)
    assert_ends(bob, "canceled", "local")
    assert_ends(alice, "canceled", "remote")
    assert bob.await_exit() == 130
    assert alice.await_exit() == 18
    assert_kept(tmp_path / "in")


def test_the_source_changes_while_it_is_read(under_way, tmp_path):
    alice, bob, path = under_way()
    files.make(path, 8 * MIB, seed=1)
    assert_ends(alice, "file-changed", "local")
    assert_ends(bob, "peer-file", "remote")
    assert alice.await_exit() == bob.await_exit() == 41
    assert not files.names(tmp_path / "in")


def test_the_source_is_cut_off_while_it_is_read(under_way, tmp_path):
    alice, bob, path = under_way()
    os.truncate(path, 4 * MIB)
    assert_ends(alice, "file-changed", "local")
    assert_ends(bob, "peer-file", "remote")
    assert not files.names(tmp_path / "in")


def test_the_folder_goes_away(under_way, tmp_path):
    alice, bob, _ = under_way()
    shutil.rmtree(tmp_path / "in")
    assert_ends(bob, "file-not-found", "local")
    assert_ends(alice, "peer-file", "remote")
    assert bob.await_exit() == alice.await_exit() == 41
    assert not (tmp_path / "in").exists()


@contextmanager
def small_disk(path, size):
    path.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path],
                          capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"a small disk needs mount: {done.stderr.strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


def test_the_disk_fills_up(under_way, tmp_path):
    with small_disk(tmp_path / "disk", 12 * MIB) as disk:
        (disk / "before").write_text("whole")
        alice, bob, _ = under_way(folder=disk)
        try:
            (disk / "another program's").write_bytes(bytes(12 * MIB))
        except OSError:
            pass  # full now
        assert_ends(bob, "no-space", "local")
        assert_ends(alice, "peer-file", "remote")
        assert bob.await_exit() == alice.await_exit() == 41
        assert (disk / "before").read_text() == "whole"
        assert files.names(disk) == ["another program's", "before"]


def test_the_disk_is_too_small(server, receiving, sending, tmp_path):
    path = files.make(tmp_path / "x", MIB)
    with small_disk(tmp_path / "disk", MIB // 2) as disk:
        bob = receiving(server, "bob", disk, "--once")
        alice = sending(server, "alice", "bob", path)
        bob.await_event("file-refused", reason="no-space")
        assert_ends(bob, "refused", "local")
        assert_ends(alice, "refused", "remote")
        assert bob.await_exit() == 41 and alice.await_exit() == 11
        assert not list(disk.iterdir())


# Root may read everything, but not without its capabilities.
WITHOUT_POWER = ("setpriv", "--bounding-set=-all") if os.geteuid() == 0 else ()


@pytest.mark.signalling
def test_a_file_that_must_not_be_read(server, sending, tmp_path):
    path = files.make(tmp_path / "x", 1000)
    path.chmod(0)
    alice = sending(server, "alice", "bob", path, prefix=WITHOUT_POWER)
    assert alice.await_exit() == 41
    assert "permission" in alice.seen("exit")[0]["text"].lower() or [
        event for event in alice.seen("error") if event["status"] == "file-permission"]


@pytest.mark.signalling
def test_a_folder_that_must_not_be_written_to(server, run_jcall, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir(0o500)
    bob = run_jcall(server, "bob", "receive", "--dir", folder, prefix=WITHOUT_POWER)
    assert bob.await_exit() == 41
    assert "Permission denied" in bob.seen("exit")[0]["text"]


@pytest.mark.signalling
def test_a_file_that_is_not_there(server, sending, tmp_path):
    alice = sending(server, "alice", "bob", tmp_path / "nothing")
    assert alice.await_exit() == 41


@pytest.mark.signalling
def test_a_contact_that_is_not_there(server, sending, tmp_path):
    alice = sending(server, "alice", "bob", files.make(tmp_path / "x", 10))
    assert files.end(alice)["status"] == "contact-offline"
    assert alice.await_exit() == 13


@pytest.mark.signalling
def test_a_contact_whose_client_takes_no_files(server, sending, start_peer, tmp_path):
    start_peer(server, "bob")
    alice = sending(server, "alice", "bob", files.make(tmp_path / "x", 10))
    assert files.end(alice)["status"] == "no-file-support"
    assert alice.await_exit() != 0


# -- bytes that are not what was announced --


class Wrong(FileClient):
    """Announces one file and sends another."""

    def move_out(self, data):
        super().move_out(data[:-1] + b"?")


class TooMany(FileClient):
    def move_out(self, data):
        super().move_out(data + b"?")


class TooFew(FileClient):
    def move_out(self, data):
        super().move_out(data[:-1])


@pytest.mark.parametrize("kind, status, reason", [
    (Wrong, "file-hash", "media-error"), (TooMany, "file-too-long", None),
    (TooFew, "connection-lost", None)])
@pytest.mark.parametrize("s5b", [True, False], ids=["SOCKS5", "in-band"])
def test_bytes_that_are_not_those_announced(server, receiving, start_stream, tmp_path, kind,
                                            status, reason, s5b):
    bob = receiving(server, "bob", tmp_path / "in", "--once")
    alice = start_stream(server, "alice", features=FileClient.features)
    one = kind(alice, bob.seen("online")[0]["jid"], s5b=s5b)
    with pytest.raises((Ended, AssertionError, OSError)) as ended:
        one.send("x.bin", bytes(100_000))
    if reason:
        assert ended.value.reason == reason
    assert_ends(bob, status, "local")
    assert bob.await_exit() != 0
    assert not files.names(tmp_path / "in")
    if kind is not TooFew:
        assert not files.partial(tmp_path / "in")


# -- large --


def high_water(program):
    """The most memory that a program ever had, in KiB."""
    with open(f"/proc/{program.process.pid}/status") as file:
        return int(next(line for line in file if line.startswith("VmHWM:")).split()[1])


@pytest.mark.memory
def test_five_gibibytes_in_constant_memory(server, receiving, sending, tmp_path):
    # Sanitizers keep what was freed: little of it, so that memory can be compared.
    environment = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"}
    small = files.make(tmp_path / "out" / "small", 3 * BUFFER)
    large = tmp_path / "out" / "large"
    large.touch()
    os.truncate(large, 5 << 30)
    sides = [receiving(server, "bob", tmp_path / "in", "--max", "10G", environment=environment),
             sending(server, "alice", "bob", small, large, environment=environment)]
    try:
        for side in sides:
            side.await_event("transfer-ended", 60, where=lambda event: event["name"] == "small")
        before = [high_water(side) for side in sides]
        sides[1].await_event("transfer-progress", 300,
                             where=lambda event: event["bytes_done"] > 4 << 30)
        after = [high_water(side) for side in sides]
        for side in sides:
            assert side.await_event("transfer-ended", 300)["status"] == "ok"
        assert [more - less < 16 * 1024 for less, more in zip(before, after, strict=True)] \
            == [True, True], (before, after)
        assert (tmp_path / "in" / "large").stat().st_size == 5 << 30
    finally:
        shutil.rmtree(tmp_path / "in")


# -- going on where it stopped --


def grow(folder, least, timeout=30):
    """Waits until a partial file there has so many bytes."""
    deadline = time.monotonic() + timeout
    while not any(path.stat().st_size >= least for path in files.partial(folder)):
        assert time.monotonic() < deadline, f"there never were {least} bytes"
        time.sleep(0.02)


def kept(folder):
    return sum(path.stat().st_size for path in files.partial(folder))


def test_both_are_started_again_and_go_on(server, receiving, sending, tmp_path):
    path = files.make(tmp_path / "x.bin", 3 * MIB)
    bob = receiving(server, "bob", tmp_path / "in", "--once")
    alice = sending(server, "alice", "bob", path, words=["--limit", "1M"])
    grow(tmp_path / "in", MIB)
    for side in (alice, bob):
        side.kill()
    had = kept(tmp_path / "in")
    # The same resources, for the server still waits for those that died without a word.
    bob = receiving(server, "bob", tmp_path / "in", "--once",
                    resource=bob.seen("online")[0]["jid"].partition("/")[2])
    alice = sending(server, "alice", "bob", path,
                    resource=alice.seen("online")[0]["jid"].partition("/")[2])
    assert alice.await_exit() == bob.await_exit() == 0
    for side in (alice, bob):
        ended = files.end(side, status="ok")
        assert 0 < ended["resumed"] <= had and ended["bytes"] == 3 * MIB
    assert_received([path], tmp_path / "in")


def test_another_file_of_that_name_begins_anew(server, receiving, sending, tmp_path):
    path = files.make(tmp_path / "x.bin", 3 * MIB)
    bob = receiving(server, "bob", tmp_path / "in")
    alice = sending(server, "alice", "bob", path, words=["--limit", "1M"])
    grow(tmp_path / "in", MIB)
    alice.process.send_signal(signal.SIGINT)
    assert files.end(bob)["status"] == "canceled"
    files.make(path, 3 * MIB, seed=1)
    assert sending(server, "alice", "bob", path).await_exit() == 0
    files.end(bob, status="ok")
    assert_received([path], tmp_path / "in")


@pytest.mark.parametrize("seed", [1, 2])
def test_many_deaths(server, receiving, sending, tmp_path, seed):
    """kill -9 of either side at a random moment, 25 times; the same commands again until the file is
    whole, at once where the other side does not know yet."""
    chance = random.Random(seed)
    path = files.make(tmp_path / "x.bin", 24 * MIB)
    folder = tmp_path / "in"

    def start_bob():
        return receiving(server, "bob", folder, resource="here")

    def start_alice(limit="2M"):
        return sending(server, "alice", "bob", path, words=["--limit", limit], resource="there")

    bob = start_bob()
    resumed = 0
    for death in range(25):
        alice = start_alice()
        alice.await_event("transfer-started")
        time.sleep(chance.uniform(0, 0.4))
        victim = (alice, bob)[death % 2]
        victim.kill()
        assert not files.names(folder), "it was whole too early"
        resumed += kept(folder) > 0
        if victim is bob:
            assert files.end(alice)["status"] in ("connection-lost", "gone")
            bob = start_bob()
    alice = start_alice("0")
    assert alice.await_exit(60) == 0
    ended = files.end(bob, status="ok")
    assert resumed > 10 and ended["resumed"] > 0
    assert_received([path], folder)
