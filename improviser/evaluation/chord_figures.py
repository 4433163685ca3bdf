"""The accuracy of the chord tracker on held-out chorales, where the four voices define the harmony."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.evaluation.chorale_players import ALL_VOICES, STEPS_PER_BEAT, harmonies
from improviser.listening.line import NONE, SILENT
from improviser.listening.player import Player
from improviser.music.chord import NO_CHORD, QUALITIES, QUALITY_COUNT
from improviser.training.grid import ALTO, BASS, SOPRANO, TENOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from improviser.corpus.piece import Piece
    from improviser.evaluation.chorale_players import Harmony
    from improviser.training.chorale_harmony import Labels

# The voices that the player sounds of a chorale, and the speed factor.
HEARD: Final = {
    "chords, four voices": (ALL_VOICES, 1),
    "chords, lower three": ((ALTO, TENOR, BASS), 1),
    "chords, upper three": ((SOPRANO, ALTO, TENOR), 1),
    "chords, soprano": ((SOPRANO,), 1),
    "chords, four voices, danced": (ALL_VOICES, 2),
    "chords, soprano, danced": ((SOPRANO,), 2),
}


def chord_figures(pieces: Iterable[Piece]) -> dict[str, dict[str, float]]:
    """Return the chord tracker's figures on the chorales of the test split, by what is played.

    Each row has, weighted by duration:

    - `pieces`, their number, and `labelled`, the percentage of time in beats whose voices form a chord;
    - `root` and `chord`, the percentage of that time with the right root, and with the right quality too;
    - `root_major`, `root_minor`, `root_seventh`: `root` for chords of this quality only;
    - `changes`, the tracked changes of chord per bar, and `changes_true`, those of the harmony.
    """
    held_out = [piece for piece in pieces if piece.split == "test"]
    figures = {}
    for name, (voices, speed) in HEARD.items():
        heard = list(harmonies(held_out, voices, speed))
        if heard:
            figures[name] = _figures(heard, track_chords(heard))
    return figures


def track_chords(heard: Sequence[Harmony]) -> list[Labels]:
    """Return the chord that is heard at each step."""
    longest = max(len(harmony.bits) for harmony in heard)
    lanes = len(heard)
    events = np.full((longest, lanes), NONE, dtype=np.int16)
    bits, bass = np.zeros((longest, lanes), dtype=np.int64), np.full((longest, lanes), SILENT, dtype=np.int64)
    for lane, harmony in enumerate(heard):
        steps = len(harmony.bits)
        events[:steps, lane], bits[:steps, lane], bass[:steps, lane] = harmony.events, harmony.bits, harmony.bass
    player = Player(np.full(lanes, STEPS_PER_BEAT), np.array([len(harmony.levels) for harmony in heard]))
    levels = np.stack([np.resize(harmony.levels, longest) for harmony in heard], axis=1)
    named = np.zeros_like(bits)
    for step in range(longest):
        player.push(events[step], bits[step], bass[step], levels[step])
        named[step] = player.chord
    return [named[: len(harmony.bits), lane] for lane, harmony in enumerate(heard)]


def _figures(heard: Sequence[Harmony], named: Sequence[Labels]) -> dict[str, float]:
    """Return one row of figures."""
    labels, answers = np.concatenate([one.labels for one in heard]), np.concatenate(named)
    is_labelled = labels != NO_CHORD
    qualities = np.where(is_labelled, labels % QUALITY_COUNT, NO_CHORD)
    is_right_root = labels // QUALITY_COUNT == answers // QUALITY_COUNT
    bars = sum(len(one.labels) / len(one.levels) for one in heard)
    suffixes = [suffix for suffix, _ in QUALITIES]
    of_quality = {"root_major": "", "root_minor": "m", "root_seventh": "7"}
    return {
        "pieces": float(len(heard)),
        "labelled": 100 * float(np.mean(is_labelled)),
        "root": 100 * float(np.mean(is_right_root[is_labelled])),
        "chord": 100 * float(np.mean((labels == answers)[is_labelled])),
        **{
            name: 100 * float(np.mean(is_right_root[rows]))
            for name, suffix in of_quality.items()
            if (rows := qualities == suffixes.index(suffix)).any()
        },
        "changes": sum(map(_changes, named)) / bars,
        "changes_true": sum(_changes(one.labels[one.labels != NO_CHORD]) for one in heard) / bars,
    }


def _changes(chords: Labels) -> int:
    """Return the number of chord changes."""
    return int(np.count_nonzero(np.diff(chords)))
