"""Listeners with a hidden taste press like and dislike while the improviser plays: how well is it learned?

Metrics, section 6. Everything is the live engine's: players of the held-out corpus in their own time, presses
that come late and are sometimes wrong, the preference that is learned from them. What a taste gains is
measured from the very moment on which it was learned: the same bars are played on with it, without it, and
by an oracle that knows the taste, several times each.
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

# What tastes are of: the traits whose measures are told.
TASTES: Final = ("leap", "onset", "high", "colour")
# Of these traits' values a note counts as one from here on.
_COUNTS: Final = {"leap": 0.3, "high": 0.0, "colour": 0.5}
# A press comes so much after what it means, drawn evenly.
DELAY_S: Final = (0.2, 2.0)
# So long a listener looks back, and waits between two presses.
LOOK_S: Final = 2.0
PAUSE_S: Final = 3.0
# What is among so large a share of the least, or most, of what is usual is pressed for.
STANDS_OUT: Final = 0.05
BEATS: Final = 4 * 200
LONGEST_S: Final = 120.0
# What is usual to a listener is what they heard of so many bars, played on in so many ways.
USUAL_BARS, USUAL_SEEDS = 16, 4
WARM_UP_BARS: Final = 8


@dataclass(frozen=True, slots=True)
class PreferenceStep:
    """A step as a listener hears it.

    Attributes:
        at_s: Its moment.
        is_onset: Whether a note began.
        traits: (traits,) those of what was done.
        reward: The mean of harmony, coherence and creativity; nan where that was not asked for.
    """

    at_s: float
    is_onset: bool
    traits: FloatArray
    reward: float = math.nan


@dataclass(frozen=True, slots=True)
class PreferenceOutcome:
    """What some bars come to: how much they are to a taste, and the mean reward of their steps."""

    utility: float
    reward: float


class PreferenceSession:
    """An engine beside a player of the corpus, a step at a time.

    Attributes:
        heard: What was played lately.
        is_judged: Whether rewards are worked out too.
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
        """The moment of the next step."""
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
        """Return the mean of the components of the last step's reward, where it is asked for."""
        if not self.is_judged:
            return math.nan
        rewards = self.engine.rewards()
        return sum(rewards[name] for name in COMPONENTS) / len(COMPONENTS)

    def play_bars(self, bars: int) -> list[PreferenceStep]:
        """Play some bars; return what was heard."""
        steps = (self.play() for _ in range(bars * self.settings.bar_steps))
        return [heard for heard in steps if heard is not None]

    def fork(self, seed: int) -> PreferenceSession:
        """Return a session that goes on from here by other chances."""
        twin = copy.copy(self)
        twin.heard = deque(self.heard, maxlen=self.heard.maxlen)
        twin.engine = copy.deepcopy(self.engine, {id(self._actor): self._actor})
        twin.engine.reseed(np.random.default_rng(seed))
        return twin


def measures(heard: Sequence[PreferenceStep]) -> dict[str, float]:
    """Return the measures that tastes are of: onsets a step; leaps, high and colour notes an onset."""
    onsets = [one for one in heard if one.is_onset]
    found = {"onset": len(onsets) / max(1, len(heard))}
    for name, least in _COUNTS.items():
        place = TUNE_TRAITS.names.index(name)
        found[name] = sum(one.traits[place] > least for one in onsets) / max(1, len(onsets))
    return found


@dataclass
class SimulatedListener:
    """Likes more or less of some measures than the improviser plays by itself, and presses accordingly.

    Attributes:
        taste: +1 or -1 by the name of a measure.
        usual: Up to which score it dislikes, and from which on it likes, as `usual_scores` gives them.
        rng: Draws delays and errors.
        errors: The share of presses that say the opposite.
        only: Whether it only likes, or only dislikes; None: both.
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
        """Judge the last seconds, and press when it is time."""
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


# What a measure of two seconds spreads by.
SPREADS: Final = {"onset": 0.1, "leap": 0.2, "high": 0.3, "colour": 0.25}


def utility(heard: Sequence[PreferenceStep], taste: Mapping[str, float]) -> float:
    """Return how much what was heard is to a taste."""
    found = measures(heard)
    return sum(sign * found[name] / SPREADS[name] for name, sign in taste.items())


def _lately(session: PreferenceSession) -> list[PreferenceStep]:
    """Return what a listener looks back on."""
    since_s = session.now_s - LOOK_S
    return list(takewhile(lambda one: one.at_s > since_s, reversed(session.heard)))


def usual_scores(session: PreferenceSession, taste: Mapping[str, float]) -> tuple[float, float]:
    """Return between which utilities two seconds usually are, as it is played without any taste."""
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
    """Return what the next bars come to without what was learned, with it, and with the taste itself."""
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
    """Return what the next bars come to by the weights of a preference."""
    twin = session.fork(seed)
    twin.is_judged = True
    twin.engine.preferences.restore(weights)
    heard = twin.play_bars(bars)
    return PreferenceOutcome(utility(heard, taste), sum(one.reward for one in heard) / max(1, len(heard)))


def _mean(outcomes: Sequence[PreferenceOutcome]) -> PreferenceOutcome:
    """Return the mean of some outcomes."""
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
    """Dislike what stands out of a measure some times; return the relative change of it in the next bars.

    It is that of the mean over several ways to play on, against as many ways without the presses. A measure
    that has moved already gives less to dislike: after two minutes the presses so far have to do. None where
    there was none.
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
    """Return a measure of the next bars with what was learned, and without it, for each seed."""
    for seed in seeds:
        with_, without = session.fork(seed), session.fork(seed)
        without.engine.preferences.restore({})
        yield measures(with_.play_bars(bars))[name], measures(without.play_bars(bars))[name]
