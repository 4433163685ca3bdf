"""How other programs read a rendered file: MuseScore, where it is installed, music21 and mido."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import mido
import music21.converter
import music21.stream
import numpy as np
import pytest

from improviser.engine import EngineSettings
from improviser.midi.smf import MetaEvent, MeterChange, Song, TimedEvent, Track, write_file
from improviser.midi.song import key_signature
from improviser.music.meter import Meter
from improviser.music.scale import parse_key
from improviser.offline import Wishes, render_song
from tests.actors import pulse
from tests.programs import needed
from tests.written import TICKS, TUNE, to_song, to_track

MUSESCORE: Final = ("mscore3", "musescore3", "mscore", "musescore")
LYRIC: Final = 0x05
IN_G: Final = EngineSettings(key="G", temperature=0.0, patience_bars=1)


def song(*meters: tuple[int, int, int]) -> Song:
    """Return a flute's tune with a key signature and a lyric, in meters."""
    flute = to_track(f"{TUNE} {TUNE}", name="flute")
    lyric = TimedEvent(0, MetaEvent(LYRIC, b"la"))
    title = Track("A tune", (TimedEvent(0, key_signature(parse_key("G"))),))
    tracks = replace(flute, events=(lyric, *flute.events))
    return replace(to_song(tracks, meters=[MeterChange(*each) for each in meters]), conductor=title)


def rendered(path: Path, player: Song, wishes: Wishes | None = None) -> Path:
    """Write a song with the improviser."""
    write_file(path, render_song(player, wishes or Wishes(), IN_G, pulse(), np.random.default_rng(0)))
    return path


# The meters of a song, the render options, and the lengths of its first bars in quarters.
BARS: Final = {
    "3/2": (song((0, 3, 2)), Wishes(), [6, 6, 6]),
    "one bar of 2/4": (
        song((0, 4, 4), (4 * TICKS, 2, 4), (6 * TICKS, 4, 4)),
        Wishes(),
        [4, 2, 4, 4],
    ),
    "a pickup that is told": (song((0, 4, 4)), Wishes(pickup=1.0), [1, 4, 4]),
    "a meter that is told": (song((0, 4, 4)), Wishes(meter=Meter(3, 4)), [3, 3, 3]),
}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", BARS)
def test_musescore_has_the_bars(tmp_path: Path, name: str) -> None:
    """MuseScore reads both parts by their names, and bars as long as the time signatures say."""
    player, wishes, expected = BARS[name]
    rendered(tmp_path / "duet.mid", player, wishes)
    quiet = {"QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    command = [
        needed("musescore3", *MUSESCORE),
        "-o",
        str(tmp_path / "duet.musicxml"),
        str(tmp_path / "duet.mid"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=100, env={**os.environ, **quiet})
    score = ET.parse(tmp_path / "duet.musicxml").getroot()  # noqa: S314 - MuseScore wrote it
    names = " ".join(each.text or "" for each in score.iter("part-name"))
    assert ("flute" in names.lower(), "improviser" in names) == (True, True)
    for part in score.findall("part"):
        assert expected == [_quarters(part, number) for number in range(len(expected))]


def _quarters(part: ET.Element, number: int) -> float:
    """Return the length of the notes of the first voice in a bar of a part, in quarters."""
    divisions = int(next(part.iter("divisions")).text or "")
    notes = [note for note in part.findall("measure")[number].findall("note") if note.find("chord") is None]
    first = [note for note in notes if (note.findtext("voice") or "1") == notes[0].findtext("voice")]
    return sum(int(note.findtext("duration") or "0") for note in first) / divisions


@pytest.mark.parametrize("name", BARS)
def test_music21_has_the_bars(tmp_path: Path, name: str) -> None:
    """music21 reads the same bars and the key."""
    player, wishes, expected = BARS[name]
    score = music21.converter.parse(rendered(tmp_path / "duet.mid", player, wishes), forceSource=True)
    assert isinstance(score, music21.stream.Score)
    part = score.parts[0]
    bars = list(part.getElementsByClass(music21.stream.Measure))[: len(expected)]
    assert expected == [bar.barDuration.quarterLength for bar in bars]
    assert 1 == part.recurse().getElementsByClass("KeySignature")[0].sharps


def test_mido_has_all_that_was_kept(tmp_path: Path) -> None:
    """mido, a reader of other authors, finds title, key, lyric and names in their places."""
    file = mido.MidiFile(rendered(tmp_path / "duet.mid", song((0, 4, 4))))
    assert ["A tune", "flute", "improviser"] == [track.name for track in file.tracks]
    assert ["G"] == [each.key for each in file.tracks[0] if each.type == "key_signature"]
    assert ["la"] == [each.text for each in file.tracks[1] if each.type == "lyrics"]
