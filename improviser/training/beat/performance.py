"""Plays a piece as a person might: tempo curves, ritardandi, fermatas, late and spread notes, wrong lengths.

The moments of the beats stay known. People's own time, where a set has it, is kept and only stretched.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.training.beat.beat_piece import TIMED_SETS
from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from improviser.training.beat.beat_piece import BeatPiece

Floats = npt.NDArray[np.float64]

# The range of beats per minute that players are given.
SLOWEST_BPM, FASTEST_BPM = 38.0, 230.0
# The share of lead sheets that are swung, of players who play all notes alike, of jazz solos heard without the bass,
# and of chords that are rolled slowly.
SWUNG: Final = 0.3
FLAT: Final = 0.2
ALONE: Final = 0.85
ROLLED: Final = 0.05
_SLOWLY: Final = 4
STRAIGHT: Final = 0.5


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody plays.

    Attributes:
        stretch: Factor of all durations.
        drift: Size of slow changes of tempo, as a share.
        arch: Size of the swell of tempo over a phrase, as a share.
        beat_noise: Spread of a single beat's duration, as a share.
        slowing: Chance that a bar line is approached in a ritardando.
        fermata: Chance that a beat is held.
        jitter_s: Spread of onsets.
        spread_s: Longest time from the lowest to the highest note of a chord.
        lead_s: How much the highest note comes before the others.
        dropped: Share of notes left out.
        swing: Share of the first half of a beat.
        flat: Whether all velocities are the same.
        transpose: Semitones up.
        length: Factor of the notes' lengths.
    """

    stretch: float = 1.0
    drift: float = 0.0
    arch: float = 0.0
    beat_noise: float = 0.0
    slowing: float = 0.0
    fermata: float = 0.0
    jitter_s: float = 0.0
    spread_s: float = 0.0
    lead_s: float = 0.0
    dropped: float = 0.0
    swing: float = 0.5
    flat: bool = False
    transpose: int = 0
    length: float = 1.0


# As the file has it; in time with a person's jitter; and three players who are more and more free.
PLAIN: Final = Manner()
STRICT: Final = Manner(drift=0.01, beat_noise=0.004, jitter_s=0.010, spread_s=0.010)
MODERATE: Final = Manner(
    drift=0.05, arch=0.05, beat_noise=0.012, slowing=0.06, fermata=0.003, jitter_s=0.015, spread_s=0.025, lead_s=0.01
)
FREE: Final = Manner(
    drift=0.10, arch=0.10, beat_noise=0.03, slowing=0.12, fermata=0.010, jitter_s=0.022, spread_s=0.040, lead_s=0.02
)


@dataclass(frozen=True, slots=True)
class PlayedPiece:
    """A piece as it was played.

    Attributes:
        notes: (notes, 4) onset and end in seconds, pitch, velocity; in order of onset.
        beats_s: (beats,) moments of the beats.
        piece: What was played.
    """

    notes: Floats
    beats_s: Floats
    piece: BeatPiece


def random_manner(set_name: str, rng: np.random.Generator) -> Manner:
    """Return a way of playing for a piece of a set; people's own time is stretched but hardly bent."""
    is_timed = set_name in TIMED_SETS
    base = (STRICT, MODERATE, FREE)[rng.choice(3, p=(0.7, 0.2, 0.1) if is_timed else (0.3, 0.4, 0.3))]
    if set_name == "weimar":
        base = PLAIN
    size = rng.uniform(0.3, 1.5)
    return replace(
        base,
        stretch=float(np.exp(rng.normal(0, 0.12 if is_timed else 0.18))),
        drift=base.drift * size,
        arch=base.arch * size,
        beat_noise=base.beat_noise * size,
        jitter_s=base.jitter_s * rng.uniform(0.3, 1.6),
        spread_s=base.spread_s * rng.uniform(0, 2),
        lead_s=base.lead_s * rng.uniform(-0.5, 1.5),
        dropped=float(rng.choice([0, 0, 0.05, 0.15])),
        swing=float(rng.uniform(0.55, 0.68)) if set_name == "openewld" and rng.random() < SWUNG else STRAIGHT,
        flat=bool(rng.random() < FLAT),
        transpose=int(rng.integers(-5, 7)),
        length=float(rng.uniform(0.4, 1.1)),
    )


def random_tracks(piece: BeatPiece, rng: np.random.Generator) -> tuple[int, ...]:
    """Return the tracks that a player of the piece plays: all of them, or a part as people play it."""
    count = len(piece.tracks)
    every = tuple(range(count))
    named = {name: index for index, name in enumerate(piece.tracks)}
    match piece.set_name:
        case "weimar":
            return (named.get("solo", 0),) if rng.random() < ALONE else every
        case "pop909":
            options = [every, (named.get("PIANO", 0),), (named.get("PIANO", 0),), (named.get("MELODY", 0),)]
            return options[rng.integers(len(options))]
        case "lieder":
            piano = tuple(index for name, index in named.items() if name.startswith("piano"))
            options = [every, piano or every, piano or every, (0,), piano[:1] or every]
            return options[rng.integers(len(options))]
        case "quartets":
            options = [every, every, (0,), (0, count - 1), tuple(sorted(rng.permutation(count)[:2].tolist()))]
            return options[rng.integers(len(options))]
        case _:
            return every


