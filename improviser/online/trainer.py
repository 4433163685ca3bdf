"""Follows a playing engine, learns from it, and regularly offers new weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.engine.experience import Experience
from improviser.engine.role import ROLES
from improviser.evaluation.baselines import Conditions
from improviser.listening.line import REST
from improviser.listening.observation import STYLES
from improviser.listening.player import player_base
from improviser.music.pitch import MIDDLE_C
from improviser.online.acceptance import AcceptanceResult
from improviser.playing.actions import register_base
from improviser.training.env import Game, RewardWeights, playable
from improviser.training.features import player_table
from improviser.training.grid import UNKNOWN, Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.agent.policy import FloatArray, Policy, Weights
    from improviser.engine import Engine, EngineSettings
    from improviser.engine.experience import PlayerStep
    from improviser.online.acceptance import AcceptanceTest
    from improviser.online.online_learner import OnlineLearner

# Updates per step of the music: nine thousand in ten minutes at 112 beats per minute. With the acceptance tests they
# take a sixth of a core (Source: docs/decisions/0010).
UPDATES_A_STEP: Final = 2
# Bars between two acceptance tests.
JUDGED_BARS: Final = 8
# Number of stretches, and beats in each, of the player's latest music in the acceptance test.
STRETCHES, STRETCH_BEATS = 8, 32
# Time constant, in steps, of the moving average of the reward.
_REWARD_STEPS: Final = 128


@dataclass(frozen=True, slots=True)
class Offer:
    """Learned weights with the result of their acceptance test.

    Attributes:
        weights: Weights above the first layer.
        policy: Policy with these weights.
        verdict: Result of the acceptance test.
    """

    weights: Weights
    policy: Policy
    verdict: AcceptanceResult


class OnlineTrainer:
    """Learns from a playing engine.

    Threads: belongs to one thread.

    Attributes:
        reward: Moving average of the reward per step; None before the first step.
        is_frozen: Whether learning is paused.
    """

    def __init__(
        self,
        model: Policy,
        learner: OnlineLearner,
        acceptance_test: AcceptanceTest | None,
        rewards: FloatArray,
        rng: np.random.Generator,
    ) -> None:
        """Start with an engine that plays with `model`.

        Args:
            model: The policy as it was trained.
            learner: Learns from the transitions.
            acceptance_test: Tests the learned weights; None accepts all of them.
            rewards: (components,) weights of the reward components while all knobs are at their preset positions.
            rng: Random generator for the games that the learner plays with the player's music.
        """
        self.learner, self._acceptance_test = learner, acceptance_test
        self._model = self._playing = model
        self._rewards, self._rng = rewards, rng
        self._experience = Experience()
        self._turned: FloatArray = rewards
        self._steps = 0
        self.reward: float | None = None
        self.is_frozen = False

    def step(self, engine: Engine, *, learns: bool = True) -> Offer | None:
        """Learn from the latest step of an engine; return an offer if an acceptance test is due.

        With `learns` false the step is only stored. A learner that has fallen behind uses that.
        """
        lived = self._experience.transitions(engine)
        self.learner.live(lived)
        for one in lived:
            worth = float(one.reward @ self._rewards)
            self.reward = worth if self.reward is None else self.reward + (worth - self.reward) / _REWARD_STEPS
        if self.is_frozen or not learns or not self.learner.lived:
            return None
        self._turn(engine)
        self.learner.learn(UPDATES_A_STEP)
        self._steps += 1
        if self._steps % (JUDGED_BARS * engine.meter.bar_steps(engine.settings.steps_per_beat)):
            return None
        return self._offer(engine)

    def press(self, at_s: float, *, liked: bool) -> None:
        """Learn from feedback, a like or a dislike, at `at_s`."""
        self.learner.press(self._experience.credits(at_s), liked=liked)

    def take_back(self, *, everything: bool) -> None:
        """Remove the last feedback, or all of it, from the rewards."""
        self.learner.take_back(everything=everything)

    def cut(self) -> None:
        """Record that the engine continues at another place of the music."""
        self.learner.live(self._experience.cut())

    def adopt(self, playing: Policy) -> None:
        """Record the policy that the engine plays with now."""
        self._playing = playing

    def go_back(self, playing: Policy) -> None:
        """Continue to learn from the policy that the engine plays with now, and drop what was learned since."""
        self._playing = playing
        self.learner.go_back(playing.upper_layers)

    def _turn(self, engine: Engine) -> None:
        """Set the weights of the reward components to the positions of the knobs."""
        stands, preset = engine.panel.knobs.weights, engine.settings.knobs.weights
        turned = self._rewards * np.where(preset == 0, 1, stands / np.where(preset == 0, 1, preset))
        if not np.array_equal(turned, self._turned):
            self._turned = turned
            self.learner.reweigh(turned)

    def _offer(self, engine: Engine) -> Offer:
        """Test the learned weights; on a fault, continue from the weights in use."""
        parts = heard_parts(self._experience.stretches, engine.settings)
        if parts:
            table = player_table(parts)
            self.learner.imagine(Game(parts, table, self.learner.lanes, self._rng))
        weights = self.learner.offer()
        policy = self._model.with_upper_layers(weights)
        if self._acceptance_test is None:
            verdict = AcceptanceResult("", np.nan, np.inf, np.nan)
        else:
            stands = Conditions(engine.panel.knobs, RewardWeights(*map(float, self._turned)))
            verdict = self._acceptance_test.judge(policy, self._playing, lately(parts), stands)
        if verdict.fault:
            self.learner.go_back(self._playing.upper_layers)
        return Offer(weights, policy, verdict)


def heard_parts(stretches: Sequence[Sequence[PlayerStep]], settings: EngineSettings) -> list[Part]:
    """Return the stretches that a player played with an engine, if they are long enough for a game."""
    return playable(_part(stretch, settings) for stretch in stretches if stretch)


def lately(parts: Sequence[Part]) -> list[Part]:
    """Return the latest stretches that a player played, the newest last."""
    found: list[Part] = []
    for part in reversed(parts):
        length = STRETCH_BEATS * part.steps_per_beat // part.bar_steps * part.bar_steps
        whole = len(part.player) // part.bar_steps * part.bar_steps
        for end in range(whole, length - 1, -length):
            if len(found) < STRETCHES:
                found.insert(0, part.stretch(end - length, end))
    return found


def _part(stretch: Sequence[PlayerStep], settings: EngineSettings) -> Part:
    """Return a stretch as a part."""
    events, bits, bass, keys, certainty, _ = (np.array(column) for column in zip(*stretch, strict=True))
    notes = events[events >= 0]
    return Part(
        name="played",
        style=STYLES.index(settings.style),
        mode=0,
        meter=stretch[0].meter,
        steps_per_beat=settings.steps_per_beat,
        player=events.astype(np.int16),
        bits=bits,
        bass=bass,
        keys=keys,
        certainty=certainty,
        chords=np.full(len(events), UNKNOWN),
        given=np.full(len(events), UNKNOWN),
        is_late=np.zeros(len(events), dtype=np.bool_),
        partner=np.full(len(events), REST, dtype=np.int16),
        player_base=player_base(float(notes.mean()) if len(notes) else MIDDLE_C, 0),
        own_base=register_base(settings.register_low, 0),
        role=ROLES[settings.role],
    )
