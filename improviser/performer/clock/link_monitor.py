"""Reads where Link's beat is, and reports it to the performer's loop."""

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

# A change of tempo or transport is noticed within this time.
LOOK_EVERY_S: Final = 0.02
# The beat is reported at least this often, because the clocks of a sound card and its computer drift apart.
TELL_EVERY_S: Final = 0.5
# A beat that differs by more than this from the expected one counts as a change.
_OFF_BEATS: Final = 0.002


@contextlib.contextmanager
def watching_link(peer: LinkPeer, clock: Clock, inbox: Inbox) -> Iterator[None]:
    """Watch Link while the block runs, and leave Link at its end."""
    thread = LinkMonitor(peer, clock, inbox)
    thread.start()
    try:
        yield
    finally:
        thread.stop()
        peer.close()


class LinkMonitor(threading.Thread):
    """Watches a Link peer, and puts changes into the inbox.

    Threads: This is a thread of its own. It ends with the process or when `stop` is called.
    """

    def __init__(self, peer: LinkPeer, clock: Clock, inbox: Inbox) -> None:
        """Create the thread for a peer."""
        super().__init__(name="link", daemon=True)
        self._peer, self._clock, self._inbox = peer, clock, inbox
        self._told: LinkState | None = None
        self._ended = threading.Event()

    def run(self) -> None:
        """Check again and again until `stop` is called."""
        raise_priority(HELPER_PRIORITY)
        while not self._ended.wait(LOOK_EVERY_S):
            self.look()

    def stop(self) -> None:
        """Stop the thread, and wait until its last check has ended."""
        self._ended.set()
        self.join()

    def look(self) -> None:
        """Check once. Report a change."""
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
        """Return whether a state follows from the last one that was reported, if that was not long ago."""
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
