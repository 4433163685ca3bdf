"""Knobs and switches: their positions, and how knobs glide to the position that the player sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.music.pitch import OCTAVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from improviser.agent.policy import Mix
    from improviser.engine.decision_values import DecisionValues
    from improviser.engine.preference_features import FloatArray, PreferenceFeatures

# What the echo knob adds, for each unit above 1, to the values of notes that repeat the player's turns.
ECHO_SCALE: Final = 0.6
# A knob that is turned from end to end gets there in two beats.
GLIDE_A_BEAT: Final = 1.0
NEUTRAL, HIGHEST = 1.0, 2.0
_OF_DECISIONS: Final = ("harmony", "coherence", "creativity", "temperature", "density")
KNOBS: Final = (*_OF_DECISIONS, "register", "echo", "velocity", "feel")
SWITCHES: Final = ("mute", "solo", "freeze")


class Panel:
    """The positions of the knobs, from 0 to 2, where 1 is the preset's value; and the switches.

    Attributes:
        knobs: The settings of decisions that result from the positions.
        switched: The names of the switches that are on.
    """

    def __init__(self, preset: DecisionValues, steps_per_beat: int, stands: Mapping[str, float] | None = None) -> None:
        """Start with the preset's values, except for the positions in `stands`; all switches are off."""
        self.switched: set[str] = set()
        self._preset = preset
        self._stride = GLIDE_A_BEAT / steps_per_beat
        self._stands = dict.fromkeys(KNOBS, NEUTRAL)
        self._goals = dict(self._stands)
        for knob, position in (stands or {}).items():
            self.turn(knob, position)
        self._stands |= self._goals
        self.knobs = preset
        self._mix: Mix | None = None
        self._settle()

    def turn(self, knob: str, position: float, *, at_once: bool = False) -> None:
        """Begin to turn a knob to a position, or set it there at once.

        Raises:
            ValueError: There is no such knob, or the position is out of range.
        """
        if knob not in KNOBS or not 0.0 <= position <= HIGHEST:
            raise ValueError(f"no knob {knob} with a position {position}")
        self._goals[knob] = position
        if at_once:
            self._stands[knob] = position
            self._settle()

    def change(self, preset: DecisionValues) -> None:
        """Use the values of another preset for position 1; the positions stay."""
        self._preset = preset
        self._settle()

    def position(self, knob: str) -> float:
        """Return the position that a knob has or glides to."""
        return self._goals[knob]

    @property
    def positions(self) -> dict[str, float]:
        """The positions that the knobs have or glide to, by name."""
        return dict(self._goals)

    def glide(self) -> None:
        """Move all knobs by one step towards the positions that were set."""
        if self._stands == self._goals:
            return
        for knob, goal in self._goals.items():
            self._stands[knob] += max(-self._stride, min(self._stride, goal - self._stands[knob]))
        self._settle()

    @property
    def shift(self) -> int:
        """How many semitones, -12 to 12, the register is above the preset's."""
        return round((self._stands["register"] - NEUTRAL) * OCTAVE)

    @property
    def touch(self) -> float:
        """The factor for velocities, 0.5 to 1.5."""
        return 0.5 + self._stands["velocity"] / 2

    @property
    def feel(self) -> float:
        """The factor for the preset's feel, 0 to 2."""
        return self._stands["feel"]

    def mix(self, actions: int) -> Mix:
        """Return how values are combined among this number of actions; it is cached until a knob moves."""
        if self._mix is None:
            self._mix = self.knobs.to_mix(actions)
        return self._mix

    def bias(self, traits: PreferenceFeatures) -> FloatArray | None:
        """Return what the knobs add to the weight of each feature, (features,); None if they add nothing."""
        echo = ECHO_SCALE * (self._stands["echo"] - NEUTRAL)
        return np.array([echo * (name == "echo") for name in traits.names], dtype=np.float32) if echo else None

    def _settle(self) -> None:
        """Compute the settings of decisions from the positions."""
        self.knobs, self._mix = self._preset, None
        for knob in _OF_DECISIONS:
            if self._stands[knob] != NEUTRAL:
                self.knobs = self.knobs.turned(knob, self._stands[knob])
