"""Fixtures: a server of its own for each test, and jcalls that are ended with it."""

import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import jcall  # noqa: E402
from cable import Cable  # noqa: E402
from coturn import Coturn  # noqa: E402
from ejabberd import Ejabberd  # noqa: E402
from federation import Federation  # noqa: E402
from file_peer import Stream  # noqa: E402
from netns import Internet  # noqa: E402
from peer import Peer  # noqa: E402
from prosody import Prosody  # noqa: E402


def pytest_configure(config):
    # A run in the background ignores Ctrl-C, and so would every program started from here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "smoke: the one call that tests/run.sh quick makes")
    config.addinivalue_line("markers", "external: loads the library into Python")
    config.addinivalue_line("markers", "gdbus: talks over D-Bus by GLib's own thread")
    config.addinivalue_line("markers", "signalling: no threads meet but those of other tests")
    config.addinivalue_line("markers", "memory: measures it, and moves much")



def _starter(kind):
    """A fixture that starts any number of them and stops them all after the test."""
    @pytest.fixture
    def fixture():
        started = []

        def start(*words, **keywords):
            started.append(kind(*words, **keywords))
            return started[-1]

        yield start
        for one in reversed(started):
            one.stop()

    return fixture


start_server = _starter(Prosody)  # start_server("--no-tls", accounts=[...])
start_peer = _starter(Peer)  # start_peer(server, "carol"): a scripted client
start_stream = _starter(Stream)  # start_stream(server, "carol"): one for files
start_coturn = _starter(Coturn)
start_ejabberd = _starter(Ejabberd)
start_cable = _starter(Cable)
start_federation = _starter(Federation)
start_internet = _starter(Internet)


@pytest.fixture
def server(start_server):
    """A sound server with alice, bob and carol, who know each other, and mallory, whom none knows."""
    return start_server(accounts=("alice", "bob", "carol"), strangers=("mallory",))


@pytest.fixture
def run_jcall():
    """Runs jcalls: run_jcall(server, "alice", "call", JID, ...)."""
    running = []

    def run(server, name, *words, environment=None, prefix=(), commands=True, **keywords):
        options, variables = jcall.account(server, name, **keywords)
        running.append(jcall.Jcall(*options, *words, environment={**variables,
                                                                  **(environment or {})},
                                   prefix=prefix, commands=commands))
        return running[-1]

    yield run
    problems = []
    for program in running:
        try:
            program.end()
        except AssertionError as problem:
            problems.append(str(problem))
    assert not problems, "\n".join(problems)



@pytest.fixture
def answering(run_jcall):
    """A jcall that answers by itself and is online."""

    def answer(server, name, *words, **keywords):
        program = run_jcall(server, name, "answer", "--auto", "--source", "tone:880", "--sink",
                            "null", *words, **keywords)
        program.await_event("online")
        return program

    return answer


@pytest.fixture
def connected_call(run_jcall, answering):
    """alice calls bob, and both hear each other: returns (alice, bob)."""

    def connect(server, *words, answer_words=(), **keywords):
        bob = answering(server, "bob", *answer_words, **keywords)
        alice = run_jcall(server, "alice", "call", server.jid("bob"), "--source", "tone:440",
                          "--sink", "null", *words, **keywords)
        for side in (alice, bob):
            side.await_event("connected")
            side.await_sound(0.5)
        return alice, bob

    return connect


@pytest.fixture
def file_server(start_server):
    """As `server`, with a SOCKS5 proxy and a place for uploads."""
    return start_server("--proxy", "--upload", "100000000", accounts=("alice", "bob", "carol"),
                        strangers=("mallory",))


@pytest.fixture
def receiving(run_jcall):
    """A jcall that takes files into a folder, and is online."""

    def receive(server, name, folder, *words, auto=True, **keywords):
        folder.mkdir(parents=True, exist_ok=True)
        program = run_jcall(server, name, "receive", "--dir", folder,
                            *(["--auto"] if auto else []), *words, **keywords)
        program.await_event("online")
        return program

    return receive


@pytest.fixture
def sending(run_jcall):
    """A jcall that sends files: sending(server, "alice", "bob", path, ..., words=[...])."""

    def send(server, name, to, *paths, words=(), **keywords):
        if "@" not in to:
            to = server.jid(to)
        return run_jcall(server, name, "send", to, *paths, *words, **keywords)

    return send


@pytest.fixture
def ejabberd(start_ejabberd):
    return start_ejabberd()
