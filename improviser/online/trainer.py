"""Follows an engine that plays, learns from it, and now and then has a set of weights to offer."""

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
from improviser.music.meter import METERS, Meter
from improviser.music.pitch import MIDDLE_C
from improviser.online.acceptance import AcceptanceResult
from improviser.playing.actions import register_base
from improviser.training.env import Game, RewardWeights, playable
from improviser.training.features import player_table
from improviser.training.grid import Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.agent.policy import FloatArray, Policy, Weights
    from improviser.engine import Engine, EngineSettings
    from improviser.engine.experience import PlayerStep
    from improviser.online.acceptance import AcceptanceTest
    from improviser.online.online_learner import OnlineLearner

# Updates for each step of the music: nine thousand in ten minutes at 112 beats a minute, for a sixth of a
# core with all that is judged (Source: docs/decisions/0010).
UPDATES_A_STEP: Final = 2
# A set is judged every so many bars.
JUDGED_BARS: Final = 8
# It is judged beside so many stretches of so many beats, the last that the player played.
STRETCHES, STRETCH_BEATS = 8, 32
# The mean reward of a step is followed over so many.
_REWARD_STEPS: Final = 128


@dataclass(frozen=True, slots=True)
class Offer:
    """A set of weights and what it was found to be.

    Attributes:
        weights: Those above the first layer.
        policy: What plays by them.
        verdict: Whether they may be played by.
    """

    weights: Weights
    policy: Policy
    verdict: AcceptanceResult


class OnlineTrainer:
    """Learns beside an engine.

    Threads: belongs to one thread.

    Attributes:
        reward: The mean reward of the last steps that were lived through; None before any.
        is_frozen: Whether nothing is learned for now.
    """

    def __init__(
        self,
        model: Policy,
        learner: OnlineLearner,
        guard: AcceptanceTest | None,
        rewards: FloatArray,
        rng: np.random.Generator,
    ) -> None:
        """Begin beside an engine that plays by `model`.

        Args:
            model: As it was trained.
            learner: Learns.
            guard: Judges what was learned; None accepts everything.
            rewards: (components,) how much each part of the reward counts, where no knob is turned.
            rng: Draws what the learner plays in its head.
        """
        self.learner, self._guard = learner, guard
        self._model = self._playing = model
        self._rewards, self._rng = rewards, rng
        self._experience = Experience()
        self._turned: FloatArray = rewards
        self._steps = 0
        self.reward: float | None = None
        self.is_frozen = False

    def step(self, engine: Engine, *, learns: bool = True) -> Offer | None:
        """Learn from the step that an engine has just decided; return a set, where it is time for one.

        Where it is told not to, as one who has fallen behind, it only remembers.
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
        if self._steps % (JUDGED_BARS * engine.settings.bar_steps):
            return None
        return self._offer(engine)

    def press(self, at_s: float, *, liked: bool) -> None:
        """Learn from a press at `at_s`."""
        self.learner.press(self._experience.credits(at_s), liked=liked)

    def take_back(self, *, everything: bool) -> None:
        """Remove the last feedback, or all of it, from the rewards."""
        self.learner.take_back(everything=everything)

    def cut(self) -> None:
        """Record that the engine goes on elsewhere in the music."""
        self.learner.live(self._experience.cut())

    def adopt(self, playing: Policy) -> None:
        """Record what is played by now."""
        self._playing = playing

    def go_back(self, playing: Policy) -> None:
        """Learn on from what is played by now, as if nothing had been learned since."""
        self._playing = playing
        self.learner.go_back(playing.upper_layers)

    def _turn(self, engine: Engine) -> None:
        """Set the weights of the reward components to what the knobs say."""
        stands, preset = engine.panel.knobs.weights, engine.settings.knobs.weights
        turned = self._rewards * np.where(preset == 0, 1, stands / np.where(preset == 0, 1, preset))
        if not np.array_equal(turned, self._turned):
            self._turned = turned
            self.learner.reweigh(turned)

    def _offer(self, engine: Engine) -> Offer:
        """Have what was learned judged; what would spoil something is forgotten."""
        parts = heard_parts(self._experience.stretches, engine.settings)
        if parts:
            table = player_table(parts)
            self.learner.imagine(Game(parts, table, self.learner.lanes, self._rng))
        weights = self.learner.offer()
        policy = self._model.with_upper_layers(weights)
        if self._guard is None:
            verdict = AcceptanceResult("", np.nan, np.inf, np.nan)
        else:
            stands = Conditions(engine.panel.knobs, RewardWeights(*map(float, self._turned)))
            verdict = self._guard.judge(policy, self._playing, lately(parts), stands)
        if verdict.fault:
            self.learner.go_back(self._playing.upper_layers)
        return Offer(weights, policy, verdict)


def heard_parts(stretches: Sequence[Sequence[PlayerStep]], settings: EngineSettings) -> list[Part]:
    """Return what a player played beside an engine, each stretch that is long enough for a game."""
    return playable(_part(stretch, settings) for stretch in stretches if stretch)


def lately(parts: Sequence[Part]) -> list[Part]:
    """Return the last stretches that a player played, the newest last."""
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
    events, bits, bass, keys, certainty = (np.array(column) for column in zip(*stretch, strict=True))
    notes = events[events >= 0]
    return Part(
        name="played",
        style=STYLES.index(settings.style),
        mode=0,
        meter=METERS.index(Meter(*settings.meter)),
        steps_per_beat=settings.steps_per_beat,
        player=events.astype(np.int16),
        bits=bits,
        bass=bass,
        keys=keys,
        certainty=certainty,
        is_late=np.zeros(len(events), dtype=np.bool_),
        partner=np.full(len(events), REST, dtype=np.int16),
        player_base=player_base(float(notes.mean()) if len(notes) else MIDDLE_C, 0),
        own_base=register_base(settings.register_low, 0),
        role=ROLES[settings.role],
    )
