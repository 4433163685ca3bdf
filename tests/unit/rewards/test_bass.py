"""The rewards of a bass line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.listening.line import HOLD, REST, Line, turns
from improviser.listening.observation import line_density
from improviser.listening.player import Player
from improviser.music.accent import LEVELS
from improviser.music.chord import CHORD_BITS, QUALITY_COUNT
from improviser.music.pitch import OCTAVE, pitch_class_bits
from improviser.rewards import BASS, COMPONENTS, Scene
from tests.scenes import sure_tones

GRID = np.array([4]), np.array([16])
C, F, G7 = 0, 5 * QUALITY_COUNT, 7 * QUALITY_COUNT + 4
# A walk below C, F, G7, C of two beats each: quarters, roots on the strong beats.
WALK = [36, 38, 41, 43, 43, 47, 48, 43]


def judge_bass(own: list[int], chords: list[int], player: list[int] | None = None) -> list[dict[str, float]]:
    """Return terms and components by name for each sixteenth of `own`, with the chord behind it, in C major."""
    line, listened, judged = Line(*GRID), Player(*GRID), []
    for step, event in enumerate(own):
        note = -1 if player is None else player[step]
        heard = np.array([note if note >= 0 else REST], dtype=np.int16)
        bits = np.array([pitch_class_bits([note]) if note >= 0 else 0])
        level = LEVELS[[0], [step % 16]]
        listened.push(heard, bits, np.array([note]), level)
        line.push(np.array([event], dtype=np.int16))
        chord = np.array([chords[step]])
        chord_bits = CHORD_BITS[chord]
        scene = Scene(
            own=line,
            bits=bits,
            player_note=listened.line.note,
            player_before=listened.line.before,
            player_turns=turns(listened.line.intervals),
            chord_bits=chord_bits,
            chord_root=chord // QUALITY_COUNT,
            chord_tones=sure_tones(chord_bits),
            tonic=np.array([0]),
            mode=np.array([0]),
            player_held=listened.line.held,
            player_density=line_density(listened.line),
            moment=BASS.moments(level, np.array([step % 16]), np.array([step // 16]), chord_bits),
            style=np.array([4]),
        )
        terms = BASS.judge(scene)[0]
        values = [*terms.tolist(), *(terms @ BASS.component_weights()).tolist()]
        judged.append(dict(zip((*BASS.terms, *COMPONENTS), values, strict=True)))
    return judged


def held(notes: list[int], steps: int = 4) -> list[int]:
    """Return notes struck one after the other, each held for `steps` steps."""
    return [event for note in notes for event in (note, *[HOLD] * (steps - 1))]


def mean(own: list[int], name: str = "") -> float:
    """Return the mean of a term, or of the sum of the components, below C, F, G7, C of two beats each."""
    chords = [chord for chord in (C, F, G7, C) for _ in range(8)]
    judged = judge_bass(own, (chords * (len(own) // 32 + 1))[: len(own)])
    names = (name,) if name else COMPONENTS
    return sum(step[each] for step in judged for each in names) / len(judged)


def test_the_weights_of_each_component_make_one() -> None:
    """The weights of each component sum to 1, so that it stays in [-1, 1] as its terms do."""
    for component in COMPONENTS:
        assert pytest.approx(1) == sum(weight for name, weight in BASS.terms.values() if name == component)


@given(
    st.lists(st.one_of(st.integers(28, 60), st.sampled_from([HOLD, REST])), min_size=1, max_size=40),
    st.integers(-1, 107),
)
def test_all_lies_within_one(own: list[int], chord: int) -> None:
    """Each term and each component is in [-1, 1], whatever is played."""
    for step in judge_bass(own, [chord] * len(own)):
        assert all(-1 - 1e-6 <= value <= 1 + 1e-6 for value in step.values())


def test_the_root_counts_most() -> None:
    """On the downbeat of C the root earns 1, the fifth and the third less, and a tone outside costs; no chord, none."""
    root, fifth, third, outside = (judge_bass([note], [C])[0]["root"] for note in (36, 43, 40, 38))
    assert 1 == root > fifth > third > 0 > outside
    assert 0 == judge_bass([36], [-1])[0]["root"] == judge_bass([REST], [C])[0]["root"]
    weak = judge_bass([36, HOLD], [C, C])[1]["root"]
    assert 0 < weak < root


def test_it_walks() -> None:
    """Steps and fourths earn, a tritone and a seventh cost, the same note again does neither."""
    walked = {up: judge_bass(held([40, 40 + up]), [C] * 8)[4]["walk"] for up in (0, 2, 5, 6, 11, -2)}
    assert walked[2] == walked[-2] == 1
    assert 0 < walked[5] < 1
    assert 0 == walked[0]
    assert walked[11] < walked[6] < 0


def test_density_has_two_ends() -> None:
    """More than eighths and less than halves cost; quarters do not."""
    assert 0 == mean(held([36] * 16), "density")
    assert mean(held([36] * 64, 1), "density") < 0
    assert mean([*held([36], 32), *[HOLD] * 32], "density") < 0


def test_it_stays_below() -> None:
    """Less than an octave below the player costs."""
    near, far = (judge_bass([note], [C], [60])[0]["spacing"] for note in (55, 43))
    assert (-1, 0) == (near, far)


@pytest.mark.parametrize(
    "trick",
    [held([36] * 32), [36, *[HOLD] * 127], held([36, 43] * 16), held([36 + step % OCTAVE for step in range(32)])],
    ids=["tonic", "held", "to and fro", "chromatic"],
)
def test_no_trick_pays(trick: list[int]) -> None:
    """A walk on the roots earns more than any simple strategy that does not listen."""
    assert mean(held(WALK) * 4) > 0.05 + mean(trick)
