"""The advice where no JACK server answers, depending on what runs and is installed."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from improviser.ports import advice

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="PipeWire is of Linux only")


@pytest.fixture(autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime folder without any daemon."""
    path = tmp_path_factory.mktemp("rt")
    for name in ("PIPEWIRE_RUNTIME_DIR", "PIPEWIRE_REMOTE", "LD_LIBRARY_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(path))
    return path


@pytest.fixture
def daemon(folder: Path) -> Iterator[socket.socket]:
    """A socket that listens in PipeWire's place."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(folder / "pipewire-0"))
        server.listen()
        yield server


def installed(monkeypatch: pytest.MonkeyPatch, *programs: str) -> None:
    """Make exactly these programs appear installed."""
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if name in programs else None)


def test_without_pipewire_a_server_is_to_be_started() -> None:
    """Without PipeWire the advice is to start jackd."""
    assert advice.get_jack().startswith("install jackd2 and start `jackd -d dummy`")


@pytest.mark.usefixtures("daemon")
def test_with_pipewire_it_is_pw_jack_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    """With PipeWire the advice is pw-jack and a setting for shorter periods, and not to install jackd."""
    installed(monkeypatch, "pw-jack")
    text = advice.get_jack()
    assert text.startswith("PipeWire runs here: run: pw-jack improviser jam")
    assert text.endswith("PIPEWIRE_LATENCY=128/48000 before it")
    assert "jackd" not in text


@pytest.mark.usefixtures("daemon")
def test_where_pw_jack_is_missing_its_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing pw-jack is named with its package."""
    installed(monkeypatch)
    text = advice.get_jack()
    assert text.startswith("PipeWire runs here: sudo apt install pipewire-jack")
    assert "then run: pw-jack improviser jam" in text


def test_under_pw_jack_it_is_the_daemon_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under pw-jack the advice is to start PipeWire."""
    monkeypatch.setenv("LD_LIBRARY_PATH", "/usr/${LIB}/pipewire-0.3/jack:/opt/lib")
    assert advice.is_under_pw_jack()
    assert "systemctl --user start pipewire" in advice.get_jack()


def test_a_socket_that_was_left_behind_is_no_daemon(folder: Path, daemon: socket.socket) -> None:
    """A socket without a listener, or another socket name, means that PipeWire does not run."""
    assert advice.runs_pipewire()
    daemon.close()
    assert (folder / "pipewire-0").exists()
    assert not advice.runs_pipewire()


@pytest.mark.usefixtures("daemon")
def test_the_variables_of_pipewire_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """PIPEWIRE_RUNTIME_DIR overrides the session's folder, and PIPEWIRE_REMOTE names the socket."""
    monkeypatch.setenv("PIPEWIRE_REMOTE", "other")
    assert not advice.runs_pipewire()
    monkeypatch.delenv("PIPEWIRE_REMOTE")
    monkeypatch.setenv("PIPEWIRE_RUNTIME_DIR", str(tmp_path))
    assert not advice.runs_pipewire()
    monkeypatch.delenv("PIPEWIRE_RUNTIME_DIR")
    assert advice.runs_pipewire()
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert not advice.runs_pipewire()


@pytest.mark.usefixtures("daemon")
def test_elsewhere_nobody_looks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """PipeWire is looked for on Linux only."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not advice.runs_pipewire()
