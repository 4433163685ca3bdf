"""The figures of chords, counted by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from improviser.evaluation.likeness import likeness
from improviser.evaluation.metrics import Figures, Performance, figures
from improviser.evaluation.metrics.overlap import features
from improviser.music.chord import CHORD_BITS
from tests.tiny_corpus import to_events

C, F, G, F_SHARP = 0, 45, 63, 54
# Two bars: C F G C, two beats each.
CADENCE = "0 . . . . . . . 45 . . . . . . . 63 . . . . . . . 0 . . . . . . ."
TUNE = "64 . . . 62 . . . 69 . . . . . . . 67 . . . . . . . 60 . . . . . . ."


def perform(ours: str, player: str = TUNE) -> Performance:
    """Return a performance in C major, 4/4, in sixteenths, whose player always implies C."""
    own = to_events(ours)
    steps = len(own)
    theirs = to_events(player, steps)[:steps]
    top = [int(theirs[: step + 1][theirs[: step + 1] >= 0][-1:].sum()) for step in range(steps)]
    bits = np.array([1 << note % 12 if (theirs >= 0).any() else 0 for note in top])
    return Performance(own, theirs, bits, np.full(steps, CHORD_BITS[C]), 0, 0, 4, "comping")


def measure(ours: str, player: str = TUNE) -> Figures:
    """Return the figures of a performance."""
    return figures(perform(ours, player))


def test_note_in_chord() -> None:
    """In 32 steps only the player's D over C, for one beat, is outside the chord; on beats 1 and 3 nothing is."""
    found = measure(CADENCE)
    assert pytest.approx(100 * 28 / 32) == found["note in chord %"]
    assert 100 == found["strong-beat note in chord %"]
    assert 0 == found["unsupported %"]


def test_agreement_needs_two_tones() -> None:
    """Only C agrees with C: F and G share one tone with it."""
    assert 50 == measure(CADENCE)["agrees with implied chord %"]


def test_chords_are_counted() -> None:
    """There are three changes in two bars, by fourths or fifths except one by a step, and three distinct chords."""
    found = measure(CADENCE)
    assert (1.5, 3, 0) == (found["chord changes per bar"], found["distinct chords"], found["restruck %"])
    assert pytest.approx(200 / 3) == found["fourths up or down %"]
    assert (2, 100) == (found["onsets per bar"], found["onsets on the beat %"])
    assert (0, 100) == (found["chords out of key %"], found["starts with tonic %"])


def test_striking_the_same_again() -> None:
    """A chord struck again is no change."""
    found = measure("0 . . . 0 . . . 54 . . . 54 . . .")
    assert pytest.approx(200 / 3) == found["restruck %"]
    assert (1, 50) == (found["chord changes per bar"], found["chords out of key %"])


def test_right_changes_are_those_to_the_root_behind() -> None:
    """Of C, F, G and C, with C behind, two have its root; without known roots there is nothing to tell."""
    played = perform(CADENCE)
    with_roots = replace(played, chord_root=np.zeros(len(played.events), dtype=np.int64))
    assert 50 == figures(with_roots)["changes to the right root %"]
    assert np.isnan(figures(played)["changes to the right root %"])


@pytest.mark.parametrize(("fourth", "eighth", "share"), [(G, C, 100), (C, G, 50), (F, F, 0)])
def test_closes(fourth: int, eighth: int, share: float) -> None:
    """The fourth bar may end on tonic or dominant, the eighth on the tonic alone."""
    rests = " ".join(["-"] * 48)
    bars = [f"{rests} {chord} {' '.join(['.'] * 15)}" for chord in (fourth, eighth)]
    assert share == measure(" ".join(bars))["bars 4 and 8 close %"]


def test_silence_counts_nothing() -> None:
    """Without a chord, or without a bar, the figures are nan."""
    found = measure("- - - -")
    assert all(math.isnan(found[name]) for name in ("note in chord %", "movement semitones", "onsets per bar"))
    assert (100, 0) == (found["rest %"], found["distinct chords"])


def test_features_of_chords() -> None:
    """Roots replace pitches and there is no range; fewer than two chords have no features."""
    found = features(perform(CADENCE))
    assert found is not None
    assert "pitch range" not in found
    assert [3.0] == found["chord count"].tolist()
    assert [0.5, 0, 0, 0, 0, 0.25, 0, 0.25] == found["roots"][:8].tolist()
    assert features(perform("0 . . .")) is None


def test_likeness_of_chords() -> None:
    """A set of chords overlaps with itself in each feature."""
    pieces = [perform(CADENCE), perform("0 . . . 63 . . . 0 . . . 54 . . ."), perform(CADENCE + " 45 . . .")]
    column = likeness(pieces, pieces).column(0)
    assert column["overlap: roots"].mean > 0.3
    assert "overlap: pitch range" not in column
