"""A folder of music as a corpus: MIDI and MusicXML, with meters, keys, chords and sections, and a report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from music21 import bar, harmony, key, meter, note, stream

from improviser.corpus.folder import load_folder, parse_file
from improviser.corpus.midi_file import read_midi
from improviser.corpus.piece import TICKS_PER_BEAT, Piece
from improviser.errors import CorpusError
from improviser.midi.message import NoteOff, NoteOn
from improviser.midi.smf import MetaEvent, MeterChange, Song, TimedEvent, Track, write_file
from improviser.midi.song import MetaKind, key_signature
from improviser.music.scale import parse_key
from tests.written import TICKS, to_song, to_track

PHRASE = "C5 E5 G5 E5 F5 D5 B4 G4 C5 E5 G5 C6 B5 G5 C5 C5"
BASS = "C3 C3 C3 C3 G2 G2 G2 G2 C3 C3 C3 C3 G2 G2 C3 C3"


def text(tick: int, kind: MetaKind, content: str) -> TimedEvent:
    """Return a text event."""
    return TimedEvent(tick, MetaEvent(kind, content.encode()))


def save(folder: Path, name: str, *tracks: Track, meters: tuple[MeterChange, ...] = ()) -> Path:
    """Write a song, and return its path."""
    folder.mkdir(exist_ok=True)
    write_file(folder / name, to_song(*tracks, meters=meters))
    return folder / name


def tune(times: int = 2) -> Track:
    """Return a tune of four bars a time."""
    return to_track(" ".join([PHRASE] * times), name="melody")


def only(path: Path) -> Piece:
    """Return the only piece of a folder."""
    (piece,) = load_folder(path, path.parent / "cache").pieces
    return piece


def test_parts_chords_sections_and_key_are_read(tmp_path: Path) -> None:
    """Markers that are chord symbols are chords, other markers and section texts name sections."""
    marks = (
        text(0, MetaKind.TEXT, "section: A1"),
        text(0, MetaKind.MARKER, "Cmaj7"),
        text(4 * TICKS, MetaKind.MARKER, "G7/B"),
        text(8 * TICKS, MetaKind.MARKER, "N.C."),
        text(16 * TICKS, MetaKind.MARKER, "Chorus"),
        TimedEvent(0, key_signature(parse_key("Am"))),
    )
    drums = to_track(PHRASE, channel=9, name="kit")
    save(tmp_path / "set", "one.mid", Track("title", marks), tune(), to_track(BASS, name="bass", channel=1), drums)
    piece = only(tmp_path / "set")
    assert ("set/one", "score", 9, "minor", (4, 4)) == (piece.name, piece.kind, piece.tonic, piece.mode, piece.meter)
    assert ("melody", "bass") == piece.parts
    assert [[0, 0, 5, 0], [96, 7, 4, 11], [192, -1, 0, -1]] == piece.chords.tolist()
    assert ((0, "A1"), (16 * TICKS_PER_BEAT, "Chorus")) == piece.sections
    assert [0, TICKS_PER_BEAT, 72] == piece.voices[0][0].tolist()


def test_a_key_without_signature_is_heard(tmp_path: Path) -> None:
    """C major is what files have by default, so the notes tell."""
    save(tmp_path / "set", "a.mid", to_track(" ".join(["A4 C5 E5 A5 G#5 E5 D5 E5"] * 4), name="melody"))
    piece = only(tmp_path / "set")
    assert (9, "minor") == (piece.tonic, piece.mode)


def test_a_change_of_meter_cuts_and_a_stretch_begins_on_a_downbeat(tmp_path: Path) -> None:
    """Each stretch of eight bars is a piece of the same family; a bar of odd length is left out."""
    meters = (MeterChange(0, 4, 4), MeterChange(32 * TICKS, 1, 4), MeterChange(33 * TICKS, 3, 4))
    save(tmp_path / "set", "a.mid", tune(4), meters=meters)
    found = load_folder(tmp_path / "set", tmp_path)
    assert [("set/a#1", (4, 4)), ("set/a#2", (3, 4))] == [(piece.name, piece.meter) for piece in found.pieces]
    assert 1 == len({(piece.family, piece.split) for piece in found.pieces})
    assert {"shorter than 8 bars of one meter and key": 1} == found.left_out


def test_copies_are_of_one_family(tmp_path: Path) -> None:
    """The same tune in another file and octave is on the same side of the split; another tune is not."""
    save(tmp_path / "set", "a.mid", tune())
    save(tmp_path / "set", "b.mid", to_track(" ".join([PHRASE.translate(str.maketrans("456", "345"))] * 3)))
    save(tmp_path / "set", "c.mid", to_track(" ".join(["C5 D5 C5 E5 D5 F5 E5 C5 G5 A5 F5 G5 E5 D5 C5 C5"] * 2)))
    families = {piece.name: piece.family for piece in load_folder(tmp_path / "set", tmp_path).pieces}
    assert families["set/a"] == families["set/b"] != families["set/c"]


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    """The report names each file with its fault, and the others are used."""
    folder = tmp_path / "set"
    save(folder, "good.mid", tune())
    save(folder, "short.mid", tune(1))
    (folder / "broken.mid").write_bytes(b"no music")
    save(folder, "drums.mid", to_track(PHRASE, channel=9))
    found = load_folder(folder, tmp_path)
    assert ["set/good"] == [piece.name for piece in found.pieces]
    assert 4 == found.files
    assert ["broken.mid", "drums.mid", "short.mid"] == sorted(Path(fault.split(":")[0]).name for fault in found.faults)
    again = load_folder(folder, tmp_path)
    assert (found.faults, found.left_out) == (again.faults, again.left_out)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """The cache serves only the files that it was made from."""
    folder = tmp_path / "set"
    save(folder, "a.mid", tune())
    assert 1 == len(load_folder(folder, tmp_path).pieces)
    save(folder, "b.mid", to_track(" ".join(["E5 D5 C5 D5 E5 E5 E5 C5"] * 4)))
    assert 2 == len(load_folder(folder, tmp_path).pieces)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_folder_without_music_is_an_error(tmp_path: Path, *, is_there: bool) -> None:
    """The error says what a file's name must end in."""
    with pytest.raises(CorpusError, match=r"no MIDI or MusicXML file|there is no folder"):
        load_folder(tmp_path if is_there else tmp_path / "none", tmp_path)


