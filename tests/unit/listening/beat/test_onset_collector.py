"""Notes become onsets, and onsets have a strength."""

from __future__ import annotations

import pytest

from improviser.listening.beat.onset_collector import MERGE_S, Onset, OnsetCollector, StrengthMeter


def test_notes_that_begin_together_are_one_onset() -> None:
    """Notes within MERGE_S are one onset, complete when a later note comes."""
    collector = OnsetCollector()
    assert collector.add_note(1.0, 60, 70) is None
    assert collector.add_note(1.0 + MERGE_S / 2, 48, 90) is None
    assert Onset(1.0, 2, 60, 48, 90, 1) == collector.add_note(1.5, 64, 80)


def test_an_onset_is_complete_after_a_while_and_only_once() -> None:
    """An onset is due MERGE_S after its first note, not before, and not twice."""
    collector = OnsetCollector()
    assert collector.take_due(5.0) is None
    collector.add_note(1.0, 62, 80)
    assert collector.take_due(1.0 + MERGE_S / 2) is None
    assert Onset(1.0, 1, 62, 62, 80, 1 << 2) == collector.take_due(1.0 + MERGE_S)
    assert collector.take_due(2.0) is None


def test_a_loud_low_chord_is_stronger_than_a_soft_high_note() -> None:
    """Bass, number of notes and velocity make an accent; what sounded just before is not fresh."""
    meter = StrengthMeter()
    first = meter.measure(Onset(0.0, 1, 72, 72, 60, 1))
    chord = meter.measure(Onset(0.5, 4, 76, 40, 100, 0b10010001))
    soft = meter.measure(Onset(1.0, 1, 76, 76, 40, 0b10000))
    assert (1.0, 0.0, 1.0) == (first.bass, first.loud, first.fresh)
    assert chord.accent > soft.accent
    assert (2.0, 1.0) == (chord.notes, chord.bass)
    assert 0.0 == soft.bass
    assert soft.fresh < chord.fresh < 1.0
    assert pytest.approx(4 / 12) == chord.leap


def test_the_bass_is_forgotten() -> None:
    """A high note is the bass once no lower note has begun for some seconds."""
    meter = StrengthMeter()
    meter.measure(Onset(0.0, 1, 40, 40, 80, 1))
    assert [0.0, 1.0] == [meter.measure(Onset(at_s, 1, 72, 72, 80, 1)).bass for at_s in (1.0, 9.0)]
