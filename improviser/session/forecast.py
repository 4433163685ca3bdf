"""Forecasts what the improviser will play next if the player goes on as now.

A second engine replays the jam: it receives the events that the journal receives. So its state is the improviser's
state, its random generator included. A copy of that engine plays ahead. The forecast is right to the note as long as
nothing else is heard.
"""

from __future__ import annotations

import copy
import itertools
import queue
import threading
from typing import TYPE_CHECKING, Any, Final, Self

from improviser.midi.message import NoteOff, NoteOn
from improviser.protocol import Heard, Planned, Started, Stepped

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from improviser.engine import Engine
    from improviser.protocol import Event, PerformerSettings

# How far to play ahead, again on every beat. Copying an engine takes 2 ms, and each step takes 0.4 ms.
AHEAD_BEATS: Final = 2
# The music begins with one of these events.
_BEGINNINGS: Final = (Heard, Started, Stepped)
# A forecast that is this many events behind, which is many minutes, cannot catch up.
BEHIND_MAX: Final = 16_384
_CLOSING_S: Final = 1.0


def play_ahead(engine: Engine, beats: int = AHEAD_BEATS) -> list[dict[str, Any]]:
    """Return the notes that an engine will play in the next beats. The engine itself does not change.

    Each note is a dict with `beat`, `note` (0-127), `velocity` and `beats`. `beats` is the note's duration, or None if
    the note goes on beyond the last beat.
    """
    twin = copy.deepcopy(engine, {id(engine.actor): engine.actor})
    notes: list[dict[str, Any]] = []
    sounding: dict[int, tuple[dict[str, Any], float]] = {}
    for _ in range(beats * engine.settings.steps_per_beat):
        messages = [] if (step_s := twin.next_step_s) is None else twin.step(step_s) + twin.prepare()
        beat = 0.0 if twin.decision is None else twin.decision.beat
        for timed in messages:
            match timed.message:
                case NoteOn(_, note, velocity):
                    notes.append({"beat": beat, "beats": None, "note": note, "velocity": velocity})
                    sounding[note] = notes[-1], timed.due_s
                case NoteOff(_, note) if note in sounding:
                    begun, due_s = sounding.pop(note)
                    begun["beats"] = twin.beat_at(timed.due_s) - twin.beat_at(due_s)
    return notes


class Forecast:
    """Plays ahead beside a jam while somebody watches. Use it as a context manager.

    Threads: The supervisor's thread calls `enqueue`. The forecast runs in a thread of its own, and calls `tell`,
    `is_watched` and `warn` there.
    """

    def __init__(
        self,
        settings: PerformerSettings,
        tell: Callable[[Planned], None],
        is_watched: Callable[[], bool],
        warn: Callable[[str], None],
    ) -> None:
        """Prepare to follow a jam.

        Args:
            settings: The settings with which the jam begins.
            tell: Called with what is planned.
            is_watched: Returns whether somebody watches; otherwise nothing is planned.
            warn: Called with a message if the forecast fails.
        """
        self._settings, self._tell, self._is_watched, self._warn = settings, tell, is_watched, warn
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._has_ended = False
        self._thread = threading.Thread(target=self._follow, name="forecast", daemon=True)

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the thread."""
        self._events.put(None)
        self._thread.join(_CLOSING_S)

    def enqueue(self, event: Event) -> None:
        """Queue an event, unless the forecast has ended or is too far behind."""
        if not self._has_ended and self._events.qsize() < BEHIND_MAX:
            self._events.put(event)
        elif not self._has_ended:
            self._has_ended = True
            self._events.put(None)

    def _follow(self) -> None:
        """Replay the jam's events until the jam ends or the replay fails."""
        before: list[Event] = []
        while not before or not isinstance(before[-1], _BEGINNINGS):  # a jam that waits costs nothing
            event = self._events.get()
            if event is None:
                return
            before.append(event)
        from improviser.performer.assembly import engine_maker  # noqa: PLC0415 - this import loads numpy
        from improviser.session.replayer import SessionReplayer  # noqa: PLC0415 - as above

        try:
            replayer = SessionReplayer(engine_maker(self._settings), self._stepped)
            for told in itertools.chain(before, iter(self._events.get, None)):
                replayer.replay(told)
                replayer.notes.clear()
        except Exception as error:  # noqa: BLE001 - a forecast must never end the jam
            self._warn(f"what it plans is not shown any more ({error})")
        finally:
            self._has_ended = True

    def _stepped(self, engine: Engine) -> None:
        """Play ahead on every beat."""
        decision = engine.decision
        is_beat = decision is not None and decision.step % engine.settings.steps_per_beat == 0
        # If more events wait, the forecast is behind and catches up first.
        if is_beat and decision is not None and self._events.empty() and self._is_watched():
            at_s = engine.s_at(decision.beat)
            self._tell(Planned(at_s, decision.beat + 1 / engine.settings.steps_per_beat, play_ahead(engine)))
