"""The improviser itself, without I/O: told messages and their times, asked for messages and theirs.

Inputs, times, settings, weights and the generator decide every byte that comes out; there is no clock,
thread, file or global randomness in here. So the same code plays live, renders a file, replays a session and
is tested without a sleep. A step hears what came up to its own moment, however late it is decided.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.listening.harmony import KeyTracker
from improviser.listening.line import HOLD, REST, Line
from improviser.listening.observation import SIZE, STYLES, Place, encode_own, encode_player
from improviser.listening.player import Player, player_base
from improviser.listening.tempo import BeatClock
from improviser.listening.window import HeardStep, NoteWindow
from improviser.midi.message import Message, NoteOn, TimedMessage
from improviser.music.chord import CHORD_BITS, chord_from_index
from improviser.music.meter import LEVELS, METERS, SIXTEENTHS_PER_BEAT, Meter
from improviser.music.pitch import OCTAVE
from improviser.music.scale import SCALE_DEGREES, Key, parse_key
from improviser.playing.actions import (
    HOLD_ACTION,
    REST_ACTION,
    Gesture,
    GestureKind,
    action_to_gesture,
    legal_actions,
    register_base,
)
from improviser.playing.phrase import Phrase
from improviser.rewards import COMPONENTS, TERMS, Scene, component_weights, judge

if TYPE_CHECKING:
    from improviser.agent.policy import Actor, Choice

AUTO_KEY: Final = "auto"
# A decision falls this long before its notes are due, so that all that happens at the deadline is sending.
DECIDE_AHEAD_S: Final = 0.002
# Two ways to the same moment differ by less, in floating point.
ROUNDING_S: Final = 1e-6
# A note this much of a step after a step still wakes the improviser for that step.
SLACK_STEPS: Final = 0.25
# With the key unknown, so many bars are only listened to.
LISTEN_BARS: Final = 1


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How the improviser plays; plain values, so that they cross processes.

    Attributes:
        tempo_bpm: Quarter notes a minute.
        meter: Time signature, one of music.meter.METERS.
        steps_per_beat: Grid, 1-4 decisions a quarter note.
        key: "auto" or a locked key such as "C" or "F#m".
        register_low: Lowest note of the register, 0-91; three octaves from the first tonic at or above it.
        channel: MIDI channel 0-15.
        collect_s: How long after a step the player's notes still count for it; what is played is due then.
        patience_bars: After so many bars without the player it stops and waits; 0 means never.
        max_note_bars: No note is held longer.
        temperature: Of the softmax over the decision values; 0 takes the best.
        prior_weight: How much people's habits count beside the Q-values.
        harmony: Weight of the reward's harmony, 0-2.
        coherence: Weight of the reward's coherence, 0-2.
        creativity: Weight of the reward's creativity, 0-2.
        style: One of listening.observation.STYLES.
        role: "melody".
    """

    tempo_bpm: float = 100.0
    meter: tuple[int, int] = (4, 4)
    steps_per_beat: int = 4
    key: str = AUTO_KEY
    register_low: int = 60
    channel: int = 0
    collect_s: float = 0.0
    patience_bars: int = 4
    max_note_bars: float = 2.0
    temperature: float = 0.2
    prior_weight: float = 0.3
    harmony: float = 1.0
    coherence: float = 1.0
    creativity: float = 1.0
    style: str = STYLES[0]
    role: str = "melody"

    @property
    def bar_steps(self) -> int:
        """The steps in a bar."""
        return Meter(*self.meter).bar_beats * self.steps_per_beat

    @property
    def max_note_s(self) -> float:
        """The longest that a note may sound, in seconds."""
        return self.max_note_bars * Meter(*self.meter).bar_beats * 60.0 / self.tempo_bpm


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided in a step, and in what harmony.

    Attributes:
        step: Number of the step since the start.
        beat: Its place in beats.
        action: Index of the action.
        gesture: What the action does.
        key: Name of the key.
        chord: Name of the implied chord, None where nothing is implied.
        choice: The numbers behind the action; None for a step that was skipped or forced.
    """

    step: int
    beat: float
    action: int
    gesture: Gesture
    key: str
    chord: str | None
    choice: Choice | None


class Engine:
    """Listens, decides, plays: one voice beside one player.

    Threads: an instance belongs to one thread; no method blocks or does I/O.
    """

    def __init__(self, settings: EngineSettings, actor: Actor, rng: np.random.Generator) -> None:
        """Start waiting for the player's first note, which will be the first downbeat.

        Raises:
            UsageError: The key or the meter is unknown.
        """
        self.settings = settings
        self.decision: Decision | None = None
        self._actor, self._rng = actor, rng
        self._collect_s = max(0.0, settings.collect_s - DECIDE_AHEAD_S)
        self._meter_row = METERS.index(Meter(*settings.meter))
        self._window = NoteWindow()
        self._pending: deque[tuple[Message, float]] = deque()
        self._keys = KeyTracker(None if settings.key == AUTO_KEY else parse_key(settings.key))
        steps = np.array([settings.steps_per_beat]), np.array([settings.bar_steps])
        self._player, self._own = Player(*steps), Line(*steps)
        self._clock = BeatClock(settings.tempo_bpm)
        self._phrase = Phrase(settings.channel)
        self._observation = np.zeros((1, SIZE), dtype=np.uint8)
        self._next_step = 0
        self._is_waiting = True
        self._has_given_beat = False
        self._held_steps = 0
        self._absent_steps = 0
        self._player_mean = 0.0
        self._place = self._place_of(0)

    @property
    def key(self) -> Key:
        """The key as heard or locked."""
        return self._keys.key

    @property
    def key_confidence(self) -> float:
        """The probability in [0, 1] of the key."""
        return self._keys.confidence

    @property
    def base(self) -> int:
        """The note, the tonic at the bottom of the register, from which actions count."""
        return register_base(self.settings.register_low, self.key.tonic)

    @property
    def next_step_s(self) -> float | None:
        """The moment at which `step` wants to be called next; None while waiting for the player."""
        if self._is_waiting:
            return None
        return self._step_s() + self._collect_s

    def start(self, at_s: float, beat: float) -> None:
        """Take the beat from outside, not from the first note: `beat` stands at `at_s`, and it runs."""
        self._clock.anchor(at_s, beat)
        self._has_given_beat = True
        self._begin(at_s)

    def hear(self, message: Message, at_s: float) -> None:
        """Take in what the player did at `at_s`, in monotonic seconds."""
        if self._is_waiting and isinstance(message, NoteOn):
            self._begin(at_s)
        if self._is_waiting:
            self._take_in(message, at_s)
        else:
            self._pending.append((message, at_s))

    def step(self, at_s: float) -> list[TimedMessage]:
        """Decide the next step of the grid; give its messages, due at the step's moment plus `collect_s`.

        Args:
            at_s: Now. Nothing depends on it, so that a replay does not depend on the caller's jitter.
        """
        del at_s
        if self._is_waiting:
            return []
        self._listen()
        if self._has_left():
            return self._wait()
        legal = self._legal()
        if self._only_listens():
            return self._play(REST_ACTION, None)
        choice = self._actor.select_action(
            self._observe(),
            legal,
            self._rng,
            temperature=self.settings.temperature,
            prior_weight=self.settings.prior_weight,
        )
        return self._play(choice.action, choice)

    def skip(self, at_s: float) -> list[TimedMessage]:
        """Let the next step pass as a hold, since it is too late to decide it."""
        del at_s
        if self._is_waiting:
            return []
        self._listen()
        return self._play(HOLD_ACTION if self._can_hold() else REST_ACTION, None)

    def rewards(self) -> dict[str, float]:
        """Give the terms of the last step's reward by name, then the three components, each in [-1, 1]."""
        terms = judge(self._scene())
        components = terms @ component_weights()
        names = (*TERMS, *COMPONENTS)
        return dict(zip(names, [*terms[0].tolist(), *components[0].tolist()], strict=True))

    def _begin(self, at_s: float) -> None:
        """Go on at `at_s`: with the next step of a given beat, else with a new bar, begun right there."""
        settings = self.settings
        if self._has_given_beat:
            steps = self._clock.beat_at(at_s) * settings.steps_per_beat
            self._next_step = max(self._next_step, math.ceil(steps - SLACK_STEPS))
        else:
            self._next_step = math.ceil(self._next_step / settings.bar_steps) * settings.bar_steps
            self._clock.anchor(at_s, self._next_step / settings.steps_per_beat)
        self._is_waiting = False
        self._absent_steps = 0

    def _step_s(self) -> float:
        """Give the moment of the next step."""
        return self._clock.s_at(self._next_step / self.settings.steps_per_beat)

    def _take_in(self, message: Message, at_s: float) -> None:
        """Let key, register and window follow a message."""
        if isinstance(message, NoteOn):
            self._keys.hear(message.note)
            self._follow_register(message.note)
        self._window.hear(message, at_s)

    def _listen(self) -> None:
        """Close the step that the player played in, and work out where the music stands."""
        until_s = self._step_s() + self._collect_s + ROUNDING_S
        while self._pending and self._pending[0][1] <= until_s:
            self._take_in(*self._pending.popleft())
        half_step_s = self._clock.beat_s / self.settings.steps_per_beat / 2
        heard = self._window.take_step(self._step_s() - half_step_s)
        line = self._player.line
        if heard.late is not None and line.events[0, -1] < 0:
            line.amend(np.array([heard.late], dtype=np.int16))
        key = np.array([self.key.index])
        self._player.push(np.array([heard.event], dtype=np.int16), np.array([heard.bits]), key)
        self._note_presence(heard)
        self._place = self._place_of(self._next_step)

    def _note_presence(self, heard: HeardStep) -> None:
        """Count the steps without the player."""
        self._absent_steps = 0 if heard.bits or heard.onsets else self._absent_steps + 1

    def _has_left(self) -> bool:
        """Tell whether the player has been silent for longer than the improviser's patience."""
        patience = self.settings.patience_bars * self.settings.bar_steps
        return 0 < patience <= self._absent_steps

    def _wait(self) -> list[TimedMessage]:
        """End what sounds and wait for the player's next note, which may have come already."""
        messages = self._play(REST_ACTION, None)
        self._is_waiting = True
        pending, self._pending = self._pending, deque()
        for message, at_s in pending:
            self.hear(message, at_s)
        return messages

    def _only_listens(self) -> bool:
        """Tell whether these are the first bars, in which the key is still to be found."""
        return not self._keys.is_locked and self._next_step < LISTEN_BARS * self.settings.bar_steps

    def _observe(self) -> npt.NDArray[np.uint8]:
        """Give the observation, (SIZE,)."""
        encode_player(self._player, self._place, self._observation)
        encode_own(self._own, self._player.line.note, self._place, self._observation)
        row: npt.NDArray[np.uint8] = self._observation[0]
        return row

    def _legal(self) -> npt.NDArray[np.bool_]:
        """Give the mask of legal actions."""
        locked = self._scale_bits() if self._keys.is_locked else None
        base = int(self._place.own_base[0])
        return legal_actions(base, is_sounding=self._can_hold(), pitch_classes=locked)

    def _can_hold(self) -> bool:
        """Tell whether something sounds that may sound for this step too."""
        longest = round(self.settings.max_note_bars * self.settings.bar_steps)
        return self._phrase.note is not None and self._held_steps + 1 < longest

    def _scale_bits(self) -> int:
        """Give the key's pitch classes as twelve bits."""
        degrees = SCALE_DEGREES[self.key.mode]
        return sum(1 << (self.key.tonic + degree) % OCTAVE for degree in degrees)

    def _play(self, action: int, choice: Choice | None) -> list[TimedMessage]:
        """Do what an action says, remember it and go on to the next step."""
        gesture = action_to_gesture(action, int(self._place.own_base[0]))
        level = LEVELS[self._meter_row, self._place.sixteenth[0]]
        due_s = self._step_s() + self.settings.collect_s
        messages = self._phrase.play(gesture, due_s, self._window.velocity, float(level) / 4)
        self._own.push(np.array([_event(gesture)], dtype=np.int16))
        self._held_steps = self._held_steps + 1 if gesture.kind is GestureKind.HOLD else 0
        chord = chord_from_index(int(self._player.chord[0]))
        self.decision = Decision(
            step=self._next_step,
            beat=self._next_step / self.settings.steps_per_beat,
            action=action,
            gesture=gesture,
            key=self.key.name,
            chord=None if chord is None else chord.name,
            choice=choice,
        )
        self._next_step += 1
        return messages

    def _place_of(self, step: int) -> Place:
        """Give where step number `step` stands."""
        bar, in_bar = divmod(step, self.settings.bar_steps)
        key = self.key
        values = (
            key.tonic,
            int(key.mode),
            self._meter_row,
            in_bar * SIXTEENTHS_PER_BEAT // self.settings.steps_per_beat,
            bar,
            player_base(self._player_mean, key.tonic),
            self.base,
            STYLES.index(self.settings.style),
        )
        return Place(*(np.array([value]) for value in values))

    def _follow_register(self, note: int) -> None:
        """Let the player's mean note follow the last eight or so."""
        self._player_mean += (note - self._player_mean) * (0.12 if self._player_mean else 1.0)

    def _scene(self) -> Scene:
        """Give the last step as the rewards see it."""
        player, place = self._player, self._place
        return Scene(
            own=self._own,
            bits=player.bits,
            player_note=player.line.note,
            player_before=player.line.before,
            player_intervals=player.line.intervals,
            chord_bits=CHORD_BITS[player.chord],
            tonic=place.tonic,
            mode=place.mode,
            level=LEVELS[place.meter, place.sixteenth],
            bar=place.bar,
            style=place.style,
        )


def _event(gesture: Gesture) -> int:
    """Give the event of a gesture, as a line remembers it."""
    if gesture.note is not None:
        return gesture.note
    return HOLD if gesture.kind is GestureKind.HOLD else REST
