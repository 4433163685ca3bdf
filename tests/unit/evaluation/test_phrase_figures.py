"""The figures of phrases on parts worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.evaluation.duet import Duet, DuetHarmony, Notes
from improviser.evaluation.phrase_figures import motifs, phrase_figures, tune_of
from improviser.music.chord import QUALITY_COUNT
from improviser.music.meter import Meter

BAR_BEATS = 4


def part(*notes: tuple[float, float, int]) -> Notes:
    """Return notes (onset, length, note)."""
    return np.array([(onset, onset + length, note) for onset, length, note in notes], dtype=np.float64).reshape(-1, 3)


def beside(heard: Notes, bars: int, root: int = 0) -> Duet:
    """Return a duet in C major whose player plays `heard`, over one major chord."""
    frames = bars * BAR_BEATS * 4
    harmony = DuetHarmony(np.full(frames, root * QUALITY_COUNT), np.full(frames, root))
    return Duet("duet", 0, "major", Meter(4, 4), heard, part(), harmony)


def quarters(bar: int, *notes: int) -> list[tuple[float, float, int]]:
    """Return a quarter for each of the notes from the beginning of a bar on."""
    return [(bar * BAR_BEATS + beat, 1.0, note) for beat, note in enumerate(notes)]


PLAYER = part(*quarters(0, 60, 62, 64, 65), (4, 2, 67), *quarters(2, 60, 62, 64, 65), *quarters(3, 67, 67, 67, 60))


def test_phrases_end_with_rests_of_a_beat() -> None:
    """Two phrases of four and six beats in four bars; inside them half of the notes are tied to the next."""
    ours = part((0, 0.5, 72), (1, 1, 74), (2, 2, 76), (8, 0.9, 77), (9, 5, 79))
    figures = phrase_figures(ours, beside(PLAYER, 4))
    assert (8.0, 5.0) == (figures["phrases"], figures["phrase beats"])
    assert 1 / 3 == pytest.approx(figures["tied"])


def test_who_answers_plays_in_the_gaps() -> None:
    """The player's gap is the end of the second bar; who plays there and nowhere else has all of fill."""
    answers = phrase_figures(part((6, 1, 72), (7, 1, 74)), beside(PLAYER, 4))
    assert (1.0, 1.0) == (answers["fill"], answers["in gaps"])
    covers = phrase_figures(part(*quarters(0, 72, 74, 76, 77), (4, 1, 72), (5, 1, 72)), beside(PLAYER, 4))
    assert -6 / 14 == pytest.approx(covers["fill"])
    assert 0.0 == covers["in gaps"]


def test_what_the_player_repeats_we_repeat() -> None:
    """Of the four notes beside the repeated bar two were there before."""
    ours = part(*quarters(0, 72, 74, 76, 77), *quarters(2, 72, 74, 77, 76))
    assert 0.5 == phrase_figures(ours, beside(PLAYER, 4))["repeats with"]


def test_a_motif_of_the_player_is_taken_up_in_another_place() -> None:
    """One bar of three has it. Its steps count and not its pitch; one pitch struck again and again is no motif."""
    ours = part(*quarters(1, 74, 76, 78, 79), *quarters(2, 74, 74, 74, 79), *quarters(3, 50, 50, 50, 50))
    assert 1 / 3 == phrase_figures(ours, beside(PLAYER, 4))["takes up"]
    assert {((4, 2), (4, 2), (4, 1))} == motifs(tune_of(ours), 16, 32)
    assert set() == motifs(tune_of(ours), 60, 64)


def test_own_bars_and_themes_return() -> None:
    """One of five bars is equal to an earlier one, and the last is the first one, transposed."""
    scale = [quarters(0, 72, 74, 76), quarters(1, 60, 60, 61), quarters(2, 60, 60, 61), quarters(3, 79, 79)]
    ours = part(*[note for bar in scale for note in bar], *quarters(4, 77, 79, 81))
    figures = phrase_figures(ours, beside(PLAYER, 5))
    assert (0.25, 1.0) == (figures["own repeats"], figures["theme"])


def test_a_bar_of_one_pitch_is_hammered() -> None:
    """Of three bars one strikes a pitch four times; three times are no hammering."""
    ours = part(*quarters(0, 72, 72, 72, 72), *quarters(1, 72, 72, 72), *quarters(2, 72, 72, 72, 74))
    assert 1 / 3 == phrase_figures(ours, beside(PLAYER, 4))["hammered"]


@pytest.mark.parametrize(("last", "root", "is_root"), [(48, 0, 1.0), (55, 0, 0.0), (55, 7, 1.0)])
def test_ends_are_stable_long_and_low(last: int, root: int, is_root: float) -> None:
    """The fourth bar ends on the fifth; the last note is four times as long as the first, on the root or not."""
    ours = part((12, 1, 67), (16, 4, last))
    figures = phrase_figures(ours, beside(PLAYER, 5, root))
    assert (1.0, 1.6, is_root) == (figures["stable ends"], figures["final length"], figures["final root"])


def test_who_plays_nothing_has_no_figures() -> None:
    """Silence has no phrases, and nothing of it can be counted."""
    figures = phrase_figures(part(), beside(PLAYER, 4))
    assert 0.0 == figures["phrases"]
    assert all(np.isnan(value) for name, value in figures.items() if name not in {"phrases", "fill"})
