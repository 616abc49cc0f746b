"""examples/web_phone as a person uses it: by its form and its buttons, with a microphone that hears a
tone and a camera that sees Chromium's own test picture."""

import functools
import http.server
import json
import threading

import picture
import pytest
import sound
from chromium import Chromium, Page

OURS, THEIRS = 440, 880  # Hz
SOUND = ["--source", f"tone:{OURS}", "--sink", "null"]

# The frequency that stands out in what the page plays.
LISTEN = """(async () => {
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 8192 });
    context.createMediaStreamSource(document.getElementById('theirs').srcObject).connect(analyser);
    await new Promise(resolve => setTimeout(resolve, 500));
    const levels = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(levels);
    context.close();
    return levels.indexOf(Math.max(...levels)) * context.sampleRate / analyser.fftSize;
})()"""


class WebPhone(Page):
    """The page in its browser, and the person before it."""

    def evaluate(self, expression):
        answer = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True,
                          returnByValue=True, userGesture=True)
        assert "exceptionDetails" not in answer, self.say(json.dumps(answer)[:1000])
        return answer["result"].get("value")

    def await_value(self, expression, condition):
        return self.await_true(expression, condition, ask=self.evaluate)

    def click(self, selector):
        self.await_value(f"document.querySelector({json.dumps(selector)})?.checkVisibility()", bool)
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def enter(self, **fields):
        for name, text in fields.items():
            self.evaluate(f"document.querySelector('[name={name}]').value = {json.dumps(text)}")

    def await_status(self, *words):
        return self.await_value("document.getElementById('status').textContent",
                                lambda text: all(word in text for word in words))

    def log_in(self, server, name):
        self.enter(jid=server.jid(name), password="secret", websocket=server.websocket)
        self.click("#login button")
        self.await_status("You can be called")

    def assert_hears(self):
        self.await_value(LISTEN, lambda hz: abs(hz - OURS) < 15)


@pytest.fixture(scope="module")
def phones(page_folder, tmp_path_factory):
    """A browser with devices, and the web server of the page: nobody asks whether it may use them,
    for it is not from elsewhere."""
    tone = tmp_path_factory.mktemp("microphone") / "tone.wav"
    sound.write(tone, sound.tone(THEIRS, 10))
    browser = Chromium("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
                       f"--use-file-for-fake-audio-capture={tone}")
    handler = functools.partial(QuietHandler, directory=page_folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        yield lambda: WebPhone(browser, f"http://127.0.0.1:{web.server_port}/index.html")
        web.shutdown()
    browser.stop()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


@pytest.fixture
def phone(phones, server):
    """Bob's."""
    opened = phones()
    opened.log_in(server, "bob")
    yield opened
    opened.close()


def assert_heard(path):
    """Most of it: the browser takes a tone at its microphone for noise, and lowers it after a while."""
    samples, rate = sound.read(path)
    assert sound.share_of_tone(sound.heard_part(samples, rate), rate, THEIRS) > 0.5


def test_we_call_and_the_page_answers(server, phone, run_jcall, tmp_path):
    ours = run_jcall(server, "alice", "call", server.jid("bob"), *SOUND, "--record",
                     tmp_path / "heard.wav")
    ours.await_event("ringing")
    phone.await_status(server.jid("alice"), "calls")
    phone.click("#answer")
    ours.await_event("connected")
    phone.await_status("Talking with")
    phone.assert_hears()
    ours.await_sound(2)
    phone.click("#end")
    assert ours.await_event("ended")["by"] == "remote"
    assert ours.await_exit() == 0
    assert_heard(tmp_path / "heard.wav")


def test_the_page_calls_us_with_video(server, phone, run_jcall, tmp_path):
    ours = run_jcall(server, "alice", "answer", "--auto", "--once", *SOUND, "--record",
                     tmp_path / "heard.wav", "--video", "--test-picture", "--no-display",
                     "--video-size", "320x240", resource="desk")
    ours.await_event("online")
    phone.enter(to=server.jid("alice"))
    phone.click("#dial button[value=video]")
    ours.await_event("connected")
    phone.await_status("Talking with")
    phone.assert_hears()
    phone.await_value("document.getElementById('theirs').videoWidth", lambda width: width == 320)
    ours.await_event("statistics", where=lambda event: event["video"]["frames_decoded"] > 10)
    ours.command(f"snapshot {tmp_path / 'seen.png'}")
    ours.await_event("file", what="snapshot")
    assert picture.read(tmp_path / "seen.png").std() > 10, "a picture of one colour"
    ours.command("hangup")
    phone.await_status("The call is over")
    assert ours.await_exit() == 0
    assert_heard(tmp_path / "heard.wav")


def test_the_page_declines(server, phone, run_jcall):
    ours = run_jcall(server, "alice", "call", server.jid("bob"), *SOUND)
    phone.await_status(server.jid("alice"), "calls")
    phone.click("#end")
    phone.await_status("declined")
    assert ours.await_event("ended")["reason"] == "busy"


def test_the_page_gives_up(server, phone, run_jcall):
    ours = run_jcall(server, "alice", "answer", *SOUND, resource="desk")
    ours.await_event("online")
    phone.click("#roster button")
    ours.await_event("incoming")
    phone.await_status("It rings")
    phone.click("#end")
    phone.await_status("You have hung up")
    assert ours.await_event("ended")["reason"] == "canceled"


def test_the_page_says_whom_it_cannot_reach(phone):
    phone.enter(to="nobody@localhost")
    phone.click("#dial button[value=voice]")
    phone.await_status("nobody@localhost cannot be reached")


def test_who_is_asked_joins_the_contacts(server, phone):
    phone.enter(to=server.jid("mallory"))
    phone.click("#dial button[value=add]")
    phone.await_value("document.getElementById('roster').textContent", lambda text: all(
        word in text for word in (server.jid("alice"), server.jid("mallory"), "has not agreed")))


def test_a_wrong_password_is_told_and_another_can_be_tried(phones, server):
    page = phones()
    page.enter(jid=server.jid("bob"), password="wrong", websocket=server.websocket)
    page.click("#login button")
    page.await_status("does not know this address with this password")
    page.log_in(server, "bob")
    page.close()
