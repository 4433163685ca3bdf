"""The view of a jam in the terminal."""

from __future__ import annotations

import io
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from improviser.app.jam_view import SafeView, View
from improviser.cli.terminal.view import JsonView, TextView, choose_view
from improviser.protocol import (
    Adopted,
    Event,
    Failed,
    Heard,
    Learned,
    Lifted,
    Notice,
    PerformerSettings,
    Played,
    PortChanged,
    Ready,
    Recounted,
    Refused,
    Restarted,
    Rested,
    Routed,
    Started,
    Summary,
    Synced,
    Warned,
)
from improviser.supervisor.state import State

SETTINGS = PerformerSettings("chorale", "m", {"tempo_bpm": 120.0, "meter": (4, 4)})
READY = Ready(
    "jack",
    {"in": ("A", "B"), "out": ("C",)},
    "chorale",
    7,
    120.0,
    realtime=True,
    player=None,
    sends_on="C",
    is_virtual=True,
)
MUSIC: list[Event] = [
    Heard(10.0, 0, 60, 80, "A"),
    Played(10.0, 10.0, 0, 64, 80, 0.0, "C", "Am"),
    Lifted(10.5, 0, 60, "A"),
    Heard(11.99, 0, 62, 80, "A"),
    Played(12.5, 12.5, 0, 67, 80, 5.0, "C", None),
]
BARS = [
    "bar   1  C        Am      you: C4                            improviser: E4",
    "bar   2  C        -       you: D4                            improviser: G4",
]


# The state that the view reads: it uses only the ports, and each performer reports its own.
STATE = State()


def text_view() -> TextView:
    """Return the view for a stdout that is no terminal."""
    return TextView(SETTINGS, STATE, is_terminal=False)


