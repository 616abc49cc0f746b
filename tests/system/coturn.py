"""A private TURN and STUN server (coturn) on ports of its own, with one shared secret as XEP-0215
hands out credentials for."""

import random
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

SECRET = "a-secret-of-this-test"


def free_port(address="127.0.0.1"):
    """A port below those that the kernel gives out by itself, free for UDP and TCP now."""
    while True:
        port = random.randint(10000, 30000)
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind((address, port))
        except OSError:
            continue
        return port


class Coturn:
    """`ca_file` is the certificate that it shows over TLS, for `name`. `others` are addresses that
    it listens on, too."""

    def __init__(self, address="127.0.0.1", name="localhost", prefix=(), tls_port=5349, others=()):
        self.address = address
        self.name = name
        self.directory = Path(tempfile.mkdtemp(prefix="jingle-turn."))
        self.ca_file, key = self.directory / "certificate.pem", self.directory / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "30", "-subj", f"/CN={name}", "-addext",
             f"subjectAltName=DNS:{name}", "-keyout", key, "-out", self.ca_file],
            check=True, capture_output=True)
        self.port = 3478 if prefix else free_port(address)
        self.tls_port = tls_port if prefix else free_port(address)
        base = 40000 if prefix else random.randint(31000, 32000)
        words = [
            "turnserver", "-n",
            *(word for one in (address, *others)
              for word in ("--listening-ip", one, "--relay-ip", one)),
            "--listening-port", self.port, "--tls-listening-port", self.tls_port,
            "--min-port", base, "--max-port", base + 700, "--realm", "private.test",
            "--use-auth-secret", "--static-auth-secret", SECRET, "--allow-loopback-peers",
            "--no-cli", "--no-dtls", "--log-file", "stdout", "--verbose",
            "--pidfile", self.directory / "pid", "--userdb", self.directory / "users",
            "--cert", self.ca_file, "--pkey", key,
        ]
        self.output = open(self.directory / "log", "w+")
        self.process = subprocess.Popen([*prefix, *map(str, words)], stdout=self.output,
                                        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self._await_listening(prefix)

    def _await_listening(self, prefix):
        deadline = time.monotonic() + 20
        while self.process.poll() is None and time.monotonic() < deadline:
            found = subprocess.run([*prefix, "ss", "-ltnH", "sport", "=", f":{self.port}"],
                                   capture_output=True, text=True)
            if self.address in found.stdout:
                return
            time.sleep(0.05)
        raise RuntimeError(f"coturn does not listen: {self.log()}")

    def log(self):
        return (self.directory / "log").read_text(errors="replace")

    def allocations(self):
        """How many relay addresses it has given out so far."""
        return self.log().count("ALLOCATE processed, success")

    def option(self, transport):
        """For the XMPP server: announce us."""
        port = self.tls_port if transport == "tls" else self.port
        host = self.name if transport == "tls" else self.address
        return ["--turn", f"{host}:{port}:{transport}:{SECRET}"]

    def stun_option(self):
        return ["--stun", f"{self.address}:{self.port}"]

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.output.close()
        shutil.rmtree(self.directory)
