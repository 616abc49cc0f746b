#!/usr/bin/python3
"""Checks that the rooms of docs/architecture.md see only what they may.

For every source file: which rooms' headers it includes, which libraries' headers, and that examples
include nothing of ours but <jingle/jingle.h>. Prints each breach and exits with 1 if there is one.
"""

import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent

# A room may include its own headers and those of these rooms below it.
ROOMS = {
    "engine/base": set(),
    "codecs": {"engine/base"},
    "signaling": {"engine/base"},
    "engine/rtp": {"engine/base", "codecs"},
    "engine/transport": {"engine/base", "signaling"},  # of signaling its plain structs
    "engine/media": {"engine/base", "codecs", "engine/rtp"},
    "engine/transfer": {"engine/base"},
    "engine": {
        "engine/base",
        "codecs",
        "signaling",
        "engine/rtp",
        "engine/transport",
        "engine/media",
        "engine/transfer",
    },
}

# Which files may know a library: its headers (a prefix) and patterns of paths.
LIBRARIES = {
    "strophe.h": ["signaling/"],
    "libxml/": ["signaling/"],
    "nice/": ["engine/transport/"],
    "agent.h": ["engine/transport/"],
    "openssl/": [
        "engine/transport/", "engine/transfer/hash.c", "engine/base/random.c", "signaling/"],
    "curl/": ["engine/transfer/http_put.c"],
    "miniupnpc/": ["engine/transfer/port_mapping_upnp.c"],
    "srtp2/": ["engine/transport/"],
    "opus": ["codecs/"],
    "vpx/": ["codecs/"],
    "portaudio.h": ["engine/media/[a-z_]*device", "engine/media/[a-z_]*portaudio"],
    "pa_linux": ["engine/media/[a-z_]*device", "engine/media/[a-z_]*portaudio"],
    "sndfile.h": ["engine/media/"],
    "speex/": ["engine/media/"],
    "libyuv.h": ["engine/media/video_scale.c", "engine/media/snapshot_png.c"],
    "linux/videodev2.h": ["engine/media/camera_"],
    "libav": ["engine/media/movie", "engine/media/video_file", "engine/media/webm_"],
    "libsw": ["engine/media/video_file"],
    "xcb/": ["engine/media/screen_x11", "engine/media/x11_"],
    "png.h": ["engine/media/snapshot_png.c"],
    "SDL": ["engine/media/window_"],
    "pango/": ["engine/media/window_text.c"],
    "X11/": ["engine/media/window_x11.c"],
    "pipewire/": ["engine/media/screen_pipewire.c"],
    "spa/": ["engine/media/screen_pipewire.c"],
}

# Pure cores: no sockets, threads, clocks, files or event loops.
PURE = ["engine/rtp/", "codecs/"]
IMPURE_HEADERS = re.compile(
    r"^(sys/socket|netinet/|arpa/|pthread|poll|sys/epoll|sys/eventfd|time|sys/time|unistd|fcntl"
    r"|glib|gio)"
)
IMPURE_CALLS = re.compile(r"\b(clock_now|clock_gettime|gettimeofday|pthread_\w+|socket|sendto)\s*\(")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def source_files():
    listed = subprocess.run(
        ["git", "ls-files", "*.c", "*.h", "*.cc", "*.cpp"],
        cwd=TOP, capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if (TOP / line).exists()]


def room_of(path):
    """The room that a file lies in, or None (tests and benches may see everything)."""
    for room in sorted(ROOMS, key=len, reverse=True):
        if path.startswith(room + "/"):
            return room
    return None


def resolve(header, includer):
    """The path in this tree of a header that is included with quotes, or None."""
    for folder in (".", "engine", "engine/include", "tests", str(Path(includer).parent)):
        found = (TOP / folder / header).resolve()
        if found.is_file() and TOP in found.parents:
            return str(found.relative_to(TOP))
    return None


def check_own_header(path, header):
    target = resolve(header, path)
    if path.startswith("examples/"):
        if target is None or not target.startswith("examples/"):
            return f'an example sees only <jingle/jingle.h>, not "{header}"'
        return None
    if target is None:
        return f'"{header}" is not a header of this tree'
    room, other = room_of(path), room_of(target)
    if room is None:
        return None
    if other is None:
        return f'"{header}" is not of a room'
    if target.startswith("engine/include/") or other == room or other in ROOMS[room]:
        return None
    return f'{room} may not see {other} ("{header}")'


def check_library_header(path, header):
    if path.startswith("examples/") and header.startswith(("base/", "engine/", "signaling/")):
        return f"an example sees only <jingle/jingle.h>, not <{header}>"
    if room_of(path) is None:
        return None
    for library, places in LIBRARIES.items():
        if header.startswith(library) and not any(re.match(place, path) for place in places):
            return f"<{header}> belongs to {', '.join(places)}"
    if any(path.startswith(place) for place in PURE) and IMPURE_HEADERS.match(header):
        return f"a pure core does not include <{header}>"
    return None


def without_comments(text):
    """The text with its comments blanked, line by line as before."""
    return re.sub(
        r"/\*.*?\*/|//[^\n]*", lambda found: "\n" * found.group().count("\n"), text, flags=re.S)


def breaches(path):
    pure = any(path.startswith(place) for place in PURE)
    lines = without_comments((TOP / path).read_text()).splitlines()
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        complaint = None
        if found and found.group(1) == '"':
            complaint = check_own_header(path, found.group(2))
        elif found:
            complaint = check_library_header(path, found.group(2))
        elif pure and IMPURE_CALLS.search(line):
            complaint = "a pure core has no clock, thread or socket"
        if complaint:
            yield f"{path}:{number}: {complaint}"


def main():
    files = source_files()
    found = [breach for path in files for breach in breaches(path)]
    print("\n".join(found) if found else f"{len(files)} files keep to their rooms.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
