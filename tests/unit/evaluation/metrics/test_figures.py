"""Every figure of an evaluation, compared with examples counted by hand; definitions in docs/metrics.md."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from improviser.evaluation.metrics import (
    Performance,
    Phrases,
    bar_correlation,
    figures,
    known_phrases,
    phrases,
)
from improviser.listening.line import sounding_notes
from tests.tiny_corpus import to_events

C_MAJOR = 0b0000_1001_0001
COMPOSITION = 32


def measure(
    ours: str, player: str = "", steps: int = COMPOSITION, chord: int = 0, known: Phrases = frozenset()
) -> dict[str, float]:
    """Return the figures of a part beside a monophonic player: C major, 4/4, `steps` sixteenths."""
    theirs = to_events(player, steps)
    notes = sounding_notes(theirs)
    performance = Performance(
        events=to_events(ours, steps),
        player=theirs,
        bits=np.where(notes >= 0, 1 << np.maximum(notes, 0) % 12, 0),
        chord_bits=np.full(steps, chord, dtype=np.int64),
        mode=0,
        meter=0,
        steps_per_beat=4,
    )
    return figures(performance, known)


def test_sounding_notes() -> None:
    """A note sounds through its holds, and not after a rest or before the first onset."""
    assert sounding_notes(to_events(". 60 . - . 62")).tolist() == [-1, 60, 60, -1, -1, 62]


@pytest.mark.parametrize(
    ("ours", "every", "holds_aside"),
    [
        ("60 " * 32, 27, 27),  # from the sixth on
        ("60 " + ". " * 31, 26, 0),  # a hold with five holds before it, from step 6 on
        ("60 . " * 16, 9, 9),  # holds are passed, so from the eighth onset on
        ("- . " * 16, 23, 14),  # a rest with two before it; a hold with seven before it
        ("- " * 32, 24, 0),  # a rest, then holds, of which the eighth and all later ones count
        ("60 62 " * 16, 0, 0),
    ],
)
def test_excessively_repeated(ours: str, every: int, holds_aside: int) -> None:
    """Repetition is counted as in RL Tuner, and once more without the holds."""
    result = measure(ours)
    assert 100 * every / COMPOSITION == result["excessively repeated %"]
    assert 100 * holds_aside / COMPOSITION == result["excessively repeated, holds aside %"]


def test_repetition_ends_with_a_composition() -> None:
    """Repetition is not counted across compositions."""
    assert 100 * 54 / 64 == measure("60 " * 64, steps=64)["excessively repeated %"]


def test_not_in_key() -> None:
    """Onsets outside the scale are counted as a share of all steps."""
    assert measure("60 . 61 . " * 8)["not in key %"] == 25


def test_starts_with_tonic() -> None:
    """The first onset of a composition counts, in any octave; a silent composition does not count."""
    ours = "72 " + "62 " * 31 + "- 62 " + "60 " * 30 + "- " * 32
    assert measure(ours, steps=96)["starts with tonic %"] == 50


def test_starts_on_tonic_or_chord_tone() -> None:
    """A composition starts on the tonic or in the chord; without an implied chord it does not count."""
    name = "starts on tonic or chord tone %"
    f_major = 1 << 5 | 1 << 9 | 1 << 0
    assert 100 == measure("- 65", chord=f_major)[name]
    assert 100 == measure("48", chord=1 << 7 | 1 << 11 | 1 << 2)[name]
    assert 0 == measure("64", chord=f_major)[name]
    assert 50 == measure("64 " + "- " * 31 + "69 " + "- " * 63, steps=96, chord=f_major)[name]
    assert math.isnan(measure("60")[name])


def test_rhythm_autocorrelation() -> None:
    """Onsets as ones, with the mean removed: alternating steps give a negative value, one block a positive one."""
    name = "rhythm autocorrelation 1"
    # 32 alternating deviations of a half: 31 products of -1/4 over 32 squares of 1/4.
    assert pytest.approx(-31 / 32) == measure("60 . " * 16)[name]
    # 16 times +1/2, then 16 times -1/2: 30 products of 1/4 and one of -1/4.
    assert pytest.approx(29 / 32) == measure("60 " * 16)[name]
    assert math.isnan(measure("60 " * 32)[name])
    assert math.isnan(measure("- " * 32)[name])


def test_unique_extremes() -> None:
    """A highest or lowest note is unique if it is struck once."""
    result = measure("60 . 64 62 64")
    assert (result["unique highest %"], result["unique lowest %"]) == (0, 100)


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        ("60 67 65 60", 100),  # comes back to where it came from
        ("67 60 62 67", 100),
        ("60 67 65 61", math.nan),  # still open
        ("60 66 60", math.nan),  # no leap
        ("60 67 74", 0),  # doubled
        ("60 67 74 70 66", 0),  # doubled, and open from the first note on
        ("60 67 74 70 66 62 60", 50),  # doubled, then resolved
        ("60 67 60", math.nan),  # a leap back at once ends the first
        ("60 67 . . . . . . 60", math.nan),  # six steps between
        ("60 67 . . . . . . . 60", 100),  # seven
        ("60 67 60 67 65 60", 100),  # what ends a leap begins none
    ],
)
def test_leaps_resolved(ours: str, expected: float) -> None:
    """Leaps are doubled, resolved, over or open, as in RL Tuner."""
    assert pytest.approx(expected, nan_ok=True) == measure(ours)["leaps resolved %"]


def test_a_leap_is_over_with_its_composition() -> None:
    """A leap left open at the end of a composition is not resolved by the next one."""
    assert math.isnan(measure("60 " * 31 + "67 65 60", steps=64)["leaps resolved %"])


def test_in_motif() -> None:
    """A motif is three different notes within eight steps of one composition."""
    assert measure("60 62 64 " + ". " * 29)["in motif %"] == 100 / COMPOSITION


def test_in_repeated_motif() -> None:
    """Only a motif whose eight steps occurred before, without overlap, is a repeated one."""
    bar = "60 62 64 . . . . . "
    result = measure(bar * 2 + ". " * 16)
    assert 100 * 9 / COMPOSITION == result["in motif %"]
    assert 100 * 1 / COMPOSITION == result["in repeated motif %"]


def test_autocorrelation() -> None:
    """The notes' own mean is removed, and each lag is divided by the whole sum of squares."""
    result = measure("60 . 64 - 60 64")
    assert [-0.75, 0.5, -0.25] == [result[f"autocorrelation {lag}"] for lag in (1, 2, 3)]
    assert math.isnan(measure("60 60 60")["autocorrelation 1"])


