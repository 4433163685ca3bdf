"""What a command needs beyond what playing needs: libraries and the corpus."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

from improviser.cli.console import progress
from improviser.errors import ImproviserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.training.piece import Piece

EXTRA = ("torch", "music21", "gymnasium")
PLOTS = "matplotlib"
INSTALL = 'pip install "improviser-live[train]"'


def missing_training() -> list[str]:
    """Give which libraries of the extra `train` are not installed."""
    return [name for name in EXTRA if not _is_installed(name)]


def need_training() -> None:
    """Raise ImproviserError where the extra `train` is not installed."""
    missing = missing_training()
    if missing:
        msg = f"this needs {', '.join(missing)}; install with: {INSTALL}"
        raise ImproviserError(msg)


def need_plots() -> None:
    """Raise ImproviserError where matplotlib, which draws the plots, is not installed."""
    if not _is_installed(PLOTS):
        msg = f"plots need {PLOTS}; install with: {INSTALL}"
        raise ImproviserError(msg)


def load_corpus() -> list[Piece]:
    """Give the corpus; where it has to be parsed first, with progress."""
    from improviser.training.corpus import load_pieces

    with ExitStack() as stack:
        return load_pieces(progress=_file_progress(stack))


def _file_progress(stack: ExitStack) -> Callable[[str, int, int], None]:
    """Give what shows how far the reading of the corpus is."""
    bars: dict[str, Callable[..., None]] = {}

    def report(stage: str, done: int, total: int) -> None:
        """Move the stage's bar."""
        if stage not in bars:
            stack.close()
            bars[stage] = stack.enter_context(progress(f"corpus: {stage}", total))
        bars[stage](done)

    return report


def _is_installed(name: str) -> bool:
    """Tell whether a library can be found; finders may refuse in several ways."""
    with suppress(ImportError, ValueError):
        return find_spec(name) is not None
    return False
