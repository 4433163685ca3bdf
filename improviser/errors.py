"""The exceptions of improviser; imports nothing.

The tree:

    ImproviserError            every error that a user can meet; its text names the next step
    ├── UsageError             a wrong argument (exit code 2)
    ├── ConfigError            a faulty preset, device or settings file
    ├── MidiError              bytes that are no MIDI message
    │   └── MidiFileError      a file that is no Standard MIDI File
    ├── PortError              a MIDI port or a whole MIDI system that is not there
    ├── CheckpointError        a model that is missing, corrupt or of another kind
    └── CorpusError            training material that is missing or unreadable
"""

from __future__ import annotations


class ImproviserError(Exception):
    """Base of every error that a user can meet; its text names the next step."""


class UsageError(ImproviserError):
    """A wrong argument on the command line or in a call."""


class ConfigError(ImproviserError):
    """A faulty preset, device or settings file; its text lists every fault found."""


class MidiError(ImproviserError):
    """Bytes that are no MIDI message."""


class MidiFileError(MidiError):
    """A file that is no Standard MIDI File, or one that cannot be read or written."""


class PortError(ImproviserError):
    """A MIDI port, or a whole MIDI system, that is not there; names what is available."""


class CheckpointError(ImproviserError):
    """A model that is missing, corrupt or of another kind; names expected and found."""


class CorpusError(ImproviserError):
    """Training material that is missing or unreadable."""
