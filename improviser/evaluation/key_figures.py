"""The accuracy of the key tracker on held-out pieces, beside a standard baseline.

The truth is the corpus' label, which is wrong for some tunes: a `K:` field often gives only the signature.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.corpus.key_example import Stream, from_first_note, modulated, to_stream
from improviser.evaluation.estimate import estimate_column
from improviser.listening.key_tracker import KeyTracker
from improviser.music.key_profile import likeliest_key
from improviser.music.pitch import OCTAVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from improviser.corpus.piece import Piece

# The key is read after this many notes, and at the end.
EARLY_NOTES: Final = 32
# Modulations made of each piece.
MODULATIONS: Final = 3
# A new key counts as settled when it stays for this many beats.
SETTLED_BEATS: Final = 8.0
CALIBRATION_BINS: Final = 10
CALIBRATION_EVERY: Final = 8
SEED: Final = 0
# The kinds of wrong answers.
WRONG: Final = ("relative", "parallel", "fifth", "other")
FIFTHS: Final = (5, 7)
RELATIVE_MAJOR: Final = 3
_US: Final = 1e6


@dataclass(frozen=True, slots=True)
class HeardPiece:
    """The tracker's answers for one stream.

    Attributes:
        stream: The stream that it heard.
        answers: (notes,) key indices.
        confidence: (notes,) in [0, 1].
        elapsed_s: Seconds that the tracker took.
    """

    stream: Stream
    answers: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float64]
    elapsed_s: float

    @property
    def is_right(self) -> npt.NDArray[np.bool_]:
        """(notes,) whether tonic and mode are right."""
        right: npt.NDArray[np.bool_] = self.answers == self.stream.keys
        return right


def listening_figures(
    pieces: Iterable[Piece], report: Callable[[int, int], None] = lambda *_: None
) -> dict[str, dict[str, float]]:
    """Return the key tracker's figures on the test split, by what is played.

    `report` is called with the number of rows done and their total. Each row has:

    - `pieces`, their number;
    - `early` and `whole`, the percentage with exact tonic and mode after EARLY_NOTES notes and after all, with the ends
      of their 95 % bootstrap intervals (`_low`, `_high`), and the same for plain Krumhansl (`early_krumhansl`,
      `whole_krumhansl`);
    - `relative`, `parallel`, `fifth`, `other`: the percentage of final answers that are wrong in this way;
    - `changes`, the changes of key per piece after EARLY_NOTES notes, though no piece modulates;
    - `modulation_beats`, the median number of beats from a modulation to the first right answer, `settled_beats`, to
      the first right answer that stays right for SETTLED_BEATS, and `within_4_beats`, the percentage of modulations
      found within 4 beats;
    - `calibration`, the mean difference between confidence and accuracy, in percent;
    - `note_us`, microseconds per note.
    """
    held_out = [piece for piece in pieces if piece.split == "test"]
    rng = np.random.default_rng(SEED)
    chorales = [piece for piece in held_out if piece.kind == "chorale"]
    tunes = [to_stream(piece, (0,), rng) for piece in held_out if piece.kind == "tune"]
    rows = {
        "tunes": tunes,
        "tunes, no beat given": [from_first_note(tune) for tune in tunes],
        "chorale sopranos": [to_stream(piece, (0,), rng) for piece in chorales],
        "chorales": [to_stream(piece, range(len(piece.voices)), rng) for piece in chorales],
    }
    figures = {}
    for done, (name, streams) in enumerate(rows.items(), 1):
        if streams:
            figures[name] = _figures(streams, rng)
        report(done, len(rows))
    return figures


def hear(stream: Stream) -> HeardPiece:
    """Feed a stream to a key tracker, and return its answers."""
    tracker = KeyTracker(meter_row=stream.meter)
    answers = np.zeros(len(stream.notes), dtype=np.int64)
    confidence = np.zeros(len(stream.notes))
    began_s = time.perf_counter()
    for index, (note, beat) in enumerate(zip(stream.notes.tolist(), stream.beats.tolist(), strict=True)):
        tracker.add_note(note, beat)
        answers[index], confidence[index] = tracker.key.index, tracker.confidence
    return HeardPiece(stream, answers, confidence, time.perf_counter() - began_s)


def krumhansl(stream: Stream, notes: int | None = None) -> int:
    """Return the key whose profile correlates best with the durations of the first `notes` notes."""
    lengths, pitch_classes = stream.lengths[:notes], stream.notes[:notes] % OCTAVE
    sounded = np.bincount(pitch_classes, weights=lengths, minlength=OCTAVE)
    return likeliest_key(sounded.astype(np.float64))


def _figures(streams: Sequence[Stream], rng: np.random.Generator) -> dict[str, float]:
    """Return one row of figures."""
    heard = [hear(stream) for stream in streams]
    early = np.array([one.is_right[:EARLY_NOTES][-1] for one in heard])
    whole = np.array([one.is_right[-1] for one in heard])
    keys = [int(stream.keys[0]) for stream in streams]
    guesses = {"early": [krumhansl(stream, EARLY_NOTES) for stream in streams]}
    guesses["whole"] = [krumhansl(stream) for stream in streams]
    notes = sum(len(one.answers) for one in heard)
    return {
        "pieces": float(len(streams)),
        **_share("early", early),
        **_share("whole", whole),
        **{f"{name}_krumhansl": 100 * float(np.mean(np.array(found) == keys)) for name, found in guesses.items()},
        **_relations(heard),
        "changes": float(np.mean([_changes(one.answers[EARLY_NOTES - 1 :]) for one in heard])),
        **_modulation_figures(streams, rng),
        "calibration": 100 * _calibration(heard),
        "note_us": _US * sum(one.elapsed_s for one in heard) / notes,
    }


def _share(name: str, is_right: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Return a percentage and its 95 % bootstrap interval."""
    found = estimate_column([{name: 100.0 * right} for right in is_right.tolist()], SEED)[name]
    return {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}


