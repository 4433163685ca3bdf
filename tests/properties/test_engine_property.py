"""Properties of the engine that hold for any input."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Final

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from improviser.agent.policy import Actor
from improviser.choices import NoteTiming
from improviser.engine import Engine, EngineSettings
from improviser.engine.role import COMPING
from improviser.listening.observation import FEATURES
from improviser.midi.message import Message, NoteOff, NoteOn, TimedMessage
from improviser.music.pitch import OCTAVE
from improviser.music.scale import ALL_KEYS, Key, parse_key
from improviser.playing.chords import DEEPEST, HIGHEST, HIGHEST_ROOT
from improviser.playing.scheduler import Scheduler
from tests.actors import Figure, Indifferent, holder, random_policy
from tests.scales import in_key
from tests.sessions import longest_note_s, play_session, sounding_after
from tests.strategies import engine_settings, messages, note_offs, note_ons, pedals, performances

LISTENED_S = 8.0
POLICY: Final = random_policy()
VALUES: Final = np.array([feature.values for feature in FEATURES for _ in range(feature.columns)])
ACTORS = st.sampled_from([POLICY, Indifferent(), holder()])
# Actors that play chords.
CHORDS: Final = random_policy(role=COMPING)
COMPERS = st.sampled_from([CHORDS, Indifferent(COMPING.action_count)])
# Below and above these notes, a player's register ends at the limits of MIDI.
HEARD: Final = st.integers(30, 100)
KEYS: Final = tuple(key.name for key in ALL_KEYS)
# What a caller may do, in any order: hear, decide, skip, prepare, send what is due, panic.
CALLS = st.one_of(
    st.one_of(note_ons(), note_offs(), pedals(), messages()),
    st.sampled_from(["step", "step", "step", "skip", "prepare", "send", "release"]),
)


def make(settings: EngineSettings, actor: Actor = POLICY, seed: int = 1) -> Engine:
    """Return an engine."""
    return Engine(settings, actor, np.random.default_rng(seed))


class Caller:
    """Calls an engine and a scheduler as a performer does, at ascending times.

    Attributes:
        played: The messages sent.
    """

    def __init__(self, engine: Engine) -> None:
        """Begin at second 0."""
        self.played: list[TimedMessage] = []
        self._engine = engine
        self._scheduler = Scheduler(engine.settings.max_note_s)
        self._now_s = 0.0

    def call(self, what: Message | str, later_s: float) -> None:
        """Do one thing after some seconds."""
        self._now_s += later_s
        if not isinstance(what, str):
            self._engine.hear(what, self._now_s)
        elif what in {"step", "skip"}:
            self._decide(what)
        elif what == "prepare":
            self._plan(self._engine.prepare())
        elif what == "send":
            self.played += self._scheduler.pop_due(self._now_s)
        else:
            self.release()

    def _decide(self, what: str) -> None:
        """Go to the next step and decide it, in time or late."""
        self._now_s = max(self._now_s, self._engine.next_step_s or 0.0)
        decide = self._engine.step if what == "step" else self._engine.skip
        self._plan(decide(self._now_s))

    def _plan(self, messages: list[TimedMessage]) -> None:
        """Queue messages."""
        for message in messages:
            self._scheduler.add(message)

    def release(self) -> None:
        """Send what is due, then release everything."""
        self.played += self._scheduler.pop_due(self._now_s)
        self.played += self._scheduler.release(self._now_s)


@given(engine_settings(), ACTORS, st.lists(st.tuples(CALLS, st.floats(0.0, 0.5)), max_size=80))
def test_every_note_ends(settings: EngineSettings, actor: Actor, calls: list[tuple[Message | str, float]]) -> None:
    """For any calls in any order each note-off has its note-on, no note is too long, and none hangs."""
    call_all(settings, actor, calls)


def call_all(settings: EngineSettings, actor: Actor, calls: list[tuple[Message | str, float]]) -> None:
    """Make the calls, and check the result at the end."""
    caller = Caller(make(settings, actor))
    for what, later_s in calls:
        caller.call(what, later_s)
    caller.release()
    assert Counter() == sounding_after(caller.played)
    assert longest_note_s(caller.played) <= settings.max_note_s + 1e-9


@given(engine_settings(), COMPERS, st.lists(st.tuples(CALLS, st.floats(0.0, 0.5)), max_size=80))
def test_every_note_of_every_chord_ends(
    settings: EngineSettings, actor: Actor, calls: list[tuple[Message | str, float]]
) -> None:
    """The same holds for chords."""
    call_all(replace(settings, role=COMPING.name), actor, calls)


@given(engine_settings(), performances())
def test_the_same_again_is_the_same(settings: EngineSettings, heard: list[TimedMessage]) -> None:
    """Input, times, settings, seed and weights determine every message and its time."""
    first, second = (play_session(make(settings), heard, LISTENED_S) for _ in range(2))
    assert first == second


@given(engine_settings(), performances(), st.randoms(use_true_random=False))
def test_when_it_is_asked_does_not_matter(settings: EngineSettings, heard: list[TimedMessage], chance: Random) -> None:
    """Late steps, and steps that are prepared repeatedly, play the same as steps in time."""
    punctual = play_session(make(settings), heard, LISTENED_S)
    prepared = play_session(make(settings), heard, LISTENED_S, between=Engine.prepare)
    late = play_session(make(settings), heard, LISTENED_S, lateness=lambda: chance.random() * 0.4)
    unprepared = play_session(make(settings), heard, LISTENED_S, after=lambda _: ())
    assert punctual == prepared == late == unprepared


@given(engine_settings(), st.one_of(performances(), performances(st.integers(0, 30))))
def test_the_observation_stays_in_its_box(settings: EngineSettings, heard: list[TimedMessage]) -> None:
    """Every value of every observation is within its feature's range."""
    actor = Figure((2, 5, 0, 38, 14, 0, 1))
    play_session(make(replace(settings, temperature=0.7), actor), heard, LISTENED_S)
    assert all((observation < VALUES).all() for observation in actor.asked)


