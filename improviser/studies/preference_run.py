"""Simulated listeners with a hidden preference press like and dislike: how well does the improviser learn it?

See docs/taste.md. Everything runs in the live engine: players of the held-out corpus at their own tempo, presses that
come late and are sometimes wrong, and the preference learned from them. The gain of a preference is measured from the
moment when it was learned. The same bars are then played with the preference, without it, and by an oracle that knows
the hidden preference, several times each.
"""

from __future__ import annotations

import copy
import math
from collections import deque
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.agent.preference import LARGEST
from improviser.engine import Engine, EngineSettings
from improviser.engine.preference_features import TUNE_TRAITS
from improviser.playing.actions import FIRST_ONSET
from improviser.rewards import COMPONENTS
from improviser.training.part_edit import part_messages, repeated
from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from improviser.agent.policy import Actor
    from improviser.midi.message import Message
    from improviser.training.grid import Part

FloatArray = npt.NDArray[np.float32]

# The features that a hidden preference can be about.
TASTES: Final = ("leap", "onset", "high", "colour")
# A note counts as one of these features from this value on.
_COUNTS: Final = {"leap": 0.3, "high": 0.0, "colour": 0.5}
# The delay from what a press means to the press, drawn from a uniform distribution.
DELAY_S: Final = (0.2, 2.0)
# How far a listener looks back, and the shortest time between two presses.
LOOK_S: Final = 2.0
PAUSE_S: Final = 3.0
# A listener presses for what is in this lowest, or highest, share of the usual scores.
STANDS_OUT: Final = 0.05
BEATS: Final = 4 * 200
LONGEST_S: Final = 120.0
# The usual scores are those of this many bars, continued in this many ways.
USUAL_BARS, USUAL_SEEDS = 16, 4
WARM_UP_BARS: Final = 8


@dataclass(frozen=True, slots=True)
class PreferenceStep:
    """A step as a listener hears it.

    Attributes:
        at_s: Time of the step.
        is_onset: Whether a note began.
        traits: (traits,) features of the action.
        reward: The mean of harmony, coherence and creativity; nan where it was not requested.
    """

    at_s: float
    is_onset: bool
    traits: FloatArray
    reward: float = math.nan


@dataclass(frozen=True, slots=True)
class PreferenceOutcome:
    """The result of some bars: their utility for a preference, and the mean reward per step."""

    utility: float
    reward: float


class PreferenceSession:
    """An engine beside a player of the corpus, played one step at a time.

    Attributes:
        heard: The most recent steps.
        is_judged: Whether rewards are computed too.
    """

    def __init__(self, actor: Actor, settings: EngineSettings, part: Part, seed: int) -> None:
        """Begin with the part's first bar."""
        self._actor = actor
        self.settings = replace(settings, patience_bars=0, collect_s=0.0)
        self.engine = Engine(self.settings, actor, np.random.default_rng(seed))
        self.engine.start(0.0, 0.0)
        self.heard: deque[PreferenceStep] = deque(maxlen=4096)
        self._step_s = S_PER_MINUTE / settings.tempo_bpm / settings.steps_per_beat
        whole = repeated(part, BEATS)
        self._messages: list[tuple[float, Message]] = list(part_messages(whole))
        self._at = 0
        self.step_number = 0
        self.is_judged = False

    @property
    def now_s(self) -> float:
        """The time of the next step."""
        return self.step_number * self._step_s

    def play(self) -> PreferenceStep | None:
        """Play a step; return what was heard, None where nothing was decided."""
        while self._at < len(self._messages) and self._messages[self._at][0] <= self.step_number + 1e-9:
            step, message = self._messages[self._at]
            self.engine.hear(message, step * self._step_s)
            self._at += 1
        at_s = self.now_s
        self.engine.step(at_s)
        self.step_number += 1
        decision = self.engine.decision
        if decision is None or decision.choice is None:
            return None
        heard = PreferenceStep(at_s, decision.action >= FIRST_ONSET, self.engine.preferences.last, self._reward())
        self.heard.append(heard)
        return heard

    def _reward(self) -> float:
        """Return the mean of the components of the last step's reward; nan where it was not requested."""
        if not self.is_judged:
            return math.nan
        rewards = self.engine.rewards()
        return sum(rewards[name] for name in COMPONENTS) / len(COMPONENTS)

    def play_bars(self, bars: int) -> list[PreferenceStep]:
        """Play some bars; return what was heard."""
        steps = (self.play() for _ in range(bars * self.settings.bar_steps))
        return [heard for heard in steps if heard is not None]

    def fork(self, seed: int) -> PreferenceSession:
        """Return a session that continues from here with other random numbers."""
        twin = copy.copy(self)
        twin.heard = deque(self.heard, maxlen=self.heard.maxlen)
        twin.engine = copy.deepcopy(self.engine, {id(self._actor): self._actor})
        twin.engine.reseed(np.random.default_rng(seed))
        return twin


def measures(heard: Sequence[PreferenceStep]) -> dict[str, float]:
    """Return the measures of preferences: onsets per step; leaps, high notes and colour notes per onset."""
    onsets = [one for one in heard if one.is_onset]
    found = {"onset": len(onsets) / max(1, len(heard))}
    for name, least in _COUNTS.items():
        place = TUNE_TRAITS.names.index(name)
        found[name] = sum(one.traits[place] > least for one in onsets) / max(1, len(onsets))
    return found


