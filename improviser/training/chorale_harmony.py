"""The harmony of the chorales: what chord their four voices make in each beat, in two readings.

The likeliest chords are what comping learns to strike. A beat's voices are compared with each of the 108 chords by
how long each pitch class sounds, with more weight for the bass and for what sounds on the beat. From beat to beat the
likeliest path is taken, and a change of chord costs a little (A. Viterbi 1967), so that a passing note makes no chord
of its own.

The exact chords are the truth that the chord tracker is measured by: a beat has the chord whose tones, and no others,
sound longest in it, and none if there is no such chord.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.listening.line import HOLD, NONE, REST, Events, sounding_notes
from improviser.music.chord import CHORD_BITS, CHORD_COUNT, NO_CHORD, QUALITIES, QUALITY_COUNT
from improviser.music.pitch import OCTAVE, pitch_class_bits

if TYPE_CHECKING:
    from collections.abc import Sequence

FloatArray = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

# In units of one voice's beat: the extra weight of the beat's first step, and of the bass note as the root.
ON_BEAT: Final = 0.5
BASS_ROOT: Final = 0.6
# The costs of a tone outside the chord, of a missing chord tone, of each chord tone beyond three, and of a change
# of chord.
OUTSIDE: Final = 1.0
MISSING: Final = 0.35
SEVENTH: Final = 0.35
CHANGE: Final = 0.5

# What stands for a chord without its fifth, by the chord's quality.
_INCOMPLETE: Final = {"": (0, 4), "m": (0, 3), "7": (0, 4, 10), "maj7": (0, 4, 11), "m7": (0, 3, 10)}

_MEMBERS: Final = ((CHORD_BITS[:CHORD_COUNT, None] >> np.arange(OCTAVE)) & 1).astype(np.float64)
_SIZES: Final = np.array([len(QUALITIES[chord % QUALITY_COUNT][1]) for chord in range(CHORD_COUNT)])
_ROOTS: Final = np.arange(CHORD_COUNT) // QUALITY_COUNT


def chord_labels(voices: Sequence[Events], beat_steps: int) -> npt.NDArray[np.int64]:
    """Return the chord of each beat, (beats,), NO_CHORD in silence; `voices` (steps,) each, the bass last."""
    notes = np.stack([sounding_notes(voice) for voice in voices])
    beats = notes.shape[1] // beat_steps
    notes = notes[:, : beats * beat_steps].reshape(len(voices), beats, beat_steps)
    scores = _scores(notes)
    labels = _likeliest(scores)
    return np.where((notes >= 0).any(axis=(0, 2)), labels, NO_CHORD)


def chord_steps(voices: Sequence[Events], beat_steps: int) -> npt.NDArray[np.int64]:
    """Return the chord of each step, (steps,), NO_CHORD in silence; a part of a beat at the end keeps the last one."""
    labels = chord_labels(voices, beat_steps)
    steps = np.arange(len(voices[0])) // beat_steps
    return labels[np.minimum(steps, len(labels) - 1)]


def chord_events(voices: Sequence[Events], beat_steps: int, bar_steps: int) -> Events:
    """Return the harmony as chord events, (steps,): a chord is struck where it changes, and at each bar line."""
    events = np.full(len(voices[0]), HOLD, dtype=np.int16)
    before = NONE
    for beat, label in enumerate(chord_labels(voices, beat_steps).tolist()):
        step = beat * beat_steps
        if label == NO_CHORD:
            events[step : step + beat_steps] = REST
        elif label != before or step % bar_steps == 0:
            events[step] = label
        before = label
    return events


def _scores(notes: npt.NDArray[np.int64]) -> FloatArray:
    """Return how well each chord fits each beat, (beats, CHORD_COUNT); `notes` are (voices, beats, steps)."""
    weights = np.ones(notes.shape[2])
    weights[0] += ON_BEAT * notes.shape[2]
    weights /= weights.sum()
    classes = np.stack([((notes >= 0) & (notes % OCTAVE == pc)) @ weights for pc in range(OCTAVE)], axis=-1)
    heard, bass = classes.sum(axis=0), classes[-1]
    inside = heard @ _MEMBERS.T
    outside = heard.sum(axis=1, keepdims=True) - inside
    missing = _SIZES - np.minimum(heard, 1.0) @ _MEMBERS.T
    extra = SEVENTH * (_SIZES - 3)
    fit: FloatArray = inside - OUTSIDE * outside - MISSING * missing - extra + BASS_ROOT * bass[:, _ROOTS]
    return fit


def _likeliest(scores: FloatArray) -> npt.NDArray[np.int64]:
    """Return the path, (beats,), with the highest sum of scores minus CHANGE for each change."""
    total, back = scores[0], np.zeros(scores.shape, dtype=np.int64)
    for beat in range(1, len(scores)):
        best = int(total.argmax())
        stays = total >= total[best] - CHANGE
        back[beat] = np.where(stays, np.arange(CHORD_COUNT), best)
        total = np.maximum(total, total[best] - CHANGE) + scores[beat]
    path = np.empty(len(scores), dtype=np.int64)
    path[-1] = total.argmax()
    for beat in range(len(scores) - 1, 0, -1):
        path[beat - 1] = back[beat, path[beat]]
    return path


def _set_labels() -> Labels:
    """Return the chord of each twelve-bit set, (4096,); of an augmented triad's roots the lowest."""
    labels = np.full(1 << OCTAVE, NO_CHORD, dtype=np.int64)
    for root in range(OCTAVE):
        for quality, (name, _) in enumerate(QUALITIES):
            if name in _INCOMPLETE:
                labels[pitch_class_bits([root + up for up in _INCOMPLETE[name]])] = root * QUALITY_COUNT + quality
    labels[CHORD_BITS[:CHORD_COUNT][::-1]] = np.arange(CHORD_COUNT)[::-1]
    return labels


SET_LABELS: Final = _set_labels()


def exact_labels(bits: npt.NDArray[np.int64], beat_steps: int) -> Labels:
    """Return the chord that sounds longest in each beat, of equals the first, at every step of it, (steps,).

    Args:
        bits: (steps,) twelve-bit sets of what all voices sound.
        beat_steps: Steps in a beat; they divide the steps.
    """
    labels = np.full(len(bits), NO_CHORD, dtype=np.int64)
    for start in range(0, len(bits), beat_steps):
        found = SET_LABELS[bits[start : start + beat_steps]].tolist()
        named = [label for label in found if label != NO_CHORD]
        if named:
            labels[start : start + beat_steps] = max(named, key=named.count)
    return labels