def _changes(answers: npt.NDArray[np.int64]) -> int:
    """Return the number of key changes."""
    return int(np.count_nonzero(np.diff(answers)))


def _modulation_figures(streams: Sequence[Stream], rng: np.random.Generator) -> dict[str, float]:
    """Return how soon modulations by 1-11 semitones are recognised."""
    moved = [
        modulated(stream, rng, 1 + (MODULATIONS * index + turn) % (OCTAVE - 1))
        for index, stream in enumerate(streams)
        for turn in range(MODULATIONS)
    ]
    heard = [hear(stream) for stream in moved if stream is not None]
    if not heard:
        return {}
    found = [_beats_until(one, 0.0) for one in heard]
    settled = [_beats_until(one, SETTLED_BEATS) for one in heard]
    return {
        "modulation_beats": float(np.median(found)),
        "settled_beats": float(np.median(settled)),
        "within_4_beats": 100 * float(np.mean(np.array(found) <= 4)),  # noqa: PLR2004 - as its name says
    }


def _beats_until(heard: HeardPiece, stays_beats: float) -> float:
    """Return the beats from the bar line of the modulation to an answer that is right and stays right."""
    stream = heard.stream
    beats, is_right = stream.beats[stream.turn :], heard.is_right[stream.turn :]
    line = np.floor(beats[0] / stream.bar_beats) * stream.bar_beats
    for beat in beats[is_right]:
        if is_right[(beats >= beat) & (beats <= beat + stays_beats)].all() or not stays_beats:
            return float(beat - line)
    return float("inf")


def _calibration(heard: Sequence[HeardPiece]) -> float:
    """Return the expected calibration error: confidence against accuracy, in bins of similar confidence."""
    confidence = np.concatenate([one.confidence[::CALIBRATION_EVERY] for one in heard])
    is_right = np.concatenate([one.is_right[::CALIBRATION_EVERY] for one in heard])
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    gaps = [
        abs(confidence[bins == one].mean() - is_right[bins == one].mean()) * np.mean(bins == one)
        for one in np.unique(bins)
    ]
    return float(np.sum(gaps))


def _relations(heard: Sequence[HeardPiece]) -> dict[str, float]:
    """Return the percentage of final answers that are wrong, for each kind of error."""
    counts = Counter(_relation(int(one.answers[-1]), int(one.stream.keys[-1])) for one in heard)
    return {name: 100 * counts[name] / len(heard) for name in WRONG}


def _relation(answer: int, key: int) -> str:
    """Return the relation of an answer to the true key, "" where they are equal."""
    if answer == key:
        return ""
    up, is_minor = (answer - key) % OCTAVE, key >= OCTAVE
    if answer // OCTAVE == key // OCTAVE:
        return "fifth" if up in FIFTHS else "other"
    if up == 0:
        return "parallel"
    return "relative" if up == (RELATIVE_MAJOR if is_minor else OCTAVE - RELATIVE_MAJOR) else "other"
