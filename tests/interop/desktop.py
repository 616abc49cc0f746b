"""What other people's programs need to run on nobody's desk: a display, a session bus and a sound
card of their own. They are used by their buttons (hands.py)."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy
import sound
from test_sound_devices import Pulse
from test_window import Display

HERE = Path(__file__).resolve().parent
GSTREAMER = "/usr/lib/x86_64-linux-gnu/gstreamer-1.0"
PROGRAMS = {"Xvfb": "xvfb", "dbus-daemon": "dbus", "unshare": "util-linux",
            "gdbus": "libglib2.0-bin", "xdotool": "xdotool", "ffmpeg": "ffmpeg",
            "pulseaudio": "pulseaudio", "/usr/libexec/at-spi-bus-launcher": "at-spi2-core",
            "/usr/lib/python3/dist-packages/pyatspi": "python3-pyatspi",
            f"{GSTREAMER}/libgstpulseaudio.so": "gstreamer1.0-pulseaudio"}
WAIT = 30


class Card(Pulse):
    """What the program plays goes to `card`; what is played to `mouth` is its microphone. A monitor
    of a sink is no microphone to Dino, a source that is made of one is."""

    def __init__(self, directory, hz):
        super().__init__(directory)
        for words in (["load-module", "module-null-sink", "sink_name=mouth", "channels=1",
                       "rate=48000"],
                      ["load-module", "module-remap-source", "master=mouth.monitor",
                       "source_name=microphone"],
                      ["set-default-source", "microphone"]):
            subprocess.run(["pactl", *words], check=True, capture_output=True,
                           env={**os.environ, **self.environment})
        path = Path(self.directory) / "said.wav"
        sound.write(path, sound.tone(hz, 120))
        self._play("paplay", "--device=mouth", "--latency-msec=20", path)
        # As pulse.sh says of null sinks: both ends are kept awake by somebody in a hurry.
        self._play("pacat", "--playback", "--device=mouth", "--latency-msec=5", "--raw",
                   "/dev/zero")
        self._play("sh", "-c", "exec parec --device=microphone --latency-msec=5 --raw >/dev/null")

    def await_tone(self, hz):
        """Until the card plays a second of nothing else."""
        deadline = time.monotonic() + WAIT
        while (share := sound.share_of_tone(*self.hear(1), hz)) < 0.9:
            assert time.monotonic() < deadline, f"what it plays is {share:.0%} of that tone"

    def await_silence(self):
        deadline = time.monotonic() + WAIT
        while (level := numpy.abs(self.hear(0.5)[0]).max()) > 0.001:
            assert time.monotonic() < deadline, f"it plays at {level}"

    def _play(self, *words):
        self.players.append(subprocess.Popen(words, env={**os.environ, **self.environment}))

    def hear(self, seconds):
        recorder = subprocess.Popen(
            ["parec", "--device=card.monitor", "--latency-msec=20", "--rate=48000", "--channels=1",
             "--format=s16le"],
            stdout=subprocess.PIPE, env={**os.environ, **self.environment})
        try:
            data = recorder.stdout.read(int(seconds * 48000) * 2)
        finally:
            recorder.terminate()
            recorder.wait()
        return numpy.frombuffer(data, "<i2") / 32768.0, 48000


class DesktopProgram:
    """A program whose process is `process`, and whose microphone hears a tone. `accessible` is its
    name as assistive technology knows it."""

    accessible = None

    def __init__(self, directory, hz, **environment):
        self.directory = directory
        self.card = Card(directory / "card", hz)
        self.display = Display()
        self.environment = {
            **os.environ, **self.card.environment, **self.display.environment,
            "GDK_BACKEND": "x11", "LIBGL_ALWAYS_SOFTWARE": "1", "LANG": "C.UTF-8",
            "GTK_USE_PORTAL": "0", **environment}

    def start_bus(self):
        """Its services have the same surroundings, such as the place of the accessibility bus."""
        self.bus = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address=1"],
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                    env=self.environment)
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = self.bus.stdout.readline().strip()

    def _hands(self, *words):
        return subprocess.run([sys.executable, HERE / "hands.py", self.accessible, *words],
                              capture_output=True, text=True, env=self.environment)

    def use(self, *words):
        done = self._hands(*words)
        assert done.returncode == 0, f"{done.stderr}\n{self.log()}"

    def can(self, role, name):
        """Whether there is such a thing within a second."""
        return self._hands("look", role, name).returncode == 0

    def click(self, role, name):
        self.use("click", role, name)

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def stop(self):
        self.end()
        self.bus.terminate()
        self.bus.wait()
        self.display.stop()
        self.card.stop()
