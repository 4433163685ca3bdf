"""The ways in which other programs steer a jam: the socket of `improviser ctl`, and OSC."""

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
    """Opens them beside a jam; one that cannot be opened is told of, and the jam goes on.

    Use it as a context; on the way out they are closed.
    """

    def __init__(self, supervisor: Supervisor, folder: Path, osc_port: int | None, page_url: str = "") -> None:
        """Open the socket, noted down in `folder`, and OSC on a port (None: no OSC); tell the page's URL."""
        self._stack = ExitStack()
        ignored = supervisor.state.count_ignored
        gate = CommandFilter(supervisor.send, ignored)
        try:
            remote = ControlSocket(folder, supervisor.state, gate, page_url)
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
        """Be open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all."""
        self._stack.close()
