"""Gajim as the other side: a display, a session bus, a sound card and an account of its own. It is
used by its menu items, which it shows on the session bus, and by its buttons (hands.py)."""

import json
import os
import socket
import sqlite3
import subprocess
import time
from pathlib import Path

from desktop import GSTREAMER, WAIT, DesktopProgram
from desktop import PROGRAMS as DESKTOP

PROGRAMS = {"gajim": "gajim", **DESKTOP,
            "/usr/lib/x86_64-linux-gnu/girepository-1.0/Farstream-0.2.typelib":
            "gir1.2-farstream-0.2",
            "/usr/lib/x86_64-linux-gnu/girepository-1.0/Gst-1.0.typelib": "gir1.2-gstreamer-1.0",
            f"{GSTREAMER}/libgstnice.so": "gstreamer1.0-nice",
            f"{GSTREAMER}/libgstgtk.so": "gstreamer1.0-gtk3",
            f"{GSTREAMER}/libgstopengl.so": "gstreamer1.0-gl",
            f"{GSTREAMER}/libgstopus.so": "gstreamer1.0-plugins-base",
            f"{GSTREAMER}/libgstvpx.so": "gstreamer1.0-plugins-good",
            f"{GSTREAMER}/libgstautoconvert.so": "gstreamer1.0-plugins-bad"}
ACCOUNT = "home"  # its own name for it
WINDOW = "/org/gajim/Gajim/window/1"
# As its database is made by the first start of Gajim 1.7; what is not said there has its default.
SETTINGS = """
    CREATE TABLE settings (name TEXT UNIQUE, settings TEXT);
    CREATE TABLE account_settings (account TEXT UNIQUE, settings TEXT);
    INSERT INTO settings VALUES ('soundevents', '{}'), ('status_presets', '{}'), ('proxies', '{}'),
        ('plugins', '{}');
    PRAGMA user_version = 5;
"""
# Of GStreamer it sees these, because it cannot call anybody with all of Debian 12: srtpenc of
# gstreamer1.0-plugins-bad fails when Farstream asks it to leave packets as they are. The last one
# is of plugins-bad too, and Farstream needs it for Opus.
PLUGINS = ["alaw", "app", "audioconvert", "audioresample", "autodetect", "coreelements", "dtmf",
           "gtk", "mulaw", "nice", "opengl", "opus", "pulseaudio", "rtp", "rtpmanager", "speex",
           "typefindfunctions", "videoconvertscale", "videofilter", "videorate", "videotestsrc",
           "volume", "vpx", "autoconvert"]
# It refuses to run as root, as containers do.
NOT_AS_ROOT = """
import os, sys
os.geteuid = lambda: 1
sys.argv = ['gajim', '--loglevel', 'gajim=INFO,.nbxmpp=INFO']
from gajim.gajim import main
main()
"""
WORKSPACE = {"name": "all", "color": "rgb(0, 0, 0)", "avatar_sha": "", "chats": []}


