"""The window of a call, on a display of its own: what is on the screen is looked at."""

import os
import subprocess
import time
from pathlib import Path

import picture
import pytest

SIZE = ["--video-size", "640x360", "--frame-rate", "15"]
SILENT = ["--source", "silence", "--sink", "null"]
# Mesa leaks, and its drivers are not what is tested here.
SOFTWARE = {"SDL_RENDER_DRIVER": "software", "SDL_FRAMEBUFFER_ACCELERATION": "0"}


class Display:
    """An X server without a window manager."""

    def __init__(self):
        told, tell = os.pipe()
        self.process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(tell), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
            pass_fds=[tell], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(tell)
        with os.fdopen(told) as pipe:
            self.name = f":{pipe.readline().strip()}"
        # Fontconfig looks at every font of the machine again where it finds no cache.
        cache = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
        self.environment = {"DISPLAY": self.name, "WAYLAND_DISPLAY": "", "XDG_CACHE_HOME": cache,
                            **SOFTWARE}

    def run(self, *words):
        return subprocess.run(words, check=True, capture_output=True, text=True, timeout=30,
                              env={**os.environ, "DISPLAY": self.name}).stdout

    def window(self):
        """Where the window is: x, y, width, height."""
        lines = self.run("xdotool", "search", "--class", "^jcall$", "getwindowgeometry",
                         "--shell").split()
        values = dict(line.split("=") for line in lines)
        return [int(values[name]) for name in ("X", "Y", "WIDTH", "HEIGHT")]

    def look(self, path):
        """What is on the screen where the window is."""
        x, y, width, height = self.window()
        self.run("ffmpeg", "-v", "error", "-y", "-f", "x11grab", "-video_size",
                 f"{width}x{height}", "-i", f"{self.name}+{x},{y}", "-frames:v", "1", path)
        return picture.read(path)

    def press(self, key):
        """Down only: the window may be gone before the key comes up."""
        self.run("xdotool", "search", "--class", "^jcall$", "windowfocus", "--sync", "keydown", key)
        self.run("xdotool", "keyup", key)

    def stop(self):
        self.process.terminate()
        self.process.wait()


@pytest.fixture
def display():
    display = Display()
    yield display
    display.stop()


def digits(image):
    """The running clock; the line of text covers what is for programs."""
    height, width, _ = image.shape
    return image[height // 6:height // 3, width // 8:width * 7 // 8]


def await_picture(display, path, unlike=None, seconds=30):
    """A look at the test picture on the screen, whose clock shows another time than `unlike`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            seen = display.look(path)
            picture.assert_bars(seen)
            if unlike is None or (digits(seen) != digits(unlike)).any():
                return seen
        except (AssertionError, subprocess.CalledProcessError):  # no window, or nothing in it yet
            time.sleep(0.2)
        assert time.monotonic() < deadline, "the test picture is not on the screen"


def test_the_picture_moves_on_the_screen_and_keys_reach_the_call(server, run_jcall, answering,
                                                                 display, tmp_path):
    bob = answering(server, "bob", "--watch", environment=display.environment)
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--test-picture", "--no-display",
                      *SIZE, *SILENT)
    bob.await_event("connected")
    first = await_picture(display, tmp_path / "window.png")
    await_picture(display, tmp_path / "window.png", unlike=first)
    display.press("h")
    alice.await_event("hold", on=True, by="remote")
    display.press("h")
    alice.await_event("hold", on=False, by="remote")
    display.press("q")
    assert alice.await_event("ended")["reason"] == "hangup"


def test_a_display_that_goes_away_leaves_the_call_alone(server, run_jcall, answering, display,
                                                        tmp_path):
    bob = answering(server, "bob", "--watch", environment=display.environment)
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--test-picture", "--no-display",
                      *SIZE, *SILENT)
    await_picture(display, tmp_path / "window.png")
    display.stop()
    for side in (alice, bob):
        side.await_sound(2)
    alice.command("hangup")
    assert alice.await_exit() == 0


def test_no_display_is_no_obstacle(server, run_jcall, answering):
    bob = answering(server, "bob", "--watch",
                    environment={"DISPLAY": ":12345", "WAYLAND_DISPLAY": "", **SOFTWARE})
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--test-picture", "--no-display",
                      *SIZE, *SILENT)
    bob.await_event("statistics", where=lambda event: event["video"]["frames_decoded"] > 10)
    alice.command("hangup")
    assert alice.await_exit() == 0
