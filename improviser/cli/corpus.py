"""The corpus, as commands have it: read with progress where it was not read before."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from improviser.cli.console import progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.corpus.piece import Piece


def load_corpus() -> list[Piece]:
    """Return the corpus; where it has to be parsed first, with progress."""
    from improviser.corpus.library import load_pieces

    with ExitStack() as stack:
        return load_pieces(progress=_file_progress(stack))


def _file_progress(stack: ExitStack) -> Callable[[str, int, int], None]:
    """Return what shows how far the reading of the corpus is."""
    bars: dict[str, Callable[..., None]] = {}

    def report(stage: str, done: int, total: int) -> None:
        """Move the stage's bar."""
        if stage not in bars:
            stack.close()
            bars[stage] = stack.enter_context(progress(f"corpus: {stage}", total))
        bars[stage](done)

    return report
