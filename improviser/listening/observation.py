"""The observation: what the Q-network sees, as categorical features in a uint8 row of SIZE columns.

It holds everything that the rewards read. Notes are relative to the tonic: the tokens of a voice count from its
base, the tonic at the bottom of its range. So transposing the music changes only the base. "We" is improviser.

| feature | columns | values | meaning |
|---|---|---|---|
| player_tokens | 32 | 40 | the last 32 steps, the newest last: hold, rest, onset 0..36 above the base, none |
| player_pitches | 8 | 38 | the player's last 8 onsets above the base, 37 none |
| player_pcs | 12 | 2 | which pitch classes above the tonic sound in the player's part |
| chord_tones | 12 | 6 | how likely each pitch class above the tonic is of the chord behind: TONE_SHARES below it |
| coming_tones | 12 | 6 | the same of the chord a beat later |
| player_since | 1 | 17 | steps since the player's last onset, at most 16 |
| player_interval | 1 | 26 | the player's last melodic interval, -12..12 as 0..24, 25 none |
| player_present | 1 | 2 | whether the player did anything in the last 32 steps |
| player_density | 1 | 9 | the player's onsets in the last 32 steps, halved, at most 8 |
| player_register | 1 | 5 | octaves from our base up to the player's, -2..2 as 0..4 |
| player_bass | 1 | 13 | pitch class of the player's lowest note above the tonic, 12 none |
| chord_root | 1 | 13 | root of the implied chord above the tonic, 12 none |
| chord_quality | 1 | 10 | quality of the implied chord, 9 none |
| mode | 1 | 2 | mode of the key: major, minor |
| certainty | 1 | 4 | how certain the key is, as the function `certainty` returns it |
| sixteenth | 1 | 16 | position in the bar, from music.accent.COUNTED_AS |
| meter | 1 | 4 | row of music.meter.PLAIN, from music.accent.COUNTED_AS |
| bar | 1 | 8 | bar in an eight-bar phrase |
| own_tokens | 32 | 40 | our last 32 steps, as above |
| own_pitches | 8 | 38 | our last 8 onsets above our base, 37 none |
| own_note | 1 | 38 | our sounding note above our base, 37 none |
| own_since | 1 | 17 | steps since our last onset, at most 16 |
| own_interval | 1 | 26 | our last melodic interval |
| own_density | 1 | 17 | our onsets in the last 32 steps, at most 16 |
| own_runs | 4 | 5 | how far we repeat ourselves at each lag, in half lags, at most 4 |
| vertical | 1 | 13 | interval from the player's top note up to ours, mod 12, 12 none |
| style | 1 | 16 | row of STYLES; the rest is for styles to come |
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.choices import Style
from improviser.listening.line import (
    INTERVAL_ROWS,
    RANGE,
    TOKEN_NONE,
    Line,
    event_tokens,
    interval_rows,
    note_degrees,
)
from improviser.music.accent import COUNTED_AS
from improviser.music.chord import QUALITY_COUNT
from improviser.music.pitch import OCTAVE, IntArray

if TYPE_CHECKING:
    from improviser.listening.player import Player

STYLES: Final = tuple(str(style) for style in Style)
# A network has an embedding for so many styles.
STYLE_SLOTS: Final = 16


@dataclass(frozen=True, slots=True)
class Feature:
    """A named group of columns, each with `values` possible values; the columns share one embedding."""

    name: str
    columns: int
    values: int


# Steps of the probability that a pitch class belongs to the chord.
TONE_SHARES: Final = (0.15, 0.3, 0.45, 0.6, 0.8)

FEATURES: Final = (
    Feature("player_tokens", 32, 40),
    Feature("player_pitches", 8, 38),
    Feature("player_pcs", 12, 2),
    Feature("chord_tones", 12, len(TONE_SHARES) + 1),
    Feature("coming_tones", 12, len(TONE_SHARES) + 1),
    Feature("player_since", 1, 17),
    Feature("player_interval", 1, 26),
    Feature("player_present", 1, 2),
    Feature("player_density", 1, 9),
    Feature("player_register", 1, 5),
    Feature("player_bass", 1, 13),
    Feature("chord_root", 1, 13),
    Feature("chord_quality", 1, 10),
    Feature("mode", 1, 2),
    Feature("certainty", 1, 4),
    Feature("sixteenth", 1, 16),
    Feature("meter", 1, 4),
    Feature("bar", 1, 8),
    Feature("own_tokens", 32, 40),
    Feature("own_pitches", 8, 38),
    Feature("own_note", 1, 38),
    Feature("own_since", 1, 17),
    Feature("own_interval", 1, 26),
    Feature("own_density", 1, 17),
    Feature("own_runs", 4, 5),
    Feature("vertical", 1, 13),
    Feature("style", 1, STYLE_SLOTS),
)

# Features that a model may lack, because they came later.
LATER: Final = frozenset({"chord_tones", "coming_tones"})
# The features as plain tuples. A model must have been trained on the same ones.
GROUPS: Final = tuple((feature.name, feature.columns, feature.values) for feature in FEATURES)


def feature_columns(features: tuple[Feature, ...]) -> dict[str, slice]:
    """Return the columns of each feature, by name."""
    start, columns = 0, {}
    for feature in features:
        columns[feature.name] = slice(start, start + feature.columns)
        start += feature.columns
    return columns


COLUMNS: Final = feature_columns(FEATURES)
SIZE: Final = COLUMNS["style"].stop
PLAYER_BLOCK: Final = slice(0, COLUMNS["bar"].stop)
# The value of player_register if there is no player: our own register.
NO_REGISTER: Final = 2
OWN_BLOCK: Final = slice(COLUMNS["bar"].stop, SIZE)


Rows = npt.NDArray[np.uint8]
# The probabilities at which a key becomes more certain: odds of 1, 3 and 9 to 1.
_SURER: Final = (0.5, 0.75, 0.9)
SURE: Final = len(_SURER)


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a step in the music: key, position in the bar, ranges; every array is (lanes,).

    Attributes:
        tonic: Pitch class 0-11.
        mode: Row of Mode.
        certainty: How certain the key is, as the function `certainty` returns it.
        meter: Row of METERS.
        sixteenth: Position in the bar.
        bar: Number of the bar, from 0.
        player_base: The tonic from which the player's tokens count.
        own_base: The tonic from which ours count.
        style: Row of STYLES.
    """

    tonic: IntArray
    mode: IntArray
    certainty: IntArray
    meter: IntArray
    sixteenth: IntArray
    bar: IntArray
    player_base: IntArray
    own_base: IntArray
    style: IntArray


