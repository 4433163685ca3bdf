"""What can be chosen by name on the command line, in presets and in settings.toml.

A registry has a row for each name: `ports.BACKENDS`, `engine.role.ROLES`, `listening.observation.STYLES`.
"""

from __future__ import annotations

from enum import StrEnum


class BackendName(StrEnum):
    """The MIDI systems; AUTO stands for the first that works."""

    AUTO = "auto"
    JACK = "jack"
    ALSA = "alsa"
    COREMIDI = "coremidi"
    WINMM = "winmm"
    RTMIDI_JACK = "rtmidi-jack"
    LOOPBACK = "loopback"


class ClockUse(StrEnum):
    """Which clock gives the beat.

    AUTO: a MIDI clock from its start on. OWN: the improviser's. MIDI: a MIDI clock from its first tick on.
    LINK: Ableton Link.
    """

    AUTO = "auto"
    OWN = "own"
    MIDI = "midi"
    LINK = "link"


class RoleName(StrEnum):
    """The parts that the improviser can take: a melody beside the player's, or chords below it."""

    MELODY = "melody"
    COMPING = "comping"


class Style(StrEnum):
    """The corpus that a model has learned from; it sets how observations and phrases are made."""

    CHORALE = "chorale"
    FIDDLE = "fiddle"
    MINIMAL = "minimal"
    FREE = "free"
