"""The page of a jam: its options, and opening it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import ExitStack
    from typing import Any

    from improviser.cli.take import Take
    from improviser.cli.view import View
    from improviser.control import Event, PerformerSettings
    from improviser.daemon.doors import Doors
    from improviser.daemon.supervisor import Supervisor

_LOOPBACK = "127.0.0.1"

WebOption = Annotated[
    bool, typer.Option("--web/--no-web", help="Serve the page: play, hear, see why it plays, steer.")
]
OpenOption = Annotated[
    bool | None,
    typer.Option("--open/--no-open", help="Open the page in a browser; by default on a desktop's terminal."),
]
HostOption = Annotated[
    str,
    typer.Option(
        "--host",
        metavar="ADDRESS",
        help="Serve the page to other machines too, by 0.0.0.0: whoever has its address plays and steers.",
    ),
]
WebPortOption = Annotated[
    int | None,
    typer.Option(
        "--web-port", metavar="PORT", min=1, max=65535, help="Its port; 8765, or any where that is taken."
    ),
]


@dataclass(frozen=True, slots=True)
class PageOptions:
    """What the command line says of the page.

    Attributes:
        host: Where it is served.
        port: The port; None: the usual one, or any.
        opens: Whether it is opened in a browser; None: on a desktop's terminal.
    """

    host: str = _LOOPBACK
    port: int | None = None
    opens: bool | None = None


def serve_page(
    options: PageOptions,
    settings: PerformerSettings,
    supervisor: Supervisor,
    doors: Doors,
    shown: tuple[View, Take],
    stack: ExitStack,
) -> list[Callable[[Event], None]]:
    """Serve the page as long as `stack` lasts, and say where; give what has to be told of all that happens.

    Where it cannot be served, that is told, and the jam goes on.
    """
    from improviser.daemon.forecast import Forecast
    from improviser.web.page import Page
    from improviser.web.services import Services

    view, take = shown
    services = Services(doors.obey, take.midi, _examine)
    try:
        page = Page(supervisor.state, services, options.host, options.port, supervisor.warn)
    except OSError as error:
        supervisor.warn(
            f"no page ({error.strerror or error}); the jam goes on. Choose another: --web-port PORT"
        )
        return []
    stack.enter_context(page)
    forecast = stack.enter_context(Forecast(settings, page.hear, lambda: page.is_watched))
    view.page(page.address.url)
    if not page.address.is_loopback:
        supervisor.warn(
            "the page is open to your network: whoever has its address, token included, hears, plays and "
            "steers, and what is sent can be read on the way; --host 127.0.0.1 keeps it to this machine"
        )
    if _is_opened() if options.opens is None else options.opens:
        _open(page.address.url)
    return [page.hear, forecast.hear]


def _examine() -> Sequence[dict[str, Any]]:
    """Give what is found out about this machine."""
    from improviser.daemon.doctor import report

    return report()


def _is_opened() -> bool:
    """Tell whether somebody sits before this terminal, on a desktop."""
    has_desktop = sys.platform in {"darwin", "win32"} or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    return has_desktop and sys.stdout.isatty()


def _open(url: str) -> None:
    """Open the page in a browser, whenever that gets round to it."""
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(url,), name="browser", daemon=True).start()
