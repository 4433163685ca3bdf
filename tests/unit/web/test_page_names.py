"""The names in the page's scripts are those of the program."""

from __future__ import annotations

import re
from pathlib import Path

import improviser.web
from improviser.cli import explain
from improviser.protocol import Action, Knob, Steer
from improviser.protocol.value import KINDS
from improviser.supervisor.state import State
from tests.some import some_files

STATIC = Path(improviser.web.__file__).parent / "static"
# Messages that only the page and its server exchange.
OWN_MESSAGES = {"hello", "pong", "state", "ping"}


def found(pattern: str, name: str) -> set[str]:
    """Return the matches of a pattern's group in a script of the page."""
    return set(re.findall(pattern, (STATIC / name).read_text("utf-8")))


def test_each_knob_has_a_slider() -> None:
    """Each knob has a slider, except the tempo, which has a field."""
    (knobs,) = re.findall(r"const KNOBS = \{(.*?)\};", (STATIC / "knobs.js").read_text("utf-8"), re.DOTALL)
    assert [knob for knob in Knob if knob is not Knob.TEMPO] == re.findall(r"^  (\w+):", knobs, re.MULTILINE)


def test_each_clock_has_a_name() -> None:
    """Each clock in a state has a name on the page."""
    (clocks,) = re.findall(r"const CLOCKS = \{(.*?)\};", (STATIC / "names.js").read_text("utf-8"), re.DOTALL)
    names = set(re.findall(r"(\w+):", clocks))
    assert {"own", "midi", "link", "jack", "follow"} == names
    assert State().clock in names


def test_reasons_are_called_alike_on_the_page_and_in_explain() -> None:
    """A musician who reads both finds the same words."""
    script = (STATIC / "why.js").read_text("utf-8")
    (titles,) = re.findall(r"const TITLES = \{(.*?)\};", script)
    assert explain.TITLES == dict(re.findall(r'(\w+): "([^"]+)"', titles))
    assert explain.CHOSEN in script
    assert explain.UNITS in script


def test_events_that_are_shown_are_those_that_are_sent() -> None:
    """Each event that the page shows is one that the program sends."""
    cases = found(r'case "(\w+)":', "main.js") | found(r'event === "(\w+)"', "main.js")
    assert cases
    assert cases <= set(KINDS) | OWN_MESSAGES
    (moving,) = re.findall(r"const BEAT_EVENTS = \[(.*?)\];", (STATIC / "main.js").read_text("utf-8"))
    named = set(re.findall(r'"(\w+)"', moving))
    assert {"started", "synced", "halted"} <= named <= set(KINDS) | OWN_MESSAGES


def test_commands_that_are_sent_are_those_that_are_taken() -> None:
    """Each message of the page is a steering command, a note or a ping, and each action exists."""
    steering = {name for name, kind in KINDS.items() if issubclass(kind, Steer)}
    sent = set().union(*(found(r'event: "(\w+)"', path.name) for path in some_files(STATIC, "*.js")))
    assert {"turn", "act", "choose", "lock", "count_in", "route"} <= sent
    assert sent <= steering | OWN_MESSAGES | {"receive"}
    (actions,) = re.findall(r"const ACTIONS = \{(.*?)\};", (STATIC / "controls.js").read_text("utf-8"), re.DOTALL)
    named = set(re.findall(r': "(\w+)"', actions))
    assert "panic" in named
    assert named <= set(Action)
