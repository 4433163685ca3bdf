"""The engine over written music, faster than real time.

Time runs in beats here: a second stands for a beat. So whatever tempo map a file has, what is played lies on
its beats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from improviser.engine import Engine, EngineSettings
from improviser.errors import UsageError
from improviser.listening.harmony import KeyTracker
from improviser.midi.message import ControlChange, NoteOff, NoteOn, ProgramChange, TimedMessage
from improviser.midi.smf import MeterChange, Song, TempoChange, TimedEvent, Track
from improviser.music.meter import METERS, Meter
from improviser.music.pitch import OCTAVE
from improviser.music.scale import ALL_KEYS, KEY_COUNT, STABLE_DEGREES, Key, parse_key
from improviser.playing.actions import Gesture, GestureKind, gesture_to_action, register_base
from improviser.playing.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import numpy.typing as npt

    from improviser.agent.policy import Actor, Values

# One beat a second.
BEAT_BPM: Final = 60.0
TOLERANCE_S: Final = 1e-6
# Outweighs every other action.
CERTAIN: Final = 1e6
COMPOSED_TICKS_PER_BEAT: Final = 480
_US_PER_MINUTE: Final = 60_000_000


@dataclass(frozen=True, slots=True)
class Opening:
    """An actor that plays given actions first, one a step, and then lets another decide."""

    actions: list[int]
    actor: Actor

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Give values that leave no choice but the next given action, or those of the other actor."""
        log_prior, q_values = self.actor.values(observation)
        if self.actions:
            q_values = q_values.copy()
            q_values[self.actions.pop(0)] += CERTAIN
        return log_prior, q_values


def play_along(engine: Engine, heard: Sequence[TimedMessage], until_s: float) -> list[TimedMessage]:
    """Let `engine` play beside `heard`, in the order of time, until `until_s`.

    Returns:
        What it plays, in the order of time, every note ended.
    """
    scheduler = Scheduler(engine.settings.max_note_s)
    played: list[TimedMessage] = []
    pending = list(reversed(heard))
    while True:
        step_s = engine.next_step_s
        while pending and (step_s is None or pending[-1].due_s <= step_s + TOLERANCE_S):
            timed = pending.pop()
            engine.hear(timed.message, timed.due_s)
            step_s = engine.next_step_s
        if step_s is None or step_s >= until_s - TOLERANCE_S:
            break
        for message in engine.step(step_s):
            scheduler.add(message)
        played += scheduler.pop_due(step_s)
    ended = [timed for timed in scheduler.release(until_s) if isinstance(timed.message, NoteOff)]
    return played + scheduler.pop_due(until_s) + ended


def render_song(
    song: Song, track: int | None, settings: EngineSettings, actor: Actor, rng: np.random.Generator
) -> Song:
    """Give `song`'s player and the improviser beside it, with the song's ticks, tempo and meters.

    Args:
        song: What the player plays.
        track: Which track is the player, from 0; None takes all together.
        settings: How the improviser plays; the song's first meter and its tempo come before theirs.
        actor: What decides.
        rng: Of every random choice.

    Raises:
        UsageError: There is no such track, or it has no notes.
    """
    events = _player_events(song, track)
    engine = _engine(replace(settings, meter=_song_meter(song, settings.meter)), actor, rng)
    heard = [TimedMessage(event.tick / song.ticks_per_beat, event.message) for event in events]
    bar_beats = Meter(*engine.settings.meter).bar_beats
    end_s = math.ceil(events[-1].tick / song.ticks_per_beat / bar_beats) * bar_beats
    played = play_along(engine, heard, float(end_s))
    tracks = (Track("player", tuple(events)), Track("improviser", _ticks(played, song.ticks_per_beat)))
    return replace(song, tracks=tracks)


