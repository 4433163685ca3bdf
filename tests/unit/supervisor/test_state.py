"""The state of a jam, built from the performer's events."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from improviser.choices import ClockUse
from improviser.protocol import (
    Detached,
    Event,
    Halted,
    Heard,
    Judged,
    Locked,
    MeterSet,
    ModeSet,
    Notice,
    Played,
    PortChanged,
    Recounted,
    Refused,
    Restarted,
    Rested,
    Routed,
    Started,
    Stepped,
    Switched,
    Synced,
    Tasted,
    Turned,
    Understood,
    Undone,
)
from improviser.remote.control_socket import ask
from improviser.remote.remote_control import RemoteControl
from improviser.supervisor import state as module
from improviser.supervisor.state import State
from tests.performing import ENGINE, performer_settings, ready

READY = ready(ports={"in": ("Keys",), "out": ("Improviser Out",)}, preset="fiddle", tempo_bpm=112.0)
NOTE = Heard(1.0, 0, 60, 80, "Keys")
PLAYED = Played(1.0, 1.0, 0, 60, 80, 0.0, "G major", "C")


def state_after(*events: Event) -> dict[str, Any]:
    """Return the state after some events."""
    state = State()
    state.begin(performer_settings(engine=ENGINE | {"panel": {"echo": 0.5}, "taste": {"leap": 0.3}}))
    for event in events:
        state.apply(event)
    return state.to_json()


def test_the_mode_and_the_turn_are_told_and_kept() -> None:
    """Mode and turn are shown; a successor goes on in the mode; alone it plays without a note."""
    state = State()
    state.begin(performer_settings(engine=ENGINE | {"mode": "trade-2"}))
    assert "trade-2" == state.to_json()["mode"]
    state.apply(Understood(1.0, 1.0, 0.0, "C major", 1.0, None, 0.0, turn=(True, 1, 2)))
    assert [True, 1, 2] == state.to_json()["turn"]
    state.apply(Rested(2.0, 4.0))
    state.apply(ModeSet(2.0, "alone"))
    assert ("alone", "") == (state.to_json()["mode"], state.to_json()["silent"])
    assert "alone" == state.successor(None).engine["mode"]


def test_it_begins_as_the_settings_say() -> None:
    """The state begins with all knobs and the preset's panel and preference."""
    state = state_after()
    assert ("test", 120.0, {"leap": 0.3}, False) == (
        state["preset"],
        state["tempo_bpm"],
        state["taste"],
        state["rolling"],
    )
    assert {"harmony": 1.0, "echo": 0.5, "velocity": 1.0}.items() <= state["panel"].items()


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], None),
        ([READY], "your first note"),
        ([READY, Started(1.0, 0.0)], None),
        ([READY, Halted(2.0, "Keys")], "play in the DAW (the MIDI clock on 'Keys' is stopped), or a tap"),
        ([READY, Halted(2.0, "Link")], "play in Link, whose transport is stopped"),
        ([READY, Halted(2.0, "JACK")], "play in JACK's transport, which is stopped, or a tap"),
        ([READY, Halted(2.0, "MMC")], "play by MIDI Machine Control, or a tap"),
        ([READY, Halted(2.0)], "play in the DAW, whose transport is stopped"),
        ([READY, Halted(2.0, "Keys"), Detached(2.5)], "your next note, a tap, a tempo or solo"),
    ],
)
def test_it_says_what_it_waits_for(events: list[Event], expected: str | None) -> None:
    """The state says what starts the music, or nothing while it plays or without a performer."""
    assert expected == state_after(*events)["waits_for"]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([READY], {"preset": "fiddle", "ports": {"in": ["Keys"], "out": ["Improviser Out"]}}),
        ([Heard(1.0, 0, 60, 80, "Keys")], {"rolling": True}),
        ([PLAYED], {"key": "G major", "chord": "C"}),
        ([Started(1.0, 0.0), Halted(2.0)], {"rolling": False}),
        ([Halted(2.0, "Keys"), Detached(2.5)], {"rolling": False}),
        ([Halted(2.0, "Keys"), Detached(2.5), Heard(3.0, 0, 60, 80, "Keys")], {"rolling": True}),
        ([Started(1.0, 0.0), Restarted()], {"rolling": False}),
        ([Synced(1.0, 0.0, 90.0)], {"tempo_bpm": 90.0, "clock": "midi"}),
        ([Synced(1.0, 0.0, 90.0, clock="jack")], {"tempo_bpm": 90.0, "clock": "jack"}),
        ([Recounted(1.0, 0.0, (3, 4))], {"meter": [3, 4]}),
        ([Synced(1.0, 0.0, 80.0, is_own=True)], {"tempo_bpm": 80.0, "clock": "own"}),
        ([Switched(1.0, "mute", is_on=True)], {"mute": True, "solo": False}),
        ([Switched(1.0, "mute", is_on=True), Switched(2.0, "mute", is_on=False)], {"mute": False}),
        ([Judged(1.0, liked=True, taste={"leap": 1.0}, words="w")], {"likes": 1, "taste": {"leap": 1.0}}),
        ([Judged(1.0, liked=False, words="a"), Undone(everything=False)], {"dislikes": 1, "words": ""}),
        ([Tasted({"high": 1.0}, "higher")], {"words": "higher", "taste": {"high": 1.0}}),
        ([Stepped(1.0, skipped=False)], {}),
    ],
)
def test_events_are_taken_in(events: list[Event], expected: dict[str, Any]) -> None:
    """Each event changes its part of the state."""
    assert expected.items() <= state_after(*events).items()


