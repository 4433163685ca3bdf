"""Where the page is served, and by which names it may be asked for."""

from __future__ import annotations

import errno
import ipaddress
import re
import secrets
import socket
from dataclasses import dataclass, field
from typing import Final, NamedTuple

DEFAULT_PORT: Final = 8765
# So many connections wait to be accepted.
BACKLOG: Final = 64
_TOKEN_BYTES: Final = 24
# An address that is nobody's (Source: RFC 5737, TEST-NET-1).
_ELSEWHERE: Final = ("192.0.2.1", 9)


def new_token() -> str:
    """Return a token that nobody can guess."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


@dataclass(frozen=True, slots=True)
class Address:
    """A host and port with the token of this run.

    Attributes:
        host: What is listened on, such as 127.0.0.1 or 0.0.0.0.
        port: The port.
        token: The first part of every path; who does not know it gets nothing.
    """

    host: str
    port: int
    token: str = field(default_factory=new_token, repr=False)

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on this machine can reach it."""
        return is_loopback(self.host)

    @property
    def url(self) -> str:
        """The address to open."""
        name = _outer_name() if _is_any(self.host) else self.host
        shown = f"[{name}]" if ":" in name else name
        return f"http://{shown}:{self.port}/{self.token}/"

    def is_named(self, host_header: str) -> bool:
        """Return whether a request's Host header names this address.

        Another name that leads here is somebody else's: a page of theirs would reach us through a browser
        (DNS rebinding). Source: RFC 9110, section 7.2; a number cannot be rebound.
        """
        name, _, port = host_header.rpartition(":")
        name = name.strip("[]").lower()
        if port != str(self.port):
            return False
        if self.is_loopback or (_is_any(self.host) and is_loopback(name)):
            return is_loopback(name)
        own = socket.gethostname().lower()
        return name in {self.host.lower(), own, f"{own}.local"} or (_is_any(self.host) and _is_number(name))


class Door(NamedTuple):
    """A socket that listens, and by which address it is reached."""

    listening: socket.socket
    address: Address


def is_token(text: str) -> bool:
    """Return whether a text could be a token: as long, and of the letters that a path may have."""
    return re.fullmatch(rf"[A-Za-z0-9_-]{{{len(new_token())},}}", text) is not None


def bind(host: str, port: int | None, token: str | None = None) -> Door:
    """Listen on a host, on a port, by default the usual one or, where that is taken, a free one.

    Args:
        host: What is listened on.
        port: The port; None: see above.
        token: What all paths begin with; None: a new one.

    Raises:
        OSError: The host is none, or none of this machine's, or the port is taken.
    """
    if not host:
        raise OSError(errno.EADDRNOTAVAIL, "no host is named")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port or DEFAULT_PORT), family=family, backlog=BACKLOG)
    except OSError:
        if port is not None:
            raise
        listening = socket.create_server((host, 0), family=family, backlog=BACKLOG)
    return Door(listening, Address(host, listening.getsockname()[1], token or new_token()))


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, as only itself sees it."""
    if host == "localhost":
        return True
    return _is_number(host) and ipaddress.ip_address(host).is_loopback


def _outer_name() -> str:
    """Return this machine's address as others see it; its name, where it has none.

    Nothing is sent: it is only asked which way such a packet would leave.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])


def _is_any(host: str) -> bool:
    """Return whether a host stands for all addresses of the machine."""
    return _is_number(host) and ipaddress.ip_address(host).is_unspecified


def _is_number(host: str) -> bool:
    """Return whether a host is an address in numbers."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
