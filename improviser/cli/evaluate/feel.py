"""`improviser evaluate feel`: how a player's feel is heard and played, as tables or JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.cli.console import progress, say_json, say_table
from improviser.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from improviser.evaluation.in_time.feel_figures import Subject

# The songs of each corpus, and the generated players.
SONGS, PLAYERS = 12, 6
_UNKNOWN = "-"


def measure_feel(corpora: Path | None, subject: Subject, *, json: bool) -> None:
    """Measure how feel is heard and played, and print the figures.

    Raises:
        UsageError: There is no folder of corpora.
    """
    from improviser.evaluation.in_time.feel_figures import SONGS as CORPORA
    from improviser.evaluation.in_time.feel_figures import partner_figures, pocket_figures
    from improviser.evaluation.in_time.swing_figures import generated_swing, solo_swing

    if corpora is None or not corpora.is_dir():
        raise UsageError("--corpora is not a folder; it needs the folders weimar, pop909 and lieder")
    with progress("evaluating", len(CORPORA) * SONGS) as advance:
        swing = generated_swing(subject.seed) | solo_swing(corpora / "weimar")
        parts = partner_figures(corpora, subject, SONGS, advance)
        pocket = pocket_figures(subject, PLAYERS)
    _show("swing", swing, json=json)
    for corpus, rows in parts.items():
        _show(corpus, rows, json=json)
    _show("pocket", {"ours with the player's": pocket}, json=json)


def _show(topic: str, rows: Mapping[str, Mapping[str, float]], *, json: bool) -> None:
    """Print a table with a row for each kind of playing, or a JSON line for each."""
    if json:
        for name, figures in rows.items():
            say_json({"event": "felt", "topic": topic, "part": name, "figures": figures})
        return
    columns = dict.fromkeys(figure for figures in rows.values() for figure in figures)
    cells = ((name, *(_cell(figures, figure) for figure in columns)) for name, figures in rows.items())
    say_table((topic.upper(), *columns), list(cells))


def _cell(row: Mapping[str, float], name: str) -> str:
    """Return a figure of a row as text, or "-" if the row has none."""
    return f"{row[name]:.2f}" if name in row else _UNKNOWN
