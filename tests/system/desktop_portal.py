"""A desktop portal that shares one PipeWire node with whoever asks: NODE [refuse].

A program of its own. Says "ready", then writes every call that it gets as a line of JSON."""

import json
import os
import socket
import sys

from gi.repository import Gio, GLib

INTERFACE = """<node><interface name='org.freedesktop.portal.ScreenCast'>
<method name='CreateSession'>
 <arg type='a{sv}' direction='in'/><arg type='o' direction='out'/></method>
<method name='SelectSources'>
 <arg type='o' direction='in'/><arg type='a{sv}' direction='in'/>
 <arg type='o' direction='out'/></method>
<method name='Start'>
 <arg type='o' direction='in'/><arg type='s' direction='in'/><arg type='a{sv}' direction='in'/>
 <arg type='o' direction='out'/></method>
<method name='OpenPipeWireRemote'>
 <arg type='o' direction='in'/><arg type='a{sv}' direction='in'/>
 <arg type='h' direction='out'/></method>
<property name='version' type='u' access='read'/>
</interface></node>"""
PATH = "/org/freedesktop/portal/desktop"
SESSION = PATH + "/session/test/jingle"
NODE, REFUSE = int(sys.argv[1]), "refuse" in sys.argv[2:]


def results_of(method):
    if method == "CreateSession":
        return {"session_handle": GLib.Variant("s", SESSION)}
    if method == "Start":
        return {"streams": GLib.Variant("a(ua{sv})", [(NODE, {})]),
                "restore_token": GLib.Variant("s", "the same again")}
    return {}


def open_remote(invocation):
    with socket.socket(socket.AF_UNIX) as pipewire:
        pipewire.connect(os.environ["XDG_RUNTIME_DIR"] + "/pipewire-0")
        descriptors = Gio.UnixFDList.new()
        index = descriptors.append(pipewire.fileno())
    invocation.return_value_with_unix_fd_list(GLib.Variant("(h)", (index,)), descriptors)


def answer(bus, sender, _path, _interface, method, arguments, invocation):
    arguments = arguments.unpack()
    print(json.dumps([method, *arguments]), flush=True)
    if method == "OpenPipeWireRemote":
        open_remote(invocation)
        return
    request = "/".join([PATH, "request", sender[1:].replace(".", "_"),
                        arguments[-1]["handle_token"]])
    code = 1 if REFUSE and method == "Start" else 0
    bus.emit_signal(sender, request, "org.freedesktop.portal.Request", "Response",
                    GLib.Variant("(ua{sv})", (code, results_of(method))))
    invocation.return_value(GLib.Variant("(o)", (request,)))


def on_bus(bus, _name):
    interface = Gio.DBusNodeInfo.new_for_xml(INTERFACE).interfaces[0]
    bus.register_object(PATH, interface, answer, lambda *_: GLib.Variant("u", 4), None)


Gio.bus_own_name(Gio.BusType.SESSION, "org.freedesktop.portal.Desktop", Gio.BusNameOwnerFlags.NONE,
                 on_bus, lambda *_: print("ready", flush=True), None)
GLib.MainLoop().run()
