"""The rewards of chords: each term by example, and that no simple strategy exploits them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.listening.line import HOLD, REST, Line, turns
from improviser.listening.observation import line_density
from improviser.listening.player import Player
from improviser.music.accent import LEVELS
from improviser.music.chord import CHORD_BITS, CHORD_COUNT, root_above
from improviser.music.pitch import pitch_class_bits, rotate
from improviser.music.voice_leading import MOVEMENT
from improviser.rewards import COMPING, COMPONENTS, Scene
from tests.scenes import MELODY, events, sure_tones

GRID = np.array([4]), np.array([16])
C, DM, EM, F, G, G7, AM, F_SHARP = 0, 19, 37, 45, 63, 67, 82, 54
# What a musician might play below MELODY: two chords a bar, for eight bars.
CHANGES = [C, F, AM, G, AM, DM, C, G, C, F, AM, DM, EM, AM, G7, C]


def judge_chords(own: list[int], player: list[int], tonic: int = 0) -> list[dict[str, float]]:
    """Return terms and components by name for each sixteenth of `own`, with `player` beside it, in major."""
    line, listened, judged = Line(*GRID), Player(*GRID), []
    for step, event in enumerate(own):
        heard = player[step] if step < len(player) else REST
        sounding = int(listened.line.note[0]) if heard == HOLD else heard
        bits = pitch_class_bits([sounding]) if sounding >= 0 else 0
        sound = np.array([heard], dtype=np.int16), np.array([bits]), np.array([sounding])
        listened.push(*sound, LEVELS[[0], [step % 16]])
        line.push(np.array([event], dtype=np.int16))
        key = np.array([tonic])
        chord_bits = rotate(CHORD_BITS[listened.chord], key)
        level = LEVELS[0, [step % 16]]
        scene = Scene(
            own=line,
            bits=rotate(listened.bits, key),
            player_note=listened.line.note,
            player_before=listened.line.before,
            player_turns=turns(listened.line.intervals),
            chord_bits=chord_bits,
            chord_root=root_above(listened.chord, key),
            chord_tones=sure_tones(chord_bits),
            tonic=key,
            mode=np.array([0]),
            player_held=listened.line.held,
            player_density=line_density(listened.line),
            moment=COMPING.moments(level, np.array([step % 16]), np.array([step // 16]), chord_bits),
            style=np.array([0]),
        )
        terms = COMPING.judge(scene)[0]
        components = terms @ COMPING.component_weights()
        values = [*terms.tolist(), *components.tolist()]
        judged.append(dict(zip((*COMPING.terms, *COMPONENTS), values, strict=True)))
    return judged


def held(chords: list[int], steps: int = 8) -> list[int]:
    """Return chords struck one after the other, each held for `steps` steps."""
    return [event for chord in chords for event in (chord, *[HOLD] * (steps - 1))]


def mean(chords: list[int], name: str = "") -> float:
    """Return the mean of a term, or of the sum of the components, below MELODY."""
    judged = judge_chords(chords, events(MELODY))
    names = (name,) if name else COMPONENTS
    return sum(step[each] for step in judged for each in names) / len(judged)


def last(own: list[int], player: list[int], name: str) -> float:
    """Return a term of the last step."""
    return judge_chords(own, player)[-1][name]


def test_the_weights_of_each_component_make_one() -> None:
    """The weights of each component sum to 1, so that it stays in [-1, 1] as its terms do."""
    for component in COMPONENTS:
        assert pytest.approx(1) == sum(weight for name, weight in COMPING.terms.values() if name == component)


@given(
    st.lists(st.one_of(st.integers(0, CHORD_COUNT - 1), st.sampled_from([HOLD, REST])), max_size=40),
    st.lists(st.one_of(st.integers(40, 90), st.sampled_from([HOLD, REST])), max_size=40),
)
def test_all_lies_within_one(own: list[int], player: list[int]) -> None:
    """Each term and each component is in [-1, 1], whatever is played."""
    for step in judge_chords(own, player):
        assert all(-1 - 1e-6 <= value <= 1 + 1e-6 for value in step.values())


@given(st.integers(1, 11))
def test_transposition_changes_nothing(semitones: int) -> None:
    """In another key, with all notes and chords transposed, every term is the same."""
    own, player = held(CHANGES[:4]), events(MELODY)[:32]
    moved = [(event + 9 * semitones) % CHORD_COUNT if event >= 0 else event for event in own]
    higher = [event + semitones if event >= 0 else event for event in player]
    here, there = judge_chords(own, player), judge_chords(moved, higher, semitones)
    assert all(pytest.approx(one, abs=1e-6) == other for one, other in zip(here, there, strict=True))


@pytest.mark.parametrize(
    "trick",
    [
        held([C] * 16),
        held([C] * 8, 16),
        [C, *[HOLD] * 127],
        held([C, G] * 8),
        held([C, F, G, C] * 4),
        held([C, F] * 32, 2),
        held([F_SHARP, C] * 8),
        [REST] * 128,
        held([C, DM, EM, F, G, AM] * 21, 1),
    ],
    ids=["tonic", "tonic a bar", "held", "to and fro", "loop", "eighths", "tritone", "rest", "sixteenths"],
)
def test_no_trick_pays(trick: list[int]) -> None:
    """Chords that follow the tune earn more than any simple strategy that does not listen."""
    assert mean(held(CHANGES)) > 0.05 + mean(trick)


def test_fit() -> None:
    """On the downbeat the player's note in our chord earns 1, and a note outside is punished."""
    assert pytest.approx(1.0) == last([C], [64], "fit")
    assert pytest.approx(-0.8) == last([C], [62], "fit")
    assert 0 == last([REST], [62], "fit")


