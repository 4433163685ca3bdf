"""Learns what the player likes from feedback: a linear preference over features of actions, beside the Q-values.

`preference(s, a) = w . phi(s, a)` is added to the values of a decision, so that feedback acts at once. Feedback is a
press of like or dislike. It means what was heard in the last seconds, not one action. So the mean features of that
window are compared with those to be expected without any preference, in standard deviations. All feedback together
gives for each feature the midmean of these differences; those of a dislike count with the opposite sign.

After a few presses some features stand out by chance. So each feature is believed only as far as the feedback
supports it. The prior is that a player cares about some features and not about the others. Three presses are enough
for a feature that stands out each time. A few wrong presses do little harm, because their values are not in the
middle.

Source: credit over a window before the press, G. Warnell et al. (2018), "Deep TAMER", section III; a prior of
a spike and a slab, T. Mitchell and J. Beauchamp (1988), "Bayesian Variable Selection in Linear Regression".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

FloatArray = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

# Nobody reacts within a fifth of a second. Feedback most likely means what was heard one or two seconds ago.
REACTION_S: Final = 0.2
WINDOW_S: Final = 3.1
_AGES_S: Final = (REACTION_S, 1.1, 2.2, WINDOW_S)
_CREDIT: Final = (0.3, 1.0, 1.0, 0.0)
# A feature counts as standing out by at most this many standard deviations.
FARTHEST: Final = 3.0
# By how much a feature that the player cares about stands out before feedback; and the prior odds that it is one.
SLAB: Final = 1.0
ODDS: Final = 1.0
# The preference for a feature that stands out by one standard deviation each time; 1 is a clear preference.
GAIN: Final = 4.0
# The variance of a midmean relative to that of a mean, for normal values.
MIDMEAN_NOISE: Final = 1.2
# The number of presses that are kept; older ones are forgotten.
PRESSES_MAX: Final = 256
# The largest preference; 1 is a clear preference.
LARGEST: Final = 1.5
_ALL_BUT_ALL: Final = 0.999
# The expected features are a running mean over this many windows.
_MEMORY: Final = 200
# The smallest standard deviation that is assumed for a feature.
_LEAST_SPREAD: Final = 0.02


class Preference:
    """The weight of each feature, the feedback that it comes from, and the expected features.

    Threads: belongs to one thread; nothing blocks.
    """

    def __init__(self, worth: FloatArray) -> None:
        """Start without preferences; `worth`, (features,), is what a clear preference for each adds to the values."""
        traits = len(worth)
        self._bound = LARGEST * worth.astype(np.float64)
        self.weights: FloatArray = np.zeros(traits, dtype=np.float32)
        self._start = self.weights
        self._prior = np.zeros(traits)
        # By how much each feature stood out before each press, (features,); negative for a dislike.
        self._presses: list[Floats] = []
        self._history: list[FloatArray] = []
        self._usual = np.zeros(traits)
        self._mean, self._square = np.zeros(traits), np.zeros(traits)
        self._windows = np.zeros(traits)

    def restore(self, weights: FloatArray) -> None:
        """Start from weights that were learned earlier; feedback changes them, and undoing leads back to them."""
        bounded = np.clip(weights, -self._bound, self._bound)
        self._prior = LARGEST * np.arctanh(np.clip(bounded / self._bound, -_ALL_BUT_ALL, _ALL_BUT_ALL))
        self.weights = self._start = bounded.astype(np.float32)
        self._presses.clear()
        self._history.clear()

    def pass_by(self, age_s: Sequence[float], traits: Floats, applies: Floats, usual: Floats, usually: Floats) -> None:
        """Record a window without feedback, and what was to be expected in it without preferences.

        Args:
            age_s: How long ago each decision was heard, in seconds.
            traits: (n, features) features of what was done.
            applies: (n, features) 1 where a feature applies to what was done, else 0.
            usual: (n, features) expected value of a feature where it applies, without preferences.
            usually: (n, features) probability that a feature applies, without preferences.
        """
        mean, count = _window(age_s, traits, applies)
        expected, _ = _window(age_s, usual, usually)
        known = count > 0
        self._windows += known
        pace = np.where(known, 1 / np.clip(self._windows, 1, _MEMORY), 0.0)
        self._mean += pace * (mean - self._mean)
        self._square += pace * (mean**2 - self._square)
        self._usual += pace * (expected - self._usual)

    def judge(self, *, liked: bool, age_s: Sequence[float], traits: Floats, applies: Floats) -> bool:
        """Learn from feedback; return whether there was anything to judge.

        Args:
            liked: Whether it was a like.
            age_s: How long ago each decision was heard, in seconds.
            traits: (n, features) features of what was done.
            applies: (n, features) 1 where a feature applies to what was done, else 0. For example, a rest is
                neither high nor low.
        """
        mean, count = _window(age_s, traits, applies)
        if not count.any():
            return False
        spread = np.sqrt(np.maximum(self._square - self._mean**2, _LEAST_SPREAD**2))
        stands = np.where((count > 0) & (self._windows > 1), (mean - self._usual) / spread, 0.0)
        if len(self._presses) == PRESSES_MAX:
            del self._presses[0], self._history[0]
        self._history.append(self.weights)
        self._presses.append(np.clip(stands, -FARTHEST, FARTHEST) * (1 if liked else -1))
        self.weights = self._fitted()
        return True

    def undo(self, *, everything: bool = False) -> bool:
        """Undo the last feedback, or all of it; return whether there was any."""
        if not self._history:
            return False
        first = 0 if everything else len(self._history) - 1
        self.weights = self._start if everything else self._history[first]
        del self._history[first:], self._presses[first:]
        return True

    def _fitted(self) -> FloatArray:
        """Return the weights that the feedback supports, (features,)."""
        mean, noise = _midmean(np.array(self._presses)), MIDMEAN_NOISE / len(self._presses)
        # The log-likelihood ratio: the player cares about the feature, or does not.
        evidence = (np.log(noise / (noise + SLAB**2)) + mean**2 * (1 / noise - 1 / (noise + SLAB**2))) / 2
        is_minded = 1 / (1 + np.exp(-evidence) / ODDS)
        taste = self._prior + GAIN * is_minded * mean * SLAB**2 / (SLAB**2 + noise)
        weights: FloatArray = (self._bound * np.tanh(taste / LARGEST)).astype(np.float32)
        return weights


def press_credit(age_s: Sequence[float]) -> Floats:
    """Return how likely feedback means what was heard `age_s` seconds ago, (n,), from 0 to 1."""
    return np.interp(age_s, _AGES_S, _CREDIT, left=0.0)


def _midmean(values: Floats) -> Floats:
    """Return the mean of the middle half of each column of (n, features); for three rows it is the median."""
    cut = min(round(len(values) / 4), (len(values) - 1) // 2)
    middle: Floats = np.sort(values, axis=0)[cut : len(values) - cut].mean(axis=0)
    return middle


def _window(age_s: Sequence[float], traits: Floats, applies: Floats) -> tuple[Floats, Floats]:
    """Return each feature's mean over what feedback means, (features,), and the total weight of each mean."""
    credit = press_credit(age_s)
    counts = credit[:, None] * applies
    count = counts.sum(axis=0)
    return (counts * traits).sum(axis=0) / np.maximum(count, 1e-9), count
