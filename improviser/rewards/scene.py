"""A step just played as the rewards see it, and what the rewards of a role are."""

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
    """A step just played, by which it is judged; every array has a row a lane.

    Attributes:
        own: Our line, this step being its newest.
        bits: (lanes,) twelve-bit sets of the pitch classes the player sounds, bit 0 being the tonic.
        player_note: (lanes,) the player's top note, SILENT where none.
        player_before: (lanes,) the same one step ago.
        player_held: (lanes,) the steps that the player's last note has been held, 0 where none sounds.
        player_turns: (lanes, PITCHES - 1) the player's last turns, as `listening.line.turns` numbers them.
        chord_bits: (lanes,) twelve-bit set of the implied chord, in the same way, 0 where none.
        tonic: (lanes,) pitch class of the key.
        mode: (lanes,) row of Mode.
        player_density: (lanes,) half the player's onsets in the window, 0-8.
        moment: (lanes, columns) what the moment makes of things, as the role's `moments` gives it.
        style: (lanes,) row of STYLES.
    """

    own: Line
    bits: IntArray
    player_note: IntArray
    player_before: IntArray
    player_held: IntArray
    player_turns: IntArray
    chord_bits: IntArray
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
        moment_columns: How many columns `moments` gives.
        moments: Gives what a step's place and chord make of whatever is played then, (steps, columns), from
            metrical level, sixteenth in the bar, number of the bar, and the implied chord's pitch classes
            above the tonic.
        judge: Gives every term, (lanes, terms), of the step that a scene shows.
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
