"""Converts JACK's frames to seconds.

All clients of a server count the same frames. So a client that replaces another one continues at the same frame.
Source: JACK API 1.9.21, jack/jack.h: frames are counted modulo 2**32, by the sound card's clock.
"""

from __future__ import annotations

import time
from typing import Any, Final

from improviser.ports.clock import MonotonicClock

# Frames wrap around after a day at 48 kHz.
_FRAMES: Final = 1 << 32
_HALF: Final = 1 << 31


class JackClock(MonotonicClock):
    """The time by JACK's frames, in seconds since the server's start.

    Threads: Any thread may use the clock, but only JACK's thread calls `turn`.
    """

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - JACK-Client has no types
        """Start at the client's present frame."""
        self._client = client
        self._rate: int = client.samplerate
        # The frame in which the last period began, as JACK counts it and without wrapping around, and its time by the
        # machine's clock. The tuple is replaced as a whole, so no lock is needed.
        frame: int = client.frame_time
        self._anchor: tuple[int, int, float] = (frame, frame, time.monotonic())
        self._stopped_s: float | None = None

    @property
    def turned_s(self) -> float:
        """When the last period began, by the machine's monotonic clock."""
        return self._anchor[2]

    def now_s(self) -> float:
        """Return the current time in seconds. After the server has gone, the machine's clock continues it."""
        if self._stopped_s is not None:
            return time.monotonic() + self._stopped_s
        # JACK's own estimate of the current frame lags for seconds after the server has stood still.
        _, frame, turned_s = self._anchor
        return self.s_at(frame) + time.monotonic() - turned_s

    def s_at(self, frame: int) -> float:
        """Return the time of a frame in seconds."""
        return frame / self._rate

    def frame_at(self, at_s: float) -> int:
        """Return the frame that is nearest to a time."""
        return round(at_s * self._rate)

    def turn(self) -> int:
        """Record that a period begins. Return its first frame."""
        counted = self._client.last_frame_time
        frame = self._unwound(counted)
        self._anchor = (counted, frame, time.monotonic())
        return frame

    def stop(self) -> None:
        """Record that the server has gone, and continue without it."""
        self._stopped_s = self.now_s() - time.monotonic()

    def _unwound(self, counted: int) -> int:
        """Return a frame number of JACK's as a count that does not wrap around."""
        at, frame, _ = self._anchor
        return frame + (counted - at + _HALF) % _FRAMES - _HALF
