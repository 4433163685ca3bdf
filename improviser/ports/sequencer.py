"""Checks for the kernel's ALSA sequencer, which every ALSA driver needs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from improviser.errors import PortError

ALSA_SEQUENCER: Final = Path("/dev/snd/seq")


def need_sequencer() -> None:
    """Raise PortError if the kernel has no sequencer loaded."""
    if not ALSA_SEQUENCER.exists():
        raise PortError("no ALSA sequencer here; load it with: sudo modprobe snd-seq")
