"""Players that repeat what the improviser played."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from improviser.listening.line import HOLD, REST, WINDOW
from improviser.listening.observation import COLUMNS
from improviser.playing.actions import FIRST_ONSET, HOLD_ACTION, REST_ACTION
from improviser.training import follower
from improviser.training.env import Game
from improviser.training.features import player_table
from improviser.training.grid import Part, chorale_parts, tune_parts
from tests.tiny_corpus import chorale, tune

LANES = 6
BAR = 16
# What the improviser plays in each bar: eighths going up from its base, C.
OURS = [FIRST_ONSET + semitones for semitones in (0, 2, 4, 5, 7, 9, 11, 12)]


def parts() -> list[Part]:
    """Return a tune as the player, with C4 as the improviser's base."""
    return list(tune_parts([tune(bars=16)], "fiddle", 4, 60))


def play(game: Game, steps: int) -> npt.NDArray[np.int64]:
    """Play the eighths; return the player's newest token in each observation, (steps, lanes)."""
    tokens = []
    for step in range(steps):
        tokens.append(game.observation[:, COLUMNS["player_tokens"]][:, -1].astype(np.int64))
        action = HOLD_ACTION if step % 2 else OURS[step % BAR // 2]
        game.step(np.full(LANES, action))
    return np.array(tokens)


def follow(share: float, steps: int = 128) -> npt.NDArray[np.int64]:
    """Play an environment whose players follow in a share of the bars, always from the part's first bar."""
    game = Game(parts(), player_table(parts()), LANES, np.random.default_rng(0), 1.0)
    old = follower.ANSWER_SHARE
    follower.ANSWER_SHARE = share  # type: ignore[misc]
    try:
        game.reset()
        return play(game, steps)
    finally:
        follower.ANSWER_SHARE = old  # type: ignore[misc]


def test_without_an_answer_the_part_is_played() -> None:
    """A player that never follows plays its part."""
    plain = Game(parts(), player_table(parts()), LANES, np.random.default_rng(0), 0.0)
    plain.reset()
    assert np.array_equal(play(plain, 128)[1:], follow(0.0)[1:])


def test_an_answer_is_our_last_bar() -> None:
    """From the second bar on the player repeats our previous bar, in its own register, note for note."""
    tokens = follow(1.0)
    ours = np.zeros(BAR, dtype=np.int64)
    ours[::2] = OURS
    base = parts()[0].player_base
    octaves = (60 - base) % 12
    assert 0 == octaves
    for bar in range(1, 8):
        answered = tokens[bar * BAR : (bar + 1) * BAR]
        assert (answered == ours[:, None]).all()


def test_some_bars_are_answered() -> None:
    """At a share of a half some bars repeat ours and some are the part's."""
    tokens = follow(0.5).T.reshape(LANES, 8, BAR)[:, 1:]
    second = tokens[:, :, 1]  # in the second step we hold
    is_ours = (tokens[:, :, ::2] == np.array(OURS)).all(axis=2)
    assert 0 < is_ours.mean() < 1
    assert (second[is_ours] == HOLD + 1).all()


def test_nothing_is_taken_up_of_silence() -> None:
    """Where we hardly play, the player plays its part."""
    game = Game(parts(), player_table(parts()), LANES, np.random.default_rng(0), 1.0)
    game.reset()
    plain = Game(parts(), player_table(parts()), LANES, np.random.default_rng(0), 0.0)
    plain.reset()
    rest = np.full(LANES, REST_ACTION)
    tokens = COLUMNS["player_tokens"]
    for _ in range(100):
        assert np.array_equal(game.observation[:, tokens][:, -1], plain.observation[:, tokens][:, -1])
        game.step(rest)
        plain.step(rest)


def test_after_an_answer_a_held_note_is_not_held() -> None:
    """After an answer the part rests until it strikes a note, and sets and notes always agree."""
    held = list(chorale_parts([chorale(bars=20)], "chorale", 4, casts=(((3,), 0),)))  # the bass: whole notes
    game = Game(held, player_table(held), LANES, np.random.default_rng(3), 1.0)
    game.reset()
    for step in range(120):
        scene = game._table.scene(game._own, game._row, game.place)  # noqa: SLF001 - input of the rewards
        silent = scene.player_note < 0
        assert np.array_equal(silent, scene.bits == 0)
        game.step(np.full(LANES, HOLD_ACTION if step % 2 else OURS[step % BAR // 2]))
    assert WINDOW == 2 * BAR
    assert REST < HOLD
