"""Features of actions: each as its table says, computed from the observation alone."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pytest

from improviser.engine import preference_features as trait
from improviser.engine.preference_features import COMPING_TRAITS, TUNE_TRAITS, PreferenceFeatures
from improviser.listening.line import RANGE
from improviser.listening.observation import COLUMNS
from improviser.listening.own_chords import CHORD_COLUMNS
from improviser.music.chord import QUALITIES, QUALITY_COUNT
from improviser.music.meter import PLAIN, Meter
from improviser.music.scale import Mode
from improviser.playing.actions import FIRST_ONSET, HOLD_ACTION, REST_ACTION

NONE = RANGE
QUALITY = {name: row for row, (name, _) in enumerate(QUALITIES)}
C, D, E, G, C5 = (FIRST_ONSET + degree for degree in (0, 2, 4, 7, 12))


def observation(columns: dict[str, slice], **values: object) -> npt.NDArray[np.uint8]:
    """Return an observation, (1, columns), with the given values and all others unknown."""
    seen = np.zeros((1, max(where.stop for where in columns.values())), dtype=np.uint8)
    nothing = {"chord_root": 12, "chord_quality": QUALITY_COUNT, "own_interval": 25, "player_pitches": NONE}
    for name, value in (nothing | values).items():
        if name in columns:
            seen[0, columns[name]] = value
    return seen


def tune(**values: object) -> dict[str, npt.NDArray[np.float32]]:
    """Return a tune's features by name, (actions,) each."""
    seen = observation(COLUMNS, **({"own_pitches": NONE} | values))
    return dict(zip(TUNE_TRAITS.names, TUNE_TRAITS.of(seen)[0].T, strict=True))


def comping(**values: object) -> dict[str, npt.NDArray[np.float32]]:
    """Return a comping's features by name, (actions,) each."""
    seen = observation(CHORD_COLUMNS, **({"own_chords": 108} | values))
    return dict(zip(COMPING_TRAITS.names, COMPING_TRAITS.of(seen)[0].T, strict=True))


def last(degree: int) -> list[int]:
    """Return the last eight onsets, of which only the last is known."""
    return [NONE] * 7 + [degree]


@pytest.mark.parametrize(("traits", "heading"), [(TUNE_TRAITS, "a tune's"), (COMPING_TRAITS, "a comping's")])
def test_the_table_is_the_code(traits: PreferenceFeatures, heading: str) -> None:
    """The names and words in the docstring are those of the code."""
    table = (trait.__doc__ or "").split(heading)[1].split("\n\n")[0]
    rows = re.findall(r"^\| (\w+) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", table, re.MULTILINE)
    assert [(name, *words) for name, words in traits.words.items()] == rows


def test_holds_and_rests_have_no_trait_but_their_own() -> None:
    """A hold has no feature, and a rest has only its own."""
    seen = tune(own_pitches=last(4), chord_root=0, chord_quality=0)
    assert not any(values[HOLD_ACTION] for values in seen.values())
    assert ["rest"] == [name for name, values in seen.items() if values[REST_ACTION]]
    chords = comping(own_chords=[108] * 7 + [3])
    assert not any(values[HOLD_ACTION] for values in chords.values())
    assert ["rest"] == [name for name, values in chords.items() if values[REST_ACTION]]


def test_intervals_are_from_the_last_note() -> None:
    """A step is no leap, a fifth half of one, an octave a whole one; the same note repeats; upwards is rising."""
    seen = tune(own_pitches=last(0))
    assert [0.0, 0.0, 0.5, 1.0] == [float(seen["leap"][action]) for action in (C, D, G, C5)]
    assert [1.0, 0.0] == [float(seen["repeat"][action]) for action in (C, D)]
    assert [0.0, 1.0] == [float(seen["rising"][action]) for action in (C, D)]
    assert -1.0 == tune(own_pitches=last(12))["rising"][C]
    nothing_before = tune()
    assert not any(nothing_before[name].any() for name in ("leap", "repeat", "rising"))


