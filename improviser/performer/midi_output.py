"""Sends the improviser's messages when they are due, and reports each one that has left."""

from __future__ import annotations

from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

from improviser.errors import PortError
from improviser.ipc.shared_state import Cells, mark
from improviser.midi.message import Message, NoteOff, NoteOn, TimedMessage, message_to_bytes
from improviser.protocol import DIGITS, Event, Mended, Played, Released, Silenced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from improviser.engine import Decision, Engine
    from improviser.performer.input.echo import EchoFilter
    from improviser.performer.input.thru import Thru
    from improviser.performer.ports.reconnecting_output import ReconnectingOutput
    from improviser.performer.stats import Stats
    from improviser.playing.scheduler import Scheduler
    from improviser.ports.clock import Clock

_HALF_A_DIGIT_S: Final = 0.5 * 10**-DIGITS
_NO_REWARDS: Final[Mapping[str, float]] = {}


@dataclass(frozen=True, slots=True)
class OutputPath:
    """Where messages go, and the objects that record them.

    Attributes:
        output: The port.
        cells: The memory that records which notes sound.
        echoes: Recognises sent messages that come back.
        thru: Passes on the player's own messages; None if they are not passed on.
    """

    output: ReconnectingOutput
    cells: Cells
    echoes: EchoFilter
    thru: Thru | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    """A message that has left, the time at which it left, and the decision that was current then."""

    timed: TimedMessage
    actual_s: float
    decision: Decision | None


