"""The features of the players of many parts, computed once by the code that listens during live play."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from improviser.listening.line import HOLD, NONE, PITCHES, REST, SILENT, Events, Line, event_tokens, turns
from improviser.listening.observation import (
    PLAYER_BLOCK,
    Place,
    Rows,
    above_tonic,
    encode_player,
    line_density,
)
from improviser.listening.player import Player
from improviser.music.accent import LEVELS
from improviser.music.chord import CHORD_BITS, CHORD_COUNT, root_above
from improviser.music.meter import SIXTEENTHS_PER_BEAT
from improviser.music.pitch import OCTAVE, rotate
from improviser.playing.actions import register_base
from improviser.rewards import Scene
from improviser.training.grid import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.engine.role import Role
    from improviser.music.pitch import IntArray
    from improviser.training.grid import Part

LANES: Final = 256
_SURE: Final = 255


@dataclass(frozen=True, slots=True)
class PlayerTable:
    """The features of the players: a row for each step of each part, one part after the other.

    Attributes:
        role: The role of all the parts.
        observation: (rows, PLAYER_BLOCK) uint8, as `encode_player` writes it.
        bits: (rows,) int16, pitch classes above the tonic that the player sounds.
        note: (rows,) int16, the player's top note, SILENT where none.
        seen: (rows,) int16, the top note that is known when the step is decided.
        before: (rows,) int16, the top note one step earlier.
        held: (rows,) int16, the number of steps that the note has been held, as in `Line.held`.
        turns: (rows, PITCHES - 1) int32, the player's last turns, numbered as in `listening.line.turns`.
        chord_bits: (rows,) int16, pitch classes of the chord behind the player, 0 where none: the written one, and the
            implied one where none is known.
        chord_root: (rows,) int8, the root of that chord above the tonic.
        chord_tones: (rows, 12) uint8, how likely each degree above the tonic is a tone of the chord, in 255ths: the
            mean of what is heard and, where a chord is written, of what is true.
        density: (rows,) int8, half the player's onsets in the window, at most 8.
        moment: (rows, columns) float32, how the position in the music affects the rewards, as the role's `moments`
            returns it.
        places: (rows, columns) int16, the columns of Place.
        start: (parts,) int64, each part's first row.
        steps: (parts,) int64, each part's number of rows.
    """

    role: Role
    observation: Rows
    bits: npt.NDArray[np.int16]
    note: npt.NDArray[np.int16]
    seen: npt.NDArray[np.int16]
    before: npt.NDArray[np.int16]
    held: npt.NDArray[np.int16]
    turns: npt.NDArray[np.int32]
    chord_bits: npt.NDArray[np.int16]
    chord_root: npt.NDArray[np.int8]
    chord_tones: npt.NDArray[np.uint8]
    density: npt.NDArray[np.int8]
    moment: npt.NDArray[np.float32]
    places: npt.NDArray[np.int16]
    start: npt.NDArray[np.int64]
    steps: npt.NDArray[np.int64]

    def place(self, rows: npt.NDArray[np.int64]) -> Place:
        """Return the position in the music of `rows`, (lanes,)."""
        return Place(*self.places[rows].T)

    def scene(self, own: Line, rows: npt.NDArray[np.int64], place: Place) -> Scene:
        """Return the input of the rewards after `own`, one row a lane, has played beside `rows`, (lanes,)."""
        return Scene(
            own=own,
            bits=self.bits[rows],
            player_note=self.note[rows],
            player_before=self.before[rows],
            player_held=self.held[rows],
            player_turns=self.turns[rows],
            chord_bits=self.chord_bits[rows],
            chord_root=self.chord_root[rows],
            chord_tones=self.chord_tones[rows] * np.float32(1 / _SURE),
            tonic=place.tonic,
            mode=place.mode,
            player_density=self.density[rows],
            moment=self.moment[rows],
            style=place.style,
        )


def player_table(parts: Sequence[Part]) -> PlayerTable:
    """Return the features of the parts, in their order; all must share one grid and role."""
    steps = np.array([len(part.player) for part in parts], dtype=np.int64)
    table = empty_table(parts[0].role, steps)
    for chosen in by_length(steps):
        _listen([parts[index] for index in chosen], table.start[chosen], table)
    return table


def empty_table(role: Role, steps: npt.NDArray[np.int64]) -> PlayerTable:
    """Return a table, filled with zeros, for parts of a role with these numbers of steps, (parts,)."""
    rows = int(steps.sum())
    return PlayerTable(
        role=role,
        observation=np.zeros((rows, PLAYER_BLOCK.stop), dtype=np.uint8),
        bits=np.zeros(rows, dtype=np.int16),
        note=np.zeros(rows, dtype=np.int16),
        seen=np.zeros(rows, dtype=np.int16),
        before=np.zeros(rows, dtype=np.int16),
        held=np.zeros(rows, dtype=np.int16),
        turns=np.zeros((rows, PITCHES - 1), dtype=np.int32),
        chord_bits=np.zeros(rows, dtype=np.int16),
        chord_root=np.zeros(rows, dtype=np.int8),
        chord_tones=np.zeros((rows, OCTAVE), dtype=np.uint8),
        density=np.zeros(rows, dtype=np.int8),
        moment=np.zeros((rows, role.rewards.moment_columns), dtype=np.float32),
        places=np.zeros((rows, len(fields(Place))), dtype=np.int16),
        start=np.concatenate([[0], np.cumsum(steps)[:-1]]).astype(np.int64),
        steps=steps,
    )


def prior_rows(parts: Sequence[Part], table: PlayerTable) -> tuple[Rows, npt.NDArray[np.int64]]:
    """Return the data for imitation: observations, (rows, columns), and the human partner's actions, (rows,).

    Args:
        parts: Parts with a partner.
        table: The features of their players.
    """
    role, own_block = table.role, slice(PLAYER_BLOCK.stop, table.role.columns)
    observations = np.zeros((len(table.note), role.columns), dtype=np.uint8)
    observations[:, PLAYER_BLOCK] = table.observation
    actions = np.zeros(len(table.note), dtype=np.int64)
    for chosen in by_length(table.steps):
        lanes = [parts[index] for index in chosen]
        events = _stacked([part.partner for part in lanes], NONE)
        own = Line(*grid_of(lanes))
        out = np.zeros((len(lanes), role.columns), dtype=np.uint8)
        for step in range(events.shape[1]):
            rows = table.start[chosen] + np.minimum(step, table.steps[chosen] - 1)
            place = table.place(rows)
            alive = np.flatnonzero(table.steps[chosen] > step)
            out[:, PLAYER_BLOCK] = table.observation[rows]
            role.encode_own(own, table.seen[rows], place, out)
            observations[rows[alive], own_block] = out[alive, own_block]
            actions[rows[alive]] = role.actions(events[:, step], place)[alive]
            own.push(events[:, step])
    return observations, actions


def next_event_rows(parts: Sequence[Part]) -> tuple[Rows, npt.NDArray[np.int64]]:
    """Return what the player does in each step, and what is known before it.

    Args:
        parts: Parts with a player.

    Returns:
        Observations, (rows, PLAYER_BLOCK), with the step's place but the player as after the step before; and the
        tokens of the player's events, (rows,), TOKEN_NONE after the end of a part.
    """
    rows: list[Rows] = []
    tokens: list[npt.NDArray[np.int64]] = []
    for chosen in by_length(np.array([len(part.player) for part in parts])):
        lanes = [parts[index] for index in chosen]
        columns, places = stack_parts(lanes), _stacked([part_places(part) for part in lanes], 0)
        player = Player(*grid_of(lanes))
        for step in range(columns[0].shape[1]):
            sound, place = Sound(*(column[:, step] for column in columns)), Place(*places[:, step].T.astype(np.int64))
            out = np.zeros((len(lanes), PLAYER_BLOCK.stop), dtype=np.uint8)
            encode_player(player, place, out)
            rows.append(out)
            tokens.append(event_tokens(sound.event, place.player_base).astype(np.int64))
            player.push(sound.event, sound.bits, sound.bass, LEVELS[place.meter, place.sixteenth], sound.given)
    return np.concatenate(rows), np.concatenate(tokens)


def part_places(part: Part) -> npt.NDArray[np.int16]:
    """Return the columns of Place for each step of a part, (steps, columns)."""
    steps = np.arange(len(part.player))
    bar, in_bar = np.divmod(steps, part.bar_steps)
    mode, tonic = np.divmod(part.keys, OCTAVE)
    bases = [[register_base(base, key) for key in range(OCTAVE)] for base in (part.player_base, part.own_base)]
    place = Place(
        tonic=tonic,
        mode=mode,
        certainty=part.certainty,
        meter=np.full_like(steps, part.meter),
        sixteenth=in_bar * SIXTEENTHS_PER_BEAT // part.steps_per_beat,
        bar=bar,
        player_base=np.array(bases[0])[tonic],
        own_base=np.array(bases[1])[tonic],
        style=np.full_like(steps, part.style),
    )
    return np.stack([getattr(place, field.name) for field in fields(Place)], axis=1).astype(np.int16)


def listen_step(
    player: Player,
    sound: Sound,
    table: PlayerTable,
    rows: npt.NDArray[np.int64],
    alive: npt.NDArray[np.bool_],
) -> None:
    """Advance a player of many lanes by one step, and record its features.

    Args:
        player: The player; receives the step.
        sound: What is played in the step.
        table: Is written to. The places of its rows must be filled in already.
        rows: (lanes,) the step's row for each lane.
        alive: (lanes,) whether the lane is written.
    """
    place = table.place(rows)
    level = LEVELS[place.meter, place.sixteenth]
    late = np.flatnonzero(sound.is_late)
    guessed = player.chosen(late)
    player.push(sound.event, sound.bits, sound.bass, level, sound.given)
    out = np.zeros((len(rows), PLAYER_BLOCK.stop), dtype=np.uint8)
    encode_player(player, place, out)
    seen = player.line.note.copy()
    if len(late):
        guessed.push(*going_on(guessed), level[late], sound.given[late])
        fewer = out[late]
        encode_player(guessed, table.place(rows[late]), fewer)
        out[late], seen[late] = fewer, guessed.line.note
    chord = np.where(sound.chord == UNKNOWN, player.chord, sound.chord)
    chord_bits = rotate(CHORD_BITS[chord], place.tonic)
    written = {
        "observation": out,
        "seen": seen,
        "bits": rotate(player.bits, place.tonic),
        "note": player.line.note,
        "before": player.line.before,
        "held": player.line.held,
        "turns": turns(player.line.intervals),
        "chord_bits": chord_bits,
        "chord_root": root_above(chord, place.tonic),
        "chord_tones": _chord_tones(player, sound.chord, place.tonic),
        "density": line_density(player.line),
        "moment": table.role.rewards.moments(level, place.sixteenth, place.bar, chord_bits),
    }
    for name, column in written.items():
        getattr(table, name)[rows[alive]] = column[alive]


def _chord_tones(player: Player, written: IntArray, tonic: IntArray) -> npt.NDArray[np.uint8]:
    """Return how likely each degree above the tonic is a tone of the chord, (lanes, 12), in 255ths.

    What is heard varies less than what is true, and has the same mean as far as the ear is calibrated. So the mean of
    both is learned from fewer examples.

    Args:
        player: The player.
        written: (lanes,) the index of the written chord, UNKNOWN where none is.
        tonic: (lanes,) pitch class of the key.
    """
    heard = above_tonic(player.chord_tones, tonic)
    true = (rotate(CHORD_BITS[np.maximum(written, 0)], tonic)[:, None] >> np.arange(OCTAVE)) & 1
    is_written = ((written >= 0) & (written < CHORD_COUNT))[:, None]
    known = np.where(heard.any(axis=1, keepdims=True), (heard + true) / 2, true)
    found: npt.NDArray[np.uint8] = np.rint(np.where(is_written, known, heard) * _SURE).astype(np.uint8)
    return found


@dataclass(frozen=True, slots=True)
class Sound:
    """What the players play in one step; each array is (lanes,). See Part."""

    event: Events
    bits: npt.NDArray[np.int64]
    bass: npt.NDArray[np.int64]
    is_late: npt.NDArray[np.bool_]
    chord: npt.NDArray[np.int64]
    given: npt.NDArray[np.int64]  # (lanes, 2): now, and a beat later


def going_on(player: Player) -> tuple[Events, IntArray, IntArray]:
    """Return event, bits and bass of a step in which the player continues what sounds, as far as is known."""
    return np.where(player.line.note >= 0, HOLD, REST).astype(np.int16), player.bits, player.bass


def stack_parts(parts: Sequence[Part]) -> list[npt.NDArray[Any]]:
    """Return the fields of Sound over all steps, (parts, steps) each, padded with silence."""
    blanks = {"player": NONE, "bits": 0, "bass": SILENT, "is_late": False, "chords": UNKNOWN, "given_chords": UNKNOWN}
    return [_stacked([getattr(part, name) for part in parts], blank) for name, blank in blanks.items()]


def _listen(parts: list[Part], start: npt.NDArray[np.int64], table: PlayerTable) -> None:
    """Play the parts, each in one lane of a player, and record the features of each step."""
    columns = stack_parts(parts)
    steps = np.array([len(part.player) for part in parts])
    for part, at in zip(parts, start.tolist(), strict=True):
        table.places[at : at + len(part.player)] = part_places(part)
    player = Player(*grid_of(parts))
    for step in range(int(steps.max())):
        rows = start + np.minimum(step, steps - 1)
        listen_step(player, Sound(*(column[:, step] for column in columns)), table, rows, step < steps)


def by_length(steps: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Return the parts' indices in groups of at most LANES, sorted by length."""
    order = np.argsort(steps, kind="stable")
    return [order[at : at + LANES] for at in range(0, len(order), LANES)]


def grid_of(parts: Sequence[Part]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the steps per beat and per bar of each part, each (parts,)."""
    return _column(parts, "steps_per_beat"), _column(parts, "bar_steps")


def _column(parts: Sequence[Part], name: str) -> npt.NDArray[np.int64]:
    """Return one integer attribute of each part, (parts,)."""
    return np.array([getattr(part, name) for part in parts], dtype=np.int64)


def _stacked(voices: list[npt.NDArray[Any]], blank: int) -> npt.NDArray[Any]:
    """Return voices of unequal length as rows, (voices, steps, ...), padded with `blank`."""
    longest = max(len(voice) for voice in voices)
    stacked = np.full((len(voices), longest, *voices[0].shape[1:]), blank, dtype=voices[0].dtype)
    for row, voice in zip(stacked, voices, strict=True):
        row[: len(voice)] = voice
    return stacked
