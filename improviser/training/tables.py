"""All about the player's side of many parts, worked out once by the very code that listens on stage."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.listening.line import NONE, PITCHES, Events, Line, turns
from improviser.listening.observation import (
    PLAYER_BLOCK,
    Place,
    Rows,
    encode_player,
    line_density,
)
from improviser.listening.player import Player
from improviser.music.chord import CHORD_BITS
from improviser.music.meter import LEVELS, SIXTEENTHS_PER_BEAT
from improviser.music.pitch import OCTAVE
from improviser.rewards import Scene

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.engine.role import Role
    from improviser.training.grid import Part

LANES: Final = 256


@dataclass(frozen=True, slots=True)
class PlayerTable:
    """A row for each step of each part, one part after the other.

    Attributes:
        role: Of all the parts.
        observation: (rows, PLAYER_BLOCK) uint8, what `encode_player` gives.
        bits: (rows,) int16, pitch classes above the tonic that the player sounds.
        note: (rows,) int16, its top note, SILENT where none.
        before: (rows,) int16, the same one step ago.
        turns: (rows, PITCHES - 1) int32, its last turns, as `listening.line.turns` numbers them.
        chord_bits: (rows,) int16, pitch classes of the implied chord, 0 where none.
        density: (rows,) int8, half its onsets in the window, at most 8.
        moment: (rows, columns) float32, what the moment makes of things, as the role's `moments` gives it.
        start: (parts,) int64, each part's first row.
        steps: (parts,) int64, each part's number of rows.
    """

    role: Role
    observation: Rows
    bits: npt.NDArray[np.int16]
    note: npt.NDArray[np.int16]
    before: npt.NDArray[np.int16]
    turns: npt.NDArray[np.int32]
    chord_bits: npt.NDArray[np.int16]
    density: npt.NDArray[np.int8]
    moment: npt.NDArray[np.float32]
    start: npt.NDArray[np.int64]
    steps: npt.NDArray[np.int64]

    def scene(self, own: Line, rows: npt.NDArray[np.int64], place: Place) -> Scene:
        """Give what the rewards see where `own`, one row a lane, has just played beside `rows`, (lanes,)."""
        return Scene(
            own=own,
            bits=self.bits[rows],
            player_note=self.note[rows],
            player_before=self.before[rows],
            player_turns=self.turns[rows],
            chord_bits=self.chord_bits[rows],
            tonic=place.tonic,
            mode=place.mode,
            player_density=self.density[rows],
            moment=self.moment[rows],
            style=place.style,
        )


def player_table(parts: Sequence[Part]) -> PlayerTable:
    """Give the table of the parts, in their order; all must share one grid and role."""
    steps = np.array([len(part.player) for part in parts], dtype=np.int64)
    start = np.concatenate([[0], np.cumsum(steps)[:-1]]).astype(np.int64)
    rows = int(steps.sum())
    role = parts[0].role
    table = PlayerTable(
        role=role,
        observation=np.zeros((rows, PLAYER_BLOCK.stop), dtype=np.uint8),
        bits=np.zeros(rows, dtype=np.int16),
        note=np.zeros(rows, dtype=np.int16),
        before=np.zeros(rows, dtype=np.int16),
        turns=np.zeros((rows, PITCHES - 1), dtype=np.int32),
        chord_bits=np.zeros(rows, dtype=np.int16),
        density=np.zeros(rows, dtype=np.int8),
        moment=np.zeros((rows, role.rewards.moment_columns), dtype=np.float32),
        start=start,
        steps=steps,
    )
    for chosen in _by_length(steps):
        _listen([parts[index] for index in chosen], start[chosen], table)
    return table


def prior_rows(parts: Sequence[Part], table: PlayerTable) -> tuple[Rows, npt.NDArray[np.int64]]:
    """Give what imitation learns from: observations, (rows, columns), and the human partner's actions.

    Args:
        parts: Parts with a partner.
        table: Their player's side.
    """
    role, own_block = table.role, slice(PLAYER_BLOCK.stop, table.role.columns)
    observations = np.zeros((len(table.note), role.columns), dtype=np.uint8)
    observations[:, PLAYER_BLOCK] = table.observation
    actions = np.zeros(len(table.note), dtype=np.int64)
    for chosen in _by_length(table.steps):
        lanes = [parts[index] for index in chosen]
        events, place = _stacked([part.partner for part in lanes]), start_place(lanes)
        own = Line(*_grid(lanes))
        out = np.zeros((len(lanes), role.columns), dtype=np.uint8)
        for step in range(events.shape[1]):
            alive = np.flatnonzero(table.steps[chosen] > step)
            rows = table.start[chosen][alive] + step
            note = np.full(len(lanes), NONE, dtype=np.int16)
            note[alive] = table.note[rows]
            out[alive, PLAYER_BLOCK] = table.observation[rows]
            role.encode_own(own, note, place, out)
            observations[rows, own_block] = out[alive, own_block]
            actions[rows] = role.actions(events[:, step], place)[alive]
            own.push(events[:, step])
    return observations, actions


def start_place(parts: Sequence[Part]) -> Place:
    """Give the place of the first step of each part."""
    zero = np.zeros(len(parts), dtype=np.int64)
    return Place(
        tonic=zero,
        mode=_column(parts, "mode"),
        meter=_column(parts, "meter"),
        sixteenth=zero,
        bar=zero,
        player_base=_column(parts, "player_base"),
        own_base=_column(parts, "own_base"),
        style=_column(parts, "style"),
    )


def _listen(parts: list[Part], start: npt.NDArray[np.int64], table: PlayerTable) -> None:
    """Let a player of many lanes play the parts, and write down what is heard at each step."""
    events, bits = _stacked([part.player for part in parts]), _stacked_bits([part.bits for part in parts])
    steps = np.array([len(part.player) for part in parts])
    grid = _grid(parts)
    player, place = Player(*grid), start_place(parts)
    key = OCTAVE * place.mode
    out = np.zeros((len(parts), PLAYER_BLOCK.stop), dtype=np.uint8)
    for step in range(events.shape[1]):
        bar, in_bar = np.divmod(step, grid[1])
        here = Place(
            **{field.name: getattr(place, field.name) for field in fields(Place)}
            | {"bar": bar, "sixteenth": in_bar * SIXTEENTHS_PER_BEAT // grid[0]}
        )
        player.push(events[:, step], bits[:, step], key)
        encode_player(player, here, out)
        alive = np.flatnonzero(steps > step)
        rows = start[alive] + step
        table.observation[rows] = out[alive, PLAYER_BLOCK]
        table.bits[rows] = bits[alive, step]
        table.note[rows] = player.line.note[alive]
        table.before[rows] = player.line.before[alive]
        table.turns[rows] = turns(player.line.intervals[alive])
        table.chord_bits[rows] = CHORD_BITS[player.chord[alive]]
        table.density[rows] = line_density(player.line)[alive]
        level = LEVELS[here.meter[alive], here.sixteenth[alive]]
        table.moment[rows] = table.role.rewards.moments(level, bar[alive], table.chord_bits[rows])


def _by_length(steps: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Give the parts' indices in groups of LANES of like length."""
    order = np.argsort(steps, kind="stable")
    return [order[at : at + LANES] for at in range(0, len(order), LANES)]


def _grid(parts: Sequence[Part]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give the steps a beat and a bar of each part, each (parts,)."""
    return _column(parts, "steps_per_beat"), _column(parts, "bar_steps")


def _column(parts: Sequence[Part], name: str) -> npt.NDArray[np.int64]:
    """Give one number of each part, (parts,)."""
    return np.array([getattr(part, name) for part in parts], dtype=np.int64)


def _stacked(voices: list[Events]) -> Events:
    """Give voices of unequal length as rows, (voices, steps), filled up with NONE."""
    longest = max(len(voice) for voice in voices)
    stacked = np.full((len(voices), longest), NONE, dtype=np.int16)
    for row, voice in zip(stacked, voices, strict=True):
        row[: len(voice)] = voice
    return stacked


def _stacked_bits(voices: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    """Give rows of unequal length, (voices, steps), filled up with zeros."""
    longest = max(len(voice) for voice in voices)
    stacked = np.zeros((len(voices), longest), dtype=np.int64)
    for row, voice in zip(stacked, voices, strict=True):
        row[: len(voice)] = voice
    return stacked
