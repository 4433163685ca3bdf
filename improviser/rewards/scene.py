"""The scene: a step as the rewards judge it; and the rewards of a role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from improviser.listening.line import Line
    from improviser.music.pitch import IntArray

FloatArray = npt.NDArray[np.float32]
# term -> (component, weight)
Terms = Mapping[str, tuple[str, float]]

COMPONENTS: Final = ("harmony", "coherence", "creativity")


@dataclass(slots=True)
class Scene:
    """The data by which a step that was just played is judged; every array has one row per lane.

    Attributes:
        own: Our line; this step is its newest.
        bits: (lanes,) twelve-bit sets of the player's sounding pitch classes; bit 0 is the tonic.
        player_note: (lanes,) the player's top note, SILENT where none.
        player_before: (lanes,) the player's top note one step ago.
        player_held: (lanes,) for how many steps the player's last note has been held, 0 where none sounds.
        player_turns: (lanes, PITCHES - 1) the player's last turns, as `listening.line.turns` numbers them.
        chord_bits: (lanes,) twelve-bit set of the implied chord; bit 0 is the tonic; 0 where none is implied.
        chord_root: (lanes,) the root of that chord in semitones above the tonic; anything where none is implied.
        chord_tones: (lanes, 12) probability that each degree above the tonic is a tone of the chord, 0-1.
        tonic: (lanes,) pitch class of the key.
        mode: (lanes,) row of Mode.
        player_density: (lanes,) half the player's onsets in the window, 0-8.
        moment: (lanes, columns) the role's `moments` for this step.
        style: (lanes,) row of STYLES.
    """

    own: Line
    bits: IntArray
    player_note: IntArray
    player_before: IntArray
    player_held: IntArray
    player_turns: IntArray
    chord_bits: IntArray
    chord_root: IntArray
    chord_tones: FloatArray
    tonic: IntArray
    mode: IntArray
    player_density: IntArray
    moment: FloatArray
    style: IntArray


@dataclass(frozen=True, slots=True)
class Rewards:
    """The rewards of a role.

    Attributes:
        terms: Each term's component and weight; the order is that of the columns of `judge`.
        moment_columns: The number of columns of `moments`.
        moments: Returns the weights and worths that depend on a step's place and chord, (steps, columns). Its
            arguments are the metrical level, the sixteenth in the bar, the number of the bar, and the implied
            chord's pitch classes above the tonic.
        judge: Returns every term of the reward, (lanes, terms), for the step in a scene.
    """

    terms: Terms
    moment_columns: int
    moments: Callable[[IntArray, IntArray, IntArray, IntArray], FloatArray]
    judge: Callable[[Scene], FloatArray]

    def component_weights(self) -> FloatArray:
        """Return the matrix, (terms, components), that sums the columns of `judge` to components."""
        matrix = np.zeros((len(self.terms), len(COMPONENTS)), dtype=np.float32)
        for row, (component, weight) in enumerate(self.terms.values()):
            matrix[row, COMPONENTS.index(component)] = weight
        return matrix
