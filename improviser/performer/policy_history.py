"""Fetches the checkpoints that are learned in the background, and uses them from a bar line on.

Undo reverses what was learned last, whether that was a like, a dislike or a checkpoint.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from improviser.agent.checkpoint import set_from_bytes
from improviser.agent.policy import Policy
from improviser.errors import CheckpointError, ImproviserError
from improviser.ipc.weight_mailbox import WeightMailbox
from improviser.performer.worker import Worker
from improviser.protocol import Adopt, Adopted, Warned

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.agent.policy import Actor
    from improviser.engine import Engine
    from improviser.protocol import Event, PerformerSettings

# How many checkpoints are kept for undo. Before the oldest of them comes the original model.
KEPT: Final = 16


class LearnedPolicy(NamedTuple):
    """A checkpoint that was adopted, and the actor that uses it."""

    told: Adopted
    actor: Actor


@dataclass(frozen=True, slots=True)
class PolicyFetched:
    """A checkpoint that can be used now."""

    command: Adopt
    policy: Policy


@dataclass(frozen=True, slots=True)
class PolicyNotFetched:
    """A checkpoint that cannot be used, and why."""

    fault: str


class PolicyHistory:
    """The adopted checkpoints and the feedback, in the order in which they were learned.

    Threads: The performer's loop uses this class. A thread of its own fetches checkpoints: see Worker.
    """

    def __init__(
        self,
        settings: PerformerSettings,
        put: Callable[[PolicyFetched | PolicyNotFetched], None],
        tell: Callable[[Event], None],
    ) -> None:
        """Start with the model of `settings`.

        Args:
            settings: What the performer plays.
            put: Called with what was fetched, in the fetching thread.
            tell: Called with events about the checkpoint in use.
        """
        self._tell = tell
        self._model_digest = settings.model_digest
        self._learns = bool(settings.mailbox)
        self._undone = 0
        self._resumed = settings.adopted
        self._resumed_data = b"" if settings.adopted is None else _read(settings.adopted[1])
        self._put = put
        self._waiting: PolicyFetched | None = None
        self._first: Actor | None = None
        # None stands for a like or a dislike.
        self._history: list[LearnedPolicy | None] = []
        self._mailbox = _open(settings.mailbox, put) if settings.mailbox else None
        self._fetching = None if self._mailbox is None else Worker("policy history", self._fetch)

    @property
    def is_due(self) -> bool:
        """Whether another checkpoint is to be used from the next bar on."""
        return self._waiting is not None

    def begin(self, model_digest: str) -> None:
        """Start again with another model. Only the feedback stays in the history."""
        self._model_digest, self._waiting, self._first = model_digest, None, None
        self._history = [None for learned_policy in self._history if learned_policy is None]

    def resume(self, engine: Engine) -> None:
        """Restore the policy that was in use, for an engine of a performer that replaces another."""
        if self._resumed is None or not isinstance(engine.actor, Policy):
            return
        number, path, digest = self._resumed
        try:
            weights = set_from_bytes(self._resumed_data, digest, engine.actor.config)
        except CheckpointError:
            self._tell(Warned(f"the learned weights at {path} are lost; it plays with the original model"))
            self._tell(Adopted(0, is_back=True))
        else:
            learned_policy = LearnedPolicy(Adopted(number, path, digest), engine.actor.with_upper_layers(weights))
            self._play_by(learned_policy, engine)

    def carry_on(self, engine: Engine) -> None:
        """Use the last policy for an engine that starts again and has no feedback yet."""
        self._history = [learned_policy for learned_policy in self._history if learned_policy is not None]
        learned_policy = self._last
        if learned_policy is not None:
            engine.adopt(learned_policy.actor)
            self._tell(replace(learned_policy.told, undone=self._undone))

    def ask(self, command: Adopt, engine: Engine) -> None:
        """Fetch a checkpoint in the background, if it may be used."""
        if self._fetching is not None and self._fits(command) and isinstance(engine.actor, Policy):
            self._fetching.want((command, engine.actor))

    def accept_fetched(self, found: PolicyFetched | PolicyNotFetched) -> None:
        """Use a fetched checkpoint from the next bar on, if it may be used."""
        if isinstance(found, PolicyNotFetched):
            self._tell(Warned(f"{found.fault}; nothing changes"))
        elif self._fits(found.command):
            self._waiting = found

    def adopt(self, engine: Engine) -> None:
        """Switch an engine to the policy that is due."""
        found, self._waiting = self._waiting, None
        assert found is not None  # noqa: S101 - callers check `is_due`
        command = found.command
        told = Adopted(command.number, command.path, command.digest, undone=self._undone)
        self._play_by(LearnedPolicy(told, found.policy), engine)

    def drop(self) -> None:
        """Drop the policy that is due."""
        self._waiting = None

    def record_feedback(self) -> None:
        """Record that a like or a dislike was learned from."""
        self._history.append(None)

    def undo(self, engine: Engine, *, everything: bool) -> bool:
        """Undo the last checkpoint if nothing was learned since, or all checkpoints. Return whether one was undone.

        The change acts at once. If a learner runs and `everything` is true, this includes checkpoints that were not
        adopted yet.
        """
        self._waiting = None
        if everything:
            had = self._learns or self._last is not None
            self._history.clear()
        else:
            had = bool(self._history) and self._history.pop() is not None
        if had:
            self._go_back(engine)
        return had

    @property
    def _last(self) -> LearnedPolicy | None:
        """The policy in use; None for the original model."""
        return next((learned_policy for learned_policy in reversed(self._history) if learned_policy is not None), None)

    def _fits(self, command: Adopt) -> bool:
        """Return whether a checkpoint may be used: it fits the model, and nothing was undone since it was learned."""
        return command.model_digest == self._model_digest and command.undone == self._undone

    def _play_by(self, learned_policy: LearnedPolicy, engine: Engine) -> None:
        """Switch an engine to a policy, and add it to the history."""
        if self._first is None:
            self._first = engine.actor
        engine.adopt(learned_policy.actor)
        self._history.append(learned_policy)
        places = [place for place, learned_policy in enumerate(self._history) if learned_policy is not None]
        if len(places) > KEPT:
            del self._history[places[0]]
        self._tell(learned_policy.told)

    def _go_back(self, engine: Engine) -> None:
        """Switch an engine back to the last policy that is left, or to the original model."""
        self._undone += 1
        learned_policy = self._last
        actor = self._first if learned_policy is None else learned_policy.actor
        if actor is not None:
            engine.adopt(actor)
        told = Adopted(0) if learned_policy is None else learned_policy.told
        self._tell(replace(told, is_back=True, undone=self._undone))

    def _fetch(self, wanted: tuple[Adopt, Policy]) -> None:
        """Fetch a checkpoint for a policy with the same model."""
        command, policy = wanted
        data = None if self._mailbox is None else self._mailbox.read(command.number)
        try:
            weights = set_from_bytes(data or b"", command.digest, policy.config)
            self._put(PolicyFetched(command, policy.with_upper_layers(weights)))
        except CheckpointError as error:
            self._put(PolicyNotFetched(str(error)))


def _open(path: str, put: Callable[[PolicyNotFetched], None]) -> WeightMailbox | None:
    """Open the mailbox at a path. If that fails, report it through `put` and return None."""
    try:
        return WeightMailbox(Path(path))
    except ImproviserError as error:
        put(PolicyNotFetched(str(error)))
        return None


def _read(path: str) -> bytes:
    """Return the bytes of a file, or no bytes if it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
