"""The options that users choose by name on the command line, in presets and in settings.toml.

A registry has one row per name: `ports.BACKENDS`, `engine.role.ROLES`, `listening.observation.STYLES`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

# The range of the tempo in quarter notes per minute, and the word for a tempo that is found in the player's notes.
TEMPO_BPM: Final = (20.0, 400.0)
AUTO_TEMPO: Final = "auto"
# The longest count-in, in bars.
COUNT_IN_BARS_MAX: Final = 8


class BackendName(StrEnum):
    """The MIDI systems; AUTO uses the first one that works."""

    AUTO = "auto"
    JACK = "jack"
    ALSA = "alsa"
    COREMIDI = "coremidi"
    WINMM = "winmm"
    RTMIDI_JACK = "rtmidi-jack"
    LOOPBACK = "loopback"


class ClockUse(StrEnum):
    """The clock that sets the beat.

    AUTO follows the JACK transport while a timebase master rolls, else a MIDI clock once it has started, and else the
    player, unless a tempo is chosen. FOLLOW follows the player even then: the tempo is where it begins. OWN uses
    improviser's own clock. MIDI follows a MIDI clock from its first tick on. LINK follows Ableton Link. JACK follows
    the JACK transport, with a timebase master or without.
    """

    AUTO = "auto"
    FOLLOW = "follow"
    OWN = "own"
    MIDI = "midi"
    LINK = "link"
    JACK = "jack"


class NoteTiming(StrEnum):
    """When improviser's notes leave.

    ON_GRID: exactly on the step, decided before it. AFTER_YOU: after the time in which the player's notes of the step
    are collected. AUTO: on the grid if something else keeps time (a MIDI clock, Link, JACK, the metronome), else after
    the player.
    """

    AUTO = "auto"
    ON_GRID = "on-grid"
    AFTER_YOU = "after-you"

    def or_else(self, otherwise: NoteTiming) -> NoteTiming:
        """Return this timing, or `otherwise` if it is AUTO."""
        return otherwise if self is NoteTiming.AUTO else self


class PlayMode(StrEnum):
    """When improviser plays.

    WITH_ME: beside the player. WHEN_I_STOP: only while the player rests. TRADE_1 to TRADE_8: in turns of so many bars,
    the player first. ALONE: without waiting for the player.
    """

    WITH_ME = "with-me"
    WHEN_I_STOP = "when-i-stop"
    TRADE_1 = "trade-1"
    TRADE_2 = "trade-2"
    TRADE_4 = "trade-4"
    TRADE_8 = "trade-8"
    ALONE = "alone"

    @property
    def following(self) -> PlayMode:
        """The mode after this one, for a control that goes through them; turns are of four bars there."""
        if self.turn_bars:
            return PlayMode.ALONE
        return {PlayMode.WITH_ME: PlayMode.WHEN_I_STOP, PlayMode.WHEN_I_STOP: PlayMode.TRADE_4}.get(
            self, PlayMode.WITH_ME
        )

    @property
    def turn_bars(self) -> int:
        """The number of bars in a turn; 0 if there are no turns."""
        name, _, bars = self.partition("-")
        return int(bars) if name == "trade" else 0


class RoleName(StrEnum):
    """The parts that improviser can play: a melody beside the player's, chords below it, or a bass line."""

    MELODY = "melody"
    COMPING = "comping"
    BASS = "bass"


class Style(StrEnum):
    """The musical style of a model; it selects the training material and the bands of the rewards."""

    CHORALE = "chorale"
    FIDDLE = "fiddle"
    MINIMAL = "minimal"
    FREE = "free"
    POP = "pop"
    JAZZ = "jazz"
    LIED = "lied"