def test_a_successor_counts_the_bars_that_were_found() -> None:
    """A performer that replaces another one gets the bars as they are counted now, if they are not the preset's."""
    state = State()
    state.begin(performer_settings())
    assert None is state.successor(None).bars_counted
    state.apply(MeterSet(5.0, 6.0, (3, 4)))
    shown = state.to_json()
    assert ([3, 4], 6.0, 3) == (shown["meter"], shown["bar_beat"], shown["first_bar"])
    assert (6.0, 3, 4) == state.successor(None).bars_counted
    state.apply(MeterSet(9.0, 6.0, (3, 4)))  # as the successor tells it
    assert shown == state.to_json()
    state.apply(Started(12.0, 9.0))
    assert ([3, 4], 0.0, 1) == tuple(state.to_json()[name] for name in ("meter", "bar_beat", "first_bar"))
    state.apply(Restarted())
    assert ([4, 4], 0.0, 1) == tuple(state.to_json()[name] for name in ("meter", "bar_beat", "first_bar"))


RESTED = Rested(3.0, 15.75)


@pytest.mark.parametrize(
    ("clock", "events", "silent"),
    [
        (ClockUse.AUTO, [READY], "it waits for your first note"),
        (ClockUse.MIDI, [READY], "it waits for the clock to start"),
        (ClockUse.JACK, [READY], "it waits for the clock to start"),
        (ClockUse.AUTO, [READY, NOTE], ""),
        (ClockUse.AUTO, [NOTE, RESTED], "it rests until you play"),
        (ClockUse.AUTO, [NOTE, RESTED, NOTE], ""),
        (ClockUse.AUTO, [NOTE, RESTED, Started(4.0, 16.0)], ""),
        (ClockUse.AUTO, [NOTE, RESTED, Switched(4.0, "solo", is_on=True)], ""),
        (ClockUse.AUTO, [NOTE, Switched(4.0, "mute", is_on=True), RESTED], "it is muted"),
        (ClockUse.AUTO, [NOTE, Switched(4.0, "mute", is_on=True), Switched(5.0, "mute", is_on=False)], ""),
        (ClockUse.AUTO, [Started(1.0, 0.0), Halted(2.0)], "it waits for play in the DAW"),
        (ClockUse.AUTO, [Started(1.0, 0.0), Halted(2.0), Started(3.0, 0.0)], ""),
    ],
)
def test_it_says_why_it_is_silent(clock: ClockUse, events: list[Event], silent: str) -> None:
    """The state says why the jam is silent and what ends the silence, as long as that holds."""
    state = State()
    state.begin(performer_settings(clock=clock))
    for event in events:
        state.apply(event)
    told = state.to_json()["silent"]
    assert bool(silent) == bool(told)
    assert told.startswith(silent)


