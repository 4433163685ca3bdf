"""The place of a step in the music, and the scene that the rewards judge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from improviser.engine.turns import Allowed
from improviser.listening.line import turns
from improviser.listening.observation import STYLES, Place, above_tonic, certainty, encode_player, line_density
from improviser.listening.player import player_base
from improviser.music.accent import LEVELS
from improviser.music.chord import CHORD_BITS, root_above
from improviser.music.meter import SIXTEENTHS_PER_BEAT
from improviser.music.pitch import pitch_class_bits, rotate
from improviser.music.scale import SCALE_DEGREES, Mode
from improviser.playing.actions import FIRST_ONSET, HOLD_ACTION, NO_ACTION, REST_ACTION
from improviser.rewards import COMPONENTS, Scene

if TYPE_CHECKING:
    import numpy.typing as npt

    from improviser.agent.policy import FloatArray, Mix, Values
    from improviser.engine.anticipation import Expected
    from improviser.engine.bars import Bars
    from improviser.engine.role import Role
    from improviser.engine.settings import EngineSettings
    from improviser.listening.line import Line
    from improviser.listening.listener import Listener, Outlook
    from improviser.listening.observation import Rows
    from improviser.listening.player import Player


@dataclass(frozen=True, slots=True)
class Prospect:
    """The next step before it is decided.

    `values` is None while improviser only listens. `expected` is what the player will probably do, unless it is heard.
    `recalled` is the action that was played when the player last played what is played now, or NO_ACTION.
    """

    outlook: Outlook
    place: Place
    legal: npt.NDArray[np.bool_]
    values: Values | None
    observation: npt.NDArray[np.uint8]
    traits: FloatArray | None
    expected: tuple[Expected, ...] = ()
    recalled: int = NO_ACTION


def place_of(step: int, bars: Bars, settings: EngineSettings, listener: Listener, base: int) -> Place:
    """Return the place of step number `step`, with our actions counted from the note `base`; one lane."""
    bar, in_bar = bars.place(step)
    key, register_note = listener.heard_key.key, listener.register_note
    values = (
        key.tonic,
        int(key.mode),
        certainty(listener.heard_key.confidence),
        bars.row,
        in_bar * SIXTEENTHS_PER_BEAT // settings.steps_per_beat,
        bar,
        player_base(register_note, key.tonic) if register_note else base,
        base,
        STYLES.index(settings.style),
    )
    return Place(*(np.array([value]) for value in values))


def scene_of(own: Line, player: Player, place: Place, role: Role) -> Scene:
    """Return the scene of the last step, at `place`, from our line and the player's state."""
    chord_bits = rotate(CHORD_BITS[player.chord], place.tonic)
    return Scene(
        own=own,
        bits=rotate(player.bits, place.tonic),
        player_note=player.line.note,
        player_before=player.line.before,
        player_held=player.line.held,
        player_turns=turns(player.line.intervals),
        chord_bits=chord_bits,
        chord_root=root_above(player.chord, place.tonic),
        chord_tones=above_tonic(player.chord_tones, place.tonic),
        tonic=place.tonic,
        mode=place.mode,
        player_density=line_density(player.line),
        moment=role.rewards.moments(LEVELS[place.meter, place.sixteenth], place.sixteenth, place.bar, chord_bits),
        style=place.style,
    )


def rewards_of(own: Line, player: Player, place: Place, role: Role) -> dict[str, float]:
    """Return the terms of the last step's reward by name, then the three components, each in [-1, 1]."""
    rewards = role.rewards
    terms = rewards.judge(scene_of(own, player, place, role))
    components = terms @ rewards.component_weights()
    names = (*rewards.terms, *COMPONENTS)
    return dict(zip(names, [*terms[0].tolist(), *components[0].tolist()], strict=True))


def observe(player: Player, own: Line, place: Place, role: Role, out: Rows) -> npt.NDArray[np.uint8]:
    """Return the observation, (columns,), of one lane; `out`, (1, columns), is written."""
    encode_player(player, place, out)
    role.encode_own(own, player.line.note, place, out)
    return np.array(out[0])  # a copy: the preferences keep it


def legal_at(
    place: Place, role: Role, *, is_locked: bool, is_sounding: bool, allowed: Allowed = Allowed.ANYTHING
) -> npt.NDArray[np.bool_]:
    """Return the mask of legal actions at `place`.

    In a locked key only notes of its scale are legal, out of turn only to rest, at an entry only onsets. The end is an
    onset of the tonic, which is held.
    """
    if allowed is Allowed.NOTHING:
        return np.asarray(np.arange(role.action_count) == REST_ACTION)
    tonic, base, mode = int(place.tonic[0]), int(place.own_base[0]), Mode(int(place.mode[0]))
    scale = pitch_class_bits([tonic + degree for degree in SCALE_DEGREES[mode]])
    legal = role.legal(tonic, base, is_sounding=is_sounding, pitch_classes=scale if is_locked else None)
    if allowed is Allowed.TO_HOLD:
        return np.asarray(np.arange(role.action_count) == (HOLD_ACTION if is_sounding else REST_ACTION))
    if allowed is Allowed.A_FINAL:
        legal &= role.finals(mode)
    if allowed is Allowed.AN_ENTRY:
        legal[:FIRST_ONSET] = False
    return legal


def preferring(mix: Mix, bias: FloatArray | None, recall: float, prospect: Prospect, role: Role) -> Mix:
    """Return `mix` with what is preferred for its own sake.

    Args:
        mix: How values are combined.
        bias: (features,) the weights of features from preferences and the echo knob; None if there are none.
        recall: What the recalled action gains, in units of the reward.
        prospect: The step.
        role: The role that is played.
    """
    gains = [] if mix.preference is None else [mix.preference]
    if bias is not None:
        traits = role.traits.of_one(prospect.observation) if prospect.traits is None else prospect.traits
        gains.append(traits @ bias)
    if recall and prospect.recalled != NO_ACTION:
        gains.append(np.float32(recall) * (np.arange(role.action_count) == prospect.recalled))
    return replace(mix, preference=np.sum(gains, axis=0)) if gains else mix
