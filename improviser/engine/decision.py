"""A decision, kept so that it can be shown and explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from improviser.engine.why import Reason, reasons
from improviser.music.pitch import NO_SPAN

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from improviser.agent.policy import Choice
    from improviser.engine.anticipation import Expected
    from improviser.engine.role import Role
    from improviser.listening.observation import Rows
    from improviser.music.pitch import Span
    from improviser.playing.actions import Gesture


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided in a step, with its harmony.

    Attributes:
        step: Number of the step since the start.
        beat: Position of the step in beats.
        action: Index of the action.
        gesture: What the action does.
        key: Name of the key.
        chord: Name of the implied chord, None if none is implied.
        choice: The numbers behind the action; None if nothing was chosen, as in a skipped or forced step.
        role: The role that says what actions mean.
        tonic: Pitch class of the key.
        base: The note from which actions count.
        before: The notes that were struck last before this step.
        hands: The player's lowest and highest note of late.
        observation: (columns,) the observation of the decision; None if nothing was chosen.
        legal: (actions,) which actions were legal; None if nothing was chosen.
        expected: What the player was expected to do in the step, the likeliest first; empty if it was known.
        mended: The notes that this decision ended because they clashed with a note heard later; else empty.
    """

    step: int
    beat: float
    action: int
    gesture: Gesture
    key: str
    chord: str | None
    choice: Choice | None
    role: Role
    tonic: int
    base: int
    before: tuple[int, ...]
    hands: Span = NO_SPAN
    observation: Rows | None = None
    legal: npt.NDArray[np.bool_] | None = None
    expected: tuple[Expected, ...] = ()
    mended: tuple[int, ...] = ()

    @property
    def allowed(self) -> tuple[int, int] | None:
        """How many actions were legal, and how many there are; None if nothing was chosen."""
        return None if self.legal is None else (int(self.legal.sum()), len(self.legal))

    def expectations(self, count: int = 3) -> tuple[dict[str, object], ...]:
        """Return the likeliest things that the player was expected to do, as plain values; none if it was known."""
        return tuple(each.to_json() for each in self.expected[:count])

    def meaning(self, action: int) -> Gesture:
        """Return the gesture that an action stands for in this step."""
        return self.role.gesture(action, self.tonic, self.base, self.before, self.hands)

    def reasons(self, count: int = 3) -> list[Reason]:
        """Return the reasons for the action and for the likeliest others; an empty list if nothing was chosen."""
        return [] if self.choice is None else reasons(self.choice, self.meaning, count)
