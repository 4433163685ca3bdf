"""The roles: actions, events and gestures correspond to each other."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.engine.role import COMPING, MELODY, ROLES, Role
from improviser.listening.line import HOLD, NONE, REST
from improviser.listening.observation import Place
from improviser.music.chord import chord_from_index
from improviser.music.pitch import NO_SPAN
from improviser.music.scale import parse_key
from improviser.playing.actions import FIRST_ONSET, HOLD_ACTION, REST_ACTION

BOTH = pytest.mark.parametrize("role", [MELODY, COMPING], ids=["melody", "comping"])


def here(tonic: int, base: int) -> Place:
    """Return a place for one lane."""
    zero = np.array([0])
    return Place(np.array([tonic]), zero, zero, zero, zero, zero, zero, np.array([base]), zero)


@BOTH
@pytest.mark.parametrize("key", [(0, 48), (5, 53), (11, 59)])
def test_actions_and_events_are_the_same(role: Role, key: tuple[int, int]) -> None:
    """Each action has its own event, which converts back to it; hold and rest are those of a line."""
    place, actions = here(*key), np.arange(role.action_count)
    events = role.events(actions, place)
    assert [HOLD, REST] == events[[HOLD_ACTION, REST_ACTION]].tolist()
    assert role.action_count == len(set(events.tolist()))
    assert actions.tolist() == role.actions(events, place).tolist()
    assert [role.action_count] == role.actions(np.array([NONE], dtype=np.int16), place).tolist()


@BOTH
def test_gestures_are_what_the_events_say(role: Role) -> None:
    """An action strikes the note, or the chord, that its event names."""
    for action in range(FIRST_ONSET, role.action_count):
        gesture = role.gesture(action, 2, 50, (), NO_SPAN)
        event = int(role.events(np.array([action]), here(2, 50))[0])
        assert event == (gesture.notes[0] if gesture.chord is None else gesture.chord)


@BOTH
def test_the_mask_is_as_long_as_the_actions(role: Role) -> None:
    """The mask has a flag for each action, and hold needs a sounding note."""
    mask = role.legal(0, 48, is_sounding=False, pitch_classes=None)
    assert (role.action_count, False) == (len(mask), mask[HOLD_ACTION])


@BOTH
def test_the_player_comes_first(role: Role) -> None:
    """The columns are those of the features, and all roles begin with the player's columns."""
    assert role.columns == sum(columns for _, columns, _ in role.groups)
    assert MELODY.groups[0] == role.groups[0]
    assert role is ROLES[role.name]


@pytest.mark.parametrize(
    ("key", "note", "chord"), [("C", 62, "Dm"), ("C", 59, "Bdim"), ("Am", 64, "E"), ("G", 61, "C#")]
)
def test_chords_on_notes(key: str, note: int, chord: str) -> None:
    """A note of a fragment gets the key's triad, or a major triad where the key has none."""
    tonality = parse_key(key)
    action = COMPING.action_on(note, tonality, 48)
    found = chord_from_index(int(COMPING.events(np.array([action]), here(tonality.tonic, 48))[0]))
    assert found is not None
    assert chord == found.name


def test_a_melody_clashes_where_it_is_not_consonant() -> None:
    """Seconds, fourths above the lower note, tritones and sevenths clash; a fourth below is a fifth above."""
    notes = np.array([48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60], dtype=np.int16)
    clashing = [48 + at for at in (1, 2, 5, 6, 10, 11)]
    assert clashing == notes[MELODY.clashes(notes, 48)].tolist()
    assert [True, False] == MELODY.clashes(np.array([43, 41], dtype=np.int16), 48).tolist()


def test_a_chord_clashes_with_the_semitone_beside_a_tone() -> None:
    """C major clashes with C sharp and F, not with its own E, nor with A."""
    c_major = np.array([0], dtype=np.int16)
    assert [True, True, False, False] == [bool(COMPING.clashes(c_major, note)[0]) for note in (61, 65, 64, 69)]