class MidiOutput:
    """Sends what the scheduler returns, and remembers it until there is time to report it.

    Threads: Only the performer's loop uses this class. `send_due` and `release` do not report what they send;
    `tell_left` does so later.
    """

    def __init__(
        self,
        path: OutputPath,
        scheduler: Scheduler,
        clock: Clock,
        stats: Stats,
        tell: Callable[[Event], None],
        *,
        quiet_channel: int | None = None,
    ) -> None:
        """Send through `path` what `scheduler` says is due by `clock`.

        Args:
            path: Where messages go.
            scheduler: Holds the planned messages and the sounding notes.
            clock: Returns the time.
            stats: Counts what has left.
            tell: Called with events about what has left.
            quiet_channel: A channel whose messages are neither counted nor reported; None for no such channel.
        """
        self._output, self._cells, self._thru = path.output, path.cells, path.thru
        self._echoes = path.echoes
        self._tell = tell
        self._quiet_channel = quiet_channel
        self._scheduler = scheduler
        self._clock = clock
        self._stats = stats
        self._said: list[_Said] = []
        self._ended: list[tuple[float, NoteOff]] = []
        self._through_s = 0.0

    @property
    def next_due_s(self) -> float | None:
        """The time at which something has to be sent next; None if nothing is planned."""
        return self.hand_over_s(self._scheduler.next_due_s)

    @property
    def through_s(self) -> float:
        """The time up to which all due messages have been handed to the port."""
        return self._through_s

    @property
    def has_news(self) -> bool:
        """Whether something has left that was not reported yet."""
        return bool(self._said)

    def plan(self, messages: Iterable[TimedMessage]) -> None:
        """Add messages to the scheduler."""
        for timed in messages:
            self._scheduler.add(timed)

    def mend(self, messages: Sequence[TimedMessage], decision: Decision | None) -> None:
        """Add the messages that mend a clash, as `decision` says, and report it; do nothing without messages."""
        if messages and decision is not None:
            self.tell_mended(decision)
            self.plan(messages)

    def tell_mended(self, decision: Decision | None) -> None:
        """Report what was mended in a decision, if anything was."""
        if decision is not None and decision.mended:
            now_s = round(self._clock.now_s(), DIGITS)
            self._tell(Mended(now_s, self._through_s, decision.mended, decision.gesture.notes))

    @property
    def ahead_s(self) -> float:
        """How many seconds before its time a message has to be sent."""
        return self._output.ahead_s

    def hand_over_s(self, due_s: float | None) -> float | None:
        """Return when a message that is due at `due_s` has to be sent, or None if `due_s` is None."""
        return None if due_s is None else due_s - self._output.ahead_s

    def horizon_s(self) -> float:
        """Return the time up to which messages have to be sent now.

        It is rounded up, because a message that is due now must not wait for a time that does not pass.
        """
        return round(self._clock.now_s() + self._output.ahead_s + _HALF_A_DIGIT_S, DIGITS)

    def send_due(self, decision: Decision | None) -> None:
        """Send the messages that are due, or raise PortError if the port has gone."""
        self._note_what_left()
        # A period that becomes shorter takes nothing back: a replay has to know all that was sent.
        self._through_s = max(self._through_s, self.horizon_s())
        self._send(self._scheduler.pop_due(self._through_s), decision)

    def release(self, decision: Decision | None, *, everywhere: bool = False) -> None:
        """End all sounding notes and drop all planned ones. Try each message, even after one has failed.

        Args:
            decision: The current decision.
            everywhere: Whether to send the controls that end all notes on channels without sounding notes too.

        Raises:
            PortError: The port has gone, so at least some messages failed.
        """
        now_s, fault = round(self._clock.now_s(), DIGITS), None
        self._tell(Silenced(now_s, self._through_s))
        for timed in self._scheduler.release(now_s, everywhere=everywhere):
            try:
                self._send([timed], decision)
            except PortError as error:
                fault = error
        if self._thru is not None:
            self._thru.release(now_s)
        if fault is not None:
            raise fault

    def silence(self, engine: Engine, *, everywhere: bool = False) -> None:
        """End all sounding notes, inform the engine and go on. Raise PortError as `release` does."""
        self.release(engine.decision, everywhere=everywhere)
        engine.released()

    def release_port(self, port: str) -> None:
        """End the notes that were passed on from an input that has gone."""
        if self._thru is not None:
            self._thru.release(self._clock.now_s(), port)

    def limit(self, max_note_s: float) -> None:
        """Set the longest duration of notes that begin from now on."""
        self._scheduler.limit(max_note_s)

    def send_now(self, message: Message) -> None:
        """Send a message that makes no sound at once, past the scheduler. Raise PortError if the port has gone."""
        self._send([TimedMessage(self._clock.now_s(), message)], None)

    def drain(self) -> None:
        """Wait until all messages handed to the port have left. MIDI thru stops before that."""
        if self._thru is not None:
            self._thru.close()
            self._thru.release(self._clock.now_s())
        if self._ended:
            self._clock.wait(SimpleQueue(), self._ended[-1][0])
        self._note_what_left()

    def tell_left(self, decision: Decision | None, rewards: Mapping[str, float]) -> None:
        """Report what has left. `rewards` are those of `decision`."""
        said, self._said = self._said, []
        for one in said:
            event = _event(one, rewards if one.decision is decision else _NO_REWARDS)
            if event is not None:
                self._tell(event)

    def _note_what_left(self) -> None:
        """Record the ends of notes whose note-offs have left, unless the notes sound again."""
        now_s = self._clock.now_s()
        while self._ended and self._ended[0][0] <= now_s:
            _, off = self._ended.pop(0)
            if not self._scheduler.sounds(off.channel, off.note):
                mark(self._cells, off.channel, off.note, sounds=False)

    def _send(self, messages: Sequence[TimedMessage], decision: Decision | None) -> None:
        """Send messages, and record those that were sent even if one fails."""
        sent: list[tuple[TimedMessage, float]] = []
        try:
            for timed in messages:
                message = timed.message
                if isinstance(message, NoteOn):
                    mark(self._cells, message.channel, message.note, sounds=True)
                data = message_to_bytes(message)
                self._echoes.note_sent(data, max(timed.due_s, self._clock.now_s()))
                leaves_s = self._output.send(data, timed.due_s)
                sent.append((timed, self._clock.now_s() if leaves_s is None else leaves_s))
        finally:
            self._scheduler.put_back(messages[len(sent) :])
            self._keep_books(sent, decision)

    def _keep_books(self, sent: Iterable[tuple[TimedMessage, float]], decision: Decision | None) -> None:
        """Count and remember what has been sent."""
        for timed, actual_s in sent:
            message = timed.message
            if isinstance(message, NoteOff):
                self._ended.append((actual_s, message))
            if getattr(message, "channel", None) == self._quiet_channel is not None:
                continue
            self._stats.count_sent(timed.message, timed.due_s, actual_s)
            self._said.append(_Said(timed, actual_s, decision))
        self._note_what_left()


def _event(said: _Said, rewards: Mapping[str, float]) -> Event | None:
    """Return the event for a message that has left, or None if it is not a note."""
    due_s, decision = said.timed.due_s, said.decision
    match said.timed.message:
        case NoteOn(channel, note, velocity):
            return Played(
                due_s=due_s,
                actual_s=said.actual_s,
                channel=channel,
                note=note,
                velocity=velocity,
                beat=decision.beat if decision else 0.0,
                key=decision.key if decision else "",
                chord=decision.chord if decision else None,
                rewards=rewards,
                why=tuple(reason.to_json() for reason in decision.reasons()) if decision else (),
                allowed=None if decision is None else decision.allowed,
                expected=() if decision is None else decision.expectations(),
            )
        case NoteOff(channel, note):
            return Released(due_s, said.actual_s, channel, note)
        case _:
            return None
