"""JACK's frames as seconds.

All clients of a server count the same frames, so that one that takes another's place goes on to the frame.
Source: JACK API 1.9.21, jack/jack.h: frames are counted modulo 2**32, by the sound card's clock.
"""

from __future__ import annotations

import time
from typing import Any, Final

from improviser.ports.clock import MonotonicClock

# A day at 48 kHz.
_FRAMES: Final = 1 << 32
_HALF: Final = 1 << 31


class JackClock(MonotonicClock):
    """The seconds of JACK's frames, from the server's start on.

    Threads: any; `turn` is called by JACK's only.
    """

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - JACK-Client has no types
        """Begin now."""
        self._client = client
        self._rate: int = client.samplerate
        # The frame in which a period began, as JACK counts it and as we do, without end, and when that was by
        # the machine's clock; replaced as one, so that no lock is needed.
        frame: int = client.frame_time
        self._anchor: tuple[int, int, float] = (frame, frame, time.monotonic())
        self._stopped_s: float | None = None

    @property
    def turned_s(self) -> float:
        """When the last period began, by the machine's monotonic clock."""
        return self._anchor[2]

    def now_s(self) -> float:
        """Return the current moment; where the server is gone, the machine's clock goes on from there."""
        if self._stopped_s is not None:
            return time.monotonic() + self._stopped_s
        # Not JACK's own estimate of the current frame: it lags for seconds after the server has stood still.
        _, frame, turned_s = self._anchor
        return self.s_at(frame) + time.monotonic() - turned_s

    def s_at(self, frame: int) -> float:
        """Return the moment of a frame."""
        return frame / self._rate

    def frame_at(self, at_s: float) -> int:
        """Return the frame that is nearest to a moment."""
        return round(at_s * self._rate)

    def turn(self) -> int:
        """Record that a period begins; return its first frame."""
        counted = self._client.last_frame_time
        frame = self._unwound(counted)
        self._anchor = (counted, frame, time.monotonic())
        return frame

    def stop(self) -> None:
        """Record that the server is gone, and go on without it."""
        self._stopped_s = self.now_s() - time.monotonic()

    def _unwound(self, counted: int) -> int:
        """Return a frame as we count it."""
        at, frame, _ = self._anchor
        return frame + (counted - at + _HALF) % _FRAMES - _HALF
