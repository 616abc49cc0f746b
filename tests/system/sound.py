"""What was heard: recordings judged by their content."""

import ctypes
import wave

import numpy
from scipy.signal import correlate


def read(path):
    """(samples of the first channel from -1 to 1, rate) of a WAV file."""
    with wave.open(str(path)) as file:
        assert file.getsampwidth() == 2
        rate = file.getframerate()
        samples = numpy.frombuffer(file.readframes(file.getnframes()), "<i2")
        return samples[:: file.getnchannels()] / 32768.0, rate


def holds_nothing(path):
    """No recording, one without a sample, or one of pure silence."""
    return not path.exists() or path.stat().st_size == 0 or not read(path)[0].any()


def write(path, samples, rate=48000):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((numpy.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def tone(hz, seconds, rate=48000, level=0.25):
    return level * numpy.sin(2 * numpy.pi * hz * numpy.arange(int(seconds * rate)) / rate)


def share_of_tone(samples, rate, hz, window=0.1):
    """The share of windows in which hz (within 2 %) is the strongest frequency and stands out."""
    size = int(window * rate)
    good = total = 0
    for start in range(0, len(samples) - size, size):
        spectrum = numpy.abs(numpy.fft.rfft(samples[start:start + size] * numpy.hanning(size)))
        loudest = int(numpy.argmax(spectrum[1:])) + 1
        total += 1
        found = loudest * rate / size
        if abs(found - hz) <= max(0.02 * hz, rate / size) and spectrum[loudest] > 0.01 * size:
            good += 1
    return good / total if total else 0.0


def longest_silence(samples, rate, window=0.01, level=0.01):
    """Seconds of the longest stretch below `level` between the first and the last sound."""
    size = int(window * rate)
    loud = [numpy.max(numpy.abs(samples[start:start + size])) >= level
            for start in range(0, len(samples) - size, size)]
    if True not in loud:
        return float("inf")
    first, last = loud.index(True), len(loud) - 1 - loud[::-1].index(True)
    longest = now = 0
    for heard in loud[first:last]:
        now = 0 if heard else now + 1
        longest = max(longest, now)
    return longest * window


def heard_part(samples, rate, level=0.01, edge=0.3):
    """From the first to the last sound, without a moment at either end."""
    loud = numpy.flatnonzero(numpy.abs(samples) >= level)
    assert len(loud), "nothing was heard"
    return samples[loud[0] + int(edge * rate):loud[-1] - int(edge * rate)]


def envelope(samples, rate, hop=0.005, smooth=10):
    """The loudness of every 5 ms, smoothed over 50 ms: pauses may have been stretched a little."""
    size = int(hop * rate)
    count = len(samples) // size
    loudness = numpy.sqrt(numpy.mean(samples[:count * size].reshape(count, size) ** 2, axis=1))
    return numpy.convolve(loudness, numpy.ones(smooth) / smooth, "same")


def speech_match(spoken, rate_spoken, heard, rate_heard):
    """How alike the loudness curves are at the best alignment, over the whole length of what was
    spoken (1: the same)."""
    one, other = envelope(spoken, rate_spoken), envelope(heard, rate_heard)
    lag = int(numpy.argmax(correlate(other - other.mean(), one - one.mean(), "full")))
    lag -= len(one) - 1
    padded = numpy.concatenate([numpy.zeros(len(one)), other, numpy.zeros(len(one))])
    return float(numpy.corrcoef(one, padded[len(one) + lag:2 * len(one) + lag])[0, 1])


class FileInformation(ctypes.Structure):
    """SF_INFO of libsndfile."""
    _fields_ = [("frames", ctypes.c_int64), ("samplerate", ctypes.c_int),
                ("channels", ctypes.c_int), ("format", ctypes.c_int), ("sections", ctypes.c_int),
                ("seekable", ctypes.c_int)]


def decode(encoded, seconds):
    """(samples, rate) of the first seconds of a mono file of any format."""
    library = ctypes.CDLL("libsndfile.so.1")
    library.sf_open.restype = ctypes.c_void_p
    library.sf_readf_short.restype = ctypes.c_int64
    information = FileInformation()
    file = library.sf_open(str(encoded).encode(), 0x10, ctypes.byref(information))
    assert file and information.channels == 1
    samples = numpy.zeros(int(seconds * information.samplerate), "<i2")
    got = library.sf_readf_short(ctypes.c_void_p(file), samples.ctypes.data_as(ctypes.c_void_p),
                                 ctypes.c_int64(len(samples)))
    library.sf_close(ctypes.c_void_p(file))
    return samples[:got] / 32768.0, information.samplerate
