"""The functions of the jam that the server calls for its pages."""

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
        obey: Runs a command from a page without blocking.
        take: Returns the last bars as the bytes of a MIDI file; None means all bars. Raises ImproviserError if nothing
            was played. Any thread may call it.
        examine: Returns the findings about this machine. Takes some seconds. Any thread may call it.
    """

    obey: Obey
    take: Callable[[int | None], bytes]
    examine: Callable[[], Sequence[dict[str, Any]]]
