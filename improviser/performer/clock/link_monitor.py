"""Looking where Link's beat is, and telling the beat of it."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final

from improviser.performer.inbox import LinkHeard
from improviser.ports.priority import HELPER_PRIORITY, raise_priority
from improviser.protocol import DIGITS
from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from improviser.performer.inbox import Inbox
    from improviser.ports.clock import Clock
    from improviser.ports.link import LinkPeer, LinkState

# A change of tempo or transport is heard of within this.
LOOK_EVERY_S: Final = 0.02
# Told so often in any case: the clocks of a sound card and its computer drift apart.
TELL_EVERY_S: Final = 0.5
# So far off the line that was told, in beats, is a change.
_OFF_BEATS: Final = 0.002


@contextlib.contextmanager
def watching_link(peer: LinkPeer, clock: Clock, inbox: Inbox) -> Iterator[None]:
    """Look while the block runs; leave Link at its end."""
    thread = LinkMonitor(peer, clock, inbox)
    thread.start()
    try:
        yield
    finally:
        thread.stop()
        peer.close()


class LinkMonitor(threading.Thread):
    """Threads: one of its own; ends with the process, or when `stop` is called."""

    def __init__(self, peer: LinkPeer, clock: Clock, inbox: Inbox) -> None:
        """Look at a peer."""
        super().__init__(name="link", daemon=True)
        self._peer, self._clock, self._inbox = peer, clock, inbox
        self._told: LinkState | None = None
        self._ended = threading.Event()

    def run(self) -> None:
        """Look again and again."""
        raise_priority(HELPER_PRIORITY)
        while not self._ended.wait(LOOK_EVERY_S):
            self.look()

    def stop(self) -> None:
        """Look no more; returns when the last look is over."""
        self._ended.set()
        self.join()

    def look(self) -> None:
        """Look once; tell what is new."""
        state = self._peer.read(self._clock)
        if not self._is_known(state):
            self._told = state
            self._inbox.put(
                LinkHeard(
                    round(state.at_s, DIGITS),
                    round(state.beat, DIGITS),
                    round(state.tempo_bpm, DIGITS),
                    is_playing=state.is_playing,
                    peers=state.peers,
                )
            )

    def _is_known(self, state: LinkState) -> bool:
        """Return whether a state follows from the one that was told, not long ago."""
        told = self._told
        if told is None or state.at_s - told.at_s > TELL_EVERY_S:
            return False
        beat = told.beat + (state.at_s - told.at_s) * told.tempo_bpm / S_PER_MINUTE
        same = (told.tempo_bpm, told.is_playing, told.peers) == (
            state.tempo_bpm,
            state.is_playing,
            state.peers,
        )
        return same and abs(beat - state.beat) < _OFF_BEATS
