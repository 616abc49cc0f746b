"""The screen through a desktop portal and PipeWire, both of the test's own: a bus, a PipeWire with
its session manager, a node that paints and a portal that shares it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jcall import BUILD

HERE = Path(__file__).resolve().parent
TAKE, NODE = (BUILD / "tests" / "system" / name for name in ("take_screen", "video_node"))

# GDBus has a thread of its own, whose locks ThreadSanitizer does not see: it reports nothing else.
pytestmark = [pytest.mark.gdbus, pytest.mark.skipif(
    not NODE.exists() or any(shutil.which(name) is None
                             for name in ("dbus-daemon", "pipewire", "wireplumber"))
    or subprocess.run([sys.executable, "-c", "from gi.repository import Gio"],
                      stderr=subprocess.DEVNULL).returncode != 0,
    reason="needs the desktop portal built, D-Bus, PipeWire, WirePlumber and python3-gi")]


class Desktop:
    """All the programs of a desktop that matter here."""

    def __init__(self, folder):
        home, runtime = folder / "home", folder / "run"
        home.mkdir()
        runtime.mkdir(mode=0o700)
        self.started = []
        self.environment = {**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(runtime),
                            "PIPEWIRE_RUNTIME_DIR": str(runtime)}
        self.environment.pop("DISPLAY", None)
        self.log = open(folder / "log", "w")
        bus = self.start("dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address")
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().strip()
        self.start("pipewire")
        self.start("wireplumber")
        self.node = None

    def start(self, *words):
        self.started.append(subprocess.Popen(words, env=self.environment, text=True,
                                             stdout=subprocess.PIPE, stderr=self.log))
        return self.started[-1]

    def share(self, *behaviour):
        """Starts the node and the portal; gives the portal."""
        self.node = self.start(str(NODE), "screen")
        number = self.node.stdout.readline().strip()
        assert number, "PipeWire does not run here"
        portal = self.start(sys.executable, str(HERE / "desktop_portal.py"), number, *behaviour)
        assert portal.stdout.readline() == "ready\n"
        return portal

    def take(self):
        done = subprocess.run([str(TAKE)], env=self.environment, text=True, timeout=100,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()

    def stop(self):
        for program in reversed(self.started):
            program.kill()
            program.wait()
            program.stdout.close()
        self.log.close()


@pytest.fixture
def desktop(tmp_path):
    desktop = Desktop(tmp_path)
    yield desktop
    desktop.stop()


def wait_for_pipewire(desktop):
    """Until its socket is there: whoever connects earlier gives up."""
    path = Path(desktop.environment["XDG_RUNTIME_DIR"]) / "pipewire-0"
    subprocess.run(["bash", "-c", 'until [ -S "$0" ]; do sleep 0.1; done', str(path)],
                   timeout=30, check=True)


def test_a_shared_screen_is_seen_and_asked_for_once(desktop):
    wait_for_pipewire(desktop)
    portal = desktop.share()
    assert desktop.take() == ["10 pictures of 640 by 480, red"] * 2
    portal.kill()
    calls = [json.loads(line) for line in portal.stdout]
    selections = [call[-1] for call in calls if call[0] == "SelectSources"]
    assert len(selections) == 2
    assert "restore_token" not in selections[0]
    assert selections[1]["restore_token"] == "the same again"
    assert selections[0]["cursor_mode"] == 2


def test_a_user_who_says_no_is_not_asked_again_and_again(desktop):
    wait_for_pipewire(desktop)
    desktop.share("refuse")
    assert desktop.take() == ["told -1 after 0"] * 2


def test_without_a_portal_there_is_no_screen(desktop):
    assert desktop.take() == ["no start: -67"]
