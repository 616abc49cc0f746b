"""The test picture as a program sees it: its clock and its colour bars, out of a PNG file."""

import subprocess

import numpy

COLUMNS, ROWS = 32, 18
BARS = [(191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0),
        (0, 0, 191), (0, 0, 0)]


def read(path):
    """Rows of columns of RGB."""
    size = probe(path, "-show_entries", "stream=width,height", "-of", "csv=p=0").split(",")
    width, height = (int(number) for number in size)
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt",
                          "rgb24", "-"], check=True, capture_output=True).stdout
    return numpy.frombuffer(raw, numpy.uint8).reshape(height, width, 3)


def probe(path, *words):
    return subprocess.run(["ffprobe", "-v", "error", *words, path], check=True,
                          capture_output=True, text=True).stdout.strip()


def middle(image, columns, rows, column, row):
    """The mean colour of the middle of a cell."""
    height, width, _ = image.shape
    return image[height * (4 * row + 1) // (4 * rows):height * (4 * row + 3) // (4 * rows) + 1,
                 width * (4 * column + 1) // (4 * columns):
                 width * (4 * column + 3) // (4 * columns) + 1].mean(axis=(0, 1))


def _bits(image, row):
    number = 0
    for column in range(COLUMNS):
        number = number << 1 | int(middle(image, COLUMNS, ROWS, column, row)[1] > 127)
    return number


def _crc(bits):
    value = 0xffff
    for i in range(47, -1, -1):
        top = (value >> 15 ^ bits >> i) & 1
        value = value << 1 & 0xffff ^ (0x1021 if top else 0)
    return value


def clock(image):
    """When it was drawn, in milliseconds of the monotonic clock (32 bits), and its number."""
    time, rest = _bits(image, ROWS - 2), _bits(image, ROWS - 1)
    assert _crc(time << 16 | rest >> 16) == rest & 0xffff, "no readable clock in the picture"
    return time, rest >> 16


def assert_test_picture(image):
    clock(image)
    assert_bars(image)


def assert_bars(image):
    for column, wanted in enumerate(BARS):
        seen = middle(image, len(BARS), ROWS, column, 0)
        assert abs(seen - wanted).max() < 24, f"bar {column} is {seen}, not {wanted}"
