"""What the tests of this folder need beyond the build: fetched from Debian or npm, or said to be
missing. A test that lacks something skips with the reason; tests/run.sh lists it as not run."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
PLACE = HERE.parents[1] / "build" / "interop"
PHONE = HERE.parents[1] / "examples" / "web_phone"


@contextmanager
def alone(name):
    """One of the workers that run these tests at a time."""
    PLACE.mkdir(parents=True, exist_ok=True)
    with open(PLACE / f"{name}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def debian(programs):
    """Sees to it that programs or files are there: {"node": "nodejs", ...}, each with its package."""
    with alone("debian"):
        packages = [package for program, package in programs.items()
                    if not shutil.which(program) and not os.path.exists(program)]
        if not packages:
            return
        if os.geteuid() != 0:
            pytest.skip(f"Debian's {' and '.join(packages)} not installed, and this is not root")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *packages]):
            done = subprocess.run(["apt-get", *words], capture_output=True, text=True,
                                  env=environment)
            if done.returncode != 0:
                last = (done.stderr.strip().splitlines() or ["no message"])[-1]
                pytest.skip(f"Debian's {' and '.join(packages)} cannot be installed: {last}")


def browser_pages():
    """The folder of the tests' page (out/page.html) and of examples/web_phone (index.html), with the
    libraries of both, built once for each state of them."""
    with alone("npm"):
        sources = sorted([*PHONE.glob("*.*"), *(HERE / "browser").iterdir()])
        state = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
        folder = PLACE / "browser"
        if (folder / "state").exists() and (folder / "state").read_text() == state:
            return folder
        folder.mkdir(exist_ok=True)
        for path in sources:
            shutil.copy(path, folder)
        _npm("ci", "--no-audit", "--no-fund", cwd=folder)
        _npm("run", "build", "--", "page.js", cwd=folder)
        shutil.copy(folder / "page.html", folder / "out")
        (folder / "state").write_text(state)
        return folder


def _npm(*words, cwd):
    done = subprocess.run(["npm", *words], cwd=cwd, capture_output=True, text=True)
    if words[0] == "ci" and done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[0]
        pytest.skip(f"the npm packages of examples/web_phone cannot be had: {last}")
    assert done.returncode == 0, f"npm {words}: {done.stdout}{done.stderr}"


def seeing(places):
    """Put before a command, it sees these files in place of others: {file: place}."""
    own = [] if os.geteuid() == 0 else ["--map-root-user"]
    mounting = " && ".join(f"mount --bind '{file}' '{place}'" for file, place in places.items())
    return ["unshare", *own, "--mount", "sh", "-c", f'{mounting} && exec "$@"', "sh"]


def mounts():
    """Whether a program can have its own view of a few files of /etc."""
    own = [] if os.geteuid() == 0 else ["--map-root-user"]
    done = subprocess.run(["unshare", *own, "--mount", "true"], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no mount namespace: {done.stderr.strip()}")
    if not os.path.exists("/etc/ssl/certs/ca-certificates.crt"):
        pytest.skip("Debian's ca-certificates not installed")
