"""The performer's loop: waits for the next moment or message, hears, decides, sends; all else in idle time.

Invariant: between two waits nothing blocks. Every note that was sent is released when `run` ends, however it
ends.
"""

from __future__ import annotations

import contextlib
import gc
import traceback
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from improviser.control import (
    DIGITS,
    Controlled,
    Event,
    Failed,
    Halted,
    Heard,
    Kept,
    Lifted,
    Notice,
    Panic,
    PerformerSettings,
    Restarted,
    Started,
    Stepped,
    Stop,
    Summary,
    Synced,
    Warned,
)
from improviser.daemon.clock_out import ClockOut
from improviser.daemon.conductor import Conductor, is_clock
from improviser.daemon.ear import Arrival, Ear
from improviser.daemon.held import Held
from improviser.daemon.inbox import Inbox, Item, PortFound, PortLost
from improviser.daemon.ledger import beat_heart
from improviser.daemon.tally import Tally
from improviser.daemon.voice import Voice, Way
from improviser.errors import PortError
from improviser.listening.window import PEDAL_DOWN
from improviser.midi.message import (
    ALL_NOTES_OFF,
    STOP,
    ControlChange,
    Message,
    NoteOff,
    NoteOn,
    ProgramChange,
    TimedMessage,
    message_to_bytes,
)
from improviser.playing.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.daemon.stand_in import StandIn
    from improviser.engine import Engine
    from improviser.ports.clock import Clock

# A step decided later than this is not played late: it passes as a hold.
LATE_S: Final = 0.010
# The beat wakes at least so often, so that nothing that was missed stays so.
LONGEST_WAIT_S: Final = 0.5
# Taken at one go before the deadlines are looked at again: 64 messages take about a millisecond.
BURST: Final = 64
# The rewards of a decision take 0.2 ms and its reasons 0.1 (both 0.25 at the median and 0.55 at p99 on a busy
# machine, and more where caches are cold); so much idle time has to be ahead for both.
REWARD_S: Final = 0.002
# Preparing the next step takes 0.2-0.4 ms.
PREPARE_S: Final = 0.001
# A collection by hand after a freeze takes well under a millisecond.
COLLECT_AHEAD_S: Final = 0.02
COLLECT_EVERY_S: Final = 5.0
_S_PER_MINUTE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Stage:
    """What the beat plays with: its ports are open.

    Attributes:
        way: Where the improviser plays.
        inbox: What wakes the beat.
        tell: Takes an event at once, without blocking.
        stand_in: The built-in player, None where there is none.
    """

    way: Way
    inbox: Inbox
    tell: Callable[[Event], None]
    stand_in: StandIn | None = None