def test_chord() -> None:
    """Each chord earns by the tones that it shares with the implied chord, C."""
    assert [1.0, pytest.approx(1 / 3), -1.0] == [last([chord], [60], "chord") for chord in (C, AM, F_SHARP)]


def test_scale_and_clash() -> None:
    """Tones outside the key cost, and so does a player's note a semitone above one of ours."""
    assert [0, -1.0] == [last([chord], [60], "scale") for chord in (C, F_SHARP)]
    assert [0, -1.0] == [last([C], [note], "clash") for note in (62, 65)]


def test_meter() -> None:
    """A chord on the downbeat earns most, and one a sixteenth later costs."""
    assert pytest.approx(1.0) == last([C], [60], "meter")
    assert last([REST, C], [60], "meter") < 0
    assert pytest.approx(-0.5) == last(held([C], 17), [60], "meter")


def test_density() -> None:
    """Within the band the term is 0; a chord in every sixteenth, or one in two bars, costs."""
    player = events(MELODY)
    assert 0 == last(held(CHANGES[:8], 5), player, "density")
    assert last(held([C, F] * 16, 1), player, "density") == -1.0
    assert last(held([C], 40), player, "density") < 0


def test_progression_and_leading() -> None:
    """From V to I is usual, from I to F sharp is not, and the same chord again is neither."""
    assert [1.0, -0.6, 0] == [
        pytest.approx(last(pair, [60, 60], "progression")) for pair in ([G, C], [C, F_SHARP], [C, C])
    ]
    far = int(MOVEMENT[C].argmax())
    assert [1.0, 0] == [last([C, chord], [60], "leading") for chord in (AM, C)]
    assert last([C, far], [60], "leading") < 0


def test_cadence() -> None:
    """At the end of eight bars the tonic earns and the dominant costs; after four both earn."""
    quiet = [REST] * 56
    assert pytest.approx([0.7, 0.7, -0.4]) == [last([*quiet, chord], [], "cadence") for chord in (C, G, F)]
    quiet = [REST] * 120
    assert pytest.approx([1.0, -0.3, -0.7]) == [last([*quiet, chord], [], "cadence") for chord in (C, G, F)]


def test_surprise() -> None:
    """A few unusual progressions earn more than none, and more than only unusual ones."""
    usual, some, odd = [C, F, G, C, F, G, C, G], [C, EM, F, DM, AM, EM, F, G], [F_SHARP, C] * 4
    worth = [last(held(chords, 2), [60], "surprise") for chords in (usual, some, odd)]
    assert worth[1] > max(worth[0], worth[2])


def test_novelty() -> None:
    """Two bars equal to the two bars before are a loop."""
    assert -1.0 == last(held([C, F, G, C] * 2 + [C, F, G, C]), [60], "novelty")
    assert 0 == last(held(CHANGES), [60], "novelty")


def test_variety_and_change() -> None:
    """Many chords earn, and the three of a song a little; two, or one struck repeatedly, cost unless it is the one."""
    many, three, two = (
        last(held(chords, 2), [60], "variety") for chords in (CHANGES[:8], [C, F, G, C] * 2, [C, G] * 4)
    )
    assert many > three > 0 > two
    again = [last(held(chords, 2), [60], "change") for chords in (CHANGES[:4], [G] * 4, [C] * 4)]
    assert pytest.approx([0, -0.7, 0]) == again


def test_invented() -> None:
    """Leaving the chord behind for one that shares fewer tones costs, most at first; coming back does not."""
    left = [last([C] * 4 + held([chord], 4), [60, *[HOLD] * 7], "invented") for chord in (C, F_SHARP)]
    assert pytest.approx([0, -1]) == left
    assert 0 == last([F_SHARP] * 4 + held([C], 4), [60, *[HOLD] * 7], "invented")
    late = last([C] * 4 + held([F_SHARP], 12), [60, *[HOLD] * 15], "invented")
    assert -0.6 < late < 0
