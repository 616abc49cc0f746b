"""Uses a GTK program as assistive technology does (AT-SPI): a program of its own, because the bus
is that of the environment.

  hands.py PROGRAM click ROLE NAME    clicks what has that role and that name or description: the
                                      last one, which is the newest of a conversation
  hands.py PROGRAM beside ROLE NAME   clicks the button that is beside it, without a name of its own
  hands.py PROGRAM select ROLE NAME   selects the item of a list that shows it
  hands.py PROGRAM button N WINDOW    clicks a nameless button of a window; -1: the last one
  hands.py PROGRAM await ROLE NAME    waits for it
  hands.py PROGRAM look ROLE NAME     the same, but for a second only
  hands.py PROGRAM gone ROLE NAME     waits until there is no such thing
"""

import sys
import time

import pyatspi

DEADLINE = 30


def below(thing):
    for child in thing:
        if child:
            yield child
            yield from below(child)


def things(program, role, name):
    for application in pyatspi.Registry.getDesktop(0):
        if not application or application.name != program:
            continue
        for thing in below(application):
            if thing.getRoleName() == role and name in (thing.name, thing.description):
                yield thing


def await_thing(program, role, name, wanted=True, seconds=DEADLINE):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            found = list(things(program, role, name))
            if bool(found) == wanted:
                return found[-1] if found else None
        except Exception:  # what was looked at has just gone
            pass
        time.sleep(0.1)
    sys.exit(f"{'no' if wanted else 'still a'} {role} {name!r} in {program}")


def click(thing):
    """A menu button is a button in a button, and only the inner one can be clicked."""
    for one in (thing, *below(thing)):
        try:
            action = one.queryAction()
        except NotImplementedError:
            continue
        for i in range(action.nActions):
            if action.getName(i) == "click":
                return action.doAction(i)
    sys.exit(f"{thing.getRoleName()} {thing.name!r} cannot be clicked")


def select(thing):
    """Anew, for a program that has selected it itself hears nothing else."""
    while thing.getRoleName() != "list item":
        thing = thing.parent
    selection = thing.parent.querySelection()
    selection.clearSelection()
    selection.selectChild(thing.getIndexInParent())


def main(program, command, role, name):
    if command == "button":
        window = await_thing(program, "frame", name)
        click([one for one in below(window) if one.getRoleName() == "push button"
               and one.name == "GtkButton"][int(role)])
        return
    thing = await_thing(program, role, name, wanted=command != "gone",
                        seconds=1 if command == "look" else DEADLINE)
    if command == "click":
        click(thing)
    if command == "select":
        select(thing)
    if command == "beside":
        click(next(one for one in thing.parent if one.getRoleName() == "push button"))


main(*sys.argv[1:])
