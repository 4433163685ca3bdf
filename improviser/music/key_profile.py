"""The key of a whole piece, from how long each pitch class sounds in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.music.pitch import OCTAVE

if TYPE_CHECKING:
    import numpy.typing as npt

# Ratings of the degrees by listeners, major and minor. Source: C. Krumhansl and E. Kessler (1982), as in C. Krumhansl
# (1990), "Cognitive Foundations of Musical Pitch", ch. 2.
KRUMHANSL: Final = np.array(
    [
        [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88],
        [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17],
    ]
)
_PROFILES: Final = np.stack([np.roll(row, tonic) for row in KRUMHANSL for tonic in range(OCTAVE)])


def likeliest_key(sounded: npt.NDArray[np.float64]) -> int:
    """Return the index of the key whose profile correlates best with how long each pitch class sounds, (12,)."""
    return int(np.argmax([np.corrcoef(sounded, profile)[0, 1] for profile in _PROFILES]))
