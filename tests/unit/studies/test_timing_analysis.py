"""The figures computed from a probe's notes."""

from __future__ import annotations

import pytest

from improviser.studies.timing.analysis import judge_grid, judge_reactions, of_channel, of_clock
from improviser.studies.timing.probe import TICK, Note

STEP_S = 0.125


def metronome(count: int, off_s: dict[int, float] | None = None) -> list[Note]:
    """Return notes on each step, some of them off it."""
    notes: list[Note] = []
    for place in range(count):
        at_s = 7.03 + place * STEP_S + (off_s or {}).get(place, 0.0)
        notes += [("out", at_s, at_s + 0.5, 0x91, 60), ("out", at_s + 0.05, at_s + 0.55, 0x81, 60)]
    return notes


@pytest.mark.parametrize("by_frame", [True, False])
def test_onsets_are_judged_by_their_grid(*, by_frame: bool) -> None:
    """One note in a hundred that is 3 ms late is the maximum; the other notes determine the grid."""
    heard = judge_grid(metronome(108, {50: 0.003}), STEP_S, None, by_frame=by_frame)
    assert (100, 0, 0, 0) == (heard.notes, heard.missing, heard.doubled, heard.stuck)
    assert 0.0 == pytest.approx(heard.off_ms["p50"], abs=1e-6)
    assert 3.0 == pytest.approx(heard.off_ms["max"])


@pytest.mark.parametrize("place", [0, 50])
def test_what_is_late_is_of_its_own_step(place: int) -> None:
    """A note more than half a step late, even the first, counts as late and not as missing or doubled."""
    heard = judge_grid(metronome(108, {place: 0.7 * STEP_S}), STEP_S, None, by_frame=True)
    assert (0, 0) == (heard.missing, heard.doubled)
    assert (0.0 if place == 0 else 700 * STEP_S) == pytest.approx(heard.off_ms["max"], abs=1e-6)


@pytest.mark.parametrize("first", [0, 9, 50])
def test_after_a_stall_ticks_are_late_and_not_missing(first: int) -> None:
    """Four ticks that come with the fifth are late, also the very first ones; none is missing or doubled."""
    held = {place: (first + 4 - place) * STEP_S + 0.001 for place in range(first, first + 4)}
    heard = judge_grid(metronome(108, held), STEP_S, None, by_frame=True)
    assert (0, 0, 100) == (heard.missing, heard.doubled, heard.notes)
    if first:
        assert 4 * STEP_S * 1000 + 1 == pytest.approx(heard.off_ms["max"])
    assert 0.0 == pytest.approx(heard.off_ms["p50"], abs=1e-6)


def test_a_drift_counts() -> None:
    """The grid has the nominal step, so that drift counts."""
    drifting = metronome(108, {place: place * 0.0001 for place in range(108)})
    assert 4.0 < judge_grid(drifting, STEP_S, None, by_frame=True).off_ms["max"]


def test_what_is_missing_doubled_or_stuck_is_counted() -> None:
    """Missing and doubled notes are counted by steps, or by what the sender reported."""
    notes = metronome(20)
    broken = [*notes[:10], *notes[12:20], notes[18], *notes[20:-1]]
    heard = judge_grid(broken, STEP_S, None, by_frame=True)
    assert (1, 1, 1) == (heard.missing, heard.doubled, heard.stuck)
    told = judge_grid(notes, STEP_S, [60] * 19 + [62], by_frame=True)
    assert (1, 1, 0) == (told.missing, told.doubled, told.stuck)


def test_silence_is_judged() -> None:
    """Without notes there are no figures."""
    heard = judge_grid([], STEP_S, [60], by_frame=True)
    assert (0, 1, {}) == (heard.notes, heard.missing, heard.off_ms)


def test_reactions_are_paired_with_their_keys() -> None:
    """A key without an answer, and an answer without a key, make no pair."""
    keys: list[Note] = [("keys", place, 0.0, 0x90, 60 + place) for place in range(1, 5)]
    answers: list[Note] = [("out", 0.5, 0.0, 0x90, 99)]
    answers += [("out", place + 0.002, 0.0, 0x90, 60 + place) for place in (1, 3, 4)]
    assert {"p50": 2.0, "p99": 2.0, "p99.9": 2.0, "max": 2.0} == judge_reactions(keys, answers)
    assert [] == of_channel(answers, 3)
    assert answers == of_channel(answers, 0)


def test_ticks_are_judged_apart() -> None:
    """Clock ticks have a grid of their own, and belong to no channel."""
    ticks: list[Note] = [("out", place * 0.02, 0.0, TICK, 0) for place in range(20) if place != 7]
    notes = metronome(10)
    mixed = [*ticks, *notes]
    assert (ticks, []) == (of_clock(mixed), of_channel(ticks, TICK % 16))
    assert notes == of_channel(mixed, 1)
    heard = judge_grid(of_clock(mixed), 0.02, None, by_frame=True)
    assert (1, 0, 0) == (heard.missing, heard.doubled, heard.stuck)
    assert 0.0 == pytest.approx(heard.off_ms["max"], abs=1e-6)
