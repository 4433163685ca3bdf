"""The page of a jam: its options, serving it, and opening it in a browser."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import ExitStack
    from typing import Any

    from improviser.protocol import Event, PerformerSettings
    from improviser.supervisor.supervisor import Supervisor
    from improviser.web.address import PageSocket

LOOPBACK = "127.0.0.1"
_LEADS_ON = """<!doctype html>
<meta charset="utf-8">
<title>improviser</title>
<meta http-equiv="refresh" content="0; url={url}">
<a href="{url}">Open the page of the jam</a>
"""


@dataclass(frozen=True, slots=True)
class PageOptions:
    """Options of the command line for the page.

    Attributes:
        host: Host to serve the page on.
        port: TCP port; None: the default port, or a free one.
        opens: Whether to open the page in a browser; None: if the terminal is on a desktop.
        keeps: Whether to use the address of the last jam that kept it; None: as in the user's settings.
    """

    host: str = LOOPBACK
    port: int | None = None
    opens: bool | None = None
    keeps: bool | None = None


def open_page_socket(options: PageOptions, warn: Callable[[str], None]) -> PageSocket | None:
    """Listen for the page, with a warning if others can reach it; None, with a warning, if that fails."""
    from improviser.app.jam_settings import page_settings
    from improviser.web.address import DEFAULT_PORT, bind

    chosen = page_settings()
    port = options.port or chosen.port
    keeps = chosen.keeps if options.keeps is None else options.keeps
    try:
        page_socket = bind(options.host, port, _kept_token(warn) if keeps else None)
    except OSError as error:
        warn(
            f"cannot serve the page ({error.strerror or error}); the jam goes on. Choose another port: --web-port PORT"
        )
        return None
    if keeps and port is None and page_socket.address.port != DEFAULT_PORT:
        warn(
            f"port {DEFAULT_PORT} is taken, so the page has another address than before. Choose a port: --web-port PORT"
        )
    if not page_socket.address.is_loopback:
        warn(
            "the page is open to your network: everybody who has its full address can hear, play and steer, and "
            "the connection is not encrypted. --host 127.0.0.1 keeps it to this machine"
        )
    return page_socket


def serve_page(
    page_socket: PageSocket,
    settings: PerformerSettings,
    supervisor: Supervisor,
    take: Callable[[int | None], bytes],
    stack: ExitStack,
) -> list[Callable[[Event], None]]:
    """Serve the page of a jam until `stack` closes; return the listeners for all events."""
    from improviser.session.forecast import Forecast
    from improviser.web.page import Page
    from improviser.web.services import Services

    services = Services(supervisor.send, take, _examine)
    page = stack.enter_context(Page(page_socket, supervisor.state, services, supervisor.warn))
    forecast = Forecast(settings, page.publish, lambda: page.is_watched, supervisor.warn)
    return [page.publish, stack.enter_context(forecast).enqueue]


def show_page(url: str, stack: ExitStack, *, opens: bool | None) -> None:
    """Open the page in a browser if wanted, in a thread of its own, since that may take long.

    The browser is given a file that only the user can read. Every user of the machine could read the token if it stood
    on a command line.
    """
    import contextlib
    import threading
    import webbrowser

    from improviser.config.resources import control_folder
    from improviser.files import write_private

    if not (_is_opened() if opens is None else opens):
        return
    path = control_folder() / f"{os.getpid()}.page.html"
    with contextlib.suppress(OSError):
        write_private(path, _LEADS_ON.format(url=url))
        stack.callback(path.unlink, missing_ok=True)
        threading.Thread(target=webbrowser.open, args=(path.as_uri(),), name="browser", daemon=True).start()


def _kept_token(warn: Callable[[str], None]) -> str | None:
    """Return the saved token, or a new one that is saved now; None, with a warning, if that fails."""
    from improviser.config.resources import page_token_path
    from improviser.files import write_private
    from improviser.web.address import is_token, new_token

    path = page_token_path()
    try:
        if path.exists() and is_token(token := path.read_text("utf-8").strip()):
            return token
        token = new_token()
        write_private(path, f"{token}\n")
    except (OSError, UnicodeDecodeError) as error:
        warn(f"cannot save the page's address ({error}); the next jam will have another one")
        return None
    return token


def _examine() -> Sequence[dict[str, Any]]:
    """Return the doctor's findings about this machine."""
    from improviser.doctor import report

    return report()


def _is_opened() -> bool:
    """Return whether this is a terminal on a desktop, so that a browser may be opened."""
    has_desktop = sys.platform in {"darwin", "win32"} or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    return has_desktop and sys.stdout.isatty()
