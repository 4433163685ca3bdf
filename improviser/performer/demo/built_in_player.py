"""Runs the built-in player on a port of its own: it begins in time, and leaves when somebody else plays."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Final

from improviser.errors import PortError
from improviser.midi.message import Message, NoteOn, message_to_bytes
from improviser.performer.demo.melody_player import MelodyPlayer
from improviser.performer.demo.tunes import DEFAULT_TUNE, find_tune
from improviser.performer.ports.opening import GRACE_S
from improviser.protocol import PlayerUse

if TYPE_CHECKING:
    from improviser.performer.ports.opening import OpenPorts
    from improviser.ports.base import OutputPort
    from improviser.protocol import PerformerSettings

# A demo begins at once.
PROMPT_S: Final = 0.2
# Measured from the arrival of the first note, the next bar's first note is slightly early.
_LAST_CALL_S: Final = 0.03


class BuiltInPlayer:
    """Plays the built-in player's tune through a port of its own, as a person would.

    Threads: Only the performer's loop uses this class.
    """

    def __init__(self, player: MelodyPlayer, output: OutputPort, begin_s: float, *, yields: bool) -> None:
        """Begin at `begin_s`. If `yields` is true, leave at the first note of somebody else."""
        self.player = player
        self._output = output
        self._yields = yields
        self._begin_s: float | None = begin_s
        self._end_s = math.inf
        self.is_gone = False

    @property
    def next_due_s(self) -> float | None:
        """The time at which the next message is due; None if there is none."""
        return self._begin_s if self._begin_s is not None else self.player.next_due_s

    @property
    def may_yield(self) -> bool:
        """Whether this player leaves when somebody else plays."""
        return self._yields and not self.is_gone

    @property
    def tune_s(self) -> float | None:
        """How long the tune lasts in seconds; None after the player has left."""
        return None if self.is_gone else self.player.duration_s

    def end_before(self, end_s: float | None) -> None:
        """Play nothing that would still sound at `end_s`, when the performance ends. None: it does not end."""
        self._end_s = math.inf if end_s is None else end_s - _LAST_CALL_S

    def pace(self, at_s: float, beat: float, tempo_bpm: float, end_s: float | None) -> None:
        """Follow a tempo, with `beat` at the time `at_s`. The performance then ends at `end_s`."""
        self.player.follow(at_s, beat, tempo_bpm)
        self.end_before(end_s)

    def play(self, at_s: float) -> None:
        """Play what is due at `at_s`, or raise PortError if the port has gone."""
        if at_s >= self._end_s and not self.is_gone:
            self.leave(at_s)
        if self._begin_s is not None and self._begin_s <= at_s:
            self.player.start(self._begin_s)
            self._begin_s = None
        for timed in self.player.pop_due(at_s):
            self._output.send(message_to_bytes(timed.message))

    def has_to_yield(self, message: Message, at_s: float) -> bool:
        """Return whether `message` is a note of somebody else for whom this player leaves."""
        if self.player.is_own(message, at_s):
            return False
        return self.may_yield and isinstance(message, NoteOn)

    def leave(self, at_s: float) -> None:
        """Release all keys and play no more."""
        self.is_gone = True
        self._begin_s = None
        for timed in self.player.stop(at_s):
            with contextlib.suppress(PortError):
                self._output.send(message_to_bytes(timed.message))


def new_built_in_player(settings: PerformerSettings, ports: OpenPorts, at_s: float) -> BuiltInPlayer | None:
    """Return the built-in player on its open port, or None if it does not play."""
    if ports.player_output is None:
        return None
    tune = find_tune(settings.tune or DEFAULT_TUNE)
    player = MelodyPlayer(tune, settings.engine["tempo_bpm"], repeats=settings.bars is not None)
    wait_s = GRACE_S if ports.is_alone or settings.stays else PROMPT_S
    yields = ports.player is PlayerUse.WHEN_ALONE
    return BuiltInPlayer(player, ports.player_output, at_s + wait_s, yields=yields)
