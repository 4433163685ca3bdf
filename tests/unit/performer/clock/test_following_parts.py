"""The parts of the follower: agreement, bars, fermata, reading and pursuit."""

from __future__ import annotations

import pytest

from improviser.listening.beat_tracker import BeatView
from improviser.music.meter import COMMON, SIX, THREE, TWO, Meter
from improviser.performer.clock.agreement import Agreement
from improviser.performer.clock.bar_finder import BarFinder, FoundBar
from improviser.performer.clock.beat_reading import read_beat
from improviser.performer.clock.fermata import Fermata
from improviser.performer.clock.tempo_pursuit import BEND_MAX, TempoPursuit
from tests.actors import holder
from tests.sessions import make_engine


def view(beat: float, tempo_bpm: float = 100.0, meter: Meter = COMMON) -> BeatView:
    """Return a tracker's view at a beat of bars that begin on beat 1."""
    size = round(meter.bar_beats / meter.felt_beats)
    return BeatView(0.0, beat, 1, tempo_bpm, 0.8, meter, (int(beat) - 1) % size)


def agreement(lates_s: list[float]) -> Agreement:
    """Return an agreement after one onset a beat, each late by some seconds, at 120 bpm and notes 20 ms after steps."""
    engine = make_engine(holder(), key="C", tempo_bpm=120.0, collect_s=0.02)
    engine.start(0.0, 0.0)
    assert engine.due_lag_s == pytest.approx(0.02)
    heard = Agreement()
    for beat, late_s in enumerate(lates_s):
        heard.add_onset(engine, beat * 0.5 + late_s, 0.5)
    return heard


@pytest.mark.parametrize(
    ("lates_s", "is_together"),
    [
        ([0.0] * 12, True),
        ([0.03] * 12, True),
        ([-0.01] * 12, True),
        ([0.0] * 8, False),
        ([0.06] * 12, False),
        ([-0.03] * 12, False),
        ([0.0] * 10 + [0.06] * 2, False),
        ([0.06, 0.06, *[0.0] * 10], True),
        ([0.125] * 12, True),
    ],
)
def test_notes_on_our_grid_are_explained(lates_s: list[float], *, is_together: bool) -> None:
    """Notes as late as ours or a little early agree, if nearly all do and one of the last two."""
    assert is_together == agreement(lates_s).is_together


def test_bars_change_when_they_are_heard_for_long() -> None:
    """Another bar line counts after eight beats and two bars, the next one only after four bars."""
    finder = BarFinder()
    now = FoundBar(0.0, COMMON)
    found = [finder.bar_after(view(beat + 0.1), beat + 0.1, 1.0, now) for beat in range(1, 30)]
    at = [place for place, bar in enumerate(found) if bar is not None]
    assert at[:2] == [7, 23]
    assert found[7] is not None
    assert 9.0 == pytest.approx(found[7].beat)
    assert COMMON == found[7].meter


def test_the_same_bars_are_no_news() -> None:
    """Bars that are ours, or bars of two beats within ours, change nothing."""
    for meter, first in ((COMMON, 1.0), (TWO, 1.0)):
        finder = BarFinder()
        assert not any(
            finder.bar_after(view(beat, meter=meter), float(beat), 1.0, FoundBar(first, COMMON))
            for beat in range(1, 40)
        )


def test_a_known_meter_stays() -> None:
    """If the meter is known, bars of another one are not counted."""
    finder = BarFinder(COMMON)
    assert not any(
        finder.bar_after(view(beat, meter=THREE), float(beat), 1.0, FoundBar(0.0, COMMON)) for beat in range(1, 40)
    )
    finder = BarFinder()
    found = [
        finder.bar_after(view(beat, meter=THREE), float(beat), 1.0, FoundBar(0.0, COMMON)) for beat in range(1, 20)
    ]
    assert THREE in {bar.meter for bar in found if bar is not None}


