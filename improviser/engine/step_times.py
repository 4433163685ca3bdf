"""When a step is decided, and when its notes leave.

Both are counted from the step's moment on the grid. On the grid, notes leave exactly on the step. So the step is
decided before it, and the player's note of the same step is not heard yet. After you, the notes of the step are
collected first, and improviser's notes leave as much later as that and the output take. In a file, all of a step is
known: it is decided when the last note that can belong to it has been heard, and its notes stand where the player's do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from improviser.choices import NoteTiming

if TYPE_CHECKING:
    from improviser.engine.settings import EngineSettings

# A decision is made this long before its notes have to be handed to the output, so that only sending is left then.
DECIDE_AHEAD_S: Final = 0.003
# Notes nearer than this to the middle between two steps belong to either.
_ROUNDING_STEPS: Final = 1e-6
# After a player who is behind or ahead of the grid, notes leave this much later or earlier at most.
LATEST_S: Final = 0.06
EARLIEST_S: Final = -0.03


class StepTimes(NamedTuple):
    """The times of a step in seconds after its moment on the grid, negative if before it.

    Attributes:
        decided_s: When it is decided; what the player sends until then is heard.
        due_s: When its notes are due.
        heard_s: What the player plays until then has mostly arrived when the step is decided.
    """

    decided_s: float
    due_s: float
    heard_s: float


def step_times(settings: EngineSettings, timing: NoteTiming, habit_steps: float, step_s: float) -> StepTimes:
    """Return the times of a step.

    Args:
        settings: How improviser plays.
        timing: When notes leave: ON_GRID or AFTER_YOU.
        habit_steps: How many steps after the grid the player plays.
        step_s: The length of a step in seconds.
    """
    habit_s = habit_steps * step_s
    if settings.has_hindsight:
        decided_s = habit_s + (0.5 - _ROUNDING_STEPS) * step_s
        return StepTimes(decided_s, habit_s, decided_s)
    # An input hands over what came within a period at its end, and the output's look-ahead grows with the period.
    arrives_s = settings.ahead_s / 2
    if timing is NoteTiming.ON_GRID:
        decided_s = settings.offset_s - settings.ahead_s - DECIDE_AHEAD_S
        return StepTimes(decided_s, settings.offset_s, decided_s - arrives_s)
    behind_s = min(LATEST_S, max(EARLIEST_S, habit_s))
    wait_s = max(0.0, settings.collect_s + min(0.0, settings.offset_s) - DECIDE_AHEAD_S)
    due_s = wait_s + min(settings.collect_s, DECIDE_AHEAD_S) + settings.ahead_s + max(0.0, settings.offset_s)
    return StepTimes(behind_s + wait_s, behind_s + due_s, behind_s + wait_s - arrives_s)
