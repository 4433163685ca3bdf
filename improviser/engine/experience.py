"""Records what to learn from while an engine plays: transitions, and what the player did."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from improviser.agent.preference import press_credit
from improviser.listening.observation import certainty
from improviser.music.pitch import OCTAVE
from improviser.rewards import COMPONENTS

if TYPE_CHECKING:
    import numpy.typing as npt

    from improviser.agent.policy import FloatArray
    from improviser.engine.core import Engine
    from improviser.listening.observation import Rows

# Steps of the longest feedback window at the fastest tempo and grid.
_KEPT: Final = 128
# How many of the player's steps are kept: four and a half minutes of sixteenths at 112 beats per minute.
PLAYER_STEPS: Final = 2048


@dataclass(slots=True)
class Transition:
    """A transition from one decision to the next.

    Attributes:
        at_s: The moment of the decided step, in seconds.
        observation: (columns,) the observation of the decision.
        action: Index of the action.
        reward: (components,) the components of the reward.
        next_observation: (columns,) the observation of the next decision.
        next_legal: (actions,) the actions that are legal there.
        is_cut: Whether the next transition does not follow this one, because time was skipped.
    """

    at_s: float
    observation: Rows
    action: int
    reward: FloatArray
    next_observation: Rows
    next_legal: npt.NDArray[np.bool_]
    is_cut: bool = False


class PlayerStep(NamedTuple):
    """What the player did in a step, and the key that was assumed; see training.grid.Part.

    Attributes:
        event: Event of the top voice.
        bits: Twelve-bit set of the sounding pitch classes.
        bass: The lowest sounding note.
        key: Index of the key.
        certainty: How certain the key is.
    """

    event: int
    bits: int
    bass: int
    key: int
    certainty: int


class Experience:
    """Follows an engine from step to step, and collects transitions and the player's steps.

    Attributes:
        stretches: What the player did. Each stretch has no gap and begins at a bar line; the last one is still open.
    """

    def __init__(self) -> None:
        """Start without any records."""
        self.stretches: list[list[PlayerStep]] = [[]]
        self._decided: tuple[float, Rows, int, FloatArray] | None = None
        self._complete: Transition | None = None
        self._moments: deque[float] = deque(maxlen=_KEPT)
        self._step = -1

    def transitions(self, engine: Engine) -> list[Transition]:
        """Process the step that an engine has just decided; return the transitions that it completes."""
        decision = engine.decision
        if decision is None or decision.step == self._step:
            return self.cut()  # the engine waits for the player
        given = [] if decision.step == self._step + 1 else self.cut()
        self._step = decision.step
        if self.stretches[-1] or decision.step % engine.settings.bar_steps == 0:
            self.stretches[-1].append(_player_step(engine))
            self._forget(engine.settings.bar_steps)
        observation, legal = decision.observation, decision.legal
        if observation is None or legal is None:
            return given + self._interrupt()
        if self._decided is not None:
            at_s, before, action, reward = self._decided
            given += self._complete_with(Transition(at_s, before, action, reward, observation, legal))
        rewards = engine.rewards()
        worth = np.array([rewards[name] for name in COMPONENTS], dtype=np.float32)
        self._decided = engine.s_at(decision.beat), observation, decision.action, worth
        return given

    def cut(self) -> list[Transition]:
        """Record that the next step does not follow the last one; return the complete transitions."""
        if self.stretches[-1]:
            self.stretches.append([])
        return self._interrupt()

    def credits(self, at_s: float) -> list[tuple[int, float]]:
        """Return the transitions that feedback at `at_s` means: how many ago each was returned, and its share of 1."""
        ages = [at_s - moment for moment in reversed(self._moments)]
        credit = press_credit(ages)
        total = float(credit.sum())
        return [(back, float(share) / total) for back, share in enumerate(credit) if share > 0]

    def _forget(self, bar_steps: int) -> None:
        """Remove the player's oldest steps: whole stretches, or bars of the open one."""
        while sum(map(len, self.stretches)) > PLAYER_STEPS:
            if len(self.stretches) > 1:
                del self.stretches[0]
            else:
                del self.stretches[0][:bar_steps]

    def _complete_with(self, lived: Transition) -> list[Transition]:
        """Keep a transition until it is known whether another one follows; return the one before it."""
        given = [] if self._complete is None else [self._given(self._complete)]
        self._complete = lived
        return given

    def _interrupt(self) -> list[Transition]:
        """Drop the last decision, whose outcome is unknown; return the complete transitions."""
        self._decided = None
        if self._complete is None:
            return []
        last, self._complete = self._complete, None
        last.is_cut = True
        return [self._given(last)]

    def _given(self, lived: Transition) -> Transition:
        """Record that a transition is returned, and return it."""
        self._moments.append(lived.at_s)
        return lived


def _player_step(engine: Engine) -> PlayerStep:
    """Return what the player did in the last step."""
    player, key = engine.player, engine.key
    return PlayerStep(
        int(player.line.events[0, -1]),
        int(player.bits[0]),
        int(player.bass[0]),
        key.tonic + OCTAVE * int(key.mode),
        certainty(engine.key_confidence),
    )
