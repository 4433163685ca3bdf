"""The observation of the comping role: the player as in every role, and our chords instead of a tune.

The events of our line are chord indices, as in `music.chord`. All features are relative to the tonic.

| feature | columns | values | meaning |
|---|---|---|---|
| own_rhythm | 32 | 4 | our last 32 steps: hold, rest, chord, none |
| own_chords | 8 | 109 | our last 8 chords, root above the tonic x quality, 108 none |
| own_root | 1 | 13 | root of our sounding chord above the tonic, 12 none |
| own_quality | 1 | 10 | its quality, 9 none |
| own_motion | 1 | 13 | semitones up from the root of our previous chord to that of our last chord, 12 none |
| own_since | 1 | 17 | steps since our last chord was struck, at most 16 |
| own_density | 1 | 17 | chords struck in the last 32 steps, at most 16 |
| own_runs | 4 | 5 | how far we repeat ourselves at each lag, in half lags, at most 4 |
| shared | 1 | 6 | tones that our chord shares with the implied one, 0..4, 5 if one of the chords is missing |
| player_fit | 1 | 3 | the player's top note: outside or inside our chord, 2 if one of them is missing |
| above_root | 1 | 13 | interval from our root up to the player's top note, mod 12, 12 none |
| style | 1 | 16 | row of listening.observation.STYLES |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.listening.line import HOLD, NO_INTERVAL, NONE
from improviser.listening.observation import FEATURES, PLAYER_BLOCK, STYLE_SLOTS, Feature, feature_columns
from improviser.music.chord import CHORD_BITS, CHORD_COUNT, QUALITY_COUNT
from improviser.music.pitch import OCTAVE
from improviser.music.voice_leading import SHARED

if TYPE_CHECKING:
    from improviser.listening.line import Line
    from improviser.listening.observation import Place, Rows
    from improviser.music.pitch import IntArray

_PLAYER_FEATURES: Final = tuple(
    feature for feature in FEATURES if feature_columns(FEATURES)[feature.name].stop <= PLAYER_BLOCK.stop
)
CHORD_FEATURES: Final = (
    *_PLAYER_FEATURES,
    Feature("own_rhythm", 32, 4),
    Feature("own_chords", 8, 109),
    Feature("own_root", 1, 13),
    Feature("own_quality", 1, 10),
    Feature("own_motion", 1, 13),
    Feature("own_since", 1, 17),
    Feature("own_density", 1, 17),
    Feature("own_runs", 4, 5),
    Feature("shared", 1, 6),
    Feature("player_fit", 1, 3),
    Feature("above_root", 1, 13),
    Feature("style", 1, STYLE_SLOTS),
)
CHORD_COLUMNS: Final = feature_columns(CHORD_FEATURES)
_RHYTHM_CHORD, _RHYTHM_NONE = 2, 3
_NOT_BOTH, _NO_FIT = 5, 2


def chord_tokens(chords: IntArray, tonic: IntArray) -> IntArray:
    """Return chord indices relative to the tonic, CHORD_COUNT for no chord; the arrays broadcast."""
    return np.where(chords >= 0, (chords - QUALITY_COUNT * tonic) % CHORD_COUNT, CHORD_COUNT)


def root_motion(own: Line) -> IntArray:
    """Return the semitones 0..11 up from the root of the previous chord to that of the last chord, 12 for none."""
    last, before = own.pitches[:, -1], own.pitches[:, -2]
    up = (last // QUALITY_COUNT - before // QUALITY_COUNT) % OCTAVE
    return np.where(own.intervals[:, -1] == NO_INTERVAL, OCTAVE, up)


def encode_own_chords(own: Line, player_note: IntArray, place: Place, out: Rows) -> None:
    """Write the features of our chords into the columns of `out` after the player's, (lanes, columns).

    Args:
        own: Our line before the step to be decided; its events are chords.
        player_note: The player's top note, (lanes,), SILENT where none sounds.
        place: The place of the step in the music.
        out: The observations; the player's columns must be written already.
    """
    tonic, chord = place.tonic, own.note
    events = own.events
    silent = np.where(events == NONE, _RHYTHM_NONE, HOLD - events)
    out[:, CHORD_COLUMNS["own_rhythm"]] = np.where(events >= 0, _RHYTHM_CHORD, silent)
    out[:, CHORD_COLUMNS["own_chords"]] = chord_tokens(own.pitches, tonic[:, None])
    out[:, CHORD_COLUMNS["own_runs"]] = np.minimum(2 * own.runs // own.lags, 4)
    start = CHORD_COLUMNS["own_root"].start
    token = chord_tokens(chord, tonic)
    out[:, start] = token // QUALITY_COUNT
    out[:, start + 1] = np.where(chord >= 0, token % QUALITY_COUNT, QUALITY_COUNT)
    out[:, start + 2] = root_motion(own)
    out[:, start + 3] = own.since
    out[:, start + 4] = np.minimum(own.count, 16)
    start = CHORD_COLUMNS["shared"].start
    implied = _implied(out)
    both = (chord >= 0) & (implied < CHORD_COUNT)
    out[:, start] = np.where(both, SHARED[token * both, implied * both], _NOT_BOTH)
    both = (chord >= 0) & (player_note >= 0)
    inside = (CHORD_BITS[chord] >> player_note * both % OCTAVE) & 1
    out[:, start + 1] = np.where(both, inside, _NO_FIT)
    out[:, start + 2] = np.where(both, (player_note - chord // QUALITY_COUNT) % OCTAVE, OCTAVE)
    out[:, start + 3] = place.style


def _implied(out: Rows) -> IntArray:
    """Return the token of the implied chord in each observation, CHORD_COUNT for none."""
    root, quality = (out[:, CHORD_COLUMNS[name].start].astype(np.int64) for name in _IMPLIED)
    return np.where(root < OCTAVE, root * QUALITY_COUNT + quality, CHORD_COUNT)


_IMPLIED: Final = ("chord_root", "chord_quality")
