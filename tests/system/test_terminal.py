"""jcall on a terminal: the password is asked for without echo, keys work, and the line is live."""

import fcntl
import os
import pty
import re
import signal
import subprocess
import termios
import threading
import time

import files
import jcall
import pytest


class Terminal:
    def __init__(self, words, environment):
        self.master, slave = pty.openpty()
        self.shown, self.lock = "", threading.Condition()
        self.process = subprocess.Popen(
            [jcall.JCALL, *map(str, words)], stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**os.environ, **environment, "TERM": "xterm"})
        os.close(slave)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while True:
            try:
                data = os.read(self.master, 4096)
            except OSError:  # the other end is closed
                return
            with self.lock:
                self.shown += data.decode(errors="replace")
                self.lock.notify_all()

    def await_text(self, pattern):
        with self.lock:
            assert self.lock.wait_for(lambda: re.search(pattern, self.shown), jcall.DEADLINE), (
                f"no {pattern} in {self.shown}")

    def type(self, text):
        os.write(self.master, text.encode())

    def await_exit(self):
        code = self.process.wait(jcall.DEADLINE)
        self.reader.join(jcall.DEADLINE)
        assert "Sanitizer" not in self.shown, self.shown
        return code

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(jcall.DEADLINE)
        self.reader.join(jcall.DEADLINE)
        os.close(self.master)


@pytest.fixture
def terminal():
    running = []

    def run(server, name, *words, password=""):
        options, environment = jcall.account(server, name, password=password)
        running.append(Terminal([*options, *words], environment))
        return running[-1]

    yield run
    for one in running:
        one.stop()


def test_a_call_by_hand(server, answering, terminal):
    bob = answering(server, "bob")
    alice = terminal(server, "alice", "call", server.jid("bob"), "--source", "tone:440", "--sink",
                     "null")
    alice.await_text(r"[Pp]assword")
    alice.type("secret\n")
    bob.await_event("connected")
    alice.await_text(r"0:0[1-9]")  # the time runs
    alice.type("m")
    bob.await_event("mute", on=True, by="remote")
    alice.type("m")
    bob.await_event("mute", on=False, by="remote")
    alice.type("5")
    assert bob.await_event("digit", by="remote")["digit"] == "5"
    alice.type("q")
    assert bob.await_event("ended")["reason"] == "hangup"
    assert alice.await_exit() == 0
    assert "secret" not in alice.shown


def test_an_incoming_call_is_declined_by_a_key(server, run_jcall, terminal):
    bob = terminal(server, "bob", "answer", "--once", "--source", "silence", "--sink", "null",
                   password="secret")
    bob.await_text("bob@")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "silence", "--sink",
                      "null")
    bob.await_text("alice@")
    alice.await_event("ringing")
    bob.type("n")
    assert alice.await_exit() == 11


def test_the_terminal_is_left_as_it_was(server, answering, terminal):
    answering(server, "bob")
    alice = terminal(server, "alice", "call", server.jid("bob"), "--source", "silence", "--sink",
                     "null", password="secret")
    before = termios.tcgetattr(alice.master)
    alice.await_text(r"0:0[1-9]")
    alice.process.send_signal(signal.SIGINT)
    assert alice.await_exit() == 130
    assert termios.tcgetattr(alice.master)[3] == before[3]


