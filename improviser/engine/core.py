"""The engine: it receives messages with their times and returns messages with their times, without I/O.

Inputs, times, settings, weights and the random generator determine every byte of the output. There is no clock,
thread, file or global randomness here. So the same code plays live, renders a file, replays a session and is tested
without waiting. A step uses what was heard up to its own moment, however late it is decided.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.agent.policy import Choice, chance_of, select_action
from improviser.choices import NoteTiming, PlayMode
from improviser.engine.anticipation import Anticipation
from improviser.engine.bars import Bars
from improviser.engine.decision import Decision
from improviser.engine.expression import Expression
from improviser.engine.mending import SHORTEST_S, Decided
from improviser.engine.panel import SWITCHES, Panel
from improviser.engine.preferences import BACKLOG, Preferences
from improviser.engine.role import ROLES
from improviser.engine.settled import PlayedSteps, SettledStep
from improviser.engine.situation import Prospect, legal_at, observe, place_of, preferring, rewards_of
from improviser.engine.step_times import step_times
from improviser.engine.turns import Turns
from improviser.engine.voice import Ending, Touch, Voice
from improviser.listening.listener import Listener
from improviser.midi.message import NoteOn
from improviser.music.accent import LEVELS
from improviser.music.meter import METERS
from improviser.playing.actions import HOLD_ACTION, REST_ACTION, register_base

if TYPE_CHECKING:
    from improviser.agent.policy import Actor, FloatArray, Mix
    from improviser.engine.settings import EngineSettings
    from improviser.engine.step_times import StepTimes
    from improviser.midi.message import Message, TimedMessage
    from improviser.music.meter import Meter
    from improviser.music.scale import Key

# Two computations of the same moment differ by less than this, in floating point.
ROUNDING_S: Final = 1e-6
# A note that comes up to this share of a step late still starts improviser at that step.
SLACK_STEPS: Final = 0.25
# Unless the key is locked, improviser only listens for this many bars.
LISTEN_BARS: Final = 1
MUTE, *_ = SWITCHES


class Engine:
    """Listens to one player, decides, and plays one voice beside them.

    Threads: an instance belongs to one thread; no method blocks or does I/O. `step` takes tens of microseconds if
    `prepare` was called since the last message and no note may end early, else as long as `prepare`.

    Attributes:
        listener: Follows the player.
        panel: The knobs and switches.
        turns: The mode, and whose turn it is.
    """

    def __init__(self, settings: EngineSettings, actor: Actor, rng: np.random.Generator) -> None:
        """Start waiting for the player's first note, which will be the first downbeat.

        Raises:
            UsageError: The key or the meter is unknown.
        """
        self._rng = rng
        self.panel = Panel(settings.knobs, settings.steps_per_beat, settings.panel)
        self._preferences_by_role: dict[str, Preferences] = {}
        self._bars = Bars(settings.meter_row, settings.bar_steps)
        self._beat_steps = np.array([settings.steps_per_beat])
        self._expression = Expression(settings, self._bars, rng)
        self._clock = self._expression.clock
        grid = self._beat_steps, np.array([self._bars.steps])
        self.listener = Listener(grid, self._clock, settings.locked, self._expression.pocket, settings.chart)
        self._next_step = self._first_step = 0
        self._is_waiting = True
        self._is_halted = self._has_begun = self._has_given_beat = False
        self.timing = NoteTiming(settings.timing).or_else(NoteTiming.AFTER_YOU)
        self.turns = Turns(PlayMode(settings.mode), settings.steps_per_beat)
        self._habit_steps, self._is_beat_heard = 0.0, False
        self._unplanned_feel: float | None = None
        self._steps = PlayedSteps()
        self._reached = self._begun_s = -math.inf
        self._take_up(settings, actor)

    def _take_up(self, settings: EngineSettings, actor: Actor) -> None:
        """Use some settings and an actor, with nothing played yet."""
        self.settings, self._actor = settings, actor
        self._role = ROLES[settings.role]
        self.preferences = self._preferences_by_role.setdefault(
            settings.role, Preferences(self._role.traits, settings.taste)
        )
        self.decision: Decision | None = None
        grid = self._beat_steps, np.array([self._bars.steps])
        self._voice = Voice(self._role, grid, settings.channel, self._expression)
        self._ending: Ending | None = None
        self._observation = np.zeros((1, self._role.columns), dtype=np.uint8)
        self._prospect: Prospect | None = None
        self._decided: Decided | None = None
        self._place = place_of(self._next_step, self._bars, self.settings, self.listener, self.base)

    def change(self, settings: EngineSettings, actor: Actor) -> list[TimedMessage]:
        """Change to settings of the same grid and to another actor; return the messages that end sounding notes."""
        self._take_heard()
        self._settle_all()
        before_s = self._due_s()
        settings = settings.after(self.settings)
        ended = self._voice
        self._take_up(settings, actor)
        self.panel.change(settings.knobs)
        self._expression.change(settings, self._bars)
        self._unplanned_feel = self._feel
        return ended.end(min(before_s, self._due_s()))

    @property
    def actor(self) -> Actor:
        """The actor that values the actions."""
        return self._actor

    def adopt(self, actor: Actor) -> None:
        """Use another actor of the same kind from the next decision on."""
        self._end_early()
        self._actor, self._prospect = actor, None

    def lock(self, key: Key | None) -> None:
        """Lock the key from the next step on; None unlocks it."""
        self._take_heard()
        self.listener.heard_key.lock(key)

    def set_mode(self, mode: PlayMode, at_s: float) -> None:
        """Change from the next bar on when improviser plays; ALONE begins at `at_s` if nothing plays yet."""
        self._take_heard()
        self.turns.choose(mode)
        self._begin_alone(at_s)

    def end(self) -> None:
        """End with the next bar: on a long tonic. Then wait for the player."""
        self._take_heard()
        self.turns.end()

    def is_between_bars(self) -> bool:
        """Return whether the next step begins a bar, or the engine waits for the player."""
        return self._is_waiting or self._bars.place(self._next_step)[1] == 0

    @property
    def key(self) -> Key:
        """The key, heard or locked."""
        return self.listener.heard_key.key

    @property
    def base(self) -> int:
        """The note from which actions count: the tonic at the bottom of the register."""
        return register_base(self.settings.register_low + self.panel.shift, self.key.tonic)

    @property
    def next_step_s(self) -> float | None:
        """The moment at which to call `step` next, in seconds; None while waiting for the player."""
        return None if self._is_waiting else self._decided_s()

    @property
    def due_lag_s(self) -> float:
        """How many seconds after its moment on the grid the notes of a step are due."""
        return self._times().due_s

    @property
    def next_grid_s(self) -> float:
        """The moment of the next step on the grid, in seconds."""
        return self._clock.s_at(self._next_step / self.settings.steps_per_beat)

    def start(self, at_s: float, beat: float) -> None:
        """Start the beat from outside: `beat` is at `at_s`. If it runs already, it jumps there."""
        self.give_beat(at_s, beat)
        self._begin(at_s)

    def give_beat(self, at_s: float, beat: float) -> None:
        """Set the beat from outside, `beat` at `at_s`, in bars from beat 0 on, and wait for the player's next note."""
        self._take_heard()
        self._clock.anchor(at_s, beat)
        self._bars = Bars.of(self.meter, self.settings.steps_per_beat)
        self._expression.begin_bar(self._bars)
        self.listener.set_bar(self._bars.steps)
        self._has_given_beat, self._is_halted = True, False
        self._is_waiting = True
        self._next_step = 0

    def begin_bar(self, at_s: float, meter: Meter) -> None:
        """Count bars of `meter`, one of METERS, from `at_s` on; call it before anything after `at_s` is heard."""
        self._end_early()
        self._prospect = None
        self._bars = self._bars.followed_by(meter, self._clock, at_s, self.settings.steps_per_beat)
        self._voice.set_bar(self._bars.steps)
        self._expression.begin_bar(self._bars)
        self.listener.set_bar(self._bars.steps)

    def count_bars(self, beat: float, meter: Meter) -> None:
        """Count bars of `meter`, one of METERS, so that one begins on `beat`; what was heard before keeps its meter."""
        self._take_heard()
        self.begin_bar(self._clock.s_at(beat), meter)

    @property
    def meter(self) -> Meter:
        """The meter in which bars are counted now."""
        return METERS[self._bars.row]

    @property
    def bar_beat(self) -> float:
        """A beat on which a bar begins; the bars after it are counted from there."""
        return self._bars.first_step / self.settings.steps_per_beat

    def sync(self, at_s: float, beat: float, tempo_bpm: float, *, is_heard: bool = False) -> None:
        """Set the beat at `at_s` and the tempo from then on, as an external clock reports them.

        If the beat `is_heard` in the player's notes, their habit is no offset from it, and our notes do not add it.
        """
        self._take_heard()
        self._is_beat_heard = is_heard
        self._clock.follow(at_s, beat, tempo_bpm)

    def recount(self, at_s: float, beat: float, meter: Meter) -> None:
        """Count the beat at `at_s` as `beat`, in bars of `meter` from beat 0 on; the music goes on.

        A loop, a locate or a change of meter in another program makes this necessary. What was heard and what sounds
        stays, and no moment is decided twice.

        Raises:
            UsageError: The grid does not fit the meter. Nothing has changed.
        """
        grid, before = self.settings.steps_per_beat, self._next_step
        bar_steps = meter.bar_steps(grid)
        self._take_heard()
        since_s = self.next_grid_s - self._clock.beat_s / grid / 2
        moved_beats = beat - self._clock.straight_beat_at(at_s)
        self._clock.anchor(at_s, beat)
        self._bars = Bars.of(meter, grid)
        self._expression.begin_bar(self._bars)
        self.settings = replace(self.settings, meter=(meter.numerator, meter.denominator))
        self._voice.set_bar(bar_steps)
        self._next_step = math.ceil(self._clock.beat_at(since_s) * grid - ROUNDING_S)
        moved_steps = round(moved_beats * grid) if self._is_waiting else self._next_step - before
        self._next_step = 0 if self._is_waiting else self._next_step
        self.turns.begin(self._bars.place(self._bars.next_line(self._next_step))[0])
        self._first_step += moved_steps
        self.listener.recount(bar_steps, moved_steps)
        self._reached = -math.inf

    def look_ahead(self, ahead_s: float) -> None:
        """Decide `ahead_s` seconds earlier than `collect_s` alone requires, from the next step on."""
        self._take_heard()
        self.settings = replace(self.settings, ahead_s=ahead_s)

    def set_timing(self, timing: NoteTiming, offset_s: float) -> None:
        """Change when notes leave, from the next step on: ON_GRID or AFTER_YOU, and `offset_s` later."""
        self._take_heard()
        self.timing = timing
        self.settings = replace(self.settings, offset_s=offset_s)

    @property
    def next_step_beat(self) -> float:
        """The beat of the next step, counted without swing: nothing at or after it is decided yet."""
        return self._next_step / self.settings.steps_per_beat

    @property
    def is_rolling(self) -> bool:
        """Whether the beat runs: it has begun, and was not halted since."""
        return self._has_begun and not self._is_halted

    @property
    def has_beat(self) -> bool:
        """Whether the beat runs and goes on: while improviser rests, only a beat from outside does."""
        return self.is_rolling and (self._has_given_beat or not self._is_waiting)

    def beat_at(self, at_s: float) -> float:
        """Return the beat at the moment `at_s`, counted without swing."""
        return self._clock.straight_beat_at(at_s)

    def s_at(self, beat: float) -> float:
        """Return the moment of `beat` in seconds, counted without swing."""
        return self._clock.straight_s_at(beat)

    def halt(self) -> None:
        """Play nothing until the next `start` or `detach`; the caller ends the sounding notes."""
        self._take_heard()
        self._is_waiting = self._is_halted = True

    def detach(self) -> None:
        """After `halt`, wait for the player's next note as for the first one; it will be a downbeat."""
        self._is_halted = self._has_begun = self._has_given_beat = False

    def switch(self, name: str, at_s: float) -> bool:
        """Toggle mute, solo or freeze at `at_s`; return whether it is on now."""
        self.panel.switched ^= {name}
        is_on = name in self.panel.switched
        self._begin_alone(at_s)
        return is_on

    def _begin_alone(self, at_s: float) -> None:
        """Begin to play at `at_s` if nothing plays and the player is not waited for."""
        if self._is_waiting and self.turns.is_alone(self.panel.switched) and not self._is_halted:
            self._begin(at_s)

    def reseed(self, rng: np.random.Generator) -> None:
        """Use another random generator from now on."""
        self._end_early()
        self._rng = rng
        self._expression.reseed(rng)

    def hear(self, message: Message, at_s: float) -> list[TimedMessage]:
        """Process a message that the player sent at `at_s`, in monotonic seconds.

        Returns:
            The messages that mend the last step, if what it plays clashes with this note; mostly none.
        """
        self.listener.hear(message, at_s)
        if self._is_waiting:
            if isinstance(message, NoteOn) and not self._is_halted:
                self._begin(at_s)
            self.listener.follow(at_s)
        elif isinstance(message, NoteOn):
            return self._mend(message.note, at_s)
        return []

    def _mend(self, note: int, at_s: float) -> list[TimedMessage]:
        """Return the messages that replace what the last step plays, if `note` belongs to it and clashes; else none."""
        decided = self._decided
        if decided is None or decided.is_settled or not self._voice.notes:
            return []
        self._plan()
        nearest = math.floor(self._clock.beat_at(at_s) * self.settings.steps_per_beat - self._habit_steps + 0.5)
        if nearest != decided.step or not decided.clashes(self._role, note):
            return []
        self._end_early()
        choice, observation = decided.mended(self._role, self._actor, note, self._mix(decided.prospect), self._rng)
        self.preferences.mend(observation, choice)
        last, mended = decided.played.decision, self._voice.notes
        gesture = last.meaning(choice.action)
        touch = replace(decided.touch, due_s=max(at_s, decided.touch.due_s + SHORTEST_S))
        messages = self._voice.mend(gesture, decided.played, decided.own, touch)
        self.decision = replace(
            last, action=choice.action, gesture=gesture, choice=choice, observation=observation, mended=mended
        )
        decided.played.decision = self.decision
        self._decided = self._prospect = None
        return messages

    def prepare(self) -> list[TimedMessage]:
        """Compute the next step from what was heard so far, so that `step` only has to draw an action.

        It may be called at any time and any number of times; the decisions do not depend on it.

        Returns:
            The messages that end the last notes early; mostly none. Else they come, too late, with the next step's.
        """
        self._end_early()
        if not self._is_waiting and (self._follow() or self._prospect is None):
            self._prospect = self._look()
        return self._voice.take_early()

    def _look(self) -> Prospect:
        """Return the next step as it stands, from what was heard so far."""
        self._record()
        place = place_of(self._next_step, self._bars, self.settings, self.listener, self.base)
        outlook = self.listener.foresee(self._next_step, LEVELS[place.meter, place.sixteenth])
        observation = observe(outlook.player, self._voice.line, place, self._role, self._observation)
        share = self.listener.punctuality.share_after(self._times().heard_s)
        anticipation = Anticipation(self._actor, self._role, self._voice.line, place, outlook)
        values, expected = (None, ()) if self._only_listens() else anticipation.values(observation, share)
        traits = None if self._bias() is None else self._role.traits.of_one(observation)
        is_locked, can_hold = self.listener.heard_key.is_locked, self._can_hold()
        allowed = self.turns.allowed(*self._bars.place(self._next_step), outlook.silence)
        legal = legal_at(place, self._role, is_locked=is_locked, is_sounding=can_hold, allowed=allowed)
        recalled = self._voice.recalled(self._next_step, self.listener.recurrence.steps)
        return Prospect(outlook, place, legal, values, observation, traits, expected, recalled)

    def step(self, at_s: float) -> list[TimedMessage]:
        """Decide the next step of the grid; return its messages, due as `timing` says.

        `at_s` is the current time. It has no effect, so that a replay does not depend on the caller's jitter.
        """
        del at_s
        prospect = self._close_step()
        early = self._voice.take_early()
        if prospect is None:
            return early
        silent_bars = prospect.outlook.silence / self._bars.steps
        if self.turns.has_left(silent_bars, self.settings.patience_bars, self.panel.switched):
            return early + self._wait()
        if prospect.values is None:
            messages = self._play(REST_ACTION, None)
            self._voice.leave_out()  # our line has not begun yet
            return early + messages
        if MUTE in self.panel.switched:
            return early + self._play(REST_ACTION, None)
        choice = select_action(prospect.values, prospect.legal, self._rng, self._mix(prospect))
        own = self._voice.line
        messages = early + self._play(choice.action, choice, prospect)
        self.preferences.remember(self._voice.touch.due_s, prospect.observation, choice)
        if self.settings.mends:
            self._decided = Decided(self._steps.last, prospect, own, self._voice.touch)
        for message, heard_s in self.listener.pending:
            messages += self._mend(message.note, heard_s) if isinstance(message, NoteOn) else []
        return messages

    def released(self) -> None:
        """Record that the caller has ended all notes, planned ones too: nothing is held."""
        self._end_early()
        self._voice.forget()
        self._prospect = None

    def skip(self, at_s: float) -> list[TimedMessage]:
        """Skip the next step, which is too late to decide: play a hold, or a rest if nothing can be held."""
        del at_s
        return self.force(HOLD_ACTION if self._can_hold() else REST_ACTION)

    def force(self, action: int) -> list[TimedMessage]:
        """Play `action` in the next step, whether it is legal or not; return its messages."""
        is_playing = self._close_step() is not None
        return self._voice.take_early() + (self._play(action, None) if is_playing else [])

    def rewards(self) -> dict[str, float]:
        """Return the terms of the last step's reward by name, then the three components, each in [-1, 1]."""
        self._record()
        return rewards_of(self._voice.line, self.listener.player, self._place, self._role)

    def _take_heard(self) -> None:
        """Process all that the next step would have heard; call it before the beat moves.

        So it does not matter whether `prepare` was called just before.
        """
        self._end_early()
        self._prospect = None
        if not self._is_waiting:
            self._follow()

    def _follow(self) -> bool:
        """Settle steps, and process what the next step hears; return whether there was anything."""
        self._settle(self._reached)
        return self.listener.follow(self._decided_s() + ROUNDING_S)

    def take_settled(self) -> list[SettledStep]:
        """Return the steps of which all is heard now, in order; each is returned once."""
        self._settle(self._reached)
        return self._steps.take_settled()

    def _begin(self, at_s: float) -> None:
        """Begin to play at `at_s`: with the next step if the beat was given, else with a new bar."""
        if self._has_given_beat:
            steps = self._clock.beat_at(at_s) * self.settings.steps_per_beat - self.listener.habit.steps
            self._next_step = max(self._next_step, math.ceil(steps - SLACK_STEPS))
        else:
            self._begun_s, self._next_step = at_s, self._bars.next_line(self._next_step)
            self._clock.anchor(at_s, self._next_step / self.settings.steps_per_beat)
        if not self._has_begun:
            self._first_step = self._next_step
        self._is_waiting, self._has_begun = False, True
        self.turns.begin(self._bars.place(self._next_step)[0])
        self._settle_all()
        self.listener.begin(self._next_step)
        self._habit_steps = self.listener.habit.steps
        self._prospect = self._decided = None
        self._unplanned_feel = self._feel

    def _plan(self) -> None:
        """Prepare the expression of the next step, which `step` leaves for later; do nothing if that is done."""
        feel, self._unplanned_feel = self._unplanned_feel, None
        if feel is not None:
            is_grid = self.timing is NoteTiming.ON_GRID and not self.settings.has_hindsight
            self._expression.plan(self._next_step, feel, is_free=not is_grid)

    @property
    def _feel(self) -> float:
        """How far the expression is the player's, 0-2."""
        return self.settings.feel * self.panel.feel

    def _decided_s(self) -> float:
        """Return the moment at which the next step is decided, earlier where its notes are early."""
        self._plan()
        early_s = 0.0 if self.settings.has_hindsight else min(0.0, self._expression.delay_s)
        return max(self._begun_s, self.next_grid_s + self._times().decided_s + early_s)

    def _due_s(self) -> float:
        """Return the moment at which the notes of the next step are due."""
        self._plan()
        return self.next_grid_s + self._times().due_s + self._expression.delay_s

    def _times(self) -> StepTimes:
        """Return the times of a step."""
        step_s = self._clock.beat_s / self.settings.steps_per_beat
        habit_steps = 0.0 if self._is_beat_heard else self._habit_steps
        return step_times(self.settings, self.timing, habit_steps, step_s)

    def _close_step(self) -> Prospect | None:
        """Close the next step for the player and return its prospect; None while waiting."""
        self.prepare()
        prospect, self._prospect = self._prospect, None
        if prospect is not None:
            self._place = place = prospect.place
            self.listener.close(self._next_step, LEVELS[place.meter, place.sixteenth], prospect.outlook)
            self._reached = self.listener.reached(self._decided_s())
            self._habit_steps = self.listener.habit.steps
        return prospect

    def _settle_all(self) -> None:
        """Settle all steps, since nothing more is heard of them."""
        self._settle(math.inf)
        self._reached = -math.inf

    def _settle(self, reached: float) -> None:
        """Settle the steps of which nothing more is heard where the player is at `reached`, in steps."""
        self._record()
        self._steps.settle(self.listener.settle(reached))

    def _mix(self, prospect: Prospect) -> Mix:
        """Return how the values of a decision are combined."""
        mix, bias = self.panel.mix(self._role.action_count), self._bias()
        return preferring(mix, bias, self.settings.recall, prospect, self._role)

    def _bias(self) -> FloatArray | None:
        """Return the weights of features, (features,), from preferences and the echo knob; None if there are none."""
        return self.preferences.bias(self.panel.bias(self._role.traits))

    def _wait(self) -> list[TimedMessage]:
        """Wait for the player's next note, which may have come already; return the messages that end notes."""
        messages = self._play(REST_ACTION, None)
        self._plan()
        self._settle_all()
        self._is_waiting = True
        for pending in self.listener.take_pending():
            self.hear(*pending)
        return messages

    def _only_listens(self) -> bool:
        """Return whether the next step is in the first bars, which only serve to find the key."""
        steps = self._next_step - self._first_step
        return not self.listener.heard_key.is_locked and steps < LISTEN_BARS * self._bars.steps

    def _can_hold(self) -> bool:
        """Return whether notes sound that may go on for another step."""
        return self._voice.can_hold(round(self.settings.max_note_bars * self._bars.steps))

    def _play(self, action: int, choice: Choice | None, seen: Prospect | None = None) -> list[TimedMessage]:
        """Play an action and move on to the next step; `_record` records the action later."""
        tonic, base, before = int(self._place.tonic[0]), int(self._place.own_base[0]), self._voice.struck
        gesture = self._role.gesture(action, tonic, base, before, hands := self.listener.hands)
        touch = Touch(self._due_s(), self.listener.velocity * self.panel.touch, self._feel)
        messages = self._voice.play(gesture, self._next_step, self._place, touch)
        self._decided = None
        self.decision = Decision(
            step=self._next_step,
            beat=self.next_step_beat,
            action=action,
            gesture=gesture,
            key=self.key.name,
            chord=self.listener.player.chord_name,
            choice=choice,
            role=self._role,
            tonic=tonic,
            base=base,
            before=before,
            hands=hands,
            observation=None if seen is None else seen.observation,
            legal=None if seen is None else seen.legal,
            expected=() if seen is None else seen.expected,
        )
        played = SettledStep(self.decision, self.s_at(self.decision.beat), self._place, self._role)
        self._voice.record_later(played)
        self._steps.add(played)
        self._next_step += 1
        self.panel.glide()
        self._unplanned_feel = self._feel
        if self._voice.may_end_early:
            self._ending = Ending(touch.due_s, self.panel.mix(self._role.action_count))
        return messages

    def _end_early(self) -> None:
        """Plan the next step, and decide whether the last notes end early, from what the last step had heard.

        It takes as long as `_look`, so `step` leaves it for later: until anything changes at the latest.
        """
        self._plan()
        ending, self._ending = self._ending, None
        if ending is None:
            return
        prospect = self._prospect = self._look()
        chance = 1.0
        if prospect.values is not None:
            chance -= chance_of(HOLD_ACTION, prospect.values, prospect.legal, ending.mix)
        self._voice.end_early(ending, self._due_s(), chance)

    def _record(self) -> None:
        """Record the last action in our line, and a backlog of decisions in the preferences."""
        self.preferences.settle(BACKLOG)
        self._voice.record()
