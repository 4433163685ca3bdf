"""Plots of an evaluation as PNG files: piano rolls, densities of distances, curves of adaptation.

matplotlib is imported only when a plot is drawn, and needs no display.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.engine.role import COMPING, MELODY
from improviser.errors import ImproviserError
from improviser.evaluation.adaptation import BEFORE_BEATS
from improviser.evaluation.knob_sweep import SETTINGS
from improviser.evaluation.metrics.played import note_lengths
from improviser.evaluation.perturbation import UNCHANGED
from improviser.evaluation.report import HUMAN
from improviser.files import write_whole
from improviser.music.chord import QUALITIES, QUALITY_COUNT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from improviser.evaluation.adaptation import Adaptation
    from improviser.evaluation.evaluate import Evaluation
    from improviser.evaluation.knob_sweep import Sweep
    from improviser.evaluation.likeness import Likeness
    from improviser.evaluation.rollouts import Rollout
    from improviser.listening.line import Events

ROLLS: Final = 3
CHORDS_FROM: Final = 48
DOTS_PER_INCH: Final = 100
PLAYER_COLOUR, OWN_COLOUR, BAR_COLOUR = "tab:gray", "tab:red", "0.85"
# Number of columns of small plots, and the size of each plot in inches.
ACROSS: Final = 3
SMALL: Final = (4.2, 2.8)


def write_plots(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write the plots of an evaluation into a folder, which is created; return their paths.

    The files are `roll-COLUMN-1.png` and so on for people and for the measured column, `overlap-COLUMN.png` for every
    column that is compared with people, and `adaptation.png` where adaptation was measured.

    Raises:
        ImproviserError: A file cannot be written.
    """
    own = evaluation.table.name
    plots = {
        f"roll-{_slug(name)}-{number}.png": _roll(name, take)
        for name in (HUMAN, own)
        for number, take in enumerate(sampled(evaluation.takes[name]), 1)
    }
    for name, likeness in evaluation.likenesses.items():
        if likeness.features and name != HUMAN:
            plots[f"overlap-{_slug(name)}.png"] = _overlap(name, likeness)
    if evaluation.adaptations:
        plots["adaptation.png"] = _adaptation(evaluation.adaptations)
    return write_figures(plots, folder)


def write_knobs(sweeps: Sequence[Sweep], folder: Path) -> Path:
    """Write `knobs.png`, the effect of each knob, into a folder, which is created; return its path.

    Raises:
        ImproviserError: The file cannot be written.
    """
    figure, axes = _small_plots(len(sweeps))
    for place, sweep in zip(axes, sweeps, strict=False):
        means = [value.mean for value in sweep.values]
        place.fill_between(
            SETTINGS,
            [value.low for value in sweep.values],
            [value.high for value in sweep.values],
            color=OWN_COLOUR,
            alpha=0.2,
            linewidth=0,
        )
        place.plot(SETTINGS, means, color=OWN_COLOUR, marker="o")
        for level, style in ((sweep.human, "-"), (sweep.random, ":")):
            place.axhline(level, color=PLAYER_COLOUR, linestyle=style, linewidth=1)
        place.set_title(f"{sweep.knob}: {sweep.measure}", fontsize=9)
    return write_figures({"knobs.png": figure}, folder)[0]


def sampled(takes: Sequence[Rollout]) -> list[Rollout]:
    """Return up to ROLLS rollouts, evenly spread."""
    chosen = np.linspace(0, len(takes) - 1, min(ROLLS, len(takes))).round().astype(int)
    return [takes[index] for index in chosen]


