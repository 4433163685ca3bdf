"""Work that is shared by processes: each result once, whatever becomes of a worker."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from improviser import workers
from improviser.workers import HERE, WorkerError, Workers
from tests.jobs import always_killed, killed_once, squared, times_begun


def test_one_job_works_here() -> None:
    """Without more jobs everything is done in this process, in order."""
    told: list[int] = []
    found = HERE.all(squared, 10, [1, 2, 3], told.append)
    assert [(11, os.getpid()), (14, os.getpid()), (19, os.getpid())] == found
    assert [1, 2, 3] == told
    assert [] == HERE.all(squared, 10, [])


def test_more_jobs_give_the_same_results(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes give the same results in the same order, and use one thread each; a single task needs none."""
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    found = Workers(jobs=2).all(squared, 1, list(range(6)))
    assert [number * number + 1 for number in range(6)] == [value for value, _ in found]
    assert os.getpid() not in {process for _, process in found}
    assert ("7", None) == (os.environ["OMP_NUM_THREADS"], os.environ.get("MKL_NUM_THREADS"))
    assert [(5, os.getpid())] == Workers(jobs=2).all(squared, 1, [2])


def test_what_a_killed_worker_had_is_begun_anew(tmp_path: Path) -> None:
    """After a worker is killed in mid-run, each result is there once."""
    found = list(Workers(jobs=2).run(killed_once, str(tmp_path), list(range(6))))
    assert sorted((number, number) for number in range(6)) == sorted(found)
    assert 2 == times_begun(tmp_path, 3)


def test_workers_that_are_always_killed_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """After some tries the cause is told, with what may help."""
    monkeypatch.setattr(workers, "RETRIES", 1)
    with pytest.raises(WorkerError, match="killed again and again"):
        Workers(jobs=2).all(always_killed, None, [1, 2])


def test_no_cluster_is_told() -> None:
    """A cluster that is not there is an error that says how to start one."""
    pytest.importorskip("ray", reason="Ray is not installed")
    with pytest.raises(WorkerError, match="ray start --head"):
        Workers(ray="127.0.0.1:1").all(squared, 1, [1, 2])


def test_ray_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the command that installs it is named."""
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(WorkerError, match=r"improviser-live\[scale\]"):
        Workers(ray="auto").all(squared, 1, [1, 2])
