"""The accuracy of the key that is heard on held-out pieces, beside a standard baseline.

The truth is the corpus' label, which is wrong for some tunes: a `K:` field often gives only the signature.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.corpus.key_example import Stream, from_first_note, modulated, to_stream
from improviser.corpus.piece import TICKS_PER_BEAT
from improviser.corpus.sounding_steps import sounds_of
from improviser.evaluation.estimate import estimate_column
from improviser.listening.harmony.harmony_inputs import Sounding
from improviser.listening.harmony.harmony_tracker import HarmonyTracker
from improviser.listening.heard_key import HeardKey
from improviser.music.accent import LEVELS
from improviser.music.key_profile import likeliest_key
from improviser.music.meter import SIXTEENTHS_PER_BEAT
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
# Streams that are heard at once.
LANES: Final = 64


@dataclass(frozen=True, slots=True)
class HeardPiece:
    """The answers for one stream.

    Attributes:
        stream: The stream that was heard.
        answers: (notes,) key indices after the step of each note.
        confidence: (notes,) in [0, 1].
    """

    stream: Stream
    answers: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float64]

    @property
    def is_right(self) -> npt.NDArray[np.bool_]:
        """(notes,) whether tonic and mode are right."""
        right: npt.NDArray[np.bool_] = self.answers == self.stream.keys
        return right


def listening_figures(
    pieces: Iterable[Piece], report: Callable[[int, int], None] = lambda *_: None
) -> dict[str, dict[str, float]]:
    """Return the figures of the key that is heard on the test split, by what is played.

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
    - `calibration`, the mean difference between confidence and accuracy, in percent.
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


def hear(streams: Sequence[Stream]) -> list[HeardPiece]:
    """Return what improviser takes the key to be while it hears each stream, in their order."""
    found: dict[int, HeardPiece] = {}
    order = np.argsort([stream.beats[-1] for stream in streams], kind="stable")
    for at in range(0, len(order), LANES):
        chosen = order[at : at + LANES].tolist()
        found |= dict(zip(chosen, _hear([streams[index] for index in chosen]), strict=True))
    return [found[index] for index in range(len(streams))]


def _hear(streams: Sequence[Stream]) -> list[HeardPiece]:
    """Return what is heard in streams of similar length, each in a lane."""
    steps = [math.ceil(float((stream.beats + stream.lengths).max()) * SIXTEENTHS_PER_BEAT) + 1 for stream in streams]
    sounds = np.zeros((len(streams), max(steps), 4), dtype=np.int64)
    sounds[:, :, 1:3] = -1
    for lane, stream in enumerate(streams):
        rows = np.stack([stream.beats * TICKS_PER_BEAT, stream.lengths * TICKS_PER_BEAT, stream.notes], axis=1)
        sounds[lane, : steps[lane]] = sounds_of([np.round(rows).astype(np.int64)], steps[lane])
    bar_steps = np.array([round(stream.bar_beats * SIXTEENTHS_PER_BEAT) for stream in streams])
    meters = np.array([stream.meter for stream in streams])
    tracker, keys = HarmonyTracker(len(streams), SIXTEENTHS_PER_BEAT), [HeardKey() for _ in streams]
    answers, sure = np.zeros(sounds.shape[:2], dtype=np.int64), np.zeros(sounds.shape[:2])
    for step in range(max(steps)):
        bits, bass, top, struck = sounds[:, step].T
        tracker.push(Sounding(bits, bass, top, struck > 0), LEVELS[meters, step % bar_steps], bar_steps)
        for lane, key in enumerate(keys):
            if bits[lane]:
                key.follow(tracker.keys[lane])
            answers[lane, step], sure[lane, step] = key.key.index, key.confidence
    struck_at = [np.round(stream.beats * SIXTEENTHS_PER_BEAT).astype(np.int64) for stream in streams]
    return [
        HeardPiece(stream, answers[lane, at], sure[lane, at])
        for lane, (stream, at) in enumerate(zip(streams, struck_at, strict=True))
    ]


def krumhansl(stream: Stream, notes: int | None = None) -> int:
    """Return the key whose profile correlates best with the durations of the first `notes` notes."""
    lengths, pitch_classes = stream.lengths[:notes], stream.notes[:notes] % OCTAVE
    sounded = np.bincount(pitch_classes, weights=lengths, minlength=OCTAVE)
    return likeliest_key(sounded.astype(np.float64))


def _figures(streams: Sequence[Stream], rng: np.random.Generator) -> dict[str, float]:
    """Return one row of figures."""
    heard = hear(streams)
    early = np.array([one.is_right[:EARLY_NOTES][-1] for one in heard])
    whole = np.array([one.is_right[-1] for one in heard])
    keys = [int(stream.keys[0]) for stream in streams]
    guesses = {"early": [krumhansl(stream, EARLY_NOTES) for stream in streams]}
    guesses["whole"] = [krumhansl(stream) for stream in streams]
    return {
        "pieces": float(len(streams)),
        **_share("early", early),
        **_share("whole", whole),
        **{f"{name}_krumhansl": 100 * float(np.mean(np.array(found) == keys)) for name, found in guesses.items()},
        **_relations(heard),
        "changes": float(np.mean([_changes(one.answers[EARLY_NOTES - 1 :]) for one in heard])),
        **_modulation_figures(streams, rng),
        "calibration": 100 * _calibration(heard),
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
    heard = hear([stream for stream in moved if stream is not None])
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
