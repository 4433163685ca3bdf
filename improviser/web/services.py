"""What the jam does for its pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from improviser.protocol import Command

Obey = Callable[[Command], None]


@dataclass(frozen=True, slots=True)
class Services:
    """What a page can ask for.

    Attributes:
        obey: Takes what a page says, without blocking.
        take: Gives the bytes of a MIDI file of the last bars, None: of all; raises ImproviserError where
            nothing was played. Called in any thread.
        examine: Gives what is found out about this machine; takes some seconds, in any thread.
    """

    obey: Obey
    take: Callable[[int | None], bytes]
    examine: Callable[[], Sequence[dict[str, Any]]]
