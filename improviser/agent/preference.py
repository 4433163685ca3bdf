"""What the player likes, learned from presses: a linear preference over traits of actions, beside Q.

`preference(s, a) = w . phi(s, a)`, added to the values of a decision, so that a press acts at once. A press
means what was heard in the last seconds, not one action: the mean traits of that window, beside how they
would usually be without any taste, in standard deviations. What all presses say of a trait is the midmean
of that, a like counting as it is and a dislike the other way round. Of few presses some traits stand out by
chance: each is believed as far as the presses speak for it, under a prior by which a player minds some of the
traits, and not the others. So three presses are enough for what stands out each time, and some wrong presses
do little harm, since those that say the opposite are not in the middle.

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

# Nobody reacts within a fifth of a second; what was heard a second or two ago is meant most surely.
REACTION_S: Final = 0.2
WINDOW_S: Final = 3.1
_AGES_S: Final = (REACTION_S, 1.1, 2.2, WINDOW_S)
_CREDIT: Final = (0.3, 1.0, 1.0, 0.0)
# A trait that stands out by more standard deviations stands out by so many.
FARTHEST: Final = 3.0
# By how much a trait that is minded stands out before presses; and how likely it is to be one, as odds.
SLAB: Final = 1.0
ODDS: Final = 1.0
# What a trait that stands out by one standard deviation each time is taken for, in tastes.
GAIN: Final = 4.0
# A midmean's variance beside a mean's, of normal values.
MIDMEAN_NOISE: Final = 1.2
# Older presses are forgotten.
PRESSES_MAX: Final = 256
# No taste is worth more than so many times that of 1.
LARGEST: Final = 1.5
_ALL_BUT_ALL: Final = 0.999
# The usual is followed as a mean over so many windows.
_MEMORY: Final = 200
# No trait varies less.
_LEAST_SPREAD: Final = 0.02


class Preference:
    """A weight for each trait, the presses that it comes from, and what is usual.

    Threads: belongs to one thread; nothing blocks.
    """

    def __init__(self, worth: FloatArray) -> None:
        """Prefer nothing; `worth`, (traits,), is what a taste of 1 for each trait is worth in values."""
        traits = len(worth)
        self._bound = LARGEST * worth.astype(np.float64)
        self.weights: FloatArray = np.zeros(traits, dtype=np.float32)
        self._start = self.weights
        self._prior = np.zeros(traits)
        # What stood out before each press, (traits,), the other way round where it was a dislike.
        self._presses: list[Floats] = []
        self._history: list[FloatArray] = []
        self._usual = np.zeros(traits)
        self._mean, self._square = np.zeros(traits), np.zeros(traits)
        self._windows = np.zeros(traits)

    def restore(self, weights: FloatArray) -> None:
        """Prefer what was learned elsewhere; presses move it from there, and undoing leads back to it."""
        bounded = np.clip(weights, -self._bound, self._bound)
        self._prior = LARGEST * np.arctanh(np.clip(bounded / self._bound, -_ALL_BUT_ALL, _ALL_BUT_ALL))
        self.weights = self._start = bounded.astype(np.float32)
        self._presses.clear()
        self._history.clear()

    def pass_by(self, age_s: Sequence[float], traits: Floats, applies: Floats, usual: Floats, usually: Floats) -> None:
        """Record a window as `judge` has it, and of how it would be without any taste.

        Args:
            age_s: How long ago each decision was heard.
            traits: (n, traits) what was done.
            applies: (n, traits) whether a trait is one of that.
            usual: (n, traits) what was to be expected where a trait applies, did we prefer nothing.
            usually: (n, traits) how likely it was to apply.
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
        """Learn from a press; return whether there was anything to judge.

        Args:
            liked: Whether it was a like.
            age_s: How long ago each decision was heard.
            traits: (n, traits) what was done.
            applies: (n, traits) 1 where a trait is one of what was done, else 0: a rest is neither
                high nor low.
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
        """Take the last press back, or all of them; return whether there was any."""
        if not self._history:
            return False
        first = 0 if everything else len(self._history) - 1
        self.weights = self._start if everything else self._history[first]
        del self._history[first:], self._presses[first:]
        return True

    def _fitted(self) -> FloatArray:
        """Return the weights of the taste that the presses speak for."""
        mean, noise = _midmean(np.array(self._presses)), MIDMEAN_NOISE / len(self._presses)
        # The log of how much likelier the mean is of a trait that is minded than of one that is not.
        evidence = (np.log(noise / (noise + SLAB**2)) + mean**2 * (1 / noise - 1 / (noise + SLAB**2))) / 2
        is_minded = 1 / (1 + np.exp(-evidence) / ODDS)
        taste = self._prior + GAIN * is_minded * mean * SLAB**2 / (SLAB**2 + noise)
        weights: FloatArray = (self._bound * np.tanh(taste / LARGEST)).astype(np.float32)
        return weights


def press_credit(age_s: Sequence[float]) -> Floats:
    """Return how surely a press means what was heard so long ago, (n,), from 0 to 1."""
    return np.interp(age_s, _AGES_S, _CREDIT, left=0.0)


def _midmean(values: Floats) -> Floats:
    """Return the mean of the middle half of each column of (n, traits): of three the median."""
    cut = min(round(len(values) / 4), (len(values) - 1) // 2)
    middle: Floats = np.sort(values, axis=0)[cut : len(values) - cut].mean(axis=0)
    return middle


def _window(age_s: Sequence[float], traits: Floats, applies: Floats) -> tuple[Floats, Floats]:
    """Return each trait's mean over what a press means, (traits,), and how much it applied."""
    credit = press_credit(age_s)
    counts = credit[:, None] * applies
    count = counts.sum(axis=0)
    return (counts * traits).sum(axis=0) / np.maximum(count, 1e-9), count
