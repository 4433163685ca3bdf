"""The bands of a style's density and surprise, measured from what people play in its training split.

    python -m improviser.studies.style_bands CORPORA [STYLE ...]

CORPORA holds the style's folders. The table of `rewards.melody` has what this prints.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.corpus.folder import load_folder
from improviser.listening.line import NONE, WINDOW
from improviser.music.expectation import CORPORA, interval_surprisal
from improviser.music.pitch import OCTAVE
from improviser.training.material import USAGES, GameSettings, game_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from improviser.corpus.piece import Piece
    from improviser.training.grid import Part

# Of the partner's onsets, and of the mean surprisal.
PERCENTILES: Final = (10, 90)
# A density of the player with fewer windows takes the band of the nearest one with more.
FEWEST_WINDOWS: Final = 300
DENSITIES: Final = 9
# The mean surprisal is that of so many intervals.
INTERVALS: Final = 7


def density_bands(parts: Sequence[Part]) -> npt.NDArray[np.float64]:
    """Return the fewest and the most onsets of people beside each density of the player, (DENSITIES, 2)."""
    density, onsets = partner_windows(parts)
    counts = np.bincount(density, minlength=DENSITIES)
    known = np.flatnonzero(counts >= FEWEST_WINDOWS)
    nearest = known[np.abs(np.arange(DENSITIES)[:, None] - known).argmin(axis=1)]
    return np.array([np.percentile(onsets[density == row], PERCENTILES) for row in nearest])


def partner_windows(parts: Sequence[Part]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the player's density, 0-8, and the partner's onsets in each window of the parts with a partner."""
    duets = [part for part in parts if not (part.partner == NONE).all()]
    players = np.concatenate([_window_counts(part.player) for part in duets])
    return np.minimum(players // 2, DENSITIES - 1), np.concatenate([_window_counts(part.partner) for part in duets])


def surprise_band(parts: Sequence[Part], corpus: int) -> tuple[float, float]:
    """Return the lowest and the highest mean surprisal in nats of people's lines, by a row of CORPORA."""
    table = interval_surprisal()[corpus]
    means: list[npt.NDArray[np.float64]] = []
    for part in parts:
        notes = part.partner[part.partner >= 0].astype(np.int64)
        steps = np.diff(notes)
        near = np.flatnonzero(np.abs(steps) <= OCTAVE)
        nats = table[part.mode, notes[near] % OCTAVE, steps[near] + OCTAVE]
        if len(nats) >= INTERVALS:
            means.append(np.convolve(nats, np.full(INTERVALS, 1 / INTERVALS), mode="valid"))
    low, high = np.percentile(np.concatenate(means), PERCENTILES)
    return float(low), float(high)


def style_pieces(corpora: Path, style: str) -> list[Piece]:
    """Return the pieces of the folders of a style."""
    return [piece for folder in USAGES[style].folders for piece in load_folder(corpora / folder).pieces]


def _window_counts(events: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
    """Return the onsets in each whole window of a line, in the order of time."""
    return np.convolve((events >= 0).astype(np.int64), np.ones(WINDOW, dtype=np.int64), mode="valid")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the bands of styles."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("styles", nargs="*", default=[style for style, usage in USAGES.items() if usage.folders])
    chosen = parser.parse_args(arguments)
    for style in chosen.styles:
        pieces = [piece for piece in style_pieces(chosen.corpora, style) if piece.split == "train"]
        parts = game_parts(pieces, GameSettings(style))
        bands = ", ".join(f"[{low:g}, {high:g}]" for low, high in density_bands(parts))
        sys.stdout.write(f"{style}: density [{bands}]\n")
        for row, corpus in enumerate(CORPORA):
            low, high = surprise_band(parts, row)
            sys.stdout.write(f"{style}: surprise by {corpus}s ({row}, {low:.2f}, {high:.2f})\n")


if __name__ == "__main__":
    main()