def compose_song(
    fragment: Sequence[int], bars: int, settings: EngineSettings, actor: Actor, rng: np.random.Generator
) -> Song:
    """Give a piece that begins with the notes of `fragment`, one a beat, and goes on from there.

    Args:
        fragment: Notes 0-127; may be empty.
        bars: At least 1.
        settings: How the improviser plays; its key must be locked.
        actor: What decides.
        rng: Of every random choice.

    Raises:
        UsageError: A note of the fragment lies outside the register.
    """
    opening = Opening([], actor)
    engine = _engine(settings, opening, rng)
    opening.actions.extend(_opening_actions(fragment, engine.base, settings.steps_per_beat))
    meter = Meter(*settings.meter)
    played = play_along(engine, [], float(bars * meter.bar_beats))
    return Song(
        ticks_per_beat=COMPOSED_TICKS_PER_BEAT,
        tempo_map=(TempoChange(0, round(_US_PER_MINUTE / settings.tempo_bpm)),),
        meter_map=(MeterChange(0, meter.numerator, meter.denominator),),
        tracks=(Track("improviser", _ticks(played, COMPOSED_TICKS_PER_BEAT)),),
    )


def fragment_key(fragment: Sequence[int] | None, rng: np.random.Generator) -> Key:
    """Give the key that the notes of `fragment` imply, or one drawn at random where there are none."""
    if not fragment:
        return ALL_KEYS[int(rng.integers(KEY_COUNT))]
    tracker = KeyTracker()
    for note in fragment:
        tracker.hear(note)
    return tracker.key


def random_fragment(settings: EngineSettings, rng: np.random.Generator) -> list[int]:
    """Give the tonic triad in random order, in the middle of the register; the key must be locked."""
    key = parse_key(settings.key)
    low = register_base(settings.register_low, key.tonic) + OCTAVE
    return [low + int(degree) for degree in rng.permutation(STABLE_DEGREES[key.mode])]


def _engine(settings: EngineSettings, actor: Actor, rng: np.random.Generator) -> Engine:
    """Give an engine whose seconds are beats, which starts at once and never waits for the player."""
    in_beats = replace(settings, tempo_bpm=BEAT_BPM, collect_s=0.0, patience_bars=0)
    engine = Engine(in_beats, actor, rng)
    engine.start(0.0, 0.0)
    return engine


def _opening_actions(fragment: Sequence[int], base: int, steps_per_beat: int) -> list[int]:
    """Give the actions that play the fragment's notes a beat each."""
    actions: list[int] = []
    for note in fragment:
        try:
            actions.append(gesture_to_action(Gesture(GestureKind.ONSET, note), base))
        except ValueError as error:
            msg = f"the fragment leaves the register: {error}; move it by octaves or choose another preset"
            raise UsageError(msg) from error
        actions += [gesture_to_action(Gesture(GestureKind.HOLD), base)] * (steps_per_beat - 1)
    return actions


def _player_events(song: Song, track: int | None) -> list[TimedEvent]:
    """Give what the player plays, in the order of time."""
    if track is not None and not 0 <= track < len(song.tracks):
        msg = f"there is no track {track + 1}; the file has {len(song.tracks)}"
        raise UsageError(msg)
    tracks = song.tracks if track is None else song.tracks[track : track + 1]
    events = sorted((event for chosen in tracks for event in chosen.events), key=lambda event: event.tick)
    if not any(isinstance(event.message, NoteOn) for event in events):
        msg = "the player's part has no notes; choose another with --player-track"
        raise UsageError(msg)
    return events


def _song_meter(song: Song, otherwise: tuple[int, int]) -> tuple[int, int]:
    """Give the song's first meter where it is one of METERS, else the other one."""
    first = song.meter_map[:1]
    meters = [(change.numerator, change.denominator) for change in first]
    return meters[0] if meters and Meter(*meters[0]) in METERS else otherwise


def _ticks(played: Iterable[TimedMessage], ticks_per_beat: int) -> tuple[TimedEvent, ...]:
    """Give what was played, in beats, as events in ticks; only what belongs into a file."""
    kept = (ControlChange, NoteOff, NoteOn, ProgramChange)
    return tuple(
        TimedEvent(round(timed.due_s * ticks_per_beat), timed.message)
        for timed in played
        if isinstance(timed.message, kept)
    )
