"""`improviser evaluate hearing`: how well keys and chords are detected, as tables or JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.cli.console import progress, say_json, say_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from improviser.corpus.piece import Piece

_UNKNOWN = "-"


def measure_hearing(pieces: list[Piece], *, json: bool) -> None:
    """Run the key and chord trackers on the held-out pieces, and print their scores."""
    from improviser.evaluation.chord_figures import chord_figures
    from improviser.evaluation.key_figures import listening_figures

    with progress("listening", 1) as advance:
        keys = listening_figures(pieces, lambda done, total: advance(done / (total + 1)))
        chords = chord_figures(pieces)
        advance(1)
    for figures in (keys, chords):
        _show(figures, json=json)


def _show(figures: Mapping[str, Mapping[str, float]], *, json: bool) -> None:
    """Print a table with a column for each kind of playing, or a JSON line for each."""
    if json:
        for heard, row in figures.items():
            say_json({"event": "heard", "heard": heard, "figures": row})
        return
    names = dict.fromkeys(name for row in figures.values() for name in row)
    say_table(
        ("FIGURE", *figures),
        [(name, *(_cell(row, name) for row in figures.values())) for name in names],
    )


def _cell(row: Mapping[str, float], name: str) -> str:
    """Return a figure of a row as text, or "-" if the row has none."""
    return f"{row[name]:.1f}" if name in row else _UNKNOWN