def test_ports_that_come_and_go_are_known() -> None:
    """The state lists the open inputs, and the lost ones until they return."""
    came, went = (PortChanged("Wheel", is_output=False, is_there=there) for there in (True, False))
    out = PortChanged("Synth", is_output=True, is_there=False)
    looped = PortChanged("Wheel", is_output=False, is_there=False, may_return=False)
    assert (["Keys", "Wheel"], []) == ports_of(READY, came)
    assert (["Keys"], ["Wheel"]) == ports_of(READY, came, went)
    assert (["Keys", "Wheel"], []) == ports_of(READY, came, went, came)
    assert (["Keys"], ["Synth"]) == ports_of(READY, out)
    assert (["Keys"], []) == ports_of(READY, came, looped)  # it will not be opened again
    routed = Routed((None, None), {"in": ("Other",), "out": ("Synth",)}, "Synth", is_virtual=False)
    assert (["Other"], []) == ports_of(READY, out, routed)


def ports_of(*events: Event) -> tuple[list[str], list[str]]:
    """Return the open and the lost inputs after some events."""
    state = state_after(*events)
    return state["ports"]["in"], state["gone"]


def test_what_is_said_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A notice and a refusal disappear after a while, or with the next request."""
    state, now_s = State(), 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    state.apply(Notice("a cable came"))
    state.apply(Refused("preset", "no such preset"))
    told = {"notice": "a cable came", "refused": "no such preset", "refused_what": "preset"}
    assert told.items() <= state.to_json().items()
    now_s += module.NOTICE_S + 0.1
    assert {"", None} >= {state.to_json()[name] for name in told}
    state.apply(Refused("preset", "no such preset"))
    state.ask()
    assert "" == state.to_json()["refused"]


@pytest.mark.parametrize(
    ("what", "event", "is_settled"),
    [
        ("key", Locked("C"), True),
        ("preset", Locked("C"), False),
        ("tempo", Synced(1.0, 0.0, 90.0, is_own=True), True),
        ("tempo", Synced(1.0, 0.0, 90.0), False),
    ],
)
def test_a_refusal_ends_where_it_was_done_after_all(what: str, event: Event, *, is_settled: bool) -> None:
    """A refusal ends when the same request succeeds, but not when a clock sets the tempo."""
    assert is_settled == (state_after(Refused(what, "no"), event)["refused"] == "")


def test_a_refusal_is_an_answer() -> None:
    """A refusal ends the wait for an answer."""
    state = State()
    version = state.ask()
    state.apply(Refused("preset", "no such preset"))
    assert state.wait(version, 0.0)


def test_a_change_is_waited_for() -> None:
    """A change from another thread ends the wait, and a note does not."""
    state = State()
    version = state.ask()
    state.apply(PLAYED)
    assert not state.wait(version, 0.01)
    threading.Timer(0.05, lambda: state.apply(Turned("echo", 2.0))).start()
    assert state.wait(version, 5.0)


def test_doors_that_cannot_be_opened_are_told(tmp_path: Path) -> None:
    """A remote control that cannot be opened is reported, and the jam continues."""
    warnings: list[str] = []
    supervisor: Any = SimpleNamespace(state=State(), send=print, warn=warnings.append)
    (tmp_path / "file").write_text("no folder", "utf-8")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with RemoteControl(supervisor, tmp_path, port):
            assert 0 == ask(tmp_path, '{"event": "state"}')["ignored"]
        with RemoteControl(supervisor, tmp_path / "file", None):
            pass
    no_osc, no_ctl = warnings
    assert f"no OSC on port {port}" in no_osc
    assert "improviser ctl cannot steer this jam" in no_ctl
