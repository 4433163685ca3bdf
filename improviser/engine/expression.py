"""The expression of improviser's notes: microtiming, accents, scatter and lengths, as the feel knob scales them.

Its random numbers come from a generator of its own, and a note that is released early still counts as held. So on a
steady grid decisions do not depend on it. A swing that is found moves the grid, and an early note its decision. At
feel 0 notes are on the grid, with improviser's own accents, and tied to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.listening.pocket.groove import Groove, expected_feel, find_groove
from improviser.listening.pocket.pocket_tracker import PocketTracker
from improviser.listening.pocket.swing import NO_SWING, Swing
from improviser.listening.tempo import BeatClock
from improviser.music.accent import STRENGTHS
from improviser.music.meter import SIXTEENTHS_PER_BEAT
from improviser.playing.phrase import Dynamics, own_accent

if TYPE_CHECKING:
    from improviser.engine.bars import Bars
    from improviser.engine.settings import EngineSettings
    from improviser.listening.pocket.feel import BarFeel

# Notes are moved from the grid by at most this share of a step, so that two steps keep their order.
REACH_STEPS: Final = 0.2
# A note sounds for at least this share of the step in which it is released.
SHORTEST: Final = 0.3
# A note that ends early ends this long before the next one at least.
GAP_S: Final = 0.005
# The part of the velocity's spread that the notes of a chord have each for themselves.
WITHIN_CHORD: Final = 0.3


class Expression:
    """Shapes improviser's notes after the player's pocket.

    Attributes:
        clock: The beat clock, with the swing that is played.
        pocket: Learns the player's pocket.
        delay_s: How much later than on the grid the next step's notes are due, in seconds; below 0: earlier.
    """

    def __init__(self, settings: EngineSettings, bars: Bars, rng: np.random.Generator) -> None:
        """Start with the groove of the settings, if they name one."""
        self.delay_s = 0.0
        self.reseed(rng)
        self._gate, self._struck_s = 1.0, 0.0
        self._set(settings)
        start = _first_swing(settings, self._groove)
        self.clock = BeatClock(settings.tempo_bpm, start.share, start.unit_beats)
        self.pocket = PocketTracker(self.clock, settings.steps_per_beat, self._expected(bars), start)

    def reseed(self, rng: np.random.Generator) -> None:
        """Draw from a generator that `rng` spawns; the numbers that `rng` itself draws stay the same."""
        (self._rng,) = rng.spawn(1)

    def change(self, settings: EngineSettings, bars: Bars) -> None:
        """Use other settings of the same grid; the player's pocket stays."""
        self._set(settings)
        self.begin_bar(bars)

    def begin_bar(self, bars: Bars) -> None:
        """Count other bars."""
        self.pocket.begin_bar(bars.first_step, self._expected(bars))

    def plan(self, step: int, feel: float, *, is_free: bool) -> None:
        """Prepare step number `step`, the next one: its delay, and on a beat the swing.

        Args:
            step: Number of the step.
            feel: 0-2.
            is_free: Whether notes need not leave on the grid. Else only a feel above 1 moves them from it.
        """
        settings = self._settings
        if settings.follows_swing and step % settings.steps_per_beat == 0:
            self.pocket.follow_swing(min(1.0, feel))
        moved = feel if is_free else max(0.0, feel - 1)
        reach = REACH_STEPS / settings.steps_per_beat
        offset = moved * self.pocket.at(step).offset_beats if moved else 0.0
        self.delay_s = max(-reach, min(reach, offset)) * self.clock.beat_s

    def strike(self, step: int, due_s: float, feel: float, plain: Dynamics, notes: int) -> Dynamics:
        """Return the dynamics of `notes` notes struck in a step, and draw how long they will sound.

        Args:
            step: Number of the step.
            due_s: When they are due.
            feel: 0-2.
            plain: The dynamics at feel 0.
            notes: How many notes there are.
        """
        self._gate, self._struck_s = 1.0, due_s
        if not feel:
            return plain
        at = self.pocket.at(step)
        common, gate, *each = self._rng.standard_normal(2 + notes)
        if self._rng.random() < min(1.0, feel) * (1 - at.ties):
            self._gate = at.gate + at.gate_spread * gate
        scatter = at.spread * (np.sqrt(1 - WITHIN_CHORD**2) * common + WITHIN_CHORD * np.array(each))
        return Dynamics(plain.touch, plain.strength, feel, at.accent, tuple(scatter.tolist()))

    @property
    def is_detached(self) -> bool:
        """Whether the notes struck last end before the next ones begin."""
        return self._gate < 1.0

    def release_s(self, due_s: float, next_due_s: float, chance: float) -> float | None:
        """Return the moment in a step at which the notes end, None if they sound on.

        Args:
            due_s: When the step's messages are due.
            next_due_s: When the next step's messages are due.
            chance: The probability that the next step ends the notes.
        """
        if self._rng.random() >= chance:
            return None
        wanted_s = self._struck_s + self._gate * (next_due_s - self._struck_s)
        earliest_s = due_s + SHORTEST * (next_due_s - due_s)
        return max(earliest_s, min(wanted_s, next_due_s - GAP_S))

    def _set(self, settings: EngineSettings) -> None:
        """Use some settings."""
        self._settings = settings
        self._groove = find_groove(settings.groove) if settings.groove else None

    def _expected(self, bars: Bars) -> BarFeel:
        """Return the feel that is expected before the player's is known: the groove's, or improviser's own."""
        steps_per_beat = self._settings.steps_per_beat
        sixteenths = np.arange(bars.steps) * SIXTEENTHS_PER_BEAT // steps_per_beat
        own = np.array([own_accent(float(strength)) for strength in STRENGTHS[bars.row, sixteenths]])
        return expected_feel(bars.row, steps_per_beat, own, self._groove)


def _first_swing(settings: EngineSettings, groove: Groove | None) -> Swing:
    """Return the swing at the start: the groove's if swing is followed, else that of the settings."""
    if settings.follows_swing:
        return NO_SWING if groove is None else groove.swing
    return Swing(settings.swing)
