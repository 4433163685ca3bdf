"""The interface of what shows a jam: a terminal, a log, or JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from improviser.protocol import Event


class View(Protocol):
    """Shows a jam."""

    def show(self, event: Event) -> None:
        """Show an event."""

    def page(self, url: str) -> None:
        """Show the page's address."""

    def kept(self, path: Path) -> None:
        """Show the path of the session's journal, and what can be done with it."""

    def recorded(self, path: Path) -> None:
        """Show the path of the recording."""


class SafeView:
    """Wraps a view and catches its first error in `fault`; after that it shows nothing."""

    def __init__(self, view: View) -> None:
        """Wrap `view`."""
        self.fault: Exception | None = None
        self._view = view

    def show(self, event: Event) -> None:
        """Show an event, if the view still works."""
        self._try(lambda: self._view.show(event))

    def page(self, url: str) -> None:
        """Show the page's address, if the view still works."""
        self._try(lambda: self._view.page(url))

    def kept(self, path: Path) -> None:
        """Show the path of the session's journal, if the view still works."""
        self._try(lambda: self._view.kept(path))

    def recorded(self, path: Path) -> None:
        """Show the path of the recording, if the view still works."""
        self._try(lambda: self._view.recorded(path))

    def _try(self, show: Callable[[], None]) -> None:
        """Call the view; store its error, since the take must not be lost with the view."""
        if self.fault is not None:
            return
        try:
            show()
        except Exception as error:  # noqa: BLE001 - raised again when the take is safe
            self.fault = error
