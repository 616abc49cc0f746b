"""jcall with real devices: PortAudio on ALSA on a private PulseAudio with a null sink (pulse.sh)."""

import os
import subprocess
from pathlib import Path

import numpy
import pytest
import sound

SCRIPT = Path(__file__).parent / "pulse.sh"


class Pulse:
    """A sound card for one test: what is played can be captured, by jcall as by the test."""

    def __init__(self, directory):
        self.directory = str(directory)
        directory.mkdir()
        self.start()
        self.players = []

    def start(self):
        text = subprocess.run([SCRIPT, "start", self.directory], check=True, capture_output=True,
                              text=True).stdout
        self.environment = dict(line.split("=", 1) for line in text.splitlines())

    def kill(self):
        subprocess.run([SCRIPT, "kill", self.directory], check=True)

    def play(self, samples, rate=48000):
        """Plays to the card, which its microphone hears."""
        path = Path(self.directory) / "played.wav"
        sound.write(path, samples, rate)
        self.players.append(subprocess.Popen(
            ["paplay", "--latency-msec=20", path], env={**os.environ, **self.environment}))

    def hear(self, seconds):
        """What the card plays, from now on: (samples, rate)."""
        size = int(seconds * 48000) * 2
        recorder = subprocess.Popen(
            ["parec", "--latency-msec=20", "--rate=48000", "--channels=1", "--format=s16le"],
            stdout=subprocess.PIPE, env={**os.environ, **self.environment})
        try:
            data = recorder.stdout.read(size)
        finally:
            recorder.terminate()
            recorder.wait()
        return numpy.frombuffer(data, "<i2") / 32768.0, 48000

    def stop(self):
        for player in self.players:
            player.terminate()
            player.wait()
        subprocess.run([SCRIPT, "stop", self.directory], check=True)


@pytest.fixture
def pulse(tmp_path):
    card = Pulse(tmp_path / "pulse")
    yield card
    card.stop()


def test_what_the_microphone_hears_is_heard_at_the_other_end(server, run_jcall, answering, pulse,
                                                             tmp_path):
    heard = tmp_path / "heard.wav"
    bob = answering(server, "bob", "--record", heard, "--once")
    pulse.play(sound.tone(440, 60))
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "device", "--sink",
                      "null", "--no-noise-suppression", "--no-gain-control",
                      environment=pulse.environment)
    alice.await_event("connected")
    bob.await_event("statistics", where=lambda event: event["level_received"] > 0.05)
    bob.await_sound(3)
    alice.command("hangup")
    assert bob.await_exit() == 0
    assert alice.await_exit() == 0
    samples, rate = sound.read(heard)
    assert sound.share_of_tone(sound.heard_part(samples, rate), rate, 440) > 0.9


def test_what_the_other_end_says_comes_out_of_the_loudspeaker(server, run_jcall, answering,
                                                              pulse):
    answering(server, "bob")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "silence", "--sink",
                      "device", environment=pulse.environment)
    alice.await_event("connected")
    alice.await_sound(2)
    samples, rate = pulse.hear(3)
    assert sound.share_of_tone(sound.heard_part(samples, rate), rate, 880) > 0.9


def test_a_call_survives_the_loss_of_its_devices(server, run_jcall, answering, pulse):
    bob = answering(server, "bob")
    alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "device", "--sink",
                      "device", environment=pulse.environment)
    alice.await_event("connected")
    alice.await_sound(1)
    pulse.kill()
    alice.await_event("device", lost=True)
    pulse.start()
    alice.await_event("device", 60, lost=False)
    samples, rate = pulse.hear(3)
    assert sound.share_of_tone(sound.heard_part(samples, rate), rate, 880) > 0.9
    alice.command("hangup")
    assert bob.await_event("ended")["reason"] == "hangup"


def test_devices_are_listed(server, run_jcall, pulse):
    alice = run_jcall(server, "alice", "devices", environment=pulse.environment, commands=False)
    assert alice.await_exit() == 0
    devices = alice.seen("sound-device")
    assert any(device["default_capture"] and device["capture_channels"] for device in devices)
    assert any(device["default_playback"] and device["playback_channels"] for device in devices)
