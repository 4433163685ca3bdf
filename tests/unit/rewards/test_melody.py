"""The terms of the reward: what each one rewards and punishes."""

from __future__ import annotations

import re
from types import ModuleType

import numpy as np
import pytest

from improviser import rewards
from improviser.rewards import COMPONENTS, TERMS, comping, component_weights, melody, stepwise_harmony
from tests.scenes import judge_line

REST_BAR = ". " * 16
HELD_BAR = "- " * 16
C_MAJOR_BROKEN = "C4 - - - E4 - - - G4 - - - - - - - "
QUARTERS = "C4 - - - D4 - - - E4 - - - F4 - - - "
# One strikes each beat; the other does until the third bar's downbeat, whose note it holds.
PLAYERS = "G4 - - - " * 10, "G4 - - - " * 8 + "G4" + " -" * 7


def last(own: str, player: str = "", *, bar: int = 0, style: int = 0) -> dict[str, float]:
    """Return the terms of the last step of `own`."""
    return judge_line(own, player, bar=bar, style=style)[-1]


def test_stepwise_harmony_is_the_share_of_small_steps() -> None:
    """Of the intervals 4, 3, 2, 1, -7 in C4 E4 G4 A4 Bb4 Eb4 two are at most two semitones: 2/5."""
    assert 2 / 5 == stepwise_harmony([60, 64, 67, 69, 70, 63])


def test_stepwise_harmony_of_the_worked_example() -> None:
    """C4 E4 G4 A4 has steps of 4, 3 and 2 semitones, of which one counts: 1/3."""
    assert 1 / 3 == stepwise_harmony([60, 64, 67, 69])


@pytest.mark.parametrize(("share", "notes"), [(0.0, []), (0.0, [60]), (1.0, [60, 62, 60, 60]), (0.0, [60, 63])])
def test_stepwise_harmony_at_its_ends(share: float, notes: list[int]) -> None:
    """One note has no step; seconds and repetitions count fully, thirds do not."""
    assert share == stepwise_harmony(notes)


@pytest.mark.parametrize("module", [melody, comping])
def test_the_docstring_table_is_the_table_of_terms(module: ModuleType) -> None:
    """Component, term and weight of each docstring row are those of TERMS, in their order."""
    rows = re.findall(r"^\| (\w+) \| (\w+) \| (\.\d+) \|", module.__doc__ or "", re.MULTILINE)
    assert [(component, term, float(weight)) for component, term, weight in rows] == [
        (component, term, weight) for term, (component, weight) in module.TERMS.items()
    ]


def test_the_weights_of_a_component_sum_to_one() -> None:
    """Each component is a weighted mean of its terms, so it stays in [-1, 1] as they do."""
    assert [1.0] * len(COMPONENTS) == pytest.approx(component_weights().sum(axis=0).tolist())
    assert [1] * len(TERMS) == np.count_nonzero(component_weights(), axis=1).tolist()


def test_consonance_pays_for_sixths_and_punishes_seconds() -> None:
    """A sixth earns more than a fifth, a fifth more than an octave, and a second costs."""
    sixth, fifth, unison, second = (last(own, "C5")["consonance"] for own in ("E4", "F4", "C4", "Bb4"))
    assert sixth > fifth > unison > 0 > second


def test_consonance_counts_from_the_lower_note() -> None:
    """A fifth earns more than a fourth, whoever plays the lower note."""
    assert last("F4", "C5")["consonance"] > last("G4", "C5")["consonance"]
    assert last("G5", "C5")["consonance"] > last("F5", "C5")["consonance"]


def test_consonance_weighs_more_on_strong_beats() -> None:
    """The same third earns more on the downbeat than on the sixteenth after it."""
    downbeat, after = judge_line("E4 -", "C5 -")
    assert downbeat["consonance"] > after["consonance"] > 0


@pytest.mark.parametrize(("own", "player"), [("C4", "."), (".", "C4")])
def test_consonance_needs_two(own: str, player: str) -> None:
    """Where one of the two is silent consonance is 0."""
    assert 0 == last(own, player)["consonance"]


def test_chord_pays_for_chord_tones() -> None:
    """Over a broken C major chord the third earns on the downbeat, and a tone outside the chord costs."""
    inside, outside = (last(f"{REST_BAR} {own}", f"{C_MAJOR_BROKEN} -") for own in ("E4", "F4"))
    assert inside["chord"] > 0 > outside["chord"]


