"""`improviser evaluate listening`: what a preset has of its player, the right one less a wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.cli.console import progress, say_json, say_table
from improviser.cli.corpus import read_folder
from improviser.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from improviser.evaluation.estimate import Column, Estimate
    from improviser.evaluation.in_time.feel_figures import Subject

# A player with fewer notes in the part that is played says nothing.
LEAST_NOTES = 24


def measure_listening(corpora: Path, subject: Subject, count: int, split: str, *, json: bool) -> None:
    """Play beside held-out pieces with chords, and print how well that fits the right player and a wrong one.

    Args:
        corpora: A folder of music, or a folder of such folders.
        subject: Who plays.
        count: Number of pieces of each folder.
        split: "test" or "valid".
        json: Whether to print JSON lines.

    Raises:
        CorpusError: No held-out piece has chords.
    """
    from improviser.evaluation.duet import accompaniment_heard, melody_heard
    from improviser.evaluation.evenly import evenly
    from improviser.evaluation.listening_figures import listening_scores

    is_empty = True
    for folder in set_folders(corpora):
        pieces = [piece for piece in read_folder(folder).pieces if piece.split == split and len(piece.chords)]
        for heard, to_duet in (("melody", melody_heard), ("accompaniment", accompaniment_heard)):
            duets = [duet for piece in pieces if (duet := to_duet(piece)) and len(duet.heard) >= LEAST_NOTES]
            chosen = evenly(duets, count)
            if not chosen:
                continue
            is_empty = False
            with progress(f"{folder.name}, {heard} heard", len(chosen)) as advance:
                scores = listening_scores(chosen, subject, advance)
            _show(folder.name, heard, scores, json=json)
    if is_empty:
        raise CorpusError(f"no held-out piece in {corpora} has chords; chords are markers in a MIDI file, such as Am7")


def set_folders(corpora: Path) -> list[Path]:
    """Return the folders in a folder that hold music, or the folder itself if it has none."""
    from improviser.corpus.folder import music_files

    found = []
    for folder in sorted(path for path in corpora.iterdir() if path.is_dir()) if corpora.is_dir() else ():
        try:
            music_files(folder)
        except CorpusError:
            continue
        found.append(folder)
    return found or [corpora]


def _show(name: str, heard: str, scores: Mapping[str, Mapping[str, Column]], *, json: bool) -> None:
    """Print a table of partners, or a JSON line for each: the mean beside the right player, and the difference."""
    if json:
        for partner, sides in scores.items():
            figures = {
                side: {figure: _values(each) for figure, each in column.items()} for side, column in sides.items()
            }
            say_json({"event": "listened", "set": name, "heard": heard, "partner": partner, "figures": figures})
        return
    names = list(next(iter(scores.values()))["right"]) if scores else []
    rows = [
        (partner, *(f"{sides['right'][each].mean:.2f} ({_difference(sides['difference'][each])})" for each in names))
        for partner, sides in scores.items()
    ]
    say_table((f"{name.upper()}, {heard.upper()} HEARD", *names), rows)


def _values(estimate: Estimate) -> list[float]:
    """Return mean, low and high end of the interval."""
    return [estimate.mean, estimate.low, estimate.high]


def _difference(estimate: Estimate) -> str:
    """Return a difference with half its interval."""
    return f"{estimate.mean:+.2f} ± {(estimate.high - estimate.low) / 2:.2f}"
