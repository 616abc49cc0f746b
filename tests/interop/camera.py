"""A camera that programs find at PipeWire: a PipeWire and its session manager in the place that the
environment names (XDG_RUNTIME_DIR), and a node that shows the test picture."""

import subprocess
import time
from pathlib import Path

import pytest
from jcall import BUILD

NODE = BUILD / "tests" / "system" / "video_node"
PROGRAMS = {"pipewire": "pipewire", "wireplumber": "wireplumber", "pw-cli": "pipewire-bin",
            "/usr/lib/x86_64-linux-gnu/gstreamer-1.0/libgstpipewire.so": "gstreamer1.0-pipewire"}
WAIT = 30


class Camera:
    def __init__(self, environment, log):
        if not NODE.exists():
            pytest.skip("built without PipeWire, so there is no camera")
        self.environment = environment
        self.started = []
        self.log = open(log, "w")
        self._start("pipewire")
        self._await("info", "0")
        self._start("wireplumber")
        self._start(NODE, "camera")
        self._await("ls", "Node", saying='"Video/Source"')

    def _start(self, *words):
        self.started.append(subprocess.Popen(words, env=self.environment, stdout=self.log,
                                             stderr=self.log))

    def _await(self, *words, saying=""):
        """Until pw-cli succeeds and says so."""
        deadline = time.monotonic() + WAIT
        while True:
            done = subprocess.run(["pw-cli", *words], env=self.environment, text=True,
                                  capture_output=True)
            if done.returncode == 0 and saying in done.stdout:
                return
            assert time.monotonic() < deadline, Path(self.log.name).read_text() + done.stderr
            time.sleep(0.1)

    def stop(self):
        for program in reversed(self.started):
            program.kill()
            program.wait()
        self.log.close()
