"""The data of the network that predicts the player's next event."""

from __future__ import annotations

import numpy as np

from improviser.engine.role import COMPING, MELODY
from improviser.listening.line import TOKEN_HOLD, TOKEN_NONE, TOKEN_ONSET, TOKEN_REST, event_tokens
from improviser.listening.observation import COLUMNS, PLAYER_BLOCK
from improviser.training.features import player_table
from improviser.training.grid import chorale_parts, tune_parts
from improviser.training.next_event import EVENTS, PLAYER_NETWORK, next_events
from tests.tiny_corpus import chorale, tune


def test_it_predicts_what_comes_from_what_was() -> None:
    """Before each step the newest token is that of the step before, at the place of the step; the target is its own."""
    (part,) = tune_parts([tune(bars=4)], "fiddle", 4, 60)
    data = next_events([part])
    tokens = event_tokens(part.player, np.array(part.player_base)).astype(np.int64)
    assert tokens.tolist() == data.actions.tolist()
    newest = data.observations[:, COLUMNS["player_tokens"]][:, -1]
    assert [TOKEN_NONE, *tokens[:-1].tolist()] == newest.tolist()
    assert [step % 16 for step in range(64)] == data.observations[:, COLUMNS["sixteenth"].start].tolist()
    assert {TOKEN_HOLD, TOKEN_REST, TOKEN_ONSET + 60 - part.player_base} <= set(tokens.tolist())


def test_what_was_is_observed_as_by_the_engine() -> None:
    """The player's line is that of the observation one step earlier, pitch classes and chord included."""
    (part,) = tune_parts([tune(bars=4)], "fiddle", 4, 60)
    before, table = next_events([part]).observations[1:], player_table([part]).observation[:-1]
    for name in ("player_tokens", "player_pitches", "player_pcs", "player_bass", "chord_root", "chord_quality"):
        np.testing.assert_array_equal(table[:, COLUMNS[name]], before[:, COLUMNS[name]])


def test_parts_of_different_lengths_and_without_player() -> None:
    """Each step of each player counts once; parts without a player, and what comes after an end, do not."""
    long, short = tune_parts([tune(bars=4), tune(bars=3)], "fiddle", 4, 60)
    (alone,) = tune_parts([tune(bars=4)], "fiddle", 4, None)
    data = next_events([long, short, alone])
    assert 64 + 48 == len(data.actions)
    assert sorted(data.actions) == sorted([*next_events([long]).actions, *next_events([short]).actions])


def test_the_network_reads_the_player_of_every_role() -> None:
    """Its columns are the player's, which come first in each role; its outputs are the events."""
    groups = tuple((group.name, group.columns, group.values) for group in PLAYER_NETWORK.groups)
    for role in (MELODY, COMPING):
        assert groups == role.groups[: len(groups)]
    assert (PLAYER_BLOCK.stop, EVENTS) == (PLAYER_NETWORK.columns, PLAYER_NETWORK.actions)
    parts = list(chorale_parts([chorale(bars=2)], "chorale", 4))
    assert next_events(parts).observations.shape[1] == PLAYER_NETWORK.columns