def shown(view: View, *events: Event) -> None:
    """Show events as a jam does, after updating the state with each of them."""
    for event in events:
        STATE.apply(event)
        view.show(event)


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Each event is one line, channels count from 1, and files are reported."""
    view = choose_view(SETTINGS, STATE, as_json=True)
    assert isinstance(view, JsonView)
    shown(view, READY, MUSIC[0])
    view.kept(Path("a.session.jsonl"))
    view.recorded(Path("take.mid"))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert ["ready", "heard", "session", "recorded"] == [line["event"] for line in lines]
    assert [1, "a.session.jsonl", "take.mid"] == [lines[1]["channel"], lines[2]["path"], lines[3]["path"]]


def test_text_is_a_line_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    """Where stdout is no terminal each bar is a line; a note just before the bar line belongs to the next bar."""
    view = choose_view(SETTINGS, STATE, as_json=False)
    shown(view, *MUSIC, Summary(notes_heard=2, notes_played=2))
    lines = capsys.readouterr().out.splitlines()
    assert [*BARS, "Heard 2 notes, played 2; late decisions: 0, stuck notes: 0."] == lines


def test_bars_are_those_of_a_beat_that_changes(capsys: pytest.CaptureFixture[str]) -> None:
    """Bar numbers skip the count-in, follow a change of tempo, and jump with the beat."""
    view = text_view()
    for event in (Started(8.0, -4.0), Synced(12.0, 4.0, 60.0), Started(19.0, 32.0)):
        shown(view, event, *(Heard(event.at_s + after_s, 0, 60, 80, "A") for after_s in (2.0, 3.0)))
    shown(view, Summary())
    bars = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("bar")]
    assert ["1", "2", "9"] == bars


def test_bars_are_those_of_a_meter_that_changes(capsys: pytest.CaptureFixture[str]) -> None:
    """After a change of meter notes are shown in the bars of the new one."""
    view = text_view()
    shown(view, Started(8.0, 0.0), Synced(8.0, 0.0, 60.0), Heard(8.0, 0, 60, 80, "A"))
    shown(view, Recounted(16.0, 6.0, (3, 4)), Heard(16.0, 0, 60, 80, "A"), Heard(19.0, 0, 62, 80, "A"))
    shown(view, Played(22.03, 22.03, 0, 67, 80, 12.0, "C", None), Summary())
    bars = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("bar")]
    assert ["1", "3", "4", "5"] == bars


def test_after_a_rest_the_next_bar_follows(capsys: pytest.CaptureFixture[str]) -> None:
    """Time at rest does not count as bars, and after a restart the bars begin at 1."""
    view = text_view()
    note = Played(12.5, 12.5, 0, 67, 80, 5.0, "C", None)
    shown(view, Heard(10.0, 0, 60, 80, "A"), note, Rested(20.0, 19.75))
    shown(view, Heard(40.0, 0, 60, 80, "A"), replace(note, due_s=40.5, beat=21.0), Restarted())
    shown(view, Heard(50.0, 0, 60, 80, "A"), Summary())
    lines = capsys.readouterr().out.splitlines()
    assert ["1", "2", "6", "1"] == [line.split()[1] for line in lines if line.startswith("bar")]
    assert "It rests until you play." in lines


def test_a_note_stands_in_the_bar_of_its_decision(capsys: pytest.CaptureFixture[str]) -> None:
    """A note is shown in the bar of its decision, however late it sounds; a count-in is labelled."""
    view = text_view()
    late = Played(16.03, 16.03, 0, 67, 80, 3.75, "C", None)
    shown(view, Started(12.0, -4.0), Heard(12.5, 0, 60, 80, "A"), Heard(14.0, 0, 60, 80, "A"), late)
    shown(view, Summary())
    lines = capsys.readouterr().out.splitlines()
    assert ["count-in", "bar   1 "] == [line[:8] for line in lines[:2]]
    assert lines[1].endswith("you: C4                            improviser: G4")


def test_ports_that_come_and_go_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """The open ports are shown whenever they change, and a refusal with its reason."""
    view = text_view()
    came = PortChanged("Wheel", is_output=False, is_there=True)
    routed = Routed(("X", None), {"in": ("X",), "out": ("C",)}, "C", is_virtual=True)
    shown(view, READY, came, replace(came, name="A", is_there=False), routed, Refused("key", "'H' is not a key"))
    assert [
        "Listens to: A, B, Wheel.",
        "Listens to: B, Wheel.",
        "Listens to: X. Plays on: C.",
        "Not done: 'H' is not a key.",
    ] == capsys.readouterr().out.splitlines()[3:]


def test_the_introduction_names_ports_and_preset(capsys: pytest.CaptureFixture[str]) -> None:
    """The introduction shows preset, tempo, seed, MIDI system and ports, and what to do now."""
    view = text_view()
    shown(view, READY, Notice("so it is"), Warned("late"), Failed("told elsewhere"))
    assert [
        "Preset chorale, 120 bpm, seed 7; MIDI: jack.",
        "Listens to: A, B. Plays on: C.",
        "Play: your first note is the first downbeat. Ctrl-C ends the jam.",
        "So it is.",
        "Note: late",
    ] == capsys.readouterr().out.splitlines()


def test_no_port_is_named_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a MIDI system the introduction says that there is no port to connect to."""
    shown(text_view(), replace(READY, backend="loopback"))
    _, where, _ = capsys.readouterr().out.splitlines()
    assert "Both parts play inside this program; there is no port to connect to." == where


def test_the_conclusion_tells_times_and_faults(capsys: pytest.CaptureFixture[str]) -> None:
    """The conclusion shows timing errors, and ignored messages if there were any."""
    shown_times = "p50 0.10 ms, p99 0.25 ms, max 1.00 ms"
    times = {"p50": 0.1, "p99": 0.25, "max": 1.0}
    view = text_view()
    shown(view, Summary(onset_error_ms=times, decision_ms=times, bad_messages=3, feedback=1))
    view.kept(Path("a.session.jsonl"))
    view.recorded(Path("take.mid"))
    assert [
        "Heard 0 notes, played 0; late decisions: 0, stuck notes: 0.",
        f"Notes left {shown_times} early or late; a decision took {shown_times}.",
        "Messages ignored: 3 not understood, 1 improviser's own, returned.",
        "Session journal: a.session.jsonl",
        "improviser keep saves its last bars as a MIDI file; jam --record FILE.mid records everything.",
        "Recorded: take.mid",
    ] == capsys.readouterr().out.splitlines()


