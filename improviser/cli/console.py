"""Output of the commands: text, JSON lines, aligned tables and progress.

Results go to stdout, everything else to stderr.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final, Protocol

# Commands that take longer than this show their progress.
PATIENCE_S: Final = 2.0
_PERCENT_STEP = 10


# Text for a preference that has not learned anything.
NO_TASTE: Final = "nothing in particular"


class Advance(Protocol):
    """The function that moves a progress bar."""

    def __call__(self, done: float, note: str = "") -> None:
        """Show that `done` of the total is done; `note` is shown next to the bar."""


def say(text: str = "") -> None:
    """Print a line on stdout."""
    print(text)  # noqa: T201 - the only place that prints results


def tell(text: str) -> None:
    """Print a line on stderr: a notice, not a result."""
    print(text, file=sys.stderr)  # noqa: T201 - the only place that prints notices


def say_json(values: Mapping[str, object]) -> None:
    """Print `values` as one JSON object on one line, and flush; NaN and infinity become null.

    Characters that stdout cannot encode are escaped, so that nothing is lost.
    """
    import json

    has_all = (sys.stdout.encoding or "").lower().startswith("utf")
    text = json.dumps(_without_nan(values), ensure_ascii=not has_all, default=str, allow_nan=False)
    print(text, flush=True)  # noqa: T201 - as in say


def say_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print `rows` below `header` in columns as wide as their widest cell."""
    cells = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


@contextmanager
def progress(what: str, total: float, after_s: float = 0.0) -> Iterator[Advance]:
    """Show the progress of `what` on stderr while the block runs: a bar on a terminal, else a line per 10 %.

    The block receives a function. It calls this with the amount done of `total` and a note (loss, steps per second).
    Nothing is shown in the first `after_s` seconds.
    """
    start_s = time.monotonic()
    shown: Callable[..., None] | None = None
    with ExitStack() as stack:

        def advance(done: float, note: str = "") -> None:
            """Show the progress once `after_s` seconds have passed."""
            nonlocal shown
            if shown is None and time.monotonic() - start_s >= after_s:
                is_terminal = sys.stderr.isatty()
                shown = stack.enter_context(_bar(what, total)) if is_terminal else _percent_lines(what, total)
            if shown is not None:
                shown(done, note)

        advance(0)
        yield advance


def _without_nan(value: object) -> object:
    """Return `value` with None in place of NaN and infinity, which JSON does not have."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _without_nan(inner) for key, inner in value.items()}
    return [_without_nan(inner) for inner in value] if isinstance(value, list | tuple) else value


@contextmanager
def _bar(what: str, total: float) -> Iterator[Advance]:
    """Show a bar with the remaining time; rich is imported only here."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total, note="")

        def advance(done: float, note: str = "") -> None:
            """Move the bar."""
            bar.update(task, completed=done, note=note)

        yield advance


def _percent_lines(what: str, total: float) -> Callable[..., None]:
    """Return the function that prints a line for each further 10 %."""
    told = 0

    def advance(done: float, note: str = "") -> None:
        """Print the progress, at each 10 %."""
        nonlocal told
        percent = int(100 * done / total) if total > 0 else 100
        if percent >= told + _PERCENT_STEP:
            told = percent - percent % _PERCENT_STEP
            tell(f"{what}: {told} % {note}".rstrip())

    return advance
