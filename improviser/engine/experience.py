"""What an engine lives through, as something to learn from: transitions, and what the player did."""

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

# Steps of the longest window of a press at the fastest tempo and grid.
_KEPT: Final = 128
# So many steps of what the player did are kept: four and a half minutes of sixteenths at 112 beats a minute.
PLAYER_STEPS: Final = 2048


@dataclass(slots=True)
class Transition:
    """A transition.

    Attributes:
        at_s: When it was decided for.
        observation: (columns,) what was seen.
        action: What was done.
        reward: (components,) what that was worth.
        next_observation: (columns,) what was seen then.
        next_legal: (actions,) what was legal then.
        is_cut: Whether nothing that follows is known: the next transition is of another time.
    """

    at_s: float
    observation: Rows
    action: int
    reward: FloatArray
    next_observation: Rows
    next_legal: npt.NDArray[np.bool_]
    is_cut: bool = False


class PlayerStep(NamedTuple):
    """What the player did in a step, and what was believed of it: see training.grid.Part.

    Attributes:
        event: Of the top voice.
        bits: Twelve-bit set of the pitch classes that sound.
        bass: The lowest note.
        key: Index of the key.
        certainty: How sure that is.
    """

    event: int
    bits: int
    bass: int
    key: int
    certainty: int


class Experience:
    """Follows an engine from step to step.

    Attributes:
        stretches: What the player did, each stretch without a gap, from a bar line on; the last one goes on.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.stretches: list[list[PlayerStep]] = [[]]
        self._decided: tuple[float, Rows, int, FloatArray] | None = None
        self._complete: Transition | None = None
        self._moments: deque[float] = deque(maxlen=_KEPT)
        self._step = -1

    def transitions(self, engine: Engine) -> list[Transition]:
        """Process the step that an engine has just decided; return the transitions that are complete by it."""
        decision = engine.decision
        if decision is None or decision.step == self._step:
            return self.cut()  # it waits for the player
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
        """Record that what comes is of another time; return what is complete."""
        if self.stretches[-1]:
            self.stretches.append([])
        return self._interrupt()

    def credits(self, at_s: float) -> list[tuple[int, float]]:
        """Return what a press at `at_s` means: how many transitions ago each was given, and its share of 1."""
        ages = [at_s - moment for moment in reversed(self._moments)]
        credit = press_credit(ages)
        total = float(credit.sum())
        return [(back, float(share) / total) for back, share in enumerate(credit) if share > 0]

    def _forget(self, bar_steps: int) -> None:
        """Forget what the player did long ago: whole stretches, and bars of the one that goes on."""
        while sum(map(len, self.stretches)) > PLAYER_STEPS:
            if len(self.stretches) > 1:
                del self.stretches[0]
            else:
                del self.stretches[0][:bar_steps]

    def _complete_with(self, lived: Transition) -> list[Transition]:
        """Keep a transition until it is known whether it is followed; return the one before it."""
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
        """Record that a transition is given."""
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