def test_a_tone_outside_costs_less_off_the_beat() -> None:
    """A passing tone outside the chord costs a quarter of what it costs on the downbeat."""
    weak = last(f"{REST_BAR} . F4", f"{C_MAJOR_BROKEN} - -")["chord"]
    strong = last(f"{REST_BAR} F4", f"{C_MAJOR_BROKEN} -")["chord"]
    assert pytest.approx(4) == strong / weak


def test_chord_needs_a_chord() -> None:
    """Before the player plays the chord term is 0."""
    assert 0 == last("E4")["chord"]


def test_a_note_is_worth_less_the_longer_it_sounds() -> None:
    """A chord tone earns fully for a beat, and then less and less."""
    worth = [step["chord"] for step in judge_line("C4" + " -" * 12, "C5 " * 13)]
    assert worth[1] == worth[3] > worth[5] > worth[9] > 0


def test_a_note_does_not_age_while_the_player_holds_one() -> None:
    """Beside a held note ours earns fully for two more beats, but not for ever."""
    worth = [step["scale"] for step in judge_line("C#4" + " -" * 15, "C5" + " -" * 15)]
    assert -1 == worth[11] < worth[12] < worth[15] < 0


def test_scale_punishes_tones_outside_the_key() -> None:
    """A tone of the key costs nothing, and a chromatic one costs."""
    assert [0, -1] == [last(own)["scale"] for own in ("D4", "C#4")]


def test_clash_punishes_semitones_on_strong_beats() -> None:
    """Minor seconds, major sevenths and minor ninths clash on the downbeat; a major second does not."""
    assert [-1, -1, -1, 0] == [last(own, "C5")["clash"] for own in ("B4", "C#5", "C#4", "D4")]
    assert 0 == last(". C#4", "C5 -")["clash"]


@pytest.mark.parametrize(
    ("worth", "own", "player"),
    [(-1, "C4", "C5"), (-1, "C5", "C5"), (-1, "C5 -", "C4 -"), (0, "E4", "C5"), (0, "C4", "."), (0, ".", "C5")],
)
def test_doubling_the_top_voice_costs(worth: float, own: str, player: str) -> None:
    """A unison or octave with the player's sounding top voice costs while it sounds; a third or a rest does not."""
    assert worth == last(own, player)["doubling"]


@pytest.mark.parametrize(
    ("worth", "own", "player"),
    [
        (-1, "C4 D4", "C5 D5"),
        (-1, "C4 D4", "G4 A4"),
        (-1, "C4 D4", "C4 D4"),
        (-1, "G4 A4", "C4 D4"),
        (0, "C4 D4", "E4 F4"),
        (0, "C4 D4", "F4 G4"),
        (0, "F4 G4", "C4 D4"),
        (0, "C4 D4", "G4 F4"),
        (0, "C4 C4", "G4 G4"),
        (0, "C4 D4", "G4 -"),
        (0, ". D4", "G4 A4"),
        (0, "C4 D4", ". A4"),
        (0, "C4 -", "G4 A4"),
    ],
)
def test_parallels_punish_perfect_intervals_in_a_row(worth: float, own: str, player: str) -> None:
    """Parallel octaves, fifths and unisons cost; thirds, fourths, other motion and rests do not."""
    assert worth == last(own, player)["parallels"]


def test_proximity_pays_for_steps() -> None:
    """A step earns more than a third, a repetition nothing, and an octave costs."""
    step, third, repeated, octave = (last(f"C4 {own}")["proximity"] for own in ("D4", "E4", "C4", "C5"))
    assert step > third > repeated == 0 > octave


def test_reversal_pays_for_turning_back_after_a_leap() -> None:
    """After a leap of an octave a step back earns more than staying, and continuing costs."""
    back, same, on = (last(f"C4 C5 {own}")["reversal"] for own in ("B4", "C5", "D5"))
    assert back > same > 0 > on
    assert 0 == last("C4 D4 E4")["reversal"]


def test_meter_pays_for_onsets_on_strong_positions() -> None:
    """An onset earns more on a stronger position, and costs off the beat."""
    downbeat, off, eighth, _, beat = (step["meter"] for step in judge_line("C4 D4 E4 F4 G4"))
    assert downbeat > beat > 0 > eighth > off


