"""What of the optional extras is installed, and how to install what is not."""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec

from improviser.errors import ImproviserError

EXTRA = ("torch", "music21", "gymnasium")
PLOTS = "matplotlib"
INSTALL = 'pip install "improviser-live[train]"'


def missing_training() -> list[str]:
    """Return which libraries of the extra `train` are not installed."""
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


def _is_installed(name: str) -> bool:
    """Return whether a library can be found; finders may refuse in several ways."""
    with suppress(ImportError, ValueError):
        return find_spec(name) is not None
    return False
