"""Actors that need no training, and sessions in which they play.

All are functions of the observation alone, so what is played does not depend on how often they are asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.agent.checkpoint import weight_shapes
from improviser.agent.config import Group, NetworkConfig
from improviser.agent.policy import Policy
from improviser.engine import Engine, EngineSettings
from improviser.listening.observation import COLUMNS, GROUPS
from improviser.playing.actions import ACTION_COUNT, HOLD_ACTION, REST_ACTION
from improviser.playing.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from improviser.agent.policy import Actor, Values, Weights
    from improviser.midi.message import TimedMessage

HIDDEN: Final = 16
# A wish outweighs this.
SECOND_BEST: Final = 0.5


@dataclass(frozen=True, slots=True)
class Figure:
    """Plays a figure, an action for each sixteenth of the bar, over and over; rests where that is not legal.

    Attributes:
        actions: The figure; after its end it begins anew.
        asked: The observations that it was asked about.
    """

    actions: tuple[int, ...]
    asked: list[npt.NDArray[np.uint8]] = field(default_factory=list)

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Give the figure's action 1, the rest SECOND_BEST and all others 0."""
        self.asked.append(observation.copy())
        sixteenth = int(observation[COLUMNS["sixteenth"].start])
        q_values = np.zeros(ACTION_COUNT, dtype=np.float32)
        q_values[REST_ACTION] = SECOND_BEST
        q_values[self.actions[sixteenth % len(self.actions)]] = 1.0
        return np.zeros(ACTION_COUNT, dtype=np.float32), q_values


@dataclass(frozen=True, slots=True)
class Indifferent:
    """Finds all actions equal, so that chance alone decides."""

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Give zeros."""
        del observation
        return np.zeros(ACTION_COUNT, dtype=np.float32), np.zeros(ACTION_COUNT, dtype=np.float32)


def holder() -> Figure:
    """Give an actor that plays the lowest note of its register on each downbeat and holds it for four beats."""
    return Figure((2, *[HOLD_ACTION] * 15))


def random_policy(seed: int = 0) -> Policy:
    """Give a policy of the live shape, but small, whose weights are drawn at random."""
    config = NetworkConfig(tuple(Group(*group) for group in GROUPS), ACTION_COUNT, HIDDEN)
    rng = np.random.default_rng(seed)
    networks: list[Weights] = [
        {name: rng.normal(0, 0.5, shape).astype(np.float32) for name, shape in weight_shapes(config).items()}
        for _ in range(2)
    ]
    return Policy(config, *networks)


def make_engine(actor: Actor, seed: int = 0, **settings: object) -> Engine:
    """Give an engine; what `settings` does not say is as in EngineSettings, but for the temperature 0."""
    chosen = EngineSettings(**{"temperature": 0.0, **settings})  # type: ignore[arg-type]  # any setting may be given
    return Engine(chosen, actor, np.random.default_rng(seed))


def play_session(
    engine: Engine,
    heard: Sequence[TimedMessage],
    until_s: float,
    between: Callable[[Engine], object] = lambda _: None,
    lateness: Callable[[], float] = lambda: 0.0,
) -> list[TimedMessage]:
    """Give what leaves the scheduler when `engine` plays beside `heard` until `until_s`, all notes released.

    Args:
        engine: Plays.
        heard: In the order of time.
        until_s: When the session ends.
        between: What is done to the engine after each message.
        lateness: By how many seconds each step is asked for too late, all that came meanwhile being heard.
    """
    scheduler = Scheduler(engine.settings.max_note_s)
    played: list[TimedMessage] = []
    waiting = list(reversed(heard))
    while True:
        late_s = lateness()
        while waiting and waiting[-1].due_s <= _moment(engine, until_s) + late_s:
            timed = waiting.pop()
            engine.hear(timed.message, timed.due_s)
            between(engine)
        step_s = engine.next_step_s
        if step_s is None or step_s > until_s:
            break
        for message in engine.step(step_s + late_s):
            scheduler.add(message)
        played += scheduler.pop_due(step_s)
    return played + scheduler.pop_due(until_s) + scheduler.release(until_s)


def _moment(engine: Engine, until_s: float) -> float:
    """Give when the engine wants to be asked next, the end where it waits."""
    step_s = engine.next_step_s
    return until_s if step_s is None else min(step_s, until_s)
