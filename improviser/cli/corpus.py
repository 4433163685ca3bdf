"""Loads the corpus for commands, with progress if it has to be parsed first."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from improviser.cli.console import progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.corpus.piece import Piece


def load_corpus() -> list[Piece]:
    """Return the corpus; show progress if it has to be parsed first."""
    from improviser.corpus.library import load_pieces

    with ExitStack() as stack:
        return load_pieces(progress=_file_progress(stack))


def _file_progress(stack: ExitStack) -> Callable[[str, int, int], None]:
    """Return the function that shows the progress of reading the corpus."""
    bars: dict[str, Callable[..., None]] = {}

    def report(stage: str, done: int, total: int) -> None:
        """Move the stage's bar."""
        if stage not in bars:
            stack.close()
            bars[stage] = stack.enter_context(progress(f"corpus: {stage}", total))
        bars[stage](done)

    return report
