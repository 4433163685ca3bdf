"""Work on a cluster: two nodes of real Ray processes on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from improviser.workers import Workers
from tests.free_port import free_port
from tests.jobs import killed_once, squared, times_begun
from tests.unit.studies.test_ablation import LANES, make_study, run

RAY = Path(sys.executable).with_name("ray")
START_S = 90


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Start two nodes of one core each; return the address of their cluster, and stop them at the end."""
    if not RAY.exists():
        lacks = "no Ray here: pip install 'improviser-live[scale]', which has no wheel for every Python"
        (pytest.fail if os.environ.get("CI") == "true" and sys.version_info < (3, 14) else pytest.skip)(lacks)
    port = free_port()
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1"}
    common = ["--num-cpus=1", "--object-store-memory=80000000", "--disable-usage-stats"]
    address = f"127.0.0.1:{port}"
    head = ["--head", "--node-ip-address=127.0.0.1", f"--port={port}", "--include-dashboard=false"]
    for role in (head, [f"--address={address}", "--node-ip-address=127.0.0.1"]):
        subprocess.run(
            [RAY, "start", *role, *common], check=True, timeout=START_S, env=environment, capture_output=True
        )
    yield address
    subprocess.run([RAY, "stop", "--force"], check=False, timeout=START_S, capture_output=True)


def test_both_nodes_work(cluster: str) -> None:
    """Results are there in order, from the processes of the cluster."""
    found = Workers(ray=cluster).all(squared, 100, list(range(8)))
    assert [number * number + 100 for number in range(8)] == [value for value, _ in found]
    assert os.getpid() not in {process for _, process in found}
    ray = pytest.importorskip("ray")
    ray.init(address=cluster, log_to_driver=False, configure_logging=False)
    alive = [node for node in ray.nodes() if node["Alive"]]
    ray.shutdown()
    assert 2 == len(alive)


def test_a_study_has_the_same_outcomes_everywhere(cluster: str, tmp_path: Path) -> None:
    """With equal updates the cluster trains and plays what two processes do, and what one does."""
    studies = {name: make_study(tmp_path / name, transitions=40 * LANES) for name in ("one", "two", "ray")}
    where = {"one": Workers(), "two": Workers(jobs=2), "ray": Workers(ray=cluster)}
    told = {name: str(run(study, where[name])[0]) for name, study in studies.items()}  # as text: nan equals nothing
    assert told["one"] == told["two"] == told["ray"]


def test_a_worker_may_be_killed(cluster: str, tmp_path: Path) -> None:
    """A worker that dies in mid-run loses nothing, and nothing counts twice."""
    found = list(Workers(ray=cluster).run(killed_once, str(tmp_path), list(range(6))))
    assert [(number, number) for number in range(6)] == sorted(found)
    assert 2 == times_begun(tmp_path, 3)


def test_a_worker_may_be_killed_from_outside(cluster: str, tmp_path: Path) -> None:
    """Whichever worker another program kills, every result is there once."""

    def kill() -> None:
        """Kill the first process that has begun a specification."""
        while not (begun := list(tmp_path.iterdir())):
            time.sleep(0.02)
        os.kill(int(begun[0].name.split("-")[1]), signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    found = list(Workers(ray=cluster).run(killed_once, str(tmp_path), [0, 1, 2, 4, 5]))
    thread.join()
    assert [(0, 0), (1, 1), (2, 2), (3, 4), (4, 5)] == sorted(found)
