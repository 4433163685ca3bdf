"""The address at which the page is served, and the host names that it accepts."""

from __future__ import annotations

import errno
import ipaddress
import re
import secrets
import socket
from dataclasses import dataclass, field
from typing import Final, NamedTuple

DEFAULT_PORT: Final = 8765
# Maximum number of connections that wait to be accepted.
BACKLOG: Final = 64
_TOKEN_BYTES: Final = 24
# An address that belongs to nobody (Source: RFC 5737, TEST-NET-1).
_ELSEWHERE: Final = ("192.0.2.1", 9)


def new_token() -> str:
    """Return a new random token that cannot be guessed."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


@dataclass(frozen=True, slots=True)
class Address:
    """A host and port with the token of this run.

    Attributes:
        host: Host that the server listens on, such as 127.0.0.1 or 0.0.0.0.
        port: TCP port.
        token: First part of every path. A request without it gets nothing.
    """

    host: str
    port: int
    token: str = field(default_factory=new_token, repr=False)

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on this machine can reach the address."""
        return is_loopback(self.host)

    @property
    def url(self) -> str:
        """The address to open in a browser."""
        name = _outer_name() if _is_any(self.host) else self.host
        shown = f"[{name}]" if ":" in name else name
        return f"http://{shown}:{self.port}/{self.token}/"

    def is_named(self, host_header: str) -> bool:
        """Return whether a request's Host header names this address.

        Another name that leads here belongs to somebody else. Their page could reach this server through a browser
        (DNS rebinding). A numeric address cannot be rebound. Source: RFC 9110, section 7.2.
        """
        name, _, port = host_header.rpartition(":")
        name = name.strip("[]").lower()
        if port != str(self.port):
            return False
        if self.is_loopback or (_is_any(self.host) and is_loopback(name)):
            return is_loopback(name)
        own = socket.gethostname().lower()
        return name in {self.host.lower(), own, f"{own}.local"} or (_is_any(self.host) and _is_number(name))


class PageSocket(NamedTuple):
    """A listening socket and the address at which it is reached."""

    listening: socket.socket
    address: Address


def is_token(text: str) -> bool:
    """Return whether a text could be a token: long enough, with only characters that a path may have."""
    return re.fullmatch(rf"[A-Za-z0-9_-]{{{len(new_token())},}}", text) is not None


def bind(host: str, port: int | None, token: str | None = None) -> PageSocket:
    """Listen on a host and a port.

    Args:
        host: Host to listen on.
        port: TCP port; None: DEFAULT_PORT, or a free port if that is taken.
        token: First part of all paths; None: a new token.

    Raises:
        OSError: The host is invalid or not one of this machine's, or the port is taken.
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
    return PageSocket(listening, Address(host, listening.getsockname()[1], token or new_token()))


def is_loopback(host: str) -> bool:
    """Return whether a host is a loopback address of this machine."""
    if host == "localhost":
        return True
    return _is_number(host) and ipaddress.ip_address(host).is_loopback


def _outer_name() -> str:
    """Return this machine's address as other machines see it, or its name if it has no route.

    Sends nothing: it only asks the system which of its addresses such a packet would leave from.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])


def _is_any(host: str) -> bool:
    """Return whether a host stands for all addresses of the machine, such as 0.0.0.0."""
    return _is_number(host) and ipaddress.ip_address(host).is_unspecified


def _is_number(host: str) -> bool:
    """Return whether a host is a numeric address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
