"""The observation: every feature from its source, and the table that describes them."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from improviser.listening import observation
from improviser.listening.line import HOLD, REST, Line
from improviser.listening.observation import (
    COLUMNS,
    FEATURES,
    GROUPS,
    OWN_BLOCK,
    PLAYER_BLOCK,
    SIZE,
    STYLES,
    SURE,
    Place,
    certainty,
    encode_own,
    encode_player,
)
from improviser.listening.player import Player
from improviser.music.chord import QUALITY_COUNT
from improviser.music.meter import METERS, PLAIN, Meter
from improviser.music.pitch import parse_note, pitch_class_bits
from improviser.music.scale import parse_key
from tests.scenes import events

GRID = np.array([4]), np.array([16])


def place(
    key: str = "C",
    *,
    sixteenth: int = 0,
    bar: int = 0,
    player_base: str = "C3",
    own_base: str = "C4",
    sure: int = SURE,
) -> Place:
    """Return a place in four quarters, in the first style."""
    tonality = parse_key(key)
    bases = parse_note(player_base), parse_note(own_base)
    values = (tonality.tonic, int(tonality.mode), sure, 0, sixteenth, bar, *bases, 0)
    return Place(*(np.array([value]) for value in values))


def see(player: str = "", own: str = "", where: Place | None = None) -> dict[str, list[int]]:
    """Return the observation by feature, after lines that end together; the player has one voice."""
    where = where or place()
    listened, line = Player(*GRID), Line(*GRID)
    for event in events(player):
        sounding = event if event >= 0 else int(listened.line.note[0]) if event == HOLD else REST
        bits = pitch_class_bits([sounding]) if sounding >= 0 else 0
        sound = np.array([event], dtype=np.int16), np.array([bits]), np.array([sounding])
        listened.push(*sound, np.array([4]))
    for event in events(own):
        line.push(np.array([event], dtype=np.int16))
    row = np.full((1, SIZE), 255, dtype=np.uint8)
    encode_player(listened, where, row)
    encode_own(line, listened.line.note, where, row)
    return {name: row[0, columns].tolist() for name, columns in COLUMNS.items()}


def test_the_docstring_table_is_the_list_of_features() -> None:
    """Name, columns and values of each docstring row are those of FEATURES, in order."""
    rows = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \|", observation.__doc__ or "", re.MULTILINE)
    assert list(GROUPS) == [(name, int(columns), int(values)) for name, columns, values in rows]
    assert list(GROUPS) == [(feature.name, feature.columns, feature.values) for feature in FEATURES]


def test_the_two_blocks_are_the_whole() -> None:
    """The player's columns and our columns make up the row."""
    columns = [*range(SIZE)[PLAYER_BLOCK], *range(SIZE)[OWN_BLOCK]]
    assert list(range(sum(feature.columns for feature in FEATURES))) == columns


def test_silence_is_seen_as_nothing() -> None:
    """Before the first note every feature has its value for none."""
    seen = see()
    assert ([39] * 32, [37] * 8, [0] * 12) == (
        seen["player_tokens"],
        seen["player_pitches"],
        seen["player_pcs"],
    )
    assert ([39] * 32, [37] * 8, [37]) == (seen["own_tokens"], seen["own_pitches"], seen["own_note"])
    assert ([25], [25], [16], [16]) == tuple(
        seen[name] for name in ("player_interval", "own_interval", "player_since", "own_since")
    )
    assert ([0], [0], [0]) == (seen["player_present"], seen["player_density"], seen["own_density"])
    assert ([12], [9], [12], [0] * 4) == tuple(
        seen[name] for name in ("chord_root", "chord_quality", "vertical", "own_runs")
    )


def test_the_players_line_is_seen_above_its_base() -> None:
    """Tokens, pitches, last interval and steps since the last onset count from the player's base C3."""
    seen = see("C4 - E4 . D4 -")
    assert [39, 14, 0, 18, 1, 16, 0] == seen["player_tokens"][-7:]
    assert [37, 12, 16, 14] == seen["player_pitches"][-4:]
    assert ([10], [1], [1]) == (seen["player_interval"], seen["player_since"], seen["player_present"])


def test_our_line_is_seen_above_our_base() -> None:
    """Our line and sounding note count from our base C4."""
    seen = see("", "C4 - E4 . D4 -")
    assert [39, 2, 0, 6, 1, 4, 0] == seen["own_tokens"][-7:]
    assert [37, 0, 4, 2] == seen["own_pitches"][-4:]
    assert ([10], [1], [2], [3]) == tuple(
        seen[name] for name in ("own_interval", "own_since", "own_note", "own_density")
    )


@pytest.mark.parametrize(("code", "notes"), [(24, "C4 E5"), (0, "E5 C4"), (12, "C4 C4"), (13, "C4 C#4")])
def test_wide_intervals_are_seen_as_an_octave(code: int, notes: str) -> None:
    """The melodic interval counts from 12 for none, and is limited to an octave either way."""
    assert [code] == see(notes)["player_interval"]


