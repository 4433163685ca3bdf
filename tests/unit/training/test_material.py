"""The parts of the corpus that a style is trained on, and those that it is measured on."""

from __future__ import annotations

import numpy as np

from improviser.engine.role import BASS as BASS_ROLE
from improviser.engine.role import COMPING
from improviser.listening.line import NONE
from improviser.listening.observation import COLUMNS, STYLES
from improviser.playing.actions import ACTION_COUNT, FIRST_ONSET
from improviser.training.env import EPISODE_BEATS
from improviser.training.grid import UNKNOWN, Part
from improviser.training.material import (
    GameSettings,
    game_parts,
    held_out_parts,
    human_parts,
    imitation,
    some_of,
    training_lines,
)
from tests.tiny_corpus import chorale, tiny_corpus, tune

CHORALE, FIDDLE = GameSettings("chorale"), GameSettings("fiddle", register_low=55)
COMPED = GameSettings("chorale", 4, 48, COMPING.name)


def has_player(part: Part) -> bool:
    """Return whether a part has a player."""
    return not (part.player == NONE).all()


def has_partner(part: Part) -> bool:
    """Return whether a part has a human partner."""
    return not (part.partner == NONE).all()


def test_chorales_are_imitated_as_duets_and_alone() -> None:
    """Every step of every partner voice is a row: 12 duets, 4 trios, 4 voices alone, 8 by a chart; no tunes."""
    data = imitation([chorale(bars=2), tune()], GameSettings("chorale"))
    assert (28 * 32, 28 * 32) == (len(data.actions), len(data.observations))
    assert {STYLES.index("chorale")} == set(data.observations[:, COLUMNS["style"]].ravel().tolist())
    alone = data.observations[:, COLUMNS["player_present"]].ravel() == 0
    assert (4 + 2) * 32 == alone.sum()


def test_the_fiddle_imitates_tunes_and_dances() -> None:
    """The fiddle style imitates tunes alone, and the duets of a chorale at double speed, six of them by a chart."""
    data = imitation([chorale(bars=2), tune(bars=3)], GameSettings("fiddle"))
    assert (12 + 4 + 2) * 16 + 48 == len(data.actions)
    assert {STYLES.index("fiddle")} == set(data.observations[:, COLUMNS["style"]].ravel().tolist())
    assert ACTION_COUNT > data.actions.max() >= FIRST_ONSET


def test_what_may_be_copied_is_of_the_training_split() -> None:
    """Each chorale gives four lines; for the fiddle these are twice as fast, followed by the tunes."""
    pieces = [make(split, split, 0, 8) for split in ("train", "test") for make in (chorale, tune)]
    chorales, dances = (training_lines(pieces, GameSettings(style)) for style in ("chorale", "fiddle"))
    # Onsets of soprano, alto, tenor and bass in eight bars; the tune has seven notes a bar.
    assert [32, 64, 16, 8] == [int(np.sum(line >= 0)) for line in chorales]
    assert [32, 64, 16, 8, 56] == [int(np.sum(line >= 0)) for line in dances]
    assert [2 * len(line) for line in dances[:-1]] == [len(line) for line in chorales]


def test_games_are_long_enough() -> None:
    """No part is shorter than an episode, and some have no player."""
    for settings in (CHORALE, FIDDLE):
        parts = game_parts([*tiny_corpus(), chorale(bars=3), tune(bars=3), chorale(bars=16)], settings)
        assert all(len(part.player) >= EPISODE_BEATS * part.steps_per_beat for part in parts)
        assert {True, False} == {has_player(part) for part in parts}
        assert {STYLES.index(settings.style)} == {part.style for part in parts}


def test_tunes_are_played_in_the_presets_register() -> None:
    """The partner of a tune begins at the same tonic as the preset's register."""
    parts = [part for part in game_parts(tiny_corpus(), FIDDLE) if has_player(part) and not has_partner(part)]
    assert {60} == {part.own_base for part in parts}


