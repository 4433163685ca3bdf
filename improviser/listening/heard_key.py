"""The key that is assumed: the one that is heard, with some hysteresis, or one that the player locked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.music.scale import ALL_KEYS, KEY_COUNT, Key

if TYPE_CHECKING:
    import numpy.typing as npt

# Another key takes over when it is this many times as likely as the current one. On the validation split of every set
# of pieces the key is right about as often with 1.5 to 3, and a new key is found some beats later with more.
HYSTERESIS: Final = 2.0


class HeardKey:
    """Follows the probabilities of the 24 keys, step by step."""

    def __init__(self, locked: Key | None = None, *, hysteresis: float = HYSTERESIS) -> None:
        """Start with C major, before anything was heard, or with the key locked.

        Args:
            locked: The key, if the player locked one.
            hysteresis: How many times as likely as the current key another key must be to take over.
        """
        self._locked = locked
        self._hysteresis = hysteresis
        self._chances = np.full(KEY_COUNT, 1 / KEY_COUNT)
        self._has_heard = False
        self._key = locked or ALL_KEYS[0]

    @property
    def key(self) -> Key:
        """The key, heard or locked."""
        return self._key

    @property
    def is_locked(self) -> bool:
        """Whether the player locked the key."""
        return self._locked is not None

    @property
    def confidence(self) -> float:
        """The probability in [0, 1] of the key, 1 when locked."""
        return 1.0 if self._locked is not None else float(self._chances[self._key.index])

    def lock(self, key: Key | None) -> None:
        """Lock a key; None unlocks it and sets the likeliest key, given all that was heard."""
        self._locked = key
        if key is not None:
            self._key = key
        elif self._has_heard:
            self._key = ALL_KEYS[int(self._chances.argmax())]

    def follow(self, chances: npt.NDArray[np.floating]) -> None:
        """Follow to a step in which something sounds.

        Args:
            chances: (24,) probability of each key after it, in the order of ALL_KEYS.
        """
        self._chances = chances
        best = int(chances.argmax())
        is_better = chances[best] >= self._hysteresis * chances[self._key.index]
        if self._locked is None and (is_better or not self._has_heard):
            self._key = ALL_KEYS[best]
        self._has_heard = True
