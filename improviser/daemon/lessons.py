"""Sets of weights that were learned in the background: fetched beside the beat, played by from a bar line on.

What was learned last is taken back first, be it a press or a set.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from improviser.agent.checkpoint import read_set, set_from_bytes
from improviser.agent.policy import Policy
from improviser.control import Adopt, Adopted, Warned
from improviser.daemon.exchange import Exchange
from improviser.errors import CheckpointError, ImproviserError
from improviser.files import bytes_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from improviser.agent.policy import Actor
    from improviser.control import Event, PerformerSettings
    from improviser.engine import Engine

# So many sets are kept to be gone back to, one by one; beyond them lies the model as it was.
KEPT: Final = 16


class Lesson(NamedTuple):
    """A set of weights that was adopted, and who plays by it."""

    told: Adopted
    actor: Actor


@dataclass(frozen=True, slots=True)
class Fetched:
    """A set of weights that can be played by now."""

    command: Adopt
    policy: Policy


@dataclass(frozen=True, slots=True)
class NotFetched:
    """A set of weights that cannot be played by, and why."""

    fault: str


class Lessons:
    """What was learned, in its order.

    Threads: the beat's, and one of its own, which fetches; it has to be made before its maker takes real-time
    priority, which threads inherit.
    """

    def __init__(self, settings: PerformerSettings, put: Callable[[Fetched | NotFetched], None]) -> None:
        """Begin with the model of `settings`; `put` takes what is fetched, in the fetching thread."""
        self._model_digest = settings.model_digest
        self._resumed = settings.adopted
        self._put = put
        self._waiting: Fetched | None = None
        self._first: Actor | None = None
        # None stands for a press.
        self._history: list[Lesson | None] = []
        self._wanted: queue.SimpleQueue[tuple[Adopt, Policy]] = queue.SimpleQueue()
        if settings.exchange:
            threading.Thread(
                target=self._fetch, args=(Path(settings.exchange),), name="lessons", daemon=True
            ).start()

    @property
    def is_due(self) -> bool:
        """Whether another set is to be played by from the next bar on."""
        return self._waiting is not None

    def begin(self, model_digest: str) -> None:
        """Begin with another model."""
        self._model_digest, self._waiting, self._first = model_digest, None, None
        self._history = [None for lesson in self._history if lesson is None]

    def resume(self, engine: Engine) -> Iterator[Event]:
        """Let an engine of a performer that goes on play by the set that was played by."""
        if self._resumed is None or not isinstance(engine.actor, Policy):
            return
        number, path, digest = self._resumed
        try:
            policy = engine.actor.with_upper(read_set(Path(path), digest, engine.actor.config))
        except CheckpointError as error:
            yield Warned(f"{error}; it plays on as it was before it learned")
        else:
            yield self._play_by(Lesson(Adopted(number, path, digest), policy), engine)

    def carry_on(self, engine: Engine) -> Iterator[Event]:
        """Let an engine that begins anew play by what was played by last."""
        lesson = self._last
        if lesson is not None:
            engine.adopt(lesson.actor)
            yield lesson.told

    def ask(self, command: Adopt, engine: Engine) -> None:
        """Let a set be fetched, and be put where it is waited for, if it may be played by."""
        if self._fits(command) and isinstance(engine.actor, Policy):
            self._wanted.put((command, engine.actor))

    def take(self, found: Fetched | NotFetched) -> Iterator[Event]:
        """Let what was fetched be played by from the next bar on, where it can be."""
        if isinstance(found, NotFetched):
            yield Warned(f"{found.fault}; it plays on as it did")
        elif self._fits(found.command):
            self._waiting = found

    def adopt(self, engine: Engine) -> Event:
        """Let an engine play by what is due."""
        found, self._waiting = self._waiting, None
        assert found is not None  # noqa: S101 - `is_due`
        command = found.command
        told = Adopted(command.number, command.path, command.digest)
        return self._play_by(Lesson(told, found.policy), engine)

    def drop(self) -> None:
        """Let nothing be due."""
        self._waiting = None

    def note_press(self) -> None:
        """Take note that a press was learned from."""
        self._history.append(None)

    def undo(self, engine: Engine, *, everything: bool) -> Event | None:
        """Take back the last set, where nothing was learned since, or all; tell what is played by then."""
        self._waiting = None
        if everything:
            had = any(lesson is not None for lesson in self._history)
            self._history.clear()
            return self._go_back(engine) if had else None
        if not self._history or self._history.pop() is None:
            return None
        return self._go_back(engine)

    @property
    def _last(self) -> Lesson | None:
        """What is played by; None: the model as it was."""
        return next((lesson for lesson in reversed(self._history) if lesson is not None), None)

    def _fits(self, command: Adopt) -> bool:
        """Tell whether a set was learned from what is played by: not where that was taken back since."""
        number = 0 if self._last is None else self._last.told.number
        return command.model_digest == self._model_digest and command.after == number

    def _play_by(self, lesson: Lesson, engine: Engine) -> Event:
        """Let an engine play by a set, and remember it."""
        if self._first is None:
            self._first = engine.actor
        engine.adopt(lesson.actor)
        self._history.append(lesson)
        places = [place for place, lesson in enumerate(self._history) if lesson is not None]
        if len(places) > KEPT:
            del self._history[places[0]]
        return lesson.told

    def _go_back(self, engine: Engine) -> Event:
        """Let an engine play by the last set that is left, or by the model as it was."""
        lesson = self._last
        assert self._first is not None  # noqa: S101 - something was adopted
        engine.adopt(self._first if lesson is None else lesson.actor)
        told = Adopted(0) if lesson is None else lesson.told
        return Adopted(told.number, told.path, told.digest, is_back=True)

    def _fetch(self, path: Path) -> None:
        """Fetch what is wanted last."""
        try:
            exchange = Exchange(path)
        except ImproviserError as error:
            self._put(NotFetched(str(error)))
            return
        while True:
            command, policy = self._wanted.get()
            while not self._wanted.empty():
                command, policy = self._wanted.get()
            data = exchange.read(command.number) or b""
            try:
                self._put(Fetched(command, _policy(data, command.digest, policy)))
            except CheckpointError as error:
                self._put(NotFetched(str(error)))


def _policy(data: bytes, digest: str, policy: Policy) -> Policy:
    """Give the policy that plays by a set of weights. Raises CheckpointError where it is none, or another."""
    if bytes_digest(data) != digest:
        raise CheckpointError("a set of weights that was learned did not come whole")
    return policy.with_upper(set_from_bytes(data, policy.config))
