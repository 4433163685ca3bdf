"""`improviser explain`: explains why the notes in a bar of a recorded session were played."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from improviser.cli.console import say, say_json, say_table
from improviser.cli.options import JsonOption
from improviser.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from improviser.protocol import Played

EXAMPLES = """
improviser explain take.mid 5
improviser explain take.session.jsonl 12 --json
"""

SessionArgument = Annotated[
    Path, typer.Argument(metavar="SESSION", help="A recording by jam or demo, or its session journal.")
]
BarArgument = Annotated[
    int,
    typer.Argument(metavar="BAR", min=1, help="Bar number, as the page and the terminal show it."),
]
_NO_PARTS = frozenset({"does", "note", "chance", "chord", "notes"})
# As the page has them (web/static/why.js).
TITLES = {"prior": "people's habits", "preference": "your preferences"}
CHOSEN = " (chosen)"
UNITS = "Figures are in units of the reward, compared with the mean of all allowed actions."


def explain(session: SessionArgument, bar: BarArgument, json: JsonOption = False) -> None:
    """Explain the notes of a bar: what spoke for each, and what nearly was played instead.

    Bars are numbered as on the page and in the terminal: bar 1 is the first bar after the count-in. A bar that
    was played several times, for example after the clock restarted, is explained once for each time.

    Each figure says how much a term added for that action, compared with the mean of all allowed actions, in
    units of the reward: harmony, coherence and creativity with their weights, the prior (people's habits), and
    your preferences. Below each chosen action stands the likeliest one that was not chosen.

    The last column stands where the step was decided before your note was heard. It says what improviser expected
    you to do.
    """
    from improviser.session.session_log import read_session

    told = read_session(session)
    times = told.played_in(bar)
    if not times:
        raise UsageError(f"nothing was played in bar {bar}; the last note is in bar {told.bars}")
    for time, played in enumerate(times, 1):
        notes = _decided(played.notes)
        if json:
            _say_objects(notes, bar, time)
        else:
            _say_rows(notes, f"bar {bar}" if time == 1 else f"bar {bar}, time {time}", played.line)


def _say_objects(notes: list[Played], bar: int, time: int) -> None:
    """Print one JSON line per decision of a bar; `time` counts how often the jam has played the bar."""
    for note in notes:
        told = {"bar": bar, "time": time, "beat": note.beat, "note": note.note, "why": note.why}
        told |= {"expected": note.expected} if note.expected else {}
        say_json({"event": "explained"} | told)


def _say_rows(notes: list[Played], title: str, line: float) -> None:
    """Print the decisions of a bar, which begins on the beat `line`, as a table."""
    parts = list(dict.fromkeys(name for note in notes for why in note.why for name in why if _is_part(name)))
    expects = ("EXPECTED",) if any(note.expected for note in notes) else ()
    rows = [row[: 4 + len(parts) + len(expects)] for note in notes for row in _rows(note, line, parts)]
    heads = ("BEAT", "CHORD", "ACTION", "CHANCE", *(TITLES.get(name, name).upper() for name in parts), *expects)
    say(f"{title}, {notes[0].key}")
    say_table(heads, rows)
    say(UNITS)


def _decided(notes: Iterable[Played]) -> list[Played]:
    """Return the first note of each decision, since its other notes belong to the same chord."""
    return list({note.beat: note for note in reversed(list(notes))}.values())[::-1]


def _is_part(name: str) -> bool:
    """Return whether an entry of a reason is a term of its value."""
    return name not in _NO_PARTS


def _rows(note: Played, line: float, parts: list[str]) -> list[tuple[str, ...]]:
    """Return a row for a note in the bar that begins on the beat `line`, and one for each nearest alternative."""
    place = f"{round(note.beat - line + 1, 3):g}"
    rows = []
    for index, why in enumerate(note.why):
        head = (place, note.chord or "", _action(why) + CHOSEN) if index == 0 else ("", "", _action(why))
        numbers = (f"{why[name]:+.2f}" if name in why else "" for name in parts)
        expected = ", ".join(map(_expected, note.expected)) if index == 0 else ""
        rows.append((*head, f"{100 * why['chance']:.0f} %", *numbers, expected))
    return rows


def _expected(event: Mapping[str, Any]) -> str:
    """Return what the player was expected to do, with its probability."""
    from improviser.music.pitch import note_name

    does = event["does"] if event["note"] is None else note_name(event["note"])
    return f"{does} {100 * event['chance']:.0f} %"


def _action(why: Mapping[str, Any]) -> str:
    """Return an action in words."""
    from improviser.music.pitch import note_name

    if "chord" in why:
        return f"play {why['chord']} ({' '.join(note_name(note) for note in why['notes'])})"
    return f"play {note_name(why['note'])}" if why["note"] is not None else str(why["does"])