def test_note_in_chord() -> None:
    """Of the steps in which the improviser sounds, those in the implied chord count."""
    assert pytest.approx(200 / 3) == measure("64 61 - 67", "60 . . .", chord=C_MAJOR)["note in chord %"]
    assert math.isnan(measure("64 61 - 67", "60 . . .")["note in chord %"])


def test_consonance() -> None:
    """In each step with a sounding player the improviser is consonant, dissonant or silent."""
    result = measure("64 61 - 67 62 62", "60 . . .")
    figure_names = ("consonant %", "dissonant %", "unsupported %")
    assert [50, 25, 25] == [result[name] for name in figure_names]


@pytest.mark.parametrize(
    ("note", "expected"), [(53, 100), (55, 0), (67, 100), (65, 0), (56, 100), (48, 100), (57, 100)]
)
def test_consonance_below_the_player(note: int, expected: float) -> None:
    """Intervals are counted upwards: a fifth below the player is a fifth, and a fourth is a dissonance."""
    assert expected == measure(f"{note}", "60")["consonant %"]


def test_consonance_with_any_of_many() -> None:
    """Where the player sounds a chord, consonance with one of its notes is enough."""
    two = np.array([1 << 0 | 1 << 1])
    performance = Performance(to_events("65"), to_events("61"), two, np.zeros(1, dtype=np.int64), 0, 0, 4)
    assert figures(performance)["consonant %"] == 100


