"""What a jam is shown by: a terminal, a log, or JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from improviser.protocol import Event


class View(Protocol):
    """Something that shows a jam."""

    def show(self, event: Event) -> None:
        """Show an event."""

    def page(self, url: str) -> None:
        """Show where the page is."""

    def kept(self, path: Path) -> None:
        """Show where the session's journal is, and what can be done with it."""

    def recorded(self, path: Path) -> None:
        """Show where the recording is."""


class SafeView:
    """Another view, until it fails: then nothing is shown any more, and `fault` says why."""

    def __init__(self, view: View) -> None:
        """Show what `view` shows."""
        self.fault: Exception | None = None
        self._view = view

    def show(self, event: Event) -> None:
        """Show an event, if that still works."""
        self._try(lambda: self._view.show(event))

    def page(self, url: str) -> None:
        """Show where the page is, if that still works."""
        self._try(lambda: self._view.page(url))

    def kept(self, path: Path) -> None:
        """Show where the session's journal is, if that still works."""
        self._try(lambda: self._view.kept(path))

    def recorded(self, path: Path) -> None:
        """Show where the recording is, if that still works."""
        self._try(lambda: self._view.recorded(path))

    def _try(self, show: Callable[[], None]) -> None:
        """Show something; keep the fault, since the take must not be lost with the view."""
        if self.fault is not None:
            return
        try:
            show()
        except Exception as error:  # noqa: BLE001 - raised again when the take is safe
            self.fault = error
