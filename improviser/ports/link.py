"""Ableton Link: beat, tempo and transport shared with other programs on the same network.

Source: Ableton Link 3 (https://ableton.github.io/link/): peers agree on one tempo, and on where bars of a
given length (the quantum) begin; each counts beats of its own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from improviser.errors import PortError

if TYPE_CHECKING:
    from improviser.ports.clock import Clock

_ADVICE: Final = 'install it with: pip install "improviser-live[link]"'
# Two clocks are read one after the other; of so many readings the quickest counts.
_READINGS: Final = 3


@dataclass(frozen=True, slots=True)
class LinkState:
    """What the peers have agreed on.

    Attributes:
        at_s: A moment, by the MIDI backend's clock.
        beat: The beat that stands there; bars begin at its multiples of the bar's length.
        tempo_bpm: Quarter notes a minute.
        is_playing: Whether the transport runs, which not every peer has.
        peers: How many others there are.
    """

    at_s: float
    beat: float
    tempo_bpm: float
    is_playing: bool
    peers: int


class LinkPeer:
    """A peer. Threads: any; nothing blocks."""

    def __init__(self, module: Any, tempo_bpm: float, bar_beats: float) -> None:  # noqa: ANN401 - without types
        """Join, and bring a tempo, which counts where nobody else is there."""
        self._bar_beats = bar_beats
        self._link = module.Link(tempo_bpm)
        self._link.startStopSyncEnabled = True
        self._link.enabled = True

    def read(self, clock: Clock) -> LinkState:
        """Return the state now."""
        readings = (self._both_clocks(clock) for _ in range(_READINGS))
        _, at_s, at_us = min(readings)
        state = self._link.captureSessionState()
        return LinkState(
            at_s=at_s,
            beat=state.beatAtTime(at_us, self._bar_beats),
            tempo_bpm=state.tempo(),
            is_playing=state.isPlaying(),
            peers=self._link.numPeers(),
        )

    def set_tempo(self, tempo_bpm: float) -> None:
        """Propose a tempo to all."""
        state = self._link.captureSessionState()
        state.setTempo(tempo_bpm, self._link.clock().micros())
        self._link.commitSessionState(state)

    def close(self) -> None:
        """Leave."""
        self._link.enabled = False

    def _both_clocks(self, clock: Clock) -> tuple[int, float, int]:
        """Return how long a reading took, and what both clocks said in the midst of it."""
        start_ns = time.monotonic_ns()
        at_s, at_us = clock.now_s(), self._link.clock().micros()
        return time.monotonic_ns() - start_ns, at_s, int(at_us)


def open_link(tempo_bpm: float, bar_beats: float) -> LinkPeer:
    """Join Link. Raises PortError where its library is missing."""
    try:
        import link  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise PortError(f"Ableton Link takes a library that is missing; {_ADVICE}") from error
    except ImportError as error:  # a bare Debian lacks what it stands on
        advice = "on Debian: apt-get install libatomic1"
        raise PortError(f"Ableton Link does not load ({error}); {advice}") from error
    return LinkPeer(link, tempo_bpm, bar_beats)