def test_height_is_within_the_register() -> None:
    """The bottom of the register is -1, the middle 0, the top 1."""
    high = tune()["high"][FIRST_ONSET:]
    assert [-1.0, 0.0, 1.0] == [float(high[place]) for place in (0, 18, 36)]


def test_colour_is_outside_of_the_chord_and_foreign_outside_of_the_scale() -> None:
    """Without an implied chord no note is a colour note; a major third is foreign to minor."""
    seen = tune(chord_root=0, chord_quality=QUALITY["m"], mode=int(Mode.MINOR))
    assert [0.0, 1.0, 1.0] == [float(seen["colour"][action]) for action in (C, D, E)]
    assert [0.0, 0.0, 1.0] == [float(seen["outside"][action]) for action in (C, D, E)]
    assert not tune()["colour"].any()


def test_offbeats_are_those_of_the_meter() -> None:
    """The value is 1 between eighths, a half on weak eighths and 0 on beats; in 6/8 the dotted quarter is the beat."""

    def onset(sixteenth: int, meter: Meter) -> float:
        """Return how far an onset is off the beat."""
        return float(tune(sixteenth=sixteenth, meter=PLAIN.index(meter))["offbeat"][C])

    assert [0.0, 1.0, 0.5, 1.0, 0.0] == [onset(place, Meter(4, 4)) for place in range(5)]
    assert [0.5, 0.5, 0.0] == [onset(place, Meter(6, 8)) for place in (2, 4, 6)]


def test_an_echo_goes_on_as_the_player_did() -> None:
    """After the player's second and third up, a third after our second up is an echo, and so are both downwards."""
    player = [NONE] * 5 + [10, 12, 16]
    up = tune(player_pitches=player, own_pitches=last(4), own_interval=12 + 2)
    assert [FIRST_ONSET + 8] == np.flatnonzero(up["echo"]).tolist()
    down = tune(player_pitches=player, own_pitches=last(4), own_interval=12 - 2)
    assert [FIRST_ONSET + 0] == np.flatnonzero(down["echo"]).tolist()
    for silent in ({"own_interval": 25}, {"own_interval": 12}, {"own_interval": 12 + 5}):
        assert not tune(player_pitches=player, own_pitches=last(4), **silent)["echo"].any()
    assert not tune(player_pitches=[NONE] * 6 + [12, 16], own_pitches=last(4), own_interval=14)["echo"].any()


def test_chords_have_traits_of_their_own() -> None:
    """Features of chords: whether they hold the player's note, how rich they are, their root, whether they are new."""
    seen = comping(player_pitches=last(16), mode=int(Mode.MAJOR), own_chords=[108] * 7 + [4 * QUALITY_COUNT])

    def chord(root: int, quality: str) -> int:
        """Return the action of a chord."""
        return FIRST_ONSET + root * QUALITY_COUNT + QUALITY[quality]

    chords = [chord(0, ""), chord(2, "m"), chord(4, "")]
    assert [1.0, 0.0, 1.0] == [float(seen["fit"][one]) for one in chords]
    assert [0.0, 0.0, 1.0] == [float(seen["repeat"][one]) for one in chords]
    assert [0.0, 1.0] == [float(seen["colour"][one]) for one in (chord(0, "m"), chord(0, "maj7"))]
    assert [0.0, 1.0] == [float(seen["outside"][one]) for one in (chord(2, "m"), chord(1, ""))]
    assert not comping()["fit"].any()


def test_a_taste_is_told_in_words_the_strongest_first() -> None:
    """A preference is described with its strongest features first, without the weak ones."""
    taste = np.zeros(len(TUNE_TRAITS.names), dtype=np.float32)
    taste[TUNE_TRAITS.names.index("leap")] = -0.5
    taste[TUNE_TRAITS.names.index("onset")] = -1.8
    taste[TUNE_TRAITS.names.index("high")] = 0.05
    assert "sparser, less leaping" == TUNE_TRAITS.describe(taste)
    assert {"onset", "leap", "high"} == TUNE_TRAITS.to_dict(taste).keys()
