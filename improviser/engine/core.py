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
import numpy.typing as npt

from improviser.agent.policy import Choice, select_action
from improviser.engine.bars import Bars
from improviser.engine.decision import Decision
from improviser.engine.panel import SWITCHES, Panel
from improviser.engine.preferences import BACKLOG, Preferences
from improviser.engine.role import ROLES
from improviser.engine.situation import Prospect, biased, legal_at, place_of, rewards_of
from improviser.listening.line import Line
from improviser.listening.listener import Listener
from improviser.listening.observation import Place, encode_player
from improviser.listening.tempo import BeatClock
from improviser.midi.message import NoteOn
from improviser.music.accent import LEVELS
from improviser.music.chord import chord_from_index
from improviser.playing.actions import HOLD_ACTION, REST_ACTION, GestureKind, register_base
from improviser.playing.phrase import Phrase

if TYPE_CHECKING:
    from improviser.agent.policy import Actor, FloatArray, Mix
    from improviser.engine.settings import EngineSettings
    from improviser.listening.player import Player
    from improviser.midi.message import Message, TimedMessage
    from improviser.music.meter import Meter
    from improviser.music.scale import Key

# A decision is made this long before its notes are due, so that only sending is left at the deadline.
DECIDE_AHEAD_S: Final = 0.003
# Two computations of the same moment differ by less than this, in floating point.
ROUNDING_S: Final = 1e-6
# A note that comes up to this share of a step late still starts improviser at that step.
SLACK_STEPS: Final = 0.25
# Unless the key is locked, improviser only listens for this many bars.
LISTEN_BARS: Final = 1
MUTE, SOLO, _ = SWITCHES


