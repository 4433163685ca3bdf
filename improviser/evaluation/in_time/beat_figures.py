"""How well the beat is found: on pieces whose family the fit has not seen, played as people play.

Every beat that counts was told when it happened, from what was heard until then.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from improviser.evaluation.estimate import estimate_column
from improviser.evaluation.in_time.own_beats import own_beats
from improviser.listening.beat_tracker import BeatTracker
from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.offline.follow import find_time
from improviser.training.beat.performance import FREE, MODERATE, PLAIN, STRICT, Manner, PlayedPiece, play_piece
from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from improviser.evaluation.in_time.feel_figures import Subject
    from improviser.listening.beat.pulse_network import BeatWeights
    from improviser.midi.message import Message
    from improviser.offline.found_time import FoundTime
    from improviser.training.beat.beat_piece import BeatPiece

Floats = npt.NDArray[np.float64]

# Beats before this one are not counted: nobody knows the beat at once.
FIRST_BEAT: Final = 4
WINDOW_S: Final = 0.07
# The beat is found when this many beats in a row were told in time.
LOCKED_BEATS: Final = 4
# The meter is read after this many bars.
METER_BARS: Final = 8
# Two bars are as long if one is less than this many times the other.
SAME_BAR: Final = 1.15
LONGEST_S: Final = 120.0
PRIOR_BPM: Final = 110.0
SEED: Final = 0
_FEWEST_NOTES: Final = 30


class BeatPlayer(NamedTuple):
    """A kind of player: the set, how the names of the tracks begin that are played, and the manner."""

    set_name: str
    track: str
    manner: Manner


PLAYERS: Final = {
    "pop, all": BeatPlayer("pop909", "", PLAIN),
    "pop, piano": BeatPlayer("pop909", "PIANO", PLAIN),
    "pop, melody": BeatPlayer("pop909", "MELODY", PLAIN),
    "jazz solo": BeatPlayer("weimar", "solo", PLAIN),
    "piano, moderate": BeatPlayer("lieder", "piano", MODERATE),
    "piano, free": BeatPlayer("lieder", "piano", FREE),
    "song, in time": BeatPlayer("lieder", "", STRICT),
    "voice, in time": BeatPlayer("lieder", "voice", STRICT),
    "lead sheet": BeatPlayer("openewld", "", STRICT),
    "quartet, moderate": BeatPlayer("quartets", "", MODERATE),
}


def beat_figures(
    pieces: Iterable[BeatPiece],
    weights: BeatWeights,
    subject: Subject,
    count: int,
    report: Callable[[int, int], None] = lambda *_: None,
) -> dict[str, dict[str, float]]:
    """Return the figures of each kind of player, on at most `count` of some held-out pieces each.

    Each row has `pieces`; `f`, `cmlt` and `amlt`, the beat F-measure (70 ms) and the continuity measures from the fifth
    beat on, with the ends of the F-measure's 95 % interval (`f_low`, `f_high`); `half_f` and `double_f`, the F-measure
    against half and double tempo; `lock_s`, the median seconds from the first note to LOCKED_BEATS beats in a row that
    were told in time; `meter`, the share of pieces in one meter whose meter is right after METER_BARS bars; and `bar`,
    the share of these whose bars are as long as the true ones, as 2/2 in halves and 4/4 in quarters are. What `subject`
    plays to the beats that were found, and to the true ones, has the figures of `own_beats`.

    Source: M. Davies, N. Degara, M. Plumbley, "Evaluation methods for musical audio beat tracking algorithms" (2009).
    """
    known = list(pieces)
    figures = {}
    for done, (name, player) in enumerate(PLAYERS.items(), 1):
        chosen = _chosen([piece for piece in known if piece.set_name == player.set_name], count)
        rows = [row for index, piece in enumerate(chosen) if (row := _row(piece, player, weights, subject, index))]
        if rows:
            figures[name] = _summary(rows)
        report(done, len(PLAYERS))
    return figures


def to_messages(notes: Floats) -> list[TimedMessage]:
    """Return notes with onset, end, pitch and velocity as messages in the order of time; ends come first."""
    ends: list[tuple[float, int, Message]] = [(end, 0, NoteOff(0, int(pitch))) for _, end, pitch, _ in notes.tolist()]
    onsets: list[tuple[float, int, Message]] = [
        (at, 1, NoteOn(0, int(pitch), int(velocity))) for at, _, pitch, velocity in notes.tolist()
    ]
    ordered = sorted((*ends, *onsets), key=lambda event: event[:2])
    return [TimedMessage(at_s, message) for at_s, _, message in ordered]


def beat_scores(truth: Floats, told: Floats) -> dict[str, float]:
    """Return the scores of told beats against at least six true ones, in seconds."""
    from mir_eval import beat  # noqa: PLC0415 - brings scipy, which only this needs

    true = truth[FIRST_BEAT:]
    found = told[told >= true[0] - WINDOW_S]
    _, cmlt, _, amlt = beat.continuity(true, found) if len(found) > 1 else (0.0,) * 4
    double = np.sort(np.concatenate([true, (true[1:] + true[:-1]) / 2]))
    return {
        "f": _f_measure(true, found),
        "cmlt": float(cmlt),
        "amlt": float(amlt),
        "half_f": max(_f_measure(other, found) for other in (true[::2], true[1::2])),
        "double_f": _f_measure(double, found),
        "lock_s": _lock_s(truth, told),
    }


def _f_measure(true: Floats, found: Floats) -> float:
    """Return the F-measure; 0 where nothing was found."""
    from mir_eval import beat  # noqa: PLC0415 - as in beat_scores

    return float(beat.f_measure(true, found, WINDOW_S)) if len(found) else 0.0


def _lock_s(truth: Floats, told: Floats) -> float:
    """Return the seconds from the first beat until LOCKED_BEATS true beats in a row were told; infinity if never."""
    if not len(told):
        return float("inf")
    is_told = np.abs(truth[:, None] - told).min(axis=1) <= WINDOW_S
    runs = np.convolve(is_told, np.ones(LOCKED_BEATS), "valid") == LOCKED_BEATS
    return float(truth[int(np.argmax(runs)) + LOCKED_BEATS - 1] - truth[0]) if runs.any() else float("inf")


def _chosen(pieces: Sequence[BeatPiece], count: int) -> list[BeatPiece]:
    """Return some of the pieces, the same each time."""
    order = np.random.default_rng(SEED).permutation(len(pieces))[:count]
    return [pieces[index] for index in order]


def _row(
    piece: BeatPiece, player: BeatPlayer, weights: BeatWeights, subject: Subject, seed: int
) -> dict[str, float] | None:
    """Return the scores of one piece; None if it is too short for a player."""
    tracks = tuple(index for index, name in enumerate(piece.tracks) if name.startswith(player.track))
    played = play_piece(piece, tracks, player.manner, np.random.default_rng([SEED, seed]))
    if len(played.notes) < _FEWEST_NOTES:
        return None
    first_s = float(played.notes[0, 0])
    played = PlayedPiece(played.notes[played.notes[:, 0] < first_s + LONGEST_S], played.beats_s, piece)
    is_played = (played.beats_s >= first_s - WINDOW_S) & (played.beats_s <= played.notes[-1, 0] + WINDOW_S)
    truth = played.beats_s[is_played]
    if len(truth) <= FIRST_BEAT + 1:
        return None
    heard = to_messages(played.notes)
    found = find_time(BeatTracker(PRIOR_BPM, None, weights), heard, float(played.notes[-1, 0]))
    scores = beat_scores(truth, np.array([beat.at_s for beat in found.beats]))
    ours = own_beats(played, found, heard, subject, WINDOW_S, int(np.argmax(is_played)) + FIRST_BEAT)
    return scores | ours | _meter(piece, is_played, found, float(np.median(np.diff(truth))))


def _meter(piece: BeatPiece, is_played: npt.NDArray[np.bool_], found: FoundTime, beat_s: float) -> dict[str, float]:
    """Return whether meter and length of the bar are right after METER_BARS bars; nothing if the meter changes."""
    counted = Counter(zip(piece.size[is_played].tolist(), piece.thirds[is_played].tolist(), strict=True))
    (size, thirds), beats = counted.most_common(1)[0]
    if beats < is_played.sum() or (piece.place[is_played] < 0).all():
        return {}
    view = next((beat.view for beat in found.beats if beat.view.bar > METER_BARS), None)
    if view is None:
        return {}
    meter = view.meter
    felt = round(meter.bar_beats / meter.felt_beats)
    is_right = (felt, meter.felt_beats == 1.5) == (size, thirds)  # noqa: PLR2004
    found_s = felt * S_PER_MINUTE / view.tempo_bpm
    return {"meter": float(is_right), "bar": float(abs(np.log(found_s / (size * beat_s))) < np.log(SAME_BAR))}


def _summary(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the means of the rows, the median time to lock, and the interval of the F-measure."""
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name != "lock_s"]
    means = {name: float(np.mean([row[name] for row in rows if name in row])) for name in names}
    interval = estimate_column([{"f": row["f"]} for row in rows], SEED)["f"]
    lock_s = float(np.median([row["lock_s"] for row in rows]))
    return {"pieces": float(len(rows)), **means, "f_low": interval.low, "f_high": interval.high, "lock_s": lock_s}
