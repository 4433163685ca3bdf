"""The performer's loop: it waits for the next time or message, listens, decides and sends. It does the rest when idle.

Invariants: nothing blocks between two waits. Every note that was sent is released when `run` ends, however it ends.
"""

from __future__ import annotations

import contextlib
import gc
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from improviser.errors import PortError
from improviser.ipc.shared_state import JamPosition, mark_heartbeat, mark_position
from improviser.midi.message import Message, NoteOn, TimedMessage
from improviser.music.meter import Meter
from improviser.performer.clock.beat_follower import BeatFollower
from improviser.performer.clock.beat_outputs import BeatOutputs
from improviser.performer.clock.clock_sync import ClockSync, is_clock
from improviser.performer.clock.jack_sync import JackSync
from improviser.performer.clock.mmc_sync import MmcSync, is_sysex
from improviser.performer.inbox import Item, LinkHeard, PortMatter
from improviser.performer.input.arrivals import Arrival
from improviser.performer.input.midi_input import MidiInput
from improviser.performer.input.zone import Zone
from improviser.performer.midi_output import MidiOutput
from improviser.performer.policy_history import PolicyFetched, PolicyNotFetched
from improviser.performer.port_router import PortRouter
from improviser.performer.preset_switcher import PresetLoaded, PresetNotLoaded
from improviser.performer.stats import Stats
from improviser.performer.steering import Steering
from improviser.performer.transport import Transport
from improviser.playing.scheduler import Scheduler
from improviser.ports.base import LookAheadChanged
from improviser.ports.jack_transport import JackPlace
from improviser.protocol import (
    CLICK_CHANNEL,
    DIGITS,
    Act,
    Action,
    Adopt,
    Choose,
    Command,
    CountIn,
    Kept,
    Knob,
    LookAhead,
    Notice,
    PerformerSettings,
    Restarted,
    Route,
    Stepped,
    Stop,
    Summary,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.engine import Decision, Engine
    from improviser.performer.context import PerformerContext
    from improviser.performer.demo.built_in_player import BuiltInPlayer
    from improviser.ports.clock import Clock

# A step that is later than this is not played. It counts as a hold.
LATE_S: Final = 0.010
# The loop wakes at least this often, so that nothing that was missed stays unnoticed.
LONGEST_WAIT_S: Final = 0.5
# The most items to process before the deadlines are checked again: 64 messages take about a millisecond.
BURST: Final = 64
# The rewards of a decision take 0.2 ms and its reasons 0.1 ms. On a busy machine both take 0.25 ms at the median and
# 0.55 ms at p99, and more with cold caches. This much idle time is required for both.
REWARD_S: Final = 0.004
# A panic sends three controls on each channel in use. More frequent requests come from a loop or a repeating key.
PANIC_EVERY_S: Final = 0.1
# Preparing the next step takes 0.2-0.4 ms. Computing the features of decisions takes 0.5 ms now and then.
PREPARE_S: Final = 0.004
# To look at the player's beat takes 1-4 ms after an onset. The next step may have to be prepared anew after it.
LOOK_S: Final = 0.006
# After a freeze, a manual garbage collection takes well under a millisecond.
COLLECT_AHEAD_S: Final = 0.02
COLLECT_EVERY_S: Final = 5.0


class PerformerLoop:
    """Runs one performance, from the open ports to the summary.

    Threads: The performer's real-time thread creates and runs the loop.
    """

    def __init__(
        self,
        settings: PerformerSettings,
        new_engine: Callable[[], Engine],
        context: PerformerContext,
        clock: Clock,
    ) -> None:
        """Prepare the loop. `new_engine` returns an engine that waits for its first note."""
        self._settings, self._new_engine, self._context, self._clock = settings, new_engine, context, clock
        engine = new_engine()
        self._stats = Stats()
        self._midi_input = MidiInput(
            Zone(frozenset(settings.listen_channels), settings.listen_low, settings.listen_high),
            self._stats,
            context.tell,
        )
        self._beat_outputs = BeatOutputs(settings, engine.settings.channel)
        self._midi_output = MidiOutput(
            context.output_path,
            Scheduler(engine.settings.max_note_s),
            clock,
            self._stats,
            context.tell,
            quiet_channel=None if self._beat_outputs.metronome is None else CLICK_CHANNEL,
        )
        self._transport = Transport(settings, engine, self._midi_output, context)
        follower = None
        if context.new_tracker is not None:
            follower = BeatFollower(
                self._transport,
                context.new_tracker,
                context.tell,
                has_keys=lambda: self._midi_input.has_keys,
                is_on=settings.follows_player,
                keeps_meter=settings.keeps_meter,
            )
        self._clock_sync = ClockSync(
            settings.clock,
            self._transport,
            context.tell,
            context.propose,
            follower=follower,
            keeps_tempo=settings.keeps_tempo,
        )
        self._jack_sync = JackSync(settings.clock, self._clock_sync, self._transport, context.tell)
        self._mmc_sync = MmcSync(self._clock_sync, self._transport) if settings.mmc else None
        self._steering = Steering(self._transport, self._clock_sync, context.policy_history, self._stats, context.tell)
        self._port_router = PortRouter(self._midi_input, self._midi_output, context)
        self._is_over = False
        self._understood: Decision | None = None
        self._collected_s = clock.now_s()
        self._turns = 0
        self._panicked_s = -math.inf

    @property
    def _engine(self) -> Engine:
        """The engine that plays now."""
        return self._transport.engine

    def run(self) -> Summary:
        """Play until stopped, and return the summary. After an error, release every note first.

        Raises:
            PortError: The output has gone and does not return by itself.
        """
        begun_s = self._clock.now_s()
        try:
            self._steering.begin(self._settings, self._now_s())
            if self._settings.resume is not None:
                self._clock_sync.resume(JamPosition(*self._settings.resume), self._now_s())
            elif self._settings.count_in and self._context.built_in_player is None:
                self._count_in(self._settings.count_in, self._now_s())
            if self._settings.bars_counted is not None:
                beat, *meter = self._settings.bars_counted
                self._transport.count_bars(self._now_s(), beat, Meter(*meter))
            while not self._is_over:
                self._turn()
        except Exception:
            self._leave(begun_s)
            raise
        return self._leave(begun_s)

    def _turn(self) -> None:
        """Wait for the next time or message, and do what is due."""
        self._turns += 1
        mark_heartbeat(self._context.output_path.cells, self._turns)
        inbox = self._context.inbox
        item = self._clock.wait(inbox.queue, self._wake_s())
        if not self._transport.is_over(self._clock.now_s()):
            self._midi_output.send_due(self._engine.decision)  # send first: this has been decided already
        if item is not None:
            self._take(item)
        for item in inbox.take_many(BURST):
            self._take(item)
        for channel in inbox.take_missed():
            self._midi_input.lift_missed(self._engine, self._now_s(), channel)
        if not self._is_over:
            self._play()
            self._rest()

    def _play(self) -> None:
        """Do everything that is due now."""
        now_s = self._clock.now_s()
        if self._transport.is_over(now_s):
            self._is_over = True
            return
        if self._context.built_in_player is not None:
            self._context.built_in_player.play(now_s)
        self._decide()
        along = self._beat_outputs.due(self._engine, now_s, self._midi_output.horizon_s())
        self._clock_sync.sent.note(along)
        self._midi_output.plan(along)
        self._midi_output.send_due(self._engine.decision)

    def _wake_s(self) -> float:
        """Return the time until which there is nothing to do.

        The player's beat is looked at only while there is time: if something else is due soon, after that.
        """
        due_s, look_s = self._due_s(), self._clock_sync.next_look_s
        is_looking = look_s is not None and due_s - max(look_s, self._clock.now_s()) > LOOK_S
        return min(due_s, look_s) if look_s is not None and is_looking else due_s

    def _due_s(self) -> float:
        """Return the time at which something is due that cannot wait."""
        built_in_player = self._context.built_in_player
        moments = (
            self._engine.next_step_s,
            self._midi_output.next_due_s,
            self._transport.end_s,
            built_in_player.next_due_s if built_in_player is not None else None,
            self._midi_output.hand_over_s(self._beat_outputs.next_due_s(self._engine)),
        )
        longest_s = self._clock.now_s() + LONGEST_WAIT_S
        return min([longest_s, *(moment for moment in moments if moment is not None)])

    def _take(self, item: Item) -> None:
        """Process an item of the inbox."""
        match item:
            case Arrival():
                self._hear(item)
            case _ if isinstance(item, PortMatter):
                self._port_router.reroute(item, self._engine, self._now_s())
            case LookAheadChanged():
                self._look_ahead()
            case PresetLoaded() | PresetNotLoaded():
                self._context.preset_switcher.accept_loaded(item)
            case PolicyFetched() | PolicyNotFetched():
                self._context.policy_history.accept_fetched(item)
            case LinkHeard() | JackPlace():
                self._follow(item)
            case Command():
                self._obey(item, self._now_s())

    def _follow(self, item: LinkHeard | JackPlace) -> None:
        """Process the beat of another program."""
        if isinstance(item, LinkHeard):
            self._clock_sync.hear_link(item)
        else:
            self._jack_sync.hear(item)

    def _look_ahead(self) -> None:
        """Set the engine to decide as early as the output now needs messages."""
        ahead_s = round(self._midi_output.ahead_s, DIGITS)
        if ahead_s != self._engine.settings.ahead_s:
            self._engine.look_ahead(ahead_s)
            self._context.tell(LookAhead(ahead_s))

    def _obey(self, command: Command, at_s: float) -> None:
        """Carry out a command."""
        match command:
            case Stop():
                self._is_over = True
            case Act(Action.PANIC):
                self._panic(at_s)
            case Act(Action.KEEP):
                self._context.tell(Kept(at_s))
            case Choose() | Act(Action.NEXT_PRESET):
                self._choose(command)
            case Route():
                self._context.route(command)
            case Adopt():
                self._context.policy_history.ask(command, self._engine)
            case CountIn(bars):
                self._count_in(bars, at_s)
            case _:
                self._steering.obey(command, at_s)

    def _choose(self, command: Choose | Act) -> None:
        """Switch to the preset that is named, or to the next one."""
        if isinstance(command, Choose):
            self._context.preset_switcher.ask(command.preset)
        else:
            self._context.preset_switcher.ask_next()

    def _count_in(self, bars: int, at_s: float) -> None:
        """Count in. A built-in player that gives way leaves, as for a note of somebody else."""
        built_in_player = self._context.built_in_player
        if built_in_player is not None and built_in_player.may_yield:
            self._begin_anew(built_in_player)
        beat = self._clock_sync.count_in(bars, at_s)
        if beat is not None:
            self._beat_outputs.count_in(beat)

    def _panic(self, at_s: float) -> None:
        """Silence all notes and forget which keys the player holds. Ignore requests that follow too quickly."""
        if at_s - self._panicked_s < PANIC_EVERY_S:
            return
        self._panicked_s = at_s
        self._midi_output.silence(self._engine, everywhere=True)
        self._midi_input.lift(self._engine, at_s)

    def _position(self, knob: Knob) -> float:
        """Return the position of a knob."""
        return self._transport.tempo_bpm if knob is Knob.TEMPO else self._engine.panel.position(knob)

    def _hear(self, arrival: Arrival) -> None:
        """Pass a message that an input has received to the engine."""
        if is_clock(arrival.data):
            self._clock_sync.receive(arrival)
            return
        if self._mmc_sync is not None and is_sysex(arrival.data):
            self._mmc_sync.receive(arrival)
            return
        message = self._midi_input.parse(arrival)
        if message is None or self._steers(message, arrival):
            return
        message = self._midi_input.music_in(message, arrival.port)
        if message is None:
            return
        built_in_player = self._context.built_in_player
        if built_in_player is not None and built_in_player.has_to_yield(message, arrival.at_s):
            self._begin_anew(built_in_player)
        begins = self._engine.next_step_s is None
        self._clock_sync.end_wait(message, arrival.at_s)
        mending = self._engine.hear(message, arrival.at_s)
        if self._transport.first_s is None and isinstance(message, NoteOn):
            self._transport.begin(arrival.at_s)
        self._midi_input.note(message, arrival.at_s, arrival.port)
        self._midi_output.mend(mending, self._engine.decision)
        if built_in_player is None or built_in_player.is_gone:
            self._clock_sync.hear_player(message, arrival.at_s, begins=begins)

    def _steers(self, message: Message, arrival: Arrival) -> bool:
        """Carry out the command of a message. Return whether it comes from a bound control, so that it is not music."""
        mapping = self._context.midi_mapping
        command = mapping.asked(message, arrival.port, self._position)
        if command is not None:
            self._obey(command, arrival.at_s)
        return mapping.owns(message, arrival.port)

    def _begin_anew(self, built_in_player: BuiltInPlayer) -> None:
        """Stop the built-in player, and start again with the person who plays."""
        built_in_player.leave(self._clock.now_s())
        self._midi_output.release(self._engine.decision)
        before = self._engine
        self._transport.begin_anew(self._new_engine())
        self._context.tell(Restarted())
        self._transport.keep_tempo(self._now_s())
        self._play_by(self._context.preset_switcher.play_on)
        self._steering.hand_over(before, self._now_s())
        self._context.tell(Notice("somebody plays: the built-in player stops"))

    def _decide(self) -> None:
        """Decide the steps that are due. A step that is too late counts as a hold."""
        for _ in range(BURST):
            due_s, now_s = self._engine.next_step_s, self._clock.now_s()
            if due_s is None or now_s < due_s:
                return
            is_late = now_s - due_s > LATE_S
            self._context.tell(Stepped(self._midi_output.through_s, is_late))
            if is_late:
                self._stats.late_decisions += due_s >= self._clock_sync.waited_until_s
                self._midi_output.plan(self._engine.skip(now_s))
            else:
                self._midi_output.plan(self._engine.step(now_s))
                self._stats.decisions += 1
                self._stats.decision_times_s.append(self._clock.now_s() - now_s)
                self._midi_output.tell_mended(self._engine.decision)
                self._midi_output.send_due(self._engine.decision)  # before the engine plans its next step
                self._midi_input.tell_rest(self._engine, self._now_s())

    def _change(self) -> None:
        """Switch to the preset or the checkpoint that has been loaded, at a bar line."""
        preset_switcher, policy_history = self._context.preset_switcher, self._context.policy_history
        if not (preset_switcher.is_due or policy_history.is_due) or not self._engine.is_between_bars():
            return
        if preset_switcher.is_due:
            self._play_by(preset_switcher.play)
            policy_history.begin(preset_switcher.model_digest)
            self._transport.choose_sound()
        elif Action.FREEZE in self._engine.panel.switched:
            policy_history.drop()
        else:
            policy_history.adopt(self._engine)

    def _play_by(self, choose: Callable[[Engine], list[TimedMessage]]) -> None:
        """Switch the engine to another preset, if there is one."""
        self._midi_output.plan(choose(self._engine))
        self._midi_output.limit(self._engine.settings.max_note_s)

    def _rest(self) -> None:
        """Use idle time: judge and report what was played, prepare the next step, collect garbage."""
        if self._midi_output.has_news and self._idle_s() > REWARD_S:
            decision = self._engine.decision
            rewards = self._engine.rewards() if decision is not None else {}
            self._midi_output.tell_left(decision, rewards)
        is_news = self._understood is not self._engine.decision and self._engine.next_step_s is not None
        if is_news and self._idle_s() > REWARD_S:
            self._understood = self._engine.decision
            self._midi_input.tell_understood(self._engine, self._now_s())
        self._change()
        if self._idle_s() > LOOK_S:
            self._clock_sync.look(self._clock.now_s())
        if self._idle_s() > PREPARE_S:
            self._engine.preferences.settle()
            self._midi_output.plan(self._engine.prepare())
        now_s = self._clock.now_s()
        self._note_position(now_s)
        if now_s - self._collected_s > COLLECT_EVERY_S and self._idle_s() > COLLECT_AHEAD_S:
            self._collected_s = now_s
            gc.collect()

    def _note_position(self, now_s: float) -> None:
        """Record the position in the music, for a performer that may have to continue it."""
        first_s = self._transport.first_s
        if first_s is not None and self._engine.is_rolling:
            place = JamPosition(first_s, now_s, self._engine.beat_at(now_s), self._transport.tempo_bpm)
            mark_position(self._context.output_path.cells, self._turns, place)

    def _now_s(self) -> float:
        """Return the current time, rounded as in events."""
        return round(self._clock.now_s(), DIGITS)

    def _idle_s(self) -> float:
        """Return the seconds until something is due that cannot wait."""
        return self._due_s() - self._clock.now_s()

    def _leave(self, begun_s: float) -> Summary:
        """Release every note, and return the summary."""
        now_s = self._clock.now_s()
        if self._context.built_in_player is not None:
            self._context.built_in_player.leave(now_s)
        with contextlib.suppress(PortError):
            self._midi_output.release(self._engine.decision)
            for timed in self._beat_outputs.end(self._engine, now_s):
                self._midi_output.send_now(timed.message)
        self._midi_output.drain()
        self._midi_output.tell_left(None, {})
        self._stats.bad_messages = self._midi_input.bad_messages
        self._stats.feedback = self._context.output_path.echoes.count
        summary = self._stats.summary(duration_s=now_s - begun_s, start_s=self._transport.first_s)
        taste = self._engine.preferences
        return replace(summary, dropped=self._context.inbox.dropped, taste=taste.to_dict(), words=taste.words)
