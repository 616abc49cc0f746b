"""Files for tests: made, sent and received by jcall, compared."""

import hashlib
import os
import random

MIB = 1 << 20


def make(path, size, seed=0):
    """A file of that size with bytes that do not repeat."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(random.Random(f"{path.name} {size} {seed}").randbytes(size))
    return path


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def names(folder):
    """What a person sees there."""
    return sorted(name for name in os.listdir(folder) if not name.startswith("."))


def partial(folder):
    """What is kept there of files that are not whole."""
    return [path for path in folder.iterdir() if path.name.endswith(".jingle-part")]


def equal(one, other):
    return digest(one) == digest(other)


def end(program, **fields):
    return program.await_event("transfer-ended", 60, **fields)
