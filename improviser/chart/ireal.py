"""Reads iReal charts: the links that iReal Pro shares, `irealb://...`, and the older `irealbook://...`.

A link holds title, composer, style, key and chords, separated by "=". In `irealb` links the chords are in blocks of
50 characters whose order is mixed. A chord's letters are spread over cells of a bar.

Source: the published description of the irealbook format (irealpro.com, "custom chord chart protocol"), and what
readers of `irealb` links, such as pyRealParser (MIT), document about the mixed blocks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from improviser.chart.bar_writer import NotatedBar
from improviser.chart.plain_text import make_chart
from improviser.errors import UsageError

if TYPE_CHECKING:
    from improviser.chart.chart import Chart

_LINK: Final = re.compile(r"(irealb(?:ook)?)://([^\n\"]+)")
_PREFIX: Final = "1r34LbKcu7"
_BLOCK: Final = 50
# Places of a block that are swapped with those as far from its end.
_SWAPPED: Final = (*range(5), *range(10, 24))
_METERS: Final = {"12": "12/8"}
_TOKEN: Final = re.compile(
    r"(?P<section>\*[A-Za-z])|(?P<meter>T\d\d)|(?P<ending>N\d)|(?P<text><[^>]*>)|(?P<alternate>\([^)]*\))"
    r"|(?P<line>[\[\]{}|Z])|(?P<same>x|r)|(?P<none>n)|(?P<hold>[pW](?:/[A-G][b#]?)?)"
    r"|(?P<chord>[A-G][b#]?[-+^oh0-9#b]*(?:alt|sus|add|M|m|u)?[-+^oh0-9#bsualtd]*(?:/[A-G][b#]?)?)|(?P<other>.)"
)
_TWICE, _BEATS = 2, 4
_TWO_BARS: Final = "r"


def is_ireal(text: str) -> bool:
    """Return whether a text holds an iReal link."""
    return _LINK.search(text) is not None


def read_ireal(text: str) -> Chart:
    """Return the first chart of the first iReal link in a text.

    Raises:
        UsageError: The link holds no chart.
    """
    match = _LINK.search(text)
    if match is None:
        raise UsageError("there is no iReal link; it begins with irealb:// or irealbook://")
    songs = [song for song in unquote(match[2]).split("===") if song.count("=") > 3]  # noqa: PLR2004 - its fields
    if not songs:
        raise UsageError("the iReal link holds no chart")
    notices = () if len(songs) == 1 else (f"the link holds {len(songs)} charts; the first one is read",)
    fields = [field for field in songs[0].split("=") if field]
    body = next((field for field in fields if _PREFIX in field), None)
    chords = fields[-1] if body is None else unmixed(body.partition(_PREFIX)[2])
    key = next((field for field in fields[2:] if re.fullmatch(r"[A-G][b#]?-?", field)), None)
    facts = {"title": fields[0]}
    if key is not None:
        facts["key"] = key.replace("-", "m")
    meter = re.search(r"T(\d\d)", chords)
    if meter is not None:
        facts["meter"] = _METERS.get(meter[1], f"{meter[1][0]}/{meter[1][1]}")
    return make_chart(facts, _bars(chords), notices)


def unmixed(text: str) -> str:
    """Return the chords of an `irealb` link in their order."""
    found = ""
    while len(text) > _BLOCK + 1:
        block, text = list(text[:_BLOCK]), text[_BLOCK:]
        for place in _SWAPPED:
            other = _BLOCK - 1 - place
            block[place], block[other] = block[other], block[place]
        found += "".join(block)
    return (found + text).replace("Kcl", "| x").replace("LZ", " |").replace("XyQ", "   ")


class _Cells:
    """The bars as they are collected."""

    def __init__(self) -> None:
        """Start with an empty bar."""
        self.bars: list[NotatedBar] = []
        self.words: list[str] = []
        self.section, self.opens, self.ending = "", False, 0

    def end_bar(self, *, closes: bool = False) -> None:
        """End a bar, if anything is in it."""
        if not self.words:
            if closes and self.bars:
                self.bars[-1].closes = _TWICE
            return
        ending = (self.ending,) if self.ending else ()
        bar = NotatedBar(_evenly(self.words), self.section, self.opens, _TWICE if closes else 0, ending)
        self.words, self.section, self.opens, self.ending = [], "", False, 0
        if bar.words == (_TWO_BARS,) and len(self.bars) > 1:
            self.bars += [NotatedBar(each.words) for each in self.bars[-2:]]
        else:
            self.bars.append(bar)


def _bars(chords: str) -> list[NotatedBar]:
    """Return the bars of a chart's chords."""
    cells = _Cells()
    for match in _TOKEN.finditer(chords):
        kind, text = match.lastgroup, match[0]
        if kind == "line":
            cells.end_bar(closes=text == "}")
            cells.opens = cells.opens or text == "{"
        elif kind == "section":
            cells.section = text[1:].upper()
        elif kind == "ending":
            cells.ending = int(text[1:])
        elif kind in {"chord", "same", "none", "hold"}:
            cells.words.append(_word(str(kind), text))
    cells.end_bar()
    return cells.bars


def _evenly(words: list[str]) -> tuple[str, ...]:
    """Return the words of a bar, which share it evenly, with holds for the beats that each lasts."""
    beats, rest = divmod(_BEATS, len(words))
    return (
        tuple(words)
        if rest or "/" not in words
        else tuple(each for word in words for each in (word, *["/"] * (beats - 1)))
    )


def _word(kind: str, text: str) -> str:
    """Return a cell's content as a word of a written bar."""
    if kind == "none":
        return "N.C."
    if kind == "hold":
        return "/"
    return text
