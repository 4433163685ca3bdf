"""The performer's loop: waits for the next moment or message, hears, decides, sends; all else in idle time.

Invariant: between two waits nothing blocks. Every note that was sent is released when `run` ends, however it
ends.
"""

from __future__ import annotations

import contextlib
import gc
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from improviser.errors import PortError
from improviser.ipc.shared_state import JamPosition, beat_heart, mark_place
from improviser.midi.message import Message, NoteOn, ProgramChange, TimedMessage
from improviser.performer.clock.beat_outputs import BeatOutputs
from improviser.performer.clock.clock_sync import ClockSync, is_clock
from improviser.performer.duration import Duration
from improviser.performer.inbox import Item, LinkHeard, PortMatter
from improviser.performer.input.arrivals import Arrival
from improviser.performer.input.midi_input import MidiInput
from improviser.performer.input.mpe import MpeZones
from improviser.performer.input.zone import Zone
from improviser.performer.midi_mapping import MidiMapping
from improviser.performer.midi_output import MidiOutput
from improviser.performer.policy_history import PolicyFetched, PolicyNotFetched
from improviser.performer.port_router import PortRouter
from improviser.performer.preset_switcher import PresetLoaded, PresetNotLoaded
from improviser.performer.stats import Stats
from improviser.performer.steering import Steering
from improviser.playing.scheduler import Scheduler
from improviser.ports.base import LookAheadChanged
from improviser.protocol import (
    CLICK_CHANNEL,
    DIGITS,
    Act,
    Action,
    Adopt,
    Choose,
    Event,
    Halted,
    Judged,
    Kept,
    Knob,
    LookAhead,
    Notice,
    PerformerSettings,
    Restarted,
    Route,
    Started,
    Steer,
    Stepped,
    Stop,
    Summary,
    Switched,
    Synced,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from improviser.engine import Decision, Engine
    from improviser.performer.context import PerformerContext
    from improviser.performer.demo.built_in_player import BuiltInPlayer
    from improviser.ports.clock import Clock

# A step decided later than this is not played late: it passes as a hold.
LATE_S: Final = 0.010
# The beat wakes at least so often, so that nothing that was missed stays so.
LONGEST_WAIT_S: Final = 0.5
# Taken at one go before the deadlines are looked at again: 64 messages take about a millisecond.
BURST: Final = 64
# The rewards of a decision take 0.2 ms and its reasons 0.1 (both 0.25 at the median and 0.55 at p99 on a busy
# machine, and more where caches are cold); so much idle time has to be ahead for both.
REWARD_S: Final = 0.004
# A panic sends three controls on each channel in use. Who asks more often is a loop, or a key that repeats.
PANIC_EVERY_S: Final = 0.1
# Preparing the next step takes 0.2-0.4 ms, and what decisions mean 0.5 now and then.
PREPARE_S: Final = 0.004
# A collection by hand after a freeze takes well under a millisecond.
COLLECT_AHEAD_S: Final = 0.02
COLLECT_EVERY_S: Final = 5.0


class PerformerLoop:
    """One performance, from the open ports to the summary.

    Threads: made and run by the performer's real-time thread.
    """

    def __init__(
        self,
        settings: PerformerSettings,
        new_engine: Callable[[], Engine],
        stage: PerformerContext,
        clock: Clock,
    ) -> None:
        """Be ready to run; `new_engine` gives an engine that waits for its first note."""
        self._settings = settings
        self._new_engine = new_engine
        self._engine = new_engine()
        self._stage = stage
        self._clock = clock
        self._tally = Stats()
        self._hearing = MidiInput(self._tally, stage.tell)
        self._zone = Zone(frozenset(settings.listen_channels), settings.listen_low, settings.listen_high)
        self._mpe = MpeZones()
        self._conductor = ClockSync(settings.clock, stage.propose, keeps_tempo=settings.keeps_tempo)
        self._steering = Steering(self._conductor, stage.lessons)
        self._surface = MidiMapping(settings.bindings, self._stands, settings.control_ports)
        stage.inbox.echoes = stage.way.echoes
        if stage.way.thru is not None:
            stage.way.thru.keeps_back = self._surface.owns
            stage.inbox.thru = stage.way.thru
        scheduler = Scheduler(self._engine.settings.max_note_s)
        self._voice = MidiOutput(stage.way, scheduler, clock, self._tally)
        self._cabling = PortRouter(self._hearing, self._voice, stage)
        self._companions = BeatOutputs(settings)
        self._voice.quiet_channel = None if self._companions.metronome is None else CLICK_CHANNEL
        self._extent = Duration(self._engine.settings, settings.bars)
        self._is_over = False
        self._understood: Decision | None = None
        self._collected_s = clock.now_s()
        self._turns = 0
        self._panicked_s = -math.inf

    def run(self) -> Summary:
        """Play until stopped, and give the summary; whatever goes wrong, every note is released first.

        Raises:
            PortError: The output is gone, and does not return by itself.
        """
        begun_s = self._clock.now_s()
        try:
            self._conduct(self._steering.begin(self._engine, self._settings, self._now_s()))
            if self._settings.resume is not None:
                self._resume(JamPosition(*self._settings.resume))
            elif self._settings.count_in and self._stage.stand_in is None:
                self._conduct(self._conductor.count_in(self._settings.count_in, self._now_s(), self._engine))
            while not self._is_over:
                self._turn()
        except Exception:
            self._leave(begun_s)
            raise
        return self._leave(begun_s)

    def _turn(self) -> None:
        """Wait for the next moment or message and do what there is to do."""
        self._turns += 1
        beat_heart(self._stage.way.cells, self._turns)
        inbox = self._stage.inbox
        item = self._clock.wait(inbox.queue, self._wake_s())
        if not self._extent.is_over(self._clock.now_s()):
            self._voice.send_due(self._engine.decision)  # first of all: it has been decided
        if item is not None:
            self._take(item)
        for item in inbox.take_many(BURST):
            self._take(item)
        for channel in inbox.take_missed():
            self._forget(channel)
        if not self._is_over:
            self._play()
            self._rest()

    def _play(self) -> None:
        """Do all that is due."""
        now_s = self._clock.now_s()
        if self._extent.is_over(now_s):
            self._is_over = True
            return
        if self._stage.stand_in is not None:
            self._stage.stand_in.play(now_s)
        self._decide()
        along = self._companions.due(self._engine, now_s, self._voice.horizon_s())
        self._conductor.sent.note(along)
        self._voice.plan(along)
        self._voice.send_due(self._engine.decision)

    def _wake_s(self) -> float:
        """Give the moment up to which there is nothing to do."""
        stand_in = self._stage.stand_in
        moments = (
            self._engine.next_step_s,
            self._voice.next_due_s,
            self._extent.end_s,
            self._conductor.next_look_s,
            stand_in.next_due_s if stand_in is not None else None,
            self._voice.hand_over_s(self._companions.next_due_s(self._engine)),
        )
        longest_s = self._clock.now_s() + LONGEST_WAIT_S
        return min([longest_s, *(moment for moment in moments if moment is not None)])

    def _take(self, item: Item) -> None:
        """Do what an item of the inbox asks for."""
        match item:
            case Arrival():
                self._hear(item)
            case _ if isinstance(item, PortMatter):
                self._cabling.take(item, self._engine, self._now_s())
            case LookAheadChanged():
                self._look_ahead()
            case PresetLoaded() | PresetNotLoaded():
                self._conduct(self._stage.repertoire.take(item))
            case PolicyFetched() | PolicyNotFetched():
                self._conduct(self._stage.lessons.take(item))
            case LinkHeard():
                self._conduct(self._conductor.hear_link(item, self._engine))
            case _:
                self._obey(item, self._now_s())

    def _look_ahead(self) -> None:
        """Decide as early as the output wants messages now."""
        ahead_s = round(self._voice.ahead_s, DIGITS)
        if ahead_s != self._engine.settings.ahead_s:
            self._engine.look_ahead(ahead_s)
            self._stage.tell(LookAhead(ahead_s))

    def _obey(self, command: Stop | Adopt | Steer, at_s: float) -> None:
        """Do what is commanded."""
        match command:
            case Stop():
                self._is_over = True
            case Act(Action.PANIC):
                self._panic(at_s)
            case Act(Action.KEEP):
                self._stage.tell(Kept(at_s))
            case Act(Action.NEXT_PRESET):
                self._conduct(self._stage.repertoire.ask_next())
            case Choose(preset):
                self._conduct(self._stage.repertoire.ask(preset))
            case Route():
                self._stage.route(command)
            case Adopt():
                self._stage.lessons.ask(command, self._engine)
            case _:
                self._conduct(self._steering.obey(command, at_s, self._engine))

    def _panic(self, at_s: float) -> None:
        """End all that sounds, and forget what the player holds; no oftener than anybody could mean it."""
        if at_s - self._panicked_s < PANIC_EVERY_S:
            return
        self._panicked_s = at_s
        self._voice.silence(self._engine, self._stage.tell, everywhere=True)
        self._hearing.let_go(self._engine, at_s)

    def _stands(self, knob: Knob) -> float:
        """Give where a knob stands."""
        return self._extent.tempo_bpm if knob is Knob.TEMPO else self._engine.panel.position(knob)

    def _hear(self, arrival: Arrival) -> None:
        """Let the engine hear what an input has received."""
        if is_clock(arrival.data):
            self._conduct(self._conductor.hear(arrival, self._engine))
            return
        message = self._hearing.listen(arrival)
        if message is None:
            return
        if self._steers(message, arrival):
            return
        message = self._mpe.merged(message, arrival.port)
        if message is None or not self._zone.has(message):
            return
        stand_in = self._stage.stand_in
        if stand_in is not None and stand_in.has_to_yield(message, arrival.at_s):
            self._welcome(stand_in)
        self._engine.hear(message, arrival.at_s)
        if self._extent.first_s is None and isinstance(message, NoteOn):
            self._begin(arrival.at_s)
        self._hearing.note(message, arrival.at_s, arrival.port)

    def _steers(self, message: Message, arrival: Arrival) -> bool:
        """Do what a message commands; tell whether it is of a knob, pad or pedal that is bound: no music."""
        for command in self._surface.asked(message, arrival.port):
            self._obey(command, arrival.at_s)
        return self._surface.owns(message, arrival.port)

    def _conduct(self, events: Iterable[Event]) -> None:
        """Do and tell what follows from a clock, a tap or a tempo."""
        for event in events:
            if isinstance(event, Halted):
                self._voice.silence(self._engine, self._stage.tell)
                self._engine.halt()
            self._stage.tell(event)
            if isinstance(event, Started) and self._extent.first_s is None:
                self._begin(self._engine.s_at(max(0.0, event.beat)))
            if isinstance(event, Switched) and self._engine.is_rolling and self._extent.first_s is None:
                self._begin(event.at_s)
            if isinstance(event, Synced):
                self._extent.pace(event)
                if self._stage.stand_in is not None:
                    self._stage.stand_in.pace(event, self._extent.end_s)
            if isinstance(event, Judged):
                self._tally.count_press(liked=event.liked)

    def _begin(self, at_s: float) -> None:
        """Settle, at the player's first note, when the performance ends; choose the sound."""
        stand_in = self._stage.stand_in
        self._extent.begin(at_s, None if stand_in is None or self._settings.stays else stand_in.tune_s)
        if stand_in is not None:
            stand_in.end_before(self._extent.end_s)
        self._choose_sound()

    def _resume(self, place: JamPosition) -> None:
        """Go on with a performance that had come to a place; the beat has gone on since."""
        self._extent.tempo_bpm = place.tempo_bpm
        self._begin(place.start_s)
        self._conduct(self._conductor.resume(place, self._now_s(), self._engine))

    def _welcome(self, stand_in: BuiltInPlayer) -> None:
        """Let the built-in player leave and begin anew with somebody else."""
        stand_in.leave(self._clock.now_s())
        self._voice.release(self._engine.decision, self._stage.tell)
        before, self._engine = self._engine, self._new_engine()
        self._stage.tell(Restarted())
        self._play_by(self._stage.repertoire.play_on)
        self._conduct(self._steering.hand_over(before, self._engine, self._now_s()))
        self._extent.begin_anew()
        self._stage.tell(Notice("somebody else plays: the built-in player leaves"))

    def _forget(self, channel: int) -> None:
        """Let go of all that is held on a channel of which messages were dropped, maybe note-offs."""
        for heard_on in self._mpe.heard_on(channel):
            self._hearing.let_go(self._engine, self._now_s(), channel=heard_on)

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
                self._hearing.tell_rest(self._engine, self._now_s())
                self._tally.decisions += 1
                self._tally.decision_times_s.append(self._clock.now_s() - now_s)

    def _change(self) -> None:
        """Go on as the preset that has been loaded, or by what was learned, where a bar begins."""
        repertoire, lessons = self._stage.repertoire, self._stage.lessons
        if not (repertoire.is_due or lessons.is_due) or not self._engine.is_between_bars():
            return
        if repertoire.is_due:
            self._play_by(repertoire.play)
            lessons.begin(repertoire.model_digest)
            self._choose_sound()
        elif Action.FREEZE in self._engine.panel.switched:
            lessons.drop()
        else:
            self._conduct([lessons.adopt(self._engine)])

    def _play_by(self, choose: Callable[[Engine], tuple[list[TimedMessage], list[Event]]]) -> None:
        """Let the engine play another preset, where there is one."""
        messages, events = choose(self._engine)
        self._conduct(events)
        self._voice.plan(messages)
        self._voice.limit(self._engine.settings.max_note_s)

    def _choose_sound(self) -> None:
        """Send a program change, where one is wanted; before the first note there is no need."""
        program = self._stage.repertoire.program
        if program is not None and self._extent.first_s is not None:
            change = ProgramChange(self._engine.settings.channel, program)
            self._voice.say(TimedMessage(self._clock.now_s(), change))

    def _rest(self) -> None:
        """Use idle time: judge and tell what was played, work ahead, collect garbage."""
        if self._voice.has_news and self._idle_s() > REWARD_S:
            decision = self._engine.decision
            rewards = self._engine.rewards() if decision is not None else {}
            self._voice.tell(self._stage.tell, decision, rewards)
        if self._understood is not self._engine.decision and self._idle_s() > REWARD_S:
            self._understood = self._engine.decision
            self._hearing.tell_understood(self._engine, self._now_s())
        self._change()
        if self._idle_s() > PREPARE_S:
            self._engine.taste.settle()
            self._engine.prepare()
        now_s = self._clock.now_s()
        self._note_place(now_s)
        self._conduct(self._conductor.look(now_s, self._engine))
        if now_s - self._collected_s > COLLECT_EVERY_S and self._idle_s() > COLLECT_AHEAD_S:
            self._collected_s = now_s
            gc.collect()

    def _note_place(self, now_s: float) -> None:
        """Note down where the music is, for one who would have to go on with it."""
        first_s = self._extent.first_s
        if first_s is not None and self._engine.is_rolling:
            place = JamPosition(first_s, now_s, self._engine.beat_at(now_s), self._extent.tempo_bpm)
            mark_place(self._stage.way.cells, self._turns, place)

    def _now_s(self) -> float:
        """Give the moment as it is told."""
        return round(self._clock.now_s(), DIGITS)

    def _idle_s(self) -> float:
        """Give the time in which there is nothing to do."""
        return self._wake_s() - self._clock.now_s()

    def _leave(self, begun_s: float) -> Summary:
        """Release every note and give the summary."""
        now_s = self._clock.now_s()
        if self._stage.stand_in is not None:
            self._stage.stand_in.leave(now_s)
        with contextlib.suppress(PortError):
            self._voice.release(self._engine.decision, self._stage.tell)
            for timed in self._companions.end(self._engine, now_s):
                self._voice.say(timed)
        self._voice.drain()
        self._voice.tell(self._stage.tell, None, {})
        self._tally.bad_messages = self._hearing.ear.bad_messages
        self._tally.feedback = self._stage.way.echoes.count
        summary = self._tally.summary(duration_s=now_s - begun_s, start_s=self._extent.first_s)
        taste = self._engine.taste
        return replace(summary, dropped=self._stage.inbox.dropped, taste=taste.to_dict(), words=taste.words)
