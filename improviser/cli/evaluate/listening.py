"""`improviser evaluate listening` and `phrases`: what a preset has of its player, the right one less a wrong one."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from improviser.cli.console import progress, say_json, say_table
from improviser.cli.corpus import read_folder
from improviser.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from improviser.evaluation.estimate import Column, Estimate
    from improviser.evaluation.in_time.feel_figures import Subject
    from improviser.workers import Workers


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which pieces are played, and how what is played beside them is judged.

    Attributes:
        count: How many of each folder.
        split: Their split.
        by_phrases: Whether by phrases, memory and answers; else by harmony.
    """

    count: int
    split: str
    by_phrases: bool = False


# A player with fewer notes in the part that is played says nothing.
LEAST_NOTES = 24


def measure_listening(
    corpora: Path, subject: Subject, which: Chosen, workers: Workers, card: Path | None, *, json: bool
) -> None:
    """Play beside held-out pieces with chords, and print how well that fits the right player and a wrong one.

    Args:
        corpora: A folder of music, or a folder of such folders.
        subject: Who plays.
        which: Number of pieces of each folder, and their split.
        workers: Where it plays.
        card: The card of the model, to write the table into; None leaves it.
        json: Whether to print JSON lines.

    Raises:
        CorpusError: No held-out piece has chords.
    """
    from improviser.evaluation.duet import accompaniment_heard, melody_heard
    from improviser.evaluation.evenly import evenly
    from improviser.evaluation.listening_figures import duet_figures, listening_scores
    from improviser.evaluation.model_card import LISTENING, PHRASES, write_section
    from improviser.evaluation.phrase_figures import phrase_figures

    judge = phrase_figures if which.by_phrases else duet_figures

    tables: list[tuple[tuple[str, ...], list[tuple[str, ...]]]] = []
    for folder in set_folders(corpora):
        pieces = [piece for piece in read_folder(folder).pieces if piece.split == which.split and len(piece.chords)]
        for heard, to_duet in (("melody", melody_heard), ("accompaniment", accompaniment_heard)):
            duets = [duet for piece in pieces if (duet := to_duet(piece)) and len(duet.heard) >= LEAST_NOTES]
            chosen = evenly(duets, which.count)
            if not chosen:
                continue
            with progress(f"{folder.name}, {heard} heard", len(chosen)) as advance:
                scores = listening_scores(chosen, subject, judge, advance, workers)
            tables.append(_table(f"{folder.name}, {heard} heard", scores))
            if json:
                _say_objects(folder.name, heard, scores, "phrased" if which.by_phrases else "listened")
            else:
                say_table(*tables[-1])
    if not tables:
        raise CorpusError(f"no held-out piece in {corpora} has chords; chords are markers in a MIDI file, such as Am7")
    if card is not None:
        command = shlex.join(["improviser", *sys.argv[1:]])
        write_section(card, PHRASES if which.by_phrases else LISTENING, tables, command)


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


def _say_objects(name: str, heard: str, scores: Mapping[str, Mapping[str, Column]], event: str) -> None:
    """Print a JSON line for each partner."""
    for partner, sides in scores.items():
        figures = {side: {figure: _values(each) for figure, each in column.items()} for side, column in sides.items()}
        say_json({"event": event, "set": name, "heard": heard, "partner": partner, "figures": figures})


def _table(name: str, scores: Mapping[str, Mapping[str, Column]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the head and the rows of a table of partners: the mean beside the right player, and the difference."""
    names = list(next(iter(scores.values()))["right"]) if scores else []
    rows = [
        (partner, *(f"{sides['right'][each].mean:.2f} ({_difference(sides['difference'][each])})" for each in names))
        for partner, sides in scores.items()
    ]
    return (name.upper(), *names), rows


def _values(estimate: Estimate) -> list[float]:
    """Return mean, low and high end of the interval."""
    return [estimate.mean, estimate.low, estimate.high]


def _difference(estimate: Estimate) -> str:
    """Return a difference with half its interval."""
    return f"{estimate.mean:+.2f} ± {(estimate.high - estimate.low) / 2:.2f}"