def note_bars(events: Events, role: str = MELODY.name) -> list[tuple[int, int, int]]:
    """Return each note of a voice as its first step, its length in steps, and its number.

    Where the role's events are chords, these are their notes in close position, with roots from CHORDS_FROM on.
    """
    onsets = np.flatnonzero(events >= 0).tolist()
    struck = zip(onsets, note_lengths(events).tolist(), events[onsets].tolist(), strict=True)
    if role != COMPING.name:
        return list(struck)
    return [
        (onset, length, CHORDS_FROM + chord // QUALITY_COUNT + above)
        for onset, length, chord in struck
        for above in QUALITIES[chord % QUALITY_COUNT][1]
    ]


def _roll(name: str, take: Rollout) -> Figure:
    """Draw the player and the improviser as a piano roll, with bar lines."""
    figure = new_figure(12, 4)
    axes = figure.subplots()
    performance = take.performance
    for notes, colour, who in (
        (note_bars(performance.player), PLAYER_COLOUR, "player"),
        (note_bars(performance.events, performance.role), OWN_COLOUR, name),
    ):
        if notes:
            at, length, note = np.array(notes).T
            axes.barh(note, length, left=at, height=0.9, color=colour, edgecolor="white", label=who)
    for bar in range(0, len(performance.events) + 1, performance.bar_steps):
        axes.axvline(bar, color=BAR_COLOUR, zorder=0)
    axes.set(title=f"{take.name}, {name}", xlabel="step", ylabel="note, the tonic being C")
    figure.legend(loc="outside upper right", ncols=2)
    return figure


def _overlap(name: str, likeness: Likeness) -> Figure:
    """Draw the densities of each feature's distances."""
    figure, grid = _small_plots(len(likeness.features))
    for axes, (feature, found) in zip(grid, likeness.features.items(), strict=False):
        among, between = found.densities()
        axes.plot(found.grid, among, color=PLAYER_COLOUR, label="people to people")
        axes.plot(found.grid, between, color=OWN_COLOUR, label=f"{name} to people")
        axes.fill_between(found.grid, np.minimum(among, between), color=BAR_COLOUR)
        axes.set(title=feature, xlabel="distance")
    grid[0].legend(fontsize="small")
    return figure


def _adaptation(adaptations: Mapping[str, Adaptation]) -> Figure:
    """Draw the note-in-chord share around each change, beside the unchanged case."""
    names = list(dict.fromkeys(next(iter(adaptations.values())).names))
    figure, grid = _small_plots(len(names))
    for axes, name in zip(grid, names, strict=False):
        for column, adaptation in adaptations.items():
            curve = 100 * adaptation.curve(name)
            (line,) = axes.plot(np.arange(len(curve)) - BEFORE_BEATS, curve, label=column)
            axes.plot(
                np.arange(len(curve)) - BEFORE_BEATS,
                100 * adaptation.curve(UNCHANGED),
                color=line.get_color(),
                alpha=0.3,
            )
        axes.axvline(0, color=PLAYER_COLOUR, linestyle=":")
        axes.set(title=name, xlabel="beats from the change", ylabel="NIC of 4 beats %", ylim=(0, 100))
    grid[0].legend(fontsize="small")
    return figure


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure with a size in inches; its PNG canvas needs no display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - optional, and takes a second
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _small_plots(count: int) -> tuple[Figure, list[Axes]]:
    """Return a figure and its `count` small plots."""
    down = -(-count // ACROSS)
    figure = new_figure(SMALL[0] * ACROSS, SMALL[1] * down)
    grid: list[Axes] = list(figure.subplots(down, ACROSS, squeeze=False).ravel())
    for axes in grid[count:]:
        axes.set_axis_off()
    return figure, grid


def write_figures(plots: Mapping[str, Figure], folder: Path) -> list[Path]:
    """Write figures into a folder as PNG files with these names, and return their paths.

    Raises:
        ImproviserError: A file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in plots.items():
            _write(figure, folder / name)
    except OSError as error:
        msg = f"no plot can be put into {folder}: {error.strerror}; choose another folder with --plots"
        raise ImproviserError(msg) from error
    return [folder / name for name in plots]


def _write(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, as a whole or not at all."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH)
    write_whole(path, buffer.getvalue())


def _slug(name: str) -> str:
    """Return a column's name as part of a file name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "column"
