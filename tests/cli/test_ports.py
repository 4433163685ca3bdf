"""`improviser ports`, on a patchbay inside the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from improviser import ports
from improviser.ports.base import PROBE_PORT, VIRTUAL_OUTPUT
from improviser.ports.loopback import LoopbackBackend

if TYPE_CHECKING:
    from tests.cli.conftest import Run


def test_our_own_probe_is_not_listed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ports that only test a MIDI system are not listed; those of a jam are."""
    backend = LoopbackBackend()
    for name in ("Keys", f"{PROBE_PORT}:{PROBE_PORT} 130:0", VIRTUAL_OUTPUT):
        backend.open_virtual_output(name)
    backend.open_virtual_input(PROBE_PORT, lambda *_: None)
    monkeypatch.setattr(ports, "open_backend", lambda _: backend)
    expected = ["FOR   NAME", "--in  Keys", f"--in  {VIRTUAL_OUTPUT}", "(loopback)"]
    assert expected == run("ports").splitlines()