def test_strong_beat_consonance() -> None:
    """In 4/4 the first steps of beats 1 and 3 count, and silence there is not consonant."""
    player = "60 " + ". " * 15
    assert measure("64 . - 61 61 61", player)["strong-beat consonance %"] == 50
    assert measure("61 64 - - - - - - 67 64", player)["strong-beat consonance %"] == 50


@pytest.mark.parametrize(
    ("ours", "player", "expected"),
    [
        ("67 69", "60 62", 50),  # fifths
        ("53 55", "60 62", 50),  # fifths below
        ("55 57", "60 62", 0),  # fourths below
        ("72 74", "60 62", 50),  # octaves
        ("60 62", "60 62", 50),  # unisons
        ("67 67", "60 60", 0),  # nobody moved
        ("67 69", "60 .", 0),
        ("67 - 69", "60 . 62", 0),  # not from one step to the next
        ("64 65", "60 62", 0),
    ],
)
def test_parallels(ours: str, player: str, expected: float) -> None:
    """Perfect intervals count when both voices move from one to the next."""
    assert expected == measure(ours, player)["parallels per 100 notes"]


def test_no_parallels_without_a_player() -> None:
    """Without a player the figure is nan instead of 0."""
    assert math.isnan(measure("60 62")["parallels per 100 notes"])


def test_bars_repeated() -> None:
    """A bar counts if it equals one of the eight before it; an empty bar never counts."""
    first, second, empty = "60 . 62 . " + ". " * 12, "64 " * 16, "- " * 16
    assert measure(first + second + first + empty + empty, steps=80)["bars repeated %"] == 20
    others = "".join(f"{note} " + ". " * 15 for note in range(70, 78))
    assert measure(first + others + first, steps=160)["bars repeated %"] == 0
    assert measure(first + others[: -len("77 " + ". " * 15)] + first, steps=144)["bars repeated %"] > 0


def test_intervals() -> None:
    """Steps, repetitions and leaps are shares of the intervals between onsets."""
    result = measure("60 62 . 62 69 - 65", steps=32)
    assert [50, 25, 25] == [
        result[name] for name in ("steps <= 2 semitones %", "repeated notes %", "leaps per 100 notes")
    ]
    assert (2.5, 4) == (result["onsets per bar"], result["distinct pitches"])


SCALE = "60 62 64 65 67 69 71 72 "


def test_phrases() -> None:
    """A phrase is seven intervals and eight lengths, at any position and pitch."""
    assert 1 == len(phrases(to_events(SCALE)))
    assert phrases(to_events(SCALE)) == phrases(to_events("- 61 63 65 66 68 70 72 73"))
    assert phrases(to_events(SCALE)) != phrases(to_events("60 . 62 64 65 67 69 71 72"))
    assert phrases(to_events(SCALE)) != phrases(to_events("60 62 64 65 67 69 71 73"))
    assert [] == phrases(to_events(SCALE[:-3]))


def test_copied() -> None:
    """The figure is the share of our phrases of eight notes that occur in the corpus."""
    known = known_phrases([to_events(SCALE), to_events("60 60")])
    assert 50 == measure(SCALE + "71", known=known)["copied %"]
    assert 0 == measure("60 . 62 64 65 67 69 71 72 .", known=known)["copied %"]
    assert math.isnan(measure(SCALE[:-3], known=known)["copied %"])
    assert math.isnan(measure(SCALE)["copied %"])


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        ("60 . 64 . 62", 100),  # as it was
        ("67 . 71 . 69", 100),  # transposed
        ("67 - 63 - 65", 100),  # inverted, and shorter
        ("60 . 64 . 65", 0),
        ("60 . 64 62 .", 0),
        ("- - - - -", 0),
    ],
)
def test_echo(ours: str, expected: float) -> None:
    """A bar that repeats, transposes or inverts the player's bar before it is an echo."""
    player = "72 . 76 . 74 " + "- " * 11
    assert expected == measure("- " * 16 + ours, player)["echo %"]