class Engine:
    """Listens to one player, decides, and plays one voice beside them.

    Threads: an instance belongs to one thread; no method blocks or does I/O. `step` takes about ten microseconds if
    `prepare` was called since the last message, else as long as `prepare`.
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
        self._clock = BeatClock(settings.tempo_bpm, settings.swing)
        grid = self._beat_steps, np.array([self._bars.steps])
        self._listener = Listener(grid, self._clock, self._bars.row, settings.locked)
        self._next_step = self._absent_steps = self._first_step = 0
        self._is_waiting = True
        self._is_halted = self._has_begun = self._has_given_beat = False
        self._take_up(settings, actor)

    def _take_up(self, settings: EngineSettings, actor: Actor) -> None:
        """Use some settings and an actor, with nothing played yet."""
        self.settings, self._actor = settings, actor
        self._role = ROLES[settings.role]
        self.preferences = self._preferences_by_role.setdefault(
            settings.role, Preferences(self._role.traits, settings.taste)
        )
        self._collect_s = _collect_s(settings)
        self.decision: Decision | None = None
        self._own = Line(self._beat_steps, np.array([self._bars.steps]))
        self._phrase = Phrase(settings.channel)
        self._observation = np.zeros((1, self._role.columns), dtype=np.uint8)
        self._held_steps = 0
        self._prospect: Prospect | None = None
        self._unsettled: int | None = None
        self._place = self._place_of(self._next_step)

    def change(self, settings: EngineSettings, actor: Actor) -> list[TimedMessage]:
        """Change to settings of the same grid and to another actor; return the messages that end sounding notes."""
        self._take_heard()
        messages = self._phrase.end(self._step_s() + min(self.settings.collect_s, settings.collect_s))
        self._take_up(settings, actor)
        self.panel.change(settings.knobs)
        return messages

    @property
    def actor(self) -> Actor:
        """The actor that values the actions."""
        return self._actor

    def adopt(self, actor: Actor) -> None:
        """Use another actor of the same kind from the next decision on."""
        self._actor, self._prospect = actor, None

    def lock(self, key: Key | None) -> None:
        """Lock the key from the next step on; None unlocks it."""
        self._take_heard()
        self._listener.keys.lock(key)

    def is_between_bars(self) -> bool:
        """Return whether the next step begins a bar, or the engine waits for the player."""
        return self._is_waiting or self._bars.place(self._next_step)[1] == 0

    @property
    def player(self) -> Player:
        """The player's state after the last step."""
        return self._listener.player

    @property
    def key(self) -> Key:
        """The key, heard or locked."""
        return self._listener.keys.key

    @property
    def key_confidence(self) -> float:
        """The probability in [0, 1] of the key."""
        return self._listener.keys.confidence

    @property
    def base(self) -> int:
        """The note from which actions count: the tonic at the bottom of the register."""
        return register_base(self.settings.register_low + self.panel.shift, self.key.tonic)

    @property
    def next_step_s(self) -> float | None:
        """The moment at which to call `step` next, in seconds; None while waiting for the player."""
        if self._is_waiting:
            return None
        return self._step_s() + self._collect_s

    def start(self, at_s: float, beat: float) -> None:
        """Start the beat from outside: `beat` is at `at_s`. If it runs already, it jumps there."""
        self.give_beat(at_s, beat)
        self._begin(at_s)

    def give_beat(self, at_s: float, beat: float) -> None:
        """Set the beat from outside, `beat` at `at_s`, and wait for the player's next note."""
        self._take_heard()
        self._clock.anchor(at_s, beat)
        self._has_given_beat, self._is_halted = True, False
        self._is_waiting = True
        self._next_step = 0

    def begin_bar(self, at_s: float, meter: Meter) -> None:
        """Count bars of `meter`, one of METERS, from `at_s` on; call it before anything after `at_s` is heard."""
        self._prospect = None
        self._bars = self._bars.followed_by(meter, self._clock, at_s, self.settings.steps_per_beat)
        self._own.set_bar(self._bars.steps)
        self._listener.begin_bar(self._bars.row, self._clock.beat_at(at_s), self._bars.steps)

    def sync(self, at_s: float, beat: float, tempo_bpm: float) -> None:
        """Set the beat at `at_s` and the tempo from then on, as an external clock reports them."""
        self._take_heard()
        self._clock.follow(at_s, beat, tempo_bpm)

    def look_ahead(self, ahead_s: float) -> None:
        """Decide `ahead_s` seconds earlier than `collect_s` alone requires, from the next step on."""
        self._take_heard()
        self.settings = replace(self.settings, ahead_s=ahead_s)
        self._collect_s = _collect_s(self.settings)

    @property
    def is_rolling(self) -> bool:
        """Whether the beat runs: it has begun, and was not halted since."""
        return self._has_begun and not self._is_halted

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
        if name == SOLO and is_on and self._is_waiting and not self._is_halted:
            self._begin(at_s)
        return is_on

    def reseed(self, rng: np.random.Generator) -> None:
        """Use another random generator from now on."""
        self._rng = rng

    def hear(self, message: Message, at_s: float) -> None:
        """Process a message that the player sent at `at_s`, in monotonic seconds."""
        self._listener.hear(message, at_s)
        if self._is_waiting:
            if isinstance(message, NoteOn) and not self._is_halted:
                self._begin(at_s)
            self._listener.follow(at_s)

    def prepare(self) -> None:
        """Compute the next step from what was heard so far, so that `step` only has to draw an action.

        It may be called at any time and any number of times; the music does not depend on it.
        """
        if self._is_waiting:
            return
        has_heard = self._listener.follow(self._step_s() + self._collect_s + ROUNDING_S)
        if self._prospect is not None and not has_heard:
            return
        self._settle()
        place = self._place_of(self._next_step)
        player, heard = self._listener.foresee(self._since_s(), LEVELS[place.meter, place.sixteenth])
        observation = self._observe(player, place)
        values = None if self._only_listens() else self._actor.values(observation)
        traits = None if self._bias() is None else self._role.traits.of_one(observation)
        self._prospect = Prospect(player, heard, place, self._legal(place), values, observation, traits)

    def step(self, at_s: float) -> list[TimedMessage]:
        """Decide the next step of the grid; return its messages, due at the step's moment plus `collect_s`.

        `at_s` is the current time. It has no effect, so that a replay does not depend on the caller's jitter.
        """
        del at_s
        prospect = self._close_step()
        if prospect is None:
            return []
        if self._has_left():
            return self._wait()
        if prospect.values is None:
            messages = self._play(REST_ACTION, None)
            self._unsettled = None  # our line has not begun yet
            return messages
        if MUTE in self.panel.switched:
            return self._play(REST_ACTION, None)
        choice = select_action(prospect.values, prospect.legal, self._rng, self._mix(prospect))
        self.preferences.remember(self._step_s() + self.settings.collect_s, prospect.observation, choice)
        return self._play(choice.action, choice, prospect)

    def released(self) -> None:
        """Record that the caller has ended all notes, planned ones too: nothing is held."""
        self._phrase.forget()
        self._held_steps = 0
        if self._prospect is not None:
            self._prospect = replace(self._prospect, legal=self._legal(self._prospect.place))

    def skip(self, at_s: float) -> list[TimedMessage]:
        """Skip the next step, which is too late to decide: play a hold, or a rest if nothing can be held."""
        del at_s
        return self.force(HOLD_ACTION if self._can_hold() else REST_ACTION)

    def force(self, action: int) -> list[TimedMessage]:
        """Play `action` in the next step, whether it is legal or not; return its messages."""
        if self._close_step() is None:
            return []
        return self._play(action, None)

    def rewards(self) -> dict[str, float]:
        """Return the terms of the last step's reward by name, then the three components, each in [-1, 1]."""
        self._settle()
        return rewards_of(self._own, self._listener.player, self._place, self._role)

    def _take_heard(self) -> None:
        """Process all that the next step would have heard; call it before the beat moves.

        So it does not matter whether `prepare` was called just before.
        """
        self._prospect = None
        if not self._is_waiting:
            self._listener.follow(self._step_s() + self._collect_s + ROUNDING_S)

    def _begin(self, at_s: float) -> None:
        """Begin to play at `at_s`: with the next step if the beat was given, else with a new bar."""
        settings = self.settings
        if self._has_given_beat:
            steps = self._clock.beat_at(at_s) * settings.steps_per_beat
            self._next_step = max(self._next_step, math.ceil(steps - SLACK_STEPS))
        else:
            self._next_step = self._bars.next_line(self._next_step)
            self._clock.anchor(at_s, self._next_step / settings.steps_per_beat)
        if not self._has_begun:
            self._first_step = self._next_step
        self._is_waiting = False
        self._has_begun = True
        self._absent_steps = 0
        self._prospect = None

    def _step_s(self) -> float:
        """Return the moment of the next step, in seconds."""
        return self._clock.s_at(self._next_step / self.settings.steps_per_beat)

    def _since_s(self) -> float:
        """Return the moment from which onsets belong to the next step: half a step before it."""
        return self._step_s() - self._clock.beat_s / self.settings.steps_per_beat / 2

    def _close_step(self) -> Prospect | None:
        """Close the next step for the player and return its prospect; None while waiting."""
        self.prepare()
        prospect, self._prospect = self._prospect, None
        if prospect is not None:
            self._listener.close(self._since_s(), prospect.player)
            self._place = prospect.place
            is_there = prospect.heard.bits or prospect.heard.onsets
            self._absent_steps = 0 if is_there else self._absent_steps + 1
        return prospect

    def _mix(self, prospect: Prospect) -> Mix:
        """Return how the values of a decision are combined."""
        mix, bias = self.panel.mix(self._role.action_count), self._bias()
        return mix if bias is None else biased(mix, bias, prospect, self._role)

    def _bias(self) -> FloatArray | None:
        """Return the weights of features, (features,), from preferences and the echo knob; None if there are none."""
        return self.preferences.bias(self.panel.bias(self._role.traits))

    def _has_left(self) -> bool:
        """Return whether the player has been silent for `patience_bars` bars; solo makes it False."""
        if SOLO in self.panel.switched:
            return False
        return 0 < self.settings.patience_bars * self._bars.steps <= self._absent_steps

    def _wait(self) -> list[TimedMessage]:
        """Wait for the player's next note, which may have come already; return the messages that end notes."""
        messages = self._play(REST_ACTION, None)
        self._is_waiting = True
        for message, at_s in self._listener.take_pending():
            self.hear(message, at_s)
        return messages

    def _only_listens(self) -> bool:
        """Return whether the next step is in the first bars, which only serve to find the key."""
        end = self._first_step + LISTEN_BARS * self._bars.steps
        return not self._listener.keys.is_locked and self._next_step < end

    def _observe(self, player: Player, place: Place) -> npt.NDArray[np.uint8]:
        """Return the observation, (columns,)."""
        encode_player(player, place, self._observation)
        self._role.encode_own(self._own, player.line.note, place, self._observation)
        return np.array(self._observation[0])  # a copy: the preferences keep it

    def _legal(self, place: Place) -> npt.NDArray[np.bool_]:
        """Return the mask of legal actions."""
        is_locked = self._listener.keys.is_locked
        return legal_at(place, self._role, is_locked=is_locked, is_sounding=self._can_hold())

    def _can_hold(self) -> bool:
        """Return whether notes sound that may go on for another step."""
        longest = round(self.settings.max_note_bars * self._bars.steps)
        return bool(self._phrase.notes) and self._held_steps + 1 < longest

    def _play(self, action: int, choice: Choice | None, seen: Prospect | None = None) -> list[TimedMessage]:
        """Play an action and move on to the next step; `_settle` records the action later."""
        tonic, base, before = int(self._place.tonic[0]), int(self._place.own_base[0]), self._phrase.struck
        gesture = self._role.gesture(action, tonic, base, before)
        strength = float(LEVELS[self._bars.row, self._place.sixteenth[0]]) / 4
        due_s = self._step_s() + self.settings.collect_s
        messages = self._phrase.play(gesture, due_s, self._listener.velocity * self.panel.touch, strength)
        self._unsettled = action
        self._held_steps = self._held_steps + 1 if gesture.kind is GestureKind.HOLD else 0
        chord = chord_from_index(int(self._listener.player.chord[0]))
        self.decision = Decision(
            step=self._next_step,
            beat=self._next_step / self.settings.steps_per_beat,
            action=action,
            gesture=gesture,
            key=self.key.name,
            chord=None if chord is None else chord.name,
            choice=choice,
            role=self._role,
            tonic=tonic,
            base=base,
            before=before,
            observation=None if seen is None else seen.observation,
            legal=None if seen is None else seen.legal,
        )
        self._next_step += 1
        self.panel.glide()
        return messages

    def _settle(self) -> None:
        """Record the last action in our line, and a backlog of decisions in the preferences."""
        self.preferences.settle(BACKLOG)
        if self._unsettled is not None:
            self._own.push(self._role.events(np.array([self._unsettled]), self._place))
            self._unsettled = None

    def _place_of(self, step: int) -> Place:
        """Return the place of step number `step` in the music."""
        return place_of(step, self._bars, self.settings, self._listener, self.base)


def _collect_s(settings: EngineSettings) -> float:
    """Return how many seconds after its moment a step is decided; negative: before it."""
    return max(0.0, settings.collect_s - DECIDE_AHEAD_S) - settings.ahead_s
