"""A JACK server for the tests, a model with random weights, and commands as processes beside another client."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, sync_playwright

from improviser.agent.checkpoint import save_model, weight_shapes
from improviser.agent.config import Group, NetworkConfig
from improviser.errors import PortError
from improviser.listening.observation import GROUPS
from improviser.playing.actions import ACTION_COUNT
from improviser.ports.jack import open_jack
from tests.integration.browsing import launch
from tests.live import PATIENCE_S, Command, Partner, Run, StartServer, wait_for
from tests.pipewire import PipeWire


@pytest.fixture(scope="session")
def improviser_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder whose models have random weights: these tests do not measure how well it plays."""
    home = tmp_path_factory.mktemp("home")
    config = NetworkConfig(tuple(Group(*group) for group in GROUPS), ACTION_COUNT, hidden=16)
    rng = np.random.default_rng(0)
    shapes = weight_shapes(config)
    networks = {
        name: {key: rng.normal(0, 0.5, shape).astype(np.float32) for key, shape in shapes.items()}
        for name in ("prior", "q")
    }
    for style in ("chorale", "fiddle"):
        save_model(home / "presets" / "models" / f"{style}.safetensors", config, networks, {"style": style})
    return home


@pytest.fixture(scope="session")
def jack_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a JACK server that runs during the tests, in synchronous mode, which loses no event."""
    if shutil.which("jackd") is None:
        pytest.skip("no jackd on the PATH")
    name = f"improviser-test-{os.getpid()}"
    options = ["--no-realtime", "-S", "-t", "200", "-d", "dummy", "-r", "48000", "-p", "128"]
    log = (tmp_path_factory.mktemp("jack") / "jackd.log").open("wb")
    with pytest.MonkeyPatch.context() as patch, log:
        patch.setenv("JACK_DEFAULT_SERVER", name)
        patch.setenv("JACK_NO_START_SERVER", "1")
        server = subprocess.Popen(["jackd", "-n", name, *options], stdout=log, stderr=log)
        try:
            wait_for(_answers, "JACK server")
            yield name
        finally:
            server.terminate()
            server.wait(PATIENCE_S)


@pytest.fixture
def jackd(monkeypatch: pytest.MonkeyPatch, jack_server: str) -> Iterator[StartServer]:
    """Start JACK servers of one name, separate from the other tests' server, one after the other; stop the last."""
    name = f"{jack_server}-own"
    monkeypatch.setenv("JACK_DEFAULT_SERVER", name)
    servers: list[subprocess.Popen[bytes]] = []

    def start(*options: str, period: int = 128) -> subprocess.Popen[bytes]:
        """Start a server and wait until it answers."""
        driver = ["--no-realtime", "-t", "200", *options, "-d", "dummy", "-r", "48000", "-p", str(period)]
        quiet = subprocess.DEVNULL
        servers.append(subprocess.Popen(["jackd", "-n", name, *driver], stdout=quiet, stderr=quiet))
        wait_for(_answers, "JACK server")
        return servers[-1]

    yield start
    servers[-1].send_signal(signal.SIGCONT)  # a test may have stopped it
    servers[-1].terminate()
    servers[-1].wait(PATIENCE_S)


def _answers() -> bool:
    """Return whether the server accepts a client."""
    try:
        open_jack("Test Probe").close()
    except PortError:
        return False
    return True


@pytest.fixture
def pipewire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipeWire]:
    """A PipeWire daemon that runs during a test, which may stop and start it."""
    daemon = PipeWire(tmp_path_factory.mktemp("pw"))
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium without a screen."""
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def partner(jack_server: str) -> Iterator[Partner]:
    """Another client on the server."""
    del jack_server
    client = Partner()
    yield client
    client.close()


@pytest.fixture
def run(tmp_path: Path, improviser_home: Path) -> Iterator[Run]:
    """Start commands that are ended with the test."""
    commands: list[Command] = []

    def start(*arguments: str, pipewire: PipeWire | None = None, is_ordinary: bool = False) -> Command:
        """Start `improviser` with `arguments`, on a PipeWire daemon where one is given, perhaps without real time."""
        commands.append(Command([*arguments], tmp_path, improviser_home, pipewire, is_ordinary=is_ordinary))
        return commands[-1]

    yield start
    for command in commands:
        if command.process.poll() is None:
            command.process.terminate()
            command.process.wait(PATIENCE_S)
        for stream in (command.process.stdout, command.process.stderr):
            if stream is not None:
                stream.close()
