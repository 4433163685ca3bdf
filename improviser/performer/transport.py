"""Controls the beat of a performance: where it begins, its tempo, when it stops and when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.midi.message import ProgramChange
from improviser.music.meter import Meter
from improviser.protocol import Detached, Halted, Started, Synced
from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.engine import Engine
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
        self.tempo_bpm = engine.settings.tempo_bpm
        self._midi_output = midi_output
        self._built_in_player = context.built_in_player
        self._preset_switcher = context.preset_switcher
        self._tell: Callable[[Event], None] = context.tell
        self._stays = settings.stays
        bar_beats = Meter(*engine.settings.meter).bar_beats
        self._beats = None if settings.bars is None else settings.bars * bar_beats

    def start(self, at_s: float, beat: float) -> None:
        """Start the engine's own beat, with `beat` at the time `at_s`."""
        self.engine.start(at_s, beat)
        self._tell(Started(at_s, beat))
        if self.first_s is None:
            self.begin(self.engine.s_at(max(0.0, beat)))

    def sync(self, at_s: float, beat: float, tempo_bpm: float, *, is_own: bool = False) -> None:
        """Set the beat at the time `at_s`, and the tempo. The end of the performance moves with the tempo."""
        self.engine.sync(at_s, beat, tempo_bpm)
        self._tell(Synced(at_s, beat, tempo_bpm, is_own=is_own))
        if self.end_s is not None:
            self.end_s = at_s + (self.end_s - at_s) * self.tempo_bpm / tempo_bpm
        self.tempo_bpm = tempo_bpm
        if self._built_in_player is not None:
            self._built_in_player.pace(at_s, beat, tempo_bpm, self.end_s)

    def halt(self, at_s: float, by: str) -> None:
        """Stop because the clock `by` has stopped: end all notes, and decide nothing."""
        self._midi_output.silence(self.engine)
        self.engine.halt()
        self._tell(Halted(at_s, by))

    def detach(self, at_s: float) -> None:
        """Wait for the next note, because the clock that had stopped the music has gone."""
        self.engine.detach()
        self._tell(Detached(at_s))

    def begin(self, at_s: float) -> None:
        """Begin the performance at `at_s`: determine when it ends, and choose the sound.

        Without a number of bars, it lasts as long as the built-in player's tune if that plays.
        """
        player = self._built_in_player
        length_s = None if player is None or self._stays else player.tune_s
        if self._beats is not None:
            length_s = self._beats * S_PER_MINUTE / self.tempo_bpm
        self.first_s = at_s
        self.end_s = None if length_s is None else at_s + length_s
        if player is not None:
            player.end_before(self.end_s)
        self.choose_sound()

    def begin_if_rolling(self, at_s: float) -> None:
        """Begin the performance if the engine plays without a first note."""
        if self.engine.is_rolling and self.first_s is None:
            self.begin(at_s)

    def begin_anew(self, engine: Engine) -> None:
        """Wait for a first note again, with another engine."""
        self.engine = engine
        self.first_s = self.end_s = None

    def resume(self, start_s: float, tempo_bpm: float) -> None:
        """Continue a performance that began at `start_s`."""
        self.tempo_bpm = tempo_bpm
        self.begin(start_s)

    def is_over(self, now_s: float) -> bool:
        """Return whether the performance has reached its end."""
        return self.end_s is not None and now_s >= self.end_s

    def choose_sound(self) -> None:
        """Send the preset's program change, if it has one. Before the first note this is not needed."""
        program = self._preset_switcher.program
        if program is not None and self.first_s is not None:
            self._midi_output.send_now(ProgramChange(self.engine.settings.channel, program))