class Beat:
    """One performance, from the open ports to the summary.

    Threads: made and run by the performer's real-time thread.
    """

    def __init__(
        self, settings: PerformerSettings, new_engine: Callable[[], Engine], stage: Stage, clock: Clock
    ) -> None:
        """Be ready to run; `new_engine` gives an engine that waits for its first note."""
        self._settings = settings
        self._new_engine = new_engine
        self._engine = new_engine()
        self._stage = stage
        self._clock = clock
        self._tally = Tally()
        self._ear = Ear()
        self._conductor = Conductor(settings.clock)
        scheduler = Scheduler(self._engine.settings.max_note_s)
        self._voice = Voice(stage.way, scheduler, clock, self._tally, self._ear)
        self._clock_out = ClockOut() if settings.sends_clock else None
        self._held = Held()
        self._told: set[str] = set()
        self._first_s: float | None = None
        self._end_s: float | None = None
        self._stop: Stop | None = None
        self._collected_s = clock.now_s()
        self._turns = 0

    def run(self) -> Summary:
        """Play until stopped, and give the summary; what goes wrong is told, and every note released."""
        begun_s = self._clock.now_s()
        try:
            if self._settings.resume is not None:
                self._resume(*self._settings.resume)
            while self._stop is None:
                self._turn()
        except PortError as error:
            self._fail(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, notes must not hang
            self._fail(f"unexpected {type(error).__name__}: {error}; please report it")
            traceback.print_exc()
        return self._leave(begun_s)

    def _turn(self) -> None:
        """Wait for the next moment or message and do what there is to do."""
        self._turns += 1
        beat_heart(self._stage.way.cells, self._turns)
        inbox = self._stage.inbox
        item = self._clock.wait(inbox.queue, self._wake_s())
        if item is not None:
            self._take(item)
        for item in inbox.take_many(BURST):
            self._take(item)
        for channel in inbox.take_missed():
            self._forget(channel)
        if self._stop is None:
            self._play()
            self._rest()

    def _play(self) -> None:
        """Do all that is due."""
        now_s = self._clock.now_s()
        if self._end_s is not None and now_s >= self._end_s:
            self._stop = Stop()
            return
        if self._stage.stand_in is not None:
            self._stage.stand_in.play(now_s)
        self._decide()
        if self._clock_out is not None:
            self._voice.plan(self._clock_out.due(self._engine, now_s, self._voice.horizon_s()))
        self._voice.send_due(self._engine.decision)

    def _wake_s(self) -> float:
        """Give the moment up to which there is nothing to do."""
        stand_in = self._stage.stand_in
        moments = (
            self._engine.next_step_s,
            self._voice.next_due_s,
            self._end_s,
            stand_in.next_due_s if stand_in is not None else None,
            self._next_tick_s(),
        )
        longest_s = self._clock.now_s() + LONGEST_WAIT_S
        return min((moment for moment in moments if moment is not None), default=longest_s)

    def _next_tick_s(self) -> float | None:
        """Give the moment at which a tick of our clock has to be sent next; None when none has."""
        due_s = None if self._clock_out is None else self._clock_out.next_due_s(self._engine)
        return None if due_s is None else due_s - self._voice.ahead_s

    def _take(self, item: Item) -> None:
        """Do what an item of the inbox asks for."""
        match item:
            case Arrival():
                self._hear(item)
            case PortLost():
                self._lose(item)
            case PortFound(name, is_output):
                self._stage.tell(
                    Notice(f"'{name}' is {'played on again' if is_output else 'listened to now'}")
                )
            case Panic():
                self._silence()
            case Stop():
                self._stop = item

    def _hear(self, arrival: Arrival) -> None:
        """Let the engine hear what an input has received."""
        if is_clock(arrival.data):
            self._conduct(arrival)
            return
        message = self._ear.listen(arrival)
        self._warn_of_ear(arrival.port)
        if message is None:
            return
        stand_in = self._stage.stand_in
        if stand_in is not None and stand_in.has_to_yield(message, arrival.at_s):
            self._welcome(stand_in)
        if isinstance(message, ControlChange) and message.control in self._settings.panic_controls:
            self._silence()
        self._engine.hear(message, arrival.at_s)
        if self._first_s is None and isinstance(message, NoteOn):
            self._begin(arrival.at_s)
        self._note_heard(message, arrival)

    def _conduct(self, arrival: Arrival) -> None:
        """Follow a clock."""
        for event in self._conductor.hear(arrival, self._engine):
            if isinstance(event, Halted):
                self._silence()
                self._engine.halt()
            self._stage.tell(event)
            if isinstance(event, Started) and self._first_s is None:
                self._begin(event.at_s)

    def _silence(self) -> None:
        """End all that sounds, and go on."""
        self._voice.release(self._engine.decision, self._stage.tell)
        self._engine.released()

    def _begin(self, at_s: float) -> None:
        """Settle, at the player's first note, when the performance ends; choose the sound."""
        self._first_s = at_s
        length_s = self._length_s()
        if length_s is not None:
            self._end_s = at_s + length_s
            if self._stage.stand_in is not None:
                self._stage.stand_in.end_before(self._end_s)
        if self._settings.program is not None:
            program = ProgramChange(self._engine.settings.channel, self._settings.program)
            self._voice.say(TimedMessage(at_s, program))

    def _resume(self, start_s: float, at_s: float, beat: float, tempo_bpm: float) -> None:
        """Go on with a performance that began at `start_s` and had come to `beat` at `at_s`."""
        now_s = round(self._clock.now_s(), DIGITS)
        beat_now = round(beat + (now_s - at_s) * tempo_bpm / _S_PER_MINUTE, DIGITS)
        self._engine.sync(now_s, beat_now, tempo_bpm)
        self._stage.tell(Synced(now_s, beat_now, tempo_bpm))
        self._engine.start(now_s, beat_now)
        self._stage.tell(Started(now_s, beat_now))
        self._begin(start_s)

    def _length_s(self) -> float | None:
        """Give how long the performance lasts from the first note on; None: until it is stopped."""
        settings = self._engine.settings
        if self._settings.bars is not None:
            steps = self._settings.bars * settings.bar_steps
            return steps / settings.steps_per_beat * _S_PER_MINUTE / settings.tempo_bpm
        stand_in = self._stage.stand_in
        return None if stand_in is None or stand_in.is_gone else stand_in.player.duration_s

    def _welcome(self, stand_in: StandIn) -> None:
        """Let the built-in player leave and begin anew with somebody else."""
        stand_in.leave(self._clock.now_s())
        self._voice.release(self._engine.decision, self._stage.tell)
        self._engine = self._new_engine()
        self._stage.tell(Restarted())
        self._first_s = self._end_s = None
        self._stage.tell(Notice("somebody else plays: the built-in player leaves"))

    def _note_heard(self, message: Message, arrival: Arrival) -> None:
        """Keep the books of what the player does, and tell of it."""
        self._held.note(message, arrival.port)
        match message:
            case NoteOn(channel, note, velocity):
                self._tally.notes_heard += 1
                self._stage.tell(Heard(arrival.at_s, channel, note, velocity, arrival.port))
            case NoteOff(channel, note):
                self._stage.tell(Lifted(arrival.at_s, channel, note, arrival.port))
            case _:
                self._stage.tell(Controlled(arrival.at_s, tuple(message_to_bytes(message)), arrival.port))
                if _asks(message, self._settings.keep_control):
                    self._stage.tell(Kept(arrival.at_s))

    def _warn_of_ear(self, port: str) -> None:
        """Tell, once each, what is kept back from the engine."""
        if self._ear.bad_messages:
            self._warn_once(f"'{port}' sends bytes that are no MIDI messages; they are ignored")
        if self._ear.feedback:
            self._warn_once(f"what is played comes back on '{port}' and is ignored; take that cable out")
        if self._ear.twins:
            self._warn_once(f"the same notes come on '{port}' and another port; each counts once")

    def _warn_once(self, text: str) -> None:
        """Tell of a fault, unless a like one was told of before."""
        kind = text.rpartition("'")[2]
        if kind not in self._told:
            self._told.add(kind)
            self._stage.tell(Warned(text))

    def _lose(self, lost: PortLost) -> None:
        """Go on without a port, its keys lifted; without our own output there is nothing to go on with."""
        if lost.is_output and not lost.may_return:
            raise PortError(f"the port '{lost.name}' is gone; bring it back and start again")
        if lost.is_output:
            self._silence()
        else:
            for message, port in self._held.lifted(port=lost.name):
                self._let_go(message, port)
        gone = f"the {'output' if lost.is_output else 'input'} '{lost.name}' is gone"
        self._stage.tell(Warned(f"{gone}; it is used again when it is back"))

    def _forget(self, channel: int) -> None:
        """Let go of all that is held on a channel of which messages were dropped, maybe note-offs."""
        for message, port in self._held.lifted(channel=channel):
            self._let_go(message, port)
        self._let_go(ControlChange(channel, ALL_NOTES_OFF, 0), "")

    def _let_go(self, message: Message, port: str) -> None:
        """Hear and tell a message that the player's instrument did not send any more."""
        now_s = round(self._clock.now_s(), DIGITS)
        self._engine.hear(message, now_s)
        self._note_heard(message, Arrival(b"", now_s, port))

    def _decide(self) -> None:
        """Decide the steps that are due; what comes too late passes as a hold."""
        for _ in range(BURST):
            due_s, now_s = self._engine.next_step_s, self._clock.now_s()
            if due_s is None or now_s < due_s:
                return
            is_late = now_s - due_s > LATE_S
            self._stage.tell(Stepped(self._voice.through_s, is_late))
            if is_late:
                self._tally.late_decisions += 1
                self._voice.plan(self._engine.skip(now_s))
            else:
                self._voice.plan(self._engine.step(now_s))
                self._tally.decisions += 1
                self._tally.decision_times_s.append(self._clock.now_s() - now_s)

    def _rest(self) -> None:
        """Use idle time: judge and tell what was played, work ahead, collect garbage."""
        if self._voice.has_news and self._idle_s() > REWARD_S:
            decision = self._engine.decision
            rewards = self._engine.rewards() if decision is not None else {}
            self._voice.tell(self._stage.tell, decision, rewards)
        if self._idle_s() > PREPARE_S:
            self._engine.prepare()
        now_s = self._clock.now_s()
        notice = self._conductor.look(now_s)
        if notice is not None:
            self._stage.tell(notice)
        if now_s - self._collected_s > COLLECT_EVERY_S and self._idle_s() > COLLECT_AHEAD_S:
            self._collected_s = now_s
            gc.collect()

    def _idle_s(self) -> float:
        """Give the time in which there is nothing to do."""
        return self._wake_s() - self._clock.now_s()

    def _fail(self, text: str) -> None:
        """End because of a fault."""
        self._stop = Stop(text)
        self._stage.tell(Failed(text))

    def _leave(self, begun_s: float) -> Summary:
        """Release every note and give the summary."""
        now_s = self._clock.now_s()
        if self._stage.stand_in is not None:
            self._stage.stand_in.leave(now_s)
        with contextlib.suppress(PortError):
            self._voice.release(self._engine.decision, self._stage.tell)
            if self._clock_out is not None and self._engine.is_rolling:
                self._voice.say(TimedMessage(now_s, STOP))
        self._voice.drain()
        self._voice.tell(self._stage.tell, None, {})
        self._tally.bad_messages, self._tally.feedback = self._ear.bad_messages, self._ear.feedback
        summary = self._tally.summary(
            duration_s=now_s - begun_s,
            start_s=self._first_s,
            reason=self._stop.reason if self._stop is not None else "",
        )
        return replace(summary, dropped=self._stage.inbox.dropped)


def _asks(message: Message, control: int | None) -> bool:
    """Tell whether a message presses the pedal or key that sends `control`."""
    return isinstance(message, ControlChange) and message.control == control and message.value >= PEDAL_DOWN