def test_a_player_at_rest_is_not_to_be_driven_on() -> None:
    """While the player holds a note for a beat or more, onsets on the beat and the last bar's rhythm earn nothing."""
    moving, resting = (judge_line(QUARTERS * 2 + "E4 - - - G4", player)[-1] for player in PLAYERS)
    assert moving["meter"] > 0 == resting["meter"]
    assert moving["motif"] > 0 == resting["motif"]


def test_meter_punishes_holding_through_a_downbeat() -> None:
    """A note held over the bar line costs there; a rest, or a hold elsewhere, does not."""
    assert last(f"C4 {HELD_BAR}")["meter"] < 0
    assert 0 == last(REST_BAR + ".")["meter"] == last("C4 -")["meter"]


@pytest.mark.parametrize("style", [0, 1])
def test_density_punishes_too_few_and_too_many_onsets(style: int) -> None:
    """In two bars a number of onsets within the band costs nothing; fewer, or one each sixteenth, cost."""
    for player, density in (("", 0), ("E4 - - - " * 8, 4), ("E4 - " * 16, 8)):
        for onsets in rewards.DENSITY_BANDS[style, density].astype(int):
            assert 0 == last("C4 " * onsets + "- " * (32 - onsets), player, style=style)["density"]
        assert last("C4 " + "- " * 31, player, style=style)["density"] < 0
        assert last("C4 " * 32, player, style=style)["density"] < 0


@pytest.mark.parametrize("style", [0, 1])
def test_density_follows_the_player(style: int) -> None:
    """A density that is right beside a busy player is too much beside a quiet one."""
    onsets = int(rewards.DENSITY_BANDS[style, 8, 1])
    own = "C4 " * onsets + "- " * (32 - onsets)
    assert 0 == last(own, "E4 - " * 16, style=style)["density"]
    assert last(own, "E4 - - - - - - - " * 4, style=style)["density"] < 0


def test_density_waits_for_two_bars() -> None:
    """Before two bars have passed few onsets cost nothing."""
    assert 0 == last("C4 " + "- " * 30)["density"]


def test_cadence_pays_for_stable_tones_at_the_end_of_a_phrase() -> None:
    """On strong beats of bars four and eight tones of the tonic triad earn, and others cost."""
    assert last("E4", bar=7)["cadence"] > last("E4", bar=3)["cadence"] > 0
    assert last("D4", bar=7)["cadence"] < last("D4", bar=3)["cadence"] < 0


@pytest.mark.parametrize(("own", "bar"), [("E4", 0), ("D4", 2), (". D4", 3), (".", 7)])
def test_cadence_is_of_the_end_only(own: str, bar: int) -> None:
    """Elsewhere, on weak positions and in silence the cadence term is 0."""
    assert 0 == last(own, bar=bar)["cadence"]


def _second_bar(second: str) -> float:
    """Return the motif term at the first step of the third bar, after a bar of quarters and `second`."""
    return last(QUARTERS * 2 + second)["motif"]


def test_motif_pays_for_the_rhythm_of_the_bar_before_with_other_notes() -> None:
    """Another note where the bar before had one earns; the same note earns nothing; no note costs."""
    assert _second_bar("G4") > _second_bar("C4") == 0
    assert _second_bar("-") < 0
    assert _second_bar("G4 A4") < 0


def test_motif_does_not_pay_for_more_notes() -> None:
    """Among very many onsets each earns less, so that more notes do not earn more."""
    eager = judge_line("C4 D4 " * 16 + "E4")[-1]["motif"]
    assert _second_bar("G4") > eager > 0


@pytest.mark.parametrize(
    ("own", "style", "worth"),
    [
        ("C4 D4 E4 G4 E4 D4 C4 D4", 0, 1.0),  # steps and a third or two, as in a hymn
        ("C4 C5 C4 C5 C4 C5 C4 C5", 0, -1.0),  # octaves
        ("C4 F#4 C4 G#4 D4 Bb4 E4 C#4", 0, -1.0),  # at random
        ("C4 F#4 C4 G#4 D4 Bb4 E4 C#4", 3, -1.0),  # too much for the free style too
    ],
)
def test_surprise_pays_inside_of_a_band(own: str, style: int, worth: float) -> None:
    """Melodies as surprising as the style earn, and random ones cost."""
    assert worth == pytest.approx(last(own, style=style)["surprise"])


