"""The server's protocols that the page's limits extend: not public, so their version is pinned."""

from __future__ import annotations

import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"


def test_uvicorn_is_pinned_to_versions_that_were_tried() -> None:
    """A minor version that nobody has tried is not installed, and the one that is here lies within."""
    dependencies = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["dependencies"]
    (pin,) = (Requirement(text) for text in dependencies if text.startswith("uvicorn"))
    assert version("uvicorn") in pin.specifier
    assert "1.0" not in pin.specifier


@pytest.mark.parametrize(
    ("kind", "methods"),
    [
        (H11Protocol, ("connection_made", "connection_lost", "handle_websocket_upgrade")),
        (WebSocketsSansIOProtocol, ("run_asgi", "keepalive_timeout")),
    ],
)
def test_what_is_extended_is_there(kind: type, methods: tuple[str, ...]) -> None:
    """A method that uvicorn renames would never be called, and the limit not hold."""
    assert [] == [name for name in methods if not callable(getattr(kind, name, None))]
