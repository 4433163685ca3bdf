"""`improviser chart`: prints what is read of a chord chart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from improviser.cli.console import say, say_json, tell
from improviser.cli.options import JsonOption

if TYPE_CHECKING:
    from improviser.chart import Chart

EXAMPLES = """
improviser chart autumn.txt
improviser chart song.cho
improviser chart sheet.musicxml --json
"""

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="A chart: plain text, ChordPro, MusicXML or an iReal link in a text.")
]


def chart(file: FileArgument, *, json: JsonOption = False) -> None:
    """Print what is read of a chord chart, with its repeats played out.

    Plain text has bars between bar lines: | Am7 | D7 | Gmaj7 | % |. Chords in a bar share it evenly, or / holds one
    for a beat. % is the bar before; |: :| repeats, 1. and 2. begin endings; a line [A] or Verse: names a section; and
    lines such as key: Em, meter: 3/4 and tempo: 120 say the rest. Docs: docs/charts.md.
    """
    from improviser.chart import read_chart

    found = read_chart(file)
    if json:
        say_json({"event": "chart", **to_values(found)})
        return
    facts = [found.title or str(file), found.meter.name]
    facts += [] if found.key is None else [found.key.name]
    facts += [] if found.tempo_bpm is None else [f"{found.tempo_bpm:g} bpm"]
    say(f"{', '.join(facts)}: {len(found.bars)} bars")
    for line in found.lines():
        say(line)
    for notice in found.notices:
        tell(notice)


def to_values(found: Chart) -> dict[str, object]:
    """Return a chart as plain values: each change with its bar from 1, its beat in the bar, and the chord read."""
    return {
        "title": found.title,
        "meter": found.meter.name,
        "key": None if found.key is None else found.key.name,
        "tempo_bpm": found.tempo_bpm,
        "bars": len(found.bars),
        "sections": [{"bar": bar, "name": each.section} for bar, each in enumerate(found.bars, 1) if each.section],
        "changes": [
            {
                "bar": bar,
                "beat": change.beat,
                "text": change.text,
                "chord": None if change.symbol is None else change.symbol.chord.name,
                "bass": None if change.symbol is None else change.symbol.bass,
            }
            for bar, each in enumerate(found.bars, 1)
            for change in each.changes
        ],
        "notices": list(found.notices),
    }
