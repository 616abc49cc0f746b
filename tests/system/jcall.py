"""jcall as a program under test: `jcall ... --json`, its events awaited with a deadline."""

import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("JINGLE_BUILD", TOP / "build" / "asan"))
JCALL = BUILD / "examples" / "jcall"
DEADLINE = 30  # seconds: for what should take one; a loaded machine is slow


class Jcall:
    """One running jcall; its events are in `events`, and `at` is how far they have been awaited."""

    def __init__(self, *words, environment=None, prefix=(), commands=True):
        self.words = [str(word) for word in words]
        descriptor, self.log = tempfile.mkstemp(prefix="jingle-log.")
        os.close(descriptor)
        self.events = []
        self.at = 0
        self.stderr = []
        self.lock = threading.Condition()
        self.process = subprocess.Popen(
            [*prefix, JCALL, "-vv", "--log", self.log, *self.words, "--json",
             *(["--commands"] if commands else [])],
            stdin=subprocess.PIPE if commands else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1,
            env={**os.environ, **(environment or {})})
        self.readers = [threading.Thread(target=self._read_events, daemon=True),
                        threading.Thread(target=self._read_stderr, daemon=True)]
        for reader in self.readers:
            reader.start()

    def _read_events(self):
        for line in self.process.stdout:
            event = json.loads(line)
            event["seen"] = time.monotonic()
            with self.lock:
                self.events.append(event)
                self.lock.notify_all()
        with self.lock:
            self.events.append({"event": "end-of-output", "seen": time.monotonic()})
            self.lock.notify_all()

    def _read_stderr(self):
        for line in self.process.stderr:
            self.stderr.append(line)

    def await_event(self, name, timeout=DEADLINE, where=lambda event: True, **fields):
        """The next event of that name with those fields; what comes before it is passed over."""
        deadline = time.monotonic() + timeout
        with self.lock:
            while True:
                while self.at < len(self.events):
                    event = self.events[self.at]
                    self.at += 1
                    if (event["event"] == name and where(event)
                            and all(event.get(key) == value for key, value in fields.items())):
                        return event
                    assert event["event"] != "end-of-output", self._say(f"ended without {name}")
                left = deadline - time.monotonic()
                assert left > 0, self._say(f"no {name} {fields or ''} in {timeout} s")
                self.lock.wait(left)

    def seen(self, name):
        """All events of that name so far."""
        with self.lock:
            return [event for event in self.events if event["event"] == name]

    def await_sound(self, seconds=1.0, timeout=DEADLINE):
        """Waits until so much sound has been received from now on."""
        first = self.await_event("statistics", timeout)
        wanted = first["samples_played"] + seconds * 48000
        return self.await_event("statistics", timeout + seconds,
                                where=lambda event: event["samples_played"] >= wanted
                                and event["packets_received"] > first["packets_received"])

    def command(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def await_exit(self, timeout=DEADLINE):
        """Waits for the end; returns the exit code, which the last event must tell too."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(self._say(f"still runs after {timeout} s")) from None
        for reader in self.readers:
            reader.join(timeout)
        self.assert_clean()
        told = self.seen("exit")
        assert told and told[-1]["code"] == code, self._say(f"exit code {code} was not told")
        return code

    def assert_clean(self):
        errors = "".join(self.stderr)
        for sign in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:",
                     "WARNING: ThreadSanitizer", "GLib-CRITICAL", "Assertion"):
            assert sign not in errors, self._say(sign)

    def kill(self):
        """kill -9: no good-bye."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self):
        """After a test: ends it as Ctrl-C does, and looks for what sanitizers found."""
        try:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGINT)
                self._await_end()
            for reader in self.readers:
                reader.join(DEADLINE)
            self.assert_clean()
        finally:
            os.remove(self.log)

    def _await_end(self):
        try:
            self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(self._say("did not end by SIGINT")) from None

    def _say(self, what):
        events = "\n".join(json.dumps({key: value for key, value in event.items()
                                       if key not in ("seen", "time")})
                           for event in self.events if event["event"] != "statistics")
        with open(self.log, errors="replace") as file:
            log = "".join(line[:300].rstrip() + "\n" for line in file.readlines()[-80:])
        return (f"jcall {' '.join(self.words)}: {what}\n{events}\n{log}"
                + "".join(self.stderr[-400:]))


def await_true(holds, timeout=DEADLINE):
    """Waits for what nobody tells, such as the size of a file."""
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, f"not in {timeout} s"
        time.sleep(0.02)


def account(server, name, *, port=None, tls="starttls", ca_file=None, resource=None,
            password="secret", loopback=True):
    """The options and the environment for an account on a server."""
    words = ["--jid", server.jid(name), "--host", server.host, "--port", port or server.port,
             "--tls", tls, "--ca-file", ca_file or server.ca_file]
    if resource:
        words += ["--resource", resource]
    if loopback:
        words.append("--lab-loopback")
    home = Path(server.ca_file).parent / f"home-{name}"  # nothing is remembered from other tests
    # Neither are the machine's sound devices looked at, unless a test brings its own.
    return words, {"JCALL_PASSWORD": password, "JCALL_JID": "", "HOME": str(home),
                   "ALSA_CONFIG_PATH": str(Path(__file__).parent / "asound.conf"),
                   "XDG_CONFIG_HOME": str(home / "config"), "XDG_CACHE_HOME": str(home / "cache")}
