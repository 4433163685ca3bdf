"""The network that hears chords and key: gated recurrent units, the same for each of the twelve views.

Each view hears all notes as degrees above its root, remembers, and says how likely its root is the chord's, with which
quality, and how likely it is the tonic. So all 108 chords and 24 keys are compared, and transposed music gives the
transposed answer. `studies.harmony_fit` fits the numbers to the corpora by maximum likelihood of the written chords and
keys, now, a beat ahead and a bar ahead. So the probabilities are those of a filter: they hold what was heard so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.listening.gated_units import gated_shapes, gated_step
from improviser.listening.harmony.harmony_inputs import WIDTH
from improviser.music.chord import QUALITY_COUNT
from improviser.music.pitch import OCTAVE
from improviser.music.scale import Mode

if TYPE_CHECKING:
    from collections.abc import Mapping

FloatArray = npt.NDArray[np.float32]

# When the chord is: now, a beat later, a bar later.
HEADS: Final = 3
UNITS: Final = 80
# The last chord of each head: none.
CHORDS: Final = OCTAVE * QUALITY_COUNT + 1
FILE: Final = "harmony.f16"
SHAPES: Final = gated_shapes("units", WIDTH, UNITS, 1) | {
    "out.weight": (HEADS * QUALITY_COUNT + len(Mode), UNITS),
    "out.bias": (HEADS * QUALITY_COUNT + len(Mode),),
    "none.weight": (HEADS, UNITS),
    "none.bias": (HEADS,),
}


@dataclass(frozen=True, slots=True)
class HarmonyBelief:
    """What the network says.

    Attributes:
        chords: (lanes, HEADS, CHORDS) probabilities, by root and quality, the last of no chord.
        keys: (lanes, 24) probabilities, in the order of ALL_KEYS.
    """

    chords: FloatArray
    keys: FloatArray


class HarmonyNetwork:
    """The fitted network; it has no state of its own.

    Attributes:
        arrays: Its numbers, by the names of SHAPES.
    """

    def __init__(self, arrays: Mapping[str, FloatArray]) -> None:
        """Take the arrays with the names and shapes of SHAPES.

        Raises:
            ValueError: An array is missing or has another shape.
        """
        for name, shape in SHAPES.items():
            if name not in arrays or arrays[name].shape != shape:
                raise ValueError(f"the harmony network has no array {name} of shape {shape}")
        kinds = ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
        self._units = [arrays[f"units.{kind}_l0"] for kind in kinds]
        self.arrays = dict(arrays)

    @staticmethod
    def silence(lanes: int) -> FloatArray:
        """Return the state before anything was heard, (lanes, 12, UNITS)."""
        return np.zeros((lanes, OCTAVE, UNITS), dtype=np.float32)

    def hear(self, state: FloatArray, inputs: FloatArray) -> FloatArray:
        """Return the state, (lanes, 12, UNITS), after the inputs of the next step, (lanes, 12, WIDTH)."""
        return gated_step(self._units, state, inputs)

    def read(self, state: FloatArray) -> HarmonyBelief:
        """Return the probabilities that a state, (lanes, 12, UNITS), stands for."""
        arrays, lanes = self.arrays, len(state)
        out = state @ arrays["out.weight"].T + arrays["out.bias"]
        none = state.mean(axis=1) @ arrays["none.weight"].T + arrays["none.bias"]
        qualities = out[..., : HEADS * QUALITY_COUNT].reshape(lanes, OCTAVE, HEADS, QUALITY_COUNT)
        chords = qualities.transpose(0, 2, 1, 3).reshape(lanes, HEADS, CHORDS - 1)
        keys = out[..., HEADS * QUALITY_COUNT :].transpose(0, 2, 1).reshape(lanes, len(Mode) * OCTAVE)
        return HarmonyBelief(_softmax(np.concatenate([chords, none[..., None]], axis=2)), _softmax(keys))


@cache
def shipped_network() -> HarmonyNetwork:
    """Return the shipped network."""
    return read_network(resources.files(__package__).joinpath(FILE).read_bytes())


def read_network(data: bytes) -> HarmonyNetwork:
    """Return the network in the bytes that `network_bytes` returned.

    Raises:
        ValueError: They are too few or too many.
    """
    numbers, arrays, at = np.frombuffer(data, dtype="<f2").astype(np.float32), {}, 0
    for name, shape in SHAPES.items():
        size = int(np.prod(shape))
        arrays[name] = numbers[at : at + size].reshape(shape)
        at += size
    if at != len(numbers):
        raise ValueError("the file of the harmony network is too long")
    return HarmonyNetwork(arrays)


def network_bytes(arrays: Mapping[str, FloatArray]) -> bytes:
    """Return a network's arrays in the order of SHAPES, each number with half precision."""
    return b"".join(np.ascontiguousarray(arrays[name], dtype="<f2").tobytes() for name in SHAPES)


def _softmax(values: FloatArray) -> FloatArray:
    """Return the probabilities of logits, over the last axis."""
    raised = np.exp(values - values.max(axis=-1, keepdims=True))
    found: FloatArray = raised / raised.sum(axis=-1, keepdims=True)
    return found