def test_a_terminal_has_a_status_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the current bar is one line that is redrawn with each note."""
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdout", screen)
    view = choose_view(SETTINGS, STATE, as_json=False)
    shown(view, *MUSIC)
    drawn = screen.getvalue().split("\r\x1b[2K")
    lights, line = drawn[-1][:7], drawn[-1][9:]
    assert ("", f"{BARS[0]}\n", BARS[1][:70]) == (drawn[0], drawn[3], line)
    assert {"#", "*"} & set(lights)
    assert "you: C4" in drawn[1]
    assert "improviser: E4" not in drawn[1]


def test_lights_run_on_a_terminal_without_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    """From Ready to the end, the lights of a terminal follow the beat; a line never wraps."""
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "20")
    state = State()
    view = TextView(SETTINGS, state, is_terminal=True)
    now_s = time.monotonic()
    for event in (replace(READY, at_s=now_s, machine_s=now_s), Started(now_s, -2.0), Synced(now_s, -2.0, 400.0)):
        state.apply(event)
        view.show(event)
    give_up_s = time.monotonic() + 10.0
    while screen.getvalue().count("bar   1") < 3 and time.monotonic() < give_up_s:
        time.sleep(0.01)
    view.show(Summary())
    ended = screen.getvalue()
    assert "Heard 0 notes" in ended
    lines = [line for line in ended.split("\r\x1b[2K") if "bar   1" in line]
    assert ["# . . .  bar   1", "- * . .  bar   1"] == [line.strip() for line in lines[:2]]
    assert "count-in" in ended
    time.sleep(0.3)
    assert ended == screen.getvalue()


def test_the_built_in_player_is_introduced(capsys: pytest.CaptureFixture[str]) -> None:
    """When the built-in player plays, its tune is named."""
    ready = Ready("x", {"in": (), "out": ()}, "p", 0, 1.0, realtime=True, player="Tune", sends_on="", is_virtual=True)
    text_view().show(ready)
    assert "The built-in player plays: Tune. Ctrl-C ends the jam." in capsys.readouterr().out


def test_a_view_that_fails_shows_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first exception of a view is kept, and the view is not called again."""
    view, times = SafeView(JsonView()), 0

    def fail(_path: Path) -> None:
        """Raise as a closed pipe does."""
        nonlocal times
        times += 1
        raise BrokenPipeError

    monkeypatch.setattr(JsonView, "kept", lambda _, path: fail(path))
    view.kept(Path("a"))
    view.kept(Path("b"))
    view.show(READY)
    view.recorded(Path("x"))
    assert (1, BrokenPipeError) == (times, type(view.fault))


def test_a_chord_is_shown_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    """The notes of a chord are shown once, by the chord's name."""
    events = [
        Played(10.0, 10.0, 0, note, 80, beat, "C", "Am", {}, ({"chord": name},))
        for beat, name, notes in ((0.0, "C", (48, 52, 55)), (1.0, "G7", (47, 53, 55)))
        for note in notes
    ]
    shown(text_view(), *events, Summary())
    assert "improviser: C G7" in capsys.readouterr().out


def test_what_is_learned_in_the_background_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """The results of online training, adopted weights and undone weights are shown."""
    view = text_view()
    words = "+3.0% beside you"
    learned = Learned(256, 128, 0.4, accepted=True, number=1, words=words, kept=1.0, gain=0.03, drift=0.1)
    for event in (learned, Adopted(2), Adopted(1, is_back=True), Adopted(0, is_back=True)):
        view.show(event)
    assert [
        "Learned by 256 updates (0.40 a step, drift 0.10): +3.0% beside you.",
        "It uses checkpoint 2.",
        "The last checkpoint is taken back. It uses checkpoint 1.",
        "The last checkpoint is taken back. It uses the original model.",
    ] == capsys.readouterr().out.splitlines()
