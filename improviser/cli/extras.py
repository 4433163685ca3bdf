"""What a command needs beyond what playing needs."""

from __future__ import annotations

from importlib.util import find_spec

from improviser.errors import ImproviserError


def need_training() -> None:
    """Raise ImproviserError where the extra `train` is not installed."""
    missing = [name for name in ("torch", "music21", "gymnasium") if find_spec(name) is None]
    if missing:
        msg = f'this needs {", ".join(missing)}; install them with: pip install "improviser-live[train]"'
        raise ImproviserError(msg)
