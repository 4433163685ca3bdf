"""Reads a chart as people type it: `| Am7 | D7 | Gmaj7 | % |`.

Bars stand between `|`; the chords in one share it evenly, or each `/` or `.` holds the chord for a beat. `%` repeats
the bar before. `|: ... :|` repeats, `:|x3` three times; `1.` and `2.` after a bar line begin endings. A line `[A]` or
`Verse:` names the section that follows; `key: Em`, `meter: 3/4`, `tempo: 120` and `title: ...` say the rest. `#`
begins a comment. Without any `|` each chord is a bar.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from improviser.chart.bar_writer import HOLD, SAME, BarWriter, NotatedBar
from improviser.chart.chart import Chart
from improviser.errors import UsageError
from improviser.music.chord_symbol import is_chord
from improviser.music.meter import COMMON, parse_meter
from improviser.music.scale import parse_key

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER: Final = re.compile(r"^(title|key|meter|time|tempo|bpm)\s*[:=]\s*(.+)$", re.IGNORECASE)
_SECTION: Final = re.compile(r"^\[([^\]|]+)\]$|^([A-Za-z][\w' -]*\d*)\s*:$")
_INLINE_SECTION: Final = re.compile(r"^\[([^\]|]+)\](?=\s*\|)")
_BAR_LINE: Final = re.compile(r"(:\|:|:\|\|?(?:\s*x\s*\d+)?|\|\|?:|\|+\]?|\[\|)")
_TIMES: Final = re.compile(r"x\s*(\d+)")
_ENDING: Final = re.compile(r"^\s*\[?(\d)(?:\s*[,-]\s*(\d))*\.\s*")
_TWICE: Final = 2


def read_plain(text: str) -> Chart:
    """Return the chart that a text holds.

    Raises:
        UsageError: A header is wrong, or there is no chord.
    """
    facts: dict[str, str] = {}
    lines: list[str] = []
    for raw in text.splitlines():
        line = _without_comment(raw).strip()
        header = _HEADER.match(line)
        if header is not None:
            facts[header[1].lower()] = header[2].strip()
        elif line:
            lines.append(line)
    return make_chart(facts, list(written_bars(lines)))


def make_chart(facts: dict[str, str], written: list[NotatedBar], notices: tuple[str, ...] = ()) -> Chart:
    """Return the chart of some bars and of the texts that tell title, key, meter and tempo.

    Raises:
        UsageError: A text is wrong, or there is no chord.
    """
    meter = parse_meter(facts.get("meter") or facts.get("time") or COMMON.name)
    writer = BarWriter(meter, list(notices))
    bars = writer.played_out(written)
    if not any(bar.changes for bar in bars):
        raise UsageError(_NOTHING if not writer.notices else f"{_NOTHING}; {writer.notices[0]}")
    key, tempo = facts.get("key"), facts.get("tempo") or facts.get("bpm")
    return Chart(
        title=facts.get("title", ""),
        meter=meter,
        key=None if key is None else parse_key(key),
        tempo_bpm=None if tempo is None else _tempo(tempo),
        bars=bars,
        notices=tuple(dict.fromkeys(writer.notices)),
    )


_NOTHING: Final = "the chart has no chord. Write bars between bar lines, as in | Am7 | D7 | Gmaj7 | % |"


def written_bars(lines: list[str]) -> Iterator[NotatedBar]:
    """Yield the bars of some lines."""
    section, has_lines = "", any("|" in line for line in lines)
    for line in lines:
        named = _SECTION.match(line)
        if named is not None:
            section = (named[1] or named[2]).strip()
            continue
        inline = _INLINE_SECTION.match(line)
        section = section if inline is None else inline[1].strip()
        bars = line if inline is None else line[inline.end() :]
        found = list(_bars_of(bars) if has_lines else _one_bar_each(bars))
        for bar in found:
            if section and not bar.section:
                bar.section, section = section, ""
            yield bar


def _without_comment(line: str) -> str:
    """Return a line without what follows a `#` that begins a word; `F#` is no comment."""
    return re.sub(r"(^|\s)#(\s.*|$)", "", line)


def _one_bar_each(line: str) -> Iterator[NotatedBar]:
    """Yield a bar for each chord of a line without bar lines; a line of other words is none."""
    words = line.split()
    if all(word in HOLD | SAME or is_chord(word) for word in words):
        for word in words:
            yield NotatedBar((word,))


def _bars_of(line: str) -> Iterator[NotatedBar]:
    """Yield the bars of a line with bar lines."""
    opens = False
    held: NotatedBar | None = None
    for index, piece in enumerate(_BAR_LINE.split(line)):
        if index % 2:
            if held is not None and piece.startswith(":"):
                times = _TIMES.search(piece)
                held.closes = int(times[1]) if times is not None else _TWICE
            opens = opens or piece.endswith(":")
            continue
        ending = _ENDING.match(piece)
        words = tuple((piece[ending.end() :] if ending is not None else piece).split())
        if not words:
            continue
        if held is not None:
            yield held
        numbers = () if ending is None else tuple(int(number) for number in re.findall(r"\d", ending[0]))
        held, opens = NotatedBar(words, opens=opens, ending=numbers), False
    if held is not None:
        yield held


def _tempo(text: str) -> float:
    """Return the tempo that a text names; raise UsageError if it names none."""
    match = re.match(r"^\s*(\d+(?:\.\d+)?)", text)
    if match is None:
        raise UsageError(f"'{text}' is not a tempo. Write quarter notes a minute, as in tempo: 120")
    return float(match[1])
