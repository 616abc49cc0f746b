"""A private Prosody for one test: examples/private_server.sh in Python's hands."""

import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "private_server.sh"


class Prosody:
    """Started by its construction. `prefix` is a command to run it under, such as a namespace's."""

    def __init__(self, *options, accounts=("alice", "bob"), strangers=(), prefix=()):
        self.prefix = list(prefix)
        words = [word for name in accounts for word in ("--account", name)]
        words += [word for name in strangers for word in ("--stranger", name)]
        self._read(self._script("start", *words, *options))

    def _script(self, *words):
        done = subprocess.run([*self.prefix, SCRIPT, *words], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"private_server.sh {words[0]}: {done.stdout}{done.stderr}")
        return done.stdout

    def _read(self, text):
        values = dict(line.split("=", 1) for line in shlex.split(text))
        self.host = values["HOST"]
        self.port = int(values["PORT"])
        self.tls_port = int(values.get("TLS_PORT", 0))
        self.proxy_port = int(values.get("PROXY_PORT", 0))
        self.s2s_port = int(values.get("S2S_PORT", 0))
        self.component_port = int(values.get("COMPONENT_PORT", 0))
        self.websocket = values.get("WEBSOCKET")
        self.domain = values["DOMAIN"]
        self.ca_file = values["CA_FILE"]
        self.directory = Path(values["DIR"])
        self.pid = int(values["PID"])

    def jid(self, name):
        return f"{name}@{self.domain}"

    def https_ports(self):
        """Where uploads go to, if it keeps any."""
        text = (self.directory / "prosody.cfg.lua").read_text()
        return [int(port) for port in re.findall(r"https_ports = { (\d+) }", text)]

    def know(self, others):
        """With modules/mod_other_servers.lua: where other servers are, by their domains."""
        (self.directory / "others.txt").write_text("".join(
            f"{domain} {address} {port}\n" for domain, (address, port) in others.items()))

    def halt(self):
        """Ends the server; resume() starts it again with the same data and ports."""
        self._script("halt", str(self.directory))

    def kill(self):
        """Ends it as a power failure would: no stream is closed by XML."""
        os.kill(self.pid, signal.SIGKILL)

    def resume(self):
        self._read(self._script("resume", str(self.directory)))

    def freeze(self):
        """From here on it is silent, but its kernel still accepts connections."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.pid, signal.SIGCONT)

    def log(self):
        return (self.directory / "prosody.log").read_text(errors="replace")

    def await_log(self, pattern, timeout=20):
        """Waits for a line of the server's log."""
        deadline = time.monotonic() + timeout
        while not re.search(pattern, self.log()):
            assert time.monotonic() < deadline, f"the server's log never had: {pattern}"
            time.sleep(0.05)

    def stop(self):
        self._script("stop", str(self.directory))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
