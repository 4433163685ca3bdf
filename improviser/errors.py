"""The exceptions of improviser. This module imports nothing.

The tree:

    ImproviserError            every error that a user can see; its text names the next step
    ├── UsageError             a wrong argument (exit code 2)
    ├── ConfigError            a faulty preset, device or settings file
    ├── MidiError              bytes that are not a MIDI message
    │   └── MidiFileError      a file that is not a Standard MIDI File
    ├── PortError              a MIDI port or a MIDI system that is not available
    ├── CheckpointError        a model that is missing, corrupt or of another kind
    └── CorpusError            training material that is missing or unreadable
"""

from __future__ import annotations


class ImproviserError(Exception):
    """Base of every error that a user can see; its text names the next step."""


class UsageError(ImproviserError):
    """A wrong argument on the command line or in a call."""


class ConfigError(ImproviserError):
    """A faulty preset, device or settings file; its text lists every fault found."""


class MidiError(ImproviserError):
    """Bytes that are not a MIDI message."""


class MidiFileError(MidiError):
    """A file that is not a Standard MIDI File, or that cannot be read or written."""


class PortError(ImproviserError):
    """A MIDI port or a MIDI system that is not available; the text lists what is."""


class CheckpointError(ImproviserError):
    """A model that is missing, corrupt or of another kind; the text says what was expected and what was found."""


class CorpusError(ImproviserError):
    """Training material that is missing or unreadable."""
