"""Reads the harmony of a MusicXML score: its chord symbols with their place in the bar, repeats and endings.

Source: MusicXML 4.0 (elements harmony, attributes, barline), by the W3C Music Notation Community Group.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from improviser.chart.bar_writer import NotatedBar
from improviser.chart.plain_text import make_chart
from improviser.errors import UsageError

if TYPE_CHECKING:
    from improviser.chart.chart import Chart

# What the kinds of MusicXML are in chord symbols.
_KINDS: Final = {
    "major": "",
    "minor": "m",
    "augmented": "aug",
    "diminished": "dim",
    "dominant": "7",
    "major-seventh": "maj7",
    "minor-seventh": "m7",
    "diminished-seventh": "dim7",
    "augmented-seventh": "7#5",
    "half-diminished": "m7b5",
    "major-minor": "mMaj7",
    "major-sixth": "6",
    "minor-sixth": "m6",
    "dominant-ninth": "9",
    "major-ninth": "maj9",
    "minor-ninth": "m9",
    "dominant-11th": "11",
    "major-11th": "maj11",
    "minor-11th": "m11",
    "dominant-13th": "13",
    "major-13th": "maj13",
    "minor-13th": "m13",
    "suspended-second": "sus2",
    "suspended-fourth": "sus4",
    "power": "5",
}
_ALTERS: Final = {-2: "bb", -1: "b", 0: "", 1: "#", 2: "##"}
_FIFTHS: Final = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#")
_MINORS: Final = ("Abm", "Ebm", "Bbm", "Fm", "Cm", "Gm", "Dm", "Am", "Em", "Bm", "F#m", "C#m", "G#m", "D#m", "A#m")
_TWICE: Final = 2
# Chords stand on this many places of a quarter note.
_PLACES: Final = 4
_LONGEST_BYTES: Final = 16 * 1024 * 1024


def read_musicxml(data: bytes) -> Chart:
    """Return the chart of a MusicXML file, compressed or not.

    Raises:
        UsageError: It is not MusicXML, or has no chord symbols.
    """
    try:
        root = ET.fromstring(_plain(data))  # noqa: S314 - Python's parser reads no external entities
    except (ET.ParseError, zipfile.BadZipFile, KeyError) as error:
        raise UsageError(f"this is not MusicXML: {error}") from error
    part = next((each for each in root.iter("part") if each.find(".//harmony") is not None), None)
    if part is None:
        raise UsageError("the score has no chord symbols")
    reader = _MeasureReader()
    for measure in part.iter("measure"):
        reader.read(measure)
    title = root.findtext(".//work-title") or root.findtext(".//movement-title")
    return make_chart(reader.facts | ({"title": title} if title else {}), reader.bars)


def _plain(data: bytes) -> bytes:
    """Return the score of a file; a compressed one names it in its container."""
    if not data.startswith(b"PK"):
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        container = ET.fromstring(archive.read("META-INF/container.xml"))  # noqa: S314 - as above
        path = next(each.get("full-path", "") for each in container.iter() if each.tag.endswith("rootfile"))
        if archive.getinfo(path).file_size > _LONGEST_BYTES:
            raise zipfile.BadZipFile("the score is too large")
        return archive.read(path)


class _MeasureReader:
    """Reads measures one after another."""

    def __init__(self) -> None:
        """Start in 4/4."""
        self.facts: dict[str, str] = {}
        self.bars: list[NotatedBar] = []
        self._divisions, self._bar_places = 1.0, 4 * _PLACES

    def read(self, measure: ET.Element) -> None:
        """Read a measure."""
        words: dict[int, str] = {}
        at, bar = 0.0, NotatedBar(())
        for element in measure:
            match element.tag:
                case "attributes":
                    self._attributes(element)
                case "sound" | "direction":
                    self._direction(element, bar)
                case "harmony":
                    offset = float(element.findtext("offset") or 0)
                    words[round((at + offset) / self._divisions * _PLACES)] = _symbol(element)
                case "barline":
                    _bar_line(element, bar)
                case _:
                    at += _length(element)
        bar.words = tuple(words.get(place, "/") for place in range(max(self._bar_places, max(words, default=0) + 1)))
        self.bars.append(bar)

    def _attributes(self, element: ET.Element) -> None:
        """Read divisions, key and meter."""
        self._divisions = float(element.findtext("divisions") or self._divisions)
        fifths = element.findtext("key/fifths")
        if fifths is not None and "key" not in self.facts:
            names = _MINORS if element.findtext("key/mode") == "minor" else _FIFTHS
            self.facts["key"] = names[int(fifths) + 7]
        beats, beat_type = element.findtext("time/beats"), element.findtext("time/beat-type")
        if beats is not None and beat_type is not None:
            self.facts.setdefault("meter", f"{beats}/{beat_type}")
            self._bar_places = int(beats) * 4 * _PLACES // int(beat_type)

    def _direction(self, element: ET.Element, bar: NotatedBar) -> None:
        """Read a tempo and a rehearsal mark."""
        sound = element if element.tag == "sound" else element.find("sound")
        if sound is not None and sound.get("tempo") is not None:
            self.facts.setdefault("tempo", str(sound.get("tempo")))
        bar.section = element.findtext(".//rehearsal") or bar.section


def _length(element: ET.Element) -> float:
    """Return how far a note, a rest or a move goes on in time, in divisions; 0 for all else."""
    if element.tag not in {"note", "forward", "backup"} or element.find("chord") is not None:
        return 0.0
    length = float(element.findtext("duration") or 0)
    return -length if element.tag == "backup" else length


def _bar_line(element: ET.Element, bar: NotatedBar) -> None:
    """Read repeats and endings of a bar line."""
    repeat, ending = element.find("repeat"), element.find("ending")
    if repeat is not None and repeat.get("direction") == "forward":
        bar.opens = True
    elif repeat is not None:
        bar.closes = int(repeat.get("times") or _TWICE)
    if ending is not None and ending.get("type") == "start":
        numbers = (ending.get("number") or "").replace(" ", "").split(",")
        bar.ending = tuple(int(number) for number in numbers if number.isdecimal())


def _symbol(harmony: ET.Element) -> str:
    """Return the chord symbol of a harmony element."""
    kind = harmony.findtext("kind") or "major"
    if kind == "none":
        return "N.C."
    root = _note(harmony, "root")
    bass = _note(harmony, "bass")
    return f"{root}{_KINDS.get(kind, '')}" + (f"/{bass}" if bass else "")


def _note(harmony: ET.Element, name: str) -> str:
    """Return the name of a root or a bass; empty if there is none."""
    step = harmony.findtext(f"{name}/{name}-step")
    if step is None:
        return ""
    return step + _ALTERS.get(round(float(harmony.findtext(f"{name}/{name}-alter") or 0)), "")
