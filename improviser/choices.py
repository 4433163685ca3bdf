"""The options that users choose by name on the command line, in presets and in settings.toml.

A registry has one row per name: `ports.BACKENDS`, `engine.role.ROLES`, `listening.observation.STYLES`.
"""

from __future__ import annotations

from enum import StrEnum


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

    AUTO follows a MIDI clock once it has started. OWN uses improviser's own clock. MIDI follows a MIDI clock from
    its first tick on. LINK follows Ableton Link.
    """

    AUTO = "auto"
    OWN = "own"
    MIDI = "midi"
    LINK = "link"


class RoleName(StrEnum):
    """The parts that improviser can play: a melody beside the player's, or chords below it."""

    MELODY = "melody"
    COMPING = "comping"


class Style(StrEnum):
    """The musical style of a model; it selects the training material and the bands of the rewards."""

    CHORALE = "chorale"
    FIDDLE = "fiddle"
    MINIMAL = "minimal"
    FREE = "free"
