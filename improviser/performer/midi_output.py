"""What the improviser says: due messages to the output, and word of each that has left."""

from __future__ import annotations

from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

from improviser.errors import PortError
from improviser.ipc.shared_state import Cells, mark
from improviser.midi.message import Message, NoteOff, NoteOn, TimedMessage, message_to_bytes
from improviser.protocol import DIGITS, Event, Played, Released, Silenced

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
    """Where messages go.

    Attributes:
        output: The port.
        cells: The memory in which what sounds is noted down.
        echoes: What recognises it where it comes back.
        thru: What passes on the player's own messages, None where nothing does.
    """

    output: ReconnectingOutput
    cells: Cells
    echoes: EchoFilter
    thru: Thru | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    """A message that has left, when, and under which decision."""

    timed: TimedMessage
    actual_s: float
    decision: Decision | None


class MidiOutput:
    """Sends what the scheduler gives, and remembers it until there is time to tell of it.

    Threads: the performer's beat only; `send_due` and `release` do nothing but send.
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
            scheduler: Knows what is planned and what sounds.
            clock: What time it is.
            stats: Counts what has left.
            tell: Takes events of it.
            quiet_channel: A channel of which nothing is counted or told; None: there is none.
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
        """The moment at which something has to be sent next; None when nothing has."""
        return self.hand_over_s(self._scheduler.next_due_s)

    @property
    def through_s(self) -> float:
        """The moment up to which all that was due has been handed to the port."""
        return self._through_s

    @property
    def has_news(self) -> bool:
        """Whether something has left that was not told of."""
        return bool(self._said)

    @property
    def sounding_notes(self) -> int:
        """How many notes sound."""
        return len(self._scheduler.sounding)

    def plan(self, messages: Iterable[TimedMessage]) -> None:
        """Process messages for their moments."""
        for timed in messages:
            self._scheduler.add(timed)

    @property
    def ahead_s(self) -> float:
        """So long before its moment a message has to be sent."""
        return self._output.ahead_s

    def hand_over_s(self, due_s: float | None) -> float | None:
        """Return the moment at which what is due then has to be sent."""
        return None if due_s is None else due_s - self._output.ahead_s

    def horizon_s(self) -> float:
        """Return the moment up to which things have to be sent now.

        Rounded up: what is due now must not wait for a time that does not pass.
        """
        return round(self._clock.now_s() + self._output.ahead_s + _HALF_A_DIGIT_S, DIGITS)

    def send_due(self, decision: Decision | None) -> None:
        """Send what is due. Raises PortError where the port is gone."""
        self._note_what_left()
        self._through_s = self.horizon_s()
        self._send(self._scheduler.pop_due(self._through_s), decision)

    def release(self, decision: Decision | None, *, everywhere: bool = False) -> None:
        """End all that sounds and drop all that is planned; each message is tried, even after one failed.

        `everywhere`: the controls that end all notes go to channels too on which nothing is known to sound.

        Raises:
            PortError: The port is gone, for some of them at least.
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
        """End all that sounds, as an engine is told too, and go on. Raises PortError as `release` does."""
        self.release(engine.decision, everywhere=everywhere)
        engine.released()

    def release_port(self, port: str) -> None:
        """End what was passed on of an input that is gone."""
        if self._thru is not None:
            self._thru.release(self._clock.now_s(), port)

    def limit(self, max_note_s: float) -> None:
        """Set the longest duration of notes that begin from now on."""
        self._scheduler.limit(max_note_s)

    def send_now(self, message: Message) -> None:
        """Send what makes no sound at once, past the scheduler. Raises PortError where the port is gone."""
        self._send([TimedMessage(self._clock.now_s(), message)], None)

    def drain(self) -> None:
        """Wait until all that was handed over has left; nothing more is passed on."""
        if self._thru is not None:
            self._thru.close()
            self._thru.release(self._clock.now_s())
        if self._ended:
            self._clock.wait(SimpleQueue(), self._ended[-1][0])
        self._note_what_left()

    def tell_left(self, decision: Decision | None, rewards: Mapping[str, float]) -> None:
        """Report what has left; `rewards` are those of `decision`."""
        said, self._said = self._said, []
        for one in said:
            event = _event(one, rewards if one.decision is decision else _NO_REWARDS)
            if event is not None:
                self._tell(event)

    def _note_what_left(self) -> None:
        """Note down the ends of notes that are not only handed over but gone, unless they sound again."""
        now_s = self._clock.now_s()
        while self._ended and self._ended[0][0] <= now_s:
            _, off = self._ended.pop(0)
            if not self._scheduler.sounds(off.channel, off.note):
                mark(self._cells, off.channel, off.note, sounds=False)

    def _send(self, messages: Sequence[TimedMessage], decision: Decision | None) -> None:
        """Send messages, and keep the books when all have gone."""
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
    """Return the event for a message that has left; None for what is no note."""
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
            )
        case NoteOff(channel, note):
            return Released(due_s, said.actual_s, channel, note)
        case _:
            return None
