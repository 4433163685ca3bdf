"""Controls the beat of a performance: where it begins, its tempo, when it stops and when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.choices import ClockUse, NoteTiming
from improviser.midi.message import ProgramChange
from improviser.protocol import DIGITS, Detached, Halted, MeterSet, Recounted, Started, Synced, Timed
from improviser.units import MS_PER_S, S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.engine import Engine
    from improviser.music.meter import Meter
    from improviser.performer.context import PerformerContext
    from improviser.performer.midi_output import MidiOutput
    from improviser.protocol import Event, PerformerSettings


class Transport:
    """Starts, paces and halts the engine that plays, with all consequences.

    Threads: Only the performer's loop uses this class.

    Attributes:
        engine: The engine that plays.
        first_s: When the performance began: the player's first note, the start of a clock or solo. None before it.
        end_s: When the performance is over; None if that is not known.
        tempo_bpm: The present tempo in quarter notes a minute.
    """

    def __init__(
        self, settings: PerformerSettings, engine: Engine, midi_output: MidiOutput, context: PerformerContext
    ) -> None:
        """Create the transport, which waits for the first note."""
        self.engine = engine
        self.first_s: float | None = None
        self.end_s: float | None = None
        self.tempo_bpm = self._pace_bpm = engine.settings.tempo_bpm
        self._midi_output = midi_output
        self._built_in_player = context.built_in_player
        self._preset_switcher = context.preset_switcher
        self._tell: Callable[[Event], None] = context.tell
        self._stays = settings.stays
        self._chosen = NoteTiming(engine.settings.timing)
        self._offset_s = engine.settings.offset_s
        self._has_metronome = settings.metronome
        self._clock = ClockUse.OWN
        self._bars = settings.bars

    def start(self, at_s: float, beat: float) -> None:
        """Start the engine's own beat, with `beat` at the time `at_s`."""
        self.engine.start(at_s, beat)
        self._tell(Started(at_s, beat))
        if self.first_s is None:
            self.begin(self.engine.s_at(max(0.0, beat)))

    def pace(self, at_s: float, beat: float, pace_bpm: float, tempo_bpm: float) -> None:
        """Set the beat at the time `at_s` and how fast it goes on, while the music's tempo is `tempo_bpm`."""
        self._sync(at_s, beat, pace_bpm, ClockUse.FOLLOW)
        self.tempo_bpm = tempo_bpm

    def count_bars(self, at_s: float, beat: float, meter: Meter) -> None:
        """Count bars of `meter` from `beat` on, which is at the time `at_s`."""
        before = self.engine.meter
        self.engine.count_bars(beat, meter)
        self._stretch_bars(at_s, before)
        self._tell(MeterSet(at_s, beat, (meter.numerator, meter.denominator)))

    @property
    def has_tune(self) -> bool:
        """Whether the built-in player keeps the beat, because it plays or will play."""
        return self._built_in_player is not None and not self._built_in_player.is_gone

    def count_in(self, at_s: float, beat: float) -> None:
        """End all notes, and start the beat anew with `beat` at the time `at_s`. A number of bars counts anew too."""
        if self.engine.is_rolling:
            self._midi_output.silence(self.engine)
        self._use_clock(ClockUse.OWN)
        is_anew = self.first_s is not None
        self.start(at_s, beat)
        if is_anew:
            self.end_s = self._end_of(self.engine.s_at(0.0))

    def recount(self, at_s: float, beat: float, meter: Meter) -> None:
        """Count the beat at the time `at_s` as `beat`, in bars of `meter`; the music goes on.

        Raises:
            UsageError: The grid does not fit the meter.
        """
        before = self.engine.meter
        self.engine.recount(at_s, beat, meter)
        self._stretch_bars(at_s, before)
        self._tell(Recounted(at_s, beat, (meter.numerator, meter.denominator)))

    def sync(self, at_s: float, beat: float, tempo_bpm: float, clock: ClockUse = ClockUse.OWN) -> None:
        """Set the beat at the time `at_s`, and the tempo, as `clock` gives them.

        The end of the performance moves with the tempo. Unless the beat is the improviser's own, notes leave on the
        grid from now on, if nothing else was chosen.
        """
        self._sync(at_s, beat, tempo_bpm, clock)
        self.tempo_bpm = tempo_bpm
        if self._built_in_player is not None:
            self._built_in_player.pace(at_s, beat, tempo_bpm, self.end_s)

    def _sync(self, at_s: float, beat: float, pace_bpm: float, clock: ClockUse) -> None:
        """Set the engine's beat and how fast it goes, and report it."""
        self._use_clock(clock)
        event = Synced(at_s, beat, pace_bpm, clock is ClockUse.OWN, "" if clock is ClockUse.OWN else clock)
        self.engine.sync(at_s, beat, pace_bpm, is_heard=event.is_heard)
        self._tell(event)
        self._move_end(at_s, pace_bpm)

    def _move_end(self, at_s: float, pace_bpm: float) -> None:
        """Move the end of the performance, because from `at_s` on beats go by at another pace."""
        self._stretch(at_s, self._pace_bpm / pace_bpm)
        self._pace_bpm = pace_bpm

    def _stretch_bars(self, at_s: float, before: Meter) -> None:
        """Move the end of a number of bars, because from `at_s` on they are of another meter than `before`."""
        if self._bars is not None:
            self._stretch(at_s, self.engine.meter.bar_beats / before.bar_beats)

    def _stretch(self, at_s: float, factor: float) -> None:
        """Make what is left of the performance at `at_s` longer by a factor, if its end is known."""
        if self.end_s is not None:
            self.end_s = at_s + (self.end_s - at_s) * factor

    def halt(self, at_s: float, by: str) -> None:
        """Stop because the clock `by` has stopped: end all notes, and decide nothing."""
        self._midi_output.silence(self.engine)
        self.engine.halt()
        self._tell(Halted(at_s, by))

    def detach(self, at_s: float) -> None:
        """Wait for the next note, because the clock that had stopped the music has gone."""
        self._use_clock(ClockUse.OWN)
        self.engine.detach()
        self._tell(Detached(at_s))

    def set_timing(self, chosen: NoteTiming) -> None:
        """Choose when notes leave."""
        self._chosen = chosen
        self._set_timing()

    def set_offset(self, offset_ms: float) -> None:
        """Set by how many milliseconds later notes leave."""
        self._offset_s = round(offset_ms / MS_PER_S, DIGITS)
        self._set_timing()

    def keep_timing(self) -> None:
        """Set when the engine's notes leave, if that is not as was chosen."""
        if (self._timing(), self._offset_s) != (self.engine.timing, self.engine.settings.offset_s):
            self._set_timing()

    def _set_timing(self) -> None:
        """Set when the engine's notes leave, and tell it."""
        timing = self._timing()
        self.engine.set_timing(timing, self._offset_s)
        self._tell(Timed(timing, self._offset_s, self._chosen))

    def _timing(self) -> NoteTiming:
        """Return when notes leave: as was chosen; with AUTO, on the grid if something else keeps time."""
        keeps_time = self._clock not in {ClockUse.OWN, ClockUse.FOLLOW} or self._has_metronome
        return self._chosen.or_else(NoteTiming.ON_GRID if keeps_time else NoteTiming.AFTER_YOU)

    def _use_clock(self, clock: ClockUse) -> None:
        """Record the clock that sets the beat."""
        self._clock = clock
        self.keep_timing()

    def begin(self, at_s: float) -> None:
        """Begin the performance at `at_s`: determine when it ends, and choose the sound.

        Without a number of bars, it lasts as long as the built-in player's tune if that plays.
        """
        self.first_s = at_s
        self.end_s = self._end_of(at_s)
        if self._built_in_player is not None:
            self._built_in_player.end_before(self.end_s)
        self.choose_sound()

    def begin_if_rolling(self, at_s: float) -> None:
        """Begin the performance if the engine plays without a first note."""
        if self.engine.is_rolling and self.first_s is None:
            self.begin(at_s)

    def begin_anew(self, engine: Engine) -> None:
        """Wait for a first note again, with another engine."""
        self.engine = engine
        self.first_s = self.end_s = None

    def keep_tempo(self, at_s: float) -> None:
        """Set the new engine to the tempo of the one before, if that tempo was changed while it played."""
        if self.tempo_bpm != self.engine.settings.tempo_bpm:
            beat = round(self.engine.beat_at(at_s), DIGITS)
            self.sync(at_s, beat, self.tempo_bpm, self._clock)

    def resume(self, start_s: float, tempo_bpm: float) -> None:
        """Continue a performance that began at `start_s`."""
        self.tempo_bpm = self._pace_bpm = tempo_bpm
        self.begin(start_s)

    def is_over(self, now_s: float) -> bool:
        """Return whether the performance has reached its end."""
        return self.end_s is not None and now_s >= self.end_s

    def _end_of(self, first_s: float) -> float | None:
        """Return when a performance whose first bar begins at `first_s` is over; None if that is not known."""
        player = self._built_in_player
        length_s = None if player is None or self._stays else player.tune_s
        if self._bars is not None:
            length_s = self._bars * self.engine.meter.bar_beats * S_PER_MINUTE / self.tempo_bpm
        return None if length_s is None else first_s + length_s

    def choose_sound(self) -> None:
        """Send the preset's program change, if it has one. Before the first note this is not needed."""
        program = self._preset_switcher.program
        if program is not None and self.first_s is not None:
            self._midi_output.send_now(ProgramChange(self.engine.settings.channel, program))
