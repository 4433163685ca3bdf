"""Ableton Link: shares beat, tempo and transport with other programs on the same network.

Source: Ableton Link 3 (https://ableton.github.io/link/): peers agree on one tempo, and on where bars of a given length
(the quantum) begin. Each peer counts its own beats.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from improviser.errors import PortError

if TYPE_CHECKING:
    from improviser.ports.clock import Clock

_ADVICE: Final = 'install it with: pip install "improviser-live[link]"'
# The two clocks are read one after the other. Of this many readings, the quickest is used.
_READINGS: Final = 3


@dataclass(frozen=True, slots=True)
class LinkState:
    """What the peers have agreed on.

    Attributes:
        at_s: The time of the state, by the MIDI backend's clock.
        beat: The beat at that time. Bars begin at multiples of the bar's length.
        tempo_bpm: The tempo in quarter notes a minute.
        is_playing: Whether the transport runs. Not every peer has a transport.
        peers: The number of other peers.
    """

    at_s: float
    beat: float
    tempo_bpm: float
    is_playing: bool
    peers: int


class LinkPeer:
    """A peer in a Link session.

    Threads: Any thread may call the methods. They do not block.
    """

    def __init__(self, module: Any, tempo_bpm: float, bar_beats: float) -> None:  # noqa: ANN401 - the module has no types
        """Join with a tempo, which is used if there is no other peer."""
        self._bar_beats = bar_beats
        self._link = module.Link(tempo_bpm)
        self._link.startStopSyncEnabled = True
        self._link.enabled = True

    def read(self, clock: Clock) -> LinkState:
        """Return the present state."""
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
        """Propose a tempo to all peers."""
        state = self._link.captureSessionState()
        state.setTempo(tempo_bpm, self._link.clock().micros())
        self._link.commitSessionState(state)

    def close(self) -> None:
        """Leave the session."""
        self._link.enabled = False

    def _both_clocks(self, clock: Clock) -> tuple[int, float, int]:
        """Return how long a reading took (ns), and the readings of the two clocks (s, µs)."""
        start_ns = time.monotonic_ns()
        at_s, at_us = clock.now_s(), self._link.clock().micros()
        return time.monotonic_ns() - start_ns, at_s, int(at_us)


def open_link(tempo_bpm: float, bar_beats: float) -> LinkPeer:
    """Join a Link session, or raise PortError if the library is missing or does not load."""
    try:
        import link  # noqa: PLC0415 - the library is optional
    except ModuleNotFoundError as error:
        raise PortError(f"Ableton Link takes a library that is missing; {_ADVICE}") from error
    except ImportError as error:  # a minimal Debian lacks a library that it needs
        advice = "on Debian: apt-get install libatomic1"
        raise PortError(f"Ableton Link does not load ({error}); {advice}") from error
    return LinkPeer(link, tempo_bpm, bar_beats)
