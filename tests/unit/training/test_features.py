"""The features of many parts at once equal each part's own, and the data for imitation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from improviser.listening.line import SILENT, Line, event_tokens, turns
from improviser.listening.observation import COLUMNS, OWN_BLOCK, PLAYER_BLOCK, SIZE, encode_own
from improviser.music.chord import CHORD_BITS, QUALITIES, QUALITY_COUNT
from improviser.playing.actions import HOLD_ACTION
from improviser.rewards import moments
from improviser.training.features import PlayerTable, player_table, prior_rows
from improviser.training.grid import DUETS, TRIOS, Part, chorale_parts, sounding, tune_parts
from tests.tiny_corpus import chorale, tune

DOMINANT = 7 * QUALITY_COUNT
PER_STEP = ("observation", "bits", "note", "seen", "before", "turns", "chord_bits", "chord_tones", "moment", "places")


def make_parts() -> list[Part]:
    """Return parts of different lengths, with players and partners."""
    duets = chorale_parts([chorale(bars=3), chorale(bars=2)], "chorale", 4, casts=(DUETS[0], TRIOS[3]))
    return [
        *duets,
        *tune_parts([tune(bars=4)], "fiddle", 4, 60),
        *tune_parts([tune(bars=1)], "fiddle", 4, None),
    ]


def rows_of(table: PlayerTable, index: int) -> slice:
    """Return the rows of one part."""
    start = int(table.start[index])
    return slice(start, start + int(table.steps[index]))


def test_each_part_has_its_rows() -> None:
    """The parts follow each other, with one row per step."""
    parts = make_parts()
    table = player_table(parts)
    assert [48, 48, 32, 32, 64, 16] == table.steps.tolist()
    assert [0, 48, 96, 128, 160, 224] == table.start.tolist()
    assert {240} == {len(getattr(table, name)) for name in PER_STEP}


def test_lanes_do_not_mix() -> None:
    """Parts give the same features together as one by one."""
    parts = make_parts()
    table = player_table(parts)
    for index, part in enumerate(parts):
        alone = player_table([part])
        for name in PER_STEP:
            np.testing.assert_array_equal(getattr(alone, name), getattr(table, name)[rows_of(table, index)])


def test_what_the_player_sounds() -> None:
    """Note, previous note, pitch-class set, bar and metrical level of each step are the player's."""
    (part,) = tune_parts([tune(bars=2)], "fiddle", 4, 60)
    table = player_table([part])
    assert [60, 60, 64, 64, 67, 65, 64, 64, 72, 72, 72, 72, 71, 71, -1, -1] == table.note[:16].tolist()
    assert [SILENT, *table.note[:-1].tolist()] == table.before.tolist()
    np.testing.assert_array_equal(sounding([part.player])["bits"], table.bits)
    levels = np.array([4, 0, 1, 0, 2, 0, 1, 0, 3, 0, 1, 0, 2, 0, 1, 0] * 2)
    expected = moments(levels, np.arange(32) % 16, np.arange(32) // 16, table.chord_bits)
    np.testing.assert_array_equal(expected, table.moment)
    np.testing.assert_array_equal(turns(np.array([[4, 3, -2, -1]]))[0], table.turns[6, -3:])


def test_the_chord_that_is_implied() -> None:
    """A player who plays C E G in turn implies C major; an absent player implies nothing."""
    parts = [*tune_parts([tune()], "fiddle", 4, 60), *tune_parts([tune()], "fiddle", 4, None)]
    table = player_table(parts)
    assert ("", int(CHORD_BITS[0])) == (QUALITIES[0][0], int(table.chord_bits[4]))
    assert not table.chord_bits[rows_of(table, 1)].any()


def test_how_likely_the_tones_of_a_written_chord_are() -> None:
    """They are half as likely as what is true, and half as what is heard; beside nobody as what is true."""
    parts = [*tune_parts([tune()], "fiddle", 4, 60), *tune_parts([tune()], "fiddle", 4, None)]
    heard = player_table(parts).chord_tones.astype(float)
    written = [replace(part, chords=np.full_like(part.chords, DOMINANT)) for part in parts]
    known = player_table(written).chord_tones.astype(float)
    dominant = np.isin(np.arange(12), (2, 7, 11)) * 255.0
    with_player = slice(8, len(parts[0].player))
    assert not heard[rows_of(player_table(parts), 1)].any()
    np.testing.assert_allclose(known[with_player], (heard[with_player] + dominant) / 2, atol=1)
    np.testing.assert_array_equal(known[-1], dominant)


def test_only_the_players_columns_are_written() -> None:
    """The table's observations hold only the player's block, with values in their range."""
    table = player_table(make_parts())
    assert PLAYER_BLOCK.stop == table.observation.shape[1]
    assert table.observation[:, COLUMNS["player_present"]].any()
    assert {0, 1, 2, 3} == set(table.observation[:, COLUMNS["bar"]].ravel().tolist())


def test_prior_rows() -> None:
    """At each step imitation sees the partner's own past and the player, and learns the partner's action."""
    parts = make_parts()[:4]
    table = player_table(parts)
    observations, actions = prior_rows(parts, table)
    assert (len(table.note), SIZE) == observations.shape
    np.testing.assert_array_equal(table.observation, observations[:, PLAYER_BLOCK])
    for index, part in enumerate(parts):
        rows = rows_of(table, index)
        np.testing.assert_array_equal(event_tokens(part.partner, np.array(part.own_base)), actions[rows])
        expected = own_block(part, table.note[rows])
        np.testing.assert_array_equal(expected, observations[rows, OWN_BLOCK])


def test_prior_rows_hold_what_is_held() -> None:
    """A quarter is an onset and three holds."""
    parts = list(chorale_parts([chorale(bars=2)], "chorale", 4, casts=(((1,), 0),)))
    _, actions = prior_rows(parts, player_table(parts))
    assert [HOLD_ACTION] * 3 == actions[1:4].tolist()
    assert (actions[::4] > 1).all()


def own_block(part: Part, player_notes: npt.NDArray[np.int16]) -> npt.NDArray[np.uint8]:
    """Return our columns of a part, as its own lane sees them, (steps, columns)."""
    line = Line(np.array([part.steps_per_beat]), np.array([part.bar_steps]))
    table = player_table([part])
    out = np.zeros((1, SIZE), dtype=np.uint8)
    rows = []
    for step, event in enumerate(part.partner):
        encode_own(line, player_notes[step : step + 1], table.place(np.array([step])), out)
        rows.append(out[0, OWN_BLOCK].copy())
        line.push(np.array([event], dtype=np.int16))
    return np.stack(rows)