def test_a_key_that_is_struck_again_ends_the_note(tmp_path: Path) -> None:
    """A missing note-off does not lose the note."""
    events = [TimedEvent(tick * TICKS, NoteOn(0, 60, 80)) for tick in range(3)] + [
        TimedEvent(3 * TICKS, NoteOff(0, 60))
    ]
    write_file(tmp_path / "a.mid", Song(TICKS, (), (), (Track("melody", tuple(events)),)))
    (part,) = read_midi(tmp_path / "a.mid", "a").parts
    assert [[0, 24, 60], [24, 24, 60], [48, 24, 60]] == part.notes.tolist()


def test_musicxml_is_read(tmp_path: Path) -> None:
    """Notes, meter, key, chord symbols and repeats of a score are as music21 reads them."""
    make: Any = stream  # half of music21's methods have no types
    part = make.Part()
    part.partName = "Voice"
    for number in range(4):
        measure = make.Measure(number=number + 1)
        if not number:
            measure.append([meter.TimeSignature("3/4"), key.Key("g")])
        measure.append([note.Note(pitch) for pitch in ("G4", "B-4", "D5")])
        if not number:
            measure.insert(0, harmony.ChordSymbol("Gm"))
            measure.insert(2, harmony.ChordSymbol("D7"))
        part.append(measure)
    part.getElementsByClass(make.Measure)[0].leftBarline = bar.Repeat(direction="start")
    part.getElementsByClass(make.Measure)[-1].rightBarline = bar.Repeat(direction="end")
    make.Score([part]).write("musicxml", tmp_path / "a.musicxml")
    parsed = parse_file("set", tmp_path / "a.musicxml")
    assert [] == parsed.faults
    (draft,) = parsed.drafts
    assert (7, "minor", (3, 4)) == (draft.tonic, draft.mode, draft.meter)
    assert 24 == len(draft.voices[0])
    assert [0, 7, 1, 7] == draft.chords[0].tolist()
    assert [2 * TICKS_PER_BEAT, 2, 4, 2] == draft.chords[1].tolist()
