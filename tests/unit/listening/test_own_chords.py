"""The own columns of a comping improviser, and the table that describes them."""

from __future__ import annotations

import re

import numpy as np
import pytest

from improviser.listening import own_chords
from improviser.listening.line import HOLD, REST, Line
from improviser.listening.observation import FEATURES, PLAYER_BLOCK, Place, encode_player
from improviser.listening.own_chords import CHORD_COLUMNS, CHORD_FEATURES, encode_own_chords
from improviser.listening.player import Player
from improviser.music.pitch import pitch_class_bits

GRID = np.array([4]), np.array([16])
C, F, G7 = 0, 45, 67


def see(own: list[int], player: int = REST, tonic: int = 0) -> dict[str, list[int]]:
    """Return the observation by feature, after chords of ours and a note of the player's."""
    zero = np.array([0])
    base = np.array([48 + tonic])
    place = Place(np.array([tonic]), zero, zero, zero, zero, zero, base, base, zero)
    line, listened = Line(*GRID), Player(*GRID)
    for event in own:
        line.push(np.array([event], dtype=np.int16))
    bits = pitch_class_bits([player]) if player >= 0 else 0
    sound = np.array([player], dtype=np.int16), np.array([bits]), np.array([player])
    listened.push(*sound, np.array([4]))
    row = np.full((1, sum(feature.columns for feature in CHORD_FEATURES)), 255, dtype=np.uint8)
    encode_player(listened, place, row)
    encode_own_chords(line, listened.line.note, place, row)
    return {name: row[0, columns].tolist() for name, columns in CHORD_COLUMNS.items()}


def test_the_table_is_the_code() -> None:
    """The docstring's rows are the features after the player's, which all roles share."""
    rows = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \|", own_chords.__doc__ or "", re.MULTILINE)
    features = [(feature.name, feature.columns, feature.values) for feature in CHORD_FEATURES]
    player = [feature for feature in FEATURES if feature in CHORD_FEATURES and feature.name != "style"]
    shared = [feature for feature in player if not feature.name.startswith("own_")]
    own = features[len(shared) :]
    assert [(name, int(columns), int(values)) for name, columns, values in rows] == own
    assert PLAYER_BLOCK.stop == CHORD_COLUMNS["own_rhythm"].start


def test_silence() -> None:
    """Before the first chord there is no chord and no comparison."""
    seen = see([])
    assert [3] * 32 == seen["own_rhythm"]
    assert [108] * 8 == seen["own_chords"]
    assert [12, 9, 12, 16, 0] == [
        seen[name][0] for name in ("own_root", "own_quality", "own_motion", "own_since", "own_density")
    ]
    assert [5, 2, 12] == [seen[name][0] for name in ("shared", "player_fit", "above_root")]


def test_chords_are_seen() -> None:
    """The last steps, the last chords, the sounding chord, and the movement of the root are features."""
    seen = see([C, HOLD, REST, F, HOLD])
    assert [3, 2, 0, 1, 2, 0] == seen["own_rhythm"][-6:]
    assert [108, C, F] == seen["own_chords"][-3:]
    assert [5, 0, 5, 1, 2] == [
        seen[name][0] for name in ("own_root", "own_quality", "own_motion", "own_since", "own_density")
    ]


@pytest.mark.parametrize(("note", "fit", "above"), [(65, 1, 10), (60, 0, 5), (67, 1, 0)])
def test_the_player_is_compared_with_our_chord(note: int, fit: int, above: int) -> None:
    """A feature says whether the player's note is in G7, and how far above its root."""
    seen = see([G7], note)
    assert [fit, above] == [seen["player_fit"][0], seen["above_root"][0]]


def test_shared_tones() -> None:
    """The implied C has all three tones in our C and one in our F; in silence there is nothing to count."""
    assert [3, 1, 5] == [see(own, 60)["shared"][0] for own in ([C], [F], [C, REST])]


def test_all_is_relative_to_the_tonic() -> None:
    """In D with everything a tone higher the observation is the same."""
    assert see([C, F, HOLD], 60) == see([C + 18, F + 18, HOLD], 62, tonic=2)
