"""`improviser explain`, on a recorded session."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from improviser.cli import main
from improviser.protocol import Event, Heard, MeterSet, PerformerSettings, Played, Restarted, Started
from improviser.session.session_log import read_session
from tests.cli.conftest import Refuse, RunJson
from tests.written import write_session

SETTINGS = PerformerSettings("chorale", "model", {"tempo_bpm": 120.0, "meter": (3, 4)})
TAKEN = {"does": "onset", "note": 67, "chance": 0.61, "harmony": 0.31, "prior": -0.02}
NEAR = {"does": "hold", "note": None, "chance": 0.2, "harmony": 0.1, "prior": 0.04}


def played(beat: float) -> Played:
    """Return a note on a beat."""
    return Played(11.0, 11.0, 0, 67, 70, beat, "C major", "G7", {}, (TAKEN, NEAR))


@pytest.fixture(autouse=True)
def _recorded(own_folder: Path) -> None:
    """Record a take with notes in bars 1 and 3, and its session."""
    notes = map(played, (2.0, 7.5))
    write_session(own_folder / "take.session.jsonl", SETTINGS, Heard(10.0, 0, 60, 80, "A"), *notes)


def test_the_session_comes_back(own_folder: Path) -> None:
    """A recorded session is read unchanged: settings, notes by bar."""
    session = read_session(own_folder / "take.mid")
    assert (SETTINGS, 3) == (session.settings, session.bars)
    beats = [[note.beat for time in session.played_in(bar) for note in time.notes] for bar in (1, 2, 3)]
    assert [[2.0], [], [7.5]] == beats
    assert (TAKEN, NEAR) == session.played_in(3)[0].notes[0].why


@pytest.mark.parametrize("name", ["take.mid", "take.session.jsonl"])
def test_a_bar_is_explained(name: str, own_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each note is shown with its position and the parts of its value, and the runners-up below it."""
    assert 0 == main(["explain", str(own_folder / name), "3"])
    assert [
        "bar 3, C major",
        "BEAT  CHORD  ACTION            CHANCE  HARMONY  PEOPLE'S HABITS",
        "2.5   G7     play G4 (chosen)  61 %    +0.31    -0.02",
        "             hold              20 %    +0.10    +0.04",
        "Figures are in units of the reward, compared with the mean of all allowed actions.",
    ] == capsys.readouterr().out.splitlines()


def test_a_bar_that_was_found_is_explained(own_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A bar is counted, and the place of its notes, from the bar line that was found."""
    found = MeterSet(10.0, 5.0, (4, 4))
    write_session(own_folder / "found.session.jsonl", SETTINGS, played(4.0), found, played(5.0), played(11.5))
    assert 0 == main(["explain", str(own_folder / "found.session.jsonl"), "4"])
    assert capsys.readouterr().out.splitlines()[2].startswith("3.5 ")
    assert 0 == main(["explain", str(own_folder / "found.session.jsonl"), "2"])
    assert capsys.readouterr().out.splitlines()[2].startswith("2 ")


def test_what_was_expected_is_told(own_folder: Path, capsys: pytest.CaptureFixture[str], run_json: RunJson) -> None:
    """A last column says what the player was expected to do, in the row of the chosen action; so does the JSON."""
    expected = ({"does": "hold", "note": None, "chance": 0.6}, {"does": "onset", "note": 74, "chance": 0.2})
    note = replace(played(0.0), expected=expected)
    write_session(own_folder / "late.session.jsonl", SETTINGS, Heard(10.0, 0, 60, 80, "A"), note, played(1.0))
    assert 0 == main(["explain", str(own_folder / "late.session.jsonl"), "1"])
    heads, first, second, *_ = capsys.readouterr().out.splitlines()[1:]
    assert heads.endswith("EXPECTED")
    assert first.endswith("hold 60 %, D5 20 %")
    assert "expect" not in second
    told = run_json("explain", str(own_folder / "late.session.jsonl"), "1")
    assert [list(expected), None] == [event.get("expected") for event in told]


def test_a_bar_that_comes_again_is_told_for_each_time(
    own_folder: Path, capsys: pytest.CaptureFixture[str], run_json: RunJson
) -> None:
    """A bar number that occurs again after a restart is shown each time, but not after a replaced performer."""
    events: list[Event] = [
        Started(10.0, 0.0),
        played(1.0),
        Started(10.9, 1.5),  # after a crash the beat continues
        played(2.0),
        Started(20.0, 0.0),
        played(1.0),
        Restarted(),
        played(0.5),
    ]
    write_session(own_folder / "again.session.jsonl", SETTINGS, *events)
    assert 0 == main(["explain", str(own_folder / "again.mid"), "1"])
    titles = [line for line in capsys.readouterr().out.splitlines() if line.startswith("bar")]
    assert ["bar 1, C major", "bar 1, time 2, C major", "bar 1, time 3, C major"] == titles
    told = run_json("explain", own_folder / "again.mid", 1)
    assert [(1, 1.0), (1, 2.0), (2, 1.0), (3, 0.5)] == [(line["time"], line["beat"]) for line in told]


def test_a_chord_is_explained_once(own_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The notes of a chord share one decision, which is shown once with the chord's name and notes."""
    taken = TAKEN | {"chord": "C", "notes": [48, 52, 67]}
    notes = [Played(10.0, 10.0, 0, note, 70, 0.0, "C major", "G7", {}, (taken,)) for note in (48, 52, 67)]
    write_session(own_folder / "chord.session.jsonl", SETTINGS, *notes)
    assert 0 == main(["explain", str(own_folder / "chord.mid"), "1"])
    assert [
        "bar 1, C major",
        "BEAT  CHORD  ACTION                      CHANCE  HARMONY  PEOPLE'S HABITS",
        "1     G7     play C (C3 E3 G4) (chosen)  61 %    +0.31    -0.02",
        "Figures are in units of the reward, compared with the mean of all allowed actions.",
    ] == capsys.readouterr().out.splitlines()


def test_json(own_folder: Path, run_json: RunJson) -> None:
    """With --json each note is one line."""
    lines = run_json("explain", str(own_folder / "take.mid"), "1")
    assert [("explained", 1, 2.0, 67, [TAKEN, NEAR])] == [
        (line["event"], line["bar"], line["beat"], line["note"], line["why"]) for line in lines
    ]


def test_a_bar_without_notes(refuse: Refuse, own_folder: Path) -> None:
    """A bar without notes is reported, with the last bar that has some."""
    text = refuse(2, "explain", str(own_folder / "take.mid"), "2")
    assert "nothing was played in bar 2; the last note is in bar 3" == text


def test_no_session(refuse: Refuse, own_folder: Path) -> None:
    """Without a session the error says how to record one."""
    text = refuse(2, "explain", str(own_folder / "other.mid"), "1")
    assert "no session at" in text
    assert text.endswith("; improviser jam --record FILE.mid makes one")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"{}\n", "line 1: no value"),
        (b"\xff\xfe", "it is no text"),
        (b"", "does not begin with settings"),
        (b'{"event": "stop"}\n', "does not begin with settings"),
    ],
)
def test_a_broken_session(data: bytes, expected: str, refuse: Refuse, own_folder: Path) -> None:
    """A damaged session is one line that names the fault."""
    (own_folder / "take.session.jsonl").write_bytes(data)
    assert expected in refuse(2, "explain", str(own_folder / "take.mid"), "1")
