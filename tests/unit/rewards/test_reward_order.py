"""The order of rewards: music earns more than ways to exploit the reward."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.listening.line import HOLD, NONE, Line, turns
from improviser.listening.observation import STYLES
from improviser.rewards import COMPONENTS, Scene, component_weights, judge, moments
from tests.scenes import ABOVE, MELODY, events, judge_line, mean_reward, random_line

STEPS = len(events(MELODY))
SCALE = ["C4", "D4", "E4", "F4", "G4", "F4", "E4", "D4"]
QUARTER, EIGHTH = " - - - ", " - "
CHEATS = {
    "two notes in quarters": f"C4{QUARTER}D4{QUARTER}",
    "two notes in eighths": f"E4{EIGHTH}G4{EIGHTH}",
    "two notes in sixteenths": "C4 D4 ",
    "one note in quarters": f"E4{QUARTER}",
    "one note in eighths": f"E4{EIGHTH}",
    "one note held": "E4" + " -" * (STEPS - 1),
    "a loop of a bar": EIGHTH.join(SCALE) + EIGHTH,
    "a loop of two bars": QUARTER.join(SCALE) + QUARTER,
    "silence": ". ",
}


@pytest.fixture(params=range(len(STYLES)), ids=STYLES)
def style(request: pytest.FixtureRequest) -> int:
    """Each style by its row."""
    row: int = request.param
    return row


def _reward(own: str | list[int], style: int) -> float:
    """Return the mean reward of a line, repeated to the melody's length, beside the part above."""
    line = events(own) if isinstance(own, str) else own
    repeated = (line * STEPS)[:STEPS]
    return mean_reward(judge_line(repeated, ABOVE, style=style))


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_melody_earns_more_than_a_cheat(cheat: str, style: int) -> None:
    """The example melody earns clearly more than oscillation, repetition, a loop or silence."""
    assert _reward(MELODY, style) > _reward(CHEATS[cheat], style) + 0.2


@pytest.mark.parametrize("rhythm", [2, 4])
def test_a_melody_earns_more_than_random_notes_of_the_key(rhythm: int, style: int) -> None:
    """The example melody earns clearly more than eighths or quarters drawn from the key."""
    rng = np.random.default_rng(1)
    notes = [note for note in range(55, 80) if note % 12 in {0, 2, 4, 5, 7, 9, 11}]
    drawn = [HOLD if step % rhythm else int(rng.choice(notes)) for step in range(STEPS)]
    assert _reward(MELODY, style) > _reward(drawn, style) + 0.2


def test_a_melody_earns_more_than_chance(style: int) -> None:
    """The example melody earns clearly more than events drawn from the whole register."""
    assert _reward(MELODY, style) > _reward(random_line(np.random.default_rng(2), STEPS, range(48, 85)), style) + 0.2


def test_every_term_keeps_its_bounds() -> None:
    """Over many random lanes each term and each component stays in [-1, 1]."""
    rng = np.random.default_rng(3)
    lanes = 512
    beats, bars = np.full(lanes, 4), rng.choice([8, 12, 16], lanes)
    own = Line(beats, bars)
    for _ in range(48):
        before = own.note
        own.push(rng.choice([*range(40, 90), -1, -2], lanes).astype(np.int16))
        terms = judge(_random_scene(rng, own, before))
        assert 1 >= np.abs(terms).max()
        assert 1 + 1e-6 >= np.abs(terms @ component_weights()).max()
    assert (lanes, len(COMPONENTS)) == (terms @ component_weights()).shape


def _random_scene(
    rng: np.random.Generator, own: Line, before: np.ndarray[tuple[int, ...], np.dtype[np.int16]]
) -> Scene:
    """Return a scene that is random except for our line."""
    lanes = len(own.note)
    chord_bits = rng.integers(4096, size=lanes)
    return Scene(
        own=own,
        bits=rng.integers(4096, size=lanes),
        player_note=rng.integers(-1, 128, size=lanes),
        player_before=before,
        player_turns=turns(rng.integers(-20, 21, size=(lanes, 8))),
        chord_bits=chord_bits,
        chord_root=rng.integers(12, size=lanes),
        chord_tones=rng.random((lanes, 12), dtype=np.float32),
        tonic=rng.integers(12, size=lanes),
        mode=rng.integers(2, size=lanes),
        player_held=rng.integers(17, size=lanes),
        player_density=rng.integers(9, size=lanes),
        moment=moments(
            rng.integers(5, size=lanes),
            rng.integers(16, size=lanes),
            rng.integers(100, size=lanes),
            chord_bits,
        ),
        style=rng.integers(2, size=lanes),
    )


def test_the_reward_does_not_depend_on_the_key() -> None:
    """A line and its player a tone higher, in the key a tone higher, earn the same in every term."""
    raised = [[event + 2 if event > NONE + 2 else event for event in events(text)] for text in (MELODY, ABOVE)]
    assert judge_line(MELODY, ABOVE) == judge_line(*raised, key="D")
