"""Opens the ways for other programs to steer a jam: the socket of `improviser ctl`, and OSC."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from improviser.protocol.command_filter import CommandFilter
from improviser.remote.control_socket import HOST, ControlSocket
from improviser.remote.osc import OscServer

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from improviser.supervisor.supervisor import Supervisor


class RemoteControl:
    """Opens the control socket and OSC beside a jam.

    If one of them cannot be opened, the jam goes on and the user is warned. Use the object as a context manager; on
    exit it closes both.
    """

    def __init__(
        self, supervisor: Supervisor, folder: Path, osc_port: int | None, page_url: str = "", name: str = ""
    ) -> None:
        """Open the control socket and the OSC server.

        Args:
            supervisor: The supervisor of the jam.
            folder: The folder in which the socket's port is recorded.
            osc_port: The UDP port for OSC; None for no OSC.
            page_url: The page's URL, which the socket reports to clients.
            name: The jam's name; empty: none.
        """
        self._stack = ExitStack()
        ignored = supervisor.state.count_ignored
        gate = CommandFilter(supervisor.send, ignored)
        try:
            remote = ControlSocket(folder, supervisor.state, gate, page_url, name)
            self._stack.callback(remote.close)
        except OSError as error:
            supervisor.warn(f"improviser ctl cannot steer this jam: {error.strerror or error}")
        if osc_port is None:
            return
        try:
            osc = OscServer((HOST, osc_port), gate, supervisor.warn, ignored)
        except OSError as error:
            supervisor.warn(f"no OSC on port {osc_port}: {error.strerror or error}; choose another: --osc PORT")
        else:
            self._stack.callback(osc.close)

    def __enter__(self) -> Self:
        """Return the object, which is open already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the socket and the OSC server."""
        self._stack.close()
