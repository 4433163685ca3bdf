"""Replays a session from its journal: the engine gets the same input in the same order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from improviser.errors import UsageError
from improviser.protocol import Played, Ready, Released, Summary
from improviser.session.replayer import Note, SessionReplayer

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.engine import Engine
    from improviser.session.session_log import Session


@dataclass(frozen=True, slots=True)
class Replay:
    """Compares what was played live with what the engine plays in the replay.

    Attributes:
        live: The improviser's note-ons and note-offs in the session.
        again: The note-ons and note-offs that the engine plays now.
    """

    live: tuple[Note, ...]
    again: tuple[Note, ...]

    @property
    def difference(self) -> int | None:
        """The index of the first message that differs, or None if all are the same."""
        pairs = zip(self.live, self.again, strict=False)
        place = next((place for place, (one, other) in enumerate(pairs) if one != other), None)
        if place is None and len(self.live) != len(self.again):
            return min(len(self.live), len(self.again))
        return place


def replay(session: Session, make_engine: Callable[[float], Engine]) -> Replay:
    """Replay a session.

    Args:
        session: The recorded session.
        make_engine: Returns an engine that decides the given number of seconds ahead, as in the session.

    Raises:
        UsageError: The session has no steps, because the version that recorded it did not write them.
        CheckpointError: A checkpoint that the session learned is missing or has changed.
    """
    player, live = SessionReplayer(make_engine), list[Note]()
    for event in session.events:
        if isinstance(event, Ready):
            player.cut_off(len(live))
        player.replay(event)
        note = _told(event)
        if note is not None:
            live.append(note)
    if not any(isinstance(event, Summary) for event in session.events):
        player.cut_off(len(live))
    if live and not player.has_stepped:
        raise UsageError("this session cannot be replayed: it was recorded by a version that kept no steps")
    return Replay(tuple(live), tuple(player.notes))


def _told(event: object) -> Note | None:
    """Return an event as a note to compare, or None if it is not a note of the improviser."""
    match event:
        case Played(due_s, _, channel, note, velocity):
            return due_s, True, channel, note, velocity
        case Released(due_s, _, channel, note):
            return due_s, False, channel, note, 0
        case _:
            return None
