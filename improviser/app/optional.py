"""Checks which optional extras are installed, and says how to install the others."""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec

from improviser.errors import ImproviserError

EXTRA = ("torch", "music21", "gymnasium")
PLOTS = "matplotlib"
BEAT_SCORES = "mir_eval"
INSTALL = 'pip install "improviser-live[train]"'


def missing_training() -> list[str]:
    """Return the libraries of the extra `train` that are not installed."""
    return [name for name in EXTRA if not _is_installed(name)]


def need_training() -> None:
    """Raise ImproviserError if the extra `train` is not installed."""
    missing = missing_training()
    if missing:
        msg = f"this needs {', '.join(missing)}; install with: {INSTALL}"
        raise ImproviserError(msg)


def need_plots() -> None:
    """Raise ImproviserError if matplotlib, which draws the plots, is not installed."""
    if not _is_installed(PLOTS):
        msg = f"plots need {PLOTS}; install with: {INSTALL}"
        raise ImproviserError(msg)


def need_beat_scores() -> None:
    """Raise ImproviserError if mir_eval, which scores beats, is not installed."""
    if not _is_installed(BEAT_SCORES):
        msg = f"scores of the beat need {BEAT_SCORES}; install with: {INSTALL}"
        raise ImproviserError(msg)


def _is_installed(name: str) -> bool:
    """Return whether a library can be found; import finders may also raise."""
    with suppress(ImportError, ValueError):
        return find_spec(name) is not None
    return False
