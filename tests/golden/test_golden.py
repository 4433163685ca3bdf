"""Golden sessions: whole pieces, compared message by message.

`pytest tests/golden --update-golden` accepts the present output; check the difference before committing it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from improviser.agent.policy import Actor
from improviser.engine import EngineSettings
from improviser.engine.role import COMPING
from improviser.midi.message import NoteOn
from improviser.midi.smf import Song, TimedEvent, Track, read_file, write_file
from improviser.offline import Wishes, render_song
from tests.actors import Indifferent, holder, pulse, random_policy
from tests.golden.make_inputs import SONGS
from tests.some import some_files

FOLDER: Final = Path(__file__).parent
CASES: Final = [path.parent.name for path in some_files(FOLDER, "*/session.toml")]
ACTORS: Final[dict[str, Callable[[], Actor]]] = {
    "holder": holder,
    "indifferent": Indifferent,
    "pulse": pulse,
    "random policy": random_policy,
    "random chords": partial(random_policy, role=COMPING),
}


def render(case: Path) -> Song:
    """Return what the case's actor plays to its input."""
    session = tomllib.loads((case / "session.toml").read_text("utf-8"))
    settings = EngineSettings(**session["engine"])
    rng = np.random.default_rng(session["seed"])
    song = read_file(case / "input.mid")
    return render_song(song, Wishes(), settings, ACTORS[session["actor"]](), rng)


def as_text(song: Song) -> list[str]:
    """Return a song as lines, one for each tempo, meter and message."""
    lines = [f"{song.ticks_per_beat} ticks a beat", *map(str, song.tempo_map), *map(str, song.meter_map)]
    for track in song.tracks:
        lines += [f"{track.name}: {event.tick} {event.message}" for event in track.events]
    return lines


@pytest.mark.parametrize("name", CASES)
def test_the_session_is_played_as_before(name: str, update_golden: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a fixture
    """The same input, settings, seed and actor give exactly the accepted messages."""
    rendered = render(FOLDER / name)
    expected = FOLDER / name / "expected.mid"
    if update_golden:
        write_file(expected, rendered)
    write_file(tmp_path / "out.mid", rendered)
    assert as_text(read_file(expected)) == as_text(read_file(tmp_path / "out.mid"))


@pytest.mark.parametrize("name", CASES)
def test_the_session_is_music(name: str) -> None:
    """The file holds both parts, the player's notes are unchanged, and enough is played to compare."""
    song, given = read_file(FOLDER / name / "expected.mid"), read_file(FOLDER / name / "input.mid")
    assert ["keys", "improviser"] == [track.name for track in song.tracks]
    assert _strikes(given.tracks[0]) == _strikes(song.tracks[0])
    assert (given.tempo_map, given.meter_map) == (song.tempo_map, song.meter_map)
    assert len(song.tracks[1].events) >= 20


def _strikes(track: Track) -> list[TimedEvent]:
    """Return the note-ons of a track."""
    return [event for event in track.events if isinstance(event.message, NoteOn)]


@pytest.mark.parametrize("name", CASES)
def test_the_input_is_what_its_script_makes(name: str) -> None:
    """Each input file holds the song that its script makes."""
    assert as_text(SONGS[name]()) == as_text(read_file(FOLDER / name / "input.mid"))
