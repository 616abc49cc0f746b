"""One headless Chromium, spoken to by the DevTools protocol over a pair of pipes."""

import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time

DEADLINE = 30  # seconds, as for jcall
OPTIONS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-extensions", "--disable-dev-shm-usage", "--disable-breakpad",
    "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows", "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
    # candidates with addresses, not with names that only multicast DNS knows; and loopback's, too
    "--disable-features=WebRtcHideLocalIpsWithMdns", "--allow-loopback-in-peer-connection",
]


class Chromium:
    """The process. Commands of all pages go through it, and are told apart by their session.
    `prefix` is a command to run it under, such as a namespace's."""

    def __init__(self, *options, prefix=()):
        self.profile = tempfile.mkdtemp(prefix="jingle-chromium.")
        self.answers = {}
        self.pages = {}
        self.last = 0
        self.lock = threading.Condition()
        self._start(prefix, [*OPTIONS, *options])
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.ask("Browser.getVersion")

    def _start(self, prefix, options):
        """It reads commands from descriptor 3 and writes answers to 4."""
        commands, self.commands = os.pipe()
        self.output, answers = os.pipe()
        self.errors = open(os.path.join(self.profile, "errors"), "w+")
        self.process = subprocess.Popen(
            [*prefix, "bash", "-c", f'exec "$0" "$@" 3<&{commands} 4>&{answers}', "chromium", *options,
             "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "about:blank"],
            pass_fds=(commands, answers), stdin=subprocess.DEVNULL, stdout=self.errors,
            stderr=self.errors, start_new_session=True,
            env={**os.environ, "HOME": self.profile, "DBUS_SESSION_BUS_ADDRESS": "none:"})
        os.close(commands)
        os.close(answers)

    def _read(self):
        pending = b""
        while data := os.read(self.output, 1 << 16):
            *messages, pending = (pending + data).split(b"\0")
            for message in messages:
                self._take(json.loads(message))
        with self.lock:
            self.answers = None
            self.lock.notify_all()

    def _take(self, message):
        with self.lock:
            if "id" in message:
                self.answers[message["id"]] = message
            elif message.get("sessionId") in self.pages:
                self.pages[message["sessionId"]].take(message)
            self.lock.notify_all()

    def ask(self, method, session=None, timeout=DEADLINE, **parameters):
        """Sends a command and waits for its result."""
        with self.lock:
            self.last += 1
            number = self.last
            command = {"id": number, "method": method, "params": parameters}
            if session:
                command["sessionId"] = session
            data = json.dumps(command).encode() + b"\0"
            while data:
                data = data[os.write(self.commands, data):]
            deadline = time.monotonic() + timeout
            while self.answers is not None and number not in self.answers:
                assert self.lock.wait(deadline - time.monotonic()), f"{method}: no answer"
            assert self.answers is not None, f"Chromium has ended: {self._complaints()}"
            answer = self.answers.pop(number)
        assert "error" not in answer, f"{method}: {answer['error']['message']}"
        return answer["result"]

    def _complaints(self):
        self.errors.seek(0)
        return self.errors.read()[-3000:]

    def stop(self):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(10)
        except ProcessLookupError:
            pass
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.reader.join(10)
        for descriptor in (self.commands, self.output):
            os.close(descriptor)
        self.errors.close()
        shutil.rmtree(self.profile, ignore_errors=True)


class Page:
    """A page in a window of its own. What it tells by tellTest() is in `events`."""

    def __init__(self, chromium, address):
        self.chromium = chromium
        self.events = []
        self.at = 0
        self.context = chromium.ask("Target.createBrowserContext")["browserContextId"]
        self.target = chromium.ask("Target.createTarget", url="about:blank",
                                   browserContextId=self.context, newWindow=True)["targetId"]
        self.session = chromium.ask("Target.attachToTarget", targetId=self.target,
                                    flatten=True)["sessionId"]
        with chromium.lock:
            chromium.pages[self.session] = self
        self.ask("Runtime.enable")
        self.ask("Runtime.addBinding", name="tellTest")
        self.ask("Page.enable")
        self.ask("Page.navigate", url=address)
        self.await_event("loaded")

    def ask(self, method, **parameters):
        return self.chromium.ask(method, session=self.session, **parameters)

    def take(self, message):
        """Called with the lock held."""
        parameters = message["params"]
        event = None
        if message["method"] == "Runtime.bindingCalled":
            event = json.loads(parameters["payload"])
        elif message["method"] == "Page.loadEventFired":
            event = {"event": "loaded"}
        elif message["method"] == "Inspector.targetCrashed":
            event = {"event": "fault", "text": "the page has crashed"}
        if event:
            event["seen"] = time.monotonic()
            self.events.append(event)

    def do(self, function, *words, timeout=DEADLINE):
        """Calls a function of window.peer and waits for what it returns or promises."""
        arguments = ", ".join(json.dumps(word) for word in words)
        answer = self.ask("Runtime.evaluate", expression=f"peer.{function}({arguments})",
                          awaitPromise=True, returnByValue=True, userGesture=True,
                          timeout=timeout)
        problem = answer.get("exceptionDetails")
        assert not problem, self.say(f"{function}: {json.dumps(problem)[:1000]}")
        return answer["result"].get("value")

    def await_event(self, name, timeout=DEADLINE, where=lambda event: True, **fields):
        """The next event of that name with those fields; what comes before it is passed over."""
        deadline = time.monotonic() + timeout
        with self.chromium.lock:
            while True:
                while self.at < len(self.events):
                    event = self.events[self.at]
                    self.at += 1
                    if (event["event"] == name and where(event)
                            and all(event.get(key) == value for key, value in fields.items())):
                        return event
                left = deadline - time.monotonic()
                assert left > 0, self.say(f"no {name} {fields or ''} in {timeout} s")
                self.chromium.lock.wait(left)

    def await_true(self, question, condition, timeout=DEADLINE, ask=None):
        """Asks the page again and again until its answer will do; returns the answer."""
        deadline = time.monotonic() + timeout
        while not condition(answer := (ask or self.do)(question)):
            assert time.monotonic() < deadline, self.say(f"{question} stays {answer}")
            time.sleep(0.1)
        return answer

    def seen(self, name):
        with self.chromium.lock:
            return [event for event in self.events if event["event"] == name]

    def save_picture(self, path):
        path.write_bytes(base64.b64decode(self.do("picture")))
        return path

    def say(self, what):
        told = [json.dumps({key: value for key, value in event.items() if key != "seen"})[:1500]
                for event in self.events]
        return f"in the browser: {what}\n" + "\n".join(told[-80:])

    def close(self):
        with self.chromium.lock:
            self.chromium.pages.pop(self.session, None)
        self.chromium.ask("Target.disposeBrowserContext", browserContextId=self.context)