def test_echo_needs_a_turn() -> None:
    """Bars after fewer than three notes of the player, and our first bar, do not count for echo."""
    assert math.isnan(measure("60 62 " + "- " * 14 + "60 62", "60 62")["echo %"])
    assert math.isnan(measure("60 62 64", "- " * 16 + "60 62 64")["echo %"])


def test_density_and_register_correlation() -> None:
    """Bars in which our density or register follows the player's correlate; others do not."""

    def bars(*onsets: int, start: int = 60) -> str:
        """Return bars with these numbers of onsets, one note each, each bar a tone higher."""
        return "".join(f"{start + 2 * bar} " * count + "- " * (16 - count) for bar, count in enumerate(onsets))

    same = measure(bars(1, 2, 3), bars(2, 4, 6), steps=48)
    assert pytest.approx((1, 1)) == (same["density correlation"], same["register correlation"])
    other = measure(bars(3, 2, 1), bars(2, 4, 6), steps=48)
    assert pytest.approx(-1) == other["density correlation"]
    assert math.isnan(measure(bars(2, 2, 2), bars(2, 4, 6), steps=48)["density correlation"])
    silent = measure("", bars(2, 4, 6), steps=48)
    assert math.isnan(silent["density correlation"])
    assert math.isnan(silent["register correlation"])


def test_bar_correlation() -> None:
    """Pearson's r uses the bars in which both are known: 1 2 4 with 1 3 2 have 1/sqrt(28/3)."""
    ours, theirs = np.array([1, 2, 9, 4.0]), np.array([1, 3, math.nan, 2])
    # Means 7/3 and 2; deviations -4/3 -1/3 5/3 and -1 1 0: products sum to 1, squares to 14/3 and 2.
    assert pytest.approx(1 / math.sqrt(28 / 3)) == bar_correlation(ours, theirs)
    assert math.isnan(bar_correlation(ours[:2], theirs[:2]))


def test_vendi_counts_different_windows() -> None:
    """Equal windows count as one, and two without anything in common count as two."""
    bar = "60 . 62 . 64 . 65 . 67 . 65 . 64 . 62 . "
    assert pytest.approx(1) == measure(bar * 8, steps=128)["Vendi"]
    apart = "60 - " * 8 + "- " * 48 + "62 . - - " * 4
    assert pytest.approx(2) == measure(apart, steps=80)["Vendi"]
    assert math.isnan(measure("", steps=80)["Vendi"])


def test_vendi_reads_note_lengths() -> None:
    """A rest ends a note: half of the features of two windows differ, so their similarity is 1/2."""
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    ours = "60 " + "- " * 63 + "60 . " + "- " * 14
    assert pytest.approx(math.exp(entropy)) == measure(ours, steps=80)["Vendi"]


def test_too_short_for_a_composition() -> None:
    """Where there is nothing to count the figure is nan, not 0."""
    result = measure("60 62", steps=8)
    assert all(math.isnan(result[name]) for name in ("in motif %", "onsets per bar", "bars repeated %", "Vendi"))


def test_a_bass_has_its_roots_counted() -> None:
    """The root counts on strong beats with a chord; a bass has the figures of a tune too."""
    theirs = to_events("- " * 32, 32)
    performance = Performance(
        events=to_events("36 . . . . . . . 43 . . . . . . . 48 . . . . . . . - . . . . . . .", 32),
        player=theirs,
        bits=np.zeros(32, dtype=np.int64),
        chord_bits=np.full(32, C_MAJOR, dtype=np.int64),
        mode=0,
        meter=0,
        steps_per_beat=4,
        role="bass",
        chord_root=np.zeros(32, dtype=np.int64),
    )
    found = figures(performance, frozenset())
    assert 50 == found["root on strong beats %"]
    assert 100 == found["note in chord %"]
    assert np.isnan(figures(replace(performance, chord_root=None), frozenset())["root on strong beats %"])