class Gajim(DesktopProgram):
    """A Gajim that is logged in, shows the conversation with `contact` and hears a tone."""

    accessible = "org.gajim.Gajim"

    def __init__(self, server, name, contact, hz, directory, opus=True):
        super().__init__(directory, hz, NO_AT_BRIDGE="0", GTK_MODULES="gail:atk-bridge",
                         **{f"XDG_{kind}_HOME": str(directory / kind.lower())
                            for kind in ("DATA", "CONFIG", "STATE")})
        self.account = server.jid(name)
        self.jid = f"{self.account}/gajim"
        self.contact = server.jid(contact)
        self._choose_plugins(PLUGINS if opus else PLUGINS[:-1])
        self.start_bus()
        self._write_settings(server)
        self.process = self._start(server)
        server.await_log(f"{self.jid}|Authenticated as {name}@", WAIT)
        self.open_chat()

    def _choose_plugins(self, plugins):
        """Farstream remembers what they can; the fonts may be remembered from others."""
        cache = self.directory / "cache"
        cache.mkdir()
        (cache / "fontconfig").symlink_to(
            Path(self.display.environment["XDG_CACHE_HOME"]) / "fontconfig")
        self.environment["XDG_CACHE_HOME"] = str(cache)
        folder = self.directory / "plugins"
        folder.mkdir()
        for name in [*(f"libgst{plugin}.so" for plugin in plugins), "libfsrtpconference.so"]:
            (folder / name).symlink_to(f"{GSTREAMER}/{name}")
        self.environment |= {"GST_PLUGIN_SYSTEM_PATH_1_0": str(folder),
                             "GST_REGISTRY": str(self.directory / "registry")}

    def _write_settings(self, server):
        with socket.create_server(("", 0)) as free:
            port = free.getsockname()[1]
        application = {
            "use_keyring": False, "check_for_update": False, "sounds_on": False,
            "show_trayicon": False, "autoaway": False, "autoxa": False,
            "file_transfers_port": port, "workspace_order": ["one"],
            "video_input_device": "videotestsrc is-live=true ! video/x-raw,framerate=10/1 !"
                                  " videoconvert"}
        account = {
            "active": True, "name": self.account.split("@")[0], "hostname": server.domain,
            "password": "secret", "resource": "gajim", "use_custom_host": True,
            "custom_host": server.host, "custom_port": server.port,
            "default_workspace": "one"}
        folder = self.directory / "config" / "gajim"
        folder.mkdir(parents=True)
        with sqlite3.connect(folder / "settings.sqlite") as database:
            database.executescript(SETTINGS)
            database.execute("INSERT INTO settings VALUES ('app', ?)", (json.dumps(application),))
            database.execute("INSERT INTO settings VALUES ('workspaces', ?)",
                             (json.dumps({"one": WORKSPACE}),))
            database.execute("INSERT INTO account_settings VALUES (?, ?)",
                             (ACCOUNT, json.dumps({"account": account, "contact": {},
                                                   "group_chat": {}})))
        database.close()

    def _start(self, server):
        """In its own view of the file system the server is trusted."""
        own = [] if os.geteuid() == 0 else ["--map-root-user"]
        command = (f"mount --bind '{server.ca_file}' /etc/ssl/certs/ca-certificates.crt"
                   f" && exec /usr/bin/python3 -P -c \"{NOT_AS_ROOT}\"")
        with open(self.directory / "gajim.log", "a") as log:
            return subprocess.Popen(["unshare", *own, "--mount", "sh", "-c", command],
                                    env=self.environment, stdout=log, stderr=log)

    def log(self):
        """Its stanzas and complaints."""
        text = (self.directory / "gajim.log").read_text(errors="replace")
        return "\n".join(line for line in text.split("\n")
                         if line.startswith("<") or "(E)" in line or "(W)" in line)[-8000:]

    def open_chat(self):
        self._choose(WINDOW, "add-chat", f"{{'account': <'{ACCOUNT}'>, 'jid': <'{self.contact}'>,"
                                         " 'type': <'contact'>, 'select': <true>}")

    def choose(self, action, *parameters):
        """A menu item of the conversation. What the contact's devices can is heard some seconds
        after they come, and known to the menu when the conversation is opened anew."""
        deadline = time.monotonic() + WAIT
        while not self._ask(WINDOW, "Describe", action).startswith("((true,"):
            assert time.monotonic() < deadline, f"{action} cannot be chosen\n{self.log()}"
            self._open_chat_anew()
            time.sleep(0.3)
        self._choose(WINDOW, action, *parameters)

    def _open_chat_anew(self):
        self._choose(WINDOW, "close-chat")
        self.open_chat()

    def _choose(self, path, action, *parameters):
        variants = ", ".join(f"<{parameter}>" for parameter in parameters)
        self._ask(path, "Activate", action, f"[{variants}]", "{}")

    def _ask(self, path, method, *words):
        return subprocess.run(["gdbus", "call", "--session", "-d", "org.gajim.Gajim", "-o", path,
                               "-m", f"org.gtk.Actions.{method}", *words], env=self.environment,
                              capture_output=True, check=True, text=True).stdout

    def call(self, kind="voice"):
        self.choose(f"start-{kind}-call")

    def await_idle(self):
        """Its window stays for a while and would then end whatever call there is."""
        self.use("gone", "frame", f"Call with {self.contact.split('@')[0]}")

    def hang_up(self):
        self.click("push button", "End call")

    def await_ringing(self):
        """A call is shown when the conversation is opened anew, for it mistakes the kind of what
        has come."""
        deadline = time.monotonic() + WAIT
        while not self.can("label", "Accept"):
            assert time.monotonic() < deadline, self.log()
            self._open_chat_anew()

    def accept(self):
        self.await_ringing()
        self.use("beside", "label", "Accept")

    def reject(self):
        self.await_ringing()
        self.use("beside", "label", "Decline")

    def send_file(self, path, device):
        self.choose("send-file-jingle", f"['{path.as_uri()}']")
        self.click("push button", "Send Files")
        self.use("select", "label", device)
        self.click("push button", "Send Files")

    def await_stanza(self, *parts):
        """Until its log has one with all of them."""
        deadline = time.monotonic() + WAIT
        log = self.directory / "gajim.log"
        while not any(all(part in line for part in parts) for line in log.read_text().split("\n")):
            assert time.monotonic() < deadline, f"no {' '.join(parts)}\n{self.log()}"
            time.sleep(0.1)

    def await_message(self, text):
        """Until its archive has it."""
        deadline = time.monotonic() + WAIT
        while True:
            with sqlite3.connect(self.directory / "data" / "gajim" / "logs.db") as database:
                rows = database.execute("SELECT message FROM logs").fetchall()
            if (text,) in rows:
                return
            assert time.monotonic() < deadline, f"{rows} have no {text}\n{self.log()}"
            time.sleep(0.1)
