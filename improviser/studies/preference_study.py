"""How well a hidden preference is learned from presses: the effect of three dislikes, and the learning curve.

See docs/taste.md; the runs are those of `studies.preference_run`. Each run has its own player from the held-out corpus.
Each measure and each error rate is tested with the same players.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.evaluation.estimate import Estimate, FloatArray, make_estimate, resample
from improviser.studies.preference_run import (
    TASTES,
    WARM_UP_BARS,
    PreferenceOutcome,
    PreferenceSession,
    SimulatedListener,
    change_after_presses,
    gain,
    usual_scores,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from improviser.agent.policy import Actor
    from improviser.engine import EngineSettings
    from improviser.training.grid import Part

# A measure has moved when it has fallen by this share.
MOVED: Final = 0.25
ERRORS: Final = (0.0, 0.1, 0.2, 0.3)
MARKS: Final = (1, 3, 5, 10, 20)
# The hidden preferences of the curve, by the names of the measures: each alone, in both directions, and some together.
HIDDEN: Final[tuple[Mapping[str, float], ...]] = (
    *({name: sign} for name in TASTES for sign in (-1.0, 1.0)),
    {"leap": -1.0, "onset": -1.0},
    {"high": 1.0, "colour": -1.0},
    {"onset": 1.0, "leap": -1.0},
)
# A listener that has had too few occasions to press gives up after this time.
PATIENCE_S: Final = 600.0
_GAIN_BARS, _GAIN_SEEDS = 4, 4


@dataclass(frozen=True, slots=True)
class Change:
    """The effect of three dislikes of a measure on the next bars.

    Attributes:
        measure: Name of the measure.
        trials: Number of runs with a press.
        mean: Mean relative change of the measure.
        moved: Share of runs in which the measure fell by at least MOVED.
    """

    measure: str
    trials: int
    mean: float
    moved: float


@dataclass(frozen=True, slots=True)
class Point:
    """A point of the learning curve.

    Attributes:
        errors: Share of presses that are wrong.
        presses: Number of presses.
        match: The gain of the learned preference, as a share of the gain of an oracle that knows the hidden one.
        reward: The reward per step with the learned preference, as a share of the reward without it.
    """

    errors: float
    presses: int
    match: Estimate
    reward: Estimate


@dataclass(frozen=True, slots=True)
class PreferenceStudy:
    """An actor, its settings, and the players to play beside."""

    actor: Actor
    settings: EngineSettings
    parts: Sequence[Part]
    trials: int

    def session(self, trial: int) -> PreferenceSession:
        """Return a session that has played WARM_UP_BARS bars."""
        order = np.random.default_rng(0).permutation(len(self.parts))
        session = PreferenceSession(self.actor, self.settings, self.parts[order[trial % len(order)]], trial)
        session.play_bars(WARM_UP_BARS)
        return session

    @property
    def count(self) -> int:
        """The number of runs in all."""
        return self.trials * (len(TASTES) + len(ERRORS))

    def changes(self, report: Callable[[], None]) -> list[Change]:
        """Return the effect of three dislikes on each measure."""
        changes = []
        for name in TASTES:
            found = []
            for trial in range(self.trials):
                change = change_after_presses(self.session(trial), name, np.random.default_rng(trial))
                found += [] if change is None else [change]
                report()
            known = np.array(found)
            changes.append(
                Change(
                    name,
                    len(known),
                    float(known.mean()) if len(known) else float("nan"),
                    float((known <= -MOVED).mean()) if len(known) else float("nan"),
                )
            )
        return changes

    def curve(self, report: Callable[[], None]) -> list[Point]:
        """Return how well the hidden preferences are learned after each number of presses, at each error rate."""
        points = []
        for errors in ERRORS:
            gains = []
            for trial in range(self.trials):
                gains.append(self._gains(trial, errors))
                report()
            points += [
                Point(errors, presses, *_shares([row[place] for row in gains])) for place, presses in enumerate(MARKS)
            ]
        return points

    def _gains(
        self, trial: int, errors: float
    ) -> list[tuple[PreferenceOutcome, PreferenceOutcome, PreferenceOutcome] | None]:
        """Return the result of `preference_run.gain` at each mark; None where the mark was not reached."""
        taste = HIDDEN[trial % len(HIDDEN)]
        session = self.session(trial)
        rng = np.random.default_rng([trial, 1])
        listener = SimulatedListener(taste, usual_scores(session, taste), rng, errors)
        until_s = session.now_s + PATIENCE_S
        gains: list[tuple[PreferenceOutcome, PreferenceOutcome, PreferenceOutcome] | None] = []
        while len(gains) < len(MARKS) and session.now_s < until_s:
            session.play()
            listener.listen(session)
            if listener.presses >= MARKS[len(gains)]:
                gains.append(gain(session, taste, _GAIN_BARS, range(_GAIN_SEEDS)))
        return gains + [None] * (len(MARKS) - len(gains))


def _shares(
    gains: Sequence[tuple[PreferenceOutcome, PreferenceOutcome, PreferenceOutcome] | None],
) -> tuple[Estimate, Estimate]:
    """Return the gain as a share of the oracle's, and the reward as a share of the reward without the preference."""
    known = [each for each in gains if each is not None]
    learned = np.array([learned.utility - without.utility for without, learned, _ in known])
    oracle = np.array([oracle.utility - without.utility for without, _, oracle in known])
    rewards = np.array([[learned.reward, without.reward] for without, learned, _ in known]).reshape(-1, 2)
    return _share(learned, oracle), _share(*rewards.T)


def _share(part: FloatArray, whole: FloatArray) -> Estimate:
    """Return a part of a whole, each summed over all runs, with a 95 % interval."""
    weights = resample(len(part), 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = float(part.sum() / whole.sum()) if len(part) else float("nan")
        return make_estimate(mean, (weights @ part) / (weights @ whole))
