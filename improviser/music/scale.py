"""Keys and their scales."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from improviser.errors import UsageError
from improviser.music.pitch import OCTAVE, PITCH_CLASS_NAMES, pitch_class_bits, pitch_class_from_name


class Mode(IntEnum):
    """The two modes; the third of the scale distinguishes them."""

    MAJOR = 0
    MINOR = 1


# Minor includes the leading tone (harmonic minor); without it, every minor cadence would leave the key.
SCALE_DEGREES: Final = {Mode.MAJOR: (0, 2, 4, 5, 7, 9, 11), Mode.MINOR: (0, 2, 3, 5, 7, 8, 10, 11)}
STABLE_DEGREES: Final = {Mode.MAJOR: (0, 4, 7), Mode.MINOR: (0, 3, 7)}
# Bits relative to the tonic, indexed by mode.
SCALE_BITS: Final = np.array([pitch_class_bits(SCALE_DEGREES[mode]) for mode in Mode], dtype=np.int64)
STABLE_BITS: Final = np.array([pitch_class_bits(STABLE_DEGREES[mode]) for mode in Mode], dtype=np.int64)

_KEY = re.compile(r"^([A-Ga-g])(#|b)?\s*(m|min|minor|maj|major)?$")


@dataclass(frozen=True, slots=True)
class Key:
    """A tonic (pitch class 0-11) and a mode."""

    tonic: int
    mode: Mode

    @property
    def index(self) -> int:
        """The key's index among all 24 keys: 0-11 are the major keys from C on, 12-23 the minor ones."""
        return self.tonic + OCTAVE * self.mode

    @property
    def name(self) -> str:
        """The key as a musician writes it: "C", "Eb", "Am"."""
        return PITCH_CLASS_NAMES[self.tonic] + ("m" if self.mode is Mode.MINOR else "")


ALL_KEYS: Final = tuple(Key(tonic, mode) for mode in Mode for tonic in range(OCTAVE))
KEY_COUNT: Final = len(ALL_KEYS)


def parse_key(text: str) -> Key:
    """Return the key that `text` names, such as "C", "F#", "Am" or "Bb minor".

    Raises:
        UsageError: The text is not a key.
    """
    match = _KEY.match(text.strip())
    if match is None:
        msg = f"'{text}' is not a key. Write a tonic, and m for minor, as in C, F#, Am or Bbm, or auto"
        raise UsageError(msg)
    letter, accidental, mode = match.groups()
    minor = mode in {"m", "min", "minor"}
    return Key(pitch_class_from_name(letter, accidental or ""), Mode.MINOR if minor else Mode.MAJOR)
