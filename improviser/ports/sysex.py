"""Splits system exclusive messages as drivers deliver them: one without an end includes the messages after it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

SYSEX: Final = 0xF0
SYSEX_END: Final = 0xF7
_STATUS, _NOTE_ON = 0x80, 0x9


def disentangled(data: Sequence[int]) -> list[Sequence[int]]:
    """Return a system exclusive message, or the messages in it if one without an end has swallowed others.

    Note-ons are left out, because their time is over. Source: MIDI 1.0: any status byte but a real-time one ends a
    system exclusive message.
    """
    starts = [place for place, byte in enumerate(data) if byte >= _STATUS and byte != SYSEX_END]
    pieces = [data[start:end] for start, end in pairwise([*starts, len(data)])]
    return [piece for piece in pieces if piece[0] >> 4 != _NOTE_ON or not any(piece[2:])]
