"""The learning curve of the preference study, as a PNG file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.evaluation.plot import PLAYER_COLOUR, new_figure, write_figures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from improviser.studies.preference_study import Point


def write_preference_curve(curve: Sequence[Point], folder: Path) -> Path:
    """Write `taste.png`, the learning curve of a hidden preference by presses, into a folder; return its path.

    Raises:
        ImproviserError: The file cannot be written.
    """
    figure = new_figure(6, 4)
    axes = figure.subplots()
    for errors in sorted({point.errors for point in curve}):
        points = [point for point in curve if point.errors == errors]
        presses = [point.presses for point in points]
        (line,) = axes.plot(presses, [point.match.mean for point in points], marker="o", label=f"{errors:.0%} wrong")
        axes.fill_between(
            presses,
            [point.match.low for point in points],
            [point.match.high for point in points],
            color=line.get_color(),
            alpha=0.15,
            linewidth=0,
        )
    axes.axhline(1.0, color=PLAYER_COLOUR, linewidth=1)
    axes.set(xlabel="presses", ylabel="share of the oracle's gain", xscale="log")
    axes.set_xticks(sorted({point.presses for point in curve}))
    axes.get_xaxis().set_major_formatter("{x:.0f}")
    axes.legend(frameon=False)
    return write_figures({"taste.png": figure}, folder)[0]