def test_what_the_player_sounds_is_seen_from_the_tonic() -> None:
    """In D the note D is pitch class 0, and a broken chord of D has root 0."""
    assert [1] + [0] * 11 == see("D4 - - -", where=place("D"))["player_pcs"]
    seen = see("D4 - F#4 - A4 - D5 - " * 4, where=place("D"))
    assert ([0], [0]) == (seen["chord_root"], seen["chord_quality"])


def test_the_bass_is_seen_above_the_tonic() -> None:
    """The lowest note is a pitch class above the tonic, 12 in silence."""
    seen = [see(text, where=place("D"))["player_bass"] for text in ("A3", "D4 -", ".")]
    assert [[7], [0], [12]] == seen


@pytest.mark.parametrize(("confidence", "level"), [(0.0, 0), (0.49, 0), (0.5, 1), (0.8, 2), (0.9, 3), (1.0, 3)])
def test_certainty(confidence: float, level: int) -> None:
    """The certainty rises at even odds, at three to one and at nine to one."""
    assert level == certainty(confidence)


def test_it_is_seen_how_sure_the_key_is() -> None:
    """The certainty of the place is a feature."""
    assert [[SURE], [1]] == [see(where=place(sure=sure))["certainty"] for sure in (SURE, 1)]


def test_the_chord_is_seen_by_root_and_quality() -> None:
    """A broken A minor chord in C has its root nine semitones up and the quality minor."""
    seen = see("A3 - C4 - E4 - A4 - " * 4)
    assert ([9], [1]) == (seen["chord_root"], seen["chord_quality"])
    assert {QUALITY_COUNT} == {feature.values - 1 for feature in FEATURES if feature.name == "chord_quality"}


@pytest.mark.parametrize(("density", "onsets"), [(0, 1), (1, 2), (8, 16), (8, 32)])
def test_the_players_density_is_halved_and_bounded(density: int, onsets: int) -> None:
    """Two onsets in the window give 1, and sixteen or more give 8."""
    assert [density] == see("C4 " * onsets)["player_density"]


def test_our_density_is_bounded() -> None:
    """Our onsets in the window are counted up to sixteen."""
    assert [16] == see("", "C4 D4 " * 16)["own_density"]


@pytest.mark.parametrize(("register", "base"), [(0, "C1"), (1, "C3"), (2, "C4"), (3, "C5"), (4, "C8")])
def test_the_players_register_is_seen_from_ours(register: int, base: str) -> None:
    """The feature counts octaves from our base to the player's, from two below to two above."""
    assert [register] == see("C4", where=place(player_base=base))["player_register"]


def test_the_place_is_seen() -> None:
    """The features hold mode, position in the bar, meter, and bar in a phrase of eight."""
    seen = see(where=place("Am", sixteenth=14, bar=13))
    assert ([1], [14], [0], [5]) == tuple(seen[name] for name in ("mode", "sixteenth", "meter", "bar"))
    sizes = {feature.name: feature.values for feature in FEATURES}
    assert (len(PLAIN), len(STYLES)) <= (sizes["meter"], sizes["style"])


def test_a_bar_of_seven_eighths_is_seen_as_the_plain_bars_that_it_is_counted_as() -> None:
    """A bar of 7/8 counts as two quarters of 2/4 and the first half of a bar of 6/8."""
    seven = np.array([METERS.index(Meter(7, 8))])
    seen = see(where=replace(place("C", sixteenth=10), meter=seven))
    assert ([2], [PLAIN.index(Meter(6, 8))]) == (seen["sixteenth"], seen["meter"])


@pytest.mark.parametrize(
    ("vertical", "player", "own"), [(4, "C4", "E4"), (8, "E4", "C4"), (0, "C4", "C5"), (12, ".", "C5")]
)
def test_the_vertical_interval_goes_from_the_player_up_to_us(vertical: int, player: str, own: str) -> None:
    """The feature is the interval modulo the octave, 12 where one of the two is silent."""
    assert [vertical] == see(player, own)["vertical"]


def test_our_repetition_is_seen_in_half_lags() -> None:
    """Half a repetition is one half lag, a whole one two; a long loop is limited to four."""
    figure = "C4 - D4 - "
    texts = (figure, figure + "C4 -", figure * 2, figure * 5)
    assert [[0, 0, 0, 0], [1, 0, 0, 0], [2, 0, 0, 0], [4, 3, 0, 0]] == [see("", text)["own_runs"] for text in texts]


def test_transposing_the_music_changes_nothing() -> None:
    """With player, key and bases a tone higher the observation is the same."""
    in_c = see("C4 - E4 - G4 - A4 -", "E4 - - - F4 - C4 -")
    moved = place("D", player_base="D3", own_base="D4")
    assert in_c == see("D4 - F#4 - A4 - B4 -", "F#4 - - - G4 - D4 -", moved)
