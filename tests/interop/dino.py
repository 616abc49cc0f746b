"""Dino as the other side: a display, a session bus, a sound card and an account of its own. It is
used by its buttons (hands.py), because nothing else of it can be reached."""

import itertools
import random
import socket
import sqlite3
import subprocess
import threading
import time

import camera
import install
import picture
from desktop import PROGRAMS as DESKTOP
from desktop import WAIT, DesktopProgram

DOMAIN = "dino.test"  # GLib resolves localhost by itself, so it cannot be sent elsewhere
PROGRAMS = {"dino-im": "dino-im", **DESKTOP}
CALL_WINDOW = (6, 5, 753, 565)  # its picture: without a window manager it is always there
FILE_COMPLETE = 0
CALL_STATES = ["ringing", "establishing", "in progress", "other device", "ended", "declined",
               "missed", "failed"]


class Door:
    """Ports of a loopback address, such as 5222, which is where Dino looks for a server, and where
    they lead: {5222: (host, port)}."""

    def __init__(self, ways):
        self.listeners = []
        for _ in range(100):
            self.address = f"127.{random.randint(1, 254)}.{random.randint(0, 254)}.22"
            try:
                self._listen(ways)
                break
            except OSError:
                self.stop()

    def _listen(self, ways):
        for port, inside in ways.items():
            self.listeners.append(socket.create_server((self.address, port)))
            threading.Thread(target=self._serve, args=(self.listeners[-1], inside),
                             daemon=True).start()

    def _serve(self, listener, inside):
        while True:
            try:
                outer, _ = listener.accept()
            except OSError:
                return
            inner = socket.create_connection(inside)
            for pair in ((outer, inner), (inner, outer)):
                threading.Thread(target=self._carry, args=pair, daemon=True).start()

    @staticmethod
    def _carry(one, other):
        try:
            while data := one.recv(1 << 16):
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        for listener in self.listeners:
            listener.close()
        self.listeners.clear()


