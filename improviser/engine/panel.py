"""Knobs and switches: where they stand, and how they glide to where the player turns them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.music.pitch import OCTAVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from improviser.agent.policy import Mix
    from improviser.engine.knobs import Knobs
    from improviser.engine.preference_features import FloatArray, PreferenceFeatures

# What echo adds to the values of notes that take up the player's turns, for each unit above 1.
ECHO_SCALE: Final = 0.6
# A knob that is turned from end to end gets there in two beats.
GLIDE_A_BEAT: Final = 1.0
NEUTRAL, HIGHEST = 1.0, 2.0
_OF_DECISIONS: Final = ("harmony", "coherence", "creativity", "temperature", "density")
KNOBS: Final = (*_OF_DECISIONS, "register", "echo", "velocity")
SWITCHES: Final = ("mute", "solo", "freeze")


class Panel:
    """Positions from 0 to 2, 1 being as the preset has it; and what is switched on.

    Attributes:
        knobs: What the positions come to in decisions.
        switched: The names of what is on.
    """

    def __init__(self, preset: Knobs, steps_per_beat: int, stands: Mapping[str, float] | None = None) -> None:
        """Stand as the preset has it, but for what `stands` elsewhere; nothing is switched on."""
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
        """Begin to turn a knob to a position, or let it stand there at once.

        Raises:
            ValueError: There is no such knob, or no such position.
        """
        if knob not in KNOBS or not 0.0 <= position <= HIGHEST:
            raise ValueError(f"no knob {knob} with a position {position}")
        self._goals[knob] = position
        if at_once:
            self._stands[knob] = position
            self._settle()

    def change(self, preset: Knobs) -> None:
        """Set the defaults, position 1, to another preset's; positions stay."""
        self._preset = preset
        self._settle()

    def position(self, knob: str) -> float:
        """Return where a knob is, or is going."""
        return self._goals[knob]

    @property
    def positions(self) -> dict[str, float]:
        """Where the knobs are, or are going."""
        return dict(self._goals)

    def glide(self) -> None:
        """Come a step nearer to where all knobs are turned."""
        if self._stands == self._goals:
            return
        for knob, goal in self._goals.items():
            self._stands[knob] += max(-self._stride, min(self._stride, goal - self._stands[knob]))
        self._settle()

    @property
    def shift(self) -> int:
        """The semitones, -12 to 12, that the register lies higher than the preset's."""
        return round((self._stands["register"] - NEUTRAL) * OCTAVE)

    @property
    def touch(self) -> float:
        """What velocities are multiplied by, 0.5 to 1.5."""
        return 0.5 + self._stands["velocity"] / 2

    def mix(self, actions: int) -> Mix:
        """Return what the values come to, where there are so many actions; worked out when a knob has moved."""
        if self._mix is None:
            self._mix = self.knobs.to_mix(actions)
        return self._mix

    def bias(self, traits: PreferenceFeatures) -> FloatArray | None:
        """Return what the knobs add to the values for each trait, (traits,); None where that is nothing."""
        echo = ECHO_SCALE * (self._stands["echo"] - NEUTRAL)
        return np.array([echo * (name == "echo") for name in traits.names], dtype=np.float32) if echo else None

    def _settle(self) -> None:
        """Work out what the positions come to in decisions."""
        self.knobs, self._mix = self._preset, None
        for knob in _OF_DECISIONS:
            if self._stands[knob] != NEUTRAL:
                self.knobs = self.knobs.turned(knob, self._stands[knob])