@given(engine_settings(KEYS), performances(HEARD), st.integers(-6, 6), st.integers(24, 72))
def test_transposed_input_gives_transposed_output(
    settings: EngineSettings, heard: list[TimedMessage], semitones: int, low: int
) -> None:
    """With input, key and register transposed, the output is transposed by the same interval."""
    key = parse_key(settings.key)
    moved_key = Key((key.tonic + semitones) % 12, key.mode).name
    there = replace(settings, register_low=low)
    here = replace(settings, register_low=low + semitones, key=moved_key)
    expected = _transposed(play_session(make(there), heard, LISTENED_S), semitones)
    assert expected == play_session(make(here), _transposed(heard, semitones), LISTENED_S)


@given(engine_settings(KEYS), performances(HEARD), st.integers(-6, 6), st.integers(24, 72))
def test_transposed_input_gives_transposed_chords(
    settings: EngineSettings, heard: list[TimedMessage], semitones: int, low: int
) -> None:
    """The same holds for chords and their voicings."""
    key = parse_key(settings.key)
    moved_key = Key((key.tonic + semitones) % 12, key.mode).name
    there = replace(settings, register_low=low, role=COMPING.name)
    here = replace(there, register_low=low + semitones, key=moved_key)
    expected = _transposed(play_session(make(there, CHORDS), heard, LISTENED_S), semitones)
    assert expected == play_session(make(here, CHORDS), _transposed(heard, semitones), LISTENED_S)


@given(engine_settings(KEYS), performances())
def test_in_a_locked_key_every_chord_is_in_it(settings: EngineSettings, heard: list[TimedMessage]) -> None:
    """All tones of all chords belong to the locked key, and lie in the hand's reach or around the player's hands."""
    engine = make(replace(settings, role=COMPING.name), Indifferent(COMPING.action_count))
    played = play_session(engine, heard, LISTENED_S)
    notes = {timed.message.note for timed in played if isinstance(timed.message, NoteOn)}
    assert all(in_key(engine.key, note) for note in notes)
    base = engine.base if engine.base + HIGHEST_ROOT >= OCTAVE else engine.base + OCTAVE
    assert all(base + DEEPEST <= note <= base + HIGHEST for note in notes)


def _transposed(timed: list[TimedMessage], semitones: int) -> list[TimedMessage]:
    """Return the messages with their notes transposed."""
    return [
        replace(one, message=replace(one.message, note=one.message.note + semitones))
        if isinstance(one.message, NoteOn | NoteOff)
        else one
        for one in timed
    ]


@given(engine_settings(KEYS), performances())
def test_in_a_locked_key_every_note_is_in_it(settings: EngineSettings, heard: list[TimedMessage]) -> None:
    """Every note belongs to the locked key, and is a MIDI note in the register."""
    engine = make(settings, Indifferent())
    played = play_session(engine, heard, LISTENED_S)
    notes = {timed.message.note for timed in played if isinstance(timed.message, NoteOn)}
    assert all(in_key(engine.key, note) for note in notes)
    assert all(engine.base <= note <= engine.base + 36 <= 127 for note in notes)


@given(engine_settings(), performances())
def test_notes_are_on_the_grid(settings: EngineSettings, heard: list[TimedMessage]) -> None:
    """On the grid every note-on is due a whole number of steps after the note that began the bar."""
    on_grid = replace(settings, patience_bars=0, timing=NoteTiming.ON_GRID, mends=False)
    played = play_session(make(on_grid, Indifferent()), heard, LISTENED_S)
    first_s = next((timed.due_s for timed in heard if isinstance(timed.message, NoteOn)), 0.0)
    step_s = 60 / settings.tempo_bpm / settings.steps_per_beat
    steps = [(timed.due_s - first_s) / step_s for timed in played if isinstance(timed.message, NoteOn)]
    assert all(abs(step - round(step)) < 1e-6 for step in steps)
