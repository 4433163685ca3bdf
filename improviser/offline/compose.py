"""Composes a piece without a player, from a fragment."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.engine.role import ROLES
from improviser.errors import UsageError
from improviser.listening.heard_key import HeardKey
from improviser.listening.line import HOLD
from improviser.listening.player import Player
from improviser.midi.song import MeterChange, Song, TempoChange
from improviser.music.accent import LEVELS
from improviser.music.meter import COMMON, METERS, SIXTEENTHS_PER_BEAT, Meter
from improviser.music.pitch import OCTAVE, note_name
from improviser.music.scale import ALL_KEYS, KEY_COUNT, STABLE_DEGREES, Key, parse_key
from improviser.offline.session import Report, engine_in_beats, ignore, improviser_track, play_along
from improviser.playing.actions import (
    HOLD_ACTION,
    ONSET_COUNT,
    register_base,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.agent.policy import Actor
    from improviser.engine import EngineSettings

TICKS_PER_BEAT: Final = 480
_US_PER_MINUTE: Final = 60_000_000


def compose_song(
    fragment: Sequence[int],
    bars: int,
    settings: EngineSettings,
    actor: Actor,
    rng: np.random.Generator,
    report: Report = ignore,
) -> Song:
    """Return a piece that begins with the notes of `fragment`, or chords on them, one per beat.

    Args:
        fragment: Notes 0-127; may be empty.
        bars: At least 1.
        settings: How improviser plays; the key must be locked.
        actor: Values the actions.
        rng: The generator of all random choices.
        report: Called with the number of beats that are done, and with the total.

    Raises:
        UsageError: A note of the fragment is outside the register, or the fragment is longer than the piece.
    """
    meter = Meter(*settings.meter)
    beats = bars * meter.bar_beats
    if len(fragment) > beats:
        needed = math.ceil(len(fragment) / meter.bar_beats)
        msg = f"the fragment's {len(fragment)} beats need more than --bars {bars}. Use at least {needed}"
        raise UsageError(msg)
    engine = engine_in_beats(settings, actor, rng, 0.0)
    opening = _opening_actions(fragment, settings, engine.base)
    played = play_along(engine, [], float(beats), opening=opening, report=report)
    return Song(
        ticks_per_beat=TICKS_PER_BEAT,
        tempo_map=(TempoChange(0, round(_US_PER_MINUTE / settings.tempo_bpm)),),
        meter_map=(MeterChange(0, meter.numerator, meter.denominator),),
        tracks=(improviser_track(played, TICKS_PER_BEAT),),
    )


def fragment_key(fragment: Sequence[int] | None, rng: np.random.Generator) -> Key:
    """Return the key that the notes of `fragment` imply, or a random key if there are none."""
    if not fragment:
        return ALL_KEYS[int(rng.integers(KEY_COUNT))]
    meter = METERS.index(COMMON)
    grid = np.array([SIXTEENTHS_PER_BEAT]), np.array([COMMON.bar_sixteenths])
    player, heard = Player(*grid), HeardKey()
    for step in range(len(fragment) * SIXTEENTHS_PER_BEAT):
        beat, in_beat = divmod(step, SIXTEENTHS_PER_BEAT)
        note = np.array([fragment[beat]])
        event = np.where(in_beat == 0, note, HOLD).astype(np.int16)
        player.push(event, 1 << note % OCTAVE, note, LEVELS[meter, [step % COMMON.bar_sixteenths]])
    heard.follow(player.key_chances[0])
    return heard.key


def random_fragment(settings: EngineSettings, rng: np.random.Generator) -> list[int]:
    """Return the tonic triad in random order, in the middle of the register; the key must be locked."""
    key = parse_key(settings.key)
    low = register_base(settings.register_low, key.tonic) + OCTAVE
    return [low + int(degree) for degree in rng.permutation(STABLE_DEGREES[key.mode])]


def _opening_actions(fragment: Sequence[int], settings: EngineSettings, base: int) -> list[int]:
    """Return the actions that play the fragment's notes, or chords on them, for one beat each."""
    role, key = ROLES[settings.role], parse_key(settings.key)
    actions: list[int] = []
    for note in fragment:
        try:
            actions.append(role.action_on(note, key, base))
        except ValueError as error:
            register = f"{note_name(base)} to {note_name(base + ONSET_COUNT - 1)}"
            msg = f"{note_name(note)} is outside the preset's register, {register}. Move it, or choose another preset"
            raise UsageError(msg) from error
        actions += [HOLD_ACTION] * (settings.steps_per_beat - 1)
    return actions
