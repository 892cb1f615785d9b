"""The desktop that shows notifications, as a program: org.freedesktop.Notifications on the session bus.

Run by the system's Python, which has GLib. It writes a JSON line for each notification, and clicks what a
line on its standard input names: a number, and `default` or a button's name.
"""

import json
import sys
from typing import Any

from gi.repository import Gio, GLib

NAME, PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
INTERFACE = f"""<node><interface name="{NAME}">
  <method name="GetCapabilities"><arg direction="out" type="as"/></method>
  <method name="GetServerInformation">
    <arg direction="out" type="s"/><arg direction="out" type="s"/>
    <arg direction="out" type="s"/><arg direction="out" type="s"/>
  </method>
  <method name="Notify">
    <arg direction="in" type="s"/><arg direction="in" type="u"/><arg direction="in" type="s"/>
    <arg direction="in" type="s"/><arg direction="in" type="s"/><arg direction="in" type="as"/>
    <arg direction="in" type="a{{sv}}"/><arg direction="in" type="i"/><arg direction="out" type="u"/>
  </method>
  <method name="CloseNotification"><arg direction="in" type="u"/></method>
  <signal name="ActionInvoked"><arg type="u"/><arg type="s"/></signal>
  <signal name="NotificationClosed"><arg type="u"/><arg type="u"/></signal>
</interface></node>"""


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


class Desktop:
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._made = 0
        node = Gio.DBusNodeInfo.new_for_xml(INTERFACE)
        connection.register_object(PATH, node.interfaces[0], self._called, None, None)
        GLib.io_add_watch(sys.stdin.fileno(), GLib.IO_IN, self._asked)

    def _called(self, *call: Any) -> None:
        *_, method, given, answer = call
        if method == "GetCapabilities":
            able = ["actions", "body", "body-images", "persistence"]
            answer.return_value(GLib.Variant("(as)", (able,)))
        elif method == "GetServerInformation":
            answer.return_value(GLib.Variant("(ssss)", ("desktop", "tests", "1", "1.2")))
        elif method == "Notify":
            _, replaces, _, title, body, actions, hints, _ = given
            self._made += not replaces
            number = replaces or self._made
            say(
                number=number, replaces=replaces, title=title, body=body, actions=actions, hints=sorted(hints)
            )
            answer.return_value(GLib.Variant("(u)", (number,)))
        else:
            say(closed=given[0])
            answer.return_value(None)

    def _asked(self, *_: object) -> bool:
        line = sys.stdin.readline()
        if not line:
            LOOP.quit()
            return False
        number, action = line.split()
        clicked = GLib.Variant("(us)", (int(number), action))
        self._connection.emit_signal(None, PATH, NAME, "ActionInvoked", clicked)
        return True


LOOP = GLib.MainLoop()
Gio.bus_own_name(
    Gio.BusType.SESSION,
    NAME,
    0,
    lambda bus, _: Desktop(bus),
    lambda *_: say(ready=True),
    lambda *_: LOOP.quit(),
)
LOOP.run()
