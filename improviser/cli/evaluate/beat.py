"""`improviser evaluate beat`: how well the beat is found, as a table or JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.cli.console import progress, say_json, say_table

if TYPE_CHECKING:
    from pathlib import Path

    from improviser.evaluation.in_time.feel_figures import Subject
    from improviser.training.beat.beat_piece import BeatPiece

_UNKNOWN = "-"


def measure_beat(corpora: Path, subject: Subject, count: int, *, json: bool) -> None:
    """Run the beat tracker on at most `count` held-out pieces of each kind of player, and print its scores.

    `subject` plays to the beats that it finds.

    Raises:
        UsageError: The folder holds no set of pieces with known beats.
    """
    from improviser.config.beat_model import load_beat_weights
    from improviser.errors import UsageError
    from improviser.evaluation.in_time.beat_figures import beat_figures
    from improviser.training.beat.beat_piece import SETS, read_set

    folders = [corpora / name for name in SETS if (corpora / name).is_dir()]
    if not folders:
        raise UsageError(f"{corpora} holds none of the folders {', '.join(SETS)}. See docs/beat.md for what they are")
    with progress("reading", len(folders)) as advance:
        pieces: list[BeatPiece] = []
        for done, folder in enumerate(folders, 1):
            pieces += read_set(folder, held_out=True)
            advance(done)
    with progress("following", 1) as advance:
        figures = beat_figures(pieces, load_beat_weights(), subject, count, lambda done, total: advance(done / total))
    if json:
        for player, row in figures.items():
            say_json({"event": "followed", "player": player, "figures": row})
        return
    names = list(dict.fromkeys(name for row in figures.values() for name in row))
    say_table(
        ("PLAYER", *names),
        [(player, *(_cell(row.get(name)) for name in names)) for player, row in figures.items()],
    )


def _cell(value: float | None) -> str:
    """Return a figure as text, or "-" if there is none."""
    return _UNKNOWN if value is None else f"{value:.2f}"
