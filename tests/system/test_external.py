"""The engine inside of a program that has an XMPP library of its own (slixmpp, through ctypes)."""

import os
import subprocess
import sys
from pathlib import Path

import jcall
import pytest
import sound


def sanitizer_library():
    """What Python must load first so that a library with AddressSanitizer can be loaded."""
    linked = subprocess.run(["ldd", jcall.JCALL], capture_output=True, text=True).stdout
    return " ".join(line.split()[2] for line in linked.splitlines()
                    if "libasan" in line or "libubsan" in line)


@pytest.mark.external
def test_a_slixmpp_client_places_a_call(server, answering, tmp_path):
    heard_by_host, heard_by_bob = tmp_path / "host.wav", tmp_path / "bob.wav"
    bob = answering(server, "bob", "--once", "--record", heard_by_bob)
    # Python itself never frees all that it has, so leaks are not counted here.
    host = subprocess.run(
        [sys.executable, Path(__file__).parent / "external_host.py", server.host,
         str(server.port), server.ca_file, server.jid("alice"), server.jid("bob"),
         jcall.BUILD / "engine" / "libjingle-engine.so", heard_by_host],
        env={**os.environ, "LD_PRELOAD": sanitizer_library(),
             "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"},
        capture_output=True, text=True, timeout=120)
    assert host.returncode == 0, host.stdout + host.stderr
    assert bob.await_event("ended")["reason"] == "hangup"
    assert bob.await_exit() == 0
    assert sound.share_of_tone(*sound.read(heard_by_host), 880) > 0.9
    assert sound.share_of_tone(*sound.read(heard_by_bob), 440) > 0.9
