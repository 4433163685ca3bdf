"""Figures of feel and swing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from improviser.engine import Engine, EngineSettings
from improviser.evaluation.in_time import feel_figures as figures
from improviser.evaluation.in_time.swing_figures import generated_swing, pair_swing, solo_swing
from improviser.midi.message import NoteOff, NoteOn
from improviser.midi.smf import write_file
from improviser.midi.song import Song, TimedEvent, Track
from tests.actors import Indifferent

TICKS = 480


def track(name: str, notes: list[tuple[float, float, int]]) -> Track:
    """Return a track of notes: beat, length in beats, velocity."""
    events = []
    for index, (beat, length, velocity) in enumerate(notes):
        pitch = 60 + index % 7
        events.append(TimedEvent(round(beat * TICKS), NoteOn(0, pitch, velocity)))
        events.append(TimedEvent(round((beat + length) * TICKS), NoteOff(0, pitch)))
    return Track(name, tuple(sorted(events, key=lambda event: event.tick)))


def test_a_part_is_measured() -> None:
    """Chords count once, two lengths of equal share are one bit, and lengths up to the next onset are ties."""
    notes = [(beat + 0.5 * (beat % 2), 0.25 if beat % 2 else 1.5, 60 + 40 * (beat % 2)) for beat in range(40)]
    found = figures.part_figures([*notes, (40.0, 1.0, 80)])
    assert {"velocity spread": pytest.approx(20.0, abs=0.5), "length entropy": 1.0, "tied": 0.5} == found
    chord = [(0.0, 1.0, 80), (0.01, 1.0, 80), (1.0, 1.0, 80)]
    assert 0.0 == figures.part_figures(chord)["length entropy"]


def test_parts_are_compared_with_the_partner(tmp_path: Path) -> None:
    """Each corpus that is there has rows for player, partner and improviser, and ratios to the partner."""
    rng = np.random.default_rng(0)
    (tmp_path / "pop909").mkdir()
    melody = [(beat / 2, 0.25, int(rng.integers(60, 100))) for beat in range(180)]
    piano = [(beat / 2, 0.4, int(rng.integers(50, 90))) for beat in range(180)]
    write_file(tmp_path / "pop909" / "a.mid", Song(TICKS, (), (), (track("MELODY", melody), track("PIANO", piano))))
    write_file(tmp_path / "pop909" / "b.mid", Song(TICKS, (), (), (track("MELODY", melody),)))
    subject = figures.Subject(EngineSettings(key="C", temperature=1.0), Indifferent())
    done: list[int] = []
    found = figures.partner_figures(tmp_path, subject, 2, done.append)
    assert (["pop909"], [1, 2]) == (list(found), done)
    rows = found["pop909"]
    assert rows["feel 0"]["tied"] > rows["feel 1"]["tied"]
    assert rows["feel 1"]["velocity spread"] > rows["feel 0"]["velocity spread"]
    ratio = rows["feel 1"]["velocity spread"] / rows["partner"]["velocity spread"]
    assert ratio == rows["feel 1 / partner"]["velocity spread"]


def test_the_players_pocket_is_found_and_played() -> None:
    """Our offsets by place follow those of generated players."""
    subject = figures.Subject(EngineSettings(key="C", temperature=1.0), Indifferent())
    found = figures.pocket_figures(subject, 1)
    assert 1.0 == found["players"]
    assert found["correlation"] > 0.7


def test_without_offsets_there_is_no_correlation() -> None:
    """A part without notes has the correlation 0."""
    engine = Engine(EngineSettings(), Indifferent(), np.random.default_rng(0))
    assert 0.0 == figures._correlation(engine, EngineSettings(), [], np.zeros(16))  # noqa: SLF001 - the empty case


def test_generated_players_swing_is_heard() -> None:
    """Straight players are found straight, and all swings within .03 in most cases."""
    found = generated_swing(0)
    straight = [row for name, row in found.items() if "swing 0.5 " in name]
    assert len(straight) == 2
    assert all(row["median error"] == 0.0 for row in straight)
    assert all(row["median error"] <= 0.03 for row in found.values())


def test_solos_are_heard_as_they_are_played(tmp_path: Path) -> None:
    """The truth is the median of the eighth pairs; solos without enough pairs, and empty folders, are left out."""
    onsets = [beat + place for beat in range(60) for place in (0.0, 0.62)]
    assert 0.62 == pytest.approx(pair_swing(onsets))
    assert pair_swing(onsets[:20]) is None
    assert {} == solo_swing(tmp_path)
    write_file(tmp_path / "a.mid", Song(TICKS, (), (), (track("solo", [(at, 0.2, 80) for at in onsets]),)))
    write_file(tmp_path / "b.mid", Song(TICKS, (), (), (track("solo", [(at, 0.2, 80) for at in onsets[:20]]),)))
    found = solo_swing(tmp_path)["solos"]
    assert (1.0, 1.0) == (found["players"], found["share within .03"])
