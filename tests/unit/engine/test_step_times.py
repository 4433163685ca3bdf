"""When steps are decided, and when notes leave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.choices import NoteTiming
from improviser.engine.settings import EngineSettings
from improviser.engine.step_times import DECIDE_AHEAD_S, EARLIEST_S, LATEST_S, StepTimes, step_times

STEP_S = 0.125


def times(timing: NoteTiming = NoteTiming.AFTER_YOU, habit: float = 0.0, **values: float) -> tuple[float, float]:
    """Return when a step is decided and due, with some settings and habit."""
    found = step_times(EngineSettings(**values), timing, habit, STEP_S)  # type: ignore[arg-type]
    return round(found.decided_s, 9), round(found.due_s, 9)


def test_on_the_grid_notes_leave_on_the_step() -> None:
    """The habit and the time to collect do not count; the output's look-ahead and the offset do."""
    grid = NoteTiming.ON_GRID
    assert (-DECIDE_AHEAD_S, 0.0) == times(grid, habit=0.3, collect_s=0.02)
    assert (-DECIDE_AHEAD_S - 0.03, 0.0) == times(grid, ahead_s=0.03)
    assert (round(-DECIDE_AHEAD_S - 0.01, 9), -0.01) == times(grid, offset_s=-0.01)


def test_after_the_player_notes_are_collected_first() -> None:
    """Collecting takes its time, whatever the output needs; the notes leave later by that and by the habit."""
    assert (0.017, 0.02) == times(collect_s=0.02)
    assert (0.017, 0.05) == times(collect_s=0.02, ahead_s=0.03)
    assert (0.017 + 0.025, 0.02 + 0.025) == times(habit=0.2, collect_s=0.02)
    assert (0.017, 0.025) == times(collect_s=0.02, offset_s=0.005)
    assert (0.012, 0.015) == times(collect_s=0.02, offset_s=-0.005)
    assert (0.0, 0.001) == times(collect_s=0.001)


@pytest.mark.parametrize(("habit", "behind_s"), [(0.49, LATEST_S), (-0.25, EARLIEST_S)])
def test_after_a_player_far_off_the_grid_the_wait_is_bounded(habit: float, behind_s: float) -> None:
    """Notes leave at most 60 ms behind and 30 ms ahead of the grid for the player's habit."""
    found = step_times(EngineSettings(), NoteTiming.AFTER_YOU, habit, STEP_S)
    assert StepTimes(behind_s, behind_s, behind_s) == found


@pytest.mark.parametrize("timing", [NoteTiming.ON_GRID, NoteTiming.AFTER_YOU])
def test_an_input_hands_over_what_it_heard_before(timing: NoteTiming) -> None:
    """With a long period, notes of the last half of the output's look-ahead have not arrived when a step is decided."""
    found = step_times(EngineSettings(ahead_s=0.05), timing, 0.0, STEP_S)
    assert 0.025 == pytest.approx(found.decided_s - found.heard_s)


def test_in_a_file_all_of_a_step_is_known() -> None:
    """The step is decided where the next one begins, and its notes stand where the player's do."""
    decided, due = times(has_hindsight=True, habit=0.2)
    assert 0.025 + 0.0625 == pytest.approx(decided, abs=1e-6)
    assert 0.025 == due


@given(st.floats(0, 0.06), st.floats(0, 0.2), st.floats(-0.1, 0.1))
def test_there_is_always_time_to_decide(collect_s: float, ahead_s: float, offset_s: float) -> None:
    """Whatever the output needs, a decision comes that much before its notes are due, and waiting is never negative."""
    settings = EngineSettings(collect_s=collect_s, ahead_s=ahead_s, offset_s=offset_s)
    for timing in (NoteTiming.ON_GRID, NoteTiming.AFTER_YOU):
        found = step_times(settings, timing, 0.0, STEP_S)
        assert found.due_s - found.decided_s >= ahead_s - 1e-9
    assert found.decided_s >= 0.0
