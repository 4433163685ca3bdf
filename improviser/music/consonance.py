"""How consonant two simultaneous pitch classes are.

Source: D. Huron (1994), "Interval-class content in equally tempered pitch-class sets", Music Perception
11(3), table 2: an index for the six interval classes, from the means of three perceptual studies (Malmberg
1918; Kameoka and Kuriyagawa 1969; Hutchinson and Knopoff 1979).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from improviser.music.pitch import OCTAVE

# Interval class 1-6 (minor second ... tritone) -> Huron's aggregate consonance.
HURON_INDEX: Final = {1: -1.428, 2: -0.582, 3: 0.594, 4: 0.386, 5: 1.240, 6: -0.453}
CONSONANT_INTERVALS: Final = (0, 3, 4, 7, 8, 9)


def interval_consonance() -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Return the consonance in [-1, 1] of the intervals of 0-11 semitones, octaves ignored, (12,).

    Intervals count upwards from the lower note. The values are Huron's index, divided by its largest magnitude,
    with three exceptions from counterpoint:

    - Thirds and sixths rank above fifths; otherwise a line of bare fifths would score best.
    - A unison or octave adds no harmony (0.2).
    - A fourth above the lower voice is a dissonance.
    """
    largest = max(abs(value) for value in HURON_INDEX.values())
    table = np.zeros(OCTAVE, dtype=np.float32)
    for semitones in range(1, OCTAVE):
        table[semitones] = HURON_INDEX[min(semitones, OCTAVE - semitones)] / largest
    table[[3, 4, 8, 9]] = 1.0
    table[7] = 0.7
    table[5] = -0.2
    table[0] = 0.2
    return table
