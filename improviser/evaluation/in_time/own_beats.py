"""Whether improviser's notes are on the player's beats where it has to find them, beside where it is told them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.listening.beat_tracker import BeatView
from improviser.midi.message import NoteOn, TimedMessage
from improviser.music.meter import COMMON, METERS, Meter
from improviser.offline.follow import play_in_time
from improviser.offline.found_time import FoundTime
from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.evaluation.in_time.feel_figures import Subject
    from improviser.training.beat.performance import PlayedPiece

Floats = npt.NDArray[np.float64]

_FEWEST_NOTES: Final = 8
_THIRDS, _QUARTERS, _EIGHTHS = 3, 4, 8


def own_beats(
    played: PlayedPiece,
    found: FoundTime,
    heard: Sequence[TimedMessage],
    subject: Subject,
    window_s: float,
    from_beat: int,
) -> dict[str, float]:
    """Return figures of our notes beside a player, with beats that were found and, as `told_...`, with the true ones.

    `on_beat` is the share of our onsets within `window_s` of a true beat, and `accent` how much louder these are than
    the others, as a ratio of mean velocities. There are no figures if we play almost nothing.

    Args:
        played: The player's piece.
        found: The beats that were found in it.
        heard: The player's messages, in seconds.
        subject: Who plays.
        window_s: How near a beat is on it.
        from_beat: The first true beat that counts.
    """
    figures: dict[str, float] = {}
    for name, time in (("", found), ("told_", told_time(played))):
        if not time.beats:
            return {}
        rng = np.random.default_rng(subject.seed)
        ours = play_in_time(time, heard, subject.settings, subject.actor, rng)
        truth = played.beats_s[from_beat:]
        row = _on_beats(ours, truth[truth <= heard[-1].due_s], window_s)
        if row is None:
            return {}
        figures |= {f"{name}{figure}": value for figure, value in row.items()}
    return figures


def told_time(played: PlayedPiece) -> FoundTime:
    """Return the true beats of a piece, and its bars where they are known, as if they had been found."""
    piece, time, bar = played.piece, FoundTime(), 0
    next_s = np.append(played.beats_s[1:], 2 * played.beats_s[-1] - played.beats_s[-2])
    for index, (at_s, until_s) in enumerate(zip(played.beats_s.tolist(), next_s.tolist(), strict=True)):
        place = int(piece.place[index])
        bar += place == 0
        meter = _meter(int(piece.size[index]), is_in_thirds=bool(piece.thirds[index]))
        tempo_bpm = S_PER_MINUTE / (until_s - at_s)
        time.add_beat(at_s, BeatView(at_s, float(index), bar, tempo_bpm, 1.0, meter, max(0, place)))
    return time


def _meter(size: int, *, is_in_thirds: bool) -> Meter:
    """Return the meter of bars of `size` beats; 4/4 where such bars cannot be counted."""
    meter = Meter(_THIRDS * size, _EIGHTHS) if is_in_thirds else Meter(size, _QUARTERS)
    return meter if meter in METERS else COMMON


def _on_beats(ours: Sequence[TimedMessage], truth: Floats, window_s: float) -> dict[str, float] | None:
    """Return the figures of our notes; None if they are too few, or all on beats or all off them."""
    notes = [
        (timed.due_s, timed.message.velocity)
        for timed in ours
        if isinstance(timed.message, NoteOn) and truth[0] - window_s <= timed.due_s <= truth[-1] + window_s
    ]
    if len(notes) < _FEWEST_NOTES:
        return None
    at_s, velocities = np.array(notes, dtype=np.float64).T
    is_on = np.abs(at_s[:, None] - truth).min(axis=1) <= window_s
    if is_on.all() or not is_on.any():
        return None
    accent = velocities[is_on].mean() / velocities[~is_on].mean()
    return {"on_beat": float(is_on.mean()), "accent": float(accent)}