@pytest.mark.parametrize(
    ("heard_bpm", "expected_bpm", "gap_s", "tempo_bpm"),
    [
        (100.0, 112.0, 0.6, 100.0),
        (60.0, 112.0, 0.5, 120.0),  # eighths at 60 are quarters at 120
        (60.0, 90.0, 1.0, 60.0),  # nothing between the beats
        (60.0, 90.0, None, 60.0),
        (50.0, 100.0, 1.2, 100.0),  # half of our own tempo is our own tempo
        (200.0, 100.0, 0.3, 100.0),
        (150.0, 100.0, 0.2, 150.0),
        (230.0, 100.0, 0.2, 115.0),
    ],
)
def test_twice_and_half_the_tempo_are_read_as_is_likely(
    heard_bpm: float, expected_bpm: float, gap_s: float | None, tempo_bpm: float
) -> None:
    """A tempo that can be read twice is read as the one that is nearer to what is expected."""
    assert read_beat(view(0.0, heard_bpm), 0.0, (expected_bpm, expected_bpm), gap_s).tempo_bpm == pytest.approx(
        tempo_bpm
    )


def test_a_beat_of_six_eights_is_a_dotted_quarter() -> None:
    """In 6/8 a heard beat is one and a half quarter notes."""
    reading = read_beat(view(3.0, 80.0, SIX), 4.4, (120.0, 120.0), 0.2)
    assert (120.0, 1.5) == (reading.tempo_bpm, reading.unit)
    assert pytest.approx(0.1) == reading.late_beats


def lively(gap_s: float, count: int = 30) -> Fermata:
    """Return what is known after notes in a distance, the last of which begins at second 0."""
    fermata = Fermata()
    for place in range(count, -1, -1):
        fermata.add_onset(-place * gap_s)
    return fermata


def test_a_note_held_too_long_is_a_fermata() -> None:
    """After many short notes, more than two beats are a fermata; for four seconds at most."""
    fermata = lively(0.5)
    assert [False, True, True, False] == [fermata.is_on(at_s, 0.5, 2.0) for at_s in (1.1, 1.3, 5.0, 5.3)]


def test_a_long_rest_is_forgotten() -> None:
    """A rest of half a minute says nothing about how long notes are held."""
    fermata = lively(0.5)
    fermata.add_onset(30.0)
    assert [False, True] == [fermata.is_on(at_s, 0.5, 2.0) for at_s in (31.1, 31.3)]


def test_a_bar_is_no_fermata() -> None:
    """Unless all notes were short, a fermata is longer than a bar, and longer than the longest note."""
    assert [False, True] == [lively(0.7).is_on(at_s, 0.5, 2.0) for at_s in (2.1, 2.3)]
    assert [False, True] == [lively(2.6).is_on(at_s, 0.5, 2.0) for at_s in (2.7, 2.9)]
    assert not lively(0.5, 4).is_on(2.5, 0.5, 2.0)
    assert lively(0.5, 4).gap_s == pytest.approx(0.5)
    assert Fermata().gap_s is None


def test_a_chord_is_one_onset() -> None:
    """Notes of a chord are one onset."""
    fermata = lively(0.5)
    fermata.add_onset(0.01)
    assert fermata.gap_s == pytest.approx(0.5)


def test_small_differences_are_no_tempo_and_large_ones_are_slewed() -> None:
    """A difference within the band changes nothing, and a large one changes the tempo by 12 % a beat at most."""
    pursuit = TempoPursuit(100.0)
    pursuit.follow(102.5, 1.0, 1.0)
    assert pursuit.tempo_bpm == pytest.approx(100.0)
    pursuit.follow(200.0, 0.5, 1.0)
    assert pursuit.tempo_bpm == pytest.approx(106.0, abs=0.3)
    for _ in range(40):
        pursuit.follow(150.0, 0.5, 1.0)
    assert pursuit.tempo_bpm == pytest.approx(150.0, rel=0.03)


def test_a_difference_in_phase_is_made_up_for_by_pace() -> None:
    """Within the band nothing is mended; beyond it the pace changes by 30 % at most, and `hold` ends that."""
    pursuit = TempoPursuit(120.0)
    for late_beats in (0.02, -0.05):
        pursuit.mend(late_beats, 0.02, 1.0)
        assert pursuit.pace_bpm == 120.0
    pursuit.mend(0.1, 0.02, 1.0)
    assert 120.0 < pursuit.pace_bpm < 145.0
    pursuit.mend(-0.5, 0.02, 1.0)
    assert pursuit.pace_bpm == pytest.approx(120.0 * (1 - BEND_MAX))
    pursuit.hold()
    assert pursuit.pace_bpm == 120.0