def test_the_test_split_is_held_out() -> None:
    """Held-out parts come from the test split only, with a player, and for people with a partner."""
    for settings, count in ((CHORALE, 8), (FIDDLE, 2)):
        players = held_out_parts(tiny_corpus(), settings)
        people = human_parts(tiny_corpus(), settings)
        assert (count, count) == (len(players), len(people))
        assert all("test" in part.name for part in [*players, *people])
        assert all(has_player(part) for part in players)
        assert all(has_partner(part) for part in people)


def test_the_validation_split_is_held_out_too() -> None:
    """On request held-out parts come from the validation split only."""
    pieces = tiny_corpus()
    parts = [*held_out_parts(pieces, CHORALE, "valid"), *human_parts(pieces, CHORALE, "valid")]
    assert 16 == len(parts)
    assert all("valid" in part.name for part in parts)


def test_three_voices_at_once() -> None:
    """One of the held-out players is the three upper voices together, against the bass."""
    (part,) = (part for part in held_out_parts([chorale(split="test")], CHORALE) if "SAT" in part.name)
    assert 3 == int(part.bits[4]).bit_count()  # D, G and C in the second beat
    np.testing.assert_array_equal([48, 43], part.partner[part.partner >= 0][:2])


def test_chords_are_imitated_below_each_voice() -> None:
    """Chords are imitated below each voice, below the upper three, alone and by a chart; tunes have none."""
    data = imitation([chorale(bars=2), tune()], COMPED)
    assert (10 * 32, COMPING.action_count) == (len(data.actions), data.action_count)
    assert (len(data.actions), COMPING.columns) == data.observations.shape
    assert data.actions.max() < COMPING.action_count


def test_games_below_tunes() -> None:
    """Chords are played below chorale voices, below every other tune, and alone; some of them by a chart."""
    pieces = [chorale(), tune("one"), tune("two"), tune("three")]
    parts = game_parts(pieces, COMPED)
    assert {COMPING} == {part.role for part in parts}
    assert [True] * 5 + [False] + [True] * 2 + [False] * 2 + [True] * 2 == [has_player(part) for part in parts]
    assert [True] * 10 + [False] * 2 == [has_partner(part) for part in parts]
    by_chart = [part for part in parts if (part.given != UNKNOWN).any()]
    assert [True, True, False] == [has_player(part) for part in by_chart]
    assert all((part.given == part.chords).all() for part in by_chart)


def test_people_are_those_below_whom_is_played() -> None:
    """On the test split the players are the same with and without the human chords; there are no tunes to copy."""
    pieces = tiny_corpus()
    names = [[part.name for part in give(pieces, COMPED)] for give in (held_out_parts, human_parts)]
    assert names[0] == names[1]
    assert [] == training_lines(pieces, COMPED)


def test_a_bass_is_played_below_chorales_tunes_and_by_a_chart() -> None:
    """A bass is imitated below three kinds of players; games have tunes too, and some players are absent."""
    settings = GameSettings("chorale", role="bass", register_low=36)
    data = imitation([chorale(bars=2), tune()], settings)
    assert BASS_ROLE.columns == data.observations.shape[1]
    parts = game_parts([chorale(), tune("one"), tune("two")], settings)
    assert {(BASS_ROLE, 36)} == {(part.role, part.own_base) for part in parts}
    assert {True, False} == {has_player(part) for part in parts} == {has_partner(part) for part in parts}
    names = [[part.name for part in give(tiny_corpus(), settings)] for give in (held_out_parts, human_parts)]
    assert names[0] == names[1]
    assert [] == training_lines(tiny_corpus(), settings)


def test_of_a_large_corpus_random_parts_are_enough() -> None:
    """About so many steps are kept, in their order, and other ones by another seed; of a small corpus all."""
    parts = game_parts([tune(str(number), bars=16) for number in range(20)], FIDDLE)
    steps = len(parts[0].player)
    one, again, other = (some_of(parts, 5 * steps, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert 5 == len(one)
    places = [next(place for place, part in enumerate(parts) if part is chosen) for chosen in one]
    assert places == sorted(places)
    assert [part.name for part in one] == [part.name for part in again] != [part.name for part in other]
    assert parts == some_of(parts, 10**9, np.random.default_rng(0))
