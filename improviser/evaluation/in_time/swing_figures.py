"""How well the swing of a player is heard: generated players, and solos in human time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.evaluation.in_time.feel_figures import BAR_BEATS, LEFT_OUT, Figures, to_notes, track_messages
from improviser.listening.pocket.swing import Swing, SwingTracker
from improviser.midi.smf import read_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

# What is heard before the swing is asked for.
HEARD_BARS: Final = 8
# Swings of generated players: share, unit in beats, and the onsets of a beat on the straight grid.
GENERATED: Final = (
    (0.50, 1.0, (0.0, 0.5)),
    (0.50, 1.0, (0.0, 0.25, 0.5, 0.75)),
    (0.56, 1.0, (0.0, 0.5)),
    (0.60, 1.0, (0.0, 0.5)),
    (0.67, 1.0, (0.0, 0.5)),
    (0.60, 0.5, (0.0, 0.25, 0.5, 0.75)),
    (0.65, 0.5, (0.0, 0.25, 0.5, 0.75)),
)
# A generated player is this exact: 20 ms at 90 beats a minute.
SCATTER_BEATS: Final = 0.03
GENERATED_EACH: Final = 20
SOLO: Final = "solo"
CLOSE: Final = 0.03
# An eighth pair in a solo: the first onset is this near to the beat, and the second within these positions.
ON_BEAT: Final = 0.15
OFFBEAT: Final = (0.40, 0.80)
LEAST_PAIRS: Final = 24


def generated_swing(seed: int) -> dict[str, Figures]:
    """Return how well the swing of generated players is heard after HEARD_BARS bars, by their swing."""
    rng = np.random.default_rng(seed)
    figures: dict[str, Figures] = {}
    for share, unit, onsets in GENERATED:
        swing = Swing(share, unit)
        errors = [_generated_error(swing, onsets, rng) for _ in range(GENERATED_EACH)]
        name = f"{len(onsets)} notes a beat, swing {share} of {unit:g} beat"
        figures[name] = _error_figures(errors)
    return figures


def _generated_error(swing: Swing, onsets: Iterable[float], rng: np.random.Generator) -> float:
    """Return the error of the swing heard from one generated player."""
    tracker = SwingTracker()
    for beat in range(HEARD_BARS * BAR_BEATS):
        for onset in onsets:
            if rng.random() >= LEFT_OUT:
                tracker.hear(beat + swing.place(onset) + SCATTER_BEATS * rng.standard_normal())
    return abs(tracker.follow().share - swing.share)


def solo_swing(folder: Path) -> dict[str, Figures]:
    """Return how well the swing of the solos in a folder is heard after HEARD_BARS bars of each."""
    errors = []
    for path in sorted(folder.glob("*.mid")):
        onsets = [beat for beat, _, _ in to_notes(track_messages(read_file(path), SOLO))]
        truth = pair_swing(onsets)
        if truth is not None:
            heard = [beat for beat in onsets if beat < onsets[0] + HEARD_BARS * BAR_BEATS]
            tracker = SwingTracker()
            for beat in heard:
                tracker.hear(beat)
            errors.append(abs(tracker.follow().share - truth))
    return {"solos": _error_figures(errors)} if errors else {}


def pair_swing(onsets: Sequence[float]) -> float | None:
    """Return the median share of a beat that its first eighth takes, in beats with two onsets.

    Args:
        onsets: Beats of the onsets of a line, in order.

    Returns:
        None if there are fewer than LEAST_PAIRS such beats.
    """
    by_beat: dict[int, list[float]] = {}
    for onset in onsets:
        beat = round(onset - 0.5 + ON_BEAT)
        by_beat.setdefault(beat, []).append(onset - beat)
    pairs = [pair for pair in by_beat.values() if len(pair) == len(OFFBEAT)]
    shares = [second - first for first, second in pairs if first < ON_BEAT and OFFBEAT[0] < second - first < OFFBEAT[1]]
    return float(np.median(shares)) if len(shares) >= LEAST_PAIRS else None


def _error_figures(errors: Sequence[float]) -> Figures:
    """Return the figures of errors of a swing."""
    return {
        "median error": float(np.median(errors)),
        "share within .03": float(np.mean([error <= CLOSE + 1e-9 for error in errors])),
        "players": float(len(errors)),
    }
