"""Files during a call, by commands: what keys do is in test_terminal.py."""

import files
import pytest


@pytest.fixture
def talking(connected_call, server, tmp_path):
    """alice and bob in a call: (alice, bob, bob's folder)."""
    folder = tmp_path / "in"
    folder.mkdir()
    alice, bob = connected_call(server, answer_words=("--dir", folder, "--limit", "4M"))
    return alice, bob, folder


def test_a_file_for_the_other_person(talking, tmp_path):
    alice, bob, folder = talking
    path = files.make(tmp_path / "a picture.png", files.MIB)
    alice.command(f"send {path}")
    offer = bob.await_event("file-offered")
    assert offer["name"] == path.name and offer["bytes"] == files.MIB
    bob.command("take")
    for side in (alice, bob):
        ended = files.end(side)
        assert ended["status"] == "ok" and ended["file"] == 1
        assert ended["peer"] == (bob if side is alice else alice).seen("online")[0]["jid"]
    assert files.equal(path, folder / path.name)
    alice.await_sound(0.5)  # the call is none the worse


def test_both_ways_at_once(talking, tmp_path):
    alice, bob, folder = talking
    path = files.make(tmp_path / "x.bin", files.MIB)
    for side in (alice, bob):
        side.command(f"send {path}")
    bob.await_event("file-offered")
    bob.command("take")
    alice.await_event("file-offered")
    alice.command("refuse")
    assert files.end(bob, sending=True)["status"] == "refused"
    assert files.end(alice, sending=True)["status"] == "ok"
    assert files.names(folder) == [path.name]


def test_stopping(talking, tmp_path):
    alice, bob, folder = talking
    alice.command(f"send {files.make(tmp_path / 'x.bin', 40 * files.MIB)}")
    bob.await_event("file-offered")
    bob.command("take")
    alice.await_event("transfer-started")
    alice.command("stop-files")
    for side, by in ((alice, "local"), (bob, "remote")):
        ended = files.end(side)
        assert (ended["status"], ended["by"]) == ("canceled", by)
    assert not files.names(folder)
    alice.command("hangup")
    assert alice.await_exit() == 0


def test_what_cannot_be_done_is_said(talking, tmp_path):
    alice, bob, _ = talking
    alice.command(f"send {tmp_path / 'nothing'}")
    assert "No such file" in alice.await_event("error")["text"]
    alice.command(f"send {tmp_path}")
    assert "--tar" in alice.await_event("error")["text"]
    alice.command("take")
    assert alice.await_event("error")["status"] == "state"
    bob.command("refuse")
    assert bob.await_event("error")["status"] == "state"


def test_the_program_ends_after_the_file(talking, tmp_path):
    alice, bob, folder = talking
    path = files.make(tmp_path / "x.bin", 8 * files.MIB)
    alice.command(f"send {path}")
    bob.await_event("file-offered")
    bob.command("take")
    alice.await_event("transfer-started")
    alice.command("hangup")
    alice.await_event("ended")
    assert files.end(alice)["status"] == "ok"
    assert alice.await_exit() == 0
    assert files.end(bob)["status"] == "ok"
    assert files.equal(path, folder / path.name)


def test_without_a_call_only_contacts_may_offer(answering, sending, server, tmp_path):
    bob = answering(server, "bob", "--dir", tmp_path / "in", resource="here")
    path = files.make(tmp_path / "out" / "x.bin", 1000)
    (tmp_path / "in").mkdir()
    mallory = sending(server, "mallory", f"{server.jid('bob')}/here", path)
    assert mallory.await_exit() != 0
    alice = sending(server, "alice", "bob", path)
    bob.await_event("file-offered", where=lambda event: event["on_roster"])
    bob.command("take")
    assert alice.await_exit() == 0
    assert files.names(tmp_path / "in") == ["x.bin"]
