"""The small examples, used as their first comments say."""

import os
import subprocess
import threading

import jcall
import pytest
import sound
from test_calls import SPEECH


class Example:
    """An example that runs; its output lines are awaited."""

    def __init__(self, name, server, *words):
        self.lines, self.lock = [], threading.Condition()
        self.process = subprocess.Popen(
            [jcall.JCALL.parent / name, *map(str, words)], text=True, bufsize=1,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env={**os.environ, **jcall.account(server, "bob")[1], "PASSWORD": "secret",
                 "HOST": server.host, "PORT": str(server.port), "CA_FILE": server.ca_file,
                 "LAB_LOOPBACK": "1"})
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.lock:
                self.lines.append(line)
                self.lock.notify_all()

    def await_line(self, text):
        with self.lock:
            assert self.lock.wait_for(lambda: any(text in line for line in self.lines),
                                      jcall.DEADLINE), f"no {text} in {self.lines}"

    def stop(self):
        """As Ctrl-C does; it must end by itself, and clean."""
        self.process.send_signal(subprocess.signal.SIGINT)
        self.process.wait(jcall.DEADLINE)
        self.reader.join(jcall.DEADLINE)
        said = "".join(self.lines)
        assert "Sanitizer" not in said and "runtime error" not in said, said


@pytest.fixture
def example():
    running = []

    def run(*words):
        running.append(Example(*words))
        return running[-1]

    yield run
    for one in running:
        one.stop()


def test_the_answering_machine_greets_records_and_hangs_up(server, run_jcall, example, tmp_path):
    greeting, folder, heard = tmp_path / "greeting.wav", tmp_path / "calls", tmp_path / "heard.wav"
    folder.mkdir()
    sound.write(greeting, sound.tone(880, 2))
    machine = example("answering_machine", server, server.jid("bob"), greeting, folder, 4)
    machine.await_line("Waiting for calls")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "tone:440", "--sink",
                      "null", "--record", heard)
    alice.await_event("connected")
    assert alice.await_event("ended", 60)["by"] == "remote"
    assert alice.await_exit() == 0
    recordings = list(folder.iterdir())
    assert len(recordings) == 1
    samples, rate = sound.decode(recordings[0], seconds=3)
    assert sound.share_of_tone(sound.heard_part(samples, rate), rate, 440) > 0.9
    samples, rate = sound.read(heard)
    assert sound.share_of_tone(samples[int(0.3 * rate):int(1.8 * rate)], rate, 880) > 0.9


def test_the_minimal_call(server, answering, example, tmp_path):
    heard = tmp_path / "heard.wav"
    spoken = tmp_path / "spoken.wav"
    sound.write(spoken, *sound.decode(SPEECH, seconds=5))
    bob = answering(server, "carol", "--record", heard, "--once")
    call = example("minimal_call", server, server.jid("bob"), server.jid("carol"), spoken)
    bob.await_event("ended", 60)
    call.process.wait(jcall.DEADLINE)
    bob.await_exit()
    assert sound.speech_match(*sound.read(spoken), *sound.read(heard)) > 0.9


def test_the_smallest_program_that_sends_a_file(server, run_jcall, example, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(os.urandom(100_000))
    (tmp_path / "in").mkdir()
    carol = run_jcall(server, "carol", "receive", "--auto", "--once", "--dir", tmp_path / "in")
    carol.await_event("online")
    send = example("send_file", server, server.jid("bob"), server.jid("carol"),
                   tmp_path / "photo.jpg")
    send.await_line("100000 of 100000 bytes")
    assert carol.await_exit() == 0
    assert send.process.wait(jcall.DEADLINE) == 0
    assert (tmp_path / "in/photo.jpg").read_bytes() == (tmp_path / "photo.jpg").read_bytes()


def test_a_bot_with_a_connection_of_its_own_is_called(server, run_jcall, example):
    bot = example("host_bot", server, server.jid("bob"), SPEECH)
    bot.await_line("Online")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "tone:440", "--sink",
                      "null")
    alice.await_event("connected")
    alice.await_event("statistics", where=lambda event: event["level_received"] > 0.05)
    alice.command("hangup")
    assert alice.await_exit() == 0
    bot.await_line("hung up")


def test_a_bot_with_a_connection_of_its_own_calls(server, run_jcall, start_peer, example):
    bot = example("host_bot", server, server.jid("bob"), SPEECH)
    bot.await_line("Online")
    alice = run_jcall(server, "alice", "answer", "--auto", "--source", "tone:440", "--sink",
                      "null", resource="phone")
    alice.await_event("online")
    chat = start_peer(server, "alice", resource="chat", callable_=False)
    chat.send(f"<message to='{server.jid('bob')}' type='chat'><body>call me</body></message>")
    alice.await_event("connected")
    alice.await_event("statistics", where=lambda event: event["level_received"] > 0.05)
    alice.command("hangup")
    bot.await_line("hung up")
