"""Chord charts: plain text, ChordPro, iReal and MusicXML, with repeats played out."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from music21 import note, stream
from music21.harmony import ChordSymbol
from music21.meter import TimeSignature
from music21.musicxml.m21ToXml import GeneralObjectExporter

from improviser.chart import Chart, read_chart
from improviser.chart.chart import ChartBar, ChordChange
from improviser.chart.chordpro import A_BAR_EACH, read_chordpro
from improviser.chart.ireal import read_ireal, unmixed
from improviser.chart.musicxml import read_musicxml
from improviser.chart.plain_text import read_plain
from improviser.errors import UsageError
from improviser.music.chord_symbol import parse_chord
from improviser.music.meter import Meter

NO_CHORD = "the chart has no chord"


def chords(chart: Chart) -> list[str]:
    """Return each bar as text: its chords as read, with their beats where they do not begin the bar."""
    return [" ".join(map(told, bar.changes)) for bar in chart.bars]


def told(change: ChordChange) -> str:
    """Return a change as text."""
    name = "N.C." if change.symbol is None else change.symbol.chord.name
    return f"{name}@{change.beat:g}" if change.beat else name


@pytest.mark.parametrize(
    ("text", "bars"),
    [
        ("| Am7 | D7 | Gmaj7 | % |", ["Am7", "D7", "Gmaj7", "Gmaj7"]),
        ("Am7 | D7", ["Am7", "D7"]),
        ("C F G7 %", ["C", "F", "G7", "G7"]),
        ("| C F | C F G | C . . F |", ["C F@2", "C F@1.33333 G@2.66667", "C F@3"]),
        ("| C / G | N.C. | - |", ["C G@2", "N.C.", ""]),
        ("|: C | F :| G |", ["C", "F", "C", "F", "G"]),
        ("|: C :|x3 G |", ["C", "C", "C", "G"]),
        ("| C | F :| G |", ["C", "F", "C", "F", "G"]),
        ("|: C |1. F :|2. G | Am |", ["C", "F", "C", "G", "Am"]),
        ("|: C |1. F :|2. G :|3. Am |", ["C", "F", "C", "G", "C", "Am"]),
        ("|: C |1. F :|2. G |\n[B]\n| Am | Dm :|", ["C", "F", "C", "G", "Am", "Dm", "Am", "Dm"]),
        ("|: C :|: F :|", ["C", "C", "F", "F"]),
        ("| C | D/F# | # the end\n# | F |\n| G |", ["C", "D", "G"]),
    ],
)
def test_plain_text_is_read(text: str, bars: list[str]) -> None:
    """Bars, holds, repeats, endings and comments are read as people write them."""
    assert bars == chords(read_plain(text))


def test_headers_and_sections_are_read() -> None:
    """Title, key, meter and tempo are lines of their own; a section names the bar that it begins, once."""
    chart = read_plain("Title: Leaves\nkey: Em\nmeter = 3/4\nTempo: 120 bpm\n[A]\n|: Em :|\nBridge:\n| Am |\n[C] | D |")
    assert ("Leaves", "Em", "3/4", 120.0) == (
        chart.title,
        chart.key and chart.key.name,
        chart.meter.name,
        chart.tempo_bpm,
    )
    assert ["A", "", "Bridge", "C"] == [bar.section for bar in chart.bars]
    assert ["[A]", "  1  | Em | Em |", "[Bridge]", "  3  | Am |", "[C]", "  4  | D |"] == chart.lines()


def score(meter: str, chords: dict[float, str]) -> Chart:
    """Return the chart of a bar of eighths as music21 writes it, with major triads at some quarters."""
    make: Any = stream  # half of music21's methods have no types
    measure, signature = make.Measure(number=1), TimeSignature(meter)
    measure.append(signature)
    measure.append([note.Note("C4", quarterLength=0.5) for _ in range(int(signature.barDuration.quarterLength * 2))])
    for quarter, symbol in chords.items():
        measure.insert(quarter, ChordSymbol(symbol))
    return read_musicxml(GeneralObjectExporter(make.Score([make.Part([measure])])).parse())


@pytest.mark.parametrize(
    ("meter", "chords", "line"),
    [
        ("6/8", {0.0: "C", 1.5: "G"}, "C G"),
        ("2/2", {0.0: "C", 1.0: "F", 3.0: "G"}, "C F / G"),
        ("3/4", {0.0: "D", 2.5: "G"}, "D / / / / G"),
        ("4/4", {0.0: "C", 3.5: "G"}, "C / / / / / / G"),
    ],
)
def test_a_chord_between_the_beats_keeps_its_place(meter: str, chords: dict[float, str], line: str) -> None:
    """In every meter a chord stands where music21 wrote it, and the chart's own text reads the same."""
    chart = score(meter, chords)
    assert list(chords) == [change.beat for change in chart.bars[0].changes]
    assert [f"  1  | {line} |"] == chart.lines()
    assert chart.bars == read_plain(f"meter: {meter}\n| {line} |").bars


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", NO_CHORD),
        ("Some words about a song", NO_CHORD),
        ("| H7 | X |", "'H7' is not a chord"),
        ("key: H\n| C |", "'H' is not a key"),
        ("meter: 4/5\n| C |", "'4/5' is not a supported meter"),
        ("tempo: fast\n| C |", "'fast' is not a tempo"),
    ],
)
def test_what_is_no_chart_is_refused(text: str, reason: str) -> None:
    """The error says what is wrong and how a chart is written."""
    with pytest.raises(UsageError, match=reason):
        read_plain(text)


