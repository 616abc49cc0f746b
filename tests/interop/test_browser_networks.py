"""Calls with Chromium over networks that change or lose packets. jcall has one side of a small
internet (tests/system/netns.py), the browser the other; both are behind routers."""

import netns
import pytest
import sound
from chromium import Chromium
from netns import PUBLIC
from talk import PICTURE, they_call, we_call  # noqa: F401

pytestmark = netns.needed

PAIRS = [("we", "voice"), ("they", "voice"), ("we", "pictures"), ("they", "pictures")]


@pytest.fixture
def internet(start_internet):
    return start_internet()


@pytest.fixture
def relay(internet, start_coturn):
    return start_coturn(PUBLIC, prefix=internet.prefix("public"))


@pytest.fixture
def server(internet, relay, start_server):
    return start_server("--websocket", "--listen", PUBLIC, *relay.stun_option(),
                        accounts=("alice", "bob"), prefix=internet.prefix("public"))


@pytest.fixture
def run_jcall(internet, run_jcall):
    def run(server, name, *words, **keywords):
        return run_jcall(server, name, *words, prefix=internet.prefix("a"), loopback=False,
                         **keywords)

    return run


@pytest.fixture
def chromium(internet, page_folder):
    # An address that it finds usable after a second or two, such as one of IPv6, is a change of
    # network to Chromium, which then closes its connections.
    netns.run(*internet.prefix("b"), "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
    browser = Chromium(prefix=internet.prefix("b"))
    yield browser
    browser.stop()


@pytest.fixture
def browse(browse, relay):
    def open_page(server, name, **options):
        return browse(server, name, iceServers=[{"urls": f"stun:{PUBLIC}:{relay.port}"}],
                      **options)

    return open_page


@pytest.fixture
def talk_of(internet, we_call, they_call):  # noqa: F811
    """A call in which both sides have been heard: talk_of("we", "pictures")."""

    def begin(caller, kind):
        media = {"media": ["audio", "video"]} if kind == "pictures" else {}
        words = ["--video", *PICTURE] if kind == "pictures" else []
        if caller == "we":
            talk = we_call(words=words, answer=media)
        else:
            talk = they_call(words=words, call=media)
        talk.assert_heard_there()
        talk.before = talk.ours.await_sound(0.5)
        return talk

    return begin


def assert_talk_again(talk):
    """Both hear each other from now on."""
    there = talk.page.do("statistics")["audio"]["in"]["packetsReceived"]
    talk.ours.await_sound(1)
    talk.page.await_true("statistics", lambda now: now["audio"]["in"]["packetsReceived"]
                         >= there + 40)
    talk.assert_heard_there()


def assert_pictures_again(talk, folder):
    frames = talk.page.do("statistics")["video"]["in"]["framesDecoded"]
    talk.page.await_true("statistics",
                         lambda now: now["video"]["in"]["framesDecoded"] >= frames + 10)
    talk.assert_seen_there(folder / "there.png")
    talk.assert_seen_here(folder / "here.png")


def gaps_of(talk):
    """Hangs up. The longest silences that the browser and we have heard."""
    there = talk.page.do("silence")
    talk.hang_up()
    talk.assert_heard_last()
    here = sound.longest_silence(*sound.read(talk.heard))
    print(f"silent there for {there:.2f} s, here for {here:.2f} s")
    return there, here


@pytest.mark.parametrize("caller, kind", PAIRS)
def test_from_wifi_to_mobile_during_a_call(talk_of, internet, tmp_path, caller, kind):
    """ICE is restarted under the DTLS that there is, by us: whoever called."""
    internet.prepare_mobile("a")
    talk = talk_of(caller, kind)
    before = talk.page.do("statistics")["transport"]
    internet.go_mobile("a")
    talk.ours.await_event("statistics", where=lambda event: event["candidate_local"]
                          not in ("", talk.before["candidate_local"]))
    assert_talk_again(talk)
    if kind == "pictures":
        assert_pictures_again(talk, tmp_path)
    now = talk.page.do("statistics")["transport"]
    assert now["local"]["ufrag"] != before["local"]["ufrag"]
    assert now["remote"]["address"] != before["remote"]["address"]
    assert (now["dtlsState"], now["dtlsRole"]) == ("connected", before["dtlsRole"])
    assert max(gaps_of(talk)) <= 3


@pytest.mark.parametrize("caller", ["we", "they"])
def test_a_nat_that_silently_forgets(talk_of, internet, caller):
    talk = talk_of(caller, "voice")
    internet.rebind("a")
    talk.ours.await_event("recovered")
    assert_talk_again(talk)
    assert max(gaps_of(talk)) <= 6


def lose(internet, percent):
    """So many of the UDP packets that come to us and that we send, by chance."""
    netns.run(*internet.prefix("a"), "nft", f"""
        add table ip lossy
        add chain ip lossy input {{ type filter hook input priority 0 ; }}
        add chain ip lossy output {{ type filter hook output priority 0 ; }}
        add rule ip lossy input meta l4proto udp numgen random mod 100 < {percent} drop
        add rule ip lossy output meta l4proto udp numgen random mod 100 < {percent} drop
        """)


def test_a_path_that_loses_packets(talk_of, internet, tmp_path):
    """Talk and pictures go on: both ask for what was lost of the pictures, and get it by rtx."""
    talk = talk_of("we", "pictures")
    lose(internet, 5)
    talk.page.await_true("statistics", lambda now:
                         now["video"]["in"].get("nackCount", 0) > 0
                         and now["video"]["in"].get("retransmittedPacketsReceived", 0) > 0
                         and now["video"]["out"].get("nackCount", 0) > 0
                         and now["video"]["out"].get("retransmittedPacketsSent", 0) > 0
                         and now["audio"]["in"]["packetsLost"] > 0)
    assert_talk_again(talk)
    assert_pictures_again(talk, tmp_path)
    assert max(gaps_of(talk)) <= 1
