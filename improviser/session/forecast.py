"""What the improviser will play next, if the player goes on as now: an understudy plays ahead.

It is told what the journal is told, so it stands where the improviser stands, its random generator too. What
it plays ahead comes true to the note as long as nothing else is heard.
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

# So far ahead is played, anew on every beat. Copying an engine takes 2 ms, and each step 0.4.
AHEAD_BEATS: Final = 2
# The music begins with one of these.
_BEGINNINGS: Final = (Heard, Started, Stepped)
# One that is so far behind, many minutes, will not come back.
BEHIND_MAX: Final = 16_384
_CLOSING_S: Final = 1.0


def play_ahead(engine: Engine, beats: int = AHEAD_BEATS) -> list[dict[str, Any]]:
    """Return the notes that an engine will strike in the next beats, which it does not know of.

    Each has its `beat`, `note` 0-127 and `velocity`, and the `beats` it lasts, None where it goes on beyond.
    """
    twin = copy.deepcopy(engine, {id(engine.actor): engine.actor})
    notes: list[dict[str, Any]] = []
    sounding: dict[int, dict[str, Any]] = {}
    for _ in range(beats * engine.settings.steps_per_beat):
        messages = [] if (step_s := twin.next_step_s) is None else twin.step(step_s)
        beat = 0.0 if twin.decision is None else twin.decision.beat
        for timed in messages:
            match timed.message:
                case NoteOn(_, note, velocity):
                    sounding[note] = {"beat": beat, "beats": None, "note": note, "velocity": velocity}
                    notes.append(sounding[note])
                case NoteOff(_, note) if note in sounding:
                    begun = sounding.pop(note)
                    begun["beats"] = beat - begun["beat"]
    return notes


class Forecast:
    """Plays ahead beside a jam, while somebody looks; use it as a context.

    Threads: `hear` in the supervisor's; the understudy in one of its own, in which `tell` is called.
    """

    def __init__(
        self,
        settings: PerformerSettings,
        tell: Callable[[Planned], None],
        is_watched: Callable[[], bool],
        warn: Callable[[str], None],
    ) -> None:
        """Follow a jam that begins with `settings`; `tell` takes what is planned, while it `is_watched`."""
        self._settings, self._tell, self._is_watched, self._warn = settings, tell, is_watched, warn
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._has_ended = False
        self._thread = threading.Thread(target=self._follow, name="forecast", daemon=True)

    def __enter__(self) -> Self:
        """Begin to follow."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Follow no longer."""
        self._events.put(None)
        self._thread.join(_CLOSING_S)

    def enqueue(self, event: Event) -> None:
        """Process an event, as long as it can be followed."""
        if not self._has_ended and self._events.qsize() < BEHIND_MAX:
            self._events.put(event)
        elif not self._has_ended:
            self._has_ended = True
            self._events.put(None)

    def _follow(self) -> None:
        """Do what the improviser does, until the end, or until that cannot be done any more."""
        before: list[Event] = []
        while not before or not isinstance(before[-1], _BEGINNINGS):  # a jam that waits costs nothing
            event = self._events.get()
            if event is None:
                return
            before.append(event)
        from improviser.performer.assembly import engine_maker  # noqa: PLC0415 - it brings numpy with it
        from improviser.session.replayer import SessionReplayer  # noqa: PLC0415 - as above

        try:
            understudy = SessionReplayer(engine_maker(self._settings), self._stepped)
            for told in itertools.chain(before, iter(self._events.get, None)):
                understudy.replay(told)
                understudy.notes.clear()
        except Exception as error:  # noqa: BLE001 - what is planned is worth no jam
            self._warn(f"what it plans is not shown any more ({error})")
        finally:
            self._has_ended = True

    def _stepped(self, engine: Engine) -> None:
        """Play ahead on every beat."""
        decision = engine.decision
        is_beat = decision is not None and decision.step % engine.settings.steps_per_beat == 0
        # Behind by a step, it had better catch up.
        if is_beat and decision is not None and self._events.empty() and self._is_watched():
            at_s = engine.s_at(decision.beat)
            self._tell(Planned(at_s, decision.beat + 1 / engine.settings.steps_per_beat, play_ahead(engine)))