def test_surprise_fades_with_the_distance_from_the_band() -> None:
    """Below the band less surprise earns less; before the first interval the term is 0."""
    leading, scale = last("B4 C5 B4 C5 B4 C5 B4 C5"), last("G4 F4 E4 D4 C4 B3 C4 D4 E4 D4 C4 C4")
    assert 1 > scale["surprise"] > leading["surprise"] > -1
    assert 0 == last("C4 -")["surprise"]
    assert 0 > last("C4 D4 E4 G4 E4 D4 C4 D4", style=3)["surprise"]  # the free style finds a hymn dull


def test_opening_pays_for_the_tonic_and_the_chord() -> None:
    """On the first beat of two bars the tonic and chord tones earn, and other tones cost."""
    beginnings = [f"{REST_BAR * 2} {note}" for note in ("C4", "G4", "F4", "F4 -", ".")]
    assert [1, 1, -1, -1, 0] == [last(own, f"{C_MAJOR_BROKEN} - " * 2)["opening"] for own in beginnings]
    assert 0 == last(f"{REST_BAR} F4", C_MAJOR_BROKEN)["opening"]
    assert 0 == last("C4 - - - F4")["opening"]


@pytest.mark.parametrize(
    ("own", "player", "worth"),
    [("C5", "C5", -1), ("D5", "C5", -1), ("E5", "C5", 0), ("Ab2", "C5", 0), ("G2", "C5", -1), (".", "C5", 0)],
)
def test_spacing_punishes_what_is_too_near_and_too_far(own: str, player: str, worth: float) -> None:
    """A note within a third of the player's top voice, or beyond two octaves and a third, costs."""
    assert worth == last(own, player)["spacing"]


def test_spacing_wants_two() -> None:
    """Beside a silent player spacing costs nothing."""
    assert 0 == last("C4", ".")["spacing"]


@pytest.mark.parametrize(
    "own",
    ["C4 - D4 - " * 4, "C4 - - - D4 - - - " * 4, "C4 - - - D4 - - - E4 - - - F4 - - - " * 2],
    ids=["beat", "two beats", "bar"],
)
def test_novelty_punishes_loops(own: str) -> None:
    """A figure that repeats note for note costs from its second time on."""
    judged = [step["novelty"] for step in judge_line(own)]
    assert -1 == judged[-1]
    assert 0 == judged[3]


def test_novelty_lets_variation_pass() -> None:
    """The figure with one changed note costs nothing, and neither does a held note."""
    assert 0 == last("C4 - D4 - E4 - F4 - C4 - D4 - E4 - G4 -")["novelty"]
    assert 0 == last("C4 " + HELD_BAR)["novelty"]


def test_variety_pays_for_some_pitch_classes_and_not_for_few_or_all() -> None:
    """Five pitch classes among eight onsets earn; two cost, and so do eight."""
    some, few, many = (
        last(" ".join(f"{note} -" for note in notes.split()))["variety"]
        for notes in ("C4 D4 E4 F4 G4 F4 E4 D4", "C4 D4 C4 D4 C4 D4 C4 D4", "C4 C#4 D4 D#4 E4 F4 F#4 G4")
    )
    assert some > 0 > few
    assert many < 0
    assert 0 == last("C4 D4 E4 F4 G4")["variety"]


def test_echo_pays_for_taking_up_a_turn_of_the_players() -> None:
    """The player's turn transposed earns more than inverted; another turn earns nothing."""
    turn = "C5 - D5 - F5 - . ."
    upright, inverted, other = (
        last(f". . . . . . {own}", turn)["echo"] for own in ("E4 F#4 A4", "G4 F4 D4", "C4 E4 D4")
    )
    assert upright > inverted > 0 == other


def test_echo_needs_movement() -> None:
    """Repeated notes, and a line's first interval, earn no echo."""
    assert 0 == last("C4 C4 C4", "C5 C5 C5 C5")["echo"]
    assert 0 == last("C4 D4", "C5 D5 . .")["echo"]


def test_silence_earns_nothing() -> None:
    """A rest earns no harmony and no creativity."""
    silent = last(".", "C5")
    assert (0, 0) == (silent["harmony"], silent["creativity"])