def test_an_unknown_word_is_noticed_and_the_rest_is_read() -> None:
    """One wrong symbol does not lose the chart."""
    chart = read_plain("| C | Xyz | G |")
    assert ["C", "", "G"] == chords(chart)
    assert ["'Xyz' is not a chord"] == [notice.partition(". ")[0] for notice in chart.notices]


@given(st.text(alphabet="CAm7|:% /.1x2[]\n#b-", max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes the reader fail in another way, or go on for ever."""
    for read in (read_plain, read_chordpro):
        with suppress(UsageError):
            read(text)


def test_chordpro_is_read() -> None:
    """Chords among words last a bar, a named chorus is played again, and a grid has bars; tabs are left out."""
    text = """{title: Song}
{time: 3/4}
{key: G}
{start_of_verse}
[G]Hello [D7]world
{end_of_verse}
{soc}
[C]La la [G/B]la
{eoc}
{sot}
e|---3---|
{eot}
{chorus}
{start_of_grid}
|| Am . . | C . F ||
{end_of_grid}
"""
    chart = read_chordpro(text)
    assert ["G", "D7", "C", "G", "C", "G", "Am", "C F@2"] == chords(chart)
    assert ("Song", "3/4", (A_BAR_EACH,)) == (chart.title, chart.meter.name, chart.notices)
    assert ["Verse", "", "Chorus", "", "Chorus", "", "", ""] == [bar.section for bar in chart.bars]


IREAL = "{*AT44D-7 |G7 |C^7 |A7b9 }[*BF^7 F-7 |E-7 pA7 |x |D-7/C  G7sus Z"
READ = ["Dm7", "G7", "Cmaj7", "A7"] * 2 + ["Fmaj7 Fm7@2", "Em7 A7@2", "Em7 A7@2", "Dm7 Gsus4@2"]


def mixed(text: str) -> str:
    """Return chords as an irealb link has them: swapping twice is no swap."""
    padded = text + " " * 60
    return unmixed(padded)


@pytest.mark.parametrize(
    "link",
    [
        f"irealbook://Tune=Writer=Swing=C=n={IREAL}",
        "irealb://" + quote(f"Tune=Writer==Swing=C==1r34LbKcu7{mixed(IREAL)}==0=0"),
        '<a href="irealb://' + quote(f"Tune=Writer==Swing=C==1r34LbKcu7{mixed(IREAL)}==0=0") + '">Tune</a>',
    ],
)
def test_ireal_links_are_read(link: str) -> None:
    """Both kinds of link, also within a page: sections, meter, repeats, bars that repeat, and slashes."""
    chart = read_ireal(link)
    assert READ == chords(chart)
    assert ("Tune", "4/4", "C") == (chart.title, chart.meter.name, chart.key and chart.key.name)
    assert {"A", "B", ""} == {bar.section for bar in chart.bars}


def test_the_first_of_several_ireal_charts_is_read() -> None:
    """The notice says how many there are."""
    one = f"Tune=Writer=Swing=C=n={IREAL}"
    assert "the link holds 2 charts" in read_ireal(f"irealbook://{one}==={one}").notices[0]


SCORE = """<score-partwise><work><work-title>Tune</work-title></work><part-list/><part id="P1">
<measure number="1"><attributes><divisions>2</divisions><key><fifths>1</fifths><mode>minor</mode></key>
<time><beats>4</beats><beat-type>4</beat-type></time></attributes><sound tempo="96"/>
<direction><direction-type><rehearsal>A</rehearsal></direction-type></direction>
<barline><repeat direction="forward"/></barline>
<harmony><root><root-step>E</root-step></root><kind>minor-seventh</kind></harmony><note><duration>4</duration></note>
<harmony><root><root-step>A</root-step></root><kind>dominant</kind><bass><bass-step>C</bass-step>
<bass-alter>1</bass-alter></bass></harmony><note><duration>4</duration></note></measure>
<measure number="2"><barline><ending number="1" type="start"/></barline>
<harmony><root><root-step>B</root-step><root-alter>-1</root-alter></root><kind>half-diminished</kind></harmony>
<note><duration>8</duration></note><barline><repeat direction="backward"/></barline></measure>
<measure number="3"><barline><ending number="2" type="start"/></barline><harmony><kind>none</kind></harmony>
<note><duration>8</duration></note></measure></part></score-partwise>"""


def test_musicxml_is_read() -> None:
    """Chord symbols have their place in the bar, with basses, repeats and endings; compressed files are read too."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("META-INF/container.xml", '<c><rootfiles><rootfile full-path="a.xml"/></rootfiles></c>')
        archive.writestr("a.xml", SCORE)
    for data in (SCORE.encode(), buffer.getvalue()):
        chart = read_musicxml(data)
        assert ["Em7 A7@2", "Bbm7b5", "Em7 A7@2", "N.C."] == chords(chart)
        assert ("Tune", "Em", 96.0) == (chart.title, chart.key and chart.key.name, chart.tempo_bpm)
        assert "A" == chart.bars[0].section
    bass = chart.bars[0].changes[1].symbol
    assert bass is not None
    assert 1 == bass.bass


@pytest.mark.parametrize("data", [b"", b"PK", b"<a>", b"<score-partwise/>"])
def test_what_is_no_musicxml_is_refused(data: bytes) -> None:
    """A broken file and a score without chord symbols are errors that say so."""
    with pytest.raises(UsageError, match=r"not MusicXML|no chord symbols"):
        read_musicxml(data)


@pytest.mark.parametrize(
    ("name", "content", "first"),
    [
        ("a.txt", "| C | F |", "C"),
        ("a.cho", "[D]la", "D"),
        ("a.txt", "{title: x}\n[E]la", "E"),
        ("a.musicxml", SCORE, "Em7 A7@2"),
        ("a.html", f"irealbook://Tune=Writer=Swing=C=n={IREAL}", "Dm7"),
    ],
)
def test_the_kind_of_a_file_is_found(tmp_path: Path, name: str, content: str, first: str) -> None:
    """By its name or its content."""
    (tmp_path / name).write_text(content, "utf-8")
    assert first == chords(read_chart(tmp_path / name))[0]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The error begins with the path."""
    with pytest.raises(UsageError, match=r"none.txt: cannot be read"):
        read_chart(tmp_path / "none.txt")


def test_each_eighth_has_its_chord() -> None:
    """A chord lasts until the next, N.C. is no chord, and a change within an eighth counts in all of it."""
    chart = read_plain("meter: 3/4\n| C | % | N.C. | F G Am |")
    c, f, g, am = (parse_chord(text) for text in ("C", "F", "G", "Am"))
    assert c is not None
    assert f is not None
    assert g is not None
    assert am is not None
    expected = [c.chord.index] * 12 + [-1] * 6
    expected += [index for symbol in (f, g, am) for index in [symbol.chord.index] * 2]
    assert expected == list(chart.eighths())
    change = ChordChange(0.75, g, "G")
    bar = ChartBar((ChordChange(0.0, f, "F"), change))
    within = Chart("", Meter(2, 4), None, None, (bar,))
    assert [f.chord.index, g.chord.index, g.chord.index, g.chord.index] == list(within.eighths())


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("| Am7 | D7 | Gmaj7 | Gmaj7 |", "G"),
        ("| C | F | C | G7 | C |", "C"),
        ("| Em | Am | B7 | Em |", "Em"),
        ("key: Bb\n| Am7 | D7 | Gmaj7 |", "Bb"),
        ("| N.C. |", "C"),
    ],
)
def test_the_key_is_named_or_told_from_the_chords(text: str, key: str) -> None:
    """A named key stands; else the chords, and most the first and the last root, tell it."""
    assert key == read_plain(text).likely_key().name