def certainty(confidence: float) -> int:
    """Return how certain a key of this probability is: 0 if less likely than not, SURE if nearly certain or locked."""
    return bisect_right(_SURER, confidence)


def line_density(line: Line) -> IntArray:
    """Return half the number of onsets in a line's window, at most 8, (lanes,)."""
    return np.minimum(line.count // 2, 8)


def above_tonic(classes: npt.NDArray[np.float32], tonic: IntArray) -> npt.NDArray[np.float32]:
    """Return a value for each degree above the tonic from one for each pitch class, both (lanes, 12)."""
    found: npt.NDArray[np.float32] = np.take_along_axis(classes, (np.arange(OCTAVE) + tonic[:, None]) % OCTAVE, axis=1)
    return found


def encode_player(player: Player, place: Place, out: Rows) -> None:
    """Write the features that do not depend on our line into the PLAYER_BLOCK columns of `out`, (lanes, SIZE)."""
    base = place.player_base
    line = player.line
    out[:, COLUMNS["player_tokens"]] = event_tokens(line.events, base[:, None])
    out[:, COLUMNS["player_pitches"]] = note_degrees(line.pitches, base[:, None])
    relative = np.arange(OCTAVE) + place.tonic[:, None]
    out[:, COLUMNS["player_pcs"]] = (player.bits[:, None] >> relative % OCTAVE) & 1
    for name, tones in (("chord_tones", player.chord_tones), ("coming_tones", player.coming_tones)):
        out[:, COLUMNS[name]] = np.searchsorted(TONE_SHARES, above_tonic(tones, place.tonic), side="right")
    start = COLUMNS["player_since"].start
    chord = player.chord
    # From player_since on, each feature has one column, in the order of FEATURES.
    out[:, start] = line.since
    out[:, start + 1] = interval_rows(line.intervals[:, -1])
    out[:, start + 2] = (line.count > 0) | (line.note >= 0)
    out[:, start + 3] = line_density(line)
    out[:, start + 4] = np.clip((base - place.own_base) // OCTAVE + 2, 0, 4)
    out[:, start + 5] = np.where(player.bass < 0, OCTAVE, (player.bass - place.tonic) % OCTAVE)
    out[:, start + 6] = np.where(chord < 0, OCTAVE, (chord // QUALITY_COUNT - place.tonic) % OCTAVE)
    out[:, start + 7] = np.where(chord < 0, QUALITY_COUNT, chord % QUALITY_COUNT)
    out[:, start + 8] = place.mode
    out[:, start + 9] = place.certainty
    out[:, start + 10 : start + 12] = COUNTED_AS[place.meter, place.sixteenth]
    out[:, start + 12] = place.bar % 8
    _write_absence(np.flatnonzero(out[:, COLUMNS["player_present"].start] == 0), out)


def _write_absence(lanes: IntArray, out: Rows) -> None:
    """Clear the features of a player who did nothing in the whole window."""
    out[lanes, COLUMNS["player_tokens"]] = TOKEN_NONE
    out[lanes, COLUMNS["player_pitches"]] = RANGE
    out[lanes, COLUMNS["player_interval"]] = INTERVAL_ROWS - 1
    out[lanes, COLUMNS["player_register"]] = NO_REGISTER


def encode_own(own: Line, player_note: IntArray, place: Place, out: Rows) -> None:
    """Write the features that depend on our line into the OWN_BLOCK columns of `out`, (lanes, SIZE).

    Args:
        own: Our line before the step to be decided.
        player_note: The player's top note, (lanes,), SILENT where none sounds.
        place: The place of the step in the music.
        out: The observations, (lanes, SIZE).
    """
    base = place.own_base
    out[:, COLUMNS["own_tokens"]] = event_tokens(own.events, base[:, None])
    out[:, COLUMNS["own_pitches"]] = note_degrees(own.pitches, base[:, None])
    out[:, COLUMNS["own_runs"]] = np.minimum(2 * own.runs // own.lags, 4)
    start = COLUMNS["own_note"].start
    note = own.note
    out[:, start] = note_degrees(note, base)
    out[:, start + 1] = own.since
    out[:, start + 2] = interval_rows(own.intervals[:, -1])
    out[:, start + 3] = np.minimum(own.count, 16)
    both = (note >= 0) & (player_note >= 0)
    out[:, COLUMNS["vertical"].start] = np.where(both, (note - player_note) % OCTAVE, OCTAVE)
    out[:, COLUMNS["style"].start] = place.style
