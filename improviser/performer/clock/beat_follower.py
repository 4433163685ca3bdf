"""Follows the player's beat: passes what the beat tracker hears to the engine, smoothly.

The beat of the engine does not jump. It goes a little faster or slower until it is together with the player's
(`tempo_pursuit`). While the tracker is unsure the tempo stays. If the player holds a note for longer than they did
before, the beat waits for their next note (`fermata`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from improviser.listening.beat.onset_collector import MERGE_S
from improviser.midi.message import NoteOn
from improviser.performer.clock.agreement import Agreement
from improviser.performer.clock.bar_finder import BarFinder, FoundBar
from improviser.performer.clock.beat_reading import read_beat
from improviser.performer.clock.fermata import Fermata
from improviser.performer.clock.tempo_pursuit import TempoPursuit
from improviser.protocol import DIGITS, TEMPO_BPM, BeatFound
from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from improviser.engine import Engine
    from improviser.listening.beat_tracker import BeatTracker, BeatView
    from improviser.midi.message import Message
    from improviser.music.meter import Meter
    from improviser.performer.clock.beat_reading import BeatReading
    from improviser.performer.transport import Transport
    from improviser.protocol import Event

# Makes a tracker that expects about this tempo, and this meter if it is known.
NewTracker = Callable[[float, "Meter | None"], "BeatTracker"]
# The beat is followed from the first confidence on, until it falls below the second.
LOCKS_AT, LOSES_AT = 0.4, 0.2
# What is heard is compared with our beat this often, and at each onset.
LOOK_BEATS: Final = 0.25
# A pace that differs by less than this share is not worth an event.
SAME_PACE: Final = 0.001
# A tempo that differs by more than this factor may be a wrong reading. It is taken only after this many beats: at
# first, and once a beat was followed.
STRANGE: Final = 1.28
STRANGE_BEATS: Final = (4.0, 12.0)
# A beat that is followed is left for a far tempo only if that is this sure.
LEAVES_AT: Final = 0.5
# A beat that is further than this from ours is another beat, even if our grid explains the notes. It has to be heard
# for some beats then.
FAR_BEATS: Final = 0.18
FAR_FOR_BEATS: Final = 8.0
# While it waits the beat hardly moves, and is put back this often to this place before the next step.
WAIT_BPM: Final = 10.0
WAIT_LOOK_S: Final = 0.5
WAIT_STEPS: Final = 0.6
_WHOLE: Final = 1e-6
_IN_TIME_BEATS: Final = 0.08
_TICK_S: Final = 0.001


class BeatFollower:
    """Keeps the engine's beat together with the player's.

    Threads: Only the performer's loop uses this class.

    Attributes:
        is_on: Whether the player is followed.
        waited_until_s: The end of the last wait at a fermata. Steps before it were not late.
        next_look_s: The time at which to call `look`; None if there is nothing to follow.
    """

    def __init__(
        self,
        transport: Transport,
        new_tracker: NewTracker,
        tell: Callable[[Event], None],
        *,
        has_keys: Callable[[], bool],
        is_on: bool = True,
        keeps_meter: bool = False,
    ) -> None:
        """Wait for the player's first note.

        Args:
            transport: Paces the engine that plays.
            new_tracker: Makes a beat tracker.
            tell: Called with the beat that is heard.
            has_keys: Returns whether the player holds a key.
            is_on: Whether to follow. It may be set at any time.
            keeps_meter: Whether the meter is known, so that only the place of the bar lines is looked for.
        """
        self._transport, self._new_tracker, self._tell = transport, new_tracker, tell
        self._has_keys, self._keeps_meter = has_keys, keeps_meter
        self.is_on = is_on
        self._tracker: BeatTracker | None = None
        self._pursuit = TempoPursuit(transport.tempo_bpm)
        self._prior_bpm = transport.tempo_bpm
        self._agreement = Agreement()
        self._fermata = Fermata()
        self._bar_finder = BarFinder()
        # Whether the beat is followed now, and whether it was ever since the tracker began.
        self._is_locked = self._was_locked = False
        self._strange_beats = self._far_beats = 0.0
        self._is_waiting = False
        # The moment of the beat before which it waits, had it not waited.
        self._waits_from_s = 0.0
        self.waited_until_s = -math.inf
        self._beat = 0.0
        self._onset_s = -math.inf
        self._told: tuple[int, bool] | None = None
        self.next_look_s: float | None = None

    @property
    def _engine(self) -> Engine:
        """The engine that plays now."""
        return self._transport.engine

    def hear(self, message: Message, at_s: float, *, begins: bool) -> None:
        """Process a message of the player that the engine has heard; `begins` if the beat begins with it."""
        if isinstance(message, NoteOn):
            tracker = self._begun(at_s) if begins or self._tracker is None else self._tracker
            tracker.hear(at_s, message.note, message.velocity)
            self._note_onset(at_s)

    def end_wait(self, at_s: float) -> None:
        """End a wait at a note of the player; call it before the engine hears the note, so that it is in time."""
        if self._is_waiting and self._tracker is not None and self._engine.next_step_s is not None:
            self._tracker.nudge(at_s)
            self._go_on(at_s, by_note=True)

    def look(self, at_s: float) -> None:
        """Compare our beat with the player's, if it is time."""
        if self.next_look_s is not None and at_s >= self.next_look_s:
            self._follow(round(at_s, DIGITS))

    def tap(self, at_s: float) -> None:
        """Take a tap as a beat of the player."""
        if self._tracker is not None:
            self._tracker.nudge(at_s)
            self._agreement = Agreement()
            self._follow(at_s)

    def rest(self) -> None:
        """Follow no more until the next note."""
        self._tracker, self.next_look_s, self._is_locked, self._is_waiting = None, None, False, False
        self._far_beats = 0.0

    def leave(self, at_s: float) -> None:
        """Follow no more until the next note. The beat neither waits nor catches up any more."""
        tempo_bpm = self._pursuit.tempo_bpm
        if self._tracker is not None and (self._is_waiting or self._pursuit.pace_bpm != tempo_bpm):
            self._pace(at_s, self._engine.beat_at(at_s), tempo_bpm)
        self.rest()

    def _begun(self, at_s: float) -> BeatTracker:
        """Return a new tracker for a beat that begins at `at_s`."""
        tempo_bpm, engine = self._transport.tempo_bpm, self._engine
        self.rest()
        self._pursuit = TempoPursuit(tempo_bpm)
        self._prior_bpm, self._agreement, self._fermata = tempo_bpm, Agreement(), Fermata()
        self._bar_finder = BarFinder(engine.meter if self._keeps_meter else None)
        self._was_locked, self._strange_beats = False, 0.0
        self._onset_s, self._beat, self._told = -math.inf, engine.beat_at(at_s), None
        self._pace(at_s, engine.beat_at(at_s), tempo_bpm)
        self._tracker = self._new_tracker(
            tempo_bpm / engine.meter.felt_beats, engine.meter if self._keeps_meter else None
        )
        return self._tracker

    def _note_onset(self, at_s: float) -> None:
        """Follow an onset; of a chord the first one, and all others a moment later."""
        self._fermata.add_onset(at_s)
        if at_s - self._onset_s > MERGE_S:
            self._onset_s = at_s
            self._agreement.add_onset(self._engine, at_s, S_PER_MINUTE / self._pursuit.tempo_bpm)
            self.next_look_s = round(at_s + MERGE_S + _TICK_S, DIGITS)

    def _follow(self, at_s: float) -> None:
        """Compare our beat with the player's at `at_s`, and pace the engine."""
        tracker, engine = self._tracker, self._engine
        if tracker is None or engine.next_step_s is None:
            self.next_look_s = None
            return
        view = tracker.look(at_s)
        beat = engine.beat_at(at_s)
        passed, self._beat = max(0.0, beat - self._beat), beat
        if self._is_fermata(at_s) and self._wait(at_s):
            self._report(at_s, 0.0 if view is None else view.confidence)
            return
        if self._is_waiting:
            self._go_on(at_s, by_note=False)
        self._keep_together(view, at_s, passed)
        self._report(at_s, 0.0 if view is None else view.confidence)

    def _keep_together(self, view: BeatView | None, at_s: float, passed_beats: float) -> None:
        """Pace the engine by the player's beat, or let it go on at its tempo if the beat is not sure enough."""
        engine, pursuit = self._engine, self._pursuit
        beat, pace_bpm = engine.beat_at(at_s), pursuit.pace_bpm
        self._is_locked = view is not None and view.confidence >= (LOSES_AT if self._is_locked else LOCKS_AT)
        pursuit.hold()
        if view is not None and self._is_locked:
            reading = read_beat(view, beat - engine.bar_beat, (pursuit.tempo_bpm, self._prior_bpm), self._fermata.gap_s)
            if self._is_believed(reading, passed_beats, view.confidence):
                self._pursue(reading, passed_beats, view.confidence)
                self._count_bars(view, beat + reading.late_beats, reading.unit)
        if abs(pursuit.pace_bpm - pace_bpm) > SAME_PACE * pace_bpm:
            self._pace(at_s, beat, pursuit.pace_bpm)
        self.next_look_s = at_s + LOOK_BEATS * S_PER_MINUTE / pursuit.pace_bpm

    def _pursue(self, reading: BeatReading, passed_beats: float, confidence: float) -> None:
        """Follow a reading. While our grid explains the notes, nothing is followed but a beat between ours."""
        is_together = self._agreement.is_together
        is_far = abs(reading.late_beats) > FAR_BEATS
        self._far_beats = self._far_beats + passed_beats if is_far else 0.0
        if not is_together or self._pursuit.is_moving:
            self._pursuit.follow(reading.tempo_bpm, passed_beats, confidence)
        if not is_together or self._far_beats > FAR_FOR_BEATS:
            self._pursuit.mend(reading.late_beats, self._engine.due_lag_s, confidence)

    def _is_believed(self, reading: BeatReading, passed_beats: float, confidence: float) -> bool:
        """Return whether to follow a reading. A tempo that is far from ours is first heard for a while."""
        apart = abs(math.log(reading.tempo_bpm / self._pursuit.tempo_bpm))
        if apart <= math.log(STRANGE):
            self._strange_beats = 0.0
            self._was_locked = True
            return True
        self._strange_beats += passed_beats if confidence >= LEAVES_AT or not self._was_locked else 0.0
        is_possible = TEMPO_BPM[0] <= reading.tempo_bpm <= TEMPO_BPM[1] and not self._agreement.is_together
        if not is_possible or self._strange_beats <= STRANGE_BEATS[self._was_locked]:
            return False
        self._strange_beats, self._was_locked = 0.0, True
        self._pursuit.jump(reading.tempo_bpm)
        return True

    def _count_bars(self, view: BeatView, beat: float, unit: float) -> None:
        """Count bars from a bar line that was found, if they differ from ours."""
        engine = self._engine
        found = self._bar_finder.bar_after(view, beat, unit, FoundBar(engine.bar_beat, engine.meter))
        if found is None:
            return
        steps = engine.settings.steps_per_beat
        line = round(found.beat * 2) / 2
        if (line * steps) % 1 == 0 and line >= engine.next_step_beat:
            self._transport.count_bars(round(engine.s_at(line), DIGITS), line, found.meter)

    def _is_fermata(self, at_s: float) -> bool:
        """Return whether the player holds a note for longer than before."""
        beat_s = S_PER_MINUTE / self._pursuit.tempo_bpm
        is_long = self._fermata.is_on(at_s, beat_s, self._engine.meter.bar_beats * beat_s)
        return is_long and self._is_locked and self._has_keys()

    def _wait(self, at_s: float) -> bool:
        """Hold the beat before the next beat; return whether it is held: the steps before it are played first."""
        engine = self._engine
        line = engine.next_step_beat
        if abs(line - round(line)) > _WHOLE:
            self.next_look_s = engine.next_step_s
            return False
        if not self._is_waiting:
            self._is_waiting, self._waits_from_s = True, engine.s_at(line)
        self._pace(at_s, line - WAIT_STEPS / engine.settings.steps_per_beat, WAIT_BPM)
        self.next_look_s = at_s + WAIT_LOOK_S
        return True

    def _go_on(self, at_s: float, *, by_note: bool) -> None:
        """End the wait at `at_s`, at a note of the player or because it has lasted too long.

        A note that comes where a beat of the tempo before would be says that the player has counted on. Then, and if
        nothing has come, the beats that were waited for are made up for: their steps are skipped. Else the note is the
        next beat, just so late that it can still be played.
        """
        engine, tempo_bpm = self._engine, self._pursuit.tempo_bpm
        missed = (at_s - self._waits_from_s) * tempo_bpm / S_PER_MINUTE
        if by_note:
            missed = round(missed) if abs(missed - round(missed)) < _IN_TIME_BEATS else 0.0
            missed -= engine.settings.ahead_s * tempo_bpm / S_PER_MINUTE
        self._is_waiting, self.waited_until_s = False, at_s
        self._pursuit.hold()
        self._pace(at_s, engine.next_step_beat + missed, tempo_bpm)

    def _pace(self, at_s: float, beat: float, pace_bpm: float) -> None:
        """Set the engine's beat and pace, rounded as in the event."""
        self._transport.pace(at_s, round(beat, DIGITS), round(pace_bpm, DIGITS), round(self._pursuit.tempo_bpm, DIGITS))

    def _report(self, at_s: float, confidence: float) -> None:
        """Report what is heard, once a beat."""
        beat = self._engine.beat_at(at_s)
        told = (math.floor(beat), self._is_waiting)
        if told != self._told:
            self._told = told
            self._tell(
                BeatFound(
                    at_s,
                    beat,
                    self._pursuit.tempo_bpm,
                    confidence,
                    is_followed=self._is_locked,
                    is_waiting=self._is_waiting,
                )
            )
