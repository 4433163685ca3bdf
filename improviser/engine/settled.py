"""A step that was played, with all that the player did in it: what there is to learn from it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.engine.situation import rewards_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from improviser.engine.decision import Decision
    from improviser.engine.role import Role
    from improviser.listening.line import Line
    from improviser.listening.observation import Place
    from improviser.listening.player import Player

# Settled steps that nobody has asked for are kept up to this number.
_KEPT: Final = 64


@dataclass(slots=True)
class SettledStep:
    """A step that was played.

    Attributes:
        decision: What was decided.
        at_s: The moment of the step in seconds, counted without swing.
        place: The place of the step in the music.
        role: The role that played it.
        own: Our line after the step; None if it has not begun.
        player: The player's state after the step, with all that was heard late; None until the step is settled.
    """

    decision: Decision
    at_s: float
    place: Place
    role: Role
    own: Line | None = None
    player: Player | None = None

    def rewards(self) -> dict[str, float] | None:
        """Return the terms of the step's reward by name, then the components; None if there is nothing to judge."""
        if self.own is None or self.player is None:
            return None
        return rewards_of(self.own, self.player, self.place, self.role)


class PlayedSteps:
    """The steps that were played, in order: those of which something may still be heard, and the settled ones."""

    def __init__(self) -> None:
        """Start with none."""
        self._played: deque[SettledStep] = deque()
        self._settled: deque[SettledStep] = deque(maxlen=_KEPT)

    @property
    def last(self) -> SettledStep:
        """The last step, which is not settled yet."""
        return self._played[-1]

    def add(self, step: SettledStep) -> None:
        """Add a step that was just played."""
        self._played.append(step)

    def settle(self, players: Iterable[tuple[int, Player]]) -> None:
        """Settle the first steps, with the player's state after each, as `Listener.settle` returns them."""
        for _, player in players:
            settled = self._played.popleft()
            settled.player = player
            self._settled.append(settled)

    def take_settled(self) -> list[SettledStep]:
        """Return the settled steps, in order; each is returned once."""
        settled = list(self._settled)
        self._settled.clear()
        return settled
