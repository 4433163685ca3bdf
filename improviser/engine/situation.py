"""Where a step is, and what it looks like to the rewards, from what was heard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from improviser.listening.line import turns
from improviser.listening.observation import STYLES, Place, certainty, line_density
from improviser.listening.player import player_base
from improviser.music.accent import LEVELS
from improviser.music.chord import CHORD_BITS
from improviser.music.meter import METERS, SIXTEENTHS_PER_BEAT, Meter
from improviser.music.pitch import rotate
from improviser.rewards import Scene

if TYPE_CHECKING:
    import numpy.typing as npt

    from improviser.agent.policy import FloatArray, Values
    from improviser.engine.role import Role
    from improviser.engine.settings import EngineSettings
    from improviser.listening.line import Line
    from improviser.listening.listener import Listener
    from improviser.listening.player import Player
    from improviser.listening.window import HeardStep


@dataclass(frozen=True, slots=True)
class Prospect:
    """The next step as it stands before it is decided; `values` is None where nothing may be played."""

    player: Player
    heard: HeardStep
    place: Place
    legal: npt.NDArray[np.bool_]
    values: Values | None
    observation: npt.NDArray[np.uint8]
    traits: FloatArray | None


def place_of(step: int, settings: EngineSettings, listener: Listener, base: int) -> Place:
    """Give where step number `step` stands, with our actions counted from the note `base`; one lane."""
    bar, in_bar = divmod(step, settings.bar_steps)
    key, register_note = listener.keys.key, listener.register_note
    values = (
        key.tonic,
        int(key.mode),
        certainty(listener.keys.confidence),
        METERS.index(Meter(*settings.meter)),
        in_bar * SIXTEENTHS_PER_BEAT // settings.steps_per_beat,
        bar,
        player_base(register_note, key.tonic) if register_note else base,
        base,
        STYLES.index(settings.style),
    )
    return Place(*(np.array([value]) for value in values))


def scene_of(own: Line, player: Player, place: Place, role: Role) -> Scene:
    """Give the last step, at `place`, as the rewards see it: our line and what is known of the player."""
    chord_bits = rotate(CHORD_BITS[player.chord], place.tonic)
    return Scene(
        own=own,
        bits=rotate(player.bits, place.tonic),
        player_note=player.line.note,
        player_before=player.line.before,
        player_held=player.line.held,
        player_turns=turns(player.line.intervals),
        chord_bits=chord_bits,
        tonic=place.tonic,
        mode=place.mode,
        player_density=line_density(player.line),
        moment=role.rewards.moments(
            LEVELS[place.meter, place.sixteenth], place.sixteenth, place.bar, chord_bits
        ),
        style=place.style,
    )
