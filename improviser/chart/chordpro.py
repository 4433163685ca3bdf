"""Reads ChordPro: chords in brackets among the words, directives in braces, and grids of bars.

Words do not say how long a chord lasts. So a chord among words lasts a bar, which the chart's notices say; chords in a
grid, or between bar lines, last as long as written. A chorus that is only named again is played again.

Source: the ChordPro file format, version 6 (directives, environments, grids).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from improviser.chart.bar_writer import NotatedBar
from improviser.chart.plain_text import make_chart, written_bars

if TYPE_CHECKING:
    from improviser.chart.chart import Chart

_DIRECTIVE: Final = re.compile(r"^\{\s*([a-z_]+)(?:-\w+)?\s*(?:[:\s]\s*(.*?))?\s*\}$", re.IGNORECASE)
_CHORD: Final = re.compile(r"\[([^\]*][^\]]*)\]")
_FACTS: Final = {"title": "title", "t": "title", "key": "key", "time": "meter", "tempo": "tempo"}
_BEGINS: Final = re.compile(r"^(?:start_of_|so)(chorus|verse|bridge|grid|tab|c|v|b|g|t)$")
_ENDS: Final = re.compile(r"^(?:end_of_|eo)")
_NAMES: Final = {"c": "chorus", "v": "verse", "b": "bridge", "g": "grid", "t": "tab"}
A_BAR_EACH: Final = "chords among words: each lasts a bar. Use a grid ({start_of_grid}) or bar lines for other lengths"


def read_chordpro(text: str) -> Chart:
    """Return the chart that a ChordPro text holds.

    Raises:
        UsageError: A directive's value is wrong, or there is no chord.
    """
    reader = _Reader()
    for raw in text.splitlines():
        reader.read(raw.strip())
    return make_chart(reader.facts, reader.bars, (A_BAR_EACH,) if reader.has_words else ())


class _Reader:
    """Collects facts and bars, a line at a time."""

    def __init__(self) -> None:
        """Start outside of any environment."""
        self.facts: dict[str, str] = {}
        self.bars: list[NotatedBar] = []
        self.has_words = False
        self._environment = ""
        self._section = ""
        self._chorus: list[NotatedBar] = []

    def read(self, line: str) -> None:
        """Read a line."""
        directive = _DIRECTIVE.match(line)
        if line.startswith("#") or not line or (self._environment == "tab" and directive is None):
            return
        if directive is not None:
            self._obey(directive[1].lower(), directive[2] or "")
            return
        if self._environment == "grid" or "|" in _CHORD.sub("", line):
            found = list(written_bars([re.sub(r"[\[\]]", " ", line) if "[" in line else line]))
        else:
            found = [NotatedBar((chord.strip(),)) for chord in _CHORD.findall(line)]
            self.has_words = self.has_words or bool(found)
        self._add(found)

    def _add(self, found: list[NotatedBar]) -> None:
        """Add bars, the first with the section's name."""
        if found and self._section:
            found[0] = replace(found[0], section=self._section)
            self._section = ""
        self.bars += found
        if self._environment == "chorus":
            self._chorus += found

    def _obey(self, name: str, value: str) -> None:
        """Carry out a directive."""
        begins = _BEGINS.match(name)
        if name in _FACTS:
            self.facts[_FACTS[name]] = value
        elif name == "chorus":
            self.bars += [replace(bar, section=bar.section or "") for bar in self._chorus]
        elif begins is not None:
            self._environment = _NAMES.get(begins[1], begins[1])
            self._section = value.removeprefix('label="').removesuffix('"') or self._title()
            if self._environment == "chorus":
                self._chorus = []
        elif _ENDS.match(name):
            self._environment = ""

    def _title(self) -> str:
        """Return the environment's name as a section, if it is one."""
        return "" if self._environment in {"grid", "tab"} else self._environment.capitalize()
