"""Records what to learn from while an engine plays: transitions, and what the player did."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from improviser.agent.preference import press_credit
from improviser.music.meter import METERS, SIXTEENTHS_PER_BEAT
from improviser.music.pitch import OCTAVE
from improviser.rewards import COMPONENTS

if TYPE_CHECKING:
    import numpy.typing as npt

    from improviser.agent.policy import FloatArray
    from improviser.engine.core import Engine
    from improviser.engine.settled import SettledStep
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
        meter: Row of METERS.
    """

    event: int
    bits: int
    bass: int
    key: int
    certainty: int
    meter: int


class Experience:
    """Follows an engine from step to step, and collects transitions and the player's steps.

    Attributes:
        stretches: What the player did. Each stretch has no gap and one meter, and begins at a bar line; the last one is
            still open.
    """

    def __init__(self) -> None:
        """Start without any records."""
        self.stretches: list[list[PlayerStep]] = [[]]
        self._decided: tuple[float, Rows, int, FloatArray] | None = None
        self._complete: Transition | None = None
        self._moments: deque[float] = deque(maxlen=_KEPT)
        self._step = -1

    def transitions(self, engine: Engine) -> list[Transition]:
        """Process the steps of an engine of which all is heard now; return the transitions that they complete."""
        return [
            each for settled in engine.take_settled() for each in self._add(settled, engine.settings.steps_per_beat)
        ]

    def _add(self, settled: SettledStep, steps_per_beat: int) -> list[Transition]:
        """Process a settled step; return the transitions that it completes."""
        decision = settled.decision
        given = [] if decision.step == self._step + 1 else self.cut()
        self._step = decision.step
        self._keep(_player_step(settled), int(settled.place.sixteenth[0]), steps_per_beat)
        observation, legal, rewards = decision.observation, decision.legal, settled.rewards()
        if observation is None or legal is None or rewards is None:
            return given + self._interrupt()
        if self._decided is not None:
            at_s, before, action, reward = self._decided
            given += self._complete_with(Transition(at_s, before, action, reward, observation, legal))
        worth = np.array([rewards[name] for name in COMPONENTS], dtype=np.float32)
        self._decided = settled.at_s, observation, decision.action, worth
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

    def _keep(self, step: PlayerStep, sixteenth: int, steps_per_beat: int) -> None:
        """Keep the player's step at a sixteenth of its bar. Bars that are counted anew begin another stretch."""
        bar_steps = METERS[step.meter].bar_steps(steps_per_beat)
        expected = len(self.stretches[-1]) % bar_steps * SIXTEENTHS_PER_BEAT // steps_per_beat
        if self.stretches[-1] and (step.meter, sixteenth) != (self.stretches[-1][-1].meter, expected):
            self.stretches.append([])
        if self.stretches[-1] or sixteenth == 0:
            self.stretches[-1].append(step)
            self._forget(bar_steps)

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


def _player_step(settled: SettledStep) -> PlayerStep:
    """Return what the player did in a settled step."""
    player, place = settled.player, settled.place
    assert player is not None  # noqa: S101 - it is settled
    return PlayerStep(
        int(player.line.events[0, -1]),
        int(player.bits[0]),
        int(player.bass[0]),
        int(place.tonic[0]) + OCTAVE * int(place.mode[0]),
        int(place.certainty[0]),
        int(place.meter[0]),
    )