class Dino(DesktopProgram):
    """A Dino that is logged in, shows the conversation with `contact` and hears a tone. With a
    `prefix` it runs in a network where port 5222 of the server's address leads to it."""

    accessible = "dino-im"
    fresh_database = None  # as the first start of all made it

    def __init__(self, server, name, contact, hz, directory, with_camera=False, prefix=()):
        super().__init__(directory, hz, GSK_RENDERER="cairo", XDG_DATA_HOME=str(directory / "data"))
        self.account = server.jid(name)
        self.jid = f"{self.account}/dino"
        self.shown = 0  # how many calls it has shown
        self.prefix = prefix
        self.door = None if prefix else Door(
            {5222: (server.host, server.port),
             **{port: (server.host, port) for port in server.https_ports()}})
        self.start_bus()
        self.camera = (camera.Camera(self.environment, directory / "camera.log")
                       if with_camera else None)
        self.database = directory / "data" / "dino" / "dino.db"
        self._write_files(server)
        self._make_database()
        self._write_account(self.account, server.jid(contact))
        self.process = self._start()
        server.await_log(f"{self.jid}|Authenticated as {name}@", WAIT)
        self.activate("open-conversation", "<int32 1>")

    def _write_files(self, server):
        """In its own view of the file system the server is found and trusted."""
        (self.directory / "hosts").write_text(
            f"127.0.0.1 localhost\n{self.door.address if self.door else server.host} {DOMAIN}\n")
        (self.directory / "resolv.conf").write_text("nameserver 127.0.0.99\n")
        places = {self.directory / "hosts": "/etc/hosts",
                  self.directory / "resolv.conf": "/etc/resolv.conf",
                  server.ca_file: "/etc/ssl/certs/ca-certificates.crt"}
        # In a hurry, as far as that is allowed here: see until_they_speak() of test_dino.py.
        self.command = [*self.prefix, "nice", "-n", "-15", *install.seeing(places), "dino-im",
                        "--print-xmpp=all"]

    def _start(self):
        with open(self.directory / "dino.log", "a") as log:
            return subprocess.Popen(self.command, env=self.environment, stdout=log, stderr=log)

    def _make_database(self):
        self.database.parent.mkdir(parents=True)
        if not Dino.fresh_database:
            self.process = self._start()
            self._await_database()
            self.end()
            with sqlite3.connect(self.database) as database:
                Dino.fresh_database = database.serialize()
        self.database.write_bytes(Dino.fresh_database)

    def _await_database(self):
        """The first start makes its tables; this index is the last of them."""
        deadline = time.monotonic() + WAIT
        while True:
            try:
                with sqlite3.connect(self.database) as database:
                    if database.execute("SELECT 1 FROM sqlite_master WHERE name ="
                                        " 'settings_conversationid_key'").fetchone():
                        return
            except sqlite3.Error:
                pass
            assert self.process.poll() is None and time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def _write_account(self, jid, contact):
        with sqlite3.connect(self.database) as database:
            database.execute("INSERT INTO account (bare_jid, resourcepart, password, alias, enabled)"
                             " VALUES (?, 'dino', 'secret', '', 1)", (jid,))
            jids = database.execute("INSERT INTO jid (bare_jid) VALUES (?)", (contact,))
            database.execute("INSERT INTO conversation (account_id, jid_id, type, encryption,"
                             " active, last_active) VALUES (1, ?, 0, 0, 1, 1)", (jids.lastrowid,))
        database.close()

    def log(self):
        return (self.directory / "dino.log").read_text(errors="replace")[-6000:]

    def activate(self, action, parameter):
        """An action of the application: all that can be reached over D-Bus."""
        deadline = time.monotonic() + WAIT
        words = ["gdbus", "call", "--session", "-d", "im.dino.Dino", "-o", "/im/dino/Dino", "-m",
                 "org.gtk.Actions.Activate", action, f"[{parameter}]", "{}"]
        while subprocess.run(words, env=self.environment, capture_output=True).returncode != 0:
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.2)

    def call(self, kind="Audio call"):
        self.click("push button", "Start call")
        self.click("menu item", kind)

    def hang_up(self):
        """The rightmost of the three round buttons, which have no names."""
        self.use("button", "-1", "DinoUiCallWindow")

    def mute(self):
        self.use("button", "0", "DinoUiCallWindow")

    def switch_camera(self):
        self.use("button", "1", "DinoUiCallWindow")

    def await_idle(self):
        self.use("gone", "frame", "DinoUiCallWindow")

    def await_ringing(self):
        """Until it shows a call that it has not shown before."""
        deadline = time.monotonic() + WAIT
        while (last := self._last_call()[0]) <= self.shown:
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)
        self.shown = last

    def accept(self):
        self.await_ringing()
        self.activate("accept-call", f"<(int32 1, int32 {self.shown})>")

    def reject(self):
        self.await_ringing()
        self.activate("reject-call", f"<(int32 1, int32 {self.shown})>")

    def await_call(self, state):
        """Until its database has the last call in that state."""
        deadline = time.monotonic() + WAIT
        while (last := CALL_STATES[self._last_call()[1]]) != state:
            assert time.monotonic() < deadline, f"the call is {last}, not {state}\n{self.log()}"
            time.sleep(0.1)

    def _last_call(self):
        with sqlite3.connect(self.database) as database:
            rows = database.execute("SELECT id, state FROM call ORDER BY id DESC").fetchall()
        return rows[0] if rows else (0, 0)

    def send_file(self, path):
        """By its dialog, which is no part of the window and takes keys only. The button to send
        comes when the contact's device is known and the conversation is opened anew."""
        deadline = time.monotonic() + WAIT
        while not self.can("push button", "Send a file"):
            assert time.monotonic() < deadline, self.log()
            self.activate("open-conversation", "<int32 1>")
        self.click("push button", "Send a file")
        self.display.run("xdotool", "search", "--sync", "--onlyvisible", "--name", "^Select file$",
                         "windowfocus", "--sync", "type", "--delay", "20", path)
        self.display.run("xdotool", "key", "Return")
        self.click("push button", "Send")

    def await_file(self):
        """The last file that it has saved."""
        deadline = time.monotonic() + WAIT
        while True:
            with sqlite3.connect(self.database) as database:
                rows = database.execute("SELECT path, state FROM file_transfer WHERE direction = 0"
                                        " ORDER BY id DESC").fetchall()
            if rows and rows[0][0] and rows[0][1] == FILE_COMPLETE:
                return self.directory / "data" / "dino" / "files" / rows[0][0]
            assert time.monotonic() < deadline, f"files: {rows}\n{self.log()}"
            time.sleep(0.1)

    def await_picture(self, path):
        """Until its window shows the test picture, with the clock at the bottom. Dino 0.4.2 calls
        GTK from the wrong thread when the first picture comes, and at times shows none until its
        window changes its size."""
        deadline = time.monotonic() + WAIT
        for attempt in itertools.count():
            self._resize(760 + attempt % 2 * 2, 570)
            self._hide_buttons()
            for _ in range(5):
                time.sleep(1)
                try:
                    return picture.assert_test_picture(self._look(path))
                except AssertionError:
                    if time.monotonic() > deadline:
                        raise

    def _look(self, path):
        self.display.run("ffmpeg", "-v", "error", "-y", "-f", "x11grab", "-video_size",
                         "1280x1024", "-i", self.display.name, "-frames:v", "1", path)
        left, top, right, bottom = CALL_WINDOW
        return picture.read(path)[top:bottom, left:right]

    def _hide_buttons(self):
        """They go some seconds after the pointer has come, stayed and left."""
        self.display.run("xdotool", "mousemove", "300", "300", "sleep", "0.5", "mousemove", "1200",
                         "1000")

    def _resize(self, width, height):
        """Its newest window."""
        windows = self.display.run("xdotool", "search", "--onlyvisible", "--class", ".").split()
        self.display.run("xdotool", "windowsize", windows[-1], str(width), str(height))

    def stop(self):
        self.end()
        if self.camera:
            self.camera.stop()
        super().stop()
        if self.door:
            self.door.stop()
