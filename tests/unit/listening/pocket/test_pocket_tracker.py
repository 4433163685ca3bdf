"""Learning the player's pocket from messages."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.listening.pocket.feel import BarFeel
from improviser.listening.pocket.pocket_tracker import PocketTracker
from improviser.listening.pocket.swing import NO_SWING, Swing
from improviser.listening.tempo import BeatClock
from improviser.midi.message import NoteOff, NoteOn

BAR = BarFeel.plain(np.array([2, 0, 1, 0] * 4))
KEY = (0, 60)


def tracker(clock: BeatClock, steps_per_beat: int = 4) -> PocketTracker:
    """Return a tracker of bars of four beats."""
    levels = BAR.levels[:: 4 // steps_per_beat] if steps_per_beat != 3 else np.array([2, 0, 0] * 4)
    return PocketTracker(clock, steps_per_beat, BarFeel.plain(levels))


def play(pocket: PocketTracker, beats: list[float], gate: float = 0.5) -> None:
    """Play notes at some beats of a clock of one beat per second; each sounds for `gate` of the time to the next."""
    for beat, following in zip(beats, [*beats[1:], beats[-1] + 1], strict=True):
        pocket.hear(NoteOn(0, 60, 80), beat, {KEY})
        pocket.hear(NoteOff(0, 60), beat + gate * (following - beat), frozenset())


def eighths(bars: int, offbeat: float) -> list[float]:
    """Return the beats of eighths, the second of each beat at `offbeat`."""
    return [beat + place for beat in range(4 * bars) for place in (0.0, offbeat)]


def test_late_eighths_and_short_notes_are_learned() -> None:
    """The offset of an offbeat and the gate of the notes are found at their places."""
    pocket = tracker(BeatClock(60.0))
    play(pocket, eighths(16, 0.53))
    assert 0.01 < pocket.at(2).offset_beats < 0.03
    assert 0.5 == pytest.approx(pocket.at(2).gate, abs=0.1)
    assert pocket.at(2).ties < 0.3
    assert pocket.at(2) == pocket.at(18)


def test_found_swing_moves_the_grid() -> None:
    """The clock swings as the player, and the offbeats are not late against it any more."""
    clock = BeatClock(60.0)
    pocket = tracker(clock)
    play(pocket, eighths(8, 0.64))
    pocket.follow_swing(1.0)
    assert Swing(0.64) == pocket.swing
    assert 0.64 == pytest.approx(clock.s_at(0.5))
    assert 0.0 == pytest.approx(pocket.at(2).offset_beats, abs=0.03)
    pocket.follow_swing(0.5)
    assert 0.57 == pytest.approx(clock.s_at(0.5))
    pocket.follow_swing(0.0)
    assert 0.5 == pytest.approx(clock.s_at(0.5))


def test_a_grid_of_triplets_does_not_swing() -> None:
    """With three steps per beat the swing stays."""
    clock = BeatClock(60.0)
    pocket = tracker(clock, 3)
    play(pocket, eighths(8, 0.64))
    pocket.follow_swing(1.0)
    assert (NO_SWING, 0.5) == (pocket.swing, clock.s_at(0.5))


def test_bars_can_begin_anywhere() -> None:
    """Places are counted from the first step of the bars."""
    pocket = tracker(BeatClock(60.0))
    pocket.begin_bar(6, BarFeel.plain(BAR.levels[:12]))
    assert [0, 11, 0] == [pocket.place(step) for step in (6, 17, 18)]


def test_a_note_before_shorter_bars_has_no_place_in_them() -> None:
    """A note on the last beat of a bar of four says nothing of the lengths in bars of three."""
    pocket, other = tracker(BeatClock(60.0)), tracker(BeatClock(60.0))
    pocket.hear(NoteOn(0, 60, 80), 3.0, {KEY})
    for one in (pocket, other):
        one.begin_bar(16, BarFeel.plain(BAR.levels[:12]))
        play(one, [4.0, 5.0, 6.0])
    assert [other.at(step).ties for step in range(12)] == [pocket.at(step).ties for step in range(12)]
