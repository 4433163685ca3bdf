"""Whether our notes are on the player's beats."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from improviser.engine import EngineSettings
from improviser.evaluation.in_time.beat_figures import WINDOW_S, to_messages
from improviser.evaluation.in_time.feel_figures import Subject
from improviser.evaluation.in_time.own_beats import own_beats, told_time
from improviser.music.meter import COMMON
from improviser.offline.found_time import FoundTime
from improviser.training.beat.performance import PLAIN, play_piece
from tests.actors import Indifferent
from tests.beat_pieces import make_piece

SUBJECT = Subject(EngineSettings(temperature=1.0, steps_per_beat=4), Indifferent())
PLAYED = play_piece(make_piece(), (0, 1), PLAIN, np.random.default_rng(0))
HEARD = to_messages(PLAYED.notes)


def test_beats_that_are_found_exactly_are_as_good_as_told() -> None:
    """The figures of the true beats are those of the found ones; notes on beats are louder than the others."""
    figures = own_beats(PLAYED, told_time(PLAYED), HEARD, SUBJECT, WINDOW_S, 4)
    assert figures["told_on_beat"] == figures["on_beat"]
    assert 0.2 < figures["on_beat"] < 0.8
    assert figures["accent"] > 1.02


def test_beats_between_the_true_ones_have_fewer_of_our_notes() -> None:
    """A beat that is found halfway between the true ones loses notes on them, and the accent."""
    wrong = told_time(replace(PLAYED, beats_s=PLAYED.beats_s + 0.3))
    figures = own_beats(PLAYED, wrong, HEARD, SUBJECT, WINDOW_S, 4)
    assert figures["accent"] < figures["told_accent"] - 0.02


@pytest.mark.parametrize("found", [FoundTime(), told_time(PLAYED)])
def test_without_beats_or_notes_there_are_no_figures(found: FoundTime) -> None:
    """Nothing is compared where nothing was found, or where we play nothing that counts."""
    assert not own_beats(PLAYED, found, HEARD, SUBJECT, WINDOW_S, 63)


def test_true_bars_are_told_where_they_are_known() -> None:
    """Sixteen bars in four have sixteen lines; unknown bars count as 4/4."""
    assert [4.0 * bar for bar in range(16)] == [line.beat for line in told_time(PLAYED).bar_lines()]
    piece = replace(PLAYED.piece, size=np.full_like(PLAYED.piece.size, 31))
    assert {COMMON} == {line.meter for line in told_time(replace(PLAYED, piece=piece)).bar_lines()}
