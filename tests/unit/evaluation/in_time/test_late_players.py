"""Consonance with players who are late."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from improviser.choices import NoteTiming
from improviser.engine import EngineSettings
from improviser.evaluation.in_time.late_players import late_messages, late_scores, measure_late, spans, timing_scores
from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.playing.actions import FIRST_ONSET, HOLD_ACTION
from improviser.training.grid import Part, tune_parts
from tests.actors import Figure, random_policy
from tests.tiny_corpus import tune

SETTINGS = EngineSettings(key="C", tempo_bpm=120.0, temperature=0.0, timing=NoteTiming.ON_GRID)
# It plays a C on each beat, and holds it.
ALWAYS_C = Figure((FIRST_ONSET, HOLD_ACTION, HOLD_ACTION, HOLD_ACTION))


def part() -> Part:
    """Return a tune's player."""
    (found,) = tune_parts([tune(bars=4)], "fiddle", 4, 60)
    return found


def beside(note: int) -> Part:
    """Return a player who plays one note on each beat."""
    found = part()
    player = np.where(np.arange(len(found.player)) % 4 == 0, note, -1).astype(np.int16)
    return replace(found, player=player, bits=np.full(len(player), 1 << note % 12), bass=np.full(len(player), note))


def test_spans() -> None:
    """Each note has its beginning and end; a stray note-off has none."""
    off = TimedMessage(1.0, NoteOff(0, 60))
    assert [(0.0, 1.0, 60)] == spans([TimedMessage(0.0, NoteOn(0, 60, 80)), TimedMessage(0.5, NoteOff(0, 61)), off])


def test_players_are_late() -> None:
    """Messages are as late as wanted on average, in order, and the same for the same seed."""
    step_s = 0.125
    once, again, exact = (
        late_messages(part(), step_s, late_s, np.random.default_rng(0))
        for late_s in ((0.02, 0.005), (0.02, 0.005), (0.0, 0.0))
    )
    assert once == again
    assert sorted(timed.due_s for timed in once) == [timed.due_s for timed in once]
    late_s = np.array([timed.due_s for timed in once]) - np.array([timed.due_s for timed in exact])
    assert pytest.approx(0.02, abs=0.003) == float(late_s.mean())
    assert np.ptp(late_s) > 0


@pytest.mark.parametrize(("note", "consonant"), [(76, 1.0), (71, 0.0)], ids=["a third above", "a seventh above"])
def test_consonance_is_measured_in_time_and_notes(note: int, consonant: float) -> None:
    """Beside a third all of the time and all notes are consonant; beside a seventh none."""
    score = measure_late(ALWAYS_C, replace(SETTINGS, mends=False), [beside(note)], (0.0, 0.0))
    assert (consonant, consonant, 0.0) == (score.time, score.notes, score.mended)


def test_mending_is_counted() -> None:
    """Beside late sevenths every note is mended, and little time is left that is not consonant."""
    score = measure_late(ALWAYS_C, SETTINGS, [beside(71)], (0.02, 0.0))
    assert score.time < 0.5
    told: list[tuple[float, float]] = []
    scores = late_scores(random_policy(), SETTINGS, [part()], lambda done, total: told.append((done, total)))
    assert 5 == len(scores)
    assert (5, 5) == told[-1]
    assert 0.0 == scores["as heard"].mended == scores["anticipated"].mended


def test_timings_are_measured_by_lateness_and_output() -> None:
    """Each timing has a row for each lateness, and each live one for each output; on the grid all are alike."""
    calm = replace(SETTINGS, mends=False)
    scores = timing_scores(ALWAYS_C, calm, [beside(76)], lambda _done, _total: None)
    assert 3 * 7 + 2 * 5 == len(scores)
    assert {"on-grid, 40 ms, 256 frames + 6 ms", "file, -20 ms", "after-you, 20 ms +- 15, 2048 frames + 6 ms"} <= set(
        scores
    )
    assert {1.0} == {score.time for score in scores.values()}