def play_piece(piece: BeatPiece, tracks: tuple[int, ...], manner: Manner, rng: np.random.Generator) -> PlayedPiece:
    """Return the chosen tracks of a piece, played in a manner."""
    chosen = piece.notes[np.isin(piece.notes[:, 0], tracks)]
    chosen = chosen[rng.random(len(chosen)) >= manner.dropped]
    beats_s = _bent_beats(piece, manner, rng)
    onsets_s = _seconds(piece, beats_s, _swung(piece, chosen[:, 1], manner.swing))
    lengths_s = np.maximum(_seconds(piece, beats_s, chosen[:, 2]) - onsets_s, 0.03) * manner.length
    onsets_s = onsets_s + _deviation(chosen, manner, rng)
    velocity = (
        np.full(len(chosen), 80.0) if manner.flat else np.clip(chosen[:, 4] + rng.normal(0, 5, len(chosen)), 1, 127)
    )
    pitch = np.clip(chosen[:, 3] + manner.transpose, 0, 127)
    order = np.argsort(onsets_s, kind="stable")
    notes = np.column_stack([onsets_s, onsets_s + lengths_s, pitch, velocity])[order]
    return PlayedPiece(notes, beats_s, piece)


def _bent_beats(piece: BeatPiece, manner: Manner, rng: np.random.Generator) -> Floats:
    """Return the moments of the beats, with the manner's changes of tempo."""
    given = np.diff(piece.beats_s)
    bpm = S_PER_MINUTE / (np.median(given) * manner.stretch)
    stretch = manner.stretch * bpm / np.clip(bpm, SLOWEST_BPM, FASTEST_BPM)
    factors = np.exp(_drift(len(given), manner, rng) + rng.normal(0, manner.beat_noise, len(given)))
    factors *= _slowings(piece, manner, rng)
    holds = rng.random(len(given)) < manner.fermata
    factors[holds] *= rng.uniform(1.4, 3.0, int(holds.sum()))
    found: Floats = np.concatenate([[0.0], np.cumsum(given * stretch * factors)]) + 1.0
    return found


def _drift(count: int, manner: Manner, rng: np.random.Generator) -> Floats:
    """Return the slow changes of the logarithm of the beat's duration: a random walk that returns, and phrases."""
    memory = 1 - 1 / rng.uniform(8, 32)
    steps = rng.normal(0, manner.drift * np.sqrt(1 - memory**2), count)
    walk = np.empty(count)
    value = 0.0
    for index, step in enumerate(steps):
        value = memory * value + step
        walk[index] = value
    phrase = rng.choice([8, 12, 16, 32])
    places = (np.arange(count) + rng.integers(phrase)) / phrase
    found: Floats = walk + manner.arch * np.cos(2 * np.pi * places) * rng.uniform(0.4, 1)
    return found


def _slowings(piece: BeatPiece, manner: Manner, rng: np.random.Generator) -> Floats:
    """Return the factors of the beats' durations in ritardandi before some bar lines, and at the end."""
    factors = np.ones(len(piece.beats) - 1)
    lines = np.flatnonzero(piece.place == 0)
    chosen = lines[rng.random(len(lines)) < manner.slowing].tolist()
    if manner.slowing:
        chosen.append(len(factors))
    for line in chosen:
        length = min(int(rng.integers(2, 7)), line)
        if length:
            factors[line - length : line] *= np.linspace(1.0, rng.uniform(1.15, 1.8), length)
    return factors


def _seconds(piece: BeatPiece, beats_s: Floats, quarters: Floats) -> Floats:
    """Return the moments of positions in quarters, linear between the beats and beyond the last."""
    row = np.clip(np.searchsorted(piece.beats, quarters, side="right") - 1, 0, len(piece.beats) - 2)
    share = (quarters - piece.beats[row]) / (piece.beats[row + 1] - piece.beats[row])
    found: Floats = beats_s[row] + share * (beats_s[row + 1] - beats_s[row])
    return found


def _swung(piece: BeatPiece, quarters: Floats, swing: float) -> Floats:
    """Return positions with the first half of each beat lengthened to `swing`; not where thirds are written."""
    if swing == STRAIGHT or piece.thirds.any():
        return quarters
    whole = np.floor(quarters + 1e-6)
    place = quarters - whole
    second = swing + (place - STRAIGHT) * 2 * (1 - swing)
    return whole + np.where(place < STRAIGHT, place * 2 * swing, second)


def _deviation(chosen: Floats, manner: Manner, rng: np.random.Generator) -> Floats:
    """Return what each note is late by: each moment, each note, chords spread upwards, the highest note leading."""
    if not len(chosen):
        return np.zeros(0)
    _, chord = np.unique(np.round(chosen[:, 1] * 48), return_inverse=True)
    count = int(chord.max()) + 1
    together = rng.normal(0, manner.jitter_s * 0.8, count)
    lowest, highest = np.full(count, 128.0), np.zeros(count)
    np.minimum.at(lowest, chord, chosen[:, 3])
    np.maximum.at(highest, chord, chosen[:, 3])
    height = (chosen[:, 3] - lowest[chord]) / np.maximum(highest[chord] - lowest[chord], 1)
    is_high = (chosen[:, 3] == highest[chord]) & (highest[chord] > lowest[chord])
    rolled = rng.random(count) * manner.spread_s * np.where(rng.random(count) < ROLLED, _SLOWLY, 1)
    alone = rng.normal(0, manner.jitter_s * 0.6, len(chosen))
    found: Floats = together[chord] + alone + rolled[chord] * height - is_high * manner.lead_s
    return found