def test_without_a_terminal_there_are_plain_lines(server, answering):
    answering(server, "bob")
    options, environment = jcall.account(server, "alice")
    done = subprocess.run(
        [jcall.JCALL, *map(str, options), "call", server.jid("bob"), "--source", "silence",
         "--sink", "null", "--seconds", "2"], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, env={**os.environ, **environment}, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout and "\r" not in done.stdout
    assert len(done.stdout.splitlines()) >= 2


def test_a_file_by_hand(server, sending, terminal, tmp_path):
    (tmp_path / "in").mkdir()
    paths = [files.make(tmp_path / "out" / name, 100_000) for name in ("yes.bin", "no.bin")]
    bob = terminal(server, "bob", "receive", "--once", "--dir", tmp_path / "in", password="secret")
    bob.await_text("Waiting for files")
    alice = sending(server, "alice", "bob", *paths, words=["--description", "for you"])
    bob.await_text("They write: for you")
    bob.await_text("Take yes.bin.*y takes, n refuses")
    bob.type("y")
    bob.await_text("Take no.bin")
    bob.type("n")
    assert bob.await_exit() == 11
    assert alice.await_exit() == 11
    assert re.search(rf"yes.bin \(97.7 KiB\) is saved as {tmp_path}/in/yes.bin", bob.shown)
    assert files.names(tmp_path / "in") == ["yes.bin"]


LINK = ("<message xmlns='jabber:client' type='chat' to='{to}'><body>{url}</body>"
        "<x xmlns='jabber:x:oob'><url>{url}</url><desc>{words}</desc></x></message>")


@pytest.mark.parametrize("command", ["receive", "answer"])
def test_links_to_files_are_told_and_change_nothing_on_the_screen(server, start_peer, terminal,
                                                                  tmp_path, command):
    bob = terminal(server, "bob", command, "--dir", tmp_path, password="secret")
    bob.await_text("Logged in")
    alice = start_peer(server, "alice")
    to, url = server.jid("bob"), "https://files.invalid/cat.jpg"
    alice.send(LINK.format(to=to, url="https://files.invalid/&#x9b;2Jdog.jpg", words=""))
    alice.send(LINK.format(to=to, url=url, words="a &#x9b;2J&#x202e;cat"))
    alice.send(LINK.format(to=to, url="aesgcm://files.invalid/1#00", words=""))
    bob.await_text(rf"{server.jid('alice')} sent a link to a file. To fetch it, open {url}\r?\n")
    bob.await_text("They write: a +2J +cat")
    bob.await_text("an encrypted file, which jcall cannot open: aesgcm://files.invalid/1#00")
    assert "dog.jpg" not in bob.shown
    assert "\x9b" not in bob.shown and "\u202e" not in bob.shown


def test_progress_of_a_file_is_a_line_that_lives(server, receiving, terminal, tmp_path):
    receiving(server, "bob", tmp_path / "in")
    path = files.make(tmp_path / "x.bin", 4 * files.MIB)
    alice = terminal(server, "alice", "send", server.jid("bob"), path, "--limit", "2M",
                     password="secret")
    alice.await_text(r"[1-9]\d? %.* of 4.00 MiB.*/s.*0:0\d left.*direct")
    assert alice.await_exit() == 0
    assert "x.bin (4.00 MiB) has arrived: direct, " in alice.shown
    assert alice.shown.count("4.00 MiB") < 40  # it is drawn four times a second at most


def test_a_file_is_sent_during_a_call(server, run_jcall, terminal, tmp_path):
    path = files.make(tmp_path / "a b.bin", 100_000)
    bob = terminal(server, "bob", "answer", "--auto", "--once", "--dir", tmp_path, "--source",
                   "silence", "--sink", "null", password="secret")
    bob.await_text("Waiting for calls")
    alice = terminal(server, "alice", "call", server.jid("bob"), "--source", "silence", "--sink",
                     "null", password="secret")
    for side in (alice, bob):
        side.await_text("Connected")
    alice.type("o")
    alice.await_text("Send which file")
    alice.type(f"'{path}x\x7f'\r")
    bob.await_text("offers a b.bin")
    bob.await_text("a to take it")
    bob.type("a")
    alice.await_text("a b.bin .* has arrived")
    bob.await_text("saved as .*a b \\(1\\).bin")
    alice.type("q")
    assert alice.await_exit() == bob.await_exit() == 0
    assert files.equal(path, tmp_path / "a b (1).bin")


def test_a_call_that_ends_leaves_its_file_the_time_it_needs(server, run_jcall, terminal, tmp_path):
    (tmp_path / "in").mkdir()
    path = files.make(tmp_path / "x.bin", 4 * files.MIB)
    bob = run_jcall(server, "bob", "answer", "--auto", "--once", "--dir", tmp_path / "in",
                    "--source", "silence", "--sink", "null", "--limit", "2M")
    bob.await_event("online")
    alice = terminal(server, "alice", "call", server.jid("bob"), "--source", "silence", "--sink",
                     "null", password="secret")
    alice.await_text("Connected")
    alice.type(f"o{path}\r")
    bob.await_event("file-offered")
    bob.command("take")
    bob.await_event("transfer-started")
    alice.type("q")
    alice.await_text("still on its way")
    assert bob.await_event("ended")["reason"] == "hangup"
    assert files.end(bob)["status"] == "ok"
    assert alice.await_exit() == bob.await_exit() == 0
    assert files.equal(path, tmp_path / "in" / "x.bin")


def test_without_anybody_to_ask_receiving_says_what_to_do(server):
    options, environment = jcall.account(server, "bob")
    done = subprocess.run([jcall.JCALL, *map(str, options), "receive"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, env={**os.environ, **environment},
                          timeout=60)
    assert done.returncode == 2
    assert "--auto" in done.stderr and "--commands" in done.stderr


def test_an_idle_client_does_not_wake_up(server, run_jcall):
    """Nothing but the keep-alive, and whatever a sanitizer does in threads of its own."""
    alice = run_jcall(server, "alice", "answer")
    alice.await_event("online")
    settled = wake_ups(alice.process.pid)
    while (now := wait_a_second(alice.process.pid)) != settled:
        settled = now
    before = wake_ups(alice.process.pid)
    time.sleep(5)  # what is measured is a rate
    assert wake_ups(alice.process.pid) - before <= 3


def wait_a_second(pid):
    time.sleep(1)
    return wake_ups(pid)


def wake_ups(pid):
    """How often the main thread and the engine's named threads went to sleep so far."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as file:
            status = dict(line.split(":", 1) for line in file.read().splitlines())
        if int(task) == pid or status["Name"].strip() != "jcall":
            total += int(status["voluntary_ctxt_switches"])
    return total
