"""Fixtures of the system tests, and programs that none of us wrote as the other side."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SYSTEM = HERE.parent / "system"
sys.path[:0] = [str(HERE), str(SYSTEM)]

import install  # noqa: E402
from chromium import Chromium, Page  # noqa: E402

_spec = importlib.util.spec_from_file_location("system_conftest", SYSTEM / "conftest.py")
_system = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_system)
pytest_configure = _system.pytest_configure
start_server, run_jcall, answering = _system.start_server, _system.run_jcall, _system.answering
start_peer, start_internet = _system.start_peer, _system.start_internet
start_coturn, start_ejabberd = _system.start_coturn, _system.start_ejabberd
receiving, sending = _system.receiving, _system.sending


@pytest.fixture
def server(start_server):
    """A server that browsers can log in to: alice, bob and carol know each other."""
    return start_server("--websocket", accounts=("alice", "bob", "carol"), strangers=("mallory",))


@pytest.fixture(scope="session")
def page_folder():
    install.debian({"chromium": "chromium", "node": "nodejs", "npm": "npm"})
    return install.browser_pages()


@pytest.fixture(scope="session")
def chromium(page_folder):
    """One process for all tests of a worker."""
    browser = Chromium()
    yield browser
    browser.stop()


@pytest.fixture
def browse(chromium, page_folder):
    """Opens browsers that are logged in: browse(server, "bob", resource="web", trickle=False)."""
    pages = []

    def open_page(server, name, **options):
        pages.append(Page(chromium, (page_folder / "out" / "page.html").as_uri()))
        pages[-1].jid = pages[-1].do("login", {
            "jid": server.jid(name), "resource": "browser", "password": "secret",
            "websocket": server.websocket, **options})
        return pages[-1]

    yield open_page
    faults = [event["text"] for page in pages for event in page.seen("fault")]
    for page in pages:
        page.close()
    assert not faults, faults


def pytest_terminal_summary(terminalreporter):
    """The versions of what was called, for docs/interop.md."""
    packages = ["chromium", "dino-im", "gajim", "prosody", "nodejs"]
    said = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *packages],
                          capture_output=True, text=True).stdout.split("\n")
    library = json.loads((install.PHONE / "package.json").read_text())["dependencies"]["stanza"]
    terminalreporter.write_line(f"With {', '.join(sorted(filter(None, said)))}, stanza {library}")