@dataclass
class SimulatedListener:
    """Prefers more or less of some measures than the improviser plays by itself, and presses accordingly.

    Attributes:
        taste: +1 or -1 by the name of a measure.
        usual: The score up to which it dislikes, and the score from which it likes, as `usual_scores` returns them.
        rng: Draws delays and errors.
        errors: Share of presses that say the opposite.
        only: True if it only presses like, False if it only presses dislike, None if it presses both.
    """

    taste: Mapping[str, float]
    usual: tuple[float, float]
    rng: np.random.Generator
    errors: float = 0.0
    only: bool | None = None
    presses: int = 0
    _waiting: list[tuple[float, bool]] = field(default_factory=list)
    _pressed_s: float = -PAUSE_S

    def listen(self, session: PreferenceSession) -> None:
        """Judge the last seconds, and press like or dislike when a press is due."""
        now_s = session.now_s
        due = [press for press in self._waiting if press[0] <= now_s]
        for at_s, liked in due:
            self._waiting.remove((at_s, liked))
            self.presses += session.engine.preferences.judge(at_s, liked=liked)
        window = _lately(session)
        if len(window) < session.settings.steps_per_beat:
            return
        low, high = self.usual
        score = utility(window, self.taste)
        means = score >= high
        is_meant = not low < score < high and self.only in {None, means}
        if is_meant and now_s - self._pressed_s > PAUSE_S:
            self._pressed_s = now_s
            liked = means ^ bool(self.rng.random() < self.errors)
            self._waiting.append((now_s + float(self.rng.uniform(*DELAY_S)), liked))


# The spread of each measure over two seconds.
SPREADS: Final = {"onset": 0.1, "leap": 0.2, "high": 0.3, "colour": 0.25}


def utility(heard: Sequence[PreferenceStep], taste: Mapping[str, float]) -> float:
    """Return the utility of what was heard for a preference."""
    found = measures(heard)
    return sum(sign * found[name] / SPREADS[name] for name, sign in taste.items())


def _lately(session: PreferenceSession) -> list[PreferenceStep]:
    """Return the steps of the last LOOK_S seconds."""
    since_s = session.now_s - LOOK_S
    return list(takewhile(lambda one: one.at_s > since_s, reversed(session.heard)))


def usual_scores(session: PreferenceSession, taste: Mapping[str, float]) -> tuple[float, float]:
    """Return the limits of the usual utilities of two seconds, when the engine plays without any preference."""
    scores = list[float]()
    for seed in range(USUAL_SEEDS):
        twin = session.fork(seed)
        twin.engine.preferences.restore({})
        twin.heard.clear()
        for _ in range(USUAL_BARS * twin.settings.bar_steps):
            twin.play()
            window = _lately(twin)
            if len(window) >= twin.settings.steps_per_beat:
                scores.append(utility(window, taste))
    low, high = np.quantile(scores, (STANDS_OUT, 1 - STANDS_OUT))
    return float(low), float(high)


def gain(
    session: PreferenceSession, taste: Mapping[str, float], bars: int, seeds: Sequence[int]
) -> tuple[PreferenceOutcome, PreferenceOutcome, PreferenceOutcome]:
    """Return the results of the next bars without the learned preference, with it, and with the hidden one."""
    worth = dict(zip(TUNE_TRAITS.names, (LARGEST * TUNE_TRAITS.worth).tolist(), strict=True))
    oracle = {name: worth[name] * np.sign(sign) for name, sign in taste.items()}
    learned = session.engine.preferences.to_dict()
    without, with_, by_oracle = (
        _mean([_played_by(session, seed, weights, bars, taste) for seed in seeds]) for weights in ({}, learned, oracle)
    )
    return without, with_, by_oracle


def _played_by(
    session: PreferenceSession, seed: int, weights: Mapping[str, float], bars: int, taste: Mapping[str, float]
) -> PreferenceOutcome:
    """Return the result of the next bars with these weights of a preference."""
    twin = session.fork(seed)
    twin.is_judged = True
    twin.engine.preferences.restore(weights)
    heard = twin.play_bars(bars)
    return PreferenceOutcome(utility(heard, taste), sum(one.reward for one in heard) / max(1, len(heard)))


def _mean(outcomes: Sequence[PreferenceOutcome]) -> PreferenceOutcome:
    """Return the mean of some results."""
    count = len(outcomes)
    return PreferenceOutcome(
        sum(each.utility for each in outcomes) / count, sum(each.reward for each in outcomes) / count
    )


def change_after_presses(
    session: PreferenceSession,
    name: str,
    rng: np.random.Generator,
    *,
    presses: int = 3,
    bars: int = 4,
    seeds: int = 16,
) -> float | None:
    """Dislike a measure where it stands out; return its relative change in the next bars, None without any press.

    The change is that of the mean over several continuations, compared with as many continuations without the presses.
    A measure that has already moved gives fewer occasions to dislike it. So after two minutes the function works with
    the presses made so far.
    """
    taste = {name: -1.0}
    listener = SimulatedListener(taste, usual_scores(session, taste), rng, only=False)
    until_s = session.now_s + LONGEST_S
    while listener.presses < presses and session.now_s < until_s:
        session.play()
        listener.listen(session)
    if not listener.presses:
        return None
    pairs = [(with_, without) for with_, without in _both_ways(session, name, bars, range(seeds))]
    learned, usual = (float(np.mean(values)) for values in zip(*pairs, strict=True))
    return (learned - usual) / usual if usual > 0 else None


def _both_ways(session: PreferenceSession, name: str, bars: int, seeds: Sequence[int]) -> Iterator[tuple[float, float]]:
    """Yield, for each seed, a measure of the next bars with the learned preference and without it."""
    for seed in seeds:
        with_, without = session.fork(seed), session.fork(seed)
        without.engine.preferences.restore({})
        yield measures(with_.play_bars(bars))[name], measures(without.play_bars(bars))[name]
